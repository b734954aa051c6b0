//! Webhooks: addresses outside to which GitHub sends what happens. Each host is an app; of an address only the host is kept, because the
//! rest may be a secret.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use grantwarden_kit::{
    connector::Sink,
    error::{ErrorKind, Result},
    model::{App, Expiry, Gap, Grant, GrantKind, Holder, Observed, Reason, Record, Scope},
};
use serde_json::Value;
use tokio::sync::Mutex;

use super::{
    Scan, app_records, gaps,
    gaps::silent,
    listing::{Listing, book, book_partial},
    records::{self, setting},
    scopes,
};
use crate::{
    api::{Hook, RepositoryRow},
    rights::{Held, ORGANIZATION_HOOKS, REPOSITORY_HOOKS},
};

pub(super) const OF_ORGANIZATION: &str = "organization-webhooks";
pub(super) const OF_REPOSITORIES: &str = "repository-webhooks";
const UNTOLD: &str = "untold";

/// Hosts that were given out as apps.
pub(super) struct Hosts<'a> {
    sink: &'a Sink,
    sent: Mutex<BTreeSet<String>>,
}

impl<'a> Hosts<'a> {
    pub(super) fn new(sink: &'a Sink) -> Self {
        Self { sink, sent: Mutex::default() }
    }

    /// Streams the record of a host unless it was; the app's id and name.
    async fn introduce(&self, host: Option<&str>, facet: &str) -> Result<(String, String)> {
        let name = host.unwrap_or(UNTOLD);
        let (id, shown) = (format!("webhook:{name}"), format!("Webhook receiver {name}"));
        let mut sent = self.sent.lock().await;
        if sent.insert(name.to_owned()) {
            // What happens in the tenant goes there, as codes go to a redirection endpoint.
            let redirect_domains = match host {
                Some(host) => Observed::Known(vec![host.to_owned()]),
                None => gaps::odd(facet, "GitHub does not tell where the webhook sends to"),
            };
            let app = App {
                client_ids: Observed::Absent,
                redirect_domains,
                ..records::app(facet, &*id, &*shown, "webhook receiver")
            };
            self.sink.send(Record::App(app)).await?;
        }
        Ok((id, shown))
    }
}

/// The host that a webhook sends to.
pub(crate) fn host_of(hook: &Hook) -> Option<String> {
    app_records::host(hook.config.as_ref()?.url.as_deref()?)
}

pub(super) async fn of_organization(scan: &Scan<'_>) -> Result<()> {
    if !scan.begins(OF_ORGANIZATION, ORGANIZATION_HOOKS) {
        return Ok(());
    }
    limits_of_organization(scan);
    match scan.client.list("list webhooks", &["hooks"]) {
        Ok(request) => {
            let mut listing = Listing::numbered(scan.client, request);
            let ids = |row: &Hook| format!("webhook:{}", row.id);
            read(scan, OF_ORGANIZATION, &mut listing, (&ids, None)).await?;
        }
        Err(error) => {
            gaps::fail(scan.ledger, OF_ORGANIZATION, &error);
        }
    }
    scan.ledger.settle(OF_ORGANIZATION);
    Ok(())
}

/// Books what whoever asks does not see of the organisation's webhooks.
pub(super) fn limits_of_organization(scan: &Scan<'_>) {
    if let Some(detail) = scan.held.hidden_webhooks() {
        scan.ledger.lose(Gap::new(Reason::Permission, OF_ORGANIZATION, detail), None);
    }
}

/// Books what whoever asks may not see of the repositories' webhooks.
pub(super) fn limits_of_repositories(scan: &Scan<'_>) {
    let detail = match scan.held {
        Held::App(_) => scan.held.missed_repositories(),
        Held::Token(..) => {
            Some("nothing tells whether the token shows every repository: sign in with github_app")
        }
    };
    if let Some(detail) = detail {
        scan.ledger.lose(Gap::new(Reason::Permission, OF_REPOSITORIES, detail), None);
    }
}

/// Streams the webhooks of all repositories: a call for each.
pub(super) async fn of_repositories(scan: &Scan<'_>) -> Result<()> {
    const FACET: &str = OF_REPOSITORIES;
    if !scan.begins(FACET, REPOSITORY_HOOKS) {
        return Ok(());
    }
    limits_of_repositories(scan);
    let mut listing = match scan.client.list("list repositories", &["repos"]) {
        Ok(request) => Listing::numbered(scan.client, request),
        Err(error) => {
            gaps::fail(scan.ledger, FACET, &error);
            scan.ledger.settle(FACET);
            return Ok(());
        }
    };
    loop {
        match listing.next::<RepositoryRow>().await {
            Ok(Some(lot)) => {
                // Rows of this listing are repositories: how many webhooks a bad one has nobody knows.
                book_partial(scan.ledger, FACET, lot.is_partial);
                if lot.odd > 0 {
                    let detail = "a repository is not what the API promises";
                    scan.ledger.lose(Gap::new(Reason::CallFailed, FACET, detail), None);
                }
                stream::iter(lot.rows)
                    .map(Ok)
                    .try_for_each_concurrent(scan.client.concurrent.max(1), |row| async move {
                        of_repository(scan, &row.name).await
                    })
                    .await?;
            }
            Ok(None) => break,
            Err(error) => {
                gaps::fail(scan.ledger, FACET, &error);
                break;
            }
        }
    }
    scan.ledger.settle(FACET);
    Ok(())
}

