//! Explains a right of a principal: a role or a privilege that decides how far the tokens of its holder reach.

use std::io;

use super::super::Failure;
use crate::{
    exit::Exit,
    registry,
    scopes::{PrivilegeEntry, Rights},
};

/// `platform:right`, or a right of any platform. Whether there is such a right.
pub(super) fn explain(out: &mut impl io::Write, what: &str) -> Result<bool, Failure> {
    let catalogs = registry::catalogs().map_err(|error| Failure::new(Exit::Internal, &error))?;
    let (platform, name) = match what.split_once(':') {
        Some((platform, name)) if catalogs.contains_key(platform) => (Some(platform), name),
        _ => (None, what),
    };
    let mut found = false;
    for (id, catalog) in &catalogs {
        let is_asked = platform.is_none_or(|platform| platform == *id);
        let Some(right) = catalog.privilege(name).filter(|_| is_asked) else { continue };
        if found {
            writeln!(out)?;
        }
        found = true;
        tell(out, id, right)?;
    }
    Ok(found)
}

fn tell(out: &mut impl io::Write, platform: &str, right: &PrivilegeEntry) -> Result<(), Failure> {
    writeln!(out, "{platform}: the right {}\n\n{}", right.name, right.meaning)?;
    writeln!(
        out,
        "{}",
        match right.rights {
            Rights::Own => "It reaches no further than an ordinary user's rights.",
            Rights::Elevated =>
                "It reaches further than an ordinary user's rights, but not all data.",
            Rights::ReadsAll =>
                "Who has it reads data of the whole organisation, and so does a token of theirs.",
            Rights::Administers => {
                "Who has it changes data, users, settings or code of the whole organisation, and so does a token of theirs."
            }
        }
    )?;
    match &right.checked {
        Some(page) => writeln!(out, "Checked against: {page}")?,
        None => writeln!(
            out,
            "Judged by its name and what is known of the product; not checked by hand."
        )?,
    }
    Ok(())
}
