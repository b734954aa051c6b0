//! API tokens (SSWS), each with all rights of the administrator who made it.

use std::collections::BTreeSet;

use grantwarden_kit::{
    error::Result,
    ledger::Ledger,
    model::{
        App, Expiry, Gap, Grant, GrantKind, Holder, Observed, Origin, Reason, Record, Scope,
        TokenPolicy,
    },
};

use super::{
    app_records::silent as untold_app,
    duration,
    grants::{nobody, silent, text},
    listed::{self, Listed, unless_cancelled},
    standing::{Doubtful, Shown, Standing, own_user},
    window::{Pending, Window},
    zones::Zones,
};
use crate::{
    access::{Access, Who},
    api::ApiToken,
    hints,
    org::{Call, Org, bucket},
    told::{Told, odd, untold},
};

pub(super) const FACET: &str = "api-tokens";
pub(super) const LIST: Call =
    Call { endpoint: "list API tokens", scope: "okta.apiTokens.read", bucket: bucket::DEFAULT };
const PAGE: Shown = Shown::Super { page: "Security > API > Tokens" };
const DOUBTFUL: Doubtful = Doubtful { facet: FACET, what: "API tokens", shown: PAGE };
const OF_OTHERS: Doubtful =
    Doubtful { facet: FACET, what: "API tokens of others than the scanner", shown: PAGE };
/// The app that stands for API tokens; tokens of Okta's agents and the like have one by the name of what made them.
pub(crate) const APP: &str = "api-tokens";
/// What people make tokens with.
const BY_HAND: &str = "Okta API";
/// The scope that stands for all that a token's user may do.
const SCOPE: &str = "api-token";

/// Reads all API tokens.
pub(super) async fn read(
    org: &Org,
    ledger: &Ledger,
    access: &Access,
    standing: &Standing<'_>,
) -> Result<Listed<ApiToken>> {
    let path = ["api", "v1", "api-tokens"];
    let mut listed: Listed<ApiToken> = listed::read(org, ledger, FACET, LIST, &path, &[]).await;
    if ledger.skipped(FACET).is_some() || listed.gap().is_some() {
        return Ok(listed);
    }
    if access.who != Who::ApiToken {
        if listed.rows.is_empty() {
            listed.gap = standing.believe_empty(ledger, DOUBTFUL).await;
        }
        return Ok(listed);
    }
    let own = match unless_cancelled(own_user(org).await)? {
        Ok(own) => own,
        Err(error) => {
            listed.gap = Some(ledger.fail(FACET, &error));
            return Ok(listed);
        }
    };
    let is_own = |token: &ApiToken| token.user_id.given() == Some(&own);
    if !listed.rows.iter().any(is_own) {
        // The scanner's own token is one: a list without it leaves others out, too.
        let detail = format!(
            "Okta's list of API tokens does not hold the scanner's own, so others may be missing; {}",
            hints::no_role("API tokens", &access.who)
        );
        let gap = Gap::new(Reason::Permission, FACET, detail);
        ledger.lose(gap.clone(), None);
        listed.gap = Some(gap);
    } else if listed.rows.iter().all(is_own) {
        // Everybody sees their own: that proves nothing about those of others.
        listed.gap = standing.believe_empty(ledger, OF_OTHERS).await;
    }
    Ok(listed)
}

/// Streams the tokens, the apps that stand for them first.
pub(super) async fn stream(
    window: &mut Window<'_>,
    tokens: &[ApiToken],
    zones: &Zones,
) -> Result<()> {
    let apps: BTreeSet<(String, String)> = tokens.iter().map(app_of).collect();
    for (id, name) in apps {
        window.sink.send(Record::App(app(id, name))).await?;
    }
    for token in tokens {
        window.push(pending(token, zones)).await?;
    }
    Ok(())
}

/// Id and name of the app that stands for what a token was made with.
fn app_of(token: &ApiToken) -> (String, String) {
    match token.client_name.given().map(String::as_str) {
        None | Some("" | BY_HAND) => (APP.to_owned(), "API tokens".to_owned()),
        Some(name) => (format!("{APP}:{name}"), format!("API tokens of {name}")),
    }
}

fn app(id: String, name: String) -> App {
    App {
        id,
        name,
        kind: "API tokens".to_owned(),
        client_ids: Observed::Absent,
        // Nobody is behind it: it stands for what many people made.
        publisher: Observed::Absent,
        home_tenant: Observed::Absent,
        namespace: Observed::Absent,
        redirect_domains: Observed::Absent,
        web_domains: Observed::Absent,
        origin: Origin::ThirdParty,
        installed: Observed::Absent,
        blocked: Observed::Known(false),
        approval: untold_app("any administrator makes API tokens for themselves"),
        assigned_to: Observed::Absent,
        scopes: Observed::Known(vec![Scope::named(SCOPE)]),
        token_policy: TokenPolicy {
            access_lifetime: Observed::Absent,
            refresh: Observed::Absent,
            rotation: Observed::Absent,
        },
        flows: Observed::Known(Vec::new()),
        introspects_all_tokens: Observed::Known(false),
        created_at: Observed::Absent,
        changed_at: Observed::Absent,
        settings: Vec::new(),
    }
}

fn pending(token: &ApiToken, zones: &Zones) -> Pending {
    let (app, _) = app_of(token);
    let window = match &token.token_window {
        Told::Given(text) => duration::parse(text).map_or_else(
            || Observed::Unknown(odd(FACET, "after which pause it ends")),
            Observed::Known,
        ),
        other => other.observed(FACET, "after which pause it ends", |_| std::time::Duration::ZERO),
    };
    let holder = token.user_id.given().filter(|id| !id.is_empty()).cloned();
    let last_used_at = match (&token.expires_at, &window) {
        // Each use moves the end: the window begins with the last one. A token that was never used has its making there.
        (Told::Given(end), Observed::Known(window)) => Observed::Known(end.minus(*window)),
        (Told::Given(end), _) => window.clone().map(|_| *end),
        (other, _) => other.observed(FACET, "when it ends", |at| *at),
    };
    let mut settings = vec![text("Made with", token.client_name.given().map(String::as_str))];
    if last_used_at.known().is_some() {
        let how = "its end less its window: each use moves the end; a token that was never used shows when it was made";
        settings.push(text("Last use is derived from", Some(how)));
    }
    let name = token.name.given().map_or("an API token without a name", String::as_str);
    let grant = Grant {
        id: token.id.clone(),
        app,
        app_name: name.to_owned(),
        kind: GrantKind::ApiToken,
        holder: Holder::Principal(nobody(FACET)),
        scopes: Observed::Known(vec![Scope::named(SCOPE)]),
        granted_at: token.created.observed(FACET, "when it was made", |at| *at),
        granted_by: Observed::Unknown(untold(FACET, "who made it")),
        last_used_at,
        use_count: silent(FACET, "Okta does not count uses"),
        expires: window.map(Expiry::Idle),
        refreshable: Observed::Known(false),
        network: zones.policy(&token.network, FACET),
        sender_constrained: Observed::Known(false),
        approval: silent(FACET, "any administrator makes API tokens for themselves"),
        settings,
    };
    Pending { facet: FACET, grant, granted_by: holder.clone(), holder, has_roles: true }
}
