//! Regions and their partitions.

use std::fmt;

/// A well-formed AWS region name, such as `eu-west-1`. Only AWS knows whether it exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region(String);

impl Region {
    /// `None` if the name does not have the format of a region: at least three parts, which are lower-case words and a
    /// final number. (An availability zone, `aws-global` and `us-east` do not.)
    pub fn parse(name: &str) -> Option<Self> {
        let parts: Vec<&str> = name.split('-').collect();
        let (number, words) = parts.split_last()?;
        let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
        let is_number = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        let fits = name.len() <= 40 && words.len() >= 2 && words.iter().all(is_word) && is_number;
        fits.then(|| Region(name.to_owned()))
    }

    /// The region in the host name of an EKS API server: `https://ID.gr7.eu-west-1.eks.amazonaws.com`, or, for an IPv6
    /// cluster, `https://ID.gr7.eks-cluster.eu-west-1.api.aws`.
    pub fn from_eks_server(url: &str) -> Option<Self> {
        let host = url.split("://").nth(1)?.split(['/', ':', '?', '#']).next()?.to_ascii_lowercase();
        let domains = PARTITIONS.iter().flat_map(|partition| partition.domains);
        let labels = domains.into_iter().find_map(|domain| host.strip_suffix(domain)?.strip_suffix('.'))?;
        let mut labels = labels.rsplit('.');
        match (labels.next()?, labels.next()?) {
            ("eks", region) | (region, "eks-cluster") => Region::parse(region),
            _ => None,
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn partition(&self) -> Partition {
        let matching = PARTITIONS.iter().find(|partition| self.0.starts_with(partition.region_prefix));
        *matching.expect("the last prefix is empty and fits every region")
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An AWS partition, as far as it matters for ARNs and for the hosts a cluster accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// The second part of an ARN.
    pub id: &'static str,
    region_prefix: &'static str,
    /// The domains under which a cluster of this partition accepts an STS host (aws-iam-authenticator, `pkg/token`);
    /// its API servers use the same domains.
    pub domains: &'static [&'static str],
}

const PARTITIONS: [Partition; 8] = [
    Partition { id: "aws-cn", region_prefix: "cn-", domains: &["amazonaws.com.cn", "api.amazonwebservices.com.cn"] },
    Partition { id: "aws-us-gov", region_prefix: "us-gov-", domains: &["amazonaws.com", "api.aws"] },
    Partition { id: "aws-eusc", region_prefix: "eusc-", domains: &["amazonaws.eu", "api.amazonwebservices.eu"] },
    Partition { id: "aws-iso", region_prefix: "us-iso-", domains: &["c2s.ic.gov"] },
    Partition { id: "aws-iso-b", region_prefix: "us-isob-", domains: &["sc2s.sgov.gov"] },
    Partition { id: "aws-iso-e", region_prefix: "eu-isoe-", domains: &["cloud.adc-e.uk"] },
    Partition { id: "aws-iso-f", region_prefix: "us-isof-", domains: &["csp.hci.ic.gov"] },
    Partition { id: "aws", region_prefix: "", domains: &["amazonaws.com", "api.aws"] },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_region_names_are_accepted() {
        for good in ["us-east-1", "ap-southeast-10", "us-gov-west-1", "eusc-de-east-1", "us-isob-east-1"] {
            assert_eq!(Region::parse(good).as_ref().map(Region::as_str), Some(good));
        }
        for bad in [
            "",
            "us-east",
            "us-east-1a",
            "US-EAST-1",
            "aws-global",
            "us--1",
            "us-east-1.evil.com",
            "us_east_1",
            " us-east-1",
            "1-2-3",
            "us-east-123",
        ] {
            assert_eq!(Region::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_region_is_read_only_from_eks_hosts() {
        let region = |url| Region::from_eks_server(url).map(|r| r.0);
        for url in [
            "https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com",
            "https://0123.GR7.EU-WEST-1.EKS.AMAZONAWS.COM:443/path",
            "https://0123.gr7.eks-cluster.eu-west-1.api.aws",
        ] {
            assert_eq!(region(url).as_deref(), Some("eu-west-1"), "{url}");
        }
        assert_eq!(region("https://0123.yl4.cn-north-1.eks.amazonaws.com.cn").as_deref(), Some("cn-north-1"));
        for url in [
            "https://127.0.0.1:6443",
            "https://kube.example.com",
            "",
            "eks.amazonaws.com",
            "https://eks.eks.amazonaws.com",
            "https://lb.elb.eu-west-1.amazonaws.com",
            "https://x.eu-west-1.eks.example.com",
        ] {
            assert_eq!(region(url), None, "{url}");
        }
    }

    #[test]
    fn every_partition_has_its_regions() {
        for (region, partition) in [
            ("eu-west-1", "aws"),
            ("cn-northwest-1", "aws-cn"),
            ("us-gov-east-1", "aws-us-gov"),
            ("eusc-de-east-1", "aws-eusc"),
            ("us-iso-west-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
        ] {
            assert_eq!(Region::parse(region).unwrap().partition().id, partition);
        }
    }
}
