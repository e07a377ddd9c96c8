//! The roles to assume: the profile's intermediate roles, then the last one, from `--role` or from the profile.

use crate::aws::error::Error as AwsError;
use crate::aws::names::{ExternalId, InvalidValue, MfaSerial, NameTemplate, RoleArn, SessionDuration};
use crate::aws::region::Region;
use crate::aws::role::{RoleOrigin, RoleRequest, parse_value};
use crate::aws::source::CredentialSource;
use crate::cli::token::RoleArgs;
use crate::commands::error::Error;

/// All roles to assume.
#[derive(Debug)]
pub struct Roles {
    /// The profile's roles, in the order they are assumed.
    pub via: Vec<RoleRequest>,
    /// The role that signs; if `None`, the caller's own identity signs.
    pub last: Option<RoleRequest>,
}

impl Roles {
    pub fn resolve(args: &RoleArgs, source: &CredentialSource, region: &Region) -> Result<Self, Error> {
        let steps = source.roles().map(|profile| RoleRequest::from_profile(profile, source, region));
        let mut via = steps.collect::<Result<Vec<_>, _>>()?;
        let of_profile = if args.role.is_empty() { via.pop() } else { None };
        let last = last_role(args, region, source, of_profile)?;
        Ok(Roles { via, last })
    }

    /// All roles, in order.
    pub fn all(&self) -> impl Iterator<Item = &RoleRequest> {
        self.via.iter().chain(&self.last)
    }

    /// The first role that may need an MFA code.
    pub fn with_mfa(&self) -> Option<&RoleRequest> {
        self.all().find(|role| role.mfa_serial.is_some())
    }
}

/// `None` if no role is requested. Without `--role`, the other options apply to the profile's role.
fn last_role(
    args: &RoleArgs,
    region: &Region,
    source: &CredentialSource,
    of_profile: Option<RoleRequest>,
) -> Result<Option<RoleRequest>, Error> {
    let session_name = flag("--session-name", &args.session_name, NameTemplate::parse)?;
    let source_identity = flag("--source-identity", &args.source_identity, NameTemplate::parse)?;
    let external_id = flag("--external-id", &args.external_id, ExternalId::parse)?;
    let duration = flag("--duration", &args.duration, SessionDuration::parse)?;
    let given_serial = flag("--mfa-serial", &args.mfa_serial, MfaSerial::parse)?;
    let mut candidates = Vec::new();
    for arn in &args.role {
        let arn = RoleArn::parse(arn, region).map_err(AwsError::invalid("--role"))?;
        if !candidates.contains(&arn) {
            candidates.push(arn);
        }
    }
    if let Some(role) = of_profile {
        let duration_place = role.origin.duration.filter(|_| duration.is_none());
        return Ok(Some(RoleRequest {
            candidates: role.candidates,
            session_name: session_name.or(role.session_name),
            source_identity,
            external_id: external_id.or(role.external_id),
            duration: duration.or(role.duration),
            mfa_serial: given_serial.or(role.mfa_serial),
            origin: RoleOrigin {
                duration: duration_place,
                profile_sets_mfa_serial: role.origin.profile_sets_mfa_serial && args.mfa_serial.is_none(),
                ..role.origin
            },
        }));
    }
    if candidates.is_empty() {
        // aws-iam-authenticator ignores a session name and an external id without a role; the options below are this
        // program's own.
        let given = [
            ("--source-identity", &args.source_identity),
            ("--duration", &args.duration),
            ("--mfa-serial", &args.mfa_serial),
        ];
        return match given.iter().find(|(_, value)| value.is_some()) {
            Some((flag, _)) => {
                let words = format!("`{flag}` only applies to a role, and no `--role` is given");
                Err(Error::Usage { words, hint: None })
            }
            None => Ok(None),
        };
    }
    // A profile's MFA device belongs to its user; a profile with a role has no user.
    let of_user = source.profile().filter(|_| !source.is_environment_keys() && source.roles().next().is_none());
    let of_profile = of_user.map(|profile| profile.get("mfa_serial")).transpose()?.flatten();
    let mfa_serial = match (given_serial, of_profile) {
        (None, Some(serial)) => Some(parse_value(serial, MfaSerial::parse)?),
        (given, _) => given,
    };
    let origin = RoleOrigin::default();
    Ok(Some(RoleRequest { candidates, session_name, source_identity, external_id, duration, mfa_serial, origin }))
}

fn flag<T>(
    name: &'static str,
    value: &Option<String>,
    parse: impl FnOnce(&str) -> Result<T, InvalidValue>,
) -> Result<Option<T>, AwsError> {
    value.as_deref().map(parse).transpose().map_err(AwsError::invalid(name))
}
