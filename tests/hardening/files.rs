use std::fs::{File, FileTimes};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::support::child::{WatchedChild, runs};
use crate::support::files::{make_fifo, make_private_directory, mode_of, set_mode};
use crate::support::plugin::{Output, Plugin, output};
use crate::{Account, at_once};

/// Runs the plugin from a shell that runs `first` before it, such as to set a limit.
fn after(plugin: &Plugin, first: &str, role: &str) -> Output {
    output(plugin.command_after("/bin/sh", first, &["token", "--cluster", "demo", "--role", role]))
}

#[test]
fn calls_succeed_even_if_nothing_can_be_written() {
    for (what, first) in [
        ("no file may have a byte", "ulimit -f 0"),
        ("the directory may not be written", "chmod 500 \"$HOME/.cache/eks-group-auth\""),
        ("the directory may not be read", "chmod 0 \"$HOME/.cache/eks-group-auth\""),
    ] {
        let account = Account::new();
        let plugin = account.alices_plugin().env("PATH", "/usr/bin:/bin");
        make_private_directory(plugin.cache_directory());
        for _ in 0..2 {
            after(&plugin, first, &account.dev).good_token();
        }
        assert!(plugin.entries_of(".").is_empty(), "{what}");
        set_mode(plugin.cache_directory(), 0o700);
    }
}

/// In a user namespace, if the system allows one, any user can mount a small file system.
#[test]
fn a_full_or_read_only_disk_does_not_fail_calls() {
    let mut mount = Command::new("unshare");
    mount.args(["-Urm", "/bin/sh", "-c", "mount -t tmpfs tmpfs /mnt && mount -o remount,bind,ro /mnt"]);
    mount.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if !WatchedChild::try_start(mount).is_ok_and(|mount| mount.output().status.success()) {
        eprintln!("SKIPPED: no user namespace to mount a small file system in");
        return;
    }
    for (what, prepare) in [
        ("full", "head -c 100000 /dev/zero > \"$D/fill\" 2>/dev/null"),
        ("read-only", "mount -o remount,bind,ro \"$D\""),
        ("read-only with a cache", "\"$0\" token -i demo -r \"$ROLE\" >/dev/null; mount -o remount,bind,ro \"$D\""),
    ] {
        let account = Account::new();
        let plugin = account.alices_plugin().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").env("ROLE", &account.dev);
        let directory = plugin.home().join("disk");
        std::fs::create_dir(&directory).unwrap();
        let plugin = plugin.env("D", &directory).env("EKS_GROUP_AUTH_CACHE_DIR", directory.join("cache"));
        let script = format!(
            "mount -t tmpfs -o size=16k,mode=700 tmpfs \"$D\" || exit 99; mkdir -m 700 \"$D/cache\"; {prepare}; \
             \"$0\" token -i demo -r \"$ROLE\" --token-only && \"$0\" token -i other -r \"$ROLE\" --token-only"
        );
        let mut command = plugin.command_of("unshare");
        command.args(["-Urm", "/bin/sh", "-c", &script]).arg(plugin.binary());
        let got = output(command);
        assert_eq!((got.code, got.stderr.as_str()), (0, ""), "{what}");
        assert_eq!(got.stdout.lines().filter(|line| line.starts_with("k8s-aws-v1.")).count(), 2, "{what}");
    }
}

#[test]
fn a_low_limit_on_open_files_never_causes_a_panic() {
    for limit in 4..48 {
        let account = Account::new();
        let plugin = account.alices_plugin();
        let output = after(&plugin, &format!("ulimit -n {limit}"), &account.dev);
        // If the program cannot even be started, the error comes from the system.
        assert!(!output.stderr.contains("panic"), "{limit}: {}", output.stderr);
        assert!(limit < 32 || output.code == 0, "{limit}: {}", output.stderr);
        if output.code == 0 {
            output.good_token();
        } else {
            assert_eq!(output.stdout, "", "{limit}");
        }
        plugin.role_token(&account.dev, &[]).good_token();
    }
}

