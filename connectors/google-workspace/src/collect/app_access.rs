//! What administrators decided about apps: trusted, limited, blocked. No interface tells the state, only its changes: what did not
//! change in 180 days is not known.

use std::collections::BTreeMap;

use grantwarden_kit::{
    error::{ErrorKind, Result},
    ledger::Ledger,
    model::{
        Approval, AuditEvent, Gap, LookAlike, NetworkPolicy, Observed, Reason, Setting, Timestamp,
    },
};

use super::{
    grant_events::{book_unreadable, id_of},
    log::{self, LogQuery},
};
use crate::{
    account::Account,
    api::{Activity, Event},
};

pub(super) const FACET: &str = "app-access";
const CONSOLE: &str =
    "Admin console > Security > Access and data control > API controls > Manage app access";
/// Changes of one app's access: <https://developers.google.com/workspace/admin/reports/v1/appendix/activity/admin-security-settings>.
const APP_EVENTS: [&str; 9] = [
    "ADD_TO_TRUSTED_OAUTH2_APPS",
    "REMOVE_FROM_TRUSTED_OAUTH2_APPS",
    "ADD_TO_BLOCKED_OAUTH2_APPS",
    "REMOVE_FROM_BLOCKED_OAUTH2_APPS",
    "ADD_TO_LIMITED_OAUTH2_APPS",
    "REMOVE_FROM_LIMITED_OAUTH2_APPS",
    "ADD_TO_TRUSTED_BY_OAUTH_SCOPE_OAUTH2_APPS",
    "ADD_TO_CAA_EXEMPT_OAUTH2_APPS",
    "CHANGE_APP_ACCESS",
];
/// Changes for all apps at once.
const TENANT_EVENTS: [&str; 3] = [
    "TRUST_DOMAIN_OWNED_OAUTH2_APPS",
    "UNTRUST_DOMAIN_OWNED_OAUTH2_APPS",
    "BLOCK_ALL_THIRD_PARTY_API_ACCESS",
];
/// Changes of Context-Aware Access, which can bind API calls to networks: <https://support.google.com/a/answer/13583073>.
const CONTEXT_EVENT: &str = "CHANGE_CAA_APP_ASSIGNMENTS";

/// What was decided about one app in one place.
#[derive(Debug, Clone)]
struct Decision {
    at: Timestamp,
    event: String,
    unit: String,
}

/// How Context-Aware Access was last set somewhere.
#[derive(Debug, Clone)]
struct Context {
    at: Timestamp,
    endpoints: String,
}

/// Decisions, as far as the log tells.
pub(super) struct Decisions {
    /// By client id; the newest of each place.
    by_app: BTreeMap<String, Vec<Decision>>,
    tenant: Vec<Decision>,
    /// By service and place.
    contexts: BTreeMap<String, Context>,
    /// Why the access of an app without a decision is not known.
    gap: Gap,
    /// Why Context-Aware Access is not known; `None` if the log was read.
    no_context: Option<Gap>,
}

impl Decisions {
    /// Replays the log.
    pub(super) async fn read(
        account: &Account,
        ledger: &Ledger,
        audit: &mut Vec<AuditEvent>,
    ) -> Result<Self> {
        let detail = format!(
            "Google has no interface for an app's access, and it did not change in the last 180 days: look at {CONSOLE}"
        );
        let mut all = Self {
            by_app: BTreeMap::new(),
            tenant: Vec::new(),
            contexts: BTreeMap::new(),
            gap: Gap::new(Reason::PlatformSilent, FACET, detail),
            no_context: None,
        };
        if let Some(gap) = ledger.skipped(FACET) {
            all.no_context = Some(gap.clone());
            all.gap = gap;
            return Ok(all);
        }
        for event in APP_EVENTS.into_iter().chain(TENANT_EVENTS).chain([CONTEXT_EVENT]) {
            let query = LogQuery::all(account, "list changes of app access", "admin", event);
            let read = log::read(account, &query, |at, entry| {
                all.replay(at, entry);
                audit.extend(audit_events(at, entry, &id_of(entry)));
            });
            match read.await {
                Ok(end) => {
                    ledger.read(FACET, end.entries);
                    if end.unreadable > 0 {
                        all.gap = book_unreadable(ledger, FACET, end);
                    }
                }
                Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
                // A log that does not know the event has none of it; what it has in its place is not known.
                Err(error) if error.kind == ErrorKind::InvalidRequest => {
                    if event == CONTEXT_EVENT {
                        let detail = "the admin log does not tell of Context-Aware Access";
                        all.no_context = Some(Gap::new(Reason::PlatformSilent, FACET, detail));
                    }
                }
                Err(error) => {
                    let gap = ledger.fail(FACET, &error);
                    if event == CONTEXT_EVENT {
                        all.no_context = Some(gap.clone());
                    }
                    all.gap = gap;
                }
            }
        }
        ledger.settle(FACET);
        Ok(all)
    }

