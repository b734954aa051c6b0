//! Which role proves which empty list, and that doctor doubts what a scan doubts.

use grantwarden_kit::{
    connector::Connector as _,
    model::{Observed, Origin, Reason},
};
use grantwarden_lab::{Effect, Fault, okta::OktaRoleless};

use super::support::*;

/// Lists of which nobody documents that a reading role sees them.
const GUARDED: [&str; 2] = ["api-tokens", "api-service-integrations"];

fn reasons(scan: &Scan, facet: &str) -> Vec<Reason> {
    part(scan, facet).losses.iter().map(|loss| loss.gap.reason).collect()
}

fn detail<'a>(scan: &'a Scan, facet: &str) -> &'a str {
    &part(scan, facet).losses[0].gap.detail
}

fn reply(body: &str) -> Effect {
    Effect::Reply { status: 200, headers: Vec::new(), body: body.to_owned() }
}

async fn empty_as(role: &str) -> OneOrg {
    OneOrg::empty_with(|world| {
        world.behaviour.roleless = OktaRoleless::Empty;
        world.scanner.roles = Some(vec![role.to_owned()]);
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_proven_to_a_super_administrator_and_said_to_a_reading_role() {
    let scan = empty_as("SUPER_ADMIN").await.scan().await;
    assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
    for facet in GUARDED {
        assert_eq!(reasons(&scan, facet), [], "{facet}");
    }
    // Nothing that the recommended role could be given would tell: no loss for ever, and said with the way out.
    let scan = empty_as("READ_ONLY_ADMIN").await.scan().await;
    assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
    for facet in GUARDED {
        assert_eq!(reasons(&scan, facet), [Reason::PlatformSilent], "{facet}");
        assert!(detail(&scan, facet).contains("scan once as Super Administrator"));
    }
    // Its own scopes are grants that it sees: that is a second sign.
    assert_eq!(reasons(&scan, "scope-grants"), []);
    let org = empty_as("READ_ONLY_ADMIN").await;
    org.org().set_right("okta.roles.read", false);
    let scan = org.scan().await;
    for facet in GUARDED {
        assert_eq!(reasons(&scan, facet), [Reason::Permission], "{facet}");
        assert!(detail(&scan, facet).contains("View roles, resources, and admin assignments"));
    }
}

/// Everybody sees the API tokens of their own.
#[tokio::test(flavor = "multi_thread")]
async fn the_scanners_own_api_token_proves_nothing_about_those_of_others() {
    for (role, expected) in [
        ("SUPER_ADMIN", &[][..]),
        ("READ_ONLY_ADMIN", &[Reason::PlatformSilent]),
        ("App reader", &[Reason::Permission]),
    ] {
        let mut org = OneOrg::small_with(|world| {
            world.api_tokens.clear();
            world.principal_rate_limits.clear();
            world.events.clear();
            world.users[0].roles = vec![role.to_owned()];
        })
        .await;
        if role == "App reader" {
            let own = org.org().user_id("ada.admin@small.example").unwrap();
            let roles = r#"[{"id":"irb1","type":"CUSTOM","label":"App reader","status":"ACTIVE"}]"#;
            org.org().inject(Fault::new(reply(roles)).on_path(&format!("{own}/roles")));
            let token = format!(r#"[{{"id":"00T1","name":"own","userId":"{own}"}}]"#);
            org.org().inject(Fault::new(reply(&token)).on_path("/api/v1/api-tokens"));
        }
        org.token = Some(org.org().api_token_secret("Grantwarden").unwrap());
        let scan = org.scan().await;
        assert_eq!(reasons(&scan, "api-tokens"), expected, "{role}");
    }
}

/// A role may be given for some apps, and then these are all that is listed.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_for_some_apps_is_not_taken_for_one_for_all() {
    let org =
        OneOrg::small_with(|world| world.scanner.roles = Some(vec!["APP_ADMIN".into()])).await;
    // Who sees its role, as a custom role beside it would let it.
    let roles = r#"[{"id":"ra1","type":"APP_ADMIN","label":"x","status":"ACTIVE"}]"#;
    org.org().inject(Fault::new(reply(roles)).on_path("0oaFAKEscanner000001/roles"));
    let scan = org.scan().await;
    assert_eq!(reasons(&scan, "apps"), [Reason::Permission]);
    assert!(detail(&scan, "apps").contains("some apps only"), "{}", detail(&scan, "apps"));
    assert!(!scan.coverage.is_whole());
    // A role that cannot be seen is said.
    let org = OneOrg::small().await;
    org.org().set_right("okta.roles.read", false);
    let scan = org.scan().await;
    let notes = part(&scan, "apps").notes.join("\n");
    assert!(notes.contains("covers all apps cannot be seen"), "{notes}");
    let probe = org.session().probe().await.unwrap();
    assert!(probe.notes.iter().any(|note| note.contains("covers all apps cannot be seen")));
    // A code of a missing product excuses nothing that every org has.
    let code = r#"{"errorCode":"E0000015","errorSummary":"no"}"#;
    let without = Effect::Reply { status: 401, headers: Vec::new(), body: code.into() };
    org.org().inject(Fault::new(without).on_path("/api/v1/api-tokens"));
    let scan = org.scan().await;
    assert_eq!(reasons(&scan, "api-tokens"), [Reason::Permission]);
    assert!(!detail(&scan, "api-tokens").contains("API Access Management"));
}

/// What a scan books, doctor says beforehand.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_doubts_what_a_scan_doubts() {
    let facets = [
        "apps",
        "scope-grants",
        "api-tokens",
        "api-service-integrations",
        "authorization-servers",
        "network-zones",
        "token-events",
        "consent-events",
    ];
    for (role, sees_roles) in
        [("READ_ONLY_ADMIN", true), ("READ_ONLY_ADMIN", false), ("REPORT_ADMIN", true)]
    {
        let org = empty_as(role).await;
        org.org().set_right("okta.roles.read", sees_roles);
        for path in ["/authorizationServers", "/zones", "/logs"] {
            org.org().inject(Fault::new(reply("[]")).on_path(path));
        }
        let scan = org.scan().await;
        let session = org.session();
        let probe = session.probe().await.unwrap();
        for facet in facets {
            let seen = probe.facets.iter().find(|seen| seen.facet == facet).unwrap();
            let seen: Vec<Reason> = seen.gap.iter().map(|gap| gap.reason).collect();
            let booked = reasons(&scan, facet);
            assert_eq!(seen.first(), booked.first(), "{role} {sees_roles} {facet}");
        }
        assert!(session.calls() <= 18 + 15, "{} calls", session.calls());
    }
}

/// An org that did not buy the product is not told to repair something.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_knows_a_missing_product() {
    let org = OneOrg::small_with(|world| {
        world.api_access_management = false;
        world.authorization_servers.clear();
        world.grants.retain(|grant| grant.server.is_none());
        world.refresh_tokens.retain(|token| token.server.is_none());
        world.behaviour.missing_product = serde_json::from_str("\"not_found\"").unwrap();
    })
    .await;
    let probe = org.session().probe().await.unwrap();
    let servers = probe.facets.iter().find(|seen| seen.facet == "authorization-servers").unwrap();
    assert_eq!(servers.gap.as_ref().unwrap().reason, Reason::Licence);
}

/// With an API token there need not be an app to ask about.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_claims_no_app_that_is_not_there() {
    let mut org = OneOrg::small().await;
    org.token = Some(org.org().api_token_secret("Grantwarden").unwrap());
    org.org().inject(Fault::new(reply("[]")).on_path("/api/v1/apps"));
    let probe = org.session().probe().await.unwrap();
    for facet in ["apps", "scope-grants", "refresh-tokens"] {
        let seen = probe.facets.iter().find(|seen| seen.facet == facet).unwrap();
        assert_eq!(seen.gap, None, "{facet}");
    }
}

