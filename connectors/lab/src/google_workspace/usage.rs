//! The Reports API's usage reports: all apps of the customer in one call, and a line for each user.
//! They lag, and say so.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value as Json, json};

use super::Core;
use super::auth::Caller;
use super::error::Refusal;
use super::filters::Filter;
use super::params::{finish, number, only};
use super::state::State;
use super::time::{end_of_report_day, report_day};
use super::users::live_user;
use crate::wire::{Reply, Request};

const REPORT_FIELDS: &str = "kind,etag,nextPageToken,warnings(code,message,data(key,value)),\
    usageReports(kind,etag,date,entity(customerId,type,userEmail,profileId,entityId),\
    parameters(name,stringValue,intValue,boolValue,datetimeValue,msgValue))";

/// Applications that a report parameter may belong to.
const APPLICATIONS: [&str; 14] = [
    "accounts",
    "app_maker",
    "apps_scripts",
    "chat",
    "classroom",
    "cros",
    "gmail",
    "calendar",
    "docs",
    "gplus",
    "sites",
    "device_management",
    "drive",
    "meet",
];

/// What a report day has for the caller.
enum Day {
    /// Data, as it was before this second.
    Told { date: Date, end: i64 },
    /// A warning instead of data.
    Late(Date),
}

/// The report day of a path, if it has come.
fn day(state: &State, text: &str, now: i64) -> Result<Day, Refusal> {
    let date: Date = Some(text)
        .filter(|text| text.len() == 10)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Refusal::invalid(format!("Invalid date format: {text}")))?;
    let latest = report_day(now).saturating_sub(state.behaviour.report_lag_days.days());
    if date > latest {
        let message = format!(
            "Data for dates later than {latest} is not yet available. Please check back later"
        );
        return Err(Refusal::new(400, "invalid", message));
    }
    if date > latest.saturating_sub(state.behaviour.report_empty_days.days()) {
        return Ok(Day::Late(date));
    }
    Ok(Day::Told { date, end: end_of_report_day(date) })
}

/// A report without data, and why.
fn late(date: Date) -> Json {
    json!({
        "kind": "admin#reports#usageReports",
        "etag": "\"lab/usage\"",
        "warnings": [{
            "code": "200",
            "message": format!("Data for date {date} for application \"accounts\" is not available right now, please try again after a few hours."),
            "data": [
                { "key": "date", "value": date.to_string() },
                { "key": "application", "value": "accounts" },
            ],
        }],
    })
}

/// The parameters asked for; `None` for all. Names that no report has are ignored, as documented.
fn asked(request: &Request) -> Result<Option<Vec<&str>>, Refusal> {
    let Some(text) = request.param("parameters") else { return Ok(None) };
    let names: Vec<&str> = text.split(',').collect();
    let valid = |name: &&str| {
        name.split_once(':')
            .is_some_and(|(app, rest)| APPLICATIONS.contains(&app) && !rest.is_empty())
    };
    match names.iter().find(|name| !valid(name)) {
        Some(name) => {
            Err(Refusal::parameter("parameters", format!("Invalid report parameter: {name}")))
        }
        None => Ok(Some(names)),
    }
}

fn only_asked(asked: Option<&[&str]>, parameters: Vec<Json>) -> Vec<Json> {
    let wanted = |parameter: &Json| {
        let name = parameter["name"].as_str().unwrap_or_default();
        asked.is_none_or(|names| names.contains(&name))
    };
    parameters.into_iter().filter(wanted).collect()
}

