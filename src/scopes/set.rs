//! [`SetAssessment`]: what scopes allow together, which is what a grant is judged by.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Access, Assessment, DataClass, Escalation, Kind, Reach, Rights, Weight, power, weight,
};
use crate::finding::Severity;

/// What a set of scopes allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SetAssessment<'c> {
    /// The scopes of the set, in its order.
    pub scopes: Vec<Assessment<'c>>,
    /// Scopes that they include without naming them, in alphabetical order.
    pub implied: Vec<&'c str>,
    /// What they allow only together.
    pub combined: Vec<Assessment<'c>>,
    /// The scopes that they include.
    #[serde(skip)]
    included: Vec<Assessment<'c>>,
    /// The strongest access.
    pub access: Access,
    /// The farthest reach of a scope that touches data.
    pub reach: Reach,
    /// The greatest harm if what it reads gets out, 0 to 4.
    pub harm_if_read: u8,
    /// The greatest harm if what it can change is changed, 0 to 4.
    pub harm_if_changed: u8,
    /// The shortest way to more rights.
    pub escalation: Escalation,
    /// Whether it reaches sensitive data in bulk.
    pub broad: bool,
    /// Whether it keeps access alive without the user.
    pub offline: bool,
    /// Whether a scope was judged by its name.
    pub derived: bool,
    /// The gravest of them.
    pub severity: Severity,
}

impl<'c> SetAssessment<'c> {
    pub(super) fn new(
        scopes: Vec<Assessment<'c>>,
        (implied, included): (Vec<&'c str>, Vec<Assessment<'c>>),
        combined: Vec<Assessment<'c>>,
        kind: Kind,
    ) -> Self {
        let all = || scopes.iter().chain(&included).chain(&combined);
        let on_data = || all().filter(|scope| scope.data != DataClass::None);
        Self {
            access: on_data().map(|scope| scope.access).max().unwrap_or(Access::SignIn),
            reach: on_data().map(|scope| scope.reach).max().unwrap_or(Reach::Own),
            harm_if_read: all().map(|scope| scope.harm_if_read).max().unwrap_or(0),
            harm_if_changed: all().map(|scope| scope.harm_if_changed).max().unwrap_or(0),
            escalation: all().map(|scope| scope.escalation).max().unwrap_or(Escalation::None),
            broad: all().any(Assessment::is_broad),
            offline: kind == Kind::AppOnly || all().any(|scope| scope.offline),
            derived: scopes.iter().any(|scope| scope.derived),
            severity: all().map(|scope| scope.severity).max().unwrap_or(Severity::Info),
            scopes,
            implied,
            combined,
            included,
        }
    }

    /// Everything that the set allows: its scopes, those that they include, and what only the whole set allows.
    fn all(&self) -> impl Iterator<Item = &Assessment<'c>> {
        self.scopes.iter().chain(&self.included).chain(&self.combined)
    }

    /// Whether one of the scopes is all that its user can do.
    pub fn is_umbrella(&self) -> bool {
        self.all().any(Assessment::is_umbrella)
    }

    /// Whether it reaches sensitive data beyond one user's.
    pub fn reaches_beyond_one_user(&self) -> bool {
        self.all().any(|scope| scope.is_broad() && scope.reach >= Reach::Organisation)
    }

    /// Whether the set changes sensitive data.
    pub fn changes_much(&self) -> bool {
        self.access >= Access::Write && self.harm_if_changed >= weight::SENSITIVE
    }

    /// What says most about the set: the gravest scope or combination, then the most harmful, then the first.
    pub fn weightiest(&self) -> Option<&Assessment<'c>> {
        let weight = |scope: &Assessment<'_>| {
            (scope.severity, scope.harm_if_read + scope.harm_if_changed, scope.access)
        };
        self.scopes.iter().chain(&self.combined).rev().max_by_key(|scope| weight(scope))
    }

    /// How grave the set is in the hands of a principal with such rights, where the platform bounds a token by them.
    ///
    /// Who reads all data makes every scope that reads reach the organisation; who administers also every scope that changes.
    pub fn severity_with(&self, rights: Rights) -> Severity {
        let raised = |scope: &Assessment<'_>| {
            let changes = if rights == Rights::Administers { scope.harm_if_changed } else { 0 };
            let reach = scope.reach.max(Reach::Organisation);
            Weight::of(scope.access, reach, scope.harm_if_read, changes, scope.escalation)
                .severity()
        };
        match rights {
            Rights::Own | Rights::Elevated => self.severity,
            Rights::ReadsAll | Rights::Administers => self
                .all()
                .filter(|scope| scope.reach != Reach::Own)
                .map(raised)
                .max()
                .unwrap_or(Severity::Info)
                .max(self.severity),
        }
    }

    /// The names of the scopes, in their order.
    pub fn names(&self) -> String {
        self.scopes.iter().map(|scope| &*scope.name).collect::<Vec<_>>().join(" ")
    }

    /// What a holder can do with the set, to follow "can": `read and change CRM data that ‹its user› can reach`.
    pub fn power(&self, holder: &str) -> String {
        power::of(self.scopes.iter().chain(&self.combined), holder)
    }

    /// One sentence: `can read and change all CRM data that its user can reach, and keeps that access without the user`. An app that acts
    /// for itself has no user.
    pub fn sentence(&self, kind: Kind) -> String {
        let lasting = match (kind, self.offline) {
            (Kind::Delegated, true) => ", and keeps that access without the user",
            (Kind::Delegated, false) | (Kind::AppOnly, _) => "",
        };
        format!("can {}{lasting}", self.power(kind.holder()))
    }
}
