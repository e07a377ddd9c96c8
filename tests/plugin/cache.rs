use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::Account;
use crate::support::files::{make_private_directory, mode_of, set_mode};
use crate::support::plugin::{Plugin, age_entry, output};
use crate::support::sts::Role;

/// The kinds of the entries in the cache, sorted.
fn kinds(plugin: &Plugin) -> Vec<String> {
    let entries = plugin.entries();
    let names = entries.iter().map(|path| path.file_name().unwrap().to_string_lossy());
    names.map(|name| name.split('-').next().unwrap().to_owned()).collect()
}

#[test]
fn the_second_call_does_not_contact_aws_and_returns_the_same_token() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let first = plugin.role_token(&account.dev, &[]);
    let second = plugin.role_token(&account.dev, &[]);
    assert_eq!(first.good_token(), second.good_token());
    assert_eq!(first.expiration(), second.expiration());
    assert_eq!(account.counts(), (1, 1));
    assert_eq!(kinds(&plugin), ["caller", "session", "token"]);
}

#[test]
fn one_role_session_serves_every_cluster() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    for cluster in ["one", "two", "three"] {
        plugin.run(&["token", "--cluster", cluster, "--role", &account.dev]).good_token();
    }
    assert_eq!(account.counts(), (1, 1));
}

#[test]
fn a_second_role_reuses_the_caller_name() {
    let account = Account::new();
    let ops = account.sts.add_role("ops", Role::for_group("developers"));
    let plugin = account.alices_plugin();
    plugin.role_token(&account.dev, &[]).good_token();
    plugin.role_token(&ops, &[]).good_token();
    assert_eq!(account.counts(), (2, 1));
}

#[test]
fn refresh_calls_aws_again_and_stores_the_result() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let first = plugin.role_token(&account.dev, &[]).good_token();
    let fresh = plugin.role_token(&account.dev, &["--refresh"]).good_token();
    assert_ne!(first, fresh);
    assert_eq!(plugin.role_token(&account.dev, &[]).good_token(), fresh);
    assert_eq!(account.counts(), (2, 2));
}

#[test]
fn cache_off_reads_and_writes_nothing() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    plugin.role_token(&account.dev, &["--cache", "off"]).good_token();
    plugin.clone().env("EKS_GROUP_AUTH_CACHE", "off").role_token(&account.dev, &[]).good_token();
    assert_eq!(account.counts().0, 2);
    assert!(!plugin.cache_directory().exists());
    plugin.role_token(&account.dev, &[]).good_token();
    plugin.role_token(&account.dev, &["--cache=off"]).good_token();
    assert_eq!(account.counts().0, 4, "existing entries are not read either");
}

#[test]
fn cache_token_keeps_no_role_session() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let first = plugin.role_token(&account.dev, &["--cache", "token"]).good_token();
    assert_eq!(kinds(&plugin), ["caller", "token"]);
    assert_eq!(plugin.role_token(&account.dev, &["--cache", "token"]).good_token(), first);
    assert_eq!(account.counts(), (1, 1));
}

#[test]
fn the_flag_takes_precedence_over_the_environment() {
    let account = Account::new();
    let plugin = account.alices_plugin().env("EKS_GROUP_AUTH_CACHE", "off");
    plugin.role_token(&account.dev, &["--cache=all"]).good_token();
    assert_eq!(kinds(&plugin), ["caller", "session", "token"]);
}

#[test]
fn files_and_directories_are_private_with_any_umask() {
    for umask in ["000", "022", "077", "277", "777"] {
        let account = Account::new();
        let plugin = account.alices_plugin();
        let args = ["token", "--cluster", "demo", "--role", &account.dev];
        output(plugin.command_after("/bin/sh", &format!("umask {umask}"), &args)).good_token();
        for directory in [plugin.cache_directory(), plugin.home().join(".cache")] {
            assert_eq!(mode_of(&directory), 0o700, "umask {umask}");
        }
        let files: Vec<_> = plugin.cache_directory().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 3, "umask {umask}");
        for file in files {
            assert_eq!(mode_of(&file), 0o600, "umask {umask}: {}", file.display());
        }
        plugin.role_token(&account.dev, &[]).good_token();
        assert_eq!(account.counts(), (1, 1), "umask {umask}");
    }
}

