//! Every effect of a fault.

use super::*;

#[tokio::test]
async fn faults_that_answer_instead() {
    let bench = Bench::small().await;
    let soql = "SELECT COUNT() FROM OauthToken";
    for (effect, status, expected) in [
        (Effect::Throttle { retry_after: None }, 429, "REQUEST_LIMIT_EXCEEDED"),
        (Effect::ServerError, 503, "SERVER_UNAVAILABLE"),
        (Effect::ConcurrentLimit, 403, "REQUEST_LIMIT_EXCEEDED"),
        (Effect::TotalRequestsLimit, 403, "REQUEST_LIMIT_EXCEEDED"),
    ] {
        bench.org().inject(Fault::new(effect.clone()).on_text("FROM OauthToken").times(1));
        let (got, body) = bench.query(soql).await;
        assert_eq!((got, code(&body)), (status, expected), "{effect:?}");
        assert_eq!(bench.query(soql).await.0, 200, "once only: {effect:?}");
    }
    let raw = async || {
        let request =
            bench.client.get(bench.url("/services/data/v65.0/limits")).bearer_auth(&bench.token);
        bench.send(request).await
    };
    bench.org().inject(Fault::new(Effect::Throttle { retry_after: Some(7) }).times(1));
    assert_eq!(raw().await.headers()["retry-after"], "7");
    bench.org().inject(Fault::new(Effect::Html).times(1));
    let html = raw().await;
    assert_eq!(
        (html.status().as_u16(), &html.headers()["content-type"]),
        (200, &"text/html;charset=UTF-8".parse().unwrap())
    );
    let headers = vec![("x-served-by".to_owned(), "proxy".to_owned())];
    bench
        .org()
        .inject(Fault::new(Effect::Reply { status: 418, headers, body: "{}".to_owned() }).times(1));
    let teapot = raw().await;
    assert_eq!(
        (teapot.status().as_u16(), &teapot.headers()["x-served-by"]),
        (418, &"proxy".parse().unwrap())
    );
    assert_eq!(raw().await.status(), 200);
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the lab's tests have no door of their own")]
async fn faults_on_the_wire() {
    let bench = Bench::small().await;
    let request =
        || bench.client.get(bench.url("/services/data/v65.0/sobjects")).bearer_auth(&bench.token);
    bench.org().inject(Fault::new(Effect::CutBody { after_bytes: 100 }).times(1));
    let mut response = request().send().await.unwrap();
    assert_eq!(response.status(), 200);
    let mut read = 0;
    let cut = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => read += chunk.len(),
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert_eq!((cut, read), (true, 100));

    bench.org().inject(Fault::new(Effect::Drop).times(1));
    // A client may try once more by itself on a kept connection, so use a fresh one.
    let fresh = client();
    let url = bench.url("/services/data/v65.0/sobjects");
    assert!(fresh.get(url).bearer_auth(&bench.token).send().await.is_err());
    let last = bench.org().calls().into_iter().rfind(|call| call.faulted).unwrap();
    assert_eq!(last.status, None);

    bench.org().inject(Fault::new(Effect::Slow { millis: 150 }).times(1));
    let started = tokio::time::Instant::now();
    assert_eq!(request().send().await.unwrap().status(), 200);
    assert!(started.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn faults_that_change_the_org() {
    let bench = Bench::small().await;
    let org = bench.org();
    let soql = "SELECT COUNT() FROM OauthToken";
    let inject = |effect| org.inject(Fault::new(effect).times(1));
    inject(Effect::AddToken { app: "Drift".into(), username: "sam.sales@small.example".into() });
    assert_eq!(bench.count(soql).await, 7);
    inject(Effect::RevokeToken { app: "Drift".into() });
    assert_eq!(bench.count(soql).await, 6);
    inject(Effect::DeleteUser { username: "sam.sales@small.example".into() });
    let rows = bench
        .records("SELECT UserId, User.Name FROM OauthToken WHERE AppName = 'My Ticket Portal'")
        .await;
    assert!(rows[0]["UserId"].is_string() && rows[0]["User"].is_null());
    inject(Effect::RemovePermission { user: None, permission: "CustomizeApplication".into() });
    assert_eq!(bench.count(soql).await, 0);
    inject(Effect::DeleteUser { username: "nobody".into() });
    assert_eq!(code(&bench.query(soql).await.1), "LAB_FAULT_UNKNOWN_NAME");
    inject(Effect::ExpireSessions);
    let (status, body) = bench.query(soql).await;
    assert_eq!((status, code(&body)), (401, "INVALID_SESSION_ID"));
    assert_eq!(bench.query(soql).await.0, 401, "for good, until a new sign-in");

    let bench = Bench::of(large(1_200)).await;
    let (_, page) = bench.query("SELECT Id FROM OauthToken").await;
    bench.org().inject(Fault::new(Effect::ExpireLocator).on_path("/query/01g").times(1));
    let (status, body) = bench.get(page["nextRecordsUrl"].as_str().unwrap()).await;
    assert_eq!((status, code(&body)), (400, "QUERY_LOCATOR_EXPIRED"));
    assert_eq!(
        bench.org().count_calls(|call| call.asks("FROM OauthToken")),
        2,
        "a later page counts by its query"
    );
}
