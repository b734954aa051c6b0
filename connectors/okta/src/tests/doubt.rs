//! What is not seen is never taken for what is not there.

use std::collections::BTreeSet;

use grantwarden_kit::{
    connector::Connector as _,
    model::{Coverage, Observed, Reason},
};
use grantwarden_lab::{Effect, Fault, okta::OktaRoleless};

use super::support::*;

fn reasons(coverage: &Coverage, facet: &str) -> Vec<Reason> {
    let part = coverage.parts.iter().find(|part| part.facet == facet).unwrap();
    part.losses.iter().map(|loss| loss.gap.reason).collect()
}

fn details(scan: &Scan, facet: &str) -> String {
    let losses = &part(scan, facet).losses;
    losses.iter().map(|loss| loss.gap.detail.as_str()).collect::<Vec<_>>().join("\n")
}

const PROMISED: [&str; 5] =
    ["apps", "scope-grants", "refresh-tokens", "api-tokens", "api-service-integrations"];

/// A service app without a role may see empty lists, with status 200.
#[tokio::test(flavor = "multi_thread")]
async fn empty_lists_without_a_role_are_a_loss() {
    for roleless in [OktaRoleless::Empty, OktaRoleless::Forbidden] {
        let org = OneOrg::small_with(|world| world.behaviour.roleless = roleless).await;
        org.org().remove_roles();
        let scan = org.scan().await;
        for facet in PROMISED {
            assert!(
                reasons(&scan.coverage, facet).contains(&Reason::Permission),
                "{facet} {roleless:?}: {:#?}",
                part(&scan, facet)
            );
        }
        assert!(
            details(&scan, "apps").contains("administrator role"),
            "{}",
            details(&scan, "apps")
        );
    }
}

/// A role that covers some things only.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_list_is_believed_only_with_a_role_that_reads_everything() {
    let org =
        OneOrg::empty_with(|world| world.scanner.roles = Some(vec!["READ_ONLY_ADMIN".into()]))
            .await;
    let scan = org.scan().await;
    assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
    let org = OneOrg::empty_with(|world| {
        world.behaviour.roleless = OktaRoleless::Empty;
        world.scanner.roles = Some(vec!["APP_ADMIN".into()]);
    })
    .await;
    let scan = org.scan().await;
    for facet in ["api-tokens", "api-service-integrations"] {
        assert_eq!(reasons(&scan.coverage, facet), [Reason::Permission], "{facet}");
    }
}

/// Each scope that is not granted is a loss of its facets, with the scope by name, and of nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_is_not_granted_is_named() {
    for (scope, facets) in [
        ("okta.orgs.read", &["organization"][..]),
        ("okta.appGrants.read", &["scope-grants", "users"]),
        ("okta.apiTokens.read", &["api-tokens", "users"]),
        ("okta.oauthIntegrations.read", &["api-service-integrations", "client-keys", "users"]),
        ("okta.users.read", &["users"]),
        ("okta.roles.read", &["client-roles", "administrators"]),
        ("okta.clients.read", &["client-keys"]),
        ("okta.authorizationServers.read", &["authorization-servers"]),
        ("okta.networkZones.read", &["network-zones"]),
        ("okta.logs.read", &["token-events", "consent-events"]),
        (
            "okta.apps.read",
            &["apps", "scope-grants", "refresh-tokens", "client-roles", "client-keys", "users"],
        ),
    ] {
        let org = OneOrg::small().await;
        assert!(org.org().set_right(scope, false));
        let scan = org.scan().await;
        let asked: BTreeSet<&str> = ["user-grants", "cross-app-access"].into();
        let lost = scan.coverage.parts.iter().filter(|part| !part.losses.is_empty());
        let lost: BTreeSet<&str> = lost.map(|part| part.facet.as_str()).collect();
        let lost: BTreeSet<&str> = lost.difference(&asked).copied().collect();
        assert_eq!(lost, facets.iter().copied().collect(), "{scope}");
        // Who would hold what is hidden does not come up.
        let direct = facets.iter().filter(|facet| **facet != "users" || scope == "okta.users.read");
        for facet in direct {
            assert!(
                reasons(&scan.coverage, facet).contains(&Reason::Permission),
                "{scope} {facet}"
            );
            assert!(details(&scan, facet).contains(scope), "{}", details(&scan, facet));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_org_without_the_product_is_said_and_is_no_loss() {
    for answer in ["not_enabled", "not_allowed", "not_found"] {
        let org = OneOrg::small_with(|world| {
            world.api_access_management = false;
            world.authorization_servers.clear();
            world.grants.retain(|grant| grant.server.is_none());
            world.refresh_tokens.retain(|token| token.server.is_none());
            let text = format!("\"{answer}\"");
            world.behaviour.missing_product = serde_json::from_str(&text).unwrap();
        })
        .await;
        let scan = org.scan().await;
        assert_eq!(reasons(&scan.coverage, "authorization-servers"), [Reason::Licence], "{answer}");
        assert!(scan.coverage.is_whole());
        assert!(app(&scan, "Drift").token_policy.access_lifetime.gap().is_some());
    }
}

fn body(status: u16, body: &str) -> Effect {
    Effect::Reply { status, headers: Vec::new(), body: body.to_owned() }
}

/// One row of another form costs that row, and is booked.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_another_form_costs_one_row() {
    let org = OneOrg::small().await;
    let rows = r#"[{"id":"00T1","name":7,"userId":"00u1","tokenWindow":"P1M","network":null,"expiresAt":"soon"},{"id":7},{"name":"x"},null]"#;
    org.org().inject(Fault::new(body(200, rows)).on_path("/api/v1/api-tokens"));
    let scan = org.scan().await;
    let lost = &part(&scan, "api-tokens").losses;
    assert_eq!(lost.iter().filter_map(|loss| loss.rows).sum::<u64>(), 3);
    let token = grants(&scan).find(|grant| grant.id == "00T1").unwrap();
    for gap in [token.expires.gap(), token.last_used_at.gap(), token.network.binding.gap()] {
        assert!(gap.is_some(), "{token:#?}");
    }
}

/// Values that a later release of Okta may bring.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_values_are_unknown_and_quoted() {
    let org = OneOrg::small().await;
    let own = org.org().client().client_id;
    let rows = format!(
        r#"[{{"id":"{own}","label":"Own","signOnMode":"OPENID_CONNECT","status":"PAUSED","settings":{{"oauthClient":{{"application_type":"robot","grant_types":["refresh_token"],"network":{{"connection":"MOON"}},"refresh_token":{{"rotation_type":"SOMETIMES"}}}}}}}}]"#
    );
    org.org().inject(Fault::new(body(200, &rows)).on_path("/api/v1/apps").times(1));
    let scan = org.scan().await;
    let own = app(&scan, "Own");
    let quoted = |gap: Option<&grantwarden_kit::model::Gap>, value: &str| {
        assert!(gap.is_some_and(|gap| gap.detail.contains(value)), "{value}: {gap:?}");
    };
    quoted(own.blocked.gap(), "PAUSED");
    quoted(own.token_policy.rotation.gap(), "SOMETIMES");
    quoted(grants_of(&scan, "Own")[0].network.binding.gap(), "MOON");
    assert!(own.approval.gap().is_some());
    assert_eq!(grants_of(&scan, "Own")[0].sender_constrained.known(), None);
}

