//! Users and what they may do: profiles, permission sets, assignments, access to apps.

use super::{Access, Api, Column, Entity, Relation, View, entity, flag, id, reference, text, time};
use crate::salesforce::permission::Permission::{ManageUsers, ViewSetup};
use crate::salesforce::permission::{Permissions, permission_columns};
use crate::salesforce::state::{PermissionSet, User, prefix};
use crate::salesforce::value::Value;

fn user(view: View<'_>, row: usize) -> &User {
    &view.state.users[row]
}

fn set(view: View<'_>, row: usize) -> &PermissionSet {
    &view.state.permission_sets[row]
}

fn user_id(view: View<'_>, user: usize) -> Value<'_> {
    Value::Id(view.state.id(prefix::USER, user))
}

pub(super) static USER: Entity = Entity {
    exists: |_, _| true,
    rows: |view| view.state.users.len(),
    live: |view, row| !user(view, row).deleted,
    columns: &[&[
        id("Id", user_id),
        text("Username", |view, row| Value::text(&user(view, row).facts.username)),
        text("Email", |view, row| {
            let facts = &user(view, row).facts;
            Value::text(facts.email.as_deref().unwrap_or(&facts.username))
        }),
        text("Name", |view, row| Value::text(&user(view, row).name)),
        flag("IsActive", |view, row| Value::Bool(user(view, row).facts.active)),
        text("UserType", |view, row| Value::text(&user(view, row).facts.user_type)),
        time("LastLoginDate", |view, row| {
            user(view, row).last_login.map_or(Value::Null, Value::Time)
        }),
        time("CreatedDate", |view, row| Value::Time(user(view, row).created)),
        reference("ProfileId", |view, row| {
            Value::Id(view.state.id(prefix::PROFILE, user(view, row).profile))
        }),
    ]],
    relations: &[Relation {
        name: "Profile",
        to: &PROFILE,
        follow: |view, row| Some(user(view, row).profile),
    }],
    ..entity("User", prefix::USER)
};

pub(super) static USER_LOGIN: Entity = Entity {
    access: Access::Needs(&[ManageUsers]),
    rows: |view| view.state.users.len(),
    live: |view, row| !user(view, row).deleted,
    columns: &[&[
        id("Id", |view, row| Value::Id(view.state.id(prefix::USER_LOGIN, row))),
        reference("UserId", user_id),
        flag("IsFrozen", |view, row| Value::Bool(user(view, row).facts.frozen)),
        flag("IsPasswordLocked", |_, _| Value::Bool(false)),
    ]],
    ..entity("UserLogin", prefix::USER_LOGIN)
};

const PROFILE_PERMISSIONS: &[Column] =
    permission_columns!(|view, row| -> Permissions { set(view, row).permissions });

// A profile's own permission set has the profile's index, so both read the same permissions.
pub(super) static PROFILE: Entity = Entity {
    exists: |_, _| true,
    rows: |view| view.state.profiles.len(),
    columns: &[
        &[
            id("Id", |view, row| Value::Id(view.state.id(prefix::PROFILE, row))),
            text("Name", |view, row| Value::text(&view.state.profiles[row].name)),
            text("UserType", |_, _| Value::text("Standard")),
        ],
        PROFILE_PERMISSIONS,
    ],
    ..entity("Profile", prefix::PROFILE)
};

const SET_PERMISSIONS: &[Column] =
    permission_columns!(|view, row| -> Permissions { set(view, row).permissions });

pub(super) static PERMISSION_SET: Entity = Entity {
    exists: |_, _| true,
    access: Access::Needs(&[ViewSetup]),
    rows: |view| view.state.permission_sets.len(),
    columns: &[
        &[
            id("Id", |view, row| Value::Id(view.state.id(prefix::PERMISSION_SET, row))),
            text("Name", |view, row| Value::text(&set(view, row).name)),
            text("Label", |view, row| Value::text(&set(view, row).label)),
            flag("IsOwnedByProfile", |view, row| Value::Bool(set(view, row).profile.is_some())),
            flag("IsCustom", |view, row| Value::Bool(set(view, row).profile.is_none())),
            reference("ProfileId", |view, row| {
                set(view, row).profile.map_or(Value::Null, |profile| {
                    Value::Id(view.state.id(prefix::PROFILE, profile))
                })
            }),
        ],
        SET_PERMISSIONS,
    ],
    relations: &[Relation {
        name: "Profile",
        to: &PROFILE,
        follow: |view, row| set(view, row).profile,
    }],
    ..entity("PermissionSet", prefix::PERMISSION_SET)
};

pub(super) static PERMISSION_SET_ASSIGNMENT: Entity = Entity {
    access: Access::Needs(&[ViewSetup]),
    rows: |view| view.state.assignments.len(),
    live: |view, row| !view.state.users[view.state.assignments[row].0].deleted,
    columns: &[&[
        id("Id", |view, row| Value::Id(view.state.id(prefix::ASSIGNMENT, row))),
        reference("AssigneeId", |view, row| user_id(view, view.state.assignments[row].0)),
        reference("PermissionSetId", |view, row| {
            Value::Id(view.state.id(prefix::PERMISSION_SET, view.state.assignments[row].1))
        }),
        flag("IsActive", |_, _| Value::Bool(true)),
    ]],
    relations: &[
        Relation {
            name: "Assignee",
            to: &USER,
            follow: |view, row| Some(view.state.assignments[row].0),
        },
        Relation {
            name: "PermissionSet",
            to: &PERMISSION_SET,
            follow: |view, row| Some(view.state.assignments[row].1),
        },
    ],
    ..entity("PermissionSetAssignment", prefix::ASSIGNMENT)
};

pub(super) static SETUP_ENTITY_ACCESS: Entity = Entity {
    access: Access::Needs(&[ViewSetup]),
    rows: |view| view.state.app_access.len(),
    columns: &[&[
        id("Id", |view, row| Value::Id(view.state.id(prefix::SETUP_ACCESS, row))),
        reference("ParentId", |view, row| {
            Value::Id(view.state.id(prefix::PERMISSION_SET, view.state.app_access[row].0))
        }),
        reference("SetupEntityId", |view, row| {
            let item = view.state.app_access[row].1;
            let connected = view.state.connected.len();
            Value::Id(if item < connected {
                view.state.id(prefix::CONNECTED_APP, item)
            } else {
                view.state.id(prefix::EXTERNAL_APP, item - connected)
            })
        }),
        text("SetupEntityType", |view, row| {
            let connected = view.state.app_access[row].1 < view.state.connected.len();
            Value::text(if connected {
                "ConnectedApplication"
            } else {
                "ExternalClientApplication"
            })
        }),
    ]],
    relations: &[Relation {
        name: "Parent",
        to: &PERMISSION_SET,
        follow: |view, row| Some(view.state.app_access[row].0),
    }],
    ..entity("SetupEntityAccess", prefix::SETUP_ACCESS)
};

const CALLER_PERMISSIONS: &[Column] =
    permission_columns!(|view, _| -> Permissions { caller_permissions(view) });

fn caller_permissions(view: View<'_>) -> Permissions {
    user(view, view.caller).permissions()
}

// One row: what the caller may do.
pub(super) static USER_PERMISSION_ACCESS: Entity = Entity {
    exists: |_, api| api == Api::Data,
    rows: |_| 1,
    columns: &[
        &[id("Id", |view, _| Value::Id(view.state.id(prefix::PERMISSION_ACCESS, 0)))],
        CALLER_PERMISSIONS,
    ],
    ..entity("UserPermissionAccess", prefix::PERMISSION_ACCESS)
};
