//! Records of GitHub Apps and their installations.

use std::{collections::BTreeSet, time::Duration};

use grantwarden_kit::model::{
    App, Expiry, Grant, GrantKind, Holder, Observed, Origin, Publisher, Setting, TokenPolicy,
};

use super::{
    gaps,
    gaps::silent,
    installations::FACET,
    publishers::Facts,
    records::{self, setting},
    scopes,
};
use crate::{
    api::{AppFacts, Installation, Permissions},
    rights::Level,
    site::Edition,
};

/// The setting that keeps an app's slug, for what it left behind when it is gone.
pub(crate) const SLUG: &str = "Slug";
/// Life of an installation token (API sheet, section 6).
const TOKEN_LIFE: Duration = Duration::from_secs(3_600);

/// Whose apps are the account's own, and on which edition.
pub(super) struct Home {
    /// Logins of the organisations, in lower case.
    pub(super) organizations: BTreeSet<String>,
    /// The enterprise's slug, in lower case. Slugs and logins are two lists: a user may have the name of somebody's enterprise.
    pub(super) enterprise: Option<String>,
    pub(super) edition: Edition,
}

impl Home {
    /// Whose app it is: by its owner, never by its name.
    fn origin(&self, facts: Option<&AppFacts>) -> Origin {
        let Some(owner) = facts.and_then(|facts| facts.owner.as_ref()) else {
            return Origin::ThirdParty;
        };
        let is_organization = owner.kind.as_deref() == Some("Organization");
        let is_own = match (&owner.login, &owner.slug) {
            (Some(login), _) => {
                is_organization && self.organizations.contains(&login.to_lowercase())
            }
            (None, Some(slug)) => self.enterprise.as_ref() == Some(&slug.to_lowercase()),
            (None, None) => false,
        };
        if is_own {
            return Origin::Own;
        }
        let is_github = owner.login.as_deref() == Some("github") && is_organization;
        // On a server anybody may have taken the name.
        if is_github && self.edition == Edition::Cloud {
            Origin::Platform
        } else {
            Origin::ThirdParty
        }
    }
}

/// [`App::id`] of the app of an installation: by its number, or by its client id where a listing gives only that.
pub(super) fn app_id(row: &Installation) -> String {
    match (row.app_id, &row.client_id, &row.app_slug) {
        (Some(id), _, _) => format!("app:{id}"),
        (None, Some(client), _) => format!("client:{client}"),
        (None, None, Some(slug)) => format!("slug:{slug}"),
        (None, None, None) => format!("installation:{}", row.id),
    }
}

pub(super) fn name(row: &Installation, facts: &Facts) -> String {
    let name = facts.told().and_then(|facts| facts.name.clone()).or_else(|| row.app_slug.clone());
    name.unwrap_or_else(|| app_id(row))
}

pub(super) fn app(row: &Installation, facts: &Facts, home: &Home) -> App {
    let told = facts.told();
    let owner = told.and_then(|facts| facts.owner.as_ref());
    let login = owner.and_then(|owner| match (&owner.login, &owner.slug) {
        (Some(login), _) => Some(login.clone()),
        (None, slug) => slug.as_ref().map(|slug| format!("enterprises/{slug}")),
    });
    let client_ids: Vec<String> = [&row.client_id, &told.and_then(|facts| facts.client_id.clone())]
        .into_iter()
        .flatten()
        .cloned()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    App {
        client_ids: match client_ids.is_empty() {
            true => silent(FACET, "GitHub does not give the client id"),
            false => Observed::Known(client_ids),
        },
        // A name of its own choice may be anybody's: the login is nobody else's.
        publisher: match login.clone().or_else(|| owner.and_then(|owner| owner.name.clone())) {
            Some(name) => Observed::Known(Publisher {
                name,
                verified: silent(
                    FACET,
                    "no interface tells whether GitHub has verified the publisher",
                ),
            }),
            None => untold(facts),
        },
        home_tenant: login.map_or_else(|| untold(facts), Observed::Known),
        web_domains: web_domains(facts),
        origin: home.origin(told),
        installed: Observed::Known(true),
        blocked: match &row.suspended_at {
            Some(Some(_)) => Observed::Known(true),
            Some(None) => Observed::Known(false),
            None => {
                silent(FACET, "this listing does not tell whether an installation is suspended")
            }
        },
        approval: silent(
            FACET,
            "an owner installed it, or somebody who administers the repositories: GitHub does not tell who",
        ),
        scopes: match told {
            Some(facts) => scopes::of_permissions(FACET, facts.permissions.as_ref()),
            None => untold(facts),
        },
        token_policy: TokenPolicy {
            access_lifetime: Observed::Known(TOKEN_LIFE),
            // An installation has no refresh token: the app's key gets the next one.
            refresh: Observed::Absent,
            rotation: Observed::Absent,
        },
        created_at: gaps::time_of(FACET, row.created_at.as_ref()),
        changed_at: gaps::time_of(FACET, row.updated_at.as_ref()),
        settings: of_app(row).into_iter().chain(of_installation(row, told)).collect(),
        ..records::app(FACET, app_id(row), name(row, facts), "GitHub App")
    }
}

