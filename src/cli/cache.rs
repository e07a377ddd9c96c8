//! Arguments of `cache`.

use clap::Subcommand;

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum CacheCommand {
    /// Print the cache directory
    Path,
    /// List entries with kind, cluster, role, region, identity, expiry and size; never secrets
    List,
    /// Remove all entries; does not revoke anything at AWS
    Clear {
        /// Remove only expired or damaged entries
        #[arg(long)]
        expired: bool,
    },
}
