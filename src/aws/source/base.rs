//! The base credentials.

use crate::aws::keys::Keys;
use crate::aws::source::container::Container;
use crate::aws::source::sso::Sso;
use crate::aws::source::web_identity::WebIdentity;
use crate::say::secret::Secret;

/// The kinds of base credentials.
#[derive(Debug)]
pub enum Base<'a> {
    Keys(Keys),
    WebIdentity(WebIdentity),
    Sso(Sso<'a>),
    /// A console session: the identity used with `aws login`.
    ConsoleSession(String),
    /// A `credential_process`. The command may contain secrets.
    Process(Secret),
    Container(Container),
    /// The metadata service, if this is an EC2 instance.
    Instance,
    /// The role's source profile has no credentials; the container's or the machine's must not be used instead.
    Nothing,
}

impl Base<'_> {
    /// Its name in `credential_source`.
    pub(super) fn credential_source_name(&self) -> &'static str {
        match self {
            Base::Container(_) => "EcsContainer",
            Base::Instance => "Ec2InstanceMetadata",
            _ => "Environment",
        }
    }
}
