//! The Chrome Management API's `reports.countInstalledApps`: extensions and apps with the number of
//! browsers that have them.

use serde_json::{Value as Json, json};

use super::Core;
use super::auth::Caller;
use super::error::Refusal;
use super::params::{finish, number, only};
use super::state::State;
use super::world::ChromeExtension;
use crate::wire::{Reply, Request};

const APP_FIELDS: &str = "totalSize,nextPageToken,installedApps(appId,appType,displayName,\
    description,homepageUri,appInstallType,appSource,disabled,permissions,browserDeviceCount,\
    osUserCount,profileCount,riskAssessment)";

fn app_json(app: &ChromeExtension) -> Json {
    let mut body = json!({
        "appId": app.id,
        "appType": app.kind,
        "displayName": app.name,
        "appInstallType": app.install_type,
        "appSource": app.source,
        "browserDeviceCount": app.browsers.to_string(),
        "osUserCount": app.os_users.to_string(),
        "profileCount": app.profiles.to_string(),
    });
    if app.disabled {
        body["disabled"] = json!(true);
    }
    if !app.permissions.is_empty() {
        body["permissions"] = json!(app.permissions);
    }
    body
}

impl Core {
    /// `GET /v1/customers/{customer}/reports:countInstalledApps`.
    pub(super) fn count_installed_apps(
        &self,
        state: &State,
        caller: &Caller,
        customer: &str,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        // `filter` and `orgUnitId` would change the counts, so they are refused, not ignored.
        only(request, &["pageSize", "pageToken", "orderBy"])?;
        self.own_customer(state, caller, customer)?;
        let size = number(request, "pageSize", 1..=100, 100)?;
        let size = size.min(state.behaviour.chrome_page).max(1);
        let mut apps: Vec<&ChromeExtension> = state.extensions.iter().collect();
        match request.param("orderBy") {
            None | Some("total_install_count desc") => {
                apps.sort_by_key(|app| std::cmp::Reverse(app.browsers + app.os_users));
            }
            Some("app_name") => apps.sort_by_key(|app| &app.name),
            Some("app_id") => apps.sort_by_key(|app| &app.id),
            Some("number_of_permissions desc") => {
                apps.sort_by_key(|app| std::cmp::Reverse(app.permissions.len()));
            }
            Some(other) => {
                return Err(Refusal::invalid(format!("Invalid value for order_by: {other}")));
            }
        }
        let start = self.pages.position(request, self.page_rules(state))?.map_or(0, |(at, _)| at);
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let page: Vec<Json> = apps.iter().skip(start).take(size).map(|app| app_json(app)).collect();
        let mut body = json!({ "totalSize": apps.len() });
        let next = start.saturating_add(size);
        if next < apps.len() {
            let now = self.clock.wall().as_second();
            let next = i64::try_from(next).unwrap_or(i64::MAX);
            body["nextPageToken"] = json!(self.pages.issue(request, (next, 0), now));
        }
        if !page.is_empty() {
            body["installedApps"] = json!(page);
        }
        finish(request, body, APP_FIELDS)
    }
}
