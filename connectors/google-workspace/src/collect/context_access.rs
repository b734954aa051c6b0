//! Context-Aware Access, which can bind API calls to networks. No interface tells how it is set: only its changes are known.

use std::{cmp::Ordering, collections::BTreeMap};

use grantwarden_kit::model::{Gap, LookAlike, NetworkPolicy, Observed, Reason, Timestamp};

use super::app_access::FACET;
use crate::api::Event;

/// Its changes: <https://support.google.com/a/answer/13583073>.
pub(super) const EVENT: &str = "CHANGE_CAA_APP_ASSIGNMENTS";

/// How it was last set somewhere.
#[derive(Debug, Clone)]
struct Context {
    at: Timestamp,
    endpoints: String,
}

/// How it was last set everywhere, as far as the log tells.
#[derive(Default)]
pub(super) struct Contexts {
    /// By service and place.
    places: BTreeMap<String, Context>,
    /// Why it is not known; `None` if the log was read.
    gap: Option<Gap>,
}

impl Contexts {
    /// Says why it is not known.
    pub(super) fn doubt(&mut self, gap: Gap) {
        self.gap = Some(gap);
    }

    /// Takes a change. Of two at the same instant either may hold.
    pub(super) fn replay(&mut self, at: Timestamp, event: &Event) {
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
            self.places.entry(place).or_insert_with(|| Context { at, endpoints: String::new() });
        match context.at.cmp(&at) {
            Ordering::Greater => {}
            Ordering::Equal if context.endpoints.contains(&endpoints) => {}
            Ordering::Equal => {
                let both = format!("{} {endpoints}", context.endpoints);
                both.trim().clone_into(&mut context.endpoints);
            }
            Ordering::Less => *context = Context { at, endpoints },
        }
    }

    /// Where grants work from. Google binds no grant's tokens to networks by itself.
    pub(super) fn network(&self) -> NetworkPolicy {
        let unknown =
            |gap: Gap| NetworkPolicy { binding: Observed::Unknown(gap), look_alikes: Vec::new() };
        if let Some(gap) = &self.gap {
            return unknown(gap.clone());
        }
        let binds = |context: &&Context| context.endpoints.contains("API");
        if let Some(context) = self.places.values().find(binds) {
            let detail = format!(
                "Context-Aware Access was set to {} for some services or users on {}: for whom it binds API calls, Google does not tell",
                context.endpoints,
                context.at.date()
            );
            return unknown(Gap::new(Reason::PlatformSilent, FACET, detail));
        }
        let look_alikes = self.look_alikes().known().cloned().unwrap_or_default();
        NetworkPolicy { binding: Observed::Absent, look_alikes }
    }

    /// Context-Aware Access that stops at the browser.
    pub(super) fn look_alikes(&self) -> Observed<Vec<LookAlike>> {
        if let Some(gap) = &self.gap {
            return Observed::Unknown(gap.clone());
        }
        let is_on = |context: &&Context| !context.endpoints.is_empty();
        let is_look_alike =
            self.places.values().filter(is_on).any(|context| !context.endpoints.contains("API"));
        let alike = is_look_alike.then(|| LookAlike {
            setting: "Context-Aware Access".to_owned(),
            why: "it is enforced where a user signs in; API calls of third-party apps get past it, unless \"Block other apps from accessing the selected apps via APIs\" is ticked".to_owned(),
        });
        Observed::Known(alike.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(changes: &[(&str, &str)]) -> Contexts {
        let mut contexts = Contexts::default();
        for (day, endpoints) in changes {
            let text = format!(
                r#"{{"name":"{EVENT}","parameters":[{{"name":"APPLICATION_NAME","value":"Gmail"}},{{"name":"CAA_ACCESS_LEVELS_NEW","value":"office"}},{{"name":"CAA_ENFORCEMENT_ENDPOINTS_NEW","value":"{endpoints}"}}]}}"#
            );
            contexts.replay(day.parse().unwrap(), &serde_json::from_str(&text).unwrap());
        }
        contexts
    }

    #[test]
    fn binds_only_where_it_covers_apis() {
        assert_eq!(set(&[]).network().binding, Observed::Absent);
        let web = set(&[("2026-10-02", "CAA_WEB_VERSION")]);
        assert_eq!(web.network().binding, Observed::Absent);
        assert_eq!(web.network().look_alikes.len(), 1);
        let apis = ("2026-10-02", "CAA_WEB_VERSION_AND_APIS");
        assert!(set(&[apis]).network().binding.gap().is_some());
        assert!(set(&[apis]).network().look_alikes.is_empty());
        assert_eq!(set(&[apis, ("2026-10-03", "")]).network().binding, Observed::Absent);
        let tied = set(&[apis, ("2026-10-02", "")]);
        assert!(tied.network().binding.gap().is_some(), "either may hold");
    }

    #[test]
    fn a_log_that_was_not_read_does_not_mean_unbound() {
        let mut contexts = set(&[]);
        contexts.doubt(Gap::new(Reason::Permission, FACET, "x"));
        assert_eq!(contexts.network().binding.gap().unwrap().reason, Reason::Permission);
        assert!(contexts.look_alikes().gap().is_some());
    }
}
