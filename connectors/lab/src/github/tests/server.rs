//! The other products: a server of one's own, and a plan without the enterprise's features.

use super::*;

fn one(name: &str) -> World {
    let mut world = World::parse(SMALL).unwrap();
    world.github.retain(|host| host.name == name);
    world
}

/// A bench on a host without a revoker.
async fn bench(name: &str) -> Bench {
    let now = "2026-01-15T12:00:00Z".parse().unwrap();
    let lab = Lab::builder().now(now).start(one(name)).await.unwrap();
    let mut bench = Bench { lab, client: client(), token: String::new(), revoker: String::new() };
    let first = bench.tenant().client().organisations[0].clone();
    bench.token = bench.token_for(&format!("/orgs/{first}"), false).await;
    bench
}

#[tokio::test]
async fn a_server_has_everything_below_api_v3() {
    let bench = bench("Small Server").await;
    assert!(bench.tenant().base_url().ends_with("/api/v3"));
    let bare = bench.tenant().base_url().replace("/api/v3", "/orgs/workshop");
    assert_eq!(bench.get(&bare).await.0, 404);
    let list = bench.response("/orgs/workshop/installations?per_page=1").await;
    assert!(link(&list, "next").unwrap().contains("/api/v3/organizations/"));
    assert!(list.headers().get("x-ratelimit-limit").is_none(), "no limits");
    assert_eq!(list.headers()["x-github-enterprise-version"], "3.19.0");
    let (status, meta) = bench.get_as("", "/meta").await;
    assert_eq!((status, &meta["installed_version"]), (200, &json!("3.19.0")));
    assert_eq!(bench.get("/rate_limit").await.0, 404);
    assert_eq!(
        bench.all("/orgs/workshop/installations?per_page=1", Some("installations")).await.len(),
        2
    );
    assert_eq!(bench.get("/orgs/workshop/credential-authorizations").await.0, 404);
    assert_eq!(bench.get("/orgs/workshop/audit-log").await.0, 200);
    assert_eq!(bench.get("/orgs/workshop/personal-access-tokens").await.0, 200);
    assert_eq!(
        bench.post_as("", "/credentials/revoke", &json!({ "credentials": ["x"] })).await.0,
        404
    );
    let query = json!({ "query": "{ organization(login: \"workshop\") { login } }" });
    let (status, body) = bench.post_as(&bench.token, &bench.tenant().graphql_url(), &query).await;
    assert_eq!((status, &body["data"]["organization"]["login"]), (200, &json!("workshop")));
}

#[tokio::test]
async fn a_site_administrator_sees_all_tokens() {
    let bench = bench("Small Server").await;
    let root = bench.tenant().client().site_admin_token;
    let (status, list) = bench.get_as(&root, "/admin/tokens").await;
    assert_eq!((status, list.as_array().unwrap().len()), (200, 4));
    assert_eq!(list[1]["app"]["name"], "Drift Chat");
    assert_eq!((&list[0]["token"], &list[0]["user"]["login"]), (&json!(""), &json!("ada")));
    let own = list.as_array().unwrap().iter().find(|row| row["user"]["login"] == "root").unwrap();
    let own = format!("/admin/tokens/{}", own["id"]);
    assert_eq!(bench.delete_as(&root, &own).await, 403, "in use");
    assert_eq!(bench.delete_as(&root, "/admin/tokens/502").await, 204);
    assert_eq!(bench.delete_as(&root, "/admin/tokens/502").await, 404);
    assert!(!bench.tenant().has_site_token(502) && bench.tenant().has_site_token(501));
    let (_, keys) = bench.get_as(&root, "/admin/keys").await;
    assert_eq!(texts(&keys, "title"), ["ada's laptop", "line 2"]);
    assert_eq!(keys[1]["last_used"], "2026-01-10T08:00:00Z");
    assert_eq!(bench.get_as(&root, "/admin/hooks").await, (200, json!([])));
    let ada = bench.tenant().client().owner_token;
    assert_eq!(bench.get_as(&ada, "/admin/tokens").await.0, 404);
    assert_eq!(bench.get("/admin/tokens").await.0, 404);
}

#[tokio::test]
async fn a_team_has_neither_log_nor_enterprise() {
    let bench = bench("Small Team").await;
    assert_eq!(bench.body("/orgs/garage").await["plan"]["name"], "team");
    for path in [
        "/orgs/garage/audit-log",
        "/orgs/garage/credential-authorizations",
        "/enterprises/x/installation",
    ] {
        let (status, body) = bench.get(path).await;
        assert_eq!((status, message(&body)), (404, "Not Found"), "{path}");
    }
    assert_eq!(bench.body("/orgs/garage/personal-access-tokens").await, json!([]));
    let first = bench.response("/orgs/garage").await;
    assert_eq!(first.headers()["x-ratelimit-limit"], "5000");
    assert!(bench.lab.github("Small Team").is_some() && bench.lab.github("Other").is_none());
    let jwt = bench.jwt(false);
    let (_, found) = bench.get_as(&jwt, "/orgs/garage-two/installation").await;
    let path = format!("/app/installations/{}/access_tokens", found["id"]);
    assert_eq!(bench.post_as(&jwt, &path, &json!({})).await.0, 403, "suspended");
    assert_eq!(bench.get_as("", "/admin/tokens").await.0, 404);
}

#[tokio::test]
async fn the_configuration_has_a_table_for_each_organisation() {
    let bench = Bench::small().await;
    let folder = tempfile::tempdir().unwrap();
    let path = bench.lab.write_config(folder.path()).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let config: toml::Table = text.parse().unwrap();
    let tables = config["tenant"].as_array().unwrap();
    let accounts: Vec<&str> =
        tables.iter().map(|table| table["account"].as_str().unwrap()).collect();
    let wanted =
        ["small", "small-labs", "enterprises/small-corp", "workshop", "garage", "garage-two"];
    assert_eq!(accounts, wanted, "not small-closed");
    let key = tables[0]["auth"]["private_key"]["file"].as_str().unwrap();
    assert!(std::fs::read_to_string(key).unwrap().contains("PRIVATE KEY"));
    assert!(!tables[3]["base_url"].as_str().unwrap().contains("/api/v3"), "the scanner adds it");
    assert!(!text.contains("PRIVATE KEY") && !text.contains("ghp_"));
    let described = bench.lab.describe(Some(folder.path()));
    assert!(
        described[0]["revoker_key_file"].is_string() && described[1]["revoker_key_file"].is_null()
    );
    assert_eq!(bench.tenant().grant_count(), 9 + 5 + 4);
}
