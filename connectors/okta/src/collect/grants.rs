//! Scope grants, refresh tokens, administrator roles and cross-app connections of an app as records.

use std::collections::{BTreeMap, BTreeSet};

use grantwarden_kit::model::{
    Approval, Expiry, Gap, Grant, GrantKind, Holder, Observed, Principal, Reason, Scope, Setting,
};

use super::{
    app_records, apps,
    lifetimes::{self, Lifetimes},
    log::History,
    people,
    window::{Pending, role_scope},
    zones::Zones,
};
use crate::{
    api::{Application, Connection, RefreshToken, Role, ScopeGrant},
    told::{Told, untold},
};

pub(super) const GRANTS: &str = "scope-grants";
pub(super) const TOKENS: &str = "refresh-tokens";
pub(super) const ROLES: &str = "client-roles";
pub(super) const CROSS: &str = "cross-app-access";
/// Scopes of OpenID Connect, which mean the same whoever issues them.
const STANDARD: [&str; 8] =
    ["openid", "profile", "email", "address", "phone", "offline_access", "groups", "device_sso"];

/// What grants of an app take from the rest of the org.
pub(super) struct Around<'a> {
    pub(super) history: &'a History,
    pub(super) lifetimes: &'a Lifetimes,
    pub(super) zones: &'a Zones,
}

/// What is granted together: by the same side, for the same user, by the same issuer.
type Together = (String, String, String);

/// One grant for all scopes that are granted together. Consents that were revoked are none.
pub(super) fn of_scopes(
    app: &Application,
    rows: Vec<ScopeGrant>,
    around: &Around<'_>,
) -> Vec<Pending> {
    let mut groups: BTreeMap<Together, Vec<ScopeGrant>> = BTreeMap::new();
    for row in rows.into_iter().filter(|row| is_live(&row.status)) {
        groups.entry(together(&row)).or_default().push(row);
    }
    groups.into_iter().map(|(key, rows)| folded(app, &key, &rows, around)).collect()
}

/// What is not told to be revoked may work.
pub(crate) fn is_live(status: &Told<String>) -> bool {
    status.given().is_none_or(|status| status != "REVOKED")
}

/// Under which name consents are one grant.
pub(crate) fn together(row: &ScopeGrant) -> Together {
    let source = row.source.given().map_or("unknown", String::as_str);
    let user = row.user_id.given().map_or("", String::as_str);
    (source.to_owned(), issuer_key(row.issuer.given().map(String::as_str)), user.to_owned())
}

/// A name for an issuer: the server's, or `org` for the org itself.
fn issuer_key(issuer: Option<&str>) -> String {
    match issuer {
        None => "unknown".to_owned(),
        Some(issuer) => lifetimes::server_of(issuer).unwrap_or("org").to_owned(),
    }
}

/// The id of consents that are one grant.
pub(crate) fn folded_id(app: &str, (source, issuer, user): &Together) -> String {
    let mut id = format!("{app}:{source}:{issuer}");
    if !user.is_empty() {
        id.push_str(&format!(":{user}"));
    }
    id
}

