//! Everything that can be listed.

use super::*;
use crate::okta::OktaMissingProduct;

#[tokio::test]
async fn apps_of_all_kinds() {
    let bench = Bench::small().await;
    let active = bench.rows("/api/v1/apps?limit=200").await;
    assert_eq!(active.len(), 11, "only the active");
    let all = bench.rows("/api/v1/apps?limit=200&includeNonDeleted=true").await;
    assert_eq!(all.len(), 12);
    let app = |label: &str| all.iter().find(|app| app["label"] == label).unwrap();
    let kind = |label: &str| app(label)["settings"]["oauthClient"]["application_type"].clone();
    assert_eq!(
        ["Drift", "Team Board", "Desk Timer", "Backup Robot", "Payroll"].map(kind),
        [json!("web"), json!("browser"), json!("native"), json!("service"), Json::Null]
    );
    assert_eq!(app("Payroll")["signOnMode"], "SAML_2_0");
    assert_eq!(app("Lunch Menu")["signOnMode"], "BOOKMARK");
    assert_eq!(app("Team Board")["credentials"]["oauthClient"]["client_id"], "team-board-web");
    assert_eq!(app("Team Board")["settings"]["oauthClient"]["wildcard_redirect"], "SUBDOMAIN");
    assert_eq!(app("Drift")["settings"]["oauthClient"]["consent_method"], "REQUIRED");
    assert_eq!(app("Report Mill")["settings"]["oauthClient"]["network"]["connection"], "ZONE");
    assert_eq!(
        app("Grantwarden")["settings"]["oauthClient"]["jwks"]["keys"].as_array().unwrap().len(),
        2
    );
    assert_eq!(app("Old Importer")["status"], "INACTIVE");
    for (query, count) in [
        ("filter=status eq \"INACTIVE\"", 1),
        ("filter=name eq \"oidc_client\"", 8),
        ("filter=name eq \"oidc_client\" and status eq \"INACTIVE\"", 1),
        ("filter=id eq \"0oaFAKEdrift00000001\"", 1),
        ("q=small i", 1),
        ("q=small-okta_pay", 1),
        ("q=grant", 2),
        ("expand=user/00u1", 11),
    ] {
        assert_eq!(bench.rows(&format!("/api/v1/apps?{query}")).await.len(), count, "{query}");
    }
    let (status, body) = bench.get("/api/v1/apps/0oanone").await;
    assert_eq!((status, code(&body)), (404, "E0000007"));
    assert_eq!(body["errorSummary"], "Not found: Resource not found: 0oanone (AppInstance)");
    assert_eq!(bench.body(&format!("/api/v1/apps/{DRIFT}")).await["label"], "Drift");
    assert_eq!(bench.get("/api/v1/apps/team-board-web").await.0, 404, "a client id is no app id");
}

#[tokio::test]
async fn what_the_platform_does_not_know_is_refused() {
    let bench = Bench::small().await;
    for (path, status, wanted) in [
        ("/api/v1/apps?limit=500", 400, "E0000001"),
        ("/api/v1/apps?limit=0", 400, "E0000001"),
        ("/api/v1/apps?limit=x", 400, "E0000001"),
        ("/api/v1/apps?color=red", 400, "E0000001"),
        ("/api/v1/apps?q=a&q=b", 400, "E0000001"),
        ("/api/v1/apps?after=nonsense", 400, "E0000001"),
        ("/api/v1/apps?expand=grants", 400, "E0000001"),
        ("/api/v1/apps?useOptimization=true", 400, "E0000001"),
        ("/api/v1/apps?filter=color eq \"red\"", 400, "E0000031"),
        ("/api/v1/apps?filter=status eq ACTIVE", 400, "E0000031"),
        ("/api/v1/logs?filter=eventType[sw \"x\"]", 400, "E0000031"),
        ("/api/v1/logs?since=yesterday", 400, "E0000001"),
        ("/api/v1/logs?limit=1001", 400, "E0000001"),
        ("/api/v1/users?search=status eq", 400, "E0000031"),
        ("/api/v1/users/00unone", 404, "E0000007"),
        ("/api/v1/nothing", 404, "E0000007"),
        ("/api/v1/apps//grants", 404, "E0000007"),
        ("/api/v1/apps/%ff/grants", 404, "E0000007"),
        ("/api/v1/users/me/lifecycle/suspend", 404, "E0000007"),
        ("/api/v1/principal-rate-limits", 400, "E0000001"),
        ("/api/v1/users/00unone/sessions", 405, "E0000022"),
    ] {
        let (seen, body) = bench.get(path).await;
        assert_eq!((seen, code(&body)), (status, wanted), "{path}: {body}");
        assert!(body["errorId"].as_str().unwrap().starts_with("oae"));
    }
    assert_eq!(bench.change(Method::POST, "/api/v1/apps", Some(json!({}))).await.0, 405);
}

