//! The query endpoints: a page of records as JSON, and query locators for the pages after it. What a
//! query means is SOQL's; who may ask was settled before.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::Core;
use super::error::Refusal;
use super::id::Id;
use super::permission::Permission;
use super::schema::{Api, Entity, View};
use super::soql::eval;
use super::soql::parser::parse;
use super::soql::plan::{Fields, Output, Plan, Shape, plan};
use super::state::prefix;
use super::value::Value;
use crate::wire::{Reply, Request};

/// Groups that one reply may hold: an aggregate query has no second page.
const MOST_GROUPS: usize = 2_000;
const SMALLEST_PAGE: usize = 200;
const LARGEST_PAGE: usize = 2_000;

/// An open query.
#[derive(Debug, Clone)]
struct Cursor {
    user: usize,
    soql: String,
    plan: Arc<Plan>,
    rows: Arc<[u32]>,
    page: usize,
    opened: i64,
    expired: bool,
}

/// The open queries of an org, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Cursors(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    next: usize,
    cursors: BTreeMap<usize, Cursor>,
}

impl Cursors {
    /// Ends every open query.
    pub(crate) fn expire(&self) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.cursors.values_mut().for_each(|cursor| cursor.expired = true);
    }

    /// The query behind a locator, as a caller would name it in a path.
    pub(crate) fn soql(&self, locator: &str) -> Option<String> {
        self.get(locator).map(|(cursor, _)| cursor.soql)
    }

    fn open(&self, cursor: Cursor, most: usize) -> usize {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own: Vec<usize> = open
            .cursors
            .iter()
            .filter(|(_, other)| other.user == cursor.user)
            .map(|(serial, _)| *serial)
            .collect();
        for serial in own.iter().take((own.len() + 1).saturating_sub(most)) {
            open.cursors.remove(serial);
        }
        let serial = open.next;
        open.next += 1;
        open.cursors.insert(serial, cursor);
        serial
    }

    fn get(&self, locator: &str) -> Option<(Cursor, usize)> {
        let (id, offset) = locator.rsplit_once('-')?;
        let serial = Id::parse(id)?.serial(prefix::LOCATOR)?;
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some((open.cursors.get(&serial)?.clone(), offset.parse().ok()?))
    }
}

/// Where a query came in, so that the next page can be named.
#[derive(Debug, Clone, Copy)]
pub(super) struct Endpoint<'a> {
    pub(super) api: Api,
    pub(super) version: &'a str,
}

impl Endpoint<'_> {
    fn path(self) -> String {
        let tooling = if self.api == Api::Tooling { "/tooling" } else { "" };
        format!("/services/data/{}{tooling}", self.version)
    }
}

impl Core {
    /// `GET …/query?q=`.
    pub(super) fn query(
        &self,
        endpoint: Endpoint<'_>,
        view: View<'_>,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        super::only_params(request, &["q"])?;
        let soql = request.param("q").filter(|soql| !soql.trim().is_empty()).ok_or_else(|| {
            let message = "SOQL statements cannot be empty or null";
            Refusal::new(400, "MALFORMED_QUERY", message)
        })?;
        let behaviour = &view.state.behaviour;
        let asked = batch_size(request)?.unwrap_or(behaviour.page_size);
        let plan = parse(soql)
            .and_then(|query| plan(&query, view, endpoint.api, self.clock.world()))
            .map_err(|error| error.refusal(soql))?;

        let tokens = plan.entity.name == "OauthToken";
        if tokens && behaviour.oauth_token_forbidden_without_permission {
            let held = view.state.users[view.caller].permissions();
            if !held.has(Permission::CustomizeApplication) {
                return Err(Refusal::access("insufficient access rights on object OauthToken"));
            }
        }
        let page = match &plan.shape {
            Shape::Count => {
                let counted = eval::count(&plan, view);
                Page::new(counted.min(plan.limit.unwrap_or(usize::MAX)), None, Vec::new())
            }
            Shape::Groups { outputs, .. } => groups(&plan, outputs, view)?,
            Shape::Rows { fields, .. } => {
                let cap = if tokens { behaviour.oauth_token_cap } else { usize::MAX };
                let most = if tokens { behaviour.oauth_token_page } else { LARGEST_PAGE };
                let size = asked.min(most).max(1);
                let rows: Arc<[u32]> = eval::rows(&plan, view, cap).into();
                let next = (rows.len() > size).then(|| {
                    let serial = self.cursors.open(
                        Cursor {
                            user: view.caller,
                            soql: soql.to_owned(),
                            plan: Arc::new(plan.clone()),
                            rows: rows.clone(),
                            page: size,
                            opened: self.clock.wall().as_second(),
                            expired: false,
                        },
                        behaviour.open_locators,
                    );
                    let locator = view.state.id(prefix::LOCATOR, serial);
                    format!("{}/query/{locator}-{size}", endpoint.path())
                });
                let shown = rows.iter().copied().take(size);
                let records = records(shown, plan.entity, fields, view, endpoint.version);
                Page::new(rows.len(), next, records.collect())
            }
        };
        Ok(page.reply())
    }

