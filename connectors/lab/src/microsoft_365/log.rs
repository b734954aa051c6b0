//! What happened: the audit log, single sign-ins, and the reports of last use. Audit entries and
//! sign-ins are made at start, newest first; reports are made when asked for.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::filter::Operator::{Any, AtLeast, AtMost, Equal, StartsWith};
use super::guid::Guid;
use super::json::{date, date_or_null};
use super::listing::{PLAIN, Rows, Schema, View};
use super::policies::kept_since;
use super::state::{Holder, State, number};
use super::world::{AuditWorld, ConsentWorld, EntraWorld, SignInWorld};

/// `auditLogs/directoryAudits`.
pub(crate) const AUDITS: Schema = Schema {
    entity: "directoryAudit",
    properties: &[
        "id",
        "category",
        "correlationId",
        "result",
        "resultReason",
        "activityDisplayName",
        "activityDateTime",
        "loggedByService",
        "operationType",
        "initiatedBy",
        "targetResources",
        "additionalDetails",
    ],
    filters: &[
        ("activityDisplayName", &[Equal, StartsWith]),
        ("activityDateTime", &[AtLeast, AtMost]),
    ],
    largest: Some(1_000),
    usual: Some(1_000),
    orders: &["activityDateTime"],
    ..PLAIN
};

/// `auditLogs/signIns` of v1.0, which knows no kinds of sign-ins and shows only users'.
pub(crate) const SIGN_INS: Schema = Schema {
    entity: "signIn",
    properties: &[
        "id",
        "createdDateTime",
        "userDisplayName",
        "userPrincipalName",
        "userId",
        "appId",
        "appDisplayName",
        "ipAddress",
        "clientAppUsed",
        "correlationId",
        "isInteractive",
        "resourceDisplayName",
        "resourceId",
        "status",
    ],
    filters: &[("createdDateTime", &[AtLeast, AtMost]), ("appId", &[Equal])],
    largest: Some(1_000),
    usual: Some(1_000),
    ..PLAIN
};

/// `auditLogs/signIns` of beta.
pub(crate) const BETA_SIGN_INS: Schema = Schema {
    properties: &[
        "id",
        "createdDateTime",
        "userDisplayName",
        "userPrincipalName",
        "userId",
        "appId",
        "appDisplayName",
        "ipAddress",
        "clientAppUsed",
        "correlationId",
        "isInteractive",
        "resourceDisplayName",
        "resourceId",
        "status",
        "signInEventTypes",
        "servicePrincipalId",
        "servicePrincipalName",
        "clientCredentialType",
        "servicePrincipalCredentialKeyId",
        "servicePrincipalCredentialThumbprint",
        "federatedCredentialId",
        "appOwnerTenantId",
        "uniqueTokenIdentifier",
    ],
    filters: &[
        ("createdDateTime", &[AtLeast, AtMost]),
        ("appId", &[Equal]),
        ("signInEventTypes", &[Any]),
    ],
    ..SIGN_INS
};

/// `reports/servicePrincipalSignInActivities`.
pub(crate) const ACTIVITIES: Schema = Schema {
    entity: "servicePrincipalSignInActivity",
    properties: &[
        "id",
        "appId",
        "lastSignInActivity",
        "delegatedClientSignInActivity",
        "delegatedResourceSignInActivity",
        "applicationAuthenticationClientSignInActivity",
        "applicationAuthenticationResourceSignInActivity",
    ],
    filters: &[("appId", &[Equal])],
    largest: Some(999),
    orders: &["appId"],
    ..PLAIN
};

/// `reports/appCredentialSignInActivities`.
pub(crate) const CREDENTIALS: Schema = Schema {
    entity: "appCredentialSignInActivity",
    properties: &[
        "id",
        "keyId",
        "keyType",
        "keyUsage",
        "appId",
        "appObjectId",
        "servicePrincipalObjectId",
        "resourceId",
        "credentialOrigin",
        "createdDateTime",
        "expirationDateTime",
        "signInActivity",
    ],
    filters: &[("appId", &[Equal]), ("keyId", &[Equal])],
    largest: Some(999),
    ..PLAIN
};

/// Last use of one app: delegated client and resource, app-only client and resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Activity {
    pub(crate) principal: u32,
    pub(crate) times: [Option<i64>; 4],
}

