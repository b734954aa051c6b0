//! An enterprise: the apps installed on each of its organisations, read by an app that is installed on the enterprise itself. One call for
//! the organisations and one or more for each.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::{StreamExt, TryStreamExt, stream};
use grantwarden_kit::{
    error::Result,
    model::{ConsentPolicy, Gap, Observed, Record, Tenant},
};
use tokio::sync::{Mutex, OnceCell};

use super::{
    Scan,
    app_records::{self, Home},
    audit, gaps,
    gaps::silent,
    installations,
    listing::{Listing, book},
    publishers::{self, Facts},
    records::setting,
};
use crate::{
    api::{Installation, OrganizationRow, RepositoryRow},
    rights::ENTERPRISE,
    site::is_name,
};

pub(super) const FACET: &str = "organizations";
pub(super) const REPOSITORIES: &str = "selected-repositories";
/// Names of repositories that are written down for one installation.
const SHOWN: usize = 50;

/// An app that was given out.
struct Known {
    name: String,
    facts: Facts,
}

/// Apps that were given out. Each is looked up and streamed once, and whoever comes second waits until it is out.
#[derive(Default)]
struct Apps(Mutex<BTreeMap<String, Arc<OnceCell<Known>>>>);

pub(super) async fn read(scan: &Scan<'_>, slug: &str) -> Result<()> {
    scan.send(Record::Tenant(record(scan, slug))).await?;
    tokio::try_join!(organizations(scan, slug), audit::stream(scan, Some("enterprise")))?;
    Ok(())
}

fn record(scan: &Scan<'_>, slug: &str) -> Tenant {
    let granted = scan.held.installation();
    let number = granted.and_then(|granted| granted.account_id).map(|id| id.to_string());
    let name = granted.and_then(|granted| granted.account_name.clone());
    let of_organizations = "each organisation has settings of its own: scan them as tenants";
    Tenant {
        // The number stays when the slug changes.
        id: format!("enterprise:{}", number.as_deref().unwrap_or(slug)),
        display_name: Observed::Known(name.unwrap_or_else(|| slug.to_owned())),
        sandbox: silent(FACET, "GitHub does not mark enterprises that are for tests"),
        consent: ConsentPolicy {
            user_consent: silent(FACET, of_organizations),
            setting: "Third-party access > OAuth app policy (of each organisation)".to_owned(),
            bypasses: Vec::new(),
            weak_flows: silent(FACET, "GitHub does not tell which apps use the device flow"),
        },
        look_alikes: silent(FACET, "the enterprise's IP allow list is not read"),
        settings: Vec::new(),
    }
}

async fn organizations(scan: &Scan<'_>, slug: &str) -> Result<()> {
    if let Some(gap) = scan.obstacle(FACET, ENTERPRISE) {
        settle(scan, Some(&gap));
        return Ok(());
    }
    let mut rows = Vec::new();
    let mut gap =
        match scan.client.list("list organisations", &["apps", "installable_organizations"]) {
            Ok(request) => {
                let mut listing = Listing::numbered(scan.client, request);
                listing.drain(scan.ledger, FACET, |row: OrganizationRow| rows.push(row)).await
            }
            Err(error) => Some(gaps::fail(scan.ledger, FACET, &error)),
        };
    scan.ledger.settle(FACET);
    let organizations: BTreeSet<String> = rows.iter().map(|row| row.login.to_lowercase()).collect();
    let enterprise = Some(slug.to_lowercase());
    let home = Home { organizations, enterprise, edition: scan.client.edition()? };
    let apps = Apps::default();
    let (home, apps) = (&home, &apps);
    if let Some(skipped) = scan.ledger.skipped(installations::FACET) {
        gap = Some(skipped);
    } else {
        let read: Vec<Option<Gap>> = stream::iter(rows)
            .map(|row| async move { of_organization(scan, &row.login, home, apps).await })
            .buffer_unordered(scan.client.concurrent.max(1))
            .try_collect()
            .await?;
        gap = read.into_iter().flatten().next().or(gap);
    }
    settle(scan, gap.as_ref());
    Ok(())
}

