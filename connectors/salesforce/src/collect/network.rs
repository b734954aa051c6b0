//! Where a token works from.
//!
//! Only login IP ranges on the profile of the token's user bind API traffic, and only while the app's IP relaxation enforces them.
//! Trusted ranges of the org spare users a verification code and block nobody. Both facts: Metadata API Developer Guide, types
//! `SecuritySettings` and `ConnectedApp`.

use std::{collections::BTreeMap, time::Duration};

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    ledger::{Ledger, gap_of},
    model::{Gap, IpRange, LookAlike, NetworkPolicy, Observed, Reason},
};

use super::{apps::Apps, known_value, short_id};
use crate::{
    metadata::{AppRange, LoginRange, NAMES_PER_CALL, Profile, SecuritySettings},
    org::Org,
};

/// What an app does with the login ranges of its users' profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relaxation {
    /// They hold for every sign-in and refresh.
    Enforce,
    /// They do not hold.
    Relax,
    /// They hold for the first sign-in, not for refresh tokens.
    RelaxForRefresh,
}

impl Relaxation {
    /// `ConnectedApp.oauthPolicy.ipRelaxation` and `ExtlClntAppOauthPlcyCnfg.IpRelaxationPolicyType`.
    pub(super) fn parse(facet: &str, text: &str) -> Observed<Self> {
        let relaxation = match text.to_ascii_uppercase().as_str() {
            "ENFORCE" => Some(Self::Enforce),
            "BYPASS" | "BYPASS_2FACTOR" => Some(Self::Relax),
            "ENFORCE_RELAXREFRESH" => Some(Self::RelaxForRefresh),
            _ => None,
        };
        known_value(facet, "IP relaxation policy", text, relaxation)
    }

    /// By the name that the app's policy page shows.
    const fn label(self) -> &'static str {
        match self {
            Self::Enforce => "Enforce IP restrictions",
            Self::Relax => "Relax IP restrictions",
            Self::RelaxForRefresh => "Enforce IP restrictions, but relax for refresh tokens",
        }
    }
}

/// Network settings of the org and of the profiles seen so far.
pub(super) struct Networks {
    /// Metadata names of profiles by short id.
    profile_names: Observed<BTreeMap<String, String>>,
    ranges: BTreeMap<String, Observed<Vec<IpRange>>>,
    trusted: Observed<Vec<IpRange>>,
    session_timeout: Observed<Duration>,
    /// Whether login ranges are checked on every request, and not at sign-in and refresh only.
    on_every_request: bool,
    /// Address ranges of apps, by app id.
    app_ranges: BTreeMap<String, usize>,
}

impl Networks {
    pub(super) async fn read(org: &Org, ledger: &Ledger) -> Self {
        let (names, settings) = tokio::join!(
            ledger.look("login-ranges", async {
                let profiles = org.list_metadata("list profiles", "Profile").await?;
                Ok(profiles
                    .into_iter()
                    .filter_map(|profile| {
                        Some((short_id(&profile.id?).to_owned(), profile.full_name))
                    })
                    .collect())
            }),
            ledger.look("session-settings", security_settings(org)),
        );
        if matches!(settings, Observed::Known(_)) {
            ledger.read("session-settings", 1);
        }
        let unknown_timeout = || {
            Observed::unknown(
                Reason::PlatformSilent,
                "session-settings",
                "the org does not tell its session timeout",
            )
        };
        let on_every_request = settings.known().and_then(|settings| {
            settings.session_settings.as_ref()?.enforce_ip_ranges_every_request
        }) == Some(true);
        Self {
            on_every_request,
            profile_names: names,
            ranges: BTreeMap::new(),
            session_timeout: match &settings {
                Observed::Known(settings) => settings
                    .session_settings
                    .as_ref()
                    .and_then(|session| timeout(session.session_timeout.as_deref()?))
                    .map_or_else(unknown_timeout, Observed::Known),
                Observed::Absent => unknown_timeout(),
                Observed::Unknown(gap) => Observed::Unknown(gap.clone()),
            },
            trusted: match settings {
                Observed::Known(settings) => parse(
                    "session-settings",
                    &app_ranges(settings.network_access.unwrap_or_default().ip_ranges),
                ),
                Observed::Absent => Observed::Absent,
                Observed::Unknown(gap) => Observed::Unknown(gap),
            },
            app_ranges: BTreeMap::new(),
        }
    }

