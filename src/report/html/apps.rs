//! The part of the page about apps: every app that holds something or has findings, as data for the script, and the first few as a table.

use std::{cmp::Reverse, collections::BTreeMap};

use grantwarden_kit::model::{App, Origin};
use serde::Serialize;

use super::{
    facts::{Facts, OfApp},
    text::name,
};
use crate::{
    finding::{Counts, Severity},
    inventory::TenantRecords,
    scan::{Judged, Whose},
};

/// Apps that the page holds.
const MOST: usize = 20_000;

/// Apps that are shown without the script.
const SHOWN: usize = 50;

/// The apps.
pub(super) struct Apps {
    /// The gravest first.
    pub(super) rows: Vec<Row>,
    /// How many there are.
    pub(super) total: usize,
}

/// One app of one tenant. As data it is an array, in this order.
#[derive(Debug, Serialize)]
pub(super) struct Row(
    /// The gravest finding that counts: place in [`Severity::ALL`], from 1; 0 for none.
    u8,
    /// Its name.
    String,
    /// Its vendor.
    String,
    /// The tenant.
    String,
    /// The platform.
    String,
    /// What the platform calls it, and whose it is.
    String,
    /// Grants.
    u64,
    /// Findings that count.
    u64,
    /// Live grants that are broad, durable and unbound at once.
    u64,
    /// When any of its grants was last used.
    String,
);

impl Apps {
    /// Those of an inventory.
    pub(super) fn new(judged: &Judged<'_>, facts: &Facts) -> Self {
        let mut found: BTreeMap<(usize, &str), (Severity, Counts)> = BTreeMap::new();
        for group in &judged.groups {
            if let Whose::App { tenant, id, .. } = &group.whose {
                found.insert((*tenant, id), (group.severity(), group.counts()));
            }
        }
        let mut all: Vec<(usize, &TenantRecords, &App)> = Vec::new();
        for (at, tenant) in judged.inventory.tenants.iter().enumerate() {
            all.extend(tenant.apps.values().map(|app| (at, tenant, app)));
        }
        let weight = |(at, tenant, app): &(usize, &TenantRecords, &App)| {
            let found = found.get(&(*at, app.id.as_str()));
            let grants = tenant.grants_by_app.get(&app.id).copied().unwrap_or_default();
            (found.map(|(severity, counts)| (*severity, counts.of(*severity))), grants)
        };
        all.sort_by_cached_key(|app| Reverse(weight(app)));
        let total = all.len();
        let row = |(at, tenant, app): (usize, &TenantRecords, &App)| {
            let found = found.get(&(at, app.id.as_str()));
            let end = &tenant.end;
            let vendor = judged.surroundings.vendor_of(&end.name, &app.id);
            let sums = facts.apps.get(&(at, app.id.clone())).copied().unwrap_or_default();
            let grants = tenant.grants_by_app.get(&app.id).copied().unwrap_or_default();
            Row(
                found.map_or(0, |(severity, _)| *severity as u8 + 1),
                name(&app.name),
                vendor.map(|vendor| name(&vendor.name)).unwrap_or_default(),
                name(&end.name),
                name(&end.platform),
                kind(app),
                grants,
                found.map_or(0, |(_, counts)| counts.total()),
                sums.exposed,
                last_used(&sums, grants),
            )
        };
        Self { rows: all.into_iter().take(MOST).map(row).collect(), total }
    }

    /// The first few.
    pub(super) fn first(&self) -> &[Row] {
        self.rows.get(..SHOWN).unwrap_or(&self.rows)
    }

    /// How many are not shown without the script.
    pub(super) fn hidden(&self) -> usize {
        self.total.saturating_sub(SHOWN)
    }

    /// How many the page does not hold.
    pub(super) fn left_out(&self) -> usize {
        self.total.saturating_sub(MOST)
    }
}

impl Row {
    pub(super) fn severity(&self) -> Option<Severity> {
        usize::from(self.0).checked_sub(1).map(|at| Severity::ALL[at])
    }

    pub(super) fn name(&self) -> &str {
        &self.1
    }

    pub(super) fn vendor(&self) -> &str {
        &self.2
    }

    /// The tenant and its platform.
    pub(super) fn place(&self) -> String {
        format!("{} ({})", self.3, self.4)
    }

    pub(super) fn kind(&self) -> &str {
        &self.5
    }

    pub(super) fn grants(&self) -> String {
        super::text::number(self.6)
    }

    pub(super) fn findings(&self) -> String {
        super::text::number(self.7)
    }

    pub(super) fn exposed(&self) -> String {
        super::text::number(self.8)
    }

    pub(super) fn last_used(&self) -> &str {
        &self.9
    }
}

fn kind(app: &App) -> String {
    let whose = match app.origin {
        Origin::ThirdParty => "",
        Origin::Own => ", own",
        Origin::Platform => ", the platform's own",
    };
    let blocked = if app.blocked.known() == Some(&true) { ", blocked" } else { "" };
    format!("{}{whose}{blocked}", name(&app.kind))
}

/// A use that is not visible may be later than the last one that is.
fn last_used(sums: &OfApp, grants: u64) -> String {
    match (sums.last_used, sums.has_unseen_use) {
        (Some(used), false) => used.date(),
        (Some(used), true) => format!("{} or later", used.date()),
        (None, true) => "not visible".to_owned(),
        (None, false) if grants == 0 => "no grants".to_owned(),
        (None, false) => "never".to_owned(),
    }
}
