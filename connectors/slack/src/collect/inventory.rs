//! The inventory: which installs are there, from the audit log of an organisation, the integration logs of workspaces, and the export.

use std::collections::HashSet;

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    ledger::{Ledger, gap_of},
    memory::Rewrite,
    model::{AuditEvent, Gap, Reason, Timestamp},
};

use super::{
    INSTALLED,
    audit_reading::{self, AuditReading},
    export,
    installs::{Installs, Live},
    integration_log::{IntegrationLogs, LogEnd},
    settings::Prefs,
    tables::Tables,
    workspaces::{self, Workspaces},
};
use crate::{
    account::{Account, Identity, Reach},
    api::Team,
    rights::Right,
};

/// What was found out.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    /// Sorted by app and place.
    pub(super) live: Vec<Live>,
    pub(super) events: Vec<AuditEvent>,
    pub(super) prefs: Prefs,
    /// Whether the logs were read to their end.
    pub(super) is_whole: bool,
    /// Whether the export was given and understood.
    pub(super) has_export: bool,
    /// What the next scan may use, if this one hands over what it read.
    pub(super) draft: Option<Rewrite>,
}

/// What the logs say besides of what is there.
pub(super) enum Seen {
    /// The organisation's audit log.
    Organization(Installs),
    /// The log of one workspace, by its place.
    Workspace(u32),
}

/// Reads what is installed. It is settled when the records were handed over, not before.
pub(super) async fn read(
    account: &Account,
    ledger: &Ledger,
    tables: &mut Tables,
    teams: &Workspaces,
) -> Result<Inventory> {
    if ledger.skipped(INSTALLED).is_some() {
        return Ok(Inventory::default());
    }
    let identity = account.identity().await?;
    let mut found = match &identity.reach {
        Reach::Organization(id) => {
            of_organization(account, ledger, tables, identity, id, teams).await
        }
        Reach::Workspace(id) => {
            let live = of_workspace(account, ledger, tables, id).await;
            let (live, is_whole) = live.unwrap_or_default();
            let place = tables.places.number(id);
            (Inventory { live, is_whole, ..Inventory::default() }, Seen::Workspace(place))
        }
    };
    if account.door.is_cancelled() {
        return Err(Error::new(ErrorKind::Cancelled, "the scan was cancelled"));
    }
    let (inventory, seen) = (&mut found.0, &found.1);
    match export::read(account, ledger, tables, &inventory.live, seen) {
        Some(exported) => {
            ledger.read(INSTALLED, u64::try_from(exported.len()).unwrap_or(u64::MAX));
            inventory.live.extend(exported);
            inventory.has_export = true;
        }
        None if identity.reach.enterprise().is_some() => ledger.lose(no_export(), None),
        None => {}
    }
    let order: std::collections::HashMap<u32, usize> =
        tables.apps.all().enumerate().map(|(at, (app, _))| (app, at)).collect();
    // By names, not by numbers, which depend on what was remembered; stable, so that installs of one place keep their order.
    inventory.live.sort_by(|one, other| {
        let key = |live: &Live| (order.get(&live.app).copied(), tables.places.name(live.place));
        key(one).cmp(&key(other))
    });
    Ok(found.0)
}

/// The gap of a scan without the export.
pub(super) fn no_export() -> Gap {
    Gap::new(
        Reason::PlatformSilent,
        INSTALLED,
        "installs from before the audit log begins (March 2018, or what the tenant's log still has) and were not changed since, are only in the export of the Installed apps page: give it with `import`",
    )
}

/// An organisation: its audit log; without it, the workspaces' integration logs.
async fn of_organization(
    account: &Account,
    ledger: &Ledger,
    tables: &mut Tables,
    identity: &Identity,
    id: &str,
    teams: &Workspaces,
) -> (Inventory, Seen) {
    let organization = tables.places.number(id);
    let mut reading = AuditReading::of(organization);
    let outcome = async {
        identity.held.check(Right::AuditLogs)?;
        audit_reading::remembering(account, ledger, tables, (id, organization), &mut reading).await
    }
    .await;
    audit_reading::book(ledger, &reading);
    let is_whole = outcome.is_ok() && reading.is_clear();
    let (mut live, tied) = reading.installs.finish(tables);
    let mut draft = None;
    if let Err(error) = outcome.map(|written| draft = written) {
        let is_refused =
            matches!(error.kind, ErrorKind::Forbidden | ErrorKind::Licence) && live.is_empty();
        ledger.fail(INSTALLED, &error);
        if is_refused && identity.held.has(Right::Admin.scope()) {
            live = workspaces_one_by_one(account, ledger, tables, teams).await;
        } else if error.kind == ErrorKind::Licence {
            // There is another way, and it takes a right: not having the audit log excuses nothing.
            let detail = format!(
                "without the audit log, what is installed is told by the workspaces' integration logs: {}",
                Right::Admin.hint()
            );
            ledger.lose(Gap::new(Reason::Permission, INSTALLED, detail), None);
        }
    } else {
        audit_reading::say(ledger, &reading, tied);
    }
    let AuditReading { installs, prefs, events, .. } = reading;
    for app in installs.apps() {
        tables.apps.note_in_log(app);
    }
    let found = Inventory { live, events, prefs, is_whole, has_export: false, draft };
    (found, Seen::Organization(installs))
}

