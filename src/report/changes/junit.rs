//! `junit`: the changes as test results, one suite for each tenant. What may give access fails, so that a CI server shows it.
//!
//! The exit code of the command does not depend on that: it is `--exit-code` that decides.

use std::io::{self, Write};

use super::{
    super::{
        junit::{Outcome, Spool, Suite, document},
        plain,
    },
    ChangesError, blanks_of, number,
};
use crate::inventory::diff::{Change, Diff, State, TenantDiff};

pub(super) fn write(diff: &Diff<'_>, to: &mut dyn Write) -> Result<(), ChangesError> {
    let mut spool = Spool::new()?;
    let mut suites = Vec::with_capacity(diff.tenants.len());
    for tenant in &diff.tenants {
        let mut suite = Suite::new(tenant.name.clone());
        comparison(&mut suite, &mut spool, diff, tenant)?;
        suites.push(suite);
    }
    diff.for_each_in_its_tenant::<ChangesError>(|at, change| {
        Ok(of_change(&mut suites[at], &mut spool, change)?)
    })?;
    Ok(document(&suites, spool, diff.new.header.taken_at, to)?)
}

/// The case that says whether the tenant was compared.
fn comparison(
    suite: &mut Suite,
    spool: &mut Spool,
    diff: &Diff<'_>,
    tenant: &TenantDiff,
) -> io::Result<()> {
    let missing = blanks_of(diff, tenant, true).join("; ");
    let mut text = "Everything that two scans can see was compared.\n".to_owned();
    for blank in blanks_of(diff, tenant, false) {
        text.push_str(&format!("- not visible: {}\n", plain(&blank)));
    }
    if tenant.hidden > 0 {
        let hidden = number(tenant.hidden, "change");
        text.push_str(&format!(
            "- {hidden} of the platform's own apps not listed (--all lists them)\n"
        ));
    }
    let outcome = match tenant.state {
        _ if !missing.is_empty() => Outcome::Error("not-compared", &missing),
        State::Compared => Outcome::Passed(&text),
        State::New => Outcome::Skipped("only in the newer snapshot: nothing of it is compared"),
        State::Gone => Outcome::Skipped("only in the older snapshot: nothing of it is compared"),
        State::NotComparable => Outcome::Error("not-compared", "nothing of it is compared"),
    };
    suite.case(spool, "comparison", "everything that two scans can see was compared", &outcome)
}

fn of_change(suite: &mut Suite, spool: &mut Spool, change: &Change) -> io::Result<()> {
    let mut text = format!("{}\n", plain(&change.message));
    for (word, value) in [("was", &change.before), ("is", &change.after)] {
        if let Some(value) = value {
            text.push_str(&format!("- {word}: {}\n", plain(value)));
        }
    }
    for (word, list) in [("added", &change.added), ("removed", &change.removed)] {
        if !list.is_empty() {
            text.push_str(&format!("- {word}: {}\n", plain(&list.join(", "))));
        }
    }
    let kind = change.kind.to_string();
    let outcome = if change.kind.may_give_access() {
        Outcome::Failed(&kind, &text)
    } else {
        Outcome::Passed(&text)
    };
    let subject = &change.subject;
    let app = change.app.as_ref().filter(|app| app.id != subject.id);
    let app = app.map(|app| format!(" of {}", app.id)).unwrap_or_default();
    let name = format!("{} ({} {}{app})", subject.label, subject.kind, subject.id);
    suite.case(spool, &kind, &name, &outcome)
}
