//! `ocsf`: events of the Open Cybersecurity Schema Framework, one to a line, for SIEMs and data lakes.
//!
//! Findings are Detection Findings (class 2004); after them one Scan Activity (class 6007) for each tenant says whether it was read whole,
//! and one what else is missing.
//! Attributes: <https://schema.ocsf.io>; `docs/report.md` says why these classes.

use std::io::Write;

use grantwarden_kit::model::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    json::{self, RuleText},
    missing::{self, Beyond},
    stream::line,
};
use crate::{
    finding::{Confidence, Counts, Finding, Severity, Status},
    inventory::TenantRecords,
    rules,
    scan::{JudgeError, Judged, Since},
};

/// The version of the schema that the events follow. They use nothing that came after 1.5.0.
const VERSION: &str = "1.9.0";

/// ATT&CK as `rules` calls it.
const ATTACK: &str = "MITRE ATT&CK";

pub(super) fn write(judged: &Judged<'_>, to: &mut dyn Write) -> Result<(), JudgeError> {
    let texts = json::rule_texts(judged);
    let mut by_tenant = vec![Counts::default(); judged.inventory.tenants.len()];
    judged.for_each_dated(|finding, since| {
        let at = judged
            .inventory
            .tenants
            .iter()
            .position(|tenant| finding.tenant.as_ref() == Some(&tenant.end.name));
        if let Some(at) = at {
            by_tenant[at].add(finding.severity);
        }
        let tenant = at.map(|at| &judged.inventory.tenants[at]);
        let mut event = of_finding(judged, tenant, finding, texts.get(&finding.rule));
        date(&mut event, since);
        Ok(line(to, &event)?)
    })?;
    for (tenant, counts) in judged.inventory.tenants.iter().zip(by_tenant) {
        line(to, &of_scan(tenant, counts))?;
    }
    for beyond in missing::beyond_tenants(judged) {
        line(to, &of_beyond(judged, &beyond))?;
    }
    Ok(())
}

/// Milliseconds since 1970, `timestamp_t`.
pub(super) fn milliseconds(time: Timestamp) -> i64 {
    time.as_second().saturating_mul(1_000)
}

/// What every event says of itself; with the platform's id of the account.
pub(super) fn metadata(account: Option<&str>) -> Value {
    let product = json!({
        "name": "Grantwarden",
        "vendor_name": "Grantwarden",
        "version": env!("CARGO_PKG_VERSION"),
    });
    let mut metadata = json!({
        "version": VERSION,
        "product": product,
        "log_name": "grantwarden",
    });
    if let Some(account) = account {
        metadata["tenant_uid"] = account.into();
    }
    metadata
}

fn account(tenant: &TenantRecords) -> Option<&str> {
    tenant.tenant.as_ref().map(|account| account.id.as_str())
}

fn of_finding(
    judged: &Judged<'_>,
    tenant: Option<&TenantRecords>,
    finding: &Finding,
    text: Option<&RuleText>,
) -> Value {
    let is_active = finding.status == Status::Active;
    let fail_on = judged.policy().fail_on.severity();
    let (status_id, status) = if is_active { (1, "New") } else { (3, "Suppressed") };
    let evidences = finding.evidence.iter().map(|evidence| {
        json!({
            "name": evidence.fact,
            "data": { "value": evidence.value, "source": evidence.source },
        })
    });
    let (severity_id, severity) = severity(finding.severity);
    let (confidence_id, confidence) = confidence(finding.confidence);
    let mut event = json!({
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "category_uid": 2,
        "category_name": "Findings",
        "activity_id": 1,
        "activity_name": "Create",
        "type_uid": 200_401,
        "type_name": "Detection Finding: Create",
        "time": milliseconds(judged.inventory.header.taken_at),
        "severity_id": severity_id,
        "severity": severity,
        "confidence_id": confidence_id,
        "confidence": confidence,
        "status_id": status_id,
        "status": status,
        "is_alert": is_active && fail_on.is_some_and(|least| finding.severity >= least),
        "message": finding.message,
        "metadata": metadata(tenant.and_then(account)),
        "finding_info": finding_info(judged, finding, text),
        "resources": resources(tenant, finding),
        "evidences": evidences.collect::<Vec<_>>(),
    });
    if !is_active {
        event["status_detail"] = finding.status.to_string().into();
    }
    if let Some(remediation) = text.and_then(|text| remediation(finding, text)) {
        event["remediation"] = remediation;
    }
    event
}

fn finding_info(judged: &Judged<'_>, finding: &Finding, text: Option<&RuleText>) -> Value {
    let title = text.map_or(finding.rule.as_str(), |text| &text.title);
    let mut info = json!({
        "uid": finding.fingerprint,
        "title": title,
        "desc": finding.message,
        "types": [finding.rule],
        "last_seen_time": milliseconds(judged.inventory.header.taken_at),
        "analytic": { "type_id": 1, "type": "Rule", "uid": finding.rule, "name": title },
    });
    let controls = rules::find(&finding.rule).map_or(&[][..], |meta| meta.controls);
    let attacks: Vec<Value> = controls
        .iter()
        .filter(|control| control.framework == ATTACK)
        .map(|control| attack(control.id, control.title, control.url))
        .collect();
    if !attacks.is_empty() {
        info["attacks"] = attacks.into();
    }
    info
}

