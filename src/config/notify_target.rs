//! [`Target`]: the settings of one kind of channel, checked: nothing is missing, and nothing is there that would have no effect.

use grantwarden_kit::secret::SecretRef;
use lettre::message::Mailbox;

use super::{Channel, ChannelKind, MailTls};

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
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    if text.chars().any(char::is_control) {
        return Err("an e-mail address stands on one line".to_owned());
    }
    text.parse().map_err(|error| format!("`{text}` is not an e-mail address: {error}"))
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    address.map_or(host == "localhost", |address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

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
    fn a_port_belongs_to_the_protection() {
        for (tls, port) in [("starttls", 587), ("tls", 465), ("none", 25)] {
            let channel = read(&format!("{MAIL}tls = \"{tls}\"\n"));
            let Ok(Target::Email(mail)) = channel.target() else { panic!("{channel:?}") };
            assert_eq!(mail.port, port, "{tls}");
        }
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
