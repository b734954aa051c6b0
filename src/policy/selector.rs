//! [`Selector`]: the `subject` of an entry in the policy. It names one app, one vendor or one finding; there are no wildcards.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Known, nearest};
use crate::finding::{Fingerprint, SubjectKind};

/// What an entry of the policy is about.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(default, deny_unknown_fields)]
pub struct Selector {
    /// One finding, by its fingerprint in the JSON report. Stands alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// A vendor by the name that `grantwarden vendor list` shows, whatever the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// A tenant by its name in the configuration. Alone: the tenant as a whole, none of its apps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// A platform by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// An app by its id or client id, together with `tenant` or `platform`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// An app by its name, which anybody can take: only in `[[policy.for]]`, together with `tenant` or `platform`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_name: Option<String>,
    /// A grant by its id, together with `tenant`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
}

/// Whether something is what a [`Selector`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    /// It is not.
    No,
    /// Only what anybody could have written says so.
    Claimed,
    /// It is.
    Yes,
}

/// Where a selector stands; each place has its own idea of what is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// `[[policy.for]]`
    Settings,
    /// `[[policy.allow]]`, and whether it names scopes
    Allow { has_scopes: bool },
    /// `[[policy.waiver]]`
    Waiver,
}

impl Selector {
    /// Whether something is what is named.
    pub(super) fn matches(
        &self,
        about: &About<'_>,
        kind: SubjectKind,
        fingerprint: Option<Fingerprint>,
    ) -> Match {
        if self.fingerprint.is_some() {
            return if self.fingerprint == fingerprint { Match::Yes } else { Match::No };
        }
        let is = |wanted: &Option<String>, there: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| there == Some(wanted))
        };
        let is_named = is(&self.tenant, about.tenant)
            && is(&self.platform, about.platform)
            && is(&self.grant, about.grant.map(|grant| grant.id.as_str()))
            && is(&self.app_name, about.app.map(|app| app.name.as_str()))
            && self.app.as_deref().is_none_or(|id| about.has_id(id));
        let names_app = self.app.is_some() || self.app_name.is_some() || self.grant.is_some();
        let is_place = match (self.vendor.is_some() || names_app, &self.tenant) {
            (true, _) => true,
            // A tenant alone is the tenant as a whole, a platform alone its apps.
            (false, Some(_)) => matches!(kind, SubjectKind::Tenant | SubjectKind::Facet),
            (false, None) => about.app_id.is_some(),
        };
        if !is_named || !is_place {
            return Match::No;
        }
        let Some(wanted) = &self.vendor else { return Match::Yes };
        match about.vendor {
            Some(vendor) if vendor.to_lowercase() != wanted.to_lowercase() => Match::No,
            Some(_) if about.vendor_is_sure => Match::Yes,
            Some(_) => Match::Claimed,
            None => Match::No,
        }
    }

    /// The narrower, the higher: what is said about one app wins over what is said about its vendor.
    pub(super) fn rank(&self) -> u8 {
        let place = match (&self.tenant, &self.platform) {
            (Some(_), _) => 2,
            (None, Some(_)) => 1,
            (None, None) => 0,
        };
        let what = match (&self.app, &self.app_name) {
            (Some(_), _) => 6,
            (None, Some(_)) => 3,
            (None, None) => 0,
        };
        what + place
    }

    /// Whether it says enough, and not too much, for where it stands.
    pub(super) fn check(&self, place: Use, known: &Known<'_>) -> Result<(), String> {
        let words = self.words();
        if let Some((key, text)) =
            words.iter().find(|(_, text)| text.trim().is_empty() || text.contains('*'))
        {
            return Err(format!(
                "`{key} = \"{text}\"` names nothing; there are no wildcards, name each one"
            ));
        }
        if self.fingerprint.is_some() {
            return match (place, words.as_slice()) {
                (Use::Settings, _) => {
                    Err("a fingerprint names a finding; settings are for an app or a vendor"
                        .to_owned())
                }
                (_, []) => Ok(()),
                _ => Err("`fingerprint` names one finding and stands alone".to_owned()),
            };
        }
        if let Some(platform) = &self.platform
            && !known.platforms.contains(&platform.as_str())
        {
            let hint = nearest::hint(platform, &known.platforms, "platforms");
            return Err(format!("there is no platform `{platform}`; {hint}"));
        }
        let has_place = self.tenant.is_some() || self.platform.is_some();
        let named = [&self.vendor, &self.app, &self.app_name, &self.grant];
        match named.into_iter().flatten().count() {
            0 if place == Use::Waiver && self.tenant.is_some() && self.platform.is_none() => Ok(()),
            0 if matches!(place, Use::Allow { .. }) && self.tenant.is_some() && self.platform.is_none() => Ok(()),
            0 if place == (Use::Allow { has_scopes: true }) && self.platform.is_some() => Ok(()),
            0 => Err("too much: name a `vendor`, or an `app` by id or client id with its `tenant` or `platform`".to_owned()),
            1 if self.vendor.is_some() => Ok(()),
            1 if self.grant.is_some() => match (place, &self.tenant) {
                (Use::Settings, _) => Err("settings are for an app or a vendor, not for one grant".to_owned()),
                (_, None) => Err("`grant` needs the `tenant` in which it has this id".to_owned()),
                (_, Some(_)) => Ok(()),
            },
            1 if !has_place => Err("an app needs its `tenant` or its `platform`".to_owned()),
            1 if self.app_name.is_some() && place != Use::Settings => {
                Err("anybody can give an app this name; name it by `app`: its id or client id".to_owned())
            }
            1 => Ok(()),
            _ => Err("one of `vendor`, `app`, `app_name` and `grant` is enough, and more than one is unclear".to_owned()),
        }
    }

    /// What it says besides a fingerprint.
    fn words(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("vendor", &self.vendor),
            ("app", &self.app),
            ("app_name", &self.app_name),
            ("grant", &self.grant),
            ("tenant", &self.tenant),
            ("platform", &self.platform),
        ];
        all.into_iter().filter_map(|(key, text)| Some((key, text.as_deref()?))).collect()
    }
}