/// The list of OAuth clients is a second look at the list of apps.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_no_app_stands_for_is_said() {
    let org = OneOrg::small().await;
    // For the list of clients and for the roles of each.
    let rows = r#"[{"client_id":"0oaFAKEstranger00001","client_secret_expires_at":0,"id":"ra1","type":"READ_ONLY_ADMIN","status":"ACTIVE"}]"#;
    let fault = Fault::new(body(200, rows)).on_path("/oauth2/v1/clients");
    org.org().inject(fault);
    let scan = org.scan().await;
    assert_eq!(reasons(&scan.coverage, "apps"), [Reason::CountMismatch]);
    assert!(!scan.coverage.is_whole());
}

/// A page that another app's 404 stands for proves nothing while the app is there.
#[tokio::test(flavor = "multi_thread")]
async fn not_found_is_no_absence() {
    let org = OneOrg::small().await;
    let text = r#"{"errorCode":"E0000007","errorSummary":"Not found: Resource not found: x (AppInstance)","errorLink":"E0000007","errorId":"oaeFAKE","errorCauses":[]}"#;
    org.org().inject(Fault::new(body(404, text)).on_path("0oaFAKEdrift00000001/tokens"));
    let scan = org.scan().await;
    assert_eq!(reasons(&scan.coverage, "refresh-tokens"), [Reason::CallFailed]);
    assert!(!scan.coverage.is_whole());
    // Only if the app itself is not there either, and others are.
    let org = OneOrg::small().await;
    org.org().inject(Fault::new(body(404, text)).on_path("0oaFAKEdrift00000001"));
    let scan = org.scan().await;
    assert_eq!(reasons(&scan.coverage, "refresh-tokens"), [Reason::Vanished]);
    assert!(scan.coverage.is_whole());
}

/// A log that goes on for ever, and one that is empty.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_never_proves_that_an_app_was_not_used() {
    let org = OneOrg::small().await;
    org.org().inject(Fault::new(body(200, "[]")).on_path("/api/v1/logs"));
    let scan = org.scan().await;
    // The role shows the log, so it is late.
    assert_eq!(reasons(&scan.coverage, "token-events"), [Reason::CallFailed]);
    assert!(details(&scan, "token-events").contains("own sign-in"));
    assert!(grants(&scan).all(|grant| grant.last_used_at != Observed::Absent));
}

