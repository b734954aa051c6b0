//! The Metadata API over SOAP.

use super::*;

#[tokio::test]
async fn metadata_lists_and_reads_what_is_installed() {
    let bench = Bench::small().await;
    let (status, body) = bench
        .soap("<listMetadata><queries><type>ConnectedApp</type></queries><asOfVersion>65.0</asOfVersion></listMetadata>")
        .await;
    assert_eq!(status, 200, "{body}");
    assert!(
        body.contains("<fullName>drift__Drift</fullName>")
            && body.contains("<namespacePrefix>drift</namespacePrefix>")
    );
    assert!(!body.contains("Ticket"), "uninstalled apps have no metadata");

    let (_, body) = bench
        .soap("<readMetadata><type>ConnectedApp</type><fullNames>drift__Drift</fullNames><fullNames>Nope</fullNames></readMetadata>")
        .await;
    for part in [
        "<records xsi:type=\"ConnectedApp\"><fullName>drift__Drift</fullName>",
        "<scopes>RefreshToken</scopes>",
        "<refreshTokenPolicy>infinite</refreshTokenPolicy>",
        "<ipRelaxation>BYPASS</ipRelaxation>",
        "<isAdminApproved>false</isAdminApproved>",
        "<records xsi:nil=\"true\"/>",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
    for (kind, name, part) in [
        ("Profile", "Integration", "<startAddress>198.51.100.1</startAddress>"),
        ("Profile", "Admin", "<name>CustomizeApplication</name>"),
        (
            "SecuritySettings",
            "Security",
            "<enforceIpRangesEveryRequest>false</enforceIpRangesEveryRequest>",
        ),
        ("OauthOidcSettings", "OauthOidc", "<blockOAuthUnPwFlow>false</blockOAuthUnPwFlow>"),
        ("ExtlClntAppConfigurablePolicies", "Tidy_Billing_plcy", "<isEnabled>true</isEnabled>"),
    ] {
        let (_, body) = bench
            .soap(&format!(
                "<readMetadata><type>{kind}</type><fullNames>{name}</fullNames></readMetadata>"
            ))
            .await;
        assert!(body.contains(part), "{part} in {body}");
    }
    assert_eq!(
        bench.org().calls().last().unwrap().operation.as_deref(),
        Some("readMetadata ExtlClntAppConfigurablePolicies Tidy_Billing_plcy")
    );
}

#[tokio::test]
async fn metadata_faults_name_their_reason() {
    let bench = Bench::small().await;
    let eleven = "<fullNames>x</fullNames>".repeat(11);
    for (operation, fault) in [
        ("<readMetadata><type>Bogus</type></readMetadata>", "sf:INVALID_TYPE"),
        (
            &format!("<readMetadata><type>Profile</type>{eleven}</readMetadata>"),
            "sf:EXCEEDED_ID_LIMIT",
        ),
        ("<readMetadata><type>Profile</type><wrong/></readMetadata>", "invalid at this location"),
        ("<explode/>", "No operation available"),
    ] {
        let (status, body) = bench.soap(operation).await;
        assert_eq!(status, 500, "{operation}");
        assert!(body.contains(fault), "{fault} in {body}");
    }
    let read = "<readMetadata><type>Profile</type><fullNames>Admin</fullNames></readMetadata>";
    bench.org().set_permission(SCANNER, Permission::ModifyMetadata, false);
    assert!(bench.soap(read).await.1.contains("<faultcode>sf:INSUFFICIENT_ACCESS</faultcode>"));
    bench.org().inject(Fault::new(Effect::ExpireSessions).times(1));
    assert!(bench.soap(read).await.1.contains("<faultcode>sf:INVALID_SESSION_ID</faultcode>"));
}

#[tokio::test]
async fn a_blocked_app_stops_working() {
    let bench = Bench::small().await;
    let update = |inside: &str| {
        format!(
            "<updateMetadata><metadata xsi:type=\"ConnectedApp\"><fullName>drift__Drift</fullName>{inside}</metadata></updateMetadata>"
        )
    };
    let block = "<sessionPolicy><policyAction>Block</policyAction></sessionPolicy>";
    let (_, body) = bench.soap(&update(block)).await;
    assert!(body.contains("REQUIRED_FIELD_MISSING"), "{body}");
    assert_eq!(bench.org().app_usable("Drift"), Some(true));
    let named = format!("<contactEmail>a@b.example</contactEmail><label>Drift</label>{block}");
    let (_, body) = bench.soap(&update(&named)).await;
    assert!(body.contains("<success>true</success>"), "{body}");
    assert_eq!(bench.org().app_usable("Drift"), Some(false));
    let stolen = bench.org().stolen("Drift").unwrap();
    let (_, body) = bench
        .token_call(&[
            ("grant_type", "refresh_token"),
            ("client_id", &stolen.client_id),
            ("refresh_token", &stolen.refresh_token),
        ])
        .await;
    assert_eq!(body["error"], "OAUTH_APP_BLOCKED");
    let (_, body) = bench
        .soap("<readMetadata><type>ConnectedApp</type><fullNames>drift__Drift</fullNames></readMetadata>")
        .await;
    assert!(body.contains("<policyAction>Block</policyAction>"));

    let disable = "<updateMetadata><metadata xsi:type=\"ExtlClntAppConfigurablePolicies\"><fullName>Tidy_Billing_plcy</fullName><externalClientApplication>Tidy_Billing</externalClientApplication><isEnabled>false</isEnabled><label>x</label></metadata></updateMetadata>";
    let (_, body) = bench.soap(disable).await;
    assert!(body.contains("<success>true</success>"), "{body}");
    assert_eq!(bench.org().app_usable("Tidy Billing"), Some(false));
}
