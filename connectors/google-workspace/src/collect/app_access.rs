//! What administrators decided about apps: trusted, limited, blocked. No interface tells the state, only its changes: what did not
//! change in 180 days is not known, and so no app is known to be blocked everywhere.

use std::{cmp::Ordering, collections::BTreeMap, fmt};

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    ledger::Ledger,
    model::{
        Approval, AuditEvent, Gap, LookAlike, NetworkPolicy, Observed, Reason, Setting, Timestamp,
    },
};

use super::{
    audit,
    context_access::{self, Contexts},
    grant_events::book_unreadable,
    log::{self, LogQuery},
};
use crate::{
    account::Account,
    api::{Activity, Event},
};

pub(super) const FACET: &str = "app-access";
const CONSOLE: &str =
    "Admin console > Security > Access and data control > API controls > Manage app access";
const BLOCK: &str = "ADD_TO_BLOCKED_OAUTH2_APPS";
/// A change whose outcome its name does not tell.
const CHANGE: &str = "CHANGE_APP_ACCESS";
/// Changes of one app's access: <https://developers.google.com/workspace/admin/reports/v1/appendix/activity/admin-security-settings>.
const APP_EVENTS: [&str; 11] = [
    "ADD_TO_TRUSTED_OAUTH2_APPS",
    "REMOVE_FROM_TRUSTED_OAUTH2_APPS",
    BLOCK,
    "REMOVE_FROM_BLOCKED_OAUTH2_APPS",
    "ADD_TO_LIMITED_OAUTH2_APPS",
    "REMOVE_FROM_LIMITED_OAUTH2_APPS",
    "ADD_TO_TRUSTED_BY_OAUTH_SCOPE_OAUTH2_APPS",
    "REMOVE_FROM_TRUSTED_BY_OAUTH_SCOPE_OAUTH2_APPS",
    "ADD_TO_CAA_EXEMPT_OAUTH2_APPS",
    "REMOVE_FROM_CAA_EXEMPT_OAUTH2_APPS",
    CHANGE,
];
/// Changes for all apps at once.
const TENANT_EVENTS: [&str; 4] = [
    "TRUST_DOMAIN_OWNED_OAUTH2_APPS",
    "UNTRUST_DOMAIN_OWNED_OAUTH2_APPS",
    "BLOCK_ALL_THIRD_PARTY_API_ACCESS",
    "UNBLOCK_ALL_THIRD_PARTY_API_ACCESS",
];

/// What an event decides. Decisions about one thing say nothing about another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Matter {
    /// Trusted, limited or blocked.
    Access,
    /// Trusted for some scopes.
    Scopes,
    /// Spared from Context-Aware Access.
    Exempt,
    /// Whether the account's own apps are trusted.
    OwnApps,
    /// Whether all third parties are blocked.
    ThirdParties,
}

/// For whom something was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Unit(String),
    Group(String),
    /// The log does not tell.
    Untold,
}

/// What was decided about one app, or all, in one place.
#[derive(Debug, Clone)]
struct Decision {
    matter: Matter,
    place: Place,
    at: Timestamp,
    /// The event; several if they came at the same instant, so that their order is not known.
    events: Vec<String>,
}

/// Decisions, as far as the log tells.
pub(super) struct Decisions {
    /// By client id; the newest of each matter and place.
    by_app: BTreeMap<String, Vec<Decision>>,
    tenant: Vec<Decision>,
    contexts: Contexts,
    /// Whether all changes of the last 180 days were read.
    is_whole: bool,
    /// Why the access of an app is not known.
    gap: Gap,
}

impl Decisions {
    fn new() -> Self {
        let detail = format!(
            "Google has no interface for an app's access, and the log of the last 180 days does not settle it: look at {CONSOLE}"
        );
        Self {
            by_app: BTreeMap::new(),
            tenant: Vec::new(),
            contexts: Contexts::default(),
            is_whole: true,
            gap: Gap::new(Reason::PlatformSilent, FACET, detail),
        }
    }

