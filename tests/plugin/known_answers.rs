//! Test vectors from aws-iam-authenticator and the AWS CLI (`tests/vectors/tokens.json` gives the origin of each).

use std::time::SystemTime;

use aws_credential_types::Credentials;
use eks_group_auth::aws::endpoint::StsEndpoint;
use eks_group_auth::aws::names::ClusterName;
use eks_group_auth::aws::region::Region;
use eks_group_auth::kube::presign::PresignedUrl;
use eks_group_auth::kube::token::TokenError;
use serde_json::Value;

use crate::support::sigv4::query_pairs;
use crate::support::sts::parse_timestamp;

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../vectors/tokens.json")).unwrap()
}

fn endpoint(region: &str, use_fips: bool, use_dual_stack: bool) -> StsEndpoint {
    StsEndpoint { region: Region::parse(region).unwrap(), use_fips, use_dual_stack }
}

fn sign(vector: &Value) -> (PresignedUrl, SystemTime) {
    let text = |key: &str| vector[key].as_str().unwrap();
    let session_token = vector["session_token"].as_str().map(str::to_owned);
    let credentials = Credentials::new(text("access_key_id"), text("secret_access_key"), session_token, None, "vector");
    let endpoint =
        endpoint(text("region"), vector["use_fips"].as_bool().unwrap(), vector["use_dualstack"].as_bool().unwrap());
    let signed_at = parse_timestamp(&text("signed_at").replace(['-', ':'], "")).unwrap();
    let cluster = ClusterName::parse(text("cluster")).unwrap();
    (PresignedUrl::get_caller_identity(&cluster, &credentials, &endpoint, signed_at).unwrap(), signed_at)
}

#[test]
fn urls_and_tokens_match_other_tools_byte_for_byte() {
    let without: Vec<Value> = vectors().into_iter().filter(|vector| vector["session_token"].is_null()).collect();
    assert!(without.len() >= 4);
    for vector in without {
        let (url, _) = sign(&vector);
        assert_eq!(url.expose(), vector["url"].as_str().unwrap(), "{}", vector["name"]);
        assert_eq!(url.to_token().expose(), vector["token"].as_str().unwrap(), "{}", vector["name"]);
    }
}

/// The signer puts the session token after the signature, while others put it before; a server ignores the order.
#[test]
fn signatures_with_session_token_match_other_tools() {
    let with: Vec<Value> = vectors().into_iter().filter(|vector| vector["session_token"].is_string()).collect();
    assert!(!with.is_empty());
    for vector in with {
        let (url, _) = sign(&vector);
        let sorted = |url: &str| {
            let (address, query) = url.split_once('?').unwrap();
            let mut pairs = query_pairs(query);
            pairs.sort();
            (address.to_owned(), pairs)
        };
        assert_eq!(sorted(url.expose()), sorted(vector["url"].as_str().unwrap()), "{}", vector["name"]);
    }
}

#[test]
fn vectors_pass_the_cluster_rules_until_they_expire() {
    for vector in vectors() {
        let (url, signed_at) = sign(&vector);
        let region = Region::parse(vector["region"].as_str().unwrap()).unwrap();
        let minutes = |minutes: u64| signed_at + std::time::Duration::from_secs(60 * minutes);
        assert_eq!(url.to_token().check(&region, minutes(15)), Ok(()), "{}", vector["name"]);
        assert_eq!(url.to_token().check(&region, minutes(16)), Err(TokenError::Rule("it is more than 15 minutes old")));
    }
}

#[test]
fn partition_hosts_are_accepted_by_their_clusters() {
    let cases = [
        (
            "us-west-2",
            "sts.us-west-2.amazonaws.com",
            "sts-fips.us-west-2.amazonaws.com",
            Some("sts.us-west-2.api.aws"),
            Some("sts-fips.us-west-2.api.aws"),
        ),
        (
            "cn-north-1",
            "sts.cn-north-1.amazonaws.com.cn",
            "sts-fips.cn-north-1.amazonaws.com.cn",
            Some("sts.cn-north-1.api.amazonwebservices.com.cn"),
            Some("sts-fips.cn-north-1.api.amazonwebservices.com.cn"),
        ),
        // GovCloud's plain host is its FIPS host.
        (
            "us-gov-west-1",
            "sts.us-gov-west-1.amazonaws.com",
            "sts.us-gov-west-1.amazonaws.com",
            Some("sts.us-gov-west-1.api.aws"),
            Some("sts-fips.us-gov-west-1.api.aws"),
        ),
        (
            "eusc-de-east-1",
            "sts.eusc-de-east-1.amazonaws.eu",
            "sts-fips.eusc-de-east-1.amazonaws.eu",
            Some("sts.eusc-de-east-1.api.amazonwebservices.eu"),
            Some("sts-fips.eusc-de-east-1.api.amazonwebservices.eu"),
        ),
        ("us-iso-east-1", "sts.us-iso-east-1.c2s.ic.gov", "sts-fips.us-iso-east-1.c2s.ic.gov", None, None),
        ("us-isob-east-1", "sts.us-isob-east-1.sc2s.sgov.gov", "sts-fips.us-isob-east-1.sc2s.sgov.gov", None, None),
        ("eu-isoe-west-1", "sts.eu-isoe-west-1.cloud.adc-e.uk", "sts-fips.eu-isoe-west-1.cloud.adc-e.uk", None, None),
        (
            "us-isof-south-1",
            "sts.us-isof-south-1.csp.hci.ic.gov",
            "sts-fips.us-isof-south-1.csp.hci.ic.gov",
            None,
            None,
        ),
    ];
    let now = SystemTime::now();
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let cluster = ClusterName::parse("demo").unwrap();
    for (region, plain, fips, dual_stack, both) in cases {
        for (use_fips, use_dual_stack, expected) in
            [(false, false, Some(plain)), (true, false, Some(fips)), (false, true, dual_stack), (true, true, both)]
        {
            let endpoint = endpoint(region, use_fips, use_dual_stack);
            let Some(expected) = expected else {
                // If the SDK has a host at all, no cluster accepts it, and the check must reject it.
                let refused = PresignedUrl::get_caller_identity(&cluster, &credentials, &endpoint, now)
                    .is_ok_and(|url| url.to_token().check(&endpoint.region, now).is_ok());
                assert!(!refused, "{endpoint:?} gives a token that no cluster accepts");
                continue;
            };
            assert_eq!(endpoint.url().unwrap(), format!("https://{expected}"));
            let url = PresignedUrl::get_caller_identity(&cluster, &credentials, &endpoint, now).unwrap();
            assert_eq!(url.to_token().check(&endpoint.region, now), Ok(()), "{endpoint:?}");
        }
    }
}
