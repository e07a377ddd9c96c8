//! Who could be calling: a fingerprint of what decides which credentials will be found, read without network or SDK.
//! Something too much in it costs a needless miss, or with MFA a person's time; something missing from it could give one
//! identity's session to another, the worst defect that this program can have.
//!
//! What it cannot see is a change behind a source that itself looks the same: a `credential_process` that starts to
//! answer for somebody else without a change in its environment, or another role attached to this machine.

use std::ffi::{OsStr, OsString};
use std::fmt;

use sha2::{Digest, Sha256};

use crate::credential_source::{CredentialSource, NamedBy};
use crate::env::Env;
use crate::source_files::{FileState, SourceFile};

/// On which machine, as whom and where this runs. Home directories can be shared between machines and pods, whose own
/// credentials differ.
pub struct Place {
    pub effective_uid: u32,
    pub host_name: OsString,
    /// Given where it decides what a `credential_process` does.
    pub working_directory: Option<OsString>,
}

/// The variables of AWS that never select an identity: how things look, how often and how long things are tried, which
/// kind of endpoint is asked. README has the same list. All others count. The region and the kind of endpoint stand in the
/// keys of the cache by themselves.
pub const NEVER_IDENTIFYING: [&str; 37] = [
    "AWS_ACCOUNT_ID_ENDPOINT_MODE",
    "AWS_AUTH_SCHEME_PREFERENCE",
    "AWS_CLI_AUTO_PROMPT",
    "AWS_CLI_BINARY_FORMAT",
    "AWS_CLI_ERROR_FORMAT",
    "AWS_CLI_FILE_ENCODING",
    "AWS_CLI_HISTORY_FILE",
    "AWS_CLI_OUTPUT_ENCODING",
    "AWS_CLI_S3_MV_VALIDATE_SAME_S3_PATHS",
    "AWS_CLI_UPGRADE_DEBUG_MODE",
    "AWS_DEFAULTS_MODE",
    "AWS_DEFAULT_OUTPUT",
    "AWS_DEFAULT_REGION",
    "AWS_DISABLE_REQUEST_COMPRESSION",
    "AWS_EXECUTION_ENV",
    "AWS_MAX_ATTEMPTS",
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
    "AWS_METADATA_SERVICE_TIMEOUT",
    "AWS_OUTPUT",
    "AWS_PAGER",
    "AWS_PARTIAL_PAYLOAD_SIGNING_ENABLED",
    "AWS_REGION",
    "AWS_REQUEST_CHECKSUM_CALCULATION",
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
    "AWS_RESPONSE_CHECKSUM_VALIDATION",
    "AWS_RETRY_MODE",
    "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH",
    "AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS",
    "AWS_S3_USE_ARN_REGION",
    "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT",
    "AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE",
    "AWS_SDK_LOAD_CONFIG",
    "AWS_SDK_UA_APP_ID",
    "AWS_SIGV4A_SIGNING_REGION_SET",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
];

/// A `credential_process` sees the whole environment. These differ from call to call and say nothing of a person; the
/// working directory counts by itself where it decides something.
const FLEETING: [&str; 5] = ["KUBERNETES_EXEC_INFO", "_", "SHLVL", "PWD", "OLDPWD"];

/// The variables that decide who signs, as far as they are AWS's.
pub fn identifying_variables(env: &Env) -> impl Iterator<Item = (&OsStr, &OsStr)> {
    env.starting_with("AWS_").filter(|(name, _)| !NEVER_IDENTIFYING.iter().any(|never| name == never))
}

/// Equal fingerprints mean the same credential source, as far as can be seen from outside.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// `sts_url` is where STS is asked, if elsewhere than at its own address: another one knows other people. `tokens` are
    /// the files that show who is logged in.
    pub fn of(
        place: &Place,
        env: &Env,
        source: &CredentialSource,
        sts_url: Option<&str>,
        tokens: &[SourceFile],
    ) -> Self {
        let Place { effective_uid, host_name, working_directory } = place;
        let mut hash = FieldHash::new("identity");
        hash.field(&effective_uid.to_le_bytes());
        hash.field(host_name.as_encoded_bytes());
        hash.field(source.choice.name.as_bytes());
        hash.field(&[u8::from(source.choice.named_by == NamedBy::Flag)]);
        hash.field(sts_url.unwrap_or_default().as_bytes());
        if source.process().is_some() {
            hash.field(b"process");
            let is_fleeting = |name: &OsStr| FLEETING.iter().any(|fleeting| name == *fleeting);
            for (name, value) in env.all().filter(|(name, _)| !is_fleeting(name)) {
                hash.field(name.as_encoded_bytes());
                hash.field(value.as_encoded_bytes());
            }
            hash.field(working_directory.as_deref().unwrap_or_default().as_encoded_bytes());
        } else {
            for (name, value) in identifying_variables(env) {
                hash.field(name.as_encoded_bytes());
                hash.field(value.as_encoded_bytes());
            }
        }
        hash.field(b"sections");
        for section in source.sections() {
            hash.field(section.name().as_bytes());
            hash.field(&(section.in_credentials_file() as u64).to_le_bytes());
            for (key, value) in section.properties() {
                hash.field(key.as_bytes());
                hash.field(value.as_bytes());
            }
            hash.field(b"end of section");
        }
        hash.field(b"tokens");
        for file in tokens {
            match &file.state {
                FileState::Contents(contents) => hash.field(contents),
                FileState::Absent => hash.field(b"absent"),
                FileState::Unreadable(_) => hash.field(b"unreadable"),
            }
            hash.field(&[matches!(file.state, FileState::Contents(_)) as u8]);
        }
        Fingerprint(hash.finish())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}{:02x}…", self.0[0], self.0[1])
    }
}

/// SHA-256 over fields, each with its length before it, so that no two lists of fields run together to the same bytes.
pub struct FieldHash(Sha256);

impl FieldHash {
    /// `domain` keeps hashes for different uses apart.
    pub fn new(domain: &str) -> Self {
        let mut hash = FieldHash(Sha256::new());
        hash.field(domain.as_bytes());
        hash
    }

    pub fn field(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
