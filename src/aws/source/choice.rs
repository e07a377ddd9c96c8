//! Which profile is in use, and how it was selected.

use crate::aws::error::Error;
use crate::sys::env::Env;
use crate::sys::vars;

/// The profile in use, and how it was selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileChoice {
    pub name: String,
    pub selected_by: SelectedBy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectedBy {
    /// `--profile`: takes precedence over keys and web identities in the environment.
    Flag,
    /// `AWS_PROFILE` or `AWS_DEFAULT_PROFILE`: does not take precedence over them.
    Variable(&'static str),
    Default,
}

impl ProfileChoice {
    /// AWS CLI v2, the Go SDK and aws-iam-authenticator prefer AWS_PROFILE, which `update-kubeconfig` also writes; AWS
    /// CLI v1 prefers AWS_DEFAULT_PROFILE.
    pub fn resolve(flag: Option<&str>, env: &Env) -> Result<Self, Error> {
        let from = |name: &'static str| env.get(name).map(|value| (value, SelectedBy::Variable(name)));
        let (name, selected_by) = match flag {
            Some("") => return Err(Error::input("--profile", "", "the name of a profile")),
            Some(name) => (name, SelectedBy::Flag),
            None => from(vars::AWS_PROFILE)
                .or_else(|| from(vars::AWS_DEFAULT_PROFILE))
                .unwrap_or(("default", SelectedBy::Default)),
        };
        Ok(ProfileChoice { name: name.to_owned(), selected_by })
    }
}
