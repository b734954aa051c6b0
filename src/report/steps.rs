//! What to do first: each remedy once, with the apps that it helps and the clicks on the platform. Data for the formats that people read.

use std::{cmp::Reverse, collections::BTreeMap};

use grantwarden_kit::connector::Connector;

use crate::{
    finding::Severity,
    registry,
    rules::{self, Remedy},
    scan::Judged,
};

/// Something to do.
#[derive(Debug)]
pub(super) struct Step<'a> {
    /// The gravest finding that it helps against.
    pub(super) severity: Severity,
    /// What helps; none for the user's own rules, which say it in their own words.
    pub(super) remedy: Option<Remedy>,
    /// The remedy's id, or the title of the user's own rule.
    pub(super) title: String,
    /// The platform's name; none for the user's own rules, whose steps are the same everywhere.
    pub(super) platform: Option<&'a str>,
    /// Names of the apps concerned, the gravest first.
    pub(super) apps: Vec<&'a str>,
    /// How it is done.
    pub(super) clicks: &'a [String],
}

/// What to do about findings that count and are of `medium` or above: the gravest first, the user's own rules last.
pub(super) fn steps<'a>(judged: &'a Judged<'_>) -> Vec<Step<'a>> {
    let mut by_remedy: BTreeMap<(Reverse<Severity>, Remedy, &str), Vec<&str>> = BTreeMap::new();
    for group in &judged.groups {
        // What to do about a vendor is said app by app.
        let Some(tenant) = group.whose.tenant() else { continue };
        let platform = judged.inventory.tenants[tenant].end.platform.as_str();
        for rule in group.rules.iter().filter(|rule| rule.worst.severity >= Severity::Medium) {
            let remedies = rules::find(&rule.worst.rule).map(|meta| meta.remedies);
            let Some(remedy) = remedies.and_then(<[Remedy]>::first) else { continue };
            let key = (Reverse(rule.worst.severity), *remedy, platform);
            add(by_remedy.entry(key).or_default(), group.whose.app_name());
        }
    }
    let mut told: Vec<(Remedy, &str)> = Vec::new();
    let mut steps = Vec::new();
    for ((Reverse(severity), remedy, platform), apps) in by_remedy {
        // The same remedy for less grave findings adds nothing.
        if told.contains(&(remedy, platform)) {
            continue;
        }
        told.push((remedy, platform));
        let manifest = registry::find(platform).map(Connector::manifest);
        let clicks = manifest.and_then(|manifest| manifest.remedies.get(remedy.id()));
        steps.push(Step {
            severity,
            remedy: Some(remedy),
            title: remedy.to_string(),
            platform: manifest.map(|manifest| manifest.name.as_str()),
            apps,
            clicks: clicks.map_or(&[], Vec::as_slice),
        });
    }
    steps.extend(of_own_rules(judged));
    steps
}

fn of_own_rules<'a>(judged: &'a Judged<'_>) -> Vec<Step<'a>> {
    let mut steps: BTreeMap<&str, Step<'a>> = BTreeMap::new();
    for group in &judged.groups {
        for rule in group.rules.iter().filter(|rule| rule.worst.severity >= Severity::Medium) {
            let Some(own) = judged.surroundings.custom_rule(&rule.worst.rule) else { continue };
            if own.fix.is_empty() {
                continue;
            }
            let step = steps.entry(&own.id).or_insert_with(|| Step {
                severity: rule.worst.severity,
                remedy: None,
                title: own.title.clone(),
                platform: None,
                apps: Vec::new(),
                clicks: &own.fix,
            });
            step.severity = step.severity.max(rule.worst.severity);
            add(&mut step.apps, group.whose.app_name());
        }
    }
    let mut steps: Vec<Step<'a>> = steps.into_values().collect();
    steps.sort_by_key(|step| Reverse(step.severity));
    steps
}

fn add<'a>(apps: &mut Vec<&'a str>, app: Option<&'a str>) {
    apps.extend(app.filter(|app| !apps.contains(app)));
}
