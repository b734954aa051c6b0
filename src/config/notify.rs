//! `[[notify]]`: who is told what a scan changed, and how. Addresses that let anybody write are secrets, so they are references.
//!
//! The keys of all kinds stand in one table, so that a misspelt one has its line and column; `Channel::target` says which belong together.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use grantwarden_kit::secret::SecretRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::Display;
use url::Url;

use super::{ConfigError, TenantEntry, load::wrong};
use crate::{finding::Severity, policy::Located};

/// One way to tell people what a scan changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// The user's name for it; unique in the configuration. What was sent is remembered by this name.
    pub name: Located,
    /// How it is told.
    pub kind: ChannelKind,
    /// Findings below this severity are not told.
    #[serde(default = "default_min_severity")]
    pub min_severity: Severity,
    /// What is told. Default: all but `resolved`.
    #[serde(default = "default_events")]
    pub events: Vec<Event>,
    /// Only findings of these tenants, and those that belong to no tenant (vendors, the policy). Default: of all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<Located>,
    /// Address of a stored report, for the reader of a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Url>,
    /// How long sending one message may take, repeats included, in seconds: 1 to 600. Default 60.
    #[serde(default = "default_timeout_seconds")]
    pub timeout_seconds: u16,
    /// webhook, slack, teams: where messages are posted. Whoever knows the address can post, so it is a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<SecretRef>,
    /// webhook: the key that messages are signed with, 24 to 64 bytes in base64, with or without `whsec_` in front.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hmac_key: Option<SecretRef>,
    /// webhook, slack, teams, email: a PEM file with certificate authorities to trust besides the machine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_authorities: Option<PathBuf>,
    /// email: the mail server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// email: its port. Default 587 with `starttls`, 465 with `tls`, 25 with `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// email: how the connection is protected. Default `starttls`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<MailTls>,
    /// email: the sender, `Grantwarden <grantwarden@acme.example>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// email: the recipients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// email: the user to sign in as. Default: no sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// email: the user's password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretRef>,
    /// command: a program and its arguments, run without a shell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// command: names of environment variables that the program gets besides PATH and HOME.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
}

const fn default_min_severity() -> Severity {
    Severity::High
}

fn default_events() -> Vec<Event> {
    vec![Event::New, Event::Reopened, Event::Worse, Event::Incomplete]
}

const fn default_timeout_seconds() -> u16 {
    60
}

/// How a channel is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum ChannelKind {
    /// A signed POST of JSON.
    Webhook,
    /// An incoming webhook of Slack.
    Slack,
    /// A workflow of Microsoft Teams that waits for a webhook.
    Teams,
    /// A mail over SMTP.
    Email,
    /// A program on this machine.
    Command,
}

/// What a channel may be told.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Display,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Event {
    /// A finding that was never seen before.
    New,
    /// A finding that was gone and is back.
    Reopened,
    /// A finding that is graver now, or was accepted and counts now.
    Worse,
    /// A finding that is gone.
    Resolved,
    /// A tenant of which a promised part was not read.
    Incomplete,
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// It starts in plain text and changes to TLS before anything is said (RFC 3207). A server that cannot is refused.
    Starttls,
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// Plain text: whoever stands in between reads along.
    None,
}

impl Channel {
    /// How long sending one message may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.into())
    }

    fn check(&self, tenants: &[TenantEntry]) -> Result<(), (usize, String)> {
        let at_name = |message: String| (self.name.offset(), message);
        if self.name.trim().is_empty() || self.name.chars().any(char::is_control) {
            return Err(at_name("a channel needs a name, on one line".to_owned()));
        }
        if self.events.is_empty() {
            return Err(at_name("`events` is empty: nothing would ever be told".to_owned()));
        }
        if !(1..=600).contains(&self.timeout_seconds) {
            return Err(at_name("`timeout_seconds` is 1 to 600".to_owned()));
        }
        if self.link.as_ref().is_some_and(|link| !is_plain_web_address(link)) {
            let message =
                "`link` is the https:// address of a report, without user name and password";
            return Err(at_name(message.to_owned()));
        }
        if let Some(unknown) =
            self.tenants.iter().find(|name| !tenants.iter().any(|tenant| tenant.name == ***name))
        {
            return Err((unknown.offset(), format!("there is no tenant `{}`", &**unknown)));
        }
        self.target().map(|_| ()).map_err(at_name)
    }
}

