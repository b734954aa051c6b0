//! `--format prometheus`: what a monitoring system gets.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::{SMALL_NOW, Stage};

/// Samples by series, `name{label="value",…}` with labels in the order of the text.
type Samples = BTreeMap<String, f64>;

/// Reads the text exposition format, as strictly as `node_exporter` does: every metric is described once, before its samples, all together;
/// no series comes twice; no timestamps.
fn parse(text: &str) -> Samples {
    assert!(text.ends_with('\n'));
    let (mut samples, mut described) = (Samples::new(), BTreeSet::new());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let (name, help) = line.strip_prefix("# HELP ").unwrap().split_once(' ').unwrap();
        assert!(!help.is_empty() && described.insert(name), "{line}");
        assert_eq!(lines.next().unwrap(), format!("# TYPE {name} gauge"));
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            let rest = line.strip_prefix(name).unwrap();
            let labels = labels(rest);
            let value = rest[labels.len()..].strip_prefix(' ').unwrap().parse().unwrap();
            assert_eq!(samples.insert(format!("{name}{labels}"), value), None, "{line}");
        }
    }
    samples
}

/// `{…}` at the beginning of a text, or nothing; ends where a reader of the format ends it.
fn labels(text: &str) -> &str {
    if !text.starts_with('{') {
        return "";
    }
    let (mut in_value, mut is_escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => {
                assert!(matches!(c, '\\' | '"' | 'n'), "\\{c}");
                is_escaped = false;
            }
            '\\' if in_value => is_escaped = true,
            '"' => in_value = !in_value,
            '}' if !in_value => return &text[..=at],
            _ => {}
        }
    }
    panic!("labels without an end: {text}");
}

/// A scan to a file, and the same scan's JSON.
fn scanned(stage: &Stage, arguments: &[&str]) -> (Samples, Value) {
    let both = ["scan", "--output", "grants.prom", "--output", "grants.json", "--now", SMALL_NOW];
    stage.run(&[&both, arguments].concat());
    (parse(&stage.read("grants.prom")), serde_json::from_str(&stage.read("grants.json")).unwrap())
}

fn of_status(samples: &Samples, severity: &str, status: &str) -> f64 {
    let end = format!("severity=\"{severity}\",status=\"{status}\"}}");
    samples.iter().filter(|(series, _)| series.ends_with(&end)).map(|(_, value)| value).sum()
}

#[test]
fn the_numbers_are_those_of_the_report() {
    let stage = Stage::small();
    let (samples, report) = scanned(&stage, &[]);
    for severity in ["critical", "high", "medium", "low", "info"] {
        for status in ["active", "waived", "allowed", "baseline"] {
            let expected = report["summary"][status][severity].as_f64().unwrap();
            assert_eq!(of_status(&samples, severity, status), expected, "{severity} {status}");
        }
    }
    assert!(of_status(&samples, "critical", "active") > 0.0);
    let place = "{platform=\"salesforce\",tenant=\"acme-crm\"}";
    for name in ["apps", "grants", "platform_apps", "platform_grants", "calls"] {
        let expected = report["tenants"][0][name].as_f64().unwrap();
        assert_eq!(samples[&format!("grantwarden_tenant_{name}{place}")], expected, "{name}");
    }
    assert_eq!(samples["grantwarden_scan_complete"], 1.0);
    assert_eq!(samples[&format!("grantwarden_tenant_complete{place}")], 1.0);
    assert_eq!(samples[&format!("grantwarden_tenant_lost_parts{place}")], 0.0);
    assert_eq!(samples["grantwarden_scan_exit_code"], 1.0);
    // 2026-01-15T12:00:00Z.
    assert_eq!(samples["grantwarden_judged_timestamp_seconds"], 1_768_478_400.0);
    let (begun, ended) = (
        samples["grantwarden_scan_start_timestamp_seconds"],
        samples["grantwarden_scan_end_timestamp_seconds"],
    );
    assert!(begun > 1_700_000_000.0 && ended >= begun);
    let version = concat!("grantwarden_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}");
    assert_eq!(samples[version], 1.0);
}

#[test]
fn no_app_no_person_and_the_same_bytes_every_time() {
    let stage = Stage::small();
    stage.run(&["scan", "--export", "grants.jsonl"]);
    let arguments = ["scan", "--offline", "--inventory", "grants.jsonl", "--format", "prometheus"];
    let text = stage.run(&arguments).exits(1).stdout;
    assert_eq!(text, stage.run(&arguments).stdout);
    parse(&text);
    assert!(!text.contains("Drift") && !text.contains('@'), "{text}");
}

/// 0 grants would look like good news.
#[test]
fn a_tenant_that_could_not_be_read_has_no_numbers() {
    let stage = Stage::small();
    let broken = stage.config("broken").replace(stage.org().base_url(), "http://127.0.0.1:1");
    stage.write("grantwarden.toml", &format!("{broken}{}", stage.config("acme-crm")));
    let (samples, _) = scanned(&stage, &["--fail-on", "never"]);
    let place = "{platform=\"salesforce\",tenant=\"broken\"}";
    assert_eq!(samples[&format!("grantwarden_tenant_complete{place}")], 0.0);
    for name in ["apps", "grants", "platform_apps", "platform_grants", "lost_parts"] {
        assert!(!samples.contains_key(&format!("grantwarden_tenant_{name}{place}")), "{name}");
    }
    assert_eq!(samples["grantwarden_scan_complete"], 0.0);
    assert_eq!(samples["grantwarden_scan_exit_code"], 3.0);
}

#[test]
fn a_hostile_name_is_a_label_and_nothing_else() {
    let stage = Stage::small();
    let config = stage.config(r#"x\"} 1\ngrantwarden_scan_complete 1\n\\\u001b[2J"#);
    stage.write("grantwarden.toml", &config);
    let (samples, _) = scanned(&stage, &[]);
    let name = r#"x\"} 1\ngrantwarden_scan_complete 1\n\\\\u{1b}[2J"#;
    let series =
        format!("grantwarden_tenant_complete{{platform=\"salesforce\",tenant=\"{name}\"}}");
    assert_eq!(samples.get(&series), Some(&1.0), "{samples:#?}");
}

/// `node_exporter` is another user.
#[cfg(unix)]
#[test]
fn the_file_can_be_read_by_others_and_reports_cannot() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::small();
    scanned(&stage, &[]);
    let mode = |name: &str| stage.path(name).metadata().unwrap().permissions().mode() & 0o777;
    // As the umask of this machine has it.
    stage.write("any.txt", "");
    assert_eq!(mode("grants.prom") & 0o044, mode("any.txt") & 0o044);
    assert_eq!(mode("grants.json"), 0o600);
}
