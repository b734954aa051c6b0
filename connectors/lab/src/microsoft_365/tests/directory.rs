//! What each resource shows.

use super::*;

async fn named(bench: &Bench, name: &str) -> Json {
    let rows = bench.rows("/servicePrincipals").await;
    rows.into_iter().find(|row| row["displayName"] == name).unwrap()
}

#[tokio::test]
async fn service_principals_show_who_made_them_and_what_they_offer() {
    let bench = Bench::small().await;
    let rows = bench.rows("/servicePrincipals").await;
    assert_eq!(rows.len(), 12, "10 of the file, 2 of applications");
    let tenant = bench.tenant().client().tenant_id;
    let mailvault = named(&bench, "Mailvault").await;
    assert_eq!(mailvault["id"], MAILVAULT);
    assert_eq!(mailvault["verifiedPublisher"]["displayName"], "Mailvault Ltd.");
    assert_ne!(mailvault["appOwnerOrganizationId"], tenant.as_str());
    let chartly = named(&bench, "Chartly").await;
    assert_eq!(chartly["verifiedPublisher"]["displayName"], Json::Null);
    let secret = &chartly["passwordCredentials"][0];
    assert_eq!((&secret["hint"], &secret["secretText"]), (&json!("FAK"), &Json::Null));
    assert_eq!(secret["endDateTime"], "2028-01-09T22:14:00Z");
    assert_eq!(named(&bench, "Old Survey").await["accountEnabled"], false);
    let free = named(&bench, "Free PDF Magic").await;
    assert_eq!(free["disabledByMicrosoftStatus"], "DisabledDueToViolationOfServicesAgreement");
    let managed = named(&bench, "func-invoices").await;
    assert_eq!(managed["servicePrincipalType"], "ManagedIdentity");
    assert_eq!(managed["appOwnerOrganizationId"], Json::Null);
    let own = named(&bench, "Invoice Export").await;
    assert_eq!(own["appOwnerOrganizationId"], tenant.as_str());
    let graph = named(&bench, "Microsoft Graph").await;
    assert_eq!(graph["appOwnerOrganizationId"], "f8cdef31-a31e-4b4a-93e4-5f571e91255a");
    let roles = graph["appRoles"].as_array().unwrap();
    let mail = roles.iter().find(|role| role["value"] == "Mail.Read").unwrap();
    assert_eq!(mail["allowedMemberTypes"], json!(["Application"]));
    let retired = roles.iter().find(|role| role["value"] == "Retired.Read.All").unwrap();
    assert_eq!(retired["isEnabled"], false);
    let scopes = graph["oauth2PermissionScopes"].as_array().unwrap();
    assert!(scopes.iter().any(|scope| scope["value"] == "offline_access"));

    let (_, one) = bench
        .get("/servicePrincipals(appId='a1000000-0000-4000-8000-000000000003')?$select=id,appId")
        .await;
    assert_eq!(one["id"], CHARTLY);
    assert_eq!(one.as_object().unwrap().len(), 3, "context, id, appId: {one}");
    let (_, same) =
        bench.get("/servicePrincipals(appId=%27a1000000-0000-4000-8000-000000000003%27)").await;
    assert_eq!(same["id"], CHARTLY);
    let (_, by_id) = bench.get(&format!("/servicePrincipals/{CHARTLY}")).await;
    assert_eq!(by_id["displayName"], "Chartly");
}

