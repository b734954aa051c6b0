//! The Reports API's `activities.list` for the token and admin logs: newest first, filtered, in pages
//! that new events do not disturb.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::Core;
use super::auth::Caller;
use super::error::Refusal;
use super::events::{Event, Happening};
use super::filters::Filter;
use super::params::{finish, number, only};
use super::policies::org_unit_id;
use super::state::{App, LOG_SECONDS, State};
use super::time::rfc3339;
use super::users::live_user;
use crate::wire::{Reply, Request};

const ACTIVITY_FIELDS: &str = "kind,etag,nextPageToken,items(kind,etag,id(time,uniqueQualifier,\
    applicationName,customerId),actor(callerType,email,profileId,key,applicationInfo),ownerDomain,\
    ipAddress,networkInfo,events(type,name,parameters(name,value,intValue,boolValue,multiValue,\
    multiIntValue,messageValue,multiMessageValue),resourceIds,status))";

/// The actor of an event that no user did.
const PLACEHOLDER: &str = "105250506097979753968";

/// Event names of the token log.
const TOKEN_EVENTS: [&str; 5] = ["authorize", "revoke", "activity", "request", "deny"];

/// Event names of the admin log that the lab knows.
const ADMIN_EVENTS: [&str; 19] = [
    "AUTHORIZE_API_CLIENT_ACCESS",
    "REMOVE_API_CLIENT_ACCESS",
    "ADD_TO_TRUSTED_OAUTH2_APPS",
    "REMOVE_FROM_TRUSTED_OAUTH2_APPS",
    "ADD_TO_BLOCKED_OAUTH2_APPS",
    "REMOVE_FROM_BLOCKED_OAUTH2_APPS",
    "ADD_TO_LIMITED_OAUTH2_APPS",
    "REMOVE_FROM_LIMITED_OAUTH2_APPS",
    "ADD_TO_TRUSTED_BY_OAUTH_SCOPE_OAUTH2_APPS",
    "REMOVE_FROM_TRUSTED_BY_OAUTH_SCOPE_OAUTH2_APPS",
    "ADD_TO_CAA_EXEMPT_OAUTH2_APPS",
    "REMOVE_FROM_CAA_EXEMPT_OAUTH2_APPS",
    "TRUST_DOMAIN_OWNED_OAUTH2_APPS",
    "UNTRUST_DOMAIN_OWNED_OAUTH2_APPS",
    "BLOCK_ALL_THIRD_PARTY_API_ACCESS",
    "UNBLOCK_ALL_THIRD_PARTY_API_ACCESS",
    "CHANGE_APP_ACCESS",
    "CHANGE_API_ACCESS",
    "CHANGE_CAA_APP_ASSIGNMENTS",
];

/// Every other log of the platform; the lab keeps none of them.
const OTHER_LOGS: [&str; 12] = [
    "access_transparency",
    "calendar",
    "chat",
    "chrome",
    "drive",
    "gcp",
    "gmail",
    "groups",
    "login",
    "mobile",
    "saml",
    "user_accounts",
];

/// An event with what it points at.
struct Entry<'s> {
    state: &'s State,
    event: &'s Event,
}