fn runtime_directory(plugin: &Plugin) -> PathBuf {
    let path = plugin.home().join("run");
    std::fs::create_dir(&path).unwrap();
    path
}

/// The home directory has become read-only and contains old entries; entries written elsewhere must be found.
#[test]
fn an_old_entry_does_not_hide_a_valid_one_in_the_next_directory() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let runtime = runtime_directory(&plugin);
    let plugin = plugin.env("XDG_RUNTIME_DIR", &runtime);
    plugin.role_token(&account.dev, &[]).good_token();
    plugin.age_entries("", 7200);
    // An immutable directory would need privileges; one whose entries cannot be replaced works too.
    for entry in plugin.entries() {
        let contents = std::fs::read(&entry).unwrap();
        let in_runtime = runtime.join("eks-group-auth").join(entry.file_name().unwrap());
        make_private_directory(in_runtime.parent().unwrap());
        std::fs::write(&in_runtime, contents).unwrap();
        set_mode(&in_runtime, 0o600);
        age_entry(&in_runtime, -7200);
    }
    plugin.role_token(&account.dev, &[]).good_token();
    assert_eq!(account.counts(), (1, 1));
}

#[test]
fn the_cache_directory_can_be_set() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let named = plugin.home().join("elsewhere/deep");
    let plugin = plugin.env("EKS_GROUP_AUTH_CACHE_DIR", &named);
    plugin.role_token(&account.dev, &[]).good_token();
    plugin.role_token(&account.dev, &[]).good_token();
    assert_eq!(account.counts(), (1, 1));
    assert_eq!(Plugin::entries_in(&named).len(), 3);
    assert!(!plugin.cache_directory().exists());
}

#[test]
fn without_a_home_the_runtime_directory_is_used_and_without_that_nothing_is_cached() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let runtime = runtime_directory(&plugin);
    let homeless = plugin.clone().env("HOME", "");
    let with_runtime = homeless.clone().env("XDG_RUNTIME_DIR", &runtime);
    with_runtime.role_token(&account.dev, &[]).good_token();
    with_runtime.role_token(&account.dev, &[]).good_token();
    assert_eq!(account.counts(), (1, 1));
    assert_eq!(Plugin::entries_in(&runtime.join("eks-group-auth")).len(), 3);
    homeless.role_token(&account.dev, &[]).good_token();
    homeless.role_token(&account.dev, &[]).good_token();
    assert_eq!(account.counts(), (3, 3));
    assert!(!plugin.cache_directory().exists());
}

#[test]
fn an_uncreatable_cache_directory_does_not_fail_calls() {
    let account = Account::new();
    let plugin = account.alices_plugin().write("file", "");
    let plugin = plugin.clone().env("EKS_GROUP_AUTH_CACHE_DIR", plugin.home().join("file/below"));
    plugin.role_token(&account.dev, &[]).good_token();
}

#[test]
fn a_directory_writable_by_others_is_not_used_and_causes_one_warning() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    std::fs::create_dir_all(plugin.cache_directory()).unwrap();
    set_mode(plugin.cache_directory(), 0o777);
    let output = plugin.role_token(&account.dev, &[]);
    assert_eq!(output.code, 0);
    assert_eq!(
        output.stderr,
        format!(
            "eks-group-auth: warning: cache directory `{}` is not used: other users can write to it (mode 0777); set \
             EKS_GROUP_AUTH_CACHE_DIR to a directory of your own with mode 0700\n",
            plugin.cache_directory().display()
        )
    );
    assert!(kinds(&plugin).is_empty());
}

#[test]
fn a_symlinked_directory_is_not_used() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let target = plugin.home().join("target");
    std::fs::create_dir(&target).unwrap();
    std::fs::create_dir(plugin.home().join(".cache")).unwrap();
    std::os::unix::fs::symlink(&target, plugin.cache_directory()).unwrap();
    let output = plugin.role_token(&account.dev, &[]);
    assert_eq!(output.code, 0);
    assert!(output.stderr.contains("is not used: it is a symbolic link;"), "{}", output.stderr);
    assert_eq!(target.read_dir().unwrap().count(), 0);
}

