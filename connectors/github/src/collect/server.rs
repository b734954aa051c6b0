//! An Enterprise Server as its site administrators see it: tokens, keys and webhooks of the whole server, whatever the organisation.

use std::sync::PoisonError;

use grantwarden_kit::{
    connector::Sink,
    error::Result,
    model::{App, Grant, GrantKind, Holder, Observed, Record},
};

use super::{
    Scan, app_records,
    deploy_keys::{self, Given},
    gaps, hooks,
    listing::{Listing, book},
    people::People,
    records::{self, setting},
    scopes,
    stand_ins::StandIn,
};
use crate::{
    api::{DeployKey, Hook, SiteKey, SiteToken},
    rights::SITE,
    site::Edition,
};

pub(super) const TOKENS: &str = "site-tokens";
pub(super) const KEYS: &str = "site-keys";
pub(super) const HOOKS: &str = "site-hooks";
/// In the place of a client id: the token is a personal one.
const NO_CLIENT: &str = "00000000000000000000";

/// Streams what the server has. `given` are the deploy keys that were streamed already.
pub(super) async fn read(scan: &Scan<'_>, given: &Given) -> Result<()> {
    if scan.client.edition()? != Edition::Server {
        return Ok(());
    }
    tokens(scan).await?;
    keys(scan, given).await?;
    if scan.begins(HOOKS, SITE) {
        if let Some(mut listing) = open(scan, HOOKS, "list webhooks of the server", "hooks") {
            let ids = |row: &Hook| format!("site-webhook:{}", row.id);
            hooks::read(scan, HOOKS, &mut listing, (&ids, None)).await?;
        }
        scan.ledger.settle(HOOKS);
    }
    Ok(())
}

fn open<'a>(
    scan: &Scan<'a>,
    facet: &str,
    endpoint: &'static str,
    what: &str,
) -> Option<Listing<'a>> {
    match scan.client.query(endpoint, &["admin", what], &[("per_page", "100")]) {
        Ok(request) => Some(Listing::numbered(scan.client, request)),
        Err(error) => {
            gaps::fail(scan.ledger, facet, &error);
            None
        }
    }
}

