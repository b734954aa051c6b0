//! Event log files: the `ApiTotalUsage` CSV of one day, made from the world's API calls.

use super::id::Id;
use super::state::{AppKind, State, day_of, prefix};
use super::value::datetime_zulu;

/// The one event type that the lab logs, free of charge on the real platform too.
pub(crate) const EVENT_TYPE: &str = "ApiTotalUsage";

/// Column names, in the order of the file.
pub(crate) const COLUMNS: [&str; 20] = [
    "EVENT_TYPE",
    "TIMESTAMP",
    "REQUEST_ID",
    "ORGANIZATION_ID",
    "USER_ID",
    "USER_NAME",
    "API_FAMILY",
    "API_VERSION",
    "API_RESOURCE",
    "CLIENT_NAME",
    "HTTP_METHOD",
    "CLIENT_IP",
    "COUNTS_AGAINST_API_LIMIT",
    "CONNECTED_APP_ID",
    "CONNECTED_APP_NAME",
    "ENTITY_NAME",
    "STATUS_CODE",
    "API_CLIENT_CATEGORY",
    "TIMESTAMP_DERIVED",
    "USER_ID_DERIVED",
];

/// Column types, in the same order.
pub(crate) const TYPES: [&str; 20] = [
    "String", "DateTime", "Id", "Id", "Id", "String", "String", "String", "String", "String",
    "String", "IP", "Boolean", "Id", "String", "String", "Number", "String", "DateTime", "Id",
];

/// The file of one day.
pub(crate) fn csv(state: &State, day: i64) -> String {
    let mut file = String::new();
    push_row(&mut file, COLUMNS);
    let calls = state.usage.iter().enumerate().filter(|(_, call)| day_of(call.at) == day);
    for (serial, call) in calls {
        let story = &call.story;
        let user = state.id(prefix::USER, call.user);
        let app = &state.apps[call.app];
        let app_id = match app.kind {
            AppKind::Connected(_) | AppKind::External(_) => state.app_id(call.app),
            AppKind::Uninstalled => None,
        };
        let compact = datetime_zulu(call.at).replace(['-', ':', 'T'], "").replace('Z', "");
        push_row(
            &mut file,
            [
                EVENT_TYPE,
                &compact,
                &format!("TID:{serial:032x}"),
                &state.org_id().short(),
                &user.short(),
                &state.users[call.user].facts.username,
                &story.family,
                &story.version,
                &story.resource,
                &story.agent,
                &story.method,
                &story.ip,
                "1",
                &app_id.map(Id::short).unwrap_or_default(),
                &app.label,
                &story.entity,
                &story.status.to_string(),
                "EXTERNAL_APPLICATION",
                &datetime_zulu(call.at),
                &user.to_string(),
            ],
        );
    }
    file
}

fn push_row<'a>(file: &mut String, cells: impl IntoIterator<Item = &'a str>) {
    let quoted = cells.into_iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
    file.push_str(&quoted.collect::<Vec<_>>().join(","));
    file.push('\n');
}
