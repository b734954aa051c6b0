//! People and workspaces on the wire: who a token is, users as members and as admins see them, and
//! workspaces.

use serde_json::{Value as Json, json};

use super::Core;
use super::error::Refusal;
use super::installs::{ORG, index};
use super::route::{Visit, limit, listed};
use super::state::{State, User};
use super::world::{SlackPlan, SlackRole};

impl Core {
    /// `auth.test`.
    pub(super) fn auth_test(&self, state: &State, visit: &Visit<'_>) -> Json {
        let token = &state.tokens[visit.token];
        let user = &state.users[token.user];
        let org = token.place == ORG;
        let space = &state.workspaces[if org { 0 } else { token.place as usize }];
        let (team, team_id, url) = match org && !state.behaviour.org_token_has_workspace {
            true => (&state.name, &state.enterprise_id, format!("{}.enterprise", state.domain)),
            false => (&space.name, &space.id, space.domain.clone()),
        };
        let mut body = json!({
            "url": format!("https://{url}.slack.com/"),
            "team": team,
            "team_id": team_id,
            "user": user.facts.name,
            "user_id": user.id,
            "is_enterprise_install": org,
        });
        if state.plan == SlackPlan::Enterprise {
            body["enterprise_id"] = json!(state.enterprise_id);
        }
        if token.bot {
            body["bot_id"] = json!(format!("B0LAB{:05}", token.user));
            body["app_id"] = json!(token.app_id);
            body["app_name"] = json!(token.app_name);
        }
        if let Some(seconds) = state.behaviour.expires_in {
            body["expires_in"] = json!(seconds);
        }
        body
    }

    /// `auth.teams.list`: the workspaces in which the token works.
    pub(super) fn own_teams(&self, state: &State, visit: &Visit<'_>) -> Result<Json, Refusal> {
        visit.args.flag("include_icon")?;
        let limit = limit(visit, 1_000, state.behaviour.teams_page)?;
        let place = state.tokens[visit.token].place;
        let items = (0_u32..)
            .zip(&state.workspaces)
            .filter(|(number, _)| [ORG, *number].contains(&place))
            .map(|(number, space)| {
                (i64::from(number), json!({ "id": space.id, "name": space.name }))
            });
        let (page, next) = self.page(state, visit, limit, items)?;
        Ok(listed(state, "teams", page, next))
    }

    /// `admin.teams.list`.
    pub(super) fn teams(&self, state: &State, visit: &Visit<'_>) -> Result<Json, Refusal> {
        let limit = limit(visit, 1_000, state.behaviour.teams_page)?;
        let items = (0_i64..).zip(&state.workspaces).map(|(number, space)| {
            let owner = &state.users[space.owner];
            let item = json!({
                "id": space.id,
                "name": space.name,
                "discoverability": space.discoverability,
                "primary_owner": { "user_id": owner.id, "email": owner.email },
                "team_url": format!("https://{}.slack.com/", space.domain),
            });
            (number, item)
        });
        let (page, next) = self.page(state, visit, limit, items)?;
        Ok(listed(state, "teams", page, next))
    }

    /// `admin.users.list`: active users only, unless the call asks for the others.
    pub(super) fn admin_users(&self, state: &State, visit: &Visit<'_>) -> Result<Json, Refusal> {
        let limit = limit(visit, 100, state.behaviour.admin_users_page)?;
        let active = visit.args.flag("is_active")?.unwrap_or(true);
        let guests = visit.args.flag("only_guests")?.unwrap_or(false);
        let all = visit.args.flag("include_deactivated_user_workspaces")?;
        let space = match visit.args.text("team_id") {
            Some(_) if all == Some(true) => {
                return Err(Refusal::new("include_deactivated_user_workspaces_invalid"));
            }
            Some(id) => Some(find_space(state, id)?),
            None => None,
        };
        let items = (0_i64..)
            .zip(&state.users)
            .filter(|(_, user)| user.deactivated.is_none() == active)
            .filter(|(_, user)| !guests || user.role < SlackRole::Member)
            .filter(|(_, user)| space.is_none_or(|space| user.is_member(space)))
            .map(|(number, user)| (number, admin_user_json(state, user, space.is_none())));
        let (page, next) = self.page(state, visit, limit, items)?;
        Ok(listed(state, "users", page, next))
    }

    /// `users.list`: everybody of a workspace, deactivated or not; all at once without `limit`.
    pub(super) fn users(&self, state: &State, visit: &Visit<'_>) -> Result<Json, Refusal> {
        visit.args.flag("include_locale")?;
        let token = &state.tokens[visit.token];
        let space = match (token.place, visit.args.text("team_id")) {
            (ORG, None) => return Err(Refusal::new("missing_argument")),
            (ORG, Some(id)) => find_space(state, id)?,
            (own, _) => own,
        };
        let asked = visit.args.number("limit", 0..=i64::MAX, "invalid_arguments")?.unwrap_or(0);
        if asked == 0 && state.users.len() > state.behaviour.limit_required_above {
            return Err(Refusal::new("limit_required"));
        }
        let limit = match usize::try_from(asked).unwrap_or(usize::MAX) {
            0 => usize::MAX,
            asked => asked.min(state.behaviour.users_page),
        };
        let addresses = token.holds("users:read.email");
        let items = (0_i64..)
            .zip(&state.users)
            .filter(|(_, user)| user.is_member(space))
            .map(|(number, user)| (number, member_json(state, user, space, addresses)));
        let (page, next) = self.page(state, visit, limit, items)?;
        let mut body = listed(state, "members", page, next);
        body["cache_ts"] = json!(self.now());
        Ok(body)
    }
}

