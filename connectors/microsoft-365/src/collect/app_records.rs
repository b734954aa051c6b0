//! Records of apps: what a service principal's and a registration's properties mean.

use std::collections::BTreeSet;

use grantwarden_kit::model::{
    App, Approval, Flow, Gap, Observed, Origin, Publisher, Reason, RefreshPolicy, Setting,
    Timestamp, TokenPolicy, UserConsent,
};

use super::{
    apps::{Apps, REFRESH_IDLE, SINGLE_PAGE, silent},
    credentials::counted,
    directory::{Client, FACET},
    registrations::{self, Registration},
};
use crate::clouds;

impl Apps<'_> {
    pub(super) fn app(
        &self,
        id: &str,
        client: &Client,
        registration: Option<&Registration>,
    ) -> App {
        let origin = self.origin(client);
        App {
            id: id.to_owned(),
            name: client.name.to_string(),
            kind: self.kind(client),
            client_ids: match &client.app_id {
                Some(app_id) => Observed::Known(vec![app_id.to_string()]),
                None => silent(FACET, "Graph does not give the client id"),
            },
            publisher: publisher(client, registration, origin),
            home_tenant: match client.home.as_deref() {
                Some(home) => Observed::Known(home.to_owned()),
                None if client.is_managed_identity() => Observed::Absent,
                None => silent(FACET, "Graph does not tell who registered the app"),
            },
            namespace: Observed::Absent,
            web_domains: web_domains(),
            redirect_domains: match (&client.redirect_domains, registration) {
                (Some(domains), own) => {
                    let own = own.into_iter().flat_map(|own| own.redirect_domains.iter().cloned());
                    let all: BTreeSet<String> =
                        domains.iter().map(ToString::to_string).chain(own).collect();
                    Observed::Known(all.into_iter().collect())
                }
                (None, _) => silent(FACET, "Graph does not give the redirect addresses"),
            },
            origin,
            installed: Observed::Known(true),
            blocked: blocked(client),
            approval: self.approval(client),
            assigned_to: silent(FACET, "users and groups that an app is assigned to are not read"),
            scopes: silent(FACET, "an Entra registration does not bound what may be granted"),
            token_policy: self.token_policy(registration),
            flows: self.flows(registration),
            introspects_all_tokens: Observed::Known(false),
            created_at: match registration {
                Some(registration) => registration.created_at.clone(),
                None => self.facts.consents.app_added(id),
            },
            changed_at: silent(FACET, "Graph does not tell when a service principal last changed"),
            settings: self.settings(client, registration, origin),
        }
    }

    fn kind(&self, client: &Client) -> String {
        match client.kind.as_deref() {
            Some("Application") => "service principal".to_owned(),
            Some("ManagedIdentity") => "managed identity".to_owned(),
            Some("Legacy") => "legacy service principal".to_owned(),
            Some(other) => format!("service principal of the type {other}"),
            None => "service principal".to_owned(),
        }
    }

    fn approval(&self, client: &Client) -> Observed<Approval> {
        match client.assignment_required {
            Some(true) => Observed::Known(Approval::AdminApproved),
            // Whoever may consent may start using it.
            Some(false) => self.facts.settings.user_consent().map(|consent| match consent {
                UserConsent::None => Approval::AdminApproved,
                _ => Approval::SelfAuthorized,
            }),
            None => silent(FACET, "Graph does not tell whether the app needs an assignment"),
        }
    }

    pub(super) fn token_policy(&self, registration: Option<&Registration>) -> TokenPolicy {
        let is_single_page = registration.is_some_and(|own| own.only_single_page);
        TokenPolicy {
            access_lifetime: self.facts.settings.access_lifetime(),
            refresh: Observed::Known(if is_single_page {
                RefreshPolicy::Absolute(SINGLE_PAGE)
            } else {
                RefreshPolicy::Idle(REFRESH_IDLE)
            }),
            // A new one comes with each use, and the old one goes on working.
            rotation: Observed::Known(false),
        }
    }

    fn flows(&self, registration: Option<&Registration>) -> Observed<Vec<Flow>> {
        let Some(own) = registration else {
            return silent(FACET, "the vendor's registration says which flows are on");
        };
        let Some(is_public) = own.is_public_client else {
            return silent(registrations::FACET, "Graph does not tell whether the app is public");
        };
        let all = &self.facts.registrations;
        if let Some(gap) = &all.federated_gap {
            return Observed::Unknown(gap.clone());
        }
        if !own.secrets_told {
            return silent(registrations::FACET, "Graph does not give the app's credentials");
        }
        let trusts = all.federated.get(&own.id).is_some_and(|all| !all.is_empty());
        let signs_in = !own.secrets.is_empty() || trusts;
        let flows = [(signs_in, Flow::ClientCredentials), (is_public, Flow::DeviceCode)];
        Observed::Known(flows.into_iter().filter(|(on, _)| *on).map(|(_, flow)| flow).collect())
    }

    fn settings(
        &self,
        client: &Client,
        registration: Option<&Registration>,
        origin: Origin,
    ) -> Vec<Setting> {
        let app_id = client.app_id.as_deref();
        let yes = |value: bool| if value { "yes" } else { "no" }.to_owned();
        let told = |value: Option<String>, facet| match value {
            Some(value) => Observed::Known(value),
            None => silent(facet, "Graph does not tell"),
        };
        let mut settings = Vec::new();
        let mut say = |name: &str, value: Observed<String>| {
            settings.push(Setting { name: name.to_owned(), value });
        };
        say(
            "Supported account types",
            told(client.audience.as_deref().map(ToOwned::to_owned), FACET),
        );
        say("Assignment required", told(client.assignment_required.map(yes), FACET));
        if let Some(status) = client.disabled_status.as_deref().filter(|text| *text != NOT_DISABLED)
        {
            say("Disabled by Microsoft", Observed::Known(status.to_owned()));
        }
        if let Some(true) = client.is_disabled {
            say("isDisabled", Observed::Known(yes(true)));
        }
        if let Some(tags) = &client.tags {
            say("Tags", Observed::Known(tags.to_string()));
        }
        if origin == Origin::ThirdParty && client.home.as_deref().is_some_and(clouds::is_corporate)
        {
            let text = "registered in Microsoft's own corporate tenant: it may be an employee's";
            say("Home tenant", Observed::Known(text.to_owned()));
        }
        if origin == Origin::ThirdParty && client.home.is_none() {
            let text = "not told by Entra: taken for another company's app";
            say("Home tenant", Observed::Known(text.to_owned()));
        }
        if registration.is_none() && !client.is_managed_identity() {
            let of = client.secrets.as_ref().map(|secrets| counted(secrets));
            say("Credentials added in this directory", told(of, FACET));
        }
        if let Some(own) = registration {
            say("Credentials of the registration", own_credentials(own));
            say("Publisher domain", Observed::from_option(own.publisher_domain.clone()));
            say(
                "Allow public client flows",
                told(own.is_public_client.map(yes), registrations::FACET),
            );
            say("App instance property lock", told(own.is_locked.map(yes), registrations::FACET));
            say("Application permissions asked for and not granted", self.not_granted(own));
        }
        say("Last sign-in of a user", date(self.facts.app_use.for_users(app_id)));
        say("Last sign-in as itself", date(self.facts.app_use.as_itself(app_id)));
        settings
    }

    /// Application permissions that an own registration asks for and does not have.
    fn not_granted(&self, own: &Registration) -> Observed<String> {
        if let Some(gap) = &self.facts.permissions.gap {
            return Observed::Unknown(gap.clone());
        }
        let ids = &self.by_app_id;
        let client = own.app_id.as_deref().and_then(|id| ids.get(id));
        let mut missing = BTreeSet::new();
        for (resource_app, roles) in &own.requested {
            let resource = ids.get(resource_app.as_str()).copied();
            let names = resource.and_then(|id| self.facts.directory.resources.get(id));
            for role in roles {
                let name = names.and_then(|names| names.get(role.as_str()));
                let name: &str = name.map_or(role, |name| name);
                let is_held = client.zip(resource).is_some_and(|(client, resource)| {
                    self.facts.permissions.has(client, resource, name)
                });
                if !is_held {
                    missing.insert(name.to_owned());
                }
            }
        }
        Observed::Known(match missing.len() {
            0 => "none".to_owned(),
            count => {
                let names: Vec<String> = missing.into_iter().take(10).collect();
                let more = if count > names.len() { ", …" } else { "" };
                format!("{count}: {}{more}", names.join(", "))
            }
        })
    }

    /// An own registration without a service principal in the directory's list. If that is whole, nobody can use it here.
    pub(super) fn registration_alone(&self, own: &Registration) -> App {
        let absent = "the registration has no service principal in this directory";
        let gap = &self.facts.directory.gap;
        let not_here = || gap.clone().map_or_else(|| Observed::Known(false), Observed::Unknown);
        App {
            id: own.id.clone(),
            name: own.name.clone(),
            kind: match gap {
                None => "app registration without a service principal".to_owned(),
                Some(_) => "app registration whose service principal was not read".to_owned(),
            },
            client_ids: match &own.app_id {
                Some(id) => Observed::Known(vec![id.clone()]),
                None => silent(registrations::FACET, "Graph does not give the client id"),
            },
            publisher: match own.verified_publisher.clone() {
                Some(name) => Observed::Known(Publisher { name, verified: Observed::Known(true) }),
                None => Observed::Absent,
            },
            home_tenant: Observed::Known(self.facts.tenant.clone()),
            namespace: Observed::Absent,
            web_domains: web_domains(),
            redirect_domains: Observed::Known(own.redirect_domains.iter().cloned().collect()),
            origin: Origin::Own,
            installed: not_here(),
            blocked: not_here(),
            approval: match gap {
                None => silent(registrations::FACET, absent),
                Some(gap) => Observed::Unknown(gap.clone()),
            },
            assigned_to: match gap {
                None => Observed::Absent,
                Some(gap) => Observed::Unknown(gap.clone()),
            },
            scopes: silent(FACET, "an Entra registration does not bound what may be granted"),
            token_policy: self.token_policy(Some(own)),
            flows: self.flows(Some(own)),
            introspects_all_tokens: Observed::Known(false),
            created_at: own.created_at.clone(),
            changed_at: silent(registrations::FACET, "Graph does not tell when it last changed"),
            settings: vec![Setting {
                name: "Credentials of the registration".to_owned(),
                value: own_credentials(own),
            }],
        }
    }

    /// Why nothing is known of an app that is not in the list.
    pub(super) fn unlisted_gap(&self) -> Gap {
        self.facts.directory.gap.clone().unwrap_or_else(|| {
            let detail = "the service principal is not in the directory's list";
            Gap::new(Reason::Vanished, FACET, detail)
        })
    }

    /// An app that only a grant names.
    pub(super) fn unlisted(&self, id: &str) -> App {
        let gap = self.unlisted_gap();
        App {
            id: id.to_owned(),
            name: id.to_owned(),
            kind: "service principal that is not listed".to_owned(),
            client_ids: Observed::Unknown(gap.clone()),
            publisher: Observed::Unknown(gap.clone()),
            home_tenant: Observed::Unknown(gap.clone()),
            namespace: Observed::Absent,
            web_domains: web_domains(),
            redirect_domains: Observed::Unknown(gap.clone()),
            origin: Origin::ThirdParty,
            installed: Observed::Unknown(gap.clone()),
            blocked: Observed::Unknown(gap.clone()),
            approval: Observed::Unknown(gap.clone()),
            assigned_to: Observed::Unknown(gap.clone()),
            scopes: Observed::Unknown(gap.clone()),
            token_policy: self.token_policy(None),
            flows: Observed::Unknown(gap.clone()),
            introspects_all_tokens: Observed::Known(false),
            created_at: Observed::Unknown(gap.clone()),
            changed_at: Observed::Unknown(gap),
            settings: Vec::new(),
        }
    }
}

