//! The Directory API's users: `users.list`, `users.get`, `users.patch` (suspension only) and
//! `users.signOut`.

use serde_json::{Value as Json, json};

use super::Core;
use super::auth::Caller;
use super::error::Refusal;
use super::gate::guard_super_admin;
use super::params::{finish, flag, number, only, word};
use super::state::{State, User};
use super::time::rfc3339;
use crate::wire::{Reply, Request};

/// Every field of a user that the platform has a name for, told or not.
const USER_FIELDS: &str = "kind,id,etag,primaryEmail,name(givenName,familyName,fullName,displayName),\
    isAdmin,isDelegatedAdmin,lastLoginTime,creationTime,deletionTime,agreedToTerms,suspended,\
    suspensionReason,suspensionTime,archived,archivalTime,changePasswordAtNextLogin,ipWhitelisted,\
    emails,aliases,nonEditableAliases,customerId,orgUnitPath,isMailboxSetup,isEnrolledIn2Sv,\
    isEnforcedIn2Sv,includeInGlobalAddressList,isGuestUser,guestAccountInfo,thumbnailPhotoUrl,\
    thumbnailPhotoEtag,recoveryEmail,recoveryPhone,addresses,externalIds,relations,organizations,\
    phones,languages,locations,notes,websites,ims,keywords,gender,posixAccounts,sshPublicKeys,\
    customSchemas";

/// What the lab shows of a user to everybody in the domain.
const PUBLIC_FIELDS: [&str; 6] = ["kind", "id", "etag", "primaryEmail", "name", "emails"];

/// A user as the API shows it.
fn user_json(state: &State, user: &User, public: bool) -> Json {
    let facts = &user.facts;
    let (given, family) = names(facts);
    let mut body = json!({
        "kind": "admin#directory#user",
        "id": user.id,
        "etag": format!("\"lab/{}\"", user.id),
        "primaryEmail": facts.email,
        "name": { "givenName": given, "familyName": family, "fullName": format!("{given} {family}") },
        "isAdmin": user.role.holds(super::Privilege::SuperAdmin),
        "isDelegatedAdmin": !facts.privileges.is_empty(),
        // A user who never logged in has the epoch.
        "lastLoginTime": rfc3339(user.last_login.unwrap_or(0)),
        "creationTime": rfc3339(user.created),
        "agreedToTerms": user.last_login.is_some(),
        "suspended": user.suspended,
        "archived": facts.archived,
        "changePasswordAtNextLogin": false,
        "ipWhitelisted": false,
        "emails": [{ "address": facts.email, "primary": true }],
        "customerId": state.customer_id,
        "orgUnitPath": facts.org_unit,
        "isMailboxSetup": true,
        "isEnrolledIn2Sv": facts.enrolled_in_2sv,
        "isEnforcedIn2Sv": facts.enforced_in_2sv,
        "includeInGlobalAddressList": true,
    });
    if !facts.aliases.is_empty() {
        body["aliases"] = json!(facts.aliases);
    }
    if facts.guest {
        body["isGuestUser"] = json!(true);
    }
    if user.suspended {
        body["suspensionReason"] = json!(facts.suspension_reason.as_deref().unwrap_or("ADMIN"));
    }
    if let Some(deleted) = user.deleted {
        body["deletionTime"] = json!(rfc3339(deleted));
    }
    if let Json::Object(fields) = &mut body {
        if state.behaviour.omit_false {
            fields.retain(|_, value| *value != Json::Bool(false));
        }
        if public {
            fields.retain(|name, _| PUBLIC_FIELDS.contains(&name.as_str()));
        }
    }
    body
}

/// Given and family name, from the name or else from the address.
fn names(facts: &super::GoogleUser) -> (String, String) {
    if let Some((given, family)) = facts.name.as_deref().and_then(|name| name.rsplit_once(' ')) {
        return (given.to_owned(), family.to_owned());
    }
    let local = facts.name.as_deref().unwrap_or_else(|| {
        facts.email.split_once('@').map_or(facts.email.as_str(), |(local, _)| local)
    });
    let (given, family) = local.split_once('.').unwrap_or((local, "User"));
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| {
            first.to_uppercase().collect::<String>() + letters.as_str()
        })
    };
    (capital(given), capital(family))
}

/// The search forms that the lab supports.
#[derive(Debug)]
enum Search {
    Everybody,
    Suspended(bool),
    Archived(bool),
    Admin(bool),
    Email(String),
    EmailPrefix(String),
    OrgUnit(String),
}

impl Search {
    fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Self::Everybody) };
        let bool = |value: &str| value.parse::<bool>().ok();
        let found = match text.split_once(['=', ':']) {
            Some(("isSuspended", value)) => bool(value).map(Self::Suspended),
            Some(("isArchived", value)) => bool(value).map(Self::Archived),
            Some(("isAdmin", value)) => bool(value).map(Self::Admin),
            Some(("orgUnitPath", value)) => {
                Some(Self::OrgUnit(value.trim_matches('\'').to_owned()))
            }
            Some(("email", value)) => Some(match value.strip_suffix('*') {
                Some(prefix) => Self::EmailPrefix(prefix.to_owned()),
                None => Self::Email(value.to_owned()),
            }),
            _ => None,
        };
        found.ok_or_else(|| Refusal::invalid("Invalid Input: query"))
    }

    fn finds(&self, user: &User) -> bool {
        let facts = &user.facts;
        match self {
            Self::Everybody => true,
            Self::Suspended(wanted) => user.suspended == *wanted,
            Self::Archived(wanted) => facts.archived == *wanted,
            Self::Admin(wanted) => user.role.holds(super::Privilege::SuperAdmin) == *wanted,
            Self::Email(address) => facts.email == *address,
            Self::EmailPrefix(prefix) => facts.email.starts_with(prefix.as_str()),
            Self::OrgUnit(path) => {
                let below = facts.org_unit.strip_prefix(path.trim_end_matches('/'));
                below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        }
    }
}