/// To the schema a finding is created when it is recorded and first seen when it was observed; here one scan does both.
fn date(event: &mut Value, since: Option<&Since>) {
    let Some(since) = since else { return };
    if let Some(first_seen) = since.first_seen {
        event["finding_info"]["first_seen_time"] = milliseconds(first_seen).into();
        event["finding_info"]["created_time"] = milliseconds(first_seen).into();
    }
    if let Some(reopened_at) = since.reopened_at {
        event["unmapped"] = json!({ "reopened_time": milliseconds(reopened_at) });
    }
}

/// `T1550.001` is a part of the technique `T1550`; its title has both names.
fn attack(id: &str, title: &str, url: &str) -> Value {
    let Some((technique, _)) = id.split_once('.') else {
        return json!({ "technique": { "uid": id, "name": title, "src_url": url } });
    };
    let (name, of_part) = title.split_once(": ").unwrap_or((title, title));
    json!({
        "technique": { "uid": technique, "name": name },
        "sub_technique": { "uid": id, "name": of_part, "src_url": url },
    })
}

/// What the finding is about, then its app, then the user behind it.
fn resources(tenant: Option<&TenantRecords>, finding: &Finding) -> Vec<Value> {
    let subject = &finding.subject;
    let resource = |kind: &str, id: &str, name: &str| {
        let mut resource = Map::new();
        resource.insert("type".to_owned(), kind.into());
        resource.insert("uid".to_owned(), id.into());
        resource.insert("name".to_owned(), name.into());
        if let Some(tenant) = tenant {
            resource.insert("namespace".to_owned(), tenant.end.name.as_str().into());
            resource.insert("group".to_owned(), json!({ "name": tenant.end.platform }));
        }
        resource
    };
    let mut itself = resource(subject.kind.as_str(), &subject.id, &subject.label);
    if let Some(principal) = &subject.principal {
        itself.insert("owner".to_owned(), json!({ "name": principal }));
    }
    let app = subject.app.as_ref().filter(|app| app.id != subject.id);
    let app = app.map(|app| resource("app", &app.id, &app.name));
    std::iter::once(itself).chain(app).map(Value::Object).collect()
}

fn remediation(finding: &Finding, text: &RuleText) -> Option<Value> {
    let steps: Vec<&str> = match &finding.platform {
        Some(platform) => text.remediation.get(platform)?.iter().map(String::as_str).collect(),
        None => text.remediation.values().flatten().map(String::as_str).collect(),
    };
    if steps.is_empty() {
        return None;
    }
    let mut remediation = json!({ "desc": steps.join("\n") });
    if !text.references.is_empty() {
        remediation["references"] = json!(text.references);
    }
    Some(remediation)
}

fn of_scan(tenant: &TenantRecords, counts: Counts) -> Value {
    let why = missing::why_incomplete(tenant);
    let times = [tenant.end.started_at, tenant.end.finished_at];
    let mut event = scan_activity(why.is_none(), times, account(tenant));
    let result =
        if why.is_none() { "read whole" } else { "not read whole: findings may be missing" };
    event["message"] = format!("{} ({}): {result}", tenant.end.name, tenant.end.platform).into();
    event["scan"] = json!({ "name": tenant.end.name, "type_id": 0, "type": "Unknown" });
    event["total"] = tenant.grants.into();
    event["num_detections"] = counts.total().into();
    if let Some(why) = why {
        event["status_detail"] = why.into();
    }
    event
}

/// A Scan Activity from one time to another, of an account by the platform's id.
pub(super) fn scan_activity(is_whole: bool, times: [Timestamp; 2], account: Option<&str>) -> Value {
    let (activity_id, activity) = if is_whole { (2, "Completed") } else { (6, "Error") };
    let [start, end] = times.map(milliseconds);
    json!({
        "class_uid": 6007,
        "class_name": "Scan Activity",
        "category_uid": 6,
        "category_name": "Application Activity",
        "activity_id": activity_id,
        "activity_name": activity,
        "type_uid": 600_700 + activity_id,
        "type_name": format!("Scan Activity: {activity}"),
        "time": end,
        "start_time": start,
        "end_time": end,
        "severity_id": if is_whole { 1 } else { 4 },
        "severity": if is_whole { "Informational" } else { "High" },
        "status_id": if is_whole { 1 } else { 2 },
        "status": if is_whole { "Success" } else { "Failure" },
        "metadata": metadata(account),
    })
}

/// What is missing whatever the tenants say.
fn of_beyond(judged: &Judged<'_>, beyond: &Beyond) -> Value {
    let start = judged.inventory.header.taken_at;
    let ends = judged.inventory.tenants.iter().map(|tenant| tenant.end.finished_at);
    let end = ends.max().unwrap_or(start);
    json!({
        "class_uid": 6007,
        "class_name": "Scan Activity",
        "category_uid": 6,
        "category_name": "Application Activity",
        "activity_id": 6,
        "activity_name": "Error",
        "type_uid": 600_706,
        "type_name": "Scan Activity: Error",
        "time": milliseconds(end),
        "start_time": milliseconds(start),
        "end_time": milliseconds(end),
        "severity_id": 4,
        "severity": "High",
        "status_id": 2,
        "status": "Failure",
        "status_detail": beyond.text,
        "message": format!("{}: incomplete: findings may be missing", beyond.of),
        "metadata": metadata(None),
        "scan": { "name": beyond.of, "type_id": 0, "type": "Unknown" },
    })
}

const fn severity(severity: Severity) -> (u8, &'static str) {
    match severity {
        Severity::Info => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

const fn confidence(confidence: Confidence) -> (u8, &'static str) {
    match confidence {
        Confidence::Low => (1, "Low"),
        Confidence::Medium => (2, "Medium"),
        Confidence::High => (3, "High"),
    }
}
