//! [`Payload`]: a message for programs, as JSON. Its shape is documented in docs/notify.md and does not change within a version.

use grantwarden_kit::model::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Message, Told};
use crate::{
    config::Event,
    finding::{Counts, Fingerprint, Severity},
};

/// The version of [`Payload`].
pub const SCHEMA: u32 = 1;

/// What a webhook gets, and a command on its standard input: an event in the form that Standard Webhooks suggests.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Payload<'a> {
    /// `grants.changed`; `grants.test` for a message that only tries the channel.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// When the scan began.
    pub timestamp: Timestamp,
    /// What it changed.
    pub data: Data<'a>,
}

/// What a scan changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Data<'a> {
    /// [`SCHEMA`].
    pub schema: u32,
    /// One line for a person.
    pub title: String,
    /// Number of the scan in the store.
    pub scan: i64,
    /// When the scan that it is compared with began; null if there was none.
    pub before: Option<Timestamp>,
    /// The tenants that were scanned.
    pub tenants: &'a [String],
    /// Tenants, told now, of which a promised part was not read.
    pub incomplete: &'a [&'a str],
    /// How many findings this message tells, by severity: those that `findings` lists, and those that only `more` counts.
    pub told: Counts,
    /// How many findings count now in all tenants, by severity.
    pub active: Counts,
    /// The findings, the gravest first.
    pub findings: Vec<Change<'a>>,
    /// How many more findings are told than `findings` lists.
    pub more: u64,
    /// How many more findings changed of which only the number is known; at most so many are for this channel.
    pub unlisted: u64,
    /// The report's address, as configured.
    pub link: Option<&'a str>,
}

/// A finding that changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Change<'a> {
    /// How it changed: new, reopened, worse, resolved.
    pub change: Event,
    /// The finding's identity; the same in every scan.
    pub fingerprint: Fingerprint,
    /// Id of the rule.
    pub rule: &'a str,
    /// How grave it is; of a resolved one how grave it was.
    pub severity: Severity,
    /// Platform id; null for a vendor and for the policy.
    pub platform: Option<&'a str>,
    /// The user's name for the tenant; null for a vendor and for the policy.
    pub tenant: Option<&'a str>,
    /// The app's name as the platform has it; null if no app is concerned.
    pub app: Option<&'a str>,
    /// What it is about.
    pub subject: &'a str,
    /// One plain sentence.
    pub message: &'a str,
}

impl<'a> Payload<'a> {
    /// Writes a message with at most so many findings one by one.
    pub(super) fn of(message: &'a Message<'_>, most: usize) -> Self {
        let changes = message.changes;
        Self {
            kind: if message.is_test { "grants.test" } else { "grants.changed" },
            timestamp: changes.taken_at,
            data: Data {
                schema: SCHEMA,
                title: message.title(),
                scan: changes.scan,
                before: changes.before,
                tenants: &changes.tenants,
                incomplete: &message.incomplete,
                told: message.counts(|_| true),
                active: changes.active,
                findings: message.told.iter().take(most).map(Change::of).collect(),
                more: message.told.len().saturating_sub(most) as u64,
                unlisted: message.unlisted,
                link: message.channel.link.as_ref().map(url::Url::as_str),
            },
        }
    }
}

impl<'a> Change<'a> {
    fn of(told: &'a Told<'_>) -> Self {
        let item = told.item;
        Self {
            change: told.event,
            fingerprint: item.fingerprint,
            rule: &item.rule,
            severity: item.severity,
            platform: item.platform.as_deref(),
            tenant: item.tenant.as_deref(),
            app: item.app.as_deref(),
            subject: &item.subject,
            message: &item.message,
        }
    }
}
