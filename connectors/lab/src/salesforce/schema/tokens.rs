//! `OauthToken`: one row for each grant of a user to an app.

use super::{
    Access, Entity, Relation, Sorted, apps, entity, id, int, people, reference, text, time,
};
use crate::salesforce::permission::Permission;
use crate::salesforce::state::prefix;
use crate::salesforce::tokens::{NONE, Secret, TokenRow};
use crate::salesforce::value::Value;

use super::View;

fn token(view: View<'_>, row: usize) -> &TokenRow {
    view.state.tokens.row(row)
}

fn user(view: View<'_>, row: usize) -> Option<usize> {
    let user = token(view, row).user;
    (user != NONE).then_some(user as usize)
}

fn menu_item(view: View<'_>, row: usize) -> Option<usize> {
    let app = token(view, row).app as usize;
    view.state.menu_item(view.state.apps[app].kind)
}

fn secret(view: View<'_>, row: usize, kind: Secret) -> Value<'_> {
    Value::owned(kind.of(view.state.org, row))
}

pub(super) static OAUTH_TOKEN: Entity = Entity {
    access: Access::OwnRowsUnless(&[Permission::CustomizeApplication], |view, row| {
        user(view, row) == Some(view.caller)
    }),
    rows: |view| view.state.tokens.len(),
    live: |view, row| !token(view, row).revoked,
    sorted: Some(Sorted {
        column: "CreatedDate",
        at: |view, place| view.state.tokens.in_order(place),
        within: |view, from, to| view.state.tokens.created_within(from, to),
    }),
    columns: &[&[
        id("Id", |view, row| {
            if view.state.behaviour.oauth_token_id_null {
                Value::Null
            } else {
                Value::Id(view.state.id(prefix::TOKEN, row))
            }
        }),
        text("AppName", |view, row| {
            Value::text(&view.state.apps[token(view, row).app as usize].label)
        }),
        reference("AppMenuItemId", |view, row| {
            menu_item(view, row)
                .map_or(Value::Null, |item| Value::Id(view.state.id(prefix::MENU_ITEM, item)))
        }),
        reference("UserId", |view, row| {
            user(view, row).map_or(Value::Null, |user| Value::Id(view.state.id(prefix::USER, user)))
        }),
        time("CreatedDate", |view, row| Value::Time(token(view, row).created))
            .when(|view| !view.state.behaviour.oauth_token_without_created_date),
        time("LastUsedDate", |view, row| {
            token(view, row).last_used.map_or(Value::Null, Value::Time)
        }),
        int("UseCount", |view, row| Value::int(token(view, row).use_count)),
        text("DeleteToken", |view, row| secret(view, row, Secret::Delete)).not_groupable(),
        text("AccessToken", |view, row| secret(view, row, Secret::Access)).not_groupable(),
        text("RequestToken", |view, row| secret(view, row, Secret::Request)).not_groupable(),
    ]],
    relations: &[
        Relation {
            name: "User",
            to: &people::USER,
            follow: |view, row| user(view, row).filter(|user| !view.state.users[*user].deleted),
        },
        Relation { name: "AppMenuItem", to: &apps::APP_MENU_ITEM, follow: menu_item },
    ],
    ..entity("OauthToken", prefix::TOKEN)
};
