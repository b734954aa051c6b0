//! The order of a revocation: what acts without a user first, then refresh tokens, then scopes, then API tokens. An app that is only named by
//! a grant is never switched off, and the revoker never cuts itself off.

use std::collections::{BTreeMap, BTreeSet};

use grantwarden_kit::{
    connector::{RevocationPlan, Step, Targets},
    error::Result,
    model::{App, Grant, GrantKind, Origin},
};

use super::{
    DEACTIVATE_APP, DELETE_APP_TOKENS, DELETE_GRANT, DELETE_SERVICE, DELETE_TOKEN,
    REVOKE_API_TOKEN, Revoker, id,
};
use crate::{
    access::Who,
    api::{Application, RefreshToken, ScopeGrant},
    collect::{
        api_tokens,
        apps::{client_id, is_client, is_oidc, is_oktas, label, may_refresh},
        grants::{folded_id, together},
        services,
        standing::own_user,
    },
    org::is_not_there,
};

#[derive(Default)]
struct Steps {
    services: BTreeMap<String, Step>,
    deactivate: Vec<Step>,
    all_tokens: Vec<Step>,
    tokens: BTreeMap<String, Step>,
    grants: BTreeMap<String, Step>,
    api_tokens: BTreeMap<String, Step>,
    by_hand: Vec<String>,
}

impl Steps {
    fn say(&mut self, text: String) {
        if !self.by_hand.contains(&text) {
            self.by_hand.push(text);
        }
    }
}

/// Which steps end what the targets name.
pub(super) async fn plan(revoker: &Revoker, targets: &Targets) -> Result<RevocationPlan> {
    let mut steps = Steps::default();
    let mut whole = BTreeSet::new();
    for app in &targets.apps {
        if whole.insert(app.id.as_str()) {
            whole_app(revoker, app, &mut steps).await?;
        }
    }
    let mut by_app: BTreeMap<&str, Vec<&Grant>> = BTreeMap::new();
    for grant in &targets.grants {
        // What a whole app holds ends with it; its roles do not, and API tokens are no app's.
        if !whole.contains(grant.app.as_str()) || grant.kind == GrantKind::ApiToken {
            by_app.entry(&grant.app).or_default().push(grant);
        }
    }
    for (app, grants) in by_app {
        some_grants(revoker, app, &grants, &mut steps).await?;
    }
    let Steps { services, deactivate, all_tokens, tokens, grants, api_tokens, by_hand } = steps;
    let steps: Vec<Step> = services
        .into_values()
        .chain(deactivate)
        .chain(all_tokens)
        .chain(tokens.into_values())
        .chain(grants.into_values())
        .chain(api_tokens.into_values())
        .collect();
    let mut by_hand = by_hand;
    if !steps.is_empty() {
        by_hand.push(
            "Access tokens that were issued before go on working to their end: an hour for the Okta API, up to a day where a custom authorization server says so. \
             Apps that check tokens offline cannot be told. Deleting refresh tokens ends the access tokens that came with them, where somebody asks Okta."
                .to_owned(),
        );
        by_hand.push(
            "Sessions of users are left alone. To end those of a user, with all tokens: DELETE /api/v1/users/{id}/sessions?oauthTokens=true, or Directory > People > the user > More Actions > Clear User Sessions."
                .to_owned(),
        );
    }
    Ok(RevocationPlan { steps, by_hand })
}

/// Everything that an app holds.
async fn whole_app(revoker: &Revoker, app: &App, steps: &mut Steps) -> Result<()> {
    let name = app.name.as_str();
    if app.id.starts_with(api_tokens::APP) {
        steps.say(format!(
            "{name} is no app that could be switched off: name the API tokens that are to go, one by one."
        ));
        return Ok(());
    }
    if app.origin == Origin::Own {
        steps.say(format!(
            "{name} is left alone: it is the app that scans. If it is to go all the same: Applications > {name} > Active > Deactivate."
        ));
        return Ok(());
    }
    let target = id(&app.id)?;
    if app.kind == services::KIND {
        return whole_service(revoker, target, name, steps).await;
    }
    let seen = match revoker.app(target).await {
        Ok(seen) => seen,
        // What the record says of its kind may be old.
        Err(error) if is_not_there(&error) && is_service(revoker, target).await? => {
            return whole_service(revoker, target, name, steps).await;
        }
        Err(error) => {
            revoker.prove_gone(error, target).await?;
            steps.say(format!("{name} is not there any more: nothing to switch off."));
            return Ok(());
        }
    };
    if let Some(why) = spared(revoker, &seen).await? {
        steps.say(format!("{name} is left alone: {why}."));
        return Ok(());
    }
    let name = label(&seen);
    steps.deactivate.push(deactivate(target, name));
    if is_oidc(&seen) {
        what_it_holds(revoker, target, &seen, steps).await?;
    }
    steps.say(format!(
        "Administrator roles of {name} are not taken away, and give nothing while the app is inactive: Applications > {name} > Admin roles > Edit assignments."
    ));
    steps.say(format!(
        "Secrets and keys of {name}: rotate them before it is activated again (Applications > {name} > General > Client Credentials). What {name} got by SAML or SCIM, \
         and sessions at its own service, Okta cannot end: the vendor has to."
    ));
    Ok(())
}

