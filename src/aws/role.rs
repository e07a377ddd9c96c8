//! A role to assume, and all that the AssumeRole call says of it.

use crate::aws::error::Error;
use crate::aws::names::{ExternalId, Invalid, MfaSerial, NameTemplate, RoleArn, SessionDuration};
use crate::aws::profile::{Profile, Value};
use crate::aws::region::Region;
use crate::aws::source::CredentialSource;

/// The roles that may be assumed, and all that the AssumeRole call says.
#[derive(Debug)]
pub struct RoleRequest {
    /// At least one; the first that STS lets the caller assume is meant.
    pub candidates: Vec<RoleArn>,
    /// `None`: the caller's own name.
    pub session_name: Option<NameTemplate>,
    pub source_identity: Option<NameTemplate>,
    pub external_id: Option<ExternalId>,
    /// `None`: what STS gives, one hour; with MFA, as long as the role grants.
    pub duration: Option<SessionDuration>,
    pub mfa_serial: Option<MfaSerial>,
    pub written: Written,
}

/// What hints need to know of how a role was asked for.
#[derive(Debug, Default)]
pub struct Written {
    /// The profile whose `role_arn` it is.
    pub profile: Option<String>,
    /// The property that the duration is from, with its place.
    pub duration: Option<String>,
    /// Whether the role's own profile names the MFA device. Then a code is asked for, even from a role's session.
    pub mfa_serial_is_of_role: bool,
    /// Where the role has no MFA device: the one of a profile that its role starts from, which does not count for it.
    pub unused_mfa_serial: Option<String>,
}

impl RoleRequest {
    /// What a profile with `role_arn` says.
    pub fn from_profile(profile: &Profile, source: &CredentialSource, region: &Region) -> Result<Self, Error> {
        let arn = profile.get("role_arn")?.expect("a role is one because it has this");
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

/// A value of a profile, parsed; where it is not valid, with its place.
pub fn at_place<'a, T>(value: Value<'a>, parse: impl FnOnce(&'a str) -> Result<T, Invalid>) -> Result<T, Error> {
    parse(value.text).map_err(|invalid| Error::invalid(value.place)(invalid))
}
