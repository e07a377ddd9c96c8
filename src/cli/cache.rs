//! What may be typed after `cache`.

use clap::Subcommand;

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum CacheCommand {
    /// Print the directory that entries are kept in
    Path,
    /// List entries: kind, cluster, role, whose credentials, end, size; no secrets
    List,
    /// Remove all entries; this revokes nothing at AWS
    Clear {
        /// Only those that are over or damaged
        #[arg(long)]
        expired: bool,
    },
}