#[tokio::test]
async fn grants_by_app_and_by_user() {
    let bench = Bench::small().await;
    let robot = bench.rows(&format!("/api/v1/apps/{ROBOT}/grants")).await;
    assert_eq!(
        texts(&robot, "scopeId"),
        ["okta.users.manage", "okta.apps.manage", "okta.logs.read"]
    );
    assert_eq!(
        (&robot[0]["source"], &robot[0]["createdBy"]["type"]),
        (&json!("ADMIN"), &json!("User"))
    );
    assert!(robot[0].get("userId").is_none());
    let expanded = bench.rows(&format!("/api/v1/apps/{ROBOT}/grants?expand=scope")).await;
    assert_eq!(expanded[0]["_embedded"]["scope"]["name"], "okta.users.manage");
    let drift = bench.rows(&format!("/api/v1/apps/{DRIFT}/grants")).await;
    assert_eq!(texts(&drift, "source"), ["END_USER"], "the org's own server only");
    let intranet = bench.org().app_id("Small Intranet").unwrap();
    let intranet = bench.rows(&format!("/api/v1/apps/{intranet}/grants")).await;
    assert_eq!(texts(&intranet, "status"), ["REVOKED"]);
    let sam = bench.org().user_id(SAM).unwrap();
    let of_sam = bench.rows(&format!("/api/v1/users/{sam}/grants")).await;
    assert_eq!(texts(&of_sam, "scopeId"), ["okta.users.read.self", "orders.read"]);
    assert!(of_sam[1]["issuer"].as_str().unwrap().contains("/oauth2/aus"));
    assert_eq!(
        bench.rows(&format!("/api/v1/users/{SAM}/grants?scopeId=orders.read")).await.len(),
        1
    );
    let clients = bench.rows(&format!("/api/v1/users/{sam}/clients")).await;
    assert_eq!(texts(&clients, "client_id"), [DRIFT, "team-board-web"]);
    assert_eq!(clients[0]["client_uri"], Json::Null);
    let both = bench.rows(&format!("/api/v1/users/{sam}/clients/{DRIFT}/grants")).await;
    assert_eq!(both.len(), 2);
    let id = both[1]["id"].as_str().unwrap();
    assert_eq!(bench.body(&format!("/api/v1/users/{sam}/grants/{id}")).await["id"], *id);
    assert_eq!(bench.get(&format!("/api/v1/apps/{DRIFT}/grants/{id}")).await.0, 404);
    assert_eq!(bench.get(&format!("/api/v1/users/{sam}/clients/0oanone/grants")).await.0, 404);
}

#[tokio::test]
async fn refresh_tokens() {
    let bench = Bench::small().await;
    let tokens = bench.rows(&format!("/api/v1/apps/{DRIFT}/tokens")).await;
    assert_eq!(tokens.len(), 4);
    assert_eq!(tokens[0]["expiresAt"], "2026-02-01T09:00:02.000Z");
    assert_eq!(tokens[0]["lastUpdated"], "2026-01-14T17:00:00.000Z");
    assert!(tokens[3]["issuer"].as_str().unwrap().contains("/oauth2/aus"));
    let timer = bench.org().app_id("Desk Timer").unwrap();
    assert_eq!(bench.rows(&format!("/api/v1/apps/{timer}/tokens")).await.len(), 1, "one is over");
    let id = tokens[0]["id"].as_str().unwrap();
    let expanded = bench.body(&format!("/api/v1/apps/{DRIFT}/tokens/{id}?expand=scope")).await;
    assert_eq!(expanded["_embedded"]["scopes"][0]["name"], "openid");
    assert_eq!(bench.rows(&format!("/api/v1/apps/{ROBOT}/tokens")).await.len(), 0);
    let of_sam = bench.rows(&format!("/api/v1/users/{SAM}/clients/{DRIFT}/tokens")).await;
    assert_eq!(of_sam.len(), 2);
    assert_eq!(bench.org().token_count("Drift", Some(SAM)), 2);
    assert_eq!(bench.org().token_count(DRIFT, None), 4);
}

