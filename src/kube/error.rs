//! Errors between kubectl, this program and the cluster.

use std::fmt;

use crate::aws::error::Error as AwsError;
use crate::kube::token::TokenError;
use crate::say::explain::{Exit, Explain, Explanation};
use crate::say::text::shown;

/// No variant contains a secret.
#[derive(Debug)]
pub enum Error {
    /// `KUBERNETES_EXEC_INFO` is not what client-go sends.
    ExecInfo { why: String },
    /// No cluster would accept the token.
    Token(TokenError),
    /// There is no suitable STS host.
    Endpoint(AwsError),
    /// Something that should not happen.
    Internal(String),
}

impl Explain for Error {
    fn explain(&self) -> Explanation {
        match self {
            Error::ExecInfo { why } => Explanation::new(Exit::BadInput, format!("KUBERNETES_EXEC_INFO {}", shown(why)))
                .hint(
                    "kubectl sets this variable: use `apiVersion: client.authentication.k8s.io/v1` in the exec block, or unset the variable if you run eks-group-auth yourself",
                ),
            Error::Token(refused) => {
                let what = format!("every cluster would refuse the token: {refused}");
                Explanation::new(Exit::Other, what).hint(refused.hint())
            }
            Error::Endpoint(error) => error.explain(),
            Error::Internal(why) => Explanation::bug(why),
        }
    }
}

/// The message without the hint.
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