impl<'s> Entry<'s> {
    fn kind(&self) -> &'s str {
        match self.event.what {
            Happening::Admin(index) => self.state.admin_events[index as usize].kind,
            _ => "auth",
        }
    }

    fn name(&self) -> &'s str {
        match self.event.what {
            Happening::Authorize(_) => "authorize",
            Happening::Revoke(_) => "revoke",
            Happening::Used(_) => "activity",
            Happening::Denied(_) => "deny",
            Happening::Admin(index) => &self.state.admin_events[index as usize].name,
        }
    }

    fn grant(&self) -> Option<u32> {
        match self.event.what {
            Happening::Authorize(grant) | Happening::Revoke(grant) | Happening::Used(grant) => {
                Some(grant)
            }
            Happening::Denied(_) | Happening::Admin(_) => None,
        }
    }

    fn actor(&self) -> Option<usize> {
        match self.event.what {
            Happening::Denied(index) => {
                self.state.any_user(&self.state.denied[index as usize].user)
            }
            Happening::Admin(index) => self.state.admin_events[index as usize].by,
            _ => self.grant().map(|grant| self.state.grants.row(grant).user as usize),
        }
    }

    fn app(&self) -> Option<&'s App> {
        let app = match self.event.what {
            Happening::Denied(index) => {
                self.state.app_named(&self.state.denied[index as usize].app)
            }
            _ => self.grant().map(|grant| self.state.grants.row(grant).app as usize),
        };
        app.map(|app| &self.state.apps[app])
    }

    fn scopes(&self) -> &'s [String] {
        match self.event.what {
            Happening::Denied(index) => &self.state.denied[index as usize].scopes,
            _ => match self.grant() {
                Some(grant) => self.state.scopes(self.state.grants.row(grant).scopes),
                None => &[],
            },
        }
    }

    fn address(&self) -> &'s str {
        self.grant().map_or("192.0.2.10", |grant| self.state.address(grant))
    }

    /// The call that an `activity` event tells of: product, API, method, bytes.
    fn call(&self) -> Option<(&'static str, &'static str, &'static str, u64)> {
        let Happening::Used(_) = self.event.what else { return None };
        let bucket =
            self.scopes().iter().map(|scope| bucket(scope)).find(|name| *name != "IDENTITY");
        let bytes = 100 + u64::from(self.event.serial % 9_000);
        Some(match bucket {
            Some("GMAIL") => ("GMAIL", "gmail", "gmail.users.messages.list", bytes),
            Some("DRIVE") => ("DRIVE", "drive", "drive.files.list", bytes),
            Some("CALENDAR") => ("CALENDAR", "calendar", "calendar.events.list", bytes),
            Some("CONTACTS") => ("CONTACTS", "people", "people.connections.list", bytes),
            Some("GSUITE_ADMIN") => ("GSUITE_ADMIN", "admin", "directory.users.list", bytes),
            _ => ("IDENTITY", "oauth2", "oauth2.userinfo.get", bytes),
        })
    }

    /// The values of a parameter, without making the whole event.
    fn values(&self, name: &str) -> Vec<Cow<'s, str>> {
        if let Happening::Admin(index) = self.event.what {
            let parameters = &self.state.admin_events[index as usize].parameters;
            let found = parameters.iter().filter(|(known, _)| known == name);
            return found.map(|(_, value)| Cow::from(value)).collect();
        }
        let (app, call) = (self.app(), self.call());
        let one = match name {
            "client_id" => app.map(|app| Cow::from(&app.client_id)),
            "app_name" => app.map(|app| Cow::from(&app.facts.name)),
            "client_type" => app.map(|app| Cow::from(&app.client_type)),
            "product_bucket" => call.map(|(bucket, ..)| Cow::from(bucket)),
            "api_name" => call.map(|(_, api, ..)| Cow::from(api)),
            "method_name" => call.map(|(_, _, method, _)| Cow::from(method)),
            "num_response_bytes" => call.map(|(.., bytes)| Cow::from(bytes.to_string())),
            "rejection_type" => self.rejection().map(Cow::from),
            "scope" if call.is_none() => {
                return self.scopes().iter().map(Cow::from).collect();
            }
            _ => None,
        };
        one.into_iter().collect()
    }

    fn rejection(&self) -> Option<&'s str> {
        match self.event.what {
            Happening::Denied(index) => Some(&self.state.denied[index as usize].reason),
            _ => None,
        }
    }

    fn parameters(&self) -> Vec<Json> {
        if let Happening::Admin(index) = self.event.what {
            let parameters = &self.state.admin_events[index as usize].parameters;
            let shown =
                parameters.iter().map(|(name, value)| json!({ "name": name, "value": value }));
            return shown.collect();
        }
        let mut parameters = Vec::new();
        let names = ["client_id", "app_name", "client_type"];
        for (name, value) in names
            .iter()
            .flat_map(|name| self.values(name).into_iter().map(move |value| (*name, value)))
        {
            parameters.push(json!({ "name": name, "value": value }));
        }
        if let Some((bucket, api, method, bytes)) = self.call() {
            parameters.extend([
                json!({ "name": "api_name", "value": api }),
                json!({ "name": "method_name", "value": method }),
                json!({ "name": "num_response_bytes", "intValue": bytes.to_string() }),
                json!({ "name": "product_bucket", "value": bucket }),
            ]);
            return parameters;
        }
        let data: Vec<Json> = self
            .scopes()
            .iter()
            .map(|scope| {
                json!({ "parameter": [
                    { "name": "scope_name", "value": scope },
                    { "name": "product_bucket", "multiValue": [bucket(scope)] },
                ] })
            })
            .collect();
        parameters.push(json!({ "name": "scope_data", "multiMessageValue": data }));
        parameters.push(json!({ "name": "scope", "multiValue": self.scopes() }));
        if let Some(reason) = self.rejection() {
            parameters.push(json!({ "name": "rejection_type", "value": reason }));
        }
        parameters
    }

    fn json(&self, application: &str) -> Json {
        let actor = match self.actor() {
            Some(user) => {
                let user = &self.state.users[user];
                json!({ "callerType": "USER", "email": user.facts.email, "profileId": user.id })
            }
            None => json!({ "callerType": "USER", "profileId": PLACEHOLDER }),
        };
        json!({
            "kind": "admin#reports#activity",
            "etag": format!("\"lab/{}\"", self.event.qualifier()),
            "id": {
                "time": rfc3339(self.event.at),
                "uniqueQualifier": self.event.qualifier().to_string(),
                "applicationName": application,
                "customerId": self.state.customer_id,
            },
            "actor": actor,
            "ownerDomain": self.state.domain,
            "ipAddress": self.address(),
            "events": [{
                "type": self.kind(),
                "name": self.name(),
                "parameters": self.parameters(),
            }],
        })
    }
}

