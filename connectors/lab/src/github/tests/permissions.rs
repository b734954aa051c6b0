//! Who may do what: Apps by permission, classic tokens by scope, role and single sign-on, fine-grained
//! tokens by permission.

use super::*;

#[tokio::test]
async fn an_app_without_the_permission_is_told_which() {
    let bench = Bench::small().await;
    for (path, permission) in [
        ("/orgs/small/installations", "organization_administration"),
        ("/orgs/small/credential-authorizations", "organization_administration"),
        ("/orgs/small/audit-log", "organization_administration"),
        ("/orgs/small/personal-access-tokens", "organization_personal_access_tokens"),
        (
            "/orgs/small/personal-access-token-requests",
            "organization_personal_access_token_requests",
        ),
        ("/orgs/small/hooks", "organization_hooks"),
        ("/orgs/small/actions/secrets", "organization_secrets"),
        ("/orgs/small/members", "members"),
        ("/repos/small/backend/keys", "administration"),
        ("/repos/small/backend/hooks", "repository_hooks"),
    ] {
        assert_eq!(bench.get(path).await.0, 200, "{path}");
        assert!(bench.tenant().set_right(permission, false));
        let response = bench.response(path).await;
        let accepted = response.headers().get("x-accepted-github-permissions").unwrap();
        assert_eq!(accepted.to_str().unwrap(), format!("{permission}=read"));
        let (status, body) = read(response).await;
        assert_eq!((status, message(&body)), (403, "Resource not accessible by integration"));
        bench.tenant().set_behaviour(|behaviour| behaviour.hide_missing_permission = true);
        assert_eq!(bench.get(path).await.0, 404, "{path}");
        bench.tenant().set_behaviour(|behaviour| behaviour.hide_missing_permission = false);
        assert!(bench.tenant().set_right(permission, true));
        assert_eq!(bench.get(path).await.0, 200, "{path}");
    }
    assert!(!bench.tenant().set_right("nothing", false));
    let (status, body) = bench.get("/orgs/small-labs/installations").await;
    assert_eq!((status, message(&body)), (403, "Resource not accessible by integration"));
}

#[tokio::test]
async fn a_reader_may_not_write() {
    let bench = Bench::small().await;
    let token = &bench.token;
    for path in [
        "/orgs/small/credential-authorizations/161001",
        "/orgs/small/hooks/70001",
        "/repos/small/backend/hooks/70002",
        "/repos/small/backend/keys/12001",
    ] {
        assert_eq!(bench.delete_as(token, path).await, 403, "{path}");
    }
    let revoke = json!({ "action": "revoke", "pat_ids": [25_001] });
    let path = "/orgs/small/personal-access-tokens";
    assert_eq!(bench.post_as(token, path, &revoke).await.0, 403);
    let all = "/orgs/small/credential-authorizations/revoke-all";
    assert_eq!(bench.post_as(token, all, &json!({})).await.0, 403);
    assert!(bench.tenant().has_credential("small", 161_001));
    assert!(bench.tenant().has_deploy_key("small/backend", 12_001));
}