fn folded(app: &Application, key: &Together, rows: &[ScopeGrant], around: &Around<'_>) -> Pending {
    let (source, _, user) = key;
    let issuer = rows.first().and_then(|row| row.issuer.given()).map(String::as_str);
    let is_personal = source == "END_USER" || !user.is_empty();
    let as_itself = apps::acts_as_itself(app);
    let kind = match (is_personal, as_itself) {
        (true, _) => GrantKind::Delegated,
        (false, true) => GrantKind::AppOnly,
        (false, false) => GrantKind::AdminConsented,
    };
    let created: BTreeSet<_> = rows.iter().filter_map(|row| row.created.given().copied()).collect();
    let giver = rows
        .iter()
        .filter(|row| row.created.given() == created.first())
        .find_map(|row| Some((row.created_by.given()?, row)));
    let mut settings = vec![text("Issuer", issuer)];
    if let (Some(first), Some(last)) = (created.first(), created.last())
        && first != last
    {
        settings.push(text("Latest scope given", Some(&last.to_string())));
    }
    if !matches!(source.as_str(), "ADMIN" | "END_USER") {
        settings.push(text("Source of the consent", Some(source)));
    }
    let odd_status =
        rows.iter().filter_map(|row| row.status.given()).find(|status| *status != "ACTIVE");
    if let Some(status) = odd_status {
        settings.push(text("Status", Some(status)));
    }
    let client_id = apps::client_id(app).unwrap_or(&app.id);
    if kind != GrantKind::AppOnly {
        let last = around.history.last_grant(client_id).map(|at| at.to_string());
        settings.push(Setting { name: "Last token of the app".to_owned(), value: last });
    }
    let mut grant = base(app, folded_id(&app.id, key), kind, GRANTS, around);
    grant.scopes = scopes(rows, issuer);
    grant.granted_at = match created.first() {
        Some(first) => Observed::Known(*first),
        None => Observed::Unknown(untold(GRANTS, "when it was given")),
    };
    grant.granted_by = match giver.and_then(|(actor, _)| actor.kind.given().zip(actor.id.given())) {
        Some((kind, id)) if kind != "User" => Observed::Known(format!("{kind} {id}")),
        _ => Observed::Unknown(untold(GRANTS, "who gave it")),
    };
    grant.last_used_at = if kind == GrantKind::AppOnly {
        around.history.last_grant(client_id)
    } else {
        silent(
            GRANTS,
            "the System Log tells when an app last got a token, and not by which consent",
        )
    };
    // A consent has no end of its own.
    grant.expires = Observed::Known(Expiry::Never);
    grant.refreshable = if kind == GrantKind::AppOnly {
        Observed::Known(true)
    } else {
        apps::grant_types(app).observed(GRANTS, "whether the app gets refresh tokens", |types| {
            types.iter().any(|kind| kind == "refresh_token")
        })
    };
    grant.approval = match source.as_str() {
        "ADMIN" => Observed::Known(Approval::AdminApproved),
        "END_USER" => Observed::Known(Approval::SelfAuthorized),
        _ => Observed::Unknown(untold(GRANTS, "who consented")),
    };
    grant.settings.extend(settings);
    let giver = giver.and_then(|(actor, _)| {
        let is_user = actor.kind.given().is_some_and(|kind| kind == "User");
        actor.id.given().filter(|_| is_user).cloned()
    });
    let holder = (is_personal && !user.is_empty()).then(|| user.clone());
    if is_personal && holder.is_none() {
        grant.holder = Holder::Principal(nobody(GRANTS));
    }
    Pending { facet: GRANTS, grant, holder, granted_by: giver, has_roles: false }
}

fn scopes(rows: &[ScopeGrant], issuer: Option<&str>) -> Observed<Vec<Scope>> {
    let named: Option<BTreeSet<&String>> = rows.iter().map(|row| row.scope_id.given()).collect();
    match named {
        Some(names) => Observed::Known(names.into_iter().map(|name| scope(name, issuer)).collect()),
        None => Observed::Unknown(untold(GRANTS, "one of the scopes")),
    }
}

/// A scope of the org's, or of a custom authorization server, where the customer named it and only the standard names mean what they say.
pub(super) fn scope(name: &str, issuer: Option<&str>) -> Scope {
    let is_own = issuer.and_then(lifetimes::server_of).is_some() && !STANDARD.contains(&name);
    Scope { name: name.to_owned(), resource: issuer.filter(|_| is_own).map(ToOwned::to_owned) }
}