    /// Replays the log.
    pub(super) async fn read(
        account: &Account,
        ledger: &Ledger,
        told: &mut Vec<AuditEvent>,
    ) -> Result<Self> {
        let mut all = Self::new();
        let events = || APP_EVENTS.into_iter().chain(TENANT_EVENTS).chain([context_access::EVENT]);
        if let Some(gap) = ledger.skipped(FACET) {
            events().for_each(|event| all.doubt(event, &gap));
            return Ok(all);
        }
        let (mut refused, mut has_worked) = (Vec::new(), false);
        for event in events() {
            let query = LogQuery::all(account, "list changes of app access", "admin", event);
            let read = log::read(account, &query, |at, entry| {
                all.replay(at, entry);
                told.extend(audit::changes(FACET, at, entry, |name| name == event));
            });
            match read.await {
                Ok(end) => {
                    has_worked = true;
                    ledger.read(FACET, end.entries);
                    if end.unreadable > 0 {
                        all.doubt(event, &book_unreadable(ledger, FACET, end));
                    }
                }
                Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
                Err(error) if error.kind == ErrorKind::InvalidRequest => {
                    refused.push((event, error));
                }
                Err(error) => {
                    let gap = ledger.fail(FACET, &error);
                    all.doubt(event, &gap);
                }
            }
        }
        all.book_refused(ledger, &refused, has_worked);
        all.book_nameless(ledger);
        ledger.settle(FACET);
        Ok(all)
    }

    /// A log that does not know an event has none of it, and what it has in its place is not known. One that knows none is not read.
    fn book_refused(&mut self, ledger: &Ledger, refused: &[(&str, Error)], has_worked: bool) {
        let Some((_, error)) = refused.first() else { return };
        let gap = if has_worked {
            let names: Vec<&str> = refused.iter().map(|(event, _)| *event).collect();
            let detail = format!("the admin log does not take the events {}", names.join(", "));
            let gap = Gap::new(Reason::PlatformSilent, FACET, detail);
            ledger.lose(gap.clone(), None);
            gap
        } else {
            ledger.fail(FACET, error)
        };
        refused.iter().for_each(|(event, _)| self.doubt(event, &gap));
    }

    /// A decision that names no app may be about any.
    fn book_nameless(&mut self, ledger: &Ledger) {
        if self.tenant.iter().any(|decision| is_about_one_app(decision.matter)) {
            let gap = Gap::new(Reason::CallFailed, FACET, "changes in the log name no app");
            ledger.lose(gap.clone(), None);
            self.doubt(CHANGE, &gap);
        }
    }

    /// Says why what an event tells is not known.
    fn doubt(&mut self, event: &str, gap: &Gap) {
        if event == context_access::EVENT {
            self.contexts.doubt(gap.clone());
        } else if APP_EVENTS.contains(&event) {
            self.is_whole = false;
            self.gap = gap.clone();
        }
    }

    fn replay(&mut self, at: Timestamp, entry: &Activity) {
        for event in &entry.events {
            if event.name == context_access::EVENT {
                self.contexts.replay(at, event);
                continue;
            }
            let Some(matter) = matter(&event.name) else { continue };
            let decisions = match event.text("OAUTH2_APP_ID") {
                Some(client) => self.by_app.entry(client.to_owned()).or_default(),
                None => &mut self.tenant,
            };
            let decision =
                Decision { matter, place: place(event), at, events: vec![event.name.clone()] };
            let known = decisions
                .iter_mut()
                .find(|known| known.matter == matter && known.place == decision.place);
            let Some(known) = known else {
                decisions.push(decision);
                continue;
            };
            match known.at.cmp(&at) {
                Ordering::Less => *known = decision,
                Ordering::Equal if !known.events.contains(&event.name) => {
                    known.events.push(event.name.clone());
                    known.events.sort_unstable();
                }
                Ordering::Equal | Ordering::Greater => {}
            }
        }
    }

