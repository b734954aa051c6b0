//! Names that are, or look like, a brand's: the same name, the name with words that say nothing, with look-alike letters (Unicode Technical
//! Standard 39), or one letter away. Whether the app is really the brand's is another question, which a name never answers.

use unicode_security::skeleton;

use super::brands::{self, Brand};

/// A name that is, or looks like, a brand's.
#[derive(Debug, Clone, Copy)]
pub struct Imitation {
    /// Whose brand it is.
    pub brand: &'static Brand,
    /// The name that it is, or looks like.
    pub name: &'static str,
    /// How.
    pub likeness: Likeness,
}

/// How a name is like a brand's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// It is the brand's name.
    Same,
    /// It is the brand's name with words such as `login` or `online`.
    WithWords,
    /// It looks the same to the eye, in other letters.
    Letters,
    /// It is one slip of the keyboard away.
    Slip,
}

/// Words that make no other product of a brand's name: whoever says them claims to be the brand. Words of integrations (`sync`, `connector`)
/// are not among them, because everybody's integrations are called so.
const CLAIMS: [&str; 26] = [
    "account",
    "app",
    "cloud",
    "desktop",
    "docs",
    "document",
    "documents",
    "drive",
    "email",
    "login",
    "mail",
    "mobile",
    "official",
    "online",
    "pdf",
    "portal",
    "premium",
    "secure",
    "security",
    "sign",
    "signin",
    "sso",
    "support",
    "update",
    "viewer",
    "web",
];

/// Words beside a vendor's name in the name of a key, a token or an account.
const PURPOSES: [&str; 20] = [
    "access",
    "api",
    "bot",
    "connector",
    "deploy",
    "for",
    "integration",
    "key",
    "prod",
    "production",
    "readonly",
    "service",
    "ssh",
    "staging",
    "svc",
    "sync",
    "test",
    "token",
    "user",
    "webhook",
];

/// A slip of the keyboard in a shorter word makes another word.
const SHORTEST: usize = 6;

/// The brand that a name is, or looks like.
pub fn imitation_of(name: &str) -> Option<Imitation> {
    let company = brands::company(name);
    let found = |likeness| {
        move |(brand, of_brand): (&'static Brand, &'static str)| Imitation {
            brand,
            name: of_brand,
            likeness,
        }
    };
    if let Some(same) = brands::names().find(|(_, other)| *other == company) {
        return Some(found(Likeness::Same)(same));
    }
    if let Some(part) = with_words(&company, &CLAIMS) {
        return Some(found(Likeness::WithWords)(part));
    }
    // As it is written and in small letters: a capital letter may look like another letter than its small one.
    let seen = [skeleton_of(&company), skeleton_of(&brands::company(&skeleton_of(name)))];
    let looks = |other: &str| {
        let other = skeleton_of(other);
        seen.iter().any(|seen| *seen == other || seen.replace(' ', "") == other.replace(' ', ""))
    };
    if let Some(like) = brands::names().find(|(_, other)| looks(other)) {
        return Some(found(Likeness::Letters)(like));
    }
    let bare: Vec<&str> = company.split(' ').filter(|word| !CLAIMS.contains(word)).collect();
    let bare = bare.concat();
    let slip = brands::names().find(|(_, other)| is_slip(&bare, &other.replace(' ', "")));
    slip.map(found(Likeness::Slip))
}

/// The brand for which a key, a token or an account is named: its name, alone or beside words that say what it is.
pub fn named_for(name: &str) -> Option<&'static Brand> {
    let company = brands::company(name);
    let same = brands::names().find(|(_, other)| *other == company);
    let words = [CLAIMS.as_slice(), PURPOSES.as_slice()].concat();
    same.or_else(|| with_words(&company, &words)).map(|(brand, _)| brand)
}

