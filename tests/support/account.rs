//! The account that most tests are about.

use super::plugin::Plugin;
use super::sts::{Keys, Role, Sts};

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
        let dev = sts.add_role("dev", Role::of_group("developers"));
        let alice = sts.add_user("alice", &["developers"]);
        let bob = sts.add_user("bob", &[]);
        Account { sts, dev, alice, bob }
    }

    /// With sessions of this life, whatever is asked for.
    pub fn short_lived(life: std::time::Duration) -> Self {
        let account = Self::new();
        account.sts.add_role("dev", Role { life: Some(life), ..Role::of_group("developers") });
        account
    }

    /// A machine whose user is alice, by keys in the environment.
    pub fn alices_plugin(&self) -> Plugin {
        self.plugin().keys(&self.alice)
    }

    /// A machine with no credentials.
    pub fn plugin(&self) -> Plugin {
        Plugin::new(binary(), &self.sts)
    }

    /// AssumeRole and GetCallerIdentity calls so far.
    pub fn counts(&self) -> (usize, usize) {
        (self.sts.count("AssumeRole"), self.sts.count("GetCallerIdentity"))
    }
}

/// The program that is tested.
pub fn binary() -> &'static str {
    let Some(binary) = option_env!("CARGO_BIN_EXE_eks-group-auth") else { panic!("only tests know the binary") };
    binary
}
