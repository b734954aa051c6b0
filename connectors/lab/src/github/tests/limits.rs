//! The published limits.

use super::*;

fn header(response: &Response, name: &str) -> i64 {
    response.headers()[name].to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_hour_is_counted_and_ends() {
    let bench = Bench::small().await;
    let first = bench.response("/orgs/small").await;
    assert_eq!(header(&first, "x-ratelimit-limit"), 15_000);
    let second = bench.response("/orgs/small").await;
    assert_eq!(
        header(&first, "x-ratelimit-remaining") - 1,
        header(&second, "x-ratelimit-remaining")
    );
    assert_eq!(second.headers()["x-ratelimit-resource"], "core");
    assert!((3_000..3_700).contains(&(header(&second, "x-ratelimit-reset") - wall())));
    let log = bench.response("/orgs/small/audit-log").await;
    assert_eq!((header(&log, "x-ratelimit-limit"), header(&log, "x-ratelimit-used")), (1_750, 1));
    assert_eq!(log.headers()["x-ratelimit-resource"], "audit_log");
    let (_, body) = bench.get("/rate_limit").await;
    assert_eq!(body["resources"]["audit_log"]["used"], 1);
    assert_eq!(body["rate"]["used"], 2);
    let (_, again) = bench.get("/rate_limit").await;
    assert_eq!(again["rate"], body["rate"], "costs nothing");
    let owner = bench.tenant().client().owner_token;
    let (_, body) = bench.get_as(&owner, "/rate_limit").await;
    assert_eq!(body["rate"]["limit"], 5_000);
    assert_eq!(bench.get_as("", "/rate_limit").await.1["rate"]["limit"], 60);

    // Twenty calls in an hour that lasts a second.
    bench.tenant().set_behaviour(|behaviour| {
        behaviour.calls_per_hour = Some(20);
        behaviour.time_scale = 3_600.0;
    });
    let mut refused = None;
    for _ in 0..25 {
        let response = bench.response("/orgs/small").await;
        if response.status().as_u16() == 403 {
            refused = Some(response);
            break;
        }
    }
    let refused = refused.unwrap();
    assert_eq!(header(&refused, "x-ratelimit-remaining"), 0);
    assert!(message(&read(refused).await.1).starts_with("API rate limit exceeded"));
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(bench.get("/orgs/small").await.0, 200);
    bench.tenant().set_behaviour(|behaviour| behaviour.quota = false);
    assert!(bench.response("/orgs/small").await.headers().get("x-ratelimit-limit").is_none());
    assert_eq!(bench.get("/rate_limit").await.0, 404);
}

#[tokio::test]
async fn too_many_points_in_a_minute() {
    let bench = Bench::small().await;
    bench.tenant().set_behaviour(|behaviour| {
        behaviour.points_per_minute = 10;
        behaviour.time_scale = 60.0;
    });
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(bench.response("/orgs/small").await);
    }
    let refused = statuses.into_iter().find(|response| response.status().as_u16() == 403).unwrap();
    assert_eq!(header(&refused, "retry-after"), 1, "a minute lasts a second");
    assert!(header(&refused, "x-ratelimit-remaining") > 0);
    assert!(message(&read(refused).await.1).contains("secondary rate limit"));
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(bench.get("/orgs/small").await.0, 200);
}

#[tokio::test]
async fn too_many_calls_at_once() {
    let bench = Bench::small().await;
    bench.tenant().set_behaviour(|behaviour| behaviour.latency_ms = 400);
    let calls = |count: usize| {
        let calls = (0..count).map(|_| bench.get("/orgs/small"));
        futures::future::join_all(calls)
    };
    assert!(calls(60).await.iter().all(|(status, _)| *status == 200));
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let refused = calls(140).await.iter().filter(|(status, _)| *status == 403).count();
    assert!(refused > 0, "{refused}");
}
