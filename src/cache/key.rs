//! The key of an entry: a digest of everything its content depends on.

use std::ffi::OsStr;
use std::fmt;

use crate::aws::endpoint::StsEndpoint;
use crate::aws::fingerprint::{FieldHash, Fingerprint};
use crate::aws::names::ClusterName;
use crate::aws::role::RoleRequest;

/// SHA-256 over length-prefixed fields. Displayed as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    pub fn token(
        identity: &Fingerprint,
        endpoint: &StsEndpoint,
        role: Option<&RoleRequest>,
        cluster: &ClusterName,
    ) -> Self {
        let mut hash = FieldHash::new("token");
        add_identity_and_endpoint(&mut hash, identity, endpoint);
        add_role(&mut hash, role);
        hash.field(cluster.as_str().as_bytes());
        Key(hash.finish())
    }

    pub fn session(identity: &Fingerprint, endpoint: &StsEndpoint, role: &RoleRequest) -> Self {
        let mut hash = FieldHash::new("session");
        add_identity_and_endpoint(&mut hash, identity, endpoint);
        add_role(&mut hash, Some(role));
        Key(hash.finish())
    }

    /// An access key always belongs to the same caller, so this stays valid even if the credential source changes.
    pub fn caller(identity: &Fingerprint, endpoint: &StsEndpoint, access_key_id: &str) -> Self {
        let mut hash = FieldHash::new("caller");
        add_identity_and_endpoint(&mut hash, identity, endpoint);
        hash.field(access_key_id.as_bytes());
        Key(hash.finish())
    }

    /// The key of the lock for processes that would make the call behind `key` with the same network settings.
    pub fn turn<'a>(key: &Key, network: impl Iterator<Item = &'a OsStr>) -> Self {
        let mut hash = FieldHash::new("turn");
        hash.field(&key.0);
        for value in network {
            hash.field(value.as_encoded_bytes());
        }
        Key(hash.finish())
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A custom STS endpoint is already part of the fingerprint.
fn add_identity_and_endpoint(hash: &mut FieldHash, identity: &Fingerprint, endpoint: &StsEndpoint) {
    let StsEndpoint { region, use_fips, use_dual_stack } = endpoint;
    hash.field(identity.as_bytes());
    hash.field(region.as_str().as_bytes());
    hash.field(&[u8::from(*use_fips), u8::from(*use_dual_stack)]);
}

/// Destructured without `..`, so that a new field cannot be forgotten here.
fn add_role(hash: &mut FieldHash, role: Option<&RoleRequest>) {
    let Some(role) = role else { return hash.field(b"no role") };
    // The information for hints is not part of the key.
    let RoleRequest { candidates, session_name, source_identity, external_id, duration, mfa_serial, origin: _ } = role;
    hash.field(b"role");
    hash.field(&(candidates.len() as u64).to_le_bytes());
    for arn in candidates {
        hash.field(arn.as_str().as_bytes());
    }
    let optional = [
        session_name.as_ref().map(|name| name.as_str().as_bytes().to_vec()),
        source_identity.as_ref().map(|name| name.as_str().as_bytes().to_vec()),
        external_id.as_ref().map(|id| id.as_str().as_bytes().to_vec()),
        duration.map(|duration| duration.get().as_secs().to_le_bytes().to_vec()),
        mfa_serial.as_ref().map(|serial| serial.as_str().as_bytes().to_vec()),
    ];
    for field in optional {
        hash.field(&[u8::from(field.is_some())]);
        hash.field(&field.unwrap_or_default());
    }
}

/// Hexadecimal digits. A formatter would take a tenth of a cached call's instructions for this.
pub fn hex(digest: &[u8; 32]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::endpoints::Endpoints;
    use crate::aws::fingerprint::Place;
    use crate::aws::names::{ExternalId, MfaSerial, NameTemplate, RoleArn, SessionDuration};
    use crate::aws::profile::tests::files;
    use crate::aws::region::Region;
    use crate::aws::role::RoleOrigin;
    use crate::aws::source::{CredentialSource, ProfileChoice};
    use crate::sys::env::Env;
    use std::collections::HashSet;

    fn region(name: &str) -> Region {
        Region::parse(name).unwrap()
    }

    fn endpoint() -> StsEndpoint {
        StsEndpoint { region: region("eu-west-1"), use_fips: false, use_dual_stack: false }
    }

    fn identity(host_name: &str) -> Fingerprint {
        let (env, files) = (Env::default(), files("", ""));
        let source = CredentialSource::resolve(ProfileChoice::resolve(None, &env).unwrap(), &env, &files).unwrap();
        let place = Place { effective_uid: 0, host_name: host_name.into(), working_directory: None };
        Fingerprint::new(&place, &env, &source, &Endpoints::default(), &[])
    }

    fn role() -> RoleRequest {
        RoleRequest {
            candidates: vec![arn("dev")],
            session_name: None,
            source_identity: None,
            external_id: None,
            duration: None,
            mfa_serial: None,
            origin: RoleOrigin::default(),
        }
    }

    fn arn(name: &str) -> RoleArn {
        RoleArn::parse(&format!("arn:aws:iam::111122223333:role/{name}"), &region("eu-west-1")).unwrap()
    }

    #[test]
    fn whatever_the_content_depends_on_changes_the_key() {
        let cluster = |name: &str| ClusterName::parse(name).unwrap();
        let name = |name: &str| Some(NameTemplate::parse(name).unwrap());
        let (host, other_host, demo) = (identity("a"), identity("b"), cluster("demo"));
        let endpoints = [
            endpoint(),
            StsEndpoint { region: region("eu-west-2"), ..endpoint() },
            StsEndpoint { use_fips: true, ..endpoint() },
            StsEndpoint { use_dual_stack: true, ..endpoint() },
        ];
        let roles = [
            role(),
            RoleRequest { candidates: vec![arn("ops")], ..role() },
            RoleRequest { candidates: vec![arn("dev"), arn("ops")], ..role() },
            RoleRequest { candidates: vec![arn("ops"), arn("dev")], ..role() },
            RoleRequest { session_name: name("ab"), ..role() },
            RoleRequest { source_identity: name("ab"), ..role() },
            RoleRequest { external_id: Some(ExternalId::parse("ab").unwrap()), ..role() },
            RoleRequest { external_id: Some(ExternalId::parse("abc").unwrap()), ..role() },
            RoleRequest { duration: Some(SessionDuration::parse("900").unwrap()), ..role() },
            RoleRequest { duration: Some(SessionDuration::parse("901").unwrap()), ..role() },
            RoleRequest { mfa_serial: Some(MfaSerial::parse("GAHT12345678").unwrap()), ..role() },
        ];
        let mut keys =
            vec![Key::token(&host, &endpoint(), None, &demo), Key::token(&other_host, &endpoint(), None, &demo)];
        keys.push(Key::token(&host, &endpoint(), None, &cluster("other")));
        keys.extend(endpoints.iter().skip(1).map(|endpoint| Key::token(&host, endpoint, None, &demo)));
        keys.extend(roles.iter().map(|role| Key::token(&host, &endpoint(), Some(role), &demo)));
        keys.extend(roles.iter().map(|role| Key::session(&host, &endpoint(), role)));
        keys.push(Key::session(&other_host, &endpoint(), &role()));
        keys.extend(endpoints.iter().skip(1).map(|endpoint| Key::session(&host, endpoint, &role())));
        for id in ["AKIA1", "AKIA2"] {
            keys.extend(endpoints.iter().map(|endpoint| Key::caller(&host, endpoint, id)));
        }
        for network in [["a", "b"], ["ab", ""], ["", "ab"]] {
            keys.push(Key::turn(&keys[0], network.iter().map(OsStr::new)));
        }
        keys.push(Key::turn(&keys[1], ["a", "b"].iter().map(OsStr::new)));
        let names: HashSet<String> = keys.iter().map(Key::to_string).collect();
        assert_eq!(names.len(), keys.len());
        assert!(keys.iter().all(|key| hex(key.as_bytes()) == key.to_string()));
        assert!(names.iter().all(|name| name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())));
    }

    #[test]
    fn what_hints_know_of_a_role_does_not_change_the_key() {
        let origin = RoleOrigin { profile: Some("dev".into()), ..RoleOrigin::default() };
        let one = Key::session(&identity("a"), &endpoint(), &role());
        assert!(one == Key::session(&identity("a"), &endpoint(), &RoleRequest { origin, ..role() }));
    }

    #[test]
    fn a_digest_in_hexadecimal_is_two_digits_a_byte() {
        let mut digest = [0; 32];
        (digest[0], digest[1], digest[31]) = (0x0f, 0xa0, 0xff);
        assert_eq!(hex(&digest), format!("0fa0{}ff", "00".repeat(29)));
    }
}