/// Hosts of the home page. An app may have none, which is told by null or an empty text.
fn web_domains(facts: &Facts) -> Observed<Vec<String>> {
    match facts.told().map(|facts| &facts.external_url) {
        Some(Some(page)) => match page.as_deref().map_or("", str::trim) {
            "" => Observed::Absent,
            address => match host(address) {
                Some(host) => Observed::Known(vec![host]),
                None => gaps::odd(FACET, "the home page is not an address"),
            },
        },
        Some(None) | None => untold(facts),
    }
}

/// A fact that only the look-up of the app tells, and did not.
fn untold<T>(facts: &Facts) -> Observed<T> {
    Observed::Unknown(facts.gap())
}

/// What holds for the app wherever it is installed.
pub(super) fn of_app(row: &Installation) -> Vec<Setting> {
    // What it does is done as `SLUG[bot]`.
    row.app_slug.iter().map(|slug| setting(SLUG, Observed::Known(slug.clone()))).collect()
}

/// What holds for one installation.
pub(super) fn of_installation(row: &Installation, told: Option<&AppFacts>) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut say = |name: &str, value: String| settings.push(setting(name, Observed::Known(value)));
    let waiting = told.map(|facts| pending(facts.permissions.as_ref(), row.permissions.as_ref()));
    if let Some(waiting) = waiting.filter(|waiting| !waiting.is_empty()) {
        say("Permissions that the app asks for and was not given", waiting.join(", "));
    }
    if let Some(paths) = row.single_file_paths.as_ref().filter(|paths| !paths.is_empty()) {
        say("Single files", paths.join(", "));
    }
    if let Some(page) = &row.html_url {
        say("Page to configure or uninstall it", page.clone());
    }
    if let Some(contact) = &row.contact_email {
        say("Contact", contact.clone());
    }
    if let Some(login) = row.suspended_by.as_ref().and_then(|user| user.login.clone()) {
        say("Suspended by", login);
    }
    settings
}

/// What an app asks for today beyond what it was given.
fn pending(asked: Option<&Permissions>, given: Option<&Permissions>) -> Vec<String> {
    let level =
        |value: Option<&serde_json::Value>| value.and_then(|text| Level::parse(text.as_str()?));
    let (Some(asked), Some(given)) = (asked, given) else { return Vec::new() };
    let beyond = asked.iter().filter(|(name, wanted)| {
        level(Some(wanted))
            .is_some_and(|wanted| level(given.get(*name)).is_none_or(|has| has < wanted))
    });
    beyond.map(|(name, wanted)| format!("{name}:{}", wanted.as_str().unwrap_or_default())).collect()
}

