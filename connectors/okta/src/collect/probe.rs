//! Finds out what can be seen: one small call per facet, and none where the sign-in already tells. What a scan would doubt is doubted here,
//! by the same rules.

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    ledger::{Ledger, gap_of},
};
use serde::de::DeserializeOwned;

use super::{
    api_tokens, apps, grants, holdings, keys, lifetimes, log, organization, people, services,
    standing::{self, Doubtful, Standing},
    user_grants, zones,
};
use crate::{
    access::{Access, Who},
    api::{
        ApiService, Application, Assignees, AuthorizationServer, Client, Identified, KeySet,
        LogEvent, RefreshToken, Role, Row, ScopeGrant, User, Zone,
    },
    hints,
    listing::Listing,
    org::{Call, Org, Query},
};

/// Asks for one thing of each kind. The org, for a person, and what else there is to know.
pub(crate) async fn probe(org: &Org, ledger: &Ledger, access: &Access) -> (String, Vec<String>) {
    let standing = Standing::new(org, access);
    let settings = organization::read(org, ledger).await;
    let some_app = look_at_apps(org, ledger, access, &standing).await;
    of_apps(org, ledger, access, &some_app).await;
    if ledger.skipped(api_tokens::FACET).is_none() {
        // One call, whoever asks: the list has no pages. It fails only if it was cancelled, and is then not settled.
        if api_tokens::read(org, ledger, access, &standing).await.is_ok() {
            ledger.settle(api_tokens::FACET);
        }
    }
    let path = ["integrations", "api", "v1", "api-services"];
    let services = first::<ApiService>(org, services::LIST, &path, &[]);
    doubt(ledger, &standing, services::DOUBTFUL, services).await;
    let admins = async {
        let path = ["api", "v1", "iam", "assignees", "users"];
        let page: Assignees = org.ask(people::ASSIGNEES, &path, &[("limit", "1")]).await?;
        if page.value.is_empty() { Err(nothing("administrators", access)) } else { Ok(()) }
    };
    ledger.look(people::ADMINISTRATORS, admins).await;
    let users = async {
        let rows: Vec<Row<User>> =
            org.ask(people::LIST, &["api", "v1", "users"], &[("limit", "1")]).await?;
        if rows.is_empty() { Err(nothing("users", access)) } else { Ok(()) }
    };
    ledger.look(people::FACET, users).await;
    ledger.look(user_grants::FACET, async { org.granted(user_grants::LIST) }).await;
    let (path, query) = (["api", "v1", "authorizationServers"], [("limit", "1")]);
    let servers = async {
        let any = first::<AuthorizationServer>(org, lifetimes::LIST, &path, &query).await;
        any.map_err(lifetimes::without_product)
    };
    doubt(ledger, &standing, lifetimes::DOUBTFUL, servers).await;
    let path = ["api", "v1", "zones"];
    let zones = first::<Zone>(org, zones::LIST, &path, &query);
    doubt(ledger, &standing, zones::DOUBTFUL, zones).await;
    ledger.look(grants::CROSS, async { org.granted(holdings::LIST_CONNECTIONS) }).await;
    look_at_log(org, ledger, &standing).await;
    let id = organization::id(org, &settings);
    let name = organization::tenant(org, &settings).display_name;
    let tenant = match name.known() {
        Some(name) => format!("{name} ({id})"),
        None => id,
    };
    (tenant, notes(access))
}

/// An app to ask about: the scanner's own; with an API token, any. `None`: there is none.
async fn look_at_apps(
    org: &Org,
    ledger: &Ledger,
    access: &Access,
    standing: &Standing<'_>,
) -> Result<Option<Application>> {
    if ledger.skipped(apps::FACET).is_some() {
        return some_app(org, access).await;
    }
    let found = some_app(org, access).await;
    match &found {
        Ok(Some(_)) => {
            if let Some(gap) = apps::limited(ledger, standing).await {
                ledger.lose(gap, None);
            }
        }
        Ok(None) => drop(standing.believe_empty(ledger, apps::DOUBTFUL).await),
        Err(error) => drop(ledger.fail(apps::FACET, error)),
    }
    ledger.settle(apps::FACET);
    found
}

async fn some_app(org: &Org, access: &Access) -> Result<Option<Application>> {
    if let Some(client_id) = access.client_id() {
        return apps::of_client(org, client_id).await.map(Some);
    }
    for query in [&[("limit", "1"), ("filter", "name eq \"oidc_client\"")][..], &[("limit", "1")]] {
        let rows: Vec<Row<Application>> =
            org.ask(apps::LIST, &["api", "v1", "apps"], query).await?;
        let mut good = rows.into_iter().filter_map(|row| match row {
            Row::Good(app) => Some(app),
            Row::Odd(_) => None,
        });
        if let Some(app) = good.next() {
            return Ok(Some(app));
        }
    }
    Ok(None)
}

