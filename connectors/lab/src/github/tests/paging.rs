//! Pages: `Link` is the only way on.

use super::*;

#[tokio::test]
async fn numbered_pages_have_links() {
    let bench = Bench::small().await;
    let first = bench.response("/orgs/small/installations?per_page=2").await;
    let next = link(&first, "next").unwrap();
    assert!(
        next.contains("/organizations/9919/installations?") && next.contains("page=2"),
        "{next}"
    );
    assert!(next.contains("per_page=2"), "{next}");
    assert!(link(&first, "last").unwrap().contains("page=3"));
    assert!(link(&first, "prev").is_none() && link(&first, "first").is_none());
    let middle = bench.response(&next).await;
    assert!(link(&middle, "prev").is_some() && link(&middle, "first").is_some());
    let last = bench.response(&link(&middle, "last").unwrap()).await;
    assert!(link(&last, "next").is_none() && link(&last, "last").is_none());
    let all = bench.all("/orgs/small/installations?per_page=4", Some("installations")).await;
    assert_eq!(all.len(), 6);
    let whole = bench.response("/orgs/small/installations").await;
    assert!(whole.headers().get("link").is_none(), "one page has no links");
    bench.tenant().set_behaviour(|behaviour| behaviour.numeric_links = false);
    let first = bench.response("/orgs/small/installations?per_page=2").await;
    assert!(link(&first, "next").unwrap().contains("/orgs/small/installations?"));
}

#[tokio::test]
async fn odd_page_sizes_are_passed_over() {
    let bench = Bench::small().await;
    let count = |query: &'static str| {
        let bench = &bench;
        async move {
            let body = bench.body(&format!("/orgs/small/installations{query}")).await;
            body["installations"].as_array().unwrap().len()
        }
    };
    for query in ["?per_page=0", "?per_page=all", "?per_page=1000", "?page=0", "?page=x"] {
        assert_eq!(count(query).await, 6, "{query}");
    }
    assert_eq!(count("?page=2").await, 0, "beyond the last");
    bench.tenant().set_behaviour(|behaviour| behaviour.page_cap = Some(4));
    assert_eq!(count("?per_page=100").await, 4);
    let keys = bench.response("/repos/small/backend/keys?per_page=1").await;
    assert!(link(&keys, "next").unwrap().contains("/repositories/5002/keys?"));
    assert_eq!(bench.all("/repos/small/backend/keys?per_page=1", None).await.len(), 2);
}

#[tokio::test]
async fn credentials_go_on_by_a_token_that_cannot_be_guessed() {
    let bench = Bench::small().await;
    let path = "/orgs/small/credential-authorizations?per_page=2";
    assert_eq!(bench.all(path, None).await.len(), 5);
    let first = bench.response(path).await;
    assert!(link(&first, "last").is_none());
    let next = link(&first, "next").unwrap();
    assert_eq!(bench.get(&format!("{path}&page=2")).await.0, 422, "no number");
    assert_eq!(
        bench.delete_as(&bench.revoker, "/orgs/small/credential-authorizations/161001").await,
        204
    );
    let ids = numbers(&bench.body(&next).await, "credential_id");
    assert_eq!(ids, [161_003, 161_004], "none is missed");
    bench.tenant().inject(Fault::new(Effect::ExpireLocator).times(1));
    assert_eq!(bench.get(&next).await.0, 422);
    assert_eq!(bench.body(path).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn numbered_pages_miss_a_row_when_another_goes() {
    let bench = Bench::small().await;
    let first = bench.response("/orgs/small/personal-access-tokens?per_page=1").await;
    let next = link(&first, "next").unwrap();
    let gone = "/orgs/small/personal-access-tokens/25001";
    assert_eq!(bench.post_as(&bench.revoker, gone, &json!({ "action": "revoke" })).await.0, 204);
    assert_eq!(numbers(&bench.body(&next).await, "id"), [25_003], "25002 has moved up");
}
