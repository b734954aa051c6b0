//! `sarif`: SARIF 2.1.0, for code scanning. The kinds of change are the rules; what cannot be compared stands beside the results.
//!
//! All results point at one file: that of the newer snapshot, in which a change can be looked up by its id, or what says where it lies.

use std::{collections::BTreeMap, io::Write, path::Path};

use serde_json::{Value, json};

use super::{
    super::{
        sarif::{
            self, FRAME, RESULTS, ROOT,
            notifications::{descriptor, notification},
            rule::pascal,
            unlinked, uri,
        },
        stream::Object,
    },
    ChangesError, blank, fingerprint, hidden,
    meaning::meaning,
    quota::Quota,
};
use crate::inventory::diff::{Change, Diff, Kind, TenantDiff};

/// What another scan could show.
const NOT_COMPARED: &str = "not-compared";
/// What neither scan could see, and no other could.
const NOT_VISIBLE: &str = "not-visible";
/// What has no room.
const LEFT_OUT: &str = "left-out";
/// What is not listed.
const PLATFORM: &str = "platform-apps";

/// Ids of notifications, what they mean, and what to do.
const DESCRIPTORS: [(&str, &str, &str); 4] = [
    (
        NOT_COMPARED,
        "A snapshot did not see something that another scan could show: changes may be missing.",
        "Scan again, or give the scanner the right that the message names.",
    ),
    (
        NOT_VISIBLE,
        "Something cannot be compared that neither scan could see, and that no other right, time or try would show.",
        "The message says why; the connector's page says what a platform shows.",
    ),
    (
        LEFT_OUT,
        "There are more results than a run may have.",
        "Compare tenant by tenant, or read the JSON report, which has every change.",
    ),
    (
        PLATFORM,
        "Changes of the platforms' own apps are counted and not listed.",
        "`grantwarden diff --all` lists them.",
    ),
];

pub(super) fn write(
    diff: &Diff<'_>,
    file: Option<&Path>,
    to: &mut dyn Write,
) -> Result<(), ChangesError> {
    let mut quota = Quota::new(diff, RESULTS);
    let kinds = diff.counts();
    let rules: Vec<Value> = kinds.keys().copied().map(rule).collect();
    let index: BTreeMap<Kind, usize> =
        kinds.keys().enumerate().map(|(at, kind)| (*kind, at)).collect();
    to.write_all(FRAME[0])?;
    let mut run = Object::open(to)?;
    let descriptors = DESCRIPTORS.map(descriptor);
    run.member("tool", &json!({ "driver": sarif::driver(&rules, &descriptors) }))?;
    let id = format!("grantwarden-diff/{}", diff.new.header.taken_at);
    run.member("automationDetails", &json!({ "id": id }))?;
    sarif::bases(&mut run)?;
    run.member("invocations", &[invocation(diff, &quota)])?;
    let mut results = run.list("results")?;
    diff.for_each_in_its_tenant::<ChangesError>(|at, change| {
        if quota.takes(change.kind) {
            results.item(&result(&diff.tenants[at], index.get(&change.kind), file, change))?;
        }
        Ok(())
    })?;
    results.close()?;
    run.close()?;
    Ok(to.write_all(FRAME[1])?)
}

const fn level(kind: Kind) -> &'static str {
    if kind.may_give_access() { "warning" } else { "note" }
}

fn rule(kind: Kind) -> Value {
    let mut letters = kind.title().chars();
    let title: String =
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect();
    let mut rule = json!({
        "id": kind,
        "shortDescription": { "text": title },
        "fullDescription": { "text": meaning(kind) },
        "help": { "text": meaning(kind) },
        "defaultConfiguration": { "level": level(kind) },
        "properties": { "tags": ["oauth"] },
    });
    let id = kind.to_string();
    let name = pascal(&id);
    // A name that only repeats the id is none.
    if !name.eq_ignore_ascii_case(&id) {
        rule["name"] = name.into();
    }
    rule
}

/// The comparison as an `invocation` (section 3.20 of the form): successful only if everything that scans can see was compared.
fn invocation(diff: &Diff<'_>, quota: &Quota) -> Value {
    let of_blank = |entry: &crate::inventory::diff::NotCompared| {
        let (id, level) =
            if entry.counts { (NOT_COMPARED, "error") } else { (NOT_VISIBLE, "note") };
        notification(id, level, &format!("{}: {}", entry.tenant, blank(entry)))
    };
    let left_out = quota.left_out().map(|text| notification(LEFT_OUT, "warning", &text));
    let hidden = hidden(diff).map(|text| notification(PLATFORM, "note", &text));
    let blanks = diff.not_compared.iter().map(of_blank);
    json!({
        "executionSuccessful": diff.is_whole(),
        "toolExecutionNotifications": blanks.chain(left_out).chain(hidden).collect::<Vec<_>>(),
    })
}

fn result(
    tenant: &TenantDiff,
    rule: Option<&usize>,
    file: Option<&Path>,
    change: &Change,
) -> Value {
    let fingerprint = fingerprint(tenant, change);
    let mut result = json!({
        "ruleId": change.kind,
        "level": level(change.kind),
        "message": { "text": unlinked(&change.message) },
        "locations": [location(file, change)],
        // Code scanning looks at the first alone; the second says what it is.
        "partialFingerprints": {
            "primaryLocationLineHash": fingerprint,
            "grantwardenChange/v1": fingerprint,
        },
        "properties": change,
    });
    if let Some(at) = rule {
        result["ruleIndex"] = (*at).into();
    }
    result
}

fn location(file: Option<&Path>, change: &Change) -> Value {
    let subject = &change.subject;
    let app = change.app.as_ref().map(|app| app.id.as_str());
    let mut path: Vec<&str> = [Some(change.tenant.as_str()), app].into_iter().flatten().collect();
    if path.last() != Some(&subject.id.as_str()) {
        path.push(&subject.id);
    }
    let mut location = json!({
        "logicalLocations": [{
            "name": super::super::plain(&subject.label),
            "fullyQualifiedName": path.join("/"),
            "kind": "resource",
        }],
    });
    if let Some(file) = file {
        location["physicalLocation"] = json!({
            "artifactLocation": uri::location(file, ROOT),
            "region": { "startLine": 1 },
        });
    }
    location
}
