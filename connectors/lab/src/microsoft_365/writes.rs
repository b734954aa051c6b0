//! Changes: what a revocation does to the directory. Everything is checked before anything changes.

use serde_json::{Map, Value as Json};

use super::Core;
use super::credential::Credential;
use super::error::Refusal;
use super::guid::Guid;
use super::state::{Gone, Object, State, Tracked, number};
use crate::wire::{Reply, Request};

/// The longest `scope` of a grant.
const LONGEST_SCOPE: usize = 3_850;

fn no_content() -> Reply {
    Reply::empty(204)
}

fn fields(request: &Request) -> Result<Map<String, Json>, Refusal> {
    match serde_json::from_str(&request.body) {
        Ok(Json::Object(fields)) => Ok(fields),
        _ => Err(Refusal::bad_request("Unable to read JSON request payload.")),
    }
}

fn only(fields: &Map<String, Json>, known: &[&str]) -> Result<(), Refusal> {
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Refusal::bad_request(format!("Invalid property '{name}'."))),
        None if fields.is_empty() => Err(Refusal::bad_request("Empty payload.")),
        None => Ok(()),
    }
}

fn flag(fields: &Map<String, Json>, name: &str) -> Result<Option<bool>, Refusal> {
    match fields.get(name) {
        None => Ok(None),
        Some(Json::Bool(value)) => Ok(Some(*value)),
        Some(_) => {
            Err(Refusal::bad_request(format!("Invalid value specified for property '{name}'.")))
        }
    }
}

/// The credentials that a new `keyCredentials` keeps; adding one is not this lab's business.
fn kept(fields: &Map<String, Json>, now: &[Credential]) -> Result<Option<Vec<Guid>>, Refusal> {
    let Some(value) = fields.get("keyCredentials") else { return Ok(None) };
    let list = value.as_array().ok_or_else(|| {
        Refusal::bad_request("Invalid value specified for property 'keyCredentials'.")
    })?;
    let known = |item: &Json| -> Option<Guid> {
        let id = Guid::parse(item["keyId"].as_str()?)?;
        now.iter().any(|key| key.id == id).then_some(id)
    };
    let ids: Option<Vec<Guid>> = list.iter().map(known).collect();
    ids.map(Some).ok_or_else(|| {
        Refusal::bad_request("New key credentials must have the property 'key'; update to existing credential with KeyId not found.")
    })
}

fn remove_password(request: &Request, passwords: &mut Vec<Credential>) -> Result<Reply, Refusal> {
    let fields = fields(request)?;
    only(&fields, &["keyId"])?;
    let id = fields["keyId"].as_str().and_then(Guid::parse);
    let place = passwords
        .iter()
        .position(|it| Some(it.id) == id)
        .ok_or_else(|| Refusal::bad_request("No password credential found with keyId."))?;
    passwords.remove(place);
    Ok(no_content())
}

impl State {
    fn principal_of(&self, id: &str) -> Result<u32, Refusal> {
        match Guid::parse(id).and_then(|guid| self.objects.get(&guid)) {
            Some(Object::Principal(row)) if self.principal_lives(*row) => Ok(*row),
            _ => Err(Refusal::not_found(id)),
        }
    }

    fn application_of(&self, id: &str) -> Result<u32, Refusal> {
        match Guid::parse(id).and_then(|guid| self.objects.get(&guid)) {
            Some(Object::Application(row)) => Ok(*row),
            _ => Err(Refusal::not_found(id)),
        }
    }

    fn living_grant(&self, id: &str) -> Result<u32, Refusal> {
        let row = self.grant_of(id).filter(|row| self.grant_lives(*row));
        row.ok_or_else(|| Refusal::not_found(id))
    }

    /// Logs the change of a service principal and of every grant that goes or comes with it.
    fn principal_changed(&mut self, row: u32) {
        self.changes.push((Tracked::Principals, row));
        let grants = self.grants.rows.iter().enumerate();
        let touched = grants.filter(|(_, it)| it.client == row || it.resource == row);
        self.changes.extend(touched.map(|(grant, _)| (Tracked::Grants, number(grant))));
    }
}

impl Core {
    fn gone(&self, state: &State) -> Gone {
        let behaviour = &state.behaviour;
        Gone {
            until_ms: self.clock.wall().as_millisecond().saturating_add(behaviour.replication_ms),
            until_call: self.call_number().saturating_add(behaviour.replication_calls),
        }
    }

    /// `DELETE oauth2PermissionGrants/{id}`.
    pub(super) fn delete_grant(&self, id: &str) -> Result<Reply, Refusal> {
        let mut state = self.state_mut();
        let row = state.living_grant(id)?;
        let gone = self.gone(&state);
        state.grants.gone.insert(row, gone);
        state.changes.push((Tracked::Grants, row));
        Ok(no_content())
    }

    /// `PATCH oauth2PermissionGrants/{id}`.
    pub(super) fn patch_grant(&self, id: &str, request: &Request) -> Result<Reply, Refusal> {
        let fields = fields(request)?;
        only(&fields, &["scope"])?;
        let mut state = self.state_mut();
        let row = state.living_grant(id)?;
        match fields["scope"].as_str() {
            Some(scope) if scope.len() <= LONGEST_SCOPE => state.grants.set_scope(row, scope),
            _ => return Err(Refusal::bad_request("Invalid value specified for property 'scope'.")),
        }
        state.changes.push((Tracked::Grants, row));
        Ok(no_content())
    }

