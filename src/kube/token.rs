//! The token, and the cluster's rules for accepting one (aws-iam-authenticator, `pkg/token`, `Verify`). A token that
//! breaks a rule is bound to fail at a server that does not say why, so every token is checked here before it is
//! returned.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_smithy_types::DateTime;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::aws::endpoint::StsEndpoint;
use crate::aws::error::Error;
use crate::aws::region::Region;
use crate::say::secret::Secret;
use crate::say::time::unix_seconds;

const PREFIX: &str = "k8s-aws-v1.";

/// The header that binds a token to one cluster; the server signs its own name into it.
pub const CLUSTER_ID_HEADER: &str = "x-k8s-aws-id";

/// The server's limit is 4096 bytes, but its comparison makes 4095 the maximum.
const MAX_LEN: usize = 4095;

/// A token is valid for this long after X-Amz-Date, regardless of X-Amz-Expires.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Subtracted from the stated lifetime, to allow for clock differences and slow requests.
pub const MARGIN: Duration = Duration::from_secs(60);

/// A bearer token for one cluster. Never printed; see [`Secret`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(Secret);

impl Token {
    /// Encodes any URL as a token; only [`Token::check`] tells whether it is valid.
    pub fn encode(url: &str) -> Self {
        Self::from_text(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(url)))
    }

    /// Any text as a token.
    pub fn from_text(text: impl Into<String>) -> Self {
        Token(Secret::new(text))
    }

    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Checks whether a cluster would accept this token now, by every rule that does not need STS, in the server's
    /// order.
    pub fn check(&self, region: &Region, now: SystemTime) -> Result<(), TokenError> {
        let token = self.expose();
        if token.len() > MAX_LEN {
            return Err(TokenError::TooLong(token.len()));
        }
        let encoded = token.strip_prefix(PREFIX).ok_or(TokenError::Rule("it lacks the prefix k8s-aws-v1."))?;
        let decoded = URL_SAFE_NO_PAD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let url = decoded.ok_or(TokenError::Rule("it is not unpadded base64url text"))?;
        let rest = url.strip_prefix("https://").ok_or(TokenError::Rule("its URL is not https"))?;
        let (host, path_and_query) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        check_host(host, region)?;
        let query = path_and_query.strip_prefix("/?").ok_or(TokenError::Rule("its URL's path is not /"))?;
        check_query(query, now)
    }
}

/// Checks, before any network call, whether any cluster can accept tokens for this endpoint's host.
pub fn check_endpoint(endpoint: &StsEndpoint) -> Result<(), Error> {
    let url = endpoint.url()?;
    let host = url.strip_prefix("https://").unwrap_or(&url);
    check_host(host, &endpoint.region).map_err(|refused| Error::NoEndpoint {
        region: endpoint.region.to_string(),
        why: format!("clusters would refuse a token for `{host}`: {refused}"),
    })
}

/// Rejects a session token that alone makes the token too long; the signer fails on much longer ones.
pub fn check_session_token(credentials: &Credentials) -> Result<(), TokenError> {
    // The length as base64 of a URL that contains nothing else and needs no escaping.
    let at_least = PREFIX.len() + credentials.session_token().map_or(0, str::len) * 4 / 3;
    if at_least > MAX_LEN { Err(TokenError::TooLong(at_least)) } else { Ok(()) }
}

fn check_host(host: &str, region: &Region) -> Result<(), TokenError> {
    let is_in_region =
        [(false, false), (true, false), (false, true), (true, true)].into_iter().any(|(use_fips, use_dual_stack)| {
            let url = StsEndpoint { region: region.clone(), use_fips, use_dual_stack }.url();
            url.is_ok_and(|url| url.strip_prefix("https://") == Some(host))
        });
    if !is_in_region {
        return Err(TokenError::Rule("its host is not one of the region's STS hosts"));
    }
    let in_partition = |domain: &&str| host.strip_suffix(*domain).is_some_and(|rest| rest.ends_with('.'));
    if !region.partition().domains.iter().any(in_partition) {
        return Err(TokenError::Rule("its host is outside the domains that clusters in this partition accept"));
    }
    Ok(())
}

