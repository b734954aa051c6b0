//! `[[notify]]`: who is told what a scan changed, and how. Addresses that let anybody write are secrets, so they are references.
//!
//! The keys of all kinds stand in one table, so that a misspelt one has its line and column; [`Channel::target`] says which belong together.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use grantwarden_kit::secret::SecretRef;
use lettre::message::Mailbox;
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

/// Where a channel's messages go: the settings of its kind.
#[derive(Debug)]
pub enum Target<'a> {
    /// A signed POST of JSON.
    Webhook {
        /// Where to.
        url: &'a SecretRef,
        /// What it is signed with.
        hmac_key: &'a SecretRef,
    },
    /// An incoming webhook of Slack.
    Slack {
        /// Where to.
        url: &'a SecretRef,
    },
    /// A workflow of Microsoft Teams.
    Teams {
        /// Where to.
        url: &'a SecretRef,
    },
    /// A mail.
    Email(MailTarget<'a>),
    /// A program.
    Command {
        /// The program.
        program: &'a str,
        /// Its arguments.
        arguments: &'a [String],
        /// Environment variables that it gets besides PATH and HOME.
        environment: &'a [String],
    },
}

/// Where mails go.
#[derive(Debug)]
pub struct MailTarget<'a> {
    /// The server.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: MailTls,
    /// The sender.
    pub from: Mailbox,
    /// The recipients, at least one.
    pub to: Vec<Mailbox>,
    /// User and password, if one signs in.
    pub login: Option<(&'a str, &'a SecretRef)>,
}

impl MailTarget<'_> {
    /// Whether what is sent leaves this machine unprotected.
    pub fn is_exposed(&self) -> bool {
        self.tls == MailTls::None && !is_this_machine(self.host)
    }
}