#[tokio::test]
async fn grants_and_assignments_resolve_to_names() {
    let bench = Bench::small().await;
    let grants = bench.rows("/oauth2PermissionGrants").await;
    assert_eq!(grants.len(), 10);
    assert_eq!(bench.tenant().grant_count(), 10);
    let filter = format!("/oauth2PermissionGrants?$filter=clientId eq '{MAILVAULT}'");
    let mailvault = bench.rows(&filter).await;
    assert_eq!(
        texts(&mailvault, "consentType"),
        ["AllPrincipals", "Principal", "Principal", "Principal"]
    );
    assert_eq!(mailvault[0]["principalId"], Json::Null);
    let for_all =
        bench.rows("/oauth2PermissionGrants?$filter=consentType eq 'AllPrincipals'").await;
    let for_one = bench.rows("/oauth2PermissionGrants?$filter=consentType eq 'Principal'").await;
    assert_eq!((for_all.len(), for_one.len()), (3, 7));
    let both = format!("{filter} and consentType eq 'Principal' and resourceId eq '{GRAPH_ID}'");
    assert_eq!(bench.rows(&both).await.len(), 2);
    assert!(grants.iter().any(|grant| grant["scope"].as_str().unwrap().starts_with(' ')));
    let id = mailvault[1]["id"].as_str().unwrap();
    let (_, one) = bench.get(&format!("/oauth2PermissionGrants/{id}")).await;
    assert_eq!(one["scope"], "Mail.Send Mail.ReadWrite");
    let none = "/oauth2PermissionGrants?$filter=clientId eq '00000000-0000-4000-8000-00000000beef'";
    assert!(bench.rows(none).await.is_empty());
    let by_user = format!(
        "/oauth2PermissionGrants?$filter=principalId eq '{}'",
        mailvault[1]["principalId"].as_str().unwrap()
    );
    assert_eq!(bench.rows(&by_user).await.len(), 1);

    let on_graph =
        bench.rows(&format!("/servicePrincipals/{GRAPH_ID}/appRoleAssignedTo?$top=999")).await;
    assert_eq!(
        on_graph.len(),
        11 + 2 + 23 + 1,
        "the scanner, Mailvault, Backup Robot, Invoice Export"
    );
    assert!(on_graph.iter().all(|row| row["resourceDisplayName"] == "Microsoft Graph"));
    let own = bench.rows(&format!("/servicePrincipals/{MAILVAULT}/appRoleAssignments")).await;
    assert_eq!(own.len(), 3);
    assert_eq!(own[0]["principalType"], "ServicePrincipal");
    let (_, never) = bench
        .get("/servicePrincipals(appId='a1000000-0000-4000-8000-000000000006')/appRoleAssignedTo")
        .await;
    assert_eq!(never["value"][0]["principalType"], "User");
    assert_eq!(never["value"][0]["appRoleId"], "00000000-0000-0000-0000-000000000000");
}

