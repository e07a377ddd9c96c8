//! A string that is never printed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A secret key, session token or bearer token. `Debug` redacts it, there is no `Display`, and [`Secret::expose`] is
/// the only way to read it, so a search for `expose` finds every use.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Secret(value.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("** redacted **")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_redacts_secrets() {
        assert_eq!(
            format!("{:?} {:#?}", Secret::new("MARKER"), Some(Secret::new("MARKER"))).matches("MARKER").count(),
            0
        );
    }
}
