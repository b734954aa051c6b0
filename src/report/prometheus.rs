//! `prometheus`: numbers for a monitoring system, in the text exposition format
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>) as `node_exporter`'s textfile collector reads it.
//!
//! Few series: by tenant, severity and status, never by app, user or finding. A number that nobody could read is left out, never 0.

use std::{
    collections::BTreeMap,
    fmt::{Display, Write as _},
    io::Write,
};

use grantwarden_kit::model::Timestamp;

use crate::{
    finding::{Severity, StatusCounts},
    inventory::{TenantRecords, harmless::steers},
    scan::{JudgeError, Judged},
};

/// Platform and tenant of findings; both empty for those about vendors and about the policy.
type Place = (String, String);

pub(super) fn write(judged: &Judged<'_>, to: &mut dyn Write) -> Result<(), JudgeError> {
    let mut text = String::new();
    of_the_scan(judged, &mut text);
    of_tenants(judged, &mut text);
    of_findings(&count(judged)?, &mut text);
    to.write_all(text.as_bytes())?;
    Ok(())
}

fn of_the_scan(judged: &Judged<'_>, text: &mut String) {
    let build = labels(&[("version", env!("CARGO_PKG_VERSION"))]);
    family(text, "build_info", "The program that wrote this.", [(build, 1)]);
    let one = |value: f64| [(String::new(), value)];
    let begun = judged.inventory.header.taken_at;
    family(text, "scan_start_timestamp_seconds", "When the scan began.", one(seconds(begun)));
    let ends = judged.inventory.tenants.iter().map(|tenant| tenant.end.finished_at);
    if let Some(ended) = ends.max() {
        let took = begun.until(ended).as_secs_f64();
        family(text, "scan_end_timestamp_seconds", "When the scan ended.", one(seconds(ended)));
        family(text, "scan_duration_seconds", "How long the scan took.", one(took));
    }
    let help = "The time that findings were judged by.";
    family(text, "judged_timestamp_seconds", help, one(seconds(judged.surroundings.now)));
    let help = "Whether everything that was promised was read.";
    family(text, "scan_complete", help, one(f64::from(u8::from(judged.is_whole()))));
    let help = "Exit code of the run: 0 clean, 1 findings at or above the threshold, 3 incomplete.";
    family(text, "scan_exit_code", help, one(f64::from(judged.exit().code())));
}

fn of_tenants(judged: &Judged<'_>, text: &mut String) {
    let tenants = &judged.inventory.tenants;
    let mut each = |name: &str, help: &str, value: &dyn Fn(&TenantRecords) -> Option<f64>| {
        let samples = tenants.iter().filter_map(|tenant| {
            let place = [("platform", &*tenant.end.platform), ("tenant", &*tenant.end.name)];
            Some((labels(&place), value(tenant)?))
        });
        family(text, name, help, samples);
    };
    each(
        "tenant_complete",
        "Whether everything that was promised of the tenant was read.",
        &|tenant| Some(f64::from(u8::from(tenant.end.is_whole()))),
    );
    each("tenant_start_timestamp_seconds", "When the tenant's scan began.", &|tenant| {
        Some(seconds(tenant.end.started_at))
    });
    each("tenant_duration_seconds", "How long the tenant's scan took.", &|tenant| {
        Some(tenant.end.started_at.until(tenant.end.finished_at).as_secs_f64())
    });
    each("tenant_calls", "HTTP calls that the tenant's scan took.", &|tenant| {
        Some(number(tenant.end.calls))
    });
    // Of a tenant that could not be read, 0 would be a lie.
    let seen =
        |tenant: &TenantRecords, value: u64| tenant.end.failure.is_none().then_some(number(value));
    each(
        "tenant_apps",
        "Apps of the tenant, as far as they were seen; absent if nothing could be read.",
        &|tenant| seen(tenant, tenant.apps.len() as u64),
    );
    each(
        "tenant_grants",
        "Grants of the tenant, as far as they were seen; absent if nothing could be read.",
        &|tenant| seen(tenant, tenant.grants),
    );
    each("tenant_platform_apps", "Those of the apps that are the platform's own.", &|tenant| {
        seen(tenant, tenant.of_the_platform().0)
    });
    each(
        "tenant_platform_grants",
        "Those of the grants that apps of the platform itself hold.",
        &|tenant| seen(tenant, tenant.of_the_platform().1),
    );
    each(
        "tenant_lost_parts",
        "Promised parts of the tenant that could not be read whole; absent if nothing could be read.",
        &|tenant| {
            let parts = &tenant.end.coverage.parts;
            seen(tenant, parts.iter().filter(|part| !part.is_whole()).count() as u64)
        },
    );
}

