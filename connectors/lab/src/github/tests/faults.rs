//! Faults, as this platform words and feels them.

use super::*;

#[tokio::test]
async fn limits_come_in_three_forms() {
    let bench = Bench::small().await;
    let inject =
        |effect| bench.tenant().inject(Fault::new(effect).on_path("/installations").times(1));
    let path = "/orgs/small/installations";
    for status in [403, 429] {
        bench.tenant().set_behaviour(|behaviour| behaviour.limit_status = status);
        inject(Effect::Throttle { retry_after: Some(3) });
        let response = bench.response(path).await;
        assert_eq!(response.headers()["retry-after"], "3");
        let (found, body) = read(response).await;
        assert_eq!(found, status);
        assert!(message(&body).contains("secondary rate limit"));
        inject(Effect::ConcurrentLimit);
        let response = bench.response(path).await;
        assert!(response.headers().get("retry-after").is_none());
        assert_eq!(response.status().as_u16(), status);
        inject(Effect::TotalRequestsLimit);
        let response = bench.response(path).await;
        assert_eq!(response.headers()["x-ratelimit-remaining"], "0");
        let reset: i64 = response.headers()["x-ratelimit-reset"].to_str().unwrap().parse().unwrap();
        assert!((3_500..3_700).contains(&(reset - wall())), "{reset}");
        assert!(message(&read(response).await.1).starts_with("API rate limit exceeded"));
    }
    inject(Effect::ServerError);
    assert_eq!(bench.get(path).await.0, 502);
    assert_eq!(bench.get(path).await.0, 200);
}

#[tokio::test]
async fn faults_that_change_the_host() {
    let bench = Bench::small().await;
    let tenant = bench.tenant();
    let inject = |effect| tenant.inject(Fault::new(effect).times(1));
    let path = "/orgs/small/installations";
    inject(Effect::RevokeToken { app: "Drift".into() });
    bench.body(path).await;
    assert!(
        tenant.has_installation("small", "drift")
            && !tenant.has_installation("small-labs", "drift")
    );
    inject(Effect::RevokeToken { app: "everything".into() });
    bench.body(path).await;
    assert!(!tenant.has_pat("small", 25_002), "the oldest of that name");
    inject(Effect::AddToken { app: "old-timer".into(), username: "small".into() });
    assert_eq!(bench.body(path).await["total_count"], 7);
    inject(Effect::AddToken { app: "new token".into(), username: "sam".into() });
    let pats = bench.body("/orgs/small/personal-access-tokens").await;
    assert_eq!(texts(&pats, "token_name")[0], "new token");
    inject(Effect::DeleteUser { username: "sam".into() });
    let left = bench.body("/orgs/small/credential-authorizations").await;
    assert_eq!(texts(&left, "login"), ["nora", "nora"]);
    inject(Effect::RemovePermission { user: Some("ada".into()), permission: "owner".into() });
    let owner = tenant.client().owner_token;
    assert_eq!(bench.get_as(&owner, path).await.0, 404);
    inject(Effect::RemovePermission {
        user: None,
        permission: "organization_administration".into(),
    });
    assert_eq!(bench.get(path).await.0, 403);
    for effect in [
        Effect::RemovePermission { user: None, permission: "nothing".into() },
        Effect::DeleteUser { username: "nobody".into() },
        Effect::RevokeToken { app: "Nothing".into() },
        Effect::AddToken { app: "drift".into(), username: "small".into() },
    ] {
        inject(effect);
        let (status, body) = bench.get("/orgs/small").await;
        assert_eq!(status, 500);
        assert!(message(&body).starts_with("LAB_FAULT_UNKNOWN_NAME"));
    }
}

#[tokio::test]
async fn sessions_end_and_calls_are_matched() {
    let bench = Bench::small().await;
    bench.tenant().inject(Fault::new(Effect::ExpireSessions).times(1));
    assert_eq!(bench.get("/orgs/small").await.0, 401);
    assert_eq!(bench.get("/orgs/small").await.0, 401, "for good");
    let token = bench.token_for("/orgs/small", false).await;
    let fault = Fault::new(Effect::ServerError).on_path("/installations").on_text("later page");
    bench.tenant().inject(fault);
    let path = "/orgs/small/installations?per_page=2";
    assert_eq!(bench.get_as(&token, path).await.0, 200);
    assert_eq!(bench.get_as(&token, &format!("{path}&page=2")).await.0, 502);
    bench.tenant().inject(Fault::new(Effect::ServerError).on_text("action:hook").times(1));
    assert_eq!(
        bench.get_as(&token, "/orgs/small/audit-log?phrase=action:hook.create").await.0,
        502
    );
    bench.tenant().inject(Fault::new(Effect::ServerError).on_text("installation_token"));
    let id = bench.tenant().installation_id("small", "grantwarden").unwrap();
    let path = format!("/app/installations/{id}/access_tokens");
    assert_eq!(bench.post_as(&bench.jwt(false), &path, &json!({})).await.0, 502);
    let user = bench.tenant().calls().pop().unwrap().user;
    assert_eq!(user.as_deref(), Some("app grantwarden"));
}
