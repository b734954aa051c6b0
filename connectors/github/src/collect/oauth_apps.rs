//! OAuth apps: GitHub lists them nowhere. What owners decided about them, and whether members need a decision at all, is in the audit log
//! only, as far back as it goes. An app that is not in it may still have been let in before.

use std::collections::BTreeMap;

use grantwarden_kit::{
    error::Result,
    model::{App, Approval, Gap, Observed, Reason, Record, Timestamp},
};

use super::{
    Scan,
    audit::{self, Entry},
    gaps,
    gaps::silent,
    listing::Listing,
    records,
};

pub(super) const FACET: &str = "oauth-app-policy";

const ENABLED: &str = "org.enable_oauth_app_restrictions";
const DISABLED: &str = "org.disable_oauth_app_restrictions";
const ACTIONS: [&str; 7] = [
    "org.oauth_app_access_requested",
    "org.oauth_app_access_approved",
    "org.oauth_app_access_denied",
    "org.oauth_app_access_blocked",
    "org.oauth_app_access_unblocked",
    ENABLED,
    DISABLED,
];

/// The last part of the action of somebody who asks for an app.
const REQUESTED: &str = "requested";

/// The last thing that was decided about an app.
struct Decision {
    name: String,
    /// The last part of the action: `approved`.
    what: String,
    /// Milliseconds since 1970.
    at: i64,
    by: Option<String>,
}

/// What the log says of OAuth apps.
pub(super) struct Policy {
    apps: BTreeMap<String, Decision>,
    /// Whether members need an owner's approval, and since when that is so.
    switch: Option<(i64, bool)>,
    gap: Option<Gap>,
}

impl Policy {
    /// Reads the log of an organisation with this plan.
    pub(super) async fn read(scan: &Scan<'_>, plan: Option<&str>) -> Self {
        let mut policy = Self { apps: BTreeMap::new(), switch: None, gap: None };
        policy.gap = scan.obstacle(FACET, audit::need(&scan.client.site.account));
        if policy.gap.is_some() {
            return policy;
        }
        policy.gap = match audit::request(scan, &ACTIONS) {
            Ok(request) => {
                let mut listing = Listing::by_cursor(scan.client, request);
                policy.drain(scan, &mut listing, plan).await
            }
            Err(error) => Some(gaps::fail(scan.ledger, FACET, &error)),
        };
        if policy.gap.is_none() {
            scan.ledger.note(FACET, audit::reach());
        }
        scan.ledger.settle(FACET);
        policy
    }

    async fn drain(
        &mut self,
        scan: &Scan<'_>,
        listing: &mut Listing<'_>,
        plan: Option<&str>,
    ) -> Option<Gap> {
        let mut gap = None;
        loop {
            match listing.next::<Entry>().await {
                Ok(Some(lot)) => {
                    gap = super::listing::book(scan.ledger, FACET, &lot).or(gap);
                    scan.ledger.read(FACET, lot.rows.len() as u64);
                    for entry in &lot.rows {
                        if self.take(entry).is_none() {
                            let detail =
                                "an entry of the audit log lacks its action, its time or its app";
                            let odd = Gap::new(Reason::CallFailed, FACET, detail);
                            scan.ledger.lose(odd.clone(), Some(1));
                            gap = Some(odd);
                        }
                    }
                }
                Ok(None) => return gap,
                Err(error) if listing.has_begun() => {
                    return Some(gaps::fail(scan.ledger, FACET, &error));
                }
                Err(error) => {
                    let gap = audit::gap(scan, FACET, &error, plan).await;
                    scan.ledger.lose(gap.clone(), None);
                    return Some(gap);
                }
            }
        }
    }

    /// Takes an entry in; the latest decision counts. `None` for an entry that lacks what is needed.
    fn take(&mut self, entry: &Entry) -> Option<()> {
        let (action, at) = (entry.action()?, entry.millis()?);
        if matches!(action, ENABLED | DISABLED) {
            if self.switch.is_none_or(|(then, _)| then <= at) {
                self.switch = Some((at, action == ENABLED));
            }
            return Some(());
        }
        let what = action.strip_prefix("org.oauth_app_access_")?.to_owned();
        let id =
            entry.text("oauth_application_id").or_else(|| entry.text("oauth_application_name"))?;
        let name = entry.text("oauth_application_name").unwrap_or_else(|| id.clone());
        let decision = Decision { name, what, at, by: entry.text("actor") };
        // Whoever asks decides nothing: a request does not undo a denial.
        let rank = |decision: &Decision| (decision.what != REQUESTED, decision.at);
        if self.apps.get(&id).is_none_or(|known| rank(known) <= rank(&decision)) {
            self.apps.insert(id, decision);
        }
        Some(())
    }

    /// Whether members need an owner's approval. The log tells only if it was switched while it reaches back.
    pub(super) fn restrictions(&self) -> Observed<bool> {
        match (&self.gap, self.switch) {
            (Some(gap), _) => Observed::Unknown(gap.clone()),
            (None, Some((_, is_on))) => Observed::Known(is_on),
            (None, None) => silent(
                FACET,
                "no interface tells it, and it was not switched as far back as the audit log was read; see organisation settings > Third-party access > OAuth app policy",
            ),
        }
    }

