//! Linux and macOS. Linux-only features are detected at run time if possible.

pub mod child;
pub mod directory;
pub mod file;
pub mod limits;
pub mod machine;
pub mod process;
pub mod terminal;
pub mod user;
