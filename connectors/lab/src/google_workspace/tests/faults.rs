//! Faults, as this platform words and feels them.

use super::*;

#[tokio::test]
async fn refusals_are_in_the_platforms_words() {
    let bench = Bench::small().await;
    for (effect, status, code) in [
        (Effect::Throttle { retry_after: Some(3) }, 429, "rateLimitExceeded"),
        (Effect::ServerError, 503, "backendError"),
        (Effect::ConcurrentLimit, 403, "quotaExceeded"),
        (Effect::TotalRequestsLimit, 403, "dailyLimitExceeded"),
    ] {
        bench.customer().inject(Fault::new(effect).on_path("/tokens").times(1));
        let request = bench.client.get(bench.url(&user_path(SAM, "/tokens")));
        let response = bench.send(request.bearer_auth(&bench.token)).await;
        assert_eq!(response.headers().contains_key("retry-after"), status == 429);
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(reason(&response.json().await.unwrap()), code);
        assert_eq!(bench.get(&user_path(SAM, "/tokens")).await.0, 200);
    }
}

#[tokio::test]
async fn faults_that_change_the_customer() {
    let bench = Bench::small().await;
    let customer = bench.customer();
    let inject = |effect| customer.inject(Fault::new(effect).times(1));
    let tokens = user_path(SAM, "/tokens");
    let before = customer.grant_count();
    inject(Effect::AddToken { app: "Old Timer".into(), username: SAM.into() });
    assert_eq!(bench.body(&tokens).await["items"].as_array().unwrap().len(), 4);
    inject(Effect::AddToken { app: "Old Timer".into(), username: SAM.into() });
    let (status, body) = bench.get(&tokens).await;
    assert_eq!((status, reason(&body)), (500, "LAB_FAULT_UNKNOWN_NAME"), "it has one");
    inject(Effect::RevokeToken { app: "Drift".into() });
    bench.body(&tokens).await;
    assert_eq!(customer.grant_count(), before);
    assert!(
        !customer.has_grant("gone.gus@small.example", &customer.client_id_of("Drift").unwrap())
    );
    inject(Effect::DeleteUser { username: SAM.into() });
    let (status, body) = bench.get(&tokens).await;
    assert_eq!((status, reason(&body)), (404, "notFound"));
    let users = bench.body("/admin/directory/v1/users?customer=my_customer").await;
    assert_eq!(users["users"].as_array().unwrap().len(), 5);

    inject(Effect::RemovePermission { user: None, permission: "USER_SECURITY_ALL".into() });
    let admin = user_path(ADMIN, "/tokens");
    assert_eq!(reason(&bench.get(&admin).await.1), "forbidden");
    customer.set_privilege("USER_SECURITY_ALL", true);
    let scope = "https://www.googleapis.com/auth/admin.directory.user.security";
    inject(Effect::RemovePermission { user: None, permission: scope.into() });
    assert_eq!(reason(&bench.get(&admin).await.1), "insufficientPermissions");
    for effect in [
        Effect::RemovePermission { user: None, permission: "NOTHING".into() },
        Effect::DeleteUser { username: "nobody@small.example".into() },
        Effect::RevokeToken { app: "Nothing".into() },
    ] {
        inject(effect);
        let (status, body) = bench.get(&admin).await;
        assert_eq!((status, reason(&body)), (500, "LAB_FAULT_UNKNOWN_NAME"));
    }
}

#[tokio::test]
async fn sessions_and_page_tokens_end() {
    let bench = Bench::small().await;
    let path = "/admin/directory/v1/users?customer=my_customer&maxResults=2";
    let next = encoded(bench.body(path).await["nextPageToken"].as_str().unwrap());
    bench.customer().inject(Fault::new(Effect::ExpireLocator).times(1));
    let (status, body) = bench.get(&format!("{path}&pageToken={next}")).await;
    assert_eq!(
        (status, body["error"]["message"].as_str()),
        (400, Some("Invalid Input: pageToken"))
    );
    bench.customer().inject(Fault::new(Effect::ExpireSessions).times(1));
    assert_eq!(bench.get(path).await.0, 401);
    assert_eq!(bench.get(path).await.0, 401, "for good");
    let fresh = bench.sign_in_for(&SCOPES).await;
    assert_eq!(bench.get_as(&fresh, path).await.0, 200);

    let usage = "admin.reports.usage.readonly";
    let fault = Fault::new(Effect::Throttle { retry_after: None }).on_text(usage).times(1);
    bench.customer().inject(fault);
    assert_eq!(bench.sign_in(bench.claims(&["admin.directory.user"])).await.0, 200);
    assert_eq!(bench.sign_in(bench.claims(&[usage])).await.0, 429, "matched by its scope");
}
