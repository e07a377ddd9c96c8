//! Calls to STS: whose credentials these are, and a session of a role.

use std::error::Error as StdError;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_sts::Client;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::types::{self as sts_types, AssumedRoleUser};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextMut, BeforeDeserializationInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;
use http_body_util::Limited;

use crate::aws::names::{ExternalId, MfaSerial, RoleArn, SessionName};
use crate::aws::providers::Aws;
use crate::commands::token::mfa::MfaCode;
use crate::kube::presign::{Signer, shift};
use crate::kube::token::unix_seconds;
use crate::say::error::{Doing, Error};
use crate::sys::clock::Clock;

/// Somebody who calls STS.
pub struct Caller<'a> {
    aws: &'a Aws<'a>,
    credentials: Credentials,
    client: Client,
    clock_skew: ClockSkew,
}

/// Who credentials belong to.
#[derive(Debug)]
pub struct CallerIdentity {
    arn: String,
}

impl CallerIdentity {
    /// `None` where this does not have the parts of an ARN, or names nothing.
    pub fn parse(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let is_arn = parts.next() == Some("arn") && parts.nth(4).is_some_and(|resource| !resource.is_empty());
        is_arn.then(|| CallerIdentity { arn: arn.to_owned() })
    }

    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Whether this is a session of the role already.
    pub fn has_role(&self, role: &RoleArn) -> bool {
        self.arn.starts_with(&sessions_of(role))
    }

    /// Who has sessions of a role as long as the role grants them; from role to role it is an hour.
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

impl<'a> Caller<'a> {
    /// Whoever has these credentials, at the clock skew that is known of.
    pub fn new(aws: &'a Aws<'a>, Signer { credentials, clock_skew }: Signer) -> Self {
        let clock_skew = ClockSkew(Arc::new(Mutex::new(clock_skew)));
        let config = aws
            .sts_config()
            .credentials_provider(credentials.clone())
            .interceptor(clock_skew.clone())
            .interceptor(BoundedAnswer);
        Caller { aws, credentials, client: Client::from_conf(config.build()), clock_skew }
    }

    pub fn restart_deadline(&self) {
        self.aws.restart_deadline();
    }

    /// These credentials themselves, to sign with.
    pub fn signer(&self) -> Signer {
        Signer { credentials: self.credentials.clone(), clock_skew: self.clock_skew.seconds() }
    }

    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Asks STS whose credentials these are.
    pub fn identity(&self) -> Result<CallerIdentity, Error> {
        let doing = || Doing::AskWhoIsCalling;
        let output = self.aws.wait(doing, self.client.get_caller_identity().send())?;
        let output = output.map_err(|error| self.aws.named(failure(doing(), &error)))?;
        let identity = output.arn().and_then(CallerIdentity::parse);
        identity.ok_or_else(|| Error::BadAnswer { doing: doing(), why: "it names no caller".into() })
    }

    /// A session of a role.
    pub fn assume_role(
        &self,
        role: &RoleArn,
        asked: &SessionWanted,
        mfa: Option<(&MfaSerial, &MfaCode)>,
        clock: Clock,
    ) -> Result<Signer, Error> {
        let doing = || Doing::AssumeRole(role.to_string());
        let SessionWanted { name, source_identity, external_id, duration } = asked;
        let call = self
            .client
            .assume_role()
            .role_arn(role.as_str())
            .role_session_name(name.as_str())
            .set_source_identity(source_identity.as_ref().map(|identity| identity.as_str().to_owned()))
            .set_external_id(external_id.as_ref().map(|id| id.as_str().to_owned()))
            .set_duration_seconds(duration.map(|duration| duration.as_secs() as i32))
            .set_serial_number(mfa.map(|(serial, _)| serial.as_str().to_owned()))
            .set_token_code(mfa.map(|(_, code)| code.expose().to_owned()));
        let output = self.aws.wait(doing, call.send())?.map_err(|error| self.aws.named(failure(doing(), &error)))?;
        let clock_skew = self.clock_skew.seconds();
        let answer = (output.assumed_role_user, output.credentials);
        let credentials = session_credentials(answer, role, name.as_str(), clock_skew, clock.now());
        let credentials = credentials.map_err(|why| Error::BadAnswer { doing: doing(), why: why.into() })?;
        Ok(Signer { credentials, clock_skew })
    }
}

/// A session of a role for a token of an identity provider. Nothing is signed.
pub async fn assume_role_with_web_identity(
    aws: &Aws<'_>,
    role: &RoleArn,
    session_name: &str,
    token: &str,
    now: SystemTime,
) -> Result<Credentials, Error> {
    let doing = || Doing::AssumeRoleWithWebIdentity;
    let clock_skew = ClockSkew(Arc::new(Mutex::new(0)));
    let config = aws.sts_config().interceptor(clock_skew.clone()).interceptor(BoundedAnswer);
    let call = Client::from_conf(config.build())
        .assume_role_with_web_identity()
        .role_arn(role.as_str())
        .role_session_name(session_name)
        .web_identity_token(token);
    let output = call.send().await.map_err(|error| aws.named(failure(doing(), &error)))?;
    let answer = (output.assumed_role_user, output.credentials);
    session_credentials(answer, role, session_name, clock_skew.seconds(), now)
        .map_err(|why| Error::BadAnswer { doing: doing(), why: why.into() })
}

/// What AssumeRole says besides the role.
pub struct SessionWanted {
    pub name: SessionName,
    pub source_identity: Option<SessionName>,
    pub external_id: Option<ExternalId>,
    pub duration: Option<Duration>,
}

/// What the ARN of every session of a role starts with. STS leaves out the role's path.
fn sessions_of(role: &RoleArn) -> String {
    format!("arn:{}:sts::{}:assumed-role/{}/", role.partition(), role.account(), role.name())
}

/// The credentials in STS's answer, if it is an answer to what was asked.
fn session_credentials(
    (user, credentials): (Option<AssumedRoleUser>, Option<sts_types::Credentials>),
    role: &RoleArn,
    session_name: &str,
    clock_skew: i64,
    now: SystemTime,
) -> Result<Credentials, &'static str> {
    let assumed = user.map(|user| user.arn).unwrap_or_default();
    if assumed != format!("{}{session_name}", sessions_of(role)) {
        return Err("it is for another role than the one asked for");
    }
    let credentials = credentials.ok_or("it has no credentials")?;
    let expiry = SystemTime::try_from(credentials.expiration).map_err(|_| "its credentials' expiry is no time")?;
    let expiry = shift(expiry, -clock_skew);
    if expiry <= now {
        return Err("its credentials have already expired");
    }
    if credentials.session_token.is_empty() {
        return Err("it has no session token");
    }
    let credentials = Credentials::new(
        credentials.access_key_id,
        credentials.secret_access_key,
        Some(credentials.session_token),
        Some(expiry),
        "AssumeRole",
    );
    are_well_formed(&credentials)
        .then_some(credentials)
        .ok_or("its credentials are empty or have characters that none have")
}

