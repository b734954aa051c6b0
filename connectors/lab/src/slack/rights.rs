//! Rights by name, as faults and tests give and take them: a token's scopes, its user's role, the
//! plan's admin API, the install on the organisation.

use super::state::State;
use super::tokens::SCOPES;
use super::world::SlackRole;

/// Gives or takes a right; false if there is none of that name.
pub(super) fn set(state: &mut State, token: usize, right: &str, held: bool) -> bool {
    let user = state.tokens[token].user;
    match right {
        "Owner" => change_role(state, user, held, SlackRole::Owner, SlackRole::Admin),
        "Admin" => change_role(state, user, held, SlackRole::Admin, SlackRole::Member),
        "AdminApi" => state.behaviour.admin_api = held,
        "OrgInstall" => state.behaviour.org_installed = held,
        scope if SCOPES.contains(&scope) => {
            let scopes = &mut state.tokens[token].scopes;
            if held {
                scopes.insert(scope.to_owned());
            } else {
                scopes.remove(scope);
            }
        }
        _ => return false,
    }
    true
}

/// At least the one role, or at most the other.
fn change_role(state: &mut State, user: usize, held: bool, least: SlackRole, most: SlackRole) {
    let role = state.users[user].role;
    state.users[user].role = if held { role.max(least) } else { role.min(most) };
}
