//! A message as a mail: a subject of the tool's own words, a text part and an HTML part that say the same.

use askama::Template;

use super::{Message, Told};
use crate::report::plain;

/// Findings that are shown one by one.
const MOST: usize = 100;

/// A mail without its envelope.
pub(super) struct Mail {
    /// Holds nothing that a platform wrote: a header is no place for it.
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// Both parts are made from this.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{{ title }}</title></head>
<body style="font-family: sans-serif; max-width: 50em">
<h1 style="font-size: 1.2em">{{ title }}</h1>
{%- for line in opening %}
<p>{{ line }}</p>
{%- endfor %}
{%- for finding in findings %}
<div style="border-top: 1px solid #999; padding: .5em 0">
<div><strong>{{ finding.what }}</strong> · {{ finding.place }}</div>
<div>{{ finding.about }}</div>
<div>{{ finding.message }}</div>
<div style="color: #666; font-size: .85em">{{ finding.fingerprint }}</div>
</div>
{%- endfor %}
<hr>
{%- for line in closing %}
<p>{{ line }}</p>
{%- endfor %}
{%- if let Some(link) = link %}
<p><a href="{{ link }}">Open the report</a></p>
{%- endif %}
</body>
</html>
"#
)]
struct Content<'a> {
    title: &'a str,
    opening: Vec<String>,
    findings: Vec<Lines>,
    closing: Vec<String>,
    link: Option<&'a str>,
}

/// A finding, line by line.
struct Lines {
    what: String,
    place: String,
    about: String,
    message: String,
    fingerprint: String,
}

impl Lines {
    fn of(told: &Told<'_>) -> Self {
        Self {
            what: told.what(),
            place: plain(&told.place()),
            about: plain(&told.about()),
            message: plain(&told.item.message),
            fingerprint: told.item.fingerprint.to_string(),
        }
    }
}

/// Writes the parts.
///
/// # Errors
/// If the template cannot be filled in.
pub(super) fn render(message: &Message<'_>) -> Result<Mail, askama::Error> {
    let title = message.title();
    let shown = message.told.len().min(MOST);
    let content = Content {
        title: &title,
        opening: message.opening().iter().map(|line| plain(line)).collect(),
        findings: message.told.iter().take(shown).map(Lines::of).collect(),
        closing: message.closing(shown),
        link: message.channel.link.as_ref().map(url::Url::as_str),
    };
    let (text, html) = (content.as_text(), content.render()?);
    Ok(Mail { subject: title, text, html })
}

impl Content<'_> {
    fn as_text(&self) -> String {
        let mut paragraphs = vec![self.title.to_owned()];
        paragraphs.extend(self.opening.iter().cloned());
        paragraphs.extend(self.findings.iter().map(|finding| {
            let Lines { what, place, about, message, fingerprint } = finding;
            format!("{what}: {place}\n  {about}\n  {message}\n  {fingerprint}")
        }));
        // "-- " and a line break begin a signature, which programs fold away: the closing is none.
        paragraphs.push(self.closing.join("\n"));
        paragraphs.extend(self.link.map(ToOwned::to_owned));
        paragraphs.join("\n\n") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Made, hostile};
    use super::*;

    #[test]
    fn a_hostile_name_is_only_text() {
        let made = Made::with(1, hostile());
        let Mail { subject, text, html } = render(&made.message()).unwrap();
        assert_eq!(subject, "Grantwarden: 1 new finding (1 critical)");
        assert!(!html.contains("<script") && !html.contains("<a "), "{html}");
        assert!(html.contains("&#60;script&#62;"), "{html}");
        for part in [&text, &html] {
            assert!(!part.contains(['\u{1b}', '\u{202e}', '\r']), "{part:?}");
        }
        // A line of its own could pass for one of ours.
        assert!(!text.contains("\nBcc:"), "{text}");
    }

    #[test]
    fn both_parts_say_the_same() {
        let mut made = Made::with(120, "Drift");
        made.changes.incomplete = vec!["acme-crm".into()];
        made.channel.link = Some("https://reports.example/?a=1&b=2".parse().unwrap());
        let Mail { text, html, .. } = render(&made.message()).unwrap();
        for said in ["20 more are in the report.", "Not read whole: acme-crm.", "Counting now: 120"]
        {
            assert!(text.contains(said) && html.contains(said), "{said}: {text}");
        }
        assert_eq!(text.matches("critical, new").count(), 100);
        assert_eq!(html.matches("critical, new").count(), 100);
        assert!(html.contains("href=\"https://reports.example/?a=1&#38;b=2\""), "{html}");
    }
}
