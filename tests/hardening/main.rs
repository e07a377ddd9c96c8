//! The slow tests, `cargo test --test hardening`: many processes at once, faults of STS, disk and clock, attacks on the
//! cache, clusters that refuse tokens, and generated configurations compared with the AWS CLI.

#![allow(clippy::disallowed_methods, reason = "tests read the clock and the environment themselves")]

#[path = "../support/mod.rs"]
mod support;

/// Files planted in the cache directory by others.
mod attacks;
/// STS's clock differs from this machine's.
mod clock;
/// Possible responses from STS, or from something in its place.
mod faults;
/// Disks, limits, locks, and being killed.
mod files;
/// Markers in every secret: none leaks.
mod leaks;
/// Many processes at once.
mod load;
/// A cluster that refuses a good token, with the real kubectl.
mod refused;
/// Slow users and slow credential processes, and the processes that wait for them.
mod waiting;
/// Generated files and environments, compared with the AWS CLI.
mod worlds;

use support::account::Account;
use support::plugin::{Output, Plugin};

/// Runs this many processes at the same time and returns their output.
fn at_once(runs: usize, run: impl Fn(usize) -> Output + Sync) -> Vec<Output> {
    let start = std::sync::Barrier::new(runs);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..runs)
            .map(|number| {
                let (start, run) = (&start, &run);
                scope.spawn(move || {
                    start.wait();
                    run(number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no run panics")).collect()
    })
}

/// Removes the tokens, so that the session has to be used.
fn forget_tokens(plugin: &Plugin) {
    for path in plugin.entries_of("token-") {
        std::fs::remove_file(path).expect("a file");
    }
}

/// Ages the session by this many seconds.
fn age_session(plugin: &Plugin, seconds: i64) {
    plugin.age_entries("session-", seconds);
}