fn check_query(query: &str, now: SystemTime) -> Result<(), TokenError> {
    const ALLOWED: [&str; 9] = [
        "action",
        "version",
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-security-token",
        "x-amz-signature",
        "x-amz-signedheaders",
    ];
    let pairs: Vec<(String, &str)> = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(k, v)| (k.to_ascii_lowercase(), v))
        .collect();
    let value_of = |key: &str| pairs.iter().find(|(k, _)| k == key).map(|(_, value)| *value);
    for (at, (key, _)) in pairs.iter().enumerate() {
        if !ALLOWED.contains(&key.as_str()) || pairs[..at].iter().any(|(earlier, _)| earlier == key) {
            return Err(TokenError::Rule("its URL has a parameter that is not allowed or is repeated"));
        }
    }
    if value_of("action") != Some("GetCallerIdentity") {
        return Err(TokenError::Rule("its action is not GetCallerIdentity"));
    }
    let signed_headers = value_of("x-amz-signedheaders").unwrap_or_default();
    if query.contains(';') || !signed_headers.split("%3B").any(|header| header == CLUSTER_ID_HEADER) {
        return Err(TokenError::Rule("its signature does not cover x-k8s-aws-id"));
    }
    if value_of("x-amz-expires").and_then(|value| value.parse::<u32>().ok()).is_none_or(|seconds| seconds > 900) {
        return Err(TokenError::Rule("its X-Amz-Expires is not a number from 0 to 900"));
    }
    let date =
        value_of("x-amz-date").and_then(parse_amz_date).ok_or(TokenError::Rule("its X-Amz-Date is not a date"))?;
    if now.duration_since(date).is_ok_and(|age| age > LIFETIME) {
        return Err(TokenError::Rule("it is more than 15 minutes old"));
    }
    Ok(())
}

/// `YYYYMMDDTHHMMSSZ`.
fn parse_amz_date(date: &str) -> Option<SystemTime> {
    let fits = date.len() == 16
        && date.bytes().enumerate().all(|(at, b)| match at {
            8 => b == b'T',
            15 => b == b'Z',
            _ => b.is_ascii_digit(),
        });
    if !fits {
        return None;
    }
    let spread =
        format!("{}-{}-{}T{}:{}:{}Z", &date[..4], &date[4..6], &date[6..8], &date[9..11], &date[11..13], &date[13..15]);
    let parsed = DateTime::from_str(&spread, aws_smithy_types::date_time::Format::DateTime).ok()?;
    SystemTime::try_from(parsed).ok()
}

/// The token's expiry: `min(signed_at + 15 min, the credentials' expiry) - 60 s`, in whole seconds.
pub fn expiration(signed_at: SystemTime, credentials: &Credentials) -> SystemTime {
    let end_of_life = signed_at + LIFETIME;
    let end = credentials.expiry().map_or(end_of_life, |expiry| expiry.min(end_of_life));
    UNIX_EPOCH + Duration::from_secs(unix_seconds(end - MARGIN).max(0) as u64)
}

/// Why a cluster would refuse a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// Its length in characters.
    TooLong(usize),
    /// One of the other rules.
    Rule(&'static str),
}

