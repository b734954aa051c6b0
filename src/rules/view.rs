//! [`GrantView`]: a grant with its app, and what follows from its facts.
//!
//! Each conclusion is drawn here once, so that all rules mean the same by broad, durable, unbound, stale and privileged. A conclusion
//! has three outcomes: a fact that is not visible gives neither yes nor no.

use std::{borrow::Cow, time::Duration};

use grantwarden_kit::model::{
    App, Expiry, Gap, Grant, GrantKind, Holder, IpRange, Observed, Origin, Principal, Reason,
    Scope, Timestamp,
};

use super::{Context, Verdicts, fact};
use crate::{
    finding::Confidence,
    scopes::{Kind, Rights, SetAssessment},
};

/// A grant with its app, and what follows from its facts.
#[derive(Debug)]
pub struct GrantView<'a> {
    /// What is known besides.
    pub context: &'a Context<'a>,
    /// The record of the app that holds the grant. Without one the app counts as a third party's.
    pub app: Option<&'a App>,
    /// The grant.
    pub grant: &'a Grant,
    /// What its scopes allow, if they are visible.
    pub(super) scopes: Result<SetAssessment<'a>, Cow<'a, Gap>>,
    /// The same scopes as the platform writes them; none where they are not visible.
    pub(super) raw_scopes: &'a [Scope],
    /// Whether the scopes are those of the grant, not only the most that the app's registration allows.
    pub(super) scopes_are_exact: bool,
    /// How far the rights of its holder reach, if they are visible.
    pub(super) rights: Result<Rights, &'a Gap>,
}

/// A conclusion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<'a> {
    /// The facts say so.
    Yes,
    /// The facts rule it out.
    No,
    /// A fact is not visible: which, and why.
    Unknown(&'static str, Cow<'a, Gap>),
}

impl Answer<'_> {
    /// Tells the verdicts if a fact was not visible.
    pub fn report(&self, verdicts: &mut Verdicts) {
        if let Self::Unknown(fact, gap) = self {
            verdicts.unknown(fact, gap);
        }
    }

    const fn from_bool(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// What ends a grant by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Nothing.
    Never,
    /// A date.
    Until(Timestamp),
    /// Not being used for so long.
    Idle(Duration),
}

impl<'a> GrantView<'a> {
    /// Draws the conclusions that several rules share.
    pub fn new(context: &'a Context<'a>, app: Option<&'a App>, grant: &'a Grant) -> Self {
        let assess = |scopes| context.catalog.assess_set(scopes, Kind::of(grant));
        let (scopes, scopes_are_exact) = match (&grant.scopes, app.map(|app| &app.scopes)) {
            (Observed::Known(scopes), _) => (Ok(assess(scopes)), true),
            (Observed::Absent, _) => (Ok(assess(&[])), true),
            // A grant never has more than its app's registration allows.
            (Observed::Unknown(_), Some(Observed::Known(scopes))) => (Ok(assess(scopes)), false),
            (Observed::Unknown(gap), Some(Observed::Unknown(of_app))) => {
                (Err(Cow::Borrowed(easier_to_close(of_app, gap))), true)
            }
            (Observed::Unknown(gap), Some(Observed::Absent) | None) => {
                (Err(Cow::Borrowed(gap)), true)
            }
        };
        let raw_scopes = match (&grant.scopes, app.map(|app| &app.scopes)) {
            (Observed::Known(scopes), _)
            | (Observed::Unknown(_), Some(Observed::Known(scopes))) => scopes.as_slice(),
            _ => &[],
        };
        let rights = match &grant.holder {
            Holder::Principal(principal) => match &principal.privileges {
                Observed::Known(names) => Ok(context.catalog.rights(names)),
                Observed::Absent => Ok(Rights::Own),
                Observed::Unknown(gap) => Err(gap),
            },
            // Administrators are among the users for whom the app may act.
            Holder::Tenant => Ok(Rights::Administers),
            // The scopes alone say what an app may do that acts for itself.
            Holder::App => Ok(Rights::Own),
        };
        Self { context, app, grant, scopes, raw_scopes, scopes_are_exact, rights }
    }

