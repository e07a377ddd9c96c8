//! Calls to STS: GetCallerIdentity and AssumeRole.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_sts::Client;
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

use crate::aws::caller_identity::CallerIdentity;
use crate::aws::connection::Connection;
use crate::aws::error::Error;
use crate::aws::failure::classify;
use crate::aws::http::MAX_ANSWER_LEN;
use crate::aws::names::{ExternalId, MfaCode, MfaSerial, RoleArn, SessionName};
use crate::aws::refusal::Operation;
use crate::aws::signer::{Signer, shift};
use crate::say::time::unix_seconds;

/// A caller of STS.
pub struct Caller<'a> {
    connection: &'a Connection,
    credentials: Credentials,
    client: Client,
    clock_skew: ClockSkew,
}

impl<'a> Caller<'a> {
    /// The owner of these credentials, with the known clock skew.
    pub fn new(connection: &'a Connection, Signer { credentials, clock_skew }: Signer) -> Self {
        let clock_skew = ClockSkew(Arc::new(Mutex::new(clock_skew)));
        let config = connection
            .sts_config()
            .credentials_provider(credentials.clone())
            .interceptor(clock_skew.clone())
            .interceptor(BoundedAnswer);
        Caller { connection, credentials, client: Client::from_conf(config.build()), clock_skew }
    }

    pub fn restart_deadline(&self) {
        self.connection.restart_deadline();
    }

    /// The caller's own credentials, for signing.
    pub fn signer(&self) -> Signer {
        Signer { credentials: self.credentials.clone(), clock_skew: self.clock_skew.seconds() }
    }

    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Asks STS whose credentials these are.
    pub fn identity(&self) -> Result<CallerIdentity, Error> {
        let operation = || Operation::GetCallerIdentity;
        let output = self.connection.wait(operation, self.client.get_caller_identity().send())?;
        let output = output.map_err(|error| self.connection.with_context(classify(operation(), &error)))?;
        let identity = output.arn().and_then(CallerIdentity::parse);
        identity.ok_or_else(|| Error::BadAnswer { operation: operation(), why: "it names no caller".into() })
    }

    /// Assumes a role.
    pub fn assume_role(
        &self,
        role: &RoleArn,
        asked: &SessionParams,
        mfa: Option<(&MfaSerial, &MfaCode)>,
    ) -> Result<Signer, Error> {
        let operation = || Operation::AssumeRole(role.to_string());
        let SessionParams { name, source_identity, external_id, duration } = asked;
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
        let output = self
            .connection
            .wait(operation, call.send())?
            .map_err(|error| self.connection.with_context(classify(operation(), &error)))?;
        let clock_skew = self.clock_skew.seconds();
        let answer = (output.assumed_role_user, output.credentials);
        let credentials = session_credentials(answer, role, name.as_str(), clock_skew, self.connection.now());
        let credentials = credentials.map_err(|why| Error::BadAnswer { operation: operation(), why: why.into() })?;
        Ok(Signer { credentials, clock_skew })
    }
}

/// Assumes a role with an identity provider's token. The request is not signed.
pub async fn assume_role_with_web_identity(
    connection: &Connection,
    role: &RoleArn,
    session_name: &str,
    token: &str,
) -> Result<Credentials, Error> {
    let operation = || Operation::AssumeRoleWithWebIdentity;
    let clock_skew = ClockSkew(Arc::new(Mutex::new(0)));
    let config = connection.sts_config().interceptor(clock_skew.clone()).interceptor(BoundedAnswer);
    let call = Client::from_conf(config.build())
        .assume_role_with_web_identity()
        .role_arn(role.as_str())
        .role_session_name(session_name)
        .web_identity_token(token);
    let output = call.send().await.map_err(|error| connection.with_context(classify(operation(), &error)))?;
    let answer = (output.assumed_role_user, output.credentials);
    session_credentials(answer, role, session_name, clock_skew.seconds(), connection.now())
        .map_err(|why| Error::BadAnswer { operation: operation(), why: why.into() })
}

/// The parameters of AssumeRole, apart from the role.
pub struct SessionParams {
    pub name: SessionName,
    pub source_identity: Option<SessionName>,
    pub external_id: Option<ExternalId>,
    pub duration: Option<Duration>,
}

/// The credentials in STS's response, if it matches the request.
fn session_credentials(
    (user, credentials): (Option<AssumedRoleUser>, Option<sts_types::Credentials>),
    role: &RoleArn,
    session_name: &str,
    clock_skew: i64,
    now: SystemTime,
) -> Result<Credentials, &'static str> {
    let assumed = user.map(|user| user.arn).unwrap_or_default();
    if assumed != format!("{}{session_name}", role.session_arn_prefix()) {
        return Err("it is for a different role than the one requested");
    }
    let credentials = credentials.ok_or("it has no credentials")?;
    let expiry = SystemTime::try_from(credentials.expiration)
        .map_err(|_| "the expiry of its credentials is not a valid time")?;
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
        .ok_or("its credentials are empty or contain characters that are not allowed")
}

/// Whether the credentials contain only characters that can be signed and sent.
fn are_well_formed(credentials: &Credentials) -> bool {
    let is_text = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic());
    let has_good_token = credentials.session_token().is_none_or(|token| token.bytes().all(|b| b.is_ascii_graphic()));
    is_text(credentials.access_key_id()) && is_text(credentials.secret_access_key()) && has_good_token
}

/// How far STS's clock is ahead of the local clock, from the Date header of its last response. The SDK uses it to date
/// its own requests; tokens must be dated the same way.
#[derive(Clone, Debug)]
struct ClockSkew(Arc<Mutex<i64>>);

/// A skew smaller than this, in seconds, is not corrected: the header has whole seconds, and responses take time.
const NEGLIGIBLE_SKEW: u64 = 30;

impl ClockSkew {
    fn seconds(&self) -> i64 {
        let seconds = *self.0.lock().expect("no thread panics while holding the lock");
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
            *self.0.lock().expect("no thread panics while holding it") = date.secs() - unix_seconds(clock.now());
        }
        Ok(())
    }
}

/// STS's responses are a few kilobytes, but something else that answers in its place may never stop.
#[derive(Debug)]
struct BoundedAnswer;

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
