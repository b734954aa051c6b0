//! What ties an app to a vendor: read from the app's own record, nothing else.

use std::collections::{BTreeMap, BTreeSet};

use grantwarden_kit::model::{App, Observed};

use super::{Confidence, Tie, TieKind, brands};

/// Everything that may tie this app to another one.
///
/// `own_domains` are the tenants' own: an app that redirects to one of them is tied to nobody else by it.
pub(super) fn of(platform: &str, app: &App, own_domains: &BTreeSet<String>) -> BTreeSet<Tie> {
    let mut ties: BTreeMap<(TieKind, String), Confidence> = BTreeMap::new();
    let mut tie = |confidence: Confidence, kind, value: String| {
        ties.entry((kind, value))
            .and_modify(|known| *known = confidence.min(*known))
            .or_insert(confidence);
    };
    for id in app.client_ids.known().into_iter().flatten() {
        tie(Confidence::Proven, TieKind::ClientId, id.clone());
        if let Some(project) = google_project(id) {
            tie(Confidence::Proven, TieKind::GoogleProject, project.to_owned());
        }
    }
    if let Some(home) = app.home_tenant.known() {
        tie(Confidence::Proven, TieKind::HomeTenant, format!("{platform}:{home}"));
    }
    if let Some(namespace) = app.namespace.known() {
        tie(Confidence::Proven, TieKind::Namespace, format!("{platform}:{namespace}"));
    }
    let redirects = domains(&app.redirect_domains, own_domains);
    for domain in &redirects {
        let Some(vendor) = brands::of_domain(domain) else { continue };
        // Codes go to any of them: one that is the brand's says little beside one that may be anybody's.
        let is_all = redirects.iter().all(|other| brands::of_domain(other) == Some(vendor));
        let confidence = if is_all { Confidence::Likely } else { Confidence::Claimed };
        tie(confidence, TieKind::BrandName, vendor.to_owned());
    }
    for domain in redirects {
        tie(Confidence::Likely, TieKind::RedirectDomain, domain);
    }
    for domain in domains(&app.web_domains, own_domains) {
        tie(Confidence::Claimed, TieKind::WebDomain, domain);
    }
    if let Some(publisher) = app.publisher.known() {
        let (confidence, kind) = match publisher.verified.known() {
            Some(true) => (Confidence::Likely, TieKind::VerifiedPublisher),
            _ => (Confidence::Claimed, TieKind::Publisher),
        };
        let name = brands::company(&publisher.name);
        if !name.is_empty() {
            if let Some(vendor) = brands::of_name(&publisher.name) {
                tie(confidence, TieKind::BrandName, vendor.to_owned());
            }
            tie(confidence, kind, name);
        }
    }
    if let Some(vendor) = brands::of_name(&app.name) {
        tie(Confidence::Claimed, TieKind::BrandName, vendor.to_owned());
    }
    ties.into_iter().map(|((kind, value), confidence)| Tie { confidence, kind, value }).collect()
}

/// What two apps must share to be one vendor's: verified or not, a publisher is the same company, and a domain is a domain wherever it
/// stands.
pub(super) fn key(tie: &Tie) -> (TieKind, &str) {
    let kind = match tie.kind {
        TieKind::VerifiedPublisher => TieKind::Publisher,
        TieKind::WebDomain => TieKind::RedirectDomain,
        other => other,
    };
    (kind, &tie.value)
}

/// A client id for comparing with the register. GUIDs have no case (RFC 9562 section 4); other ids may have one.
pub(super) fn client_id(id: &str) -> String {
    let is_guid = id.len() == 36
        && id.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    if is_guid { id.to_ascii_lowercase() } else { id.to_owned() }
}

/// The project number of a Google client identifier, `123456789012-….apps.googleusercontent.com`.
pub(crate) fn google_project(client_id: &str) -> Option<&str> {
    let (project, _) = client_id.strip_suffix(".apps.googleusercontent.com")?.split_once('-')?;
    (!project.is_empty() && project.bytes().all(|byte| byte.is_ascii_digit())).then_some(project)
}

/// The registrable domains among host names that say whose they are.
fn domains(hosts: &Observed<Vec<String>>, own_domains: &BTreeSet<String>) -> BTreeSet<String> {
    let hosts = hosts.known().into_iter().flatten();
    hosts
        .filter_map(|host| registrable(host))
        .filter(|domain| !own_domains.contains(domain) && !brands::is_shared(domain))
        .collect()
}

/// The part of a host name that one owner registered, by the Public Suffix List; `None` for addresses, for names of this machine, and for
/// names that nobody can register.
pub(crate) fn registrable(host: &str) -> Option<String> {
    let host = host.trim().trim_end_matches('.').to_lowercase();
    if host.parse::<std::net::IpAddr>().is_ok() || !host.contains('.') {
        return None;
    }
    psl::domain_str(&host).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_what_one_owner_registered() {
        for (host, domain) in [
            ("app.drift.example", Some("drift.example")),
            ("a.b.vendor.co.uk", Some("vendor.co.uk")),
            ("Tenant.Vendor.COM.", Some("vendor.com")),
            ("shop.myapp.herokuapp.com", Some("myapp.herokuapp.com")),
            ("127.0.0.1", None),
            ("localhost", None),
            ("co.uk", None),
        ] {
            assert_eq!(registrable(host).as_deref(), domain, "{host}");
        }
    }

    #[test]
    fn one_domain_of_a_brand_beside_another_is_a_claim() {
        let unknown = serde_json::json!({ "unknown": { "reason": "platform-silent", "facet": "apps", "detail": "" } });
        let app = |hosts: &[&str]| -> App {
            let mut app = serde_json::json!({ "id": "a", "name": "Something", "kind": "app", "origin": "third-party" });
            for fact in [
                "client_ids",
                "publisher",
                "home_tenant",
                "namespace",
                "web_domains",
                "installed",
                "blocked",
                "approval",
                "assigned_to",
                "scopes",
                "flows",
                "introspects_all_tokens",
                "created_at",
                "changed_at",
            ] {
                app[fact] = unknown.clone();
            }
            app["redirect_domains"] = serde_json::json!({ "known": hosts });
            app["token_policy"] = serde_json::json!({ "access_lifetime": unknown, "refresh": unknown, "rotation": unknown });
            serde_json::from_value(app).unwrap()
        };
        let brand = |hosts: &[&str]| {
            let ties = of("slack", &app(hosts), &BTreeSet::new());
            ties.into_iter().find(|tie| tie.kind == TieKind::BrandName).map(|tie| tie.confidence)
        };
        assert_eq!(brand(&["app.dropbox.com", "hellosign.com"]), Some(Confidence::Likely));
        assert_eq!(brand(&["app.dropbox.com", "evil.zone"]), Some(Confidence::Claimed));
        assert_eq!(brand(&["evil.zone"]), None);
    }

    #[test]
    fn a_google_client_id_names_its_project() {
        let id = "123456789012-fake.apps.googleusercontent.com";
        assert_eq!(google_project(id), Some("123456789012"));
        assert_eq!(google_project("sheets-export.example"), None);
        assert_eq!(google_project("-x.apps.googleusercontent.com"), None);
    }
}