    fn replay(&mut self, at: Timestamp, entry: &Activity) {
        for event in &entry.events {
            if event.name == CONTEXT_EVENT {
                self.set_context(at, event);
                continue;
            }
            let unit = event.text("ORG_UNIT_NAME").unwrap_or("/").to_owned();
            let decision = Decision { at, event: event.name.clone(), unit };
            let place = match event.text("OAUTH2_APP_ID") {
                Some(client) => self.by_app.entry(client.to_owned()).or_default(),
                None => &mut self.tenant,
            };
            match place.iter_mut().find(|known| known.unit == decision.unit) {
                Some(known) if known.at < at => *known = decision,
                Some(_) => {}
                None => place.push(decision),
            }
        }
    }

    fn set_context(&mut self, at: Timestamp, event: &Event) {
        let part = |name: &str| event.text(name).unwrap_or_default().to_owned();
        let target = ["TARGET_ENTITY_NAME", "ORG_UNIT_NAME", "GROUP_NAME"]
            .into_iter()
            .find_map(|name| event.text(name))
            .unwrap_or_default();
        let place = format!("{}|{target}", part("APPLICATION_NAME"));
        let assigned = part("CAA_ACCESS_ASSIGNMENTS_NEW") + &part("CAA_ACCESS_LEVELS_NEW");
        let is_off = assigned.is_empty() || part("MODE") == "MONITOR";
        let endpoints = if is_off { String::new() } else { part("CAA_ENFORCEMENT_ENDPOINTS_NEW") };
        let context =
            self.contexts.entry(place).or_insert(Context { at, endpoints: String::new() });
        if context.at <= at {
            *context = Context { at, endpoints };
        }
    }

    /// Whether an app is blocked in the whole account.
    pub(super) fn blocked(&self, client: &str) -> Observed<bool> {
        let (root, units) = self.of(client);
        let is_block = |decision: &Decision| decision.event == "ADD_TO_BLOCKED_OAUTH2_APPS";
        match root {
            Some(root) if is_block(root) && units.iter().all(|unit| is_block(unit)) => {
                Observed::Known(true)
            }
            Some(root) if is_block(root) => {
                let places: Vec<&str> = units.iter().map(|unit| unit.unit.as_str()).collect();
                let detail = format!("blocked, but not in {}", places.join(", "));
                Observed::unknown(Reason::PlatformSilent, FACET, detail)
            }
            // A decision that we do not know may be a block.
            Some(root) if root.event != "CHANGE_APP_ACCESS" => Observed::Known(false),
            _ => Observed::Unknown(self.gap.clone()),
        }
    }

    /// Whether an administrator decided for an app.
    pub(super) fn approval(&self, client: &str) -> Observed<Approval> {
        let approves = |decision: &Decision| {
            decision.event.starts_with("ADD_TO_TRUSTED")
                || decision.event.starts_with("ADD_TO_LIMITED")
        };
        match self.of(client).0 {
            Some(root) if approves(root) => Observed::Known(Approval::AdminApproved),
            _ => Observed::Unknown(self.gap.clone()),
        }
    }

    /// Decisions about an app, for a reader.
    pub(super) fn settings(&self, client: &str) -> Vec<Setting> {
        let (root, units) = self.of(client);
        let decisions = root.into_iter().chain(units);
        let settings = decisions.map(|decision| Setting {
            name: format!("access in {}", decision.unit),
            value: Observed::Known(format!("{} on {}", decision.event, decision.at.date())),
        });
        settings.collect()
    }

    /// Decisions for all apps, for a reader.
    pub(super) fn tenant_settings(&self) -> Vec<Setting> {
        let settings = self.tenant.iter().map(|decision| Setting {
            name: format!("app access in {}", decision.unit),
            value: Observed::Known(format!("{} on {}", decision.event, decision.at.date())),
        });
        settings.collect()
    }

    /// The decision for the whole account, and those for units.
    fn of(&self, client: &str) -> (Option<&Decision>, Vec<&Decision>) {
        let decisions = self.by_app.get(client).map(Vec::as_slice).unwrap_or_default();
        let (root, units): (Vec<&Decision>, Vec<&Decision>) =
            decisions.iter().partition(|decision| decision.unit == "/");
        (root.into_iter().next(), units)
    }

