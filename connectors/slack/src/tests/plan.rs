//! Section 4 of the API sheet: how many calls a scan takes, and that it is never told to slow down.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc};

use grantwarden_kit::{
    clock::SystemClock,
    connector::{Kit, Sink},
    manifest::Bucket,
    model::{Coverage, Record},
    testing::StandIn as _,
};
use grantwarden_lab::{Call, SlackPlan, SlackScale, World};
use tokio_util::sync::CancellationToken;

use super::bench::{OneTenant, part};
use crate::MANIFEST;

/// How much faster the lab's quotas refill, and the connector calls.
const SCALE: u32 = 2_000;

/// The manifest's pace, so much faster.
pub(super) fn scaled(scale: u32) -> BTreeMap<String, Bucket> {
    let faster = |bucket: &Bucket| Bucket {
        per_minute: bucket
            .per_minute
            .map(|rate| rate.saturating_mul(NonZeroU32::new(scale).unwrap())),
        ..*bucket
    };
    MANIFEST.buckets.iter().map(|(name, bucket)| (name.clone(), faster(bucket))).collect()
}

async fn start(plan: SlackPlan, scale: SlackScale) -> OneTenant {
    let mut world = World::generate_slack(&scale);
    world.slack[0].behaviour.time_scale = SCALE.into();
    // Somebody else takes half of what the audit log gives.
    world.slack[0].behaviour.siem_calls_per_minute = 25;
    assert_eq!(world.slack[0].plan, plan);
    let name = world.slack[0].name.clone();
    let mut lab = OneTenant::paced(world, &name).await;
    lab.buckets = scaled(SCALE);
    lab
}

/// Reads what a scan reads, without usage; the grants and the coverage.
async fn collect(lab: &OneTenant) -> (usize, Coverage) {
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
    tokio::join!(reading, writing)
}

fn grid() -> SlackScale {
    SlackScale {
        plan: SlackPlan::Enterprise,
        workspaces: 1_000,
        users: 500,
        apps: 2_000,
        grants: 60_000,
        log_rows: 0,
        seed: 7,
        now: SystemClock::now_text().parse().unwrap(),
    }
}

trait Now {
    fn now_text() -> String;
}

impl Now for SystemClock {
    fn now_text() -> String {
        grantwarden_kit::clock::Clock::now(&Self).to_string()
    }
}

fn slowed_down(lab: &OneTenant) -> usize {
    lab.slack().count_calls(|call: &Call| call.status == Some(429))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_takes_no_more_calls_than_planned_and_no_429() {
    let lab = start(SlackPlan::Enterprise, grid()).await.without_opt_ins();
    let installs = lab.slack().grant_count();
    let (grants, coverage) = collect(&lab).await;
    assert!(coverage.is_whole(), "{coverage:#?}");
    // Some apps have a bot's and a user's token.
    assert!(installs == 60_000 && grants >= installs, "{grants} grants of {installs}");
    let entries = part(&coverage, "installed-apps").read as usize - 1;
    let (all, audit) = (lab.count("/"), lab.count("/audit/"));
    let (users, runs) = (lab.count("admin.users.list"), lab.count("admin.apps.activities"));
    println!(
        "{all} calls: {audit} pages of {entries} entries, {users} pages of users, {runs} of runs"
    );
    let planned = 1 + 1_000_usize.div_ceil(1_000) + entries.div_ceil(9_999);
    // Who may still sign in, and when workflow apps ran, is beside the sheet's plan, and not promised.
    assert!((all - users - runs) * 100 <= planned * 102, "{all} calls of {planned}");
    assert_eq!(runs, 1);
    assert!(users <= 501_usize.div_ceil(100) + 1, "{users} pages of users");
    assert_eq!(slowed_down(&lab), 0, "told to slow down");
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_take_no_more_calls_than_planned_and_no_429() {
    let mut lab = start(SlackPlan::Enterprise, grid()).await;
    lab.skip = vec!["users".to_owned(), "app-activity".to_owned()];
    let (_, coverage) = collect(&lab).await;
    assert!(coverage.is_whole(), "{coverage:#?}");
    let entries = part(&coverage, "installed-apps").read as usize - 1;
    let all = lab.count("/");
    // 1,200 apps are approved and 200 restricted, one in ten of them certified.
    let approved = part(&coverage, "approvals").read as usize;
    let decisions = lab.slack().count_calls(|call: &Call| call.asks("enterprise_id"));
    let looked_up = 2_001_usize.div_ceil(100);
    let planned = 1 + 1 + entries.div_ceil(9_999) + 5 * 1_000 + looked_up + 1 + decisions;
    println!(
        "{all} calls, {decisions} for the organisation's {approved} decisions, planned {planned}"
    );
    assert!((5..=6).contains(&decisions), "{decisions}");
    assert!(all * 100 <= planned * 102, "{all} calls of {planned}");
    assert_eq!(lab.slack().count_calls(|call: &Call| call.asks("team_id")), 5_000);
    assert_eq!(slowed_down(&lab), 0, "told to slow down");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_workspace_takes_no_more_calls_than_planned_and_no_429() {
    let scale = SlackScale {
        plan: SlackPlan::Workspace,
        workspaces: 1,
        users: 1_000,
        apps: 300,
        grants: 12_000,
        log_rows: 20_000,
        ..grid()
    };
    let lab = start(SlackPlan::Workspace, scale).await;
    let (grants, coverage) = collect(&lab).await;
    assert!(coverage.is_whole(), "{coverage:#?}");
    let rows = part(&coverage, "installed-apps").read as usize;
    let (all, logs, users) =
        (lab.count("/"), lab.count("integrationLogs"), lab.count("users.list"));
    println!("{all} calls: {logs} pages of {rows} rows, {users} pages of users; {grants} grants");
    assert!((19_999..=20_000).contains(&rows), "{rows}");
    assert_eq!((logs, users), (rows.div_ceil(1_000), 1_001_usize.div_ceil(200)));
    let planned = 1 + rows.div_ceil(1_000) + 1_001_usize.div_ceil(200);
    assert!(all * 100 <= planned * 102, "{all} calls of {planned}");
    assert_eq!(slowed_down(&lab), 0, "told to slow down");
}