/// Whether credentials consist of characters that can be signed and sent.
fn are_well_formed(credentials: &Credentials) -> bool {
    let is_text = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic());
    let has_good_token = credentials.session_token().is_none_or(|token| token.bytes().all(|b| b.is_ascii_graphic()));
    is_text(credentials.access_key_id()) && is_text(credentials.secret_access_key()) && has_good_token
}

/// How far STS's clock is ahead of the local one, from the Date of its last answer. The SDK dates its own requests by
/// that too; a token has to be dated like them.
#[derive(Clone, Debug)]
struct ClockSkew(Arc<Mutex<i64>>);

/// Less than this, in seconds, is not worth a correction: the header is in whole seconds, and answers take their time.
const NEGLIGIBLE_SKEW: u64 = 30;

impl ClockSkew {
    fn seconds(&self) -> i64 {
        let seconds = *self.0.lock().expect("nobody panics with it");
        if seconds.unsigned_abs() < NEGLIGIBLE_SKEW { 0 } else { seconds }
    }
}

#[dyn_dispatch_hint]
impl Intercept for ClockSkew {
    fn name(&self) -> &'static str {
        "ClockSkew"
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        if let (Some(date), Some(clock)) = (date, components.time_source()) {
            *self.0.lock().expect("nobody panics with it") = date.secs() - unix_seconds(clock.now());
        }
        Ok(())
    }
}

/// STS's answers are a few kilobytes. What something else answers in its place may not end.
#[derive(Debug)]
struct BoundedAnswer;

pub const MAX_ANSWER_LEN: usize = 1 << 20;

#[dyn_dispatch_hint]
impl Intercept for BoundedAnswer {
    fn name(&self) -> &'static str {
        "BoundedAnswer"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = std::mem::replace(context.response_mut().body_mut(), SdkBody::taken());
        *context.response_mut().body_mut() = SdkBody::from_body_1_x(Limited::new(body, MAX_ANSWER_LEN));
        Ok(())
    }
}

/// A failed call: refused, failing, out of reach, or answered by something else.
pub fn failure<E: ProvideErrorMetadata + StdError + 'static>(doing: Doing, error: &SdkError<E>) -> Error {
    const PASSING: [&str; 9] = [
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
                Some(code) if PASSING.contains(&code) || status.is_server_error() => {
                    Error::Failing { doing, why: format!("{code}: {message}") }
                }
                Some(code) => Error::Refused { doing, code: code.to_owned(), message, hint: None },
                None if status.is_server_error() || status.as_u16() == 429 => {
                    Error::Failing { doing, why: format!("HTTP {}", status.as_u16()) }
                }
                None => Error::BadAnswer { doing, why: format!("HTTP {} without an AWS error code", status.as_u16()) },
            }
        }
        SdkError::ResponseError(_) => Error::BadAnswer { doing, why: last_cause(error) },
        SdkError::TimeoutError(_) => Error::Unreachable { doing, why: "no answer, in several tries".into() },
        SdkError::DispatchFailure(_) => Error::Unreachable { doing, why: last_cause(error) },
        _ => Error::Internal(last_cause(error)),
    }
}

/// An error and what it was caused by, outermost first.
pub fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The innermost cause: what the SDK wraps around it repeats itself and says little.
pub fn last_cause(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().expect("the error itself is one of them").to_string()
}
