//! `eks-group-auth token`: an `ExecCredential` for a cluster. This file shows the flow of one call from start to end;
//! each step has its own file.

/// Checks that need only the arguments.
mod arguments;
/// The resolved request.
mod ask;
/// From base credentials to a session of the role.
mod assume;
/// The token in the cache.
mod cached;
/// The command to suggest if there is no terminal to ask for a code.
mod code_command;
/// The entries of the cache that belong to this call.
mod entries;
/// Asking for an MFA code.
mod mfa;
/// Getting a session from AWS.
mod obtain;
/// The roles to assume.
mod roles;
/// The credentials that sign a token, and their identity.
mod session;
/// Signing a new token.
mod sign;
/// Single flight.
mod turn;

use std::io::Write;

use crate::aws::profile::ProfileFiles;
use crate::aws::region::Region;
use crate::cli::GlobalArgs;
use crate::cli::token::TokenArgs;
use crate::commands::error::Error;
use crate::commands::world::World;
use crate::kube::exec::{self, Status};
use crate::kube::token::check_endpoint;
use crate::say::Say;
use crate::say::text::shown;
use crate::say::warning::Warning;
use ask::{Ask, OutputFormat};
use cached::{Accept, cached};
use entries::Entries;
use obtain::{obtain_session, share_failure};
use sign::sign;
use turn::Turn;

/// Prints a token, either cached or new.
pub fn token(
    args: &TokenArgs,
    global: &GlobalArgs,
    world: &World,
    out: &mut dyn Write,
    say: &Say,
) -> Result<(), Error> {
    let target = arguments::check(args, global, &world.env)?;
    let files = world.files.profiles()?;
    let ask = Ask::resolve(target, args, global, &world.env, &world.exec_info, &files)?;
    let mut entries = Entries::open(&ask, world, say);
    if say.is_verbose() {
        log_request(&ask, args, world, &files, say);
    }
    let status = match cached(&entries, &ask, world, say) {
        Ok(status) => status,
        Err(accept) => {
            let warnings = arguments::warnings(ask.roles.last.is_some(), args, global, &world.env);
            warnings.into_iter().for_each(|warning| say.warn(warning));
            new_status(&mut entries, &ask, world, accept, say)?
        }
    };
    print_token(&ask, &status, out)
}

/// Signs a new token with a session from the cache or from AWS, or returns a token that another process signed while
/// this one was waiting.
// Kept out of the cached path, to keep that path's stack and pages small.
#[cold]
#[inline(never)]
fn new_status(entries: &mut Entries, ask: &Ask, world: &World, accept: Accept, say: &Say) -> Result<Status, Error> {
    check_endpoint(&ask.endpoint)?;
    warn_if_region_differs(ask, world, say);
    let (session, _lock) = match Turn::wait(entries, ask, world, accept, say)? {
        Turn::Done(status) => return Ok(status),
        Turn::Session(session) => (session, None),
        Turn::Ours(lock, fallback) => {
            let session = obtain_session(ask, world, entries, fallback, say);
            let session = session.inspect_err(|error| share_failure(entries, &lock, error))?;
            (session, Some(lock))
        }
    };
    let signed_at = world.clock.now();
    let status = sign(ask, &session.signer, signed_at)?;
    entries.store(&session, &status, signed_at);
    say.step(|| "signed a new token".into());
    Ok(status)
}

fn print_token(ask: &Ask, status: &Status, out: &mut dyn Write) -> Result<(), Error> {
    let answer = match ask.form {
        OutputFormat::ExecCredential(api_version) => exec::render(api_version, status)?,
        OutputFormat::BareToken => status.token.expose().to_owned(),
    };
    out.write_all((answer + "\n").as_bytes()).map_err(Error::Stdout)
}

fn warn_if_region_differs(ask: &Ask, world: &World, say: &Say) {
    if let Some(server) = world.exec_info.server.as_deref().and_then(Region::from_eks_server)
        && server != ask.endpoint.region
    {
        let (requested, server) = (ask.endpoint.region.to_string(), server.to_string());
        say.warn(Warning::RegionMismatch { requested, server });
    }
}

/// With `-v`, prints how the request was understood, which sources have lower precedence than the one in use, and which
/// lines of the files cannot be parsed.
#[cold]
#[inline(never)]
fn log_request(ask: &Ask, args: &TokenArgs, world: &World, files: &ProfileFiles, say: &Say) {
    let cluster = ask.cluster.as_str();
    let last_role = ask.roles.last.as_ref();
    let session_name = last_role.and_then(|role| role.session_name.as_ref()).map(|name| name.as_str());
    let meant = [(&args.cluster, Some(cluster)), (&args.role.session_name, session_name)];
    for (given, meant) in meant {
        if let (Some(given), Some(meant)) = (given, meant)
            && given != meant
        {
            say.step(|| format!("`{}` is an ARN: using its last part, `{meant}`", shown(given)));
        }
    }
    say.step(|| {
        format!("requested a token for cluster `{cluster}` in {}, using {}", ask.endpoint.region, ask.source.name())
    });
    if let Some(client) = world.client {
        let program = client.executable().map(|path| format!(" (`{}`)", shown(&path.display().to_string())));
        say.step(|| format!("requested by process {}{}", client.id(), program.unwrap_or_default()));
    }
    for shadow in ask.source.lower_precedence_sources(&world.env, files) {
        say.step(|| format!("not used, because another source takes precedence: {shadow}"));
    }
    for (path, broken) in files.broken_lines() {
        let path = shown(&path.display().to_string());
        say.step(|| format!("skipped line {} of `{path}`: {}", broken.line, broken.why));
    }
}
