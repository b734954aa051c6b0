//! The part of the page that a manager reads in a minute: how many findings, the worst apps, what to do first.

use super::text::{counted, name, number, sentence};
use crate::{
    exit::Exit,
    finding::{Counts, Severity},
    policy::Verdict,
    report::steps::{self, Step},
    rules::Remedy,
    scan::{Group, Judged, Whose},
};

/// Apps that the summary names.
const WORST: usize = 8;

/// Steps that the summary names.
const STEPS: usize = 8;

/// What matters most.
pub(super) struct Summary {
    /// How the run ended, in a sentence.
    pub(super) verdict: String,
    /// Findings that count, the gravest severity first.
    pub(super) tiles: Vec<Tile>,
    /// Findings that are accepted, if there are any.
    pub(super) accepted: Option<String>,
    pub(super) worst: Vec<Worst>,
    /// Apps, vendors and tenants with findings that are not named.
    pub(super) more: u64,
    pub(super) steps: Vec<FirstStep>,
    /// Steps that are not named.
    pub(super) more_steps: u64,
}

/// How many findings of one severity count.
pub(super) struct Tile {
    pub(super) severity: Severity,
    pub(super) count: String,
    pub(super) is_none: bool,
}

/// One of the worst apps.
pub(super) struct Worst {
    pub(super) severity: Severity,
    pub(super) name: String,
    /// Where it is.
    pub(super) place: String,
    pub(super) message: String,
    /// The finding that says so.
    pub(super) fingerprint: String,
    /// How much else there is.
    pub(super) besides: String,
}

/// What to do.
pub(super) struct FirstStep {
    pub(super) severity: Severity,
    pub(super) title: String,
    pub(super) place: String,
    pub(super) clicks: Vec<String>,
}

pub(super) fn summary(judged: &Judged<'_>) -> Summary {
    let counts = &judged.counts;
    let accepted = counts.all().total() - counts.active.total();
    let steps = steps::steps(judged);
    Summary {
        verdict: verdict(judged),
        tiles: Severity::ALL
            .into_iter()
            .rev()
            .map(|severity| tile(&counts.active, severity))
            .collect(),
        accepted: (accepted > 0).then(|| counted(accepted, "finding")),
        worst: judged.groups.iter().take(WORST).map(|group| worst(judged, group)).collect(),
        more: judged.groups.len().saturating_sub(WORST) as u64,
        more_steps: steps.len().saturating_sub(STEPS) as u64,
        steps: steps.iter().take(STEPS).map(first_step).collect(),
    }
}

fn tile(counts: &Counts, severity: Severity) -> Tile {
    let count = counts.of(severity);
    Tile { severity, count: number(count), is_none: count == 0 }
}

fn verdict(judged: &Judged<'_>) -> String {
    let code = judged.exit().code();
    let result = match judged.policy().verdict(&judged.counts.active) {
        Verdict::Fail { threshold, findings } => format!(
            "{} at or above {threshold}, the policy's threshold: exit code {code}.",
            counted(findings, "finding")
        ),
        Verdict::Pass if judged.exit() == Exit::Incomplete => {
            format!(
                "Nothing at or above the policy's threshold in what was read: exit code {code}, because not everything was."
            )
        }
        Verdict::Pass => {
            format!("Nothing at or above the policy's threshold: exit code {code}.")
        }
    };
    match (judged.is_whole(), judged.policy().allow_incomplete) {
        (true, _) => result,
        (false, false) => format!("{result} The scan is incomplete."),
        (false, true) => format!("{result} The scan is incomplete; the policy accepts that."),
    }
}

fn worst(judged: &Judged<'_>, group: &Group) -> Worst {
    let tenant = |at: usize| {
        let end = &judged.inventory.tenants[at].end;
        format!("{} ({})", name(&end.name), name(&end.platform))
    };
    let (name, place) = match &group.whose {
        Whose::App { tenant: at, name: app, .. } => (name(app), tenant(*at)),
        Whose::Tenant(at) => ("The tenant as a whole".to_owned(), tenant(*at)),
        Whose::Vendor(vendor) => (name(vendor), "vendor, with all its apps".to_owned()),
        Whose::Register => ("Vendor register".to_owned(), "all tenants".to_owned()),
        Whose::Policy => ("Policy".to_owned(), "all tenants".to_owned()),
    };
    let gravest = group.rules.first().map(|rule| &rule.worst);
    let others = group.counts().total().saturating_sub(1);
    let grants =
        (group.grants > 0).then(|| format!("{} concerned", counted(group.grants, "grant")));
    let besides = (others > 0).then(|| format!("{} besides", counted(others, "finding")));
    Worst {
        severity: group.severity(),
        name,
        place,
        message: gravest.map(|finding| sentence(&finding.message)).unwrap_or_default(),
        fingerprint: gravest.map(|finding| finding.fingerprint.to_string()).unwrap_or_default(),
        besides: grants.into_iter().chain(besides).collect::<Vec<_>>().join(", "),
    }
}

fn first_step(step: &Step<'_>) -> FirstStep {
    let apps = super::text::some(&step.apps, 5);
    let on = step.platform.map(|platform| format!("on {platform}"));
    let place: Vec<String> = on.into_iter().chain((!apps.is_empty()).then_some(apps)).collect();
    FirstStep {
        severity: step.severity,
        title: step.remedy.map_or_else(|| sentence(&step.title), in_words),
        place: place.join(": "),
        clicks: step.clicks.iter().map(|click| sentence(click)).collect(),
    }
}

/// What a remedy is, for people: `Revoke grant`.
fn in_words(remedy: Remedy) -> String {
    let id = remedy.id().replace('-', " ");
    let mut letters = id.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