/// Every kind of damage is a cache miss, is overwritten, and does not affect the result.
#[test]
fn a_damaged_or_foreign_entry_is_a_miss_and_is_replaced() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 10] = [
        ("empty", |path| std::fs::write(path, "").unwrap()),
        ("cut", |path| {
            let contents = std::fs::read(path).unwrap();
            std::fs::write(path, &contents[..contents.len() / 2]).unwrap();
        }),
        ("flipped", |path| {
            let mut contents = std::fs::read(path).unwrap();
            let middle = contents.len() / 2;
            contents[middle] ^= 1;
            std::fs::write(path, contents).unwrap();
        }),
        ("null bytes", |path| {
            let len = std::fs::read(path).unwrap().len();
            std::fs::write(path, vec![0; len]).unwrap();
        }),
        ("another version's", |path| {
            let text = std::fs::read_to_string(path).unwrap();
            std::fs::write(path, text.replacen("cache-2", "cache-3", 1)).unwrap();
        }),
        ("text at the end", |path| {
            let contents = std::fs::read(path).unwrap();
            std::fs::write(path, [&contents[..], b"more\n"].concat()).unwrap();
        }),
        ("readable by others", |path| set_mode(path, 0o644)),
        ("a link", |path| {
            let moved = path.with_extension("moved");
            std::fs::rename(path, &moved).unwrap();
            std::os::unix::fs::symlink(moved, path).unwrap();
        }),
        ("hard-linked", |path| std::fs::hard_link(path, path.with_extension("second")).unwrap()),
        ("huge", |path| {
            std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(100 << 20).unwrap();
        }),
    ];
    for (what, damage) in damages {
        let account = Account::new();
        let plugin = account.alices_plugin();
        plugin.role_token(&account.dev, &[]).good_token();
        let entries = plugin.entries();
        for path in &entries {
            damage(path);
        }
        plugin.role_token(&account.dev, &[]).good_token();
        assert_eq!(account.counts(), (2, 2), "{what}: a miss");
        plugin.role_token(&account.dev, &[]).good_token();
        assert_eq!(account.counts(), (2, 2), "{what}: healed");
        for path in &entries {
            let metadata = path.symlink_metadata().unwrap();
            assert!(metadata.is_file() && metadata.nlink() == 1 && metadata.mode() & 0o777 == 0o600, "{what}");
        }
    }
}

#[test]
fn an_entry_under_another_name_is_not_served() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    let other = plugin.run(&["token", "--cluster", "other", "--role", &account.dev]).good_token();
    let of_other = plugin.token_entry();
    let kept = std::fs::read(&of_other).unwrap();
    std::fs::remove_file(&of_other).unwrap();
    plugin.role_token(&account.dev, &[]).good_token();
    std::fs::write(plugin.token_entry(), kept).unwrap();
    assert_ne!(plugin.role_token(&account.dev, &[]).good_token(), other);
}

/// The clock was set back, so the expiry in the entry is wrong by the same amount.
#[test]
fn a_token_from_the_future_is_not_served() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    plugin.role_token(&account.dev, &[]).good_token();
    plugin.age_entries("token-", -600);
    let output = plugin.role_token(&account.dev, &[]);
    output.good_token();
    assert!(output.remaining().as_secs() <= 14 * 60, "{:?}", output.remaining());
    assert_eq!(account.counts(), (1, 1), "its session is still valid");
    assert_eq!(plugin.role_token(&account.dev, &[]).expiration(), output.expiration(), "it is replaced");
}

/// Its expiry is by a clock that will be corrected; its session is trusted for some minutes.
#[test]
fn a_token_signed_with_a_wrong_clock_is_not_cached() {
    for ahead in [-600, 600] {
        let account = Account::new();
        account.sts.set_clock_ahead(ahead);
        let plugin = account.alices_plugin();
        plugin.role_token(&account.dev, &[]).good_token();
        assert_eq!(kinds(&plugin), ["caller", "session"], "STS is {ahead} s ahead");
    }
}

#[test]
fn no_temporary_files_are_left_behind() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    for _ in 0..3 {
        plugin.role_token(&account.dev, &["--refresh"]).good_token();
    }
    assert_eq!(kinds(&plugin), ["caller", "session", "token"]);
}
