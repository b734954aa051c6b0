//! Delta queries: everything once, then what changed. A delta token remembers how far the change log
//! was read; the log itself is in the state.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value as Json, json};

use super::error::Refusal;
use super::listing::{Ask, Options, Rows, Schema, unknown_option};
use super::state::Tracked;
use crate::keys::random_text;
use crate::wire::Reply;

/// Where a delta query goes on.
#[derive(Debug, Clone)]
struct Mark {
    of: String,
    issued: i64,
    step: Step,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Everything, from a position; afterwards the changes since.
    All { position: usize, since: usize },
    /// The changes since.
    Changes { since: usize },
}

/// All tokens of delta queries.
#[derive(Debug, Default)]
pub(crate) struct Marks(Mutex<HashMap<String, Mark>>);

impl Marks {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Mark>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends all tokens.
    pub(crate) fn expire(&self) {
        self.with(HashMap::clear);
    }

    fn open(&self, of: String, issued: i64, step: Step) -> String {
        let token = format!("FAKE{}", random_text(60));
        self.with(|marks| marks.insert(token.clone(), Mark { of, issued, step }));
        token
    }
}

/// One page of a delta query. `removed` tells how a row went, if it went.
pub(crate) fn page(
    ask: Ask<'_>,
    marks: &Marks,
    tracked: Tracked,
    schema: &Schema,
    rows: &dyn Rows,
    removed: impl Fn(usize) -> Option<&'static str>,
) -> Result<Reply, Refusal> {
    let state = ask.view.state;
    let now = ask.view.wall_ms / 1_000;
    let mut options = Options::default();
    let mut token = None;
    for (name, value) in &ask.request.query {
        match name.as_str() {
            "$select" => options.shape(name, value, schema)?,
            "$skiptoken" | "$deltatoken" => token = Some((name.as_str(), value.as_str())),
            _ => return Err(unknown_option(name)),
        }
    }
    let end = state.changes.len();
    let step = match token {
        None => Step::All { position: 0, since: end },
        Some(("$deltatoken", "latest")) => Step::Changes { since: end },
        Some((kind, text)) => {
            let mark = marks.with(|marks| marks.get(text).cloned());
            let life = state.behaviour.delta_token_seconds;
            let mark = mark
                .filter(|mark| mark.of == ask.identity() && now < mark.issued.saturating_add(life));
            match (mark, kind) {
                (Some(mark), _) => mark.step,
                (None, "$deltatoken") => {
                    return Err(Refusal::delta_token(&ask.link("$deltatoken", "")));
                }
                (None, _) => return Err(Refusal::page_token()),
            }
        }
    };
    let size = state.behaviour.page_cap.max(1);
    let cut = state.behaviour.expand_limit;
    let mut value = Vec::new();
    let next = match step {
        Step::All { position, since } => {
            let mut next = None;
            for at in (position..rows.length()).filter(|at| removed(*at).is_none()) {
                if value.len() == size {
                    next = Some(Step::All { position: at, since });
                    break;
                }
                value.push(options.object(schema, rows, at, cut));
            }
            next.ok_or(since)
        }
        Step::Changes { since } => {
            let log = state.changes.get(since..).unwrap_or_default();
            let mut next = None;
            for (offset, (_, row)) in log.iter().enumerate().filter(|(_, it)| it.0 == tracked) {
                let later = log.get(offset + 1..).unwrap_or_default();
                if later.contains(&(tracked, *row)) {
                    continue;
                }
                if value.len() == size {
                    next = Some(Step::Changes { since: since + offset });
                    break;
                }
                let at = *row as usize;
                value.push(match removed(at) {
                    Some(reason) => {
                        json!({ "id": rows.value(at, "id"), "@removed": { "reason": reason } })
                    }
                    None => options.object(schema, rows, at, cut),
                });
            }
            next.ok_or(end)
        }
    };
    let mut body = Map::new();
    let resource = ask.path.split('/').next().unwrap_or_default();
    let context = Ask { path: resource, ..ask }.context(&options, false);
    body.insert("@odata.context".to_owned(), json!(format!("{context}/$delta")));
    let (name, link) = match next {
        Ok(step) => {
            let token = marks.open(ask.identity(), now, step);
            ("@odata.nextLink", ask.link("$skiptoken", &token))
        }
        Err(since) => {
            let token = marks.open(ask.identity(), now, Step::Changes { since });
            ("@odata.deltaLink", ask.link("$deltatoken", &token))
        }
    };
    body.insert(name.to_owned(), json!(link));
    body.insert("value".to_owned(), Json::Array(value));
    Ok(Reply::json(200, Json::Object(body).to_string()))
}
