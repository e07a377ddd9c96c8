//! Signing a new token.

use std::time::SystemTime;

use crate::aws::signer::Signer;
use crate::commands::error::Error;
use crate::commands::token::ask::Ask;
use crate::kube;
use crate::kube::exec::Status;
use crate::kube::presign::PresignedUrl;
use crate::kube::token::{check_session_token, expiration};

/// Signs a token and checks it against the cluster's rules.
pub fn sign(ask: &Ask, signer: &Signer, signed_at: SystemTime) -> Result<Status, Error> {
    let refused = kube::error::Error::Token;
    let time_at_sts = signer.time_at_sts(signed_at);
    check_session_token(&signer.credentials).map_err(refused)?;
    let url = PresignedUrl::get_caller_identity(&ask.cluster, &signer.credentials, &ask.endpoint, time_at_sts)?;
    let token = url.to_token();
    token.check(&ask.endpoint.region, time_at_sts).map_err(refused)?;
    Ok(Status { token, expiration: expiration(signed_at, &signer.credentials) })
}
