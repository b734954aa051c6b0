//! The one query that GraphQL is for.

use super::*;

const QUERY: &str = "query($login: String!, $after: String) { organization(login: $login) { \
    repositories(first: 2, after: $after) { nodes { nameWithOwner isArchived deployKeys(first: 100) { \
    nodes { id title key readOnly verified enabled createdAt } pageInfo { hasNextPage endCursor } } } \
    pageInfo { endCursor hasNextPage } } } rateLimit { cost remaining } }";

async fn ask(bench: &Bench, query: &str, variables: Json) -> Json {
    let body = json!({ "query": query, "variables": variables });
    let (status, body) = bench.post_as(&bench.token, "/graphql", &body).await;
    assert_eq!(status, 200, "{body}");
    body
}

#[tokio::test]
async fn deploy_keys_of_many_repositories() {
    let bench = Bench::small().await;
    let first = ask(&bench, QUERY, json!({ "login": "small", "after": null })).await;
    assert!(first.get("errors").is_none(), "{first}");
    let repositories = &first["data"]["organization"]["repositories"];
    assert_eq!(texts(&repositories["nodes"], "nameWithOwner"), ["small/website", "small/backend"]);
    let keys = &repositories["nodes"][1]["deployKeys"]["nodes"];
    assert_eq!(texts(keys, "title"), ["deploy from the build server", "mirror"]);
    assert_eq!(keys[0]["readOnly"], false);
    assert!(keys[0].get("last_used").is_none());
    assert_eq!(first["data"]["rateLimit"]["cost"], 1);
    let cursor = &repositories["pageInfo"]["endCursor"];
    let second = ask(&bench, QUERY, json!({ "login": "small", "after": cursor })).await;
    let repositories = &second["data"]["organization"]["repositories"];
    assert_eq!(repositories["nodes"][0]["isArchived"], true);
    assert_eq!(repositories["pageInfo"]["hasNextPage"], false);
    assert_eq!(
        bench.tenant().count_calls(|call| call.asks("later page") && call.path == "/graphql"),
        1
    );
}

#[tokio::test]
async fn anything_else_is_an_error_in_the_answer() {
    let bench = Bench::small().await;
    for (query, part) in [
        ("{ viewer { login } }", "Field 'viewer' doesn't exist"),
        (
            "{ organization(login: \"small\") { auditLog(first: 1) { nodes { id } } } }",
            "'auditLog'",
        ),
        ("mutation { a }", "does not serve `mutation`"),
        ("{ organization(login: \"small\") { repositories { totalCount } } }", "You must provide"),
        (
            "{ organization(login: \"small\") { repositories(first: 500) { totalCount } } }",
            "exceeds",
        ),
        ("{ organization(login: \"nobody\") { login } }", "Could not resolve"),
        (
            "{ organization(login: \"small\") { repositories(first: 1, after: \"x\") { totalCount } } }",
            "cursor",
        ),
    ] {
        let body = ask(&bench, query, json!({})).await;
        let found = body["errors"][0]["message"].as_str().unwrap();
        assert!(found.contains(part), "{query}: {found}");
    }
    bench.tenant().set_right("administration", false);
    let body = ask(&bench, QUERY, json!({ "login": "small" })).await;
    assert_eq!(body["errors"][0]["type"], "FORBIDDEN");
    assert!(body["data"]["organization"].is_null());
    assert_eq!(bench.post_as("", "/graphql", &json!({ "query": "{ a }" })).await.0, 401);
    assert_eq!(bench.get("/graphql").await.0, 404);
}