/// The longest brand that the name has beside nothing but such words.
fn with_words(company: &str, words: &[&str]) -> Option<(&'static Brand, &'static str)> {
    let said: Vec<&str> = company.split(' ').collect();
    let is_beside = |other: &str| {
        let brand: Vec<&str> = other.split(' ').collect();
        said.windows(brand.len()).enumerate().any(|(at, window)| {
            let rest = said[..at].iter().chain(&said[at + brand.len()..]);
            window == brand
                && rest.clone().count() > 0
                && rest.clone().all(|word| words.contains(word))
        })
    };
    brands::names().filter(|(_, other)| is_beside(other)).max_by_key(|(_, other)| other.len())
}

fn skeleton_of(text: &str) -> String {
    skeleton(text).collect()
}

/// Whether one is the other with one letter replaced, doubled, left out, put in between, or two neighbours exchanged. A letter more or less
/// at the end makes another word (`Metallic`, `Metallica`), unless it only doubles the last one.
fn is_slip(name: &str, brand: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (name.chars().collect(), brand.chars().collect());
    if b.len() < SHORTEST || a.first() != b.first() {
        return false;
    }
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a_end, b_end) = (&a[start..], &b[start..]);
    match (a_end, b_end) {
        ([], []) => false,
        // One more or one less.
        ([more], []) | ([], [more]) => start > 0 && a[start - 1] == *more && a.len() > b.len(),
        ([_, a_rest @ ..], _) if a.len() == b.len() + 1 => a_rest == b_end,
        (_, [_, b_rest @ ..]) if b.len() == a.len() + 1 => b_rest == a_end,
        ([p, q, a_rest @ ..], [r, s, b_rest @ ..]) if p == s && q == r => a_rest == b_rest,
        ([_, a_rest @ ..], [_, b_rest @ ..]) if a.len() == b.len() => {
            a_rest == b_rest && !a_rest.is_empty()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(name: &str) -> Option<(&'static str, Likeness)> {
        imitation_of(name).map(|found| (found.brand.name.as_str(), found.likeness))
    }

    #[test]
    fn names_that_are_like_a_brands() {
        for (name, brand, likeness) in [
            ("DocuSign", "Docusign", Likeness::Same),
            ("Salesforce Inc. Data Loader", "Salesforce", Likeness::Same),
            ("Data Loader", "Salesforce", Likeness::Same),
            ("Adobe Drive", "Adobe", Likeness::WithWords),
            ("Docusign Login", "Docusign", Likeness::WithWords),
            ("D\u{43e}cusign", "Docusign", Likeness::Letters),
            ("Ad\u{43e}be", "Adobe", Likeness::Letters),
            ("Dropb0x", "Dropbox", Likeness::Letters),
            ("rnicrosoft", "Microsoft", Likeness::Letters),
            ("Docusgin", "Docusign", Likeness::Slip),
            ("Dropbbox", "Dropbox", Likeness::Slip),
            ("Mikrosoft Login", "Microsoft", Likeness::Slip),
        ] {
            assert_eq!(like(name), Some((brand, likeness)), "{name}");
        }
    }

    /// `lessons.md`, part 3: names one letter or one word away that are other companies', or nobody's.
    #[test]
    fn neighbours_of_brands_are_other_names() {
        for name in [
            "Clue",
            "Metallica",
            "Context.io",
            "schema-drift-bot",
            "Drifter",
            "Dataloader Bulk",
            "Heroku Deploy Status",
            "Gain Theory Analytics",
            "Backup",
            "Slack Connector",
            "",
        ] {
            assert_eq!(like(name), None, "{name}");
        }
        assert_ne!(like("Salesloft").map(|(brand, _)| brand), Some("Salesforce"));
        assert_ne!(like("Salesforce").map(|(brand, _)| brand), Some("Salesloft"));
    }

    #[test]
    fn keys_are_named_for_vendors() {
        let named = |name| named_for(name).map(|brand| brand.name.as_str());
        assert_eq!(named("CircleCI"), Some("CircleCI"));
        assert_eq!(named("ANODOT_SVC"), Some("Anodot"));
        assert_eq!(named("Drift sync token"), Some("Salesloft"));
        assert_eq!(named("schema-drift-bot"), None);
        assert_eq!(named("deploy key"), None);
    }
}
