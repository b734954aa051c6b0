//! Usage reports and audit logs.

use super::*;

const APPS: &str = "/admin/reports/v1/usage/dates/2026-01-13?parameters=accounts:authorized_apps";
const TOKEN_LOG: &str = "/admin/reports/v1/activity/users/all/applications/token";
const ADMIN_LOG: &str = "/admin/reports/v1/activity/users/all/applications/admin";

fn parameter<'j>(event: &'j Json, name: &str) -> &'j Json {
    let list = event["events"][0]["parameters"].as_array().unwrap();
    list.iter().find(|one| one["name"] == name).unwrap_or(&Json::Null)
}

#[tokio::test]
async fn one_report_tells_all_apps() {
    let bench = Bench::small().await;
    let body = bench.body(APPS).await;
    let report = &body["usageReports"][0];
    assert_eq!(report["date"], "2026-01-13");
    assert_eq!(report["entity"], json!({ "type": "CUSTOMER", "customerId": "C0small01" }));
    let apps = report["parameters"][0]["msgValue"].as_array().unwrap();
    let told: Vec<(&str, u64)> = apps
        .iter()
        .map(|app| (app["client_name"].as_str().unwrap(), app["num_users"].as_u64().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("Drift", 3),
            ("Mail Merge Pro", 1),
            ("Desk Mailer", 1),
            ("legacy.vendor.example", 1),
            ("Small Intranet", 1),
            ("Old Timer", 1),
        ]
    );
    let past = bench.body(&APPS.replace("2026-01-13", "2025-11-20")).await;
    let past = past["usageReports"][0]["parameters"][0]["msgValue"].to_string();
    assert!(past.contains("Shady Sync") && !past.contains("Mail Merge"), "as it was that day");
    bench.customer().set_behaviour(|behaviour| behaviour.counts_as_strings = true);
    let app = bench.body(APPS).await["usageReports"][0]["parameters"][0]["msgValue"][0].take();
    assert_eq!(app["num_users"], "3");
}