#[tokio::test]
async fn users_and_admins() {
    let bench = Bench::small().await;
    assert_eq!(bench.rows("/api/v1/users").await.len(), 7, "without the deactivated");
    for (query, count) in [
        ("search=status eq \"DEPROVISIONED\"", 1),
        ("filter=status eq \"ACTIVE\"", 5),
        ("filter=status eq \"SUSPENDED\" or status eq \"STAGED\"", 2),
        ("search=profile.login sw \"sam\"", 1),
        ("q=Ada", 1),
        ("limit=1", 1),
    ] {
        assert_eq!(bench.rows(&format!("/api/v1/users?{query}")).await.len(), count, "{query}");
    }
    let stan = bench.body("/api/v1/users/stage.stan@small.example").await;
    assert_eq!((&stan["activated"], &stan["lastLogin"]), (&Json::Null, &Json::Null));
    let gus = bench.body(&format!("/api/v1/users/{GUS}")).await;
    assert_eq!(gus["status"], "DEPROVISIONED");
    let roles = bench.rows("/api/v1/users/cora.custom@small.example/roles").await;
    assert_eq!((&roles[0]["type"], &roles[0]["label"]), (&json!("CUSTOM"), &json!("App reader")));
    assert!(roles[0]["resource-set"].is_string());
    let roles = bench.rows(&format!("/oauth2/v1/clients/{ROBOT}/roles")).await;
    assert_eq!(
        (&roles[0]["type"], &roles[0]["assignmentType"]),
        (&json!("SUPER_ADMIN"), &json!("CLIENT"))
    );
    assert_eq!(bench.rows(&format!("/oauth2/v1/clients/{DRIFT}/roles")).await.len(), 0);
    let admins = bench.body("/api/v1/iam/assignees/users").await;
    assert_eq!(admins["value"].as_array().unwrap().len(), 4);
    assert!(admins["_links"].get("next").is_none());
}

#[tokio::test]
async fn api_tokens_and_services() {
    let bench = Bench::small().await;
    let tokens = bench.rows("/api/v1/api-tokens").await;
    assert_eq!(
        texts(&tokens, "name"),
        ["Backup vendor", "Gus script", "Help desk board", "Sam macro", "Grantwarden"]
    );
    assert_eq!(tokens[3]["tokenWindow"], "P5D");
    assert_eq!(tokens[3]["expiresAt"], "2026-01-20T11:00:00.000Z");
    assert_eq!(tokens[2]["network"]["connection"], "ZONE");
    assert!(!tokens.iter().any(|token| token.to_string().contains("00FAKE")), "never the secret");
    bench.org().set_behaviour(|behaviour| behaviour.dead_api_tokens_listed = false);
    assert_eq!(bench.rows("/api/v1/api-tokens").await.len(), 4);
    assert_eq!(
        bench.body("/api/v1/api-tokens/00TFAKEbackup0000001").await["name"],
        "Backup vendor"
    );
    assert_eq!(bench.get("/api/v1/api-tokens/00Tnone").await.0, 404);
    let services = bench.rows("/integrations/api/v1/api-services").await;
    assert_eq!(texts(&services, "type"), ["mailvault_cie", "posturecheck_cie"]);
    let own = "/integrations/api/v1/api-services/0oaFAKEmailvault0001";
    assert_eq!(bench.body(own).await["grantedScopes"].as_array().unwrap().len(), 3);
    let secrets = bench.rows(&format!("{own}/credentials/secrets")).await;
    assert_eq!(secrets.len(), 2);
    assert!(secrets[0]["client_secret"].as_str().unwrap().starts_with("***"));
}

