//! The calls that take something away: uninstall an app, end a user's sessions, end a token.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::Core;
use super::error::Refusal;
use super::installs::{Happening, ORG, index};
use super::route::Visit;
use super::state::State;
use super::world::SlackRole;

/// Most workspaces that one uninstall takes.
const TEAMS_MOST: usize = 100;

impl Core {
    /// `admin.apps.uninstall`. Decisions stay.
    pub(super) fn uninstall(&self, visit: &Visit<'_>) -> Result<Json, Refusal> {
        let mut state = self.state_mut();
        let args = visit.args;
        let app = state.app_ids.get(args.required("app_id")?).copied();
        let app = app.filter(|app| !state.apps[*app as usize].facts.service);
        let app = app.ok_or_else(|| Refusal::new("app_not_found"))?;
        let teams = match (args.text("enterprise_id"), args.list("team_ids")) {
            (Some(id), None) if id == state.enterprise_id => None,
            (Some(_), None) => return Err(Refusal::new("enterprise_not_found")),
            (None, Some(teams)) => Some(places(&state, &teams)?),
            _ => return Err(Refusal::new("specify_enterprise_or_teams")),
        };
        if state.apps[app as usize].facts.locked {
            return Err(Refusal::new("can_not_uninstall"));
        }
        let org_wide = state.present(app).any(|(_, install)| install.place == ORG);
        if teams.is_some() && org_wide {
            return Err(Refusal::new("must_revoke_access"));
        }
        let wanted = |place: u32| teams.as_ref().is_none_or(|teams| teams.contains(&place));
        let present = state.present(app).filter(|(_, install)| wanted(install.place));
        let gone: Vec<u32> = present.map(|(number, _)| number).collect();
        if gone.is_empty() && state.behaviour.uninstall_absent != "ok" {
            return Err(Refusal::new(state.behaviour.uninstall_absent.clone()));
        }
        if state.behaviour.uninstall_ignored {
            return Ok(json!({}));
        }
        let by = index(state.tokens[visit.token].user);
        let when = self.moments(&state);
        for install in gone {
            state.remove(install, by, when);
        }
        if teams.is_none() {
            let id = state.apps[app as usize].id.clone();
            state.end_tokens_of(&id);
        }
        Ok(json!({}))
    }

    /// `admin.users.session.reset`. App tokens stay.
    pub(super) fn reset_sessions(&self, visit: &Visit<'_>) -> Result<Json, Refusal> {
        let mut state = self.state_mut();
        visit.args.flag("mobile_only")?;
        visit.args.flag("web_only")?;
        let id = visit.args.required("user_id")?;
        let user = state.users.iter().position(|user| user.id == id);
        let user = user.ok_or_else(|| Refusal::new("user_not_found"))?;
        let caller = state.tokens[visit.token].user;
        if state.users[user].facts.bot {
            return Err(Refusal::new("cannot_reset_bot"));
        }
        if state.users[user].role == SlackRole::PrimaryOwner && user != caller {
            return Err(Refusal::new("cannot_reset_primary_owner"));
        }
        state.users[user].resets += 1;
        let when = self.moments(&state);
        let what = Happening::SessionReset(index(user), index(caller));
        state.log.push(when.at, when.shown, what);
        Ok(json!({}))
    }

    /// `auth.revoke`: the end of the very token that calls. With `test` nothing ends, and so nothing is
    /// said to have ended; the platform's page shows the answer of a real call only.
    pub(super) fn revoke_token(&self, visit: &Visit<'_>) -> Result<Json, Refusal> {
        if visit.args.flag("test")? == Some(true) {
            return Ok(json!({ "revoked": false }));
        }
        self.state_mut().tokens[visit.token].dead = Some("token_revoked".to_owned());
        Ok(json!({ "revoked": true }))
    }
}

fn places(state: &State, teams: &[&str]) -> Result<BTreeSet<u32>, Refusal> {
    if teams.len() > TEAMS_MOST {
        return Err(Refusal::new("too_many_teams"));
    }
    let find = |id: &&str| state.workspace_of_id(id);
    let found: Option<BTreeSet<u32>> = teams.iter().map(find).collect();
    found.ok_or_else(|| Refusal::new("teams_not_found"))
}
