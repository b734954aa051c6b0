//! The tokens of a tenant: made at start, in the platform's form and saying FAKE. A token is of a
//! user or a bot, for the organisation or one workspace; it dies with its app's install or its user.

use std::collections::BTreeSet;

use super::installs::{ORG, index};
use super::state::State;
use super::world::{SlackPlan, SlackRole};
use crate::keys::random_text;

/// Scopes that the lab knows: a right of any other name is refused.
pub(crate) const SCOPES: [&str; 13] = [
    "admin",
    "admin.app_activities:read",
    "admin.apps:read",
    "admin.apps:write",
    "admin.teams:read",
    "admin.users:read",
    "admin.users:write",
    "auditlogs:read",
    "identify",
    "team:read",
    "users:read",
    "users:read.email",
    "users:write",
];
const READ_ENTERPRISE: [&str; 8] = [
    "admin.app_activities:read",
    "admin.apps:read",
    "admin.teams:read",
    "admin.users:read",
    "auditlogs:read",
    "team:read",
    "users:read",
    "users:read.email",
];
const READ_WORKSPACE: [&str; 5] =
    ["admin", "identify", "team:read", "users:read", "users:read.email"];
const REVOKE: [&str; 4] =
    ["admin.apps:read", "admin.apps:write", "admin.users:write", "auditlogs:read"];
const BOT: [&str; 2] = ["team:read", "users:read"];

/// One token.
#[derive(Debug)]
pub(crate) struct Token {
    /// What the lab calls it: `reader`, `revoker`, `org_admin`, `workspace_admin`, `bot`, `stolen`.
    pub(crate) name: &'static str,
    pub(crate) text: TokenText,
    pub(crate) bot: bool,
    pub(crate) user: usize,
    pub(crate) app_id: String,
    pub(crate) app_name: String,
    pub(crate) scopes: BTreeSet<String>,
    /// A workspace, or [`ORG`].
    pub(crate) place: u32,
    /// The code that it answers with since it died.
    pub(crate) dead: Option<String>,
    /// The install that it lives with.
    pub(crate) install: Option<u32>,
}

/// The text of a token, which no log may show.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TokenText(pub(crate) String);

impl std::fmt::Debug for TokenText {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("TokenText(…)")
    }
}

impl Token {
    /// The code that a user's or a bot's token answers with once its app or user is gone.
    pub(crate) fn gone(bot: bool) -> &'static str {
        if bot { "account_inactive" } else { "token_revoked" }
    }

    /// The scopes as headers and refusals list them.
    pub(crate) fn scope_list(&self) -> String {
        self.scopes.iter().map(String::as_str).collect::<Vec<_>>().join(",")
    }

    pub(crate) fn holds(&self, scope: &str) -> bool {
        self.scopes.contains(scope)
    }
}

/// A text in the platform's form; `bot` tokens have one number less.
fn text(bot: bool, number: usize) -> TokenText {
    let number = 1_000_000_000_000 + number;
    let random = random_text(26);
    TokenText(match bot {
        true => format!("xoxb-{number}-2000000000000-FAKE{random}"),
        false => format!("xoxp-{number}-2000000000000-3000000000000-FAKE{random}"),
    })
}

fn set<S: AsRef<str>>(scopes: &[S]) -> BTreeSet<String> {
    scopes.iter().map(|scope| scope.as_ref().to_owned()).collect()
}