#[tokio::test]
async fn credentials_and_connections() {
    let bench = Bench::small().await;
    let keys = bench.body(&format!("/api/v1/apps/{ROBOT}/credentials/jwks")).await;
    let keys = keys["jwks"]["keys"].as_array().unwrap().clone();
    assert_eq!(texts(&keys, "status"), ["ACTIVE", "ACTIVE", "INACTIVE"]);
    assert!(keys[0]["id"].as_str().unwrap().starts_with("pks"));
    assert_eq!(bench.org().secrets_read(), 0);
    let importer = bench.org().app_id("Old Importer").unwrap();
    let secrets = bench.rows(&format!("/api/v1/apps/{importer}/credentials/secrets")).await;
    assert_eq!(texts(&secrets, "status"), ["ACTIVE", "INACTIVE"]);
    assert!(secrets[0]["client_secret"].as_str().unwrap().starts_with("FAKE"), "in the clear");
    assert_eq!(bench.org().secrets_read(), 1);
    let told = bench
        .rows("/api/v1/logs?filter=eventType eq \"app.oauth2.client.read_client_secret\"")
        .await;
    assert_eq!(told[0]["actor"]["displayName"], "Grantwarden");
    let board = bench.org().app_id("Team Board").unwrap();
    let links = bench.rows(&format!("/api/v1/apps/{board}/cwo/connections")).await;
    assert_eq!(links[0]["requestingAppInstanceId"], board);
    let clients = bench.rows("/oauth2/v1/clients?limit=200").await;
    assert_eq!(clients.len(), 10);
    assert_eq!(clients[0]["client_secret_expires_at"], 0);
}

#[tokio::test]
async fn authorization_servers_and_the_org() {
    let bench = Bench::small().await;
    let servers = bench.rows("/api/v1/authorizationServers?limit=200").await;
    assert_eq!(texts(&servers, "name"), ["default", "Orders"]);
    let own = format!("/api/v1/authorizationServers/{}", servers[1]["id"].as_str().unwrap());
    assert_eq!(bench.body(&own).await["audiences"], json!(["https://orders.small.example"]));
    let policies = bench.rows(&format!("{own}/policies")).await;
    assert_eq!(policies[0]["conditions"]["clients"]["include"], json!([DRIFT]));
    let rules =
        bench.rows(&format!("{own}/policies/{}/rules", policies[0]["id"].as_str().unwrap())).await;
    assert_eq!(rules[0]["actions"]["token"]["refreshTokenWindowMinutes"], 2_628_000);
    assert_eq!(bench.rows(&format!("{own}/scopes")).await.len(), 9);
    assert_eq!(texts(&bench.rows(&format!("{own}/clients")).await, "client_id"), [DRIFT]);
    assert_eq!(bench.rows(&format!("{own}/clients/{DRIFT}/tokens")).await.len(), 1);
    assert_eq!(bench.rows("/api/v1/zones").await.len(), 3);
    let org = bench.body("/api/v1/org").await;
    assert_eq!(
        (&org["id"], &org["companyName"]),
        (&json!("00oFAKEsmall00000001"), &json!("Small Okta"))
    );
    let setting = bench.body("/api/v1/org/settings/clientPrivilegesSetting").await;
    assert_eq!(setting, json!({ "clientPrivilegesSetting": false }));
    let shares =
        bench.rows("/api/v1/principal-rate-limits?filter=principalType eq \"SSWS_TOKEN\"").await;
    assert_eq!(shares[0]["defaultPercentage"], 10);
}

#[tokio::test]
async fn without_the_product_authorization_servers_are_closed() {
    let bench = Bench::with(|world| world.api_access_management = false).await;
    for (answer, status, wanted) in [
        (OktaMissingProduct::NotEnabled, 401, "E0000015"),
        (OktaMissingProduct::NotAllowed, 403, "E0000038"),
        (OktaMissingProduct::NotFound, 404, "E0000007"),
    ] {
        bench.org().set_behaviour(|behaviour| behaviour.missing_product = answer);
        let (seen, body) = bench.get("/api/v1/authorizationServers").await;
        assert_eq!((seen, code(&body)), (status, wanted));
    }
    assert_eq!(bench.get("/api/v1/apps").await.0, 200, "the token is still good");
}
