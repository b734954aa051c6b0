//! Pages: every row once, tokens bound to their listing, and how tokens end.

use std::collections::HashSet;

use super::*;

fn large(users: usize, grants: usize) -> World {
    let now = "2026-01-15T12:00:00Z".parse().unwrap();
    World::generate_google(&GoogleScale { users, grants, apps: 40, seed: 3, now })
}

#[tokio::test]
async fn every_user_comes_once() {
    let bench = Bench::of(large(1_203, 0)).await;
    for size in [500, 100] {
        let path = format!(
            "/admin/directory/v1/users?customer=my_customer&maxResults={size}&fields=nextPageToken,users/id"
        );
        bench.customer().forget_calls();
        let users = bench.all(&path, "users").await;
        let ids: HashSet<&str> = users.iter().map(|user| user["id"].as_str().unwrap()).collect();
        assert_eq!((users.len(), ids.len()), (1_204, 1_204));
        assert_eq!(bench.customer().count_calls(|_| true), 1_204_usize.div_ceil(size));
    }
    let body = bench.body("/admin/directory/v1/users?customer=my_customer").await;
    assert_eq!(body["users"].as_array().unwrap().len(), 100, "the usual page");
}

#[tokio::test]
async fn every_event_comes_once_even_if_one_is_added_meanwhile() {
    let bench = Bench::of(large(120, 1_500)).await;
    let path = "/admin/reports/v1/activity/users/all/applications/token?maxResults=100";
    let whole = bench.all(path, "items").await;
    let key = |event: &Json| {
        (event["id"]["time"].to_string(), event["id"]["uniqueQualifier"].to_string())
    };
    let keys: HashSet<_> = whole.iter().map(key).collect();
    assert!(whole.len() > 1_000 && keys.len() == whole.len());
    let times: Vec<&str> =
        whole.iter().map(|event| event["id"]["time"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "newest first");
    assert!(times.windows(2).any(|two| two[0] == two[1]), "some share a second");

    let first = bench.body(path).await;
    let user = format!("user{:07}@generated.example", 5);
    let tokens = bench.body(&user_path(&user, "/tokens")).await;
    let client = tokens["items"][0]["clientId"].as_str().unwrap();
    assert_eq!(bench.delete(&user_path(&user, &format!("/tokens/{client}"))).await, 204);
    let next = encoded(first["nextPageToken"].as_str().unwrap());
    // The listing goes on where it was, whatever came on top.
    let second = bench.body(&format!("{path}&pageToken={next}")).await;
    assert_eq!(second["items"][0]["id"], whole[100]["id"]);
    let again = bench.all(path, "items").await;
    assert_eq!(again.len(), whole.len() + 1);
    assert_eq!(again[0]["events"][0]["name"], "revoke");
}

#[tokio::test]
async fn a_page_token_belongs_to_its_listing_and_ends() {
    let bench = Bench::small().await;
    let path = "/admin/directory/v1/users?customer=my_customer&maxResults=2";
    let next = async || {
        let body = bench.body(path).await;
        format!("&pageToken={}", encoded(body["nextPageToken"].as_str().unwrap()))
    };
    let token = next().await;
    assert_eq!(bench.get(&format!("{path}{token}")).await.0, 200);
    assert_eq!(bench.get(&format!("{path}{token}")).await.0, 200, "a page may be read again");
    let (status, body) = bench.get(&format!("{path}&orderBy=givenName{token}")).await;
    assert_eq!(
        (status, body["error"]["message"].as_str()),
        (400, Some("Invalid Input: pageToken"))
    );

    bench.customer().set_behaviour(|behaviour| behaviour.page_token_once = true);
    assert_eq!(bench.get(&format!("{path}{token}")).await.0, 200);
    assert_eq!(bench.get(&format!("{path}{token}")).await.0, 400, "once only");
    let token = next().await;
    bench.customer().set_behaviour(|behaviour| behaviour.page_token_seconds = 0);
    assert_eq!(bench.get(&format!("{path}{token}")).await.0, 400, "after its time");
}
