//! The System Log.

use super::*;

const KINDS: &str = "filter=eventType sw \"app.oauth2\"";

#[tokio::test]
async fn times_filters_and_order() {
    let bench = Bench::small().await;
    let week = bench.rows("/api/v1/logs").await;
    let kinds = texts(&week, "eventType");
    assert!(kinds.contains(&"app.oauth2.token.detect_reuse".to_owned()), "{kinds:?}");
    assert!(!kinds.contains(&"app.oauth2.admin.consent.grant".to_owned()), "older than a week");
    let published = texts(&week, "published");
    assert!(published.is_sorted());
    let reversed = bench.rows("/api/v1/logs?sortOrder=DESCENDING").await;
    assert_eq!(texts(&reversed, "published").first(), published.last());
    let quarter = "since=2025-10-01T00:00:00Z&limit=1000";
    let all = bench.rows(&format!("/api/v1/logs?{quarter}")).await;
    assert!(texts(&all, "published").iter().all(|at| at.as_str() >= "2025-10-17"), "ninety days");
    for (filter, least) in [
        ("eventType eq \"app.oauth2.admin.consent.grant\"", 2),
        ("eventType eq \"app.oauth2.as.token.grant.refresh_token\"", 1),
        ("eventType eq \"integration.api_service.lifecycle.authorize\"", 1),
        (
            "eventType eq \"application.lifecycle.create\" and actor.alternateId eq \"ada.admin@small.example\"",
            1,
        ),
        ("eventType sw \"system.api_token\" and outcome.result ne \"SUCCESS\"", 1),
        ("target.id eq \"0oaFAKErobot00000001\" and published gt \"2025-12-20T00:00:00.000Z\"", 1),
        ("client.id eq \"0oaFAKEdrift00000001\"", 4),
    ] {
        let rows = bench.rows(&format!("/api/v1/logs?{quarter}&filter={filter}")).await;
        assert!(rows.len() >= least && rows.len() < all.len(), "{filter}: {}", rows.len());
    }
    let none =
        bench.rows("/api/v1/logs?since=2026-01-01T00:00:00Z&until=2026-01-01T00:00:01Z").await;
    assert_eq!(none.len(), 0);
    assert_eq!(bench.rows("/api/v1/logs?q=reuse THRICE").await.len(), 0);
    assert_eq!(bench.rows("/api/v1/logs?q=used TWICE").await.len(), 1);
}

#[tokio::test]
async fn without_an_end_it_can_be_polled() {
    let bench = Bench::small().await;
    let bounded = format!(
        "/api/v1/logs?since=2025-12-01T00:00:00Z&until=2026-01-15T12:00:00Z&limit=3&{KINDS}"
    );
    let (rows, pages) = bench.all(&bounded).await;
    assert!(rows.len() > 6 && pages == rows.len().div_ceil(3), "{} in {pages}", rows.len());
    let mut path = format!("/api/v1/logs?since=2026-01-10T00:00:00Z&{KINDS}");
    for expected in [true, false, false] {
        let response = bench.response(&path).await;
        path = link(&response, "next")
            .expect("always a next page")
            .replace(bench.org().base_url(), "");
        assert_eq!(response.json::<Vec<Json>>().await.unwrap().is_empty(), !expected);
    }
    assert_eq!(bench.delete(&format!("/api/v1/apps/{DRIFT}/tokens")).await, 204);
    let fresh = bench.rows(&path).await;
    assert_eq!(fresh.len(), 4);
    assert!(texts(&fresh, "eventType").contains(&"app.oauth2.as.token.revoke".to_owned()));
    assert_eq!(fresh[0]["actor"]["displayName"], "Grantwarden revoker");
    bench.org().set_behaviour(|behaviour| behaviour.event_lag_seconds = 60);
    let rows = bench.rows("/api/v1/logs?filter=eventType eq \"app.oauth2.token.revoke\"").await;
    assert_eq!(rows.len(), 0, "not yet");
}
