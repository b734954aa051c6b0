//! Listings: which properties, which rows, how many on a page, and the token of the next page. A
//! resource gives its schema and its rows; this file knows none of them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::error::Refusal;
use super::filter::{Filter, Filterable};
use super::state::{GoneRows, State};
use crate::keys::random_text;
use crate::wire::{Reply, Request};

/// The directory at the moment of a call.
#[derive(Clone, Copy)]
pub(crate) struct View<'s> {
    pub(crate) state: &'s State,
    /// The world's time.
    pub(crate) now: Timestamp,
    /// The wall's time, in milliseconds.
    pub(crate) wall_ms: i64,
    /// Calls so far.
    pub(crate) call: u64,
}

impl View<'_> {
    /// Whether a listing shows a row: it is not deleted, or its deletion has not reached it yet.
    pub(crate) fn shows(&self, gone: &GoneRows, row: u32) -> bool {
        gone.get(&row)
            .is_none_or(|gone| self.wall_ms < gone.until_ms || self.call <= gone.until_call)
    }
}

/// Rows of one listing. Positions are for ever.
pub(crate) trait Rows {
    /// How many positions there are.
    fn length(&self) -> usize;
    /// Whether the row at a position belongs to the listing.
    fn shown(&self, at: usize) -> bool;
    /// A property of the row at a position.
    fn value(&self, at: usize, property: &str) -> Json;
    /// A relation of the row at a position, uncut: a list, or one object.
    fn relation(&self, _at: usize, _name: &str) -> Json {
        Json::Null
    }
}

/// Rows that meet a filter.
pub(crate) struct Filtered<R> {
    pub(crate) rows: R,
    pub(crate) filter: Filter,
}

impl<R: Rows> Rows for Filtered<R> {
    fn length(&self) -> usize {
        self.rows.length()
    }

    fn shown(&self, at: usize) -> bool {
        self.rows.shown(at) && self.filter.meets(|property| self.rows.value(at, property))
    }

    fn value(&self, at: usize, property: &str) -> Json {
        self.rows.value(at, property)
    }

    fn relation(&self, at: usize, name: &str) -> Json {
        self.rows.relation(at, name)
    }
}

/// Rows that are ready-made objects.
pub(crate) struct Documents(pub(crate) Vec<Json>);

impl Rows for Documents {
    fn length(&self) -> usize {
        self.0.len()
    }

    fn shown(&self, _at: usize) -> bool {
        true
    }

    fn value(&self, at: usize, property: &str) -> Json {
        self.0[at][property].clone()
    }

    fn relation(&self, at: usize, name: &str) -> Json {
        self.0[at][name].clone()
    }
}

/// What a resource's rows have and what may be asked of them.
pub(crate) struct Schema {
    /// The entity type, without its namespace.
    pub(crate) entity: &'static str,
    /// Properties shown without `$select`.
    pub(crate) properties: &'static [&'static str],
    /// Properties shown only with `$select`.
    pub(crate) on_request: &'static [&'static str],
    /// What `$filter` takes.
    pub(crate) filters: Filterable,
    /// What `$expand` takes.
    pub(crate) expands: &'static [&'static str],
    /// What `$orderby` takes.
    pub(crate) orders: &'static [&'static str],
    /// The largest `$top`; none if `$top` is not taken.
    pub(crate) largest: Option<usize>,
    /// Rows on a page without `$top`, if it is not the usual number.
    pub(crate) usual: Option<usize>,
}

/// A schema that takes nothing but `$select`.
pub(crate) const PLAIN: Schema = Schema {
    entity: "entity",
    properties: &[],
    on_request: &[],
    filters: &[],
    expands: &[],
    orders: &[],
    largest: None,
    usual: None,
};

/// The options of a request.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) select: Option<Vec<String>>,
    pub(crate) expand: Vec<String>,
    pub(crate) filter: Filter,
    pub(crate) skip_token: Option<String>,
    top: Option<usize>,
    count: bool,
}

