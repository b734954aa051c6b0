//! The organisation's settings about apps, as far as the audit log has their changes. What the log does not have is not known.

use grantwarden_kit::model::{ConsentPolicy, Observed, Reason, Setting, UserConsent};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    ORGANIZATION,
    tables::{Latest, Tables},
};
use crate::api::Entry;

/// Changes of settings.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Prefs {
    /// App approval for the whole organisation: the text of the value, if the log has one.
    approval: Latest<Option<bool>>,
    /// Only apps of the Marketplace.
    marketplace_only: Latest<Option<bool>>,
    /// Workspaces that changed it for themselves.
    in_workspaces: u64,
}

/// Takes a change or a decision in.
pub(super) fn learn(prefs: &mut Prefs, tables: &mut Tables, organization: u32, entry: &Entry) {
    let at = entry.date_create.0;
    let location = entry.context.as_ref().and_then(|context| context.location.as_ref());
    let place = location.and_then(|place| tables.place(place));
    let value = || entry.details.as_ref().and_then(|details| switch(details.new_value.as_ref()?));
    match entry.action.as_str() {
        "pref.app_whitelist_enabled" | "pref.app_dir_only" if place != Some(organization) => {
            prefs.in_workspaces += 1;
        }
        "pref.app_whitelist_enabled" => prefs.approval.learn(at, Some(value())),
        "pref.app_dir_only" => prefs.marketplace_only.learn(at, Some(value())),
        action @ ("app_approved" | "app_restricted" | "app_removed_from_whitelist") => {
            let app = entry.entity.as_ref().and_then(|entity| entity.app.as_ref());
            let id = app.and_then(|app| app.id.as_ref());
            let label = place.map(|place| tables.place_label(place));
            let name = app.and_then(|app| app.name.clone());
            let Some(facts) = id.and_then(|id| tables.apps.learn(&id.0)) else { return };
            facts.name.learn(at, name.filter(|name| !name.is_empty()));
            let place = label.unwrap_or_else(|| "a place that is not told".to_owned());
            facts.decision.learn(at, Some(format!("{action} in {place}")));
        }
        _ => {}
    }
}

/// A switch, in the forms in which Slack writes one; anything else is not known.
fn switch(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is_on) => Some(*is_on),
        Value::Number(number) => match number.as_i64()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        Value::String(text) => match text.as_str() {
            "true" | "on" | "1" => Some(true),
            "false" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

impl Prefs {
    /// Adds what was remembered.
    pub(super) fn merge(&mut self, other: Self) {
        self.approval.merge(other.approval);
        self.marketplace_only.merge(other.marketplace_only);
        self.in_workspaces += other.in_workspaces;
    }

    /// Who may let an app in.
    pub(super) fn consent(&self, has_log: bool) -> ConsentPolicy {
        let silent = |detail: &str| Observed::unknown(Reason::PlatformSilent, ORGANIZATION, detail);
        let user_consent = match (self.approval.get(), self.marketplace_only.get()) {
            // A change that was not read may be the later one.
            _ if !has_log => silent(
                "Slack has no interface that tells whether apps take approval, and the audit log was not read whole",
            ),
            // What workspaces decide for themselves may be looser.
            _ if self.in_workspaces > 0 => silent(
                "workspaces changed their own settings of app approval; Slack has no interface that tells how they are now",
            ),
            (Some(Some(true)), _) => Observed::Known(UserConsent::ListedApps),
            (Some(Some(false)), Some(Some(true))) => Observed::Known(UserConsent::Conditional),
            (Some(Some(false)), Some(Some(false))) => Observed::Known(UserConsent::Any),
            (Some(_), _) => silent(
                "the audit log has a change of app approval and does not say to what; Slack has no interface that tells how it is now",
            ),
            (None, _) => silent(
                "Slack has no interface that tells whether apps take approval, and the audit log has no change of it",
            ),
        };
        ConsentPolicy {
            user_consent,
            setting: "App management settings > Require approval for apps".to_owned(),
            bypasses: Vec::new(),
            weak_flows: Observed::unknown(
                Reason::PlatformSilent,
                ORGANIZATION,
                "Slack does not tell the flows that apps may use",
            ),
        }
    }

    /// For a reader.
    pub(super) fn settings(&self) -> Vec<Setting> {
        let word = |value: Option<bool>| match value {
            Some(true) => "switched on",
            Some(false) => "switched off",
            None => "changed; the log does not say to what",
        };
        let told = [
            ("app approval", &self.approval),
            ("only apps of the Slack Marketplace", &self.marketplace_only),
        ];
        let said = told.into_iter().filter_map(|(name, pref)| {
            let (value, at) = pref.get().zip(pref.at())?;
            let value = Observed::Known(format!("{}, {}", word(*value), at.date()));
            Some(Setting { name: name.to_owned(), value })
        });
        let mut settings: Vec<Setting> = said.collect();
        if self.in_workspaces > 0 {
            settings.push(Setting {
                name: "changes of these settings by workspaces".to_owned(),
                value: Observed::Known(self.in_workspaces.to_string()),
            });
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_known_only_from_a_change_with_a_value() {
        let mut prefs = Prefs::default();
        assert!(prefs.consent(true).user_consent.gap().is_some());
        prefs.approval.learn(1, Some(None));
        assert!(prefs.consent(true).user_consent.gap().is_some());
        prefs.approval.learn(2, Some(Some(true)));
        assert_eq!(prefs.consent(true).user_consent, Observed::Known(UserConsent::ListedApps));
        prefs.approval.learn(3, Some(Some(false)));
        // Whether only the Marketplace's apps are let in is not known.
        assert!(prefs.consent(true).user_consent.gap().is_some());
        prefs.marketplace_only.learn(3, Some(Some(true)));
        assert_eq!(prefs.consent(true).user_consent, Observed::Known(UserConsent::Conditional));
        assert!(prefs.consent(false).user_consent.gap().is_some());
        prefs.in_workspaces = 1;
        assert!(prefs.consent(true).user_consent.gap().is_some());
    }

    #[test]
    fn a_switch_has_several_forms() {
        for (text, value) in [
            ("true", Some(true)),
            ("\"off\"", Some(false)),
            ("1", Some(true)),
            ("\"maybe\"", None),
            ("[]", None),
        ] {
            assert_eq!(switch(&serde_json::from_str(text).unwrap()), value, "{text}");
        }
    }
}