async fn of_repository(scan: &Scan<'_>, name: &str) -> Result<()> {
    let owner = scan.client.site.account.name();
    let path = ["repos", owner, name, "hooks"];
    match scan.client.query("list webhooks of a repository", &path, &[("per_page", "100")]) {
        Ok(request) => {
            let mut listing = Listing::numbered(scan.client, request);
            let place = format!("{owner}/{name}");
            let ids = |row: &Hook| format!("repository-webhook:{}", row.id);
            read(scan, OF_REPOSITORIES, &mut listing, (&ids, Some(&place))).await
        }
        Err(error) => {
            gaps::fail(scan.ledger, OF_REPOSITORIES, &error);
            Ok(())
        }
    }
}

/// How the id of a webhook's grant is made.
type MakeId<'a> = &'a (dyn Fn(&Hook) -> String + Sync);

/// Streams the webhooks of a listing, with ids made like this, of a repository if they are of one.
pub(super) async fn read(
    scan: &Scan<'_>,
    facet: &str,
    listing: &mut Listing<'_>,
    (id, repository): (MakeId<'_>, Option<&str>),
) -> Result<()> {
    loop {
        match listing.next::<Hook>().await {
            Ok(Some(lot)) => {
                book(scan.ledger, facet, &lot);
                for row in &lot.rows {
                    let app = scan.hosts.introduce(host_of(row).as_deref(), facet).await?;
                    let grant = grant(facet, row, id(row), (&app.0, &app.1), repository);
                    scan.grant(facet, grant).await?;
                }
            }
            Ok(None) => return Ok(()),
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
            Err(error) => {
                gaps::fail(scan.ledger, facet, &error);
                return Ok(());
            }
        }
    }
}

fn grant(
    facet: &str,
    row: &Hook,
    id: String,
    app: (&str, &str),
    repository: Option<&str>,
) -> Grant {
    let config = row.config.as_ref();
    let is_checked = match config.and_then(|config| config.insecure_ssl.as_ref()) {
        Some(Value::String(text)) if text == "0" => Observed::Known("on".to_owned()),
        Some(Value::String(text)) if text == "1" => Observed::Known("off".to_owned()),
        Some(Value::Number(number)) if number.as_u64() == Some(0) => {
            Observed::Known("on".to_owned())
        }
        Some(Value::Number(number)) if number.as_u64() == Some(1) => {
            Observed::Known("off".to_owned())
        }
        _ => silent(facet, "GitHub does not tell"),
    };
    let has_secret = match config {
        Some(config) if config.secret.is_some() => Observed::Known("set".to_owned()),
        Some(_) => Observed::Known("not set".to_owned()),
        None => silent(facet, "GitHub does not tell"),
    };
    let events = row.events.as_ref().map(|events| events.join(", "));
    let mut settings = vec![
        setting("Events", gaps::text(facet, events.as_deref())),
        setting("Active", gaps::yes(facet, row.active)),
        setting("SSL verification", is_checked),
        setting("Secret", has_secret),
        setting(
            "Content type",
            gaps::text(facet, config.and_then(|config| config.content_type.as_deref())),
        ),
    ];
    if let Some(repository) = repository {
        settings.push(setting("Repository", Observed::Known(repository.to_owned())));
    }
    if let Some(status) = row.last_response.as_ref().and_then(|response| response.status.clone()) {
        settings.push(setting("Last delivery", Observed::Known(status)));
    }
    Grant {
        scopes: Observed::Known(vec![Scope::named(scopes::WEBHOOK)]),
        granted_at: gaps::time(facet, row.created_at.as_deref()),
        last_used_at: silent(facet, "GitHub does not tell when a webhook last sent something"),
        // Until somebody deletes it.
        expires: Observed::Known(Expiry::Never),
        settings,
        ..records::grant(facet, id, app, GrantKind::Webhook, Holder::App)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_only_the_host_is_kept() {
        let text = r#"{"id":1,"name":"web","config":{"url":"https://u:FAKEPASSWORD@Hooks.example/FAKETOKEN?k=FAKEKEY","insecure_ssl":"1","secret":"********"}}"#;
        let hook: Hook = serde_json::from_str(text).unwrap();
        assert_eq!(host_of(&hook).unwrap(), "hooks.example");
        let grant = grant("f", &hook, "webhook:1".into(), ("a", "b"), None);
        let shown = format!("{grant:?} {hook:?}");
        assert!(!shown.contains("FAKE"), "{shown}");
        let value = |name: &str| {
            let found = grant.settings.iter().find(|setting| setting.name == name).unwrap();
            found.value.known().cloned()
        };
        assert_eq!(value("SSL verification").unwrap(), "off");
        assert_eq!(value("Secret").unwrap(), "set");
        assert_eq!(value("Active"), None);
    }
}
