//! A role to assume, with the parameters of the AssumeRole call.

use crate::aws::error::Error;
use crate::aws::names::{ExternalId, InvalidValue, MfaSerial, NameTemplate, RoleArn, SessionDuration};
use crate::aws::profile::{Profile, Value};
use crate::aws::region::Region;
use crate::aws::source::CredentialSource;

/// The candidate roles, and the parameters of the AssumeRole call.
#[derive(Debug)]
pub struct RoleRequest {
    /// At least one; the first that STS lets the caller assume is used.
    pub candidates: Vec<RoleArn>,
    /// `None`: the caller's own name.
    pub session_name: Option<NameTemplate>,
    pub source_identity: Option<NameTemplate>,
    pub external_id: Option<ExternalId>,
    /// `None`: STS's default of one hour or, with MFA, the role's maximum.
    pub duration: Option<SessionDuration>,
    pub mfa_serial: Option<MfaSerial>,
    pub origin: RoleOrigin,
}

/// How a role was configured, for hints.
#[derive(Debug, Default)]
pub struct RoleOrigin {
    /// The profile with its `role_arn`.
    pub profile: Option<String>,
    /// The property that sets the duration, with its place.
    pub duration: Option<String>,
    /// Whether the role's own profile sets the MFA device. If so, a code is required even if the caller is a role
    /// session.
    pub profile_sets_mfa_serial: bool,
    /// If the role has no MFA device: the one of another profile in its chain, which does not apply to it.
    pub unused_mfa_serial: Option<String>,
}

impl RoleRequest {
    /// Builds the request from a profile with `role_arn`.
    pub fn from_profile(profile: &Profile, source: &CredentialSource, region: &Region) -> Result<Self, Error> {
        let arn = profile.get("role_arn")?.expect("a profile with a role has `role_arn`");
        let serial = profile.get("mfa_serial")?;
        let duration = profile.get("duration_seconds")?;
        let origin = RoleOrigin {
            profile: Some(profile.name().to_owned()),
            duration: duration.map(|value| value.place.to_string()),
            profile_sets_mfa_serial: serial.is_some(),
            unused_mfa_serial: if serial.is_none() { source.mfa_serial_in_chain()? } else { None },
        };
        Ok(RoleRequest {
            candidates: vec![parse_value(arn, |arn| RoleArn::parse(arn, region))?],
            session_name: profile
                .get("role_session_name")?
                .map(|name| parse_value(name, NameTemplate::parse))
                .transpose()?,
            source_identity: None,
            external_id: profile.get("external_id")?.map(|id| parse_value(id, ExternalId::parse)).transpose()?,
            duration: duration.map(|duration| parse_value(duration, SessionDuration::parse)).transpose()?,
            mfa_serial: serial.map(|serial| parse_value(serial, MfaSerial::parse)).transpose()?,
            origin,
        })
    }
}

/// Parses a profile's value; an error includes its place.
pub fn parse_value<'a, T>(
    value: Value<'a>,
    parse: impl FnOnce(&'a str) -> Result<T, InvalidValue>,
) -> Result<T, Error> {
    parse(value.text).map_err(|invalid| Error::invalid(value.place)(invalid))
}
