//! What apps did, set against what they may do: the app's usage records, and which calls its scopes stand for.
//!
//! Only logs that name every call can tell what was never called; `calls.toml` says which those are.

use std::{collections::BTreeSet, sync::LazyLock, time::Duration};

use grantwarden_kit::{
    manifest::Holding,
    model::{App, Count, Coverage, Gap, Reason, Scope, Timestamp, Usage},
};
use serde::Deserialize;

use super::{Context, before};

/// From so many calls on an app has shown what it does.
const MANY: u64 = 30;

/// The table as data.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    log: Vec<Log>,
}

/// A log that names every call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    platform: String,
    log: String,
    list: List,
    reads: Vec<String>,
    api: Vec<Api>,
    #[cfg_attr(not(test), expect(dead_code, reason = "for the reader of the table"))]
    source: String,
}

/// Which list of a usage record has the calls.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum List {
    Objects,
    Operations,
}

/// Calls, and the scopes that let an app make them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Api {
    calls: Vec<String>,
    scopes: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "for the reader of the table"))]
    source: String,
}

static LOGS: LazyLock<Vec<Log>> =
    // A test reads the same text, so that it cannot be broken in a build whose tests passed.
    LazyLock::new(|| parse().map(|file| file.log).unwrap_or_default());

fn parse() -> Result<File, toml::de::Error> {
    toml::from_str(include_str!("calls.toml"))
}

/// The log of a platform that names every call.
///
/// # Errors
/// A gap: there is none that a scan reads.
pub(super) fn log_of(context: &Context<'_>) -> Result<&'static Log, Gap> {
    let known = LOGS.iter().find(|log| log.platform == context.platform);
    known.ok_or_else(|| {
        let detail = "no log of this platform that a scan reads names the calls of an app";
        Gap::new(Reason::PlatformSilent, usage_facet(context), detail)
    })
}

/// The facet that tells what apps did.
pub(super) fn usage_facet<'a>(context: &Context<'a>) -> &'a str {
    let mut holding = context.facets.iter().filter(|facet| facet.holds.contains(&Holding::Usage));
    holding.next_back().map_or("app-usage", |facet| &facet.id)
}

/// What was read of the log in this scan and in earlier ones, of all apps.
pub(super) fn usage_of<'a>(context: &Context<'a>, log: &'a str) -> Vec<&'a Usage> {
    let now = context.digest.usage.iter().filter(|usage| usage.log == log);
    let before = context.before().ok().map(|before| &before.usage);
    let before = before.into_iter().flat_map(|past| past.of_log(log));
    now.chain(before).collect()
}

/// The same of one app.
fn usage_of_app<'a>(context: &Context<'a>, log: &str, app: &App) -> Vec<&'a Usage> {
    let now = context.digest.usage.iter().filter(|usage| is_of(usage, app));
    let before = context.before().ok().map(|before| before.usage.of_app(app));
    now.chain(before.into_iter().flatten()).filter(|usage| usage.log == log).collect()
}

/// Whether a usage record is an app's: by its id, by one of its client ids, or, where the log has no id, by its name.
pub(super) fn is_of(usage: &Usage, app: &App) -> bool {
    usage.app == app.id
        || app.client_ids.known().is_some_and(|ids| ids.contains(&usage.app))
        || usage.app == app.name
}

/// How much time the stretches cover together.
pub(super) fn covered<'a>(usages: impl IntoIterator<Item = &'a Usage>) -> Duration {
    let mut stretches: Vec<(Timestamp, Timestamp)> =
        usages.into_iter().map(|usage| (usage.from, usage.to)).collect();
    stretches.sort_unstable();
    let mut covered = Duration::ZERO;
    let mut until: Option<Timestamp> = None;
    for (from, to) in stretches {
        let from = until.map_or(from, |until| until.max(from));
        covered = covered.saturating_add(from.until(to));
        until = Some(until.map_or(to, |until| until.max(to)));
    }
    covered
}