    /// Streams the apps.
    pub(super) async fn stream(&self, scan: &Scan<'_>) -> Result<()> {
        for (id, decision) in &self.apps {
            scan.send(Record::App(self.record(id, decision))).await?;
        }
        Ok(())
    }

    fn unknown<T>(&self, detail: &str) -> Observed<T> {
        match &self.gap {
            Some(gap) => Observed::Unknown(gap.clone()),
            None => silent(FACET, format!("the last decision does not tell: {detail}")),
        }
    }

    fn record(&self, id: &str, decision: &Decision) -> App {
        let restricted = self.restrictions();
        let is_restricted = restricted.known() == Some(&true);
        let by = decision.by.as_deref().unwrap_or("somebody");
        let date = Timestamp::from_second(decision.at / 1_000).map(Timestamp::date);
        let date = date.as_deref().unwrap_or("a day that is not known");
        let last = format!("{} by {by} on {date}", decision.what);
        let said = match decision.what == REQUESTED {
            true => "Last request",
            false => "Last decision of an owner",
        };
        // Of a log that was not read to its end nothing is the latest.
        let (blocked, approval) = match decision.what.as_str() {
            _ if self.gap.is_some() => (self.unknown("cut off"), self.unknown("cut off")),
            "approved" => (Observed::Known(false), Observed::Known(Approval::AdminApproved)),
            "unblocked" => (
                Observed::Known(false),
                self.unknown("unblocked, and nothing is known of an approval"),
            ),
            "blocked" => (Observed::Known(true), self.unknown("blocked")),
            "denied" if is_restricted => (Observed::Known(true), self.unknown("denied")),
            "denied" => (
                self.unknown("denied, and it is not known whether members need an approval"),
                self.unknown("denied"),
            ),
            _ => (self.unknown(&last), self.unknown(&last)),
        };
        App {
            blocked,
            approval,
            installed: silent(
                FACET,
                "OAuth apps are authorised by users, which GitHub does not list",
            ),
            settings: vec![records::setting(said, Observed::Known(last))],
            ..records::app(FACET, format!("oauth-app:{id}"), &*decision.name, "OAuth app")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(entries: &[(&str, i64)]) -> Policy {
        let mut policy = Policy { apps: BTreeMap::new(), switch: None, gap: None };
        for (action, at) in entries {
            let entry = serde_json::json!({
                "action": action, "created_at": at, "actor": "rina",
                "oauth_application_id": 7, "oauth_application_name": "Robin",
            });
            policy.take(&serde_json::from_value(entry).unwrap()).unwrap();
        }
        policy
    }

    fn app(policy: &Policy) -> App {
        policy.record("7", &policy.apps["7"])
    }

    /// Whatever the order in which the log gives them.
    #[test]
    fn the_latest_decision_counts() {
        let policy = policy(&[
            ("org.oauth_app_access_approved", 3_000),
            ("org.oauth_app_access_requested", 1_000),
            ("org.oauth_app_access_denied", 2_000),
        ]);
        let app = app(&policy);
        assert_eq!(app.blocked, Observed::Known(false));
        assert_eq!(app.approval, Observed::Known(Approval::AdminApproved));
        assert!(policy.restrictions().gap().is_some());
    }

    /// Of two in one second the later one counts, and a request decides nothing.
    #[test]
    fn a_request_is_no_decision() {
        let blocked = policy(&[
            ("org.oauth_app_access_approved", 2_100),
            ("org.oauth_app_access_requested", 3_000),
            ("org.oauth_app_access_blocked", 2_900),
            ("org.oauth_app_access_unblocked", 2_500),
        ]);
        let blocked = app(&blocked);
        assert_eq!(blocked.blocked, Observed::Known(true));
        assert!(blocked.settings[0].name.contains("decision"), "{:?}", blocked.settings);
        let asked = app(&policy(&[("org.oauth_app_access_requested", 1_000)]));
        assert!(asked.blocked.gap().is_some() && asked.approval.gap().is_some());
        assert_eq!(asked.settings[0].name, "Last request");
    }

    /// Without restrictions a denial keeps nobody out.
    #[test]
    fn a_denial_blocks_only_where_members_need_an_approval() {
        let denied = ("org.oauth_app_access_denied", 2_000);
        assert!(app(&policy(&[denied])).blocked.gap().is_some());
        assert!(
            app(&policy(&[denied, (ENABLED, 1_000), (DISABLED, 3_000)])).blocked.gap().is_some()
        );
        let on = policy(&[denied, (ENABLED, 1_000)]);
        assert_eq!(on.restrictions(), Observed::Known(true));
        assert_eq!(app(&on).blocked, Observed::Known(true));
    }

    #[test]
    fn of_a_log_that_was_cut_off_nothing_is_claimed() {
        let mut cut = policy(&[("org.oauth_app_access_blocked", 1_000), (ENABLED, 1_000)]);
        cut.gap = Some(Gap::new(Reason::CallFailed, FACET, "cut off"));
        assert!(app(&cut).blocked.gap().is_some());
        assert!(cut.restrictions().gap().is_some());
    }
}
