//! Whether an advisory means an app, a grant or a credential: pure, one advisory and one candidate at a time.
//!
//! An exact match rests on what the platform gives to nobody else. A name is never exact, and counts for nothing where the platform
//! says that the app is its own.

use std::sync::Arc;

use grantwarden_kit::model::{App, Credential, Origin};

use super::{Advisory, Certainty, Key, KeyKind, Status};
use crate::vendors;

/// What may be meant: an app with its tenant, or a grant whose app has no record.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Platform id.
    pub platform: &'a str,
    /// The tenant's name in the configuration.
    pub tenant: &'a str,
    /// The platform's own id of the tenant, if it was read.
    pub tenant_id: Option<&'a str>,
    /// The app's record.
    pub app: &'a App,
}

/// Why an advisory means something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The advisory.
    pub advisory: Arc<Advisory>,
    /// How sure it is.
    pub certainty: Certainty,
    /// Whether the product is concerned.
    pub status: Status,
    /// The product, where one is told apart.
    pub product: Option<String>,
    /// The kind of the key; `None` if another app that matched leads here.
    pub kind: Option<KeyKind>,
    /// What matched, for a person: `client id 110671459871-…`.
    pub by: String,
    /// Where the key is said.
    pub source: String,
    /// Whether the key is a part of a word only: `metallic` in `Metallica`.
    pub within_a_word: bool,
}

/// A key that matched.
struct Matching<'k> {
    key: &'k Key,
    certainty: Certainty,
    by: String,
    within_a_word: bool,
}

/// Whether an advisory means an app, and by which key; the surest, of equals one that names a product, of equals the first.
pub fn of_app(advisory: &Arc<Advisory>, candidate: &Candidate<'_>) -> Option<Hit> {
    let keys = advisory.keys.iter().filter(|key| key.is_for(candidate.platform));
    strongest(advisory, keys.filter_map(|key| match_app(key, candidate)))
}

/// Whether an advisory means what is only known by names: a token by the name that its owner gave it, a service account. Never more than
/// a hint: who gave the name is not known.
pub fn of_name(advisory: &Arc<Advisory>, platform: &str, name: &str) -> Option<Hit> {
    let keys = advisory.keys.iter().filter(|key| key.is_for(platform));
    let matching = keys.filter_map(|key| {
        let matching = match_name(key, name)?;
        Some(Matching { certainty: Certainty::Review, ..matching })
    });
    strongest(advisory, matching)
}

/// Whether an advisory names this very credential.
pub fn of_credential(
    advisory: &Arc<Advisory>,
    platform: &str,
    credential: &Credential,
) -> Option<Hit> {
    let plain = |text: &str| text.replace([':', ' '], "").to_lowercase();
    let keys = advisory.keys.iter().filter(|key| {
        key.kind == KeyKind::CertificateThumbprint
            && key.is_for(platform)
            && plain(&key.value) == plain(&credential.id)
    });
    strongest(advisory, keys.map(|key| found(key, key.certainty(), &credential.id)))
}

/// Whether an advisory means everything in a tenant of the user's own; `id` is the platform's.
pub fn of_tenant(
    advisory: &Arc<Advisory>,
    platform: &str,
    tenant: &str,
    id: Option<&str>,
) -> Option<Hit> {
    let keys = advisory.keys.iter().filter(|key| {
        key.kind == KeyKind::Tenant && key.is_for(platform) && is_tenant(key, tenant, id)
    });
    strongest(advisory, keys.map(|key| found(key, key.certainty(), &key.value)))
}

fn strongest<'k>(
    advisory: &Arc<Advisory>,
    matching: impl Iterator<Item = Matching<'k>>,
) -> Option<Hit> {
    let best = matching.min_by_key(|matching| {
        // A key that names the product also says whether it is concerned.
        (matching.certainty, matching.within_a_word, matching.key.product.is_none())
    })?;
    let product = best.key.product.as_deref().and_then(|name| advisory.product(name));
    Some(Hit {
        certainty: best.certainty,
        status: product.map_or(Status::Affected, |product| product.status),
        product: product.map(|product| product.name.clone()),
        kind: Some(best.key.kind),
        by: best.by,
        source: best.key.source.clone(),
        within_a_word: best.within_a_word,
        advisory: Arc::clone(advisory),
    })
}

fn found<'k>(key: &'k Key, certainty: Certainty, value: &str) -> Matching<'k> {
    let by = format!("{} `{value}`", key.kind);
    Matching { key, certainty, by, within_a_word: false }
}

