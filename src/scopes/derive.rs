//! The fallback for names that no catalog has: what the words in a name say about it.
//!
//! A guess, marked as one. It leans to the worse reading: a name that says nothing about access may change data.

use std::borrow::Cow;

use super::{Access, Assessment, DataClass, Escalation, Reach, Rights};
use crate::finding::Severity;

/// Verbs and the access that they stand for, the strongest first. The verb decides: `meeting:read:participant:admin` reads.
const VERBS: [(&str, Access); 5] = [
    ("impersonate impersonation impersonating sudo", Access::ActAs),
    ("manage administer approve", Access::Administer),
    (
        "write readwrite rw modify edit update delete remove send post execute migrate restore revoke rotate share \
         publish merge rename",
        Access::Write,
    ),
    ("create add upload insert ingest import submit", Access::Add),
    ("read readonly reader view viewer get list search query export download", Access::Read),
];

/// Words that tell the access where no verb does, the strongest first.
const NOUNS: [(&str, Access); 3] = [
    ("full superuser root", Access::ActAs),
    ("admin administrator administration owner control command management", Access::Administer),
    ("metadata limited freebusy", Access::Limited),
];

/// Words that narrow a scope down to some properties.
const BASIC: &str = "basic freebusy metadata limited";

/// Ends of a name that narrow a scope down to some objects: chosen ones, or those that the app itself made.
const SOME: [&str; 6] =
    ["selected", "ownedby", "managedby", "createdbyapp", "appfolder", "whereinstalled"];

/// Words, the class of data that they stand for, and its harms if read and if changed; the most harmful first.
const DATA: [(&str, DataClass, u8, u8); 14] = [
    (
        "secret secrets key keys token tokens credential credentials password passwords vault",
        DataClass::Secrets,
        4,
        4,
    ),
    (
        "role roles permission permissions policy policies identity sso federation consent grant grants \
         authentication application applications principal principals domain domains synchronization",
        DataClass::Identity,
        3,
        4,
    ),
    ("mail mailbox mailboxes gmail email emails imap pop smtp ews exchange", DataClass::Mail, 3, 3),
    (
        "file files drive document documents attachment attachments content site sites note notes",
        DataClass::Files,
        3,
        3,
    ),
    (
        "chat message messages channel channels conversation conversations im post posts",
        DataClass::Chat,
        3,
        3,
    ),
    ("meeting meetings call calls recording recordings transcript", DataClass::Meetings, 3, 3),
    (
        "code repo repos repository repositories workflow workflows pipeline pipelines script scripts",
        DataClass::Code,
        3,
        3,
    ),
    (
        "crm account accounts lead leads opportunity opportunities case cases ticket tickets \
         customer customers deal deals health",
        DataClass::Crm,
        3,
        3,
    ),
    ("device devices computer computers machine machines", DataClass::Devices, 2, 3),
    ("directory user users group groups member members team", DataClass::Directory, 2, 3),
    ("calendar calendars event events contact contacts", DataClass::Calendar, 2, 2),
    ("report reports analytics dashboard dashboards usage", DataClass::Analytics, 2, 2),
    ("setting settings config configuration catalog catalogue", DataClass::Settings, 1, 2),
    ("openid profile userinfo", DataClass::Profile, 1, 1),
];

/// Words that say that a scope does not end at one user.
const FAR: &str = "all any org organization organisation tenant workspace domain enterprise global directory admin administrator master";

/// Judges a scope by its name alone; of a scope that is an address, by its last part.
pub(super) fn from_name(name: &str) -> Assessment<'static> {
    let last = name.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default();
    let words = words(if name.contains("://") { last } else { name });
    let access = access(&words);
    let acts_as = access == Access::ActAs;
    let (data, read, changed) = DATA
        .into_iter()
        // `user_impersonation` is about all that a user can do, not about users.
        .filter(|(_, data, ..)| !acts_as || *data != DataClass::Directory)
        .find_map(|(list, data, read, changed)| has(&words, list).then_some((data, read, changed)))
        .unwrap_or(if acts_as { (DataClass::Unknown, 3, 3) } else { (DataClass::Unknown, 2, 2) });
    let changes = access >= Access::Add;
    let lower = name.to_lowercase();
    let some = SOME.iter().any(|end| lower.ends_with(end));
    let escalation = match data {
        DataClass::Identity if changes && !some => Escalation::Direct,
        DataClass::Identity if changes => Escalation::Indirect,
        DataClass::Secrets => Escalation::Indirect,
        _ => Escalation::None,
    };
    let reach = if words.ends_with(&["as".to_owned(), "app".to_owned()]) {
        Reach::Tenant
    } else if has(&words, FAR) {
        Reach::Organisation
    } else {
        Reach::User
    };
    let narrow = some || (!changes && has(&words, BASIC));
    Assessment {
        name: Cow::Owned(name.to_owned()),
        access: if narrow { Access::Limited } else { access },
        reach,
        data,
        harm_if_read: if access == Access::Add { 0 } else { read },
        harm_if_changed: if changes { changed } else { 0 },
        escalation,
        offline: has(&words, "offline refresh"),
        sends: access == Access::Write && has(&words, "send post"),
        severity: Severity::Medium,
        derived: true,
        meaning: Cow::Owned(format!(
            "Not in the catalog; by the words in its name it concerns {}.",
            data.phrase()
        )),
    }
}

/// What the words say about access; if nothing, that it changes data.
fn access(words: &[String]) -> Access {
    if words.windows(2).any(|pair| pair == ["as", "user"] || pair == ["as", "app"]) {
        return Access::ActAs;
    }
    let said = VERBS.into_iter().chain(NOUNS).find(|(list, _)| has(words, list));
    said.map_or(Access::Write, |(_, access)| access)
}

/// Judges a privilege by its name alone.
pub(super) fn rights_from_name(name: &str) -> Rights {
    let words = words(name);
    if has(&words, "admin administrator manage modify customize author assign") {
        Rights::Administers
    } else if has(&words, "all any every") {
        Rights::ReadsAll
    } else {
        Rights::Elevated
    }
}

fn has(words: &[String], list: &str) -> bool {
    list.split_whitespace().any(|listed| words.iter().any(|word| word == listed))
}

/// The words of a name in lower case: split at punctuation, where lower case turns into upper case (`ReadWrite`), and before the last
/// letter of several in upper case (`APIConnectors`).
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    let mut rest = name.chars().peekable();
    while let Some(c) = rest.next() {
        let ends_capitals =
            before.is_uppercase() && rest.peek().is_some_and(|next| next.is_lowercase());
        let turns = c.is_uppercase() && (before.is_lowercase() || ends_capitals);
        if (turns || !c.is_alphanumeric()) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_alphanumeric(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words
}
