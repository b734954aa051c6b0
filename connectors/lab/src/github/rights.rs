//! Rights that tests and faults take and give back: an App's permission, a classic scope, ownership.

use super::access::{Right, known_permission};
use super::state::{Role, Signer, State};
use super::world::Permissions;

/// Scopes that classic tokens may have.
const SCOPES: [&str; 14] = [
    "admin:enterprise",
    "admin:org",
    "admin:org_hook",
    "admin:repo_hook",
    "public_repo",
    "read:audit_log",
    "read:enterprise",
    "read:org",
    "read:repo_hook",
    "repo",
    "site_admin",
    "workflow",
    "write:org",
    "write:repo_hook",
];

impl State {
    /// Gives or takes a right of the scanner: a permission of its App (of the revoker's after
    /// `revoker:`), a scope of all classic tokens, or `owner` for the user of the owner's token. False
    /// if there is none of that name.
    pub(super) fn set_right(&mut self, name: &str, held: bool) -> bool {
        let (signer, bare) = match name.strip_prefix("revoker:") {
            Some(rest) => (Signer::Revoker, rest),
            None => (Signer::Scanner, name),
        };
        if known_permission(bare) {
            let Some(app) = self.app_signed_by(signer) else { return false };
            self.set_permission(name, bare, app, held);
            return true;
        }
        if SCOPES.contains(&name) {
            self.set_scope(name, held);
            return true;
        }
        let Some(owner) = self.classic.first().map(|token| token.user) else { return false };
        match (name, held) {
            ("owner", false) => self.demote(owner),
            ("owner", true) => {
                for (user, organisation) in self.give_back(name).owners {
                    self.set_role(user, organisation, Role::Owner);
                }
                true
            }
            _ => false,
        }
    }

    /// Makes an owner a plain member everywhere.
    pub(super) fn demote(&mut self, user: usize) -> bool {
        let mut right = Right { name: "owner".to_owned(), ..Right::default() };
        for (organisation, role) in self.users[user].roles.clone() {
            if role == Role::Owner {
                right.owners.push((user, organisation));
                self.set_role(user, organisation, Role::Member);
            }
        }
        self.taken.push(right);
        true
    }

    fn set_role(&mut self, user: usize, organisation: u32, role: Role) {
        for (place, held) in &mut self.users[user].roles {
            if *place == organisation {
                *held = role;
            }
        }
    }

    fn give_back(&mut self, name: &str) -> Right {
        let place = self.taken.iter().position(|right| right.name == name);
        place.map_or_else(Right::default, |place| self.taken.remove(place))
    }

    fn set_permission(&mut self, name: &str, bare: &str, app: usize, held: bool) {
        let before = if held { self.give_back(name) } else { Right::default() };
        let mut right = Right { name: name.to_owned(), ..Right::default() };
        let on_organisations = self.installations.iter_mut();
        let on_organisations = on_organisations
            .filter(|row| row.app == app)
            .map(|row| (row.id, &mut row.permissions, false));
        let on_enterprise = self.enterprise_installations.iter_mut();
        let on_enterprise = on_enterprise
            .filter(|row| row.app == app)
            .map(|row| (row.id, &mut row.permissions, true));
        for (id, permissions, enterprise) in on_organisations.chain(on_enterprise) {
            let change: &mut Permissions = permissions;
            if held {
                let was = before.levels.iter().find(|(other, _)| *other == id);
                let fits = enterprise == bare.starts_with("enterprise_");
                match was {
                    Some((_, level)) => change.insert(bare.to_owned(), level.clone()),
                    None if fits && !change.contains_key(bare) => {
                        change.insert(bare.to_owned(), "read".to_owned())
                    }
                    None => None,
                };
            } else if let Some(level) = change.remove(bare) {
                right.levels.push((id, level));
            }
        }
        if !held {
            self.taken.push(right);
        }
    }

    fn set_scope(&mut self, name: &str, held: bool) {
        if held {
            let right = self.give_back(name);
            for (place, token) in self.classic.iter_mut().enumerate() {
                let had = right.tokens.is_empty() || right.tokens.contains(&place);
                if had && !token.scopes.iter().any(|scope| scope == name) {
                    token.scopes.push(name.to_owned());
                }
            }
            return;
        }
        let mut right = Right { name: name.to_owned(), ..Right::default() };
        for (place, token) in self.classic.iter_mut().enumerate() {
            if token.scopes.iter().any(|scope| scope == name) {
                right.tokens.push(place);
                token.scopes.retain(|scope| scope != name);
            }
        }
        self.taken.push(right);
    }
}
