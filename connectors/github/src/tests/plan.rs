//! Calls: the cheapest plan of the API sheet, at the published limits.

use std::{num::NonZeroU32, sync::Arc};

use grantwarden_kit::{
    clock::SystemClock,
    connector::{Connector as _, Kit, Sink},
};
use grantwarden_lab::{Call, GithubScale, World};
use tokio_util::sync::CancellationToken;

use super::support::{OneHost, Scan, part, scale};
use crate::{GitHub, MANIFEST};

/// How much faster the lab's limits refill, and our own pace.
const FASTER: u32 = 60;

fn limited(mut world: World) -> World {
    let behaviour = &mut world.github[0].behaviour;
    behaviour.quota = true;
    behaviour.time_scale = f64::from(FASTER);
    world
}

/// Scans at the speed that the manifest allows, sixty times as fast.
async fn scan(lab: &OneHost) -> Scan {
    let mut config = lab.config();
    // As the tool does without `include`.
    let opt_in = MANIFEST.facets.iter().filter(|facet| facet.opt_in.is_some());
    config.skip = opt_in.map(|facet| facet.id.clone()).collect();
    let faster =
        |per_minute: NonZeroU32| per_minute.saturating_mul(NonZeroU32::new(FASTER).unwrap());
    for (name, bucket) in &MANIFEST.buckets {
        let mut bucket = *bucket;
        bucket.per_minute = bucket.per_minute.map(faster);
        config.buckets.insert(name.clone(), bucket);
    }
    let kit = Kit { clock: Arc::new(SystemClock), cancel: CancellationToken::new() };
    let session = GitHub::new().open(config, kit).unwrap();
    session.sign_in().await.unwrap();
    let (sink, mut stream) = Sink::bounded(1_024);
    let reading = async {
        let mut records = Vec::new();
        while let Some(record) = stream.recv().await {
            records.push(record);
        }
        records
    };
    let writing = async {
        let sink = sink;
        session.collect(&sink).await
    };
    let (records, coverage) = tokio::join!(reading, writing);
    Scan { records, coverage }
}

/// Section 4 of the API sheet for 1,000 repositories, 200 installations, 16,000 authorised credentials and 4,000 fine-grained tokens.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_organisation_takes_no_more_calls_than_planned() {
    let world = scale(20_000, |scale: &mut GithubScale| {
        (scale.repositories, scale.apps, scale.users) = (1_000, 200, 5_000);
    });
    let lab = OneHost::start(limited(world), "generated", "generated").await;
    let scan = scan(&lab).await;
    assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
    let tenant = lab.tenant();
    let count = |wanted: &dyn Fn(&Call) -> bool| tenant.count_calls(wanted);
    let ends = |what: &'static str| count(&|call: &Call| call.path.ends_with(what));
    let all = count(&|call| !call.path.ends_with("/meta"));
    let keys = count(&|call| call.path.starts_with("/repos/") && call.path.contains("/keys"));
    let limited = count(&|call| matches!(call.status, Some(403 | 429)));

    let rows = |facet: &str| part(&scan, facet).read;
    let pages = |rows: u64| rows.div_ceil(100).max(1);
    let with_keys = u64::try_from(keys).unwrap();
    // JWT and token; installations, credentials, tokens, requests, webhooks, secrets; look-ups; the log; GraphQL and the repositories with
    // keys.
    let planned = 2
        + pages(rows("installations"))
        + pages(rows("credential-authorizations"))
        + pages(rows("fine-grained-tokens"))
        + pages(rows("fine-grained-token-requests"))
        + pages(rows("organization-webhooks"))
        + 1
        + rows("installations")
        + pages(rows("audit-events"))
        + 10
        + with_keys;
    println!(
        "{} records, {all} calls of {planned} planned: installations {}, look-ups {}, credentials {}, fine-grained {}, audit {}, graphql {}, keys {keys}",
        scan.records.len(),
        ends("/installations"),
        count(&|call| call.path.starts_with("/apps/")),
        ends("/credential-authorizations"),
        ends("/personal-access-tokens"),
        ends("/audit-log"),
        ends("/graphql"),
    );
    assert_eq!(rows("credential-authorizations") + rows("fine-grained-tokens"), 20_000);
    assert_eq!(limited, 0, "GitHub asked to slow down");
    assert!(all as f64 <= planned as f64 * 1.02, "{all} calls, {planned} planned");
}

/// One call for the organisations, and one for each.
#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_takes_a_call_for_each_organisation() {
    let world = scale(0, |scale: &mut GithubScale| {
        (scale.organisations, scale.apps, scale.users, scale.repositories) = (49, 97, 5, 2);
    });
    let lab = OneHost::start(limited(world), "generated", "enterprises/generated-enterprise").await;
    let scan = scan(&lab).await;
    assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
    assert_eq!(part(&scan, "organizations").read, 50);
    let tenant = lab.tenant();
    let listed = tenant.count_calls(|call| {
        call.path.ends_with("/installations") || call.path.ends_with("/installable_organizations")
    });
    let looked_up = tenant.count_calls(|call| call.path.starts_with("/apps/"));
    let limited = tenant.count_calls(|call| matches!(call.status, Some(403 | 429)));
    let installations = part(&scan, "installations").read;
    println!("{installations} installations, {listed} listing calls, {looked_up} look-ups");
    assert_eq!((listed, limited), (51, 0));
    assert!(looked_up <= 100, "each app is looked up once");
}

/// The least: two to sign in and one for each listing of section 4.
#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_with_nothing_takes_few_calls() {
    let world = scale(0, |scale| (scale.apps, scale.repositories) = (0, 0));
    let lab = OneHost::start(limited(world), "generated", "generated").await;
    scan(&lab).await;
    let calls = lab.tenant().calls();
    let calls: Vec<String> = calls
        .into_iter()
        .filter(|call| !call.path.ends_with("/meta") && !call.path.starts_with("/apps/"))
        .map(|call| format!("{} {}", call.method, call.path))
        .collect();
    // Besides those nine: the organisation, its owners, the log's second look, the sweep of repositories, and the token's end.
    assert_eq!(calls.len(), 9 + 5, "{calls:#?}");
}
