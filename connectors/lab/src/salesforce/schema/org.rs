//! The org itself: its record, its connected app settings, its installed packages.

use super::{Access, Api, Entity, Relation, View, entity, flag, id, int, reference, text};
use crate::salesforce::permission::Permission::{CustomizeApplication, ViewSetup};
use crate::salesforce::state::prefix;
use crate::salesforce::value::Value;
use crate::salesforce::world::PackageWorld;

fn package(view: View<'_>, row: usize) -> &PackageWorld {
    &view.state.packages[row]
}

fn version(view: View<'_>, row: usize, part: usize) -> Value<'_> {
    let number = package(view, row).version.split('.').nth(part).and_then(|part| part.parse().ok());
    Value::Int(number.unwrap_or(0))
}

pub(super) static ORGANIZATION: Entity = Entity {
    exists: |_, _| true,
    rows: |_| 1,
    columns: &[&[
        id("Id", |view, _| Value::Id(view.state.org_id())),
        text("Name", |view, _| Value::text(&view.state.name)),
        flag("IsSandbox", |view, _| Value::Bool(view.state.sandbox)),
        text("OrganizationType", |view, _| Value::text(view.state.organization_type)),
        text("InstanceName", |view, _| Value::text(&view.state.instance)),
    ]],
    ..entity("Organization", prefix::ORGANIZATION)
};

pub(super) static CONNECTED_APP_SETTINGS: Entity = Entity {
    exists: |_, api| api == Api::Tooling,
    access: Access::Needs(&[CustomizeApplication, ViewSetup]),
    rows: |_| 1,
    columns: &[&[
        id("Id", |view, _| Value::Id(view.state.id(prefix::SETTINGS, 0))),
        flag("IsAdminApprovedAppsOnlyEnabled", |view, _| {
            Value::Bool(view.state.settings.api_access_control)
        }),
        flag("IsAdminApprovedAppsOnlyForExternalUserEnabled", |view, _| {
            Value::Bool(view.state.settings.api_access_control_external)
        }),
    ]],
    ..entity("ConnectedAppSettings", prefix::SETTINGS)
};

static SUBSCRIBER_PACKAGE: Entity = Entity {
    columns: &[&[
        id("Id", |view, row| Value::Id(view.state.id(prefix::SUBSCRIBER_PACKAGE, row))),
        text("Name", |view, row| Value::text(&package(view, row).name)),
        text("NamespacePrefix", |view, row| Value::text(&package(view, row).namespace)),
    ]],
    ..entity("SubscriberPackage", prefix::SUBSCRIBER_PACKAGE)
};

fn has_publisher_names(view: View<'_>) -> bool {
    !view.state.behaviour.without_publisher_names
}

static SUBSCRIBER_PACKAGE_VERSION: Entity = Entity {
    columns: &[&[
        id("Id", |view, row| Value::Id(view.state.id(prefix::PACKAGE_VERSION, row))),
        text("Name", |view, row| Value::text(&package(view, row).version)),
        int("MajorVersion", |view, row| version(view, row, 0)),
        int("MinorVersion", |view, row| version(view, row, 1)),
        int("PatchVersion", |view, row| version(view, row, 2)),
        int("BuildNumber", |view, row| version(view, row, 3)),
        text("PublisherName", |view, row| Value::text(&package(view, row).publisher))
            .when(has_publisher_names),
        text("AppExchangePublisherName", |view, row| Value::text(&package(view, row).publisher))
            .when(has_publisher_names),
        flag("IsSecurityReviewed", |view, row| Value::Bool(package(view, row).security_reviewed)),
    ]],
    ..entity("SubscriberPackageVersion", prefix::PACKAGE_VERSION)
};

pub(super) static INSTALLED_SUBSCRIBER_PACKAGE: Entity = Entity {
    exists: |_, api| api == Api::Tooling,
    access: Access::Needs(&[ViewSetup]),
    rows: |view| view.state.packages.len(),
    columns: &[&[
        id("Id", |view, row| Value::Id(view.state.id(prefix::PACKAGE, row))),
        reference("SubscriberPackageId", |view, row| {
            Value::Id(view.state.id(prefix::SUBSCRIBER_PACKAGE, row))
        }),
        reference("SubscriberPackageVersionId", |view, row| {
            Value::Id(view.state.id(prefix::PACKAGE_VERSION, row))
        }),
    ]],
    relations: &[
        Relation { name: "SubscriberPackage", to: &SUBSCRIBER_PACKAGE, follow: |_, row| Some(row) },
        Relation {
            name: "SubscriberPackageVersion",
            to: &SUBSCRIBER_PACKAGE_VERSION,
            follow: |_, row| Some(row),
        },
    ],
    ..entity("InstalledSubscriberPackage", prefix::PACKAGE)
};
