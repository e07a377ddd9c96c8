//! Access keys as configured, and checks for keys that cannot be right: STS would report them as unknown and, without a
//! role, a cluster would refuse them without giving a reason. Pure.

use std::time::SystemTime;

use aws_credential_types::Credentials;

use crate::aws::dates;
use crate::aws::error::Error;
use crate::say::secret::Secret;
use crate::say::text::shown;
use crate::sys::vars;

/// Access keys, and where they are set.
#[derive(Debug)]
pub struct Keys {
    place: KeysOrigin,
    id: String,
    secret: Secret,
    session_token: Option<Secret>,
    expiry: Option<String>,
}

/// Where keys come from, which decides what their parts are called in messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeysOrigin {
    /// Environment variables; which of the session token's two names is set.
    Environment { session_token: &'static str },
    /// A profile in one of the files, with the names used for properties that have several.
    Profile { name: String, in_credentials_file: bool, session_token: &'static str, expiry: &'static str },
    /// The output of a `credential_process` or a container.
    Output,
}

#[derive(Clone, Copy)]
enum Part {
    Id,
    Secret,
    SessionToken,
    Expiry,
}

/// Why keys are rejected. Never contains the keys, except an id that is a variable name.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidKeys {
    pub why: String,
    pub hint: String,
}

impl Keys {
    /// Surrounding whitespace, such as the CR in a Windows file, is not part of a key.
    pub fn new(place: KeysOrigin, id: &str, secret: &str, session_token: Option<&str>, expiry: Option<&str>) -> Self {
        let session_token = session_token.map(str::trim).filter(|token| !token.is_empty()).map(Secret::new);
        let expiry = expiry.map(|text| text.trim().to_owned());
        Keys { place, id: id.trim().to_owned(), secret: Secret::new(secret.trim()), session_token, expiry }
    }

    pub fn place(&self) -> &KeysOrigin {
        &self.place
    }

    /// The key id, which is not a secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// # Errors
    ///
    /// [`Error::Input`] for an invalid expiry date: it must not mean that the keys never expire.
    pub fn credentials(&self) -> Result<Credentials, Error> {
        let expiry = self.expiry.as_deref().map(|text| {
            let rule = "a date with a time and a time zone, such as `2030-01-01T00:00:00Z`";
            dates::parse(text).ok_or_else(|| Error::input(self.place.label(Part::Expiry), text, rule))
        });
        let token = self.session_token.as_ref().map(|token| token.expose().to_owned());
        Ok(Credentials::new(&*self.id, self.secret.expose(), token, expiry.transpose()?, "keys"))
    }
}

impl KeysOrigin {
    pub fn is_credentials_file(&self) -> bool {
        matches!(self, KeysOrigin::Profile { in_credentials_file: true, .. })
    }

    /// What to call the expiry of these keys in messages.
    pub fn expiry_label(&self) -> String {
        self.label(Part::Expiry)
    }

    fn label(&self, part: Part) -> String {
        let of_environment = |session_token: &'static str| match part {
            Part::Id => vars::AWS_ACCESS_KEY_ID,
            Part::Secret => vars::AWS_SECRET_ACCESS_KEY,
            Part::SessionToken => session_token,
            Part::Expiry => vars::AWS_CREDENTIAL_EXPIRATION,
        };
        match self {
            KeysOrigin::Environment { session_token } => of_environment(session_token).to_owned(),
            KeysOrigin::Profile { name, session_token, expiry, .. } => {
                let property = match part {
                    Part::Id => "aws_access_key_id",
                    Part::Secret => "aws_secret_access_key",
                    Part::SessionToken => session_token,
                    Part::Expiry => expiry,
                };
                format!("`{property}` in profile `{}`", shown(name))
            }
            KeysOrigin::Output => match part {
                Part::Id => "`AccessKeyId`",
                Part::Secret => "`SecretAccessKey`",
                Part::SessionToken => "the session token",
                Part::Expiry => "`Expiration`",
            }
            .to_owned(),
        }
    }

    /// # Errors
    ///
    /// If these credentials cannot be right.
    pub fn check(&self, credentials: &Credentials) -> Result<(), InvalidKeys> {
        let (id, token) = (credentials.access_key_id(), credentials.session_token().unwrap_or_default());
        let parts = [(Part::Id, id), (Part::Secret, credentials.secret_access_key()), (Part::SessionToken, token)];
        for (part, value) in parts {
            let label = self.label(part);
            let unfit = |why: String, hint: String| Err(InvalidKeys { why, hint });
            if value.starts_with(['"', '\'']) || value.ends_with(['"', '\'']) {
                return unfit(
                    format!("{label} is in quotation marks"),
                    format!("remove the quotation marks from {label}"),
                );
            }
            if is_variable(value) {
                // A secret that looks like a variable could still be a secret.
                let text = if let Part::Id = part { format!("`{}`", shown(value)) } else { "a variable name".into() };
                let why = format!("{label} is {text}, which was never replaced with its value");
                return unfit(why, format!("set {label} to the value itself"));
            }
            if value.contains([' ', '\t']) && value.contains(['#', ';']) {
                let why = format!("{label} is followed by a comment, which the AWS CLI reads as part of the value");
                return unfit(why, "put the comment on its own line".into());
            }
            let may_be_empty = matches!(part, Part::SessionToken);
            let is_allowed = |b: u8| match part {
                Part::Id => b.is_ascii_alphanumeric() || b == b'_',
                _ => b.is_ascii_graphic(),
            };
            if value.is_empty() && !may_be_empty {
                return unfit(format!("{label} is empty"), format!("set {label}"));
            }
            if !value.bytes().all(is_allowed) {
                let why = format!("{label} contains characters that are not allowed in credentials");
                return unfit(why, format!("correct {label}"));
            }
        }
        // A leftover part of another key pair occurs where people set keys by hand; programs return complete
        // credentials.
        if *self != KeysOrigin::Output && id.starts_with("AKIA") && !token.is_empty() {
            let (id, token) = (self.label(Part::Id), self.label(Part::SessionToken));
            return Err(InvalidKeys {
                why: format!(
                    "{token} is left over from other keys: {id} is a user's long-term key (AKIA…), which has no \
                     session token"
                ),
                hint: format!("remove {token}"),
            });
        }
        Ok(())
    }
}

