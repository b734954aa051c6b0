//! `ocsf`: events of the Open Cybersecurity Schema Framework, one to a line, for SIEMs and data lakes.
//!
//! A change is an Entity Management (class 3004); after them one Scan Activity (class 6007) for each tenant says whether it was compared.
//! Attributes: <https://schema.ocsf.io>; `docs/diff.md` says why these classes.

use std::io::Write;

use serde_json::{Value, json};

use super::{
    super::{
        ocsf::{metadata, milliseconds, scan_activity},
        stream::line,
    },
    ChangesError, blanks_of, fingerprint,
};
use crate::inventory::diff::{Change, Diff, Kind, State, TenantDiff};

pub(super) fn write(diff: &Diff<'_>, to: &mut dyn Write) -> Result<(), ChangesError> {
    diff.for_each_in_its_tenant::<ChangesError>(|at, change| {
        Ok(line(to, &of_change(diff, &diff.tenants[at], change))?)
    })?;
    for tenant in &diff.tenants {
        line(to, &of_tenant(diff, tenant))?;
    }
    Ok(())
}

fn of_change(diff: &Diff<'_>, tenant: &TenantDiff, change: &Change) -> Value {
    let (activity_id, activity) = activity(change.kind);
    let (severity_id, severity) =
        if change.kind.may_give_access() { (3, "Medium") } else { (1, "Informational") };
    // It happened after the older scan and before the newer.
    let [then, now] = [diff.old, diff.new].map(|outline| milliseconds(outline.header.taken_at));
    let mut metadata = metadata(tenant.id.as_deref());
    metadata["event_code"] = change.kind.to_string().into();
    metadata["correlation_uid"] = fingerprint(tenant, change).to_string().into();
    json!({
        "class_uid": 3004,
        "class_name": "Entity Management",
        "category_uid": 3,
        "category_name": "Identity & Access Management",
        "activity_id": activity_id,
        "activity_name": activity,
        "type_uid": 300_400 + activity_id,
        "type_name": format!("Entity Management: {activity}"),
        "time": now,
        "start_time": then,
        "end_time": now,
        "severity_id": severity_id,
        "severity": severity,
        "message": change.message,
        "metadata": metadata,
        "entity": {
            "uid": change.subject.id,
            "name": change.subject.label,
            "type_id": 99,
            "type": change.subject.kind,
            "data": change,
        },
    })
}

/// The activity that the kind stands for. That a snapshot lacks a tenant is nobody's act.
const fn activity(kind: Kind) -> (u32, &'static str) {
    match kind {
        Kind::AppNew | Kind::GrantNew | Kind::CredentialAdded => (1, "Create"),
        Kind::AppGone | Kind::GrantGone | Kind::CredentialGone => (4, "Delete"),
        Kind::Unblocked => (8, "Enable"),
        Kind::Blocked => (9, "Disable"),
        Kind::TenantNew => (99, "Only in the newer snapshot"),
        Kind::TenantGone => (99, "Only in the older snapshot"),
        Kind::PublisherChanged
        | Kind::RedirectsChanged
        | Kind::Reissued
        | Kind::Widened
        | Kind::Narrowed
        | Kind::ReConsented
        | Kind::Predated
        | Kind::ApprovalChanged
        | Kind::ExpiryChanged
        | Kind::NetworkChanged
        | Kind::ReachChanged
        | Kind::HolderChanged
        | Kind::TokenChanged
        | Kind::CredentialRotated
        | Kind::OwnerLeft
        | Kind::OwnerBack => (3, "Update"),
    }
}

fn of_tenant(diff: &Diff<'_>, tenant: &TenantDiff) -> Value {
    let (missing, unseen) = (blanks_of(diff, tenant, true), blanks_of(diff, tenant, false));
    let is_whole = missing.is_empty() && tenant.state != State::NotComparable;
    let what = match tenant.state {
        State::Compared if is_whole => "compared",
        State::Compared => "not compared whole: changes may be missing",
        State::New => "only in the newer snapshot: nothing of it is compared",
        State::Gone => "only in the older snapshot: nothing of it is compared",
        State::NotComparable => "not compared: changes may be missing",
    };
    let times = [diff.old, diff.new].map(|outline| outline.header.taken_at);
    let mut event = scan_activity(is_whole, times, tenant.id.as_deref());
    event["message"] = format!("{} ({}): {what}", tenant.name, tenant.platform).into();
    event["scan"] = json!({ "name": tenant.name, "type_id": 99, "type": "Comparison" });
    event["num_detections"] = tenant.changes.values().sum::<u64>().into();
    let details: Vec<String> = missing.into_iter().chain(unseen).collect();
    if !details.is_empty() {
        event["status_detail"] = details.join("; ").into();
    }
    event
}