fn match_app<'k>(key: &'k Key, candidate: &Candidate<'_>) -> Option<Matching<'k>> {
    let Candidate { platform, tenant, tenant_id, app } = *candidate;
    let is_platforms_own = app.origin == Origin::Platform;
    if is_platforms_own && (key.kind.is_name() || key.kind == KeyKind::Tenant) {
        return None;
    }
    let value = key.value.as_str();
    let is = |other: &String| is_same_id(other, value).then(|| found(key, key.certainty(), other));
    let mut clients = app.client_ids.known().into_iter().flatten();
    match key.kind {
        KeyKind::ClientId => clients
            .clone()
            .find_map(is)
            .or_else(|| clients.find_map(|client| of_same_project(key, client))),
        KeyKind::AppId => is(&app.id).or_else(|| clients.find_map(is)),
        KeyKind::HomeTenant => app.home_tenant.known().and_then(is),
        KeyKind::Namespace => app.namespace.known().and_then(is),
        KeyKind::GoogleProject => clients
            .find(|client| vendors::google_project(client) == Some(value))
            .map(|_| found(key, key.certainty(), value)),
        KeyKind::RedirectDomain => {
            let redirects = app.redirect_domains.known().into_iter().flatten();
            let pages = app.web_domains.known().into_iter().flatten();
            let sure = redirects
                .clone()
                .find(|host| is_below(host, value))
                .map(|host| found(key, key.certainty(), host));
            // A home page is what the app's maker typed in.
            sure.or_else(|| {
                let host = pages.into_iter().find(|host| is_below(host, value))?;
                let by = format!("home page `{host}`");
                Some(Matching { by, ..found(key, Certainty::Review, host) })
            })
        }
        KeyKind::Publisher => {
            let publisher = app.publisher.known()?;
            let is_same = vendors::company(&publisher.name) == vendors::company(value);
            is_same.then(|| found(key, key.certainty(), &publisher.name))
        }
        KeyKind::ExactName | KeyKind::NameContains => match_name(key, &app.name),
        KeyKind::ExtensionId => {
            // An extension's own sign-in pages: `<id>.chromiumapp.org` and `chrome-extension://<id>`.
            let home = format!("{value}.chromiumapp.org");
            let mut hosts = app.redirect_domains.known().into_iter().flatten();
            is(&app.id).or_else(|| {
                let host = hosts.find(|host| **host == home || *host == value)?;
                Some(found(key, key.certainty(), host))
            })
        }
        KeyKind::Tenant => {
            is_tenant(key, tenant, tenant_id).then(|| found(key, key.certainty(), value))
        }
        KeyKind::CertificateThumbprint => None,
    }
    .filter(|_| key.is_for(platform))
}

/// Another client of the Google project that a client id names: only the project's owner can make one.
fn of_same_project<'k>(key: &'k Key, client: &str) -> Option<Matching<'k>> {
    let project = vendors::google_project(&key.value)?;
    (vendors::google_project(client) == Some(project)).then(|| {
        let by = format!("Google project `{project}`, which also has the named client id");
        Matching { by, ..found(key, key.certainty().max(Certainty::Probable), client) }
    })
}

fn match_name<'k>(key: &'k Key, name: &str) -> Option<Matching<'k>> {
    match key.kind {
        KeyKind::ExactName => {
            let wanted = vendors::company(&key.value);
            (vendors::company(name) == wanted).then(|| found(key, key.certainty(), name))
        }
        KeyKind::NameContains => {
            let (name_in_lower, part) = (name.to_lowercase(), key.value.to_lowercase());
            let is_edge = |letter: Option<char>| letter.is_none_or(|c| !c.is_alphanumeric());
            let mut within_a_word = None;
            for (at, _) in name_in_lower.match_indices(&part) {
                let before = name_in_lower[..at].chars().next_back();
                let after = name_in_lower[at + part.len()..].chars().next();
                let within = !(is_edge(before) && is_edge(after));
                within_a_word = Some(within_a_word.unwrap_or(true) && within);
            }
            let by = format!("part of the name `{name}`");
            let certainty = key.certainty();
            within_a_word.map(|within_a_word| Matching { key, certainty, by, within_a_word })
        }
        _ => None,
    }
}

/// Whether a key of an own tenant names this one, by its name or by the platform's id.
pub(super) fn is_tenant(key: &Key, name: &str, id: Option<&str>) -> bool {
    key.value == name || id.is_some_and(|id| is_same_id(id, &key.value))
}

/// Whether two ids are one. Those that have the form of a GUID are the same in capitals (RFC 9562 section 4); others are not.
fn is_same_id(one: &str, other: &str) -> bool {
    one == other || (is_guid(one) && one.eq_ignore_ascii_case(other))
}

fn is_guid(id: &str) -> bool {
    let groups = id.split('-');
    let is_hexadecimal = |group: &str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    groups.clone().map(str::len).eq([8, 4, 4, 4, 12]) && groups.into_iter().all(is_hexadecimal)
}

/// Whether a host is a domain or below it.
fn is_below(host: &str, domain: &str) -> bool {
    let host = host.trim_end_matches('.').to_lowercase();
    let domain = domain.to_lowercase();
    host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
}