    /// `DELETE servicePrincipals/{id}/appRoleAssignedTo/{assignment}`, or from the holder's side.
    pub(super) fn delete_assignment(
        &self,
        principal: &str,
        from_resource: bool,
        id: &str,
    ) -> Result<Reply, Refusal> {
        let mut state = self.state_mut();
        let side = state.principal_of(principal)?;
        let row = state
            .assignment_of(id)
            .filter(|row| state.assignment_lives(*row))
            .filter(|row| {
                let it = &state.assignments.rows[*row as usize];
                let holder = super::state::Holder::Principal(side);
                if from_resource { it.resource == side } else { it.holder == holder }
            })
            .ok_or_else(|| Refusal::not_found(id))?;
        let gone = self.gone(&state);
        state.assignments.gone.insert(row, gone);
        Ok(no_content())
    }

    /// `PATCH servicePrincipals/{id}`.
    pub(super) fn patch_principal(&self, id: &str, request: &Request) -> Result<Reply, Refusal> {
        let fields = fields(request)?;
        only(&fields, &["accountEnabled", "appRoleAssignmentRequired", "keyCredentials"])?;
        let mut state = self.state_mut();
        let row = state.principal_of(id)?;
        let enabled = flag(&fields, "accountEnabled")?;
        let required = flag(&fields, "appRoleAssignmentRequired")?;
        let principal = &mut state.principals[row as usize];
        let kept = kept(&fields, &principal.keys)?;
        principal.facts.enabled = enabled.unwrap_or(principal.facts.enabled);
        principal.facts.assignment_required =
            required.unwrap_or(principal.facts.assignment_required);
        if let Some(kept) = kept {
            principal.keys.retain(|key| kept.contains(&key.id));
        }
        state.changes.push((Tracked::Principals, row));
        Ok(no_content())
    }

    /// `DELETE servicePrincipals/{id}`: its grants and assignments go with it.
    pub(super) fn delete_principal(&self, id: &str) -> Result<Reply, Refusal> {
        let mut state = self.state_mut();
        let row = state.principal_of(id)?;
        let gone = self.gone(&state);
        state.principals[row as usize].deleted = true;
        state.gone_principals.insert(row, gone);
        state.principal_changed(row);
        Ok(no_content())
    }

    /// `POST directory/deletedItems/{id}/restore`.
    pub(super) fn restore(&self, id: &str) -> Result<u32, Refusal> {
        let mut state = self.state_mut();
        let row = match Guid::parse(id).and_then(|guid| state.objects.get(&guid)) {
            Some(Object::Principal(row)) if state.principals[*row as usize].deleted => *row,
            _ => return Err(Refusal::not_found(id)),
        };
        state.principals[row as usize].deleted = false;
        state.gone_principals.remove(&row);
        state.principal_changed(row);
        Ok(row)
    }

    /// `POST servicePrincipals/{id}/removePassword`.
    pub(super) fn remove_principal_password(
        &self,
        id: &str,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        let mut state = self.state_mut();
        let row = state.principal_of(id)?;
        let reply = remove_password(request, &mut state.principals[row as usize].passwords)?;
        state.changes.push((Tracked::Principals, row));
        Ok(reply)
    }

    /// `POST applications/{id}/removePassword`.
    pub(super) fn remove_application_password(
        &self,
        id: &str,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        let mut state = self.state_mut();
        let row = state.application_of(id)?;
        let reply = remove_password(request, &mut state.applications[row as usize].passwords)?;
        state.changes.push((Tracked::Applications, row));
        Ok(reply)
    }

    /// `PATCH applications/{id}`.
    pub(super) fn patch_application(&self, id: &str, request: &Request) -> Result<Reply, Refusal> {
        let fields = fields(request)?;
        only(&fields, &["keyCredentials"])?;
        let mut state = self.state_mut();
        let row = state.application_of(id)?;
        let application = &mut state.applications[row as usize];
        if let Some(kept) = kept(&fields, &application.keys)? {
            application.keys.retain(|key| kept.contains(&key.id));
        }
        state.changes.push((Tracked::Applications, row));
        Ok(no_content())
    }

    /// `POST users/{id}/revokeSignInSessions`.
    pub(super) fn revoke_sessions(&self, id: &str) -> Result<Reply, Refusal> {
        let now = self.clock.world().as_second();
        let mut state = self.state_mut();
        let by_name = state.find_user(id);
        let row = match Guid::parse(id).and_then(|guid| state.objects.get(&guid)) {
            Some(Object::User(row)) => Some(*row),
            _ => by_name,
        };
        let living = row.filter(|row| !state.users[*row as usize].facts.deleted);
        let row = living.ok_or_else(|| Refusal::not_found(id))?;
        state.users[row as usize].sessions_valid_from = now;
        let context = format!("{}/v1.0/$metadata#Edm.Boolean", self.base_url);
        let body = serde_json::json!({ "@odata.context": context, "value": true });
        Ok(Reply::json(200, body.to_string()))
    }

    /// `PATCH policies/authorizationPolicy`.
    pub(super) fn patch_authorization(&self, request: &Request) -> Result<Reply, Refusal> {
        let invalid = || {
            Refusal::bad_request(
                "Invalid value specified for property 'defaultUserRolePermissions'.",
            )
        };
        let fields = fields(request)?;
        only(&fields, &["defaultUserRolePermissions"])?;
        let permissions = fields["defaultUserRolePermissions"].as_object().ok_or_else(invalid)?;
        only(permissions, &["permissionGrantPoliciesAssigned"])?;
        let list = permissions["permissionGrantPoliciesAssigned"].as_array().ok_or_else(invalid)?;
        let texts: Option<Vec<String>> =
            list.iter().map(|item| item.as_str().map(str::to_owned)).collect();
        self.state_mut().policies.user_consent = texts.ok_or_else(invalid)?;
        Ok(no_content())
    }
}
