//! `credential-added`: a secret, key or certificate that was put on an app that was there.
//!
//! By comparison with an earlier scan, and within one scan by the dates: a young credential beside an old one that lives on. A rotation
//! takes the old one away, and is told apart by that.

use std::time::Duration;

use grantwarden_kit::{
    manifest::Holding,
    model::{App, Credential, Observed, Origin, Timestamp},
};

use super::{
    Context, Meta, Problem, Reference, Remedy, Rule, Seen, Verdicts, before, before::AppBefore,
    controls, fact, new_or_changed_grant::is_sandbox, words,
};
use crate::{
    finding::{Confidence, Evidence, Severity},
    policy::{AnyParameter, Parameter, Span},
    scopes::Kind,
};

pub(super) struct CredentialAdded;

static META: Meta = Meta {
    id: "credential-added",
    title: "App has a credential that it did not have",
    severity: Severity::Medium,
    summary: "A secret, key or certificate was added to an app that was there already, and no old one went away for it.",
    why: "Who can add a secret to an app has everything that the app was ever granted, without asking anybody. Silk Typhoon (2025) and \
          Storm-1283 (2023) added secrets to apps that administrators had approved long before.",
    incidents: &["silk-typhoon-2025", "storm-1283-2023", "commvault-metallic-2025"],
    remedies: &[Remedy::RevokeGrant, Remedy::SetExpiry, Remedy::RestrictNetwork],
    references: &[
        Reference {
            title: "Microsoft: Silk Typhoon targeting IT supply chain",
            url: "https://www.microsoft.com/en-us/security/blog/2025/03/05/silk-typhoon-targeting-it-supply-chain/",
        },
        Reference {
            title: "MITRE ATT&CK T1098.001: Account Manipulation, Additional Cloud Credentials",
            url: "https://attack.mitre.org/techniques/T1098/001/",
        },
    ],
    parameters: &[AnyParameter::Span(&RECENT)],
    controls: &[controls::ADD_CREDENTIALS],
    needs: &[fact::BEFORE_CREDENTIALS],
};

static RECENT: Parameter<Span> = Parameter {
    rule: "credential-added",
    key: "recent",
    default: Span::days(30),
    meaning: "where no earlier scan tells, a credential that is younger counts as added; one that ends sooner is on its way out",
};
/// How far from its making the log may speak of a credential.
const AROUND: Duration = Duration::from_secs(86_400);
/// Entries of the log that a finding names.
const NAMED: usize = 2;

impl Rule for CredentialAdded {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn tenant(&self, context: &Context<'_>, _: &Seen<'_>, verdicts: &mut Verdicts) {
        let holds =
            |facet: &grantwarden_kit::manifest::Facet| facet.holds.contains(&Holding::Credentials);
        // Some platforms have no credentials of apps.
        if !context.facets.iter().any(holds) {
            return;
        }
        if let Err(gap) = context.comparable(Holding::Credentials) {
            verdicts.unknown(fact::BEFORE_CREDENTIALS, &gap);
        }
    }

    fn credential(
        &self,
        context: &Context<'_>,
        app: Option<&App>,
        credential: &Credential,
        verdicts: &mut Verdicts,
    ) {
        if !is_live(credential, context.now) {
            return;
        }
        let others = Others::of(context, credential);
        let Some(added) = added(context, credential, &others, verdicts) else { return };
        let severity = severity(context, app, credential, &added, &others);
        let mut evidence = evidence(context, credential, &added, &others);
        evidence.extend(log_evidence(context, app, credential));
        verdicts.find(Problem {
            severity,
            confidence: Confidence::High,
            message: message(app, credential, &added, &others),
            evidence,
        });
    }
}

/// How a credential came to be there.
enum Added {
    /// It was not there at the time of an earlier scan, and one that was is gone.
    Rotated(Timestamp),
    /// It was not there at the time of an earlier scan.
    Since(Timestamp),
    /// It was made on that day, and no earlier scan tells more.
    On(Timestamp),
}

/// The other credentials of the app that work.
struct Others<'a> {
    live: Vec<&'a Credential>,
}

impl<'a> Others<'a> {
    fn of(context: &Context<'a>, credential: &Credential) -> Self {
        let all = context.digest.credentials.get(&credential.app);
        let live = all
            .into_iter()
            .flatten()
            .filter(|other| other.id != credential.id && is_live(other, context.now));
        Self { live: live.collect() }
    }

    /// Whether all of them end soon: a rotation that is under way.
    fn end_soon(&self, context: &Context<'_>) -> bool {
        let soon = context.now.plus(context.policy.get(&RECENT).duration());
        !self.live.is_empty()
            && self
                .live
                .iter()
                .all(|other| matches!(other.expires_at, Observed::Known(end) if end <= soon))
    }
}

fn is_live(credential: &Credential, now: Timestamp) -> bool {
    !matches!(credential.expires_at, Observed::Known(end) if end <= now)
}

