//! The audit log: changes that concern third parties, as events. It reaches back only so far; what is not in it did not therefore not
//! happen.

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    http::Request,
    model::{AuditEvent, Gap, Reason, Record, Timestamp},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Facts, Scan, gaps,
    listing::{Listing, book},
};
use crate::{
    api::Identified,
    rights::{AUDIT_LOG, ENTERPRISE_AUDIT_LOG, Need},
    site::{Account, Edition},
};

pub(super) const FACET: &str = "audit-events";
/// How far back github.com keeps the log: <https://docs.github.com/en/organizations/keeping-your-organization-secure/managing-security-settings-for-your-organization/reviewing-the-audit-log-for-your-organization>
const DAYS: u64 = 180;
/// The log has an hour of calls of its own.
const BUCKET: &str = "audit-log";

/// Categories of actions that concern apps, tokens, keys and webhooks (API sheet, section 2.6). A category names all of its actions, those
/// too that came after this was written.
const CATEGORIES: [&str; 8] = [
    "integration_installation",
    "integration_installation_request",
    "integration",
    "org_credential_authorization",
    "personal_access_token",
    "oauth_application",
    "hook",
    "public_key",
];

/// One entry, of which only the action is sure.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Entry(Map<String, Value>);

impl Entry {
    /// A member as text, whatever its type.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name).or_else(|| self.0.get("data")?.get(name))? {
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    pub(super) fn action(&self) -> Option<&str> {
        self.0.get("action")?.as_str()
    }

    /// When it was, in milliseconds since 1970.
    pub(super) fn millis(&self) -> Option<i64> {
        let told = |name: &str| self.0.get(name).filter(|time| !time.is_null());
        match told("created_at").or_else(|| told("@timestamp"))? {
            Value::String(text) => {
                text.parse().ok().map(|at: Timestamp| at.as_second().saturating_mul(1_000))
            }
            time => time.as_i64(),
        }
    }

    fn at(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.millis()? / 1_000)
    }

    fn event(&self) -> Option<AuditEvent> {
        let action = self.action()?;
        let actor = self.text("actor");
        // Who or what it is about, the most telling first.
        let about = [
            "integration",
            "oauth_application_name",
            "oauth_application",
            "name",
            "requester",
            "user",
            "oauth_credential_type",
            "fingerprint",
            "hook_id",
            "repo",
        ];
        let about: Vec<String> = about
            .iter()
            .filter_map(|name| Some(format!("{} {}", name.replace('_', " "), self.text(name)?)))
            .take(4)
            .collect();
        let by = actor.as_deref().unwrap_or("somebody");
        Some(AuditEvent {
            id: self.id(),
            at: self.at()?,
            summary: match about.is_empty() {
                true => format!("{by}: {action}"),
                false => format!("{by}: {action} ({})", about.join(", ")),
            },
            action: action.to_owned(),
            actor: gaps::text(FACET, actor.as_deref()),
        })
    }
}

impl Identified for Entry {
    fn id(&self) -> String {
        self.text("_document_id").unwrap_or_else(|| {
            // The same entry has the same text; another one at the same time has not.
            let text = serde_json::to_string(&self.0).unwrap_or_default();
            format!("{} {:016x}", self.action().unwrap_or_default(), fnv(text.as_bytes()))
        })
    }
}

/// FNV-1a, 64 bits: a name for an entry that has none, the same in every scan.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Asks for entries of these actions. The same qualifier more than once means any of its values.
pub(super) fn request(scan: &Scan<'_>, actions: &[&str]) -> Result<Request> {
    let since = scan.client.door.clock().now().minus(std::time::Duration::from_secs(DAYS * 86_400));
    let mut phrase: Vec<String> = actions.iter().map(|action| format!("action:{action}")).collect();
    phrase.push(format!("created:>={}", since.date()));
    let mut request = scan.client.list("read the audit log", &["audit-log"])?;
    request
        .url
        .query_pairs_mut()
        .extend_pairs([("phrase", phrase.join(" ").as_str()), ("order", "asc")]);
    Ok(Request { bucket: BUCKET, ..request })
}