    /// Where grants work from. Google binds no grant's tokens to networks by itself; Context-Aware Access can refuse API calls, and no
    /// interface tells how it is set: only its changes are known.
    pub(super) fn network(&self) -> NetworkPolicy {
        let binds = |context: &&Context| context.endpoints.contains("API");
        if let Some(context) = self.contexts.values().find(binds) {
            let detail = format!(
                "Context-Aware Access was set to {} for some services or users on {}: for whom it binds API calls, Google does not tell",
                context.endpoints,
                context.at.date()
            );
            let binding = Observed::unknown(Reason::PlatformSilent, FACET, detail);
            return NetworkPolicy { binding, look_alikes: Vec::new() };
        }
        let look_alikes = self.look_alikes().known().cloned().unwrap_or_default();
        NetworkPolicy { binding: Observed::Absent, look_alikes }
    }

    /// Context-Aware Access that stops at the browser.
    pub(super) fn look_alikes(&self) -> Observed<Vec<LookAlike>> {
        if let Some(gap) = &self.no_context {
            return Observed::Unknown(gap.clone());
        }
        let is_on = |context: &&Context| !context.endpoints.is_empty();
        let is_look_alike =
            self.contexts.values().filter(is_on).any(|context| !context.endpoints.contains("API"));
        let alike = is_look_alike.then(|| LookAlike {
            setting: "Context-Aware Access".to_owned(),
            why: "it is enforced where a user signs in; API calls of third-party apps get past it, unless \"Block other apps from accessing the selected apps via APIs\" is ticked".to_owned(),
        });
        Observed::Known(alike.into_iter().collect())
    }
}

/// Log entries as records.
pub(super) fn audit_events(at: Timestamp, entry: &Activity, id: &str) -> Vec<AuditEvent> {
    let events = entry.events.iter().map(|event| {
        let parameters: Vec<String> = event
            .parameters
            .iter()
            .filter_map(|parameter| {
                Some(format!("{} = {}", parameter.name(), event.text(parameter.name())?))
            })
            .collect();
        AuditEvent {
            id: id.to_owned(),
            at,
            actor: Observed::from_option(entry.actor.email().map(ToOwned::to_owned)),
            action: event.name.clone(),
            summary: parameters.join(", "),
        }
    });
    events.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(events: &[(&str, &str, &str)]) -> Decisions {
        let mut all = Decisions {
            by_app: BTreeMap::new(),
            tenant: Vec::new(),
            contexts: BTreeMap::new(),
            gap: Gap::new(Reason::PlatformSilent, FACET, "x"),
            no_context: None,
        };
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

    #[test]
    fn only_the_newest_decision_for_the_whole_account_blocks() {
        let (root, unit) = (app("/"), app("/Sales"));
        let block = "ADD_TO_BLOCKED_OAUTH2_APPS";
        let blocked = decided(&[("2026-10-02", block, &root)]);
        assert_eq!(blocked.blocked("7"), Observed::Known(true));
        assert!(blocked.blocked("8").gap().is_some());
        let lifted = decided(&[
            ("2026-10-03", "REMOVE_FROM_BLOCKED_OAUTH2_APPS", &root),
            ("2026-10-02", block, &root),
        ]);
        assert_eq!(lifted.blocked("7"), Observed::Known(false));
        assert!(decided(&[("2026-10-02", block, &unit)]).blocked("7").gap().is_some());
        let but_one = decided(&[
            ("2026-10-02", block, &root),
            ("2026-10-03", "ADD_TO_TRUSTED_OAUTH2_APPS", &unit),
        ]);
        assert!(but_one.blocked("7").gap().unwrap().detail.contains("/Sales"));
        assert!(
            decided(&[("2026-10-02", "CHANGE_APP_ACCESS", &root)]).blocked("7").gap().is_some()
        );
    }

    #[test]
    fn context_aware_access_binds_only_where_it_covers_apis() {
        let set = |endpoints: &str| {
            format!(
                r#"{{"name":"APPLICATION_NAME","value":"Gmail"}},{{"name":"CAA_ACCESS_LEVELS_NEW","value":"office"}},{{"name":"CAA_ENFORCEMENT_ENDPOINTS_NEW","value":"{endpoints}"}}"#
            )
        };
        assert_eq!(decided(&[]).network().binding, Observed::Absent);
        let web = decided(&[("2026-10-02", CONTEXT_EVENT, &set("CAA_WEB_VERSION"))]);
        assert_eq!(web.network().binding, Observed::Absent);
        assert_eq!(web.network().look_alikes.len(), 1);
        let api = decided(&[("2026-10-02", CONTEXT_EVENT, &set("CAA_WEB_VERSION_AND_APIS"))]);
        assert!(api.network().binding.gap().is_some());
        assert!(api.network().look_alikes.is_empty());
    }
}
