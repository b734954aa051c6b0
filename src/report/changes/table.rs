//! `table`: for a person at a terminal. What is missing first, then the changes by tenant, app and kind, each kind shortened, and what
//! nobody can see last.

use std::io::{self, Write};

use super::{
    super::{Look, table::Page},
    ChangesError, blank, hidden, number, sentence,
};
use crate::inventory::diff::{Change, Diff, Kind, State, TenantDiff};

/// Changes of an app that are told of each kind.
const TOLD: u64 = 10;

pub(super) fn write(diff: &Diff<'_>, look: Look, to: &mut dyn Write) -> Result<(), ChangesError> {
    let mut page = Page { to, look };
    let (then, now) = (diff.old.header.taken_at, diff.new.header.taken_at);
    let title = format!("From {} to {}", then.whole_second(), now.whole_second());
    let title = page.bold(&title);
    writeln!(page.to, "{title}")?;
    for tenant in &diff.tenants {
        page.tenant(tenant)?;
    }
    page.blanks(diff, true, "Cannot be compared")?;
    let mut told = Told { page: &mut page, tenant: None, app: None, kind: None, left_out: 0 };
    let mut told_at = 0;
    diff.for_each::<ChangesError>(|change| Ok(told.change(change, &mut told_at)?))?;
    told.close()?;
    page.blanks(diff, false, "Not visible")?;
    writeln!(page.to)?;
    page.paragraph("", &format!("{}.", sentence(diff)))?;
    if let Some(hidden) = hidden(diff) {
        page.paragraph("", &format!("Besides, {hidden}."))?;
    }
    if !diff.is_whole() {
        page.paragraph("", "The comparison is incomplete: see \"Cannot be compared\".")?;
    }
    Ok(())
}

impl Page<'_> {
    fn tenant(&mut self, tenant: &TenantDiff) -> io::Result<()> {
        let numbers = |numbers: Option<crate::inventory::diff::Numbers>| {
            numbers.map_or("not there".to_owned(), |numbers| {
                let scan = if numbers.complete { "" } else { ", INCOMPLETE" };
                format!(
                    "{} of {}{scan}",
                    number(numbers.grants, "grant"),
                    number(numbers.apps, "app")
                )
            })
        };
        let state = match tenant.state {
            State::Compared => "",
            State::New => "only in the newer snapshot; ",
            State::Gone => "only in the older snapshot; ",
            State::NotComparable => "NOT COMPARED; ",
        };
        let name = self.bold(&tenant.name);
        let id = tenant.id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
        let about = super::super::plain(&format!("{}{id}", tenant.platform));
        writeln!(self.to, "{name}  {about}")?;
        let line = format!("{state}was: {}; is: {}", numbers(tenant.old), numbers(tenant.new));
        self.paragraph("  ", &line)
    }

    /// What cannot be compared: that which makes the comparison incomplete, or that which does not.
    fn blanks(&mut self, diff: &Diff<'_>, counts: bool, title: &str) -> io::Result<()> {
        let mut entries =
            diff.not_compared.iter().filter(|entry| entry.counts == counts).peekable();
        if entries.peek().is_none() {
            return Ok(());
        }
        let title = self.bold(title);
        writeln!(self.to, "\n{title}")?;
        let grave = if counts { "MISSING: " } else { "" };
        for entry in entries {
            self.paragraph("  ", &format!("- {grave}{}: {}", entry.tenant, blank(entry)))?;
        }
        Ok(())
    }
}

/// What was told last. Changes come in the order of tenant, app and kind.
struct Told<'p, 'w> {
    page: &'p mut Page<'w>,
    tenant: Option<(String, String)>,
    app: Option<String>,
    kind: Option<Kind>,
    left_out: u64,
}

impl Told<'_, '_> {
    fn change(&mut self, change: &Change, told: &mut u64) -> io::Result<()> {
        let tenant = (change.tenant.clone(), change.platform.clone());
        let app = change.app.as_ref().map(|app| app.id.clone());
        let is_new_place = self.tenant.as_ref() != Some(&tenant) || self.app != app;
        if is_new_place || self.kind != Some(change.kind) {
            self.close()?;
            *told = 0;
        }
        if is_new_place {
            let name = change.app.as_ref().map_or(&change.tenant, |app| &app.name);
            let name = self.page.bold(name);
            let place = super::super::plain(&format!("{}, {}", change.tenant, change.platform));
            writeln!(self.page.to, "\n{name}  ({place})")?;
        }
        (self.tenant, self.app, self.kind) = (Some(tenant), app, Some(change.kind));
        *told += 1;
        if *told > TOLD {
            self.left_out += 1;
            return Ok(());
        }
        self.page.paragraph("  ", &format!("- {}: {}", change.kind.title(), change.message))
    }

    /// Says how many of the last kind were not told.
    fn close(&mut self) -> io::Result<()> {
        let Some(kind) = self.kind.filter(|_| self.left_out > 0) else { return Ok(()) };
        let line = format!("- {}: and {} more", kind.title(), self.left_out);
        self.left_out = 0;
        self.page.paragraph("  ", &line)
    }
}