/// Everything that is logged.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    pub(crate) audits: Vec<Json>,
    pub(crate) sign_ins: Vec<Json>,
    pub(crate) activities: Vec<Activity>,
}

impl Logs {
    /// Resolves what a world says.
    pub(crate) fn build(state: &State, world: &EntraWorld, now: Timestamp) -> Result<Self, String> {
        let mut logs = Self::default();
        for it in &world.consents {
            logs.audits.push(consent(state, it, now, logs.audits.len())?);
        }
        for it in &world.audits {
            logs.audits.push(audit(state, it, now, logs.audits.len())?);
        }
        logs.audits.sort_by_key(|entry| std::cmp::Reverse(entry["activityDateTime"].to_string()));
        for it in &world.sign_ins {
            for turn in 0..it.count {
                logs.sign_ins.push(sign_in(state, it, turn, now)?);
            }
        }
        logs.sign_ins.sort_by_key(|entry| std::cmp::Reverse(entry["createdDateTime"].to_string()));
        for it in &world.activities {
            let times =
                [it.delegated_client, it.delegated_resource, it.app_client, it.app_resource];
            let times = times.map(|at| at.map(|at| at.seconds(now)));
            let principal = state.principal_named(&it.app)?;
            logs.activities.push(Activity { principal, times });
        }
        Ok(logs)
    }

    /// Adds the entries of another log.
    pub(crate) fn extend(&mut self, other: Self) {
        self.audits.extend(other.audits);
        self.sign_ins.extend(other.sign_ins);
        self.activities.extend(other.activities);
    }
}

/// A value as the audit log writes it: JSON within JSON.
fn quoted(text: &str) -> Json {
    json!(json!(text).to_string())
}

fn initiated_by(state: &State, actor: &str, ip: Option<&str>) -> Result<Json, String> {
    Ok(match state.holder(actor)? {
        Holder::Principal(row) => {
            let principal = &state.principals[row as usize];
            json!({ "user": null, "app": {
                "appId": null,
                "displayName": principal.facts.name,
                "servicePrincipalId": principal.id.to_string(),
                "servicePrincipalName": null,
            } })
        }
        Holder::User(row) => {
            let user = &state.users[row as usize];
            json!({ "app": null, "user": {
                "id": user.id.to_string(),
                "displayName": null,
                "userPrincipalName": user.facts.username,
                "ipAddress": ip,
            } })
        }
        Holder::Group(_) => Json::Null,
    })
}

struct Entry<'e> {
    activity: &'e str,
    category: &'e str,
    actor: Json,
    target: Json,
    at: i64,
    serial: usize,
}

impl Entry<'_> {
    fn json(self) -> Json {
        let id = Guid::of(&format!("{}/{}/{}", self.activity, self.at, self.serial));
        json!({
            "id": format!("Directory_{id}_FAKE_{}", self.serial),
            "category": self.category,
            "correlationId": id.to_string(),
            "result": "success",
            "resultReason": "",
            "activityDisplayName": self.activity,
            "activityDateTime": date(self.at),
            "loggedByService": "Core Directory",
            "operationType": if self.activity.starts_with("Remove") { "Unassign" } else { "Assign" },
            "initiatedBy": self.actor,
            "targetResources": [self.target],
            "additionalDetails": [{ "key": "User-Agent", "value": "EvoSTS" }],
        })
    }
}

fn target(id: Guid, name: &str, kind: &str, changes: &[Json]) -> Json {
    json!({
        "id": id.to_string(),
        "displayName": name,
        "type": kind,
        "userPrincipalName": null,
        "groupType": null,
        "modifiedProperties": changes,
    })
}

