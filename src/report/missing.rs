//! What a scan did not see, as sentences for the formats that have no place for coverage. None of them may look complete without being so.

use crate::{inventory::TenantRecords, report::table::number, scan::Judged};

/// Something that was not seen.
pub(super) struct Missing {
    /// Whether it was promised, so that the scan is incomplete.
    pub(super) is_grave: bool,
    /// What it is and why.
    pub(super) text: String,
}

/// What of a tenant was not seen, in the order of its coverage.
pub(super) fn of_tenant(tenant: &TenantRecords) -> Vec<Missing> {
    let failure = tenant.end.failure.iter().map(|failure| {
        let hint = failure.hint.as_ref().map(|hint| format!(" (hint: {hint})"));
        let text = format!("nothing was read: {}{}", failure.message, hint.unwrap_or_default());
        Missing { is_grave: true, text }
    });
    let losses = tenant.end.coverage.parts.iter().flat_map(|part| {
        part.losses.iter().map(move |loss| Missing {
            is_grave: part.promised && loss.gap.reason.is_loss(),
            text: match loss.rows {
                Some(rows) => {
                    format!("{}: {} missing: {}", part.title, number(rows, "row"), loss.gap.detail)
                }
                None => format!("{}: {}", part.title, loss.gap.detail),
            },
        })
    });
    failure.chain(losses).collect()
}

/// What makes a tenant incomplete, in one line; none if it is complete.
pub(super) fn why_incomplete(tenant: &TenantRecords) -> Option<String> {
    let grave = of_tenant(tenant).into_iter().filter(|missing| missing.is_grave);
    let texts: Vec<String> = grave.map(|missing| missing.text).collect();
    (!tenant.end.is_whole()).then(|| texts.join("; "))
}

/// What makes a scan incomplete although every tenant was read whole.
pub(super) fn beyond_tenants(judged: &Judged<'_>) -> Option<&'static str> {
    let is_read = judged.inventory.tenants.iter().all(|tenant| tenant.end.is_whole());
    (is_read && !judged.is_whole()).then_some(
        "a custom rule of the policy could not be asked about every record; the findings of coverage-gap say which",
    )
}