    /// The app's name, as its record has it, else as the grant has it.
    pub fn app_name(&self) -> &'a str {
        self.app.map_or(&self.grant.app_name, |app| &app.name)
    }

    /// The name that a token or key was given by its owner, where no app has one.
    pub fn own_name(&self) -> Option<&'a str> {
        let is_named = matches!(
            self.grant.kind,
            GrantKind::PersonalToken | GrantKind::ApiToken | GrantKind::Key
        );
        let name = self.grant.app_name.as_str();
        (is_named && !name.is_empty() && name != self.app_name()).then_some(name)
    }

    /// Whose app it is.
    pub fn origin(&self) -> Origin {
        self.app.map_or(Origin::ThirdParty, |app| app.origin)
    }

    /// The one principal behind the grant, if there is one.
    pub fn principal(&self) -> Option<&'a Principal> {
        self.grant.holder.principal()
    }

    /// Whether the tenant has blocked the app. Not visible counts as not blocked: a block that nobody saw protects nobody.
    pub fn is_blocked(&self) -> bool {
        self.app.is_some_and(|app| app.blocked.known() == Some(&true))
    }

    /// Whether the grant's date has passed.
    pub fn is_expired(&self) -> bool {
        matches!(self.life(), Ok(Life::Until(end)) if end <= self.context.now)
    }

    /// Whether the grant can be used now: not blocked, not expired.
    pub fn is_live(&self) -> bool {
        !self.is_blocked() && !self.is_expired()
    }

    /// Whether the grant can be used now by an app that is not the platform's own.
    ///
    /// The platform's own apps run on the platform's side with or without a grant; flagging them as outsiders is the noise that users
    /// of other scanners complain about most.
    pub fn is_live_outsider(&self) -> bool {
        self.is_live() && self.origin() != Origin::Platform
    }

    /// What its scopes allow, if they are visible.
    pub fn scopes(&self) -> Option<&SetAssessment<'a>> {
        self.scopes.as_ref().ok()
    }

    /// The same scopes as the platform writes them; none where they are not visible.
    pub const fn raw_scopes(&self) -> &'a [Scope] {
        self.raw_scopes
    }

    /// How far the rights of its holder reach.
    ///
    /// # Errors
    /// Why they are not visible.
    pub const fn rights(&self) -> Result<Rights, &'a Gap> {
        self.rights
    }

    /// Whether its holder can read or change data of the whole organisation.
    pub fn is_privileged(&self) -> Answer<'a> {
        match self.rights {
            Ok(rights) => Answer::from_bool(rights >= Rights::ReadsAll),
            Err(gap) => Answer::Unknown(fact::HOLDER_PRIVILEGES, Cow::Borrowed(gap)),
        }
    }

    /// Whether its scopes reach sensitive data in bulk.
    pub fn is_broad(&self) -> Answer<'a> {
        match &self.scopes {
            Ok(set) => Answer::from_bool(set.broad),
            Err(gap) => Answer::Unknown(fact::GRANT_SCOPES, gap.clone()),
        }
    }

    /// What ends it by itself.
    ///
    /// # Errors
    /// Why that is not visible.
    pub fn life(&self) -> Result<Life, &'a Gap> {
        match &self.grant.expires {
            Observed::Known(Expiry::Never) | Observed::Absent => Ok(Life::Never),
            Observed::Known(Expiry::At(end)) => Ok(Life::Until(*end)),
            Observed::Known(Expiry::Idle(idle)) => Ok(Life::Idle(*idle)),
            Observed::Unknown(gap) => Err(gap),
        }
    }

    /// Whether it outlives `durable_after` without anybody acting.
    pub fn is_durable(&self) -> Answer<'a> {
        let limit = self.context.policy.durable_after.duration();
        match self.life() {
            Ok(Life::Never) => Answer::Yes,
            Ok(Life::Until(end)) => Answer::from_bool(self.context.now.until(end) > limit),
            Ok(Life::Idle(idle)) => Answer::from_bool(idle > limit),
            Err(gap) => Answer::Unknown(fact::GRANT_EXPIRES, Cow::Borrowed(gap)),
        }
    }

    /// Whether a thief can use the token from any network: nothing binds it to an address or to a key of its holder.
    ///
    /// A token that is not known to be bound to a key counts as not bound; see [`Self::doubts_about_binding`].
    pub fn is_unbound(&self) -> Answer<'a> {
        if self.grant.sender_constrained.known() == Some(&true) {
            return Answer::No;
        }
        match &self.grant.network.binding {
            Observed::Absent => Answer::Yes,
            Observed::Known(ranges) => Answer::from_bool(!restricts(ranges)),
            Observed::Unknown(gap) => Answer::Unknown(fact::GRANT_NETWORK, Cow::Borrowed(gap)),
        }
    }

    /// Whether nobody used it for `stale_after`.
    pub fn is_stale(&self) -> Answer<'a> {
        let limit = self.context.policy.stale_after.duration();
        let long_ago = |time: &Timestamp| time.until(self.context.now) >= limit;
        let grant = self.grant;
        match (&grant.last_used_at, &grant.granted_at) {
            // Given again after its last use: the new one counts from its own beginning.
            (Observed::Known(used), Observed::Known(granted)) => {
                Answer::from_bool(long_ago(used.max(granted)))
            }
            (Observed::Known(used), _) => Answer::from_bool(long_ago(used)),
            // Nothing can be unused for longer than it exists.
            (Observed::Unknown(_), Observed::Known(granted)) if !long_ago(granted) => Answer::No,
            (Observed::Unknown(gap), _) => {
                Answer::Unknown(fact::GRANT_LAST_USED_AT, Cow::Borrowed(gap))
            }
            (Observed::Absent, Observed::Known(granted)) => Answer::from_bool(long_ago(granted)),
            (Observed::Absent, Observed::Unknown(gap)) => {
                Answer::Unknown(fact::GRANT_GRANTED_AT, Cow::Borrowed(gap))
            }
            (Observed::Absent, Observed::Absent) => {
                let detail = "the platform keeps neither a date of use nor a date of grant";
                let gap = Gap::new(Reason::PlatformSilent, "grants", detail);
                Answer::Unknown(fact::GRANT_GRANTED_AT, Cow::Owned(gap))
            }
        }
    }

    /// How many facts about the scopes are less firm than the platform's own word about this grant.
    pub fn doubts_about_scopes(&self) -> usize {
        match &self.scopes {
            Ok(set) => usize::from(!self.scopes_are_exact) + usize::from(set.derived),
            Err(_) => 1,
        }
    }

    /// How many facts about being unbound are less firm than the platform's own word about this grant.
    pub fn doubts_about_binding(&self) -> usize {
        usize::from(self.grant.sender_constrained.gap().is_some())
    }

    /// The confidence of a finding that rests on the scopes.
    pub fn confidence_in_scopes(&self) -> Confidence {
        Confidence::with_reservations(self.doubts_about_scopes())
    }
}

