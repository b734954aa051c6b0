//! The kit's conformance suite against the lab, and what is Salesforce's own: the 2,500-row trap, ties, ids, permissions,
//! revocation.

use std::sync::Arc;

use async_trait::async_trait;
use grantwarden_kit::{
    auth::Credentials,
    clock::{Clock as _, SystemClock},
    connector::{
        Connector as _, Kit, Revoke, Session, StepOutcome, Targets, TenantConfig, Verification,
    },
    error::Result,
    model::{App, Grant, GrantKind, Loss, Observed, Part, Reason, Record},
    secret::Secret,
    testing::{self, Family, Listing, Platform, StandIn, World},
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
        Self::start(grantwarden_lab::World::generate(&Scale {
            users: 400,
            apps: 20,
            tokens,
            seed: 7,
            now,
        }))
        .await
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
            account: None,
            imports: Default::default(),
            memory: None,
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
        let soap =
            |facet, text| Family { facet, path: "/services/Soap/m/", text, may_be_absent: false };
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
            Family {
                may_be_absent: true,
                facet: "external-client-apps",
                path: "/apps/oauth/usage",
                text: "",
            },
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

    fn api_path(&self) -> &'static str {
        "/services/data"
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

    fn listing(&self) -> Listing {
        let family = |path, text| Family { facet: "grants", path, text, may_be_absent: false };
        let body = r#"{"totalSize":1000000,"done":true,"records":[]}"#.to_owned();
        let million = Effect::Reply { status: 200, headers: Vec::new(), body };
        Listing {
            next_page: family("/query/", ""),
            page_refused: reply(400, "INVALID_QUERY_LOCATOR", "invalid query locator"),
            count: Some((family("/query", "COUNT() FROM OauthToken"), million)),
        }
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

/// Rows tied at every window's edge: the lab's generator gives many tokens of one second, across the 2,500-row limit.
#[tokio::test(flavor = "multi_thread")]
async fn every_token_beyond_the_row_limit_is_read_once() {
    let lab = OneOrg::of_size(7_301).await;
    let outcome = lab.scan().await;
    let part = part(&outcome, "grants");
    assert_eq!((part.read, part.expected), (7_301, Some(7_301)));
    let tokens: std::collections::BTreeSet<&str> = grants(&outcome)
        .filter(|grant| grant.kind == GrantKind::Delegated)
        .map(|grant| grant.id.as_str())
        .collect();
    assert_eq!(tokens.len(), lab.org().all_token_count());
    assert!(outcome.coverage.is_whole());
}

/// Section 4 of the API sheet: ceil(T/500) pages of tokens and a fixed number of other calls.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_tokens_take_no_more_calls_than_planned() {
    let lab = OneOrg::of_size(10_000).await;
    lab.org().forget_calls();
    let outcome = lab.scan().await;
    assert!(outcome.coverage.is_whole());
    let pages = lab.org().count_calls(|call| {
        call.asks("FROM OauthToken ORDER BY")
            || call.asks("FROM OauthToken WHERE")
            || call.path.contains("/query/")
    });
    // 20 pages; each window reads its held-back rows again, which costs at most one more page per window.
    assert!(pages <= 24, "{pages} pages");
    let all = lab.org().count_calls(|_| true);
    println!("{all} calls, {pages} of them pages of tokens");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_org_without_ids_or_dates_in_its_tokens_is_read_whole() {
    for switches in ["oauth_token_id_null = true", "oauth_token_without_created_date = true"] {
        let text = DEMO.replacen("name =", &format!("behaviour = {{ {switches} }}\nname ="), 1);
        let lab = OneOrg::start(grantwarden_lab::World::parse(&text).unwrap()).await;
        let outcome = lab.scan().await;
        assert_eq!(
            part(&outcome, "grants").read as usize,
            lab.org().all_token_count(),
            "{switches}"
        );
        let ids: std::collections::BTreeSet<&str> =
            grants(&outcome).map(|grant| grant.id.as_str()).collect();
        assert_eq!(ids.len(), outcome.grants(), "{switches}");
    }
}

/// Without Customize Application the org shows only the scanner's own tokens, with a smile.
#[tokio::test(flavor = "multi_thread")]
async fn own_tokens_only_is_never_a_clean_result() {
    let lab = OneOrg::demo().await;
    let scanner = lab.org().client().username;
    assert!(lab.org().set_permission(&scanner, Permission::CustomizeApplication, false));
    let outcome = lab.scan().await;
    let grants = part(&outcome, "grants");
    assert!(!outcome.coverage.is_whole());
    let told = |loss: &Loss| {
        loss.gap.reason == Reason::Permission
            && loss.gap.detail.contains("only the scanner's own tokens")
    };
    assert!(grants.losses.iter().any(told), "{:?}", grants.losses);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_goes_midway_is_noticed() {
    let lab = OneOrg::of_size(3_000).await;
    let permission =
        Effect::RemovePermission { user: None, permission: "CustomizeApplication".into() };
    lab.inject(Fault::new(permission).on_path("/query/").skip(1).times(1));
    let outcome = lab.scan().await;
    assert!(!outcome.coverage.is_whole(), "{:?}", part(&outcome, "grants"));
}

/// An org that does not have the connector's API version yet is asked for the newest that it has.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_org_is_read_with_its_own_version() {
    let lab = OneOrg::demo().await;
    lab.inject(Fault::new(SalesforceLab.not_found()).on_path("/v65.0/query"));
    let outcome = lab.scan().await;
    assert!(outcome.coverage.is_whole(), "{:?}", outcome.coverage);
    assert_eq!(part(&outcome, "grants").read as usize, lab.org().all_token_count());
    assert!(lab.org().count_calls(|call| call.path == "/services/data/") == 1);
}

/// Columns that a later release adds, and values that it brings, neither stop a scan nor pass for something known.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_columns_and_values_are_survived() {
    let lab = OneOrg::demo().await;
    let id = app(&lab.scan().await, "Drift").id.clone();
    let body = format!(
        "<?xml version=\"1.0\"?><Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body><readMetadataResponse><result>\
         <records><fullName>{}</fullName><brandNew>1</brandNew><label>Drift</label><oauthConfig><scopes>Api</scopes><scopes>Teleport</scopes></oauthConfig>\
         <oauthPolicy><ipRelaxation>SOMETIMES</ipRelaxation><refreshTokenPolicy>until_tuesday</refreshTokenPolicy></oauthPolicy></records>\
         </result></readMetadataResponse></Body></Envelope>",
        full_name(&lab, &id).await
    );
    let headers = vec![("content-type".to_owned(), "text/xml".to_owned())];
    lab.inject(
        Fault::new(Effect::Reply { status: 200, headers, body })
            .on_path("/services/Soap/m/")
            .on_text("<readMetadata><type>ConnectedApp</type>"),
    );
    let outcome = lab.scan().await;
    let drift = app(&outcome, "Drift");
    assert!(drift.token_policy.refresh.gap().is_some());
    assert!(drift.scopes.known().unwrap().iter().any(|scope| scope.name == "Teleport"));
    // An unknown value is a gap of its fact; the grants are still all there.
    assert_eq!(part(&outcome, "grants").read as usize, lab.org().all_token_count());
}

/// The name that the Metadata API has for an app.
async fn full_name(lab: &OneOrg, app: &str) -> String {
    let kit = Kit { clock: Arc::new(SystemClock), cancel: CancellationToken::new() };
    let org = crate::org::Org::open(lab.config(), kit).unwrap();
    org.connect().await.unwrap();
    let components = org.list_metadata("test", "ConnectedApp").await.unwrap();
    components.into_iter().find(|c| c.id.as_deref() == Some(app)).unwrap().full_name
}

#[tokio::test(flavor = "multi_thread")]
async fn only_ranges_that_the_app_enforces_bind() {
    let lab = OneOrg::demo().await;
    let outcome = lab.scan().await;
    let network =
        |name: &str| grants(&outcome).find(|grant| grant.app_name == name).unwrap().network.clone();
    assert_eq!(network("Drift").binding, Observed::Absent);
    let gainsight = network("Gainsight CS");
    assert_eq!(gainsight.binding, Observed::Absent);
    assert!(gainsight.look_alikes.iter().any(|alike| alike.why.contains("Relax IP restrictions")));
    assert!(matches!(network("Salesloft").binding, Observed::Known(_) | Observed::Absent));
    let bound = grants(&outcome).filter(|grant| grant.network.binding.known().is_some()).count();
    assert!(bound > 0, "the demo company has a well-run integration");
}

#[tokio::test(flavor = "multi_thread")]
async fn revocation_blocks_first_then_revokes_and_is_idempotent() {
    let lab = OneOrg::demo().await;
    let outcome = lab.scan().await;
    let drift = app(&outcome, "Drift").clone();
    let held: Vec<Grant> =
        grants(&outcome).filter(|grant| grant.app == drift.id).cloned().collect();
    let revoker = lab.revoker();
    let targets = Targets { apps: vec![drift], grants: held.clone() };
    let plan = revoker.plan(&targets).await.unwrap();
    assert_eq!(plan.steps[0].action, "block-connected-app");
    assert_eq!(plan.steps.len(), 1 + held.len());
    assert!(plan.by_hand.is_empty());
    let json = serde_json::to_string(&plan).unwrap();
    assert!(!json.contains("FAKE.DELETE"), "a plan holds no secret");
    for step in &plan.steps {
        assert!(
            matches!(revoker.verify(step).await, Verification::StillThere(_)),
            "{}",
            step.title
        );
        let outcome = revoker.apply(step).await;
        assert!(matches!(outcome, StepOutcome::Done), "{}: {outcome:?}", step.title);
        assert!(matches!(revoker.verify(step).await, Verification::Gone), "{}", step.title);
    }
    assert_eq!(lab.org().token_count("Drift"), 0);
    assert_eq!(lab.org().app_usable("Drift"), Some(false));
    let again = lab.revoker();
    for step in &plan.steps {
        assert!(matches!(again.apply(step).await, StepOutcome::AlreadyGone), "{}", step.title);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_a_grant_does_not_block_its_app() {
    let lab = OneOrg::demo().await;
    let outcome = lab.scan().await;
    let one = grants(&outcome).find(|grant| grant.app_name == "Drift").unwrap().clone();
    let revoker = lab.revoker();
    let plan = revoker.plan(&Targets { apps: Vec::new(), grants: vec![one] }).await.unwrap();
    assert_eq!(plan.steps.len(), 1);
    let before = lab.org().token_count("Drift");
    assert!(matches!(revoker.apply(&plan.steps[0]).await, StepOutcome::Done));
    assert_eq!(lab.org().token_count("Drift"), before - 1);
    assert_eq!(lab.org().app_usable("Drift"), Some(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_interface_can_block_is_said() {
    let lab = OneOrg::demo().await;
    let outcome = lab.scan().await;
    let phantom = app(&outcome, "My Ticket Portal").clone();
    let plan =
        lab.revoker().plan(&Targets { apps: vec![phantom], grants: Vec::new() }).await.unwrap();
    assert!(plan.steps.is_empty());
    assert!(plan.by_hand[0].contains("Block My Ticket Portal by hand"), "{:?}", plan.by_hand);
}

/// A revocation whose answer got lost is not sent again.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_is_not_repeated() {
    let lab = OneOrg::demo().await;
    let outcome = lab.scan().await;
    let one = grants(&outcome).find(|grant| grant.app_name == "Drift").unwrap().clone();
    let revoker = lab.revoker();
    let plan = revoker.plan(&Targets { apps: Vec::new(), grants: vec![one] }).await.unwrap();
    lab.inject(Fault::new(Effect::Drop).on_path("/oauth2/revoke"));
    assert!(matches!(revoker.apply(&plan.steps[0]).await, StepOutcome::Unknown(_)));
    let sent = lab.org().count_calls(|call| call.path.contains("/oauth2/revoke"));
    assert_eq!(sent, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_external_client_app_loses_all_tokens_in_one_call() {
    let lab = OneOrg::demo().await;
    let outcome = lab.scan().await;
    let external = outcome.records.iter().find_map(|record| match record {
        Record::App(app)
            if app.kind == "external client app" && lab.org().token_count(&app.name) > 0 =>
        {
            Some(app.clone())
        }
        _ => None,
    });
    let external = external.unwrap();
    let held: Vec<Grant> =
        grants(&outcome).filter(|grant| grant.app == external.id).cloned().collect();
    let name = external.name.clone();
    let revoker = lab.revoker();
    let plan = revoker.plan(&Targets { apps: vec![external], grants: held }).await.unwrap();
    let actions: Vec<&str> = plan.steps.iter().map(|step| step.action.as_str()).collect();
    assert_eq!(actions, ["disable-external-client-app", "revoke-external-client-app-tokens"]);
    for step in &plan.steps {
        assert!(matches!(revoker.apply(step).await, StepOutcome::Done), "{}", step.title);
        assert!(matches!(revoker.verify(step).await, Verification::Gone), "{}", step.title);
    }
    assert_eq!(lab.org().token_count(&name), 0);
}

/// Two contradictions of the documents at once: tokens without a date, and an org that does not page by OFFSET.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_without_a_date_are_read_by_user_whatever_is_revoked_meanwhile() {
    let now = SystemClock.now().to_string().parse().unwrap();
    let scale = Scale { users: 400, apps: 20, tokens: 6_000, seed: 7, now };
    let mut world = grantwarden_lab::World::generate(&scale);
    world.salesforce[0].behaviour.oauth_token_without_created_date = true;
    world.salesforce[0].behaviour.oauth_token_offset_refused = true;
    let lab = OneOrg::start(world).await;
    let outcome = lab.scan().await;
    assert_eq!(part(&outcome, "grants").read, 6_000);
    assert!(outcome.coverage.is_whole(), "{:?}", part(&outcome, "grants"));
    let app = grants(&outcome).next().unwrap().app_name.clone();
    lab.inject(Fault::new(Effect::RevokeToken { app }).on_text("UserId IN").skip(1).times(2));
    let outcome = lab.scan().await;
    // Those two may have been read before they went; nobody else is missing.
    assert!(part(&outcome, "grants").read >= 5_998);
    assert!(outcome.coverage.is_whole(), "{:?}", part(&outcome, "grants"));
}

/// A page that says that there is more and not where, and one with fewer rows than announced, are never the end of a list.
#[tokio::test(flavor = "multi_thread")]
async fn a_short_page_is_not_taken_for_the_end() {
    for body in [
        r#"{"totalSize":9000,"done":false,"records":[]}"#,
        r#"{"totalSize":9000,"done":true,"records":[]}"#,
    ] {
        let lab = OneOrg::demo().await;
        let short = Effect::Reply { status: 200, headers: Vec::new(), body: body.to_owned() };
        lab.inject(Fault::new(short).on_text("FROM PermissionSetAssignment"));
        let outcome = lab.scan().await;
        assert!(!part(&outcome, "privileges").losses.is_empty(), "{body}");
        assert!(!outcome.coverage.is_whole(), "{body}");
    }
}

/// A token in the wrong place must not come out in the complaint about it.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_the_wrong_type_is_not_repeated() {
    let lab = OneOrg::demo().await;
    let body = r#"{"access_token":"x","expires_in":"00D000000000001!FAKE.TOKEN"}"#.to_owned();
    lab.inject(
        Fault::new(Effect::Reply { status: 200, headers: Vec::new(), body })
            .on_path("/oauth2/token"),
    );
    let error = testing::scan(&lab).await.unwrap_err();
    let chain = format!("{error} {error:?}");
    assert!(!chain.contains("FAKE.TOKEN"), "{chain}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_usage_listing_that_never_ends_is_ended() {
    let lab = OneOrg::demo().await;
    let body =
        r#"{"apps":[{"identifier":"0xI000000000001AAA"}],"nextPageUrl":"/again"}"#.to_owned();
    lab.inject(
        Fault::new(Effect::Reply { status: 200, headers: Vec::new(), body })
            .on_path("/apps/oauth/usage"),
    );
    let outcome = lab.scan().await;
    let losses = &part(&outcome, "external-client-apps").losses;
    assert!(losses.iter().any(|loss| loss.gap.detail.contains("again and again")), "{losses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoker_that_sees_only_its_own_tokens_takes_nothing_for_gone() {
    let lab = OneOrg::demo().await;
    let outcome = lab.scan().await;
    let one = grants(&outcome).find(|grant| grant.app_name == "Drift").unwrap().clone();
    let scanner = lab.org().client().username;
    assert!(lab.org().set_permission(&scanner, Permission::CustomizeApplication, false));
    let revoker = lab.revoker();
    let plan = revoker.plan(&Targets { apps: Vec::new(), grants: vec![one] }).await.unwrap();
    assert!(matches!(revoker.apply(&plan.steps[0]).await, StepOutcome::Refused(_)));
    assert!(matches!(revoker.verify(&plan.steps[0]).await, Verification::CannotTell(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_fails_is_never_taken_for_tokens_that_are_gone() {
    let lab = OneOrg::demo().await;
    let outcome = lab.scan().await;
    let held: Vec<Grant> =
        grants(&outcome).filter(|grant| grant.app_name == "Drift").cloned().collect();
    let revoker = lab.revoker();
    let plan = revoker.plan(&Targets { apps: Vec::new(), grants: held }).await.unwrap();
    lab.inject(Fault::new(SalesforceLab.forbidden()).on_text("DeleteToken").times(1));
    assert!(matches!(revoker.apply(&plan.steps[0]).await, StepOutcome::Refused(_)));
    for step in &plan.steps {
        assert!(matches!(revoker.apply(step).await, StepOutcome::Done), "{}", step.title);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_that_only_the_scanner_made_are_no_whole_log() {
    let lab = OneOrg::demo().await;
    let scanner = lab.org().client().username;
    for right in [Permission::ManageUsers, Permission::MonitorLoginHistory] {
        assert!(lab.org().set_permission(&scanner, right, false));
    }
    let outcome = lab.scan().await;
    assert_eq!(part(&outcome, "login-history").losses[0].gap.reason, Reason::Permission);
    // Without Manage Users nobody can say who is frozen.
    let active = grants(&outcome)
        .filter_map(|grant| grant.holder.principal())
        .find(|p| p.name.known().is_some());
    assert!(
        active.unwrap().status.gap().is_some() || part(&outcome, "frozen-users").losses.is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_names_apps_by_the_id_of_the_inventory() {
    let lab = OneOrg::demo().await;
    let outcome = lab.scan().await;
    let apps: std::collections::BTreeSet<&str> = outcome
        .records
        .iter()
        .filter_map(|record| match record {
            Record::App(app) => Some(app.id.as_str()),
            _ => None,
        })
        .collect();
    let logged = outcome.records.iter().filter_map(|record| match record {
        Record::Usage(usage) if usage.log.contains("ApiTotalUsage") => Some(usage.app.as_str()),
        _ => None,
    });
    let joined = logged.filter(|app| app.starts_with("0H4") && apps.contains(app)).count();
    assert!(joined > 0);
}

/// A column that an org does not have takes a fact away. It must not leave another one: an app that is "not installed", a user that is
/// "deleted", a sign-in that "never" was.
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_column_is_never_a_fact() {
    let lab = OneOrg::demo().await;
    for column in [
        "AppMenuItem.ApplicationId",
        "User.Username",
        "User.IsActive",
        "User.UserType",
        "User.LastLoginDate",
        "User.ProfileId",
        "User.Profile.Name",
    ] {
        let missing = reply(
            400,
            "INVALID_FIELD",
            &format!("No such column '{column}' on entity 'OauthToken'"),
        );
        lab.inject(Fault::new(missing).on_path("/query").on_text(column));
    }
    let outcome = lab.scan().await;
    assert_eq!(part(&outcome, "grants").read as usize, lab.org().all_token_count());
    assert!(!outcome.coverage.is_whole());
    for grant in grants(&outcome).filter(|grant| grant.kind == GrantKind::Delegated) {
        let principal = grant.holder.principal().unwrap();
        assert!(
            principal.status.gap().is_some() && principal.last_login_at.gap().is_some(),
            "{principal:?}"
        );
    }
    assert!(app(&outcome, "My Ticket Portal").installed.gap().is_some());
}
