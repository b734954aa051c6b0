//! What a policy reads, refuses and says.

use super::*;

static AT_MOST: Parameter<Span> = Parameter {
    rule: "no-expiry",
    key: "at_most",
    default: Span::days(730),
    meaning: "a longer life counts as none",
};
static MANY: Parameter<u64> =
    Parameter { rule: "no-expiry", key: "many", default: 5, meaning: "so many" };
static RULES: [KnownRule<'static>; 2] = [
    KnownRule {
        id: "no-expiry",
        parameters: &[AnyParameter::Span(&AT_MOST), AnyParameter::Number(&MANY)],
    },
    KnownRule { id: "stale-unused", parameters: &[] },
];

fn known() -> Known<'static> {
    Known { rules: RULES.to_vec(), platforms: vec!["github", "salesforce"], purposes: None }
}

fn policy(text: &str) -> Result<Policy, toml::de::Error> {
    toml::from_str(text)
}

#[test]
fn an_empty_policy_is_the_documented_default() {
    let policy = policy("").unwrap();
    assert_eq!(policy, Policy::default());
    assert_eq!(policy.fail_on, FailOn::High);
    assert_eq!(policy.stale_after.to_string(), "90d");
    assert_eq!(policy.durable_after.to_string(), "30d");
    assert!(!policy.allow_incomplete);
}

#[test]
fn reads_thresholds_and_severities() {
    let policy = policy(
        r#"
        fail_on = "never"
        stale_after = "26w"
        [rules]
        no-expiry = { severity = "low", at_most = "100d" }
        [rules.stale-unused]
        severity = "off"
        "#,
    )
    .unwrap();
    assert_eq!(policy.stale_after, Span::days(182));
    assert_eq!(policy.severity_override("no-expiry"), Some(Severity::Low));
    assert!(policy.is_off("stale-unused"));
    assert_eq!(policy.switched_off().collect::<Vec<_>>(), ["stale-unused"]);
    assert_eq!(policy.severity_override("drift-pattern"), None);
    let policy = policy.checked(&known()).unwrap();
    assert_eq!(policy.get(&AT_MOST), Span::days(100));
    assert_eq!(Policy::default().get(&AT_MOST), Span::days(730));
    assert_eq!(policy.get(&MANY), 5);
}

#[test]
fn refuses_what_it_does_not_know() {
    assert!(policy("stale_affter = \"90d\"").is_err());
    assert!(policy("fail_on = \"severe\"").is_err());
}

/// Each error names the place by its offset.
#[test]
fn unknown_rules_and_parameters_and_wrong_types_are_refused_at_their_place() {
    for (text, place, message) in [
        (
            "rules.no-expirry.severity = 'off'",
            "no-expirry",
            "there is no rule `no-expirry`; did you mean `no-expiry`? The rules are no-expiry, stale-unused",
        ),
        (
            "[rules.no-expiry]\nat_mots = '30d'",
            "at_mots",
            "`no-expiry` has no setting `at_mots`; did you mean `at_most`? \
             The settings of this rule are severity, at_most, many",
        ),
        (
            "rules = { no-expiry = { at_most = 30 } }",
            "30",
            "`at_most` takes a length of time such as \"90d\", not 30",
        ),
        ("rules.no-expiry.many = '30d'", "'30d'", "`many` takes a whole number, not \"30d\""),
    ] {
        let error = policy(text).unwrap().checked(&known()).unwrap_err();
        assert_eq!(error.message, message);
        assert!(text[error.offset..].starts_with(place), "{text}: {}", error.offset);
    }
    for (text, place, message) in [
        ("rules.no-expiry.at_most = 'long'", "'long'", "is not a length of time"),
        ("rules.no-expiry.many = -3", "-3", "-3 is below zero"),
        ("rules.no-expiry.severity = 'lowest'", "'lowest'", "unknown variant `lowest`"),
        ("rules.no-expiry = 'off'", "'off'", "a table"),
    ] {
        let error = policy(text).unwrap_err();
        assert!(error.message().contains(message), "{text}: {error}");
        let at = error.span().unwrap().start;
        assert!(text[at..].starts_with(place), "{text}: {at}");
    }
}

#[test]
fn the_verdict_follows_the_threshold() {
    let counts: Counts = [Severity::Low, Severity::Medium].into_iter().collect();
    assert_eq!(Policy::default().verdict(&counts), Verdict::Pass);
    let strict = Policy { fail_on: FailOn::Low, ..Policy::default() };
    assert_eq!(strict.verdict(&counts), Verdict::Fail { threshold: Severity::Low, findings: 2 });
    let never = Policy { fail_on: FailOn::Never, ..Policy::default() };
    assert_eq!(never.verdict(&[Severity::Critical].into_iter().collect()), Verdict::Pass);
}
