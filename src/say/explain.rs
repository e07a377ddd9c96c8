//! What happened, what to do next, and how the program ends. client-go says nothing of its own about a failed plugin, so
//! these lines are all that a kubectl user gets.

/// How the program ends where it did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Other = 1,
    /// The command line, or another input.
    BadInput = 2,
    NoCredentials = 3,
    /// By AWS.
    Refused = 4,
    /// AWS could not be reached, or is failing.
    Unreachable = 5,
    /// A code or a login is needed.
    NeedsPerson = 6,
}

impl Exit {
    const ALL: [Exit; 6] =
        [Exit::Other, Exit::BadInput, Exit::NoCredentials, Exit::Refused, Exit::Unreachable, Exit::NeedsPerson];

    pub fn code(self) -> u8 {
        self as u8
    }

    /// The one with this code.
    pub fn with_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| exit.code() == code)
    }
}

/// An error in words. None of them holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What happened, and why: in AWS's own words where there are some.
    pub what: String,
    /// What to do next, where there is something to do.
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

    /// Something that should not happen.
    pub fn defect(why: &str) -> Self {
        let what = format!("internal error: {}", super::text::shown(why));
        Self::new(Exit::Other, what).hint("this is a defect in eks-group-auth: please report it")
    }

    /// The lines for stderr, each with the program's name before it.
    pub fn report(&self) -> String {
        let mut lines = format!("eks-group-auth: error: {}\n", self.what);
        if let Some(hint) = &self.hint {
            lines += &format!("eks-group-auth: hint: {hint}\n");
        }
        lines
    }
}

/// What every error can do: one arm each, with all that a person has to know of it.
pub trait Explain {
    fn explain(&self) -> Explanation;
}