const NOT_DISABLED: &str = "NotDisabled";

fn blocked(client: &Client) -> Observed<bool> {
    let by_microsoft = match client.disabled_status.as_deref() {
        None | Some(NOT_DISABLED) => Observed::Known(false),
        // Older documents show a number.
        Some("DisabledDueToViolationOfServicesAgreement" | "1") => Observed::Known(true),
        Some(other) => {
            let detail = format!("the status `{other}` is not known to this version");
            silent(FACET, &detail)
        }
    };
    match (client.enabled, by_microsoft) {
        (Some(false), _) | (_, Observed::Known(true)) => Observed::Known(true),
        (_, Observed::Unknown(gap)) => Observed::Unknown(gap),
        (Some(true), _) => Observed::Known(false),
        (None, _) => silent(FACET, "Graph does not tell whether the app is enabled"),
    }
}

fn publisher(
    client: &Client,
    registration: Option<&Registration>,
    origin: Origin,
) -> Observed<Publisher> {
    let verified =
        |name: String| Observed::Known(Publisher { name, verified: Observed::Known(true) });
    match (&client.publisher, origin) {
        (Some(Some(name)), _) => verified(name.to_string()),
        (_, Origin::Platform) => verified("Microsoft".to_owned()),
        (_, Origin::Own) => match registration.and_then(|own| own.verified_publisher.clone()) {
            Some(name) => verified(name),
            None => Observed::Absent,
        },
        // The name of an unverified publisher is in the beta version only, and anybody can choose it.
        (Some(None), Origin::ThirdParty) => Observed::Absent,
        (None, Origin::ThirdParty) => silent(FACET, "Graph does not give the publisher"),
    }
}

fn own_credentials(own: &Registration) -> Observed<String> {
    if own.secrets_told {
        Observed::Known(counted(&own.secrets))
    } else {
        silent(registrations::FACET, "Graph does not give the credentials")
    }
}

fn date(at: Observed<Timestamp>) -> Observed<String> {
    at.map(Timestamp::date)
}

fn web_domains() -> Observed<Vec<String>> {
    silent(FACET, "the home page that an app names is not read")
}
