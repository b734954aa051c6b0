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

/// What makes a scan incomplete besides what its tenants say.
pub(super) struct Beyond {
    /// What it is about: `scan` or `policy`.
    pub(super) of: &'static str,
    /// What it is and why.
    pub(super) text: &'static str,
}

/// What makes a scan incomplete whatever its tenants say.
pub(super) fn beyond_tenants(judged: &Judged<'_>) -> Vec<Beyond> {
    let broken_off = Beyond {
        of: "scan",
        text: "the scan was broken off: tenants that it had not read by then are missing",
    };
    let unasked = Beyond {
        of: "policy",
        text: "a custom rule of the policy could not be asked about every record; the findings of coverage-gap say which",
    };
    let all = [(judged.is_broken_off, broken_off), (judged.has_unasked_rules(), unasked)];
    all.into_iter().filter_map(|(is_so, beyond)| is_so.then_some(beyond)).collect()
}