async fn tokens(scan: &Scan<'_>) -> Result<()> {
    if !scan.begins(TOKENS, SITE) {
        return Ok(());
    }
    if let Some(mut listing) = open(scan, TOKENS, "list tokens of the server", "tokens") {
        let mut clients = std::collections::BTreeSet::new();
        loop {
            match listing.next::<SiteToken>().await {
                Ok(Some(lot)) => {
                    book(scan.ledger, TOKENS, &lot);
                    for row in &lot.rows {
                        let app = client(row);
                        let (id, name) = match app {
                            Some(app) => {
                                let of_client = (app.id.clone(), app.name.clone());
                                if clients.insert(app.id.clone()) {
                                    send_app(scan.sink, app).await?;
                                }
                                of_client
                            }
                            None => {
                                let app =
                                    scan.stand_ins.introduce(StandIn::SiteTokens, TOKENS).await?;
                                (app.0.to_owned(), app.1.to_owned())
                            }
                        };
                        scan.grant(TOKENS, token(row, (&id, &name))).await?;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    gaps::fail(scan.ledger, TOKENS, &error);
                    break;
                }
            }
        }
    }
    scan.ledger.settle(TOKENS);
    Ok(())
}

async fn send_app(sink: &Sink, app: App) -> Result<()> {
    sink.send(Record::App(app)).await
}

/// The OAuth app of a token; `None` for a personal one.
fn client(row: &SiteToken) -> Option<App> {
    let app = row.app.as_ref()?;
    let client_id = app.client_id.as_deref().filter(|id| !id.is_empty() && *id != NO_CLIENT)?;
    let name = app.name.clone().unwrap_or_else(|| client_id.to_owned());
    let web_domains = match app.url.as_deref().and_then(app_records::host) {
        Some(host) => Observed::Known(vec![host]),
        None => gaps::silent(TOKENS, "GitHub does not tell its home page"),
    };
    Some(App {
        client_ids: Observed::Known(vec![client_id.to_owned()]),
        web_domains,
        ..records::app(TOKENS, format!("client:{client_id}"), name, "OAuth app")
    })
}

fn token(row: &SiteToken, app: (&str, &str)) -> Grant {
    let login = row.user.as_ref().and_then(|user| user.login.as_deref());
    let (kind, holder) = match (&row.user, client(row)) {
        // An installation got it for itself, without a user.
        (None, Some(_)) if row.installation.is_some() => (GrantKind::AppOnly, Holder::App),
        (user, client) => {
            let id = user.as_ref().and_then(|user| user.id);
            let holder = Holder::Principal(People::unread().principal(TOKENS, login, id));
            let is_personal = client.is_none();
            (if is_personal { GrantKind::PersonalToken } else { GrantKind::Delegated }, holder)
        }
    };
    Grant {
        scopes: match &row.scopes {
            Some(Some(names)) if !names.is_empty() => Observed::Known(scopes::of_oauth(names)),
            Some(_) => gaps::silent(
                TOKENS,
                "no scope is listed: a classic token without scopes, or one with permissions, which are told elsewhere",
            ),
            None => gaps::odd(TOKENS, "GitHub does not tell the scopes"),
        },
        granted_at: gaps::time(TOKENS, row.created_at.as_deref()),
        granted_by: gaps::text(TOKENS, login),
        expires: records::end(TOKENS, row.expires_at.as_ref()),
        settings: vec![
            setting("Name", gaps::text(TOKENS, row.note.as_deref())),
            setting("Token ends with", gaps::text(TOKENS, row.token_last_eight.as_deref())),
        ],
        ..records::grant(
            TOKENS,
            format!("site-token:{}", row.id),
            if kind == GrantKind::PersonalToken { records::called(app, [&row.note]) } else { app },
            kind,
            holder,
        )
    }
}

async fn keys(scan: &Scan<'_>, given: &Given) -> Result<()> {
    if !scan.begins(KEYS, SITE) {
        return Ok(());
    }
    if let Some(mut listing) = open(scan, KEYS, "list keys of the server", "keys") {
        loop {
            match listing.next::<SiteKey>().await {
                Ok(Some(lot)) => {
                    book(scan.ledger, KEYS, &lot);
                    for row in &lot.rows {
                        let was_given =
                            given.lock().unwrap_or_else(PoisonError::into_inner).contains(&row.id);
                        match was_given {
                            true => scan.ledger.read(KEYS, 1),
                            false => scan.grant(KEYS, key(scan, row).await?).await?,
                        }
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    gaps::fail(scan.ledger, KEYS, &error);
                    break;
                }
            }
        }
    }
    scan.ledger.settle(KEYS);
    Ok(())
}

async fn key(scan: &Scan<'_>, row: &SiteKey) -> Result<Grant> {
    if let Some(repository) = row.repository_id {
        let app = scan.stand_ins.introduce(StandIn::DeployKeys, KEYS).await?;
        let as_key = DeployKey {
            id: row.id,
            title: row.title.clone(),
            verified: row.verified,
            enabled: None,
            created_at: row.created_at.clone(),
            read_only: row.read_only,
            added_by: None,
            last_used: row.last_used.clone(),
        };
        // The listing names the repository by its number only.
        return Ok(deploy_keys::grant(KEYS, &as_key, app, &format!("repository {repository}")));
    }
    let app = scan.stand_ins.introduce(StandIn::SshKeys, KEYS).await?;
    let holder = People::unread().principal(KEYS, None, row.user_id);
    Ok(Grant {
        scopes: Observed::Known(vec![grantwarden_kit::model::Scope::named(scopes::SSH_KEY)]),
        granted_at: gaps::time(KEYS, row.created_at.as_deref()),
        last_used_at: gaps::told_time(KEYS, row.last_used.as_ref()),
        settings: vec![setting("Name", gaps::text(KEYS, row.title.as_deref()))],
        ..records::grant(
            KEYS,
            format!("site-key:{}", row.id),
            app,
            GrantKind::Key,
            Holder::Principal(holder),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token that an installation got for itself has no user, and is not one of a user without a name.
    #[test]
    fn a_token_of_an_installation_is_the_apps_own() {
        let row: SiteToken = serde_json::from_str(
            r#"{"id":1,"app":{"client_id":"Iv1.FAKE1","name":"Robin"},"user":null,"installation":{"id":7}}"#,
        )
        .unwrap();
        let grant = token(&row, ("client:Iv1.FAKE1", "Robin"));
        assert_eq!((grant.kind, grant.holder), (GrantKind::AppOnly, Holder::App));
        // Its rights are the installation's permissions: that no scope is listed is not "no right".
        for scopes in ["", r#","scopes":null"#, r#","scopes":[]"#] {
            let row: SiteToken = serde_json::from_str(&format!(r#"{{"id":1{scopes}}}"#)).unwrap();
            assert!(token(&row, ("a", "b")).scopes.gap().is_some(), "{scopes}");
        }
    }
}
