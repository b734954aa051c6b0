//! The routes: which operation a request is, what it needs, and which resource answers it.

use super::Core;
use super::access::{
    Need, READ_AUDIT, READ_CHROME, READ_POLICIES, READ_USAGE, READ_USERS, SUSPEND_USERS,
    USER_SECURITY,
};
use super::error::{Refusal, no_such_page};
use super::params;
use crate::wire::{Reply, Request};

/// An operation of an API, with the parts of its path.
pub(super) enum Route {
    Users,
    User(String),
    SignOut(String),
    Tokens(String),
    Token(String, String),
    Passwords(String),
    Password(String, String),
    Activities(String, String),
    CustomerUsage(String),
    UserUsage(String, String),
    Policies,
    InstalledApps(String),
}

impl Route {
    fn find(path: &str) -> Option<Self> {
        let parts: Option<Vec<String>> = path.split('/').skip(1).map(params::decoded).collect();
        let parts = parts?;
        let names: Vec<&str> = parts.iter().map(String::as_str).collect();
        if names.iter().any(|name| name.is_empty()) {
            return None;
        }
        let own = str::to_owned;
        Some(match names.as_slice() {
            ["admin", "directory", "v1", "users"] => Self::Users,
            ["admin", "directory", "v1", "users", user] => Self::User(own(user)),
            ["admin", "directory", "v1", "users", user, below @ ..] => match below {
                ["signOut"] => Self::SignOut(own(user)),
                ["tokens"] => Self::Tokens(own(user)),
                ["tokens", client] => Self::Token(own(user), own(client)),
                ["asps"] => Self::Passwords(own(user)),
                ["asps", code] => Self::Password(own(user), own(code)),
                _ => return None,
            },
            ["admin", "reports", "v1", "activity", "users", user, "applications", application] => {
                Self::Activities(own(user), own(application))
            }
            ["admin", "reports", "v1", "usage", "dates", date] => Self::CustomerUsage(own(date)),
            ["admin", "reports", "v1", "usage", "users", user, "dates", date] => {
                Self::UserUsage(own(user), own(date))
            }
            ["v1", "policies"] => Self::Policies,
            ["v1", "customers", customer, "reports:countInstalledApps"] => {
                Self::InstalledApps(own(customer))
            }
            _ => return None,
        })
    }

    /// What the operation needs; `None` if the path has no such method.
    fn need(&self, method: &str) -> Option<Need> {
        Some(match (self, method) {
            (Self::Users | Self::User(_), "GET") => READ_USERS,
            (Self::User(_), "PATCH") => SUSPEND_USERS,
            (Self::SignOut(_), "POST")
            | (Self::Tokens(_) | Self::Passwords(_), "GET")
            | (Self::Token(..) | Self::Password(..), "GET" | "DELETE") => USER_SECURITY,
            (Self::Activities(..), "GET") => READ_AUDIT,
            (Self::CustomerUsage(_) | Self::UserUsage(..), "GET") => READ_USAGE,
            (Self::Policies, "GET") => READ_POLICIES,
            (Self::InstalledApps(_), "GET") => READ_CHROME,
            _ => return None,
        })
    }
}

impl Core {
    /// The platform's answer.
    pub(super) fn route(&self, request: &Request) -> Reply {
        if request.path == "/token" {
            return self.token(request);
        }
        let Some(route) = Route::find(&request.path) else {
            return no_such_page(404, &request.path);
        };
        let Some(need) = route.need(request.method.as_str()) else {
            return no_such_page(405, &request.path);
        };
        self.serve(&route, need, request).unwrap_or_else(|refusal| refusal.reply(need.api))
    }

    fn serve(&self, route: &Route, need: Need, request: &Request) -> Result<Reply, Refusal> {
        let caller = self.admit(route, need, request)?;
        let now = self.now();
        match (route, request.method.as_str()) {
            (Route::Users, _) => self.list_users(&self.state(), &caller, request),
            (Route::User(user), "PATCH") => self.patch_user(user, &caller, request),
            (Route::User(user), _) => self.get_user(&self.state(), user, request),
            (Route::SignOut(user), _) => self.sign_out(&self.state(), user, &caller, request),
            (Route::Tokens(user), _) => self.list_tokens(&self.state(), user, request),
            (Route::Token(user, client), "DELETE") => {
                self.delete_token(user, client, &caller, request, now)
            }
            (Route::Token(user, client), _) => self.get_token(&self.state(), user, client, request),
            (Route::Passwords(user), _) => self.list_passwords(&self.state(), user, request),
            (Route::Password(user, code), "DELETE") => {
                self.delete_password(user, code, &caller, request)
            }
            (Route::Password(user, code), _) => {
                self.get_password(&self.state(), user, code, request)
            }
            (Route::Activities(user, application), _) => {
                self.list_activities(&self.state(), &caller, (user, application), request)
            }
            (Route::CustomerUsage(date), _) => {
                self.customer_usage(&self.state(), &caller, date, request)
            }
            (Route::UserUsage(user, date), _) => {
                self.user_usage(&self.state(), &caller, (user, date), request)
            }
            (Route::Policies, _) => self.list_policies(&self.state(), &caller, request),
            (Route::InstalledApps(customer), _) => {
                self.count_installed_apps(&self.state(), &caller, customer, request)
            }
        }
    }
}
