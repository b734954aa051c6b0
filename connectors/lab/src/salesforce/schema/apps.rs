//! Apps and their policies: connected apps, external client apps, the app menu.

use super::{
    Access, Api, Column, Entity, Relation, View, entity, flag, id, int, people, reference, text,
    time,
};
use crate::salesforce::permission::Permission::{
    self, CustomizeApplication, ExternalClientAppAdmin, ExternalClientAppViewer,
};
use crate::salesforce::scopes::scope_columns;
use crate::salesforce::state::{ConnectedApp, ExternalApp, prefix};
use crate::salesforce::value::Value;
use crate::salesforce::world::IpRange;

fn connected(view: View<'_>, row: usize) -> &ConnectedApp {
    &view.state.connected[row]
}

fn external(view: View<'_>, row: usize) -> &ExternalApp {
    &view.state.external[row]
}

fn external_id(view: View<'_>, row: usize) -> Value<'_> {
    Value::Id(view.state.id(prefix::EXTERNAL_APP, row))
}

fn admin(view: View<'_>) -> Value<'_> {
    Value::Id(view.state.id(prefix::USER, 0))
}

/// A refresh token policy as `ConnectedApplication` flattens it: (counts from last use, period).
fn refresh_policy(policy: &str) -> (bool, Option<i64>) {
    let mut parts = policy.split(':');
    let inactivity = parts.next() == Some("specific_inactivity");
    (inactivity, parts.next().and_then(|count| count.parse().ok()))
}

pub(super) static CONNECTED_APPLICATION: Entity = Entity {
    exists: |_, _| true,
    access: Access::Needs(&[CustomizeApplication]),
    rows: |view| view.state.connected.len(),
    columns: &[&[
        id("Id", |view, row| Value::Id(view.state.id(prefix::CONNECTED_APP, row))),
        text("Name", |view, row| Value::text(&connected(view, row).facts.label)),
        time("CreatedDate", |view, row| Value::Time(connected(view, row).created)),
        time("LastModifiedDate", |view, row| Value::Time(connected(view, row).modified)),
        flag("OptionsAllowAdminApprovedUsersOnly", |view, row| {
            Value::Bool(connected(view, row).facts.admin_approved)
        }),
        flag("OptionsRefreshTokenValidityMetric", |view, row| {
            Value::Bool(refresh_policy(&connected(view, row).facts.refresh_token_policy).0)
        }),
        flag("OptionsHasSessionLevelPolicy", |view, row| {
            Value::Bool(connected(view, row).facts.session_level.is_some())
        }),
        int("RefreshTokenValidityPeriod", |view, row| {
            let period = refresh_policy(&connected(view, row).facts.refresh_token_policy).1;
            period.map_or(Value::Null, Value::Int)
        }),
        text("StartUrl", |view, row| Value::maybe(connected(view, row).facts.start_url.as_deref())),
        text("DeveloperName", |view, row| Value::text(&connected(view, row).name)).tooling_only(),
        text("ContactEmail", |view, row| {
            Value::maybe(connected(view, row).facts.contact_email.as_deref())
        })
        .tooling_only(),
        text("InfoUrl", |view, row| Value::maybe(connected(view, row).facts.info_url.as_deref()))
            .tooling_only(),
        text("Version", |_, _| Value::text("1.0")).tooling_only(),
        flag("OptionsIsInternal", |_, _| Value::Bool(false)).tooling_only(),
        int("SessionTimeout", |view, row| {
            connected(view, row).facts.session_timeout.map_or(Value::Null, Value::int)
        })
        .tooling_only(),
        text("SessionPolicyAction", |view, row| {
            Value::maybe(connected(view, row).facts.blocked.then_some("Block"))
        })
        .tooling_only(),
        reference("ExecutionUserId", |view, row| {
            let username = connected(view, row).facts.client_credentials_user.as_deref();
            username
                .and_then(|username| view.state.user_named(username))
                .map_or(Value::Null, |user| Value::Id(view.state.id(prefix::USER, user)))
        })
        .tooling_only(),
        reference("CreatedById", |view, _| admin(view)).tooling_only(),
    ]],
    ..entity("ConnectedApplication", prefix::CONNECTED_APP)
};

const EXTERNAL_READERS: &[Permission] =
    &[ExternalClientAppViewer, ExternalClientAppAdmin, CustomizeApplication];

fn has_external_apps(view: View<'_>, _: Api) -> bool {
    !view.state.behaviour.without_external_client_apps
}

fn has_external_policies(view: View<'_>, api: Api) -> bool {
    has_external_apps(view, api)
        && (api == Api::Tooling || !view.state.behaviour.policies_tooling_only)
}

static TO_EXTERNAL_CLIENT_APPLICATION: [Relation; 1] = [Relation {
    name: "ExternalClientApplication",
    to: &EXTERNAL_CLIENT_APPLICATION,
    follow: |_, row| Some(row),
}];

const fn external_entity(name: &'static str, prefix: &'static str) -> Entity {
    Entity {
        exists: has_external_policies,
        access: Access::Needs(EXTERNAL_READERS),
        rows: |view| view.state.external.len(),
        relations: &TO_EXTERNAL_CLIENT_APPLICATION,
        ..entity(name, prefix)
    }
}

pub(super) static EXTERNAL_CLIENT_APPLICATION: Entity = Entity {
    exists: has_external_apps,
    columns: &[&[
        id("Id", external_id),
        text("DeveloperName", |view, row| Value::text(&external(view, row).name)),
        text("MasterLabel", |view, row| Value::text(&external(view, row).facts.label)),
        text("NamespacePrefix", |view, row| {
            Value::maybe(external(view, row).facts.package.as_deref())
        }),
        text("DistributionState", |view, row| {
            Value::text(&external(view, row).facts.distribution_state)
        }),
        text("ManagedType", |_, _| Value::Null),
        text("ContactEmail", |view, row| {
            Value::maybe(external(view, row).facts.contact_email.as_deref())
        }),
        text("OrgScopedExternalApp", |view, row| {
            Value::owned(format!("{}:{}", view.state.org_id().short(), external(view, row).name))
        }),
        time("CreatedDate", |view, row| Value::Time(external(view, row).created)),
        time("LastModifiedDate", |view, row| Value::Time(external(view, row).modified)),
    ]],
    relations: &[],
    ..external_entity("ExternalClientApplication", prefix::EXTERNAL_APP)
};

pub(super) static EXTERNAL_POLICY: Entity = Entity {
    columns: &[&[
        id("Id", |view, row| Value::Id(view.state.id(prefix::EXTERNAL_POLICY, row))),
        reference("ExternalClientApplicationId", external_id),
        flag("IsEnabled", |view, row| Value::Bool(external(view, row).facts.enabled)),
        text("OauthPluginStatus", |view, row| {
            Value::text(&external(view, row).facts.oauth_plugin_status)
        }),
    ]],
    ..external_entity("ExtlClntAppPlcyCnfg", prefix::EXTERNAL_POLICY)
};

pub(super) static EXTERNAL_OAUTH_POLICY: Entity = Entity {
    columns: &[&[
        id("Id", |view, row| Value::Id(view.state.id(prefix::EXTERNAL_OAUTH_POLICY, row))),
        reference("ExternalClientApplicationId", external_id),
        text("PermittedUsersPolicyType", |view, row| {
            Value::text(&external(view, row).facts.permitted_users)
        }),
        text("IpRelaxationPolicyType", |view, row| {
            Value::text(&external(view, row).facts.ip_relaxation)
        }),
        text("RefreshTokenPolicyType", |view, row| {
            Value::text(&external(view, row).facts.refresh_token_policy)
        }),
        int("RefreshTokenValidityPeriod", |view, row| {
            external(view, row).facts.refresh_token_validity.map_or(Value::Null, Value::int)
        }),
        text("RefreshTokenValidityUnit", |view, row| {
            Value::maybe(external(view, row).facts.refresh_token_unit.as_deref())
        }),
        flag("IsClientCredentialsFlowEnabled", |view, row| {
            Value::Bool(external(view, row).facts.client_credentials_user.is_some())
        }),
        text("ClientCredentialsFlowUser", |view, row| {
            Value::maybe(external(view, row).facts.client_credentials_user.as_deref())
        }),
        flag("IsTokenExchangeFlowEnabled", |view, row| {
            Value::Bool(external(view, row).facts.token_exchange)
        }),
        text("PolicyAction", |view, row| {
            Value::maybe(external(view, row).facts.policy_action.as_deref())
        }),
        text("RequiredSessionLevel", |view, row| {
            Value::maybe(external(view, row).facts.required_session_level.as_deref())
        }),
        int("SessionTimeoutInMinutes", |view, row| {
            external(view, row).facts.session_timeout_minutes.map_or(Value::Null, Value::int)
        }),
    ]],
    ..external_entity("ExtlClntAppOauthPlcyCnfg", prefix::EXTERNAL_OAUTH_POLICY)
};

const SCOPE_COLUMNS: &[Column] = scope_columns!(|view, row| -> &[String] { scopes_of(view, row) });

fn scopes_of(view: View<'_>, row: usize) -> &[String] {
    &external(view, row).facts.scopes
}

pub(super) static EXTERNAL_OAUTH_SETTINGS: Entity = Entity {
    columns: &[
        &[
            id("Id", |view, row| Value::Id(view.state.id(prefix::EXTERNAL_SETTINGS, row))),
            reference("ExternalClientApplicationId", external_id),
        ],
        SCOPE_COLUMNS,
    ],
    ..external_entity("ExtlClntAppOauthSettings", prefix::EXTERNAL_SETTINGS)
};

/// (app, its nth range) of a row, which counts the ranges of all apps.
fn range(view: View<'_>, row: usize) -> Option<(usize, &IpRange)> {
    let apps = view.state.external.iter().enumerate();
    apps.flat_map(|(app, facts)| facts.facts.ip_ranges.iter().map(move |range| (app, range)))
        .nth(row)
}

pub(super) static EXTERNAL_IP_RANGE: Entity = Entity {
    rows: |view| view.state.external.iter().map(|app| app.facts.ip_ranges.len()).sum(),
    columns: &[&[
        id("Id", |view, row| Value::Id(view.state.id(prefix::EXTERNAL_RANGE, row))),
        reference("ExtlClntAppOauthSettingsId", |view, row| {
            range(view, row).map_or(Value::Null, |(app, _)| {
                Value::Id(view.state.id(prefix::EXTERNAL_SETTINGS, app))
            })
        }),
        text("Description", |view, row| {
            Value::maybe(range(view, row).and_then(|(_, range)| range.description.as_deref()))
        }),
        text("StartIpAddress", |view, row| {
            range(view, row).map_or(Value::Null, |(_, range)| Value::text(&range.start))
        }),
        text("EndIpAddress", |view, row| {
            range(view, row).map_or(Value::Null, |(_, range)| Value::text(&range.end))
        }),
    ]],
    relations: &[Relation {
        name: "ExtlClntAppOauthSettings",
        to: &EXTERNAL_OAUTH_SETTINGS,
        follow: |view, row| range(view, row).map(|(app, _)| app),
    }],
    ..external_entity("ExtlClntAppOauthIpRange", prefix::EXTERNAL_RANGE)
};

/// A row of the app menu: an installed app, or one of the platform's own tab sets.
enum MenuItem<'a> {
    Connected(usize, &'a ConnectedApp),
    External(usize, &'a ExternalApp),
    TabSet(usize, &'static str),
}

const TAB_SETS: &[&str] = &["Sales", "Service"];

fn menu_item(view: View<'_>, row: usize) -> MenuItem<'_> {
    let (connected, external) = (&view.state.connected, &view.state.external);
    if let Some(app) = connected.get(row) {
        return MenuItem::Connected(row, app);
    }
    let rest = row - connected.len();
    match external.get(rest) {
        Some(app) => MenuItem::External(rest, app),
        None => MenuItem::TabSet(rest - external.len(), TAB_SETS[rest - external.len()]),
    }
}

pub(super) static APP_MENU_ITEM: Entity = Entity {
    rows: |view| view.state.connected.len() + view.state.external.len() + TAB_SETS.len(),
    columns: &[&[
        id("Id", |view, row| Value::Id(view.state.id(prefix::MENU_ITEM, row))),
        text("Label", |view, row| match menu_item(view, row) {
            MenuItem::Connected(_, app) => Value::text(&app.facts.label),
            MenuItem::External(_, app) => Value::text(&app.facts.label),
            MenuItem::TabSet(_, name) => Value::text(name),
        }),
        text("Name", |view, row| match menu_item(view, row) {
            MenuItem::Connected(_, app) => Value::text(&app.name),
            MenuItem::External(_, app) => Value::text(&app.name),
            MenuItem::TabSet(_, name) => Value::text(name),
        }),
        reference("ApplicationId", |view, row| {
            Value::Id(match menu_item(view, row) {
                MenuItem::Connected(at, _) => view.state.id(prefix::CONNECTED_APP, at),
                MenuItem::External(at, _) => view.state.id(prefix::EXTERNAL_APP, at),
                MenuItem::TabSet(at, _) => view.state.id(prefix::TAB_SET, at),
            })
        }),
        text("Type", |view, row| match menu_item(view, row) {
            MenuItem::TabSet(..) => Value::text("TabSet"),
            _ => Value::text("ConnectedApplication"),
        }),
        flag("IsUsingAdminAuthorization", |view, row| {
            Value::Bool(match menu_item(view, row) {
                MenuItem::Connected(_, app) => app.facts.admin_approved,
                MenuItem::External(_, app) => {
                    app.facts.permitted_users == "AdminApprovedPreAuthorized"
                }
                MenuItem::TabSet(..) => false,
            })
        }),
        text("NamespacePrefix", |view, row| match menu_item(view, row) {
            MenuItem::Connected(_, app) => Value::maybe(app.facts.package.as_deref()),
            MenuItem::External(_, app) => Value::maybe(app.facts.package.as_deref()),
            MenuItem::TabSet(..) => Value::text("standard"),
        }),
        text("InfoUrl", |view, row| match menu_item(view, row) {
            MenuItem::Connected(_, app) => Value::maybe(app.facts.info_url.as_deref()),
            _ => Value::Null,
        }),
        text("StartUrl", |view, row| match menu_item(view, row) {
            MenuItem::Connected(_, app) => Value::maybe(app.facts.start_url.as_deref()),
            _ => Value::Null,
        }),
        reference("CreatedById", |view, _| admin(view)),
    ]],
    relations: &[Relation { name: "CreatedBy", to: &people::USER, follow: |_, _| Some(0) }],
    ..entity("AppMenuItem", prefix::MENU_ITEM)
};