impl Core {
    /// `GET …/users`.
    pub(super) fn list_users(
        &self,
        state: &State,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(
            request,
            &[
                "customer",
                "domain",
                "maxResults",
                "pageToken",
                "orderBy",
                "sortOrder",
                "query",
                "showDeleted",
                "projection",
                "viewType",
            ],
        )?;
        let domain = request.param("domain");
        match (request.param("customer"), domain) {
            (None, None) => return Err(Refusal::new(400, "badRequest", "Bad Request")),
            (Some(customer), _) => self.own_customer(state, caller, customer)?,
            (None, Some(_)) => {}
        }
        let has_domain = |user: &User| {
            domain.is_none_or(|domain| user.facts.email.ends_with(&format!("@{domain}")))
        };
        if domain.is_some() && !state.users.iter().any(has_domain) {
            return Err(Refusal::new(404, "notFound", "Domain not found."));
        }
        let asked = number(request, "maxResults", 1..=500, 100)?;
        let size = asked.min(state.behaviour.users_page).max(1);
        let order = word(request, "orderBy", &["email", "familyName", "givenName"])?;
        let sort = word(request, "sortOrder", &["ASCENDING", "DESCENDING"])?;
        let public =
            word(request, "viewType", &["admin_view", "domain_public"])? == Some("domain_public");
        word(request, "projection", &["basic", "full"])?;
        let deleted = flag(request, "showDeleted")?.unwrap_or(false);
        let search = Search::parse(request.param("query"))?;
        let start = self.pages.position(request, self.page_rules(state))?.map_or(0, |(at, _)| at);
        let start = usize::try_from(start).unwrap_or(usize::MAX);

        let mut users = in_order(state, order);
        if sort == Some("DESCENDING") && order.is_some() {
            users.reverse();
        }
        let wanted = |user: &User| {
            user.deleted.is_some() == deleted && has_domain(user) && search.finds(user)
        };
        let mut found = users
            .iter()
            .enumerate()
            .skip(start)
            .map(|(place, user)| (place, &state.users[*user as usize]))
            .filter(|(_, user)| wanted(user));
        let page: Vec<Json> =
            found.by_ref().take(size).map(|(_, user)| user_json(state, user, public)).collect();
        let mut body = json!({ "kind": "admin#directory#users", "etag": "\"lab/users\"" });
        if !page.is_empty() {
            body["users"] = json!(page);
        }
        if let Some((next, _)) = found.next() {
            let next = i64::try_from(next).unwrap_or(i64::MAX);
            let now = self.clock.wall().as_second();
            body["nextPageToken"] = json!(self.pages.issue(request, (next, 0), now));
        }
        finish(
            request,
            body,
            &format!("kind,etag,trigger_event,nextPageToken,users({USER_FIELDS})"),
        )
    }

    /// `GET …/users/{userKey}`.
    pub(super) fn get_user(
        &self,
        state: &State,
        key: &str,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &["projection", "viewType"])?;
        let public =
            word(request, "viewType", &["admin_view", "domain_public"])? == Some("domain_public");
        word(request, "projection", &["basic", "full"])?;
        let user = live_user(state, key)?;
        finish(request, user_json(state, &state.users[user], public), USER_FIELDS)
    }

    /// `PATCH …/users/{userKey}`: suspension only.
    pub(super) fn patch_user(
        &self,
        key: &str,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let change: Json = serde_json::from_str(&request.body)
            .map_err(|_| Refusal::new(400, "parseError", "Parse Error"))?;
        let suspended = change
            .as_object()
            .filter(|fields| fields.len() == 1)
            .and_then(|fields| fields.get("suspended"))
            .and_then(Json::as_bool)
            .ok_or_else(|| Refusal::invalid("Invalid Input: the lab changes `suspended` only"))?;
        let mut state = self.state_mut();
        let user = live_user(&state, key)?;
        guard_super_admin(&state, caller, user)?;
        state.users[user].suspended = suspended;
        finish(request, user_json(&state, &state.users[user], false), USER_FIELDS)
    }

    /// `POST …/users/{userKey}/signOut`.
    pub(super) fn sign_out(
        &self,
        state: &State,
        key: &str,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let user = live_user(state, key)?;
        guard_super_admin(state, caller, user)?;
        Ok(Reply::empty(204))
    }
}

/// Users in the order asked for.
fn in_order(state: &State, order: Option<&str>) -> Vec<u32> {
    let mut users = state.by_email.clone();
    let name = |user: &u32| names(&state.users[*user as usize].facts);
    match order {
        Some("familyName") => users.sort_by_cached_key(|user| name(user).1),
        Some("givenName") => users.sort_by_cached_key(|user| name(user).0),
        _ => {}
    }
    users
}

/// The user of a key, who is not deleted.
pub(super) fn live_user(state: &State, key: &str) -> Result<usize, Refusal> {
    if !key.contains('@') && !key.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::invalid("Invalid Input: userKey"));
    }
    state.user(key).ok_or_else(|| Refusal::not_found("userKey"))
}