    /// Whether an app is blocked in the whole account. A block of the whole account is no proof: a unit may be excepted since before the
    /// log begins.
    pub(super) fn blocked(&self, client: &str) -> Observed<bool> {
        let Some(root) = self.settled(client) else { return Observed::Unknown(self.gap.clone()) };
        match root.events[0].as_str() {
            BLOCK => {
                let elsewhere = self.of(client).iter().filter(|other| other.place != root.place);
                let elsewhere: Vec<String> =
                    elsewhere.map(|other| other.place.to_string()).collect();
                let but = if elsewhere.is_empty() {
                    String::new()
                } else {
                    format!(", with other decisions in {}", elsewhere.join(", "))
                };
                let detail = format!(
                    "blocked in / on {}{but}; whether a unit or group is excepted since before the 180 days of the log, Google does not tell: look at {CONSOLE}",
                    root.at.date()
                );
                Observed::unknown(Reason::PlatformSilent, FACET, detail)
            }
            // A decision that we do not know may be a block.
            CHANGE => Observed::Unknown(self.gap.clone()),
            _ => Observed::Known(false),
        }
    }

    /// Whether an administrator decided for an app, for the whole account.
    pub(super) fn approval(&self, client: &str) -> Observed<Approval> {
        let approves = |event: &str| {
            matches!(event, "ADD_TO_TRUSTED_OAUTH2_APPS" | "ADD_TO_LIMITED_OAUTH2_APPS")
        };
        match self.settled(client) {
            Some(root) if approves(&root.events[0]) => Observed::Known(Approval::AdminApproved),
            _ => Observed::Unknown(self.gap.clone()),
        }
    }

    /// The newest decision about an app's access for the whole account, if the log tells it for certain.
    fn settled(&self, client: &str) -> Option<&Decision> {
        let access = || self.of(client).iter().filter(|known| known.matter == Matter::Access);
        let has_untold = access().any(|decision| decision.place == Place::Untold);
        let root = access().find(|decision| decision.place == Place::Unit("/".to_owned()))?;
        (self.is_whole && !has_untold && root.events.len() == 1).then_some(root)
    }

    fn of(&self, client: &str) -> &[Decision] {
        self.by_app.get(client).map(Vec::as_slice).unwrap_or_default()
    }

    /// Decisions about an app, for a reader.
    pub(super) fn settings(&self, client: &str) -> Vec<Setting> {
        self.of(client).iter().map(|decision| decision.setting("access")).collect()
    }

    /// Decisions for all apps, for a reader.
    pub(super) fn tenant_settings(&self) -> Vec<Setting> {
        self.tenant.iter().map(|decision| decision.setting("app access")).collect()
    }

    /// Where grants work from.
    pub(super) fn network(&self) -> NetworkPolicy {
        self.contexts.network()
    }

    /// Context-Aware Access that stops at the browser.
    pub(super) fn look_alikes(&self) -> Observed<Vec<LookAlike>> {
        self.contexts.look_alikes()
    }
}

impl Decision {
    fn setting(&self, what: &str) -> Setting {
        let events = self.events.join(" and, in unknown order, ");
        Setting {
            name: format!("{what} in {}", self.place),
            value: Observed::Known(format!("{events} on {}", self.at.date())),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit(unit) => to.write_str(unit),
            Self::Group(group) => write!(to, "group {group}"),
            Self::Untold => to.write_str("a place that the log does not name"),
        }
    }
}

fn place(event: &Event) -> Place {
    let group = event.text("GROUP_EMAIL").or(event.text("GROUP_NAME"));
    match (group, event.text("ORG_UNIT_NAME")) {
        (Some(group), _) => Place::Group(group.to_owned()),
        (None, Some(unit)) => Place::Unit(unit.to_owned()),
        (None, None) => Place::Untold,
    }
}

/// What an event decides; `None` for events of other kinds.
fn matter(event: &str) -> Option<Matter> {
    if !APP_EVENTS.contains(&event) && !TENANT_EVENTS.contains(&event) {
        return None;
    }
    Some(match event {
        name if name.contains("_BY_OAUTH_SCOPE_") => Matter::Scopes,
        name if name.contains("_CAA_EXEMPT_") => Matter::Exempt,
        name if name.contains("_DOMAIN_OWNED_") => Matter::OwnApps,
        name if name.contains("_THIRD_PARTY_") => Matter::ThirdParties,
        _ => Matter::Access,
    })
}

