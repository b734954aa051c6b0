//! Sends one message: fetches the channel's secrets, puts the message into the form of its kind, and hands it over, within the time.

use std::{path::Path, sync::Arc};

use grantwarden_kit::{
    connector::Kit,
    error::Error,
    secret::{Secret, SecretRef},
};
use serde_json::Value;

use super::{Message, Payload, Trouble, command, http, mail, slack, smtp, teams, webhook};
use crate::config::{MailTarget, Target};

/// Findings that a webhook gets one by one: receivers limit what they read.
const MOST_POSTED: usize = 100;

/// A message in the form of its kind, with where it goes.
pub(super) enum Form<'a> {
    /// To be posted, signed if there is a key.
    Posted { url: &'a SecretRef, hmac_key: Option<&'a SecretRef>, body: Value },
    /// To be mailed.
    Mailed { target: &'a MailTarget<'a>, mail: mail::Mail },
    /// For the standard input of a program.
    Fed { program: &'a str, arguments: &'a [String], environment: &'a [String], line: String },
}

/// Puts a message into the form of the channel's kind.
pub(super) fn form<'a>(message: &Message<'_>, target: &'a Target<'a>) -> Result<Form<'a>, Trouble> {
    let unwritten = |error: &dyn std::error::Error| {
        Trouble::new(format!("the message cannot be written: {error}"))
    };
    let posted = |url, hmac_key, body| Form::Posted { url, hmac_key, body };
    Ok(match target {
        Target::Webhook { url, hmac_key } => {
            let body = serde_json::to_value(Payload::of(message, MOST_POSTED));
            posted(*url, Some(*hmac_key), body.map_err(|error| unwritten(&error))?)
        }
        Target::Slack { url } => posted(*url, None, slack::render(message)),
        Target::Teams { url } => posted(*url, None, teams::render(message)),
        Target::Email(target) => {
            let mail = mail::render(message).map_err(|error| unwritten(&error))?;
            Form::Mailed { target, mail }
        }
        Target::Command { program, arguments, environment } => {
            let line = serde_json::to_string(&Payload::of(message, usize::MAX));
            let line = line.map_err(|error| unwritten(&error))? + "\n";
            Form::Fed { program, arguments, environment, line }
        }
    })
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
    let target = message.channel.target().map_err(Trouble::new)?;
    match form(message, &target)? {
        Form::Posted { url, hmac_key, body } => {
            let (mut headers, mut signer) = (Vec::new(), None);
            if let Some(hmac_key) = hmac_key {
                let key = hmac_key.fetch().await.map_err(|error| secret(&error))?;
                let clock = Arc::clone(&kit.clock);
                signer = Some(webhook::Signer::new(&key, clock, message.id(), body.to_string())?);
                headers.push(("webhook-id", message.id()));
            }
            let post = http::Post {
                url: url.fetch().await.map_err(|error| secret(&error))?,
                certificate_authorities: authorities(message).await?,
                body,
                headers,
                signer,
                patience: message.channel.timeout(),
            };
            http::post(post, kit).await?;
            Ok(Vec::new())
        }
        Form::Mailed { target, mail } => send_mail(message, target, mail, kit).await,
        Form::Fed { program, arguments, environment, line } => {
            let said = command::run(program, arguments, environment, &line).await?;
            Ok(said.map(|said| format!("`{program}` says: {said}")).into_iter().collect())
        }
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
