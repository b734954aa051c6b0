//! `sarif`: SARIF 2.1.0, for code scanning. A finding stands where the configuration names its tenant.
//!
//! The form: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>; what GitHub makes of it:
//! <https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support-for-code-scanning>.

mod incomplete;
pub(super) mod notifications;
mod quota;
pub(super) mod rule;
pub(super) mod uri;

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde_json::{Value, json};

use super::{json as document, plain, stream::Object};
use crate::{
    finding::{Finding, Severity, Status},
    scan::{JudgeError, Judged, News, Since},
};
use quota::Quota;

/// GitHub refuses a run with more results.
pub(super) const RESULTS: u64 = 25_000;

/// What relative addresses begin at: the root of the repository.
pub(super) const ROOT: &str = "%SRCROOT%";

/// What stands before the only run, and behind it.
pub(super) const FRAME: [&[u8]; 2] = [
    b"{\"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\", \"version\": \"2.1.0\", \"runs\": [",
    b"]}\n",
];

pub(super) fn write(judged: &Judged<'_>, to: &mut dyn Write) -> Result<(), JudgeError> {
    let gaps = incomplete::gaps(judged);
    // What was not seen goes before what was.
    let mut quota = Quota::new(&judged.counts, RESULTS.saturating_sub(gaps.len() as u64));
    let texts = document::rule_texts(judged);
    let Before { gravest, has_news } = Before::gather(judged)?;
    let mut rules: Vec<Value> = texts
        .iter()
        .map(|(id, text)| {
            let gravest = gravest.get(id).copied().unwrap_or(Severity::Info);
            rule::descriptor(judged, id, text, gravest)
        })
        .collect();
    let of_gaps = rules.len();
    if !gaps.is_empty() {
        rules.push(incomplete::descriptor());
    }
    let index: BTreeMap<&str, usize> =
        texts.keys().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
    let taken_at = judged.inventory.header.taken_at;
    to.write_all(FRAME[0])?;
    let mut run = Object::open(to)?;
    run.member("tool", &json!({ "driver": driver(&rules, &notifications::descriptors()) }))?;
    run.member("automationDetails", &json!({ "id": format!("grantwarden/{taken_at}") }))?;
    bases(&mut run)?;
    run.member("invocations", &[notifications::invocation(judged, quota.left_out())])?;
    let mut results = run.list("results")?;
    for gap in &gaps {
        let mut result = incomplete::result(judged, of_gaps, gap);
        if has_news {
            // It stands on all results or on none; that something was not seen is news each time.
            result["baselineState"] = "new".into();
        }
        results.item(&result)?;
    }
    judged.for_each_dated(|finding, since| {
        if quota.takes(finding) {
            let mut result = result(judged, &index, finding);
            date(&mut result, since, has_news);
            results.item(&result)?;
        }
        Ok(())
    })?;
    results.close()?;
    run.close()?;
    Ok(to.write_all(FRAME[1])?)
}

/// What places in the run are counted in, and what addresses begin at.
pub(super) fn bases(run: &mut Object<'_>) -> io::Result<()> {
    run.member("columnKind", &"unicodeCodePoints")?;
    let root = json!({ "description": { "text": "The root of the repository, in which the program was started." } });
    run.member("originalUriBaseIds", &json!({ ROOT: root }))
}

