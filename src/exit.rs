//! The exit-code contract. Scripts depend on it: a code never changes its meaning.

use std::process::ExitCode;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: nothing at or above the threshold, and everything promised was read.
    Clean,
    /// 1: findings at or above the threshold. Wins over [`Exit::Incomplete`]; the report says both.
    Findings,
    /// 2: wrong usage or configuration.
    Usage,
    /// 3: a tenant, or a promised part of one, could not be read.
    Incomplete,
    /// 4: an error of the tool or its machine.
    Internal,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
            Self::Internal => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
