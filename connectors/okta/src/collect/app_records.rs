//! Records of apps: what the properties of an integration mean.

use std::collections::BTreeSet;

use grantwarden_kit::model::{
    App, Approval, Flow, Observed, Origin, Publisher, Reason, RefreshPolicy, Scope, Setting,
    TokenPolicy,
};
use url::Url;

use super::{
    apps::{self, FACET},
    lifetimes::Lifetimes,
    zones::Zones,
};
use crate::{
    api::{Application, Network},
    told::{Told, odd, unknown_value, untold},
};

pub(super) fn silent<T>(detail: &str) -> Observed<T> {
    Observed::unknown(Reason::PlatformSilent, FACET, detail)
}

/// The record of an app. `scopes`: what was granted to it, if that was read. `own`: the scanner's own client id. The revoker's is not in the
/// scanner's configuration, so that nothing tells it from another app of the org.
pub(super) fn record(
    app: &Application,
    scopes: Observed<Vec<Scope>>,
    lifetimes: &Lifetimes,
    zones: &Zones,
    own: Option<&str>,
) -> App {
    let client_id = apps::client_id(app);
    let is_client = apps::is_oidc(app);
    App {
        id: app.id.clone(),
        name: apps::label(app).to_owned(),
        kind: kind(app),
        client_ids: match client_id {
            Some(id) => Observed::Known(vec![id.to_owned()]),
            None if !is_client => Observed::Absent,
            None => Observed::Unknown(untold(FACET, "the client id")),
        },
        publisher: publisher(app),
        home_tenant: Observed::Absent,
        namespace: Observed::Absent,
        redirect_domains: if is_client { redirect_domains(app) } else { Observed::Absent },
        web_domains: if is_client {
            web_domains(app)
        } else {
            silent("only OIDC apps tell where their own pages are")
        },
        origin: if apps::is_oktas(app) {
            Origin::Platform
        } else if own.is_some_and(|own| apps::is_client(app, own)) {
            Origin::Own
        } else {
            Origin::ThirdParty
        },
        installed: Observed::Known(true),
        blocked: blocked(app),
        approval: approval(app),
        assigned_to: silent(
            "users and groups that an app is assigned to are not read: it takes a call for each app",
        ),
        scopes,
        token_policy: token_policy(app, lifetimes),
        flows: flows(app),
        introspects_all_tokens: Observed::Known(false),
        created_at: app.created.observed(FACET, "when the app was made", |at| *at),
        changed_at: app.last_updated.observed(FACET, "when the app was changed", |at| *at),
        settings: settings(app, zones),
    }
}

fn kind(app: &Application) -> String {
    if apps::is_oidc(app) {
        return match apps::application_type(app) {
            Some("service") => "API Services app".to_owned(),
            Some("web") => "OIDC web app".to_owned(),
            Some("browser") => "OIDC single-page app".to_owned(),
            Some("native") => "OIDC native app".to_owned(),
            Some(other) => format!("OIDC app of the type {other}"),
            None => "OIDC app".to_owned(),
        };
    }
    let mode = match app.sign_on_mode.given().map(String::as_str) {
        Some("SAML_2_0" | "SAML_1_1") => "SAML app",
        Some("BOOKMARK") => "bookmark",
        Some("WS_FEDERATION") => "WS-Federation app",
        Some("AUTO_LOGIN" | "SECURE_PASSWORD_STORE" | "BROWSER_PLUGIN" | "BASIC_AUTH") => "SWA app",
        _ => "app",
    };
    if apps::is_provisioned(app) { format!("{mode} with provisioning") } else { mode.to_owned() }
}

/// The key of an integration that Okta's catalogue brought in names its product. What the org made itself has a key that anybody could have
/// written, and nothing tells for whom it was made.
fn publisher(app: &Application) -> Observed<Publisher> {
    match &app.name {
        Told::Given(name) if is_catalogued(name) => Observed::Known(Publisher {
            name: name.clone(),
            verified: silent(
                "the key of an integration in Okta's catalogue, not a name that Okta vouches for",
            ),
        }),
        Told::Given(_) => silent(
            "the integration was made in this org: Okta does not tell whose product it is for",
        ),
        other => other.observed(FACET, "where the integration comes from", |_| Publisher {
            name: String::new(),
            verified: Observed::Absent,
        }),
    }
}

