//! Revoking grants, blocking apps, freezing users.

use super::*;

#[tokio::test]
async fn a_revoked_grant_is_gone_with_its_access_tokens() {
    let bench = Bench::small().await;
    let stolen = bench.org().stolen("Drift").unwrap();
    let trade = [
        ("grant_type", "refresh_token"),
        ("client_id", stolen.client_id.as_str()),
        ("refresh_token", stolen.refresh_token.as_str()),
    ];
    let (status, body) = bench.token_call(&trade).await;
    assert_eq!((status, body["scope"].as_str()), (200, Some("api web refresh_token")));
    let thief = body["access_token"].as_str().unwrap().to_owned();
    let as_thief = async || {
        let request =
            bench.client.get(bench.url("/services/data/v65.0/sobjects")).bearer_auth(&thief);
        bench.send(request).await.status().as_u16()
    };
    assert_eq!(as_thief().await, 200);

    let soql = "SELECT DeleteToken FROM OauthToken WHERE AppName = 'Drift' ORDER BY CreatedDate";
    let secret = texts(&bench.records(soql).await, "DeleteToken").remove(0);
    assert!(secret.starts_with("FAKE.DELETE."));
    assert_eq!(bench.revoke(&secret).await, 200);
    assert_eq!(bench.revoke(&secret).await, 400, "already gone");
    assert_eq!(bench.count("SELECT COUNT() FROM OauthToken WHERE AppName = 'Drift'").await, 1);
    assert_eq!(bench.org().token_count("Drift"), 1);
    assert_eq!(as_thief().await, 401);
    assert_eq!(bench.token_call(&trade).await.1["error"], "invalid_grant");
    assert_eq!(bench.revoke("").await, 400);

    let secret = texts(&bench.records(soql).await, "DeleteToken").remove(0);
    let request = bench.client.get(bench.url(&format!("/services/oauth2/revoke?token={secret}")));
    assert_eq!(bench.send(request).await.status(), 200, "GET is accepted too");
}

#[tokio::test]
async fn nothing_is_written_through_sobjects_but_containment() {
    let bench = Bench::small().await;
    let request = bench
        .client
        .post(bench.url("/services/data/v65.0/sobjects/OauthToken/"))
        .bearer_auth(&bench.token)
        .json(&json!({ "AppName": "Z" }));
    let response = bench.send(request).await;
    assert_eq!(response.status(), 400);
    let body: Json = response.json().await.unwrap();
    assert_eq!(code(&body), "INVALID_TYPE_FOR_OPERATION");

    let logins = bench.records("SELECT Id, IsFrozen FROM UserLogin").await;
    let path =
        format!("/services/data/v65.0/sobjects/UserLogin/{}", logins[0]["Id"].as_str().unwrap());
    let request = bench
        .client
        .patch(bench.url(&path))
        .bearer_auth(&bench.token)
        .json(&json!({ "IsFrozen": true }));
    assert_eq!(bench.send(request).await.status(), 204);
    assert_eq!(bench.count("SELECT COUNT() FROM UserLogin WHERE IsFrozen = true").await, 1);
    let (_, body) = bench.get(&path).await;
    assert_eq!(body["IsFrozen"], true);
}

#[tokio::test]
async fn the_usage_api_always_links_to_a_next_page() {
    let bench = Bench::small().await;
    let base = "/services/data/v65.0/apps/oauth/usage";
    let (status, page) = bench.get(&format!("{base}?page=0&pageSize=1")).await;
    assert_eq!((status, page["apps"].as_array().unwrap().len()), (200, 1));
    let (_, page) = bench.get(&format!("{base}?page=9")).await;
    assert_eq!(page["apps"], json!([]));
    assert!(page["nextPageUrl"].as_str().unwrap().contains("page=10"));
    assert_eq!(bench.get("/services/data/v58.0/apps/oauth/usage").await.0, 404);
    assert_eq!(bench.get(&format!("{base}?bogus=1")).await.0, 400);

    let (_, apps) = bench.get(base).await;
    let app = apps["apps"][0]["identifier"].as_str().unwrap();
    assert!(app.starts_with("0xI"));
    let (_, users) = bench.get(&format!("{base}/{app}/users")).await;
    let user = users["users"][0]["identifier"].as_str().unwrap();
    let (_, tokens) = bench.get(&format!("{base}/{app}/{user}/tokens")).await;
    assert_eq!(tokens["tokens"][0]["accessTokenFormat"], "Opaque");
    let delete = async |path: String| {
        let request = bench.client.delete(bench.url(&path)).bearer_auth(&bench.token);
        bench.send(request).await.status().as_u16()
    };
    let by_token = tokens["tokens"][0]["revocationUrl"].as_str().unwrap().to_owned();
    assert_eq!(delete(by_token.clone()).await, 204);
    assert_eq!(delete(by_token).await, 404);
    assert_eq!(bench.org().token_count("Tidy Billing"), 0);
    assert_eq!(delete(format!("{base}/{app}/tokens")).await, 204);
    bench.org().set_permission(SCANNER, Permission::ExternalClientAppAdmin, false);
    assert_eq!(delete(format!("{base}/{app}/tokens")).await, 403);
}
