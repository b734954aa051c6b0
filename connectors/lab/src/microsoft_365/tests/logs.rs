//! The audit log, sign-ins and the reports of last use.

use super::*;

#[tokio::test]
async fn consents_are_in_the_audit_log_as_the_platform_writes_them() {
    let bench = Bench::small().await;
    let path = "/auditLogs/directoryAudits?$filter=activityDisplayName eq 'Consent to application' and activityDateTime ge 2026-01-01T00:00:00Z";
    let rows = bench.rows(path).await;
    assert_eq!(rows.len(), 2);
    let property = |row: &Json, name: &str| {
        let list = row["targetResources"][0]["modifiedProperties"].as_array().unwrap().clone();
        let found = list.into_iter().find(|it| it["displayName"] == name).unwrap();
        found["newValue"].as_str().unwrap().to_owned()
    };
    let (by_user, by_admin) = (&rows[0], &rows[1]);
    assert_eq!(by_user["initiatedBy"]["user"]["userPrincipalName"], "sam.sales@small.example");
    assert_eq!(property(by_user, "ConsentContext.OnBehalfOfAll"), "\"False\"");
    assert_eq!(property(by_admin, "ConsentContext.OnBehalfOfAll"), "\"True\"");
    assert_eq!(property(by_admin, "ConsentContext.IsAdminConsent"), "\"True\"");
    let permissions = property(by_admin, "ConsentAction.Permissions");
    assert!(
        permissions.starts_with("\"[] => [[Id: ")
            && permissions.contains(
                "ConsentType: AllPrincipals, Scope: Mail.ReadWrite offline_access User.Read, "
            ),
        "{permissions}"
    );
    assert_eq!(by_admin["targetResources"][0]["id"], MAILVAULT);
    let after = path.replace("2026-01-01", "2026-01-06");
    assert_eq!(bench.rows(&after).await.len(), 1);
    let credentials = "/auditLogs/directoryAudits?$filter=activityDisplayName eq 'Add service principal credentials'";
    assert_eq!(bench.rows(credentials).await[0]["targetResources"][0]["displayName"], "Chartly");
}

#[tokio::test]
async fn logs_are_kept_as_long_as_the_licence_says() {
    let bench = Bench::small().await;
    let kept = bench.rows("/auditLogs/directoryAudits").await;
    assert_eq!(kept.len(), 4, "of five, one is older than 30 days");
    let dates = texts(&kept, "activityDateTime");
    assert!(dates.is_sorted_by(|a, b| a >= b), "newest first: {dates:?}");
    bench.tenant().set_licence(false);
    assert_eq!(bench.rows("/auditLogs/directoryAudits").await.len(), 1, "7 days");
    for filter in [
        "category eq 'ApplicationManagement'",
        "activityDisplayName eq 'a' or activityDisplayName eq 'b'",
        "activityDateTime ge yesterday",
    ] {
        let (status, _) = bench.get(&format!("/auditLogs/directoryAudits?$filter={filter}")).await;
        assert_eq!(status, 400, "{filter}");
    }
    assert_eq!(bench.get("/auditLogs/directoryAudits?$top=1001").await.0, 400);
}

#[tokio::test]
async fn sign_ins_are_of_the_kind_that_is_asked_for() {
    let bench = Bench::small().await;
    let path = |kind: &str| {
        format!(
            "/beta/auditLogs/signIns?$filter=createdDateTime ge 2026-01-01T00:00:00Z and signInEventTypes/any(t: t eq '{kind}')"
        )
    };
    let apps = bench.rows(&path("servicePrincipal")).await;
    assert_eq!(
        texts(&apps, "createdDateTime"),
        ["2026-01-14T03:00:00Z", "2026-01-13T03:00:00Z", "2026-01-12T03:00:00Z"]
    );
    assert_eq!(apps[0]["servicePrincipalId"], CHARTLY);
    let (_, chartly) = bench.get(&format!("/servicePrincipals/{CHARTLY}")).await;
    assert_eq!(
        apps[0]["servicePrincipalCredentialKeyId"],
        chartly["passwordCredentials"][0]["keyId"]
    );
    assert_eq!(bench.rows(&path("managedIdentity")).await.len(), 1);
    let usual = bench.rows("/beta/auditLogs/signIns").await;
    assert_eq!(texts(&usual, "userPrincipalName"), ["ada.admin@small.example"], "interactive only");
    let old = bench.rows("/auditLogs/signIns").await;
    assert_eq!((old.len(), old[0].get("signInEventTypes")), (1, None));
    let (status, _) = bench
        .get("/auditLogs/signIns?$filter=signInEventTypes/any(t: t eq 'servicePrincipal')")
        .await;
    assert_eq!(status, 400, "v1.0 knows no kinds");
}

#[tokio::test]
async fn last_use_is_told_by_two_reports() {
    let bench = Bench::small().await;
    let rows = bench.rows("/beta/reports/servicePrincipalSignInActivities?$top=999").await;
    assert_eq!(rows.len(), 4, "an app that never signed in has no entry");
    assert_eq!(
        rows[0]["applicationAuthenticationClientSignInActivity"]["lastSignInDateTime"],
        "2026-01-15T11:00:00Z"
    );
    assert_eq!(rows[0]["lastSignInActivity"]["lastSignInDateTime"], "2026-01-15T11:00:00Z");
    assert_eq!(rows[0]["delegatedResourceSignInActivity"], Json::Null);
    let one = "/beta/reports/servicePrincipalSignInActivities?$filter=appId eq 'a1000000-0000-4000-8000-000000000004'&$orderby=appId";
    assert_eq!(bench.rows(one).await.len(), 1);
    let credentials = bench.rows("/beta/reports/appCredentialSignInActivities").await;
    assert_eq!(credentials.len(), 3);
    assert_eq!(texts(&credentials, "keyType"), ["clientSecret", "certificate", "clientSecret"]);
    assert_eq!(credentials[2]["credentialOrigin"], "servicePrincipal");
    let (_, chartly) = bench.get(&format!("/servicePrincipals/{CHARTLY}")).await;
    assert_eq!(credentials[2]["keyId"], chartly["passwordCredentials"][0]["keyId"]);
}
