//! What the coverage of two scans lets a comparison say: a record that only one has may be there in both, where the other did not see all.

use std::borrow::Cow;

use grantwarden_kit::{
    manifest::{Facet, Holding},
    model::{Coverage, Gap, Part, Reason, Timestamp},
};

use super::{
    Side,
    blanks::{Blanks, Key},
    outline::TenantOutline,
};
use crate::registry;

/// What a scan did not see of a facet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Why, in the words of its coverage.
    pub gap: Gap,
    /// For a person, with the day of the scan.
    pub sentence: String,
}

/// Why records of a facet that one scan has and another has not may have been there all the same. `absent_at` is when the scan began that
/// has not.
pub fn lost(
    present: &Coverage,
    absent: &Coverage,
    absent_at: Timestamp,
    facet: &str,
    title: &str,
) -> Option<Lost> {
    // What was not read brings nothing that the other could lack.
    let has = part(present, facet).filter(|part| part.unseen().is_none())?;
    let date = absent_at.date();
    let Some(lacks) = part(absent, facet) else {
        let sentence = format!("the scan of {date} says nothing about {title}");
        return Some(Lost { gap: Gap::new(Reason::NothingBefore, facet, &sentence), sentence });
    };
    let gap = losses(lacks).find(|gap| is_loss_beside(gap, Some(has)))?.clone();
    let sentence = format!("the scan of {date} did not see all of {title}: {}", gap.detail);
    Some(Lost { gap, sentence })
}

/// Whether a loss leaves open what is there, given the same part in another scan.
fn is_loss_beside(gap: &Gap, other: Option<&Part>) -> bool {
    match gap.reason {
        // As little seen then as now; an import, a licence or a setting may have changed that.
        Reason::PlatformSilent | Reason::Licence | Reason::Skipped => {
            !other.is_some_and(|part| losses(part).any(|other| other.reason == gap.reason))
        }
        _ => true,
    }
}

/// What is missing from a part, without what was gone already.
fn losses(part: &Part) -> impl Iterator<Item = &Gap> {
    part.losses
        .iter()
        .map(|loss| &loss.gap)
        .filter(|gap| !matches!(gap.reason, Reason::Vanished | Reason::NothingBefore))
}

fn part<'a>(coverage: &'a Coverage, facet: &str) -> Option<&'a Part> {
    coverage.parts.iter().find(|part| part.facet == facet)
}

/// A facet by id and title; of a platform that this build does not know, every part may hold anything.
struct Holder<'a> {
    facet: Cow<'a, str>,
    title: Cow<'a, str>,
    holds: &'a [Holding],
}

const ANYTHING: &[Holding] = &[Holding::Apps, Holding::Grants, Holding::Credentials];

fn holders<'a>(old: &'a TenantOutline, new: &'a TenantOutline) -> Vec<Holder<'a>> {
    let of_facet = |facet: &'static Facet| Holder {
        facet: Cow::Borrowed(&facet.id),
        title: Cow::Borrowed(&facet.title),
        holds: &facet.holds,
    };
    if let Some(connector) = registry::find(&new.end.platform) {
        let facets = connector.manifest().facets.iter().map(of_facet);
        return facets
            .filter(|facet| facet.holds.iter().any(|kind| ANYTHING.contains(kind)))
            .collect();
    }
    let mut holders: Vec<Holder<'a>> = Vec::new();
    for part in old.end.coverage.parts.iter().chain(&new.end.coverage.parts) {
        if holders.iter().all(|holder| *holder.facet != part.facet) {
            let (facet, title) = (Cow::Borrowed(&*part.facet), Cow::Borrowed(&*part.title));
            holders.push(Holder { facet, title, holds: ANYTHING });
        }
    }
    holders
}

/// For each kind of records, why those that only one of two scans has are neither new nor gone.
#[derive(Debug, Default)]
pub(super) struct Withheld {
    /// Of those that only the newer has: what the older did not see.
    new: Vec<(Holding, Key)>,
    /// Of those that only the older has: what the newer did not see.
    gone: Vec<(Holding, Key)>,
}

impl Withheld {
    /// Compares what was read of a tenant, and notes in `blanks` what is missing.
    pub(super) fn of(
        old: (&TenantOutline, Timestamp),
        new: (&TenantOutline, Timestamp),
        blanks: &mut Blanks<'_>,
    ) -> Self {
        let mut withheld = Self::default();
        let (old, old_at) = old;
        let (new, new_at) = new;
        let (then, now) = (&old.end.coverage, &new.end.coverage);
        for holder in holders(old, new) {
            let (facet, title) = (&*holder.facet, &*holder.title);
            let what = format!("part: {title}");
            let parts = (part(then, facet), part(now, facet));
            for (side, part, other) in
                [(Side::Old, parts.0, parts.1), (Side::New, parts.1, parts.0)]
            {
                for gap in part.into_iter().flat_map(losses) {
                    if is_loss_beside(gap, other) {
                        let counts = !gap.reason.is_loss() || blanks.is_promised(facet);
                        blanks.add(Key::of(what.clone(), side, gap), &gap.detail, 0, counts);
                    } else if side == Side::New {
                        blanks.add(Key::of(what.clone(), Side::Both, gap), &gap.detail, 0, false);
                    }
                }
            }
            let not_new = lost(now, then, old_at, facet, title).map(|lost| (Side::Old, lost.gap));
            let not_gone = lost(then, now, new_at, facet, title).map(|lost| (Side::New, lost.gap));
            for ((side, gap), list) in
                [(not_new, &mut withheld.new), (not_gone, &mut withheld.gone)]
                    .into_iter()
                    .filter_map(|(lost, list)| Some((lost?, list)))
            {
                let key = Key::of(what.clone(), side, &gap);
                // Said already, unless the other scan has no word of that part at all.
                blanks.add(key.clone(), &gap.detail, 0, false);
                for kind in holder.holds {
                    list.push((*kind, key.clone()));
                }
            }
        }
        withheld
    }

    /// Whether records of a kind that only the newer scan has may be old; where they are noted then.
    pub(super) fn of_new(&self, kind: Holding) -> Option<&Key> {
        self.new.iter().find(|(other, _)| *other == kind).map(|(_, key)| key)
    }

    /// Whether records of a kind that only the older scan has may still be there; where they are noted then.
    pub(super) fn of_gone(&self, kind: Holding) -> Option<&Key> {
        self.gone.iter().find(|(other, _)| *other == kind).map(|(_, key)| key)
    }
}