const fn is_about_one_app(matter: Matter) -> bool {
    matches!(matter, Matter::Access | Matter::Scopes | Matter::Exempt)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(events: &[(&str, &str, &str)]) -> Decisions {
        let mut all = Decisions::new();
        for (day, event, parameters) in events {
            let text = format!(
                r#"{{"id":{{"time":"{day}"}},"events":[{{"name":"{event}","parameters":[{parameters}]}}]}}"#
            );
            let entry: Activity = serde_json::from_str(&text).unwrap();
            all.replay(day.parse().unwrap(), &entry);
        }
        all
    }

    fn app(unit: &str) -> String {
        format!(
            r#"{{"name":"OAUTH2_APP_ID","value":"7"}},{{"name":"ORG_UNIT_NAME","value":"{unit}"}}"#
        )
    }

    const TRUST: &str = "ADD_TO_TRUSTED_OAUTH2_APPS";
    const APPROVED: Observed<Approval> = Observed::Known(Approval::AdminApproved);

    #[test]
    fn a_block_in_the_log_is_told_and_proves_no_block_everywhere() {
        let (root, unit) = (app("/"), app("/Sales"));
        let blocked = decided(&[("2026-10-02", BLOCK, &root)]);
        let gap = blocked.blocked("7").gap().unwrap().clone();
        assert!(gap.detail.starts_with("blocked in / on 2026-10-02"), "{}", gap.detail);
        let told = &blocked.settings("7")[0];
        assert_eq!(told.name, "access in /");
        assert!(blocked.blocked("8").gap().is_some());
        let lifted = decided(&[
            ("2026-10-03", "REMOVE_FROM_BLOCKED_OAUTH2_APPS", &root),
            ("2026-10-02", BLOCK, &root),
        ]);
        assert_eq!(lifted.blocked("7"), Observed::Known(false));
        assert!(decided(&[("2026-10-02", BLOCK, &unit)]).blocked("7").gap().is_some());
        let but_one = decided(&[("2026-10-02", BLOCK, &root), ("2026-10-03", TRUST, &unit)]);
        assert!(but_one.blocked("7").gap().unwrap().detail.contains("/Sales"));
        assert!(decided(&[("2026-10-02", CHANGE, &root)]).blocked("7").gap().is_some());
    }

    #[test]
    fn an_approval_takes_a_place_an_order_and_a_whole_log() {
        let root = app("/");
        let trusted = ("2026-10-02", TRUST, root.as_str());
        assert_eq!(decided(&[trusted]).approval("7"), APPROVED);
        let nowhere = r#"{"name":"OAUTH2_APP_ID","value":"7"}"#;
        assert!(decided(&[("2026-10-02", TRUST, nowhere)]).approval("7").gap().is_some());
        let also_nowhere = decided(&[trusted, ("2026-10-01", BLOCK, nowhere)]);
        assert!(also_nowhere.approval("7").gap().is_some());
        let group = format!(r#"{nowhere},{{"name":"GROUP_EMAIL","value":"interns@x.example"}}"#);
        assert!(decided(&[("2026-10-02", TRUST, &group)]).approval("7").gap().is_some());
        let tied = decided(&[trusted, ("2026-10-02", BLOCK, &root)]);
        assert!(tied.approval("7").gap().is_some() && tied.blocked("7").gap().is_some());
        let mut cut = decided(&[trusted]);
        cut.doubt("REMOVE_FROM_TRUSTED_OAUTH2_APPS", &Gap::new(Reason::Permission, FACET, "x"));
        assert_eq!(cut.approval("7").gap().unwrap().reason, Reason::Permission);
        assert!(cut.blocked("7").gap().is_some());
    }

    #[test]
    fn decisions_about_other_matters_change_nothing() {
        let root = app("/");
        let exempt = "ADD_TO_CAA_EXEMPT_OAUTH2_APPS";
        let blocked = decided(&[("2026-10-02", BLOCK, &root), ("2026-10-03", exempt, &root)]);
        assert!(blocked.blocked("7").gap().unwrap().detail.starts_with("blocked"));
        assert_eq!(blocked.settings("7").len(), 2);
        let scopes = "ADD_TO_TRUSTED_BY_OAUTH_SCOPE_OAUTH2_APPS";
        assert!(decided(&[("2026-10-02", scopes, &root)]).approval("7").gap().is_some());
        assert!(decided(&[("2026-10-02", "DELETE_USER", &root)]).settings("7").is_empty());
    }
}
