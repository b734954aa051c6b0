//! What each app holds, app by app and some apps ahead: its scope grants, refresh tokens, roles, connections and keys. Each list is streamed;
//! of the apps themselves the listing is in memory.

use std::collections::{BTreeSet, HashMap};

use futures::{StreamExt as _, stream};
use grantwarden_kit::{
    error::Result,
    ledger::Ledger,
    model::{Gap, Observed, Reason, Record, Scope},
};

use super::{
    app_records, apps,
    asking::{Asked, Asking, Over, judge},
    grants::{self, Around, CROSS, GRANTS, ROLES, TOKENS},
    keys::{self, Clients},
    standing::{CLIENT_ROLES, Doubtful, Shown, Standing},
    window::Window,
};
use crate::{
    access::Access,
    api::{Application, Connection, Key, RefreshToken, Role, ScopeGrant},
    hints,
    listing::{Batch, Listing},
    org::{Call, Org, bucket},
    told::Told,
};

pub(super) const LIST_GRANTS: Call =
    Call { endpoint: "list grants of an app", scope: "okta.appGrants.read", bucket: bucket::APP };
pub(super) const LIST_TOKENS: Call = Call {
    endpoint: "list refresh tokens of an app",
    scope: "okta.apps.read",
    bucket: bucket::APP,
};
pub(super) const LIST_CONNECTIONS: Call =
    Call { endpoint: "list cross-app connections", scope: "okta.apps.read", bucket: bucket::APP };
const NO_GRANTS: Doubtful = Doubtful {
    facet: GRANTS,
    what: "grants of any app",
    shown: Shown::Super { page: "the Okta API Scopes of the apps" },
};
const NO_TOKENS: Doubtful =
    Doubtful { facet: TOKENS, what: "refresh tokens of any app", shown: Shown::Readers };
const NO_ROLES: Doubtful =
    Doubtful { facet: ROLES, what: "roles of any service app", shown: Shown::Readers };
/// Apps that are asked about at once.
const CONCURRENT: usize = 5;

/// The facets that are read app by app.
struct Askings {
    grants: Asking,
    tokens: Asking,
    roles: Asking,
    keys: Asking,
    cross: Asking,
}

/// The lists of one app, the one of refresh tokens as far as its first page.
struct Fetched<'a> {
    app: &'a Application,
    grants: Asked<Batch<ScopeGrant>>,
    tokens: Asked<(Batch<RefreshToken>, Listing<'a>)>,
    roles: Asked<Batch<Role>>,
    keys: Asked<(Vec<Key>, u64)>,
    cross: Asked<Batch<Connection>>,
}

/// What the reading of apps needs besides.
pub(super) struct Context<'a> {
    pub(super) org: &'a Org,
    pub(super) ledger: &'a Ledger,
    pub(super) access: &'a Access,
    pub(super) standing: &'a Standing<'a>,
    pub(super) around: Around<'a>,
    pub(super) clients: &'a Clients,
    /// Why apps are missing from the list, if they are.
    pub(super) apps_gap: Option<&'a Gap>,
}

/// Streams all apps and what they hold. Whether all of it was read.
pub(super) async fn stream(
    context: &Context<'_>,
    window: &mut Window<'_>,
    all: &[Application],
) -> Result<bool> {
    let Context { org, ledger, access, .. } = *context;
    let mut askings = Askings {
        grants: Asking::new(org, ledger, GRANTS, LIST_GRANTS),
        tokens: Asking::new(org, ledger, TOKENS, LIST_TOKENS),
        roles: Asking::new(org, ledger, ROLES, CLIENT_ROLES),
        keys: Asking::new(org, ledger, keys::FACET, keys::KEYS),
        cross: Asking::new(org, ledger, CROSS, LIST_CONNECTIONS),
    };
    let labels: HashMap<&str, &str> =
        all.iter().map(|app| (app.id.as_str(), apps::label(app))).collect();
    // Places and not apps: a stream over what is borrowed cannot cross threads.
    let shown: Vec<usize> = (0..all.len()).filter(|at| is_shown(&all[*at])).collect();
    note_others(ledger, all);
    let own = access.client_id();
    let own = own.and_then(|own| all.iter().find(|app| apps::is_client(app, own)));
    let witness = own.or_else(|| all.iter().find(|app| apps::is_oidc(app)));
    let witness = witness.map(|app| app.id.as_str());
    // The askings are looked at while they are written to: what is over is an atomic of each.
    let overs = Overs::of(&askings);
    let mut fetched = stream::iter(shown)
        .map(|at| fetch(org, &all[at], witness, overs.clone()))
        .buffered(CONCURRENT);
    let mut own_grants = None;
    while let Some(fetched) = fetched.next().await {
        let is_own = own.is_some_and(|own| own.id == fetched.app.id);
        let count = give(context, window, fetched, &mut askings, &labels).await?;
        if is_own {
            own_grants = count;
        }
    }
    drop(fetched);
    if own_grants == Some(0) {
        // The scanner's own scopes are grants of its own app.
        let detail = format!(
            "Okta lists no grant of the scanner's own app, which has some; {}",
            hints::no_role("app grants", &access.who)
        );
        ledger.lose(Gap::new(Reason::Permission, GRANTS, detail), None);
    }
    let count = all.len() as u64;
    prove(context, &mut askings, own_grants).await;
    let Askings { grants, tokens, roles, keys, cross } = &mut askings;
    for asking in [grants, tokens, roles, keys, cross] {
        if let Some(gap) = context.apps_gap
            && !asking.is_skipped
        {
            let detail = format!("apps are missing from the list of apps: {}", gap.detail);
            ledger.lose(Gap::new(gap.reason, asking.facet, detail), None);
        }
        asking.finish(ledger, count);
    }
    Ok(!askings.grants.has_lost && !askings.tokens.has_lost)
}