/// Most apps have their client id for an id, and not all.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_an_app_whose_client_id_is_not_its_id() {
    let org = OneOrg::small().await;
    let text = r#"{"errorCode":"E0000007","errorSummary":"Not found"}"#;
    let absent = Effect::Reply { status: 404, headers: Vec::new(), body: text.into() };
    org.org().inject(Fault::new(absent).on_path("/api/v1/apps/0oaFAKEscanner000001").times(1));
    let probe = org.session().probe().await.unwrap();
    let apps = probe.facets.iter().find(|seen| seen.facet == "apps").unwrap();
    assert_eq!(apps.gap, None);
}

/// Every org has zones; a list without any is no answer to where a token works from.
#[tokio::test(flavor = "multi_thread")]
async fn zones_that_are_not_shown_are_not_read() {
    let org = OneOrg::small().await;
    org.org().inject(Fault::new(reply("[]")).on_path("/api/v1/zones"));
    org.org().set_right("okta.roles.read", false);
    let scan = org.scan().await;
    assert_eq!(reasons(&scan, "network-zones"), [Reason::Permission]);
    assert!(grants_of(&scan, "Help desk board")[0].network.binding.gap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_log_is_judged_by_who_asks() {
    // Signing in with an API token is no event of an app.
    let mut org = OneOrg::small().await;
    org.token = Some(org.org().api_token_secret("Grantwarden").unwrap());
    org.org().inject(Fault::new(reply("[]")).on_path("/api/v1/logs"));
    let scan = org.scan().await;
    assert_eq!(reasons(&scan, "token-events"), []);
    let note = &part(&scan, "token-events").notes[0];
    assert!(
        note.starts_with("the System Log was read back to 20") && !note.contains('.'),
        "{note}"
    );
    // A service app's own sign-in is one. If the role is not seen, it may be the role.
    let org = OneOrg::small().await;
    org.org().inject(Fault::new(reply("[]")).on_path("/api/v1/logs"));
    org.org().set_right("okta.roles.read", false);
    let scan = org.scan().await;
    assert_eq!(reasons(&scan, "token-events"), [Reason::Permission]);
    assert!(detail(&scan, "token-events").contains("Report Administrator"));
    assert_eq!(part(&scan, "token-events").notes, [] as [String; 0]);
}

/// A page without events is not the end of the log.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_page_of_the_log_leads_on() {
    let org = OneOrg::small().await;
    let base = org.org().base_url().to_owned();
    let next = format!(
        "<{base}/api/v1/logs?since=2020-01-01T00:00:00Z&limit=1000&filter=eventType+sw+%22app.oauth2%22>; rel=\"next\""
    );
    let page =
        Effect::Reply { status: 200, headers: vec![("link".into(), next)], body: "[]".into() };
    org.org().inject(Fault::new(page).on_path("/api/v1/logs").times(1));
    let scan = org.scan().await;
    assert!(part(&scan, "token-events").read > 0, "{:#?}", part(&scan, "token-events"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scanner_is_no_third_party_and_nobody_is_behind_api_tokens() {
    let scan = OneOrg::small().await.scan().await;
    assert_eq!(app(&scan, "Grantwarden").origin, Origin::Own);
    // Nothing in the scanner's configuration tells the revoker from any other app.
    assert_eq!(app(&scan, "Grantwarden revoker").origin, Origin::ThirdParty);
    let tokens = app(&scan, "API tokens");
    assert_eq!((&tokens.client_ids, &tokens.publisher), (&Observed::Absent, &Observed::Absent));
    // A guide stands anywhere.
    let vault = app(&scan, "Mailvault");
    assert!(vault.web_domains.gap().is_some());
    let guide = setting(&vault.settings, "Configuration guide");
    assert_eq!(guide, Some("https://vendor.example/guide"));
}

/// Whoever adds an app by themselves and is not asked for consent has nobody behind them.
#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_users_add_is_approved_by_nobody() {
    let org = OneOrg::small().await;
    let own = org.org().client().client_id;
    let rows = format!(
        r#"[{{"id":"{own}","label":"Own","signOnMode":"LATER","status":"ACTIVE","accessibility":{{"selfService":true}},
            "settings":{{"oauthClient":{{"grant_types":["refresh_token"],"consent_method":"TRUSTED"}}}}}},
           {{"id":"0oaFAKEsaml000000001","signOnMode":"SAML_2_0"}}]"#
    );
    let listing = Fault::new(reply(&rows)).on_path("/api/v1/apps").on_text("includeNonDeleted");
    org.org().inject(listing.times(1));
    let token = r#"[{"id":"oar1","status":"ACTIVE","userId":"00uFAKE1"}]"#;
    org.org().inject(Fault::new(reply(token)).on_path(&format!("{own}/tokens")));
    let scan = org.scan().await;
    let token = grants(&scan).find(|grant| grant.id == "oar1").unwrap();
    assert_eq!(token.approval, Observed::Known(grantwarden_kit::model::Approval::SelfAuthorized));
    let note = &part(&scan, "apps").notes[0];
    assert!(note.starts_with("1 app receives sign-ins only"), "{note}");
}

