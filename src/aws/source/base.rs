//! The credentials that everything starts from.

use crate::aws::keys::Keys;
use crate::aws::source::container::Container;
use crate::aws::source::sso::Sso;
use crate::aws::source::web_identity::WebIdentity;
use crate::say::secret::Secret;

/// What the credentials are that everything starts from.
#[derive(Debug)]
pub enum Base<'a> {
    Keys(Keys),
    WebIdentity(WebIdentity),
    Sso(Sso<'a>),
    /// The identity that `aws login` logged in as.
    ConsoleSession(String),
    /// A `credential_process`. It may hold secrets.
    Process(Secret),
    Container(Container),
    /// The metadata service, where this is an EC2 instance.
    Instance,
    /// The profile that a role starts from has none of its own; the container's or the machine's are not meant.
    Nothing,
}

impl Base<'_> {
    /// What `credential_source` calls it.
    pub(super) fn canonical_name(&self) -> &'static str {
        match self {
            Base::Container(_) => "EcsContainer",
            Base::Instance => "Ec2InstanceMetadata",
            _ => "Environment",
        }
    }
}
