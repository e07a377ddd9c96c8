//! Who could be calling: a fingerprint of everything that decides which credentials the SDK will find, read without
//! network or SDK. Something too much in it costs a needless miss; something missing from it could give one
//! identity's session to another, the worst defect that this program can have. So it takes all of the `AWS_*`
//! environment and whole files, rather than a list of what matters today.
//!
//! What it cannot see is a change behind a source that itself looks the same: a `credential_process` that starts to
//! answer for somebody else without a change in its environment, or another role attached to this machine.

use std::ffi::OsString;
use std::fmt;

use sha2::{Digest, Sha256};

use crate::env::Env;
use crate::source_files::{FileState, SourceFile};

/// On which machine, as whom and where this runs. Home directories can be shared between machines and pods, whose own
/// credentials differ.
pub struct Place {
    pub effective_uid: u32,
    pub host_name: OsString,
    /// Given where it decides which program is the `credential_process`.
    pub working_directory: Option<OsString>,
}

/// The profile, as far as it decides what counts.
#[derive(Clone, Copy)]
pub struct ProfileUse<'a> {
    pub name: &'a str,
    /// Named with `--profile`, and so before keys in the environment.
    pub explicit: bool,
    /// It, or one that it takes its credentials from, has a `credential_process`.
    pub runs_a_process: bool,
}

/// Equal fingerprints mean the same credential source, as far as can be seen from outside.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub fn of(place: &Place, env: &Env, profile: &ProfileUse, files: &[&SourceFile]) -> Self {
        let Place { effective_uid, host_name, working_directory } = place;
        let ProfileUse { name: profile, explicit, runs_a_process } = *profile;
        let mut hash = FieldHash::new("identity");
        hash.field(&effective_uid.to_le_bytes());
        hash.field(host_name.as_encoded_bytes());
        hash.field(profile.as_bytes());
        hash.field(&[u8::from(explicit)]);
        // HOME is where the SDK looks for its files; SECRET_ACCESS_KEY an old name that it still reads.
        let others = ["HOME", "SECRET_ACCESS_KEY"].map(|name| env.get_os(name).unwrap_or_default());
        for value in others {
            hash.field(value.as_encoded_bytes());
        }
        for (name, value) in env.starting_with("AWS_") {
            hash.field(name.as_encoded_bytes());
            hash.field(value.as_encoded_bytes());
        }
        if runs_a_process {
            // It sees the whole environment. The rest differs from call to call and says nothing of a person.
            const FLEETING: [&str; 5] = ["KUBERNETES_EXEC_INFO", "_", "SHLVL", "PWD", "OLDPWD"];
            hash.field(b"process");
            for (name, value) in
                env.starting_with("").filter(|(name, _)| !FLEETING.iter().any(|fleeting| name == fleeting))
            {
                hash.field(name.as_encoded_bytes());
                hash.field(value.as_encoded_bytes());
            }
            hash.field(working_directory.as_deref().unwrap_or_default().as_encoded_bytes());
        }
        hash.field(b"files");
        for file in files {
            hash.field(file.path.as_os_str().as_encoded_bytes());
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fingerprint(env: &[(String, String)], contents: &[&str]) -> Fingerprint {
        let files: Vec<SourceFile> = contents
            .iter()
            .map(|text| SourceFile {
                path: "/home/x/.aws/config".into(),
                state: FileState::Contents(text.as_bytes().to_vec()),
            })
            .collect();
        let env = env.iter().map(|(name, value)| (name, value)).collect();
        Fingerprint::of(&place(1000, "host"), &env, &PROFILE, &files.iter().collect::<Vec<_>>())
    }

    const PROFILE: ProfileUse = ProfileUse { name: "default", explicit: false, runs_a_process: false };

    fn place(effective_uid: u32, host_name: &str) -> Place {
        Place { effective_uid, host_name: host_name.into(), working_directory: None }
    }

    #[test]
    fn another_user_machine_or_profile_is_another_identity() {
        let of = |place: &Place, profile: &ProfileUse| Fingerprint::of(place, &Env::default(), profile, &[]);
        let one = of(&place(1000, "a"), &PROFILE);
        assert_ne!(one, of(&place(1001, "a"), &PROFILE));
        assert_ne!(one, of(&place(1000, "b"), &PROFILE));
        assert_ne!(one, of(&place(1000, "a"), &ProfileUse { name: "other", ..PROFILE }));
        assert_ne!(one, of(&place(1000, "a"), &ProfileUse { explicit: true, ..PROFILE }));
    }

    #[test]
    fn what_a_credential_process_can_see_counts_where_there_is_one() {
        let of = |name: &str, value: &str, runs_a_process| {
            let env = [(name, value)].into_iter().collect();
            Fingerprint::of(&place(0, "a"), &env, &ProfileUse { runs_a_process, ..PROFILE }, &[])
        };
        assert_eq!(of("CORP_USER", "alice", false), of("CORP_USER", "bob", false));
        assert_ne!(of("CORP_USER", "alice", true), of("CORP_USER", "bob", true));
        assert_eq!(of("KUBERNETES_EXEC_INFO", "1", true), of("KUBERNETES_EXEC_INFO", "2", true));
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    #[test]
    fn what_is_not_of_aws_does_not_change_it() {
        assert_eq!(fingerprint(&[pair("TERM", "a")], &["x"]), fingerprint(&[pair("PATH", "b")], &["x"]));
    }

    #[test]
    fn an_absent_file_is_not_an_empty_one() {
        let of = |state| {
            Fingerprint::of(&place(0, "a"), &Env::default(), &PROFILE, &[&SourceFile { path: "f".into(), state }])
        };
        assert_ne!(of(FileState::Absent), of(FileState::Contents(Vec::new())));
        assert_ne!(of(FileState::Absent), of(FileState::Contents(b"absent".to_vec())));
    }

    proptest! {
        #[test]
        fn any_changed_input_changes_it(
            one in ("AWS_[A-C]{1,2}", "[ab]{0,2}", "[ab]{0,3}", "[ab]{0,3}"),
            other in ("AWS_[A-C]{1,2}", "[ab]{0,2}", "[ab]{0,3}", "[ab]{0,3}"),
        ) {
            let of = |(name, value, config, credentials): &(String, String, String, String)| {
                fingerprint(&[(name.clone(), value.clone())], &[config, credentials])
            };
            prop_assert_eq!(one == other, of(&one) == of(&other));
        }
    }
}
