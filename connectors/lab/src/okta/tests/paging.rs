//! Pages and their cursors.

use super::*;

#[tokio::test]
async fn every_listing_is_whole_page_by_page() {
    let bench = Bench::small().await;
    let servers = bench.rows("/api/v1/authorizationServers").await;
    let scopes = format!(
        "/api/v1/authorizationServers/{}/scopes?limit=4",
        servers[1]["id"].as_str().unwrap()
    );
    for (path, count, pages, id) in [
        ("/api/v1/apps?limit=5", 11, 3, "id"),
        ("/api/v1/users?limit=3", 7, 3, "id"),
        (&format!("/api/v1/apps/{DRIFT}/tokens?limit=1"), 4, 4, "id"),
        (&format!("/api/v1/users/{SAM}/grants?limit=1"), 2, 2, "id"),
        ("/oauth2/v1/clients?limit=4", 10, 3, "client_id"),
        ("/api/v1/authorizationServers?limit=1", 2, 2, "id"),
        ("/api/v1/zones?limit=2", 3, 2, "id"),
        (&scopes, 9, 3, "id"),
    ] {
        let (rows, seen) = bench.all(path).await;
        let mut ids = texts(&rows, id);
        ids.sort();
        ids.dedup();
        assert_eq!((rows.len(), ids.len(), seen), (count, count, pages), "{path}");
    }
    bench.org().set_behaviour(|behaviour| {
        behaviour.services_page = 1;
        behaviour.apps_page = 2;
        behaviour.assignees_page = 3;
    });
    assert_eq!(bench.all("/integrations/api/v1/api-services").await.1, 2);
    assert_eq!(bench.all("/api/v1/apps?limit=200").await.1, 6, "the org's own cap");
    let first = bench.body("/api/v1/iam/assignees/users?limit=100").await;
    let next =
        first["_links"]["next"]["href"].as_str().unwrap().replace(bench.org().base_url(), "");
    let second = bench.body(&next).await;
    assert_eq!(
        first["value"].as_array().unwrap().len() + second["value"].as_array().unwrap().len(),
        4
    );
    assert!(second["_links"].get("next").is_none());
}

#[tokio::test]
async fn links_are_lines_of_their_own() {
    let bench = Bench::small().await;
    let response = bench.response("/api/v1/apps?limit=5&q=").await;
    let lines: Vec<&str> =
        response.headers().get_all("link").iter().map(|it| it.to_str().unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        lines[0],
        format!("<{}/api/v1/apps?limit=5&q=>; rel=\"self\"", bench.org().base_url())
    );
    assert!(lines[1].contains("limit=5") && lines[1].ends_with("rel=\"next\""), "{}", lines[1]);
    let grants = bench.response(&format!("/api/v1/apps/{ROBOT}/grants")).await;
    assert!(grants.headers().get("link").is_none(), "this listing has no pages");
}

#[tokio::test]
async fn cursors_belong_to_their_listing_and_end() {
    let bench = Bench::small().await;
    let next =
        |response: Response| link(&response, "next").unwrap().replace(bench.org().base_url(), "");
    let apps = next(bench.response("/api/v1/apps?limit=2").await);
    let cursor = apps.split("after=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    assert_eq!(bench.get(&format!("/api/v1/users?after={cursor}")).await.0, 400);
    assert_eq!(bench.get(&format!("/api/v1/apps?q=x&after={cursor}")).await.0, 400);
    assert_eq!(bench.get(&apps).await.0, 200);
    assert_eq!(bench.get(&apps).await.0, 200, "again");
    bench.org().set_behaviour(|behaviour| behaviour.page_once = true);
    assert_eq!(bench.get(&apps).await.0, 200);
    assert_eq!(bench.get(&apps).await.0, 400);
    bench.org().set_behaviour(|behaviour| behaviour.page_once = false);
    let apps = next(bench.response("/api/v1/apps?limit=2").await);
    bench.org().set_behaviour(|behaviour| behaviour.page_seconds = 0);
    assert_eq!(bench.get(&apps).await.0, 400, "too late");
}

#[tokio::test]
async fn a_row_that_goes_between_pages_takes_no_other_with_it() {
    let bench = Bench::small().await;
    let path = format!("/api/v1/apps/{DRIFT}/tokens?limit=2");
    let first = bench.response(&path).await;
    let next = link(&first, "next").unwrap().replace(bench.org().base_url(), "");
    let rows: Vec<Json> = first.json().await.unwrap();
    for row in &rows {
        let id = row["id"].as_str().unwrap();
        assert_eq!(bench.delete(&format!("/api/v1/apps/{DRIFT}/tokens/{id}")).await, 204);
    }
    assert_eq!(bench.rows(&next).await.len(), 2);
}
