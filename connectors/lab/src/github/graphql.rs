//! GraphQL, as far as it goes for deploy keys: `organization(login:)` with its repositories and their
//! deploy keys, and `rateLimit`. The shape is checked by fields; anything else is an error in the answer.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::Core;
use super::access::READ_DEPLOY_KEYS;
use super::auth::Caller;
use super::error::{Answer, Refusal, answer};
use super::gate::Target;
use super::graphql_text::{Argument, Field, parse};
use super::people::public_key;
use super::quota::Resource;
use super::state::State;
use super::time::zulu;
use crate::wire::Request;

/// Why a part of a query has no answer.
struct Problem {
    kind: &'static str,
    message: String,
    path: Vec<String>,
}

impl Problem {
    fn new(kind: &'static str, message: impl Into<String>, path: &[&str]) -> Self {
        let path = path.iter().map(|part| (*part).to_owned()).collect();
        Self { kind, message: message.into(), path }
    }

    fn json(&self) -> Json {
        let mut body = json!({ "message": self.message });
        if !self.kind.is_empty() {
            body["type"] = json!(self.kind);
        }
        if !self.path.is_empty() {
            body["path"] = json!(self.path);
        }
        body
    }
}

/// One query at work.
struct Query<'a> {
    core: &'a Core,
    state: &'a State,
    caller: &'a Caller,
    variables: HashMap<String, Json>,
}

impl Core {
    /// `POST /graphql`.
    pub(super) fn graphql(&self, state: &State, caller: &Caller, request: &Request) -> Answer {
        if request.method != "POST" {
            return Err(Refusal::not_found());
        }
        match caller {
            Caller::Anonymous => {
                return Err(Refusal::new(401, "This endpoint requires you to be authenticated."));
            }
            Caller::App(_) => return Err(Refusal::credentials()),
            _ => {}
        }
        let fields = super::params::body(request, &["query", "variables", "operationName"])?;
        let Some(text) = fields.get("query").and_then(Json::as_str) else {
            let problem =
                Problem::new("", "A query attribute must be specified and must be a string.", &[]);
            return Ok(answer(200, &json!({ "errors": [problem.json()] })));
        };
        let variables = match fields.get("variables") {
            Some(Json::Object(given)) => given.clone().into_iter().collect(),
            _ => HashMap::new(),
        };
        let query = Query { core: self, state, caller, variables };
        let body = match parse(text) {
            Err(message) => {
                json!({ "errors": [Problem::new("", format!("Parse error: {message}"), &[]).json()] })
            }
            Ok(selection) => match query.root(&selection) {
                Ok((data, None)) => json!({ "data": data }),
                Ok((data, Some(problem))) => json!({ "data": data, "errors": [problem.json()] }),
                Err(problem) => json!({ "errors": [problem.json()] }),
            },
        };
        Ok(answer(200, &body))
    }
}

/// A query is refused whole if a part of it is wrong.
type Part = Result<Json, Problem>;

fn unknown(field: &Field, on: &str) -> Problem {
    let message = format!("Field '{}' doesn't exist on type '{on}'", field.name);
    Problem::new("undefinedField", message, &["query"])
}

/// Whether a field has no argument but these.
fn arguments(field: &Field, known: &[&str]) -> Result<(), Problem> {
    match field.arguments.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some((name, _)) => {
            let message = format!("Field '{}' doesn't accept argument '{name}'", field.name);
            Err(Problem::new("argumentNotAccepted", message, &["query"]))
        }
    }
}

/// A leaf has no fields of its own.
fn leaf(field: &Field, on: &str, value: Json) -> Part {
    if field.fields.is_empty() && field.arguments.is_empty() {
        return Ok(value);
    }
    Err(unknown(field, on))
}

