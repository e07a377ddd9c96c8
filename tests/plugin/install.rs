//! Tests install.sh with fake cargo and rustc, so that nothing is built: its checks, its messages and the installed
//! files. CI runs it with the real tools.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::files::{mode_of, set_mode};
use crate::support::plugin::{Output, output};

/// A machine with its own PATH.
struct Machine {
    directory: TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Machine { directory: tempfile::tempdir().unwrap() };
        std::fs::create_dir_all(machine.path("bin")).unwrap();
        for tool in ["sh", "sed", "ls", "cp", "mv", "rm", "chmod", "mkdir", "dirname", "cat", "tr", "pwd"] {
            let real =
                ["/bin", "/usr/bin"].map(|place| Path::new(place).join(tool)).into_iter().find(|path| path.exists());
            std::os::unix::fs::symlink(real.unwrap(), machine.path("bin").join(tool)).unwrap();
        }
        std::fs::create_dir(machine.path("checkout")).unwrap();
        std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh"), machine.path("checkout/install.sh")).unwrap();
        machine
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    fn with(self, tool: &str, script: &str) -> Self {
        let path = self.path("bin").join(tool);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        set_mode(path, 0o755);
        self
    }

    fn with_toolchain(self) -> Self {
        let musl = self.path("musl");
        let rustc = format!(
            "case $1 in -vV) echo 'host: x86_64-unknown-linux-gnu' ;; --print) echo {} ;; esac",
            musl.display()
        );
        // Writes a program that prints its version to the path that cargo would use.
        let cargo = r#"
            while [ $# -gt 0 ]; do case $1 in --target) target=$2 ;; esac; shift; done
            mkdir -p target/$target/release
            echo "$CC_x86_64_unknown_linux_musl" > cc
            printf '#!/bin/sh\necho eks-group-auth 9.9.9\n' > target/$target/release/eks-group-auth
            chmod 755 target/$target/release/eks-group-auth"#;
        self.with("rustc", &rustc).with("cargo", cargo).with("cc", "")
    }

    fn with_musl_std(self) -> Self {
        std::fs::create_dir(self.path("musl")).unwrap();
        std::fs::write(self.path("musl/libstd-0.rlib"), "").unwrap();
        self
    }

    fn install(&self, args: &[&str]) -> Output {
        let mut command = Command::new("/bin/sh");
        command.arg(self.path("checkout/install.sh")).args(args).env_clear();
        command.env("PATH", self.path("bin")).env("HOME", self.path("home")).current_dir(self.directory.path());
        output(command)
    }
}

#[test]
fn it_installs_the_binary_and_prints_the_exec_block() {
    let machine = Machine::new().with_toolchain();
    let got = machine.install(&[]);
    assert_eq!((got.code, got.stderr.as_str()), (0, ""));
    let installed = machine.path("home/.local/bin/eks-group-auth");
    assert_eq!(mode_of(&installed), 0o755);
    assert!(got.stdout.contains("rustup target add x86_64-unknown-linux-musl"), "{}", got.stdout);
    assert!(got.stdout.contains("Installed eks-group-auth 9.9.9, dynamically linked"), "{}", got.stdout);
    assert!(got.stdout.contains(&format!("command: {}\n", installed.display())), "not in PATH: {}", got.stdout);
    assert!(got.stdout.contains("apiVersion: client.authentication.k8s.io/v1\n"), "{}", got.stdout);
    assert_eq!(installed.parent().unwrap().read_dir().unwrap().count(), 1, "nothing beside it");
    let again = machine.install(&[]);
    assert_eq!(again.code, 0);
}

#[test]
fn the_static_binary_is_built_if_musl_is_available() {
    let machine = Machine::new().with_toolchain().with_musl_std();
    let got = machine.install(&[]);
    assert!(got.stdout.contains("apt-get install musl-tools"), "{}", got.stdout);
    let machine = machine.with("musl-gcc", "");
    let got = machine.install(&[]);
    assert!(got.stdout.contains("eks-group-auth 9.9.9, static (musl, PIE)"), "{}", got.stdout);
    assert_eq!(std::fs::read_to_string(machine.path("checkout/cc")).unwrap(), "musl-gcc\n");
}

#[test]
fn the_prefix_can_be_set_and_a_directory_in_path_gives_a_bare_command() {
    let machine = Machine::new().with_toolchain();
    let prefix = machine.directory.path().to_str().unwrap().to_owned();
    let got = machine.install(&["--prefix", &prefix]);
    assert!(got.stdout.contains("command: eks-group-auth\n"), "{}", got.stdout);
    assert!(machine.path("bin/eks-group-auth").exists());
    let got = machine.install(&["--prefix=relative/place"]);
    assert_eq!(got.code, 0);
    assert!(machine.path("relative/place/bin/eks-group-auth").exists(), "relative to the working directory");
}

#[test]
fn uninstall_is_idempotent() {
    let machine = Machine::new().with_toolchain();
    machine.install(&[]);
    let got = machine.install(&["--uninstall"]);
    assert_eq!(got.code, 0);
    assert!(got.stdout.starts_with("Removed /"), "{}", got.stdout);
    assert!(!machine.path("home/.local/bin/eks-group-auth").exists());
    let installed = machine.path("home/.local/bin/eks-group-auth");
    let expected = format!("{} does not exist; nothing was removed.\n", installed.display());
    assert_eq!(machine.install(&["--uninstall"]).stdout, expected);
}

#[test]
fn missing_requirements_are_reported() {
    let machine = Machine::new();
    let got = machine.install(&[]);
    assert_eq!(
        (got.code, got.stderr.as_str()),
        (
            1,
            "install.sh: error: cargo is not installed\ninstall.sh: hint: install Rust, version 1.94.1 or later: https://rustup.rs\n"
        )
    );
    let machine = machine.with("cargo", "exit 1");
    let got = machine.install(&[]);
    assert!(got.stderr.starts_with("install.sh: error: no C compiler (cc) found"), "{}", got.stderr);
    let machine = machine.with("cc", "").with("rustc", "echo host: x86_64-apple-darwin");
    let got = machine.install(&[]);
    assert_eq!((got.code, got.stderr.as_str()), (1, "install.sh: error: the build failed; see cargo's output above\n"));
    assert_eq!(
        machine.install(&["--frobnicate"]).stderr,
        "install.sh: error: unknown argument: --frobnicate\ninstall.sh: hint: run ./install.sh --help\n"
    );
    assert_eq!(machine.install(&["--prefix"]).code, 1);
    let got = machine.install(&["--prefix", "/dev/null"]);
    assert!(got.stderr.starts_with("install.sh: error: cannot create /dev/null/bin"), "{}", got.stderr);
}

#[test]
fn a_failed_build_leaves_the_installed_binary_alone() {
    let machine = Machine::new().with_toolchain();
    machine.install(&[]);
    let machine = machine.with("cargo", "exit 101");
    assert_eq!(machine.install(&[]).code, 1);
    assert!(machine.path("home/.local/bin/eks-group-auth").exists());
}
