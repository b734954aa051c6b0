//! A rule as a `reportingDescriptor` (section 3.49 of the form), with what code scanning shows beside a result.

use serde_json::{Value, json};

use super::super::{
    inert::inert,
    json::{ControlText, RuleText},
};
use crate::{finding::Severity, rules, scan::Judged};

/// Characters that code scanning takes of a description.
const LONGEST: usize = 1_024;

/// Tags that code scanning takes of a rule.
const TAGS: usize = 20;

/// Describes a rule whose gravest finding is of this severity.
pub(super) fn descriptor(
    judged: &Judged<'_>,
    id: &str,
    text: &RuleText,
    gravest: Severity,
) -> Value {
    let controls =
        text.controls.iter().map(|control| format!("{} {}", control.framework, control.id));
    let tags: Vec<String> = ["security", "oauth"]
        .map(ToOwned::to_owned)
        .into_iter()
        .chain(controls)
        .take(TAGS)
        .collect();
    let own = judged.surroundings.custom_rule(id).map(|rule| rule.severity);
    let usual = rules::find(id).map(|meta| meta.severity).or(own).unwrap_or(gravest);
    let mut rule = json!({
        "id": id,
        "shortDescription": { "text": cut(&text.title) },
        "fullDescription": { "text": cut(&text.summary) },
        "help": { "text": help(text), "markdown": help_markdown(text, own.is_some()) },
        "defaultConfiguration": { "level": super::level(usual) },
        "properties": { "tags": tags },
    });
    let name = pascal(id);
    // A name that only repeats the id is none.
    if !name.eq_ignore_ascii_case(id) {
        rule["name"] = name.into();
    }
    if let Some(score) = score(gravest) {
        rule["properties"]["security-severity"] = score.into();
    }
    if let Some(url) = text.references.iter().find(|url| url::Url::parse(url).is_ok()) {
        rule["helpUri"] = url.as_str().into();
    }
    rule
}

/// A score in the middle of the range that GitHub calls by the same word: over 9.0 critical, from 7.0 high, from 4.0 medium, from 0.1 low.
/// What is only worth knowing has none.
const fn score(severity: Severity) -> Option<&'static str> {
    match severity {
        Severity::Critical => Some("9.5"),
        Severity::High => Some("8.0"),
        Severity::Medium => Some("5.5"),
        Severity::Low => Some("2.0"),
        Severity::Info => None,
    }
}

/// `drift-pattern` as `DriftPattern`, in which form section 3.49.7 wants names.
pub(in crate::report) fn pascal(id: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters).collect::<String>()
        })
    };
    id.split('-').map(word).collect()
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

fn help(text: &RuleText) -> String {
    let mut help = text.why.clone();
    for (platform, steps) in &text.remediation {
        help.push_str(&format!("\n\nWhat to do on {platform}:\n"));
        help.push_str(&steps.iter().map(|step| format!("- {step}\n")).collect::<String>());
    }
    if !text.references.is_empty() {
        help.push_str(&format!("\nRead on:\n{}\n", text.references.join("\n")));
    }
    // A custom rule need not say anything; the form wants a text.
    if help.trim().is_empty() { text.title.clone() } else { help }
}

/// The same with headings and links. The texts of a custom rule are the user's: nothing in them is markup.
fn help_markdown(text: &RuleText, is_custom: bool) -> String {
    let words = |text: &str| if is_custom { escaped(text) } else { text.to_owned() };
    let mut help = format!("## {}\n\n{}\n", words(&text.title), words(&text.why));
    for (platform, steps) in &text.remediation {
        help.push_str(&format!("\n### What to do on {platform}\n\n"));
        steps.iter().for_each(|step| help.push_str(&format!("1. {}\n", words(step))));
    }
    if !text.controls.is_empty() {
        help.push_str("\n### Published controls\n\n");
        for ControlText { framework, id, title, url } in &text.controls {
            help.push_str(&format!("- {framework} [{id}]({url}): {title}\n"));
        }
    }
    if !text.references.is_empty() {
        help.push_str("\n### Read on\n\n");
        text.references.iter().for_each(|url| help.push_str(&format!("- <{}>\n", address(url))));
    }
    help
}

/// A text of any length without markup of its own.
fn escaped(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>();
    words.chunks(20).map(|words| inert(&words.join(" "))).collect::<Vec<_>>().join(" ")
}

/// An address that cannot end the brackets around it.
fn address(url: &str) -> String {
    url.chars().filter(|c| !c.is_whitespace() && !matches!(c, '<' | '>')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_scores_have_the_form_that_readers_want() {
        assert_eq!(pascal("non-oauth-vendor-credential"), "NonOauthVendorCredential");
        assert_eq!(
            Severity::ALL.map(score),
            [None, Some("2.0"), Some("5.5"), Some("8.0"), Some("9.5")]
        );
    }
}
