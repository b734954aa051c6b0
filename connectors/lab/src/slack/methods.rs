//! The methods of the Web API that the lab serves: tier, scope, who may call, whether a JSON body is
//! read, and the arguments. Facts from the platform's method pages; it checks nothing itself.

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Any live token.
    Token,
    /// A user token of an admin.
    LocalAdmin,
    /// A user token of an Admin of the organisation, in a plan that has the admin API.
    OrgAdmin,
    /// The same, and the app is installed on the organisation.
    AppManager,
}

/// One method.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) name: &'static str,
    /// Calls a minute.
    pub(crate) per_minute: u32,
    pub(crate) scope: Option<&'static str>,
    pub(crate) needs: Needs,
    /// It changes something, so only POST is taken.
    pub(crate) writes: bool,
    /// A JSON body is read.
    pub(crate) json: bool,
    pub(crate) arguments: &'static [&'static str],
}

const T1: u32 = 1;
const T2: u32 = 20;
const T3: u32 = 50;
const T4: u32 = 100;
/// "Hundreds per minute".
const T5: u32 = 300;

const READ: Method = Method {
    name: "",
    per_minute: T2,
    scope: Some("admin.apps:read"),
    needs: Needs::AppManager,
    writes: false,
    json: false,
    arguments: &[],
};
const WRITE: Method = Method {
    scope: Some("admin.apps:write"),
    writes: true,
    json: true,
    arguments: &["app_id", "enterprise_id", "request_id", "team_id"],
    ..READ
};
const PLACED: &[&str] = &["certified", "cursor", "enterprise_id", "limit", "team_id"];

/// Every method that the lab serves.
pub(crate) const METHODS: [Method; 22] = [
    Method { name: "auth.test", per_minute: T5, scope: None, needs: Needs::Token, ..READ },
    Method {
        name: "auth.revoke",
        per_minute: T3,
        scope: None,
        needs: Needs::Token,
        arguments: &["test"],
        ..READ
    },
    Method {
        name: "auth.teams.list",
        scope: None,
        needs: Needs::Token,
        arguments: &["cursor", "include_icon", "limit"],
        ..READ
    },
    Method { name: "admin.apps.approved.list", arguments: PLACED, ..READ },
    Method { name: "admin.apps.restricted.list", arguments: PLACED, ..READ },
    Method { name: "admin.apps.requests.list", arguments: PLACED, ..READ },
    Method {
        name: "admin.apps.activities.list",
        per_minute: T3,
        scope: Some("admin.app_activities:read"),
        arguments: &[
            "app_id",
            "component_id",
            "component_type",
            "cursor",
            "limit",
            "log_event_type",
            "max_date_created",
            "min_date_created",
            "min_log_level",
            "sort_direction",
            "source",
            "team_id",
            "trace_id",
        ],
        ..READ
    },
    Method { name: "admin.apps.config.lookup", json: true, arguments: &["app_ids"], ..READ },
    Method {
        name: "admin.apps.permissions.list",
        per_minute: T3,
        json: true,
        arguments: &["app_id"],
        ..READ
    },
    Method {
        name: "admin.apps.mcp.servers.list",
        per_minute: T3,
        json: true,
        arguments: &["cursor", "limit"],
        ..READ
    },
    Method {
        name: "admin.teams.list",
        per_minute: T3,
        scope: Some("admin.teams:read"),
        needs: Needs::OrgAdmin,
        json: true,
        arguments: &["cursor", "limit"],
        ..READ
    },
    Method {
        name: "admin.users.list",
        per_minute: T4,
        scope: Some("admin.users:read"),
        needs: Needs::OrgAdmin,
        json: true,
        arguments: &[
            "cursor",
            "include_deactivated_user_workspaces",
            "is_active",
            "limit",
            "only_guests",
            "team_id",
        ],
        ..READ
    },
    Method {
        name: "users.list",
        scope: Some("users:read"),
        needs: Needs::Token,
        arguments: &["cursor", "include_locale", "limit", "team_id"],
        ..READ
    },
    Method {
        name: "users.info",
        per_minute: T4,
        scope: Some("users:read"),
        needs: Needs::Token,
        arguments: &["include_locale", "user"],
        ..READ
    },
    Method {
        name: "team.info",
        per_minute: T3,
        scope: Some("team:read"),
        needs: Needs::Token,
        arguments: &["team"],
        ..READ
    },
    Method {
        name: "team.integrationLogs",
        scope: Some("admin"),
        needs: Needs::LocalAdmin,
        arguments: &["app_id", "change_type", "count", "page", "service_id", "team_id", "user"],
        ..READ
    },
    Method { name: "admin.apps.approve", ..WRITE },
    Method { name: "admin.apps.restrict", ..WRITE },
    Method {
        name: "admin.apps.clearResolution",
        arguments: &["app_id", "enterprise_id", "team_id"],
        ..WRITE
    },
    Method {
        name: "admin.apps.requests.cancel",
        arguments: &["enterprise_id", "request_id", "team_id"],
        ..WRITE
    },
    Method {
        name: "admin.apps.uninstall",
        per_minute: T1,
        arguments: &["app_id", "enterprise_id", "team_ids"],
        ..WRITE
    },
    Method {
        name: "admin.users.session.reset",
        scope: Some("admin.users:write"),
        needs: Needs::OrgAdmin,
        arguments: &["mobile_only", "user_id", "web_only"],
        ..WRITE
    },
];

/// The method of this name.
pub(crate) fn find(name: &str) -> Option<&'static Method> {
    static ALL: &[Method] = &METHODS;
    ALL.iter().find(|method| method.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_there_once_and_sorted_arguments_have_no_doubles() {
        for (number, method) in METHODS.iter().enumerate() {
            assert!(METHODS[..number].iter().all(|other| other.name != method.name));
            assert!(method.arguments.is_sorted(), "{}", method.name);
        }
        assert!(find("admin.apps.uninstall").is_some_and(|method| method.per_minute == 1));
        assert!(find("chat.postMessage").is_none());
    }
}