/// A grant for each refresh token.
pub(super) fn of_token(
    app: &Application,
    token: &RefreshToken,
    around: &Around<'_>,
) -> Option<Pending> {
    if !is_live(&token.status) {
        return None;
    }
    let issuer = token.issuer.given().map(String::as_str);
    let mut settings = vec![text("Issuer", issuer)];
    if let Some(status) = token.status.given().filter(|status| *status != "ACTIVE") {
        settings.push(text("Status", Some(status)));
    }
    let client_id = apps::client_id(app).unwrap_or(&app.id);
    let mut grant = base(app, token.id.clone(), GrantKind::Delegated, TOKENS, around);
    grant.scopes = token.scopes.observed(TOKENS, "the scopes", |scopes| {
        scopes.iter().map(|name| scope(name, issuer)).collect()
    });
    grant.granted_at = token.created.observed(TOKENS, "when it was given", |at| *at);
    grant.last_used_at = silent(TOKENS, "Okta does not tell when a refresh token was last used");
    let end = token.expires_at.observed(TOKENS, "when it ends", |at| Expiry::At(*at));
    grant.expires = match (&end, around.lifetimes.end(issuer, client_id)) {
        (Observed::Unknown(_), Some(end)) => Observed::Known(end),
        _ => end,
    };
    grant.refreshable = Observed::Known(true);
    let consent = apps::client(app).field(|client| &client.consent_method);
    grant.approval = match consent.given().map(String::as_str) {
        Some("REQUIRED") => Observed::Known(Approval::SelfAuthorized),
        // Nobody is asked: whoever may use the app gives it.
        Some("TRUSTED") => app_records::approval(app),
        _ => Observed::Unknown(untold(TOKENS, "whether users are asked")),
    };
    if grant.sender_constrained.known() == Some(&true) {
        let what = "access tokens; a refresh token of a client that proves itself is bound to the client and its credentials";
        settings.push(text("Bound to a key", Some(what)));
    }
    grant.settings.extend(settings);
    let holder = token.user_id.given().filter(|id| !id.is_empty()).cloned();
    if holder.is_none() {
        grant.holder = Holder::Principal(nobody(TOKENS));
    }
    // Whoever signs in gives it for themselves.
    let granted_by = holder.clone();
    Some(Pending { facet: TOKENS, grant, holder, granted_by, has_roles: false })
}

/// One grant for the administrator roles of a service app.
pub(super) fn of_roles(app: &Application, roles: &[Role], around: &Around<'_>) -> Option<Pending> {
    let live: Vec<&Role> = roles.iter().filter(|role| people::is_live(role)).collect();
    if live.is_empty() {
        return None;
    }
    let client_id = apps::client_id(app).unwrap_or(&app.id);
    let mut grant = base(app, format!("{}:roles", app.id), GrantKind::AppOnly, ROLES, around);
    let kinds: Option<BTreeSet<&String>> = live.iter().map(|role| role.kind.given()).collect();
    grant.scopes = match kinds {
        Some(kinds) => {
            Observed::Known(kinds.into_iter().map(|kind| role_scope(kind.clone())).collect())
        }
        None => Observed::Unknown(untold(ROLES, "the type of a role")),
    };
    let first = live.iter().filter_map(|role| role.created.given().copied()).min();
    grant.granted_at = match first {
        Some(at) => Observed::Known(at),
        None => Observed::Unknown(untold(ROLES, "when a role was given")),
    };
    grant.last_used_at = around.history.last_grant(client_id);
    grant.expires = Observed::Known(Expiry::Never);
    grant.refreshable = Observed::Known(true);
    grant.approval = Observed::Known(Approval::AdminApproved);
    let custom = live.iter().filter(|role| role.kind.given().is_some_and(|kind| kind == "CUSTOM"));
    let labels: Vec<&str> =
        custom.map(|role| role.label.given().map_or(role.id.as_str(), String::as_str)).collect();
    if !labels.is_empty() {
        grant.settings.push(text("Custom roles", Some(&labels.join(", "))));
    }
    Some(Pending { facet: ROLES, grant, holder: None, granted_by: None, has_roles: false })
}

/// The right of an app to ask another for data of its users.
pub(super) fn of_connection(
    app: &Application,
    link: &Connection,
    resource: Option<&str>,
    around: &Around<'_>,
) -> Option<Pending> {
    let is_asking = link.requesting_app_instance_id.given().is_none_or(|id| *id == app.id);
    let is_off = link.status.given().is_some_and(|status| status == "INACTIVE");
    if !is_asking || is_off {
        return None;
    }
    let mut grant = base(app, link.id.clone(), GrantKind::AdminConsented, CROSS, around);
    let other = link.resource_app_instance_id.given().map(String::as_str);
    grant.scopes = Observed::Known(vec![Scope::named("cross-app-access")]);
    grant.granted_at = link.created.observed(CROSS, "when it was made", |at| *at);
    grant.last_used_at = silent(CROSS, "Okta does not tell when a connection was last used");
    grant.expires = Observed::Known(Expiry::Never);
    grant.refreshable =
        silent(CROSS, "Okta does not tell how long the tokens of a connection live");
    grant.approval = Observed::Known(Approval::AdminApproved);
    grant.settings.extend([
        text("Asks", resource.or(other)),
        text("Status", link.status.given().map(String::as_str)),
    ]);
    Some(Pending { facet: CROSS, grant, holder: None, granted_by: None, has_roles: false })
}