/// What is read app by app, with one app.
async fn of_apps(org: &Org, ledger: &Ledger, access: &Access, found: &Result<Option<Application>>) {
    let app = || match found {
        // An app that is no OAuth client has none of these lists: then only the scopes tell.
        Ok(app) => Ok(app.as_ref().filter(|app| apps::is_oidc(app))),
        Err(error) => Err(error.echo()),
    };
    let is_own = access.client_id().is_some();
    let grants = async {
        org.granted(holdings::LIST_GRANTS)?;
        let Some(app) = app()? else { return Ok(()) };
        let path = ["api", "v1", "apps", &app.id, "grants"];
        let any = first::<ScopeGrant>(org, holdings::LIST_GRANTS, &path, &[]).await?;
        if !any && is_own { Err(nothing("app grants", access)) } else { Ok(()) }
    };
    ledger.look(grants::GRANTS, grants).await;
    let tokens = async {
        org.granted(holdings::LIST_TOKENS)?;
        let Some(app) = app()? else { return Ok(()) };
        let path = ["api", "v1", "apps", &app.id, "tokens"];
        first::<RefreshToken>(org, holdings::LIST_TOKENS, &path, &[("limit", "1")]).await.map(drop)
    };
    ledger.look(grants::TOKENS, tokens).await;
    let roles = async {
        org.granted(standing::CLIENT_ROLES)?;
        let Some(app) = app()? else { return Ok(()) };
        let client_id = apps::client_id(app).unwrap_or(&app.id);
        let path = ["oauth2", "v1", "clients", client_id, "roles"];
        let any = first::<Role>(org, standing::CLIENT_ROLES, &path, &[]).await?;
        if !any && is_own { Err(nothing("roles of the scanner's app", access)) } else { Ok(()) }
    };
    ledger.look(grants::ROLES, roles).await;
    let keys = async {
        first::<Client>(org, keys::LIST, &["oauth2", "v1", "clients"], &[("limit", "1")]).await?;
        let Some(app) = app()? else { return Ok(()) };
        let path = ["api", "v1", "apps", &app.id, "credentials", "jwks"];
        org.ask::<KeySet>(keys::KEYS, &path, &[]).await.map(drop)
    };
    ledger.look(keys::FACET, keys).await;
}

/// Both facets of the log are read by the same call.
async fn look_at_log(org: &Org, ledger: &Ledger, standing: &Standing<'_>) {
    let facets = [log::TOKENS, log::CONSENTS];
    let skipped = facets.map(|facet| ledger.skipped(facet).is_some());
    let wanted = || facets.into_iter().zip(skipped).filter(|(_, is_skipped)| !is_skipped);
    if wanted().count() == 0 {
        return;
    }
    let since = org.door.clock().now().minus(log::LIFE).whole_second().to_string();
    let query = [("since", since.as_str()), ("filter", log::FILTER), ("limit", "1")];
    let seen = first::<LogEvent>(org, log::LIST, &["api", "v1", "logs"], &query).await;
    for (facet, _) in wanted() {
        match &seen {
            Ok(true) => {}
            Ok(false) => drop(log::doubt_empty(ledger, standing, facet).await),
            Err(error) => ledger.lose(gap_of(facet, error), None),
        }
        ledger.settle(facet);
    }
}

/// Books what came of a list that may be empty for want of a role.
async fn doubt(
    ledger: &Ledger,
    standing: &Standing<'_>,
    list: Doubtful,
    look: impl Future<Output = Result<bool>>,
) {
    if ledger.skipped(list.facet).is_some() {
        return;
    }
    match look.await {
        Ok(true) => {}
        Ok(false) => drop(standing.believe_empty(ledger, list).await),
        Err(error) => drop(ledger.fail(list.facet, &error)),
    }
    ledger.settle(list.facet);
}

fn nothing(what: &str, access: &Access) -> Error {
    Error::new(ErrorKind::Forbidden, format!("Okta lists no {what}, and there are some"))
        .with_hint(hints::no_role(what, &access.who))
}

/// Whether the first page of a listing holds anything.
async fn first<T>(org: &Org, call: Call, path: &[&str], query: Query<'_>) -> Result<bool>
where
    T: Identified + DeserializeOwned,
{
    let page = Listing::of(org, call, path, query).await?.next::<T>().await?;
    Ok(page.is_some_and(|page| !page.rows.is_empty() || page.odd > 0))
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
    match access.who {
        Who::ApiToken => notes
            .push("an API token ends after 30 days without use; each scan renews it".to_owned()),
        Who::Bearer => notes.push("an access token made by hand ends after an hour".to_owned()),
        Who::ServiceApp { .. } => {}
    }
    notes
}