/// Integrations that an org makes itself are called `oidc_client`, `bookmark`, `template_…`, or `{org}_{label}_{number}`.
pub(super) fn is_catalogued(name: &str) -> bool {
    let is_own = matches!(name, "oidc_client" | "bookmark") || name.starts_with("template_");
    let numbered = name.rsplit_once('_').is_some_and(|(_, last)| {
        !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())
    });
    !is_own && !numbered
}

fn redirect_domains(app: &Application) -> Observed<Vec<String>> {
    let told = apps::client(app).field(|client| &client.redirect_uris);
    // A service app has none, and says so by leaving the list out.
    if matches!(told, Told::Missing | Told::Null) && apps::application_type(app) == Some("service")
    {
        return Observed::Absent;
    }
    told.observed(FACET, "the redirect addresses", |uris| {
        let hosts: BTreeSet<String> = uris.iter().filter_map(|uri| host(uri)).collect();
        hosts.into_iter().collect()
    })
}

fn web_domains(app: &Application) -> Observed<Vec<String>> {
    let Told::Given(client) = apps::client(app) else {
        return apps::client(app).observed(FACET, "where the app's own pages are", |_| Vec::new());
    };
    let pages = [&client.client_uri, &client.policy_uri, &client.tos_uri];
    let hosts: BTreeSet<String> = pages.iter().filter_map(|page| host(page.given()?)).collect();
    if hosts.is_empty() {
        return silent("nobody wrote down where the app's own pages are");
    }
    Observed::Known(hosts.into_iter().collect())
}

/// A web address without what may be a secret in it: a name and a password, a query, a fragment.
pub(super) fn address(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    Some(format!("{}://{}{}", url.scheme(), host(text)?, url.path()))
}

/// The host of an address; a scheme of an app's own has none.
pub(super) fn host(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https");
    url.host_str().filter(|host| is_web && !host.is_empty()).map(ToOwned::to_owned)
}

fn blocked(app: &Application) -> Observed<bool> {
    const WHAT: &str = "whether the app is active";
    match app.status.given().map(String::as_str) {
        Some("ACTIVE") => Observed::Known(false),
        Some("INACTIVE" | "DELETED") => Observed::Known(true),
        Some(other) => unknown_value(FACET, WHAT, other),
        None => app.status.observed(FACET, WHAT, |_| false),
    }
}

/// An app works for users to whom it is assigned: by an administrator, unless users add it themselves, or everybody has it.
pub(super) fn approval(app: &Application) -> Observed<Approval> {
    if apps::acts_as_itself(app) && apps::application_type(app) == Some("service") {
        return Observed::Known(Approval::AdminApproved);
    }
    let everybody = app.settings.field(|settings| &settings.implicit_assignment);
    if everybody.given() == Some(&true) {
        return Observed::Known(Approval::SelfAuthorized);
    }
    let self_service = app.accessibility.field(|accessibility| &accessibility.self_service);
    self_service.observed(FACET, "whether users add the app themselves", |own| {
        if *own { Approval::SelfAuthorized } else { Approval::AdminApproved }
    })
}

fn token_policy(app: &Application, lifetimes: &Lifetimes) -> TokenPolicy {
    if !apps::is_oidc(app) {
        return TokenPolicy {
            access_lifetime: Observed::Absent,
            refresh: Observed::Absent,
            rotation: Observed::Absent,
        };
    }
    const ROTATION: &str = "whether refresh tokens rotate";
    let client_id = apps::client_id(app).unwrap_or(&app.id);
    let kind = apps::client(app)
        .field(|client| &client.refresh_token)
        .field(|refresh| &refresh.rotation_type);
    let has_none = !apps::may_refresh(app);
    TokenPolicy {
        access_lifetime: lifetimes.access(client_id),
        refresh: if has_none {
            Observed::Known(RefreshPolicy::Immediately)
        } else {
            lifetimes.refresh(client_id)
        },
        rotation: match kind.given().map(String::as_str) {
            _ if has_none => Observed::Absent,
            Some("ROTATE") => Observed::Known(true),
            Some("STATIC") => Observed::Known(false),
            Some(other) => unknown_value(FACET, ROTATION, other),
            None => kind.observed(FACET, ROTATION, |_| false),
        },
    }
}

