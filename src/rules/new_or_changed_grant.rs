//! `new-or-changed-grant`: what apps can do now that they could not do at the time of an earlier scan.
//!
//! Judges the difference, not the state: what a grant allows is other rules' business. Without an earlier scan nothing is new.

mod apps;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use grantwarden_kit::{
    manifest::Holding,
    model::{App, Approval, GrantKind, Observed, Origin, Scope},
};

use super::{
    Context, GrantView, Meta, Problem, Reference, Remedy, Rule, Seen, Verdicts,
    before::{self, GrantBefore, Stance, TenantBefore},
    controls, fact, words,
};
use crate::{
    finding::{Confidence, Evidence, Severity},
    scopes::{Kind, SetAssessment},
};

pub(super) struct NewOrChangedGrant;

static META: Meta = Meta {
    id: "new-or-changed-grant",
    title: "App can do more than at the last scan",
    severity: Severity::Medium,
    summary: "A grant, a scope or a redirect address is new since an earlier scan, or what limited a grant is gone.",
    why: "The day before a consent phishing there is nothing to find: only the difference shows it. Storm-1283 added consents and \
          secrets to apps that were there (2023), and whoever adds a redirect address to an app gets its codes without any consent.",
    incidents: &[
        "storm-1283-2023",
        "oauth-app-impersonation-2025",
        "midnight-blizzard-2024",
        "google-docs-worm-2017",
        "first-party-client-phish-2025",
    ],
    remedies: &[Remedy::RevokeGrant, Remedy::NarrowScopes, Remedy::RestrictConsent],
    references: &[
        Reference {
            title: "Microsoft: threat actors misuse OAuth applications to automate financially driven attacks",
            url: "https://www.microsoft.com/en-us/security/blog/2023/12/12/threat-actors-misuse-oauth-applications-to-automate-financially-driven-attacks/",
        },
        Reference {
            title: "MITRE ATT&CK T1528: Steal Application Access Token",
            url: "https://attack.mitre.org/techniques/T1528/",
        },
    ],
    parameters: &[],
    controls: &[controls::INTEGRATE, controls::ADD_ROLES],
    needs: &[fact::BEFORE_GRANTS, fact::GRANT_SCOPES],
};

/// One thing that is not as it was.
struct Change {
    severity: Severity,
    /// To follow the name of what changed.
    text: String,
    evidence: Vec<Evidence>,
}

impl Rule for NewOrChangedGrant {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn tenant(&self, context: &Context<'_>, _: &Seen<'_>, verdicts: &mut Verdicts) {
        for (fact, kind) in
            [(fact::BEFORE_GRANTS, Holding::Grants), (fact::BEFORE_APPS, Holding::Apps)]
        {
            if let Err(gap) = context.comparable(kind) {
                verdicts.unknown(fact, &gap);
            }
        }
    }

    fn app(&self, context: &Context<'_>, app: &App, verdicts: &mut Verdicts) {
        // That there is nothing to compare with, the tenant says once.
        let Ok(before) = context.comparable(Holding::Apps) else { return };
        let Some(then) = before.apps.get(&app.id) else { return };
        let changes = apps::changes(context, app, then, verdicts);
        let harmless = is_sandbox(context)
            || app.origin == Origin::Platform
            || app.blocked.known() == Some(&true);
        find(before, &app.name, harmless, Confidence::High, changes, verdicts);
    }

    fn grant(&self, view: &GrantView<'_>, verdicts: &mut Verdicts) {
        let Ok(before) = view.context.comparable(Holding::Grants) else { return };
        if view.is_expired() {
            return;
        }
        let changes = match before.grants.find(&view.grant.id) {
            Some(then) => changes_of_grant(view, &then, verdicts),
            None => new_grant(view, before, verdicts),
        };
        let harmless =
            is_sandbox(view.context) || view.origin() == Origin::Platform || view.is_blocked();
        let noun = words::capital(&view.noun());
        find(before, &noun, harmless, view.confidence_in_scopes(), changes, verdicts);
    }
}

/// A test copy of a tenant changes all the time, and holds nothing that matters. Not visible counts as real.
pub(super) fn is_sandbox(context: &Context<'_>) -> bool {
    context.tenant.is_some_and(|tenant| tenant.sandbox.known() == Some(&true))
}

