use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Account;
use crate::support::plugin::Plugin;

fn token_entry(plugin: &Plugin) -> PathBuf {
    let is_token = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("token-");
    plugin.entries().into_iter().find(is_token).unwrap()
}

fn fifo(path: &Path) {
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    let _ = rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0);
}

/// While calls go on, the entry is replaced again and again by a link, a hard link, a FIFO, a directory, another entry.
#[test]
fn an_entry_that_is_swapped_while_it_is_read_is_never_followed_and_never_believed() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let other = plugin.run(&["token", "--cluster", "other"]).good_token();
    let of_other = std::fs::read(token_entry(&plugin)).unwrap();
    std::fs::remove_file(token_entry(&plugin)).unwrap();
    plugin.token(&[]).good_token();
    let entry = token_entry(&plugin);
    let victim = plugin.home().join("victim");
    std::fs::write(&victim, &of_other).unwrap();
    std::fs::set_permissions(&victim, std::fs::Permissions::from_mode(0o600)).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut turn = 0;
            while !done.load(Ordering::SeqCst) {
                let _ = std::fs::remove_file(&entry).or_else(|_| std::fs::remove_dir(&entry));
                match turn % 5 {
                    0 => drop(std::os::unix::fs::symlink(&victim, &entry)),
                    1 => drop(std::fs::hard_link(&victim, &entry)),
                    2 => fifo(&entry),
                    3 => drop(std::fs::create_dir(&entry)),
                    _ => drop(std::fs::copy(&victim, &entry)),
                }
                turn += 1;
            }
        });
        for _ in 0..300 {
            assert_ne!(plugin.token(&[]).good_token(), other);
        }
        done.store(true, Ordering::SeqCst);
    });
    assert_eq!(std::fs::read(&victim).unwrap(), of_other, "the victim is untouched");
    let _ = std::fs::remove_file(&entry).or_else(|_| std::fs::remove_dir(&entry));
    let token = plugin.token(&[]).good_token();
    assert_eq!(plugin.token(&[]).good_token(), token, "and all is well again");
}

/// Only root can give files away; as anybody else there is nothing to test.
#[test]
fn what_belongs_to_another_user_is_not_used() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can make files that belong to another user");
        return;
    }
    let account = Account::new();
    let plugin = account.alices_plugin();
    plugin.role_token(&account.dev, &[]).good_token();
    for entry in plugin.entries() {
        std::os::unix::fs::chown(entry, Some(65_534), None).unwrap();
    }
    plugin.role_token(&account.dev, &[]).good_token();
    assert_eq!(account.counts(), (2, 2));
    std::os::unix::fs::chown(plugin.cache_directory(), Some(65_534), None).unwrap();
    let output = plugin.token(&[]);
    assert_eq!(output.code, 0);
    assert!(output.stderr.contains("is not used: it belongs to another user (uid 65534);"), "{}", output.stderr);
    // As under sudo: in a home that is another's nothing is made that would shut its owner out.
    let home = plugin.home().join("of-another");
    std::fs::create_dir(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(65_534), None).unwrap();
    let as_root = plugin.clone().env("HOME", &home);
    as_root.token(&[]).good_token();
    assert!(!home.join(".cache").exists());
}

#[test]
fn a_cache_directory_given_by_a_relative_path_is_not_used() {
    let account = Account::new();
    let output = account.alices_plugin().env("EKS_GROUP_AUTH_CACHE_DIR", "cache").token(&[]);
    assert_eq!(output.code, 0);
    assert!(output.stderr.contains("`cache` is not used: it is not an absolute path;"), "{}", output.stderr);
}
