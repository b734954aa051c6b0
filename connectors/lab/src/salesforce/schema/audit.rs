//! What happened: logins, event log files, the setup audit trail.

use std::ops::Range;

use super::{
    Access, Entity, Relation, Sorted, View, entity, id, int, people, reference, text, time,
};
use crate::salesforce::events;
use crate::salesforce::permission::Permission::{
    ManageUsers, MonitorLoginHistory, ViewAllData, ViewEventLogFiles, ViewSetup,
    ViewSetupAuditTrail,
};
use crate::salesforce::state::{Audit, Login, prefix};
use crate::salesforce::value::Value;
use crate::salesforce::world::LoginWorld;

fn login(view: View<'_>, row: usize) -> &Login {
    &view.state.logins[row]
}

fn story(view: View<'_>, row: usize) -> &LoginWorld {
    &login(view, row).story
}

/// The places of sorted times that lie within the bounds.
fn within<T>(rows: &[T], time: fn(&T) -> i64, from: i64, to: i64) -> Range<usize> {
    let start = rows.partition_point(|row| time(row) < from);
    start..rows.partition_point(|row| time(row) <= to).max(start)
}

// A query may group by what the client was, but not filter by it.
pub(super) static LOGIN_HISTORY: Entity = Entity {
    access: Access::OwnRowsUnless(&[ManageUsers, MonitorLoginHistory], |view, row| {
        login(view, row).user == view.caller
    }),
    rows: |view| view.state.logins.len(),
    sorted: Some(Sorted {
        column: "LoginTime",
        at: |_, place| place,
        within: |view, from, to| within(&view.state.logins, |login| login.at, from, to),
    }),
    columns: &[&[
        id("Id", |view, row| Value::Id(view.state.id(prefix::LOGIN, row))),
        reference("UserId", |view, row| {
            Value::Id(view.state.id(prefix::USER, login(view, row).user))
        }),
        time("LoginTime", |view, row| Value::Time(login(view, row).at)),
        text("LoginType", |view, row| Value::text(&story(view, row).login_type)),
        text("LoginSubType", |view, row| Value::maybe(story(view, row).login_sub_type.as_deref())),
        text("SourceIp", |view, row| Value::text(&story(view, row).source_ip)),
        text("LoginUrl", |_, _| Value::text("login.salesforce.com")),
        text("CountryIso", |view, row| Value::maybe(story(view, row).country.as_deref())),
        text("TlsProtocol", |_, _| Value::text("TLS 1.3")),
        text("CipherSuite", |_, _| Value::text("TLS_AES_256_GCM_SHA384")),
        text("Application", |view, row| Value::text(&story(view, row).app)).not_filterable(),
        text("Status", |view, row| Value::text(&story(view, row).status)).not_filterable(),
        text("Browser", |view, row| Value::text(&story(view, row).browser)).not_filterable(),
        text("Platform", |view, row| Value::text(&story(view, row).platform)).not_filterable(),
        text("ApiType", |view, row| Value::maybe(story(view, row).api_type.as_deref()))
            .not_filterable(),
        text("ApiVersion", |view, row| Value::maybe(story(view, row).api_version.as_deref()))
            .not_filterable(),
        text("ClientVersion", |view, row| Value::maybe(story(view, row).client_version.as_deref()))
            .not_filterable(),
    ]],
    ..entity("LoginHistory", prefix::LOGIN)
};

fn log_day(view: View<'_>, row: usize) -> i64 {
    view.state.log_days[row]
}

pub(super) static EVENT_LOG_FILE: Entity = Entity {
    access: Access::Needs(&[ViewEventLogFiles, ViewAllData]),
    rows: |view| view.state.log_days.len(),
    columns: &[&[
        id("Id", |view, row| Value::Id(view.state.id(prefix::EVENT_LOG, row))),
        text("EventType", |_, _| Value::text(events::EVENT_TYPE)),
        time("LogDate", |view, row| Value::Time(log_day(view, row))),
        time("CreatedDate", |view, row| Value::Time(log_day(view, row) + 86_400 + 3 * 3_600)),
        text("Interval", |_, _| Value::text("Daily")),
        int("Sequence", |_, _| Value::Int(0)),
        int("LogFileLength", |view, row| {
            Value::int(events::csv(view.state, log_day(view, row)).len())
        }),
        text("LogFileFieldNames", |_, _| Value::owned(events::COLUMNS.join(","))).not_filterable(),
        text("LogFileFieldTypes", |_, _| Value::owned(events::TYPES.join(","))).not_filterable(),
        text("LogFileContentType", |_, _| Value::text("text/csv")),
        text("LogFile", |view, row| {
            let id = view.state.id(prefix::EVENT_LOG, row);
            Value::owned(format!("/services/data/v67.0/sobjects/EventLogFile/{id}/LogFile"))
        })
        .not_filterable()
        .not_sortable()
        .not_groupable(),
    ]],
    ..entity("EventLogFile", prefix::EVENT_LOG)
};

fn audit(view: View<'_>, row: usize) -> &Audit {
    &view.state.audit[row]
}

// The platform knows no aggregate here but COUNT().
pub(super) static SETUP_AUDIT_TRAIL: Entity = Entity {
    access: Access::Needs(&[ViewSetup, ViewSetupAuditTrail]),
    rows: |view| view.state.audit.len(),
    sorted: Some(Sorted {
        column: "CreatedDate",
        at: |_, place| place,
        within: |view, from, to| within(&view.state.audit, |entry| entry.at, from, to),
    }),
    columns: &[&[
        id("Id", |view, row| Value::Id(view.state.id(prefix::AUDIT, row))).not_groupable(),
        text("Action", |view, row| Value::text(&audit(view, row).action)).not_groupable(),
        text("Section", |view, row| Value::maybe(audit(view, row).section.as_deref()))
            .not_filterable()
            .not_groupable(),
        text("Display", |view, row| Value::text(&audit(view, row).display))
            .not_filterable()
            .not_sortable()
            .not_groupable(),
        text("DelegateUser", |view, row| Value::maybe(audit(view, row).delegate.as_deref()))
            .not_groupable(),
        time("CreatedDate", |view, row| Value::Time(audit(view, row).at)),
        reference("CreatedById", |view, row| {
            let user = audit(view, row).user;
            user.map_or(Value::Null, |user| Value::Id(view.state.id(prefix::USER, user)))
        })
        .not_groupable(),
    ]],
    relations: &[Relation {
        name: "CreatedBy",
        to: &people::USER,
        follow: |view, row| audit(view, row).user,
    }],
    ..entity("SetupAuditTrail", prefix::AUDIT)
};
