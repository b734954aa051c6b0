//! The rate limits, and their headers.

use super::*;

fn figures(response: &Response) -> (u32, u32, i64) {
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    (
        header("x-rate-limit-limit").parse().unwrap(),
        header("x-rate-limit-remaining").parse().unwrap(),
        header("x-rate-limit-reset").parse().unwrap(),
    )
}

#[tokio::test]
async fn half_of_a_bucket_is_ours() {
    let bench = Bench::small().await;
    let first = bench.response("/api/v1/apps?limit=1").await;
    let (limit, remaining, reset) = figures(&first);
    assert_eq!((limit, remaining), (100, 99));
    assert!((wall() + 50..=wall() + 62).contains(&reset));
    assert!(first.headers().contains_key("date"));
    let mut allowed = 1;
    let refused = loop {
        let response = bench.response("/api/v1/apps?limit=1").await;
        if response.status() == 429 {
            break response;
        }
        allowed += 1;
    };
    assert_eq!(allowed, 50);
    assert_eq!((figures(&refused).0, figures(&refused).1), (100, 0));
    assert!(refused.headers().get("retry-after").is_none());
    assert_eq!(code(&refused.json().await.unwrap()), "E0000047");
    assert_eq!(
        bench.response(&format!("/api/v1/apps/{DRIFT}")).await.status(),
        200,
        "another bucket"
    );
    let other =
        bench.call(Method::GET, "/api/v1/apps", &format!("Bearer {}", bench.revoking), None).await;
    assert_eq!(other.status(), 200, "another principal");
    bench.org().set_behaviour(|behaviour| behaviour.quota = false);
    let response = bench.response("/api/v1/apps?limit=1").await;
    assert_eq!(response.status(), 200);
    assert!(response.headers().get("x-rate-limit-limit").is_none());
}

#[tokio::test]
async fn a_bucket_is_full_again_when_it_says_so() {
    let bench = Bench::with(|world| {
        world.limits.per_minute.insert("/api/v1/logs".to_owned(), 4);
        world.behaviour.time_scale = 60.0;
        world.behaviour.headers_tell_share = true;
    })
    .await;
    for left in [1, 0] {
        let response = bench.response("/api/v1/logs?limit=1").await;
        assert_eq!((figures(&response).0, figures(&response).1), (2, left));
    }
    let refused = bench.response("/api/v1/logs?limit=1").await;
    assert_eq!(refused.status(), 429);
    let wait = figures(&refused).2 - wall();
    assert!((0..=2).contains(&wait), "{wait}");
    while wall() < figures(&refused).2 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(bench.response("/api/v1/logs?limit=1").await.status(), 200);
}

#[tokio::test]
async fn a_principal_may_have_a_share_of_its_own() {
    let bench = Bench::with(|world| {
        world.limits.per_minute.insert("/api/v1/users".to_owned(), 30);
    })
    .await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(bench.ssws("Backup vendor", "/api/v1/users?limit=1").await.0);
    }
    assert_eq!(seen, [200, 200, 200, 429]);
}

#[tokio::test]
async fn too_many_calls_at_the_same_time() {
    let bench = Bench::with(|world| world.limits.concurrent = 10).await;
    bench.org().set_behaviour(|behaviour| behaviour.latency_ms = 300);
    let calls = (0..25).map(|_| bench.response("/api/v1/org"));
    let responses = futures::future::join_all(calls).await;
    let refused: Vec<&Response> = responses.iter().filter(|it| it.status() == 429).collect();
    assert!((5..=15).contains(&refused.len()), "{}", refused.len());
    assert_eq!((figures(refused[0]).0, figures(refused[0]).1), (0, 0));
    assert!(figures(refused[0]).2 <= wall() + 2);
    assert_eq!(bench.response("/api/v1/org").await.status(), 200);
}
