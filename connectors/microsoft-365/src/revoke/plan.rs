//! The steps that end what the targets name. What contains comes first: a disabled app gets no new token while the rest goes on.

use std::collections::{BTreeMap, BTreeSet};

use grantwarden_kit::{
    connector::{RevocationPlan, Step, Targets},
    error::{Error, ErrorKind, Result},
    model::{App, Grant, GrantKind},
};

use serde::Deserialize;

use super::{
    DELETE_ASSIGNMENT, DELETE_GRANT, DISABLE_APP, REMOVE_CREDENTIAL, REVOKE_SESSIONS, Revoker,
    credential,
    proof::{guid, id},
};
use crate::{
    api::{AppRoleAssignment, FederatedCredential, PermissionGrant},
    collect::DEFAULT_ACCESS,
};

/// A service principal or a registration.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    id: String,
    app_id: String,
}

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

/// Everything that an app holds: as a service principal, and its own registration if it is registered here. Both are looked up by the
/// client id; what the record of the app says of its kind may be old.
async fn whole_app(revoker: &Revoker, app: &App, steps: &mut Steps) -> Result<()> {
    let name = app.name.as_str();
    let (principals, registrations) = parts_of(revoker, app).await?;
    let mut is_tenant_wide = false;
    for id in &principals {
        steps.disable.push(disable(id, name));
        for row in revoker.assignments_of(id).await? {
            assignment(&row, id, name, steps)?;
        }
        for row in revoker.grants_of(id).await? {
            grant(&row, name, steps);
            match &row.principal_id {
                Some(user) => sessions(revoker, user, name, steps),
                None => is_tenant_wide = true,
            }
        }
        credentials(revoker, name, "servicePrincipals", id, steps).await?;
    }
    for id in &registrations {
        credentials(revoker, name, "applications", id, steps).await?;
        federated(revoker, name, id, steps).await?;
    }
    if principals.is_empty() {
        // It cannot be used in this directory; only its credentials are of worth.
        return Ok(());
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

/// Object ids of the service principals and the registrations that an app consists of.
async fn parts_of(revoker: &Revoker, app: &App) -> Result<(BTreeSet<String>, BTreeSet<String>)> {
    let (mut principals, mut registrations) = (BTreeSet::new(), BTreeSet::new());
    for client_id in app.client_ids.known().into_iter().flatten() {
        principals.extend(with_client_id(revoker, "servicePrincipals", client_id).await?);
        registrations.extend(with_client_id(revoker, "applications", client_id).await?);
    }
    if !registrations.contains(&app.id) {
        // Named by a grant, or meanwhile gone: then its steps find that out.
        principals.insert(app.id.clone());
    }
    Ok((principals, registrations))
}

async fn with_client_id(
    revoker: &Revoker,
    collection: &str,
    client_id: &str,
) -> Result<Vec<String>> {
    let endpoint = "find the app by its client id";
    let query = format!("$top=999&$select=id,appId&$filter=appId eq '{}'", guid(client_id)?);
    let rows: Vec<Part> = revoker.rows(endpoint, collection, &query).await?;
    let is_own = |row: &Part| row.app_id.eq_ignore_ascii_case(client_id);
    if !rows.iter().all(is_own) {
        return Err(revoker.not_asked_for(endpoint));
    }
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Trusts of a registration in another issuer's tokens: whoever gets such a token is the app.
async fn federated(revoker: &Revoker, name: &str, owner: &str, steps: &mut Steps) -> Result<()> {
    let path = format!("applications/{}/federatedIdentityCredentials", id(owner)?);
    let rows: Vec<FederatedCredential> =
        revoker.rows("list federated credentials of the app", &path, "").await?;
    for row in rows {
        let of = row.name.as_deref().unwrap_or(&row.id);
        let subject = row.subject.as_deref().unwrap_or("a subject that is not told");
        steps.by_hand.push(format!(
            "{name} still trusts the federated credential {of} (for {subject}): App registrations > {name} > Certificates & secrets > Federated \
             credentials > {of} > Delete."
        ));
    }
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
                for row in of_resource {
                    assignment(row, app, name, steps)?;
                }
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
    let Some(object) = revoker.owner(collection, owner).await? else {
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

fn assignment(row: &AppRoleAssignment, client: &str, name: &str, steps: &mut Steps) -> Result<()> {
    let told = row.resource_id.as_deref().zip(row.app_role_id.as_deref());
    let (resource, role) = told.ok_or_else(|| {
        let message = "Graph does not tell what an app role assignment is for";
        Error::new(ErrorKind::Malformed, message)
    })?;
    if role == DEFAULT_ACCESS {
        return Ok(());
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
    Ok(())
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