/// Every tenant counts, also one without findings; so do what is about several, and the policy.
fn count(judged: &Judged<'_>) -> Result<BTreeMap<Place, StatusCounts>, JudgeError> {
    let ends = judged.inventory.tenants.iter().map(|tenant| &tenant.end);
    let places = ends.map(|end| (end.platform.clone(), end.name.clone())).chain([Place::default()]);
    let mut counts: BTreeMap<Place, StatusCounts> =
        places.map(|place| (place, StatusCounts::default())).collect();
    judged.for_each_finding(|finding, _| {
        let of = |name: &Option<String>| name.clone().unwrap_or_default();
        let place = (of(&finding.platform), of(&finding.tenant));
        counts.entry(place).or_default().add(&finding.status, finding.severity);
        Ok(())
    })?;
    Ok(counts)
}

fn of_findings(counts: &BTreeMap<Place, StatusCounts>, text: &mut String) {
    let samples = counts.iter().flat_map(|((platform, tenant), counts)| {
        let by_status = [
            ("active", counts.active),
            ("allowed", counts.allowed),
            ("baseline", counts.baseline),
            ("waived", counts.waived),
        ];
        by_status.into_iter().flat_map(move |(status, counts)| {
            Severity::ALL.into_iter().map(move |severity| {
                let severity_name = severity.to_string();
                let labels = labels(&[
                    ("platform", platform),
                    ("tenant", tenant),
                    ("severity", &severity_name),
                    ("status", status),
                ]);
                (labels, counts.of(severity))
            })
        })
    });
    let help =
        "Findings; only active ones count. Without a tenant: about vendors and about the policy.";
    family(text, "findings", help, samples);
}

/// One metric with all its samples. All are gauges: each scan counts anew.
fn family<V: Display>(
    text: &mut String,
    name: &str,
    help: &str,
    samples: impl IntoIterator<Item = (String, V)>,
) {
    let mut samples = samples.into_iter().peekable();
    if samples.peek().is_none() {
        return;
    }
    // Writing to a text cannot fail.
    let _ = writeln!(text, "# HELP grantwarden_{name} {help}\n# TYPE grantwarden_{name} gauge");
    for (labels, value) in samples {
        let _ = writeln!(text, "grantwarden_{name}{labels} {value}");
    }
}

/// `{name="value",…}`. An empty value is the same as none to Prometheus.
fn labels(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().filter(|(_, value)| !value.is_empty());
    let pairs: Vec<String> =
        pairs.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{{{}}}", pairs.join(","))
}

/// The format wants `\`, `"` and line breaks escaped. What could steer a terminal is written as its number, `\u{1b}`; so is a `\` that
/// would begin the same, so that two names never become one.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for (at, c) in value.char_indices() {
        let is_numbered = steers(c) && c != '\n' || value[at..].starts_with("\\u{");
        match c {
            c if is_numbered => text.extend(["\\\\u{", &format!("{:x}", u32::from(c)), "}"]),
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c => text.push(c),
        }
    }
    text
}

fn seconds(time: Timestamp) -> f64 {
    let epoch = Timestamp::from_second(0).unwrap_or(time);
    epoch.until(time).as_secs_f64()
}

/// As Prometheus keeps every number; exact up to 2^53.
const fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_end_early_and_two_never_become_one() {
        assert_eq!(escaped("a\"} 1\nb\\"), "a\\\"} 1\\nb\\\\");
        assert_eq!(escaped("a\u{1b}[2J\u{202e}\r"), "a\\\\u{1b}[2J\\\\u{202e}\\\\u{d}");
        assert_eq!(escaped("\\u{1b}\\\u{7}u{"), "\\\\u{5c}u{1b}\\\\\\\\u{7}u{");
        assert_eq!(labels(&[("tenant", ""), ("severity", "high")]), "{severity=\"high\"}");
    }

    #[test]
    fn a_metric_without_samples_is_left_out() {
        let mut text = String::new();
        family(&mut text, "nothing", "Nothing.", Vec::<(String, u64)>::new());
        assert_eq!(text, "");
        family(&mut text, "something", "Something.", [(String::new(), 1.5)]);
        assert_eq!(
            text,
            "# HELP grantwarden_something Something.\n# TYPE grantwarden_something gauge\ngrantwarden_something 1.5\n"
        );
    }
}