/// Doctor: each facet once, the missing right by its name, and no secret read.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_what_is_missing() {
    let org = OneOrg::small().await;
    let session = org.session();
    let probe = session.probe().await.unwrap();
    for facet in &probe.facets {
        let is_asked_for = ["user-grants", "cross-app-access"].contains(&facet.facet.as_str());
        assert_eq!(facet.gap.is_some(), is_asked_for, "{facet:?}");
    }
    assert_eq!(probe.tenant, "Small Okta (00oFAKEsmall00000001)");
    assert!(session.calls() <= 18, "{} calls", session.calls());
    assert_eq!(org.org().secrets_read(), 0);
    assert!(org.org().set_right("okta.logs.read", false));
    let probe = org.session().probe().await.unwrap();
    let gap = probe.facets.iter().find(|facet| facet.facet == "token-events").unwrap();
    let gap = gap.gap.as_ref().unwrap();
    assert_eq!(gap.reason, Reason::Permission);
    assert!(gap.detail.contains("okta.logs.read"), "{}", gap.detail);
    assert!(probe.notes[0].contains("okta.logs.read"), "{:?}", probe.notes);
}

/// An app whose tokens hide their scopes is not judged by what was granted to it on the Okta API.
#[tokio::test(flavor = "multi_thread")]
async fn hidden_scopes_of_a_token_are_bounded_by_nothing() {
    let org = OneOrg::small().await;
    let rows = r#"[{"id":"oar1","status":"ACTIVE","scopes":null,"userId":null}]"#;
    org.org().inject(Fault::new(body(200, rows)).on_path("0oaFAKEboard00000001/tokens"));
    let scan = org.scan().await;
    let token = grants(&scan).find(|grant| grant.id == "oar1").unwrap();
    assert!(token.scopes.gap().is_some());
    assert!(token.expires.gap().is_some());
    assert_eq!(token.holder.principal().unwrap().id, "");
    assert!(app(&scan, "Team Board").scopes.gap().is_some());
}

/// Where nobody's list can be read, not everybody's is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_covers_no_grants_costs_few_calls() {
    let mut world = scale(300);
    world.okta[0].behaviour.quota = false;
    world.okta[0].behaviour.super_admin_only = vec!["appGrants".to_owned()];
    let org = OneOrg::start(world).await;
    let scan = org.scan().await;
    assert!(reasons(&scan.coverage, "scope-grants").contains(&Reason::Permission));
    assert_eq!(reasons(&scan.coverage, "refresh-tokens"), []);
    let asked = org.org().count_calls(|call| call.path.ends_with("/grants"));
    assert!(asked <= 15, "{asked}");
}

/// A look-up that Okta finds too long is made in halves.
#[tokio::test(flavor = "multi_thread")]
async fn people_are_looked_up_in_lots_that_fit() {
    let mut world = scale(300);
    world.okta[0].behaviour.quota = false;
    let org = OneOrg::start(world).await;
    let long = r#"{"errorCode":"E0000031","errorSummary":"Invalid search criteria."}"#;
    let fault = Fault::new(body(400, long)).on_path("/api/v1/users").on_text("id eq").times(1);
    org.org().inject(fault);
    let scan = org.scan().await;
    assert_eq!(reasons(&scan.coverage, "users"), []);
    let held: Vec<_> = grants(&scan).filter_map(|grant| grant.holder.principal()).collect();
    assert!(held.len() >= 300);
    assert!(held.iter().all(|user| user.name.known().is_some()));
}

/// The org's id is a promise; without it the org is known by its configured id, or its address.
#[tokio::test(flavor = "multi_thread")]
async fn an_org_that_hides_itself_has_the_configured_id() {
    let org = OneOrg::small().await;
    org.org().set_right("okta.orgs.read", false);
    let scan = org.scan().await;
    assert!(!scan.coverage.is_whole());
    assert!(tenant(&scan).id.starts_with("127.0.0.1:"), "{}", tenant(&scan).id);
    let mut config = org.config();
    config.account = Some("00oFAKEconfigured001".into());
    let session = crate::Okta.open(config, kit()).unwrap();
    let scan = super::support::scan(session.as_ref()).await;
    assert_eq!(tenant(&scan).id, "00oFAKEconfigured001");
}

/// A list of roles that is empty for want of a right makes nobody an ordinary user.
#[tokio::test(flavor = "multi_thread")]
async fn no_role_is_believed_only_where_administrators_are_seen() {
    let org = OneOrg::small().await;
    org.org().inject(Fault::new(body(200, "[]")).on_path("/roles"));
    org.org().inject(Fault::new(body(200, r#"{"value":[]}"#)).on_path("/iam/assignees/users"));
    let scan = org.scan().await;
    for token in grants(&scan).filter(|grant| grant.id.starts_with("00T")) {
        assert!(token.holder.principal().unwrap().privileges.gap().is_some(), "{}", token.id);
    }
    assert!(reasons(&scan.coverage, "administrators").contains(&Reason::Permission));
    assert!(reasons(&scan.coverage, "client-roles").contains(&Reason::Permission));
}
