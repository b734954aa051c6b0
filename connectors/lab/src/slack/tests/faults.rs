//! Faults, as this platform words and feels them.

use super::*;

const LIST: &str = "admin.apps.approved.list";

#[tokio::test]
async fn refusals_are_in_the_platforms_words() {
    let bench = Bench::small().await;
    for (effect, status, wait) in [
        (Effect::Throttle { retry_after: Some(30) }, 429, Some("30")),
        (Effect::Throttle { retry_after: None }, 429, None),
        (Effect::ConcurrentLimit, 429, Some("1")),
        (Effect::TotalRequestsLimit, 429, Some("3600")),
    ] {
        bench.tenant().inject(Fault::new(effect).on_path(LIST).times(1));
        let response = bench.send(bench.api(LIST, ORG).bearer_auth(&bench.tokens.reader)).await;
        assert_eq!(response.status().as_u16(), status);
        let header = response.headers().get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!(header, wait);
        assert_eq!(refusal(&response.json().await.unwrap()), "ratelimited");
        bench.read(LIST, ORG).await;
    }
    bench.tenant().inject(Fault::new(Effect::ServerError).times(1));
    let response = bench.send(bench.api(LIST, ORG).bearer_auth(&bench.tokens.reader)).await;
    assert_eq!(response.status(), 503);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let body = "{\"ok\":false,\"error\":\"service_unavailable\"}".to_owned();
    bench
        .tenant()
        .inject(Fault::new(Effect::Reply { status: 200, headers: vec![], body }).times(1));
    assert_eq!(bench.refused(LIST, ORG).await, "service_unavailable");
}

#[tokio::test]
async fn faults_that_change_the_tenant() {
    let bench = Bench::small().await;
    let tenant = bench.tenant();
    let inject = |effect| tenant.inject(Fault::new(effect).times(1));
    let before = tenant.grant_count();
    inject(Effect::AddToken { app: "Approved Only".into(), username: "sam.sales".into() });
    bench.read("auth.test", "").await;
    assert!(tenant.is_installed("Approved Only", "Sales"));
    assert_eq!(tenant.grant_count(), before + 1);
    inject(Effect::RevokeToken { app: "Drift".into() });
    let log = bench.audit("limit=1").await;
    assert_eq!(log["entries"][0]["action"], "app_uninstalled");
    assert!(!tenant.is_installed("Drift", "Sales") && tenant.is_installed("Drift", "Engineering"));
    inject(Effect::RemovePermission { user: None, permission: "admin.apps:read".into() });
    assert_eq!(bench.refused(LIST, ORG).await, "missing_scope");
    let user = Some("revoker".to_owned());
    inject(Effect::RemovePermission { user, permission: "admin.apps:write".into() });
    let form = [("app_id", "A0DRIFT001"), ("enterprise_id", "E0SMALL01")];
    assert_eq!(refusal(&bench.write("admin.apps.restrict", &form).await), "missing_scope");
    for effect in [
        Effect::RevokeToken { app: "Nope".into() },
        Effect::RevokeToken { app: "Free Survey".into() },
        Effect::AddToken { app: "Approved Only".into(), username: "sam.sales".into() },
        Effect::AddToken { app: "Drift".into(), username: "nobody".into() },
        Effect::DeleteUser { username: "nobody".into() },
        Effect::RemovePermission { user: None, permission: "CustomizeApplication".into() },
    ] {
        inject(effect);
        let (status, body) =
            bench.ask(bench.api("auth.test", "").bearer_auth(&bench.tokens.reader)).await;
        assert_eq!((status, refusal(&body).as_str()), (500, "LAB_FAULT_UNKNOWN_NAME"));
    }
    inject(Effect::DeleteUser { username: "ada.owner".into() });
    assert_eq!(bench.refused("auth.test", "").await, "token_revoked");
}

#[tokio::test]
async fn sessions_expire_and_calls_are_recorded() {
    let bench = Bench::small().await;
    let tenant = bench.tenant();
    bench.read(LIST, &format!("{ORG}&certified=true&limit=1")).await;
    bench.write("admin.apps.restrict", &[("app_id", "A0NONE"), ("team_id", SALES)]).await;
    let body = json!({ "app_id": "A0NONE", "request_id": "Ar1" });
    let request = bench.http.post(bench.url("/api/admin.apps.restrict")).json(&body);
    bench.ask(request.bearer_auth(&bench.tokens.revoker)).await;
    let calls = tenant.calls();
    assert_eq!(calls[0].operation.as_deref(), Some("certified=true enterprise_id=E0SMALL01"));
    assert_eq!(calls[0].user.as_deref(), Some("reader"));
    assert_eq!(calls[1].operation.as_deref(), Some("app_id=A0NONE team_id=T0SALES01"));
    assert_eq!((calls[1].user.as_deref(), calls[1].status), (Some("revoker"), Some(200)));
    assert_eq!(calls[2].operation.as_deref(), Some("app_id=A0NONE request_id=Ar1"));
    assert_eq!(tenant.count_calls(|call| call.path == "/api/admin.apps.restrict"), 2);
    tenant.forget_calls();
    assert!(tenant.calls().is_empty());
    tenant.inject(Fault::new(Effect::ExpireSessions).times(1));
    assert_eq!(bench.refused(LIST, ORG).await, "token_expired");
    tenant.inject(Fault::new(Effect::Drop));
    tenant.clear_faults();
    assert_eq!(bench.refused("auth.test", "").await, "token_expired");
}
