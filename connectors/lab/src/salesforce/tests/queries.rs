//! Queries: grammar, refusals, pages, windows, locators.

use super::*;

/// Every query here is also given to an independent SOQL parser by `clients/check.sh`.
const GOOD: &str = include_str!("../../../clients/good.soql");

#[tokio::test]
async fn good_queries_are_answered() {
    let bench = Bench::of(World::parse(DEMO).unwrap()).await;
    for line in GOOD.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (api, soql) = match line.strip_prefix("tooling: ") {
            Some(soql) => ("tooling/query", soql),
            None => ("query", line),
        };
        let (status, body) = bench.query_on(api, soql).await;
        assert_eq!(status, 200, "{soql}: {body}");
    }
}

#[tokio::test]
async fn bad_queries_are_refused_in_the_platforms_words() {
    let bench = Bench::small().await;
    for (soql, expected, text) in [
        (
            "SELECT Bogus FROM OauthToken",
            "INVALID_FIELD",
            "\nSELECT Bogus FROM OauthToken\n       ^\nERROR at Row:1:Column:8\nNo such column 'Bogus' on entity 'OauthToken'. If you are attempting to use a custom field",
        ),
        (
            "select count() from XYZZY",
            "INVALID_TYPE",
            "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\nsObject type 'XYZZY' is not supported. If you are",
        ),
        (
            "SELECT Owner.Name FROM OauthToken",
            "INVALID_FIELD",
            "Didn't understand relationship 'Owner' in field path.",
        ),
        ("SELECT Id FROM OauthToken WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        (
            "SELECT Id FROM OauthToken WHERE UseCount = 'many'",
            "INVALID_FIELD",
            "must be of type int and should not be enclosed in quotes",
        ),
        (
            "SELECT Id FROM OauthToken WHERE CreatedDate > 2026-01-01",
            "INVALID_FIELD",
            "must be of type dateTime",
        ),
        (
            "SELECT Id FROM OauthToken WHERE UserId = 'me'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID field: me",
        ),
        (
            "SELECT Id FROM LoginHistory WHERE Application = 'Drift'",
            "INVALID_FIELD",
            "field 'Application' can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM SetupAuditTrail WHERE Display LIKE '%Drift%'",
            "INVALID_FIELD",
            "field 'Display' can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM SetupAuditTrail ORDER BY Display",
            "INVALID_FIELD",
            "field 'Display' can not be sorted in a query call",
        ),
        (
            "SELECT CreatedById, COUNT(Id) FROM SetupAuditTrail GROUP BY CreatedById",
            "MALFORMED_QUERY",
            "SetupAuditTrail",
        ),
        (
            "SELECT CreatedDate, COUNT(Id) FROM OauthToken GROUP BY CreatedDate",
            "MALFORMED_QUERY",
            "field 'CreatedDate' can not be grouped in a query call",
        ),
        (
            "SELECT AppName, COUNT(Id) FROM OauthToken GROUP BY UserId",
            "MALFORMED_QUERY",
            "Field must be grouped or aggregated: AppName",
        ),
        (
            "SELECT Id FROM User LIMIT 10 OFFSET 2001",
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Maximum SOQL offset allowed is 2000",
        ),
        (
            "SELECT DeveloperName FROM ConnectedApplication",
            "INVALID_FIELD",
            "No such column 'DeveloperName'",
        ),
        (
            "SELECT Id FROM InstalledSubscriberPackage",
            "INVALID_TYPE",
            "sObject type 'InstalledSubscriberPackage'",
        ),
        ("SELECT PermissionsUseAnyApiClient FROM PermissionSet", "INVALID_FIELD", "No such column"),
        ("SELECT COUNT(), Id FROM OauthToken", "MALFORMED_QUERY", "COUNT()"),
        ("   ", "MALFORMED_QUERY", "SOQL statements cannot be empty or null"),
    ] {
        let (status, body) = bench.query(soql).await;
        assert_eq!((status, code(&body)), (400, expected), "{soql}: {body}");
        assert!(message(&body).contains(text), "{soql}: {}", message(&body));
    }
}

#[tokio::test]
async fn relations_are_nested_or_null() {
    let bench = Bench::small().await;
    let soql = "SELECT AppName, User.Profile.Name, User.Username, AppMenuItem.ApplicationId FROM OauthToken ORDER BY CreatedDate";
    let records = bench.records(soql).await;
    assert_eq!(records.len(), 6);
    assert_eq!(records[0]["User"]["Profile"]["Name"], "System Administrator");
    assert_eq!(records[0]["attributes"]["type"], "OauthToken");
    assert_eq!(records[0]["User"]["attributes"]["type"], "User");
    assert!(records[0]["AppMenuItem"]["ApplicationId"].as_str().unwrap().starts_with("0H4"));
    let by_app = |app: &str| records.iter().find(|r| r["AppName"] == app).unwrap();
    assert_eq!(by_app("My Ticket Portal")["AppMenuItem"], Json::Null);
    assert!(
        by_app("Tidy Billing")["AppMenuItem"]["ApplicationId"].as_str().unwrap().starts_with("0xI")
    );
    assert_eq!(records[2]["User"], Json::Null, "a deleted user");
}

