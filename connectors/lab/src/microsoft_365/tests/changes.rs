//! Revocation: every change, its second time, and how long listings take to notice.

use super::*;

#[tokio::test]
async fn a_delegated_grant_is_narrowed_and_deleted_once() {
    let bench = Bench::small().await;
    let path = format!("/oauth2PermissionGrants?$filter=clientId eq '{CHARTLY}'");
    let rows = bench.rows(&path).await;
    let id = rows[0]["id"].as_str().unwrap();
    let one = format!("/oauth2PermissionGrants/{id}");
    let patch = Some(json!({ "scope": "openid" }));
    assert_eq!(bench.call("PATCH", &one, patch).await.0, 204);
    assert_eq!(bench.get(&one).await.1["scope"], "openid");
    for body in [
        json!({ "scope": 1 }),
        json!({ "scope": "x".repeat(3_851) }),
        json!({ "clientId": "x" }),
        json!({}),
    ] {
        assert_eq!(code(&bench.call("PATCH", &one, Some(body)).await.1), "Request_BadRequest");
    }
    assert!(bench.tenant().has_delegated_grant(id));
    assert_eq!(bench.delete(&one).await, 204);
    assert!(!bench.tenant().has_delegated_grant(id));
    let (status, body) = bench.call("DELETE", &one, None).await;
    assert_eq!((status, code(&body)), (404, "Request_ResourceNotFound"));
    assert_eq!(bench.call("PATCH", &one, Some(json!({ "scope": "x" }))).await.0, 404);
    assert_eq!(bench.rows(&path).await.len(), 1);
    assert_eq!(bench.tenant().grant_count(), 9);
}

#[tokio::test]
async fn an_assignment_is_deleted_from_either_side_but_not_from_another() {
    let bench = Bench::small().await;
    let rows = bench.rows(&format!("/servicePrincipals/{MAILVAULT}/appRoleAssignments")).await;
    let ids = texts(&rows, "id");
    let before = bench.tenant().assignment_count();
    let wrong = format!("/servicePrincipals/{CHARTLY}/appRoleAssignedTo/{}", ids[0]);
    assert_eq!(bench.delete(&wrong).await, 404);
    let right = format!("/servicePrincipals/{GRAPH_ID}/appRoleAssignedTo/{}", ids[0]);
    assert_eq!((bench.delete(&right).await, bench.delete(&right).await), (204, 404));
    let other = format!("/servicePrincipals/{MAILVAULT}/appRoleAssignments/{}", ids[1]);
    assert_eq!(bench.delete(&other).await, 204);
    assert!(!bench.tenant().has_assignment(&ids[1]) && bench.tenant().has_assignment(&ids[2]));
    assert_eq!(bench.tenant().assignment_count(), before - 2);
    assert_eq!(
        bench.rows(&format!("/servicePrincipals/{MAILVAULT}/appRoleAssignments")).await.len(),
        1
    );
}

#[tokio::test]
async fn an_app_is_disabled_deleted_and_restored() {
    let bench = Bench::small().await;
    let path = format!("/servicePrincipals/{MAILVAULT}");
    let body = json!({ "accountEnabled": false, "appRoleAssignmentRequired": true });
    assert_eq!(bench.tenant().is_enabled("Mailvault"), Some(true));
    assert_eq!(bench.call("PATCH", &path, Some(body)).await.0, 204);
    assert_eq!(bench.tenant().is_enabled("Mailvault"), Some(false));
    assert_eq!(bench.tenant().is_enabled("Nobody"), None);
    let (_, now) = bench.get(&path).await;
    assert_eq!(
        (&now["accountEnabled"], &now["appRoleAssignmentRequired"]),
        (&json!(false), &json!(true))
    );
    for body in [json!({ "accountEnabled": "no" }), json!({ "displayName": "x" }), json!({})] {
        assert_eq!(code(&bench.call("PATCH", &path, Some(body)).await.1), "Request_BadRequest");
    }
    assert_eq!((bench.delete(&path).await, bench.delete(&path).await), (204, 404));
    assert_eq!(bench.get(&path).await.0, 404);
    assert_eq!(bench.tenant().grant_count(), 6, "its grants go with it");
    assert_eq!(bench.rows("/oauth2PermissionGrants").await.len(), 6);
    let restore = format!("/directory/deletedItems/{MAILVAULT}/restore");
    let (status, body) = bench.call("POST", &restore, None).await;
    assert_eq!((status, &body["displayName"]), (200, &json!("Mailvault")));
    assert_eq!(bench.call("POST", &restore, None).await.0, 404);
    assert_eq!(bench.tenant().grant_count(), 10);
}