/// Refresh tokens and scopes of an app. Those of other apps than OAuth clients cannot be asked for, and they have none.
async fn what_it_holds(
    revoker: &Revoker,
    target: &str,
    seen: &Application,
    steps: &mut Steps,
) -> Result<()> {
    let name = label(seen);
    let tokens = revoker.tokens(target).await?;
    // An empty list may be one that is not shown: where there may be tokens, they are deleted unseen.
    if !tokens.is_empty() || may_refresh(seen) {
        steps.all_tokens.push(delete_all_tokens(target, name, &tokens));
    }
    let grants = revoker.grants(target).await?;
    if grants.is_empty()
        && let Err(error) = revoker.prove_sight_of_grants().await
    {
        steps.say(format!(
            "Okta lists no scopes of {name}, and nothing shows that it would ({}): look under Applications > {name} > Okta API Scopes.",
            error.summary()
        ));
    }
    for row in grants {
        steps.grants.insert(row.id.clone(), delete_grant(target, name, &row));
    }
    Ok(())
}

/// An integration has nothing that could be taken away alone.
async fn whole_service(
    revoker: &Revoker,
    target: &str,
    name: &str,
    steps: &mut Steps,
) -> Result<()> {
    if revoker.org.connect().await?.client_id() == Some(target) {
        steps.say(format!("{name} is left alone: it is the client that revokes."));
    } else {
        steps.services.insert(target.to_owned(), delete_service(target, name));
    }
    Ok(())
}

/// Why an app is not switched off, if it is not.
async fn spared(revoker: &Revoker, app: &Application) -> Result<Option<&'static str>> {
    let access = revoker.org.connect().await?;
    if access.client_id().is_some_and(|own| is_client(app, own)) {
        return Ok(Some("it is the app that revokes"));
    }
    Ok(is_oktas(app).then_some("it is Okta's own, and people administer the org with it"))
}

async fn is_service(revoker: &Revoker, target: &str) -> Result<bool> {
    Ok(revoker.services().await?.iter().any(|service| service.id == target))
}

