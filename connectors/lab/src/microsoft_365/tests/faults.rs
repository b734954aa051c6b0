//! Batches, quotas, and every effect of a fault.

use super::*;

#[tokio::test]
async fn a_batch_is_many_calls_in_one() {
    let bench = Bench::small().await;
    bench.tenant().set_permission("Policy.Read.All", false);
    bench.tenant().forget_calls();
    let assigned = format!("/servicePrincipals/{GRAPH_ID}/appRoleAssignedTo?$top=5");
    let parts = bench
        .batch(&[
            &assigned,
            "/policies/authorizationPolicy",
            "/organization",
            "/bogus",
            "/users?$filter=userType eq 'Guest'",
        ])
        .await;
    let statuses: Vec<u64> = parts.iter().map(|part| part["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 403, 200, 400, 200]);
    assert!(parts[0]["headers"]["Content-Type"].as_str().unwrap().starts_with("application/json"));
    assert!(
        parts[0]["body"]["@odata.nextLink"].as_str().unwrap().contains("/v1.0/servicePrincipals/")
    );
    assert_eq!(code(&parts[1]["body"]), "Authorization_RequestDenied");
    let calls = bench.tenant().calls();
    assert_eq!(calls.len(), 6, "one call and five parts");
    assert_eq!(
        bench.tenant().count_calls(|call| call.operation.as_deref() == Some("batch part")),
        5
    );
    let outer = calls.iter().find(|call| call.path == "/v1.0/$batch").unwrap();
    assert_eq!(outer.operation.as_deref().unwrap().lines().count(), 5);
    assert!(outer.asks("appRoleAssignedTo"));
    let part = calls.iter().find(|call| call.path == "/v1.0/organization").unwrap();
    assert_eq!(
        (part.status, part.user.as_deref()),
        (Some(200), Some("a2000000-0000-4000-8000-000000000001"))
    );
}

#[tokio::test]
async fn a_batch_may_write_and_depend() {
    let bench = Bench::small().await;
    let path = format!("/oauth2PermissionGrants?$filter=clientId eq '{MAILVAULT}'");
    let ids = texts(&bench.rows(&path).await, "id");
    let part =
        |id: &str, method: &str, url: &str| json!({ "id": id, "method": method, "url": url });
    let mut patch = part("c", "PATCH", &format!("/servicePrincipals/{MAILVAULT}"));
    patch["body"] = json!({ "accountEnabled": false });
    patch["headers"] = json!({ "Content-Type": "application/json" });
    let mut dependent = part("d", "GET", "/organization");
    dependent["dependsOn"] = json!(["b"]);
    let requests = json!({ "requests": [
        part("a", "DELETE", &format!("/oauth2PermissionGrants/{}", ids[0])),
        part("b", "DELETE", "/oauth2PermissionGrants/x"),
        patch,
        dependent,
    ] });
    let (status, body) = bench.call("POST", "/$batch", Some(requests)).await;
    let answers: Vec<(&str, u64)> = body["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (part["id"].as_str().unwrap(), part["status"].as_u64().unwrap()))
        .collect();
    assert_eq!((status, answers), (200, vec![("d", 424), ("c", 204), ("b", 404), ("a", 204)]));
    assert_eq!(body["responses"][3].get("body"), None);
    assert!(!bench.tenant().has_delegated_grant(&ids[0]));
    assert_eq!(bench.tenant().is_enabled("Mailvault"), Some(false));
}

#[tokio::test]
async fn batches_of_a_wrong_shape_are_refused() {
    let bench = Bench::small().await;
    let part = |id: Json, url: &str| json!({ "id": id, "method": "GET", "url": url });
    let many: Vec<Json> = (0..21).map(|id| part(json!(id.to_string()), "/organization")).collect();
    for requests in [
        json!({ "requests": many }),
        json!({ "requests": [] }),
        json!({ "requests": [part(json!(1), "/organization")] }),
        json!({ "requests": [part(json!("1"), "organization")] }),
        json!({ "requests": [part(json!("1"), "/v1.0/organization")] }),
        json!({ "requests": [part(json!("1"), "https://graph.microsoft.com/v1.0/organization")] }),
        json!({ "requests": [part(json!("1"), "/organization"), part(json!("1"), "/users")] }),
        json!({ "requests": [{ "id": "1", "method": "GET", "url": "/users", "dependsOn": ["2"] }] }),
        json!({ "request": [] }),
    ] {
        let (status, body) = bench.call("POST", "/$batch", Some(requests)).await;
        assert_eq!((status, code(&body)), (400, "BadRequest"));
    }
    let lower = json!({ "requests": [{ "id": "1", "method": "get", "url": "/organization" }] });
    let (_, body) = bench.call("POST", "/$batch", Some(lower)).await;
    assert_eq!(body["responses"][0]["status"], 400);
    let mixed = json!({ "requests": [
        part(json!("1"), "/reports/servicePrincipalSignInActivities"),
        part(json!("2"), "/servicePrincipals"),
    ] });
    let (_, body) = bench.call("POST", "/beta/$batch", Some(mixed)).await;
    let statuses = (&body["responses"][1]["status"], &body["responses"][0]["status"]);
    assert_eq!(statuses, (&json!(200), &json!(400)), "beta has reports and nothing else here");
}

#[tokio::test]
async fn reports_writes_and_units_have_quotas() {
    let bench = Bench::with(|world| {
        world.behaviour.quota = true;
        world.behaviour.time_scale = 20.0;
        world.behaviour.writes = 3;
    })
    .await;
    let report = "/beta/reports/servicePrincipalSignInActivities";
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(bench.raw(report).await.status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
    let refused = bench.raw(report).await;
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(refused.headers()["x-ms-throttle-information"], "ResourceUnitLimitExceeded");
    let scope = refused.headers()["x-ms-throttle-scope"].to_str().unwrap();
    assert!(scope.starts_with("Tenant_Application/Read/a2000000-"), "{scope}");
    assert_eq!(code(&refused.json().await.unwrap()), "TooManyRequests");
    assert_eq!(bench.get("/organization").await.0, 200, "other resources have their own bucket");
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    assert_eq!(bench.raw(report).await.status(), 200, "two seconds, twenty times as fast");

    let path = "/oauth2PermissionGrants/x";
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(bench.delete(path).await);
    }
    assert_eq!(statuses, [404, 404, 404, 429]);

    let bench = Bench::with(|world| {
        world.behaviour.quota = true;
        world.behaviour.resource_units = Some(10);
    })
    .await;
    let response = bench.raw("/oauth2PermissionGrants").await;
    assert_eq!(response.headers()["x-ms-resource-unit"], "2");
    let response = bench.raw("/users?$select=id&$top=5").await;
    assert_eq!(response.headers()["x-ms-resource-unit"], "1");
    assert!(!response.headers().contains_key("x-ms-throttle-limit-percentage"));
    let urls = ["/applications?$expand=owners"; 4];
    let parts = bench.batch(&urls).await;
    let statuses: Vec<u64> = parts.iter().map(|part| part["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 200, 429, 429], "each part is charged: 3 + 3 + 3 of 7");
    assert_eq!(parts[2]["headers"]["Retry-After"], "2");
}

#[tokio::test]
async fn faults_that_answer_instead() {
    let bench = Bench::small().await;
    for (effect, status, expected, information, wait) in [
        (
            Effect::Throttle { retry_after: Some(7) },
            429,
            "TooManyRequests",
            "ResourceUnitLimitExceeded",
            "7",
        ),
        (
            Effect::Throttle { retry_after: None },
            429,
            "TooManyRequests",
            "ResourceUnitLimitExceeded",
            "",
        ),
        (Effect::ServerError, 503, "serviceNotAvailable", "", ""),
        (Effect::ConcurrentLimit, 429, "TooManyRequests", "CPULimitExceeded", ""),
        (Effect::TotalRequestsLimit, 429, "TooManyRequests", "ResourceUnitLimitExceeded", "21600"),
    ] {
        bench.tenant().inject(Fault::new(effect.clone()).on_text("$top=7").times(1));
        let response = bench.raw("/servicePrincipals?$top=7").await;
        let header = |name: &str| {
            response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
        };
        let told = (header("x-ms-throttle-information"), header("retry-after"));
        assert_eq!(told, (information.to_owned(), wait.to_owned()), "{effect:?}");
        assert_eq!(response.status(), status);
        assert_eq!(code(&response.json().await.unwrap()), expected);
        assert_eq!(bench.get("/servicePrincipals?$top=7").await.0, 200, "once only");
    }
}

#[tokio::test]
async fn faults_hit_single_parts() {
    let bench = Bench::small().await;
    let throttle = Effect::Throttle { retry_after: Some(3) };
    bench.tenant().inject(Fault::new(throttle).on_path("/organization").times(1));
    bench.tenant().inject(Fault::new(Effect::Drop).on_path("/users").times(1));
    let canned = Effect::Reply { status: 504, headers: Vec::new(), body: "{}".to_owned() };
    bench.tenant().inject(Fault::new(canned).on_path("/applications").times(1));
    let urls = ["/organization", "/servicePrincipals", "/users", "/applications"];
    let parts = bench.batch(&urls).await;
    let statuses: Vec<u64> = parts.iter().map(|part| part["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [429, 200, 500, 504]);
    assert_eq!(parts[0]["headers"]["Retry-After"], "3");
    assert_eq!(code(&parts[2]["body"]), "LAB_FAULT_NOT_FOR_PARTS");
    assert_eq!(bench.tenant().count_calls(|call| call.faulted), 3);
    let parts = bench.batch(&urls).await;
    assert!(parts.iter().all(|part| part["status"] == 200));
}

#[tokio::test]
async fn faults_that_change_the_directory() {
    let bench = Bench::small().await;
    let tenant = bench.tenant();
    let inject = |effect| tenant.inject(Fault::new(effect).times(1));
    inject(Effect::AddToken { app: "Chartly".into(), username: "ada.admin@small.example".into() });
    assert_eq!(bench.rows("/oauth2PermissionGrants").await.len(), 11);
    let oldest =
        bench.rows(&format!("/oauth2PermissionGrants?$filter=clientId eq '{CHARTLY}'")).await;
    inject(Effect::RevokeToken { app: "Chartly".into() });
    assert_eq!(bench.rows("/oauth2PermissionGrants").await.len(), 10);
    assert!(!tenant.has_delegated_grant(oldest[0]["id"].as_str().unwrap()));
    inject(Effect::DeleteUser { username: "sam.sales@small.example".into() });
    assert_eq!(bench.rows("/users").await.len(), 3);
    assert_eq!(tenant.grant_count(), 10, "the grants stay");
    inject(Effect::RemovePermission { user: None, permission: "Directory.Read.All".into() });
    assert_eq!(bench.get("/users").await.0, 403);
    for effect in [
        Effect::DeleteUser { username: "nobody".into() },
        Effect::RevokeToken { app: "nothing".into() },
        Effect::AddToken { app: "Chartly".into(), username: "nobody".into() },
        Effect::RemovePermission { user: None, permission: "Directory.Read.All".into() },
        Effect::RemovePermission { user: Some("ada".into()), permission: "Policy.Read.All".into() },
    ] {
        inject(effect);
        let (status, body) = bench.get("/servicePrincipals").await;
        assert_eq!((status, code(&body)), (500, "LAB_FAULT_UNKNOWN_NAME"));
    }
    let (_, page) = bench.get("/servicePrincipals?$top=5").await;
    inject(Effect::ExpireLocator);
    let (status, body) = bench.get(page["@odata.nextLink"].as_str().unwrap()).await;
    assert_eq!((status, code(&body)), (400, "Directory_ExpiredPageToken"));
    inject(Effect::ExpireSessions);
    let (status, body) = bench.get("/servicePrincipals").await;
    assert_eq!((status, code(&body)), (401, "InvalidAuthenticationToken"));
    assert_eq!(bench.get("/servicePrincipals").await.0, 401, "for good, until a new sign-in");
}
