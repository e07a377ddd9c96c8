//! The account used by most tests.

use super::cluster::Cluster;
use super::plugin::Plugin;
use super::sts::{Keys, Role, Sts};

/// Its role.
pub const DEV: &str = "arn:aws:iam::111122223333:role/dev";
/// The device that alice has, where a role asks for a code.
pub const MFA_SERIAL: &str = "arn:aws:iam::111122223333:mfa/alice";

/// An account in which the group `developers` may assume the role `dev`; alice is a member, bob is not.
pub struct Account {
    pub sts: Sts,
    pub dev: String,
    pub alice: Keys,
    pub bob: Keys,
}

impl Account {
    pub fn new() -> Self {
        Self::on(Sts::start())
    }

    pub fn on(sts: Sts) -> Self {
        let dev = sts.add_role("dev", Role::for_group("developers"));
        let alice = sts.add_user("alice", &["developers"]);
        let bob = sts.add_user("bob", &[]);
        Account { sts, dev, alice, bob }
    }

    /// With sessions of this duration, regardless of the requested one.
    pub fn short_lived(life: std::time::Duration) -> Self {
        let account = Self::new();
        account.sts.add_role("dev", Role { life: Some(life), ..Role::for_group("developers") });
        account
    }

    /// A machine with alice's keys in the environment.
    pub fn alices_plugin(&self) -> Plugin {
        self.plugin().keys(&self.alice)
    }

    /// A machine with no credentials.
    pub fn plugin(&self) -> Plugin {
        Plugin::new(binary(), &self.sts)
    }

    /// A machine with alice's keys in `~/keys.json`, and this `credential_process` in its default profile; `HOME` in it is
    /// the home.
    pub fn plugin_with_process(&self, command: &str) -> Plugin {
        let plugin = self.plugin().write("keys.json", &self.alice.document().to_string()).env("PATH", "/usr/bin:/bin");
        let command = command.replace("HOME", &plugin.home().display().to_string());
        plugin.config(&format!("[default]\ncredential_process = {command}\n"))
    }

    /// The profile `dev`, whose role the profile `keys` assumes, which is alice; with more properties.
    pub fn profile_with_role(&self, more: &str) -> String {
        let (dev, keys) = (&self.dev, self.alice.properties());
        format!("[profile dev]\nrole_arn = {dev}\nsource_profile = keys\n{more}[profile keys]\n{keys}")
    }

    /// The cluster `demo`, which knows those who come by the role `dev` under this name.
    pub fn cluster(&self, username: &str) -> Cluster {
        let cluster = Cluster::start("demo", "eu-west-1", &self.sts);
        cluster.map_role(&self.dev, username);
        cluster
    }

    /// Another member of the group.
    pub fn add_carol(&self) -> Keys {
        self.sts.add_user("carol", &["developers"])
    }

    /// A role that may be assumed only from `dev`.
    pub fn add_role_after_dev(&self, path_and_name: &str) -> String {
        self.add_role_after(&self.dev, path_and_name)
    }

    /// A role that may be assumed only from this other one.
    pub fn add_role_after(&self, role: &str, path_and_name: &str) -> String {
        self.sts.add_role(path_and_name, Role { roles: vec![role.to_owned()], ..Role::for_group("nobody") })
    }

    /// The names that role sessions were asked for under.
    pub fn session_names(&self) -> Vec<String> {
        let calls = self.sts.calls();
        calls.iter().filter_map(|call| call.parameter("RoleSessionName").map(str::to_owned)).collect()
    }

    /// AssumeRole and GetCallerIdentity calls so far.
    pub fn counts(&self) -> (usize, usize) {
        (self.sts.count("AssumeRole"), self.sts.count("GetCallerIdentity"))
    }
}

/// The binary under test.
pub fn binary() -> &'static str {
    let Some(binary) = option_env!("CARGO_BIN_EXE_eks-group-auth") else {
        panic!("the binary is only available in tests")
    };
    binary
}
