//! What an entry is filed under: a digest of everything that its content depends on.

use std::ffi::OsStr;
use std::fmt;

use crate::aws::endpoint::StsEndpoint;
use crate::aws::fingerprint::{FieldHash, Fingerprint};
use crate::aws::names::ClusterName;
use crate::aws::role::RoleRequest;

/// SHA-256 over length-prefixed fields. Shows as 64 hexadecimal digits.
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

    /// An access key belongs to one caller for ever, so this holds even where the credential source changes its mind.
    pub fn caller(identity: &Fingerprint, endpoint: &StsEndpoint, access_key_id: &str) -> Self {
        let mut hash = FieldHash::new("caller");
        add_identity_and_endpoint(&mut hash, identity, endpoint);
        hash.field(access_key_id.as_bytes());
        Key(hash.finish())
    }

    /// Whose turn it is: that of those who would make the call behind `key`, over the same network settings.
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

/// Where STS is asked, if elsewhere than at its own address, is in the fingerprint already.
fn add_identity_and_endpoint(hash: &mut FieldHash, identity: &Fingerprint, endpoint: &StsEndpoint) {
    let StsEndpoint { region, use_fips, use_dual_stack } = endpoint;
    hash.field(identity.as_bytes());
    hash.field(region.as_str().as_bytes());
    hash.field(&[u8::from(*use_fips), u8::from(*use_dual_stack)]);
}

/// Taken apart without `..`, so that a new field cannot be forgotten here.
fn add_role(hash: &mut FieldHash, role: Option<&RoleRequest>) {
    let Some(role) = role else { return hash.field(b"no role") };
    // What hints know of it is no part of it.
    let RoleRequest { candidates, session_name, source_identity, external_id, duration, mfa_serial, written: _ } = role;
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

/// In hexadecimal, as a formatter writes it with a tenth of a cached call's instructions.
pub fn hex(digest: &[u8; 32]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}
