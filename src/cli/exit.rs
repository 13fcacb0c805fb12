//! Exit codes, as scripts rely on them.

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// As asked: 0.
    Ok,
    /// It failed: 1.
    Failure,
    /// It was called in a way that cannot be: 2. (Most of these are found by the argument parser itself.)
    Usage,
    /// The configuration is invalid: 3.
    Invalid,
    /// Refused by the running instance: 4.
    Refused,
    /// The instance cannot be reached: 5.
    Unreachable,
    /// Halted on an internal fault: 70.
    Halted,
}

impl Exit {
    /// The process exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Invalid => 3,
            Self::Refused => 4,
            Self::Unreachable => 5,
            Self::Halted => 70,
        }
    }
}
