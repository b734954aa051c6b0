//! Real incidents, played again: what must have warned the day before, and what the advisory finds afterwards. The grants in
//! `fixtures/replays` are made up after public facts; decoys in them must stay silent.

use std::{collections::BTreeSet, fs, path::Path};

use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Run, grantwarden};

/// Rules that replays wait for and this build does not have. A rule that arrives must leave this list.
const AWAITED: &[&str] = &[];

/// The rules about advisories: known the day after only.
const ADVISED: [&str; 2] = ["vendor-advisory-match", "upstream-advisory"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Replay {
    incident: String,
    day_before: String,
    after: String,
    /// The vendor register that the company had.
    register: Option<String>,
    /// Its own advisory.
    advisory: Option<String>,
    #[serde(rename = "record")]
    records: Vec<Record>,
}

/// A grant with its app. Apps of one platform and name are one app.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    id: String,
    platform: String,
    app: String,
    app_id: Option<String>,
    client_id: Option<String>,
    home_tenant: Option<String>,
    publisher: Option<String>,
    #[serde(default)]
    is_verified: bool,
    redirect: Option<String>,
    #[serde(default = "third_party")]
    origin: String,
    #[serde(default = "delegated")]
    kind: String,
    /// The name that its owner gave to a token.
    own_name: Option<String>,
    who: Option<String>,
    #[serde(default)]
    is_service_account: bool,
    #[serde(default)]
    is_inactive: bool,
    #[serde(default)]
    rights: Vec<String>,
    scopes: Vec<String>,
    resource: Option<String>,
    issued: String,
    last_used: String,
    /// Ends after so many days without use; never, if it is not said.
    idle_days: Option<u64>,
    #[serde(default)]
    network: Network,
    #[serde(default = "admin")]
    approval: String,
    #[serde(default)]
    secrets: Vec<Secret>,
    /// It was not there the day before.
    #[serde(default)]
    is_new: bool,
    /// Rules that must warn the day before.
    #[serde(default)]
    flags: Vec<String>,
    /// Rules that must warn afterwards.
    #[serde(default)]
    flags_after: Vec<String>,
    /// Rules that must be silent at any time.
    #[serde(default)]
    silent: Vec<String>,
    outcome: Outcome,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Secret {
    created: String,
    ends: String,
    #[serde(default)]
    is_new: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Network {
    #[default]
    None,
    Enforced,
    LookAlike,
}

/// What the advisory says afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Exact,
    Probable,
    Precaution,
    Review,
    /// Letters within a word.
    Hint,
    /// Issued after the safe date.
    Safe,
    Nothing,
}

fn third_party() -> String {
    "third-party".to_owned()
}

fn delegated() -> String {
    "delegated".to_owned()
}

fn admin() -> String {
    "admin".to_owned()
}

impl Outcome {
    const fn severity(self) -> Option<&'static str> {
        match self {
            Self::Exact => Some("critical"),
            Self::Probable => Some("high"),
            Self::Precaution => Some("medium"),
            Self::Review => Some("low"),
            Self::Hint | Self::Safe => Some("info"),
            Self::Nothing => None,
        }
    }
}

fn known(value: impl Into<Value>) -> Value {
    json!({ "known": value.into() })
}

fn silent() -> Value {
    json!({ "unknown": { "reason": "platform-silent", "facet": "apps", "detail": "not told" } })
}

fn observed(value: Option<impl Into<Value>>) -> Value {
    value.map_or_else(silent, known)
}

impl Record {
    fn tenant(&self) -> String {
        format!("replay-{}", self.platform)
    }

    fn app_id(&self) -> String {
        self.app_id.clone().unwrap_or_else(|| format!("app:{}", self.app))
    }

    fn scopes(&self) -> Value {
        let scope = |name: &String| match &self.resource {
            Some(resource) => json!({ "name": name, "resource": resource }),
            None => json!({ "name": name }),
        };
        known(self.scopes.iter().map(scope).collect::<Vec<_>>())
    }

    fn approval(&self) -> Value {
        known(if self.approval == "user" { "self-authorized" } else { "admin-approved" })
    }

    fn app_record(&self) -> Value {
        // People's own tokens have nobody behind them.
        let is_stand_in = self.kind == "api-token";
        let publisher = self
            .publisher
            .as_ref()
            .map(|name| json!({ "name": name, "verified": known(self.is_verified) }));
        let client = self.client_id.clone().unwrap_or_else(|| format!("FAKE-{}", self.app));
        json!({ "app": {
            "id": self.app_id(),
            "name": self.app,
            "kind": "app",
            "client_ids": if is_stand_in { json!("absent") } else { known(vec![client]) },
            "publisher": if is_stand_in { json!("absent") } else { observed(publisher) },
            "home_tenant": observed(self.home_tenant.clone()),
            "namespace": "absent",
            "redirect_domains": observed(self.redirect.clone().map(|host| vec![host])),
            "web_domains": silent(),
            "origin": self.origin,
            "installed": known(true),
            "blocked": known(false),
            "approval": self.approval(),
            "assigned_to": silent(),
            "scopes": self.scopes(),
            "token_policy": { "access_lifetime": silent(), "refresh": silent(), "rotation": silent() },
            "flows": silent(),
            "introspects_all_tokens": known(false),
            "created_at": silent(),
            "changed_at": silent(),
        } })
    }

