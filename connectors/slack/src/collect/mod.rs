//! What a scan reads, in order: the logs and listings, then the tenant, then apps with their installs. One file per subject. An install is
//! a few numbers in memory; nothing that Slack can have more of than installs is kept.

mod activity;
mod app_records;
pub(crate) mod audit;
mod audit_reading;
mod decisions;
mod expansions;
mod export;
mod grants;
mod installs;
mod integration_log;
mod integration_replay;
mod inventory;
#[cfg(feature = "revoke")]
pub(crate) mod of_app;
mod people;
mod probe;
mod remembered;
mod settings;
mod tables;
pub(crate) mod usage;
mod workspaces;

use std::collections::HashSet;

use grantwarden_kit::{
    connector::Sink,
    error::{Error, ErrorKind, Result},
    ledger::Ledger,
    model::{Gap, Observed, Reason, Record, Setting, Tenant},
};

pub(crate) use self::probe::{notes, probe};
use self::{
    app_records::Sight,
    grants::{Context, Subject},
    installs::Live,
    inventory::Inventory,
    people::Directory,
    tables::Tables,
    workspaces::Workspaces,
};
use crate::account::{Account, Identity};

pub(crate) const ORGANIZATION: &str = "organization";
pub(crate) const INSTALLED: &str = "installed-apps";

/// Why a single workspace has nothing of what only the admin API tells.
pub(crate) fn no_admin_api(facet: &str) -> Gap {
    Gap::new(
        Reason::Licence,
        facet,
        "a single workspace does not have it: the admin API and the audit log exist in the Enterprise plan, for a token of the organisation",
    )
}

/// Reads the whole tenant.
pub(crate) async fn all(account: &Account, ledger: &Ledger, sink: &Sink) -> Result<()> {
    let identity = account.identity().await?;
    let mut tables = Tables::default();
    let teams = Workspaces::read(account, ledger).await?;
    let enterprise = identity.reach.enterprise();
    let (approvals, runs) = futures::join!(
        async {
            match enterprise {
                Some(id) => decisions::approvals(account, ledger, id).await,
                None => (Vec::new(), Some(absent(ledger, decisions::APPROVALS))),
            }
        },
        async {
            match enterprise {
                Some(_) => Some(activity::read(account, ledger).await),
                None => {
                    absent(ledger, activity::FACET);
                    None
                }
            }
        },
    );
    let listed = teams.learn(&mut tables);
    let inventory = inventory::read(account, ledger, &mut tables, &teams).await?;
    let (decided, decisions_gap) = approvals;
    decisions::learn(&mut tables, decided);
    if let Some(runs) = runs {
        runs.learn(&mut tables);
    }
    let is_told = |gap: &Option<Gap>| gap.as_ref().is_none_or(|gap| gap.reason == Reason::Skipped);
    let knows_all_apps = inventory.is_whole && is_told(&decisions_gap);
    opt_ins(account, ledger, &mut tables, &teams, knows_all_apps).await;
    let directory = Directory::read(account, ledger, &tables.people).await?;
    let sight =
        Sight { decisions: decisions_gap, has_export: inventory.has_export && inventory.is_whole };
    sink.send(Record::Tenant(tenant(identity, &inventory, enterprise.is_some()))).await?;
    if ledger.skipped(ORGANIZATION).is_none() {
        ledger.read(ORGANIZATION, 1);
        if let Some(parent) = &identity.parent {
            let note = format!(
                "one workspace of the organisation {parent} was read, because the token is for it alone; nothing of the others is known"
            );
            ledger.note(ORGANIZATION, note);
        }
        ledger.settle(ORGANIZATION);
    }
    let Inventory { live, events, draft, .. } = inventory;
    for event in events {
        sink.send(Record::AuditEvent(event)).await?;
    }
    let organization = enterprise.and_then(|id| tables.places.find(id));
    let context = Context {
        tables: &tables,
        directory: &directory,
        organization,
        listed: teams.is_whole.then_some(&listed),
    };
    let warnings = account.dialect.warnings();
    if !warnings.is_empty() {
        ledger.note(ORGANIZATION, format!("Slack warns in its answers: {}", warnings.join(", ")));
    }
    apps(account, &context, &sight, &live, sink).await?;
    ledger.settle(INSTALLED);
    if let Some(draft) = draft.filter(|_| !account.door.is_cancelled())
        && let Err(error) = draft.keep()
    {
        tracing::warn!(%error, "This scan cannot be remembered.");
    }
    Ok(())
}

