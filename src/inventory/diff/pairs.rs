//! Apps and credentials of a tenant: new, gone, or not as they were.

use std::collections::{BTreeMap, BTreeSet};

use grantwarden_kit::{
    manifest::Holding,
    model::{App, Credential, CredentialKind, Observed, Timestamp},
};

use super::{
    Change, Found, Kind, Subject, SubjectKind, TenantOutline, What,
    blanks::Blanks,
    compare::{Compared, Delta},
    coverage::Withheld,
    tenants::Pair,
};
use crate::finding::AppRef;

/// Compares the apps.
pub(super) fn apps(
    pair: &Pair<'_>,
    old: &TenantOutline,
    new: &TenantOutline,
    withheld: &Withheld,
    blanks: &mut Blanks<'_>,
    found: &mut Found,
) {
    for app in new.apps.values() {
        let Some(then) = old.apps.get(&app.id) else {
            match withheld.of_new(Holding::Apps) {
                Some(key) => blanks.hold_back(key, 1),
                None => add_app(pair, app, Kind::AppNew, Delta::default(), found),
            }
            continue;
        };
        let compared = Compared::apps(then, app);
        for (fact, old, new) in compared.unseen {
            blanks.fact(fact, old, new, 1);
        }
        for (kind, delta) in compared.deltas {
            add_app(pair, app, kind, delta, found);
        }
    }
    for app in old.apps.values().filter(|app| !new.apps.contains_key(&app.id)) {
        match withheld.of_gone(Holding::Apps) {
            Some(key) => blanks.hold_back(key, 1),
            None => add_app(pair, app, Kind::AppGone, Delta::default(), found),
        }
    }
}

fn add_app(pair: &Pair<'_>, app: &App, kind: Kind, delta: Delta, found: &mut Found) {
    let subject = Subject { kind: SubjectKind::App, id: app.id.clone(), label: app.name.clone() };
    let name = &app.name;
    let (added, removed) = (delta.added.join(", "), delta.removed.join(", "));
    let message = match kind {
        Kind::AppNew => format!("{name} ({}) is new.", app.kind),
        Kind::AppGone => format!("{name} ({}) is gone.", app.kind),
        Kind::Blocked => format!("{name} is blocked now."),
        Kind::Unblocked => format!("{name} is no longer blocked."),
        Kind::Widened => format!("The registration of {name} allows more scopes: {added}."),
        Kind::Narrowed => format!("The registration of {name} allows fewer scopes: not {removed}."),
        Kind::RedirectsChanged => {
            format!("The redirect domains of {name} changed: {}.", what_changed(&delta))
        }
        Kind::ApprovalChanged => format!("Who may use {name} changed: {}.", what_changed(&delta)),
        _ => format!("The publisher of {name} changed: {}.", what_changed(&delta)),
    };
    let change = make(pair, kind, subject, &app.id, delta, message);
    let held = What::Held(Box::new(change));
    let place = found.app(pair, &app.id, &app.name);
    found.add(place, kind, &app.id, held);
}

/// `with a, without b`, or `was a, is b`.
pub(super) fn what_changed(delta: &Delta) -> String {
    let mut parts = Vec::new();
    if let Some(before) = &delta.before {
        parts.push(format!("was {before}"));
    }
    if let Some(after) = &delta.after {
        parts.push(format!("is {after}"));
    }
    if !delta.added.is_empty() {
        parts.push(format!("with {}", delta.added.join(", ")));
    }
    if !delta.removed.is_empty() {
        parts.push(format!("without {}", delta.removed.join(", ")));
    }
    parts.join(", ")
}

/// A change that is about an app or something of it.
pub(super) fn make(
    pair: &Pair<'_>,
    kind: Kind,
    subject: Subject,
    app: &str,
    delta: Delta,
    message: String,
) -> Change {
    let name = pair.app_name(app, "").to_owned();
    Change {
        platform: pair.platform().to_owned(),
        tenant: pair.name().to_owned(),
        kind,
        subject,
        app: Some(AppRef { id: app.to_owned(), name }),
        principal: None,
        added: delta.added,
        removed: delta.removed,
        before: delta.before,
        after: delta.after,
        grants: None,
        message,
    }
}

