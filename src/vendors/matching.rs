//! How an app or a vendor finds its entry in the register: by a key, and only then by name, which is said.

use serde::Serialize;
use toml::Spanned;

use super::{Confidence, Entry, Member, Register, TieKind, Vendor, brands, ties};

/// An entry of the register, and why it is thought to be the right one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Match<'r> {
    /// The entry.
    pub entry: &'r Entry,
    /// How sure that is.
    pub confidence: Confidence,
    /// What the app and the entry share: `client id 3MVG9…`.
    pub by: String,
    /// Whether it is the app's own key, not one of another app of its vendor.
    #[serde(skip)]
    pub by_own_key: bool,
}

impl Match<'_> {
    /// Whether the user wrote down a key of the app itself for a company of that name, and not merely a name.
    pub fn is_surely(&self, vendor: &Vendor) -> bool {
        let is_same = |name: &Spanned<String>| {
            brands::company(name.get_ref()) == brands::company(&vendor.name)
        };
        let mut names = self.entry.also.iter().chain([&self.entry.name]);
        self.by_own_key && self.confidence != Confidence::Claimed && names.any(is_same)
    }
}

impl Register {
    /// The entry of an app: by what its own record ties it to, by its name, else the entry of its vendor.
    pub fn entry_of_app(&self, vendor: &Vendor, member: &Member) -> Option<Match<'_>> {
        self.by_keys(member)
            .or_else(|| self.by_literal(&member.name))
            .or_else(|| Some(Match { by_own_key: false, ..self.entry_of(vendor)? }))
    }

    /// The entry of a vendor: the surest of its apps' keys, else its name, else a name of one of its apps.
    pub fn entry_of(&self, vendor: &Vendor) -> Option<Match<'_>> {
        let keyed = vendor.apps.iter().filter_map(|member| self.by_keys(member));
        let names = || std::iter::once(&vendor.name).chain(&vendor.names);
        // Of equals the first, which is the first in the order of apps.
        keyed
            .min_by_key(|found| found.confidence)
            .or_else(|| names().find_map(|name| self.by_literal(name)))
            .or_else(|| names().find_map(|name| self.by_brand(name)))
    }

    /// Every entry that an app of the vendor has, in the order of the apps, each once.
    pub fn entries_of(&self, vendor: &Vendor) -> Vec<Match<'_>> {
        let mut found: Vec<Match<'_>> = Vec::new();
        for entry in vendor.apps.iter().filter_map(|member| self.entry_of_app(vendor, member)) {
            match found.iter_mut().find(|other| other.entry.line == entry.entry.line) {
                Some(other) if entry.confidence < other.confidence => *other = entry,
                Some(_) => {}
                None => found.push(entry),
            }
        }
        found
    }

    /// By the surest of the app's keys; of equals the first.
    fn by_keys(&self, member: &Member) -> Option<Match<'_>> {
        let found = member.keys.iter().filter_map(|tie| {
            let (kind, value) = ties::key(tie);
            let compared = match kind {
                TieKind::ClientId => ties::client_id(value),
                _ => value.to_owned(),
            };
            let at = *self.by_key.get(&(kind, compared))?;
            // Codes go to any redirect domain: one of the entry's says little beside one that may be anybody's.
            let is_all = tie.kind != TieKind::RedirectDomain || self.has_all_redirects(at, member);
            Some(Match {
                entry: &self.entries[at],
                confidence: if is_all { tie.confidence } else { Confidence::Claimed },
                by: format!("{} {value}", tie.kind),
                by_own_key: true,
            })
        });
        found.min_by_key(|found| found.confidence)
    }

    /// Whether every redirect domain of the app that tells whose it is belongs to the entry in this position.
    fn has_all_redirects(&self, at: usize, member: &Member) -> bool {
        member.redirect_domains().all(|domain| {
            self.by_key.get(&(TieKind::RedirectDomain, domain.to_owned())) == Some(&at)
        })
    }

    fn by_literal(&self, name: &str) -> Option<Match<'_>> {
        let at = *self.by_name.get(&brands::company(name))?;
        let by = format!("name {name}");
        Some(Match {
            entry: &self.entries[at],
            confidence: Confidence::Claimed,
            by,
            by_own_key: false,
        })
    }

    fn by_brand(&self, name: &str) -> Option<Match<'_>> {
        let brand = brands::of_name(name)?;
        let at = (*self.by_brand.get(brand)?)?;
        let by = format!("name {name}, a brand of {brand}");
        Some(Match {
            entry: &self.entries[at],
            confidence: Confidence::Claimed,
            by,
            by_own_key: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{
        super::{Party, Tie, Traits},
        *,
    };

    fn parse(text: &str) -> Register {
        Register::parse(Path::new("v.toml"), text).unwrap()
    }

    fn member(name: &str, keys: &[(Confidence, TieKind, &str)]) -> Member {
        let tie = |(confidence, kind, value): &(Confidence, TieKind, &str)| Tie {
            confidence: *confidence,
            kind: *kind,
            value: (*value).to_owned(),
        };
        Member {
            tenant: "t".to_owned(),
            platform: "slack".to_owned(),
            app: name.to_owned(),
            name: name.to_owned(),
            client_ids: Vec::new(),
            grants: 1,
            ties: Vec::new(),
            keys: keys.iter().map(tie).collect(),
            traits: Traits::default(),
        }
    }

    fn vendor(name: &str, apps: Vec<Member>) -> Vendor {
        Vendor {
            id: name.to_owned(),
            name: name.to_owned(),
            party: Party::Third,
            platforms: Vec::new(),
            names: apps.iter().map(|app| app.name.clone()).collect(),
            grants: 1,
            apps,
        }
    }

    #[test]
    fn a_key_is_surer_than_a_name() {
        let register = parse(
            "[[vendor]]\nname = 'Drift'\n[[vendor]]\nname = 'Other'\nclient_ids = ['id-1']\ndomains = ['o.example']\n",
        );
        let keyed = vendor(
            "Drift",
            vec![member("Drift", &[(Confidence::Proven, TieKind::ClientId, "id-1")])],
        );
        let found = register.entry_of(&keyed).unwrap();
        assert_eq!((found.entry.name(), found.confidence), ("Other", Confidence::Proven));
        assert_eq!(found.by, "client id id-1");
        let page = vendor(
            "X",
            vec![member("X", &[(Confidence::Claimed, TieKind::WebDomain, "o.example")])],
        );
        assert_eq!(register.entry_of(&page).unwrap().confidence, Confidence::Claimed);
        // By the brand table, Salesloft's product; and said to be no more than a name.
        let brand =
            register.entry_of(&vendor("Salesloft", vec![member("Salesloft", &[])])).unwrap();
        assert_eq!((brand.entry.name(), brand.confidence), ("Drift", Confidence::Claimed));
        assert_eq!(brand.by, "name Salesloft, a brand of Salesloft");
        for decoy in ["schema-drift-bot", "Drifter", "Othe"] {
            assert_eq!(
                register.entry_of(&vendor(decoy, vec![member(decoy, &[])])),
                None,
                "{decoy}"
            );
        }
    }

    #[test]
    fn a_guid_has_no_case_and_other_ids_have() {
        let guid = "A1000000-0000-4000-8000-0000000D21F7";
        let register = parse(&format!("[[vendor]]\nname = 'V'\nclient_ids = ['{guid}', 'AbC']\n"));
        let is_found = |id: &str| {
            let keys = [(Confidence::Proven, TieKind::ClientId, id)];
            register.entry_of(&vendor("X", vec![member("X", &keys)])).is_some()
        };
        assert!(is_found(&guid.to_lowercase()) && is_found(guid) && is_found("AbC"));
        assert!(!is_found("abc"));
    }

    #[test]
    fn one_redirect_domain_beside_another_is_a_claim() {
        let register = parse("[[vendor]]\nname = 'V'\ndomains = ['v.example', 'v.test']\n");
        let confidence = |domains: &[&str]| {
            let keys: Vec<_> = domains
                .iter()
                .map(|domain| (Confidence::Likely, TieKind::RedirectDomain, *domain))
                .collect();
            register.entry_of(&vendor("X", vec![member("X", &keys)])).map(|found| found.confidence)
        };
        assert_eq!(confidence(&["v.example", "v.test"]), Some(Confidence::Likely));
        assert_eq!(confidence(&["evil.zone", "v.example"]), Some(Confidence::Claimed));
        assert_eq!(confidence(&["evil.zone"]), None);
    }

    /// A product that was given up and the rest of its vendor: two entries, one vendor.
    #[test]
    fn an_app_with_an_entry_of_its_own_keeps_it() {
        let register = parse(
            "[[vendor]]\nname = 'Salesloft'\nclient_ids = ['id-1']\n[[vendor]]\nname = 'Drift'\n",
        );
        let apps = vec![
            member("Salesloft", &[(Confidence::Proven, TieKind::ClientId, "id-1")]),
            member("Drift", &[]),
            member("Something", &[]),
        ];
        let vendor = vendor("Salesloft", apps);
        let of =
            |nth: usize| register.entry_of_app(&vendor, &vendor.apps[nth]).unwrap().entry.name();
        assert_eq!([of(0), of(1), of(2)], ["Salesloft", "Drift", "Salesloft"]);
        let names: Vec<&str> =
            register.entries_of(&vendor).iter().map(|found| found.entry.name()).collect();
        assert_eq!(names, ["Salesloft", "Drift"]);
        // With two entries for one company's brands the brand table cannot choose.
        assert_eq!(register.by_brand("Salesloft Drift"), None);
    }
}