impl Core {
    /// `GET …/usage/dates/{date}`.
    pub(super) fn customer_usage(
        &self,
        state: &State,
        caller: &Caller,
        date: &str,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &["parameters", "customerId", "pageToken"])?;
        if let Some(customer) = request.param("customerId") {
            self.own_customer(state, caller, customer)?;
        }
        let asked = asked(request)?;
        // The report has one page, so no token is ever given.
        self.pages.position(request, self.page_rules(state))?;
        let (date, end) = match day(state, date, self.now())? {
            Day::Late(date) => return finish(request, late(date), REPORT_FIELDS),
            Day::Told { date, end } => (date, end),
        };
        let mut users = vec![0_u64; state.apps.len()];
        for grant in state.grants.all() {
            let deleted = state.users[grant.user as usize].deleted;
            if grant.live_at(end - 1) && deleted.is_none_or(|at| at >= end) {
                users[grant.app as usize] += 1;
            }
        }
        let count = |number: u64| match state.behaviour.counts_as_strings {
            true => json!(number.to_string()),
            false => json!(number),
        };
        let apps: Vec<Json> = state
            .apps
            .iter()
            .zip(users)
            .filter(|(_, users)| *users > 0)
            .map(|(app, users)| {
                json!({
                    "client_name": app.facts.name,
                    "num_users": count(users),
                    "client_id": app.client_id,
                })
            })
            .collect();
        let present = state
            .users
            .iter()
            .filter(|user| user.created < end && user.deleted.is_none_or(|at| at >= end));
        let parameters = vec![
            json!({ "name": "accounts:num_users", "intValue": present.count().to_string() }),
            json!({ "name": "accounts:authorized_apps", "msgValue": apps }),
        ];
        let body = json!({
            "kind": "admin#reports#usageReports",
            "etag": "\"lab/usage\"",
            "usageReports": [{
                "kind": "admin#reports#usageReport",
                "etag": "\"lab/usage\"",
                "date": date.to_string(),
                "entity": { "type": "CUSTOMER", "customerId": state.customer_id },
                "parameters": only_asked(asked.as_deref(), parameters),
            }],
        });
        finish(request, body, REPORT_FIELDS)
    }

    /// `GET …/usage/users/{userKey}/dates/{date}`.
    pub(super) fn user_usage(
        &self,
        state: &State,
        caller: &Caller,
        (key, date): (&str, &str),
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &["parameters", "filters", "customerId", "pageToken", "maxResults"])?;
        if let Some(customer) = request.param("customerId") {
            self.own_customer(state, caller, customer)?;
        }
        let asked = asked(request)?;
        let filters = Filter::parse(request.param("filters"))?;
        let size = number(request, "maxResults", 1..=1_000, 1_000)?;
        let size = size.min(state.behaviour.usage_page).max(1);
        let only_user = if key == "all" { None } else { Some(live_user(state, key)?) };
        let start = self.pages.position(request, self.page_rules(state))?.map_or(0, |(at, _)| at);
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let (date, end) = match day(state, date, self.now())? {
            Day::Late(date) => return finish(request, late(date), REPORT_FIELDS),
            Day::Told { date, end } => (date, end),
        };
        let mut lines = state
            .by_email
            .iter()
            .enumerate()
            .skip(start)
            .map(|(place, user)| (place, *user as usize))
            .filter(|(_, user)| only_user.is_none_or(|only| only == *user))
            .filter(|(_, user)| state.users[*user].deleted.is_none())
            .map(|(place, user)| (place, user, Line::of(state, user, end)))
            .filter(|(_, _, line)| filters.iter().all(|filter| line.holds(filter)));
        let page: Vec<Json> = lines
            .by_ref()
            .take(size)
            .map(|(_, user, line)| {
                json!({
                    "kind": "admin#reports#usageReport",
                    "etag": "\"lab/usage\"",
                    "date": date.to_string(),
                    "entity": {
                        "type": "USER",
                        "customerId": state.customer_id,
                        "userEmail": state.users[user].facts.email,
                        "profileId": state.users[user].id,
                    },
                    "parameters": only_asked(asked.as_deref(), line.parameters()),
                })
            })
            .collect();
        let mut body = json!({ "kind": "admin#reports#usageReports", "etag": "\"lab/usage\"" });
        if !page.is_empty() {
            body["usageReports"] = json!(page);
        }
        if let Some((next, _, _)) = lines.next() {
            let next = i64::try_from(next).unwrap_or(i64::MAX);
            let now = self.clock.wall().as_second();
            body["nextPageToken"] = json!(self.pages.issue(request, (next, 0), now));
        }
        finish(request, body, REPORT_FIELDS)
    }
}

/// What a user report tells of one user.
struct Line {
    apps: usize,
    enrolled: bool,
    suspended: bool,
}

impl Line {
    fn of(state: &State, user: usize, end: i64) -> Self {
        Self {
            apps: state.grants.count_at(user, end - 1),
            enrolled: state.users[user].facts.enrolled_in_2sv,
            suspended: state.users[user].suspended,
        }
    }

    fn parameters(&self) -> Vec<Json> {
        vec![
            json!({ "name": "accounts:num_authorized_apps", "intValue": self.apps.to_string() }),
            json!({ "name": "accounts:is_2sv_enrolled", "boolValue": self.enrolled }),
            json!({ "name": "accounts:is_suspended", "boolValue": self.suspended }),
        ]
    }

    fn holds(&self, filter: &Filter) -> bool {
        match filter.name.as_str() {
            "accounts:num_authorized_apps" => filter.holds(&[self.apps.to_string()]),
            "accounts:is_2sv_enrolled" => filter.holds(&[self.enrolled.to_string()]),
            "accounts:is_suspended" => filter.holds(&[self.suspended.to_string()]),
            _ => false,
        }
    }
}
