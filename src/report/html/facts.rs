//! What the page says about grants besides findings: how old they are, when they were last used, and which are broad, durable and unbound
//! at once. One pass over the inventory; what is kept grows with apps, never with grants. What is not visible is counted as that.

use std::collections::BTreeMap;

use grantwarden_kit::model::{Observed, Origin, Timestamp};

use crate::{
    rules::{Answer, GrantView},
    scan::{JudgeError, Judged},
};

/// The days at which a new bar of the chart of ages begins.
const AGES: [u64; 4] = [30, 90, 365, 730];

/// The days at which a new bar of the chart of uses begins.
const USES: [u64; 4] = [7, 30, 90, 365];

/// Sums over all grants.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Grants that can be used now by apps that are not the platform's own: those the charts are about.
    pub(super) live: u64,
    /// All others.
    pub(super) others: u64,
    /// How long ago the live ones were given.
    pub(super) ages: Times,
    /// How long ago the live ones were last used.
    pub(super) uses: Times,
    /// By the vendor's index in the surroundings; `None` for what no vendor is behind.
    pub(super) exposure: BTreeMap<Option<usize>, Exposure>,
    /// By the tenant's index and the app's id.
    pub(super) apps: BTreeMap<(usize, String), OfApp>,
}

/// How long ago something happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Times {
    /// By the bars of the chart, the most recent first.
    pub(super) known: [u64; 5],
    /// The platform says that it did not happen, or keeps no date of it.
    pub(super) absent: u64,
    /// Nobody can tell.
    pub(super) unknown: u64,
}

/// Third parties' live grants that are broad, durable and unbound at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Exposure {
    /// How many there are.
    pub(super) certain: u64,
    /// Of them, those that nobody uses any more.
    pub(super) stale: u64,
    /// Of them, those of which nobody can tell whether somebody uses them.
    pub(super) use_unknown: u64,
    /// Of them, those whose holder can read or change data of the whole organisation.
    pub(super) privileged: u64,
    /// Others that may be: a factor is not visible, and none is ruled out.
    pub(super) unknown: u64,
}

/// The live and other grants of one app.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct OfApp {
    /// The last use of any of them that is visible.
    pub(super) last_used: Option<Timestamp>,
    /// Whether the use of one is not visible, so that the last one may have been later.
    pub(super) has_unseen_use: bool,
    /// Live ones that are broad, durable and unbound at once.
    pub(super) exposed: u64,
}

impl Facts {
    /// Adds up the grants of an inventory.
    pub(super) fn gather(judged: &Judged<'_>) -> Result<Self, JudgeError> {
        let mut facts = Self::default();
        judged.for_each_grant(|tenant, view| {
            facts.add(judged, tenant, view);
            Ok(())
        })?;
        Ok(facts)
    }

    fn add(&mut self, judged: &Judged<'_>, tenant: usize, view: &GrantView<'_>) {
        let now = view.context.now;
        let is_exposed = is_exposed(view);
        let key = (tenant, view.grant.app.clone());
        let app = self.apps.entry(key).or_default();
        match &view.grant.last_used_at {
            Observed::Known(used) => app.last_used = app.last_used.max(Some(*used)),
            Observed::Absent => {}
            Observed::Unknown(_) => app.has_unseen_use = true,
        }
        app.exposed += u64::from(is_exposed == Some(true));
        if view.is_live_outsider() {
            self.live += 1;
            self.ages.add(&view.grant.granted_at, now, AGES);
            self.uses.add(&view.grant.last_used_at, now, USES);
        } else {
            self.others += 1;
        }
        if is_exposed == Some(false) {
            return;
        }
        let place = judged.surroundings.place_of(view.context.tenant_name, &view.grant.app);
        let exposure = self.exposure.entry(place.map(|(vendor, _)| vendor)).or_default();
        if is_exposed.is_none() {
            exposure.unknown += 1;
            return;
        }
        exposure.certain += 1;
        match view.is_stale() {
            Answer::Yes => exposure.stale += 1,
            Answer::Unknown(..) => exposure.use_unknown += 1,
            Answer::No => {}
        }
        exposure.privileged += u64::from(view.is_privileged() == Answer::Yes);
    }

    /// All vendors' together.
    pub(super) fn exposure_in_all(&self) -> Exposure {
        let mut all = Exposure::default();
        for one in self.exposure.values() {
            all.certain += one.certain;
            all.stale += one.stale;
            all.use_unknown += one.use_unknown;
            all.privileged += one.privileged;
            all.unknown += one.unknown;
        }
        all
    }
}

/// Whether a third party's live grant is broad, durable and unbound at once, as the rule `drift-pattern` means it; `None` if nobody can
/// tell. Asked of the facts and not of the rule, which the policy may have switched off.
fn is_exposed(view: &GrantView<'_>) -> Option<bool> {
    if !view.is_live() || view.origin() != Origin::ThirdParty {
        return Some(false);
    }
    let factors = [view.is_broad(), view.is_durable(), view.is_unbound()];
    if factors.contains(&Answer::No) {
        return Some(false);
    }
    factors.iter().all(|factor| *factor == Answer::Yes).then_some(true)
}

impl Times {
    fn add(&mut self, time: &Observed<Timestamp>, now: Timestamp, steps: [u64; 4]) {
        match time {
            Observed::Known(time) => {
                let days = time.days_until(now);
                self.known[steps.iter().filter(|step| days >= **step).count()] += 1;
            }
            Observed::Absent => self.absent += 1,
            Observed::Unknown(_) => self.unknown += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::model::Reason;

    use super::*;

    #[test]
    fn what_is_not_visible_is_never_in_a_bar_of_its_own_guess() {
        let now: Timestamp = "2026-01-31".parse().unwrap();
        let mut times = Times::default();
        for day in ["2026-01-31", "2026-01-02", "2026-01-01", "2024-02-02", "2024-02-01"] {
            times.add(&Observed::Known(day.parse().unwrap()), now, AGES);
        }
        times.add(&Observed::Absent, now, AGES);
        times.add(&Observed::unknown(Reason::Licence, "grants", "not bought"), now, AGES);
        assert_eq!(times, Times { known: [2, 1, 0, 1, 1], absent: 1, unknown: 1 });
    }
}
