//! `users`, `directoryObjects/getByIds`, the owners of apps, and the schema of delegated grants.

use serde_json::{Map, Value as Json, json};

use super::error::Refusal;
use super::filter::Operator::{Equal, In};
use super::guid::Guid;
use super::json::{date, date_or_null};
use super::listing::{Ask, Options, PLAIN, Rows, Schema, View};
use super::principals::{APPLICATIONS, ApplicationRows, PRINCIPALS, PrincipalRows};
use super::state::{Object, State, User};
use crate::wire::Reply;

/// `users`.
pub(crate) const USERS: Schema = Schema {
    entity: "user",
    properties: &[
        "id",
        "businessPhones",
        "displayName",
        "givenName",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
    ],
    on_request: &[
        "accountEnabled",
        "createdDateTime",
        "deletedDateTime",
        "signInActivity",
        "signInSessionsValidFromDateTime",
        "userType",
    ],
    filters: &[
        ("accountEnabled", &[Equal, In]),
        ("id", &[Equal, In]),
        ("userPrincipalName", &[Equal, In]),
        ("userType", &[Equal, In]),
    ],
    largest: Some(999),
    ..PLAIN
};

/// `oauth2PermissionGrants`.
pub(crate) const GRANTS: Schema = Schema {
    entity: "oAuth2PermissionGrant",
    properties: &["id", "clientId", "consentType", "principalId", "resourceId", "scope"],
    filters: &[
        ("clientId", &[Equal]),
        ("consentType", &[Equal]),
        ("principalId", &[Equal]),
        ("resourceId", &[Equal]),
    ],
    largest: Some(999),
    ..PLAIN
};

/// Owners, of which any type may come: only what all have.
pub(crate) const OWNERS: Schema = Schema {
    entity: "directoryObject",
    properties: &["@odata.type", "id", "displayName", "userPrincipalName"],
    largest: Some(999),
    ..PLAIN
};

/// All users.
#[derive(Clone, Copy)]
pub(crate) struct UserRows<'s>(pub(crate) View<'s>);

impl Rows for UserRows<'_> {
    fn length(&self) -> usize {
        self.0.state.users.len()
    }

    fn shown(&self, at: usize) -> bool {
        !self.0.state.users[at].facts.deleted
    }

    fn value(&self, at: usize, property: &str) -> Json {
        user_value(&self.0.state.users[at], property)
    }
}

fn user_value(user: &User, property: &str) -> Json {
    let facts = &user.facts;
    match property {
        "id" => json!(user.id.to_string()),
        "displayName" => json!(user.display_name()),
        "mail" => json!(facts.mail.as_ref().unwrap_or(&facts.username)),
        "userPrincipalName" => json!(facts.username),
        "accountEnabled" => json!(facts.enabled),
        "createdDateTime" => json!(date(user.created)),
        "userType" => json!(if facts.guest { "Guest" } else { "Member" }),
        "signInSessionsValidFromDateTime" => json!(date(user.sessions_valid_from)),
        "signInActivity" => match user.last_sign_in {
            Some(_) => json!({
                "lastSignInDateTime": date_or_null(user.last_sign_in),
                "lastSignInRequestId": Guid::of(&facts.username).to_string(),
                "lastNonInteractiveSignInDateTime": date_or_null(user.last_sign_in),
                "lastNonInteractiveSignInRequestId": Guid::of(&facts.username).to_string(),
            }),
            None => Json::Null,
        },
        "businessPhones" => json!([]),
        _ => Json::Null,
    }
}

impl State {
    /// Owners as directory objects.
    pub(crate) fn owners(&self, rows: &[u32]) -> Json {
        let living =
            rows.iter().map(|row| &self.users[*row as usize]).filter(|it| !it.facts.deleted);
        let object = |user: &User| {
            json!({
                "@odata.type": "#microsoft.graph.user",
                "id": user.id.to_string(),
                "displayName": user.display_name(),
                "userPrincipalName": user.facts.username,
            })
        };
        living.map(object).collect()
    }
}

/// Most ids in one `getByIds`.
const MOST_IDS: usize = 1_000;