#[test]
fn a_stuck_lock_holder_is_waited_for_with_a_timeout() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    make_private_directory(plugin.cache_directory());
    let held: Vec<File> = (0..64)
        .map(|number| {
            let path = plugin.cache_directory().join(format!("lock-{number:02}"));
            let file = File::create(&path).unwrap();
            set_mode(&path, 0o600);
            file.lock().unwrap();
            file
        })
        .collect();
    plugin.role_token(&account.dev, &[]).good_token();
    assert_eq!(account.counts().0, 1);
    drop(held);
    plugin.role_token(&account.dev, &["--refresh"]).good_token();
}

/// A process is stopped while it calls STS: the others wait until its deadline, then call STS themselves.
#[test]
fn a_stopped_lock_holder_does_not_block_others_forever() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    account.sts.set_delay(Duration::from_secs(3));
    let mut holder = plugin.start_token(&["-r", &account.dev]);
    holder.runs_until(|| !account.sts.calls().is_empty());
    rustix::process::kill_process(holder.pid(), rustix::process::Signal::STOP).unwrap();
    account.sts.set_delay(Duration::ZERO);
    let started = std::time::Instant::now();
    let output = plugin.role_token(&account.dev, &[]);
    let waited = started.elapsed();
    assert!(runs(holder.pid()), "it was there all the time");
    drop(holder);
    output.good_token();
    // A call may take 15 s; without a prompt or a credential_process, the wait must stay far below a minute.
    assert!(waited < Duration::from_secs(45), "{waited:?}");
    plugin.role_token(&account.dev, &["--refresh"]).good_token();
}

#[test]
fn invalid_lock_files_only_disable_single_flight() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    make_private_directory(plugin.cache_directory());
    let victim = plugin.home().join("victim");
    std::fs::write(&victim, "untouched").unwrap();
    for number in 0..64 {
        let path = plugin.cache_directory().join(format!("lock-{number:02}"));
        match number % 3 {
            0 => std::fs::create_dir(path).unwrap(),
            1 => std::os::unix::fs::symlink(&victim, path).unwrap(),
            _ => make_fifo(path),
        }
    }
    for cluster in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        plugin.run(&["token", "--cluster", cluster]).good_token();
    }
    plugin.role_token(&account.dev, &[]).good_token();
    assert_eq!(std::fs::read_to_string(victim).unwrap(), "untouched");
}

/// Processes are killed after doing none, some or almost all of their work: the next one gets a valid token, and
/// leftover files are removed.
#[test]
fn killed_processes_do_not_affect_others() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    for step in 0..150 {
        let mut command = plugin.command(&["token", "-i", "demo", "-r", &account.dev, "--refresh"]);
        command.stdout(Stdio::null());
        let mut child = WatchedChild::start(command);
        std::thread::sleep(Duration::from_micros(300 * step));
        child.kill();
        child.output();
    }
    plugin.role_token(&account.dev, &[]).good_token();
    let before = account.counts().0;
    plugin.role_token(&account.dev, &[]).good_token();
    assert_eq!(account.counts().0, before);
    // At least one leftover file, in case no kill came at the right moment.
    let key = "0".repeat(64);
    std::fs::write(plugin.cache_directory().join(format!(".session-{key}.0123456789abcdef")), "half").unwrap();
    make_old(&plugin, ".", Duration::from_secs(3600));
    let _ = std::fs::remove_file(plugin.cache_directory().join("swept"));
    plugin.role_token(&account.dev, &["--refresh"]).good_token();
    assert!(plugin.entries_of(".").is_empty());
}

fn make_old(plugin: &Plugin, start: &str, age: Duration) {
    for path in plugin.entries_of(start) {
        let file = File::options().write(true).open(path).unwrap();
        file.set_times(FileTimes::new().set_modified(SystemTime::now() - age)).unwrap();
    }
}

