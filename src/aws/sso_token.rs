//! What is in a token file of `aws sso login`. Pure. The fields of other programs in it stay.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use crate::aws::dates;
use crate::say::secret::Secret;
use crate::say::time::rfc3339;

pub struct SsoToken {
    fields: Map<String, Value>,
    pub access_token: Secret,
    pub ends: SystemTime,
}

/// What a refresh needs.
pub struct Registration<'a> {
    pub client_id: &'a str,
    pub client_secret: &'a str,
    pub refresh_token: &'a str,
}

/// What a refresh gives.
pub struct Refreshed {
    pub access_token: Secret,
    /// `None`: the old one stays good.
    pub refresh_token: Option<Secret>,
    pub life: Duration,
}

impl SsoToken {
    /// `None` for what lacks a token or its end, as for the AWS CLI.
    pub fn parse(contents: &[u8]) -> Option<Self> {
        let fields: Map<String, Value> = serde_json::from_slice(contents).ok()?;
        let access_token = text(&fields, "accessToken")?.trim();
        // One that no header can carry is none.
        let access_token = access_token.bytes().all(|b| b.is_ascii_graphic()).then(|| Secret::new(access_token))?;
        let ends = dates::parse(text(&fields, "expiresAt")?)?;
        Some(SsoToken { fields, access_token, ends })
    }

    /// `None` where no refresh is possible, or not any more.
    pub fn registration(&self, now: SystemTime) -> Option<Registration<'_>> {
        let field = |name| text(&self.fields, name);
        let holds = dates::parse(field("registrationExpiresAt")?)? > now;
        let (client_id, client_secret) = (field("clientId")?, field("clientSecret")?);
        holds.then_some(Registration { client_id, client_secret, refresh_token: field("refreshToken")? })
    }

    /// What tells this login from others, where the access token is one that is replaced every hour: the refresh token.
    pub fn login(&self) -> Option<String> {
        let field = |name| text(&self.fields, name).filter(|text| !text.trim().is_empty());
        Some(format!("{}\n{}", field("startUrl").unwrap_or_default(), field("refreshToken")?))
    }

    /// The file after a refresh.
    pub fn refreshed(&self, refreshed: &Refreshed, now: SystemTime) -> Vec<u8> {
        let mut fields = self.fields.clone();
        let ends = rfc3339(now + refreshed.life);
        fields.insert("accessToken".into(), refreshed.access_token.expose().into());
        fields.insert("expiresAt".into(), ends.expect("a time of our days has a year of four digits").into());
        if let Some(token) = &refreshed.refresh_token {
            fields.insert("refreshToken".into(), token.expose().into());
        }
        Value::Object(fields).to_string().into_bytes()
    }
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_replaces_what_is_new_and_leaves_the_rest() {
        let old = br#"{"accessToken":"a","expiresAt":"2026-01-01T00:00:00UTC","refreshToken":"r","clientId":"i","clientSecret":"s","startUrl":"u","other":[1]}"#;
        let token = SsoToken::parse(old).expect("a token");
        let now = dates::parse("2026-01-01T00:00:00Z").expect("a date");
        let refreshed = |refresh_token: Option<&str>| {
            let refresh_token = refresh_token.map(Secret::new);
            let new = Refreshed { access_token: Secret::new("b"), refresh_token, life: Duration::from_secs(3600) };
            SsoToken::parse(&token.refreshed(&new, now)).expect("a token")
        };
        let new = refreshed(None);
        assert_eq!((new.access_token.expose(), new.ends), ("b", now + Duration::from_secs(3600)));
        assert_eq!(new.fields["other"], serde_json::json!([1]));
        assert_eq!(new.login(), token.login());
        assert_ne!(refreshed(Some("s")).login(), token.login());
    }

    /// Otherwise the access token is all that tells two logins apart.
    #[test]
    fn an_empty_refresh_token_stands_for_no_login() {
        let login = |more: &str| {
            let text = format!(r#"{{"accessToken":"a","expiresAt":"2026-01-01T00:00:00Z"{more}}}"#);
            SsoToken::parse(text.as_bytes()).expect("a token").login()
        };
        for more in ["", r#","refreshToken":"""#, r#","refreshToken":" ""#, r#","refreshToken":null"#] {
            assert_eq!(login(more), None, "{more}");
        }
        assert!(login(r#","refreshToken":"r""#).is_some());
    }
}