#[tokio::test]
async fn an_expanded_relation_is_cut_without_a_word() {
    let bench = Bench::small().await;
    let path = "/servicePrincipals?$select=id&$expand=appRoleAssignments";
    let rows = bench.rows(path).await;
    let robot = rows.iter().find(|row| row["id"] == BACKUP_ROBOT).unwrap();
    assert_eq!(robot["appRoleAssignments"].as_array().unwrap().len(), 20);
    let all = bench.rows(&format!("/servicePrincipals/{BACKUP_ROBOT}/appRoleAssignments")).await;
    assert_eq!(all.len(), 23);
    let rows = bench.rows("/servicePrincipals?$select=id&$expand=appRoleAssignedTo,owners").await;
    let graph = rows.iter().find(|row| row["id"] == GRAPH_ID).unwrap();
    assert_eq!(graph["appRoleAssignedTo"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn applications_show_credentials_and_requests() {
    let bench = Bench::small().await;
    let rows = bench.rows("/applications?$top=999&$select=id,appId,displayName,createdDateTime,signInAudience,passwordCredentials,keyCredentials,requiredResourceAccess,verifiedPublisher,publisherDomain,isDisabled,disabledByMicrosoftStatus,web,spa,publicClient,isFallbackPublicClient,tags,servicePrincipalLockConfiguration,identifierUris").await;
    let invoices = rows.iter().find(|row| row["id"] == INVOICES).unwrap();
    assert_eq!(invoices["passwordCredentials"].as_array().unwrap().len(), 2);
    assert_eq!(invoices["passwordCredentials"][1]["endDateTime"], "2040-06-01T00:00:00Z");
    assert_eq!(invoices["keyCredentials"][0]["key"], Json::Null);
    let required = invoices["requiredResourceAccess"].as_array().unwrap();
    assert_eq!(required[0]["resourceAccess"][0]["type"], "Scope");
    assert_eq!(required[0]["resourceAccess"][1]["type"], "Role");
    let federated =
        bench.rows(&format!("/applications/{INVOICES}/federatedIdentityCredentials")).await;
    assert_eq!(federated[0]["subject"], "repo:small/invoices:environment:production");
    assert_eq!(federated[0]["audiences"], json!(["api://AzureADTokenExchange"]));
    let owners = bench.rows(&format!("/applications/{INVOICES}/owners")).await;
    assert_eq!(texts(&owners, "displayName"), ["Ada Admin", "Sam Sales"]);
    let expanded = bench.rows("/applications?$expand=federatedIdentityCredentials").await;
    assert_eq!(expanded[0]["federatedIdentityCredentials"][0]["name"], "github-main");
    let (_, one) = bench.get("/applications(appId='a2000000-0000-4000-8000-000000000002')").await;
    assert_eq!(one["id"], INVOICES);
    let scanner = rows.iter().find(|row| row["displayName"] == "Grantwarden").unwrap();
    assert_eq!(scanner["passwordCredentials"][0]["endDateTime"], "2026-04-01T00:00:00Z");
    assert_eq!(scanner["keyCredentials"][0]["endDateTime"], "2026-07-01T00:00:00Z");
    let (_, principal) =
        bench.get("/servicePrincipals(appId='a2000000-0000-4000-8000-000000000002')/owners").await;
    assert_eq!(principal["value"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn users_by_listing_and_by_id() {
    let bench = Bench::small().await;
    let rows = bench
        .rows("/users?$select=id,userPrincipalName,accountEnabled,userType,signInActivity")
        .await;
    assert_eq!(rows.len(), 4, "the deleted user is not listed");
    assert_eq!(rows[2]["accountEnabled"], false);
    assert_eq!(rows[3]["userType"], "Guest");
    assert_eq!(rows[3]["signInActivity"], Json::Null);
    assert_eq!(rows[0]["signInActivity"]["lastSignInDateTime"], "2026-01-14T09:00:00Z");
    let guests = bench.rows("/users?$filter=userType eq 'Guest'").await;
    assert_eq!(texts(&guests, "displayName"), ["Guido Guest"]);
    let (_, ada) = bench.get("/users/ada.admin@small.example").await;
    assert_eq!(ada["displayName"], "Ada Admin");

    let grants = bench.rows("/oauth2PermissionGrants").await;
    let mut ids: Vec<&str> = grants.iter().filter_map(|row| row["principalId"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    let body = json!({ "ids": ids, "types": ["user"] });
    let (status, found) = bench.call("POST", "/directoryObjects/getByIds", Some(body)).await;
    assert_eq!(status, 200, "{found}");
    let value = found["value"].as_array().unwrap();
    assert_eq!(value.len(), 4, "the deleted user is left out without a word");
    assert!(value.iter().all(|row| row["@odata.type"] == "#microsoft.graph.user"));
    assert_eq!(value[0].get("accountEnabled"), None, "only a subset by default");
    let path = "/directoryObjects/getByIds?$select=id,displayName,accountEnabled";
    let both = json!({ "ids": [ids[0], GRAPH_ID, INVOICES], "types": ["servicePrincipal", "application"] });
    let (_, found) = bench.call("POST", path, Some(both)).await;
    assert_eq!(
        texts(found["value"].as_array().unwrap(), "displayName"),
        ["Microsoft Graph", "Invoice Export"]
    );

    for body in [
        json!({ "ids": vec![GRAPH_ID; 1_001] }),
        json!({ "ids": [] }),
        json!({ "ids": ["x"] }),
        json!({ "ids": [GRAPH_ID], "types": ["robot"] }),
        json!({ "ids": [GRAPH_ID], "other": 1 }),
        json!({ "types": ["user"] }),
    ] {
        let (status, refusal) = bench.call("POST", path, Some(body)).await;
        assert_eq!((status, code(&refusal)), (400, "Request_BadRequest"));
    }
}

#[tokio::test]
async fn settings_of_the_directory() {
    let bench = Bench::small().await;
    let organization =
        bench.rows("/organization?$select=id,displayName,verifiedDomains,assignedPlans").await;
    assert_eq!(organization[0]["id"], bench.tenant().client().tenant_id.as_str());
    assert_eq!(organization[0]["verifiedDomains"][0]["name"], "small.example");
    assert_eq!(organization[0]["assignedPlans"][0]["service"], "AADPremiumService");
    let (_, policy) = bench.get("/policies/authorizationPolicy").await;
    let assigned = &policy["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"];
    assert_eq!(assigned[0], "ManagePermissionGrantsForSelf.microsoft-user-default-legacy");
    let (_, workflow) = bench.get("/policies/adminConsentRequestPolicy").await;
    assert_eq!((&workflow["isEnabled"], &workflow["reviewers"]), (&json!(false), &json!([])));
    let plain = bench.rows("/policies/permissionGrantPolicies").await;
    assert_eq!((plain.len(), plain[2].get("includes")), (3, None));
    let policies = bench.rows("/policies/permissionGrantPolicies?$expand=includes,excludes").await;
    assert_eq!(policies[2]["includes"][0]["clientApplicationsFromVerifiedPublisherOnly"], true);
    let (_, management) = bench.get("/policies/defaultAppManagementPolicy").await;
    let rule = &management["applicationRestrictions"]["passwordCredentials"][0];
    assert_eq!((&management["isEnabled"], &rule["maxLifetime"]), (&json!(true), &json!("P180D")));
    let lifetimes = bench.rows("/policies/tokenLifetimePolicies").await;
    assert!(lifetimes[0]["definition"][0].as_str().unwrap().contains("02:00:00"));
    let roles = bench.rows("/roleManagement/directory/roleAssignments?$expand=principal").await;
    assert_eq!(roles[0]["principal"]["@odata.type"], "#microsoft.graph.servicePrincipal");
    assert_eq!(roles[0]["roleDefinitionId"], "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3");
    assert_eq!(roles[1]["principal"]["displayName"], "Ada Admin");
    let definitions = bench.rows("/roleManagement/directory/roleDefinitions").await;
    assert!(definitions.iter().any(|role| role["id"] == roles[0]["roleDefinitionId"]));
}

#[tokio::test]
async fn requests_of_a_wrong_shape_are_refused() {
    let bench = Bench::small().await;
    let missing = "/servicePrincipals/00000000-0000-4000-8000-00000000beef";
    for (path, status, expected) in [
        ("/servicePrincipals?$select=id,bogus", 400, "BadRequest"),
        ("/applications?$select=appOwnerOrganizationId", 400, "BadRequest"),
        ("/servicePrincipals?$expand=bogus", 400, "BadRequest"),
        ("/servicePrincipals?$top=1000", 400, "Request_BadRequest"),
        ("/servicePrincipals?$top=0", 400, "Request_BadRequest"),
        ("/servicePrincipals?$top=abc", 400, "Request_BadRequest"),
        ("/organization?$top=1", 400, "Request_BadRequest"),
        ("/servicePrincipals?$skip=10", 400, "Request_BadRequest"),
        ("/servicePrincipals?$search=x", 400, "Request_BadRequest"),
        ("/servicePrincipals?top=10", 400, "Request_BadRequest"),
        ("/servicePrincipals?$filter=homepage eq 'x'", 400, "Request_UnsupportedQuery"),
        ("/servicePrincipals?$filter=accountEnabled ne true", 400, "Request_UnsupportedQuery"),
        ("/servicePrincipals?$filter=not(accountEnabled eq true)", 400, "Request_UnsupportedQuery"),
        ("/servicePrincipals?$filter=accountEnabled is true", 400, "Request_BadRequest"),
        ("/servicePrincipals?$count=true", 400, "Request_UnsupportedQuery"),
        ("/servicePrincipals?$orderby=displayName", 400, "Request_UnsupportedQuery"),
        ("/oauth2PermissionGrants?$filter=scope eq 'x'", 400, "Request_UnsupportedQuery"),
        (missing, 404, "Request_ResourceNotFound"),
        ("/oauth2PermissionGrants/AVs6", 404, "Request_ResourceNotFound"),
        ("/applications/51000000-0000-4000-8000-000000000001", 404, "Request_ResourceNotFound"),
        ("/users/nobody@small.example", 404, "Request_ResourceNotFound"),
        ("/nothing", 400, "BadRequest"),
        ("/servicePrincipals/51000000-0000-4000-8000-000000000001/nothing", 400, "BadRequest"),
        ("/beta/servicePrincipals", 400, "BadRequest"),
        ("/reports/servicePrincipalSignInActivities", 400, "BadRequest"),
    ] {
        let (got, body) = bench.get(path).await;
        assert_eq!((got, code(&body)), (status, expected), "{path}: {body}");
        assert!(body["error"]["innerError"]["request-id"].is_string());
    }
    assert_eq!(bench.call("POST", "/servicePrincipals", Some(json!({}))).await.0, 405);

    let eventual = |path: &str| {
        bench
            .client
            .get(bench.url(path))
            .bearer_auth(&bench.token)
            .header("ConsistencyLevel", "eventual")
    };
    let path = "/servicePrincipals?$filter=accountEnabled ne true&$count=true&$select=displayName";
    let body: Json = bench.send(eventual(path)).await.json().await.unwrap();
    assert_eq!(
        (&body["@odata.count"], &body["value"][0]["displayName"]),
        (&json!(1), &json!("Old Survey"))
    );
}
