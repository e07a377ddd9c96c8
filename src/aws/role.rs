//! A role to assume, with the parameters of the AssumeRole call.

use crate::aws::error::Error;
use crate::aws::names::{ExternalId, Invalid, MfaSerial, NameTemplate, RoleArn, SessionDuration};
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
    pub written: Written,
}

/// How a role was configured, for hints.
#[derive(Debug, Default)]
pub struct Written {
    /// The profile with its `role_arn`.
    pub profile: Option<String>,
    /// The property that sets the duration, with its place.
    pub duration: Option<String>,
    /// Whether the role's own profile sets the MFA device. If so, a code is required even if the caller is a role
    /// session.
    pub mfa_serial_is_of_role: bool,
    /// If the role has no MFA device: the one of another profile in its chain, which does not apply to it.
    pub unused_mfa_serial: Option<String>,
}

impl RoleRequest {
    /// Builds the request from a profile with `role_arn`.
    pub fn from_profile(profile: &Profile, source: &CredentialSource, region: &Region) -> Result<Self, Error> {
        let arn = profile.get("role_arn")?.expect("a profile with a role has `role_arn`");
        let serial = profile.get("mfa_serial")?;
        let duration = profile.get("duration_seconds")?;
        let written = Written {
            profile: Some(profile.name().to_owned()),
            duration: duration.map(|value| value.place.to_string()),
            mfa_serial_is_of_role: serial.is_some(),
            unused_mfa_serial: if serial.is_none() { source.mfa_serial_elsewhere()? } else { None },
        };
        Ok(RoleRequest {
            candidates: vec![at_place(arn, |arn| RoleArn::parse(arn, region))?],
            session_name: profile
                .get("role_session_name")?
                .map(|name| at_place(name, NameTemplate::parse))
                .transpose()?,
            source_identity: None,
            external_id: profile.get("external_id")?.map(|id| at_place(id, ExternalId::parse)).transpose()?,
            duration: duration.map(|duration| at_place(duration, SessionDuration::parse)).transpose()?,
            mfa_serial: serial.map(|serial| at_place(serial, MfaSerial::parse)).transpose()?,
            written,
        })
    }
}

/// Parses a profile's value; an error includes its place.
pub fn at_place<'a, T>(value: Value<'a>, parse: impl FnOnce(&'a str) -> Result<T, Invalid>) -> Result<T, Error> {
    parse(value.text).map_err(|invalid| Error::invalid(value.place)(invalid))
}