/// The gap that somebody can do something about; of two such the first, of none the second, which is about the grant itself.
fn easier_to_close<'a>(first: &'a Gap, second: &'a Gap) -> &'a Gap {
    if first.reason.is_loss() { first } else { second }
}

/// Whether ranges keep anybody out. No vendor calls from more addresses than one IPv4 /8 block has (RFC 4632); ranges that hold more than
/// that share of all addresses are there for another reason, or are no restriction.
pub(super) fn restricts(ranges: &[IpRange]) -> bool {
    let size = |range: &IpRange| match (range.start, range.end) {
        (std::net::IpAddr::V4(start), std::net::IpAddr::V4(end)) => {
            (u128::from(end.to_bits().saturating_sub(start.to_bits())) + 1).saturating_mul(1 << 96)
        }
        (std::net::IpAddr::V6(start), std::net::IpAddr::V6(end)) => {
            end.to_bits().saturating_sub(start.to_bits()).saturating_add(1)
        }
        _ => 0,
    };
    let largest = 1 << 120;
    !ranges.is_empty() && ranges.iter().map(size).fold(0, u128::saturating_add) <= largest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: &str, end: &str) -> IpRange {
        IpRange::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
    }

    #[test]
    fn ranges_that_hold_most_addresses_restrict_nothing() {
        assert!(restricts(&[range("203.0.113.0", "203.0.113.255")]));
        assert!(restricts(&[
            range("203.0.113.7", "203.0.113.7"),
            range("2001:db8::", "2001:db8::ffff")
        ]));
        assert!(restricts(&[range("10.0.0.0", "10.255.255.255")]));
        assert!(!restricts(&[range("0.0.0.0", "255.255.255.255")]));
        assert!(!restricts(&[
            range("0.0.0.0", "127.255.255.255"),
            range("128.0.0.0", "255.255.255.255")
        ]));
        assert!(!restricts(&[range("1.0.0.0", "255.255.255.254")]));
        assert!(!restricts(&[range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]));
        assert!(!restricts(&[]));
    }
}