fn find(
    before: &TenantBefore,
    what: &str,
    harmless: bool,
    confidence: Confidence,
    changes: Vec<Change>,
    verdicts: &mut Verdicts,
) {
    let Some(gravest) = changes.iter().map(|change| change.severity).max() else { return };
    let texts: Vec<&str> = changes.iter().map(|change| change.text.as_str()).collect();
    let date = before.taken_at.date();
    let message = format!("{what} {}, since the scan of {date}.", texts.join("; it "));
    let mut evidence: Vec<Evidence> =
        changes.into_iter().flat_map(|change| change.evidence).collect();
    evidence.push(Evidence::new("compared with", format!("the scan of {date}"), before::FACET));
    verdicts.find(Problem {
        severity: if harmless { Severity::Info } else { gravest },
        confidence,
        message,
        evidence,
    });
}

/// A grant that was not there.
fn new_grant(view: &GrantView<'_>, before: &TenantBefore, verdicts: &mut Verdicts) -> Vec<Change> {
    // The same app for the same holder under another id: a token was given again, or it became another record.
    if is_one_per_holder(view.grant.kind)
        && let Some(held) = before.grants.held_for(view.grant)
    {
        return given_again(view, &held, verdicts);
    }
    view.is_broad().report(verdicts);
    let severity = match view.scopes() {
        Some(set) => consented(view, set, verdicts),
        None => Severity::Medium,
    };
    let known = before.apps.get(&view.grant.app).is_some_and(|app| !app.held.is_empty());
    let others = if known { "it held other grants" } else { "it held no grant" };
    let mut evidence = vec![view.scope_evidence(), given_evidence(view)];
    evidence.extend(view.approval_evidence());
    evidence.push(Evidence::new("the app then", others, fact::BEFORE_GRANTS));
    vec![Change { severity, text: format!("is new and lets it {}", view.power()), evidence }]
}

/// Whether another grant of a kind for the same holder stands for the same consent. Of tokens, keys and webhooks a holder has as many as it
/// likes, and each is a way in of its own.
const fn is_one_per_holder(kind: GrantKind) -> bool {
    !matches!(
        kind,
        GrantKind::PersonalToken | GrantKind::ApiToken | GrantKind::Key | GrantKind::Webhook
    )
}

fn given_again(
    view: &GrantView<'_>,
    held: &GrantBefore<'_>,
    verdicts: &mut Verdicts,
) -> Vec<Change> {
    let mut changes = Vec::new();
    match &held.scopes {
        Some(scopes) => changes.extend(growth(view, scopes, verdicts)),
        None => verdicts.unknown(fact::BEFORE_GRANTS, &before::nothing(NOT_SEEN_THEN)),
    }
    changes.extend(loosened(view, held));
    if changes.is_empty() {
        changes.push(consent(view));
    }
    changes
}

const NOT_SEEN_THEN: &str = "the earlier scan did not see the scopes of some grants";

/// A grant that was there.
fn changes_of_grant(
    view: &GrantView<'_>,
    then: &GrantBefore<'_>,
    verdicts: &mut Verdicts,
) -> Vec<Change> {
    let mut changes = Vec::new();
    match &then.scopes {
        Some(scopes) => changes.extend(growth(view, scopes, verdicts)),
        // Seen neither then nor now: what the registration allows is compared with the app.
        None if view.grant.scopes.gap().is_some() => not_seen(view, verdicts),
        None => verdicts.unknown(fact::BEFORE_GRANTS, &before::nothing(NOT_SEEN_THEN)),
    }
    changes.extend(loosened(view, then));
    let again = view.grant.granted_at.known().zip(then.granted_at);
    if again.is_some_and(|(now, then)| now.as_second() > then.as_second()) {
        changes.push(consent(view));
    }
    changes
}

/// A consent that adds nothing.
fn consent(view: &GrantView<'_>) -> Change {
    Change {
        severity: Severity::Info,
        text: "was given again".to_owned(),
        evidence: vec![given_evidence(view)],
    }
}

fn not_seen(view: &GrantView<'_>, verdicts: &mut Verdicts) {
    let of_app = view.app.is_some_and(|app| app.scopes.gap().is_none());
    if let (Some(gap), false) = (view.grant.scopes.gap(), of_app) {
        verdicts.unknown(fact::GRANT_SCOPES, gap);
    }
}

