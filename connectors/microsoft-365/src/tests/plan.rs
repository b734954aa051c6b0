//! Calls: the cheapest plan of the API sheet, at the published quotas.

use std::{num::NonZeroU32, sync::Arc};

use grantwarden_kit::{
    clock::SystemClock,
    connector::{Connector as _, Kit, Sink},
};
use grantwarden_lab::Call;
use tokio_util::sync::CancellationToken;

use super::support::{OneDirectory, part, scale};
use crate::{MANIFEST, Microsoft365};

/// How much faster the lab's quotas refill, and our own pace.
const FASTER: u32 = 60;

/// Section 4 of the API sheet for 2,000 service principals, 300 apps, 5,000 users, 20,000 grants and 60 resources: 40 calls. What the
/// sheet counts apart is counted apart: the token and the reports. Of its 40 calls the listing of federated credentials is none: it has to
/// fit in beside them.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_directory_takes_no_more_calls_than_planned() {
    let switches = format!("quota = true, time_scale = {FASTER}.0, page_cap = 999");
    let lab = OneDirectory::start(scale(20_000, &switches)).await;
    let mut config = lab.config();
    let faster =
        |per_minute: NonZeroU32| per_minute.saturating_mul(NonZeroU32::new(FASTER).unwrap());
    for (name, bucket) in &MANIFEST.buckets {
        let mut bucket = *bucket;
        bucket.per_minute = bucket.per_minute.map(faster);
        config.buckets.insert(name.clone(), bucket);
    }
    let kit = Kit { clock: Arc::new(SystemClock), cancel: CancellationToken::new() };
    let session = Microsoft365.open(config, kit).unwrap();
    let (sink, mut stream) = Sink::bounded(1_024);
    let reading = async {
        let mut count = 0;
        while stream.recv().await.is_some() {
            count += 1;
        }
        count
    };
    let writing = async {
        let sink = sink;
        session.collect(&sink).await
    };
    let (records, coverage): (usize, _) = tokio::join!(reading, writing);
    assert!(coverage.is_whole(), "{coverage:#?}");
    let scan = super::support::Scan { records: Vec::new(), coverage };
    assert_eq!(part(&scan, "grants").read, 20_000);
    assert_eq!(part(&scan, "service-principals").read, 2_000);

    let tenant = lab.tenant();
    let is_http = |call: &Call| call.operation.as_deref() != Some("batch part");
    let count =
        |wanted: &dyn Fn(&Call) -> bool| tenant.count_calls(|call| is_http(call) && wanted(call));
    let all = count(&|_| true);
    let tokens = count(&|call| call.path.ends_with("/token"));
    let audits = count(&|call| call.path.contains("/auditLogs/"));
    let of_credentials = count(&|call| call.path.contains("appCredentialSignInActivities"));
    let federated = count(&|call| call.asks("federatedIdentityCredentials"));
    let planned = all - tokens - audits - of_credentials;
    let too_fast = tenant.count_calls(|call| call.status == Some(429));
    println!(
        "{records} records, {all} calls: {planned} planned, {tokens} tokens, {audits} of the audit log, {of_credentials} of the credential report; \
         {federated} of the planned for federated credentials"
    );
    let pages = |what: &str| count(&|call| call.path.ends_with(what));
    println!(
        "service principals {}, applications {}, grants {}, look-ups {}, sign-in report {}, batches {}",
        pages("/servicePrincipals"),
        pages("/applications"),
        pages("/oauth2PermissionGrants"),
        pages("/getByIds"),
        pages("/servicePrincipalSignInActivities"),
        pages("/$batch"),
    );
    assert_eq!(too_fast, 0, "the lab asked to slow down");
    assert!(planned as f64 <= 40.0 * 1.02, "{planned} calls");
}