/// `users.info`.
pub(super) fn user_info(state: &State, visit: &Visit<'_>) -> Result<Json, Refusal> {
    visit.args.flag("include_locale")?;
    let id = visit.args.required("user")?;
    let token = &state.tokens[visit.token];
    let user = state.users.iter().find(|user| user.id == id);
    let user = user.ok_or_else(|| Refusal::new("user_not_found"))?;
    let space = match token.place {
        ORG => user.workspaces.as_ref().and_then(|list| list.first().copied()).unwrap_or(0),
        own if user.is_member(own) => own,
        _ => return Err(Refusal::new("user_not_visible")),
    };
    let addresses = token.holds("users:read.email");
    Ok(json!({ "user": member_json(state, user, space, addresses) }))
}

/// `team.info`.
pub(super) fn team_info(state: &State, visit: &Visit<'_>) -> Result<Json, Refusal> {
    let own = state.tokens[visit.token].place;
    let space = match (visit.args.text("team"), own) {
        (Some(id), _) => find_space(state, id)?,
        (None, ORG) => 0,
        (None, own) => own,
    };
    let space = &state.workspaces[space as usize];
    let image = format!("https://{}.slack.com/img/team.png", space.domain);
    let mut team = json!({
        "id": space.id,
        "name": space.name,
        "domain": space.domain,
        "email_domain": format!("{}.example", state.domain),
        "icon": { "image_34": image, "image_68": image, "image_default": true },
    });
    if state.plan == SlackPlan::Enterprise {
        team["enterprise_id"] = json!(state.enterprise_id);
        team["enterprise_name"] = json!(state.name);
    }
    Ok(json!({ "team": team }))
}

fn find_space(state: &State, id: &str) -> Result<u32, Refusal> {
    state.workspace_of_id(id).ok_or_else(|| Refusal::new("team_not_found"))
}

fn real_name(user: &User) -> &str {
    user.facts.real_name.as_deref().unwrap_or(&user.facts.name)
}

fn space_ids<'s>(state: &'s State, user: &User) -> Vec<&'s str> {
    (0..index(state.workspaces.len()))
        .filter(|space| user.is_member(*space))
        .map(|space| state.workspaces[space as usize].id.as_str())
        .collect()
}

fn admin_user_json(state: &State, user: &User, whole_org: bool) -> Json {
    let mut item = json!({
        "id": user.id,
        "email": user.email,
        "username": user.facts.name,
        "full_name": real_name(user),
        "is_admin": user.role >= SlackRole::WorkspaceAdmin,
        "is_owner": user.role == SlackRole::WorkspaceOwner || user.role >= SlackRole::Owner,
        "is_primary_owner": user.role == SlackRole::PrimaryOwner,
        "is_restricted": user.role < SlackRole::Member,
        "is_ultra_restricted": user.role == SlackRole::SingleChannelGuest,
        "is_bot": user.facts.bot,
        "is_active": user.deactivated.is_none(),
        "date_created": user.created,
        "deactivated_ts": user.deactivated.unwrap_or(0),
        "expiration_ts": 0,
        "workspaces": space_ids(state, user),
    });
    if whole_org {
        item["has_2fa"] = json!(user.facts.two_factor);
        item["has_sso"] = json!(false);
    }
    item
}

fn member_json(state: &State, user: &User, space: u32, addresses: bool) -> Json {
    let name = real_name(user);
    let team = &state.workspaces[space as usize].id;
    let mut profile = json!({
        "title": "",
        "phone": "",
        "skype": "",
        "real_name": name,
        "real_name_normalized": name,
        "display_name": user.facts.name,
        "display_name_normalized": user.facts.name,
        "fields": null,
        "status_text": "",
        "status_emoji": "",
        "status_expiration": 0,
        "avatar_hash": "0123456789ab",
        "team": team,
    });
    if addresses && !user.facts.bot {
        profile["email"] = json!(user.email);
    }
    let mut item = json!({
        "id": user.id,
        "team_id": team,
        "name": user.facts.name,
        "deleted": user.deactivated.is_some(),
        "profile": profile,
        "is_bot": user.facts.bot,
        "is_app_user": false,
        "updated": user.deactivated.unwrap_or(user.created),
    });
    // A deactivated user has lost these.
    if user.deactivated.is_none() {
        item["real_name"] = json!(name);
        item["is_admin"] = json!(user.role >= SlackRole::WorkspaceAdmin);
        item["is_owner"] =
            json!(user.role == SlackRole::WorkspaceOwner || user.role >= SlackRole::Owner);
        item["is_primary_owner"] = json!(user.role == SlackRole::PrimaryOwner);
        item["is_restricted"] = json!(user.role < SlackRole::Member);
        item["is_ultra_restricted"] = json!(user.role == SlackRole::SingleChannelGuest);
    }
    if state.plan == SlackPlan::Enterprise {
        item["enterprise_user"] = json!({
            "id": user.id,
            "enterprise_id": state.enterprise_id,
            "enterprise_name": state.name,
            "is_admin": user.role >= SlackRole::Admin,
            "is_owner": user.role >= SlackRole::Owner,
            "teams": space_ids(state, user),
        });
    }
    item
}
