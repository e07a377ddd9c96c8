use std::sync::atomic::{AtomicBool, Ordering};

use crate::Account;
use crate::support::files::{make_fifo, set_mode};

/// While calls are running, the entry is repeatedly replaced with a symbolic link to, a hard link to or a readable copy
/// of a valid entry for the same key, with a FIFO, with a directory, and with another key's entry.
#[test]
fn a_swapped_entry_is_never_followed_or_trusted() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    plugin.run(&["token", "--cluster", "other", "--role", &account.dev]).good_token();
    let of_other = std::fs::read(plugin.token_entry()).unwrap();
    std::fs::remove_file(plugin.token_entry()).unwrap();
    // The planted entry: it was valid for this key, but its token must never be served again.
    let planted = plugin.role_token(&account.dev, &[]).good_token();
    let entry = plugin.token_entry();
    let victim = plugin.home().join("victim");
    std::fs::rename(&entry, &victim).unwrap();
    let contents = std::fs::read(&victim).unwrap();
    // Keeps a second name, so that the file has two names even while the first is being moved.
    let (linked, second_name) = (plugin.home().join("linked"), plugin.home().join("second-name"));
    std::fs::copy(&victim, &linked).unwrap();
    std::fs::hard_link(&linked, second_name).unwrap();
    // The next token gets a later date and is therefore different.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut turn = 0;
            while !done.load(Ordering::SeqCst) {
                let staged = plugin.home().join("staged");
                let _ = std::fs::remove_file(&staged).or_else(|_| std::fs::remove_dir(&staged));
                match turn % 6 {
                    0 => drop(std::os::unix::fs::symlink(&victim, &staged)),
                    1 => drop(std::fs::hard_link(&linked, &staged)),
                    2 => make_fifo(&staged),
                    3 => drop(std::fs::create_dir(&staged)),
                    4 => {
                        let _ = std::fs::write(&staged, &contents);
                        set_mode(&staged, 0o644);
                    }
                    _ => {
                        let _ = std::fs::write(&staged, &of_other);
                        set_mode(&staged, 0o600);
                    }
                }
                let _ = std::fs::remove_dir(&entry);
                let _ = std::fs::rename(&staged, &entry);
                turn += 1;
            }
        });
        // Stops the other thread even if an assertion fails here.
        let _done = SetOnDrop(&done);
        for _ in 0..300 {
            assert_ne!(plugin.role_token(&account.dev, &[]).good_token(), planted);
        }
    });
    assert_eq!(std::fs::read(&victim).unwrap(), contents, "the victim is untouched");
    let _ = std::fs::remove_file(&entry).or_else(|_| std::fs::remove_dir(&entry));
    let token = plugin.role_token(&account.dev, &[]).good_token();
    assert_eq!(plugin.role_token(&account.dev, &[]).good_token(), token, "and the cache works again");
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Only root can change the owner of files; other users cannot run this test.
#[test]
fn files_of_another_user_are_not_used() {
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
    // As under sudo: in another user's home directory, nothing is created that would lock its owner out.
    let home = plugin.home().join("of-another");
    std::fs::create_dir(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(65_534), None).unwrap();
    let as_root = plugin.clone().env("HOME", &home);
    as_root.token(&[]).good_token();
    assert!(!home.join(".cache").exists());
}

#[test]
fn a_relative_cache_directory_is_not_used() {
    let account = Account::new();
    let output = account.alices_plugin().env("EKS_GROUP_AUTH_CACHE_DIR", "cache").token(&[]);
    assert_eq!(output.code, 0);
    assert!(output.stderr.contains("`cache` is not used: it is not an absolute path;"), "{}", output.stderr);
}