#[test]
fn ten_thousand_old_entries_are_swept_and_foreign_files_are_not() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    make_private_directory(plugin.cache_directory());
    let old = FileTimes::new().set_modified(SystemTime::now() - Duration::from_secs(14 * 3600));
    for number in 0..10_000 {
        let kind = ["token", "session", "caller", "failure"][number % 4];
        let file = File::create(plugin.cache_directory().join(format!("{kind}-{number:064x}"))).unwrap();
        file.set_times(old).unwrap();
    }
    let own = plugin.cache_directory().join("session-notes.txt");
    File::create(&own).unwrap().set_times(old).unwrap();
    for _ in 0..8 {
        plugin.role_token(&account.dev, &["--refresh"]).good_token();
    }
    let all = plugin
        .cache_directory()
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut kept: Vec<String> = all.map(|name| name.split('-').next().unwrap().to_owned()).collect();
    kept.sort();
    assert_eq!(kept, ["caller", "session", "session", "swept", "token"], "one of the two is session-notes.txt");
    assert!(own.exists());
}

/// A backup or a well-meant `chmod -R` must not disable single flight permanently.
#[test]
fn permissions_of_state_files_are_restored() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    plugin.role_token(&account.dev, &[]).good_token();
    let opened = || {
        let all = plugin.cache_directory().read_dir().unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| mode_of(path) & 0o077 != 0).count()
    };
    for entry in plugin.cache_directory().read_dir().unwrap() {
        set_mode(entry.unwrap().path(), 0o644);
    }
    assert!(opened() > 3);
    account.sts.set_delay(Duration::from_millis(300));
    for output in at_once(10, |_| plugin.role_token(&account.dev, &[])) {
        output.good_token();
    }
    assert_eq!(account.counts().0, 2, "the entries were not used, and one process asked for all");
    std::fs::remove_file(plugin.cache_directory().join("swept")).unwrap();
    plugin.role_token(&account.dev, &["--refresh"]).good_token();
    assert_eq!(opened(), 0);
}

/// If locks work but nothing can be stored, processes must not wait for a result that cannot be shared.
#[test]
fn processes_that_cannot_store_do_not_queue() {
    let account = Account::new();
    account.sts.set_delay(Duration::from_millis(500));
    let plugin = account.alices_plugin();
    make_private_directory(plugin.cache_directory());
    for output in at_once(12, |_| after(&plugin, "ulimit -f 0", &account.dev)) {
        output.good_token();
    }
    for action in ["GetCallerIdentity", "AssumeRole"] {
        assert!(account.sts.most_at_once(action) > 1, "one after the other they would ask");
    }
}

#[test]
fn cache_list_shows_entries_without_secrets_and_clear_removes_them() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    assert_eq!(plugin.run(&["cache", "path"]).stdout, format!("{}\n", plugin.cache_directory().display()));
    assert_eq!(plugin.run(&["cache", "list"]).stdout, "The cache is empty.\n");
    plugin.clone().env("HOME", "").run(&["cache", "path"]).failed_with(1);
    let token = plugin.role_token(&account.dev, &[]).good_token();
    let list = plugin.run(&["cache", "list"]).stdout;
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[0].starts_with("KIND") && lines.len() == 4, "{list}");
    let of_token = lines.iter().find(|line| line.starts_with("token")).unwrap();
    for part in ["demo", &account.dev, "eu-west-1", &account.alice.access_key_id] {
        assert!(of_token.contains(part), "{list}");
    }
    assert!(!list.contains(&token) && !list.contains("ASIA") && !list.contains("secret"), "{list}");
    assert_eq!(plugin.run(&["cache", "clear", "--expired"]).code, 0);
    assert_eq!(plugin.entries().len(), 3, "none of them has expired");
    plugin.age_entries("", 14 * 3600);
    assert_eq!(plugin.run(&["cache", "clear", "--expired"]).code, 0);
    assert_eq!(plugin.entries().len(), 0);
    plugin.role_token(&account.dev, &[]).good_token();
    for _ in 0..2 {
        let output = plugin.run(&["cache", "clear"]);
        assert_eq!(output.code, 0, "repeatedly");
        assert!(output.stdout.ends_with("this revokes nothing at AWS.\n"), "{}", output.stdout);
    }
    assert_eq!(plugin.entries().len(), 0);
}

#[test]
fn clearing_does_not_affect_running_processes() {
    let account = Account::new();
    let plugin = account.alices_plugin();
    for output in at_once(20, |number| match number % 4 {
        0 => plugin.run(&["cache", "clear"]),
        _ => plugin.role_token(&account.dev, &[]),
    }) {
        assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    }
}