/// Why the log is too short, or has holes, to tell what is never done; `None` if it is long enough and whole.
pub(super) fn too_short(context: &Context<'_>, log: &'static Log, needed: Duration) -> Option<Gap> {
    let usages = usage_of(context, &log.log);
    if usages.is_empty() {
        return Some(no_usage(context));
    }
    if let Some(gap) = lost(context, context.coverage) {
        return Some(gap.clone());
    }
    if let Ok(before) = context.before()
        && before.usage.of_log(&log.log).next().is_some()
        && let Some(gap) = lost(context, &before.coverage)
    {
        let date = before.taken_at.date();
        let detail = format!("the scan of {date} did not see all of the log: {}", gap.detail);
        return Some(before::nothing(detail));
    }
    let covered = covered(usages);
    (covered < needed).then(|| before::nothing(short(&log.log, covered, needed)))
}

/// What is missing of what apps did, so that a call may have been made that nobody read.
fn lost<'a>(context: &Context<'_>, coverage: &'a Coverage) -> Option<&'a Gap> {
    let holds_usage = |facet: &str| {
        let holding = context.facets.iter().filter(|known| known.holds.contains(&Holding::Usage));
        holding.into_iter().any(|known| known.id == facet)
    };
    let parts = coverage.parts.iter().filter(|part| holds_usage(&part.facet));
    let mut gaps = parts.flat_map(|part| &part.losses).map(|loss| &loss.gap);
    gaps.find(|gap| gap.reason.is_loss())
}

/// Why there is no record of what any app did.
pub(super) fn no_usage(context: &Context<'_>) -> Gap {
    let facet = usage_facet(context);
    // Coverage says why, if something is missing.
    let part = context.coverage.parts.iter().find(|part| part.facet == facet);
    let lost = part.and_then(|part| part.losses.first());
    let silent =
        || Gap::new(Reason::PlatformSilent, facet, "no log that a scan reads names an app");
    lost.map_or_else(silent, |loss| loss.gap.clone())
}

/// The gap of an app whose lists are full.
pub(super) fn too_many(context: &Context<'_>) -> Gap {
    let detail = "an app's lists hold more values than a scan counts apart";
    Gap::new(Reason::PlatformSilent, usage_facet(context), detail)
}

/// What to say of a log that does not reach back far enough.
pub(super) fn short(log: &str, covered: Duration, needed: Duration) -> String {
    format!(
        "`{log}` covers {} in the scans that were given, and {} are needed; give more with --previous",
        super::words::span(covered),
        super::words::span(needed)
    )
}

/// The calls of one app.
pub(super) struct Calls<'a> {
    pub(super) log: &'static Log,
    pub(super) names: BTreeSet<&'a str>,
    pub(super) events: u64,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl<'a> Calls<'a> {
    /// Those of an app, if the log has it at all: what was never used is another rule's business.
    ///
    /// # Errors
    /// Why they are not all known.
    pub(super) fn of(
        context: &Context<'a>,
        log: &'static Log,
        app: &App,
    ) -> Result<Option<Self>, Gap> {
        let usages = usage_of_app(context, &log.log, app);
        let (Some(from), Some(to)) = (
            usages.iter().map(|usage| usage.from).min(),
            usages.iter().map(|usage| usage.to).max(),
        ) else {
            return Ok(None);
        };
        let lists = || usages.iter().map(|usage| log.calls(usage));
        if lists().any(is_cut) {
            return Err(too_many(context));
        }
        let names: BTreeSet<&str> = lists().flatten().map(|call| call.value.as_str()).collect();
        let events = usages.iter().map(|usage| usage.events).sum();
        Ok((!names.is_empty()).then_some(Self { log, names, events, from, to }))
    }

    /// How many facts make it less firm that the app never does anything else.
    pub(super) fn doubts(&self) -> usize {
        usize::from(self.events < MANY)
    }

    /// The calls that a scope may have been used for.
    pub(super) fn through(&self, apis: &[&Api]) -> Vec<&'a str> {
        let is_through = |name: &&&str| apis.iter().any(|api| api.has(name));
        self.names.iter().filter(is_through).copied().collect()
    }
}

/// Whether values may be missing from a list.
pub(super) fn is_cut(list: &[Count]) -> bool {
    list.len() >= Usage::TOP || list.iter().any(|count| count.value == Usage::OTHERS)
}