/// The program, with its rules and what it can notify of.
pub(super) fn driver(rules: &[Value], notifications: &[Value]) -> Value {
    json!({
        "name": "Grantwarden",
        "version": env!("CARGO_PKG_VERSION"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "shortDescription": { "text": env!("CARGO_PKG_DESCRIPTION") },
        "rules": rules,
        "notifications": notifications,
    })
}

/// What must be known before the first result is written.
struct Before {
    /// The gravest severity of each rule's findings: code scanning knows one for a rule, not for a result.
    gravest: BTreeMap<String, Severity>,
    /// Whether it is known of every finding how it compares with the scan before: `baselineState` stands on all results or on none
    /// (<https://github.com/oasis-tcs/sarif-spec/issues/284>).
    has_news: bool,
}

impl Before {
    fn gather(judged: &Judged<'_>) -> Result<Self, JudgeError> {
        let mut gravest: BTreeMap<String, Severity> = BTreeMap::new();
        let mut has_news = judged.has_history();
        judged.for_each_dated(|finding, since| {
            has_news &= since.is_some_and(|since| since.news.is_some());
            match gravest.get_mut(&finding.rule) {
                Some(known) => *known = (*known).max(finding.severity),
                None => {
                    gravest.insert(finding.rule.clone(), finding.severity);
                }
            }
            Ok(())
        })?;
        Ok(Self { gravest, has_news })
    }
}

/// Says since when a finding is there (sections 3.27.24 and 3.48 of the form).
fn date(result: &mut Value, since: Option<&Since>, has_news: bool) {
    let Some(since) = since else { return };
    if let Some(first_seen) = since.first_seen {
        result["provenance"] = json!({ "firstDetectionTimeUtc": first_seen });
    }
    if let Some(reopened_at) = since.reopened_at {
        result["properties"]["reopened_at"] = json!(reopened_at);
    }
    if let Some(news) = since.news.filter(|_| has_news) {
        result["baselineState"] = match news {
            // The scan before did not have it.
            News::New | News::Back => "new".into(),
            News::Unchanged => "unchanged".into(),
        };
    }
}

fn result(judged: &Judged<'_>, index: &BTreeMap<&str, usize>, finding: &Finding) -> Value {
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": { "text": message(finding) },
        "locations": [location(judged, finding)],
        // Code scanning looks at the first alone; the second says what it is.
        "partialFingerprints": {
            "primaryLocationLineHash": finding.fingerprint,
            "grantwardenFingerprint/v1": finding.fingerprint,
        },
        "suppressions": suppressions(&finding.status),
        "properties": {
            "severity": finding.severity,
            "confidence": finding.confidence,
            "status": finding.status,
            "platform": finding.platform,
            "tenant": finding.tenant,
            "subject": finding.subject,
        },
    });
    if let Some(at) = index.get(finding.rule.as_str()) {
        result["ruleIndex"] = (*at).into();
    }
    result
}

/// The sentence, and the facts it rests on.
fn message(finding: &Finding) -> String {
    let mut text = finding.message.clone();
    for evidence in &finding.evidence {
        text.push_str("\n- ");
        text.push_str(&format!("{}: {} [{}]", evidence.fact, evidence.value, evidence.source));
    }
    unlinked(&text)
}

/// A text of several lines in which nothing is a link (section 3.11.6 of the form).
pub(super) fn unlinked(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(plain).collect();
    lines.join("\n").replace("](", "] (")
}

fn location(judged: &Judged<'_>, finding: &Finding) -> Value {
    let subject = &finding.subject;
    let path = [finding.tenant.as_deref(), subject.app.as_ref().map(|app| app.id.as_str())];
    let mut path: Vec<&str> = path.into_iter().flatten().collect();
    if path.last() != Some(&subject.id.as_str()) {
        path.push(&subject.id);
    }
    let mut location = json!({
        "logicalLocations": [{
            "name": plain(&subject.label),
            "fullyQualifiedName": path.join("/"),
            "kind": "resource",
        }],
    });
    if let Some(physical) = physical(judged, finding.tenant.as_deref()) {
        location["physicalLocation"] = physical;
    }
    location
}

/// Where the configuration names a tenant; what stands for it if it does not.
fn physical(judged: &Judged<'_>, tenant: Option<&str>) -> Option<Value> {
    let (path, place) = judged.origin.place_of(tenant)?;
    Some(json!({
        "artifactLocation": uri::location(path, ROOT),
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
        },
    }))
}

/// Empty for what counts, as section 3.27.23 of the form has it.
fn suppressions(status: &Status) -> Vec<Value> {
    if *status == Status::Active {
        return Vec::new();
    }
    vec![json!({
        "kind": "external",
        "status": "accepted",
        "justification": plain(&status.to_string()),
    })]
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}
