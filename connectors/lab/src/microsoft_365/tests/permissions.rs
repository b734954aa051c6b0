//! Which role opens what, and what the licence closes.

use super::*;

#[tokio::test]
async fn each_resource_needs_its_role() {
    let bench = Bench::small().await;
    let tenant = bench.tenant();
    let robot = format!("/servicePrincipals/{BACKUP_ROBOT}");
    let missing = "/servicePrincipals/x/appRoleAssignedTo/y";
    for (taken, method, path, body) in [
        (
            &["Application.Read.All", "Application.ReadWrite.All"][..],
            "GET",
            "/servicePrincipals",
            None,
        ),
        (&["Application.Read.All", "Application.ReadWrite.All"], "GET", "/applications", None),
        (
            &["Application.Read.All", "Application.ReadWrite.All"],
            "GET",
            "/servicePrincipals/delta",
            None,
        ),
        (&["Application.Read.All", "Application.ReadWrite.All"], "GET", &robot, None),
        (
            &["Directory.Read.All", "DelegatedPermissionGrant.ReadWrite.All"],
            "GET",
            "/oauth2PermissionGrants",
            None,
        ),
        (&["Directory.Read.All"], "GET", "/users", None),
        (&["Directory.Read.All"], "GET", "/organization", None),
        (
            &["Directory.Read.All"],
            "POST",
            "/directoryObjects/getByIds",
            Some(json!({ "ids": [GRAPH_ID] })),
        ),
        (&["Policy.Read.All"], "GET", "/policies/authorizationPolicy", None),
        (&["Policy.Read.All"], "GET", "/policies/adminConsentRequestPolicy", None),
        (&["Policy.Read.All"], "GET", "/policies/defaultAppManagementPolicy", None),
        (&["Policy.Read.All"], "GET", "/policies/tokenLifetimePolicies", None),
        (&["Policy.Read.PermissionGrant"], "GET", "/policies/permissionGrantPolicies", None),
        (
            &["RoleManagement.Read.Directory"],
            "GET",
            "/roleManagement/directory/roleAssignments",
            None,
        ),
        (
            &["AuditLog.Read.All", "Directory.Read.All"],
            "GET",
            "/beta/reports/servicePrincipalSignInActivities",
            None,
        ),
        (&["DelegatedPermissionGrant.ReadWrite.All"], "DELETE", "/oauth2PermissionGrants/x", None),
        (
            &["DelegatedPermissionGrant.ReadWrite.All"],
            "PATCH",
            "/oauth2PermissionGrants/x",
            Some(json!({ "scope": "" })),
        ),
        (&["AppRoleAssignment.ReadWrite.All"], "DELETE", missing, None),
        (&["Application.ReadWrite.All"], "PATCH", &robot, Some(json!({ "accountEnabled": false }))),
        (&["Application.ReadWrite.All"], "DELETE", &robot, None),
        (
            &["Application.ReadWrite.All"],
            "POST",
            "/applications/x/removePassword",
            Some(json!({ "keyId": "x" })),
        ),
        (&["User.RevokeSessions.All"], "POST", "/users/x/revokeSignInSessions", None),
        (
            &["Policy.ReadWrite.Authorization"],
            "PATCH",
            "/policies/authorizationPolicy",
            Some(json!({})),
        ),
    ] {
        for role in taken {
            tenant.set_permission(role, false);
        }
        let (status, refusal) = bench.call(method, path, body.clone()).await;
        assert_eq!(
            (status, code(&refusal)),
            (403, "Authorization_RequestDenied"),
            "{method} {path}: {refusal}"
        );
        for role in taken {
            tenant.set_permission(role, true);
        }
        let (status, answer) = bench.call(method, path, body).await;
        assert_ne!(status, 403, "{method} {path}: {answer}");
        if path == robot && method == "DELETE" {
            let path = format!("/directory/deletedItems/{BACKUP_ROBOT}/restore");
            assert_eq!(bench.call("POST", &path, None).await.0, 200);
        }
    }
}

#[tokio::test]
async fn a_role_given_needs_a_new_token() {
    let mut bench =
        Bench::with(|world| world.scanner.roles = vec!["Application.Read.All".to_owned()]).await;
    assert_eq!(bench.get("/servicePrincipals").await.0, 200);
    assert_eq!(bench.get("/oauth2PermissionGrants").await.0, 403);
    bench.tenant().set_permission("Directory.Read.All", true);
    assert_eq!(bench.get("/oauth2PermissionGrants").await.0, 403);
    bench.sign_in().await;
    assert_eq!(bench.get("/oauth2PermissionGrants").await.0, 200);
}

#[tokio::test]
async fn the_logs_have_words_of_their_own() {
    let bench = Bench::small().await;
    let audits = "/auditLogs/directoryAudits";
    let sign_ins = "/beta/auditLogs/signIns";
    let activity = "/users?$select=id,signInActivity";
    bench.tenant().set_permission("AuditLog.Read.All", false);
    for path in [audits, sign_ins, activity] {
        let (status, body) = bench.get(path).await;
        assert_eq!(
            (status, code(&body)),
            (403, "Authentication_MSGraphPermissionMissing"),
            "{path}"
        );
    }
    assert_eq!(bench.get("/beta/reports/servicePrincipalSignInActivities").await.0, 200);
    bench.tenant().set_permission("AuditLog.Read.All", true);
    bench.tenant().set_permission("Directory.Read.All", false);
    assert_eq!(bench.get(audits).await.0, 200);
    assert_eq!(code(&bench.get(sign_ins).await.1), "Authentication_MSGraphPermissionMissing");
    bench.tenant().set_permission("Directory.Read.All", true);

    bench.tenant().set_licence(false);
    assert_eq!(bench.get(audits).await.0, 200, "the audit log needs no licence");
    let reports = ["servicePrincipalSignInActivities", "appCredentialSignInActivities"];
    let reports = reports.map(|name| format!("/beta/reports/{name}"));
    for path in [sign_ins, activity, &reports[0], &reports[1]] {
        let (status, body) = bench.get(path).await;
        let expected = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";
        assert_eq!((status, code(&body)), (403, expected), "{path}");
    }
    assert_eq!(bench.rows("/organization").await[0]["assignedPlans"], json!([]));
    assert_eq!(bench.get("/users?$select=id").await.0, 200);

    let national = Bench::with(|world| world.behaviour.national_cloud = true).await;
    let (status, body) = national.get(&reports[0]).await;
    assert_eq!((status, code(&body)), (400, "BadRequest"));
    let message = body["error"]["message"].as_str().unwrap();
    assert_eq!(message, "Resource not found for the segment 'servicePrincipalSignInActivities'.");
}
