//! The steps that end what the targets name. What contains comes first: a disabled app gets no new token while the rest goes on.

use std::collections::{BTreeMap, BTreeSet};

use grantwarden_kit::{
    connector::{RevocationPlan, Step, Targets},
    error::Result,
    model::{App, Grant, GrantKind},
};

use super::{
    DELETE_ASSIGNMENT, DELETE_GRANT, DISABLE_APP, REMOVE_CREDENTIAL, REVOKE_SESSIONS, Revoker,
    credential,
};
use crate::{
    api::{AppRoleAssignment, Application, PermissionGrant},
    collect::DEFAULT_ACCESS,
};

/// Steps by their place in the order.
#[derive(Default)]
struct Steps {
    disable: Vec<Step>,
    assignments: BTreeMap<String, Step>,
    grants: BTreeMap<String, Step>,
    credentials: Vec<Step>,
    sessions: BTreeMap<String, Step>,
    by_hand: Vec<String>,
}

pub(super) async fn make(revoker: &Revoker, targets: &Targets) -> Result<RevocationPlan> {
    let mut steps = Steps::default();
    for app in &targets.apps {
        whole_app(revoker, app, &mut steps).await?;
    }
    let of_apps: BTreeSet<&str> = targets.apps.iter().map(|app| app.id.as_str()).collect();
    let mut by_app: BTreeMap<&str, Vec<&Grant>> = BTreeMap::new();
    for grant in targets.grants.iter().filter(|grant| !of_apps.contains(grant.app.as_str())) {
        by_app.entry(&grant.app).or_default().push(grant);
    }
    for (app, grants) in by_app {
        some_grants(revoker, app, &grants, &mut steps).await?;
    }
    let Steps { disable, assignments, grants, credentials, sessions, by_hand } = steps;
    let steps = disable
        .into_iter()
        .chain(assignments.into_values())
        .chain(grants.into_values())
        .chain(credentials)
        .chain(sessions.into_values());
    Ok(RevocationPlan { steps: steps.collect(), by_hand })
}

/// Everything that an app holds.
async fn whole_app(revoker: &Revoker, app: &App, steps: &mut Steps) -> Result<()> {
    let (id, name) = (app.id.as_str(), app.name.as_str());
    if app.kind.starts_with("app registration") {
        // It cannot be used in this directory; only its credentials are of worth.
        return credentials(revoker, name, "applications", id, steps).await;
    }
    steps.disable.push(disable(id, name));
    for row in revoker.assignments_of(id).await? {
        assignment(&row, id, name, steps);
    }
    let mut is_tenant_wide = false;
    for row in revoker.grants_of(id).await? {
        grant(&row, name, steps);
        match &row.principal_id {
            Some(user) => sessions(revoker, user, name, steps),
            None => is_tenant_wide = true,
        }
    }
    credentials(revoker, name, "servicePrincipals", id, steps).await?;
    if let Some(client_id) = app.client_ids.known().and_then(|ids| ids.first()) {
        let query = format!("$top=999&$select=id&$filter=appId eq '{client_id}'");
        let own: Option<Vec<Application>> =
            revoker.rows("find the app's registration", "applications", &query).await?;
        for registration in own.unwrap_or_default() {
            credentials(revoker, name, "applications", &registration.id, steps).await?;
        }
    }
    if is_tenant_wide {
        steps.by_hand.push(format!(
            "{name} had a grant for every user: refresh tokens of users who never consented themselves stay on paper, and give nothing while the app is \
             disabled. To end them as well: Users > the user > Revoke sessions, for everybody who used it (Sign-in logs, filter Application)."
        ));
    }
    steps.by_hand.push(format!(
        "Directory roles, group memberships and owned apps of {name} are not taken away: Roles and admins > the role > Assignments, and \
         Enterprise applications > {name} > Roles and administrators."
    ));
    steps.by_hand.push(format!(
        "Access tokens that {name} already has work to their end: at most 90 minutes, up to 28 hours for clients with continuous access evaluation. \
         The vendor's own secrets are in the vendor's tenant: the vendor has to replace them."
    ));
    Ok(())
}

/// Some grants of an app that goes on working otherwise.
async fn some_grants(
    revoker: &Revoker,
    app: &str,
    targets: &[&Grant],
    steps: &mut Steps,
) -> Result<()> {
    let name = targets.first().map_or(app, |grant| grant.app_name.as_str());
    let is_delegated = |grant: &&&Grant| grant.kind != GrantKind::AppOnly;
    let delegated: BTreeSet<&str> =
        targets.iter().filter(is_delegated).map(|grant| grant.id.as_str()).collect();
    if !delegated.is_empty() {
        let rows = revoker.grants_of(app).await?;
        let named = rows.iter().filter(|row| delegated.contains(row.id.as_str()));
        let mut resources = BTreeSet::new();
        for row in named {
            grant(row, name, steps);
            resources.insert(row.resource_id.clone());
        }
        for id in &delegated {
            // Not listed any more: the step will find it gone.
            if !steps.grants.contains_key(*id) {
                steps.grants.insert((*id).to_owned(), delete_grant(id, app, name, "somebody"));
            }
        }
        let stays = rows.iter().any(|row| {
            row.principal_id.is_none()
                && resources.contains(&row.resource_id)
                && !delegated.contains(row.id.as_str())
        });
        if stays {
            steps.by_hand.push(format!(
                "{name} keeps a grant for every user on the same resource: without revoking that one, too, it can go on acting for the users \
                 whose own grants are revoked."
            ));
        }
    }
    let as_itself: Vec<&&Grant> =
        targets.iter().filter(|grant| grant.kind == GrantKind::AppOnly).collect();
    if as_itself.is_empty() {
        return Ok(());
    }
    let rows = revoker.assignments_of(app).await?;
    for target in as_itself {
        match target.id.split(':').nth(1) {
            Some("directory-roles") | None => steps.by_hand.push(format!(
                "Take the directory roles from {name} by hand: Roles and admins > the role > Assignments > {name} > Remove."
            )),
            Some(resource) => {
                let of_resource =
                    rows.iter().filter(|row| row.resource_id.as_deref() == Some(resource));
                of_resource.for_each(|row| assignment(row, app, name, steps));
            }
        }
    }
    Ok(())
}

