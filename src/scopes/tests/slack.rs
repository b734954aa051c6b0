//! What holds for the catalog of Slack.

use super::{
    catalogs::{critical, official, read},
    github::weighty_and_unread,
    *,
};

fn assess<'c>(catalog: &'c Catalog, name: &'c str, kind: Kind) -> Assessment<'c> {
    catalog.assess(&Scope::named(name), kind)
}

/// Every scope that is critical in one of its kinds, for a user's token and for a bot's.
#[test]
fn the_weightiest_severities_change_only_on_purpose() {
    insta::assert_snapshot!(critical(&read("slack")));
}

/// The severity for a user's token and for a bot's.
#[test]
fn a_bot_reads_what_it_was_added_to_and_a_user_what_the_user_sees() {
    use Severity::{Critical, High, Low, Medium};
    let catalog = read("slack");
    for (name, user, bot) in [
        ("channels:history", High, Medium),
        ("groups:history", High, Medium),
        ("im:history", High, Medium),
        ("files:read", High, Medium),
        ("canvases:read", Medium, Medium),
        ("search:read.private", High, Medium),
        ("search:read.users", Medium, Medium),
        ("chat:write", High, Medium),
        ("files:write", High, Medium),
        ("users:read", Medium, Medium),
        ("users:read.email", Medium, Medium),
        ("channels:read", Low, Low),
    ] {
        let found =
            [Kind::Delegated, Kind::AppOnly].map(|kind| assess(&catalog, name, kind).severity);
        assert_eq!(found, [user, bot], "{name}");
    }
    for (name, kind, expected) in [
        ("admin", Kind::Delegated, Critical),
        ("admin.users:write", Kind::Delegated, Critical),
        ("admin.roles:write", Kind::Delegated, Critical),
        ("admin.conversations:write", Kind::Delegated, Critical),
        ("admin.chat:read", Kind::Delegated, Critical),
        ("admin.apps:write", Kind::Delegated, Critical),
        ("client", Kind::Delegated, High),
        ("read", Kind::Delegated, High),
        ("search:read", Kind::Delegated, High),
        ("auditlogs:read", Kind::Delegated, Medium),
        ("admin.roles:read", Kind::Delegated, Medium),
        ("datastore:write", Kind::AppOnly, Medium),
        ("openid", Kind::Delegated, Low),
        ("bot", Kind::AppOnly, High),
        ("channels:join", Kind::AppOnly, Medium),
        ("conversations.connect:manage", Kind::AppOnly, Critical),
        ("connections:write", Kind::AppOnly, Medium),
        ("chat:write.public", Kind::AppOnly, Medium),
        ("incoming-webhook", Kind::AppOnly, Low),
        ("commands", Kind::AppOnly, Low),
    ] {
        assert_eq!(assess(&catalog, name, kind).severity, expected, "{name}");
    }
}

/// A user's scope in a grant without a user must not look like a bot's.
#[test]
fn what_exists_for_users_alone_reaches_everybody_without_one() {
    let catalog = read("slack");
    let found = assess(&catalog, "search:read", Kind::AppOnly);
    assert_eq!((found.derived, found.reach), (false, Reach::Tenant));
    let scopes = ["channels:history", "users:read"].map(Scope::named);
    assert!(catalog.assess_set(&scopes, Kind::Delegated).broad);
    assert!(!catalog.assess_set(&scopes, Kind::AppOnly).broad);
    assert!(catalog.assess_set(&[Scope::named("client")], Kind::Delegated).is_umbrella());
}

/// What weighs most and was judged by its name alone. The list may become shorter, not longer.
#[test]
fn what_weighs_most_was_read_in_the_documentation_but_for_these() {
    assert_eq!(
        weighty_and_unread(&read("slack")),
        [
            "conversations:history",
            "rtm:stream",
            "chat:write:user",
            "files:write:user",
            "hosting:write"
        ]
    );
}

/// Where Slack names the kinds of tokens, the catalog has these and no other, but for search: the list of scopes and the page on the
/// Real-time Search API name different tokens, and the catalog has both.
#[test]
fn has_no_kind_that_is_not_official() {
    let Some(names) = official("slack") else {
        println!("skipped: no shared data");
        return;
    };
    let catalog = read("slack");
    for official in names.iter().filter(|official| official.has_token_types()) {
        let scope = official.scope();
        let entry = catalog.entry(&scope).unwrap();
        if scope.name.starts_with("search:read.") {
            let kinds = official.kinds();
            assert!(kinds.iter().all(|kind| entry.exists_as(*kind)), "{}", scope.name);
        } else {
            assert_eq!(entry.kinds, official.kinds(), "{}", scope.name);
        }
    }
}
