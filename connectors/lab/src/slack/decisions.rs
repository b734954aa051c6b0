//! Decisions about apps and requests for them: the listings, and the calls that decide. A decision
//! says what may be installed, never what is.

use serde_json::{Value as Json, json};

use super::Core;
use super::apps::{app_json, scopes_json};
use super::args::Args;
use super::error::Refusal;
use super::installs::{Actor, ORG, Verdict, index};
use super::route::{Visit, limit, listed};
use super::state::{Decision, Request, State};
use super::world::SlackStatus;

/// The place that a call names: a workspace or the organisation, not both; `None` if neither.
pub(super) fn place(state: &State, args: &Args) -> Result<Option<u32>, Refusal> {
    match (args.text("team_id"), args.text("enterprise_id")) {
        (Some(_), Some(_)) => Err(Refusal::new("too_many_teams_provided")),
        (None, Some(id)) if id == state.enterprise_id => Ok(Some(ORG)),
        (None, Some(_)) => Err(Refusal::new("enterprise_not_found")),
        (Some(id), None) => {
            let space = state.workspace_of_id(id);
            space.map(Some).ok_or_else(|| Refusal::new("team_not_found"))
        }
        (None, None) => Ok(None),
    }
}

fn named_place(state: &State, args: &Args) -> Result<u32, Refusal> {
    place(state, args)?.ok_or_else(|| Refusal::arguments("needs team_id or enterprise_id"))
}

fn status_word(status: SlackStatus) -> &'static str {
    match status {
        SlackStatus::Approved => "approved",
        SlackStatus::Restricted => "restricted",
    }
}

impl Core {
    /// `admin.apps.approved.list`, which may take the approval of apps over.
    pub(super) fn approved(&self, visit: &Visit<'_>) -> Result<Json, Refusal> {
        let body = self.decided(&self.state(), visit, SlackStatus::Approved, "approved_apps")?;
        let mut state = self.state_mut();
        if state.behaviour.reading_takes_over_approval {
            state.ui_approval = false;
        }
        Ok(body)
    }

    /// The decisions of one kind in one place. Certified apps are in a listing of their own.
    pub(super) fn decided(
        &self,
        state: &State,
        visit: &Visit<'_>,
        status: SlackStatus,
        name: &str,
    ) -> Result<Json, Refusal> {
        let place = place(state, visit.args)?.unwrap_or(ORG);
        let certified = visit.args.flag("certified")?.unwrap_or(false);
        let limit = limit(visit, 1_000, state.behaviour.apps_page)?;
        let items = state
            .decisions
            .range((place, 0)..=(place, u32::MAX))
            .filter(|(_, decision)| decision.status == status)
            .map(|((_, app), decision)| (*app, decision))
            .filter(|(app, _)| state.apps[*app as usize].facts.certified == certified)
            .map(|(app, decision)| (i64::from(app), decision_json(state, app, decision)));
        let (page, next) = self.page(state, visit, limit, items)?;
        Ok(listed(state, name, page, next))
    }

    /// `admin.apps.requests.list`: what nobody has answered yet.
    pub(super) fn requests(&self, state: &State, visit: &Visit<'_>) -> Result<Json, Refusal> {
        let place = place(state, visit.args)?;
        let place = place.ok_or_else(|| Refusal::new("no_team_or_enterprise_provided"))?;
        let certified = visit.args.flag("certified")?.unwrap_or(false);
        let limit = limit(visit, 1_000, state.behaviour.apps_page)?;
        let items = (0_i64..)
            .zip(&state.requests)
            .filter(|(_, request)| request.pending && (place == ORG || request.place == place))
            .filter(|(_, request)| certified || !state.apps[request.app as usize].facts.certified)
            .map(|(number, request)| (number, request_json(state, request)));
        let (page, next) = self.page(state, visit, limit, items)?;
        Ok(listed(state, "app_requests", page, next))
    }