impl State {
    /// Makes the scanner's tokens.
    pub(crate) fn make_tokens(&mut self) -> Result<(), String> {
        let owner = self.named_user(&self.scanner.owner)?;
        let admin = self.scanner.admin.as_deref().map(|name| self.named_user(name)).transpose()?;
        let local = self.scanner.workspace_admin.as_deref();
        let local = local.map(|name| self.named_user(name)).transpose()?.unwrap_or(owner);
        if self.users[local].role < SlackRole::WorkspaceAdmin {
            return Err(format!(
                "scanner: `{}` is no workspace admin",
                self.users[local].facts.name
            ));
        }
        let grid = self.plan == SlackPlan::Enterprise;
        if grid && self.users[owner].role < SlackRole::Owner {
            return Err(format!("scanner: `{}` is no Owner", self.users[owner].facts.name));
        }
        let read = match (&self.scanner.scopes, self.plan) {
            (Some(scopes), _) => set(scopes),
            (None, SlackPlan::Enterprise) => set(&READ_ENTERPRISE),
            (None, SlackPlan::Workspace) => set(&READ_WORKSPACE),
        };
        if let Some(unknown) = read.iter().find(|scope| !SCOPES.contains(&scope.as_str())) {
            return Err(format!("scanner: the lab knows no scope `{unknown}`"));
        }
        let (reader, revoker) = (self.scanner.app_id.clone(), self.scanner.revoker_app_id.clone());
        // The workspace that the local admin's token is for: the first one that they are in.
        let home =
            (0..index(self.workspaces.len())).find(|space| self.users[local].is_member(*space));
        let home = home.ok_or("scanner: the workspace admin is in no workspace")?;
        let top = if grid { ORG } else { home };
        let reading_user = if grid { owner } else { local };
        self.add_token("reader", false, reading_user, (&reader, "Grantwarden"), read.clone(), top);
        self.add_token(
            "revoker",
            false,
            owner,
            (&revoker, "Grantwarden Revoker"),
            set(&REVOKE),
            top,
        );
        if let Some(admin) = admin {
            self.add_token("org_admin", false, admin, (&reader, "Grantwarden"), read, top);
        }
        let scopes = set(&READ_WORKSPACE);
        self.add_token("workspace_admin", false, local, (&reader, "Grantwarden"), scopes, home);
        self.add_token("bot", true, owner, (&reader, "Grantwarden"), set(&BOT), home);
        Ok(())
    }

    fn named_user(&self, name: &str) -> Result<usize, String> {
        self.user(name).ok_or_else(|| format!("scanner: no user is called `{name}`"))
    }

    fn add_token(
        &mut self,
        name: &'static str,
        bot: bool,
        user: usize,
        (app_id, app_name): (&str, &str),
        scopes: BTreeSet<String>,
        place: u32,
    ) {
        let text = text(bot, self.tokens.len());
        self.tokens.push(Token {
            name,
            text,
            bot,
            user,
            app_id: app_id.to_owned(),
            app_name: app_name.to_owned(),
            scopes,
            place,
            dead: None,
            install: None,
        });
    }

    /// A token of an app's oldest install that is there, as a thief has it; the same text each time.
    pub(crate) fn stolen(&mut self, app: u32) -> Option<String> {
        let (install, row) = self.present(app).next()?;
        if let Some(token) = self.tokens.iter().find(|token| token.install == Some(install)) {
            return Some(token.text.0.clone());
        }
        let (user, place) = (row.by as usize, row.place);
        let scopes = self.scopes(row.scopes);
        let bot = !scopes.bot.is_empty();
        let scopes = set(if bot { &scopes.bot } else { &scopes.user });
        let app = &self.apps[app as usize];
        let (id, name) = (app.id.clone(), app.facts.name.clone());
        self.add_token("stolen", bot, user, (&id, &name), scopes, place);
        let token = self.tokens.last_mut()?;
        token.install = Some(install);
        Some(token.text.0.clone())
    }

    /// The token that the lab calls so.
    pub(crate) fn token_named(&self, name: &str) -> Option<usize> {
        self.tokens.iter().position(|token| token.name == name)
    }

    /// Why a token does not work any more.
    pub(crate) fn trouble(&self, token: &Token) -> Option<String> {
        let install_gone =
            token.install.is_some_and(|install| self.installs[install as usize].removed.is_some());
        let user_gone = self.users[token.user].deactivated.is_some();
        let gone = || (install_gone || user_gone).then(|| Token::gone(token.bot).to_owned());
        token.dead.clone().or_else(gone)
    }

    /// The scanner's own app was uninstalled: its tokens die too.
    pub(crate) fn end_tokens_of(&mut self, app_id: &str) {
        let own = |token: &&mut Token| token.install.is_none() && token.app_id == app_id;
        for token in self.tokens.iter_mut().filter(own) {
            token.dead.get_or_insert_with(|| Token::gone(token.bot).to_owned());
        }
    }
}
