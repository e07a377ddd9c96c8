//! All that is read before anything is decided, so that what comes after it is a function of this value. Out of it are
//! only the cache, and the token files, which depend on where the credentials come from.

use std::ffi::OsString;

use crate::aws::files::SourceFiles;
use crate::commands::error::Error;
use crate::kube::exec::ExecInfo;
use crate::sys::clock::Clock;
use crate::sys::env::Env;
use crate::sys::process::Process;
use crate::sys::{machine, user, vars};

pub struct World {
    pub env: Env,
    pub clock: Clock,
    pub exec_info: ExecInfo,
    /// Not judged yet: what is wrong with the arguments comes first.
    pub files: SourceFiles,
    pub user_id: u32,
    pub host_name: OsString,
    /// The process that asks, where it is client-go's.
    pub client: Option<Process>,
}

impl World {
    /// # Errors
    ///
    /// What is wrong with `KUBERNETES_EXEC_INFO`.
    pub fn read(env: Env, clock: Clock) -> Result<Self, Error> {
        let exec_info = ExecInfo::parse(env.get_os(vars::KUBERNETES_EXEC_INFO))?;
        let client = if exec_info.from_client_go { Process::parent() } else { None };
        let (files, user_id, host_name) = (SourceFiles::read(&env), user::id(), machine::host_name());
        Ok(World { env, clock, exec_info, files, user_id, host_name, client })
    }
}
