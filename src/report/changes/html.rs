//! `html`: one page for people, in the look of the HTML report, without any script. What cannot be compared stands first.
//!
//! No text from a platform ever becomes HTML: the template escapes it.

use std::io::Write;

use askama::Template;
use grantwarden_kit::model::Timestamp;

use super::{
    super::html::{
        STYLE, security,
        text::{counted, name, number, sentence},
    },
    ChangesError, blank, hidden,
    quota::Quota,
};
use crate::inventory::diff::{Diff, NotCompared, Numbers, State, TenantDiff};

/// Changes that the page holds: a browser shows a table of so many at once.
const MOST: u64 = 5_000;

/// Things of each sort that cannot be compared that the page names.
const BLANKS: usize = 500;

#[derive(Template)]
#[template(path = "changes.html", config = "src/report/html/askama.toml")]
struct Page {
    security: String,
    style: &'static str,
    version: &'static str,
    /// When the scans began.
    times: [String; 2],
    days: [String; 2],
    is_whole: bool,
    result: String,
    tenants: Vec<OfTenant>,
    missing: Blanks,
    unseen: Blanks,
    hidden: Option<String>,
    /// What of the changes the page does not hold, if anything.
    left_out: Option<String>,
}

/// One tenant.
struct OfTenant {
    name: String,
    platform: String,
    /// The platform's id of the account.
    account: String,
    /// A class of the style.
    class: &'static str,
    state: &'static str,
    was: String,
    is: String,
    changes: u64,
    count: String,
    rows: Vec<Row>,
}

/// One change.
struct Row {
    kind: &'static str,
    gives_access: bool,
    app: String,
    principal: String,
    message: String,
}

/// What cannot be compared.
struct Blanks {
    /// Each with its tenant.
    named: Vec<[String; 2]>,
    /// How many are not named.
    more: usize,
}

pub(super) fn write(diff: &Diff<'_>, to: &mut dyn Write) -> Result<(), ChangesError> {
    let mut quota = Quota::new(diff, MOST);
    let left_out = quota.left_out();
    let mut tenants: Vec<OfTenant> = diff.tenants.iter().map(OfTenant::new).collect();
    diff.for_each_in_its_tenant::<ChangesError>(|at, change| {
        if quota.takes(change.kind) {
            tenants[at].rows.push(Row {
                kind: change.kind.title(),
                gives_access: change.kind.may_give_access(),
                app: change.app.as_ref().map(|app| name(&app.name)).unwrap_or_default(),
                principal: change.principal.as_deref().map(name).unwrap_or_default(),
                message: sentence(&change.message),
            });
        }
        Ok(())
    })?;
    let snapshots = [diff.old, diff.new].map(|outline| outline.header.taken_at);
    let page = Page {
        security: security::policy(STYLE, None),
        style: STYLE,
        version: env!("CARGO_PKG_VERSION"),
        times: snapshots.map(|at| at.whole_second().to_string()),
        days: snapshots.map(Timestamp::date),
        is_whole: diff.is_whole(),
        result: super::sentence(diff),
        tenants,
        missing: Blanks::new(diff, true),
        unseen: Blanks::new(diff, false),
        hidden: hidden(diff),
        left_out,
    };
    Ok(page.write_into(to)?)
}

impl OfTenant {
    fn new(tenant: &TenantDiff) -> Self {
        let numbers = |numbers: Option<Numbers>| {
            numbers.map_or("not there".to_owned(), |numbers| {
                let scan = if numbers.complete { "" } else { ", INCOMPLETE" };
                let grants = counted(numbers.grants, "grant");
                format!("{grants} of {}{scan}", counted(numbers.apps, "app"))
            })
        };
        let (class, state) = match tenant.state {
            State::Compared => ("read", "compared"),
            State::New => ("unseen", "only in the newer snapshot"),
            State::Gone => ("unseen", "only in the older snapshot"),
            State::NotComparable => ("missing", "NOT COMPARED"),
        };
        let changes = tenant.changes.values().sum();
        Self {
            name: name(&tenant.name),
            platform: name(&tenant.platform),
            account: tenant.id.as_deref().map_or_else(|| "account not read".to_owned(), name),
            class,
            state,
            was: numbers(tenant.old),
            is: numbers(tenant.new),
            changes,
            count: number(changes),
            rows: Vec::new(),
        }
    }

    /// How many changes the page does not hold.
    fn left_out(&self) -> u64 {
        self.changes.saturating_sub(self.rows.len() as u64)
    }
}

impl Blanks {
    /// That which makes the comparison incomplete, or that which does not.
    fn new(diff: &Diff<'_>, counts: bool) -> Self {
        let of = |entry: &&NotCompared| entry.counts == counts;
        let all = diff.not_compared.iter().filter(of);
        Self {
            more: all.clone().count().saturating_sub(BLANKS),
            named: all
                .take(BLANKS)
                .map(|entry| [name(&entry.tenant), sentence(&blank(entry))])
                .collect(),
        }
    }
}
