//! [`Office`]: a tenant whose platform logs every call.

use grantwarden_kit::model::{Count, Observed, Timestamp, Usage};

use super::{Well, days, gap, now};
use crate::{finding::Finding, inventory::Digest, rules::Judgement};

/// An account of Google Workspace with one app and the log of its calls.
#[derive(Debug, Clone)]
pub(in crate::rules) struct Office {
    pub(in crate::rules) well: Well,
}

impl Office {
    /// The app holds these scopes and made these calls in the last 90 days.
    pub(in crate::rules) fn of(scopes: &[&str], calls: &[&str]) -> Self {
        let mut well = Well::run();
        well.platform = "google-workspace";
        well.forget();
        well.scopes(scopes);
        well.digest = well.digest_now();
        let app = well.app.id.clone();
        let mut office = Self { well };
        office.called(&app, calls);
        office
    }

    /// Another app made these calls.
    pub(in crate::rules) fn others(&mut self, calls: &[&str]) {
        self.called("another", calls);
    }

    fn called(&mut self, app: &str, calls: &[&str]) {
        let count = |call: &&str| Count { value: (*call).to_owned(), count: 1 };
        self.well.digest.usage.push(Usage {
            app: app.to_owned(),
            log: "token activity".to_owned(),
            from: days(-90),
            to: now(),
            events: 100,
            addresses: Vec::new(),
            agents: Vec::new(),
            objects: calls.iter().map(count).collect(),
            principals: Vec::new(),
            operations: Vec::new(),
            versions: Vec::new(),
        });
    }

    /// The app's own usage.
    pub(in crate::rules) fn usage(&mut self) -> &mut Usage {
        &mut self.well.digest.usage[0]
    }

    /// The grant was given then.
    pub(in crate::rules) fn given(&mut self, at: Timestamp) {
        self.dated(Observed::Known(at));
    }

    /// When the grant was given is not visible.
    pub(in crate::rules) fn given_unknown(&mut self) {
        self.dated(Observed::Unknown(gap("date")));
    }

    fn dated(&mut self, at: Observed<Timestamp>) {
        self.well.grant.granted_at = at;
        let usage = std::mem::take(&mut self.well.digest.usage);
        self.well.digest = Digest { usage, ..self.well.digest_now() };
    }

    pub(in crate::rules) fn judge_app(&self) -> Judgement {
        self.well.judge_app()
    }

    pub(in crate::rules) fn one(&self, rule: &str) -> Finding {
        self.well.one_of_app(rule)
    }

    pub(in crate::rules) fn unknown(&self, rule: &str, facts: &[&str]) {
        self.well.unknown_of_app(rule, facts);
    }

    pub(in crate::rules) fn unknown_of_tenant(&self, rule: &str, facts: &[&str]) {
        self.well.unknown_of_tenant(rule, facts);
    }
}