/// The product that a scope belongs to.
fn bucket(scope: &str) -> &'static str {
    let name = scope.rsplit_once("/auth/").map_or(scope, |(_, name)| name);
    let first = name.split(['.', '/']).next().unwrap_or_default();
    match first {
        "gmail" => "GMAIL",
        "drive" | "documents" | "spreadsheets" | "presentations" => "DRIVE",
        "calendar" => "CALENDAR",
        "contacts" => "CONTACTS",
        "admin" => "GSUITE_ADMIN",
        "tasks" => "TASKS",
        "openid" | "email" | "profile" | "userinfo" => "IDENTITY",
        _ if scope == "https://mail.google.com/" => "GMAIL",
        _ if scope == "https://www.google.com/m8/feeds" => "CONTACTS",
        _ => "OTHER",
    }
}

/// The window of time that a listing covers.
fn window(request: &Request, now: i64) -> Result<(i64, i64), Refusal> {
    let time = |name: &str| {
        let Some(text) = request.param(name) else { return Ok(None) };
        let time: Timestamp = text
            .parse()
            .map_err(|_| Refusal::parameter(name, format!("Invalid value for {name}: {text}")))?;
        Ok(Some(time))
    };
    let (start, end) = (time("startTime")?, time("endTime")?);
    let from =
        start.map_or(i64::MIN, |time| time.as_second() + i64::from(time.subsec_nanosecond() > 0));
    let to = end.map_or(now, Timestamp::as_second);
    if from > to || from > now {
        return Err(Refusal::invalid("Invalid request: Start time is after end time."));
    }
    Ok((from.max(now - LOG_SECONDS), to))
}

impl Core {
    /// `GET …/activity/users/{userKey}/applications/{applicationName}`.
    pub(super) fn list_activities(
        &self,
        state: &State,
        caller: &Caller,
        (key, application): (&str, &str),
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(
            request,
            &[
                "eventName",
                "filters",
                "startTime",
                "endTime",
                "maxResults",
                "pageToken",
                "actorIpAddress",
                "orgUnitID",
                "customerId",
            ],
        )?;
        if let Some(customer) = request.param("customerId") {
            self.own_customer(state, caller, customer)?;
        }
        let log = match application {
            "token" => &state.token_log,
            "admin" => &state.admin_log,
            other if OTHER_LOGS.contains(&other) => {
                let message = format!("the lab keeps no log of {other}");
                return Err(Refusal::new(501, "notImplemented", message));
            }
            other => {
                let message =
                    format!("Invalid value at 'applicationName' (TYPE_ENUM), \"{other}\"");
                return Err(Refusal::invalid(message));
            }
        };
        let name = request.param("eventName");
        let known = |name: &str| match application {
            "token" => TOKEN_EVENTS.contains(&name),
            _ => ADMIN_EVENTS.contains(&name),
        };
        if let Some(name) = name.filter(|name| !known(name)) {
            return Err(Refusal::invalid(format!("Invalid request: no event is called {name}")));
        }
        let filters = Filter::parse(request.param("filters"))?;
        let now = self.now() - state.behaviour.event_lag_seconds;
        let (from, to) = window(request, self.now())?;
        let size = number(request, "maxResults", 1..=1_000, 1_000)?;
        let size = size.min(state.behaviour.activities_page).max(1);
        let actor = if key == "all" { None } else { Some(live_user(state, key)?) };
        let address = request.param("actorIpAddress");
        let unit = match request.param("orgUnitID").filter(|unit| !unit.is_empty()) {
            None => None,
            Some(unit) => Some(unit.strip_prefix("id:").ok_or_else(|| {
                Refusal::parameter("orgUnitID", format!("Invalid value for orgUnitID: {unit}"))
            })?),
        };
        let before = self.pages.position(request, self.page_rules(state))?;

        let wanted = |entry: &Entry<'_>| {
            let in_unit = |unit: &str| {
                entry
                    .actor()
                    .is_some_and(|user| org_unit_id(&state.users[user].facts.org_unit) == unit)
            };
            name.is_none_or(|name| entry.name() == name)
                && actor.is_none_or(|user| entry.actor() == Some(user))
                && address.is_none_or(|address| entry.address() == address)
                && unit.is_none_or(in_unit)
                && filters.iter().all(|filter| filter.holds(&entry.values(&filter.name)))
        };
        let mut found = log
            .newest_first(from, to.min(now), before)
            .map(|event| Entry { state, event })
            .filter(wanted);
        let page: Vec<Entry<'_>> = found.by_ref().take(size).collect();
        let mut body = json!({ "kind": "admin#reports#activities", "etag": "\"lab/activities\"" });
        if found.next().is_some()
            && let Some(last) = page.last()
        {
            let now = self.clock.wall().as_second();
            body["nextPageToken"] = json!(self.pages.issue(request, last.event.order(), now));
        }
        if !page.is_empty() {
            body["items"] = page.iter().map(|entry| entry.json(application)).collect();
        }
        finish(request, body, ACTIVITY_FIELDS)
    }
}
