//! A message as a workflow of Microsoft Teams wants it: an Adaptive Card in an envelope
//! (<https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>). The action that posts it takes about
//! 28 KB (<https://learn.microsoft.com/connectors/teams/>, "message size limit").

use serde_json::{Value, json};

use super::{Message, Told, message::shortened};
use crate::{finding::Severity, report::plain};

/// Bytes of the whole message as UTF-16, which is how Teams counts its messages.
const LARGEST: usize = 28_000;
/// Findings that are shown at most, however short they are.
const MOST: usize = 30;

/// As many findings as fit.
pub(super) fn render(message: &Message<'_>) -> Value {
    let most = message.told.len().min(MOST);
    let mut low = 0;
    let mut high = most;
    // The more findings, the larger the card: the largest that fits is found by halving.
    while low < high {
        let middle = (low + high).div_ceil(2);
        if size(&card(message, middle)) <= LARGEST {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    card(message, low)
}

fn size(value: &Value) -> usize {
    value.to_string().encode_utf16().count() * 2
}

fn card(message: &Message<'_>, shown: usize) -> Value {
    let mut body = vec![text(&[run(&message.title()).bold().large()])];
    body.extend(message.opening().iter().map(|line| text(&[run(&shortened(line, 1_000))])));
    body.extend(message.told.iter().take(shown).map(finding));
    body.extend(message.closing(shown).iter().map(|line| text(&[run(line).subtle()])));
    let mut content = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": { "width": "Full" },
        "body": body.into_iter().map(|part| part.0).collect::<Vec<_>>(),
    });
    if let Some(link) = &message.channel.link {
        content["actions"] =
            json!([{ "type": "Action.OpenUrl", "title": "Open the report", "url": link }]);
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": content,
        }],
    })
}

fn finding(told: &Told<'_>) -> Part {
    let colour = match told.item.severity {
        Severity::Critical | Severity::High => "Attention",
        Severity::Medium => "Warning",
        Severity::Low | Severity::Info => "Default",
    };
    let head = [
        run(&told.what()).bold().with("color", colour.into()),
        run(&format!(" · {}", shortened(&told.place(), 200))),
    ];
    let lines = [
        text(&head),
        text(&[run(&shortened(&told.about(), 300))]),
        text(&[run(&shortened(&told.item.message, 700)).subtle()]),
    ];
    Part(json!({
        "type": "Container",
        "separator": true,
        "items": lines.map(|line| line.0),
    }))
}

/// A part of a card.
struct Part(Value);

impl Part {
    fn with(mut self, key: &str, value: Value) -> Self {
        self.0[key] = value;
        self
    }

    fn bold(self) -> Self {
        self.with("weight", "Bolder".into())
    }

    fn large(self) -> Self {
        self.with("size", "Large".into())
    }

    fn subtle(self) -> Self {
        self.with("isSubtle", true.into())
    }
}

/// A run of text. Unlike a `TextBlock` it knows no Markdown, so that a name can be no link.
fn run(text: &str) -> Part {
    Part(json!({ "type": "TextRun", "text": plain(text) }))
}

fn text(runs: &[Part]) -> Part {
    let runs: Vec<&Value> = runs.iter().map(|run| &run.0).collect();
    Part(json!({ "type": "RichTextBlock", "inlines": runs }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Made, hostile};
    use super::*;

    #[test]
    fn a_card_stays_within_teams_limit_and_says_what_is_left_out() {
        let made = Made::with(600, &"ü\"\\".repeat(2_000));
        let value = render(&made.message());
        assert!(size(&value) <= LARGEST, "{}", size(&value));
        let body = value["attachments"][0]["content"]["body"].as_array().unwrap();
        let shown = body.iter().filter(|part| part["type"] == "Container").count();
        assert!(shown > 0);
        assert!(
            value.to_string().contains(&format!("{} more are in the report", 600 - shown)),
            "{value}"
        );
    }

    #[test]
    fn few_findings_are_all_shown() {
        let made = Made::with(3, "App");
        let value = render(&made.message());
        let body = value["attachments"][0]["content"]["body"].as_array().unwrap();
        assert_eq!(body.iter().filter(|part| part["type"] == "Container").count(), 3);
    }

    /// Markdown, and Teams' own `<at>`, work in a `TextBlock` only.
    #[test]
    fn no_text_is_where_markup_works() {
        let made = Made::with(2, hostile());
        let value = render(&made.message());
        let rendered = value.to_string();
        assert!(!rendered.contains("\"TextBlock\""), "{rendered}");
        assert!(!rendered.contains("\u{202e}") && !rendered.contains("\\u001b"), "{rendered}");
        assert!(rendered.contains("[link](https://evil.example)"), "{rendered}");
        let content = &value["attachments"][0]["content"];
        assert!(content.get("actions").is_none() && content["msteams"].get("entities").is_none());
    }
}