    fn holder(&self) -> Value {
        let Some(who) = &self.who else { return json!("app") };
        json!({ "principal": {
            "id": who,
            "name": known(who.as_str()),
            "kind": known(if self.is_service_account { "service-account" } else { "person" }),
            "status": known(if self.is_inactive { "inactive" } else { "active" }),
            "privileges": known(self.rights.clone()),
            "last_login_at": silent(),
        } })
    }

    fn grant_record(&self) -> Value {
        let binding = match self.network {
            Network::Enforced => known(json!([{ "start": "203.0.113.0", "end": "203.0.113.255" }])),
            Network::None | Network::LookAlike => json!("absent"),
        };
        let look_alikes = match self.network {
            Network::LookAlike => {
                json!([{ "setting": "trusted ranges", "why": "they block nobody" }])
            }
            _ => json!([]),
        };
        let expires = match self.idle_days {
            None => json!("never"),
            Some(days) => json!({ "idle": { "secs": days * 86_400, "nanos": 0 } }),
        };
        json!({ "grant": {
            "id": self.id,
            "app": self.app_id(),
            "app_name": self.own_name.as_ref().unwrap_or(&self.app),
            "kind": self.kind,
            "holder": self.holder(),
            "scopes": self.scopes(),
            "granted_at": known(time(&self.issued)),
            "granted_by": silent(),
            "last_used_at": known(time(&self.last_used)),
            "use_count": silent(),
            "expires": known(expires),
            "refreshable": known(true),
            "network": { "binding": binding, "look_alikes": look_alikes },
            "sender_constrained": known(false),
            "approval": self.approval(),
        } })
    }

    fn secret_record(&self, number: usize, secret: &Secret) -> Value {
        json!({ "credential": {
            "id": format!("{}:secret:{number}", self.id),
            "app": self.app_id(),
            "kind": "client-secret",
            "name": silent(),
            "created_at": known(time(&secret.created)),
            "expires_at": known(time(&secret.ends)),
            "last_used_at": silent(),
        } })
    }
}

fn time(date: &str) -> String {
    format!("{date}T00:00:00Z")
}

/// The account; what it lets its users do is not part of a replay.
fn tenant_record(platform: &str) -> Value {
    json!({ "tenant": {
        "id": format!("replay-{platform}-id"),
        "display_name": silent(),
        "sandbox": known(false),
        "consent": { "user_consent": silent(), "setting": "", "bypasses": [], "weak_flows": silent() },
        "look_alikes": silent(),
    } })
}

/// Everything that the platform's connector reads was read.
fn parts(platform: &str) -> Vec<Value> {
    let path = format!("{}/connectors/{platform}/connector.toml", env!("CARGO_MANIFEST_DIR"));
    let manifest: toml::Table = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let facets = manifest["facet"].as_array().unwrap();
    let part = |facet: &toml::Value| {
        json!({
            "facet": facet["id"].as_str(), "title": facet["title"].as_str(),
            "promised": facet["promised"].as_bool(), "read": 1, "expected": null, "losses": [],
        })
    };
    facets.iter().map(part).collect()
}