#[tokio::test]
async fn a_report_lags_and_says_so() {
    let bench = Bench::small().await;
    let (status, body) = bench.get(&APPS.replace("2026-01-13", "2026-01-14")).await;
    assert_eq!((status, reason(&body)), (400, "invalid"));
    assert_eq!(
        body["error"]["message"],
        "Data for dates later than 2026-01-13 is not yet available. Please check back later"
    );
    bench.customer().set_behaviour(|behaviour| behaviour.report_empty_days = 1);
    let late = bench.body(APPS).await;
    assert!(late.get("usageReports").is_none());
    assert_eq!(late["warnings"][0]["data"][0]["value"], "2026-01-13");
    assert!(bench.body(&APPS.replace("13?", "12?")).await.get("warnings").is_none());
    for wrong in ["2026-1-13", "yesterday", "2026-02-30"] {
        assert_eq!(bench.get(&APPS.replace("2026-01-13", wrong)).await.0, 400, "{wrong}");
    }
    for wrong in ["parameters=nonsense", "parameters=shop:sales", "customerId=my_customer&x=1"] {
        let path = format!("/admin/reports/v1/usage/dates/2026-01-12?{wrong}");
        assert_eq!(bench.get(&path).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_report_has_a_line_for_each_user() {
    let bench = Bench::small().await;
    let path = "/admin/reports/v1/usage/users/all/dates/2026-01-13?parameters=accounts:num_authorized_apps,accounts:is_2sv_enrolled&maxResults=2";
    let lines = bench.all(path, "usageReports").await;
    assert_eq!(lines.len(), 6);
    let sam = lines.iter().find(|line| line["entity"]["userEmail"] == SAM).unwrap();
    assert_eq!(
        sam["parameters"],
        json!([
            { "name": "accounts:num_authorized_apps", "intValue": "3" },
            { "name": "accounts:is_2sv_enrolled", "boolValue": true },
        ])
    );
    let filtered = format!("{path}&filters=accounts:num_authorized_apps%3E1");
    assert_eq!(bench.all(&filtered, "usageReports").await.len(), 2);
    let one = bench.body("/admin/reports/v1/usage/users/sam@small.example/dates/2026-01-13").await;
    assert_eq!(one["usageReports"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_token_log_tells_the_history_of_grants() {
    let bench = Bench::small().await;
    let body = bench.body(TOKEN_LOG).await;
    let items = body["items"].as_array().unwrap();
    let count = |name: &str| items.iter().filter(|one| one["events"][0]["name"] == name).count();
    let counts = (count("authorize"), count("revoke"), count("activity"), count("deny"));
    assert_eq!(counts, (7, 2, 5, 1), "not older than 180 days");
    let first = items.iter().find(|one| one["events"][0]["name"] == "authorize").unwrap();
    assert_eq!(first["id"]["time"], "2026-01-02T09:00:00.000Z", "authorised again");
    assert_eq!(first["actor"]["email"], SAM);
    assert_eq!(parameter(first, "app_name")["value"], "Drift");
    assert_eq!(
        parameter(first, "scope")["multiValue"][2],
        "https://www.googleapis.com/auth/calendar"
    );
    let data = &parameter(first, "scope_data")["multiMessageValue"][2]["parameter"];
    assert_eq!(data[1], json!({ "name": "product_bucket", "multiValue": ["CALENDAR"] }));
    let deny = items.iter().find(|one| one["events"][0]["name"] == "deny").unwrap();
    assert_eq!(parameter(deny, "rejection_type")["value"], "EXPLICIT_ADMIN_BLOCK");
    let used = &items[0];
    assert_eq!(used["id"]["time"], "2026-01-15T11:30:00.000Z");
    assert_eq!(parameter(used, "product_bucket")["value"], "GMAIL");
    assert!(parameter(used, "num_response_bytes")["intValue"].is_string());
    assert_eq!(used["ipAddress"], "203.0.113.40");

    let poor = Bench::with(|world| world.edition.token_activity_events = false).await;
    let none = poor.body(&format!("{TOKEN_LOG}?eventName=activity")).await;
    assert!(none.get("items").is_none());
}

#[tokio::test]
async fn events_are_filtered() {
    let bench = Bench::small().await;
    let mail = bench.customer().client_id_of("Mail Merge Pro").unwrap();
    let sam = bench.body(&user_path(SAM, "")).await["id"].as_str().unwrap().to_owned();
    let count =
        async |path: String| bench.body(&path).await["items"].as_array().map_or(0, Vec::len);
    for (query, wanted) in [
        (format!("eventName=authorize&filters=client_id=={mail}"), 1),
        (format!("filters=client_id=={mail}"), 2),
        (format!("eventName=authorize&filters=client_id%3C%3E{mail}"), 6),
        ("filters=scope==https://mail.google.com/".to_owned(), 4),
        ("eventName=activity&filters=num_response_bytes%3E100000".to_owned(), 0),
        ("eventName=activity&filters=scope==openid".to_owned(), 0),
        ("startTime=2026-01-02T09:00:00Z&eventName=authorize".to_owned(), 1),
        ("startTime=2026-01-02T09:00:00.001Z&eventName=authorize".to_owned(), 0),
        ("endTime=2025-12-01T15:00:00Z&eventName=deny".to_owned(), 1),
        ("endTime=2025-12-01T14:59:59Z&eventName=deny".to_owned(), 0),
        ("startTime=2020-01-01T00:00:00Z&eventName=deny".to_owned(), 1),
        ("actorIpAddress=198.51.100.7".to_owned(), 2),
        ("customerId=C0small01&eventName=deny".to_owned(), 1),
    ] {
        assert_eq!(count(format!("{TOKEN_LOG}?{query}")).await, wanted, "{query}");
    }
    let own = TOKEN_LOG.replace("all", &sam);
    assert_eq!(count(format!("{own}?eventName=authorize")).await, 6);
    bench.customer().set_behaviour(|behaviour| behaviour.event_lag_seconds = 3_600);
    let newest = bench.body(TOKEN_LOG).await["items"][0]["id"]["time"].take();
    assert_eq!(newest, "2026-01-15T08:05:00.000Z", "younger ones have not arrived");
    let asked = bench.customer().count_calls(|call| call.asks("authorize client_id=="));
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn wrong_questions_about_events_are_refused() {
    let bench = Bench::small().await;
    for query in [
        "eventName=AUTHORIZE",
        "filters=client_id",
        "startTime=yesterday",
        "startTime=2026-01-10T00:00:00Z&endTime=2026-01-09T00:00:00Z",
        "startTime=2027-01-01T00:00:00Z",
        "maxResults=1001",
        "orgUnitID=Sales",
        "pageToken=stale",
        "since=today",
    ] {
        assert_eq!(bench.get(&format!("{TOKEN_LOG}?{query}")).await.0, 400, "{query}");
    }
    assert_eq!(bench.get(&TOKEN_LOG.replace("token", "nothing")).await.0, 400);
    assert_eq!(bench.get(&TOKEN_LOG.replace("token", "drive")).await.0, 501, "not an empty log");
    assert_eq!(bench.get(&format!("{TOKEN_LOG}?customerId=C0other")).await.0, 403);
}

#[tokio::test]
async fn the_admin_log_tells_delegation_and_trust() {
    let bench = Bench::small().await;
    let body = bench.body(&format!("{ADMIN_LOG}?eventName=AUTHORIZE_API_CLIENT_ACCESS")).await;
    let items = body["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "the oldest client is in no log");
    assert_eq!(items[0]["events"][0]["type"], "DOMAIN_SETTINGS");
    assert_eq!(items[0]["actor"]["email"], ADMIN);
    assert_eq!(parameter(&items[0], "API_CLIENT_NAME")["value"], "109900000000000000001");
    assert!(parameter(&items[0], "API_SCOPES")["value"].as_str().unwrap().contains("auth/drive"));
    let gone = bench.body(&format!("{ADMIN_LOG}?eventName=REMOVE_API_CLIENT_ACCESS")).await;
    assert_eq!(gone["items"].as_array().unwrap().len(), 1);
    let shady = bench.customer().client_id_of("Shady Sync").unwrap();
    let blocked = bench.body(&format!("{ADMIN_LOG}?filters=OAUTH2_APP_ID=={shady}")).await;
    assert_eq!(blocked["items"][0]["events"][0]["name"], "ADD_TO_BLOCKED_OAUTH2_APPS");
    assert_eq!(parameter(&blocked["items"][0], "ORG_UNIT_NAME")["value"], "/");
    assert_eq!(bench.get(&format!("{ADMIN_LOG}?eventName=authorize")).await.0, 400);
}