/// Some grants of an app that goes on working otherwise.
async fn some_grants(
    revoker: &Revoker,
    app: &str,
    grants: &[&Grant],
    steps: &mut Steps,
) -> Result<()> {
    let name = grants.first().map_or(app, |grant| grant.app_name.as_str());
    let mut consents: Vec<&Grant> = Vec::new();
    for grant in grants {
        let last = grant.id.strip_prefix(app).and_then(|rest| rest.strip_prefix(':'));
        match (grant.kind, last) {
            (GrantKind::ApiToken, _) => api_token(revoker, grant, steps).await?,
            (GrantKind::AppOnly, Some("scopes")) => {
                whole_service(revoker, id(app)?, name, steps).await?;
            }
            (_, Some("roles")) => steps.say(format!(
                "Take the administrator roles from {name} by hand: Applications > {name} > Admin roles > Edit assignments."
            )),
            (_, Some(_)) => consents.push(grant),
            (GrantKind::Delegated, None) => {
                let target = id(&grant.id)?;
                let step = delete_token(id(app)?, name, target, &whose(grant));
                steps.tokens.insert(target.to_owned(), step);
            }
            (_, None) => steps.say(format!(
                "End the cross-app connection {} of {name} by hand: Applications > {name} > Manage Connections.",
                grant.id
            )),
        }
    }
    if consents.is_empty() {
        return Ok(());
    }
    let target = id(app)?;
    let rows = match revoker.grants(target).await {
        Ok(rows) => rows,
        Err(error) if is_not_there(&error) => {
            revoker.prove_gone(error, target).await?;
            steps.say(format!("{name} is not there any more: nothing to revoke."));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let seen = revoker.app(target).await?;
    if let Some(why) = spared(revoker, &seen).await? {
        steps.say(format!("The scopes of {name} are left alone: {why}."));
        return Ok(());
    }
    for grant in consents {
        let own = rows.iter().filter(|row| folded_id(target, &together(row)) == grant.id);
        let mut found = false;
        for row in own {
            found = true;
            steps.grants.insert(row.id.clone(), delete_grant(target, name, row));
        }
        if !found {
            steps.say(format!(
                "{name} has no consent {} any more among the grants of the app. If it is one to a custom authorization server, of {}: DELETE /api/v1/users/{}/clients/{}/grants ends all consents of that user to {name}.",
                grant.id,
                whose(grant),
                grant.holder.principal().map_or("{user id}", |who| who.id.as_str()),
                client_id(&seen).unwrap_or(target)
            ));
        }
    }
    Ok(())
}

fn whose(grant: &Grant) -> String {
    grant.holder.principal().map_or_else(|| "somebody".to_owned(), |who| who.label().to_owned())
}

async fn api_token(revoker: &Revoker, grant: &Grant, steps: &mut Steps) -> Result<()> {
    let access = revoker.org.connect().await?;
    let target = id(&grant.id)?;
    let (name, who) = (grant.app_name.as_str(), whose(grant));
    if access.who == Who::ApiToken {
        // Which of a user's tokens is asking cannot be told: none of that user's is revoked.
        let me = own_user(&revoker.org).await?;
        if grant.holder.principal().is_none_or(|principal| principal.id == me) {
            steps.say(format!(
                "The API token {name} belongs to the user whose token revokes, and may be that very token: revoke it by hand (Security > API > Tokens)."
            ));
            return Ok(());
        }
    }
    steps.say(format!(
        "To contain the API token {name} in place of revoking it: Security > API > Tokens > {name} > Token may be used from, a network zone that nobody is in."
    ));
    steps.api_tokens.insert(
        target.to_owned(),
        Step {
            action: REVOKE_API_TOKEN.to_owned(),
            target: target.to_owned(),
            title: format!("Revoke the API token {name} of {who}"),
            breaks: format!("whatever calls Okta with the token {name} stops at once"),
            undo: None,
            calls: 1,
            details: BTreeMap::new(),
        },
    );
    Ok(())
}

fn delete_service(target: &str, name: &str) -> Step {
    Step {
        action: DELETE_SERVICE.to_owned(),
        target: target.to_owned(),
        title: format!("Revoke the authorisation of the API service integration {name}"),
        breaks: format!(
            "{name} gets no new token and loses all its scopes; the integration and its secrets are gone"
        ),
        undo: Some(format!(
            "authorise {name} anew: Applications > API Service Integrations > Add Integration; it gets a new client id and secret"
        )),
        calls: 1,
        details: BTreeMap::new(),
    }
}

fn deactivate(target: &str, name: &str) -> Step {
    Step {
        action: DEACTIVATE_APP.to_owned(),
        target: target.to_owned(),
        title: format!("Deactivate the app {name}"),
        breaks: format!(
            "nobody signs in to {name} through Okta any more, it gets no new token, and provisioning stops; Okta reconciles its group assignments"
        ),
        undo: Some(format!(
            "Applications > {name} > Inactive > Activate (POST /api/v1/apps/{target}/lifecycle/activate)"
        )),
        calls: 2,
        details: BTreeMap::new(),
    }
}

fn delete_all_tokens(target: &str, name: &str, tokens: &[RefreshToken]) -> Step {
    let title = match tokens.len() {
        0 => format!("Delete any refresh tokens of {name}; Okta lists none now"),
        1 => format!("Delete the refresh token of {name}"),
        count => format!("Delete all {count} refresh tokens of {name}"),
    };
    // To be looked for afterwards.
    let witness = tokens.first().map(|token| ("token", token.id.as_str()));
    Step {
        action: DELETE_APP_TOKENS.to_owned(),
        target: target.to_owned(),
        title,
        breaks: format!(
            "every user of {name} has to sign in again when the access token ends; tokens that it got for itself go on to their end"
        ),
        undo: None,
        calls: 1,
        details: owned(witness.as_slice()),
    }
}

fn delete_token(app: &str, name: &str, target: &str, who: &str) -> Step {
    Step {
        action: DELETE_TOKEN.to_owned(),
        target: target.to_owned(),
        title: format!("Delete a refresh token of {name} for {who}"),
        breaks: format!("{who} has to sign in to {name} again"),
        undo: None,
        calls: 1,
        details: owned(&[("app", app)]),
    }
}

fn delete_grant(app: &str, name: &str, row: &ScopeGrant) -> Step {
    let scope = row.scope_id.given().map_or("a scope that is not told", String::as_str);
    let issuer = row.issuer.given().map_or("", String::as_str);
    Step {
        action: DELETE_GRANT.to_owned(),
        target: row.id.clone(),
        title: format!("Take the scope {scope} from {name}"),
        breaks: format!(
            "{name} gets no new token with {scope}; tokens that it has work to their end, at most an hour"
        ),
        undo: Some(format!(
            "POST /api/v1/apps/{app}/grants with scopeId {scope} and issuer {issuer}"
        )),
        calls: 1,
        details: owned(&[("app", app), ("scope", scope)]),
    }
}

fn owned(details: &[(&str, &str)]) -> BTreeMap<String, String> {
    details.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
