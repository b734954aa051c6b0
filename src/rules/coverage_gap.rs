//! `coverage-gap`: what the scan did not see. One finding per facet and reason, so that its fingerprint does not depend on wording.
//!
//! Comes last of all rules: it adds what coverage lost to what the others could not judge.

use std::collections::BTreeMap;

use grantwarden_kit::model::Reason;

use super::{Context, Meta, Problem, Reference, Remedy, Rule, Seen, Tally, Verdicts, words};
use crate::finding::{Confidence, Evidence, Severity, Subject, SubjectKind};

pub(super) struct CoverageGap;

static META: Meta = Meta {
    id: "coverage-gap",
    title: "Part of the tenant was not seen",
    severity: Severity::Medium,
    summary: "Something exists on the platform that the scan could not see, so that rules could not judge it.",
    why: "A scanner that is silent about what it did not see calls an open door closed. With the wrong right Salesforce lists only the \
          scanner's own tokens and reports no error; an app hidden by GhostToken (2022) was in no list at all.",
    incidents: &["ghosttoken-2023", "klue-2026"],
    remedies: &[Remedy::CloseGap],
    references: &[Reference {
        title: "Salesforce: OauthToken, special access rules",
        url: "https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_oauthtoken.htm",
    }],
    controls: &[],
    needs: &[],
    parameters: &[],
};

impl Rule for CoverageGap {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn tenant(&self, context: &Context<'_>, seen: &Seen<'_>, verdicts: &mut Verdicts) {
        for ((facet, reason), hole) in holes(seen) {
            let facet = describe(context, seen, facet);
            let subject = Subject {
                kind: SubjectKind::Facet,
                id: format!("{}/{}", facet.id, reason),
                label: facet.title.to_owned(),
                app: None,
                principal: None,
            };
            verdicts.find_on(subject, problem(context, &facet, reason, &hole));
        }
    }
}

/// A facet with what is known about it.
struct FacetFacts<'a> {
    id: &'a str,
    title: &'a str,
    promised: bool,
    /// The right that makes it visible.
    right: Option<&'a str>,
}

/// Everything that one reason hid in one facet.
#[derive(Default)]
struct Hole {
    /// Rows lost; `None` if nobody can tell. Outer `None`: coverage has no loss, only rules met the gap.
    rows: Option<Option<u64>>,
    unjudged: Tally,
}

fn holes<'a>(seen: &'a Seen<'_>) -> BTreeMap<(&'a str, Reason), Hole> {
    let mut holes: BTreeMap<(&str, Reason), Hole> = BTreeMap::new();
    for (facet, reason, tally) in seen.unknowns.iter() {
        holes.entry((facet, reason)).or_default().unjudged = tally.clone();
    }
    for part in &seen.coverage.parts {
        for loss in &part.losses {
            let hole = holes.entry((&part.facet, loss.gap.reason)).or_default();
            hole.rows = Some(match hole.rows {
                None => loss.rows,
                Some(before) => before.zip(loss.rows).map(|(a, b)| a + b),
            });
            hole.unjudged.detail(&loss.gap.detail);
        }
    }
    holes
}

/// From coverage, which names what was looked at; else from the manifest.
fn describe<'a>(context: &Context<'a>, seen: &Seen<'a>, id: &'a str) -> FacetFacts<'a> {
    let part = seen.coverage.parts.iter().find(|part| part.facet == id);
    let facet = context.facets.iter().find(|facet| facet.id == id);
    FacetFacts {
        id,
        title: part.map(|part| &*part.title).or(facet.map(|facet| &*facet.title)).unwrap_or(id),
        promised: part
            .map_or_else(|| facet.is_some_and(|facet| facet.promised), |part| part.promised),
        right: facet.map(|facet| &*facet.right),
    }
}

fn problem(context: &Context<'_>, facet: &FacetFacts<'_>, reason: Reason, hole: &Hole) -> Problem {
    let tally = &hole.unjudged;
    let mut evidence: Vec<Evidence> =
        tally.details.iter().map(|detail| Evidence::new("not seen", detail, facet.id)).collect();
    if let Some(rows) = hole.rows {
        let rows =
            rows.map_or_else(|| "nobody can tell how many".to_owned(), |rows| rows.to_string());
        evidence.push(Evidence::new("rows missing", rows, facet.id));
    }
    if let Some(subjects) = subjects(tally) {
        let rules: Vec<&str> = tally.rules.iter().map(AsRef::as_ref).collect();
        let facts: Vec<&str> = tally.facts.iter().map(AsRef::as_ref).collect();
        evidence.push(Evidence::new("not judged", subjects, rules.join(", ")));
        evidence.push(Evidence::new("facts needed", facts.join(", "), facet.id));
    }
    if let (Reason::Permission, Some(right)) = (reason, facet.right) {
        evidence.push(Evidence::new("right that makes it visible", right, facet.id));
    }
    Problem {
        severity: severity(facet.promised, reason),
        confidence: Confidence::High,
        message: message(context, facet, reason, hole),
        evidence,
    }
}

/// A promised part that could be had: medium. Another part that could be had: low. What nobody can have or nobody wants: info.
const fn severity(promised: bool, reason: Reason) -> Severity {
    match (reason.is_loss(), promised) {
        (true, true) => Severity::Medium,
        (true, false) => Severity::Low,
        (false, _) => Severity::Info,
    }
}