/// A single workspace: its integration log.
async fn of_workspace(
    account: &Account,
    ledger: &Ledger,
    tables: &mut Tables,
    id: &str,
) -> Result<(Vec<Live>, bool)> {
    let place = tables.places.number(id);
    if let Some(name) = account.identity().await?.name.clone() {
        tables.place_names.insert(place, name);
    }
    let mut logs = IntegrationLogs::default();
    if let Err(error) = account.identity().await?.held.check(Right::Admin) {
        ledger.fail(INSTALLED, &error);
        return Ok((Vec::new(), false));
    }
    let (end, outcome) = logs.read(account, tables, None, place).await;
    book_log(ledger, &end, outcome.as_ref().err().map(|error| gap_of(INSTALLED, error)));
    let is_whole = outcome.is_ok() && end.unreadable == 0;
    Ok((logs.finish(tables), is_whole))
}

/// Books how far an integration log was read; `gap` is why it was not read to its end.
fn book_log(ledger: &Ledger, end: &LogEnd, gap: Option<Gap>) {
    let seen = end.rows + end.other;
    ledger.read(INSTALLED, seen);
    let missing = end.total.map(|total| total.saturating_sub(seen + end.unreadable));
    match gap {
        // Rows that came while it was read are no rows that are missing.
        Some(gap) => ledger.lose(gap, missing.map(|missing| missing.max(1))),
        None => {
            if let Some(missing) = missing.filter(|missing| *missing > 0) {
                let detail = "the integration log has more rows than it gave";
                let gap = Gap::new(Reason::CountMismatch, INSTALLED, detail);
                ledger.lose(gap, Some(missing));
            }
        }
    }
    if end.unreadable > 0 {
        let detail =
            "rows of the integration log have a form or a kind of change that is not known";
        ledger.lose(Gap::new(Reason::CallFailed, INSTALLED, detail), Some(end.unreadable));
    }
    if end.is_moving {
        ledger.note(INSTALLED, "the integration log changed while it was read");
    }
    if let Some(oldest) = end.oldest.and_then(Timestamp::from_second) {
        let note = format!(
            "the oldest row of the integration log is of {}; what was installed before is seen only if it changed since",
            oldest.date()
        );
        ledger.note(INSTALLED, note);
    }
}

/// The integration logs of an organisation's workspaces, for a token that may not read the audit log.
async fn workspaces_one_by_one(
    account: &Account,
    ledger: &Ledger,
    tables: &mut Tables,
    teams: &Workspaces,
) -> Vec<Live> {
    let teams: Vec<Team> = match workspaces::own(account).await {
        // Whatever the administrators' listing has besides is asked for and told as not visible.
        Ok(mut own) => {
            let known: HashSet<String> = own.iter().map(|team| team.id.0.clone()).collect();
            own.extend(teams.teams.iter().filter(|team| !known.contains(&team.id.0)).cloned());
            own
        }
        Err(_) if teams.is_whole => teams.teams.clone(),
        Err(error) => {
            ledger.fail(INSTALLED, &error);
            return Vec::new();
        }
    };
    // Whatever refused the audit log: what only it has is missing.
    let detail = "read from the integration logs of the workspaces, because the audit log is not visible; what is installed on the whole organisation need not be in them";
    ledger.lose(Gap::new(Reason::Permission, INSTALLED, detail), None);
    let mut logs = IntegrationLogs::default();
    let mut is_token_fine = None;
    for team in &teams {
        let place = tables.places.number(&team.id.0);
        if let Some(name) = &team.name {
            tables.place_names.insert(place, name.clone());
        }
        match logs.read(account, tables, Some(&team.id.0), place).await {
            (end, Ok(())) => book_log(ledger, &end, None),
            (_, Err(error)) if error.code() == Some("invalid_auth") => {
                // The same words for a dead token and for a workspace in which the token's user is no member.
                let is_fine = match is_token_fine {
                    Some(is_fine) => is_fine,
                    None => *is_token_fine.insert(account.auth_test().await.is_ok()),
                };
                if !is_fine {
                    ledger.fail(INSTALLED, &error);
                    break;
                }
                let detail = format!(
                    "no access to workspace {}: the token's user is not a member of it",
                    team.id.0
                );
                ledger.lose(Gap::new(Reason::Permission, INSTALLED, detail), None);
            }
            (_, Err(error))
                if matches!(error.kind, ErrorKind::Unauthorized | ErrorKind::Cancelled) =>
            {
                ledger.fail(INSTALLED, &error);
                break;
            }
            (end, Err(error)) => {
                let gap = gap_of(INSTALLED, &error);
                let detail = format!("workspace {}: {}", team.id.0, gap.detail);
                book_log(ledger, &end, Some(Gap { detail, ..gap }));
            }
        }
    }
    logs.finish(tables)
}