fn consent(
    state: &State,
    it: &ConsentWorld,
    now: Timestamp,
    serial: usize,
) -> Result<Json, String> {
    let client = &state.principals[state.principal_named(&it.app)? as usize];
    let resource = &state.principals[state.resource(it.resource.as_deref())? as usize];
    let actor = &state.users[state.user_named(&it.actor)? as usize];
    let at = it.at.seconds(now);
    let (principal, kind) = if it.tenant_wide {
        (String::new(), "AllPrincipals")
    } else {
        (actor.id.to_string(), "Principal")
    };
    let permissions = format!(
        "[] => [[Id: {}, ClientId: {}, PrincipalId: {principal}, ResourceId: {}, ConsentType: {kind}, Scope: {}, CreatedDateTime: {}, ExpiryTime: ]]; ",
        super::grants::row_id(client.id, *b"cons", number(serial)),
        client.id,
        resource.id,
        it.scope,
        date(at),
    );
    let flag = |name: &str, on: bool| {
        let value = quoted(if on { "True" } else { "False" });
        json!({ "displayName": name, "oldValue": null, "newValue": value })
    };
    let changes = [
        flag("ConsentContext.IsAdminConsent", it.admin),
        flag("ConsentContext.IsAppOnly", false),
        flag("ConsentContext.OnBehalfOfAll", it.tenant_wide),
        json!({
            "displayName": "ConsentContext.Tags",
            "oldValue": null,
            "newValue": quoted("WindowsAzureActiveDirectoryIntegratedApp"),
        }),
        json!({
            "displayName": "ConsentAction.Permissions",
            "oldValue": null,
            "newValue": quoted(&permissions),
        }),
        json!({
            "displayName": "TargetId.ServicePrincipalNames",
            "oldValue": null,
            "newValue": quoted(&client.app_id.to_string()),
        }),
    ];
    let entry = Entry {
        activity: "Consent to application",
        category: "ApplicationManagement",
        actor: initiated_by(state, &it.actor, it.ip.as_deref())?,
        target: target(client.id, &client.facts.name, "ServicePrincipal", &changes),
        at,
        serial,
    };
    Ok(entry.json())
}

fn audit(state: &State, it: &AuditWorld, now: Timestamp, serial: usize) -> Result<Json, String> {
    let change = |it: &super::world::ChangeWorld| {
        json!({
            "displayName": it.name,
            "oldValue": it.old.as_deref().map(quoted),
            "newValue": it.new.as_deref().map(quoted),
        })
    };
    let (id, kind, name) = state.held_by(state.holder(&it.target)?);
    let changes: Vec<Json> = it.changes.iter().map(change).collect();
    let entry = Entry {
        activity: &it.activity,
        category: &it.category,
        actor: initiated_by(state, &it.actor, it.ip.as_deref())?,
        target: target(id, &name, kind, &changes),
        at: it.at.seconds(now),
        serial,
    };
    Ok(entry.json())
}

fn sign_in(state: &State, it: &SignInWorld, turn: u32, now: Timestamp) -> Result<Json, String> {
    let app = &state.principals[state.principal_named(&it.app)? as usize];
    let resource = &state.principals[state.resource(it.resource.as_deref())? as usize];
    let user = match &it.user {
        Some(name) => Some(&state.users[state.user_named(name)? as usize]),
        None => None,
    };
    let own = state.applications.iter().find(|own| own.app_id == app.app_id);
    let own_passwords = own.into_iter().flat_map(|own| &own.passwords);
    let mut known = app.passwords.iter().chain(own_passwords);
    let credential = match &it.credential {
        Some(name) => {
            let found = known.find(|known| known.name == *name);
            Some(found.ok_or_else(|| format!("`{}` has no credential `{name}`", it.app))?)
        }
        None => None,
    };
    let at = it.at.seconds(now) - i64::from(turn) * it.every_seconds;
    let id = Guid::of(&format!("{}/{}/{at}/{turn}", app.id, it.kind));
    let app_only = user.is_none();
    Ok(json!({
        "id": id.to_string(),
        "createdDateTime": date(at),
        "userDisplayName": user.map(super::state::User::display_name),
        "userPrincipalName": user.map(|user| &user.facts.username),
        "userId": user.map_or_else(|| Guid::ZERO.to_string(), |user| user.id.to_string()),
        "appId": app.app_id.to_string(),
        "appDisplayName": app.facts.name,
        "ipAddress": it.ip,
        "clientAppUsed": "",
        "correlationId": id.to_string(),
        "isInteractive": it.kind == "interactiveUser",
        "resourceDisplayName": resource.facts.name,
        "resourceId": resource.app_id.to_string(),
        "status": {
            "errorCode": it.error,
            "failureReason": if it.error == 0 { "Other." } else { "The sign-in was refused." },
            "additionalDetails": null,
        },
        "signInEventTypes": [it.kind],
        "servicePrincipalId": if app_only { json!(app.id.to_string()) } else { json!("") },
        "servicePrincipalName": app_only.then_some(&app.facts.name),
        "clientCredentialType": credential.map_or("none", |_| "clientSecret"),
        "servicePrincipalCredentialKeyId": credential.map(|known| known.id.to_string()),
        "servicePrincipalCredentialThumbprint": null,
        "federatedCredentialId": null,
        "appOwnerTenantId": app.owner.map(|id| id.to_string()),
        "uniqueTokenIdentifier": id.to_string(),
    }))
}

