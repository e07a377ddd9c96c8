//! The owner of credentials, according to STS.

use crate::aws::names::RoleArn;

/// The ARN of a caller.
#[derive(Debug)]
pub struct CallerIdentity {
    arn: String,
}

impl CallerIdentity {
    /// `None` if this does not have the parts of an ARN, or its resource is empty.
    pub fn parse(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let is_arn = parts.next() == Some("arn") && parts.nth(4).is_some_and(|resource| !resource.is_empty());
        is_arn.then(|| CallerIdentity { arn: arn.to_owned() })
    }

    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Whether this is already a session of the role.
    pub fn is_session_of(&self, role: &RoleArn) -> bool {
        self.arn.starts_with(&role.session_arn_prefix())
    }

    /// An IAM user can get sessions as long as the role allows; role chaining is limited to an hour.
    pub fn is_iam_user(&self) -> bool {
        self.arn.split(':').nth(5).is_some_and(|resource| resource.starts_with("user/"))
    }

    pub fn account(&self) -> &str {
        self.arn.split(':').nth(4).expect("it was parsed as an ARN")
    }

    /// The IAM user's name, or the session name of the role or SSO user: the last part of the ARN.
    pub fn name(&self) -> &str {
        self.arn.rsplit(['/', ':']).next().expect("splitting gives at least one part")
    }
}
