//! `eks-group-auth cache`: shows where the cache is, lists its entries and removes them.

use std::io::Write;
use std::time::SystemTime;

use crate::cache::entry::{self, ListedEntry};
use crate::cache::error::Error as CacheError;
use crate::cache::policy::{self, CacheMode, is_removable};
use crate::cache::{self, Cache};
use crate::cli::cache::CacheCommand;
use crate::commands::error::Error;
use crate::say::Say;
use crate::say::text::shown;
use crate::say::time::rfc3339;
use crate::sys::directory::PrivateDirectory;
use crate::sys::env::Env;

pub fn cache(command: &CacheCommand, env: &Env, now: SystemTime, out: &mut dyn Write, say: &Say) -> Result<(), Error> {
    // Ignores EKS_GROUP_AUTH_CACHE, to include entries that were stored before it was set.
    let cache = Cache::open(env, CacheMode::All, say);
    let answer = match command {
        CacheCommand::Path => path(env)?,
        CacheCommand::List => list(&cache, now),
        CacheCommand::Clear { expired } => clear(&cache, *expired, now)?,
    };
    out.write_all(answer.as_bytes()).map_err(Error::Stdout)
}

fn path(env: &Env) -> Result<String, Error> {
    let directory = cache::directories(env).into_iter().next().ok_or(CacheError::NoDirectory)?;
    Ok(format!("{}\n", directory.display()))
}

fn list(cache: &Cache, now: SystemTime) -> String {
    let mut rows = Vec::new();
    for store in cache.stores() {
        for name in store.names() {
            let Some(bytes) = store.read(&name, entry::MAX_LEN) else { continue };
            let Some(ListedEntry { kind, about, expiration }) = ListedEntry::parse(&name, &bytes) else { continue };
            let end = rfc3339(expiration).unwrap_or_default();
            rows.push([
                kind.as_str().to_owned(),
                about.cluster.unwrap_or_else(|| "-".into()),
                about.role.unwrap_or_else(|| "-".into()),
                about.region,
                about.identity,
                if expiration <= now { format!("{end} (expired)") } else { end },
                bytes.len().to_string(),
            ]);
        }
    }
    if rows.is_empty() {
        return "The cache is empty.\n".into();
    }
    rows.sort();
    table(["KIND", "CLUSTER", "ROLE", "REGION", "IDENTITY", "EXPIRES", "BYTES"], rows)
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

/// Removes everything except the lock files, or only what can no longer be served.
fn clear(cache: &Cache, expired: bool, now: SystemTime) -> Result<String, Error> {
    let (mut removed, mut not_removed) = (0, None);
    for store in cache.stores() {
        let names =
            store.names().into_iter().filter(|name| is_removable(name) && (!expired || is_expired(store, name, now)));
        let (gone, left): (Vec<String>, Vec<String>) = names.partition(|name| store.remove(name));
        removed += gone.len();
        if !left.is_empty() {
            let directory = store.directory().display().to_string();
            not_removed = Some(CacheError::NotRemoved { directory, files: left.len() });
        }
    }
    if let Some(error) = not_removed {
        return Err(error.into());
    }
    Ok(format!(
        "Files removed: {removed}. Tokens and sessions already handed out stay valid until they expire: this revokes \
         nothing at AWS.\n"
    ))
}

/// Files that are not listed as entries count as expired once they are no longer needed.
fn is_expired(store: &PrivateDirectory, name: &str, now: SystemTime) -> bool {
    match store.read(name, entry::MAX_LEN).and_then(|bytes| ListedEntry::parse(name, &bytes)) {
        Some(listed) => listed.expiration <= now,
        None => {
            !name.starts_with('.')
                || store.modified(name).is_none_or(|modified| {
                    now.duration_since(modified).is_ok_and(|age| age >= policy::TEMPORARY_LIFETIME)
                })
        }
    }
}
