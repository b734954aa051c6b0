//! What a missing permission or a world switch takes away.

use super::*;

#[tokio::test]
async fn without_customize_application_only_own_tokens_show() {
    let bench = Bench::small().await;
    let org = bench.org();
    assert!(org.set_permission(SCANNER, Permission::CustomizeApplication, false));
    assert_eq!(bench.count("SELECT COUNT() FROM OauthToken").await, 0);
    let access = bench.records("SELECT PermissionsCustomizeApplication, PermissionsApiEnabled FROM UserPermissionAccess").await;
    assert_eq!(access[0]["PermissionsCustomizeApplication"], false);
    assert_eq!(access[0]["PermissionsApiEnabled"], true);
    let (_, body) = bench.query("SELECT Id FROM ConnectedApplication").await;
    assert_eq!(code(&body), "INVALID_TYPE");

    let bench =
        Bench::with(|org| org.behaviour.oauth_token_forbidden_without_permission = true).await;
    bench.org().set_permission(SCANNER, Permission::CustomizeApplication, false);
    let (status, body) = bench.query("SELECT Id FROM OauthToken").await;
    assert_eq!((status, code(&body)), (403, "INSUFFICIENT_ACCESS"));
}

#[tokio::test]
async fn each_object_asks_for_its_permission() {
    let bench = Bench::small().await;
    for (permission, object, visible) in [
        (Permission::ViewSetup, "SetupEntityAccess", false),
        (Permission::ViewSetup, "PermissionSetAssignment", false),
        (Permission::ViewEventLogFiles, "EventLogFile", false),
        (Permission::ManageUsers, "UserLogin", false),
    ] {
        bench.org().set_permission(SCANNER, permission, false);
        let (status, _) = bench.query(&format!("SELECT Id FROM {object}")).await;
        assert_eq!(status == 200, visible, "{object} without {permission:?}");
        bench.org().set_permission(SCANNER, permission, true);
        assert_eq!(bench.query(&format!("SELECT Id FROM {object}")).await.0, 200, "{object}");
    }
    bench.org().set_permission(SCANNER, Permission::ManageUsers, false);
    bench.org().set_permission(SCANNER, Permission::MonitorLoginHistory, false);
    assert_eq!(bench.count("SELECT COUNT() FROM LoginHistory").await, 0, "own logins only");
    bench.org().set_permission(SCANNER, Permission::ApiEnabled, false);
    let (status, body) = bench.query("SELECT COUNT() FROM OauthToken").await;
    assert_eq!((status, code(&body)), (403, "API_DISABLED_FOR_ORG"));
}

#[tokio::test]
async fn switches_change_what_the_org_knows() {
    let change = |behaviour: Behaviour| Bench::with(move |org| org.behaviour = behaviour);
    let bench = change(Behaviour {
        oauth_token_id_null: true,
        oauth_token_without_created_date: true,
        without_external_client_apps: false,
        policies_tooling_only: true,
        use_any_api_client_column: true,
        without_publisher_names: true,
        ..Behaviour::default()
    })
    .await;
    assert_eq!(bench.records("SELECT Id FROM OauthToken").await[0]["Id"], Json::Null);
    assert_eq!(bench.records("SELECT COUNT(Id) FROM OauthToken").await[0]["expr0"], 6);
    assert_eq!(code(&bench.query("SELECT CreatedDate FROM OauthToken").await.1), "INVALID_FIELD");
    assert_eq!(bench.query("SELECT PermissionsUseAnyApiClient FROM PermissionSet").await.0, 200);
    let policies = "SELECT Id FROM ExtlClntAppOauthPlcyCnfg";
    assert_eq!(code(&bench.query(policies).await.1), "INVALID_TYPE");
    assert_eq!(bench.query_on("tooling/query", policies).await.0, 200);
    let publisher = "SELECT SubscriberPackageVersion.PublisherName FROM InstalledSubscriberPackage";
    assert_eq!(code(&bench.query_on("tooling/query", publisher).await.1), "INVALID_FIELD");

    let bench =
        change(Behaviour { without_external_client_apps: true, ..Behaviour::default() }).await;
    assert_eq!(
        code(&bench.query("SELECT Id FROM ExternalClientApplication").await.1),
        "INVALID_TYPE"
    );
    let bench = change(Behaviour { api_disabled: true, ..Behaviour::default() }).await;
    assert_eq!(code(&bench.query("SELECT Id FROM User").await.1), "API_DISABLED_FOR_ORG");
}

#[tokio::test]
async fn a_permission_removed_mid_scan_empties_the_next_page() {
    let bench = Bench::of(large(1_200)).await;
    let (_, page) = bench.query("SELECT Id FROM OauthToken").await;
    let removed =
        Effect::RemovePermission { user: None, permission: "CustomizeApplication".into() };
    bench.org().inject(Fault::new(removed).on_path("/query/01g").times(1));
    let (status, second) = bench.get(page["nextRecordsUrl"].as_str().unwrap()).await;
    assert_eq!((status, &second["totalSize"]), (200, &json!(1_200)));
    assert!(second["records"].as_array().unwrap().len() < 50, "own rows only");
}