impl Options {
    /// Reads the options of a listing.
    pub(crate) fn of_list(request: &Request, schema: &Schema) -> Result<Self, Refusal> {
        let mut options = Self::default();
        let eventual = request
            .header("consistencylevel")
            .is_some_and(|level| level.eq_ignore_ascii_case("eventual"));
        for (name, value) in &request.query {
            match name.as_str() {
                "$select" | "$expand" => options.shape(name, value, schema)?,
                "$filter" => options.filter = Filter::parse(value, schema.filters)?,
                "$top" => options.top = Some(top(value, schema.largest)?),
                "$count" => {
                    options.count = match value.as_str() {
                        "true" if eventual => true,
                        "true" => {
                            return Err(Refusal::unsupported(
                                "$count is not currently supported without the ConsistencyLevel header.",
                            ));
                        }
                        "false" => false,
                        _ => return Err(Refusal::bad_request("Invalid value for $count.")),
                    }
                }
                "$skiptoken" => options.skip_token = Some(value.clone()),
                "$orderby" => {
                    let (property, order) = value.split_once(' ').unwrap_or((value, "asc"));
                    if !schema.orders.contains(&property) || !matches!(order, "asc" | "desc") {
                        return Err(Refusal::unsupported(
                            "Sorting not supported for current query.",
                        ));
                    }
                }
                _ => return Err(unknown_option(name)),
            }
        }
        if options.filter.advanced() && !(eventual && options.count) {
            return Err(Refusal::unsupported(
                "Operator is not supported because the required parameters might be missing. Try adding $count=true query parameter and ConsistencyLevel:eventual header.",
            ));
        }
        Ok(options)
    }

    /// Reads the options of a single object.
    pub(crate) fn of_one(request: &Request, schema: &Schema) -> Result<Self, Refusal> {
        let mut options = Self::default();
        for (name, value) in &request.query {
            match name.as_str() {
                "$select" | "$expand" => options.shape(name, value, schema)?,
                _ => return Err(unknown_option(name)),
            }
        }
        Ok(options)
    }

    pub(crate) fn shape(
        &mut self,
        name: &str,
        value: &str,
        schema: &Schema,
    ) -> Result<(), Refusal> {
        for part in value.split(',').map(str::trim) {
            let known = if name == "$select" {
                schema.properties.contains(&part) || schema.on_request.contains(&part)
            } else {
                schema.expands.contains(&part)
            };
            if !known {
                let message = format!(
                    "Parsing OData Select and Expand failed: Could not find a property named '{part}' on type 'microsoft.graph.{}'.",
                    schema.entity
                );
                return Err(Refusal::new(400, "BadRequest", message));
            }
            if name == "$select" {
                self.select.get_or_insert_default().push(part.to_owned());
            } else {
                self.expand.push(part.to_owned());
            }
        }
        Ok(())
    }

    /// Whether a property is asked for by name.
    pub(crate) fn selects(&self, property: &str) -> bool {
        self.select.iter().flatten().any(|name| name == property)
    }

    /// One row as an object.
    pub(crate) fn object(&self, schema: &Schema, rows: &dyn Rows, at: usize, cut: usize) -> Json {
        let mut object = Map::new();
        match &self.select {
            Some(names) => {
                for name in names {
                    object.insert(name.clone(), rows.value(at, name));
                }
            }
            None => {
                for name in schema.properties {
                    object.insert((*name).to_owned(), rows.value(at, name));
                }
            }
        }
        for name in &self.expand {
            let mut relation = rows.relation(at, name);
            if let Some(list) = relation.as_array_mut() {
                list.truncate(cut);
            }
            object.insert(name.clone(), relation);
        }
        Json::Object(object)
    }
}

pub(crate) fn unknown_option(name: &str) -> Refusal {
    Refusal::bad_request(format!("The query option '{name}' is not supported by this resource."))
}

fn top(value: &str, largest: Option<usize>) -> Result<usize, Refusal> {
    let Some(largest) = largest else { return Err(unknown_option("$top")) };
    match value.parse() {
        Ok(top) if (1..=largest).contains(&top) => Ok(top),
        _ => Err(Refusal::bad_request(format!(
            "Invalid page size specified: '{value}'. Must be between 1 and {largest} inclusive."
        ))),
    }
}

/// Where a listing goes on.
#[derive(Debug, Clone)]
struct Cursor {
    of: String,
    position: usize,
    issued: i64,
}

/// All open page tokens.
#[derive(Debug, Default)]
pub(crate) struct Cursors(Mutex<HashMap<String, Cursor>>);