#[tokio::test]
async fn filters_compare_as_the_platform_does() {
    let bench = Bench::small().await;
    for (filter, rows) in [
        ("AppName = 'drift'", 2),
        ("AppName != 'Drift'", 4),
        ("AppName LIKE '%ticket%'", 1),
        ("AppName IN ('Drift', 'Tidy Billing')", 3),
        ("AppName NOT IN ('Drift', 'Tidy Billing')", 3),
        ("NOT AppName = 'Drift'", 4),
        ("UserId = null", 1),
        ("LastUsedDate = null", 1),
        ("LastUsedDate != null AND UseCount > 100", 2),
        ("LastUsedDate < 2025-12-01T00:00:00Z", 2),
        ("CreatedDate = TODAY", 1),
        ("CreatedDate = LAST_N_DAYS:30", 2),
        ("CreatedDate < LAST_N_DAYS:30", 4),
        ("CreatedDate > 2024-06-01T10:00:00Z AND CreatedDate <= 2025-11-11T11:11:11Z", 2),
        ("User.IsActive = false", 1),
        ("User.Profile.Name = 'Standard User' OR (AppName = 'Drift' AND UseCount = 4120)", 3),
        ("AppMenuItem.ApplicationId = null", 1),
    ] {
        let soql = format!("SELECT COUNT() FROM OauthToken WHERE {filter}");
        assert_eq!(bench.count(&soql).await, rows, "{filter}");
        let soql = format!("SELECT AppName FROM OauthToken WHERE {filter}");
        assert_eq!(bench.records(&soql).await.len() as u64, rows, "{filter}");
    }
}

#[tokio::test]
async fn order_puts_nulls_where_asked() {
    let bench = Bench::small().await;
    let used = async |order: &str| {
        let soql =
            format!("SELECT LastUsedDate FROM OauthToken ORDER BY LastUsedDate {order} LIMIT 2");
        texts(&bench.records(&soql).await, "LastUsedDate")
    };
    assert_eq!(used("ASC").await, ["null", "2025-06-29T18:00:00.000+0000"]);
    assert_eq!(used("ASC NULLS LAST").await[0], "2025-06-29T18:00:00.000+0000");
    assert_eq!(used("DESC").await[0], "2026-01-15T11:30:00.000+0000");
    assert_eq!(used("DESC NULLS FIRST").await, ["null", "2026-01-15T11:30:00.000+0000"]);
    let soql = "SELECT AppName FROM OauthToken ORDER BY AppName DESC, CreatedDate OFFSET 4";
    assert_eq!(texts(&bench.records(soql).await, "AppName"), ["Drift", "Drift"]);
}

#[tokio::test]
async fn groups_count_and_aggregate() {
    let bench = Bench::small().await;
    let soql = "SELECT AppName, COUNT(Id) n, MAX(LastUsedDate), SUM(UseCount) uses, COUNT_DISTINCT(UserId) FROM OauthToken GROUP BY AppName HAVING COUNT(Id) > 1 ORDER BY COUNT(Id) DESC, AppName";
    let records = bench.records(soql).await;
    assert_eq!(
        records[0],
        json!({
            "attributes": { "type": "AggregateResult" },
            "AppName": "Drift", "n": 2, "expr0": "2025-10-02T07:15:00.000+0000", "uses": 4197, "expr1": 2,
        })
    );
    assert_eq!(records[1]["AppName"], "Salesforce CLI");
    assert_eq!(records[1]["expr1"], 1, "a null user is not counted");
    assert_eq!(records.len(), 2);
    let all = bench.records("SELECT COUNT(Id), MIN(CreatedDate) first FROM OauthToken").await;
    assert_eq!(
        (all[0]["expr0"].as_u64(), all[0]["first"].as_str()),
        (Some(6), Some("2024-05-20T10:00:00.000+0000"))
    );
    let none = bench.records("SELECT COUNT(Id) FROM OauthToken WHERE AppName = 'x'").await;
    assert_eq!(none[0]["expr0"], 0);
}

#[tokio::test]
async fn oauth_tokens_come_in_pages_of_500_and_stop_silently_at_2500() {
    let bench = Bench::of(large(6_300)).await;
    assert_eq!(bench.count("SELECT COUNT() FROM OauthToken").await, 6_300);
    let (_, mut page) =
        bench.query("SELECT Id, CreatedDate FROM OauthToken ORDER BY CreatedDate").await;
    let mut sizes = Vec::new();
    let mut ids = Vec::new();
    loop {
        assert_eq!(page["totalSize"], 2_500);
        let records = page["records"].as_array().unwrap();
        sizes.push(records.len());
        ids.extend(texts(records, "Id"));
        let Some(next) = page["nextRecordsUrl"].as_str() else { break };
        assert_eq!(page["done"], false);
        assert!(next.starts_with("/services/data/v65.0/query/01gLAB"), "{next}");
        page = bench.get(next).await.1;
    }
    assert_eq!(page["done"], true);
    assert_eq!(sizes, [500; 5]);
    let unique: std::collections::HashSet<&String> = ids.iter().collect();
    assert_eq!(unique.len(), 2_500);
}

