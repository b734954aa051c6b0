//! What a reader of results must know besides them: what was not seen, and what has no room. No scan may look complete without being so.

use serde_json::{Value, json};

use super::super::missing;
use crate::{exit::Exit, report::table::number, scan::Judged};

/// What was promised and not read.
const INCOMPLETE: &str = "incomplete";
/// What was not read and not promised.
const NOT_SEEN: &str = "not-seen";
/// What has no room.
const LEFT_OUT: &str = "left-out";
/// What a user should hear about the policy.
const POLICY: &str = "policy-warning";

/// Ids of notifications, what they mean, and what to do.
const DESCRIPTORS: [(&str, &str, &str); 4] = [
    (
        INCOMPLETE,
        "A promised part of a tenant was not read: findings may be missing.",
        "Give the scanner the right that the message names, or scan again; `grantwarden doctor` shows what each tenant lets it see.",
    ),
    (
        NOT_SEEN,
        "A part of a tenant that is not promised was not seen.",
        "The connector's page says what would make it visible.",
    ),
    (
        LEFT_OUT,
        "There are more results than a run may have.",
        "Raise the severity of what matters or accept what does not in the policy; the JSON report has every finding.",
    ),
    (
        POLICY,
        "An exception of the policy is unused, broken or weak.",
        "Mend or remove the entry of the policy that the message names.",
    ),
];

/// The notifications as `reportingDescriptor`s.
pub(super) fn descriptors() -> Vec<Value> {
    DESCRIPTORS.into_iter().map(descriptor).collect()
}

/// A kind of notification: its id, what it means, and what to do.
pub(in crate::report) fn descriptor((id, meaning, help): (&str, &str, &str)) -> Value {
    json!({
        "id": id,
        "shortDescription": { "text": meaning },
        "fullDescription": { "text": meaning },
        "help": { "text": help },
    })
}

/// The run as an `invocation` (section 3.20 of the form): successful only if everything that was promised was read.
pub(super) fn invocation(judged: &Judged<'_>, left_out: u64) -> Value {
    let mut all = Vec::new();
    for tenant in &judged.inventory.tenants {
        for missing in missing::of_tenant(tenant) {
            let (id, level) =
                if missing.is_grave { (INCOMPLETE, "error") } else { (NOT_SEEN, "note") };
            all.push(notification(id, level, &format!("{}: {}", tenant.end.name, missing.text)));
        }
    }
    for beyond in missing::beyond_tenants(judged) {
        all.push(notification(INCOMPLETE, "error", beyond.text));
    }
    if left_out > 0 {
        let text = format!(
            "{} have no room, because code scanning takes {} results of a run: the gravest that count go first. The JSON report has all.",
            number(left_out, "finding"),
            super::RESULTS
        );
        all.push(notification(LEFT_OUT, "warning", &text));
    }
    all.extend(judged.warnings().iter().map(|one| notification(POLICY, "warning", one)));
    let exit = judged.exit();
    json!({
        "executionSuccessful": judged.is_whole(),
        "exitCode": exit.code(),
        "exitCodeDescription": match exit {
            Exit::Clean => "clean",
            Exit::Findings => "findings at or above the threshold",
            Exit::Usage => "usage or configuration",
            Exit::Incomplete => "incomplete",
            Exit::Internal => "internal error",
        },
        "startTimeUtc": judged.inventory.header.taken_at,
        "toolExecutionNotifications": all,
    })
}

/// A notification of this kind.
pub(in crate::report) fn notification(id: &str, level: &str, text: &str) -> Value {
    json!({
        "descriptor": { "id": id },
        "level": level,
        "message": { "text": super::unlinked(text) },
    })
}