#[tokio::test]
async fn credentials_are_removed() {
    let bench = Bench::small().await;
    for path in [format!("/servicePrincipals/{CHARTLY}"), format!("/applications/{INVOICES}")] {
        let (_, before) = bench.get(&path).await;
        let secrets = before["passwordCredentials"].as_array().unwrap();
        let body = json!({ "keyId": secrets[0]["keyId"] });
        let remove = format!("{path}/removePassword");
        assert_eq!(bench.call("POST", &remove, Some(body.clone())).await.0, 204);
        let (status, refusal) = bench.call("POST", &remove, Some(body)).await;
        assert_eq!((status, code(&refusal)), (400, "Request_BadRequest"));
        let (_, after) = bench.get(&path).await;
        assert_eq!(after["passwordCredentials"].as_array().unwrap().len(), secrets.len() - 1);
    }
    let path = format!("/applications/{INVOICES}");
    let unknown = json!({ "keyCredentials": [{ "keyId": GRAPH_ID }] });
    assert_eq!(bench.call("PATCH", &path, Some(unknown)).await.0, 400);
    let (_, now) = bench.get(&path).await;
    assert_eq!(now["keyCredentials"].as_array().unwrap().len(), 1);
    let same = json!({ "keyCredentials": now["keyCredentials"] });
    assert_eq!(bench.call("PATCH", &path, Some(same)).await.0, 204);
    assert_eq!(bench.call("PATCH", &path, Some(json!({ "keyCredentials": [] }))).await.0, 204);
    assert_eq!(bench.get(&path).await.1["keyCredentials"], json!([]));
    let (_, own) = bench.get(&format!("/servicePrincipals/{CHARTLY}?$select=keyCredentials")).await;
    assert_eq!(own["keyCredentials"], json!([]));
}

#[tokio::test]
async fn sessions_end_and_consent_is_blocked() {
    let bench = Bench::small().await;
    let user = "/users/sam.sales@small.example";
    let (status, body) = bench.call("POST", &format!("{user}/revokeSignInSessions"), None).await;
    assert_eq!((status, &body["value"]), (200, &json!(true)));
    let (_, sam) = bench.get(&format!("{user}?$select=signInSessionsValidFromDateTime")).await;
    assert_eq!(sam["signInSessionsValidFromDateTime"], "2026-01-15T12:00:00Z");
    let gone = "/users/gone.gus@small.example/revokeSignInSessions";
    assert_eq!(bench.call("POST", gone, None).await.0, 404);

    let kept = [
        "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team",
    ];
    let body = json!({ "defaultUserRolePermissions": { "permissionGrantPoliciesAssigned": kept } });
    assert_eq!(bench.call("PATCH", "/policies/authorizationPolicy", Some(body)).await.0, 204);
    let (_, policy) = bench.get("/policies/authorizationPolicy").await;
    assert_eq!(
        policy["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"],
        json!(kept)
    );
    for body in [
        json!({ "blockMsolPowerShell": true }),
        json!({ "defaultUserRolePermissions": { "allowedToCreateApps": false } }),
        json!({ "defaultUserRolePermissions": { "permissionGrantPoliciesAssigned": [1] } }),
    ] {
        assert_eq!(bench.call("PATCH", "/policies/authorizationPolicy", Some(body)).await.0, 400);
    }
}

#[tokio::test]
async fn listings_notice_a_deletion_late() {
    let bench = Bench::with(|world| world.behaviour.replication_calls = 2).await;
    let path = format!("/oauth2PermissionGrants?$filter=clientId eq '{CHARTLY}'");
    let id = bench.rows(&path).await[0]["id"].as_str().unwrap().to_owned();
    let one = format!("/oauth2PermissionGrants/{id}");
    assert_eq!(bench.delete(&one).await, 204);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(bench.rows(&path).await.len());
    }
    assert_eq!(seen, [2, 2, 1]);
    assert_eq!(bench.delete(&one).await, 404);

    let bench = Bench::with(|world| world.behaviour.replication_ms = 200).await;
    let path = format!("/servicePrincipals/{MAILVAULT}/appRoleAssignments");
    let id = bench.rows(&path).await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        bench.delete(&format!("/servicePrincipals/{GRAPH_ID}/appRoleAssignedTo/{id}")).await,
        204
    );
    assert_eq!(bench.rows(&path).await.len(), 3);
    assert_eq!(bench.delete(&format!("/servicePrincipals/{CHARTLY}")).await, 204);
    assert_eq!(bench.rows("/servicePrincipals").await.len(), 12);
    tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    assert_eq!(bench.rows(&path).await.len(), 2);
    assert_eq!(bench.rows("/servicePrincipals").await.len(), 11);
}
