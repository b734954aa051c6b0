//! The kit's conformance suite against the lab, and what is Salesforce's own: the 2,500-row trap, ties, ids, permissions,
//! revocation.

use std::sync::Arc;

use async_trait::async_trait;
use grantwarden_kit::{
    auth::Credentials,
    clock::{Clock as _, SystemClock},
    connector::{Connector as _, Kit, Revoke, Session, StepOutcome, Targets, TenantConfig, Verification},
    error::Result,
    model::{App, Grant, Observed, Part, Reason, Record},
    secret::Secret,
    testing::{self, Family, Platform, StandIn, World},
};
use grantwarden_lab::{Effect, Fault, Lab, Org, Permission, Scale};
use tokio_util::sync::CancellationToken;

use crate::Salesforce;

const DEMO: &str = include_str!("../../../fixtures/worlds/demo.toml");
const EMPTY: &str = include_str!("../../../fixtures/worlds/empty.toml");

struct SalesforceLab;

/// A lab with one org.
struct OneOrg(Lab);

impl OneOrg {
    async fn start(world: grantwarden_lab::World) -> Self {
        Self(Lab::start(world).await.unwrap())
    }

    async fn demo() -> Self {
        Self::start(grantwarden_lab::World::parse(DEMO).unwrap()).await
    }

    async fn of_size(tokens: usize) -> Self {
        let now = SystemClock.now().to_string().parse().unwrap();
        Self::start(grantwarden_lab::World::generate(&Scale { users: 400, apps: 20, tokens, seed: 7, now })).await
    }

    fn org(&self) -> &Org {
        &self.0.salesforce_orgs()[0]
    }

    fn config(&self) -> TenantConfig {
        let client = self.org().client();
        TenantConfig {
            name: "test".into(),
            base_url: self.org().base_url().parse().unwrap(),
            token_url: None,
            audience: Some(client.audience),
            hosts: Vec::new(),
            certificate_authorities: None,
            credentials: Credentials::JwtBearer {
                client_id: client.client_id,
                username: client.username,
                private_key: Secret::new(client.private_key_pem),
                key_id: None,
            },
            skip: Vec::new(),
            buckets: Default::default(),
            keep_quota_percent: 0,
        }
    }

    async fn scan(&self) -> testing::Outcome {
        testing::scan(self).await.unwrap()
    }

    fn revoker(&self) -> Box<dyn Revoke> {
        let kit = Kit { clock: Arc::new(SystemClock), cancel: CancellationToken::new() };
        Salesforce.open_revoker(self.config(), kit).unwrap()
    }
}

#[async_trait]
impl StandIn for OneOrg {
    fn open(&self, kit: Kit) -> Result<Box<dyn Session>> {
        Salesforce.open(self.config(), kit)
    }

    fn inject(&self, fault: Fault) {
        self.org().inject(fault);
    }

    fn expire_sessions(&self) {
        self.org().inject(Fault::new(Effect::ExpireSessions).times(1));
    }

    fn secrets(&self) -> Vec<String> {
        let client = self.org().client();
        // What every access token and every delete token of the lab has in it.
        vec!["!FAKE.".into(), "FAKE.DELETE".into(), client.client_secret, client.private_key_pem]
    }
}

#[async_trait]
impl Platform for SalesforceLab {
    async fn start(&self, world: World) -> Box<dyn StandIn> {
        Box::new(match world {
            World::Empty => OneOrg::start(grantwarden_lab::World::parse(EMPTY).unwrap()).await,
            World::Small => OneOrg::demo().await,
            World::Grants(tokens) => OneOrg::of_size(tokens).await,
        })
    }

    fn families(&self) -> Vec<Family> {
        let query = |facet, text| Family { facet, path: "/query", text, may_be_absent: false };
        let soap = |facet, text| Family { facet, path: "/services/Soap/m/", text, may_be_absent: false };
        vec![
            query("grants", "FROM OauthToken"),
            query("grants", "FROM UserPermissionAccess"),
            query("apps", "FROM ConnectedApplication"),
            query("apps", "FROM AppMenuItem"),
            soap("app-policies", "<type>ConnectedApp</type>"),
            query("external-client-apps", "FROM ExternalClientApplication"),
            query("external-client-apps", "FROM ExtlClntAppOauthPlcyCnfg"),
            query("external-client-apps", "FROM ExtlClntAppPlcyCnfg"),
            query("external-client-apps", "FROM ExtlClntAppOauthSettings"),
            Family { may_be_absent: true, facet: "external-client-apps", path: "/apps/oauth/usage", text: "" },
            query("app-access", "FROM SetupEntityAccess"),
            query("packages", "FROM InstalledSubscriberPackage"),
            query("privileges", "FROM PermissionSetAssignment"),
            query("frozen-users", "FROM UserLogin"),
            soap("login-ranges", "<type>Profile</type>"),
            soap("session-settings", "SecuritySettings"),
            query("consent-settings", "FROM ConnectedAppSettings"),
            soap("consent-settings", "OauthOidcSettings"),
            query("login-history", "FROM LoginHistory"),
            query("api-usage", "FROM EventLogFile"),
            Family { facet: "api-usage", path: "/LogFile", text: "", may_be_absent: false },
            query("audit-trail", "FROM SetupAuditTrail"),
        ]
    }

    fn forbidden(&self) -> Effect {
        reply(403, "INSUFFICIENT_ACCESS", "insufficient access rights")
    }

    fn unauthorized(&self) -> Effect {
        reply(401, "INVALID_SESSION_ID", "Session expired or invalid")
    }

    fn not_found(&self) -> Effect {
        reply(404, "NOT_FOUND", "The requested resource does not exist")
    }
}

fn reply(status: u16, code: &str, message: &str) -> Effect {
    let body = format!(r#"[{{"message":"{message}","errorCode":"{code}"}}]"#);
    Effect::Reply { status, headers: Vec::new(), body }
}

fn part<'a>(outcome: &'a testing::Outcome, facet: &str) -> &'a Part {
    outcome.coverage.parts.iter().find(|part| part.facet == facet).unwrap()
}

fn grants(outcome: &testing::Outcome) -> impl Iterator<Item = &Grant> {
    outcome.records.iter().filter_map(|record| match record {
        Record::Grant(grant) => Some(grant.as_ref()),
        _ => None,
    })
}

fn app<'a>(outcome: &'a testing::Outcome, name: &str) -> &'a App {
    let apps = outcome.records.iter().filter_map(|record| match record {
        Record::App(app) => Some(app),
        _ => None,
    });
    apps.into_iter().find(|app| app.name == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn conforms() {
    match testing::conform(&SalesforceLab).await {
        Ok(cases) => println!("{cases} checks"),
        Err(failures) => panic!("{failures}"),
    }
}

#[test]
fn the_manifest_and_the_scopes_are_read() {
    assert!(Salesforce.manifest().facet("grants").is_some());
    assert_eq!(crate::scopes::from_metadata("RefreshToken").name, "refresh_token");
    assert!(crate::scopes::columns().count() > 10);
}
