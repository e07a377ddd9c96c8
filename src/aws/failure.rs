//! Interpreting failed calls.

use std::error::Error as StdError;

use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};

use crate::aws::error::Error;
use crate::aws::refusal::{Operation, Refusal};

/// Classifies a failed call: refused, temporarily failing, unreachable, or answered by something else.
pub fn classify<E: ProvideErrorMetadata + StdError + 'static>(operation: Operation, error: &SdkError<E>) -> Error {
    const TRANSIENT_CODES: [&str; 9] = [
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDownException",
        "ServiceUnavailable",
        "InternalFailure",
    ];
    match error {
        SdkError::ServiceError(context) => {
            let status = context.raw().status();
            let message = context.err().message().unwrap_or("no reason given").to_owned();
            match context.err().code() {
                Some(code) if TRANSIENT_CODES.contains(&code) || status.is_server_error() => {
                    Error::ServiceFailure { operation, why: format!("{code}: {message}") }
                }
                Some(code) => Error::refused(Refusal::new(operation, code.to_owned(), message)),
                None if status.is_server_error() || status.as_u16() == 429 => {
                    Error::ServiceFailure { operation, why: format!("HTTP {}", status.as_u16()) }
                }
                None => {
                    Error::BadAnswer { operation, why: format!("HTTP {} without an AWS error code", status.as_u16()) }
                }
            }
        }
        SdkError::ResponseError(_) => Error::BadAnswer { operation, why: last_cause(error) },
        SdkError::TimeoutError(_) => Error::Unreachable { operation, why: "no answer after several tries".into() },
        SdkError::DispatchFailure(_) => Error::Unreachable { operation, why: last_cause(error) },
        _ => Error::Internal(last_cause(error)),
    }
}

/// An error and its causes, outermost first.
pub fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The innermost cause: the SDK's wrapping errors are repetitive and say little.
pub fn last_cause(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().expect("the error itself is one of them").to_string()
}