/// Closes what is read with the organisations: it is as whole as they and their apps are.
fn settle(scan: &Scan<'_>, gap: Option<&Gap>) {
    for facet in [installations::FACET, REPOSITORIES] {
        if scan.ledger.skipped(facet).is_some() {
            continue;
        }
        if let Some(gap) = gap {
            let detail = format!("not every installed app is known: {}", gap.detail);
            scan.ledger.lose(Gap::new(gap.reason, facet, detail), None);
        }
        scan.ledger.settle(facet);
    }
    publishers::settle(scan, gap.cloned());
}

/// Streams the apps of an organisation; why they are not whole, if they are not.
async fn of_organization(
    scan: &Scan<'_>,
    login: &str,
    home: &Home,
    apps: &Apps,
) -> Result<Option<Gap>> {
    if !is_name(login) {
        let error = grantwarden_kit::error::Error::new(
            grantwarden_kit::error::ErrorKind::Malformed,
            "the login of an organisation is none",
        );
        return Ok(Some(gaps::fail(scan.ledger, installations::FACET, &error)));
    }
    let path = ["apps", "organizations", login, "installations"];
    let mut listing = match scan.client.list("list installations of an organisation", &path) {
        Ok(request) => Listing::numbered(scan.client, request),
        Err(error) => return Ok(Some(gaps::fail(scan.ledger, installations::FACET, &error))),
    };
    let mut gap = None;
    loop {
        match listing.next::<Installation>().await {
            Ok(Some(lot)) => {
                gap = book(scan.ledger, installations::FACET, &lot).or(gap);
                stream::iter(&lot.rows)
                    .map(Ok)
                    .try_for_each_concurrent(scan.client.concurrent.max(1), |row| async move {
                        one(scan, login, row, (home, apps)).await
                    })
                    .await?;
            }
            Ok(None) => return Ok(gap),
            Err(error) => {
                return Ok(Some(gaps::fail(scan.ledger, installations::FACET, &error)));
            }
        }
    }
}

async fn one(
    scan: &Scan<'_>,
    login: &str,
    row: &Installation,
    (home, apps): (&Home, &Apps),
) -> Result<()> {
    let id = app_records::app_id(row);
    let cell = Arc::clone(apps.0.lock().await.entry(id).or_default());
    let known = cell
        .get_or_try_init(|| async {
            let facts = publishers::look_up(scan, row).await;
            introduce(scan, row, facts, home).await
        })
        .await?;
    let mut grant = app_records::installation(row, &known.name, Some(login));
    grant.settings.extend(app_records::of_installation(row, known.facts.told()));
    if row.repository_selection.as_deref() == Some("selected") {
        grant.settings.push(setting("Repositories", repositories(scan, login, row.id).await));
    }
    scan.grant(installations::FACET, grant).await
}

async fn introduce(
    scan: &Scan<'_>,
    row: &Installation,
    facts: Facts,
    home: &Home,
) -> Result<Known> {
    let mut app = app_records::app(row, &facts, home);
    // Whatever is of one installation among several is not the app's.
    let of_installation = "each installation has a time of its own: see the grants";
    app.settings = app_records::of_app(row);
    app.created_at = silent(installations::FACET, of_installation);
    app.changed_at = silent(installations::FACET, of_installation);
    app.blocked = silent(
        installations::FACET,
        "the enterprise's listing does not tell whether an installation is suspended",
    );
    let name = app.name.clone();
    scan.send(Record::App(app)).await?;
    Ok(Known { name, facts })
}

/// Which repositories an installation is limited to.
async fn repositories(scan: &Scan<'_>, login: &str, installation: u64) -> Observed<String> {
    if let Some(gap) = scan.ledger.skipped(REPOSITORIES) {
        return Observed::Unknown(gap);
    }
    let id = installation.to_string();
    let path = ["apps", "organizations", login, "installations", &id, "repositories"];
    let mut names = Vec::new();
    let gap = match scan.client.list("list repositories of an installation", &path) {
        Ok(request) => {
            let mut listing = Listing::numbered(scan.client, request);
            listing
                .drain(scan.ledger, REPOSITORIES, |row: RepositoryRow| names.push(row.name))
                .await
        }
        Err(error) => Some(gaps::fail(scan.ledger, REPOSITORIES, &error)),
    };
    match gap {
        Some(gap) => Observed::Unknown(gap),
        None => {
            let (count, more) = (names.len(), names.len() > SHOWN);
            names.truncate(SHOWN);
            let more = if more { ", …" } else { "" };
            Observed::Known(format!("{count}: {}{more}", names.join(", ")))
        }
    }
}
