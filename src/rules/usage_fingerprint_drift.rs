//! `usage-fingerprint-drift`: an app that is used in another way than it ever was: by another program, from another network, on other
//! data, or far more often.
//!
//! Compares an app with its own past in the same log, never with other apps.

mod parts;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use grantwarden_kit::{
    manifest::Holding,
    model::{App, Origin, Usage},
};

use super::{
    Context, Meta, Problem, Reference, Remedy, Rule, Seen, Verdicts, before, controls, fact,
    new_or_changed_grant::is_sandbox,
    operations::{self, covered, is_of, short},
    words,
};
use crate::{
    finding::{Confidence, Evidence, Severity},
    policy::{AnyParameter, Parameter, Span},
};
use parts::{Change, Part};

pub(super) struct UsageFingerprintDrift;

static META: Meta = Meta {
    id: "usage-fingerprint-drift",
    title: "App is used in another way than before",
    severity: Severity::Low,
    summary: "The program, API version, network, objects or volume of an app's calls differ from the app's own past.",
    why: "A thief has the vendor's token and not the vendor's programs. With Klue's tokens every part changed at once (2026): agent, API \
          version and network; Drift's were used from networks that Drift never used (August 2025).",
    incidents: &["klue-2026", "salesloft-drift-2025", "gainsight-2025"],
    remedies: &[Remedy::RevokeGrant, Remedy::RestrictNetwork],
    references: &[
        Reference {
            title: "Obsidian Security: the Klue integration supply chain attack",
            url: "https://www.obsidiansecurity.com/blog/icarus-klue-salesforce-integration-supply-chain-attack",
        },
        Reference {
            title: "MITRE ATT&CK T1550.001: Use Alternate Authentication Material, Application Access Token",
            url: "https://attack.mitre.org/techniques/T1550/001/",
        },
    ],
    parameters: &[AnyParameter::Span(&PAST), AnyParameter::Number(&TIMES)],
    controls: &[controls::USE_TOKEN],
    needs: &[fact::USAGE, fact::BEFORE_USAGE],
};

static PAST: Parameter<Span> = Parameter {
    rule: "usage-fingerprint-drift",
    key: "past",
    default: Span::days(30),
    meaning: "how much of an app's past must be known before anything counts as new",
};
static TIMES: Parameter<u64> = Parameter {
    rule: "usage-fingerprint-drift",
    key: "times",
    default: 10,
    meaning: "so many times the usual events a day are a change of volume",
};

impl Rule for UsageFingerprintDrift {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn tenant(&self, context: &Context<'_>, _: &Seen<'_>, verdicts: &mut Verdicts) {
        let logs: BTreeSet<&str> =
            context.digest.usage.iter().map(|usage| usage.log.as_str()).collect();
        if logs.is_empty() {
            verdicts.unknown(fact::USAGE, &operations::no_usage(context));
            return;
        }
        let before = match context.before() {
            Ok(before) => before,
            Err(gap) => return verdicts.unknown(fact::BEFORE_USAGE, &gap),
        };
        let needed = context.policy.get(&PAST).duration();
        for log in logs {
            let covered = covered(before.usage.of_log(log));
            if covered < needed {
                verdicts.unknown(fact::BEFORE_USAGE, &before::nothing(short(log, covered, needed)));
            }
        }
    }

    fn app(&self, context: &Context<'_>, app: &App, verdicts: &mut Verdicts) {
        let Ok(before) = context.before() else { return };
        let mut changes: Vec<Logged<'_>> = Vec::new();
        let mut by_name = false;
        let all = before.usage.of_app(app);
        for usage in context.digest.usage.iter().filter(|usage| is_of(usage, app)) {
            let past: Vec<&Usage> =
                all.iter().copied().filter(|past| past.log == usage.log).collect();
            if past.is_empty() && usage.events > 0 && was_not_in(context, app, &usage.log) {
                by_name |= is_by_name(usage, app);
                changes.push((&usage.log, Change::first(usage)));
                continue;
            }
            // A log that is too short the tenant tells; an app that has no past in it has none to differ from.
            if covered(past.iter().copied()) < context.policy.get(&PAST).duration() {
                continue;
            }
            let found = parts::changes(usage, &past, context.policy.get(&TIMES));
            if found.cannot_tell {
                let gap = operations::too_many(context);
                verdicts.unknown(fact::BEFORE_USAGE, &gap);
            }
            if !found.changes.is_empty() {
                by_name |= is_by_name(usage, app);
            }
            changes.extend(found.changes.into_iter().map(|change| (usage.log.as_str(), change)));
        }
        if changes.is_empty() {
            return;
        }
        let harmless = app.origin == Origin::Platform || is_sandbox(context);
        verdicts.find(Problem {
            severity: if harmless { Severity::Info } else { severity(&changes) },
            confidence: Confidence::with_reservations(usize::from(by_name)),
            message: message(app, &changes),
            evidence: evidence(&changes, before),
        });
    }
}

/// A change, after the log that it is in.
type Logged<'a> = (&'a str, Change);

/// Whether the app was there at the time of an earlier scan, and a log that was read whole and for long enough did not have it.
fn was_not_in(context: &Context<'_>, app: &App, log: &str) -> bool {
    let Ok(before) = context.comparable(Holding::Usage) else { return false };
    before.apps.contains_key(&app.id)
        && covered(before.usage.of_log(log)) >= context.policy.get(&PAST).duration()
}

fn is_by_name(usage: &Usage, app: &App) -> bool {
    usage.app == app.name && usage.app != app.id
}

/// Two parts are no accident, whichever logs they are in; the same part in two logs is one. An address alone is noise, and a step up of the
/// API version is what updates do.
fn severity(changes: &[Logged<'_>]) -> Severity {
    let parts: BTreeSet<Part> = changes.iter().map(|(_, change)| change.part).collect();
    let is_update = changes.iter().all(|(_, change)| change.is_update);
    match parts.first() {
        Some(_) if parts.len() > 1 => Severity::High,
        None | Some(Part::Network) => Severity::Info,
        Some(_) if is_update => Severity::Info,
        Some(_) => Severity::Low,
    }
}

fn message(app: &App, changes: &[Logged<'_>]) -> String {
    let said: BTreeSet<(Part, &str)> =
        changes.iter().map(|(_, change)| (change.part, change.now.as_str())).collect();
    let said: Vec<String> =
        said.into_iter().map(|(part, now)| format!("{} {now}", part.noun())).collect();
    let end = match severity(changes) {
        Severity::High => "so many parts change at once when somebody else has the token",
        _ => "ask the vendor if nobody here knows why",
    };
    format!("{} is used in a way that it never was: {}; {end}.", app.name, said.join(", "))
}

fn evidence(changes: &[Logged<'_>], before: &before::TenantBefore) -> Vec<Evidence> {
    let mut evidence: Vec<Evidence> = changes
        .iter()
        .map(|(log, change)| {
            let value = format!("{}; before: {} ({log})", change.now, change.then);
            Evidence::new(
                change.part.noun(),
                value,
                format!("{}.{}", fact::USAGE, change.part.list()),
            )
        })
        .collect();
    let logs: BTreeSet<&str> = changes.iter().map(|(log, _)| *log).collect();
    for log in logs {
        let past = covered(before.usage.of_log(log));
        let value = format!("{log}: {} in earlier scans", words::span(past));
        evidence.push(Evidence::new("compared with", value, fact::BEFORE_USAGE));
    }
    evidence
}
