//! What can go wrong between kubectl, this program and a cluster.

use std::fmt;

use crate::aws::error::Error as AwsError;
use crate::kube::token::TokenRefused;
use crate::say::explain::{Exit, Explain, Explanation};
use crate::say::text::shown;

/// No variant holds a secret.
#[derive(Debug)]
pub enum Error {
    /// `KUBERNETES_EXEC_INFO` is not what client-go sends.
    ExecInfo { why: String },
    /// The token is one that no cluster would accept.
    Token(TokenRefused),
    /// There is no host of STS for it.
    Endpoint(AwsError),
    /// Something that should not happen.
    Internal(String),
}

impl Explain for Error {
    fn explain(&self) -> Explanation {
        match self {
            Error::ExecInfo { why } => Explanation::new(Exit::BadInput, format!("KUBERNETES_EXEC_INFO {}", shown(why)))
                .hint(
                    "kubectl sets this variable; unset it where you run the program yourself, and use \
                     `apiVersion: client.authentication.k8s.io/v1` in the exec block",
                ),
            Error::Token(refused) => {
                let what = format!("the token would be refused by every cluster: {refused}");
                Explanation::new(Exit::Other, what).hint(refused.hint())
            }
            Error::Endpoint(error) => error.explain(),
            Error::Internal(why) => Explanation::defect(why),
        }
    }
}

/// What happened.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.explain().what)
    }
}

impl From<AwsError> for Error {
    fn from(error: AwsError) -> Self {
        Error::Endpoint(error)
    }
}
