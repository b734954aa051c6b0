//! Policies and Chrome extensions: the newer APIs.

use super::*;

const API_CONTROLS: &str = r"setting.type.matches('^settings/api_controls\..*$')";
const CHROME: &str = "/v1/customers/my_customer/reports:countInstalledApps";

fn policies(query: &str) -> String {
    format!("/v1/policies?filter={}{query}", encoded(API_CONTROLS))
}

#[tokio::test]
async fn policies_are_filtered_and_paged() {
    let bench = Bench::small().await;
    let found = bench.all(&policies("&pageSize=3"), "policies").await;
    assert_eq!(found.len(), 4);
    assert_eq!(found[0]["setting"]["type"], "settings/api_controls.unconfigured_third_party_apps");
    assert_eq!(found[0]["setting"]["value"]["accessLevel"], "ALLOW_SIGN_IN_ONLY");
    assert_eq!(found[1]["setting"]["value"]["accessLevel"], "UNSPECIFIED_UBER_BLOCK");
    assert_eq!((&found[0]["type"], &found[2]["type"]), (&json!("ADMIN"), &json!("SYSTEM")));
    assert_ne!(found[0]["policyQuery"]["orgUnit"], found[1]["policyQuery"]["orgUnit"]);
    assert_eq!(found[3]["setting"]["value"]["services"][0]["scopesGroup"], "GMAIL_HIGH_RISK");
    assert_eq!(bench.all("/v1/policies?pageSize=0", "policies").await.len(), 6);

    bench.customer().set_behaviour(|behaviour| {
        behaviour.policy_empty_pages = 2;
        behaviour.policy_spelling = super::super::PolicySpelling::Live;
    });
    let empty = bench.body(&policies("")).await;
    assert!(empty.get("policies").is_none() && empty["nextPageToken"].is_string());
    bench.customer().forget_calls();
    let found = bench.all(&policies(""), "policies").await;
    assert_eq!((found.len(), bench.customer().count_calls(|_| true)), (4, 3));
    assert_eq!(found[0]["setting"]["value"]["accessLevel"], "ALLOW_SIGN_IN_SCOPES_ONLY");
}

#[tokio::test]
async fn policies_need_a_super_admin_and_a_good_question() {
    let bench = Bench::small().await;
    let other = encoded("customer == \"customers/C0other\"");
    for (path, status, canonical) in [
        ("/v1/policies?filter=nonsense".to_owned(), 400, "INVALID_ARGUMENT"),
        (format!("/v1/policies?filter={other}"), 403, "PERMISSION_DENIED"),
        ("/v1/policies?pageSize=-1".to_owned(), 400, "INVALID_ARGUMENT"),
        ("/v1/policies?pageToken=stale".to_owned(), 400, "INVALID_ARGUMENT"),
        ("/v1/policies?maxResults=5".to_owned(), 400, "INVALID_ARGUMENT"),
    ] {
        let (got, body) = bench.get(&path).await;
        assert_eq!((got, body["error"]["status"].as_str()), (status, Some(canonical)), "{path}");
        assert!(body["error"].get("errors").is_none(), "the newer shape");
    }
    bench.customer().set_privilege("SUPER_ADMIN", false);
    assert_eq!(bench.get("/v1/policies").await.0, 403);
    let bench = Bench::with(|world| world.edition.policy_api = false).await;
    assert_eq!(bench.get("/v1/policies").await.0, 403);
}

#[tokio::test]
async fn extensions_are_counted() {
    let bench = Bench::small().await;
    let body = bench.body(&format!("{CHROME}?pageSize=1")).await;
    assert_eq!(body["totalSize"], 2);
    let apps = bench.all(&format!("{CHROME}?pageSize=1"), "installedApps").await;
    assert_eq!(apps[0]["displayName"], "Company Bookmarks", "the most installed first");
    assert_eq!(apps[1]["permissions"][3], "<all_urls>");
    assert_eq!(apps[1]["browserDeviceCount"], "4");
    let sorted = bench.body(&format!("{CHROME}?orderBy=app_id")).await;
    assert_eq!(sorted["installedApps"][0]["appId"], "abcdefghijklmnopabcdefghijklmnop");
    for wrong in ["pageSize=101", "orderBy=luck", "filter=app_name=x", "orgUnitId=1"] {
        assert_eq!(bench.get(&format!("{CHROME}?{wrong}")).await.0, 400, "{wrong}");
    }
    let (status, _) = bench.get(&CHROME.replace("my_customer", "C0other")).await;
    assert_eq!(status, 403);
    let bench = Bench::with(|world| world.edition.chrome = false).await;
    assert_eq!(bench.get(CHROME).await.0, 403);
}