fn flows(app: &Application) -> Observed<Vec<Flow>> {
    if !apps::is_oidc(app) {
        return Observed::Known(Vec::new());
    }
    apps::grant_types(app).observed(FACET, "the grant types", |types| {
        let flow = |kind: &String| match kind.as_str() {
            "client_credentials" => Some(Flow::ClientCredentials),
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => Some(Flow::JwtBearer),
            "urn:ietf:params:oauth:grant-type:device_code" => Some(Flow::DeviceCode),
            "urn:ietf:params:oauth:grant-type:token-exchange" => Some(Flow::TokenExchange),
            _ => None,
        };
        let flows: BTreeSet<Flow> = types.iter().filter_map(flow).collect();
        flows.into_iter().collect()
    })
}

fn settings(app: &Application, zones: &Zones) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut say = |name: &str, value: Observed<String>| {
        settings.push(Setting { name: name.to_owned(), value });
    };
    if let Some(name) = app.name.given() {
        say("Integration", Observed::Known(name.clone()));
    }
    if let Told::Given(features) = &app.features
        && !features.is_empty()
    {
        say("Provisioning and features", Observed::Known(features.join(", ")));
    }
    if !apps::is_oidc(app) {
        return settings;
    }
    let client = apps::client(app);
    let credentials = app.credentials.field(|credentials| &credentials.oauth_client);
    let yes = |value: &bool| if *value { "yes" } else { "no" }.to_owned();
    let words = |told: &Told<String>, what: &str| told.observed(FACET, what, Clone::clone);
    say(
        "Client authentication",
        words(
            credentials.field(|own| &own.token_endpoint_auth_method),
            "how the client proves itself",
        ),
    );
    say(
        "PKCE required",
        credentials.field(|own| &own.pkce_required).observed(
            FACET,
            "whether PKCE is required",
            yes,
        ),
    );
    say(
        "Grant types",
        apps::grant_types(app).observed(FACET, "the grant types", |types| types.join(", ")),
    );
    say("User consent", words(client.field(|own| &own.consent_method), "whether users are asked"));
    say(
        "Proof of possession (DPoP) required",
        client.field(|own| &own.dpop_bound_access_tokens).observed(
            FACET,
            "whether DPoP is required",
            yes,
        ),
    );
    say(
        "Wildcards in redirect addresses",
        words(
            client.field(|own| &own.wildcard_redirect),
            "whether redirect addresses may hold wildcards",
        ),
    );
    if let Some(told) = client.field(|own| &own.jwks_uri).given() {
        let place = address(told).unwrap_or_else(|| "an address of another form".to_owned());
        say("Keys are fetched from", Observed::Known(place));
    }
    say("Network of token requests", network(client.field(|own| &own.network), zones));
    settings
}

/// What the network setting says. It is about requests for tokens: an access token that was issued works from anywhere to its end.
fn network(told: &Told<Network>, zones: &Zones) -> Observed<String> {
    const WHAT: &str = "from where tokens may be requested";
    let network = match told {
        Told::Given(network) => network,
        Told::Odd => return Observed::Unknown(odd(FACET, WHAT)),
        Told::Missing | Told::Null => return Observed::Unknown(untold(FACET, WHAT)),
    };
    let list =
        |told: &Told<Vec<String>>| told.given().map_or_else(String::new, |ids| zones.names(ids));
    network.connection.observed(FACET, WHAT, |connection| {
        let (include, exclude) = (list(&network.include), list(&network.exclude));
        let parts = [(connection.as_str(), ""), ("only", &include), ("except", &exclude)];
        let told =
            parts.iter().enumerate().filter(|(at, (_, zones))| *at == 0 || !zones.is_empty());
        let told: Vec<String> =
            told.map(|(_, (word, zones))| format!("{word} {zones}").trim().to_owned()).collect();
        told.join(", ")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_key_of_the_catalogue_names_a_product() {
        for name in ["salesforce", "zoomus", "my_app_cie"] {
            assert!(is_catalogued(name), "{name}");
        }
        for name in ["oidc_client", "bookmark", "template_saml_2_0", "acme_payroll_1"] {
            assert!(!is_catalogued(name), "{name}");
        }
    }

    #[test]
    fn a_host_is_that_of_a_web_address() {
        assert_eq!(host("https://app.acme.example/cb").as_deref(), Some("app.acme.example"));
        assert_eq!(host("https://*.acme.example/cb").as_deref(), Some("*.acme.example"));
        let shown = address("https://me:FAKE@acme.example/keys?key=FAKE#FAKE");
        assert_eq!(shown.as_deref(), Some("https://acme.example/keys"));
        for address in ["com.acme.app:/callback", "myapp://callback", "not an address"] {
            assert_eq!(host(address), None, "{address}");
        }
    }
}
