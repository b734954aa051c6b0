//! `markdown`: for a comment on a pull request or a job's summary. What cannot be compared first, then the changes, as many as fit.
//!
//! It fits into [`LIMIT`], and says what it leaves out. Names from platforms are inert, see [`inert`].

use std::io::Write;

use super::{super::inert::inert, ChangesError, blank, hidden, number, sentence};
use crate::inventory::diff::{Diff, State};

/// What GitHub takes as a comment is 65,536 characters. In bytes, which are never fewer, and with room for a line of the user's own.
const LIMIT: usize = 65_000;

/// Room for what is said at the end.
const END: usize = 400;

/// Things that cannot be compared that are told.
const BLANKS: usize = 30;

/// Tenants that are told.
const TENANTS: usize = 50;

pub(super) fn write(diff: &Diff<'_>, to: &mut dyn Write) -> Result<(), ChangesError> {
    let mut page = String::new();
    head(&mut page, diff);
    blanks(&mut page, diff);
    let mut left_out = 0_u64;
    let mut told = 0_u64;
    diff.for_each::<ChangesError>(|change| {
        let app = change.app.as_ref().map_or("", |app| &app.name);
        let row = format!(
            "| {} | {} | {} | {} |\n",
            inert(&change.tenant),
            inert(app),
            change.kind.title(),
            inert(&change.message)
        );
        // Once one did not fit, none does: the order stays.
        if left_out > 0 || page.len() + row.len() + END > LIMIT {
            left_out += 1;
            return Ok(());
        }
        if told == 0 {
            page.push_str("| tenant | app | change | |\n|---|---|---|---|\n");
        }
        told += 1;
        page.push_str(&row);
        Ok(())
    })?;
    if left_out > 0 {
        page.push_str(&format!(
            "\n{} more do not fit into a comment: see another format.\n",
            number(left_out, "change")
        ));
    }
    if let Some(hidden) = hidden(diff) {
        page.push_str(&format!("\nBesides, {}.\n", inert(&hidden)));
    }
    Ok(to.write_all(page.as_bytes())?)
}

fn head(page: &mut String, diff: &Diff<'_>) {
    let (then, now) = (diff.old.header.taken_at.date(), diff.new.header.taken_at.date());
    page.push_str(&format!("## Grants: {then} to {now}\n\n**{}**\n\n", sentence(diff)));
    for tenant in diff.tenants.iter().take(TENANTS) {
        let state = match tenant.state {
            State::Compared => {
                format!("compared, {}", number(tenant.changes.values().sum(), "change"))
            }
            State::New => "only in the newer snapshot".to_owned(),
            State::Gone => "only in the older snapshot".to_owned(),
            State::NotComparable => "**not compared**".to_owned(),
        };
        let name = inert(&tenant.name);
        page.push_str(&format!("- {name} ({}): {state}\n", inert(&tenant.platform)));
    }
    if diff.tenants.len() > TENANTS {
        page.push_str(&format!("- and {} more\n", diff.tenants.len() - TENANTS));
    }
    page.push('\n');
}

fn blanks(page: &mut String, diff: &Diff<'_>) {
    if !diff.is_whole() {
        page.push_str("**The comparison is incomplete.** What one snapshot could not see is neither new nor gone:\n\n");
    } else if !diff.not_compared.is_empty() {
        page.push_str("What cannot be seen cannot be compared:\n\n");
    }
    let mut entries: Vec<_> = diff.not_compared.iter().collect();
    entries.sort_by_key(|entry| !entry.counts);
    for entry in entries.iter().take(BLANKS) {
        page.push_str(&format!("- {}: {}\n", inert(&entry.tenant), inert(&blank(entry))));
    }
    if entries.len() > BLANKS {
        page.push_str(&format!("- and {} more\n", entries.len() - BLANKS));
    }
    if !entries.is_empty() {
        page.push('\n');
    }
}