#[tokio::test]
async fn a_classic_token_needs_scope_role_and_single_sign_on() {
    let bench = Bench::small().await;
    let client = bench.tenant().client();
    let path = "/orgs/small/installations";
    let request = bench.client.get(bench.url(path)).bearer_auth(&client.owner_token);
    let response = bench.send(request).await;
    let header = |name: &str| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(
        header("x-oauth-scopes"),
        "admin:enterprise, admin:org, admin:org_hook, read:audit_log, repo"
    );
    assert_eq!(header("github-authentication-token-expiration"), "2026-03-01 00:00:00 UTC");
    assert_eq!(response.status().as_u16(), 200);

    let request = bench.client.get(bench.url(path)).bearer_auth(&client.member_token);
    let response = bench.send(request).await;
    let sso = response.headers().get("x-github-sso").unwrap().to_str().unwrap().to_owned();
    assert!(sso.starts_with("required; url=https://"), "{sso}");
    let (status, body) = read(response).await;
    assert_eq!(status, 403);
    assert!(message(&body).starts_with("Resource protected by organization SAML enforcement."));
    assert_eq!(bench.get_as(&client.member_token, "/orgs/small-labs/installations").await.0, 404);

    let pats = "/orgs/small/personal-access-tokens";
    let (status, body) = bench.get_as(&client.owner_token, pats).await;
    assert_eq!((status, message(&body)), (403, "Resource not accessible by personal access token"));
    bench.tenant().set_behaviour(|behaviour| behaviour.apps_only_not_found = true);
    assert_eq!(bench.get_as(&client.owner_token, pats).await.0, 404);

    assert!(bench.tenant().set_right("admin:org", false));
    assert_eq!(bench.get_as(&client.owner_token, path).await.0, 404);
    assert!(bench.tenant().set_right("admin:org", true));
    assert_eq!(bench.get_as(&client.owner_token, path).await.0, 200);
    assert!(bench.tenant().set_right("owner", false));
    assert_eq!(bench.get_as(&client.owner_token, path).await.0, 404);
    assert!(bench.tenant().set_right("owner", true));
    assert_eq!(bench.get_as(&client.owner_token, path).await.0, 200);
}

#[tokio::test]
async fn a_member_who_signed_on_is_no_owner() {
    let bench = Bench::with(|world| {
        world.token.member.as_mut().unwrap().sso = vec!["small".to_owned()];
    })
    .await;
    let member = bench.tenant().client().member_token;
    assert_eq!(bench.get_as(&member, "/orgs/small/installations").await.0, 404);
    assert_eq!(bench.get_as(&member, "/orgs/small/members").await.0, 200);
    let (status, profile) = bench.get_as(&member, "/orgs/small").await;
    assert_eq!((status, profile.get("plan")), (200, None));
}

#[tokio::test]
async fn a_fine_grained_token_has_its_own_permissions() {
    let bench = Bench::small().await;
    let token = bench.tenant().client().fine_grained_token;
    assert_eq!(bench.get_as(&token, "/orgs/small/installations").await.0, 200);
    let (status, body) = bench.get_as(&token, "/orgs/small/hooks").await;
    assert_eq!((status, message(&body)), (403, "Resource not accessible by personal access token"));
    assert_eq!(bench.get_as(&token, "/orgs/small-labs/installations").await.0, 404);
    assert_eq!(bench.get_as(&token, "/orgs/small/personal-access-tokens").await.0, 403);
}

#[tokio::test]
async fn an_allow_list_shuts_out_and_partial_results_say_so() {
    let bench = Bench::small().await;
    bench.tenant().set_behaviour(|behaviour| behaviour.ip_allow_list = vec!["small".to_owned()]);
    let (status, body) = bench.get("/orgs/small/installations").await;
    assert_eq!(status, 403);
    assert!(message(&body).contains("has an IP allow list enabled"), "{body}");
    assert_eq!(bench.get("/orgs/small").await.0, 403);
    bench.tenant().set_behaviour(|behaviour| {
        behaviour.ip_allow_list.clear();
        behaviour.partial_results = Some("/members".to_owned());
    });
    let response = bench.response("/orgs/small/members").await;
    let sso = response.headers().get("x-github-sso").unwrap().to_str().unwrap().to_owned();
    assert!(sso.starts_with("partial-results; organizations="), "{sso}");
    assert_eq!(texts(&read(response).await.1, "login"), ["ada", "nora"]);
}

#[tokio::test]
async fn nobody_in_particular() {
    let bench = Bench::small().await;
    let (status, body) = bench.get_as("", "/orgs/small/installations").await;
    assert_eq!((status, message(&body)), (401, "Requires authentication"));
    assert_eq!(body["status"], "401");
    bench.tenant().set_behaviour(|behaviour| behaviour.without_status = true);
    let (_, body) = bench.get_as("ghs_FAKEnothing", "/orgs/small").await;
    assert_eq!((message(&body), body.get("status")), ("Bad credentials", None));
}