async fn credentials(
    revoker: &Revoker,
    name: &str,
    collection: &str,
    owner: &str,
    steps: &mut Steps,
) -> Result<()> {
    let Some(object) = revoker.owner(&format!("{collection}/{owner}")).await? else {
        return Ok(());
    };
    for (key, what) in credential::all(&object) {
        let details = [("collection", collection), ("owner_id", owner), ("key_id", key.as_str())];
        steps.credentials.push(Step {
            action: REMOVE_CREDENTIAL.to_owned(),
            target: key.clone(),
            title: format!("Remove the {what} from {name}"),
            breaks: format!("{name} can no longer sign in with it"),
            undo: None,
            calls: 2,
            details: owned(&details),
        });
    }
    Ok(())
}

fn disable(id: &str, name: &str) -> Step {
    Step {
        action: DISABLE_APP.to_owned(),
        target: id.to_owned(),
        title: format!("Disable {name}"),
        breaks: format!(
            "nobody can sign in to {name} any more, and it gets no new token, with or without a user"
        ),
        undo: Some(format!(
            "Enterprise applications > {name} > Properties > Enabled for users to sign-in = Yes"
        )),
        calls: 2,
        details: BTreeMap::new(),
    }
}

fn assignment(row: &AppRoleAssignment, client: &str, name: &str, steps: &mut Steps) {
    let Some(resource) = row.resource_id.as_deref() else { return };
    let role = row.app_role_id.as_deref().unwrap_or(DEFAULT_ACCESS);
    if role == DEFAULT_ACCESS {
        return;
    }
    let details = [("client_id", client), ("resource_id", resource), ("app_role_id", role)];
    steps.assignments.insert(row.id.clone(), Step {
        action: DELETE_ASSIGNMENT.to_owned(),
        target: row.id.clone(),
        title: format!("Take an application permission from {name} (role {role} of {resource})"),
        breaks: format!("{name} can no longer do as itself what the permission allows, when its tokens have ended"),
        undo: Some(format!(
            "POST /servicePrincipals/{resource}/appRoleAssignedTo with principalId {client}, resourceId {resource}, appRoleId {role}"
        )),
        calls: 1,
        details: owned(&details),
    });
}

fn grant(row: &PermissionGrant, name: &str, steps: &mut Steps) {
    let who = row.principal_id.as_deref().unwrap_or("every user");
    let mut step = delete_grant(&row.id, &row.client_id, name, who);
    let scope = row.scope.as_deref().unwrap_or_default().trim();
    let resource = row.resource_id.as_deref().unwrap_or_default();
    let kind = row.consent_type.as_deref().unwrap_or_default();
    step.undo = Some(format!(
        "POST /oauth2PermissionGrants with clientId {}, consentType {kind}, principalId {}, resourceId {resource}, scope \"{scope}\"",
        row.client_id,
        row.principal_id.as_deref().unwrap_or("null"),
    ));
    steps.grants.insert(row.id.clone(), step);
}

fn delete_grant(id: &str, client: &str, name: &str, who: &str) -> Step {
    Step {
        action: DELETE_GRANT.to_owned(),
        target: id.to_owned(),
        title: format!("Delete the grant of {name} for {who}"),
        breaks: format!(
            "{name} gets no new token for {who} by this grant; tokens that it has work to their end"
        ),
        undo: None,
        calls: 1,
        details: owned(&[("client_id", client)]),
    }
}

/// A user's refresh tokens cannot be ended for one app alone.
fn sessions(revoker: &Revoker, user: &str, name: &str, steps: &mut Steps) {
    let planned = revoker.graph.door.clock().now().to_string();
    steps.sessions.entry(user.to_owned()).or_insert_with(|| Step {
        action: REVOKE_SESSIONS.to_owned(),
        target: user.to_owned(),
        title: format!("End all sessions of the user {user}, who let {name} in"),
        breaks: format!(
            "the user must sign in again in EVERY app, not only in {name}; a guest's sessions end in the home tenant only"
        ),
        undo: None,
        calls: 1,
        details: owned(&[("planned_at", planned.as_str())]),
    });
}

fn owned(details: &[(&str, &str)]) -> BTreeMap<String, String> {
    details.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