    /// Takes over what the apps' settings say about networks.
    pub(super) fn adopt(&mut self, apps: &Apps) {
        self.app_ranges = apps.address_ranges();
    }

    /// The org's session timeout: how long an access token lives without being used.
    pub(super) const fn session_timeout(&self) -> &Observed<Duration> {
        &self.session_timeout
    }

    /// Settings of the org that look like a restriction.
    pub(super) fn look_alikes(&self) -> Observed<Vec<LookAlike>> {
        let ranges = match &self.trusted {
            Observed::Known(ranges) => ranges.len(),
            Observed::Absent => return Observed::Known(Vec::new()),
            Observed::Unknown(gap) => return Observed::Unknown(gap.clone()),
        };
        Observed::Known(vec![LookAlike {
            setting: format!("Network Access: {}", count(ranges, "trusted IP range")),
            why: "trusted ranges spare users a verification code and block nobody".to_owned(),
        }])
    }

    /// Makes sure that the ranges of these profiles are known, ten to a call.
    pub(super) async fn load<'a>(
        &mut self,
        org: &Org,
        ledger: &Ledger,
        profiles: impl IntoIterator<Item = &'a str>,
    ) {
        let Observed::Known(names) = &self.profile_names else { return };
        let mut wanted: Vec<(String, Option<&String>)> = profiles
            .into_iter()
            .map(short_id)
            .filter(|id| !self.ranges.contains_key(*id))
            .map(|id| (id.to_owned(), names.get(id)))
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        for wanted in wanted.chunks(NAMES_PER_CALL) {
            let names: Vec<&str> =
                wanted.iter().filter_map(|(_, name)| name.map(String::as_str)).collect();
            let read = if names.is_empty() {
                Ok(Vec::new())
            } else {
                org.read_metadata::<Profile>("read profiles", "Profile", &names).await
            };
            let failed =
                read.as_ref().err().map(|error: &Error| ledger.fail("login-ranges", error));
            let profiles = read.unwrap_or_default();
            for (id, name) in wanted {
                let profile = profiles
                    .iter()
                    .find(|p| p.full_name.is_some() && p.full_name.as_ref() == *name);
                let ranges = match (profile, &failed) {
                    (Some(profile), _) => {
                        ledger.read("login-ranges", 1);
                        parse("login-ranges", &login_ranges(&profile.login_ip_ranges))
                    }
                    (None, Some(gap)) => Observed::Unknown(gap.clone()),
                    (None, None) => {
                        let gap = Gap::new(
                            Reason::CallFailed,
                            "login-ranges",
                            "a profile that holds tokens is not among the org's metadata",
                        );
                        ledger.lose(gap.clone(), Some(1));
                        Observed::Unknown(gap)
                    }
                };
                self.ranges.insert(id.clone(), ranges);
            }
        }
    }

    /// Reads one profile, to find out whether profiles can be read.
    pub(super) async fn probe(&mut self, org: &Org, ledger: &Ledger) {
        if let Observed::Known(names) = &self.profile_names
            && let Some(id) = names.keys().next().cloned()
        {
            self.load(org, ledger, [id.as_str()]).await;
        }
    }

    /// Where a token of this app works from, when it runs as a user with this profile.
    pub(super) fn policy(
        &self,
        app: &str,
        relaxation: &Observed<Relaxation>,
        profile: Option<(&str, &str)>,
    ) -> NetworkPolicy {
        let ranges = match profile {
            Some((id, _)) => self.ranges.get(short_id(id)).cloned().unwrap_or_else(|| {
                Observed::Unknown(self.profile_names.gap().cloned().unwrap_or_else(|| {
                    Gap::new(
                        Reason::CallFailed,
                        "login-ranges",
                        "the login IP ranges of the user's profile were not read",
                    )
                }))
            }),
            None => Observed::unknown(
                Reason::PlatformSilent,
                "login-ranges",
                "the org does not tell the profile of the token's user",
            ),
        };
        let profile_name = profile.map_or("?", |(_, name)| name);
        let mut look_alikes = Vec::new();
        let binding = match (relaxation, ranges) {
            // Nothing to enforce: whatever the app says, the token works from anywhere.
            (_, Observed::Absent) => Observed::Absent,
            (_, Observed::Known(ranges)) if ranges.iter().any(|range| range.is_everything()) => {
                look_alikes.push(LookAlike {
                    setting: format!("Login IP Ranges of the profile {profile_name}"),
                    why: "a range holds every address".to_owned(),
                });
                Observed::Absent
            }
            (Observed::Known(Relaxation::Enforce), ranges) => ranges,
            (Observed::Known(relaxation), ranges) => {
                if ranges.known().is_some() {
                    look_alikes.push(LookAlike {
                        setting: format!("Login IP Ranges of the profile {profile_name}"),
                        why: format!("the app's IP Relaxation is \"{}\"", relaxation.label()),
                    });
                }
                Observed::Absent
            }
            (_, Observed::Unknown(gap)) => Observed::Unknown(gap),
            (Observed::Unknown(gap), Observed::Known(_)) => Observed::Unknown(gap.clone()),
            (Observed::Absent, Observed::Known(ranges)) => Observed::Known(ranges),
        };
        if binding.known().is_some() && !self.on_every_request {
            look_alikes.push(LookAlike {
                setting: format!("Login IP Ranges of the profile {profile_name}"),
                why: "checked at sign-in and refresh only: an access token that was issued already works from any network until its \
                      session ends (Session Settings: Enforce login IP ranges on every request)"
                    .to_owned(),
            });
        }
        if matches!(binding, Observed::Absent)
            && let Some(ranges) = self.app_ranges.get(app)
        {
            look_alikes.push(LookAlike {
                setting: format!("{} of the app", count(*ranges, "IP range")),
                why: "an app's own ranges widen where it may be used from; they block nobody"
                    .to_owned(),
            });
        }
        NetworkPolicy { binding, look_alikes }
    }
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

