//! What the small org becomes.

use std::time::Duration;

use grantwarden_kit::model::{
    Approval, CredentialKind, Expiry, Flow, GrantKind, Holder, Observed, Origin, PrincipalStatus,
    Record, RefreshPolicy, Scope,
};

use super::support::*;

fn names(scopes: &Observed<Vec<Scope>>) -> Vec<&str> {
    scopes.known().unwrap().iter().map(|scope| scope.name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_small_org_is_read_whole() {
    let org = OneOrg::small().await;
    let scan = org.scan().await;
    assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
    for part in &scan.coverage.parts {
        let is_asked_for = !["user-grants", "cross-app-access"].contains(&part.facet.as_str());
        assert!(part.losses.is_empty() == is_asked_for, "{part:#?}");
    }
    let tenant = tenant(&scan);
    assert_eq!(tenant.id, "00oFAKEsmall00000001");
    assert_eq!(tenant.display_name.known().unwrap(), "Small Okta");
    // Every app before its grants and credentials.
    let mut seen = std::collections::BTreeSet::new();
    for record in &scan.records {
        match record {
            Record::App(app) => assert!(seen.insert(app.id.as_str()), "{} twice", app.id),
            Record::Grant(grant) => assert!(seen.contains(grant.app.as_str()), "{}", grant.id),
            Record::Credential(credential) => assert!(seen.contains(credential.app.as_str())),
            _ => {}
        }
    }
    assert_eq!(org.org().secrets_read(), 0);
    let secrets = org.org().count_calls(|call| {
        call.path.contains("/api/v1/apps/") && call.path.contains("/credentials/secrets")
    });
    assert_eq!(secrets, 0);
    // Okta documents milliseconds at most: times are asked for in whole seconds.
    let calls = org.org().calls();
    let asked =
        calls.iter().filter(|call| call.path == "/api/v1/logs").flat_map(|call| &call.query);
    let times: Vec<&String> = asked
        .filter(|(name, _)| ["since", "until"].contains(&name.as_str()))
        .map(|(_, value)| value)
        .collect();
    assert!(!times.is_empty() && times.iter().all(|time| !time.contains('.')), "{times:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_tells_what_it_is() {
    let org = OneOrg::small().await;
    let scan = org.scan().await;
    let drift = app(&scan, "Drift");
    assert_eq!((drift.kind.as_str(), drift.origin), ("OIDC web app", Origin::ThirdParty));
    assert_eq!(drift.redirect_domains.known().unwrap(), &["drift.example"]);
    assert_eq!(drift.blocked, Observed::Known(false));
    assert!(drift.publisher.gap().is_some(), "nobody vouches for what was made in the org");
    assert_eq!(setting(&drift.settings, "User consent"), Some("REQUIRED"));
    // The customer's own server gives it a day, and refresh tokens without end.
    let day = Duration::from_secs(86_400);
    assert_eq!(drift.token_policy.access_lifetime, Observed::Known(day));
    let pause = RefreshPolicy::Idle(Duration::from_secs(2_628_000 * 60));
    assert_eq!(drift.token_policy.refresh, Observed::Known(pause));
    assert_eq!(drift.token_policy.rotation, Observed::Known(false));
    let board = app(&scan, "Team Board");
    assert_eq!(board.client_ids.known().unwrap(), &["team-board-web"]);
    assert_eq!(setting(&board.settings, "Wildcards in redirect addresses"), Some("SUBDOMAIN"));
    assert_eq!(setting(&board.settings, "Client authentication"), Some("none"));
    let robot = app(&scan, "Backup Robot");
    assert_eq!(robot.flows.known().unwrap(), &[Flow::ClientCredentials]);
    assert_eq!(names(&robot.scopes), ["okta.apps.manage", "okta.logs.read", "okta.users.manage"]);
    assert_eq!(robot.token_policy.refresh, Observed::Known(RefreshPolicy::Immediately));
    let mill = app(&scan, "Report Mill");
    assert_eq!(setting(&mill.settings, "Network of token requests"), Some("ZONE, only Office"));
    assert_eq!(app(&scan, "Old Importer").blocked, Observed::Known(true));
    let legacy = app(&scan, "Legacy Portal");
    assert_eq!(legacy.publisher.known().unwrap().name, "legacy_portal");
    // What receives sign-ins only is counted.
    assert!(apps(&scan).all(|app| app.name != "Payroll" && app.name != "Lunch Menu"));
    assert!(part(&scan, "apps").notes[0].starts_with("2 apps receive sign-ins only"));
}

#[tokio::test(flavor = "multi_thread")]
async fn consents_are_one_grant_for_each_side_and_issuer() {
    let org = OneOrg::small().await;
    let scan = org.scan().await;
    let robot = grants_of(&scan, "Backup Robot");
    let [scopes, roles] = robot[..] else { panic!("{robot:#?}") };
    assert_eq!(scopes.id, "0oaFAKErobot00000001:ADMIN:org");
    assert_eq!((scopes.kind, &scopes.holder), (GrantKind::AppOnly, &Holder::App));
    assert_eq!(scopes.granted_by.known().unwrap(), "ada.admin@small.example");
    assert!(is_near(*scopes.granted_at.known().unwrap(), moved("2024-01-10T09:05:02Z")));
    assert_eq!(scopes.expires, Observed::Known(Expiry::Never));
    assert_eq!(scopes.approval, Observed::Known(Approval::AdminApproved));
    assert!(scopes.last_used_at.gap().is_some(), "the log proves no absence");
    let role = &roles.scopes.known().unwrap()[0];
    assert_eq!(
        (role.name.as_str(), role.resource.as_deref()),
        ("SUPER_ADMIN", Some("Administrator role"))
    );
    let mill = grants_of(&scan, "Report Mill");
    assert_eq!(mill[0].sender_constrained, Observed::Known(true));
    let zone = mill[0].network.binding.known().unwrap();
    assert_eq!(zone[0].to_string(), "198.51.100.0-198.51.100.255");
    assert_eq!(setting(&mill[1].settings, "Custom roles"), Some("App reader"));
    let importer = grants_of(&scan, "Old Importer");
    assert_eq!(
        (importer[0].kind, &importer[0].holder),
        (GrantKind::AdminConsented, &Holder::Tenant)
    );
    // A consent that was revoked is none.
    assert!(grants_of(&scan, "Small Intranet").is_empty());
    let drift = grants_of(&scan, "Drift");
    let own = drift.iter().find(|grant| grant.id.contains(":END_USER:org:")).unwrap();
    assert_eq!(own.kind, GrantKind::Delegated);
    assert_eq!(own.holder.principal().unwrap().label(), "sam.sales@small.example");
    assert_eq!(own.approval, Observed::Known(Approval::SelfAuthorized));
    let last = setting(&own.settings, "Last token of the app").unwrap();
    assert!(is_near(last.parse().unwrap(), moved("2026-01-15T07:15:00Z")), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_a_grant_of_its_user() {
    let org = OneOrg::small().await;
    let scan = org.scan().await;
    let tokens: Vec<_> = grants(&scan).filter(|grant| grant.id.starts_with("oar")).collect();
    assert_eq!(tokens.len(), 7);
    assert_eq!(part(&scan, "refresh-tokens").read, 7);
    let of = |name: &str| {
        let mut own = tokens.iter().filter(|grant| grant.app_name == "Drift");
        own.find(|grant| grant.holder.principal().unwrap().label() == name).unwrap()
    };
    let nina = of("nina.new@small.example").holder.principal().unwrap();
    assert_eq!(nina.status, Observed::Known(PrincipalStatus::Suspended));
    assert!(nina.privileges.gap().is_some(), "roles that come with a group are not shown");
    let ada = of("ada.admin@small.example").holder.principal().unwrap();
    assert_eq!(ada.privileges.known().unwrap(), &["SUPER_ADMIN"]);
    let custom =
        tokens.iter().find(|grant| names(&grant.scopes).contains(&"orders.write")).unwrap();
    let orders = &custom.scopes.known().unwrap()[0];
    assert!(orders.resource.as_deref().unwrap().contains("/oauth2/aus"), "{orders:?}");
    let offline = custom.scopes.known().unwrap().last().unwrap();
    assert_eq!((offline.name.as_str(), &offline.resource), ("offline_access", &None));
    assert!(matches!(custom.expires, Observed::Known(Expiry::At(_))));
    assert_eq!(custom.refreshable, Observed::Known(true));
    assert!(custom.last_used_at.gap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_token_has_the_rights_of_its_user() {
    let org = OneOrg::small().await;
    let scan = org.scan().await;
    let backup = grants_of(&scan, "Backup vendor")[0];
    assert_eq!((backup.kind, backup.app.as_str()), (GrantKind::ApiToken, "api-tokens"));
    assert_eq!(names(&backup.scopes), ["api-token", "SUPER_ADMIN"]);
    let month = Duration::from_secs(30 * 86_400);
    assert_eq!(backup.expires, Observed::Known(Expiry::Idle(month)));
    assert!(is_near(*backup.last_used_at.known().unwrap(), moved("2026-01-15T02:00:00Z")));
    assert_eq!(backup.network.binding, Observed::Absent);
    let gus = grants_of(&scan, "Gus script")[0].holder.principal().unwrap();
    assert_eq!(gus.status, Observed::Known(PrincipalStatus::Inactive));
    assert_eq!(gus.privileges.known().unwrap(), &[] as &[String]);
    let board = grants_of(&scan, "Help desk board")[0];
    assert_eq!(board.app, "api-tokens:Help desk");
    assert_eq!(board.network.binding.known().unwrap().len(), 1);
    let sam = grants_of(&scan, "Sam macro")[0];
    assert_eq!(sam.expires, Observed::Known(Expiry::Idle(Duration::from_secs(5 * 86_400))));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_is_an_app_with_a_grant_and_its_secrets() {
    let org = OneOrg::small().await;
    let scan = org.scan().await;
    let vault = app(&scan, "Mailvault");
    assert_eq!(vault.kind, "API service integration");
    let grant = grants_of(&scan, "Mailvault")[0];
    assert_eq!(
        (grant.id.as_str(), grant.kind),
        ("0oaFAKEmailvault0001:scopes", GrantKind::AppOnly)
    );
    assert_eq!(names(&grant.scopes), ["okta.logs.read", "okta.users.read", "okta.users.manage"]);
    assert_eq!(grant.granted_by.known().unwrap(), "ada.admin@small.example");
    let own: Vec<_> = credentials(&scan).filter(|it| it.app == vault.id).collect();
    assert_eq!(own.len(), 2);
    assert!(own.iter().all(|secret| secret.created_at.known().is_some()));
    let robot = credentials(&scan).filter(|it| it.app == "0oaFAKErobot00000001");
    let keys: Vec<_> = robot.filter(|it| it.kind == CredentialKind::Certificate).collect();
    // One of the three is switched off.
    assert_eq!(keys.len(), 2);
    let secret = credentials(&scan).find(|it| it.id == "0oaFAKEdrift00000001:secret").unwrap();
    assert_eq!(secret.expires_at, Observed::Absent);
    assert!(secret.created_at.gap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_what_changed_and_what_apps_did() {
    let org = OneOrg::small().await;
    let scan = org.scan().await;
    let reuse =
        events(&scan).find(|event| event.action == "app.oauth2.token.detect_reuse").unwrap();
    assert!(reuse.summary.contains("result FAILURE"), "{}", reuse.summary);
    assert!(events(&scan).any(|event| event.action == "app.oauth2.as.consent.grant"));
    let drift = usages(&scan).find(|usage| usage.app == "0oaFAKEdrift00000001").unwrap();
    assert_eq!(drift.events, 7);
    assert!(drift.principals.iter().any(|count| count.value == "nina.new@small.example"));
    // The log knows the client, the records the app.
    assert!(usages(&scan).any(|usage| usage.app == "0oaFAKEboard00000001"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_on_request() {
    let mut org = OneOrg::small().await;
    org.skip.clear();
    let scan = org.scan().await;
    assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
    // Sam's and Gus' consents to the customer's own server; the one to the org is listed with the app.
    assert_eq!(part(&scan, "user-grants").read, 2);
    let gus = grants(&scan).find(|grant| {
        grant.holder.principal().is_some_and(|user| user.label() == "gone.gus@small.example")
            && grant.kind == GrantKind::Delegated
    });
    assert_eq!(names(&gus.unwrap().scopes), ["orders.read"]);
    let board = grants_of(&scan, "Team Board");
    let asks = board.iter().find(|grant| names(&grant.scopes) == ["cross-app-access"]).unwrap();
    assert_eq!(setting(&asks.settings, "Asks"), Some("Small Intranet"));
    let ids: std::collections::BTreeSet<&str> =
        grants(&scan).map(|grant| grant.id.as_str()).collect();
    assert_eq!(ids.len(), grants(&scan).count());
}
