//! [`Preview`]: exactly what would be sent, and where, without fetching a secret.

use super::{
    Delivered, Message,
    deliver::{Form, form},
    mail::Mail,
};
use crate::{
    config::{Channel, ChannelKind, Target},
    store::Changes,
};

/// What one channel would be told.
#[derive(Debug, PartialEq, Eq)]
pub struct Preview {
    /// The channel's name.
    pub channel: String,
    /// Its kind.
    pub kind: ChannelKind,
    /// What is known before it is sent: where it goes, headers. Names and values; secrets by their reference. Empty if there is nothing to tell.
    pub head: Vec<(&'static str, String)>,
    /// What is sent, as it is sent but for line breaks and blanks in JSON: a title, and the text. Empty if there is nothing to tell.
    pub parts: Vec<(&'static str, String)>,
    /// What should be known, and what would keep it from being sent.
    pub remarks: Vec<String>,
}

/// What [`super::send`] would tell each channel. Nothing is sent, remembered or forgotten.
pub async fn preview(
    changes: &Changes,
    channels: &[Channel],
    delivered: &dyn Delivered,
) -> Vec<Preview> {
    let mut previews = Vec::new();
    for channel in channels {
        let (message, remark) = super::message(changes, channel, delivered).await;
        let mut preview = match &message {
            Some(message) => of_message(message),
            None => Preview::empty(channel),
        };
        preview.remarks.extend(remark);
        previews.push(preview);
    }
    previews
}

/// What sending this message would send.
pub(super) fn of_message(message: &Message<'_>) -> Preview {
    let channel = message.channel;
    let mut preview = Preview::empty(channel);
    let target = match channel.target() {
        Ok(target) => target,
        Err(wrong) => {
            preview.remarks.push(wrong);
            return preview;
        }
    };
    preview.head = head(message, &target);
    match form(message, &target) {
        Ok(Form::Posted { body, .. }) => preview.parts.push(("body", format!("{body:#}"))),
        Ok(Form::Fed { line, .. }) => preview.parts.push(("standard input", line)),
        Ok(Form::Mailed { mail: Mail { subject, text, html }, .. }) => {
            preview.head.push(("subject", subject));
            preview.parts.extend([("text", text), ("html", html)]);
        }
        Err(trouble) => preview.remarks.push(trouble.message),
    }
    preview
}

impl Preview {
    fn empty(channel: &Channel) -> Self {
        Self {
            channel: channel.name.to_string(),
            kind: channel.kind,
            head: Vec::new(),
            parts: Vec::new(),
            remarks: Vec::new(),
        }
    }
}

fn head(message: &Message<'_>, target: &Target<'_>) -> Vec<(&'static str, String)> {
    match target {
        Target::Webhook { url, hmac_key } => vec![
            ("POST to", url.to_string()),
            ("content-type", "application/json".to_owned()),
            ("webhook-id", message.id()),
            ("webhook-timestamp", "when it is sent".to_owned()),
            ("webhook-signature", format!("v1, made with {hmac_key}")),
        ],
        Target::Slack { url } | Target::Teams { url } => {
            vec![("POST to", url.to_string()), ("content-type", "application/json".to_owned())]
        }
        Target::Email(mail) => {
            let to: Vec<String> = mail.to.iter().map(ToString::to_string).collect();
            vec![
                ("server", format!("{} port {}", mail.host, mail.port)),
                ("from", mail.from.to_string()),
                ("to", to.join(", ")),
            ]
        }
        Target::Command { program, arguments, environment } => {
            let command: Vec<&str> =
                std::iter::once(*program).chain(arguments.iter().map(String::as_str)).collect();
            let passed: Vec<&str> = ["PATH", "HOME"]
                .into_iter()
                .chain(environment.iter().map(String::as_str))
                .collect();
            vec![("run", format!("{command:?}")), ("environment", passed.join(", "))]
        }
    }
}