/// An integration that is listed among the apps too is one record.
#[tokio::test(flavor = "multi_thread")]
async fn an_integration_among_the_apps_is_given_once() {
    let org = OneOrg::small().await;
    let own = org.org().client().client_id;
    let rows = format!(
        r#"[{{"id":"{own}","label":"Own","signOnMode":"OPENID_CONNECT"}},{{"id":"0oaFAKEmailvault0001","label":"Mailvault","signOnMode":"OPENID_CONNECT"}}]"#
    );
    let listing = Fault::new(reply(&rows)).on_path("/api/v1/apps").on_text("includeNonDeleted");
    org.org().inject(listing.times(1));
    let scan = org.scan().await;
    let found: Vec<_> = apps(&scan).filter(|app| app.id == "0oaFAKEmailvault0001").collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].kind, "API service integration");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_org_than_the_configured_one_is_said() {
    let org = OneOrg::small().await;
    let mut config = org.config();
    config.account = Some("00oFAKEanother000001".into());
    let session = crate::Okta.open(config, kit()).unwrap();
    let scan = scan(session.as_ref()).await;
    assert!(!scan.coverage.is_whole());
    assert!(detail(&scan, "organization").contains("00oFAKEanother000001"));
}

/// What an app does not tell is asked, and not taken for "no".
#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_tells_little_is_asked_for_everything() {
    let org = OneOrg::small().await;
    let own = org.org().client().client_id;
    let rows = format!(
        r#"[{{"id":"{own}","signOnMode":"OPENID_CONNECT"}},{{"id":"0oaFAKErobot00000001","credentials":{{"oauthClient":{{"client_id":"0oaFAKErobot00000001"}}}}}},
            {{"id":"0oaFAKEodd0000000001","signOnMode":"SAML_2_0","features":7}}]"#
    );
    let listing = Fault::new(reply(&rows)).on_path("/api/v1/apps").on_text("includeNonDeleted");
    org.org().inject(listing.times(1));
    let scan = org.scan().await;
    let robot: Vec<_> = grants(&scan).filter(|grant| grant.app == "0oaFAKErobot00000001").collect();
    assert!(robot.iter().any(|grant| grant.id.ends_with(":roles")), "{robot:#?}");
    assert!(apps(&scan).any(|app| app.id == "0oaFAKEodd0000000001"));
}

