//! Purpose classes: what kinds of apps there are, and the most that each kind needs. Data in `purposes.toml`; nothing here judges an app.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use crate::scopes::{Access, DataClass};

/// How much of a kind of data an app needs, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Level {
    /// Nothing.
    None,
    /// To read.
    Read,
    /// To read, add, change or send.
    Write,
    /// To change settings, users or rights, too.
    Administer,
}

impl Level {
    /// What a scope of that access takes.
    pub const fn of(access: Access) -> Self {
        match access {
            Access::SignIn => Self::None,
            Access::Limited | Access::Read => Self::Read,
            Access::Add | Access::Write => Self::Write,
            Access::Administer | Access::ActAs => Self::Administer,
        }
    }
}

/// A kind of apps.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Stable id, as the register and the policy write it: `meeting-notes`.
    pub id: String,
    /// For a person: `meeting notes`.
    pub title: String,
    /// Whole words of an app's name, in lower case, from which its kind may be guessed.
    words: Vec<String>,
    #[serde(default)]
    user: BTreeMap<Level, Vec<DataClass>>,
    #[serde(default)]
    organisation: BTreeMap<Level, Vec<DataClass>>,
}

impl Class {
    /// The most that such an app needs of a kind of data: of everybody's, or of one user's.
    pub fn needs(&self, data: DataClass, of_everybody: bool) -> Level {
        // Everybody is signed in and has a profile.
        if matches!(data, DataClass::None | DataClass::Profile) {
            return Level::Read;
        }
        let of = |table: &BTreeMap<Level, Vec<DataClass>>| {
            let listed = table.iter().filter(|(_, classes)| classes.contains(&data));
            listed.map(|(level, _)| *level).max().unwrap_or(Level::None)
        };
        if of_everybody {
            of(&self.organisation)
        } else {
            of(&self.organisation).max(of(&self.user))
        }
    }

    /// What such an app needs, for a person: `to write CRM data of everybody, to read mail of its user`.
    pub fn sentence(&self) -> String {
        let of = |table: &BTreeMap<Level, Vec<DataClass>>, whose: &str| {
            let listed = table.iter().rev().map(|(level, classes)| {
                let classes: Vec<&str> = classes.iter().map(|class| class.phrase()).collect();
                format!("to {level} {} of {whose}", classes.join(", "))
            });
            listed.collect::<Vec<_>>()
        };
        let parts = [of(&self.organisation, "everybody"), of(&self.user, "its user")].concat();
        parts.join("; ")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "class")]
    classes: Vec<Class>,
}

static CLASSES: LazyLock<Vec<Class>> =
    // A test reads the same text, so that it cannot be broken in a build whose tests passed.
    LazyLock::new(|| parse().map(|file| file.classes).unwrap_or_default());

fn parse() -> Result<File, toml::de::Error> {
    toml::from_str(include_str!("purposes.toml"))
}

/// Every class, in alphabetical order.
pub fn classes() -> &'static [Class] {
    &CLASSES
}

/// The class with this id.
pub fn class(id: &str) -> Option<&'static Class> {
    CLASSES.iter().find(|class| class.id == id)
}

/// The class that a word of the name speaks for, and the word; `None` if no word does, or words speak for several.
pub fn guess(name: &str) -> Option<(&'static Class, &'static str)> {
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split(|letter: char| !letter.is_alphanumeric()).collect();
    let mut spoken = CLASSES.iter().filter_map(|class| {
        let word = class.words.iter().find(|word| words.contains(&word.as_str()))?;
        Some((class, word.as_str()))
    });
    let first = spoken.next()?;
    spoken.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_file_is_readable_and_in_order() {
        let file = parse().unwrap();
        let titles: Vec<&str> = file.classes.iter().map(|class| class.title.as_str()).collect();
        assert!(titles.len() > 20, "{titles:?}");
        let mut words = BTreeSet::new();
        for class in &file.classes {
            assert!(!class.sentence().is_empty(), "{}", class.id);
            for word in &class.words {
                assert!(words.insert(word.clone()), "{word} speaks for two classes");
                assert_eq!(*word, word.to_lowercase());
            }
        }
        assert!(file.classes.is_sorted_by_key(|class| &class.id));
    }

    #[test]
    fn the_page_lists_every_class() {
        let page = include_str!("../../docs/purposes.md");
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        let expected: Vec<String> =
            classes().iter().map(|class| format!("| `{}` | {} |", class.id, class.title)).collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn what_one_user_needs_is_not_needed_of_everybody() {
        let calendar = class("calendar").unwrap();
        assert_eq!(calendar.needs(DataClass::Calendar, false), Level::Write);
        assert_eq!(calendar.needs(DataClass::Calendar, true), Level::Read);
        assert_eq!(calendar.needs(DataClass::Mail, false), Level::None);
        assert_eq!(calendar.needs(DataClass::Profile, true), Level::Read);
        let backup = class("backup").unwrap();
        assert_eq!(backup.needs(DataClass::Mail, false), Level::Write);
    }

    #[test]
    fn a_guess_is_made_of_whole_words_that_agree() {
        let guessed = |name| guess(name).map(|(class, word)| (class.id.as_str(), word));
        assert_eq!(guessed("Acme Backup"), Some(("backup", "backup")));
        assert_eq!(guessed("Metallic Exchange backup 1"), Some(("backup", "backup")));
        assert_eq!(guessed("Backupify"), None);
        assert_eq!(guessed("Mail Backup"), None, "two words speak for two classes");
        assert_eq!(guessed("Drift"), None);
    }
}
