//! How a [`GrantView`] is put into words: phrases for messages, and facts as [`Evidence`].

use grantwarden_kit::model::{
    Approval, Gap, GrantKind, Holder, LookAlike, Observed, PrincipalKind,
};

use super::{GrantView, Life, VendorView, fact, view::restricts, words};
use crate::{
    finding::{AppRef, Evidence, Subject, SubjectKind},
    scopes::{Kind, Rights, SetAssessment},
};

impl<'a> GrantView<'a> {
    /// For whom the app acts, for the middle of a sentence.
    pub fn who(&self) -> String {
        let Some(principal) = self.principal() else {
            return match self.grant.holder {
                Holder::Tenant => "any user of the tenant".to_owned(),
                _ => "the app itself".to_owned(),
            };
        };
        let name = principal.label();
        let is_administrator = self.rights == Ok(Rights::Administers);
        match (principal.kind.known(), is_administrator) {
            (Some(PrincipalKind::ServiceAccount), false) => format!("the service account {name}"),
            (Some(PrincipalKind::ServiceAccount), true) => {
                format!("the administrative service account {name}")
            }
            (_, true) => format!("the administrator {name}"),
            (_, false) => name.to_owned(),
        }
    }

    /// What the app can do with the grant, to follow "can".
    pub fn power(&self) -> String {
        let who = self.who();
        match &self.scopes {
            Ok(set) => set.power(&who),
            Err(_) => format!("act for {who} with scopes that are not visible"),
        }
    }

    /// What the grant is, for the middle of a sentence: `the refresh token of Drift for jane@acme.example`.
    pub fn noun(&self) -> String {
        let kind = match self.grant.kind {
            GrantKind::PersonalToken => "the personal token",
            GrantKind::ApiToken => "the API token",
            GrantKind::Delegation => "the delegation",
            GrantKind::Installation => "the installation",
            GrantKind::AppOnly => "the standing access",
            GrantKind::Key => "the key",
            GrantKind::Webhook => "the webhook",
            _ if self.grant.refreshable.known() == Some(&true) => "the refresh token",
            _ => "the grant",
        };
        // One record stands for all tokens of a kind; which of them it is, only its own name says.
        if let Some(name) = self.own_name() {
            return match self.grant.holder {
                Holder::App => format!("{kind} `{name}`"),
                _ => format!("{kind} `{name}` of {}", self.who()),
            };
        }
        match self.grant.holder {
            Holder::App => format!("{kind} of {}", self.app_name()),
            _ => format!("{kind} of {} for {}", self.app_name(), self.who()),
        }
    }

    /// Who the finding is about.
    pub fn subject(&self) -> Subject {
        let principal = self.principal().map(|principal| principal.label().to_owned());
        let holder = principal.clone().unwrap_or_else(|| self.who());
        Subject {
            kind: SubjectKind::Grant,
            id: self.grant.id.clone(),
            label: format!("{} for {holder}", self.app_name()),
            app: Some(AppRef { id: self.grant.app.clone(), name: self.app_name().to_owned() }),
            principal,
        }
    }