fn message(context: &Context<'_>, facet: &FacetFacts<'_>, reason: Reason, hole: &Hole) -> String {
    let why = match reason {
        Reason::Permission => "the scanner lacks a right",
        Reason::Licence => "the tenant has not bought or not switched on what would tell",
        Reason::PlatformSilent => "the platform tells nobody",
        Reason::CallFailed => "a call failed",
        Reason::Quota => "the tenant's API quota ended",
        Reason::Vanished => "objects went away while they were being read",
        Reason::CountMismatch => "the platform's own counts do not agree with what was read",
        Reason::Cancelled => "the scan was cancelled",
        Reason::Skipped => "the configuration says not to look",
        Reason::NothingBefore => "no earlier scan tells",
    };
    let tenant = context.tenant_name;
    let judged = subjects(&hole.unjudged).map_or_else(String::new, |subjects| {
        let rules = words::counted(hole.unjudged.rules.len() as u64, "rule");
        format!(", so that {rules} could not judge {subjects}")
    });
    let cure = match (reason, facet.right) {
        (Reason::Permission, Some(right)) => format!("; give the scanner {right}"),
        _ => String::new(),
    };
    if reason == Reason::NothingBefore {
        let judged = judged.strip_prefix(", so that ").unwrap_or("nothing was compared");
        return format!("{tenant} could not be compared with an earlier scan in all: {judged}.");
    }
    format!("Not all of {} ({}) in {tenant} was seen: {why}{judged}{cure}.", facet.title, facet.id)
}

/// How many records the gap kept from being judged; `None` if no rule met it.
fn subjects(tally: &Tally) -> Option<String> {
    if tally.rules.is_empty() {
        return None;
    }
    let parts: Vec<String> =
        [(tally.apps, "app"), (tally.grants, "grant"), (tally.credentials, "credential")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, noun)| words::counted(count, noun))
            .collect();
    Some(if parts.is_empty() { "the tenant".to_owned() } else { parts.join(", ") })
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::model::{Gap, Observed};

    use super::super::{
        Unknowns,
        testing::{Well, gap},
    };
    use super::*;

    const RULE: &str = "coverage-gap";

    fn lose(well: &mut Well, facet: &str, promised: bool, reason: Reason, rows: Option<u64>) {
        let part = well.coverage.part(facet, "OAuth tokens", promised);
        part.lose(Gap::new(reason, facet, "only the scanner's own tokens are listed"), rows);
    }

    #[test]
    fn severity_follows_promise_and_reason() {
        for (promised, reason, expected) in [
            (true, Reason::Permission, Severity::Medium),
            (true, Reason::CallFailed, Severity::Medium),
            (false, Reason::Permission, Severity::Low),
            (true, Reason::PlatformSilent, Severity::Info),
            (false, Reason::Licence, Severity::Info),
            (true, Reason::Skipped, Severity::Info),
        ] {
            let mut well = Well::run();
            lose(&mut well, "grants", promised, reason, None);
            assert_eq!(well.one_of_tenant(RULE).severity, expected, "{reason:?}");
        }
    }

    #[test]
    fn says_what_is_missing_how_much_and_which_right_closes_it() {
        let mut well = Well::run();
        lose(&mut well, "grants", true, Reason::Permission, Some(40));
        let finding = well.one_of_tenant(RULE);
        assert_eq!(
            finding.message,
            "Not all of OAuth tokens (grants) in acme-crm was seen: the scanner lacks a right; give the scanner Customize \
             Application."
        );
        assert_eq!(finding.subject.id, "grants/permission");
        assert!(
            finding
                .evidence
                .iter()
                .any(|evidence| evidence.fact == "rows missing" && evidence.value == "40")
        );
    }

    #[test]
    fn counts_what_rules_could_not_judge_once_per_grant() {
        let mut well = Well::run();
        well.grant.expires = Observed::Unknown(gap("policy"));
        well.grant.network.binding = Observed::Unknown(gap("policy"));
        let mut unknowns = Unknowns::default();
        for _ in 0..3 {
            unknowns.add(SubjectKind::Grant, &well.judge().unknowns);
        }
        well.unknowns = unknowns;
        let finding = well.one_of_tenant(RULE);
        assert!(finding.message.contains("could not judge 3 grants"), "{}", finding.message);
        let judged =
            finding.evidence.iter().find(|evidence| evidence.fact == "not judged").unwrap();
        assert!(judged.source.contains("no-expiry"), "{}", judged.source);
    }

    #[test]
    fn one_finding_per_facet_and_reason() {
        let mut well = Well::run();
        lose(&mut well, "grants", true, Reason::Permission, Some(1));
        lose(&mut well, "grants", true, Reason::Quota, None);
        lose(&mut well, "apps", false, Reason::Quota, None);
        let judgement = well.judge_tenant();
        let ids: Vec<_> = judgement.findings.iter().map(|finding| &*finding.subject.id).collect();
        assert_eq!(ids, ["apps/quota", "grants/permission", "grants/quota"]);
        let mut fingerprints: Vec<_> =
            judgement.findings.iter().map(|finding| finding.fingerprint).collect();
        fingerprints.dedup();
        assert_eq!(fingerprints.len(), 3);
    }

    #[test]
    fn hears_of_what_other_tenant_rules_could_not_judge() {
        let mut well = Well::run();
        well.tenant.consent.user_consent = Observed::Unknown(gap("settings"));
        assert!(well.one_of_tenant(RULE).message.contains("could not judge the tenant"));
    }

    #[test]
    fn a_whole_tenant_is_silent() {
        Well::run().silent_of_tenant(RULE);
    }

    #[test]
    fn reasons_are_written_as_in_records() {
        for reason in [Reason::Permission, Reason::PlatformSilent, Reason::CountMismatch] {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }
}
