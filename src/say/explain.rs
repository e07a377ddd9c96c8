//! What happened, what to do next, and the exit code. client-go adds only the exit code of a failed plugin, so these
//! lines are all that tells a kubectl user what went wrong.

/// The exit code of a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Other = 1,
    /// The command line or other input is invalid.
    BadInput = 2,
    NoCredentials = 3,
    /// AWS refused the request.
    Refused = 4,
    /// AWS could not be reached, or failed temporarily.
    Unreachable = 5,
    /// A code or a login is needed.
    UserActionNeeded = 6,
}

impl Exit {
    const ALL: [Exit; 6] =
        [Exit::Other, Exit::BadInput, Exit::NoCredentials, Exit::Refused, Exit::Unreachable, Exit::UserActionNeeded];

    pub fn code(self) -> u8 {
        self as u8
    }

    /// The variant with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| exit.code() == code)
    }
}

/// An error message with its hint and exit code. Contains no secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What happened and why, in AWS's own words if it gave any.
    pub what: String,
    /// What to do next, if there is something to do.
    pub hint: Option<String>,
    pub exit: Exit,
}

impl Explanation {
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Explanation { what: what.into(), hint: None, exit }
    }

    pub fn hint(self, hint: impl Into<String>) -> Self {
        Explanation { hint: Some(hint.into()), ..self }
    }

    /// For a bug: something that should not happen.
    pub fn bug(why: &str) -> Self {
        let what = format!("internal error: {}", super::text::shown(why));
        Self::new(Exit::Other, what).hint("this is a bug in eks-group-auth: please report it")
    }

    /// The lines for stderr, each prefixed with the program's name.
    pub fn report(&self) -> String {
        let mut lines = format!("eks-group-auth: error: {}\n", self.what);
        if let Some(hint) = &self.hint {
            lines += &format!("eks-group-auth: hint: {hint}\n");
        }
        lines
    }
}

/// Implemented by every error: one match arm per error, with everything the user needs to know.
pub trait Explain {
    fn explain(&self) -> Explanation;
}