impl TokenError {
    pub fn hint(&self) -> &'static str {
        match self {
            TokenError::TooLong(_) => {
                "the session token in it is too long, often because of many session tags or session policies: have \
                 the identity provider pass fewer, or use a role with fewer"
            }
            TokenError::Rule(_) => {
                "check the region and the FIPS and dual-stack settings; if they are correct, report this as a bug"
            }
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenError::TooLong(len) => {
                write!(f, "it is at least {len} characters long, but clusters accept at most {MAX_LEN}")
            }
            TokenError::Rule(why) => f.write_str(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=AKID%2F20260102%2Feu-west-1%2Fsts%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60\
        &X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&X-Amz-Signature=00";

    fn check(token: String) -> Result<(), TokenError> {
        let signed_at = parse_amz_date("20260102T030405Z").unwrap();
        Token::from_text(token).check(&Region::parse("eu-west-1").unwrap(), signed_at)
    }

    fn check_url(url: &str) -> Result<(), TokenError> {
        check(Token::encode(url).expose().to_owned())
    }

    #[test]
    fn each_rule_rejects_only_its_violations() {
        assert_eq!(check_url(GOOD), Ok(()));
        assert_eq!(check_url(&format!("{GOOD}&X-Amz-Security-Token=x")), Ok(()));
        assert_eq!(
            check_url(&GOOD.replace("eu-west-1.amazonaws", "eu-west-1.api.aws").replace("api.aws.com", "api.aws")),
            Ok(())
        );
        let host = "its host is not one of the region's STS hosts";
        let path = "its URL's path is not /";
        let parameter = "its URL has a parameter that is not allowed or is repeated";
        let action = "its action is not GetCallerIdentity";
        let header = "its signature does not cover x-k8s-aws-id";
        let expires = "its X-Amz-Expires is not a number from 0 to 900";
        let date = "its X-Amz-Date is not a date";
        for (from, to, why) in [
            ("https:", "http:", "its URL is not https"),
            ("sts.eu", "STS.eu", host),
            (".com/", ".com:443/", host),
            (".com/", ".com./", host),
            ("sts.eu-west-1", "sts.eu-west-2", host),
            ("sts.eu-west-1.amazonaws.com", "vpce-1.sts.eu-west-1.vpce.amazonaws.com", host),
            ("sts.eu-west-1.amazonaws.com", "evil.com/sts.eu-west-1.amazonaws.com", host),
            ("/?", "?", path),
            ("/?", "//?", path),
            ("/?", "/x?", path),
            ("&Version", "&x-id=1&Version", parameter),
            ("&Version", "&X-Amz-User-Agent=1&Version", parameter),
            ("&Version", "&action=GetCallerIdentity&Version", parameter),
            ("GetCallerIdentity", "getcalleridentity", action),
            ("Action=GetCallerIdentity&", "", action),
            ("host%3Bx-k8s-aws-id", "host", header),
            ("host%3Bx", "host;x", header),
            ("Expires=60", "Expires=901", expires),
            ("Expires=60", "Expires=-1", expires),
            ("&X-Amz-Expires=60", "", expires),
            ("Date=2026", "Date=x026", date),
            ("&X-Amz-Date=20260102T030405Z", "", date),
            ("Date=20260102T0304", "Date=20260102T0248", "it is more than 15 minutes old"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            assert_eq!(check_url(&GOOD.replace(from, to)), Err(TokenError::Rule(why)), "{from} -> {to}");
        }
        let encoded = URL_SAFE_NO_PAD.encode(GOOD);
        for (token, why) in [
            (format!("K8S-AWS-V1.{encoded}"), "it lacks the prefix k8s-aws-v1."),
            (format!(" {PREFIX}{encoded}"), "it lacks the prefix k8s-aws-v1."),
            (format!("{PREFIX}{encoded}="), "it is not unpadded base64url text"),
            (format!("{PREFIX}{encoded}+/"), "it is not unpadded base64url text"),
        ] {
            assert_eq!(check(token), Err(TokenError::Rule(why)));
        }
    }

    #[test]
    fn the_limits_of_the_rules_are_still_within_them() {
        assert_eq!(check_url(&GOOD.replace("Expires=60", "Expires=900")), Ok(()));
        assert_eq!(check_url(&GOOD.replace("Date=20260102T030405Z", "Date=20260102T024905Z")), Ok(()), "15 minutes");
        let date = |text: &str| check_url(&GOOD.replace("20260102T030405Z", text));
        for not_a_date in ["20260102T030405", "2026010T", "20260102 030405Z", "20260102T030405ZZ", ""] {
            assert_eq!(date(not_a_date), Err(TokenError::Rule("its X-Amz-Date is not a date")), "{not_a_date}");
        }
    }

    #[test]
    fn a_token_expires_a_minute_before_it_or_its_credentials_do() {
        let signed_at = UNIX_EPOCH + Duration::from_millis(1_800_000_000_900);
        let seconds = |life: Option<u64>| {
            let expiry = life.map(|life| signed_at + Duration::from_secs(life));
            let expires = expiration(signed_at, &Credentials::new("AKIA", "s", None, expiry, "test"));
            let whole = signed_at - Duration::from_millis(900);
            let since = expires
                .duration_since(whole)
                .map_or_else(|error| -(error.duration().as_secs() as i64), |since| since.as_secs() as i64);
            (since, expires.duration_since(UNIX_EPOCH).unwrap().subsec_nanos())
        };
        let lives = [None, Some(3600), Some(900), Some(899), Some(60), Some(30)];
        assert_eq!(lives.map(seconds), [840, 840, 840, 839, 0, -30].map(|seconds| (seconds, 0)));
    }

    #[test]
    fn a_session_token_that_cannot_fit_is_refused_before_signing() {
        let check = |len: usize| {
            let token = (len > 0).then(|| "x".repeat(len));
            check_session_token(&Credentials::new("ASIA", "s", token, None, "test"))
        };
        // 11 characters of prefix, and four for every three bytes.
        assert_eq!([check(0), check(3063)], [Ok(()), Ok(())]);
        assert_eq!(check(3064), Err(TokenError::TooLong(4096)));
        assert_eq!(check(9000), Err(TokenError::TooLong(12_011)));
    }

    #[test]
    fn an_endpoint_whose_host_no_cluster_accepts_is_refused() {
        let check = |region: &str, use_fips: bool| {
            let region = Region::parse(region).unwrap();
            check_endpoint(&StsEndpoint { region, use_fips, use_dual_stack: true }).map_err(|error| error.to_string())
        };
        assert_eq!(check("eu-west-1", false), Ok(()));
        let refused = check("us-iso-east-1", true).unwrap_err();
        assert!(refused.contains("us-iso-east-1"), "{refused}");
    }

    #[test]
    fn each_refusal_of_a_token_has_a_hint() {
        let hints = [TokenError::TooLong(1).hint(), TokenError::Rule("").hint()];
        assert!(hints[0].contains("session token") && hints[1].contains("region"), "{hints:?}");
    }

    #[test]
    fn the_longest_token_is_4095_characters() {
        let with = |len: usize| {
            // Three bytes of URL become four characters of token; a parameter's length makes up the difference.
            let padding = (len - PREFIX.len()) * 3 / 4 - GOOD.len() - "&X-Amz-Security-Token=".len();
            format!(
                "{PREFIX}{}",
                URL_SAFE_NO_PAD.encode(format!("{GOOD}&X-Amz-Security-Token={}", "x".repeat(padding)))
            )
        };
        let longest = with(MAX_LEN);
        assert_eq!((longest.len(), check(longest)), (MAX_LEN, Ok(())));
        let too_long = with(MAX_LEN + 2);
        assert_eq!(check(too_long.clone()), Err(TokenError::TooLong(too_long.len())));
    }

    proptest! {
        #[test]
        fn the_checker_never_panics(text in "\\PC{0,300}") {
            let _ = (check(text.clone()), check_url(&text), check_url(&format!("https://sts.eu-west-1.amazonaws.com/?{text}")));
        }

        #[test]
        fn the_checker_never_panics_on_mutated_urls(at in 0usize..400, with in any::<char>()) {
            let mut url: Vec<char> = GOOD.chars().collect();
            let at = at % url.len();
            url[at] = with;
            let _ = check_url(&url.into_iter().collect::<String>());
        }
    }
}
