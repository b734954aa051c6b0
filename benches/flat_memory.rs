//! Memory of a scan, remembered in a store, does not grow with the tenant: peak of 250,000 grants against 25,000 on each platform, in one run.
//!
//! `cargo bench --bench flat_memory`; prints each peak and their ratio against the bound. Linux only: it reads `VmHWM`. An argument names
//! another build of the program to measure: with one at hand, the bench itself need not be built for speed.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use grantwarden_lab::{EntraScale, GoogleScale, Lab, Scale, World};
use jiff::Timestamp;

/// The larger scan may take a fifth more than the smaller one.
const BOUND: f64 = 1.2;

/// Long enough a scan that its queues and the allocator's pools are full; one of 10,000 ends before, and its peak differs by a fifth from
/// run to run.
const SMALL: usize = 25_000;

/// Ten times as many.
const LARGE: usize = 10 * SMALL;

/// A platform: its tenant of so many grants, and its quotas, which are not what is measured here, without a rate.
struct Platform {
    id: &'static str,
    world: fn(usize, Timestamp) -> World,
    buckets: &'static str,
}

const PLATFORMS: [Platform; 3] = [
    Platform { id: "salesforce", world: salesforce, buckets: "default = { concurrent = 5 }" },
    Platform {
        id: "google-workspace",
        world: google,
        buckets: "default = { concurrent = 16 }, reports = { concurrent = 4 }, policies = { concurrent = 1 }, \
                  filtered-activities = { concurrent = 4 }, extensions = { concurrent = 1 }",
    },
    Platform {
        id: "microsoft-365",
        world: microsoft,
        buckets: "default = { concurrent = 8 }, batch = { concurrent = 4 }, reports = { concurrent = 1 }",
    },
];

fn salesforce(tokens: usize, now: Timestamp) -> World {
    World::generate(&Scale { users: 2_000, apps: 50, tokens, seed: 1, now })
}

fn google(grants: usize, now: Timestamp) -> World {
    let scale = GoogleScale { users: grants / 12, grants, apps: 50, seed: 1, now };
    let mut world = World::generate_google(&scale);
    world.google_workspace.iter_mut().for_each(|customer| customer.behaviour.quota = false);
    world
}

fn microsoft(grants: usize, now: Timestamp) -> World {
    let mut world = World::generate_microsoft(&EntraScale {
        principals: 500,
        applications: 50,
        users: 2_000,
        grants,
        resources: 30,
        seed: 1,
        now,
    });
    world.microsoft_365.iter_mut().for_each(|directory| directory.behaviour.quota = false);
    world
}

#[expect(clippy::unwrap_used, reason = "a bench ends at its first surprise")]
fn main() {
    let mut out = std::io::stdout();
    // Cargo itself passes `--bench`.
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let program = named.unwrap_or_else(|| env!("CARGO_BIN_EXE_grantwarden").to_owned());
    for platform in &PLATFORMS {
        let small = peak(&program, platform, SMALL);
        let large = peak(&program, platform, LARGE);
        for (grants, (kib, took)) in [(SMALL, small), (LARGE, large)] {
            writeln!(
                out,
                "{:<16} {grants:>7} grants: peak {:.1} MiB, {:.2} s",
                platform.id,
                kib as f64 / 1024.0,
                took.as_secs_f64()
            )
            .unwrap();
        }
        let ratio = large.0 as f64 / small.0 as f64;
        let verdict = if ratio <= BOUND { "holds" } else { "BROKEN" };
        writeln!(out, "{:<16} ratio {ratio:.2}, bound {BOUND}: {verdict}", platform.id).unwrap();
    }
}

/// Peak resident memory in KiB of the program's scan of so many grants, and how long it took.
#[expect(clippy::unwrap_used, reason = "a bench ends at its first surprise")]
#[expect(clippy::disallowed_methods, reason = "a bench measures the machine's time")]
fn peak(program: &str, platform: &Platform, grants: usize) -> (u64, Duration) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let now = "2026-01-15T12:00:00Z".parse().unwrap();
    let world = (platform.world)(grants, now);
    let lab = runtime.block_on(Lab::builder().now(now).start(world)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = lab.write_config(folder.path()).unwrap();
    let named = format!("platform = \"{}\"", platform.id);
    let config = fs::read_to_string(&path)
        .unwrap()
        .replace(&named, &format!("{named}\nbuckets = {{ {} }}", platform.buckets));
    fs::write(&path, config).unwrap();
    let inventory = folder.path().join("inventory.jsonl");
    let start = Instant::now();
    let mut child = Command::new(program)
        .args(["scan", "--quiet", "--format", "json", "--now", "2026-01-15T12:00:00Z", "--export"])
        .arg(&inventory)
        .arg("--store")
        .arg(folder.path().join("store.db"))
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let high = text
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        peak = peak.max(high.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(2));
    }
    let took = start.elapsed();
    let read = fs::read_to_string(&inventory).unwrap();
    let read = read.lines().filter(|line| line.contains("\"record\":{\"grant\"")).count();
    assert!(read >= grants, "{read} of {grants} grants were read");
    (peak, took)
}
