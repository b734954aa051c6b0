//! A message as Slack's Block Kit wants it. Limits and escapes: <https://docs.slack.dev/reference/block-kit/blocks> (50 blocks a message,
//! 3,000 characters a section, 150 a header) and <https://docs.slack.dev/messaging/formatting-message-text> (`&`, `<`, `>`).

use serde_json::{Value, json};

use super::{Message, Told, message::shortened};
use crate::report::plain;

/// Findings that are shown: one block each, beside those for title, opening, closing and link.
const MOST: usize = 40;
/// Characters of a section, with room to spare.
const SECTION: usize = 2_900;
/// Characters of a header.
const HEADER: usize = 150;

pub(super) fn render(message: &Message<'_>) -> Value {
    let title = shortened(&message.title(), HEADER);
    let mut blocks = vec![json!({
        "type": "header",
        "text": { "type": "plain_text", "text": title, "emoji": false },
    })];
    blocks.extend(message.opening().iter().map(|line| section(&escaped(line, SECTION))));
    blocks.extend(message.told.iter().take(MOST).map(|told| section(&finding(told))));
    let shown = message.told.len().min(MOST);
    let mut closing = escaped(&message.closing(shown).join(" "), SECTION / 2);
    if let Some(link) = &message.channel.link {
        // `|` and `>` end the address of a link.
        let address = link.as_str().replace('|', "%7C").replace('>', "%3E").replace('<', "%3C");
        closing.push_str(&format!(" <{}|Open the report>", address.replace('&', "&amp;")));
    }
    blocks.push(json!({ "type": "context", "elements": [text(&closing)] }));
    // `text` is what a notification on a screen shows; it has no names.
    json!({
        "text": title,
        "unfurl_links": false,
        "unfurl_media": false,
        "blocks": blocks,
    })
}

fn finding(told: &Told<'_>) -> String {
    format!(
        "*{}* · {}\n{}\n{}",
        told.what(),
        escaped(&told.place(), 300),
        escaped(&told.about(), 500),
        escaped(&told.item.message, 1_500)
    )
}

fn section(markup: &str) -> Value {
    json!({ "type": "section", "text": text(markup) })
}

/// `verbatim`: Slack makes no link or mention of anything that is not written as one.
fn text(markup: &str) -> Value {
    json!({ "type": "mrkdwn", "text": markup, "verbatim": true })
}

/// On one line, with Slack's three special characters escaped, in at most so many characters.
fn escaped(from: &str, most: usize) -> String {
    let mut to = String::new();
    let mut length = 0;
    for c in plain(from).chars() {
        let piece = match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            // Text styles begin and end with these; look-alikes style nothing.
            '*' => "∗".to_owned(),
            '`' => "ˋ".to_owned(),
            '~' => "∼".to_owned(),
            other => other.to_string(),
        };
        length += piece.chars().count();
        if length >= most {
            to.push('…');
            break;
        }
        to.push_str(&piece);
    }
    to
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Made, hostile};
    use super::*;

    #[test]
    fn a_message_stays_within_slacks_limits() {
        let made = Made::with(600, &"<&>".repeat(5_000));
        let message = made.message();
        let value = render(&message);
        let blocks = value["blocks"].as_array().unwrap();
        assert!(blocks.len() <= 50 && blocks.len() > MOST, "{}", blocks.len());
        for block in blocks {
            let texts = [&block["text"]["text"], &block["elements"][0]["text"]];
            for text in texts.into_iter().filter_map(Value::as_str) {
                let most = if block["type"] == "header" { 150 } else { 3_000 };
                assert!(text.chars().count() <= most, "{}", text.len());
            }
        }
        let closing = value["blocks"][blocks.len() - 1]["elements"][0]["text"].as_str().unwrap();
        assert!(closing.contains("560 more are in the report"), "{closing}");
    }

    #[test]
    fn a_hostile_name_is_only_text() {
        let made = Made::with(1, hostile());
        let rendered = render(&made.message()).to_string();
        for live in ["<!channel>", "<@U", "<https:", "*bold*", "`code`", "\u{202e}", "\\u001b"] {
            assert!(!rendered.contains(live), "{live} in {rendered}");
        }
        assert!(rendered.contains("&lt;!channel&gt;"), "{rendered}");
    }

    #[test]
    fn the_configured_address_is_the_only_link() {
        let mut made = Made::with(1, hostile());
        made.channel.link = Some("https://reports.example/a?b=1&c=|x".parse().unwrap());
        let rendered = render(&made.message()).to_string();
        assert!(
            rendered.contains("<https://reports.example/a?b=1&amp;c=%7Cx|Open the report>"),
            "{rendered}"
        );
        assert_eq!(rendered.matches('<').count(), 1);
    }
}
