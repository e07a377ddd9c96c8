//! All input that is read before any decision is made, so that everything after it is a function of this value. Only
//! the cache and the token files are not part of it; which token files are read depends on the credential source.

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
    /// Not validated yet: errors in the arguments are reported first.
    pub files: SourceFiles,
    pub user_id: u32,
    pub host_name: OsString,
    /// The calling process, if it uses client-go.
    pub client: Option<Process>,
}

impl World {
    /// # Errors
    ///
    /// If `KUBERNETES_EXEC_INFO` is invalid.
    pub fn read(env: Env, clock: Clock) -> Result<Self, Error> {
        let exec_info = ExecInfo::parse(env.get_os(vars::KUBERNETES_EXEC_INFO))?;
        let client = if exec_info.from_client_go { Process::parent() } else { None };
        let (files, user_id, host_name) = (SourceFiles::read(&env), user::id(), machine::host_name());
        Ok(World { env, clock, exec_info, files, user_id, host_name, client })
    }
}
