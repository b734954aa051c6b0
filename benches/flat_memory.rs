//! Memory of a scan does not grow with the tenant: peak of 100,000 tokens against 10,000, in one run.
//!
//! `cargo bench --bench flat_memory`; prints each peak and their ratio against the bound. Linux only: it reads `VmHWM`.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use grantwarden_lab::{Lab, Scale, World};

/// The larger scan may take a fifth more than the smaller one.
const BOUND: f64 = 1.2;

#[expect(clippy::unwrap_used, reason = "a bench ends at its first surprise")]
fn main() {
    let mut out = std::io::stdout();
    let small = peak(10_000);
    let large = peak(100_000);
    for (tokens, (kib, took)) in [(10_000, small), (100_000, large)] {
        writeln!(
            out,
            "{tokens:>7} tokens: peak {:.1} MiB, {:.2} s",
            kib as f64 / 1024.0,
            took.as_secs_f64()
        )
        .unwrap();
    }
    let ratio = large.0 as f64 / small.0 as f64;
    let verdict = if ratio <= BOUND { "holds" } else { "BROKEN" };
    writeln!(out, "ratio {ratio:.2}, bound {BOUND}: {verdict}").unwrap();
}

/// Peak resident memory in KiB of a scan of so many tokens, and how long it took.
#[expect(clippy::unwrap_used, reason = "a bench ends at its first surprise")]
#[expect(clippy::disallowed_methods, reason = "a bench measures the machine's time")]
fn peak(tokens: usize) -> (u64, Duration) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let now = "2026-01-15T12:00:00Z".parse().unwrap();
    let world = World::generate(&Scale { users: 2_000, apps: 50, tokens, seed: 1, now });
    let lab = runtime.block_on(Lab::builder().now(now).start(world)).unwrap();
    let org = &lab.salesforce_orgs()[0];
    let client = org.client();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    fs::write(&key, &client.private_key_pem).unwrap();
    let config = format!(
        "[[tenant]]\nname = \"bench\"\nplatform = \"salesforce\"\nbase_url = \"{}\"\naudience = \"{}\"\n\
         auth = {{ method = \"jwt_bearer\", client_id = \"{}\", username = \"{}\", private_key = {{ file = \"{}\" }} }}\n",
        org.base_url(),
        client.audience,
        client.client_id,
        client.username,
        key.display()
    );
    fs::write(folder.path().join("grantwarden.toml"), config).unwrap();
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_grantwarden"))
        .args(["scan", "--quiet", "--format", "json"])
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
    assert!(
        org.count_calls(|call| call.asks("FROM OauthToken")) > tokens / 2_500,
        "the tokens were read"
    );
    (peak, start.elapsed())
}
