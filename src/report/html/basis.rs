//! What the verdicts rest on: what the policy accepts and from whom, the policy itself, and the rules.

use super::text::{counted, name, number, sentence};
use crate::{
    report::json::{self, RuleText, Used},
    rules,
    scan::{JudgeError, Judged},
};

/// Entries of each kind that are shown.
const NAMED: usize = 200;

/// What the policy accepts.
pub(super) struct Accepted {
    /// How many findings of each kind, in a sentence.
    pub(super) verdict: String,
    pub(super) entries: Vec<Entry>,
    /// How many entries are not shown.
    pub(super) left_out: usize,
    pub(super) warnings: Vec<String>,
}

/// A waiver, or something that is allowed.
pub(super) struct Entry {
    pub(super) kind: &'static str,
    pub(super) subject: String,
    pub(super) rules: String,
    pub(super) owner: String,
    pub(super) until: String,
    pub(super) reason: String,
    pub(super) holds: String,
    /// What is wrong with it, if anything.
    pub(super) trouble: Option<String>,
}

/// The policy and the rules.
pub(super) struct Basis {
    /// Settings by name.
    pub(super) settings: Vec<(&'static str, String)>,
    /// The whole policy, as JSON.
    pub(super) policy: String,
    /// The rules that found something.
    pub(super) rules: Vec<Rule>,
    /// The ids of those that found nothing.
    pub(super) silent: String,
}

/// A rule.
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) platforms: String,
    pub(super) controls: String,
}

pub(super) fn accepted(judged: &Judged<'_>) -> Accepted {
    let exceptions = json::exceptions(judged);
    let counts = &judged.counts;
    let mut verdict = format!(
        "{} waived, {} allowed, {} in the baseline.",
        number(counts.waived.total()),
        number(counts.allowed.total()),
        number(counts.baseline.total())
    );
    if let Some(baseline) = &exceptions.baseline {
        verdict.push_str(&format!(" The baseline is of {}.", baseline.judged_at.date()));
    }
    let waivers = exceptions.waivers.iter().map(|used| entry("waiver", used));
    let allowed = exceptions.allowed.iter().map(|used| entry("allowed", used));
    let all = exceptions.waivers.len() + exceptions.allowed.len();
    Accepted {
        verdict,
        entries: waivers.chain(allowed).take(NAMED).collect(),
        left_out: all.saturating_sub(NAMED),
        warnings: exceptions.warnings.iter().map(|warning| sentence(warning)).collect(),
    }
}

fn entry(kind: &'static str, used: &Used) -> Entry {
    let rules: Vec<String> = used.rules.iter().map(|rule| name(rule)).collect();
    let beyond: Vec<String> = used.beyond.iter().map(|more| sentence(more)).collect();
    let broken = (used.broken > 0)
        .then(|| format!("broken for {}: {}", counted(used.broken, "finding"), beyond.join("; ")));
    let over = used.over.then(|| "its end has come".to_owned());
    let trouble: Vec<String> = over.into_iter().chain(broken).collect();
    Entry {
        kind,
        subject: sentence(&used.subject),
        rules: if rules.is_empty() { "this finding".to_owned() } else { rules.join(", ") },
        owner: used.owner.as_deref().map_or_else(|| "nobody named".to_owned(), name),
        until: used.until.clone().unwrap_or_else(|| "for good".to_owned()),
        reason: sentence(&used.reason),
        holds: number(used.findings),
        trouble: (!trouble.is_empty()).then(|| trouble.join("; ")),
    }
}

pub(super) fn basis<'t>(
    judged: &Judged<'_>,
    texts: impl IntoIterator<Item = (&'t String, &'t RuleText)>,
) -> Result<Basis, JudgeError> {
    let policy = judged.policy();
    let off = judged.switched_off();
    let limit = policy.fail_on.severity();
    let settings = vec![
        (
            "A scan fails on findings",
            limit.map_or_else(|| "never".to_owned(), |least| format!("of {least} or graver")),
        ),
        ("A grant is stale if nobody used it for", policy.stale_after.to_string()),
        ("A grant is durable if it lives longer than", policy.durable_after.to_string()),
        (
            "An incomplete scan may pass",
            if policy.allow_incomplete { "yes" } else { "no" }.to_owned(),
        ),
        (
            "Rules switched off",
            if off.is_empty() { "none".to_owned() } else { sentence(&off.join(", ")) },
        ),
        ("Rules of the policy's own", number(policy.custom.len() as u64)),
        (
            "Vendor register",
            if judged.surroundings.register.is_some() { "used" } else { "none" }.to_owned(),
        ),
        ("Program", format!("grantwarden {}", env!("CARGO_PKG_VERSION"))),
    ];
    let pretty = serde_json::to_string_pretty(policy).map_err(std::io::Error::from)?;
    let lines: Vec<String> = pretty.lines().map(super::super::plain).collect();
    let is_silent = |id: &&&str| !judged.rules.contains_key(**id) && !policy.is_off(id);
    let silent: Vec<&str> = rules::ids().iter().filter(is_silent).copied().collect();
    Ok(Basis {
        settings,
        policy: lines.join("\n"),
        rules: texts.into_iter().map(rule).collect(),
        silent: silent.join(", "),
    })
}

fn rule((id, text): (&String, &RuleText)) -> Rule {
    let platforms: Vec<String> = text.remediation.keys().map(|platform| name(platform)).collect();
    let controls: Vec<String> = text
        .controls
        .iter()
        .map(|control| format!("{} {}", control.framework, control.id))
        .collect();
    Rule {
        id: name(id),
        title: name(&text.title),
        summary: sentence(&text.summary),
        platforms: platforms.join(", "),
        controls: controls.join(", "),
    }
}