impl Log {
    fn calls<'a>(&self, usage: &'a Usage) -> &'a [Count] {
        match self.list {
            List::Objects => &usage.objects,
            List::Operations => &usage.operations,
        }
    }

    /// The APIs that a scope lets an app call; empty if the table does not say.
    pub(super) fn apis(&self, scope: &Scope) -> Vec<&Api> {
        let is_named = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => scope.name.starts_with(beginning),
            None => scope.name == *pattern,
        };
        self.api.iter().filter(|api| api.scopes.iter().any(is_named)).collect()
    }

    /// Whether the log names a call of one of the APIs by any app: that it logs them at all.
    pub(super) fn has_any(&'static self, context: &Context<'_>, apis: &[&Api]) -> bool {
        usage_of(context, &self.log)
            .into_iter()
            .flat_map(|usage| self.calls(usage))
            .any(|call| apis.iter().any(|api| api.has(&call.value)))
    }

    /// Whether a call only reads, by the last word of its name.
    pub(super) fn reads(&self, call: &str) -> bool {
        let word = call.rsplit(['.', ' ']).next().unwrap_or(call).to_lowercase();
        self.reads.iter().any(|beginning| word.starts_with(beginning.as_str()))
    }

    /// The log's name.
    pub(super) fn name(&self) -> &str {
        &self.log
    }
}

impl Api {
    fn has(&self, call: &str) -> bool {
        self.calls.iter().any(|beginning| call.starts_with(beginning.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_readable_and_has_sources() {
        let file = parse().unwrap();
        for log in &file.log {
            assert!(log.source.starts_with("https://"), "{}", log.log);
            assert!(log.reads.iter().all(|word| *word == word.to_lowercase()), "{}", log.log);
            for api in &log.api {
                assert!(api.source.starts_with("https://") && !api.calls.is_empty());
                assert!(!api.scopes.is_empty());
            }
        }
    }

    /// Every platform of the table exists, and the scopes are those of its catalog.
    #[test]
    fn the_tables_scopes_are_the_catalogs() {
        let catalogs = crate::registry::catalogs().unwrap();
        for log in &parse().unwrap().log {
            let catalog = &catalogs[log.platform.as_str()];
            for pattern in log.api.iter().flat_map(|api| &api.scopes) {
                let found = catalog.entries().iter().any(|entry| match pattern.strip_suffix('*') {
                    Some(beginning) => entry.name.starts_with(beginning),
                    None => entry.name == *pattern,
                });
                assert!(found, "{}: {pattern}", log.platform);
            }
        }
    }

    #[test]
    fn what_opens_another_way_in_is_not_judged_by_its_calls() {
        let file = parse().unwrap();
        let google = file.log.iter().find(|log| log.platform == "google-workspace").unwrap();
        for name in ["https://mail.google.com/", "https://www.googleapis.com/auth/calendar"] {
            assert!(google.apis(&Scope::named(name)).is_empty(), "{name}");
        }
        assert_eq!(google.apis(&Scope::named("https://www.googleapis.com/auth/drive")).len(), 1);
    }

    #[test]
    fn the_last_word_tells_reading_from_changing() {
        let file = parse().unwrap();
        let [google, salesforce] = file.log.as_slice() else { panic!() };
        for call in ["drive.files.list", "gmail.users.messages.get", "people.people.batchGet"] {
            assert!(google.reads(call), "{call}");
        }
        for call in
            ["drive.files.update", "gmail.users.messages.send", "drive.files.copy", "oauth2"]
        {
            assert!(!google.reads(call), "{call}");
        }
        assert!(salesforce.reads("REST GET") && !salesforce.reads("REST PATCH"));
        assert!(!salesforce.reads("SOAP POST"));
    }

    #[test]
    fn stretches_that_overlap_count_once() {
        let usage = |from: &str, to: &str| Usage {
            app: String::new(),
            log: String::new(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            events: 0,
            addresses: Vec::new(),
            agents: Vec::new(),
            objects: Vec::new(),
            principals: Vec::new(),
            operations: Vec::new(),
            versions: Vec::new(),
        };
        let days = |usages: &[Usage]| covered(usages).as_secs() / 86_400;
        assert_eq!(days(&[]), 0);
        assert_eq!(
            days(&[usage("2026-01-05", "2026-01-07"), usage("2026-01-01", "2026-01-03")]),
            4
        );
        assert_eq!(
            days(&[usage("2026-01-01", "2026-01-11"), usage("2026-01-02", "2026-01-03")]),
            10
        );
        assert_eq!(
            days(&[usage("2026-01-01", "2026-01-03"), usage("2026-01-02", "2026-01-05")]),
            4
        );
    }
}
