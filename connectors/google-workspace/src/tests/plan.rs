//! Section 4 of the API sheet: how many calls a scan takes, and that it is never told to slow down.

use std::{num::NonZeroU32, sync::Arc};

use grantwarden_kit::{
    clock::SystemClock,
    connector::{Kit, Sink},
    manifest::Bucket,
    model::Record,
    testing::StandIn as _,
};
use tokio_util::sync::CancellationToken;

use super::bench::{OneAccount, part};
use crate::MANIFEST;

const USERS: usize = 5_000;
const GRANTS: usize = 60_000;
/// How much faster the lab's quotas refill, and the connector calls.
const SCALE: u32 = 30;

/// The manifest's pace, so much faster.
fn scaled() -> std::collections::BTreeMap<String, Bucket> {
    let faster = |bucket: &Bucket| Bucket {
        per_minute: bucket
            .per_minute
            .map(|rate| rate.saturating_mul(NonZeroU32::new(SCALE).unwrap())),
        ..*bucket
    };
    MANIFEST.buckets.iter().map(|(name, bucket)| (name.clone(), faster(bucket))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_users_take_no_more_calls_than_planned_and_no_429() {
    let mut world = OneAccount::generated(USERS, GRANTS, 200);
    world.google_workspace[0].behaviour.time_scale = SCALE.into();
    let mut lab = OneAccount::start(world).await;
    lab.buckets = scaled();
    lab.skip = vec!["app-passwords".to_owned()];
    let kit = Kit { clock: Arc::new(SystemClock), cancel: CancellationToken::new() };
    let session = lab.open(kit).unwrap();
    let (sink, mut stream) = Sink::bounded(256);
    let reading = async {
        let mut grants = 0;
        while let Some(record) = stream.recv().await {
            grants += usize::from(matches!(record, Record::Grant(_)));
        }
        grants
    };
    let writing = async {
        let sink = sink;
        session.collect(&sink).await
    };
    let (grants, coverage) = tokio::join!(reading, writing);
    assert!(coverage.is_whole(), "{coverage:#?}");
    assert_eq!(part(&coverage, "grants").read as usize, GRANTS);
    // The two clients of the export have one each.
    assert_eq!(grants, GRANTS + 2);

    let count = |what: &dyn Fn(&grantwarden_lab::Call) -> bool| lab.google().count_calls(what);
    let of = |text: &'static str| count(&move |call| call.path.contains(text));
    let users = count(&|call| call.path.ends_with("/v1/users"));
    let tokens = count(&|call| call.path.ends_with("/tokens"));
    let events = of("/applications/token");
    let (admin, report, policies) = (of("/applications/admin"), of("/usage/"), of("/policies"));
    let all = count(&|call| call.path != "/token");
    println!(
        "{all} calls: {users} pages of users, {tokens} lists of grants, {events} pages of events, {admin} of changes, {report} reports, {policies} pages of policies"
    );
    // The administrator is a user, too.
    let listed = USERS + 1;
    assert_eq!((users, tokens), (listed.div_ceil(500), listed));
    assert_eq!(report, 1);
    assert_eq!(policies, 2);
    let bound = listed.div_ceil(500) + listed + 1 + events + 3;
    assert!(all * 100 <= bound * 102, "{all} calls of {bound}");
    let refused = count(&|call| matches!(call.status, Some(403 | 429 | 503)));
    assert_eq!(refused, 0, "told to slow down");
}

#[tokio::test(flavor = "multi_thread")]
async fn app_passwords_take_one_call_for_each_user_with_a_second_step() {
    let world = OneAccount::generated(1_000, 5_000, 50);
    let enrolled =
        world.google_workspace[0].users.iter().filter(|user| user.enrolled_in_2sv).count();
    let lab = OneAccount::start(world).await;
    let outcome = lab.scan().await;
    assert!(outcome.coverage.is_whole());
    assert_eq!(lab.google().count_calls(|call| call.path.ends_with("/asps")), enrolled);
}
