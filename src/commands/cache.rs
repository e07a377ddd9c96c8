//! `eks-group-auth cache`: where entries are kept, what they are, and their removal.

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use crate::cache::entry::{self, Listed};
use crate::cache::{self, Cache};
use crate::cli::CacheCommand;
use crate::commands::token::request::CacheMode;
use crate::kube::token::unix_seconds;
use crate::say::error::{Error, Warning, shown};
use crate::sys::directory::PrivateDirectory;
use crate::sys::env::Env;

/// What goes to stdout.
pub fn cache_command(
    command: &CacheCommand,
    env: &Env,
    now: SystemTime,
    warnings: &mut Vec<Warning>,
) -> Result<String, Error> {
    // Whatever EKS_GROUP_AUTH_CACHE says: what was kept before it was set is meant too.
    let cache = Cache::open(env, CacheMode::All, warnings);
    match command {
        CacheCommand::Path => path(env),
        CacheCommand::List => Ok(list(&cache, now)),
        CacheCommand::Clear { expired } => clear(&cache, *expired, now),
    }
}

fn path(env: &Env) -> Result<String, Error> {
    let directory = cache::directories(env).into_iter().next().ok_or(Error::NoCacheDirectory)?;
    Ok(format!("{}\n", directory.display()))
}

fn list(cache: &Cache, now: SystemTime) -> String {
    let mut rows = Vec::new();
    for store in cache.stores() {
        for name in store.names() {
            let Some(bytes) = store.read(&name, entry::MAX_LEN) else { continue };
            let Some(Listed { kind, about, expiration }) = Listed::parse(&name, &bytes) else { continue };
            let end = DateTime::from_secs(unix_seconds(expiration)).fmt(Format::DateTime).unwrap_or_default();
            rows.push([
                kind.as_str().to_owned(),
                about.cluster.unwrap_or_else(|| "-".into()),
                about.role.unwrap_or_else(|| "-".into()),
                about.region,
                about.identity,
                if expiration <= now { format!("{end} (over)") } else { end },
                bytes.len().to_string(),
            ]);
        }
    }
    if rows.is_empty() {
        return "The cache is empty.\n".into();
    }
    rows.sort();
    table(["KIND", "CLUSTER", "ROLE", "REGION", "IDENTITY", "END", "BYTES"], rows)
}

fn table(head: [&str; 7], rows: Vec<[String; 7]>) -> String {
    let mut all = vec![head.map(str::to_owned)];
    all.extend(rows.into_iter().map(|row| row.map(|cell| shown(&cell))));
    let widths: [usize; 7] = std::array::from_fn(|at| all.iter().map(|row| row[at].chars().count()).max().unwrap_or(0));
    let line = |row: &[String; 7]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    all.iter().map(line).collect()
}

/// Everything but the lock files, or only what cannot be served any more.
fn clear(cache: &Cache, expired: bool, now: SystemTime) -> Result<String, Error> {
    let (mut removed, mut not_removed) = (0, None);
    for store in cache.stores() {
        let names = store
            .names()
            .into_iter()
            .filter(|name| cache::is_disposable(name) && (!expired || is_over(store, name, now)));
        let (gone, left): (Vec<String>, Vec<String>) = names.partition(|name| store.remove(name));
        removed += gone.len();
        if !left.is_empty() {
            let directory = store.directory().display().to_string();
            not_removed = Some(Error::NotRemoved { directory, names: left.len() });
        }
    }
    if let Some(error) = not_removed {
        return Err(error);
    }
    Ok(format!(
        "Files removed: {removed}. Sessions and tokens that were handed out stay valid until their end: this revokes nothing at AWS.\n"
    ))
}

/// Of what is not an entry for somebody to see, that which nobody needs is over.
fn is_over(store: &PrivateDirectory, name: &str, now: SystemTime) -> bool {
    match store.read(name, entry::MAX_LEN).and_then(|bytes| Listed::parse(name, &bytes)) {
        Some(listed) => listed.expiration <= now,
        None => {
            !name.starts_with('.')
                || store
                    .modified(name)
                    .is_none_or(|modified| now.duration_since(modified).is_ok_and(|age| age >= cache::TEMPORARY_LIFE))
        }
    }
}
