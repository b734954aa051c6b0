//! [`Shapes`]: whether the texts of a grant's line are what they must be. It keeps nothing of what they say.

use grantwarden_kit::model::{
    Approval, Expiry, GrantKind, IpRange, LookAlike, Observed, PrincipalKind, PrincipalStatus,
    Scope, Timestamp,
};
use serde::de::DeserializeOwned;

/// Whether a text is of its type, and if so whether it is a fact that is not visible.
type Check = fn(&str) -> Option<bool>;

/// How many of [`CHECKS`] are facts that may not be visible, in the order of [`super::fact::Fact::OF_GRANT`].
pub(super) const FACTS: usize = 8;
/// How many of [`CHECKS`] are compared; the rest is use, or tells no more than the others.
pub(super) const COMPARED: usize = 10;

/// Those of a grant, in the order in which a [`super::light::Light`] gives their texts.
pub(super) const CHECKS: [Check; 19] = [
    observed::<Vec<Scope>>,
    observed::<Timestamp>,
    observed::<Expiry>,
    observed::<Vec<IpRange>>,
    observed::<Approval>,
    observed::<PrincipalStatus>,
    observed::<bool>,
    observed::<bool>,
    plain::<GrantKind>,
    plain::<String>,
    plain::<String>,
    observed::<String>,
    observed::<Timestamp>,
    observed::<u64>,
    plain::<Vec<LookAlike>>,
    observed::<String>,
    observed::<PrincipalKind>,
    observed::<Vec<String>>,
    observed::<Timestamp>,
];

/// What the last text of each check was, and what came of it: most lines say the same as the one before.
#[derive(Default)]
pub(super) struct Shapes([(String, bool); CHECKS.len()]);

impl Shapes {
    /// As [`Check`] says. No text is empty.
    pub(super) fn check(&mut self, at: usize, text: &str) -> Option<bool> {
        let (last, is_unseen) = self.0.get_mut(at)?;
        if last != text {
            *is_unseen = CHECKS.get(at)?(text)?;
            text.clone_into(last);
        }
        Some(*is_unseen)
    }
}

pub(super) fn observed<T: DeserializeOwned>(text: &str) -> Option<bool> {
    match serde_json::from_str::<Observed<T>>(text).ok()? {
        Observed::Unknown(_) => Some(true),
        Observed::Known(_) | Observed::Absent => Some(false),
    }
}

fn plain<T: DeserializeOwned>(text: &str) -> Option<bool> {
    serde_json::from_str::<T>(text).ok().map(|_| false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_of_its_type_or_not_whatever_came_before() {
        let mut shapes = Shapes::default();
        let gap = r#"{"unknown":{"reason":"permission","facet":"grants","detail":""}}"#;
        for (text, expected) in [
            (r#"{"known":"never"}"#, Some(false)),
            (r#"{"known":5}"#, None),
            (r#"{"known":5}"#, None),
            (gap, Some(true)),
            (gap, Some(true)),
            (r#""absent""#, Some(false)),
            ("null", None),
        ] {
            assert_eq!(shapes.check(2, text), expected, "{text}");
        }
    }
}