impl Query<'_> {
    fn root(&self, fields: &[Field]) -> Result<(Json, Option<Problem>), Problem> {
        let mut data = Map::new();
        let mut partial = None;
        for field in fields {
            let value = match field.name.as_str() {
                "organization" => match self.organization(field) {
                    Err(problem) if problem.path.first().is_none_or(|part| part != "query") => {
                        partial = Some(problem);
                        Json::Null
                    }
                    other => other?,
                },
                "rateLimit" => self.rate_limit(field)?,
                _ => return Err(unknown(field, "Query")),
            };
            data.insert(field.key().to_owned(), value);
        }
        Ok((Json::Object(data), partial))
    }

    fn value(&self, field: &Field, name: &str) -> Option<Json> {
        let (_, argument) = field.arguments.iter().find(|(other, _)| other == name)?;
        let value = match argument {
            Argument::Value(value) => value.clone(),
            Argument::Variable(name) => self.variables.get(name).cloned().unwrap_or(Json::Null),
        };
        (!value.is_null()).then_some(value)
    }

    /// `first` and where to go on.
    fn span(&self, field: &Field) -> Result<(usize, usize), Problem> {
        arguments(field, &["first", "after", "orderBy"])?;
        let path = ["query", field.name.as_str()];
        let Some(first) = self.value(field, "first") else {
            let message = format!(
                "You must provide a `first` or `last` value to properly paginate the `{}` connection.",
                field.name
            );
            return Err(Problem::new("MISSING_PAGINATION_BOUNDARIES", message, &path));
        };
        let first = first.as_u64().and_then(|first| usize::try_from(first).ok());
        let first = first.filter(|first| (1..=100).contains(first)).ok_or_else(|| {
            let message = format!(
                "Requesting more than 100 records on the `{}` connection exceeds the `first` limit \
                 of 100 records.",
                field.name
            );
            Problem::new("EXCESSIVE_PAGINATION", message, &path)
        })?;
        let after = match self.value(field, "after") {
            None => 0,
            Some(cursor) => cursor
                .as_str()
                .and_then(|text| STANDARD.decode(text).ok())
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .and_then(|text| text.strip_prefix("cursor:")?.parse().ok())
                .ok_or_else(|| {
                    let message = "`after` does not appear to be a valid cursor.";
                    Problem::new("INVALID_CURSOR_ARGUMENTS", message, &path)
                })?,
        };
        Ok((first, after))
    }

    /// One page of a connection.
    fn connection(
        &self,
        field: &Field,
        on: &str,
        rows: &[usize],
        node: impl Fn(&[Field], usize) -> Part,
    ) -> Part {
        let (first, after) = self.span(field)?;
        let end = after.saturating_add(first).min(rows.len());
        let page = rows.get(after..end).unwrap_or_default();
        let cursor = |place: usize| STANDARD.encode(format!("cursor:{place}"));
        let mut body = Map::new();
        for part in &field.fields {
            let value = match part.name.as_str() {
                "nodes" => {
                    page.iter().map(|row| node(&part.fields, *row)).collect::<Result<_, _>>()?
                }
                "totalCount" => leaf(part, on, json!(rows.len()))?,
                "pageInfo" => {
                    let mut info = Map::new();
                    for one in &part.fields {
                        let value = match one.name.as_str() {
                            "endCursor" if page.is_empty() => Json::Null,
                            "endCursor" => json!(cursor(end)),
                            "hasNextPage" => json!(end < rows.len()),
                            "startCursor" if page.is_empty() => Json::Null,
                            "startCursor" => json!(cursor(after + 1)),
                            "hasPreviousPage" => json!(after > 0),
                            _ => return Err(unknown(one, "PageInfo")),
                        };
                        info.insert(one.key().to_owned(), leaf(one, "PageInfo", value)?);
                    }
                    Json::Object(info)
                }
                _ => return Err(unknown(part, on)),
            };
            body.insert(part.key().to_owned(), value);
        }
        Ok(Json::Object(body))
    }

    fn organization(&self, field: &Field) -> Part {
        arguments(field, &["login"])?;
        let login = self.value(field, "login");
        let login = login.as_ref().and_then(Json::as_str).ok_or_else(|| {
            let message = "Field 'organization' is missing required arguments: login";
            Problem::new("missingRequiredArguments", message, &["query"])
        })?;
        let found = self.state.organisation(login).ok_or_else(|| {
            let message =
                format!("Could not resolve to an Organization with the login of '{login}'.");
            Problem::new("NOT_FOUND", message, &["organization"])
        })?;
        // A person's token stands before the single sign-on here too.
        let target = Target::Organisation(found);
        let allowed = self.core.permit(self.state, self.caller, READ_DEPLOY_KEYS, target);
        if let Err(refusal) = allowed {
            let kind = if refusal.status == 404 { "NOT_FOUND" } else { "FORBIDDEN" };
            return Err(Problem::new(kind, refusal.message(), &["organization", "repositories"]));
        }
        let row = &self.state.organisations[found];
        let mut body = Map::new();
        for part in &field.fields {
            let value = match part.name.as_str() {
                "login" => leaf(part, "Organization", json!(row.facts.login))?,
                "databaseId" => leaf(part, "Organization", json!(row.id))?,
                "repositories" => {
                    let here =
                        |index: &usize| self.state.repositories[*index].organisation == found;
                    let rows: Vec<usize> =
                        (0..self.state.repositories.len()).filter(here).collect();
                    self.connection(part, "RepositoryConnection", &rows, |fields, index| {
                        self.repository(fields, index)
                    })?
                }
                _ => return Err(unknown(part, "Organization")),
            };
            body.insert(part.key().to_owned(), value);
        }
        Ok(Json::Object(body))
    }

    fn repository(&self, fields: &[Field], index: usize) -> Part {
        let row = &self.state.repositories[index];
        let on = "Repository";
        let mut body = Map::new();
        for field in fields {
            let value = match field.name.as_str() {
                "id" => leaf(field, on, json!(format!("FAKE_Repository_{}", row.id)))?,
                "databaseId" => leaf(field, on, json!(row.id))?,
                "name" => leaf(field, on, json!(row.name))?,
                "nameWithOwner" => leaf(field, on, json!(self.state.full_name(index)))?,
                "isArchived" => leaf(field, on, json!(row.archived))?,
                "isPrivate" => leaf(field, on, json!(!row.public))?,
                "deployKeys" => {
                    let keys = self.core.live_keys(self.state, index);
                    self.connection(field, "DeployKeyConnection", &keys, |fields, key| {
                        self.deploy_key(fields, key)
                    })?
                }
                _ => return Err(unknown(field, on)),
            };
            body.insert(field.key().to_owned(), value);
        }
        Ok(Json::Object(body))
    }

    fn deploy_key(&self, fields: &[Field], index: usize) -> Part {
        let key = &self.state.deploy_keys[index];
        let mut body = Map::new();
        for field in fields {
            let value = match field.name.as_str() {
                // The number that REST calls `id` is inside, as on the platform.
                "id" => json!(format!("DK_FAKE{}", key.id)),
                "title" => json!(key.title),
                "key" => json!(public_key(key.id)),
                "readOnly" => json!(key.read_only),
                "verified" => json!(key.verified),
                "enabled" => json!(key.enabled),
                "createdAt" => json!(zulu(key.created)),
                // `last_used` and `added_by` exist in REST only.
                _ => return Err(unknown(field, "DeployKey")),
            };
            body.insert(field.key().to_owned(), leaf(field, "DeployKey", value)?);
        }
        Ok(Json::Object(body))
    }

    fn rate_limit(&self, field: &Field) -> Part {
        let limit = self.core.per_hour(self.state, self.caller, Resource::Graphql);
        let now = self.core.clock.wall().as_millisecond();
        let who = self.caller.name(self.state);
        let scale = self.state.behaviour.time_scale;
        let taken = self.core.limits.take((Resource::Graphql, &who), (limit, 0), now, scale);
        let (Ok(usage) | Err(usage)) = taken;
        let mut body = Map::new();
        for part in &field.fields {
            let value = match part.name.as_str() {
                "cost" => json!(1),
                "limit" => json!(usage.limit),
                "remaining" => json!(usage.remaining()),
                "used" => json!(usage.used),
                "resetAt" => json!(zulu(usage.reset)),
                _ => return Err(unknown(part, "RateLimit")),
            };
            body.insert(part.key().to_owned(), leaf(part, "RateLimit", value)?);
        }
        Ok(Json::Object(body))
    }
}
