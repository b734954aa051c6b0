//! Calls: the cheapest plan of the API sheet, at the published limits.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc};

use grantwarden_kit::{
    clock::SystemClock,
    connector::{Connector as _, Kit, Sink},
    model::Record,
};
use grantwarden_lab::Call;
use tokio_util::sync::CancellationToken;

use super::support::{OneOrg, Scan, large, part, setting};
use crate::{MANIFEST, Okta};

/// How much faster the lab's limits refill, and our own pace.
const FASTER: u32 = 60;

/// Section 4 of the API sheet for 2,000 apps of which 500 are OAuth clients, 20,000 refresh tokens, 5,000 users and 100 API tokens. What the
/// sheet counts apart, or not at all, is counted apart: the log, names of people, roles of those who own API tokens, keys and secrets, zones.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_org_takes_no_more_calls_than_planned() {
    let mut world = large();
    world.okta[0].behaviour.time_scale = f64::from(FASTER);
    let lab = OneOrg::start(world).await;
    let mut config = lab.config();
    let faster =
        |per_minute: NonZeroU32| per_minute.saturating_mul(NonZeroU32::new(FASTER).unwrap());
    for (name, bucket) in &MANIFEST.buckets {
        let mut bucket = *bucket;
        bucket.per_minute = bucket.per_minute.map(faster);
        config.buckets.insert(name.clone(), bucket);
    }
    let kit = Kit { clock: Arc::new(SystemClock), cancel: CancellationToken::new() };
    let session = Okta.open(config, kit).unwrap();
    let (sink, mut stream) = Sink::bounded(1_024);
    let reading = async {
        let (mut records, mut apps) = (0, BTreeMap::new());
        while let Some(record) = stream.recv().await {
            records += 1;
            match record {
                Record::App(app) => {
                    let refreshes = setting(&app.settings, "Grant types")
                        .is_some_and(|types| types.contains("refresh_token"));
                    apps.insert(app.id, (app.kind, refreshes, 0_usize));
                }
                Record::Grant(grant) if grant.id.starts_with("oar") => {
                    apps.get_mut(&grant.app).unwrap().2 += 1;
                }
                _ => {}
            }
        }
        (records, apps)
    };
    let writing = async {
        let sink = sink;
        session.collect(&sink).await
    };
    let ((records, apps), coverage): ((usize, BTreeMap<_, _>), _) = tokio::join!(reading, writing);
    assert!(coverage.is_whole(), "{coverage:#?}");
    let scan = Scan { records: Vec::new(), coverage };

    let org = lab.org();
    let count = |wanted: &dyn Fn(&Call) -> bool| org.count_calls(wanted);
    let of = |path: &'static str| move |call: &Call| call.path.contains(path);
    // 500, the scanner's own app and the revoker's.
    let clients = 502;
    // Σ max(1, ⌈T/200⌉) for the apps that may refresh, and one for each that signs in as itself.
    let refreshing = apps.values().filter(|(_, refreshes, _)| *refreshes);
    let pages: usize = refreshing.map(|(_, _, tokens)| tokens.div_ceil(200).max(1)).sum();
    let services = apps.values().filter(|(kind, ..)| kind == "API Services app").count();
    let grants = count(&of("/grants"));
    let tokens = count(&|call| call.path.contains("/apps/") && call.path.ends_with("/tokens"));
    let roles = count(&|call| call.path.contains("/clients/") && call.path.ends_with("/roles"));
    let listings = count(&|call| {
        [
            "/api/v1/apps",
            "/api/v1/api-tokens",
            "/api/v1/iam/assignees/users",
            "/integrations/api/v1/api-services",
            "/oauth2/v1/token",
            "/api/v1/org",
        ]
        .contains(&call.path.as_str())
    });
    let servers = count(&of("/authorizationServers"));
    let people = count(&|call| call.path == "/api/v1/users");
    let owners = count(&|call| call.path.contains("/api/v1/users/"));
    let too_fast = count(&|call| call.status == Some(429));
    let all = count(&|_| true);
    println!(
        "{records} records, {all} calls: listings {listings}, grants {grants}, tokens {tokens}, roles {roles}, servers {servers}; people {people}, roles of owners {owners}"
    );
    assert_eq!(too_fast, 0);
    // 1 token, 11 pages of apps, 1 of API tokens, 1 of administrators, 1 of integrations, the org; one list of grants for each client.
    assert!(listings <= 16, "{listings}");
    assert_eq!(grants, clients);
    let planned = listings + grants + tokens + roles + servers;
    let held = part(&scan, "refresh-tokens").read;
    assert!((19_900..=20_000).contains(&held), "{held}");
    let bound = 16 + clients + pages + services + 1;
    assert!(planned <= bound + bound / 50, "{planned} calls, planned {bound}");
    // People come in lots of a hundred.
    assert!(people <= 5_000 / 100 + 20_000 / 1_000 + 10, "{people}");
    assert!(owners <= 160, "{owners}");
    assert_eq!(org.secrets_read(), 0);
}
