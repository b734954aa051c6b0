//! The part of the page about what was read and what was not. It stands first.

use grantwarden_kit::model::{Observed, Part};

use super::text::{counted, name, number, sentence};
use crate::{inventory::TenantRecords, report::missing, scan::Judged};

/// What was read and what was not.
pub(super) struct Coverage {
    /// Whether everything that was promised was read.
    pub(super) is_whole: bool,
    /// What a reader must know before anything else.
    pub(super) verdict: String,
    pub(super) tenants: Vec<OfTenant>,
}

/// One tenant.
pub(super) struct OfTenant {
    pub(super) name: String,
    pub(super) platform: String,
    /// The account's own name and id.
    pub(super) account: String,
    pub(super) apps: String,
    pub(super) grants: String,
    pub(super) is_whole: bool,
    /// The same in words.
    pub(super) state: &'static str,
    /// Why nothing was read at all, if so, and what to do.
    pub(super) failure: Option<String>,
    /// What of the promised is missing.
    pub(super) missing: Vec<String>,
    /// How many other parts were not seen whole.
    pub(super) unseen: u64,
    pub(super) compared: String,
    pub(super) parts: Vec<OfPart>,
}

/// One part of a tenant.
pub(super) struct OfPart {
    pub(super) title: String,
    /// Rows that were read.
    pub(super) rows: String,
    /// A class of the style.
    pub(super) class: &'static str,
    pub(super) state: &'static str,
    /// What is missing and why, and how it was read.
    pub(super) detail: String,
}

pub(super) fn coverage(judged: &Judged<'_>) -> Coverage {
    let tenants: Vec<OfTenant> =
        judged.inventory.tenants.iter().map(|tenant| of_tenant(judged, tenant)).collect();
    let broken = tenants.iter().filter(|tenant| !tenant.is_whole).count() as u64;
    let all = counted(tenants.len() as u64, "tenant");
    let verdict = if judged.is_whole() {
        format!(
            "Everything that the connectors promise was read, in {}. What no interface shows to anybody is listed with each tenant.",
            if tenants.len() == 1 { "the one tenant".to_owned() } else { format!("all {all}") }
        )
    } else {
        let unread =
            (broken > 0).then(|| format!("{} of {all} could not be read whole", number(broken)));
        let beyond = missing::beyond_tenants(judged);
        let why = unread.into_iter().chain(beyond.iter().map(|beyond| capital(beyond.text)));
        let why: String = why.map(|why| why + ". ").collect();
        format!("{why}What is not in this report may still be there.")
    };
    Coverage { is_whole: judged.is_whole(), verdict, tenants }
}

/// With a capital letter in front.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn of_tenant(judged: &Judged<'_>, records: &TenantRecords) -> OfTenant {
    let end = &records.end;
    let is_read = end.failure.is_none();
    let account = records.tenant.as_ref().map(|tenant| match &tenant.display_name {
        Observed::Known(own) => format!("{} ({})", name(own), name(&tenant.id)),
        _ => name(&tenant.id),
    });
    let losses = |is_promised: bool| {
        end.coverage
            .parts
            .iter()
            .filter(move |part| !part.losses.is_empty() && part.is_whole() != is_promised)
    };
    OfTenant {
        name: name(&end.name),
        platform: name(&end.platform),
        account: account.unwrap_or_else(|| "account not read".to_owned()),
        apps: if is_read { number(records.apps.len() as u64) } else { "not read".to_owned() },
        grants: if is_read { number(records.grants) } else { "not read".to_owned() },
        is_whole: end.is_whole(),
        state: match (is_read, end.is_whole()) {
            (false, _) => "NOT READ",
            (true, false) => "INCOMPLETE",
            (true, true) => "complete",
        },
        failure: end.failure.as_ref().map(|failure| match &failure.hint {
            Some(hint) => format!("{} Hint: {}", sentence(&failure.message), sentence(hint)),
            None => sentence(&failure.message),
        }),
        missing: losses(true)
            .map(|part| format!("{}: {}", name(&part.title), of_losses(part)))
            .collect(),
        unseen: losses(false).count() as u64,
        compared: judged.surroundings.compared_with(records).map_or_else(
            || "not compared with an earlier scan".to_owned(),
            |then| format!("compared with the scan of {}", then.date()),
        ),
        parts: end.coverage.parts.iter().map(of_part).collect(),
    }
}

fn of_part(part: &Part) -> OfPart {
    let (class, state) = match (part.losses.is_empty(), part.is_whole()) {
        (true, _) => ("read", "read"),
        (false, true) => ("unseen", "not seen"),
        (false, false) => ("missing", "MISSING"),
    };
    let notes = part.notes.iter().map(|note| sentence(note));
    let losses = (!part.losses.is_empty()).then(|| of_losses(part));
    OfPart {
        title: name(&part.title),
        rows: match part.expected {
            Some(expected) if expected != part.read => {
                format!("{} of {}", number(part.read), number(expected))
            }
            _ if part.unseen().is_some() => "none".to_owned(),
            _ => number(part.read),
        },
        class,
        state,
        detail: losses.into_iter().chain(notes).collect::<Vec<_>>().join("; "),
    }
}

/// What is missing of a part, and why.
fn of_losses(part: &Part) -> String {
    let losses = part.losses.iter().map(|loss| match loss.rows {
        Some(rows) => format!("{} missing: {}", number(rows), sentence(&loss.gap.detail)),
        None => sentence(&loss.gap.detail),
    });
    losses.collect::<Vec<_>>().join("; ")
}
