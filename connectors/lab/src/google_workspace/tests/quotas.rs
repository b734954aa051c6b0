//! The published quotas, at their figures.

use super::*;

async fn statuses(bench: &Bench, path: &str, calls: usize) -> Vec<u16> {
    let mut seen = Vec::with_capacity(calls);
    for _ in 0..calls {
        seen.push(bench.get(path).await.0);
    }
    seen
}

#[tokio::test]
async fn filtered_listings_have_a_quota_of_their_own() {
    let bench = Bench::with(|world| world.behaviour.time_scale = 0.001).await;
    let log = "/admin/reports/v1/activity/users/all/applications/token?maxResults=1&fields=kind";
    let seen = statuses(&bench, &format!("{log}&eventName=deny"), 252).await;
    assert_eq!(seen.iter().position(|status| *status == 503), Some(250));
    assert_eq!(bench.get(log).await.0, 200, "an unfiltered listing is not counted there");
    bench.customer().set_behaviour(|behaviour| behaviour.plain_text_quota = true);
    let request = bench.client.get(bench.url(&format!("{log}&filters=client_id==x")));
    let response = bench.send(request.bearer_auth(&bench.token)).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.text().await.unwrap(), "Quota exceeded for the current request");
    bench.customer().set_behaviour(|behaviour| behaviour.quota = false);
    assert_eq!(bench.get(&format!("{log}&eventName=deny")).await.0, 200);
}

#[tokio::test]
async fn a_user_may_make_so_many_directory_calls_a_minute() {
    let bench = Bench::with(|world| world.behaviour.time_scale = 0.001).await;
    let path = user_path(SAM, "?fields=id");
    let seen = statuses(&bench, &path, 2_402).await;
    assert_eq!(seen.iter().position(|status| *status == 403), Some(2_400));
    let (_, body) = bench.get(&path).await;
    assert_eq!(reason(&body), "userRateLimitExceeded");
    let log = "/admin/reports/v1/activity/users/all/applications/token";
    assert_eq!(bench.get(log).await.0, 200, "Reports are counted apart");
    bench.customer().set_behaviour(|behaviour| behaviour.time_scale = 600.0);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(bench.get(&path).await.0, 200, "refilled");
}

#[tokio::test]
async fn the_account_and_policies_answer_429() {
    let bench = Bench::with(|world| {
        world.behaviour.time_scale = 0.001;
        world.behaviour.account_per_minute = Some(70);
        world.behaviour.policies_per_minute = 60;
    })
    .await;
    let seen = statuses(&bench, "/v1/policies", 61).await;
    assert_eq!(seen.iter().position(|status| *status == 429), Some(60));
    let seen = statuses(&bench, &user_path(SAM, ""), 10).await;
    assert_eq!(seen.iter().position(|status| *status == 429), Some(9));
    let (_, body) = bench.get(&user_path(SAM, "")).await;
    assert_eq!(reason(&body), "rateLimitExceeded");
}