impl Cursors {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Cursor>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends all page tokens.
    pub(crate) fn expire(&self) {
        self.with(HashMap::clear);
    }

    pub(crate) fn open(&self, of: String, position: usize, issued: i64) -> String {
        let token = format!("RFNwdAIAAQAAAFAKE{}", random_text(40));
        self.with(|cursors| cursors.insert(token.clone(), Cursor { of, position, issued }));
        token
    }

    /// The position of a token of this listing.
    pub(crate) fn position(&self, token: &str, of: &str, now: i64, life: i64) -> Option<usize> {
        let cursor = self.with(|cursors| cursors.get(token).cloned())?;
        (cursor.of == of && now < cursor.issued.saturating_add(life)).then_some(cursor.position)
    }
}

/// A request for a listing, as its resource sees it.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) base_url: &'a str,
    pub(crate) version: &'a str,
    pub(crate) path: &'a str,
    pub(crate) request: &'a Request,
    pub(crate) view: View<'a>,
    pub(crate) cursors: &'a Cursors,
}

impl Ask<'_> {
    /// `@odata.context`.
    pub(crate) fn context(&self, options: &Options, one: bool) -> String {
        let select = options.select.as_ref().map(|names| format!("({})", names.join(",")));
        let entity = if one { "/$entity" } else { "" };
        format!(
            "{}/{}/$metadata#{}{}{entity}",
            self.base_url,
            self.version,
            self.path,
            select.unwrap_or_default()
        )
    }

    /// The address of this listing with one more parameter.
    pub(crate) fn link(&self, name: &str, value: &str) -> String {
        let mut query = String::new();
        let tokens = ["$skiptoken", "$deltatoken"];
        let kept = self.request.query.iter().filter(|(name, _)| !tokens.contains(&name.as_str()));
        for (name, value) in kept {
            query.push_str(&format!("{name}={}&", escaped(value)));
        }
        format!("{}/{}/{}?{query}{name}={value}", self.base_url, self.version, self.path)
    }

    /// What a page token is bound to.
    pub(crate) fn identity(&self) -> String {
        self.link("", "")
    }

    /// One page.
    pub(crate) fn page(
        &self,
        schema: &Schema,
        options: &Options,
        rows: &dyn Rows,
    ) -> Result<Reply, Refusal> {
        let behaviour = &self.view.state.behaviour;
        let now = self.view.wall_ms / 1_000;
        let first = options.skip_token.is_none();
        let start = match &options.skip_token {
            None => 0,
            Some(token) => self
                .cursors
                .position(token, &self.identity(), now, behaviour.page_token_seconds)
                .ok_or_else(Refusal::page_token)?,
        };
        let usual = schema.usual.unwrap_or(behaviour.default_page);
        let mut size = options.top.unwrap_or(usual).min(behaviour.page_cap.max(1));
        if options.selects("signInActivity") {
            size = size.min(120);
        }
        let mut value = Vec::new();
        let mut next = None;
        for at in (start..rows.length()).filter(|at| rows.shown(*at)) {
            if value.len() == size {
                next = Some(at);
                break;
            }
            value.push(options.object(schema, rows, at, behaviour.expand_limit));
        }
        if first && behaviour.empty_first_pages && next.is_some() {
            value.clear();
            next = Some(0);
        }
        let mut body = Map::new();
        body.insert("@odata.context".to_owned(), json!(self.context(options, false)));
        if options.count {
            let all = (0..rows.length()).filter(|at| rows.shown(*at)).count();
            body.insert("@odata.count".to_owned(), json!(all));
        }
        if let Some(position) = next {
            let token = self.cursors.open(self.identity(), position, now);
            body.insert("@odata.nextLink".to_owned(), json!(self.link("$skiptoken", &token)));
        }
        body.insert("value".to_owned(), Json::Array(value));
        Ok(Reply::json(200, Json::Object(body).to_string()))
    }

    /// One object.
    pub(crate) fn one(
        &self,
        schema: &Schema,
        options: &Options,
        rows: &dyn Rows,
        at: usize,
    ) -> Reply {
        let cut = self.view.state.behaviour.expand_limit;
        let mut object = options.object(schema, rows, at, cut);
        object["@odata.context"] = json!(self.context(options, true));
        Reply::json(200, object.to_string())
    }
}

/// A query value as Graph writes it into links.
fn escaped(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
}
