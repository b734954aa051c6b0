//! What makes a scope grave, and that the sentence says so.

use super::*;

/// The model's table, row by row.
#[test]
fn the_severity_follows_its_rules() {
    use Escalation::{Direct, Indirect, None};
    for (access, reach, read, changed, escalation, expected) in [
        (Access::Read, Reach::User, 0, 0, None, Severity::Info),
        (Access::Read, Reach::User, 1, 0, None, Severity::Low),
        (Access::Write, Reach::User, 2, 2, None, Severity::Medium),
        (Access::Read, Reach::User, 3, 0, None, Severity::High),
        (Access::ActAs, Reach::User, 4, 4, None, Severity::High),
        (Access::Limited, Reach::User, 3, 3, None, Severity::Medium),
        (Access::Limited, Reach::User, 2, 0, None, Severity::Low),
        (Access::SignIn, Reach::Tenant, 4, 0, None, Severity::Low),
        (Access::Write, Reach::Own, 3, 3, Direct, Severity::Low),
        (Access::Read, Reach::Tenant, 3, 0, None, Severity::High),
        (Access::Write, Reach::Organisation, 3, 3, None, Severity::Critical),
        (Access::Read, Reach::Organisation, 4, 0, None, Severity::Critical),
        (Access::Limited, Reach::Tenant, 4, 4, None, Severity::Medium),
        (Access::Write, Reach::User, 0, 2, Indirect, Severity::Medium),
        (Access::Write, Reach::User, 0, 1, Direct, Severity::High),
        (Access::Write, Reach::Tenant, 0, 1, Direct, Severity::Critical),
    ] {
        let found = Weight::of(access, reach, read, changed, escalation).severity();
        assert_eq!(found, expected, "{access:?} {reach:?} {read} {changed} {escalation:?}");
    }
}

const ACCESSES: [Access; 7] = [
    Access::SignIn,
    Access::Limited,
    Access::Read,
    Access::Add,
    Access::Write,
    Access::Administer,
    Access::ActAs,
];
const REACHES: [Reach; 4] = [Reach::Own, Reach::User, Reach::Organisation, Reach::Tenant];
const WAYS: [Escalation; 3] = [Escalation::None, Escalation::Indirect, Escalation::Direct];

/// Every point of the model.
fn every_point() -> impl Iterator<Item = (Access, Reach, u8, u8, Escalation)> {
    ACCESSES.into_iter().flat_map(|access| {
        REACHES.into_iter().flat_map(move |reach| {
            (0..25).flat_map(move |harms| {
                WAYS.into_iter().map(move |way| (access, reach, harms / 5, harms % 5, way))
            })
        })
    })
}

/// What the sentence names is what makes the severity: without it the scope would weigh something else.
#[test]
fn the_reasons_are_what_makes_the_severity() {
    let mut seen = 0;
    for (access, reach, read, changed, way) in every_point() {
        let weight = Weight::of(access, reach, read, changed, way);
        let point = format!("{access:?} {reach:?} {read} {changed} {way:?}: {weight}");
        let reasons: Vec<_> = weight.reasons().collect();
        assert!(!reasons.is_empty() && !weight.to_string().is_empty(), "{point}");
        let alone = reasons.len() == 1;
        for reason in reasons {
            seen += 1;
            assert_eq!(reason.severity(), weight.severity(), "{point}");
            let without = match reason {
                Reason::Harm { of: crate::scopes::weight::HarmOf::Reading, .. } => {
                    Weight::of(access, reach, 0, changed, way)
                }
                Reason::Harm { .. } => Weight::of(access, reach, 0, 0, way),
                Reason::ChangesFar | Reason::GreatestFar => {
                    Weight::of(access, Reach::User, read, changed, way)
                }
                Reason::Escalation { .. } => {
                    Weight::of(access, reach, read, changed, Escalation::None)
                }
                Reason::OnlySignIn | Reason::OnlyProfile => {
                    let free = Weight::of(Access::Read, Reach::User, read, changed, way);
                    assert!(free.severity() > weight.severity(), "{point}");
                    continue;
                }
                Reason::Guess => panic!("{point}"),
            };
            let nothing = matches!(reason, Reason::Harm { harm: 0, .. });
            let lighter = without.severity() < weight.severity();
            // A second reason, or the lesser harm, may suffice by itself.
            assert!(lighter || nothing || !alone || read.min(changed) > 0, "{point}");
        }
    }
    assert!(seen >= 2_100, "{seen}");
}

/// More of anything never makes a scope milder.
#[test]
fn the_severity_never_falls_where_the_facts_get_worse() {
    for (access, reach, read, changed, way) in every_point() {
        let severity =
            |reach, read, changed, way| Weight::of(access, reach, read, changed, way).severity();
        let here = severity(reach, read, changed, way);
        for worse in REACHES.into_iter().filter(|worse| *worse > reach) {
            assert!(severity(worse, read, changed, way) >= here, "{access:?} {reach:?} {worse:?}");
        }
        for worse in WAYS.into_iter().filter(|worse| *worse > way) {
            assert!(
                severity(reach, read, changed, worse) >= here,
                "{access:?} {reach:?} {worse:?}"
            );
        }
        assert!(severity(reach, 4, changed, way) >= here && severity(reach, read, 4, way) >= here);
    }
}

#[test]
fn the_sentence_is_plain() {
    use Escalation::{Direct, Indirect, None};
    for (weight, expected) in [
        (
            Weight::of(Access::Read, Reach::User, 0, 0, None),
            "it reaches nothing that matters by itself",
        ),
        (
            Weight::of(Access::Read, Reach::User, 3, 0, None),
            "what it reads does much harm if it gets out",
        ),
        (
            Weight::of(Access::Limited, Reach::User, 3, 3, None),
            "what it reads and can change does much harm in a thief's hands, but it opens only a part",
        ),
        (Weight::of(Access::Write, Reach::Own, 3, 3, Direct), "it ends at the user's own profile"),
        (
            Weight::of(Access::Administer, Reach::Tenant, 2, 4, Direct),
            "it changes sensitive data beyond one user's, and its holder can give itself or others more rights beyond \
             one user's",
        ),
        (
            Weight::of(Access::Write, Reach::User, 0, 2, Indirect),
            "what it can change does some harm in a thief's hands, and its holder can get more rights by a detour",
        ),
        (
            Weight::of(Access::Read, Reach::User, 1, 0, None).guessed(true),
            "it was judged by the words in its name, and such a guess is never below medium",
        ),
    ] {
        assert_eq!(weight.to_string(), expected);
    }
}
