//! Runs the binary with a scrubbed environment against a lab.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use grantwarden_lab::{Effect, EntraTenant, Fault, GoogleWorkspace, Lab, Org, Scale, World};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const DEMO: &str = include_str!("../../fixtures/worlds/demo.toml");
pub(crate) const SMALL: &str = include_str!("../../fixtures/worlds/small.toml");
pub(crate) const EMPTY: &str = include_str!("../../fixtures/worlds/empty.toml");
/// The day that `small.toml` is written for.
pub(crate) const SMALL_NOW: &str = "2026-01-15T12:00:00Z";

/// The pace of what a platform wants slow, in the demo's world, whose minute lasts a second.
pub(crate) const SLOW: &str = "per_minute = 1600, burst = 1, concurrent = 1";

/// A lab, and a folder with a configuration for it.
pub(crate) struct Stage {
    runtime: tokio::runtime::Runtime,
    lab: Lab,
    folder: TempDir,
}

impl Stage {
    pub(crate) fn demo() -> Self {
        Self::of(World::parse(DEMO).unwrap(), None)
    }

    /// The small world, whose time stands still.
    pub(crate) fn small() -> Self {
        Self::of(World::parse(SMALL).unwrap(), Some(SMALL_NOW))
    }

    pub(crate) fn of_size(tokens: usize) -> Self {
        let now = SMALL_NOW.parse().unwrap();
        Self::of(
            World::generate(&Scale { users: 500, apps: 25, tokens, seed: 1, now }),
            Some(SMALL_NOW),
        )
    }

    pub(crate) fn of(world: World, now: Option<&str>) -> Self {
        Self::start(world, now, false)
    }

    pub(crate) fn with_tls(world: World) -> Self {
        Self::start(world, None, true)
    }

    fn start(world: World, now: Option<&str>, tls: bool) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let mut builder = Lab::builder();
        if let Some(now) = now {
            builder = builder.now(now.parse().unwrap());
        }
        if tls {
            builder = builder.tls();
        }
        let lab = runtime.block_on(builder.start(world)).unwrap();
        let stage = Self { runtime, lab, folder: TempDir::new().unwrap() };
        stage.write("grantwarden.toml", &stage.config("acme-crm"));
        stage
    }

    /// The demo company on all its platforms.
    pub(crate) fn company() -> Self {
        let stage = Self::demo();
        stage.lab.write_config(stage.folder.path()).unwrap();

        let config = stage
            .read("grantwarden.toml")
            .replace(
                "platform = \"google-workspace\"",
                &format!("platform = \"google-workspace\"\nbuckets = {{ policies = {{ {SLOW} }}, extensions = {{ {SLOW} }} }}"),
            )
            .replace(
                "platform = \"microsoft-365\"",
                &format!("platform = \"microsoft-365\"\nbuckets = {{ reports = {{ {SLOW} }} }}"),
            )
            .replace("platform = \"slack\"", "platform = \"slack\"\ninclude = [\"approvals\"]");
        stage.write("grantwarden.toml", &config);
        stage
    }

    pub(crate) fn google(&self) -> &GoogleWorkspace {
        &self.lab.google_workspaces()[0]
    }

    pub(crate) fn entra(&self) -> &EntraTenant {
        &self.lab.entra_tenants()[0]
    }

    pub(crate) fn inject_google(&self, fault: Fault) {
        let _guard = self.runtime.enter();
        self.google().inject(fault);
    }

    /// What must be in no output.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let (org, entra) = (self.org().client(), self.entra().client());
        let github = self.lab.github_tenants()[0].client();
        let okta = self.lab.okta_orgs()[0].client();
        let keys = [
            org.private_key_pem,
            entra.private_key_pem,
            self.google().client().key_json,
            github.private_key_pem,
            okta.private_key_pem,
        ];
        // A line of a key tells as much as the key.
        let lines =
            keys.iter().filter_map(|key| key.split(['\n', '\\']).max_by_key(|line| line.len()));
        let mut secrets: Vec<String> = lines.map(ToOwned::to_owned).collect();
        secrets.extend([org.client_secret, entra.client_secret]);
        let slack = self.lab.slack_tenants()[0].client();
        secrets.extend([slack.reader, slack.revoker, slack.workspace_admin, slack.bot]);
        secrets.extend(self.lab.okta_orgs()[0].client().api_token);
        secrets
    }

    pub(crate) fn org(&self) -> &Org {
        &self.lab.salesforce_orgs()[0]
    }

    pub(crate) fn lab(&self) -> &Lab {
        &self.lab
    }

    pub(crate) fn inject(&self, fault: Fault) {
        // Faults are kept by the lab's tasks; the guard makes this the lab's runtime.
        let _guard = self.runtime.enter();
        self.org().inject(fault);
    }

    /// A tenant of the configuration; the scanner's key is written beside it.
    pub(crate) fn config(&self, name: &str) -> String {
        let client = self.org().client();
        self.write("key.pem", &client.private_key_pem);
        format!(
            "[[tenant]]\nname = \"{name}\"\nplatform = \"salesforce\"\nbase_url = \"{}\"\naudience = \"{}\"\n\
             auth = {{ method = \"jwt_bearer\", client_id = \"{}\", username = \"{}\", private_key = {{ file = \"{}\" }} }}\n",
            self.org().base_url(),
            client.audience,
            client.client_id,
            client.username,
            self.path("key.pem").display(),
        )
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::of(grantwarden(self.folder.path()).args(arguments))
    }

    pub(crate) fn command(&self) -> Command {
        grantwarden(self.folder.path())
    }

    /// Scans and gives the JSON report.
    pub(crate) fn scan_json(&self, arguments: &[&str]) -> (Run, Value) {
        let run = self.run(&[&["scan", "--format", "json"], arguments].concat());
        let report =
            serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:#?}"));
        (run, report)
    }
}

/// The binary in a folder, with nothing of this machine's environment.
pub(crate) fn grantwarden(folder: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("grantwarden"));
    command
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        // What one test scans, another one must not remember.
        .env("GRANTWARDEN_STORE", "none")
        .stdin(Stdio::null());
    command
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// Asserts the exit code; shows everything if it is another.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Asserts that standard error has this text.
    #[track_caller]
    pub(crate) fn complains(self, text: &str) -> Self {
        assert!(flat(&self.stderr).contains(text), "no `{text}` in {}", self.stderr);
        self
    }

    /// Asserts that standard output has this text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(flat(&self.stdout).contains(&flat(text)), "no `{text}` in {}", self.stdout);
        self
    }
}

/// What the platform says when a right is missing: final, so that no test waits for repeats.
pub(crate) fn forbidden() -> Effect {
    let body = r#"[{"message":"insufficient access rights","errorCode":"INSUFFICIENT_ACCESS"}]"#;
    Effect::Reply { status: 403, headers: Vec::new(), body: body.to_owned() }
}

/// On one line: where a text was wrapped does not matter.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// Findings of a JSON report by rule and app.
pub(crate) fn findings<'a>(report: &'a Value, rule: &'a str, app: &'a str) -> Vec<&'a Value> {
    let all = report["findings"].as_array().unwrap();
    all.iter().filter(|f| f["rule"] == rule && f["subject"]["app"]["name"] == app).collect()
}
