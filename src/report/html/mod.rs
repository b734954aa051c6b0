//! `html`: one file for people, that works from a disk, asks no network for anything, and runs no script but its own.
//!
//! The page is a template; behind it come the findings as data, one after the other, and the script that shows them. No text from a
//! platform ever becomes HTML: the template escapes it, the data is JSON, and the script sets text only.

mod apps;
mod basis;
mod charts;
mod coverage;
mod data;
mod facts;
mod findings;
mod quota;
pub(super) mod security;
mod summary;
pub(super) mod text;
mod vendors;

use std::{collections::BTreeMap, io::Write};

use askama::Template;
use serde::Serialize;

use self::{
    apps::Apps,
    basis::{Accepted, Basis},
    charts::Chart,
    coverage::Coverage,
    facts::Facts,
    findings::Shown,
    quota::Quota,
    summary::Summary,
    vendors::{Exposures, Matrix},
};
use super::json::{self, RuleText};
use crate::{
    finding::Severity,
    registry,
    scan::{JudgeError, Judged},
};

pub(super) const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = concat!(include_str!("grid.js"), include_str!("script.js"));

/// Everything before the data.
#[derive(Template)]
#[template(path = "page.html", config = "src/report/html/askama.toml")]
struct Page<'a> {
    security: String,
    style: &'static str,
    version: &'static str,
    taken_at: String,
    judged_at: Option<String>,
    day: String,
    tenants: Vec<String>,
    coverage: Coverage,
    summary: Summary,
    exposures: Exposures,
    matrix: Matrix,
    facts: &'a Facts,
    charts: [Chart; 2],
    findings: Vec<Shown>,
    /// Whether a store tells since when findings are there.
    dated: bool,
    /// How many findings there are.
    total: u64,
    /// What of the findings the page does not hold, if anything.
    left_out: Option<String>,
    apps: &'a Apps,
    accepted: Accepted,
    basis: Basis,
}

/// What the script needs to know besides findings and apps.
#[derive(Serialize)]
struct Known<'a> {
    severities: [&'static str; 5],
    /// Name and platform of each tenant, in the order of the inventory.
    tenants: Vec<[String; 2]>,
    /// The platforms' names by id.
    platforms: BTreeMap<&'a str, &'a str>,
    rules: &'a BTreeMap<String, RuleText>,
    /// How many findings the blocks hold.
    findings: u64,
    /// Whether it is known since when they are there.
    dated: bool,
}

pub(super) fn write(judged: &Judged<'_>, to: &mut dyn Write) -> Result<(), JudgeError> {
    let facts = Facts::gather(judged)?;
    let rules = json::rule_texts(judged);
    let quota = Quota::new(&judged.counts, findings::MOST);
    let apps = Apps::new(judged, &facts);
    page(judged, &facts, &rules, &quota, &apps)?.write_into(to)?;
    data::block(to, "id=\"known\"", &known(judged, &rules, &quota))?;
    data::block(to, "id=\"app-rows\"", &apps.rows)?;
    findings::write(judged, quota, to)?;
    write!(to, "<script>{SCRIPT}</script>\n</body>\n</html>\n")?;
    Ok(())
}

fn page<'a>(
    judged: &Judged<'_>,
    facts: &'a Facts,
    rules: &BTreeMap<String, RuleText>,
    quota: &Quota,
    apps: &'a Apps,
) -> Result<Page<'a>, JudgeError> {
    let taken_at = judged.inventory.header.taken_at;
    let now = judged.surroundings.now;
    let tenants = judged.inventory.tenants.iter();
    Ok(Page {
        security: security::policy(STYLE, Some(SCRIPT)),
        style: STYLE,
        version: env!("CARGO_PKG_VERSION"),
        taken_at: taken_at.whole_second().to_string(),
        judged_at: (now != taken_at).then(|| now.whole_second().to_string()),
        day: taken_at.date(),
        tenants: tenants.map(|tenant| text::name(&tenant.end.name)).collect(),
        coverage: coverage::coverage(judged),
        summary: summary::summary(judged),
        exposures: vendors::exposures(judged, facts),
        matrix: vendors::matrix(judged),
        facts,
        charts: charts::charts(facts),
        findings: findings::gravest(judged)?,
        dated: judged.has_history(),
        total: judged.counts.all().total(),
        left_out: left_out(quota),
        apps,
        accepted: basis::accepted(judged),
        basis: basis::basis(judged, rules)?,
    })
}

/// Says which findings the page does not hold.
fn left_out(quota: &Quota) -> Option<String> {
    let (active, accepted) = (&quota.active_left_out, quota.accepted_left_out.total());
    let kinds = Severity::ALL.into_iter().rev().filter(|severity| active.of(*severity) > 0);
    let mut kinds: Vec<String> =
        kinds.map(|severity| format!("{} {severity}", text::number(active.of(severity)))).collect();
    if accepted > 0 {
        kinds.push(format!("{} accepted", text::number(accepted)));
    }
    (!kinds.is_empty()).then(|| {
        format!(
            "This page holds {} findings, the gravest first. {} are left out ({}); the JSON report has all.",
            text::number(findings::MOST),
            text::number(quota.left_out()),
            kinds.join(", ")
        )
    })
}

fn known<'a>(
    judged: &'a Judged<'_>,
    rules: &'a BTreeMap<String, RuleText>,
    quota: &Quota,
) -> Known<'a> {
    let tenants = judged.inventory.tenants.iter();
    let platforms = judged.inventory.tenants.iter().filter_map(|tenant| {
        let id = tenant.end.platform.as_str();
        Some((id, registry::find(id)?.manifest().name.as_str()))
    });
    Known {
        severities: Severity::ALL.map(Severity::as_str),
        tenants: tenants
            .map(|tenant| [text::name(&tenant.end.name), text::name(&tenant.end.platform)])
            .collect(),
        platforms: platforms.collect(),
        rules,
        findings: judged.counts.all().total() - quota.left_out(),
        dated: judged.has_history(),
    }
}
