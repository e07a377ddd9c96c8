//! Linux and macOS. What only Linux has is looked for at run time where that is possible.

pub mod child;
pub mod directory;
pub mod file;
pub mod limits;
pub mod machine;
pub mod process;
pub mod terminal;
pub mod user;