/// Nothing at all is believed only with a proof that it would be shown.
async fn prove(context: &Context<'_>, askings: &mut Askings, own_grants: Option<u64>) {
    let Context { ledger, standing, .. } = context;
    let Askings { grants, tokens, roles, .. } = askings;
    let empty = |asking: &Asking| asking.asked > 0 && asking.rows == 0 && !asking.has_lost;
    if empty(grants) && own_grants.is_none() {
        standing.believe_empty(ledger, NO_GRANTS).await;
    }
    if empty(tokens) {
        standing.believe_empty(ledger, NO_TOKENS).await;
    }
    if empty(roles) {
        standing.believe_empty(ledger, NO_ROLES).await;
    }
}

/// Which facets are over, to be looked at by those who ask.
#[derive(Clone)]
struct Overs {
    grants: Over,
    tokens: Over,
    roles: Over,
    keys: Over,
    cross: Over,
}

impl Overs {
    fn of(askings: &Askings) -> Self {
        Self {
            grants: askings.grants.over(),
            tokens: askings.tokens.over(),
            roles: askings.roles.over(),
            keys: askings.keys.over(),
            cross: askings.cross.over(),
        }
    }
}

/// Apps that hold something, or get data of the org. The others receive sign-ins and nothing else.
fn is_shown(app: &Application) -> bool {
    apps::is_oidc(app) || apps::is_provisioned(app) || matches!(app.features, Told::Odd)
}

fn note_others(ledger: &Ledger, all: &[Application]) {
    let others = all.iter().filter(|app| !is_shown(app) && !apps::is_oktas(app)).count();
    if others > 0 {
        let note = format!(
            "{} sign-ins only (SAML, bookmarks and the like, without provisioning): no token of the org is held there, so they are counted and not listed",
            if others == 1 {
                "1 app receives".to_owned()
            } else {
                format!("{others} apps receive")
            }
        );
        ledger.note(apps::FACET, note);
    }
    let oktas = all.iter().filter(|app| apps::is_oktas(app)).count();
    if oktas > 0 {
        let note = format!(
            "{} Okta's own: what is held there is not asked for",
            if oktas == 1 { "1 app is".to_owned() } else { format!("{oktas} apps are") }
        );
        ledger.note(apps::FACET, note);
    }
}

async fn fetch<'a>(
    org: &'a Org,
    app: &'a Application,
    witness: Option<&'a str>,
    overs: Overs,
) -> Fetched<'a> {
    let id = app.id.as_str();
    let holds = apps::is_oidc(app) && !apps::is_oktas(app);
    let grants = if holds && !overs.grants.is_over() {
        let path = ["api", "v1", "apps", id, "grants"];
        let read = async { Listing::of(org, LIST_GRANTS, &path, &[]).await?.all().await };
        judge(org, id, witness, read.await).await
    } else {
        Asked::Spared
    };
    let tokens = if holds && apps::may_refresh(app) && !overs.tokens.is_over() {
        judge(org, id, witness, first_tokens(org, id).await).await
    } else {
        Asked::Spared
    };
    let roles = match apps::client_id(app) {
        Some(client_id) if holds && apps::may_act_as_itself(app) && !overs.roles.is_over() => {
            let path = ["oauth2", "v1", "clients", client_id, "roles"];
            let read = async { Listing::of(org, CLIENT_ROLES, &path, &[]).await?.all().await };
            judge(org, id, witness, read.await).await
        }
        _ => Asked::Spared,
    };
    let keys = if holds && keys::takes_a_call(app) && !overs.keys.is_over() {
        judge(org, id, witness, keys::ask(org, id).await).await
    } else {
        Asked::Spared
    };
    let cross = if holds && !overs.cross.is_over() {
        let path = ["api", "v1", "apps", id, "cwo", "connections"];
        let read = async { Listing::of(org, LIST_CONNECTIONS, &path, &[]).await?.all().await };
        judge(org, id, witness, read.await).await
    } else {
        Asked::Spared
    };
    Fetched { app, grants, tokens, roles, keys, cross }
}

async fn first_tokens<'a>(org: &'a Org, app: &str) -> Result<(Batch<RefreshToken>, Listing<'a>)> {
    let path = ["api", "v1", "apps", app, "tokens"];
    let mut listing = Listing::of(org, LIST_TOKENS, &path, &[("limit", "200")]).await?;
    let first = listing.next().await?;
    Ok((first.unwrap_or(Batch { rows: Vec::new(), odd: 0 }), listing))
}