/// What all grants of an app have in common.
fn base(app: &Application, id: String, kind: GrantKind, facet: &str, around: &Around<'_>) -> Grant {
    let client = apps::client(app);
    let network = around.zones.policy(client.field(|client| &client.network), facet);
    let mut settings = Vec::new();
    if network.binding.known().is_some() {
        let what =
            "requests for tokens; an access token that was issued works from anywhere to its end";
        settings.push(text("The network restriction binds", Some(what)));
    }
    Grant {
        id,
        app: app.id.clone(),
        app_name: apps::label(app).to_owned(),
        kind,
        holder: match kind {
            GrantKind::AppOnly => Holder::App,
            _ => Holder::Tenant,
        },
        scopes: Observed::Unknown(untold(facet, "the scopes")),
        granted_at: Observed::Unknown(untold(facet, "when it was given")),
        granted_by: silent(facet, "Okta does not tell who gave it"),
        last_used_at: Observed::Unknown(untold(facet, "when it was last used")),
        use_count: silent(facet, "Okta does not count uses"),
        expires: Observed::Unknown(untold(facet, "when it ends")),
        refreshable: Observed::Unknown(untold(facet, "whether it can be renewed")),
        network,
        sender_constrained: client.field(|client| &client.dpop_bound_access_tokens).observed(
            facet,
            "whether its tokens are bound to a key",
            |bound| *bound,
        ),
        approval: Observed::Unknown(untold(facet, "who stands behind it")),
        settings,
    }
}

pub(super) fn silent<T>(facet: &str, detail: &str) -> Observed<T> {
    Observed::unknown(Reason::PlatformSilent, facet, detail)
}

pub(super) fn text(name: &str, value: Option<&str>) -> Setting {
    let value = match value {
        Some(value) => Observed::Known(value.to_owned()),
        None => silent("apps", "Okta does not tell"),
    };
    Setting { name: name.to_owned(), value }
}

/// A user of whom not even the id is told.
pub(super) fn nobody(facet: &str) -> Principal {
    let gap = untold(facet, "whose it is");
    Principal {
        id: String::new(),
        name: Observed::Unknown(Gap::clone(&gap)),
        kind: Observed::Unknown(gap.clone()),
        status: Observed::Unknown(gap.clone()),
        privileges: Observed::Unknown(gap.clone()),
        last_login_at: Observed::Unknown(gap),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "https://acme.okta.com/oauth2/aus1";

    #[test]
    fn a_scope_is_the_orgs_under_each_of_its_domains() {
        for org in ["https://acme.okta.com", "https://id.acme.example/"] {
            assert_eq!(scope("okta.users.manage", Some(org)), Scope::named("okta.users.manage"));
        }
        assert_eq!(scope("admin", Some(SERVER)).resource.as_deref(), Some(SERVER));
        assert_eq!(scope("offline_access", Some(SERVER)), Scope::named("offline_access"));
    }

    #[test]
    fn consents_fold_by_side_issuer_and_user() {
        let row = |source: &str, issuer: &str, user: &str| {
            let text = format!(
                r#"{{"id":"oag1","source":"{source}","issuer":"{issuer}","userId":{user},"scopeId":"a"}}"#
            );
            let row: ScopeGrant = serde_json::from_str(&text).unwrap();
            folded_id("0oa1", &together(&row))
        };
        assert_eq!(row("ADMIN", "https://acme.okta.com", "null"), "0oa1:ADMIN:org");
        assert_eq!(row("ADMIN", "https://id.acme.example", "null"), "0oa1:ADMIN:org");
        assert_eq!(row("END_USER", SERVER, "\"00u1\""), "0oa1:END_USER:aus1:00u1");
    }
}
