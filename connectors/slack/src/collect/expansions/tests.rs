use super::{super::installs::Mark, *};

fn texts(words: &str) -> Vec<String> {
    words.split_whitespace().map(ToOwned::to_owned).collect()
}

fn install(app: u32, by: u32, user: &str, bot: &str) -> Live {
    let set = ScopeSet::Told { user: texts(user), bot: texts(bot) };
    let mark = Mark { by: Some(by), at: 100, scopes: 0 };
    Live {
        app,
        place: 1,
        mark,
        since: mark.at,
        scopes: HeldScopes::Set(set),
        is_extension: false,
        remark: None,
        told_by: None,
    }
}

fn expansion(by: u32, previous: &str, new: &str) -> Expansion {
    let previous = Some(texts(previous)).filter(|previous| !previous.is_empty());
    let new = texts(new);
    Expansion { app: None, split: None, place: 1, by: Some(by), at: 1_000, new, previous }
}

fn told(user: &str, bot: &str) -> HeldScopes {
    HeldScopes::Set(ScopeSet::Told { user: texts(user), bot: texts(bot) })
}

fn run(expansions: &[Expansion], live: &mut [Live]) -> Outcome {
    tie(expansions, live, &Tables::default())
}

#[test]
fn scopes_before_tell_the_app() {
    let mut live = [install(1, 7, "", "a b"), install(2, 7, "", "c")];
    let outcome = run(&[expansion(9, "b a", "a b d")], &mut live);
    assert_eq!(outcome, Outcome { tied: 1, ..Outcome::default() });
    assert_eq!(live[0].scopes, told("", "a b d"));
    assert_eq!(live[1].scopes, told("", "c"));
}

#[test]
fn one_expansion_follows_another() {
    let mut live = [install(1, 7, "a", "")];
    let second = Expansion { at: 2_000, ..expansion(7, "a b", "a b c") };
    run(&[second, expansion(7, "a", "a b")], &mut live);
    assert_eq!(live[0].scopes, told("a b c", ""));
}

#[test]
fn several_that_fit_are_all_in_doubt() {
    let mut live = [install(1, 7, "", "a"), install(2, 8, "", "a"), install(3, 8, "", "b")];
    let outcome = run(&[expansion(9, "a", "a admin")], &mut live);
    assert_eq!(outcome.doubtful, 1);
    assert!(matches!(&live[0].scopes, HeldScopes::Doubtful { why, .. } if why.contains("admin")));
    assert!(matches!(live[1].scopes, HeldScopes::Doubtful { .. }));
    assert_eq!(live[2].scopes, told("", "b"));
    // Who did it decides where the scopes do not.
    let mut live = [install(1, 7, "", "a"), install(2, 8, "", "a")];
    run(&[expansion(8, "a", "a b")], &mut live);
    assert_eq!([&live[0].scopes, &live[1].scopes], [&told("", "a"), &told("", "a b")]);
}

#[test]
fn without_scopes_before_whatever_fits_is_in_doubt() {
    let mut live = [install(1, 7, "", "a"), install(2, 8, "", "b"), install(3, 8, "", "z")];
    run(&[expansion(9, "", "a b c")], &mut live);
    assert!(matches!(live[0].scopes, HeldScopes::Doubtful { .. }));
    assert!(matches!(live[1].scopes, HeldScopes::Doubtful { .. }));
    assert_eq!(live[2].scopes, told("", "z"));
}

#[test]
fn what_fits_nothing_is_counted() {
    let mut live = [install(1, 7, "", "a")];
    let outcome = run(&[expansion(9, "x y", "x y z")], &mut live);
    assert_eq!(outcome, Outcome { untied: 1, ..Outcome::default() });
    assert_eq!(live[0].scopes, told("", "a"));
}

#[test]
fn an_install_with_its_own_expansion_is_one_act() {
    let mut live = [install(1, 7, "", "a b"), install(2, 7, "", "a")];
    live[0].mark.at = 990;
    let outcome = run(&[expansion(7, "a", "a b")], &mut live);
    assert_eq!(outcome.tied, 1);
    assert_eq!(live[1].scopes, told("", "a"));
}