/// Streams an app and what it holds; how many grants it has, if that was read.
async fn give(
    context: &Context<'_>,
    window: &mut Window<'_>,
    fetched: Fetched<'_>,
    askings: &mut Askings,
    labels: &HashMap<&str, &str>,
) -> Result<Option<u64>> {
    let Context { ledger, around, clients, .. } = context;
    let Fetched { app, grants, tokens, roles, keys, cross } = fetched;
    let name = apps::label(app);
    let was_asked = !matches!(grants, Asked::Spared);
    let granted = askings.grants.book(ledger, name, grants)?;
    let scopes = scopes_of(app, granted.as_ref(), was_asked);
    let own = context.access.client_id();
    let record = app_records::record(app, scopes, around.lifetimes, around.zones, own);
    window.sink.send(Record::App(record)).await?;
    if ledger.skipped(apps::FACET).is_none() {
        ledger.read(apps::FACET, 1);
    }
    let count = granted.as_ref().map(|batch| batch.rows.len() as u64 + batch.odd);
    if let Some(Batch { rows, odd }) = granted {
        askings.grants.count(ledger, rows.len() as u64, odd);
        for pending in grants::of_scopes(app, rows, around) {
            window.push_consent(pending).await?;
        }
    }
    if let Some((first, listing)) = askings.tokens.book(ledger, name, tokens)? {
        give_tokens(context, window, app, first, listing, &mut askings.tokens).await?;
    }
    if let Some(Batch { rows, odd }) = askings.roles.book(ledger, name, roles)? {
        askings.roles.count(ledger, rows.len() as u64, odd);
        if let Some(pending) = grants::of_roles(app, &rows, around) {
            window.push(pending).await?;
        }
    }
    let asked_keys = askings.keys.book(ledger, name, keys)?;
    if !askings.keys.is_skipped && apps::is_oidc(app) {
        let found = match asked_keys {
            Some((keys, odd)) => {
                askings.keys.count(ledger, keys.len() as u64, odd);
                keys
            }
            None => keys::told_with_app(app).unwrap_or_default(),
        };
        for credential in keys::credentials(app, &found, clients) {
            window.sink.send(Record::Credential(credential)).await?;
            ledger.read(keys::FACET, 1);
        }
    }
    if let Some(Batch { rows, odd }) = askings.cross.book(ledger, name, cross)? {
        askings.cross.count(ledger, rows.len() as u64, odd);
        for link in rows {
            let other =
                link.resource_app_instance_id.given().and_then(|id| labels.get(id.as_str()));
            if let Some(pending) = grants::of_connection(app, &link, other.copied(), around) {
                window.push(pending).await?;
            }
        }
    }
    Ok(count)
}

/// What bounds the grants of an app, for its record. Only an app that signs in as itself and nothing else is bounded by what was granted
/// to it: the others get whatever they ask for of OpenID Connect and of custom authorization servers.
fn scopes_of(
    app: &Application,
    granted: Option<&Batch<ScopeGrant>>,
    was_asked: bool,
) -> Observed<Vec<Scope>> {
    let unknown = |reason, detail| Observed::unknown(reason, GRANTS, detail);
    if apps::application_type(app) != Some("service") {
        let detail = "scopes of OpenID Connect and of custom authorization servers are not granted to an app, and bounded by no registration";
        return unknown(Reason::PlatformSilent, detail);
    }
    let Some(batch) = granted else {
        return if was_asked {
            unknown(Reason::CallFailed, "the grants of the app could not be read")
        } else {
            unknown(Reason::PlatformSilent, "the grants of the app were not asked for")
        };
    };
    let live = batch.rows.iter().filter(|row| grants::is_live(&row.status));
    let named: Option<BTreeSet<Scope>> = live
        .map(|row| {
            let issuer = row.issuer.given().map(String::as_str);
            Some(grants::scope(row.scope_id.given()?, issuer))
        })
        .collect();
    match named {
        Some(scopes) if batch.odd == 0 => Observed::Known(scopes.into_iter().collect()),
        _ => unknown(Reason::CallFailed, "some of the app's grants could not be read"),
    }
}

/// Streams the refresh tokens of an app, page by page.
async fn give_tokens(
    context: &Context<'_>,
    window: &mut Window<'_>,
    app: &Application,
    first: Batch<RefreshToken>,
    mut listing: Listing<'_>,
    asking: &mut Asking,
) -> Result<()> {
    let Context { ledger, around, .. } = context;
    let mut batch = first;
    loop {
        asking.count(ledger, batch.rows.len() as u64, batch.odd);
        for token in &batch.rows {
            if let Some(pending) = grants::of_token(app, token, around) {
                window.push(pending).await?;
            }
        }
        batch = match listing.next().await {
            Ok(Some(batch)) => batch,
            Ok(None) => return Ok(()),
            Err(error) => return asking.failed(ledger, apps::label(app), &error),
        };
    }
}