/// Scopes that the grant has now and had not.
fn growth(
    view: &GrantView<'_>,
    then: &BTreeSet<&Scope>,
    verdicts: &mut Verdicts,
) -> Option<Change> {
    let now = match &view.grant.scopes {
        Observed::Known(scopes) => scopes,
        Observed::Absent => return None,
        Observed::Unknown(gap) => {
            verdicts.unknown(fact::GRANT_SCOPES, gap);
            return None;
        }
    };
    let added: Vec<Scope> = now.iter().filter(|scope| !then.contains(scope)).cloned().collect();
    if added.is_empty() {
        return None;
    }
    let kind = Kind::of(view.grant);
    let catalog = view.context.catalog;
    let had: Vec<Scope> = then.iter().map(|scope| (*scope).clone()).collect();
    let had = catalog.assess_set(&had, kind);
    let set = catalog.assess_set(&added, kind);
    let is_named_only = added.iter().all(|scope| had.implied.contains(&scope.name.as_str()));
    let severity = if is_named_only { Severity::Info } else { consented(view, &set, verdicts) };
    let names: Vec<&str> = added.iter().map(|scope| scope.name.as_str()).collect();
    let text = format!(
        "got {} more ({}) and can now also {}",
        words::counted(added.len() as u64, "scope"),
        words::some(&names, 5),
        set.power(&view.who())
    );
    let value = format!("{}: {}", set.names(), set.sentence(kind));
    let mut evidence = vec![Evidence::new("new scopes", value, fact::GRANT_SCOPES)];
    evidence.push(Evidence::new("scopes then", had.names(), fact::BEFORE_GRANTS));
    evidence.extend(view.approval_evidence());
    Some(Change { severity, text, evidence })
}

/// New and broad by a user's own consent is high; else breadth decides.
fn consented(view: &GrantView<'_>, set: &SetAssessment<'_>, verdicts: &mut Verdicts) -> Severity {
    let severity = breadth(set);
    if severity < Severity::Medium {
        return severity;
    }
    match &view.grant.approval {
        Observed::Known(Approval::SelfAuthorized) | Observed::Absent => Severity::High,
        Observed::Known(Approval::AdminApproved) => severity,
        Observed::Unknown(gap) => {
            verdicts.unknown(fact::GRANT_APPROVAL, gap);
            severity
        }
    }
}

/// A scope that the catalog does not have may reach anything.
fn breadth(set: &SetAssessment<'_>) -> Severity {
    match set.severity {
        _ if set.broad || set.derived => Severity::Medium,
        Severity::Info => Severity::Info,
        _ => Severity::Low,
    }
}

/// Limits that are gone.
fn loosened(view: &GrantView<'_>, then: &GrantBefore<'_>) -> Vec<Change> {
    let severity = view.scopes().map_or(Severity::Medium, |set| breadth(set).max(Severity::Low));
    let change = |text: &str, evidence: Evidence| Change {
        severity,
        text: text.to_owned(),
        evidence: vec![evidence],
    };
    let mut changes = Vec::new();
    let stance = Stance::of(&view.grant.approval);
    if (then.approval, stance) == (Stance::Administrator, Stance::User) {
        let by = Evidence::new("approved by", "no administrator any more", fact::GRANT_APPROVAL);
        changes.push(change("no longer has an administrator's approval", by));
    }
    if (then.restricted, before::restricted(&view.grant.network)) == (Some(true), Some(false)) {
        changes.push(change("works from any network", view.network_evidence()));
    }
    if (then.ends, before::ends(&view.grant.expires)) == (Some(true), Some(false)) {
        changes.push(change("no longer ends by itself", view.life_evidence()));
    }
    changes
}

fn given_evidence(view: &GrantView<'_>) -> Evidence {
    let value = match (&view.grant.granted_at, &view.grant.granted_by) {
        (Observed::Known(at), Observed::Known(by)) => format!("on {} by {by}", at.date()),
        (Observed::Known(at), _) => format!("on {}", at.date()),
        (_, Observed::Known(by)) => format!("by {by}, on a day that is not visible"),
        _ => "on a day that is not visible".to_owned(),
    };
    Evidence::new("given", value, fact::GRANT_GRANTED_AT)
}