fn added(
    context: &Context<'_>,
    credential: &Credential,
    others: &Others<'_>,
    verdicts: &mut Verdicts,
) -> Option<Added> {
    if let Ok(before) = context.comparable(Holding::Credentials)
        && context.comparable(Holding::Apps).is_ok()
    {
        // A new app comes with its credential; its grants are what is new.
        let then = before.apps.get(&credential.app)?;
        if !then.credentials.contains(&credential.id) {
            return Some(if is_rotation(context, credential, then) {
                Added::Rotated(before.taken_at)
            } else {
                Added::Since(before.taken_at)
            });
        }
    }
    if others.live.is_empty() {
        return None;
    }
    let made = match &credential.created_at {
        Observed::Known(made) => *made,
        Observed::Absent => return None,
        Observed::Unknown(gap) => {
            verdicts.unknown(fact::CREDENTIAL_CREATED_AT, gap);
            return None;
        }
    };
    // The oldest of them did not come on top of anything.
    let is_later = others
        .live
        .iter()
        .any(|other| !matches!(other.created_at, Observed::Known(older) if older >= made));
    let is_recent =
        made.until(context.now) <= context.policy.get(&RECENT).duration() && made <= context.now;
    (is_recent && is_later).then_some(Added::On(made))
}

/// Whether a credential that worked and is gone stands for this one; who tidies up what had ended replaces nothing. Of several new ones the first take the places of those that are gone.
fn is_rotation(context: &Context<'_>, credential: &Credential, then: &AppBefore) -> bool {
    let Some(now) = context.digest.credentials.get(&credential.app) else { return false };
    let worked = then.credentials.difference(&then.ended);
    let gone = worked.filter(|id| now.iter().all(|other| other.id != **id)).count();
    let mut new: Vec<(Option<Timestamp>, &str)> = now
        .iter()
        .filter(|other| !then.credentials.contains(&other.id))
        .map(|other| (other.created_at.known().copied(), other.id.as_str()))
        .collect();
    new.sort_unstable();
    new.iter().position(|(_, id)| *id == credential.id).is_some_and(|place| place < gone)
}

fn severity(
    context: &Context<'_>,
    app: Option<&App>,
    credential: &Credential,
    added: &Added,
    others: &Others<'_>,
) -> Severity {
    let is_platform = app.is_some_and(|app| app.origin == Origin::Platform);
    if is_platform || is_sandbox(context) || matches!(added, Added::Rotated(_)) {
        return Severity::Info;
    }
    if others.end_soon(context) {
        return Severity::Low;
    }
    if acts_alone(context, credential) { Severity::High } else { Severity::Medium }
}

/// Whether a grant lets the app act without a user, so that its credential is all that is needed.
fn acts_alone(context: &Context<'_>, credential: &Credential) -> bool {
    let held = context.digest.held.get(&credential.app);
    held.is_some_and(|held| held.kind == Kind::AppOnly)
}

fn message(
    app: Option<&App>,
    credential: &Credential,
    added: &Added,
    others: &Others<'_>,
) -> String {
    let name = app.map_or(&credential.app, |app| &app.name);
    let what = words::credential(credential.kind).trim_start_matches("the ");
    match added {
        Added::Rotated(then) => format!(
            "{name} has a new {what}, and an old credential is gone since the scan of {}: it was rotated.",
            then.date()
        ),
        Added::Since(then) if others.live.is_empty() => format!(
            "{name} has a {what} and had none at the scan of {}: whoever added it can use everything that the app was granted.",
            then.date()
        ),
        Added::Since(then) => format!(
            "{name} has one more {what} since the scan of {}, and the old ones still work: whoever added it can use everything that \
             the app was granted.",
            then.date()
        ),
        Added::On(made) => format!(
            "{name} got one more {what} on {}, and an older credential still works: whoever added it can use everything that the app \
             was granted.",
            made.date()
        ),
    }
}

fn evidence(
    context: &Context<'_>,
    credential: &Credential,
    added: &Added,
    others: &Others<'_>,
) -> Vec<Evidence> {
    let made = |credential: &Credential| match &credential.created_at {
        Observed::Known(at) => format!("made on {}", at.date()),
        Observed::Absent | Observed::Unknown(_) => "made on a day that is not visible".to_owned(),
    };
    let mut evidence = vec![Evidence::new(
        "new credential",
        format!("{}, {}", credential.id, made(credential)),
        fact::CREDENTIAL_CREATED_AT,
    )];
    let live: Vec<String> =
        others.live.iter().map(|other| format!("{} ({})", other.id, made(other))).collect();
    let live = if live.is_empty() { "none".to_owned() } else { words::some(&live, 3) };
    evidence.push(Evidence::new("others that work", live, fact::CREDENTIAL_CREATED_AT));
    if acts_alone(context, credential) {
        let value = "without a user: the credential is all that is needed";
        evidence.push(Evidence::new("the app acts", value, fact::HOLDER));
    }
    if let Added::Rotated(then) | Added::Since(then) = added {
        let value = format!("the scan of {}", then.date());
        evidence.push(Evidence::new("compared with", value, before::FACET));
    }
    evidence
}

/// What the platform's own log says around that time and names the app. A name is no proof: it is shown, and nothing rests on it.
fn log_evidence(
    context: &Context<'_>,
    app: Option<&App>,
    credential: &Credential,
) -> Vec<Evidence> {
    let (Some(app), Some(made)) = (app, credential.created_at.known()) else { return Vec::new() };
    let entries = context.digest.changes.iter().filter(|event| {
        event.at.until(*made) <= AROUND
            && made.until(event.at) <= AROUND
            && !app.name.is_empty()
            && event.summary.contains(&app.name)
    });
    let evidence = entries.take(NAMED).map(|event| {
        let by = event.actor.known().map_or_else(String::new, |actor| format!(", by {actor}"));
        let value = format!("{}: {}{by}", event.at.date(), event.summary);
        Evidence::new("the log says", value, format!("audit event {}", event.id))
    });
    evidence.collect()
}

#[cfg(test)]
mod tests;