    /// `admin.apps.approve` and `admin.apps.restrict`. What is installed stays.
    pub(super) fn resolve(&self, visit: &Visit<'_>, status: SlackStatus) -> Result<Json, Refusal> {
        let mut state = self.state_mut();
        let args = visit.args;
        let (app, request) = match (args.text("app_id"), args.text("request_id")) {
            (Some(_), Some(_)) => return Err(Refusal::new("too_many_ids_provided")),
            (None, None) => return Err(Refusal::new("request_id_or_app_id_is_required")),
            (Some(id), None) => (managed_app(&state, id)?, None),
            (None, Some(id)) => {
                let number = pending(&state, id)?;
                (state.requests[number].app, Some(number))
            }
        };
        let place = named_place(&state, args)?;
        let facts = &state.apps[app as usize].facts;
        if facts.service && place == ORG {
            return Err(Refusal::new("custom_integration_not_allowed_at_enterprise"));
        }
        if status == SlackStatus::Approved && place != ORG {
            if facts.certified {
                return Err(Refusal::new("org_resolution_required"));
            }
            let org = state.decisions.get(&(ORG, app));
            if org.is_some_and(|org| org.status == SlackStatus::Restricted) {
                return Err(Refusal::new("app_restricted_org_wide"));
            }
        }
        if let Some(number) = request {
            state.requests[number].pending = false;
        }
        self.settle(
            &mut state,
            visit,
            Verdict { app, place, status: Some(status), by: Actor::App },
        );
        Ok(json!({}))
    }

    /// `admin.apps.clearResolution`.
    pub(super) fn clear_resolution(&self, visit: &Visit<'_>) -> Result<Json, Refusal> {
        let mut state = self.state_mut();
        let app = managed_app(&state, visit.args.required("app_id")?)?;
        let place = named_place(&state, visit.args)?;
        if !state.decisions.contains_key(&(place, app)) {
            return Err(Refusal::new("no_resolution_found"));
        }
        self.settle(&mut state, visit, Verdict { app, place, status: None, by: Actor::App });
        Ok(json!({}))
    }

    /// Writes a decision down as the token's user's. The first one for the whole organisation makes the
    /// caller's app the only approver.
    fn settle(&self, state: &mut State, visit: &Visit<'_>, verdict: Verdict) {
        let by = Actor::User(index(state.tokens[visit.token].user));
        let when = self.moments(state);
        if verdict.place == ORG {
            state.ui_approval = false;
        }
        state.decide(Verdict { by, ..verdict }, when);
    }

    /// `admin.apps.requests.cancel`.
    pub(super) fn cancel_request(&self, visit: &Visit<'_>) -> Result<Json, Refusal> {
        let mut state = self.state_mut();
        let place = place(&state, visit.args)?;
        let number = pending(&state, visit.args.required("request_id")?)?;
        let elsewhere =
            place.is_some_and(|place| place != ORG && place != state.requests[number].place);
        if elsewhere {
            return Err(Refusal::new("invalid_request_id"));
        }
        state.requests[number].pending = false;
        Ok(json!({}))
    }
}

fn managed_app(state: &State, id: &str) -> Result<u32, Refusal> {
    let app = state.app_ids.get(id).copied().ok_or_else(|| Refusal::new("invalid_app_id"))?;
    if state.apps[app as usize].facts.service {
        return Err(Refusal::new("request_id_required_for_custom_integrations"));
    }
    Ok(app)
}

fn pending(state: &State, id: &str) -> Result<usize, Refusal> {
    let number = state.requests.iter().position(|request| request.facts.id == id);
    let number = number.ok_or_else(|| Refusal::new("invalid_request_id"))?;
    if !state.requests[number].pending {
        return Err(Refusal::new("request_already_resolved"));
    }
    Ok(number)
}

fn decision_json(state: &State, app: u32, decision: &Decision) -> Json {
    let (id, kind) = match decision.by {
        Actor::User(user) => (&state.users[user as usize].id, "user"),
        Actor::App => (&state.scanner.revoker_app_id, "app"),
    };
    json!({
        "app": app_json(state, &state.apps[app as usize]),
        "scopes": scopes_json(state, decision.scopes),
        "date_updated": decision.at,
        "last_resolved_by": { "actor_id": id, "actor_type": kind },
    })
}

fn request_json(state: &State, request: &Request) -> Json {
    let user = &state.users[request.user];
    let space = &state.workspaces[request.place as usize];
    let mut scopes = scopes_json(state, request.scopes);
    for scope in &mut scopes {
        scope["is_optional"] = json!(false);
        scope["is_approved"] = json!(false);
    }
    let previous = request.facts.previous.map(|status| {
        json!({ "status": status_word(status), "scopes": scopes_json(state, request.scopes) })
    });
    json!({
        "id": request.facts.id,
        "app": app_json(state, &state.apps[request.app as usize]),
        "previous_resolution": previous,
        "user": {
            "id": user.id,
            "name": user.facts.real_name.as_deref().unwrap_or(&user.facts.name),
            "email": user.email,
        },
        "team": { "id": space.id, "name": space.name, "domain": space.domain },
        "scopes": scopes,
        "message": request.facts.message,
        "is_user_app_collaborator": false,
        "date_created": request.at,
    })
}
