//! Allowance, request shape, event log files, describes.

use super::*;

#[tokio::test]
async fn the_allowance_is_told_and_kept() {
    let bench = Bench::small().await;
    let request =
        bench.client.get(bench.url("/services/data/v65.0/limits")).bearer_auth(&bench.token);
    let response = bench.send(request).await;
    assert_eq!(response.headers()["sforce-limit-info"], "api-usage=121/15000");
    let body: Json = response.json().await.unwrap();
    assert_eq!(body["DailyApiRequests"], json!({ "Max": 15_000, "Remaining": 14_879 }));
    bench.org().set_limits(ApiLimits { max: 10, used: 9 });
    assert_eq!(bench.query("SELECT COUNT() FROM User").await.0, 200);
    let (status, body) = bench.query("SELECT COUNT() FROM User").await;
    assert_eq!(
        (status, code(&body), message(&body)),
        (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    );
}

#[tokio::test]
async fn requests_of_a_wrong_shape_are_refused() {
    let bench = Bench::small().await;
    for (path, status, expected) in [
        ("/services/data/v99.0/query?q=SELECT+Id+FROM+User", 404, "NOT_FOUND"),
        ("/services/data/v65.0/nothing", 404, "NOT_FOUND"),
        ("/services/data/v65.0/query?q=SELECT+Id+FROM+User&explain=1", 400, "INVALID_PARAMETER"),
        ("/services/data/v65.0/sobjects/User/005LAB000000099AAA", 404, "NOT_FOUND"),
        ("/elsewhere", 404, "NOT_FOUND"),
    ] {
        let (got, body) = bench.get(path).await;
        assert_eq!((got, code(&body)), (status, expected), "{path}");
    }
    let long = format!("SELECT Id FROM User WHERE Name = '{}'", "x".repeat(16_400));
    assert_eq!(bench.query(&long).await.0, 414);
    let request =
        bench.client.post(bench.url("/services/data/v65.0/query")).bearer_auth(&bench.token);
    assert_eq!(bench.send(request).await.status(), 405);
    let (status, versions) = bench.get("/services/data/").await;
    assert_eq!(status, 200);
    let spring = versions.as_array().unwrap().iter().find(|v| v["version"] == "66.0").unwrap();
    assert_eq!(spring["label"], "Spring '26");
}

#[tokio::test]
async fn event_logs_are_csv_by_day() {
    let bench = Bench::small().await;
    let soql = "SELECT Id, LogDate, LogFile, LogFileLength FROM EventLogFile WHERE EventType = 'ApiTotalUsage' AND LogDate >= LAST_N_DAYS:2 ORDER BY LogDate DESC";
    let files = bench.records(soql).await;
    assert_eq!(
        texts(&files, "LogDate"),
        ["2026-01-15T00:00:00.000+0000", "2026-01-14T00:00:00.000+0000"]
    );
    let request = bench
        .client
        .get(bench.url(files[0]["LogFile"].as_str().unwrap()))
        .bearer_auth(&bench.token);
    let csv = bench.send(request).await.text().await.unwrap();
    assert_eq!(csv.len() as u64, files[0]["LogFileLength"].as_u64().unwrap());
    assert!(csv.starts_with("\"EVENT_TYPE\",\"TIMESTAMP\","));
    assert_eq!(csv.lines().count(), 3);
    assert!(csv.contains("\"198.51.100.3\"") && csv.contains("\"Tidy Billing\""));
}

#[tokio::test]
async fn describes_and_records_serve_generic_clients() {
    let bench = Bench::small().await;
    let (_, all) = bench.get("/services/data/v65.0/sobjects").await;
    assert!(all["sobjects"].as_array().unwrap().iter().any(|o| o["name"] == "OauthToken"));
    let (_, one) = bench.get("/services/data/v65.0/sobjects/LoginHistory/describe").await;
    let application =
        one["fields"].as_array().unwrap().iter().find(|f| f["name"] == "Application").unwrap();
    assert_eq!(
        (&application["filterable"], &application["groupable"]),
        (&json!(false), &json!(true))
    );
    let id = texts(&bench.records("SELECT Id FROM User").await, "Id").remove(0);
    let (_, user) =
        bench.get(&format!("/services/data/v65.0/sobjects/User/{id}?fields=Username")).await;
    assert_eq!(user["Username"], "ada.admin@small.example");
}

#[cfg(feature = "tls")]
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the lab's tests have no door of their own")]
async fn https_is_trusted_by_its_own_authority_only() {
    let lab = Lab::builder().tls().start(World::parse(SMALL).unwrap()).await.unwrap();
    let url = format!("{}/services/data/", lab.salesforce("Small").unwrap().base_url());
    assert!(url.starts_with("https://localhost:"));
    let authority = reqwest::Certificate::from_pem(lab.ca_pem().unwrap().as_bytes()).unwrap();
    let trusting = Client::builder().no_proxy().tls_certs_only([authority]).build().unwrap();
    assert_eq!(trusting.get(&url).send().await.unwrap().status(), 200);
    assert!(client().get(&url).send().await.is_err());
}
