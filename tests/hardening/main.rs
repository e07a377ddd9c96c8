//! The slow tests, `cargo test --test hardening`: many processes at once, faults of STS, disk and clock, attacks on the
//! cache, clusters that refuse, and worlds in which the AWS CLI is asked as well.

#![allow(clippy::disallowed_methods, reason = "tests read the clock and the environment themselves")]

#[path = "../support/mod.rs"]
mod support;

/// What somebody else may have put into the cache directory.
mod attacks;
/// STS's clock is not this machine's.
mod clock;
/// What STS, or something in its place, may answer.
mod faults;
/// Disks, limits, locks, and being killed.
mod files;
/// Markers in every secret: none comes out.
mod leaks;
/// Many processes at once.
mod load;
/// A cluster that refuses a good token, with the real kubectl.
mod refused;
/// A person or a program that takes its time, and those who wait for the one who asked.
mod waiting;
/// Generated files and environments, beside the AWS CLI.
mod worlds;

use support::account::Account;
use support::plugin::{Output, Plugin};

/// Runs so many at the same time; what each gave.
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

/// Removes the tokens, so that the session has to serve.
fn forget_tokens(plugin: &Plugin) {
    for path in plugin.entries_of("token-") {
        std::fs::remove_file(path).expect("a file");
    }
}

/// Makes the session older by so many seconds.
fn age_session(plugin: &Plugin, seconds: i64) {
    plugin.age_entries("session-", seconds);
}
