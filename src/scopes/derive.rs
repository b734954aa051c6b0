//! The fallback for names that no catalog has: what the words in a name say about it.
//!
//! A guess, marked as one. It leans to the worse reading: a name that says nothing about access may change data.

use std::borrow::Cow;

use super::{Access, Assessment, DataClass, Escalation, Reach, Rights};
use crate::finding::Severity;

const ACCESS: &[(&[&str], Access)] = &[
    (&["full", "impersonate", "impersonation", "superuser", "root"], Access::ActAs),
    (&["admin", "administer", "administration", "owner"], Access::Administer),
    (
        &[
            "write",
            "readwrite",
            "rw",
            "modify",
            "edit",
            "update",
            "manage",
            "delete",
            "remove",
            "send",
            "post",
            "execute",
        ],
        Access::Write,
    ),
    (&["create", "add", "upload", "insert", "ingest", "import"], Access::Add),
    (
        &["read", "readonly", "view", "get", "list", "search", "query", "export", "download"],
        Access::Read,
    ),
    (&["metadata", "basic", "limited", "selected", "freebusy"], Access::Limited),
];

/// Words, class, harm if read, harm if changed.
const DATA: &[(&[&str], DataClass, u8, u8)] = &[
    (
        &[
            "secret",
            "secrets",
            "key",
            "keys",
            "token",
            "tokens",
            "credential",
            "credentials",
            "password",
            "passwords",
            "vault",
        ],
        DataClass::Secrets,
        4,
        4,
    ),
    (
        &[
            "role",
            "roles",
            "permission",
            "permissions",
            "policy",
            "policies",
            "identity",
            "sso",
            "federation",
        ],
        DataClass::Identity,
        3,
        4,
    ),
    (
        &["mail", "mailbox", "mailboxes", "gmail", "email", "emails", "imap", "smtp"],
        DataClass::Mail,
        3,
        3,
    ),
    (
        &[
            "file",
            "files",
            "drive",
            "document",
            "documents",
            "attachment",
            "attachments",
            "content",
        ],
        DataClass::Files,
        3,
        3,
    ),
    (
        &[
            "chat",
            "message",
            "messages",
            "channel",
            "channels",
            "conversation",
            "conversations",
            "im",
            "post",
            "posts",
        ],
        DataClass::Chat,
        3,
        3,
    ),
    (
        &[
            "code",
            "repo",
            "repos",
            "repository",
            "repositories",
            "workflow",
            "workflows",
            "pipeline",
            "pipelines",
        ],
        DataClass::Code,
        3,
        3,
    ),
    (
        &[
            "crm",
            "account",
            "accounts",
            "lead",
            "leads",
            "opportunity",
            "opportunities",
            "case",
            "cases",
            "ticket",
            "tickets",
            "customer",
            "customers",
            "deal",
            "deals",
            "health",
        ],
        DataClass::Crm,
        3,
        3,
    ),
    (
        &[
            "directory",
            "user",
            "users",
            "group",
            "groups",
            "member",
            "members",
            "team",
            "device",
            "devices",
        ],
        DataClass::Directory,
        2,
        3,
    ),
    (
        &["calendar", "calendars", "event", "events", "contact", "contacts"],
        DataClass::Calendar,
        2,
        2,
    ),
    (
        &["report", "reports", "analytics", "dashboard", "dashboards", "usage"],
        DataClass::Analytics,
        2,
        2,
    ),
    (
        &["setting", "settings", "config", "configuration", "catalog", "catalogue"],
        DataClass::Settings,
        1,
        2,
    ),
    (&["openid", "profile", "userinfo"], DataClass::Profile, 1, 1),
];

const FAR: &[&str] = &[
    "all",
    "any",
    "org",
    "organization",
    "organisation",
    "tenant",
    "workspace",
    "domain",
    "enterprise",
    "global",
];

/// Judges a scope by its name alone; of a scope that is an address, by its last part.
pub(super) fn from_name(name: &str) -> Assessment<'static> {
    let last = name.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default();
    let words = words(if name.contains("://") { last } else { name });
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let access = ACCESS
        .iter()
        .find_map(|(list, access)| has(list).then_some(*access))
        .unwrap_or(Access::Write);
    let (data, read, changed) = DATA
        .iter()
        .find_map(|(list, data, read, changed)| has(list).then_some((*data, *read, *changed)))
        .unwrap_or((DataClass::Unknown, 2, 2));
    let changes = access >= Access::Add;
    let escalation = match data {
        DataClass::Identity if changes => Escalation::Direct,
        DataClass::Secrets => Escalation::Indirect,
        _ => Escalation::None,
    };
    Assessment {
        name: Cow::Owned(name.to_owned()),
        access,
        reach: if has(FAR) { Reach::Organisation } else { Reach::User },
        data,
        harm_if_read: if access == Access::Add { 0 } else { read },
        harm_if_changed: if changes { changed } else { 0 },
        escalation,
        offline: has(&["offline", "refresh"]),
        severity: Severity::Medium,
        derived: true,
        meaning: Cow::Owned(format!(
            "Not in the catalog; by the words in its name it concerns {}.",
            data.phrase()
        )),
    }
}

/// Judges a privilege by its name alone.
pub(super) fn rights_from_name(name: &str) -> Rights {
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let administers =
        ["admin", "administrator", "manage", "modify", "customize", "author", "assign"];
    if has(&administers) {
        Rights::Administers
    } else if has(&["all", "any", "every"]) {
        Rights::ReadsAll
    } else {
        Rights::Elevated
    }
}

/// The words of a name in lower case: split at punctuation and where lower case turns into upper case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        let starts_word = !c.is_alphanumeric() || (was_lower && c.is_uppercase());
        if starts_word && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_alphanumeric(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase();
    }
    words
}
