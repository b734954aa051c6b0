//! Pages and delta queries.

use super::*;

#[tokio::test]
async fn pages_follow_each_other_and_are_bound_to_their_listing() {
    let bench = Bench::small().await;
    let all = bench.rows("/servicePrincipals?$select=id").await;
    let paged = bench.rows("/servicePrincipals?$select=id&$top=5").await;
    assert_eq!(paged, all);
    let (_, page) =
        bench.get("/oauth2PermissionGrants?$top=3&$filter=consentType eq 'Principal'").await;
    let next = page["@odata.nextLink"].as_str().unwrap();
    assert!(next.starts_with(bench.tenant().base_url()));
    assert!(next.contains("$top=3") && next.contains("$skiptoken="), "{next}");
    assert!(
        page["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("/v1.0/$metadata#oauth2PermissionGrants")
    );
    let (status, second) = bench.get(next).await;
    assert_eq!((status, second["value"].as_array().unwrap().len()), (200, 3));
    let elsewhere = next.replace("oauth2PermissionGrants", "servicePrincipals");
    let elsewhere = elsewhere.split("$filter").next().unwrap().to_owned()
        + "$skiptoken="
        + next.split("$skiptoken=").nth(1).unwrap();
    let (status, body) = bench.get(&elsewhere).await;
    assert_eq!((status, code(&body)), (400, "Directory_ExpiredPageToken"));
}

#[tokio::test]
async fn pages_may_be_short_or_empty_and_tokens_expire() {
    let bench = Bench::with(|world| {
        world.behaviour.page_cap = 4;
        world.behaviour.empty_first_pages = true;
    })
    .await;
    let (_, first) = bench.get("/servicePrincipals?$top=999").await;
    assert_eq!(first["value"], json!([]));
    assert_eq!(bench.rows("/servicePrincipals?$top=999").await.len(), 12);
    let bench = Bench::with(|world| world.behaviour.page_token_seconds = 0).await;
    let (_, page) = bench.get("/servicePrincipals?$top=5").await;
    let (status, body) = bench.get(page["@odata.nextLink"].as_str().unwrap()).await;
    assert_eq!((status, code(&body)), (400, "Directory_ExpiredPageToken"));
}

/// All rows of a delta query and the link for the next one.
async fn delta(bench: &Bench, path: &str) -> (Vec<Json>, String) {
    let mut rows = Vec::new();
    let mut url = bench.url(path);
    loop {
        let (status, body) = bench.get(&url).await;
        assert_eq!(status, 200, "{url}: {body}");
        rows.extend(body["value"].as_array().unwrap().iter().cloned());
        match body["@odata.nextLink"].as_str() {
            Some(next) => url = next.to_owned(),
            None => return (rows, body["@odata.deltaLink"].as_str().unwrap().to_owned()),
        }
    }
}

#[tokio::test]
async fn a_delta_query_tells_what_changed() {
    let bench = Bench::with(|world| world.behaviour.page_cap = 5).await;
    let (all, link) =
        delta(&bench, "/servicePrincipals/delta?$select=id,displayName,accountEnabled").await;
    assert_eq!(all.len(), 12);
    let (none, link) = delta(&bench, &link).await;
    assert!(none.is_empty());
    let id = bench.tenant().add_service_principal("Brand New").unwrap();
    assert!(bench.tenant().add_service_principal("Brand New").is_err());
    assert!(bench.tenant().set_enabled("Chartly", false));
    assert!(bench.tenant().set_enabled("Chartly", true));
    assert_eq!(bench.delete(&format!("/servicePrincipals/{MAILVAULT}")).await, 204);
    let (changes, later) = delta(&bench, &link).await;
    assert_eq!(texts(&changes, "id"), [id.as_str(), CHARTLY, MAILVAULT]);
    assert_eq!(
        changes[1],
        json!({ "id": CHARTLY, "displayName": "Chartly", "accountEnabled": true })
    );
    assert_eq!(changes[2], json!({ "id": MAILVAULT, "@removed": { "reason": "changed" } }));
    assert!(delta(&bench, &later).await.0.is_empty());
    let latest = bench.url("/servicePrincipals/delta?$deltatoken=latest");
    assert!(delta(&bench, &latest).await.0.is_empty());
}

#[tokio::test]
async fn delta_queries_of_grants_and_applications() {
    let bench = Bench::small().await;
    let (grants, grants_link) = delta(&bench, "/oauth2PermissionGrants/delta").await;
    let (applications, applications_link) = delta(&bench, "/applications/delta?$select=id").await;
    assert_eq!((grants.len(), applications.len()), (10, 2));
    let gone = grants[1]["id"].as_str().unwrap();
    let narrowed = grants[2]["id"].as_str().unwrap();
    assert_eq!(bench.delete(&format!("/oauth2PermissionGrants/{gone}")).await, 204);
    let patch = Some(json!({ "scope": "User.Read" }));
    assert_eq!(
        bench.call("PATCH", &format!("/oauth2PermissionGrants/{narrowed}"), patch).await.0,
        204
    );
    let (changes, _) = delta(&bench, &grants_link).await;
    assert_eq!(changes[0]["@removed"]["reason"], "deleted");
    assert_eq!((changes.len(), &changes[1]["scope"]), (2, &json!("User.Read")));
    let body = json!({ "keyCredentials": [] });
    assert_eq!(bench.call("PATCH", &format!("/applications/{INVOICES}"), Some(body)).await.0, 204);
    let (changes, _) = delta(&bench, &applications_link).await;
    assert_eq!(texts(&changes, "id"), [INVOICES]);
}

#[tokio::test]
async fn an_old_delta_token_means_starting_over() {
    let bench = Bench::small().await;
    let (_, link) = delta(&bench, "/servicePrincipals/delta?$select=id").await;
    bench.tenant().expire_delta_tokens();
    let response = bench.raw(&link).await;
    assert_eq!(response.status(), 410);
    let restart = response.headers()["location"].to_str().unwrap().to_owned();
    assert!(restart.ends_with("/servicePrincipals/delta?$select=id&$deltatoken="), "{restart}");
    let bench = Bench::with(|world| world.behaviour.delta_token_seconds = 0).await;
    let (_, link) = delta(&bench, "/servicePrincipals/delta").await;
    assert_eq!(bench.get(&link).await.0, 410);
    let (status, body) = bench.get("/servicePrincipals/delta?$top=5").await;
    assert_eq!((status, code(&body)), (400, "Request_BadRequest"));
}