/// Log entries that are still kept, by the property that dates them.
pub(crate) struct Kept<'s> {
    entries: &'s [Json],
    dated: &'static str,
    since: String,
}

impl<'s> Kept<'s> {
    pub(crate) fn new(view: View<'_>, entries: &'s [Json], dated: &'static str) -> Self {
        Self { entries, dated, since: kept_since(view) }
    }
}

impl Rows for Kept<'_> {
    fn length(&self) -> usize {
        self.entries.len()
    }

    fn shown(&self, at: usize) -> bool {
        self.entries[at][self.dated].as_str().is_some_and(|date| date >= self.since.as_str())
    }

    fn value(&self, at: usize, property: &str) -> Json {
        self.entries[at][property].clone()
    }
}

/// `reports/servicePrincipalSignInActivities`.
pub(crate) struct ActivityRows<'s>(pub(crate) View<'s>);

impl Rows for ActivityRows<'_> {
    fn length(&self) -> usize {
        self.0.state.logs.activities.len()
    }

    fn shown(&self, _at: usize) -> bool {
        true
    }

    fn value(&self, at: usize, property: &str) -> Json {
        let it = &self.0.state.logs.activities[at];
        let app_id = self.0.state.principals[it.principal as usize].app_id;
        let used = |at: Option<i64>| {
            let request = at.map(|at| Guid::of(&format!("{app_id}/{at}")).to_string());
            at.map_or(
                Json::Null,
                |at| json!({ "lastSignInDateTime": date(at), "lastSignInRequestId": request }),
            )
        };
        let [delegated_client, delegated_resource, app_client, app_resource] = it.times;
        match property {
            "id" => json!(super::grants::row_id(app_id, *b"used", number(at))),
            "appId" => json!(app_id.to_string()),
            "lastSignInActivity" => used(it.times.into_iter().flatten().max()),
            "delegatedClientSignInActivity" => used(delegated_client),
            "delegatedResourceSignInActivity" => used(delegated_resource),
            "applicationAuthenticationClientSignInActivity" => used(app_client),
            _ => used(app_resource),
        }
    }
}

/// `reports/appCredentialSignInActivities`: credentials that were ever used.
pub(crate) fn credential_activities(view: View<'_>) -> Vec<Json> {
    let state = view.state;
    let graph = &state.principals[state.graph as usize];
    let mut rows = Vec::new();
    let mut add = |origin: &str,
                   kind: &str,
                   app: Option<Guid>,
                   principal: Option<u32>,
                   app_id: Guid,
                   it: &super::credential::Credential| {
        let Some(used) = it.last_used else { return };
        rows.push(json!({
            "id": super::grants::row_id(it.id, *b"cred", number(rows.len())),
            "keyId": it.id.to_string(),
            "keyType": kind,
            "keyUsage": if kind == "clientSecret" { "sign" } else { "verify" },
            "appId": app_id.to_string(),
            "appObjectId": app.map(|id| id.to_string()),
            "servicePrincipalObjectId":
                principal.map(|row| state.principals[row as usize].id.to_string()),
            "resourceId": graph.app_id.to_string(),
            "credentialOrigin": origin,
            "createdDateTime": date(it.start),
            "expirationDateTime": date(it.end),
            "signInActivity": { "lastSignInDateTime": date_or_null(Some(used)) },
        }));
    };
    for application in &state.applications {
        let (id, app_id, principal) =
            (Some(application.id), application.app_id, application.principal);
        for it in &application.passwords {
            add("application", "clientSecret", id, principal, app_id, it);
        }
        for it in &application.keys {
            add("application", "certificate", id, principal, app_id, it);
        }
    }
    for (row, principal) in state.principals.iter().enumerate().filter(|(_, it)| !it.deleted) {
        for it in &principal.passwords {
            add("servicePrincipal", "clientSecret", None, Some(number(row)), principal.app_id, it);
        }
        for it in &principal.keys {
            add("servicePrincipal", "certificate", None, Some(number(row)), principal.app_id, it);
        }
    }
    rows
}