impl Channel {
    /// How long sending one message may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.into())
    }

    /// The settings of the channel's kind.
    ///
    /// # Errors
    /// What is missing, does not belong to the kind, or is not what it should be.
    pub fn target(&self) -> Result<Target<'_>, String> {
        self.refuse_foreign()?;
        let need = |setting: &str| format!("{} needs `{setting}`", self.kind);
        let url = || self.url.as_ref().ok_or_else(|| need("url = { env = \"NAME\" }"));
        match self.kind {
            ChannelKind::Webhook => {
                let hmac_key = self.hmac_key.as_ref();
                let hmac_key = hmac_key.ok_or_else(|| need("hmac_key = { env = \"NAME\" }"))?;
                Ok(Target::Webhook { url: url()?, hmac_key })
            }
            ChannelKind::Slack => Ok(Target::Slack { url: url()? }),
            ChannelKind::Teams => Ok(Target::Teams { url: url()? }),
            ChannelKind::Email => self.mail().map(Target::Email),
            ChannelKind::Command => match self.command.as_slice() {
                [program, arguments @ ..] if !program.is_empty() => {
                    Ok(Target::Command { program, arguments, environment: &self.environment })
                }
                _ => Err(need("command = [\"program\", \"argument\"]")),
            },
        }
    }

    fn mail(&self) -> Result<MailTarget<'_>, String> {
        let need = |setting: &str| format!("email needs `{setting}`");
        let host = self.host.as_deref().filter(|host| !host.trim().is_empty());
        let tls = self.tls.unwrap_or(MailTls::Starttls);
        let login = match (&self.username, &self.password) {
            (Some(username), Some(password)) => Some((username.as_str(), password)),
            (None, None) => None,
            (Some(_), None) => return Err("`username` needs `password`".to_owned()),
            (None, Some(_)) => return Err("`password` needs `username`".to_owned()),
        };
        if self.to.is_empty() {
            return Err(need("to = [\"somebody@acme.example\"]"));
        }
        let from = self.from.as_deref().ok_or_else(|| need("from = \"scanner@acme.example\""))?;
        let target = MailTarget {
            host: host.ok_or_else(|| need("host = \"smtp.acme.example\""))?,
            port: self.port.unwrap_or(match tls {
                MailTls::Starttls => 587,
                MailTls::Tls => 465,
                MailTls::None => 25,
            }),
            tls,
            from: mailbox(from)?,
            to: self.to.iter().map(|to| mailbox(to)).collect::<Result<_, _>>()?,
            login,
        };
        if target.login.is_some() && target.is_exposed() {
            let message = "a password is not sent in plain text: use tls = \"starttls\" or \"tls\"";
            return Err(message.to_owned());
        }
        Ok(target)
    }

    /// A setting that has no effect must not look as if it had one.
    fn refuse_foreign(&self) -> Result<(), String> {
        use ChannelKind::{Command, Email, Slack, Teams, Webhook};
        let posts: &[ChannelKind] = &[Webhook, Slack, Teams];
        let settings: [(&str, bool, &[ChannelKind]); 12] = [
            ("url", self.url.is_some(), posts),
            ("hmac_key", self.hmac_key.is_some(), &[Webhook]),
            (
                "certificate_authorities",
                self.certificate_authorities.is_some(),
                &[Webhook, Slack, Teams, Email],
            ),
            ("host", self.host.is_some(), &[Email]),
            ("port", self.port.is_some(), &[Email]),
            ("tls", self.tls.is_some(), &[Email]),
            ("from", self.from.is_some(), &[Email]),
            ("to", !self.to.is_empty(), &[Email]),
            ("username", self.username.is_some(), &[Email]),
            ("password", self.password.is_some(), &[Email]),
            ("command", !self.command.is_empty(), &[Command]),
            ("environment", !self.environment.is_empty(), &[Command]),
        ];
        match settings.iter().find(|(_, is_set, kinds)| *is_set && !kinds.contains(&self.kind)) {
            None => Ok(()),
            Some((name, _, kinds)) => {
                let kinds: Vec<String> = kinds.iter().map(ToString::to_string).collect();
                Err(format!("`{name}` is a setting of {}, not of {}", kinds.join(", "), self.kind))
            }
        }
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

fn mailbox(text: &str) -> Result<Mailbox, String> {
    if text.chars().any(char::is_control) {
        return Err("an e-mail address stands on one line".to_owned());
    }
    text.parse().map_err(|error| format!("`{text}` is not an e-mail address: {error}"))
}

fn is_plain_web_address(link: &Url) -> bool {
    matches!(link.scheme(), "https" | "http")
        && link.username().is_empty()
        && link.password().is_none()
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    address.map_or(host == "localhost", |address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
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
    fn what_a_kind_needs_is_said() {
        for (text, needed) in [
            (SLACK.replace("url = { env = \"HOOK\" }", ""), "slack needs `url ="),
            (SLACK.replace("slack", "webhook"), "webhook needs `hmac_key ="),
            (MAIL.replace("to = [\"b@acme.example\"]", ""), "email needs `to ="),
            (MAIL.replace("b@acme", "b@"), "is not an e-mail address"),
            (
                MAIL.replace("b@acme.example", "b@acme.example\\r\\nBcc: c@d.example"),
                "stands on one line",
            ),
            (format!("{MAIL}username = \"u\"\n"), "`username` needs `password`"),
            (
                format!("{MAIL}tls = \"none\"\nusername = \"u\"\npassword = {{ env = \"P\" }}\n"),
                "not sent in plain text",
            ),
            (
                "[[notify]]\nname = \"c\"\nkind = \"command\"\n".to_owned(),
                "command needs `command =",
            ),
        ] {
            let message = error(&text);
            assert!(message.contains(needed), "{message}");
        }
    }

    #[test]
    fn an_address_that_stands_in_the_file_is_refused_and_not_repeated() {
        let message = error(
            &SLACK.replace("{ env = \"HOOK\" }", "\"https://hooks.example/services/FAKE-hook\""),
        );
        assert!(message.contains("must not stand in the configuration"), "{message}");
        assert!(!message.contains("FAKE-hook"), "{message}");
    }

    #[test]
    fn plain_text_stays_on_this_machine_or_is_exposed() {
        for (host, is_exposed) in
            [("127.0.0.1", false), ("localhost", false), ("::1", false), ("mail.example", true)]
        {
            let text = MAIL.replace("smtp.acme.example", host);
            let channel = read(&format!("{text}tls = \"none\"\n"));
            let Ok(Target::Email(mail)) = channel.target() else { panic!("{channel:?}") };
            assert_eq!(mail.is_exposed(), is_exposed, "{host}");
        }
    }
}
