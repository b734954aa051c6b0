//! [`Weight`]: how grave it is to hold a scope, and why. One rule gives both, so that the sentence cannot say something else than the
//! severity.
//!
//! 1. The greater of the two harms sets the level: 0 `info`, 1 `low`, 2 `medium`, 3 and 4 `high`.
//! 2. Limited access is one level lower; sign-in, and anything that ends at the user's own profile, is at most `low`.
//! 3. Beyond one user, changing sensitive data (harm 3 or more) and any harm of 4 are `critical`.
//! 4. A way to more rights is at least `medium`, a direct one at least `high`, and beyond one user `critical`.
//! 5. What was judged by its name alone is at least `medium`.

use std::fmt;

use super::{Access, Escalation, Reach};
use crate::finding::Severity;

/// The harm from which on data counts as sensitive: CRM, mail, files, chat, code and worse.
pub(super) const SENSITIVE: u8 = 3;

/// The reasons for a severity, one of each kind at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight([Option<Reason>; 3]);

/// What makes a scope as grave as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The harm that its data can do, wherever it is.
    Harm {
        /// Of what.
        of: HarmOf,
        /// From 0 to 4.
        harm: u8,
        /// Whether the scope opens only a part.
        in_part: bool,
    },
    /// It would be graver, but only signs a user in.
    OnlySignIn,
    /// It would be graver, but ends at the user's own profile.
    OnlyProfile,
    /// It changes sensitive data beyond one user's.
    ChangesFar,
    /// It reaches, beyond one user's, what does the greatest harm.
    GreatestFar,
    /// A way to more rights.
    Escalation {
        /// Whether without a detour.
        direct: bool,
        /// Whether beyond one user's.
        far: bool,
    },
    /// It would be milder, but is a guess.
    Guess,
}

/// What does the harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HarmOf {
    /// What is read, if it gets out.
    Reading,
    /// What is changed, if a thief changes it.
    Changing,
    /// Either.
    Both,
}

impl Weight {
    /// By the rules of this module.
    pub fn of(
        access: Access,
        reach: Reach,
        harm_if_read: u8,
        harm_if_changed: u8,
        escalation: Escalation,
    ) -> Self {
        let of = match harm_if_read.cmp(&harm_if_changed) {
            std::cmp::Ordering::Less => HarmOf::Changing,
            std::cmp::Ordering::Equal => HarmOf::Both,
            std::cmp::Ordering::Greater => HarmOf::Reading,
        };
        let harm = harm_if_read.max(harm_if_changed);
        let by_harm = Reason::Harm { of, harm, in_part: access == Access::Limited };
        let ends = match (access, reach) {
            (Access::SignIn, _) => Some(Reason::OnlySignIn),
            (_, Reach::Own) => Some(Reason::OnlyProfile),
            _ => None,
        };
        if let Some(ends) = ends {
            let milder = if by_harm.severity() > ends.severity() { ends } else { by_harm };
            return Self([Some(milder), None, None]);
        }
        let far = reach >= Reach::Organisation;
        let by_reach = match access {
            Access::Write | Access::Administer | Access::ActAs
                if far && harm_if_changed >= SENSITIVE =>
            {
                Some(Reason::ChangesFar)
            }
            Access::SignIn | Access::Limited => None,
            _ if far && harm >= 4 => Some(Reason::GreatestFar),
            _ => None,
        };
        let by_rights = match escalation {
            Escalation::None => None,
            Escalation::Indirect => Some(Reason::Escalation { direct: false, far }),
            Escalation::Direct => Some(Reason::Escalation { direct: true, far }),
        };
        Self([Some(by_harm), by_reach, by_rights])
    }

    /// The same, of what was judged by its name alone.
    #[must_use]
    pub fn guessed(self, is_guess: bool) -> Self {
        if is_guess && self.severity() < Reason::Guess.severity() {
            Self([Some(Reason::Guess), None, None])
        } else {
            self
        }
    }

    /// The gravest of the reasons.
    pub fn severity(self) -> Severity {
        self.0.into_iter().flatten().map(Reason::severity).max().unwrap_or(Severity::Info)
    }

    /// The reasons for the severity: those that suffice for it.
    pub fn reasons(self) -> impl Iterator<Item = Reason> {
        let severity = self.severity();
        self.0.into_iter().flatten().filter(move |reason| reason.severity() == severity)
    }
}

impl fmt::Display for Weight {
    /// One sentence without a full stop: `it changes sensitive data beyond one user's`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, reason) in self.reasons().enumerate() {
            if nth > 0 {
                f.write_str(", and ")?;
            }
            write!(f, "{reason}")?;
        }
        Ok(())
    }
}

impl Reason {
    /// What it makes of a scope.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Harm { harm: 0, .. } => Severity::Info,
            Self::Harm { harm: 1, .. } | Self::Harm { harm: 2, in_part: true, .. } => Severity::Low,
            Self::Harm { harm: 2, .. } | Self::Harm { in_part: true, .. } => Severity::Medium,
            Self::Harm { .. } => Severity::High,
            Self::OnlySignIn | Self::OnlyProfile => Severity::Low,
            Self::ChangesFar | Self::GreatestFar => Severity::Critical,
            Self::Escalation { direct: false, .. } | Self::Guess => Severity::Medium,
            Self::Escalation { direct: true, far: false } => Severity::High,
            Self::Escalation { direct: true, far: true } => Severity::Critical,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Harm { harm: 0, .. } => f.write_str("it reaches nothing that matters by itself"),
            Self::Harm { of, harm, in_part } => {
                let harm = match harm {
                    1 => "little",
                    2 => "some",
                    3 => "much",
                    _ => "the greatest",
                };
                let part = if in_part { ", but it opens only a part" } else { "" };
                match of {
                    HarmOf::Reading => {
                        write!(f, "what it reads does {harm} harm if it gets out{part}")
                    }
                    HarmOf::Changing => {
                        write!(f, "what it can change does {harm} harm in a thief's hands{part}")
                    }
                    HarmOf::Both => {
                        write!(
                            f,
                            "what it reads and can change does {harm} harm in a thief's hands{part}"
                        )
                    }
                }
            }
            Self::OnlySignIn => f.write_str("it only signs a user in"),
            Self::OnlyProfile => f.write_str("it ends at the user's own profile"),
            Self::ChangesFar => f.write_str("it changes sensitive data beyond one user's"),
            Self::GreatestFar => {
                f.write_str("it reaches, beyond one user's, what does the greatest harm")
            }
            Self::Escalation { direct, far } => {
                let way = if direct {
                    "its holder can give itself or others more rights"
                } else {
                    "its holder can get more rights by a detour"
                };
                let far = if direct && far { " beyond one user's" } else { "" };
                write!(f, "{way}{far}")
            }
            Self::Guess => f.write_str(
                "it was judged by the words in its name, and such a guess is never below medium",
            ),
        }
    }
}
