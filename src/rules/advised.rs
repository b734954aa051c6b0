//! What the advisories' rules share: which hits count, and how they are put into evidence.

use grantwarden_kit::model::{Gap, Observed, Reason, Timestamp};

use super::{Context, fact, words};
use crate::{
    advisories::{Advisory, Certainty, Hit, Issued, Matched, Status},
    finding::{Confidence, Evidence},
};

/// Where an advisory's own facts come from, as evidence.
pub(super) const SOURCE: &str = "advisory";

/// What the advisories say about an app of the context's tenant.
pub(super) fn matched<'a>(context: &Context<'a>, app: &str) -> Option<&'a Matched> {
    context.surroundings.advisories.of_app(context.tenant_name, app)
}

/// Whether a hit is of a product that is concerned, on more than a hint.
pub(super) fn is_firm(hit: &Hit) -> bool {
    hit.certainty <= Certainty::Probable && hit.status != Status::NotAffected
}

/// How firm a finding is.
pub(super) fn confidence(hit: &Hit, is_date_known: bool, matched: Option<&Matched>) -> Confidence {
    let of_match = match hit.certainty {
        Certainty::Exact => 0,
        Certainty::Probable => 1,
        Certainty::Review => 2,
    };
    // Who shows the thieves' traces is more likely to be the one whose tokens they had.
    let is_seen = sightings(hit, matched).any(|(is_weighty, _)| is_weighty);
    let doubts = of_match + usize::from(!is_date_known);
    Confidence::with_reservations(doubts.saturating_sub(usize::from(is_seen)))
}

fn sightings<'a>(
    hit: &'a Hit,
    matched: Option<&'a Matched>,
) -> impl Iterator<Item = (bool, String)> + 'a {
    let all = matched.into_iter().flat_map(|matched| &matched.sightings);
    all.filter(|sighting| sighting.advisory.id == hit.advisory.id).map(|sighting| {
        let is_weighty = sighting.indicator.confidence > crate::advisories::Weight::Low;
        (is_weighty, sighting.to_string())
    })
}

/// The advisory, the key and the safe date as evidence, and what of its indicators is in the logs.
pub(super) fn evidence(hit: &Hit, matched: Option<&Matched>) -> Vec<Evidence> {
    let Advisory { id, title, safe_date, safe_date_basis, .. } = &*hit.advisory;
    let mut evidence = vec![
        Evidence::new("advisory", format!("{id}: {title}"), SOURCE),
        Evidence::new("matched by", format!("{} ({})", hit.by, hit.certainty), &*hit.source),
    ];
    if let Some(product) = &hit.product {
        let value = format!("{product}: {}", hit.status);
        evidence.push(Evidence::new("product", value, SOURCE));
    }
    let safe = match (safe_date, safe_date_basis) {
        (Some(date), Some(basis)) => format!("{}: {basis}", date.date()),
        (Some(date), None) => date.date(),
        (None, _) => "none: whatever was issued counts as exposed".to_owned(),
    };
    evidence.push(Evidence::new("safe date", safe, SOURCE));
    let seen: Vec<String> = sightings(hit, matched).map(|(_, text)| text).collect();
    if !seen.is_empty() {
        evidence.push(Evidence::new("traces in logs", words::some(&seen, 5), "usage"));
    }
    evidence
}

/// What the advisory asks for besides, as evidence.
pub(super) fn advice(advisory: &Advisory) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    if let Some(revoke) = &advisory.revoke {
        evidence.push(Evidence::new("revoke", revoke, SOURCE));
    }
    if !advisory.also_rotate.is_empty() {
        evidence.push(Evidence::new("rotate, too", advisory.also_rotate.join("; "), SOURCE));
    }
    evidence
}

/// When something was issued, as evidence.
pub(super) fn issued_evidence(issued: Issued<'_>, source: &'static str) -> Evidence {
    match (issued.date, issued.not_before) {
        (Observed::Known(date), _) => Evidence::new("issued", date.date(), source),
        (_, Some(date)) => {
            let value = format!("not before {}, when the tenant first had the app", date.date());
            Evidence::new("issued", value, fact::APP_CREATED_AT)
        }
        (Observed::Unknown(gap), None) => {
            Evidence::new("issued", format!("not visible: {}", gap.detail), source)
        }
        (Observed::Absent, None) => Evidence::new("issued", "the platform keeps no date", source),
    }
}

/// Why a date is not known.
pub(super) fn gap(date: &Observed<Timestamp>, facet: &str) -> Gap {
    date.gap().cloned().unwrap_or_else(|| {
        Gap::new(Reason::PlatformSilent, facet, "the platform keeps no date of issue")
    })
}
