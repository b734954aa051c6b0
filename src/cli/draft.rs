//! A register to begin with: what a snapshot shows about each vendor, and comments where only the company itself knows.

use std::{collections::BTreeSet, fmt::Write as _};

use grantwarden_kit::model::App;

use crate::{
    report::plain,
    vendors::{self, Confidence, Member, Party, Register, Tie, TieKind, Vendor},
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
///
/// `app` gives an app's record.
pub(super) fn draft<'a>(
    vendors: &[Vendor],
    app: impl Fn(&Member) -> Option<&'a App>,
    known: Option<&Register>,
) -> (String, usize) {
    let is_missing = |vendor: &&Vendor| {
        vendor.party == Party::Third
            && known.is_none_or(|register| register.entries_of(vendor).is_empty())
    };
    let mut names: BTreeSet<String> = known.into_iter().flat_map(Register::companies).collect();
    let mut text = if known.is_none() { HEAD.to_owned() } else { String::new() };
    let mut count = 0;
    for vendor in vendors.iter().filter(is_missing) {
        count += 1;
        entry(&mut text, vendor, &app, &mut names);
    }
    (text, count)
}

fn entry<'a>(
    text: &mut String,
    vendor: &Vendor,
    app: impl Fn(&Member) -> Option<&'a App>,
    names: &mut BTreeSet<String>,
) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\n[[vendor]]\nname = {}", quoted(&free_name(&vendor.name, names)));
    for member in &vendor.apps {
        let _ = writeln!(
            text,
            "# seen: {} on {} in {}, {} grant(s)",
            plain(&member.name),
            member.platform,
            plain(&member.tenant),
            member.grants
        );
    }
    let trusted = vendors::trusted(vendor, app);
    let is_trusted = |member: &&Member| trusted.iter().any(|other| std::ptr::eq(*other, *member));
    for (key, list) in keys(trusted.iter().copied()) {
        let _ = writeln!(text, "{key} = [{list}]");
    }
    // An impostor's client id is its own beyond doubt; that the impostor is the vendor's is what it claims.
    for member in vendor.apps.iter().filter(|member| !is_trusted(member)) {
        for (key, list) in keys(std::iter::once(member)) {
            let name = plain(&member.name);
            let _ = writeln!(text, "# only claimed, check first: {name}: {key} = [{list}]");
        }
    }
    text.push_str(TO_FILL_IN);
}

/// The keys that apps have by more than a claim, as a register has them: each with its values as they are written in a list.
fn keys<'a>(apps: impl Iterator<Item = &'a Member>) -> Vec<(&'static str, String)> {
    let ties: Vec<&Tie> = apps
        .flat_map(|app| &app.keys)
        .filter(|tie| tie.confidence != Confidence::Claimed && !tie.value.trim().is_empty())
        .collect();
    let list = |kind: TieKind| {
        let of_kind = ties.iter().filter(|tie| tie.kind == kind);
        let values: BTreeSet<&str> = of_kind.map(|tie| tie.value.as_str()).collect();
        values.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
    };
    [
        ("client_ids", TieKind::ClientId),
        ("domains", TieKind::RedirectDomain),
        ("publishers", TieKind::VerifiedPublisher),
        ("namespaces", TieKind::Namespace),
        ("google_projects", TieKind::GoogleProject),
        ("home_tenants", TieKind::HomeTenant),
    ]
    .into_iter()
    .map(|(key, kind)| (key, list(kind)))
    .filter(|(_, list)| !list.is_empty())
    .collect()
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

    /// An impostor is called like the vendor's app; its own client id is no claim, that it is the vendor's is.
    #[test]
    fn the_keys_of_an_impostor_are_comments() {
        use Confidence::{Claimed, Likely, Proven};
        let member = |id: &str, ties: &[(Confidence, TieKind, &str)]| Member {
            tenant: "acme".to_owned(),
            platform: "salesforce".to_owned(),
            app: id.to_owned(),
            name: "Drift".to_owned(),
            client_ids: Vec::new(),
            grants: 1,
            ties: Vec::new(),
            keys: ties
                .iter()
                .map(|(confidence, kind, value)| Tie {
                    confidence: *confidence,
                    kind: *kind,
                    value: (*value).to_owned(),
                })
                .collect(),
            traits: vendors::Traits::default(),
        };
        let brand = |confidence| (confidence, TieKind::BrandName, "Salesloft");
        let mut vendor = Vendor {
            id: "Salesloft".to_owned(),
            name: "Salesloft".to_owned(),
            party: Party::Third,
            platforms: Vec::new(),
            names: Vec::new(),
            grants: 2,
            apps: vec![
                member("real", &[(Proven, TieKind::ClientId, "real-id"), brand(Likely)]),
                member(
                    "evil",
                    &[
                        (Proven, TieKind::ClientId, "evil-id"),
                        (Likely, TieKind::RedirectDomain, "evil.zone"),
                        brand(Claimed),
                    ],
                ),
            ],
        };
        for app in &mut vendor.apps {
            app.ties = app.keys.clone();
        }
        let written = |vendor: &Vendor| draft(std::slice::from_ref(vendor), |_| None, None).0;
        let text = written(&vendor);
        assert!(text.contains("\nclient_ids = [\"real-id\"]\n"), "{text}");
        for key in ["client_ids = [\"evil-id\"]", "domains = [\"evil.zone\"]"] {
            let line = format!("\n# only claimed, check first: Drift: {key}\n");
            assert!(text.contains(&line), "{text}");
        }
        // With nobody that is sure, nobody can say which of the two is the impostor; one alone is all that there is.
        vendor.apps[0].ties.pop();
        assert!(!written(&vendor).contains("\nclient_ids"));
        vendor.apps.pop();
        assert!(written(&vendor).contains("\nclient_ids = [\"real-id\"]\n"));
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
