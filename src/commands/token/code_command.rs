//! The command to suggest if there is no terminal to ask for a code.

use crate::aws::fingerprint::identifying_variables;
use crate::cache::policy::CacheMode;
use crate::commands::error::MfaCommand;
use crate::commands::token::ask::Ask;
use crate::commands::token::entries::Entries;
use crate::commands::world::World;
use crate::say::words::quoted;
use crate::sys::{this_process, vars};

/// The command to run in a terminal to get the same session: the original arguments, and the variables that determine
/// the identity. The token itself is of no use there.
pub fn code_command(ask: &Ask, world: &World, entries: &Entries) -> MfaCommand {
    // The only variables whose values are shown; the others may be secrets.
    const SHOWN: [&str; 6] = [
        vars::AWS_PROFILE,
        vars::AWS_DEFAULT_PROFILE,
        vars::AWS_CONFIG_FILE,
        vars::AWS_SHARED_CREDENTIALS_FILE,
        vars::AWS_ROLE_ARN,
        vars::AWS_REGION,
    ];
    let shown = SHOWN.iter().filter_map(|name| Some((*name, world.env.get(name)?)));
    let ours = world.env.with_prefix(vars::OWN_PREFIX).filter_map(|(name, value)| name.to_str().zip(value.to_str()));
    let mut line = String::new();
    for (name, value) in shown.chain(ours) {
        line += &format!("{name}={} ", quoted(value));
    }
    let arguments = this_process::arguments();
    let argv: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
    let program = argv.first().filter(|program| program.contains('/')).map_or("eks-group-auth", |program| program);
    line += &quoted(program);
    for word in argv.iter().skip(1) {
        line += &format!(" {}", quoted(word));
    }
    if !argv.iter().any(|word| word.starts_with("--region")) {
        line += &format!(" --region {}", ask.endpoint.region);
    }
    let names = identifying_variables(&world.env).map(|(name, _)| name.to_string_lossy().into_owned());
    let mut required_variables: Vec<String> = names.filter(|name| !SHOWN.contains(&name.as_str())).collect();
    if ask.source.process().is_some() {
        required_variables.push("everything else in the exec block's `env`".into());
    }
    let not_cached_because = if ask.cache == CacheMode::Off {
        Some("the cache is off (`--cache off` or EKS_GROUP_AUTH_CACHE=off)")
    } else if ask.refresh {
        Some("`--refresh` ignores the cache")
    } else if !entries.can_store() {
        Some("no cache directory can be used")
    } else {
        None
    };
    MfaCommand { line: line + " >/dev/null", required_variables, not_cached_because }
}