/// What is read only if the configuration asks for it.
async fn opt_ins(
    account: &Account,
    ledger: &Ledger,
    tables: &mut Tables,
    teams: &Workspaces,
    knows_all_apps: bool,
) {
    let enterprise = account.identity().await.ok().and_then(|identity| identity.reach.enterprise());
    let Some(enterprise) = enterprise else {
        for facet in decisions::WITH_SIDE_EFFECT {
            if facet != decisions::APPROVALS {
                absent(ledger, facet);
            }
        }
        return;
    };
    decisions::requests(account, ledger, tables, enterprise).await;
    decisions::workspace_approvals(account, ledger, tables, teams).await;
    decisions::servers(account, ledger, tables).await;
    decisions::limits(account, ledger, tables, knows_all_apps).await;
}

/// Books a facet that a single workspace does not have.
fn absent(ledger: &Ledger, facet: &str) -> Gap {
    // Whatever the configuration says of it: asking would not show it.
    let gap = no_admin_api(facet);
    ledger.lose(gap.clone(), None);
    ledger.settle(facet);
    gap
}

/// Streams each app, and its installs after it.
async fn apps(
    account: &Account,
    context: &Context<'_>,
    sight: &Sight,
    live: &[Live],
    sink: &Sink,
) -> Result<()> {
    let mut rest = live;
    for (app, facts) in context.tables.apps.all() {
        let end = rest.iter().position(|live| live.app != app).unwrap_or(rest.len());
        let (own, others) = rest.split_at(end);
        rest = others;
        let record = app_records::record(facts, context.tables, sight, own.len());
        sink.send(Record::App(record)).await?;
        let approval = app_records::approval(facts, sight);
        let places: HashSet<u32> = own.iter().map(|live| live.place).collect();
        let subject = Subject { facts, approval: &approval, is_in_one_place: places.len() == 1 };
        let mut own = own;
        while let Some(first) = own.first() {
            let end = own.iter().position(|live| live.place != first.place).unwrap_or(own.len());
            let (here, elsewhere) = own.split_at(end);
            own = elsewhere;
            for grant in grants::of_place(context, &subject, here) {
                if account.door.is_cancelled() {
                    return Err(Error::new(ErrorKind::Cancelled, "the scan was cancelled"));
                }
                sink.send(Record::Grant(Box::new(grant))).await?;
            }
        }
    }
    if !rest.is_empty() {
        let message = "installs are left whose app is not known";
        return Err(account.door.place(Error::new(ErrorKind::Malformed, message), "replay"));
    }
    Ok(())
}

/// The record of the tenant.
fn tenant(identity: &Identity, inventory: &Inventory, is_organization: bool) -> Tenant {
    let silent = |detail: &str| Gap::new(Reason::PlatformSilent, ORGANIZATION, detail);
    let say = |name: &str, value: String| Setting {
        name: name.to_owned(),
        value: Observed::Known(value),
    };
    let mut settings = Vec::new();
    settings.extend(identity.url.clone().map(|url| say("address", url)));
    if let Some(parent) = &identity.parent {
        settings.push(say(
            "part of the organisation",
            format!("{parent}; only this workspace was read, because the token is for it alone"),
        ));
    }
    settings.extend(inventory.prefs.settings());
    Tenant {
        id: identity.reach.id().to_owned(),
        display_name: identity.name.clone().map_or_else(
            || Observed::Unknown(silent("the sign-in names a workspace and not the organisation")),
            Observed::Known,
        ),
        sandbox: Observed::Unknown(silent("Slack does not mark tenants that are for tests")),
        consent: inventory.prefs.consent(is_organization && inventory.is_whole),
        look_alikes: Observed::Unknown(silent(
            "Slack's settings for sessions and networks are not in an interface that was read",
        )),
        settings,
    }
}