#[test]
fn whose_token_got_more_may_not_be_known() {
    let mut live = [install(1, 7, "u", "b")];
    run(&[expansion(7, "b u", "b n u")], &mut live);
    assert!(
        matches!(&live[0].scopes, HeldScopes::Doubtful { why, .. } if why.contains("got n later"))
    );
}

#[test]
fn an_entry_that_names_the_app_is_taken_at_its_word() {
    let mut live = [install(1, 7, "u", "b"), install(1, 8, "v", "b"), install(2, 7, "u", "b")];
    let named = Expansion {
        app: Some(1),
        split: Some(ScopeSet::Told { user: texts("u w"), bot: texts("b c") }),
        ..expansion(7, "b u", "b c u w")
    };
    run(&[named], &mut live);
    assert_eq!(live[0].scopes, told("u w", "b c"));
    assert_eq!(live[1].scopes, told("v", "b c"));
    assert_eq!(live[2].scopes, told("u", "b"));
}

#[test]
fn a_list_of_what_was_added_takes_nothing_away() {
    // Slack's log may list only what came: what was known, and what it lists as before, stays.
    let named =
        |previous: &str, new: &str| Expansion { app: Some(1), ..expansion(7, previous, new) };
    let mixed = |scopes: &str| HeldScopes::Set(ScopeSet::Mixed(texts(scopes)));
    for (before, after) in [
        (told("", "a b"), told("", "a b c")),
        (told("a b", ""), told("a b c", "")),
        (mixed("a b"), mixed("a b c")),
        (HeldScopes::Set(ScopeSet::Untold), mixed("a b c")),
        (told("", "a b z"), told("", "a b c z")),
    ] {
        let mut live = [install(1, 7, "", "")];
        live[0].scopes = before;
        run(&[named("a b", "c")], &mut live);
        assert_eq!(live[0].scopes, after);
    }
    let mut live = [install(1, 7, "u", "b")];
    let split = Some(ScopeSet::Told { user: Vec::new(), bot: texts("c") });
    run(&[Expansion { split, ..named("b u", "c") }], &mut live);
    assert_eq!(live[0].scopes, told("u", "b c"));
}

#[test]
fn a_doubt_stays_until_all_scopes_are_listed() {
    let doubtful = |scopes: &HeldScopes| matches!(scopes, HeldScopes::Doubtful { .. });
    let named =
        |previous: &str| Expansion { app: Some(1), at: 2_000, ..expansion(7, previous, "x") };
    let both = || [install(1, 7, "", "a"), install(2, 8, "", "a")];
    let mut live = both();
    run(&[named(""), expansion(9, "a", "a admin")], &mut live);
    assert!(doubtful(&live[0].scopes) && doubtful(&live[1].scopes));
    let mut live = both();
    run(&[named("a admin"), expansion(9, "a", "a admin")], &mut live);
    assert_eq!(live[0].scopes, told("", "a admin x"));
    // The reasons are all told.
    let mut live = both();
    let second = Expansion { at: 3_000, previous: None, ..expansion(9, "", "a files:read") };
    run(&[second, expansion(9, "a", "a admin")], &mut live);
    let HeldScopes::Doubtful { why, .. } = &live[0].scopes else { panic!() };
    assert!(why.contains("admin") && why.contains("files:read"), "{why}");
}

#[test]
fn an_own_install_with_fewer_scopes_is_in_doubt() {
    let mut live = [install(1, 7, "", "a"), install(2, 8, "", "a")];
    let outcome = run(&[expansion(7, "a b", "a admin b")], &mut live);
    assert_eq!(outcome, Outcome { doubtful: 1, ..Outcome::default() });
    assert!(matches!(&live[0].scopes, HeldScopes::Doubtful { why, .. } if why.contains("admin")));
    assert_eq!(live[1].scopes, told("", "a"));
}
