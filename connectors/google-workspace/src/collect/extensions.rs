//! Browser extensions in managed Chrome: what they may do stands in their permissions. They hold no grants.

use std::collections::HashSet;

use grantwarden_kit::{
    connector::Sink,
    error::{ErrorKind, Result},
    http::Request,
    ledger::Ledger,
    model::{App, Gap, Observed, Reason, Record, Scope, Setting},
};

use super::clients::blank;
use crate::{
    access::Purpose,
    account::{Account, RESTARTS},
    api::{InstalledApp, InstalledAppsPage, Number},
};

pub(super) const FACET: &str = "chrome-extensions";
const ENDPOINT: &str = "list Chrome extensions";
/// The resource of their permissions.
const RESOURCE: &str = "Chrome extension";

/// The first page of the listing.
fn request(account: &Account, size: u32) -> Result<Request> {
    let path = ["v1", "customers", account.customer(), "reports:countInstalledApps"];
    let mut url = account.url(Purpose::Extensions, &path)?;
    url.query_pairs_mut().append_pair("pageSize", &size.to_string());
    let mut request = Request::get(ENDPOINT, url);
    request.bucket = "extensions";
    Ok(request)
}

/// Asks whether they can be read.
pub(super) async fn probe(account: &Account) -> Result<()> {
    let request = request(account, 1)?;
    account.ask::<InstalledAppsPage>(Purpose::Extensions, &request).await.map(drop)
}

/// Streams them.
pub(super) async fn stream(account: &Account, ledger: &Ledger, sink: &Sink) -> Result<()> {
    if ledger.skipped(FACET).is_some() {
        return Ok(());
    }
    match pages(account, ledger, sink).await {
        Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
        Err(error) => book_failure(ledger, &error),
        Ok(()) => {}
    }
    ledger.settle(FACET);
    Ok(())
}

/// Books why they cannot be read: who has no managed Chrome has nothing to show.
pub(super) fn book_failure(ledger: &Ledger, error: &grantwarden_kit::error::Error) {
    let text = error.answer.as_ref().map(|answer| answer.text.to_lowercase()).unwrap_or_default();
    if text.contains("licen") || text.contains("not entitled") || text.contains("not enrolled") {
        ledger.lose(Gap::new(Reason::Licence, FACET, error.summary()), None);
    } else {
        ledger.fail(FACET, error);
    }
}

async fn pages(account: &Account, ledger: &Ledger, sink: &Sink) -> Result<()> {
    let mut restarts = 0;
    // A listing that begins anew gives some of them again.
    let mut given = HashSet::new();
    'listing: loop {
        let mut pages = account.pages(Purpose::Extensions, request(account, 100)?)?;
        loop {
            let page = match pages.next::<InstalledAppsPage>().await {
                Ok(Some(page)) => page,
                Ok(None) => return Ok(()),
                Err(error) if error.kind == ErrorKind::PageExpired && restarts < RESTARTS => {
                    restarts += 1;
                    continue 'listing;
                }
                Err(error) => return Err(account.explain(Purpose::Extensions, ENDPOINT, error)),
            };
            for row in page.installed_apps {
                let Ok(row) = serde_json::from_value::<InstalledApp>(row) else {
                    let detail = "extensions have a form that is not known";
                    ledger.lose(Gap::new(Reason::CallFailed, FACET, detail), Some(1));
                    continue;
                };
                if !given.insert(row.app_id.clone()) {
                    continue;
                }
                ledger.read(FACET, 1);
                if let Some(app) = record(row) {
                    sink.send(Record::App(app)).await?;
                }
            }
        }
    }
}

/// The record of an extension. Themes, web apps and Android apps have no permissions of a browser.
fn record(row: InstalledApp) -> Option<App> {
    let kind = row.app_type.as_deref().unwrap_or("EXTENSION");
    if !matches!(kind, "EXTENSION" | "APP_TYPE_UNSPECIFIED") {
        return None;
    }
    let mut settings = Vec::new();
    let counts = [
        ("managed browsers", &row.browser_device_count),
        ("ChromeOS users", &row.os_user_count),
        ("browser profiles", &row.profile_count),
    ];
    let counts = counts.map(|(name, number)| (name, number.as_ref().and_then(Number::value)));
    for (name, value) in counts {
        if let Some(value) = value {
            settings.push(Setting { name: name.into(), value: Observed::Known(value.to_string()) });
        }
    }
    let texts = [
        ("install type", row.app_install_type),
        ("source", row.app_source),
        ("disabled", row.disabled.map(|disabled| disabled.to_string())),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            settings.push(Setting { name: name.into(), value: Observed::Known(value) });
        }
    }
    let scopes = row.permissions.map(|permissions| {
        let scope = |name| Scope { name, resource: Some(RESOURCE.to_owned()) };
        permissions.into_iter().map(scope).collect()
    });
    Some(App {
        name: row.display_name.filter(|name| !name.is_empty()).unwrap_or(row.app_id.clone()),
        kind: "Chrome extension".to_owned(),
        installed: Observed::Known(true),
        scopes: scopes.map_or_else(
            || {
                let detail = "Google gave an extension without its permissions";
                Observed::unknown(Reason::PlatformSilent, FACET, detail)
            },
            Observed::Known,
        ),
        flows: Observed::Absent,
        settings,
        ..blank(row.app_id)
    })
}