async fn security_settings(org: &Org) -> Result<SecuritySettings> {
    let settings: Vec<SecuritySettings> =
        org.read_metadata("read SecuritySettings", "SecuritySettings", &["Security"]).await?;
    settings.into_iter().find(|settings| settings.full_name.is_some()).ok_or_else(|| {
        org.explain(
            "read SecuritySettings",
            Error::new(ErrorKind::Malformed, "the org sent no security settings"),
        )
    })
}

fn login_ranges(ranges: &[LoginRange]) -> Vec<(&str, &str)> {
    ranges.iter().map(|range| (range.start_address.as_str(), range.end_address.as_str())).collect()
}

fn app_ranges(ranges: Vec<AppRange>) -> Vec<(String, String)> {
    ranges.into_iter().map(|range| (range.start, range.end)).collect()
}

/// No ranges is `Absent`; a range that cannot be read makes the whole unknown, because it may be the one that is open.
fn parse<S: AsRef<str>>(facet: &str, ranges: &[(S, S)]) -> Observed<Vec<IpRange>> {
    if ranges.is_empty() {
        return Observed::Absent;
    }
    let parsed = ranges.iter().map(|(start, end)| {
        IpRange::new(start.as_ref().trim().parse().ok()?, end.as_ref().trim().parse().ok()?)
    });
    parsed.collect::<Option<Vec<IpRange>>>().map_or_else(
        || {
            Observed::Unknown(gap_of(
                facet,
                &Error::new(ErrorKind::Malformed, "an address range has a form that is not known"),
            ))
        },
        Observed::Known,
    )
}

/// Values of `SessionSettings.sessionTimeout`: Metadata API type `SecuritySettings`.
fn timeout(text: &str) -> Option<Duration> {
    let minutes = match text {
        "FifteenMinutes" => 15,
        "ThirtyMinutes" => 30,
        "SixtyMinutes" => 60,
        "NinetyMinutes" => 90,
        "TwoHours" => 120,
        "FourHours" => 240,
        "EightHours" => 480,
        "TwelveHours" => 720,
        "TwentyFourHours" => 1440,
        _ => return None,
    };
    Some(Duration::from_secs(minutes * 60))
}