/// `$NAME`, `${NAME}`, `$(NAME)`, `$env:NAME`, `%NAME%` or `{{ name }}`.
fn is_variable(value: &str) -> bool {
    const MARKS: [(&str, &str); 5] = [("${", "}"), ("$(", ")"), ("$env:", ""), ("$", ""), ("%", "%")];
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let is_between = |(start, end): (&str, &str)| {
        value.strip_prefix(start).and_then(|rest| rest.strip_suffix(end)).is_some_and(is_name)
    };
    MARKS.into_iter().any(is_between) || (value.starts_with("{{") && value.ends_with("}}"))
}

/// Whether the credentials have expired, or will before they can be used.
pub fn are_expired(credentials: &Credentials, margin_ends: SystemTime) -> bool {
    credentials.expiry().is_some_and(|expiry| expiry <= margin_ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(id: &str, secret: &str, token: Option<&str>) -> Option<String> {
        let place = KeysOrigin::Environment { session_token: "AWS_SESSION_TOKEN" };
        let keys = Keys::new(place, id, secret, token, None);
        keys.place().check(&keys.credentials().expect("no date")).err().map(|unfit| unfit.why)
    }

    #[test]
    fn invalid_keys_are_detected() {
        for (id, secret, token, words) in [
            ("\"AKIA1\"", "s", None, "AWS_ACCESS_KEY_ID is in quotation marks"),
            ("AKIA1", "'MARKER'", None, "AWS_SECRET_ACCESS_KEY is in quotation marks"),
            ("ASIA1", "s", Some("\"MARKER\""), "AWS_SESSION_TOKEN is in quotation marks"),
            ("$AWS_KEY", "s", None, "`$AWS_KEY`, which was never replaced"),
            ("${KEY}", "s", None, "`${KEY}`"),
            ("%KEY%", "s", None, "`%KEY%`"),
            ("$(KEY)", "s", None, "`$(KEY)`"),
            ("$env:KEY", "s", None, "`$env:KEY`"),
            ("{{env.KEY}}", "s", None, "`{{env.KEY}}`"),
            ("op://vault/id", "s", None, "characters that are not allowed in credentials"),
            ("AKIA1", "$MARKER", None, "AWS_SECRET_ACCESS_KEY is a variable name"),
            ("AKIA1", "s", Some("MARKER"), "AWS_SESSION_TOKEN is left over"),
            ("AKIA1 # mine", "s", None, "AWS_ACCESS_KEY_ID is followed by a comment"),
            ("AKIA\u{1b}1", "s", None, "characters that are not allowed in credentials"),
            ("AKIA1", "", None, "AWS_SECRET_ACCESS_KEY is empty"),
        ] {
            let why = why(id, secret, token).expect(id);
            assert!(why.contains(words) && !why.contains("MARKER"), "{why}");
        }
    }

    #[test]
    fn valid_keys_are_accepted_and_trimmed() {
        assert_eq!(why(" AKIA1\r", "a/b+c=\r\n", Some(" ")), None);
        assert_eq!(why("ASIA1", "s", Some("token/with+odd=characters")), None);
        assert_eq!(why("AKIA1", "100%$sure", None), None);
    }

    #[test]
    fn an_invalid_expiry_is_an_error() {
        let place = KeysOrigin::Environment { session_token: "AWS_SESSION_TOKEN" };
        let error = Keys::new(place, "AKIA", "s", None, Some("soon")).credentials().unwrap_err();
        assert!(error.to_string().starts_with("AWS_CREDENTIAL_EXPIRATION `soon`"), "{error}");
    }
}
