//! What of an app itself is not as it was: where its codes go, who may use it, what its registration allows.

use std::collections::BTreeSet;

use grantwarden_kit::model::{App, Approval, Observed, Scope};

use super::{Change, NOT_SEEN_THEN, breadth};
use crate::{
    finding::{Evidence, Severity},
    rules::{
        Context, Verdicts,
        before::{self, AppBefore},
        fact, words,
    },
    vendors,
};

/// What is not as it was.
pub(super) fn changes(
    context: &Context<'_>,
    app: &App,
    then: &AppBefore,
    verdicts: &mut Verdicts,
) -> Vec<Change> {
    let mut changes: Vec<Change> = redirects(app, then, verdicts).into_iter().collect();
    if then.approval == Some(Approval::AdminApproved)
        && app.approval.known() == Some(&Approval::SelfAuthorized)
    {
        changes.push(Change {
            severity: Severity::Medium,
            text: "may now be used by anybody without an administrator's approval".to_owned(),
            evidence: vec![Evidence::new("who may use it", "any user", fact::APP_APPROVAL)],
        });
    }
    if then.blocked == Some(true) && app.blocked.known() == Some(&false) {
        changes.push(Change {
            severity: Severity::Low,
            text: "is no longer blocked".to_owned(),
            evidence: vec![Evidence::new("blocked", "not any more", fact::APP_BLOCKED)],
        });
    }
    changes.extend(registration(context, app, then, verdicts));
    changes
}

/// Where the scopes of grants are not visible, the registration is the most that they allow.
fn registration(
    context: &Context<'_>,
    app: &App,
    then: &AppBefore,
    verdicts: &mut Verdicts,
) -> Option<Change> {
    let held = context.digest.held.get(&app.id)?;
    held.unseen.as_ref()?;
    let now = match &app.scopes {
        Observed::Known(now) => now,
        Observed::Absent => return None,
        Observed::Unknown(gap) => {
            verdicts.unknown(fact::APP_SCOPES, gap);
            return None;
        }
    };
    let Some(then) = &then.scopes else {
        verdicts.unknown(fact::BEFORE_APPS, &before::nothing(NOT_SEEN_THEN));
        return None;
    };
    let added: Vec<Scope> = now.iter().filter(|scope| !then.contains(scope)).cloned().collect();
    if added.is_empty() {
        return None;
    }
    let set = context.catalog.assess_set(&added, held.kind);
    let value = format!("{}: {}", set.names(), set.sentence(held.kind));
    Some(Change {
        severity: breadth(&set),
        text: format!("may ask for more scopes ({}) than it could", set.names()),
        evidence: vec![Evidence::new("new scopes, at most", value, fact::APP_SCOPES)],
    })
}

/// Domains that the app's codes and tokens may be sent to now and could not.
fn redirects(app: &App, then: &AppBefore, verdicts: &mut Verdicts) -> Option<Change> {
    let now = match &app.redirect_domains {
        Observed::Known(now) => now,
        Observed::Absent => return None,
        Observed::Unknown(gap) => {
            verdicts.unknown(fact::APP_REDIRECT_DOMAINS, gap);
            return None;
        }
    };
    let Some(then) = &then.redirect_domains else {
        let detail = "the earlier scan did not see the redirect domains of some apps";
        verdicts.unknown(fact::BEFORE_APPS, &before::nothing(detail));
        return None;
    };
    let added: Vec<&String> = now.iter().filter(|host| !then.contains(*host)).collect();
    let severity = added.iter().map(|host| severity_of_host(host, then)).max()?;
    let value = words::some(&added, 5);
    let had: Vec<&String> = then.iter().collect();
    let had = if had.is_empty() { "none".to_owned() } else { words::some(&had, 5) };
    Some(Change {
        severity,
        text: format!("may send its users' codes to {value}, where it could not send them"),
        evidence: vec![
            Evidence::new("new redirect domains", value, fact::APP_REDIRECT_DOMAINS),
            Evidence::new("redirect domains then", had, fact::BEFORE_APPS),
        ],
    })
}

/// A domain of another owner is high. Another host of an owner that was there, or the user's own machine, is what developers do.
fn severity_of_host(host: &str, then: &BTreeSet<String>) -> Severity {
    let is_own_machine = host == "localhost" || host == "127.0.0.1" || host == "[::1]";
    let owner = vendors::registrable(host);
    let had = |owner| then.iter().any(|other| vendors::registrable(other) == owner);
    match owner {
        _ if is_own_machine => Severity::Low,
        Some(owner) if had(Some(owner.clone())) => Severity::Medium,
        _ => Severity::High,
    }
}