    /// The scopes as evidence.
    pub fn scope_evidence(&self) -> Evidence {
        let value = |set: &SetAssessment<'_>| match set.names() {
            names if names.is_empty() => "none".to_owned(),
            names => format!("{names}: {}", set.sentence(Kind::of(self.grant))),
        };
        match &self.scopes {
            Ok(set) if self.scopes_are_exact => {
                Evidence::new("scopes", value(set), fact::GRANT_SCOPES)
            }
            Ok(set) => Evidence::new(
                "scopes, at most",
                format!("{} (what the app's registration allows)", value(set)),
                fact::APP_SCOPES,
            ),
            Err(gap) => Evidence::new("scopes", not_visible(gap), fact::GRANT_SCOPES),
        }
    }

    /// The life as evidence.
    pub fn life_evidence(&self) -> Evidence {
        let value = match self.life() {
            Ok(Life::Never) => "never ends by itself".to_owned(),
            Ok(Life::Until(end)) => format!("ends on {}", end.date()),
            Ok(Life::Idle(idle)) => {
                format!(
                    "ends after {} without use; each use starts the time anew",
                    words::span(idle)
                )
            }
            Err(gap) => not_visible(gap),
        };
        Evidence::new("life", value, fact::GRANT_EXPIRES)
    }

    /// The network policy as evidence.
    pub fn network_evidence(&self) -> Evidence {
        let value = match &self.grant.network.binding {
            Observed::Absent => "works from any network".to_owned(),
            Observed::Known(ranges) if ranges.is_empty() => {
                "a list of ranges without a range: works from any network".to_owned()
            }
            Observed::Known(ranges) if restricts(ranges) => {
                format!("works only from {}", words::ranges(ranges))
            }
            Observed::Known(ranges) => {
                format!("the ranges {} hold most addresses there are", words::ranges(ranges))
            }
            Observed::Unknown(gap) => not_visible(gap),
        };
        Evidence::new("network", value, fact::GRANT_NETWORK)
    }

    /// Settings around the grant that look as if they limited from where it works.
    pub fn look_alikes(&self) -> impl Iterator<Item = &'a LookAlike> {
        self.grant.network.look_alikes.iter()
    }

    /// Whether the token is bound to a key, as evidence.
    pub fn sender_evidence(&self) -> Evidence {
        let value = match &self.grant.sender_constrained {
            Observed::Known(true) => "a key of its holder".to_owned(),
            Observed::Known(false) | Observed::Absent => {
                "none: whoever has the token can use it".to_owned()
            }
            Observed::Unknown(gap) => not_visible(gap),
        };
        Evidence::new("sender constraint", value, fact::GRANT_SENDER_CONSTRAINED)
    }

    /// The last use as evidence.
    pub fn use_evidence(&self) -> Evidence {
        let value = match (&self.grant.last_used_at, &self.grant.granted_at) {
            (Observed::Known(used), _) => {
                let days = used.days_until(self.context.now);
                format!("{} ({} ago)", used.date(), words::counted(days, "day"))
            }
            (Observed::Absent, Observed::Known(granted)) => {
                format!("never, since it was given on {}", granted.date())
            }
            (Observed::Absent, _) => "never".to_owned(),
            (Observed::Unknown(gap), _) => not_visible(gap),
        };
        Evidence::new("last used", value, fact::GRANT_LAST_USED_AT)
    }

    /// The holder and its rights as evidence.
    pub fn holder_evidence(&self) -> Evidence {
        let Some(principal) = self.principal() else {
            return Evidence::new("acts as", self.who(), fact::HOLDER);
        };
        let rights = match &principal.privileges {
            Observed::Known(names) if !names.is_empty() => words::some(names, 5),
            Observed::Known(_) | Observed::Absent => "no rights beyond its own data".to_owned(),
            Observed::Unknown(gap) => not_visible(gap),
        };
        Evidence::new("acts as", format!("{}: {rights}", self.who()), fact::HOLDER_PRIVILEGES)
    }

    /// Who approved the grant, as evidence; `None` where an administrator did.
    pub fn approval_evidence(&self) -> Option<Evidence> {
        let value = match &self.grant.approval {
            Observed::Known(Approval::AdminApproved) => return None,
            Observed::Known(Approval::SelfAuthorized) => "a user's own consent".to_owned(),
            Observed::Absent => "nobody".to_owned(),
            Observed::Unknown(gap) => not_visible(gap),
        };
        Some(Evidence::new("approved by", value, fact::GRANT_APPROVAL))
    }
}

impl VendorView<'_> {
    /// What the vendor holds as evidence.
    pub fn holdings_evidence(&self) -> Evidence {
        let here = self.holdings.by_platform.iter().map(|(platform, here)| {
            let live = words::counted(here.live, "live grant");
            format!("{live} on {platform} ({} broad)", here.broad)
        });
        let (principals, has_more) = self.holdings.principals();
        let value = format!(
            "{}, in {}, of {}{}",
            here.collect::<Vec<_>>().join(", "),
            words::counted(self.holdings.tenants.len() as u64, "tenant"),
            if has_more { "more than " } else { "" },
            words::counted(principals, "user"),
        );
        Evidence::new("holds", value, fact::HOLDER)
    }
}

/// Why a fact is not there, for the value of an evidence.
fn not_visible(gap: &Gap) -> String {
    format!("not visible: {}", gap.detail)
}
