//! What a scan reads of an org, in order: the org, its settings and its log, then apps with what they hold as a stream, then tokens and
//! integrations that belong to no app. One file per subject. Nothing here keeps more than the apps, settings, and a few bytes for each grant.

pub(crate) mod api_tokens;
mod app_records;
pub(crate) mod apps;
mod asking;
mod duration;
pub(crate) mod grants;
mod holdings;
mod keys;
mod lifetimes;
mod listed;
mod log;
mod organization;
mod people;
mod person;
mod probe;
pub(crate) mod services;
pub(crate) mod standing;
mod usage;
mod user_grants;
mod window;
mod zones;

use std::collections::{HashMap, HashSet};

use grantwarden_kit::{
    connector::Sink,
    error::Result,
    ledger::Ledger,
    model::{Gap, Record},
};

use self::{
    apps::client_id, grants::Around, holdings::Context, keys::Clients, lifetimes::Lifetimes,
    listed::Listed, log::History, people::People, standing::Standing, usage::Folded,
    window::Window, zones::Zones,
};
pub(crate) use self::{probe::probe, usage::Usages};
use crate::{
    api::{ApiService, Application},
    org::Org,
};

pub(crate) const ORGANIZATION: &str = "organization";

/// Reads the whole org.
pub(crate) async fn all(org: &Org, ledger: &Ledger, sink: &Sink, usages: &Usages) -> Result<()> {
    let access = org.connect().await?;
    let standing = Standing::new(org, access);
    let settings = organization::read(org, ledger).await;
    sink.send(Record::Tenant(organization::tenant(org, &settings))).await?;
    let (zones, lifetimes, apps, tokens, services, clients) = futures::join!(
        Zones::read(org, ledger, &standing),
        Lifetimes::read(org, ledger, &standing),
        apps::read(org, ledger, access, &standing),
        api_tokens::read(org, ledger, access, &standing),
        services::read(org, ledger, &standing),
        Clients::read(org, ledger),
    );
    let (mut apps, tokens) = (apps?, tokens?);
    compare(ledger, &clients, &apps, &services);
    // Nobody documents that integrations are not apps, too: the record of the integration says more, and once is enough.
    let ids: HashSet<&str> = services.rows.iter().map(|service| service.id.as_str()).collect();
    apps.rows.retain(|app| !ids.contains(app.id.as_str()));
    let mut folded = Folded::default();
    let mut history = log::read(org, ledger, sink, &standing, &mut folded).await?;
    name_apps(&mut history, &mut folded, &apps.rows);
    usages.keep(folded);
    let around = Around { history: &history, lifetimes: &lifetimes, zones: &zones };
    let people = People::new(org, ledger).await?;
    let mut window = Window::new(ledger, sink, people);
    let context = Context {
        org,
        ledger,
        access,
        standing: &standing,
        around,
        clients: &clients,
        apps_gap: apps.gap(),
    };
    let is_whole = holdings::stream(&context, &mut window, &apps.rows).await?;
    let by_client = apps.rows.iter().map(|app| (client_id(app).unwrap_or(&app.id), app));
    let by_client: HashMap<&str, &Application> = by_client.collect();
    let around = &context.around;
    let is_whole = user_grants::stream(org, ledger, &standing, &mut window, &by_client, around)
        .await?
        && is_whole;
    services::stream(org, &mut window, &services, &history).await?;
    api_tokens::stream(&mut window, &tokens.rows, &zones).await?;
    let gaps = [apps.gap(), tokens.gap(), services.gap()];
    window.finish(is_whole && gaps.iter().all(Option::is_none)).await?;
    // Only now is everything handed over.
    for facet in [
        apps::FACET,
        grants::GRANTS,
        grants::TOKENS,
        grants::ROLES,
        grants::CROSS,
        keys::FACET,
        user_grants::FACET,
        api_tokens::FACET,
        services::FACET,
    ] {
        if ledger.skipped(facet).is_none() {
            ledger.settle(facet);
        }
    }
    Ok(())
}

/// The log names clients, and now and then apps. Records are known by the ids of apps, and what they last got by the ids of clients.
fn name_apps(history: &mut History, folded: &mut Folded, apps: &[Application]) {
    let pairs = || apps.iter().filter_map(|app| Some((app.id.as_str(), client_id(app)?)));
    let clients: HashMap<&str, &str> = pairs().collect();
    let ids: HashMap<&str, &str> = pairs().map(|(id, client)| (client, id)).collect();
    folded.rename(|client| ids.get(client).map(ToString::to_string));
    history.rename(|app| clients.get(app).map(ToString::to_string));
}

/// Every OAuth client is an app or an integration. Only lists that are whole can be compared.
fn compare(
    ledger: &Ledger,
    clients: &Clients,
    apps: &Listed<Application>,
    services: &Listed<ApiService>,
) {
    let gaps: [Option<&Gap>; 2] = [apps.gap(), services.gap()];
    if gaps.iter().any(Option::is_some) {
        return;
    }
    let of_apps = apps.rows.iter().map(|app| client_id(app).unwrap_or(&app.id));
    let of_services = services.rows.iter().map(|service| service.id.as_str());
    let known: HashSet<&str> = of_apps.chain(of_services).collect();
    clients.compare(ledger, &known);
}