/// Compares the credentials. `taken_at` is when the two scans began.
pub(super) fn credentials(
    pair: &Pair<'_>,
    taken_at: [Timestamp; 2],
    withheld: &Withheld,
    blanks: &mut Blanks<'_>,
    found: &mut Found,
) {
    let Some((old, new)) = pair.old.zip(pair.new) else { return };
    let only = |here: &'_ TenantOutline, there: &TenantOutline| {
        let all = here.credentials.iter().filter(|(key, _)| !there.credentials.contains_key(*key));
        all.map(|(_, credential)| credential.clone()).collect::<Vec<_>>()
    };
    let (mut gone, mut added) = (only(old, new), only(new, old));
    if let Some(key) = withheld.of_new(Holding::Credentials) {
        blanks.hold_back(key, added.len() as u64);
        added.clear();
    }
    if let Some(key) = withheld.of_gone(Holding::Credentials) {
        blanks.hold_back(key, gone.len() as u64);
        gone.clear();
    }
    let rotated = rotations(&gone, &added, taken_at);
    let of_pair = |credential: &Credential| (credential.app.clone(), credential.id.clone());
    let mut paired = BTreeSet::new();
    for (then, now) in rotated {
        paired.extend([of_pair(then), of_pair(now)]);
        let delta = Delta::text(described(then), described(now));
        add_credential(pair, now, Kind::CredentialRotated, delta, found);
    }
    for (credentials, kind) in [(&added, Kind::CredentialAdded), (&gone, Kind::CredentialGone)] {
        for credential in credentials.iter().filter(|one| !paired.contains(&of_pair(one))) {
            let text = Some(described(credential));
            let delta = match kind {
                Kind::CredentialAdded => Delta { after: text, ..Delta::default() },
                _ => Delta { before: text, ..Delta::default() },
            };
            add_credential(pair, credential, kind, delta, found);
        }
    }
}

/// Of the credentials of one app and kind, the oldest that came take the places of the oldest that went. What had ended already was
/// replaced by nothing: somebody tidied up.
fn rotations<'c>(
    gone: &'c [Credential],
    added: &'c [Credential],
    taken_at: [Timestamp; 2],
) -> Vec<(&'c Credential, &'c Credential)> {
    type Group<'c> = (Vec<&'c Credential>, Vec<&'c Credential>);
    let mut groups: BTreeMap<(&str, &str), Group<'c>> = BTreeMap::new();
    let works = |credential: &&Credential, at: Timestamp| !matches!(credential.expires_at, Observed::Known(end) if end <= at);
    let key = |credential: &'c Credential| (credential.app.as_str(), word(credential.kind));
    for credential in gone.iter().filter(|credential| works(credential, taken_at[0])) {
        groups.entry(key(credential)).or_default().0.push(credential);
    }
    for credential in added.iter().filter(|credential| works(credential, taken_at[1])) {
        groups.entry(key(credential)).or_default().1.push(credential);
    }
    let mut pairs = Vec::new();
    for (mut gone, mut added) in groups.into_values() {
        for list in [&mut gone, &mut added] {
            list.sort_by_key(|one| (one.created_at.known().copied(), one.id.as_str()));
        }
        pairs.extend(gone.into_iter().zip(added));
    }
    pairs
}

const fn word(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::ClientSecret => "client secret",
        CredentialKind::Certificate => "certificate",
        CredentialKind::FederatedCredential => "federated credential",
    }
}

/// `certificate 4f2a…, made on 2026-01-02, ends 2027-01-02`, as far as it is visible.
fn described(credential: &Credential) -> String {
    let mut text = format!("{} {}", word(credential.kind), credential.id);
    if let Observed::Known(name) = &credential.name
        && !name.is_empty()
    {
        text = format!("{text} ({name})");
    }
    if let Observed::Known(made) = &credential.created_at {
        text = format!("{text}, made on {}", made.date());
    }
    match &credential.expires_at {
        Observed::Known(end) => format!("{text}, ends on {}", end.date()),
        Observed::Absent => format!("{text}, never ends"),
        Observed::Unknown(_) => text,
    }
}

fn add_credential(
    pair: &Pair<'_>,
    credential: &Credential,
    kind: Kind,
    delta: Delta,
    found: &mut Found,
) {
    let app = pair.app_name(&credential.app, "").to_owned();
    let what = word(credential.kind);
    let text = |side: &Option<String>| side.clone().unwrap_or_default();
    let message = match kind {
        Kind::CredentialAdded => format!("{app} has one more credential: {}.", text(&delta.after)),
        Kind::CredentialGone => format!("{app} has one credential less: {}.", text(&delta.before)),
        _ => format!("A {what} of {app} was replaced: {}.", what_changed(&delta)),
    };
    let subject = Subject {
        kind: SubjectKind::Credential,
        id: credential.id.clone(),
        label: format!("{what} of {app}"),
    };
    let change = make(pair, kind, subject, &credential.app, delta, message);
    let held = What::Held(Box::new(change));
    let place = found.app(pair, &credential.app, "");
    found.add(place, kind, &credential.id, held);
}