/// Nobody's consent at all is doubted like every other empty list.
#[tokio::test(flavor = "multi_thread")]
async fn consents_of_nobody_are_doubted() {
    let mut org = OneOrg::small().await;
    org.skip.clear();
    for id in ["sam.sales", "gone.gus"] {
        let id = org.org().user_id(&format!("{id}@small.example")).unwrap();
        org.org().inject(Fault::new(reply("[]")).on_path(&format!("{id}/grants")));
    }
    let scan = org.scan().await;
    assert_eq!(reasons(&scan, "user-grants"), []);
    org.org().set_right("okta.roles.read", false);
    let scan = org.scan().await;
    assert_eq!(reasons(&scan, "user-grants"), [Reason::Permission]);
}

/// A list of administrators with a hole proves nobody to be an ordinary user.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_administrators_with_a_hole_proves_nothing() {
    let org = OneOrg::small().await;
    let own = org.org().user_id("ada.admin@small.example").unwrap();
    let list = format!(r#"{{"value":[{{"id":"{own}"}},{{"orn":"x"}}]}}"#);
    org.org().inject(Fault::new(reply(&list)).on_path("/iam/assignees/users"));
    let user = org.org().user_id("svc.backup@small.example").unwrap();
    org.org().inject(Fault::new(reply("[]")).on_path(&format!("{user}/roles")));
    let scan = org.scan().await;
    let backup = grants_of(&scan, "Backup vendor")[0].holder.principal().unwrap();
    assert!(backup.privileges.gap().is_some(), "{backup:#?}");
}