/// The installation itself: what the app may do as itself.
pub(super) fn installation(row: &Installation, name: &str, organization: Option<&str>) -> Grant {
    let selection = match row.repository_selection.as_deref() {
        Some("all") => Observed::Known("all repositories".to_owned()),
        Some("selected") => Observed::Known("selected repositories".to_owned()),
        Some("none") => Observed::Known("no repository".to_owned()),
        Some(other) => gaps::odd(FACET, format!("GitHub says `{other}`, which is not known")),
        None => silent(FACET, "GitHub does not tell"),
    };
    let mut settings = vec![setting("Repository access", selection)];
    if let Some(organization) = organization {
        settings.push(setting("Organisation", Observed::Known(organization.to_owned())));
    }
    if let Some(events) = row.events.as_ref().filter(|events| !events.is_empty()) {
        settings.push(setting("Events", Observed::Known(events.join(", "))));
    }
    let app = app_id(row);
    Grant {
        scopes: scopes::of_permissions(FACET, row.permissions.as_ref()),
        granted_at: gaps::time_of(FACET, row.created_at.as_ref()),
        last_used_at: silent(FACET, "GitHub does not tell when an installation was last used"),
        expires: Observed::Known(Expiry::Never),
        // With the app's key, without a person.
        refreshable: Observed::Known(true),
        settings,
        ..records::grant(
            FACET,
            format!("installation:{}", row.id),
            (&app, name),
            GrantKind::Installation,
            Holder::App,
        )
    }
}

/// The host of an address.
pub(super) fn host(address: &str) -> Option<String> {
    url::Url::parse(address.trim()).ok()?.host_str().map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> AppFacts {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn an_app_is_the_platforms_by_its_owner_only() {
        let home = |edition| Home {
            organizations: ["acme".to_owned()].into(),
            enterprise: Some("acme-corp".to_owned()),
            edition,
        };
        let github =
            facts(r#"{"owner":{"login":"github","type":"Organization"},"name":"Actions"}"#);
        assert_eq!(home(Edition::Cloud).origin(Some(&github)), Origin::Platform);
        assert_eq!(home(Edition::Server).origin(Some(&github)), Origin::ThirdParty);
        let named = facts(r#"{"owner":{"login":"mallory","type":"User"},"name":"GitHub"}"#);
        assert_eq!(home(Edition::Cloud).origin(Some(&named)), Origin::ThirdParty);
        let own = facts(r#"{"owner":{"login":"Acme","type":"Organization"}}"#);
        assert_eq!(home(Edition::Cloud).origin(Some(&own)), Origin::Own);
        assert_eq!(home(Edition::Cloud).origin(None), Origin::ThirdParty);
        // Anybody may take the login that an enterprise has as its slug, and an enterprise the slug that an organisation has as its login.
        let taken = facts(r#"{"owner":{"login":"acme-corp","type":"User"}}"#);
        assert_eq!(home(Edition::Cloud).origin(Some(&taken)), Origin::ThirdParty);
        let taken = facts(r#"{"owner":{"slug":"acme","name":"Acme"}}"#);
        assert_eq!(home(Edition::Cloud).origin(Some(&taken)), Origin::ThirdParty);
        let own = facts(r#"{"owner":{"slug":"Acme-Corp","name":"Acme"}}"#);
        assert_eq!(home(Edition::Cloud).origin(Some(&own)), Origin::Own);
    }

    /// A missing field is no statement.
    #[test]
    fn a_home_page_that_is_not_told_is_not_none() {
        let of = |text: &str| web_domains(&Facts::Told(Box::new(facts(text))));
        assert!(of("{}").gap().is_some());
        assert_eq!(of(r#"{"external_url":null}"#), Observed::Absent);
        assert!(of(r#"{"external_url":"none"}"#).gap().is_some());
        let known = Observed::Known(vec!["robin.example".to_owned()]);
        assert_eq!(of(r#"{"external_url":"https://Robin.example/x"}"#), known);
    }

    #[test]
    fn what_an_app_asks_for_beyond_what_it_has_is_told() {
        let map = |text: &str| -> Permissions { serde_json::from_str(text).unwrap() };
        let asked = map(r#"{"contents":"write","issues":"read","metadata":"read"}"#);
        let given = map(r#"{"contents":"read","metadata":"read"}"#);
        assert_eq!(pending(Some(&asked), Some(&given)), ["contents:write", "issues:read"]);
        assert!(pending(Some(&given), Some(&asked)).is_empty());
        assert!(pending(Some(&asked), None).is_empty());
    }
}