/// `app 3MVG9 on salesforce`, for a person; the same for the same selector.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(fingerprint) = &self.fingerprint {
            return write!(f, "finding {fingerprint}");
        }
        let mut separator = "";
        for (key, text) in self.words() {
            let name = match key {
                "app_name" => "app called",
                "tenant" if !separator.is_empty() => "in",
                "platform" if !separator.is_empty() => "on",
                other => other,
            };
            write!(f, "{separator}{name} {text}")?;
            separator = " ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(selector: &str, about: &About<'_>, kind: SubjectKind) -> Match {
        toml::from_str::<Selector>(selector).unwrap().matches(about, kind, None)
    }

    #[test]
    fn a_place_alone_is_no_wildcard() {
        let tenant = About { tenant: Some("acme"), platform: Some("github"), ..About::default() };
        let app = About { app_id: Some("1"), ..tenant };
        for (selector, of_tenant, of_app) in [
            ("tenant = 'acme'", Match::Yes, Match::No),
            ("tenant = 'other'", Match::No, Match::No),
            ("platform = 'github'", Match::No, Match::Yes),
            ("platform = 'github'\napp = '1'", Match::No, Match::Yes),
            ("tenant = 'acme'\napp = '2'", Match::No, Match::No),
            ("vendor = 'Drift'", Match::No, Match::No),
        ] {
            assert_eq!(matches(selector, &tenant, SubjectKind::Tenant), of_tenant, "{selector}");
            assert_eq!(matches(selector, &tenant, SubjectKind::Facet), of_tenant, "{selector}");
            assert_eq!(matches(selector, &app, SubjectKind::App), of_app, "{selector}");
        }
    }

    #[test]
    fn a_vendors_name_alone_is_a_claim() {
        let claimed = About { app_id: Some("1"), vendor: Some("Drift"), ..About::default() };
        let sure = About { vendor_is_sure: true, ..claimed };
        assert_eq!(matches("vendor = 'drift'", &claimed, SubjectKind::Grant), Match::Claimed);
        assert_eq!(matches("vendor = 'drift'", &sure, SubjectKind::Grant), Match::Yes);
        assert_eq!(matches("vendor = 'dri'", &sure, SubjectKind::Grant), Match::No);
    }
}