impl Replay {
    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/replays");
        let mut files: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let parse = |path: &std::path::PathBuf| {
            let replay: Self = toml::from_str(&fs::read_to_string(path).unwrap())
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(path.file_stem().unwrap().to_str(), Some(replay.incident.as_str()));
            replay
        };
        files.iter().map(parse).collect()
    }

    /// The inventory of a day.
    fn inventory(&self, day: &str, is_after: bool) -> String {
        // Both may be of one day: what came after is of its noon.
        let taken_at = if is_after { format!("{day}T12:00:00Z") } else { time(day) };
        let header = json!({ "snapshot": { "schema": 2, "tool": "0.1.0", "taken_at": taken_at } });
        let mut lines = vec![header];
        let platforms: BTreeSet<&str> =
            self.records.iter().map(|record| record.platform.as_str()).collect();
        let mut count = 0;
        for platform in platforms {
            let there = || {
                let there = self.records.iter().filter(|record| is_after || !record.is_new);
                there.filter(|record| record.platform == platform)
            };
            let mut records = vec![tenant_record(platform)];
            let mut apps = BTreeSet::new();
            for record in there() {
                if apps.insert(record.app_id()) {
                    records.push(record.app_record());
                }
            }
            for record in there() {
                let secrets = record.secrets.iter().enumerate();
                let secrets = secrets.filter(|(_, secret)| is_after || !secret.is_new);
                records
                    .extend(secrets.map(|(number, secret)| record.secret_record(number, secret)));
                records.push(record.grant_record());
            }
            count += records.len();
            let name = format!("replay-{platform}");
            lines.extend(
                records.into_iter().map(|record| json!({ "tenant": name, "record": record })),
            );
            lines.push(json!({ "tenant_end": {
                "name": name, "platform": platform, "started_at": time(day), "finished_at": time(day),
                "calls": 0, "coverage": { "parts": parts(platform) },
            } }));
        }
        lines.push(json!({ "end": count }));
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// The findings of a day, through the binary.
    fn findings(
        &self,
        folder: &TempDir,
        day: &str,
        is_after: bool,
        rules: &BTreeSet<String>,
    ) -> Vec<Value> {
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write(
            if is_after { "after.jsonl" } else { "before.jsonl" },
            &self.inventory(day, is_after),
        );
        let mut arguments = vec!["scan", "--offline", "--format", "json", "--fail-on", "never"];
        arguments.extend(["--allow-incomplete", "--inventory"]);
        arguments.push(if is_after { "after.jsonl" } else { "before.jsonl" });
        if let Some(register) = self.register.as_ref().filter(|_| rules.contains("retired-vendor"))
        {
            write("vendors.toml", register);
            write("grantwarden.toml", "[vendors]\nregister = \"vendors.toml\"\n");
        }
        if let Some(advisory) = &self.advisory {
            write("own.toml", advisory);
            arguments.extend(["--advisory", "own.toml"]);
        }
        if is_after && rules.contains("new-or-changed-grant") {
            arguments.extend(["--previous", "before.jsonl"]);
        }
        let run = Run::of(grantwarden(folder.path()).args(arguments)).exits(0);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        report["findings"].as_array().unwrap().clone()
    }
}

/// The rules of the binary.
fn rules() -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::of(grantwarden(folder.path()).args(["explain"])).exits(0);
    run.stdout
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(ToOwned::to_owned)
        .collect()
}

/// Whether a finding is about a record: about its grant, its app, one of its secrets, or its vendor.
fn is_about(finding: &Value, record: &Record) -> bool {
    let subject = &finding["subject"];
    let kind = subject["kind"].as_str().unwrap();
    match kind {
        "vendor" => true,
        _ if finding["tenant"] != json!(record.tenant()) => false,
        "grant" => subject["id"] == json!(record.id),
        "app" | "credential" => subject["app"]["id"] == json!(record.app_id()),
        _ => false,
    }
}

#[test]
fn awaited_rules_are_really_not_there() {
    let rules = rules();
    for awaited in AWAITED {
        assert!(!rules.contains(*awaited), "{awaited} has come: take it out of AWAITED");
    }
}

#[test]
fn every_incident_with_a_replay_is_played() {
    let played: Vec<String> = Replay::all().into_iter().map(|replay| replay.incident).collect();
    assert_eq!(
        played,
        [
            "anodot-2026",
            "circleci-2023",
            "commvault-metallic-2025",
            "dropbox-sign-2024",
            "gainsight-2025",
            "m365-traitorware",
            "midnight-blizzard-2024",
            "okta-cloudflare-2023",
            "salesloft-drift-2025",
            "silk-typhoon-2025",
            "unc6040-2025",
            "verified-publisher-2022",
        ]
    );
}

#[test]
fn incidents_are_played_again() {
    let rules = rules();
    let mut missing: Vec<String> = Vec::new();
    for replay in Replay::all() {
        let folder = tempfile::tempdir().unwrap();
        let before = replay.findings(&folder, &replay.day_before, false, &rules);
        let after = replay.findings(&folder, &replay.after, true, &rules);
        for record in &replay.records {
            let name = format!("{} {}", replay.incident, record.id);
            let says = |findings: &[Value], rule: &str| {
                findings.iter().any(|finding| finding["rule"] == rule && is_about(finding, record))
            };
            let expected =
                [(&record.flags, &before, "before"), (&record.flags_after, &after, "after")];
            for (flags, findings, when) in expected {
                for rule in flags.iter().filter(|rule| !AWAITED.contains(&rule.as_str())) {
                    if !says(findings, rule) {
                        missing.push(format!("{name}: {rule} {when}"));
                    }
                }
            }
            for rule in &record.silent {
                assert!(!says(&before, rule) && !says(&after, rule), "{name}: {rule}");
            }
            let matched: Vec<&Value> = after
                .iter()
                .filter(|finding| finding["rule"] == "vendor-advisory-match")
                .filter(|finding| is_about(finding, record))
                .collect();
            let severities: Vec<&str> =
                matched.iter().map(|finding| finding["severity"].as_str().unwrap()).collect();
            assert_eq!(severities, Vec::from_iter(record.outcome.severity()), "{name}");
            if record.outcome == Outcome::Nothing && replay.advisory.is_none() {
                for rule in ADVISED.iter().chain(&["issued-before-safe-date"]) {
                    assert!(!says(&before, rule) && !says(&after, rule), "{name}: {rule}");
                }
            }
        }
    }
    assert!(missing.is_empty(), "nobody warned:\n{}", missing.join("\n"));
}
