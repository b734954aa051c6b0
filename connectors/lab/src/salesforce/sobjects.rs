//! The object resources: the global and single describes, one record, an event log file, and the two
//! changes to users that contain an incident (freeze, deactivate). Nothing else can be written.

use serde_json::{Value as Json, json};

use super::Core;
use super::error::Refusal;
use super::events;
use super::id::Id;
use super::permission::Permission::ManageUsers;
use super::query::Record;
use super::schema::{self, Api, Column, Entity, View};
use super::soql::plan::Fields;
use super::state::prefix;
use crate::wire::{Reply, Request};

impl Core {
    /// Everything under `…/sobjects` that only reads; `rest` is the path below it.
    pub(super) fn sobjects(
        &self,
        version: &str,
        view: View<'_>,
        request: &Request,
        rest: &[&str],
    ) -> Result<Reply, Refusal> {
        let Some(name) = rest.first() else {
            let objects = schema::entities(view, Api::Data).map(|entity| summary(entity, version));
            let objects: Vec<Json> = objects.collect();
            let body = json!({ "encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects });
            return get_only(request, Reply::json(200, body.to_string()));
        };
        let entity = schema::find(name, view, Api::Data).ok_or_else(Refusal::not_found)?;
        match (request.method.as_str(), &rest[1..]) {
            ("GET", []) => {
                let body = json!({ "objectDescribe": summary(entity, version), "recentItems": [] });
                Ok(Reply::json(200, body.to_string()))
            }
            ("POST", []) => Err(unsupported(entity, "create")),
            ("GET", ["describe"]) => {
                super::only_params(request, &[])?;
                Ok(Reply::json(200, describe(entity, version, view).to_string()))
            }
            ("GET", [id, "LogFile"]) if entity.name == "EventLogFile" => {
                let row = record(entity, view, id)?;
                let day = view.state.log_days[row];
                Ok(Reply::new(200, "text/csv", events::csv(view.state, day)))
            }
            ("GET", [id]) => {
                super::only_params(request, &["fields"])?;
                let row = record(entity, view, id)?;
                let fields = fields(entity, view, request.param("fields"))?;
                let record = Record::Row { entity, fields: &fields, view, row, version };
                serde_json::to_string(&record)
                    .map(|body| Reply::json(200, body))
                    .map_err(|error| Refusal::new(500, "UNKNOWN_EXCEPTION", error.to_string()))
            }
            ("PATCH", [_]) => Err(unsupported(entity, "update")),
            ("DELETE", [_]) => Err(unsupported(entity, "delete")),
            (method, _) => Err(Refusal::method_not_allowed(method, "GET,HEAD")),
        }
    }

    /// `PATCH …/sobjects/UserLogin/{id}` (`IsFrozen`) and `PATCH …/sobjects/User/{id}` (`IsActive`).
    pub(super) fn contain_user(
        &self,
        caller: usize,
        object: &str,
        id: &str,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        let (prefix, column) = match object {
            "UserLogin" => (prefix::USER_LOGIN, "IsFrozen"),
            _ => (prefix::USER, "IsActive"),
        };
        let body: Json = serde_json::from_str(&request.body)
            .map_err(|error| Refusal::new(400, "JSON_PARSER_ERROR", error.to_string()))?;
        let fields = body.as_object().filter(|fields| fields.len() == 1);
        let bit = fields.and_then(|fields| fields.get(column)).and_then(Json::as_bool).ok_or_else(
            || {
                let message = format!("Only {column} of {object} can be changed here");
                Refusal::new(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message)
            },
        )?;
        let mut state = self.state_mut();
        if !state.users[caller].permissions().has(ManageUsers) {
            return Err(Refusal::access("insufficient access rights on object id"));
        }
        let user = Id::parse(id)
            .and_then(|id| id.serial(prefix))
            .and_then(|serial| state.users.get_mut(serial))
            .filter(|user| !user.deleted)
            .ok_or_else(Refusal::not_found)?;
        if object == "UserLogin" {
            user.facts.frozen = bit;
        } else {
            user.facts.active = bit;
        }
        Ok(Reply::empty(204))
    }
}

fn get_only(request: &Request, reply: Reply) -> Result<Reply, Refusal> {
    if request.method != "GET" {
        return Err(Refusal::method_not_allowed(request.method.as_str(), "GET,HEAD"));
    }
    super::only_params(request, &[])?;
    Ok(reply)
}

fn unsupported(entity: &Entity, what: &str) -> Refusal {
    let message = format!("entity type {} does not support {what}", entity.name);
    Refusal::new(400, "INVALID_TYPE_FOR_OPERATION", message)
}

fn record(entity: &'static Entity, view: View<'_>, id: &str) -> Result<usize, Refusal> {
    Id::parse(id)
        .and_then(|id| id.serial(entity.prefix))
        .filter(|row| *row < (entity.rows)(view) && entity.visible(view, *row))
        .ok_or_else(|| {
            let message =
                "Provided external ID field does not exist or is not accessible: ".to_owned();
            Refusal::new(404, "NOT_FOUND", message + id)
        })
}

fn fields(entity: &'static Entity, view: View<'_>, asked: Option<&str>) -> Result<Fields, Refusal> {
    let columns: Vec<&'static Column> = match asked {
        None => entity.columns(view, Api::Data).collect(),
        Some(names) => names
            .split(',')
            .map(|name| {
                entity.column(name.trim(), view, Api::Data).ok_or_else(|| {
                    let message =
                        format!("No such column '{name}' on sobject of type {}", entity.name);
                    Refusal::new(400, "INVALID_FIELD", message)
                })
            })
            .collect::<Result<_, _>>()?,
    };
    Ok(Fields { columns, parents: Vec::new() })
}

fn summary(entity: &Entity, version: &str) -> Json {
    let path = format!("/services/data/{version}/sobjects/{}", entity.name);
    json!({
        "name": entity.name,
        "label": entity.name,
        "labelPlural": entity.name,
        "keyPrefix": entity.prefix,
        "custom": false,
        "queryable": true,
        "retrieveable": true,
        "createable": false,
        "updateable": matches!(entity.name, "User" | "UserLogin"),
        "deletable": false,
        "urls": { "sobject": path, "describe": format!("{path}/describe"), "rowTemplate": format!("{path}/{{ID}}") },
    })
}

fn describe(entity: &'static Entity, version: &str, view: View<'_>) -> Json {
    let fields: Vec<Json> = entity
        .columns(view, Api::Data)
        .map(|column| {
            let relation = column.name.strip_suffix("Id").and_then(|name| entity.relation(name));
            json!({
                "name": column.name,
                "label": column.name,
                "type": column.kind.name(),
                "filterable": column.filterable,
                "sortable": column.sortable,
                "groupable": column.groupable,
                "createable": false,
                "updateable": false,
                "relationshipName": relation.map(|relation| relation.name),
                "referenceTo": relation.map(|relation| vec![relation.to.name]).unwrap_or_default(),
            })
        })
        .collect();
    let mut describe = summary(entity, version);
    if let Some(object) = describe.as_object_mut() {
        object.insert("fields".to_owned(), fields.into());
        object.insert("childRelationships".to_owned(), Json::Array(Vec::new()));
        object.insert("recordTypeInfos".to_owned(), Json::Array(Vec::new()));
    }
    describe
}
