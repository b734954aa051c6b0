//! `vendor list` and `vendor show` for a person.

use std::io::{self, Write};

use crate::{
    report::plain,
    vendors::{Entry, Match, Member, Party, Register, Vendor},
};

pub(super) fn list(
    out: &mut dyn Write,
    vendors: &[&Vendor],
    register: Option<&Register>,
) -> io::Result<()> {
    if vendors.is_empty() {
        return writeln!(out, "no vendor holds anything that was seen");
    }
    for vendor in vendors {
        let mut about = vec![
            format!(
                "{} on {}",
                count(vendor.apps.len() as u64, "app"),
                vendor.platforms.join(", ")
            ),
            count(vendor.grants, "grant"),
        ];
        if vendor.party != Party::Third {
            about.push(vendor.party.to_string());
        } else if let Some(register) = register {
            about.push(in_short(&register.entries_of(vendor)));
        }
        writeln!(out, "{}: {}", plain(&vendor.name), about.join("; "))?;
        let others: Vec<String> = vendor
            .names
            .iter()
            .filter(|name| **name != vendor.name)
            .map(|name| plain(name))
            .collect();
        if !others.is_empty() {
            writeln!(out, "  as {}", others.join(", "))?;
        }
    }
    Ok(())
}

/// Owner and end of the contract.
fn in_short(entries: &[Match<'_>]) -> String {
    let short = |found: &Match<'_>| {
        let entry = found.entry;
        let owner =
            entry.owner().map_or("no owner".to_owned(), |owner| format!("owner {}", plain(owner)));
        let end = entry
            .contract_end
            .map_or("no end of contract".to_owned(), |end| format!("contract until {end}"));
        match entries {
            [_] => format!("{owner}, {end}"),
            _ => format!("{}: {owner}, {end}", plain(entry.name())),
        }
    };
    match entries {
        [] => "not in the register".to_owned(),
        entries => entries.iter().map(short).collect::<Vec<_>>().join("; "),
    }
}

pub(super) fn show(
    out: &mut dyn Write,
    vendor: &Vendor,
    all: &[Vendor],
    register: Option<&Register>,
) -> io::Result<()> {
    writeln!(
        out,
        "{}: {} on {}; {}",
        plain(&vendor.name),
        count(vendor.apps.len() as u64, "app"),
        vendor.platforms.join(", "),
        count(vendor.grants, "grant")
    )?;
    for app in &vendor.apps {
        member(out, app, vendor.is_spread())?;
    }
    let is_namesake = |other: &&Vendor| {
        other.apps != vendor.apps && vendor.names.iter().any(|name| other.is_called(name))
    };
    for other in all.iter().filter(is_namesake) {
        writeln!(
            out,
            "  called the same, and nothing else ties it: {} on {}",
            plain(&other.name),
            other.platforms.join(", ")
        )?;
    }
    let Some(register) = register.filter(|_| vendor.party != Party::Platform) else {
        return Ok(());
    };
    let entries = register.entries_of(vendor);
    if entries.is_empty() {
        writeln!(out, "  not in the register")?;
    }
    entries.iter().try_for_each(|found| {
        writeln!(
            out,
            "  register: {}, by {} ({})  [{}]",
            plain(found.entry.name()),
            plain(&found.by),
            found.confidence,
            register.source(found.entry)
        )?;
        lines(found.entry).iter().try_for_each(|line| writeln!(out, "    {}", plain(line)))
    })
}

fn member(out: &mut dyn Write, app: &Member, is_spread: bool) -> io::Result<()> {
    let Member { tenant, platform, app: id, name, client_ids, grants, ties, .. } = app;
    let grants = count(*grants, "grant");
    writeln!(out, "  {}  ({}, {platform}), {grants}", plain(name), plain(tenant))?;
    writeln!(out, "    id {}", plain(id))?;
    for client_id in client_ids.iter().filter(|client_id| *client_id != id) {
        writeln!(out, "    client id {}", plain(client_id))?;
    }
    for tie in ties {
        writeln!(out, "    {}: {} {}", tie.confidence, tie.kind, plain(&tie.value))?;
    }
    if ties.is_empty() && is_spread {
        writeln!(out, "    the platform's own")?;
    }
    Ok(())
}

/// What an entry says, a line for each fact; what matters most in a breach is said even where it is missing.
fn lines(entry: &Entry) -> Vec<String> {
    let or_missing = |label: &str, value: Option<String>| match value {
        Some(value) => format!("{label} {value}"),
        None => format!("{label} not written"),
    };
    let mut lines = vec![
        or_missing("owner:", entry.owner().map(ToOwned::to_owned)),
        or_missing("purpose:", entry.purpose().map(ToOwned::to_owned)),
        or_missing(
            "may hold:",
            entry.data().map(|data| {
                let phrases: Vec<&str> = data.iter().map(|class| class.phrase()).collect();
                if phrases.is_empty() { "nothing".to_owned() } else { phrases.join(", ") }
            }),
        ),
        or_missing("contract until:", entry.contract_end.map(|end| end.to_string())),
        or_missing("reviewed:", entry.reviewed.map(|day| day.to_string())),
    ];
    lines.extend(entry.review_due().map(|due| format!("next review by: {due}")));
    lines.push(or_missing(
        "calls from:",
        entry.egress.as_ref().map(|egress| {
            let ranges: Vec<String> = egress.ranges.iter().map(ToString::to_string).collect();
            let source =
                egress.source.as_ref().map_or_else(String::new, |source| format!(", {source}"));
            format!("{}, checked on {}{source}", ranges.join(", "), egress.checked)
        }),
    ));
    lines.extend(entry.assessment.as_ref().map(|assessment| {
        let by = assessment.by.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
        let url = assessment.url.as_ref().map_or_else(String::new, |url| format!(", {url}"));
        format!("assessment: {} on {}{by}{url}", assessment.result, assessment.date)
    }));
    lines.push(or_missing(
        "declared sub-processors:",
        entry.sub_processors.as_ref().map(|list| {
            let names: Vec<&str> = list.iter().map(|name| name.get_ref().as_str()).collect();
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        }),
    ));
    lines.push(or_missing("keeps tokens:", entry.tokens_stored.clone()));
    lines.extend(entry.note.as_ref().map(|note| format!("note: {note}")));
    lines
}

/// `1 app`, `2 apps`.
pub(super) fn count(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
