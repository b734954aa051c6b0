//! Finds out what can be seen: one small call per facet, and none where the sign-in already tells.

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    ledger::Ledger,
    model::Observed,
};
use serde::de::DeserializeOwned;

use super::{
    api_tokens, apps, grants, holdings, keys, lifetimes, log, organization, people, services,
    standing, user_grants, zones,
};
use crate::{
    access::Access,
    api::{
        ApiService, ApiToken, Application, Assignees, AuthorizationServer, Client, Identified,
        KeySet, LogEvent, RefreshToken, Role, Row, ScopeGrant, User, Zone,
    },
    hints,
    listing::Listing,
    org::{Call, Org, Query},
};

/// Asks for one thing of each kind. The org, for a person, and what else there is to know.
pub(crate) async fn probe(org: &Org, ledger: &Ledger, access: &Access) -> (String, Vec<String>) {
    let settings = organization::read(org, ledger).await;
    let own = own_app(org, access).await;
    let own_id = own.as_ref().map(|app| app.id.clone()).map_err(Error::echo);
    let app = || match &own_id {
        Ok(id) => Ok(id.as_str()),
        Err(error) => Err(error.echo()),
    };
    ledger.look(apps::FACET, async { app().map(drop) }).await;
    let grants = async {
        let rows: Vec<Row<ScopeGrant>> =
            org.ask(holdings::LIST_GRANTS, &["api", "v1", "apps", app()?, "grants"], &[]).await?;
        let is_own = access.client_id().is_some();
        if rows.is_empty() && is_own { Err(nothing("app grants")) } else { Ok(()) }
    };
    ledger.look(grants::GRANTS, grants).await;
    let tokens = async {
        let path = ["api", "v1", "apps", app()?, "tokens"];
        one::<RefreshToken>(org, holdings::LIST_TOKENS, &path, &[("limit", "1")]).await
    };
    ledger.look(grants::TOKENS, tokens).await;
    let path = ["api", "v1", "api-tokens"];
    ledger.look(api_tokens::FACET, one::<ApiToken>(org, api_tokens::LIST, &path, &[])).await;
    let path = ["integrations", "api", "v1", "api-services"];
    ledger.look(services::FACET, one::<ApiService>(org, services::LIST, &path, &[])).await;
    let roles = async {
        let own = own.as_ref().map_err(Error::echo)?;
        let client_id = apps::client_id(own).unwrap_or(&own.id);
        let path = ["oauth2", "v1", "clients", client_id, "roles"];
        one::<Role>(org, standing::CLIENT_ROLES, &path, &[]).await
    };
    ledger.look(grants::ROLES, roles).await;
    let admins = async {
        let path = ["api", "v1", "iam", "assignees", "users"];
        let page: Assignees = org.ask(people::ASSIGNEES, &path, &[("limit", "1")]).await?;
        if page.value.is_empty() { Err(nothing("administrators")) } else { Ok(()) }
    };
    ledger.look(people::ADMINISTRATORS, admins).await;
    let users = async {
        let rows: Vec<Row<User>> =
            org.ask(people::LIST, &["api", "v1", "users"], &[("limit", "1")]).await?;
        if rows.is_empty() { Err(nothing("users")) } else { Ok(()) }
    };
    ledger.look(people::FACET, users).await;
    ledger.look(user_grants::FACET, async { org.granted(user_grants::LIST) }).await;
    let path = ["api", "v1", "authorizationServers"];
    let query = [("limit", "1")];
    ledger
        .look(lifetimes::FACET, one::<AuthorizationServer>(org, lifetimes::LIST, &path, &query))
        .await;
    let keys = async {
        one::<Client>(org, keys::LIST, &["oauth2", "v1", "clients"], &[("limit", "1")]).await?;
        let path = ["api", "v1", "apps", app()?, "credentials", "jwks"];
        org.ask::<KeySet>(keys::KEYS, &path, &[]).await.map(drop)
    };
    ledger.look(keys::FACET, keys).await;
    let zone = one::<Zone>(org, zones::LIST, &["api", "v1", "zones"], &[("limit", "1")]);
    ledger.look(zones::FACET, zone).await;
    ledger.look(grants::CROSS, async { org.granted(holdings::LIST_CONNECTIONS) }).await;
    let seen = async {
        let query = [("filter", log::FILTER), ("limit", "1")];
        one::<LogEvent>(org, log::LIST, &["api", "v1", "logs"], &query).await
    };
    let seen = ledger.look(log::TOKENS, seen).await;
    ledger.look(log::CONSENTS, async { of(&seen) }).await;
    let id = organization::id(org, &settings);
    let name = organization::tenant(org, &settings).display_name;
    let tenant = match name.known() {
        Some(name) => format!("{name} ({id})"),
        None => id,
    };
    (tenant, notes(access))
}

/// The scanner's own app; with an API token, any app.
async fn own_app(org: &Org, access: &Access) -> Result<Application> {
    if let Some(client_id) = access.client_id() {
        let path = ["api", "v1", "apps", client_id];
        return org.ask(apps::ONE, &path, &[]).await;
    }
    let query = [("limit", "1"), ("filter", "name eq \"oidc_client\"")];
    let rows: Vec<Row<Application>> = org.ask(apps::LIST, &["api", "v1", "apps"], &query).await?;
    rows.into_iter()
        .find_map(|row| match row {
            Row::Good(app) => Some(app),
            Row::Odd(_) => None,
        })
        .ok_or_else(|| nothing("apps"))
}

fn nothing(what: &str) -> Error {
    Error::new(ErrorKind::Forbidden, format!("Okta lists no {what}, and there are some"))
        .with_hint(hints::no_role(what))
}

/// The first page of a listing, whatever it holds.
async fn one<T>(org: &Org, call: Call, path: &[&str], query: Query<'_>) -> Result<()>
where
    T: Identified + DeserializeOwned,
{
    Listing::of(org, call, path, query).await?.next::<T>().await.map(drop)
}

/// What was seen of one facet holds for another that is read by the same call.
fn of(seen: &Observed<()>) -> Result<()> {
    match seen {
        Observed::Unknown(gap) => {
            let kind = match gap.reason {
                grantwarden_kit::model::Reason::Permission => ErrorKind::Forbidden,
                _ => ErrorKind::Unavailable,
            };
            Err(Error::new(kind, gap.detail.clone()))
        }
        Observed::Known(()) | Observed::Absent => Ok(()),
    }
}

fn notes(access: &Access) -> Vec<String> {
    let mut notes = Vec::new();
    if !access.missing.is_empty() {
        notes.push(format!(
            "scopes that were asked for and are not granted: {}",
            access.missing.join(", ")
        ));
    }
    notes.push(
        "secrets of apps are never read: Okta would show them in clear text and log that it did"
            .to_owned(),
    );
    if access.client_id().is_none() {
        notes.push("an API token ends after 30 days without use; each scan renews it".to_owned());
    }
    notes
}
