//! A register to begin with: what a snapshot shows about each vendor, and comments where only the company itself knows.

use std::{collections::BTreeSet, fmt::Write as _};

use crate::{
    report::plain,
    vendors::{self, Confidence, Party, Register, TieKind, Vendor},
};

/// What stands before the first entry.
const HEAD: &str = "# Vendor register of grantwarden. `grantwarden schema register` prints its JSON schema; docs/vendors.md explains the keys.
# Drafted from what a scan saw. What only you know is commented out: fill it in and take the # away.
";

/// What only the company itself knows.
const TO_FILL_IN: &str = r#"# owner = "who answers for it"
# purpose = "class of purposes, such as backup"
# data = ["crm"]
# contract_end = 2027-12-31
# reviewed = 2026-01-31
# egress = { ranges = ["203.0.113.0/24"], checked = 2026-01-31, source = "https://…" }
# sub_processors = []   # [] means none; without the line it is not known
# tokens_stored = "where it keeps tokens, and how"
"#;

/// A register of the third-party vendors that a register does not have yet, and how many they are.
pub(super) fn draft(vendors: &[Vendor], known: Option<&Register>) -> (String, usize) {
    let is_missing = |vendor: &&Vendor| {
        vendor.party == Party::Third
            && known.is_none_or(|register| register.entries_of(vendor).is_empty())
    };
    let mut names: BTreeSet<String> = known.into_iter().flat_map(Register::companies).collect();
    let mut text = if known.is_none() { HEAD.to_owned() } else { String::new() };
    let mut count = 0;
    for vendor in vendors.iter().filter(is_missing) {
        count += 1;
        entry(&mut text, vendor, &mut names);
    }
    (text, count)
}

fn entry(text: &mut String, vendor: &Vendor, names: &mut BTreeSet<String>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\n[[vendor]]\nname = {}", quoted(&free_name(&vendor.name, names)));
    for app in &vendor.apps {
        let _ = writeln!(
            text,
            "# seen: {} on {} in {}, {} grant(s)",
            plain(&app.name),
            app.platform,
            plain(&app.tenant),
            app.grants
        );
    }
    let values = |kinds: &[TieKind]| -> BTreeSet<&str> {
        let ties = vendor.apps.iter().flat_map(|app| &app.keys);
        let sure = ties.filter(|tie| tie.confidence != Confidence::Claimed);
        sure.filter(|tie| kinds.contains(&tie.kind)).map(|tie| tie.value.as_str()).collect()
    };
    for (key, kinds) in [
        ("client_ids", &[TieKind::ClientId][..]),
        ("domains", &[TieKind::RedirectDomain]),
        ("publishers", &[TieKind::VerifiedPublisher]),
        ("namespaces", &[TieKind::Namespace]),
        ("google_projects", &[TieKind::GoogleProject]),
        ("home_tenants", &[TieKind::HomeTenant]),
    ] {
        let list: Vec<String> = values(kinds)
            .into_iter()
            .filter(|value| !value.trim().is_empty())
            .map(quoted)
            .collect();
        if !list.is_empty() {
            let _ = writeln!(text, "{key} = [{}]", list.join(", "));
        }
    }
    text.push_str(TO_FILL_IN);
}

/// The vendor's name, or one that no other entry has: a register has each name once.
fn free_name(name: &str, names: &mut BTreeSet<String>) -> String {
    let base = if vendors::company(name).is_empty() { "unnamed" } else { name };
    let mut free = base.to_owned();
    let mut number = 2;
    while !names.insert(vendors::company(&free)) {
        free = format!("{base} ({number})");
        number += 1;
    }
    free
}

/// A basic string of TOML. Whatever a platform calls an app, it stays one text on one line, and what would act upon a terminal is escaped.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
            quoted.push(c);
        } else if plain(c.encode_utf8(&mut [0; 4])).is_empty() {
            quoted.push_str(&format!("\\u{:04X}", u32::from(c)));
        } else {
            quoted.push(c);
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_stays_one_text() {
        for text in ["a", "\"]\nowner = \"x", "\\", "'''", "\u{7f}\u{202e}\t\u{0}", "日本"] {
            let line = format!("name = {}", quoted(text));
            assert_eq!(line.lines().count(), 1);
            assert_eq!(plain(&line), line);
            let read: toml::Table = toml::from_str(&line).unwrap();
            assert_eq!(read["name"].as_str(), Some(text));
        }
    }

    #[test]
    fn every_entry_has_a_name_of_its_own() {
        let mut names = BTreeSet::from(["portal".to_owned()]);
        assert_eq!(free_name("Portal", &mut names), "Portal (2)");
        assert_eq!(free_name("portal, Inc.", &mut names), "portal, Inc. (2)");
        assert_eq!(free_name("!?", &mut names), "unnamed");
        assert_eq!(free_name("", &mut names), "unnamed (2)");
    }
}