    /// `GET …/query/{locator}`.
    pub(super) fn query_more(
        &self,
        endpoint: Endpoint<'_>,
        view: View<'_>,
        request: &Request,
        locator: &str,
    ) -> Result<Reply, Refusal> {
        super::only_params(request, &[])?;
        batch_size(request)?;
        let invalid = || Refusal::new(400, "INVALID_QUERY_LOCATOR", "invalid query locator");
        let (cursor, offset) = self.cursors.get(locator).ok_or_else(invalid)?;
        if cursor.user != view.caller || offset >= cursor.rows.len() {
            return Err(invalid());
        }
        let life = i64::try_from(view.state.behaviour.locator_seconds).unwrap_or(i64::MAX);
        if cursor.expired || self.clock.wall().as_second() >= cursor.opened.saturating_add(life) {
            return Err(Refusal::new(400, "QUERY_LOCATOR_EXPIRED", "query locator has expired"));
        }
        let Shape::Rows { fields, .. } = &cursor.plan.shape else { return Err(invalid()) };
        let end = (offset + cursor.page).min(cursor.rows.len());
        let next = (end < cursor.rows.len()).then(|| {
            let id = locator.rsplit_once('-').map_or(locator, |(id, _)| id);
            format!("{}/query/{id}-{end}", endpoint.path())
        });
        let entity = cursor.plan.entity;
        // What was deleted or hidden since the first page is left out, and the total stays.
        let page = cursor.rows[offset..end].iter().copied();
        let shown = page.filter(|row| entity.visible(view, *row as usize));
        let records = records(shown, entity, fields, view, endpoint.version).collect();
        Ok(Page::new(cursor.rows.len(), next, records).reply())
    }
}

fn groups<'a>(plan: &Plan, outputs: &'a [Output], view: View<'a>) -> Result<Page<'a>, Refusal> {
    let groups = eval::groups(plan, view);
    if groups.len() > MOST_GROUPS {
        let message = "Aggregate query does not support queryMore(), use LIMIT to restrict the \
                       results to a single batch";
        return Err(Refusal::new(400, "EXCEEDED_ID_LIMIT", message));
    }
    let total = groups.len();
    let records = groups.into_iter().map(|cells| Record::Group { outputs, cells });
    Ok(Page::new(total, None, records.collect()))
}

fn records<'a>(
    rows: impl Iterator<Item = u32>,
    entity: &'static Entity,
    fields: &'a Fields,
    view: View<'a>,
    version: &'a str,
) -> impl Iterator<Item = Record<'a>> {
    rows.map(move |row| Record::Row { entity, fields, view, row: row as usize, version })
}

/// `Sforce-Query-Options: batchSize=N`.
fn batch_size(request: &Request) -> Result<Option<usize>, Refusal> {
    let Some(header) = request.header("sforce-query-options") else { return Ok(None) };
    let size = header.trim().strip_prefix("batchSize=").and_then(|size| size.parse().ok());
    match size {
        Some(size @ SMALLEST_PAGE..=LARGEST_PAGE) => Ok(Some(size)),
        _ => {
            let message = format!("batchSize must be between {SMALLEST_PAGE} and {LARGEST_PAGE}");
            Err(Refusal::new(400, "INVALID_BATCH_SIZE", message))
        }
    }
}

/// The body of a query's reply.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    total_size: usize,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_records_url: Option<String>,
    records: Vec<Record<'a>>,
}

impl<'a> Page<'a> {
    fn new(total_size: usize, next_records_url: Option<String>, records: Vec<Record<'a>>) -> Self {
        Self { total_size, done: next_records_url.is_none(), next_records_url, records }
    }

    fn reply(&self) -> Reply {
        match serde_json::to_string(self) {
            Ok(body) => Reply::json(200, body),
            Err(error) => Refusal::new(500, "UNKNOWN_EXCEPTION", error.to_string()).reply(),
        }
    }
}

/// One record, read from the tables only while it is written.
pub(super) enum Record<'a> {
    /// A row of a table, with parents nested.
    Row {
        entity: &'static Entity,
        fields: &'a Fields,
        view: View<'a>,
        row: usize,
        version: &'a str,
    },
    /// A group.
    Group { outputs: &'a [Output], cells: Vec<Value<'a>> },
}

#[derive(Serialize)]
struct Attributes<'a> {
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Group { outputs, cells } => {
                let attributes = Attributes { r#type: "AggregateResult", url: None };
                map.serialize_entry("attributes", &attributes)?;
                for (output, cell) in outputs.iter().zip(cells) {
                    map.serialize_entry(&output.name, cell)?;
                }
            }
            Self::Row { entity, fields, view, row, version } => {
                let id = entity.id(*view, *row);
                let url = format!("/services/data/{version}/sobjects/{}/{id}", entity.name);
                let attributes = Attributes { r#type: entity.name, url: Some(url) };
                map.serialize_entry("attributes", &attributes)?;
                for column in &fields.columns {
                    map.serialize_entry(column.name, &(column.get)(*view, *row))?;
                }
                for (relation, fields) in &fields.parents {
                    let parent = (relation.follow)(*view, *row).map(|row| Record::Row {
                        entity: relation.to,
                        fields,
                        view: *view,
                        row,
                        version,
                    });
                    map.serialize_entry(relation.name, &parent)?;
                }
            }
        }
        map.end()
    }
}
