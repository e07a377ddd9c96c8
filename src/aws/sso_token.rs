//! The token file written by `aws sso login`. Pure. Unknown fields are kept.

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

/// The data needed for a refresh.
pub struct Registration<'a> {
    pub client_id: &'a str,
    pub client_secret: &'a str,
    pub refresh_token: &'a str,
}

/// The result of a refresh.
pub struct Refreshed {
    pub access_token: Secret,
    /// `None`: the old one stays valid.
    pub refresh_token: Option<Secret>,
    pub life: Duration,
}

impl SsoToken {
    /// `None` if the token or its expiry is missing, as in the AWS CLI.
    pub fn parse(contents: &[u8]) -> Option<Self> {
        let fields: Map<String, Value> = serde_json::from_slice(contents).ok()?;
        let access_token = text(&fields, "accessToken")?.trim();
        // A token that cannot be sent in a header is invalid.
        let access_token = access_token.bytes().all(|b| b.is_ascii_graphic()).then(|| Secret::new(access_token))?;
        let ends = dates::parse(text(&fields, "expiresAt")?)?;
        Some(SsoToken { fields, access_token, ends })
    }

    /// `None` if a refresh is not possible, or no longer possible.
    pub fn registration(&self, now: SystemTime) -> Option<Registration<'_>> {
        let field = |name| text(&self.fields, name);
        let holds = dates::parse(field("registrationExpiresAt")?)? > now;
        let (client_id, client_secret) = (field("clientId")?, field("clientSecret")?);
        holds.then_some(Registration { client_id, client_secret, refresh_token: field("refreshToken")? })
    }

    /// What identifies this login if the access token is replaced every hour: the refresh token.
    pub fn login_id(&self) -> Option<String> {
        let field = |name| text(&self.fields, name).filter(|text| !text.trim().is_empty());
        Some(format!("{}\n{}", field("startUrl").unwrap_or_default(), field("refreshToken")?))
    }

    /// The contents of the file after a refresh.
    pub fn refreshed(&self, refreshed: &Refreshed, now: SystemTime) -> Vec<u8> {
        let mut fields = self.fields.clone();
        let ends = rfc3339(now + refreshed.life);
        fields.insert("accessToken".into(), refreshed.access_token.expose().into());
        fields.insert("expiresAt".into(), ends.expect("a current date has a four-digit year").into());
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
    fn a_refresh_keeps_other_fields() {
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
        assert_eq!(new.login_id(), token.login_id());
        assert_ne!(refreshed(Some("s")).login_id(), token.login_id());
    }

    /// Without a refresh token, only the access token distinguishes two logins.
    #[test]
    fn an_empty_refresh_token_does_not_identify_a_login() {
        let login = |more: &str| {
            let text = format!(r#"{{"accessToken":"a","expiresAt":"2026-01-01T00:00:00Z"{more}}}"#);
            SsoToken::parse(text.as_bytes()).expect("a token").login_id()
        };
        for more in ["", r#","refreshToken":"""#, r#","refreshToken":" ""#, r#","refreshToken":null"#] {
            assert_eq!(login(more), None, "{more}");
        }
        assert!(login(r#","refreshToken":"r""#).is_some());
    }
}
