//! Wire types, in Google's own words. Every field may be missing. Rows of a list stay raw until they are read one by one, so that one
//! odd row does not cost the page.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

/// A page of `users.list`.
#[derive(Debug, Deserialize)]
pub(crate) struct UsersPage {
    /// Proves that a page without users is that page.
    #[serde(default)]
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) users: Vec<Value>,
}

/// A user: <https://developers.google.com/workspace/admin/directory/reference/rest/v1/users>
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) primary_email: Option<String>,
    pub(crate) suspended: Option<bool>,
    pub(crate) archived: Option<bool>,
    pub(crate) is_admin: Option<bool>,
    pub(crate) is_delegated_admin: Option<bool>,
    #[serde(rename = "isEnrolledIn2Sv")]
    pub(crate) is_enrolled_in_2sv: Option<bool>,
    pub(crate) last_login_time: Option<String>,
    pub(crate) creation_time: Option<String>,
    pub(crate) customer_id: Option<String>,
}

/// A list that is not paged: `tokens.list`, `asps.list`.
#[derive(Debug, Deserialize)]
pub(crate) struct Items {
    /// Proves that a list without items is that list.
    #[serde(default)]
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) items: Option<Vec<Value>>,
}

/// A grant: <https://developers.google.com/workspace/admin/directory/reference/rest/v1/tokens>
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Token {
    pub(crate) client_id: String,
    pub(crate) display_text: Option<String>,
    /// Missing: false (API sheet).
    #[serde(default)]
    pub(crate) anonymous: bool,
    /// Missing: false (API sheet).
    #[serde(default)]
    pub(crate) native_app: bool,
    pub(crate) scopes: Option<Vec<String>>,
}

/// An app password: <https://developers.google.com/workspace/admin/directory/reference/rest/v1/asps>
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Asp {
    pub(crate) code_id: Number,
    pub(crate) name: Option<String>,
    pub(crate) creation_time: Option<Number>,
    pub(crate) last_time_used: Option<Number>,
}

/// A number that is written as a number or as a text.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Number {
    Plain(i64),
    Text(String),
}

impl Number {
    pub(crate) fn value(&self) -> Option<i64> {
        match self {
            Self::Plain(value) => Some(*value),
            Self::Text(text) => text.trim().parse().ok(),
        }
    }
}

/// A page of `customerUsageReports.get`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UsagePage {
    /// "No data for this day yet" and the like.
    #[serde(default)]
    pub(crate) warnings: Vec<Value>,
    #[serde(default)]
    pub(crate) usage_reports: Vec<UsageReport>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct UsageReport {
    #[serde(default)]
    pub(crate) parameters: Vec<UsageParameter>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UsageParameter {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) msg_value: Vec<Value>,
}

/// One app in `accounts:authorized_apps`.
#[derive(Debug, Deserialize)]
pub(crate) struct AuthorizedApp {
    pub(crate) client_name: Option<String>,
    pub(crate) num_users: Option<Number>,
    pub(crate) client_id: Option<String>,
}

/// A page of `activities.list`.
#[derive(Debug, Deserialize)]
pub(crate) struct ActivitiesPage {
    /// Proves that a page without entries is that page.
    #[serde(default)]
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) items: Vec<Value>,
}

/// An entry of an audit log: <https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Activity {
    pub(crate) id: ActivityId,
    #[serde(default)]
    pub(crate) actor: ActivityActor,
    pub(crate) ip_address: Option<String>,
    #[serde(default)]
    pub(crate) events: Vec<Event>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActivityId {
    pub(crate) time: String,
    pub(crate) unique_qualifier: Option<Number>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActivityActor {
    pub(crate) email: Option<String>,
    pub(crate) profile_id: Option<String>,
}

impl ActivityActor {
    /// The id that stands for "nobody in particular" (API sheet).
    const PLACEHOLDER: &'static str = "105250506097979753968";

    /// The id of the user, if the entry names one.
    pub(crate) fn id(&self) -> Option<&str> {
        self.profile_id.as_deref().filter(|id| !id.is_empty() && *id != Self::PLACEHOLDER)
    }

    /// The user by address or, where there is none, by id.
    pub(crate) fn anybody(&self) -> Option<&str> {
        self.email().or(self.id())
    }

    /// The sign-in name of the user, if the entry names one.
    pub(crate) fn email(&self) -> Option<&str> {
        self.email.as_deref().filter(|email| !email.is_empty())
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) parameters: Vec<Parameter>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Parameter {
    #[serde(default)]
    name: String,
    value: Option<String>,
    #[serde(default)]
    multi_value: Vec<String>,
}

impl Parameter {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Event {
    /// A parameter's text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let parameter = self.parameters.iter().find(|parameter| parameter.name == name)?;
        let text = parameter.value.as_deref().or(parameter.multi_value.first().map(String::as_str));
        text.filter(|text| !text.is_empty())
    }

    /// A parameter's texts: several values, or one that holds several.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let named = self.parameters.iter().filter(|parameter| parameter.name == name);
        named
            .flat_map(|parameter| parameter.value.iter().chain(&parameter.multi_value))
            .flat_map(|text| split_scopes(text))
            .collect()
    }
}

/// Scopes as people and logs write them into one text: separated by commas, spaces or lines, in brackets or quotes.
pub(crate) fn split_scopes(text: &str) -> Vec<String> {
    let is_separator =
        |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '[' | ']' | '"' | '|');
    let mut scopes: Vec<String> =
        text.split(is_separator).filter(|scope| !scope.is_empty()).map(ToOwned::to_owned).collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

/// A page of `policies.list`. May be empty although there is a next one.
#[derive(Debug, Deserialize)]
pub(crate) struct PoliciesPage {
    #[serde(default)]
    pub(crate) policies: Vec<Value>,
}

/// A setting: <https://cloud.google.com/identity/docs/reference/rest/v1/policies>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Policy {
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) policy_query: PolicyQuery,
    pub(crate) setting: PolicySetting,
}

#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PolicyQuery {
    /// A condition on users, such as their licence.
    pub(crate) query: Option<String>,
    pub(crate) org_unit: Option<String>,
    pub(crate) group: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct PolicySetting {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) value: HashMap<String, Value>,
}

/// A page of `countInstalledApps`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstalledAppsPage {
    #[serde(default)]
    pub(crate) installed_apps: Vec<Value>,
}

/// An app or extension: <https://developers.google.com/chrome/management/reference/rest/v1/customers.reports/countInstalledApps>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstalledApp {
    pub(crate) app_id: String,
    pub(crate) app_type: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) app_install_type: Option<String>,
    pub(crate) app_source: Option<String>,
    pub(crate) disabled: Option<bool>,
    pub(crate) permissions: Option<Vec<String>>,
    pub(crate) browser_device_count: Option<Number>,
    pub(crate) os_user_count: Option<Number>,
    pub(crate) profile_count: Option<Number>,
}
