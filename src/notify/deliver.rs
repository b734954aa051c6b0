//! Sends one message: fetches the channel's secrets, puts the message into the form of its kind, and hands it over, within the time.

use std::path::Path;

use grantwarden_kit::{connector::Kit, error::Error, secret::Secret};
use serde_json::Value;

use super::{Message, Payload, Trouble, command, http, mail, slack, smtp, teams, webhook};
use crate::config::{MailTarget, Target};

/// Findings that a webhook gets one by one: receivers limit what they read.
const MOST_POSTED: usize = 100;

/// A message in the form of its kind.
pub(super) enum Form {
    /// To be posted.
    Json(Value),
    /// To be mailed.
    Mail(mail::Mail),
    /// For the standard input of a program.
    Line(String),
}

/// Puts a message into the form of the channel's kind.
pub(super) fn form(message: &Message<'_>, target: &Target<'_>) -> Result<Form, Trouble> {
    let unwritten = |error: &dyn std::error::Error| {
        Trouble::new(format!("the message cannot be written: {error}"))
    };
    match target {
        Target::Webhook { .. } => serde_json::to_value(Payload::of(message, MOST_POSTED))
            .map(Form::Json)
            .map_err(|error| unwritten(&error)),
        Target::Slack { .. } => Ok(Form::Json(slack::render(message))),
        Target::Teams { .. } => Ok(Form::Json(teams::render(message))),
        Target::Email(_) => {
            mail::render(message).map(Form::Mail).map_err(|error| unwritten(&error))
        }
        Target::Command { .. } => serde_json::to_string(&Payload::of(message, usize::MAX))
            .map(|line| Form::Line(line + "\n"))
            .map_err(|error| unwritten(&error)),
    }
}

/// Sends a message; what should be known besides comes back.
pub(super) async fn deliver(message: &Message<'_>, kit: &Kit) -> Result<Vec<String>, Trouble> {
    let time = message.channel.timeout();
    let work = tokio::time::timeout(time, hand_over(message, kit));
    tokio::select! {
        biased;
        () = kit.cancel.cancelled() => Err(Trouble::new("cancelled")),
        done = work => done.unwrap_or_else(|_| {
            Err(Trouble::new(format!("not done within {} s", time.as_secs()))
                .hint("raise timeout_seconds, or see why the receiver is slow"))
        }),
    }
}

async fn hand_over(message: &Message<'_>, kit: &Kit) -> Result<Vec<String>, Trouble> {
    let channel = message.channel;
    let target = channel.target().map_err(Trouble::new)?;
    match (&target, form(message, &target)?) {
        (
            Target::Webhook { url, .. } | Target::Slack { url } | Target::Teams { url },
            Form::Json(body),
        ) => {
            let mut headers = Vec::new();
            let mut signer = None;
            if let Target::Webhook { hmac_key, .. } = &target {
                let key = hmac_key.fetch().await.map_err(|error| secret(&error))?;
                let clock = std::sync::Arc::clone(&kit.clock);
                signer = Some(webhook::Signer::new(&key, clock, message.id(), body.to_string())?);
                headers.push(("webhook-id", message.id()));
            }
            let post = http::Post {
                url: url.fetch().await.map_err(|error| secret(&error))?,
                certificate_authorities: authorities(message).await?,
                body,
                headers,
                signer,
                patience: channel.timeout(),
            };
            http::post(post, kit).await?;
            Ok(Vec::new())
        }
        (Target::Email(target), Form::Mail(mail)) => send_mail(message, target, mail, kit).await,
        (Target::Command { program, arguments, environment }, Form::Line(line)) => {
            let said = command::run(program, arguments, environment, &line).await?;
            Ok(said.map(|said| format!("`{program}` says: {said}")).into_iter().collect())
        }
        _ => Err(Trouble::new("the message has another form than the channel takes")),
    }
}

async fn send_mail(
    message: &Message<'_>,
    target: &MailTarget<'_>,
    mail: mail::Mail,
    kit: &Kit,
) -> Result<Vec<String>, Trouble> {
    let password: Option<Secret> = match &target.login {
        None => None,
        Some((_, password)) => Some(password.fetch().await.map_err(|error| secret(&error))?),
    };
    let post = smtp::Post {
        target,
        password,
        certificate_authorities: authorities(message).await?,
        id: &message.id(),
        patience: message.channel.timeout(),
    };
    smtp::send(post, mail, kit).await?;
    let exposed = "tls = \"none\": the mail left this machine in plain text";
    Ok(target.is_exposed().then(|| exposed.to_owned()).into_iter().collect())
}

async fn authorities(message: &Message<'_>) -> Result<Option<Vec<u8>>, Trouble> {
    let Some(path) = &message.channel.certificate_authorities else { return Ok(None) };
    let read = tokio::fs::read(path as &Path).await;
    read.map(Some).map_err(|error| {
        Trouble::new(format!(
            "cannot read certificate_authorities from {}: {error}",
            path.display()
        ))
    })
}

fn secret(error: &Error) -> Trouble {
    let trouble = Trouble::new(error.summary());
    match &error.hint {
        None => trouble,
        Some(hint) => trouble.hint(hint.clone()),
    }
}
