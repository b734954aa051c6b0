//! What is kept of a user: a few bytes, and what they mean.

use grantwarden_kit::model::{Observed, PrincipalStatus, Timestamp};

use super::people::FACET;
use crate::{
    api::User,
    told::{Told, odd, unknown_value, untold},
};

/// What is known of a user.
#[derive(Debug, Clone)]
pub(super) struct Person {
    login: Told<Box<str>>,
    status: Told<Box<str>>,
    /// Seconds.
    last_login: Told<i64>,
}

impl Person {
    pub(super) fn of(user: &User) -> Self {
        Self {
            login: boxed(user.profile.field(|profile| &profile.login)),
            status: boxed(&user.status),
            last_login: match &user.last_login {
                Told::Given(at) => Told::Given(at.as_second()),
                Told::Null => Told::Null,
                Told::Missing => Told::Missing,
                Told::Odd => Told::Odd,
            },
        }
    }

    /// The sign-in name.
    pub(super) fn name(&self) -> Observed<String> {
        self.login.observed(FACET, "the login", ToString::to_string)
    }

    /// Whether the user can sign in: <https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/>. Who is locked out,
    /// or has to choose a password, is still a user; who is staged is none yet.
    pub(super) fn status(&self) -> Observed<PrincipalStatus> {
        const WHAT: &str = "the user's status";
        match &self.status {
            Told::Given(status) => match status.as_ref() {
                "ACTIVE" | "PASSWORD_EXPIRED" | "RECOVERY" | "LOCKED_OUT" | "PROVISIONED" => {
                    Observed::Known(PrincipalStatus::Active)
                }
                "SUSPENDED" => Observed::Known(PrincipalStatus::Suspended),
                "DEPROVISIONED" | "STAGED" => Observed::Known(PrincipalStatus::Inactive),
                other => unknown_value(FACET, WHAT, other),
            },
            Told::Odd => Observed::Unknown(odd(FACET, WHAT)),
            Told::Missing | Told::Null => Observed::Unknown(untold(FACET, WHAT)),
        }
    }

    /// When the user last signed in. Null is never.
    pub(super) fn last_login(&self) -> Observed<Timestamp> {
        const WHAT: &str = "the last sign-in";
        match self.last_login.or_absent(FACET, WHAT, |at| Timestamp::from_second(*at)) {
            Observed::Known(Some(at)) => Observed::Known(at),
            Observed::Known(None) => Observed::Unknown(odd(FACET, WHAT)),
            Observed::Absent => Observed::Absent,
            Observed::Unknown(gap) => Observed::Unknown(gap),
        }
    }
}

fn boxed(text: &Told<String>) -> Told<Box<str>> {
    match text {
        Told::Given(text) => Told::Given(text.as_str().into()),
        Told::Null => Told::Null,
        Told::Missing => Told::Missing,
        Told::Odd => Told::Odd,
    }
}
