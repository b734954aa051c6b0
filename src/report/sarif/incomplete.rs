//! Results for what was not seen. Code scanning shows no notifications, and a scan without alerts looks clean: these are no findings, and
//! count as none.

use serde_json::{Value, json};

use super::{super::missing, physical, unlinked};
use crate::{
    finding::{Fingerprint, SubjectKind},
    policy::custom::INCOMPLETE_SCAN,
    scan::Judged,
};

/// One thing that makes the scan incomplete.
pub(super) struct Gap<'a> {
    /// The tenant and its platform; none for what is in no tenant.
    tenant: Option<(&'a str, &'a str)>,
    /// What is not in a tenant: `scan`, `policy`.
    of: &'a str,
    why: String,
}

/// What makes the scan incomplete, tenant by tenant.
pub(super) fn gaps<'a>(judged: &Judged<'a>) -> Vec<Gap<'a>> {
    let tenants = judged.inventory.tenants.iter().filter_map(|tenant| {
        let why = missing::why_incomplete(tenant)?;
        let (name, platform) = (tenant.end.name.as_str(), tenant.end.platform.as_str());
        Some(Gap { tenant: Some((name, platform)), of: name, why })
    });
    let beyond = missing::beyond_tenants(judged).into_iter().map(|beyond| Gap {
        tenant: None,
        of: beyond.of,
        why: beyond.text.to_owned(),
    });
    tenants.chain(beyond).collect()
}

/// The rule that the results belong to.
pub(super) fn descriptor() -> Value {
    let help = "Give the scanner the right that the message names, or scan again; `grantwarden doctor` shows what each tenant lets it see.";
    json!({
        "id": INCOMPLETE_SCAN,
        "name": "IncompleteScan",
        "shortDescription": { "text": "The scan is incomplete" },
        "fullDescription": { "text": "Something that was promised was not read: what is not reported may still be there." },
        "help": { "text": help, "markdown": help },
        "defaultConfiguration": { "level": "error" },
        "properties": { "tags": ["security", "oauth"], "security-severity": "8.0" },
    })
}

/// A gap as a result of the rule at this place in the list.
pub(super) fn result(judged: &Judged<'_>, rule: usize, gap: &Gap<'_>) -> Value {
    let (tenant, platform) = gap.tenant.unzip();
    let text = format!("{}: not everything was read: {}", gap.of, gap.why);
    // By the user's name for the tenant: where nothing was read, the platform's id is not known.
    let kind = if tenant.is_some() { SubjectKind::Tenant } else { SubjectKind::Facet };
    let fingerprint =
        Fingerprint::of(INCOMPLETE_SCAN, platform.unwrap_or_default(), "", kind, gap.of);
    let accepted = json!([{
        "kind": "external",
        "status": "accepted",
        "justification": "accepted by allow_incomplete",
    }]);
    let mut location = json!({
        "logicalLocations": [{
            "name": super::plain(gap.of),
            "fullyQualifiedName": gap.of,
            "kind": "resource",
        }],
    });
    if let Some(physical) = physical(judged, tenant) {
        location["physicalLocation"] = physical;
    }
    json!({
        "ruleId": INCOMPLETE_SCAN,
        "ruleIndex": rule,
        "level": "error",
        "message": { "text": unlinked(&text) },
        "locations": [location],
        "partialFingerprints": {
            "primaryLocationLineHash": fingerprint,
            "grantwardenFingerprint/v1": fingerprint,
        },
        "suppressions": if judged.policy().allow_incomplete { accepted } else { json!([]) },
        "properties": { "severity": "high", "platform": platform, "tenant": tenant },
    })
}