#[tokio::test]
async fn windows_by_offset_reach_every_token_once() {
    let bench = Bench::of(large(6_300)).await;
    let mut ids = std::collections::BTreeSet::new();
    for offset in [0, 2_500, 5_000, 7_500] {
        let soql = format!(
            "SELECT Id FROM OauthToken ORDER BY CreatedDate, UserId LIMIT 2500 OFFSET {offset}"
        );
        let (_, mut page) = bench.query(&soql).await;
        loop {
            ids.extend(texts(page["records"].as_array().unwrap(), "Id"));
            let Some(next) = page["nextRecordsUrl"].as_str() else { break };
            page = bench.get(next).await.1;
        }
    }
    assert_eq!(ids.len(), 6_300);

    let (status, body) = Bench::of({
        let mut world = large(10);
        world.salesforce[0].behaviour.oauth_token_offset_refused = true;
        world
    })
    .await
    .query("SELECT Id FROM OauthToken LIMIT 2500 OFFSET 2500")
    .await;
    assert_eq!((status, code(&body)), (400, "NUMBER_OUTSIDE_VALID_RANGE"));
}

#[tokio::test]
async fn ties_lie_on_window_edges() {
    let bench = Bench::of(large(6_300)).await;
    let at = async |offset: usize| {
        let soql = format!(
            "SELECT CreatedDate FROM OauthToken ORDER BY CreatedDate LIMIT 1 OFFSET {offset}"
        );
        texts(&bench.records(&soql).await, "CreatedDate").remove(0)
    };
    for edge in [500, 2_000, 2_500, 5_000] {
        assert_eq!(at(edge - 1).await, at(edge).await, "no tie at {edge}");
    }
}

#[tokio::test]
async fn other_objects_come_in_pages_of_2000_or_as_asked() {
    let mut world = large(0);
    world.salesforce[0] = {
        let now = "2026-01-15T12:00:00Z".parse().unwrap();
        World::generate(&Scale { users: 2_300, apps: 0, tokens: 0, seed: 1, now })
            .salesforce
            .remove(0)
    };
    let bench = Bench::of(world).await;
    let (_, page) = bench.query("SELECT Id FROM User").await;
    assert_eq!(
        (page["records"].as_array().unwrap().len(), &page["totalSize"]),
        (2_000, &json!(2_302))
    );
    let next = page["nextRecordsUrl"].as_str().unwrap();
    assert!(next.ends_with("-2000"), "{next}");
    let (_, last) = bench.get(next).await;
    assert_eq!((last["records"].as_array().unwrap().len(), &last["done"]), (302, &json!(true)));

    let asked = async |size: &str| {
        let request = bench
            .client
            .get(bench.url("/services/data/v65.0/query/?q=SELECT+Id+FROM+User"))
            .header("sforce-query-options", format!("batchSize={size}"))
            .bearer_auth(&bench.token);
        let body: Json = bench.send(request).await.json().await.unwrap();
        body
    };
    assert_eq!(asked("200").await["records"].as_array().unwrap().len(), 200);
    assert_eq!(code(&asked("100").await), "INVALID_BATCH_SIZE");
}

#[tokio::test]
async fn a_locator_belongs_to_its_user_and_expires() {
    let mut world = large(1_200);
    world.salesforce[0].behaviour.locator_seconds = 0;
    let bench = Bench::of(world).await;
    let (_, page) = bench.query("SELECT Id FROM OauthToken").await;
    let (status, body) = bench.get(page["nextRecordsUrl"].as_str().unwrap()).await;
    assert_eq!((status, code(&body)), (400, "QUERY_LOCATOR_EXPIRED"));
    let (status, body) = bench.get("/services/data/v65.0/query/01gLAB000000009AAA-500").await;
    assert_eq!((status, code(&body)), (400, "INVALID_QUERY_LOCATOR"));
}

#[tokio::test]
async fn a_page_leaves_out_what_was_revoked_since_the_first() {
    let bench = Bench::of(large(1_200)).await;
    let (_, page) =
        bench.query("SELECT Id, DeleteToken FROM OauthToken ORDER BY CreatedDate").await;
    let soql = "SELECT DeleteToken FROM OauthToken ORDER BY CreatedDate LIMIT 1 OFFSET 600";
    let secret = texts(&bench.records(soql).await, "DeleteToken").remove(0);
    assert_eq!(bench.revoke(&secret).await, 200);
    let (_, second) = bench.get(page["nextRecordsUrl"].as_str().unwrap()).await;
    assert_eq!(second["records"].as_array().unwrap().len(), 499);
    assert_eq!(second["totalSize"], 1_200);
}
