//! Faults, as this platform words and feels them.

use super::*;

#[tokio::test]
async fn refusals_are_in_the_platforms_words() {
    let bench = Bench::small().await;
    for (effect, status, wanted) in [
        (Effect::Throttle { retry_after: None }, 429, "E0000047"),
        (Effect::ServerError, 503, "E0000009"),
        (Effect::ConcurrentLimit, 429, "E0000047"),
        (Effect::TotalRequestsLimit, 429, "E0000047"),
    ] {
        bench.inject(effect);
        let response = bench.response("/api/v1/apps").await;
        assert_eq!(response.status().as_u16(), status);
        assert!(response.headers().contains_key("x-okta-request-id"));
        assert_eq!(response.headers().contains_key("x-rate-limit-reset"), status == 429);
        assert_eq!(code(&response.json().await.unwrap()), wanted);
        assert_eq!(bench.get("/api/v1/apps").await.0, 200);
    }
}

#[tokio::test]
async fn faults_find_their_calls() {
    let bench = Bench::small().await;
    let org = bench.org();
    org.inject(Fault::new(Effect::ServerError).on_path("/apps").on_text("page"));
    let first = bench.response("/api/v1/apps?limit=5").await;
    assert_eq!(first.status(), 200);
    let next = link(&first, "next").unwrap().replace(org.base_url(), "");
    assert_eq!(bench.get(&next).await.0, 503, "pages after the first");
    org.clear_faults();
    org.inject(Fault::new(Effect::ServerError).on_text("client_credentials").times(1));
    let client = org.client();
    let signed = assertion(&client, &claims(&client));
    assert_eq!(bench.token_call(&form("okta.apps.read", &signed)).await.0, 503);
    org.inject(Fault::new(Effect::ServerError).on_text("eventType sw \"app"));
    assert_eq!(bench.get("/api/v1/logs?filter=eventType sw \"app.oauth2\"").await.0, 503);
    assert_eq!(bench.get("/api/v1/logs").await.0, 200);
    assert!(org.count_calls(|call| call.faulted) == 3);
    org.forget_calls();
    assert!(org.calls().is_empty());
}

#[tokio::test]
async fn faults_that_change_the_org() {
    let bench = Bench::small().await;
    let org = bench.org();
    let tokens = format!("/api/v1/apps/{DRIFT}/tokens");
    bench.inject(Effect::AddToken { app: "Drift".into(), username: ADA.into() });
    assert_eq!(bench.rows(&tokens).await.len(), 5);
    bench.inject(Effect::RevokeToken { app: "Drift".into() });
    assert_eq!(bench.rows(&tokens).await.len(), 4);
    bench.inject(Effect::RevokeToken { app: "Mailvault".into() });
    assert_eq!(bench.rows("/integrations/api/v1/api-services").await.len(), 1);
    bench.inject(Effect::RevokeToken { app: "Backup Robot".into() });
    assert_eq!(bench.rows(&format!("/api/v1/apps/{ROBOT}/grants")).await.len(), 2);
    bench.inject(Effect::DeleteUser { username: SAM.into() });
    assert_eq!(bench.get(&format!("/api/v1/users/{SAM}")).await.0, 404);
    bench.inject(Effect::RemovePermission { user: None, permission: "okta.users.read".into() });
    assert_eq!(bench.get("/api/v1/users").await.0, 403);
    bench.inject(Effect::RemovePermission { user: None, permission: "READ_ONLY_ADMIN".into() });
    let (status, body) = bench.get("/api/v1/apps").await;
    assert_eq!((status, code(&body)), (403, "E0000006"));
    org.set_right("READ_ONLY_ADMIN", true);
    bench.inject(Effect::RemovePermission {
        user: Some("Grantwarden revoker".into()),
        permission: "SUPER_ADMIN".into(),
    });
    assert_eq!(bench.get("/api/v1/apps").await.0, 200);
    assert_eq!(bench.delete(&tokens).await, 403);
    bench.inject(Effect::RemovePermission {
        user: Some(ADA.into()),
        permission: "SUPER_ADMIN".into(),
    });
    assert_eq!(bench.ssws("Grantwarden", "/api/v1/apps").await.0, 403);
    let first = bench.response("/api/v1/apps?limit=5").await;
    let next = link(&first, "next").unwrap().replace(org.base_url(), "");
    bench.inject(Effect::ExpireLocator);
    assert_eq!(bench.get(&next).await.0, 400);
    bench.inject(Effect::ExpireSessions);
    let (status, body) = bench.get("/api/v1/apps").await;
    assert_eq!((status, code(&body)), (401, "E0000011"));
}

#[tokio::test]
async fn a_name_that_the_org_does_not_have_must_not_pass() {
    let bench = Bench::small().await;
    for effect in [
        Effect::RemovePermission { user: None, permission: "okta.nothing.read".into() },
        Effect::RemovePermission { user: Some("nobody".into()), permission: "SUPER_ADMIN".into() },
        Effect::DeleteUser { username: "nobody".into() },
        Effect::RevokeToken { app: "Nothing".into() },
        Effect::AddToken { app: "Drift".into(), username: "nobody".into() },
        Effect::AddToken { app: "Nothing".into(), username: SAM.into() },
    ] {
        bench.inject(effect.clone());
        let (status, body) = bench.get("/api/v1/apps").await;
        assert_eq!((status, code(&body)), (500, "LAB_FAULT_UNKNOWN_NAME"), "{effect:?}");
    }
}