/// `POST directoryObjects/getByIds`: what exists of the ids, in any order and without a word about
/// the rest.
pub(crate) fn get_by_ids(ask: Ask<'_>) -> Result<Reply, Refusal> {
    let body: Json = serde_json::from_str(&ask.request.body)
        .map_err(|_| Refusal::bad_request("Unable to read JSON request payload."))?;
    let fields = body.as_object().ok_or_else(|| Refusal::bad_request("An object was expected."))?;
    if let Some(unknown) = fields.keys().find(|name| !matches!(name.as_str(), "ids" | "types")) {
        let message = format!(
            "The parameter '{unknown}' in the request payload is not a valid parameter for the operation 'getByIds'."
        );
        return Err(Refusal::bad_request(message));
    }
    let texts = |name: &str| -> Option<Vec<&str>> {
        fields.get(name)?.as_array()?.iter().map(Json::as_str).collect()
    };
    let ids =
        texts("ids").ok_or_else(|| Refusal::bad_request("The parameter 'ids' is missing."))?;
    if ids.is_empty() || ids.len() > MOST_IDS {
        return Err(Refusal::bad_request(format!(
            "Too many or no ids: at most {MOST_IDS} are allowed."
        )));
    }
    let types = match fields.get("types") {
        None => vec!["directoryObject"],
        Some(_) => texts("types")
            .ok_or_else(|| Refusal::bad_request("The parameter 'types' is invalid."))?,
    };
    const TYPES: [&str; 6] =
        ["application", "device", "directoryObject", "group", "servicePrincipal", "user"];
    if let Some(unknown) = types.iter().find(|name| !TYPES.contains(name)) {
        return Err(Refusal::bad_request(format!("Invalid resource type '{unknown}'.")));
    }
    let wants = |name: &str| types.iter().any(|it| *it == name || *it == "directoryObject");
    let select: Vec<_> = match ask.request.query.as_slice() {
        [] => Vec::new(),
        [(name, value)] if name == "$select" => value.split(',').map(str::trim).collect(),
        _ => return Err(Refusal::bad_request("Only $select is supported here.")),
    };
    let known = |schema: &Schema, name: &str| {
        schema.properties.contains(&name) || schema.on_request.contains(&name)
    };
    let schemas = [&USERS, &PRINCIPALS, &APPLICATIONS];
    if let Some(unknown) = select.iter().find(|name| !schemas.iter().any(|it| known(it, name))) {
        let message = format!(
            "Parsing OData Select and Expand failed: Could not find a property named '{unknown}' on type 'microsoft.graph.directoryObject'."
        );
        return Err(Refusal::new(400, "BadRequest", message));
    }
    let shown = |schema: &Schema, rows: &dyn Rows, at: u32| -> Option<Json> {
        let at = at as usize;
        if !wants(schema.entity) || !rows.shown(at) {
            return None;
        }
        let mut object = Map::new();
        object
            .insert("@odata.type".to_owned(), json!(format!("#microsoft.graph.{}", schema.entity)));
        let names = if select.is_empty() { schema.properties } else { &select };
        for name in names.iter().filter(|name| known(schema, name)) {
            object.insert((*name).to_owned(), rows.value(at, name));
        }
        Some(Json::Object(object))
    };
    let mut value = Vec::new();
    for id in ids {
        let guid =
            Guid::parse(id).ok_or_else(|| Refusal::bad_request(format!("Invalid GUID:{id}")))?;
        let object = match ask.view.state.objects.get(&guid) {
            None => None,
            Some(Object::User(row)) => shown(&USERS, &UserRows(ask.view), *row),
            Some(Object::Principal(row)) => shown(&PRINCIPALS, &PrincipalRows(ask.view), *row),
            Some(Object::Application(row)) => {
                shown(&APPLICATIONS, &ApplicationRows(ask.view), *row)
            }
        };
        value.extend(object);
    }
    let context = format!("{}/{}/$metadata#directoryObjects", ask.base_url, ask.version);
    Ok(Reply::json(200, json!({ "@odata.context": context, "value": value }).to_string()))
}

/// The options of a user listing: `signInActivity` has conditions of its own.
pub(crate) fn asks_sign_in_activity(options: &Options) -> bool {
    options.selects("signInActivity")
}