/// The right that the log of the account takes.
pub(super) const fn need(account: &Account) -> Need {
    match account {
        Account::Organization(_) => AUDIT_LOG,
        Account::Enterprise(_) => ENTERPRISE_AUDIT_LOG,
    }
}

/// How far back the log was read.
pub(super) fn reach() -> String {
    format!("the audit log was asked for the last {DAYS} days; what happened earlier is not in it")
}

/// The gap for a log that could not be begun. Only Enterprise Cloud and Enterprise Server have it: with the right proven, "not found" is a
/// matter of the plan.
pub(super) async fn gap(scan: &Scan<'_>, facet: &str, error: &Error, plan: Option<&str>) -> Gap {
    let has_right = scan.held.has(need(&scan.client.site.account));
    let may_lack = plan.is_none_or(|plan| !plan.eq_ignore_ascii_case("enterprise"));
    let is_cloud = scan.client.edition().is_ok_and(|edition| edition == Edition::Cloud);
    let is_organization = matches!(scan.client.site.account, Account::Organization(_));
    let is_plan = has_right && may_lack && is_cloud && is_organization;
    if error.kind == ErrorKind::NotFound && is_plan && scan.may_still_ask().await {
        let detail = "the audit log has an interface on GitHub Enterprise only";
        return Gap::new(Reason::Licence, facet, detail);
    }
    gaps::of(facet, error)
}

/// Streams the events.
pub(super) async fn read(scan: &Scan<'_>, facts: &Facts) -> Result<()> {
    let plan = facts.organization.as_ref().and_then(|own| own.plan.as_ref()?.name.as_deref());
    stream(scan, plan).await
}

/// Streams the events of an account with this plan.
pub(super) async fn stream(scan: &Scan<'_>, plan: Option<&str>) -> Result<()> {
    if !scan.begins(FACET, need(&scan.client.site.account)) {
        return Ok(());
    }
    let mut listing = match request(scan, &CATEGORIES) {
        Ok(request) => Listing::by_cursor(scan.client, request),
        Err(error) => {
            gaps::fail(scan.ledger, FACET, &error);
            scan.ledger.settle(FACET);
            return Ok(());
        }
    };
    loop {
        match listing.next::<Entry>().await {
            Ok(Some(lot)) => {
                book(scan.ledger, FACET, &lot);
                for entry in &lot.rows {
                    match entry.event() {
                        Some(event) => {
                            scan.send(Record::AuditEvent(event)).await?;
                            scan.ledger.read(FACET, 1);
                        }
                        None => {
                            let detail = "an entry of the audit log lacks its action or its time";
                            let gap = Gap::new(Reason::CallFailed, FACET, detail);
                            scan.ledger.lose(gap, Some(1));
                        }
                    }
                }
            }
            Ok(None) => {
                scan.ledger.note(FACET, reach());
                break;
            }
            Err(error) if listing.has_begun() => {
                gaps::fail(scan.ledger, FACET, &error);
                break;
            }
            Err(error) => {
                scan.ledger.lose(gap(scan, FACET, &error, plan).await, None);
                break;
            }
        }
    }
    scan.ledger.settle(FACET);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(json: &str) -> Entry {
        serde_json::from_str(json).unwrap()
    }

    /// An entry without an id must not swallow another one of the same second.
    #[test]
    fn entries_without_an_id_are_told_apart() {
        let one = entry(r#"{"action":"hook.create","created_at":1768478400123,"hook_id":1}"#);
        let other = entry(r#"{"action":"hook.create","created_at":1768478400124,"hook_id":2}"#);
        assert_ne!(one.id(), other.id());
        assert_eq!(
            one.id(),
            entry(r#"{"created_at":1768478400123,"hook_id":1,"action":"hook.create"}"#).id()
        );
        let event = one.event().unwrap();
        assert_eq!(event.at.to_string(), "2026-01-15T12:00:00Z");
        assert!(event.actor.gap().is_some() && event.summary.contains("hook id 1"), "{event:?}");
        assert!(entry(r#"{"action":"hook.create"}"#).event().is_none());
        let null = entry(r#"{"action":"a.b","created_at":null,"@timestamp":1768478400123}"#);
        let null = null.event().unwrap();
        assert_eq!((null.at, null.summary.as_str()), (event.at, "somebody: a.b"));
        assert_eq!(fnv(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