/// Checks the channels of a configuration.
pub(super) fn check(
    path: &Path,
    text: &str,
    channels: &[Channel],
    tenants: &[TenantEntry],
) -> Result<(), ConfigError> {
    let mut names = BTreeSet::new();
    for channel in channels {
        let about = |(offset, message): (usize, String)| {
            wrong(path, text, offset, &format!("notify `{}`: {message}", &*channel.name))
        };
        if !names.insert(&*channel.name) {
            return Err(about((channel.name.offset(), "two channels have this name".to_owned())));
        }
        channel.check(tenants).map_err(about)?;
    }
    Ok(())
}

fn is_plain_web_address(link: &Url) -> bool {
    matches!(link.scheme(), "https" | "http")
        && link.username().is_empty()
        && link.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::super::{Target, parse};
    use super::*;

    const SLACK: &str = "[[notify]]\nname = \"ops\"\nkind = \"slack\"\nurl = { env = \"HOOK\" }\n";
    const MAIL: &str = "[[notify]]\nname = \"team\"\nkind = \"email\"\nhost = \"smtp.acme.example\"\nfrom = \"a@acme.example\"\nto = [\"b@acme.example\"]\n";

    fn read(text: &str) -> Channel {
        parse(Path::new("g.toml"), text).unwrap().channels.remove(0)
    }

    fn error(text: &str) -> String {
        parse(Path::new("g.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn what_is_not_written_has_its_default() {
        let channel = read(SLACK);
        assert_eq!(channel.min_severity, Severity::High);
        assert!(!channel.events.contains(&Event::Resolved) && channel.events.len() == 4);
        assert_eq!(channel.timeout(), Duration::from_secs(60));
        let channel = read(MAIL);
        let Ok(Target::Email(mail)) = channel.target() else { panic!("{channel:?}") };
        assert_eq!((mail.port, mail.tls), (587, MailTls::Starttls));
    }

    #[test]
    fn unknown_and_foreign_settings_are_refused_with_their_place() {
        let message = error(&format!("{SLACK}chanel = \"#ops\"\n"));
        assert!(message.starts_with("g.toml:5:1: unknown field `chanel`"), "{message}");
        let message = error(&format!("{SLACK}hmac_key = {{ env = \"KEY\" }}\n"));
        assert!(
            message
                .starts_with("g.toml:2:8: notify `ops`: `hmac_key` is a setting of webhook, not"),
            "{message}"
        );
        let message = error(&format!("{SLACK}tenants = [\"acme\"]\n"));
        assert!(
            message.starts_with("g.toml:5:12: notify `ops`: there is no tenant `acme`"),
            "{message}"
        );
        assert!(error(&format!("{SLACK}{SLACK}")).contains("two channels have this name"));
        assert!(error(&format!("{SLACK}events = []\n")).contains("nothing would ever be told"));
        assert!(error(&format!("{SLACK}timeout_seconds = 0\n")).contains("1 to 600"));
        assert!(error(&format!("{SLACK}link = \"javascript:alert(1)\"\n")).contains("https://"));
    }

    #[test]
    fn an_address_that_stands_in_the_file_is_refused_and_not_repeated() {
        let message = error(
            &SLACK.replace("{ env = \"HOOK\" }", "\"https://hooks.example/services/FAKE-hook\""),
        );
        assert!(message.contains("must not stand in the configuration"), "{message}");
        assert!(!message.contains("FAKE-hook"), "{message}");
    }
}
