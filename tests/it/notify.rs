//! `notify --test` through the binary, to real receivers on this machine: posted messages, mails, programs.

use std::{fs, path::Path, process::Command};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use grantwarden_kit::clock::{Clock as _, SystemClock};
use tempfile::TempDir;

use crate::{
    mail_server::{MailServer, Speaks},
    receiver::{Got, Receiver},
    support::{Run, grantwarden},
};

const KEY: &str = "whsec_RkFLRS1rZXktRkFLRS1rZXktRkFLRS1rZXk=";
const OK: &str = "200 OK|ok";

/// A folder with a configuration, and the environment that it refers to.
struct Bench {
    folder: TempDir,
    config: String,
    environment: Vec<(String, String)>,
}

impl Bench {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), config: String::new(), environment: Vec::new() }
    }

    /// Adds a channel of a kind that posts to a receiver.
    fn posting(self, name: &str, kind: &str, url: &str) -> Self {
        let variable = format!("URL_{}", name.to_uppercase());
        let key = if kind == "webhook" { "hmac_key = { env = \"HMAC_KEY\" }\n" } else { "" };
        let settings = format!("kind = \"{kind}\"\nurl = {{ env = \"{variable}\" }}\n{key}");
        self.with(&variable, url).with("HMAC_KEY", KEY).channel(name, &settings)
    }

    fn mailing(self, server: &MailServer, settings: &str) -> Self {
        let ca = self.write("ca.pem", &server.certificate);
        let settings = format!(
            "kind = \"email\"\nhost = \"localhost\"\nport = {}\nfrom = \"Grantwarden <scanner@acme.example>\"\n\
             to = [\"Anna Ångström <anna@acme.example>\", \"ops@acme.example\"]\n{}{settings}",
            server.port,
            if settings.contains("\"none\"") {
                String::new()
            } else {
                format!("certificate_authorities = \"{ca}\"\n")
            },
        );
        self.with("MAIL_PASSWORD", "FAKE-mail-password").channel("mail", &settings)
    }

    fn channel(mut self, name: &str, settings: &str) -> Self {
        self.config.push_str(&format!("[[notify]]\nname = \"{name}\"\n{settings}\n"));
        self
    }

    fn with(mut self, variable: &str, value: &str) -> Self {
        self.environment.push((variable.to_owned(), value.to_owned()));
        self
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.write("grantwarden.toml", &self.config);
        let mut command = grantwarden(self.folder.path());
        command.args([&["notify", "--test"], arguments].concat());
        command.envs(self.environment.iter().cloned());
        command
    }

    /// Runs; whatever happens, no secret may be said.
    fn run(&self, arguments: &[&str]) -> Run {
        let run = Run::of(&mut self.command(arguments));
        for (_, value) in &self.environment {
            for said in [&run.stdout, &run.stderr] {
                assert!(!said.contains(value.as_str()), "{value} in {said}");
            }
        }
        for said in [&run.stdout, &run.stderr] {
            assert!(!said.contains("FAKE-"), "a secret in {said}");
        }
        run
    }
}

/// HMAC-SHA256 from its definition (RFC 2104), not from the function that signs.
fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    assert!(key.len() <= 64);
    let pad = |with: u8| (0..64).map(move |at| key.get(at).unwrap_or(&0) ^ with);
    let inner: Vec<u8> = pad(0x36).chain(text.bytes()).collect();
    let outer: Vec<u8> =
        pad(0x5c).chain(digest(&SHA256, &inner).as_ref().iter().copied()).collect();
    digest(&SHA256, &outer).as_ref().to_vec()
}

#[track_caller]
fn assert_signed(got: &Got) {
    let (id, timestamp) = (got.header("webhook-id"), got.header("webhook-timestamp"));
    let key = STANDARD.decode(KEY.trim_start_matches("whsec_")).unwrap();
    let expected = STANDARD.encode(hmac(&key, &format!("{id}.{timestamp}.{}", got.body)));
    assert_eq!(got.header("webhook-signature"), format!("v1,{expected}"));
    let now = SystemClock.now().as_second();
    assert!((now - 60..=now).contains(&timestamp.parse::<i64>().unwrap()), "{timestamp}");
}

#[test]
fn a_webhook_is_signed_json() {
    let receiver = Receiver::answering(&[OK]);
    Bench::new()
        .posting("siem", "webhook", &receiver.url())
        .run(&[])
        .exits(0)
        .complains("notify `siem` (webhook): sent, 1 finding");
    let [got] = &receiver.got()[..] else { panic!("{:?}", receiver.got()) };
    assert_signed(got);
    assert!(got.line.starts_with("POST /hooks/"), "{}", got.line);
    assert_eq!(got.header("content-type"), "application/json");
    let body = got.json();
    assert_eq!(body["type"], "grants.test");
    assert_eq!(body["data"]["schema"], 1);
    assert_eq!(body["data"]["findings"][0]["change"], "new");
    assert!(
        body["data"]["title"].as_str().unwrap().starts_with("[TEST] Grantwarden: 1 new finding")
    );
}

#[test]
fn a_receiver_in_trouble_is_asked_again_with_the_same_id() {
    let receiver = Receiver::answering(&[
        "503 Service Unavailable|down",
        "429 Too Many Requests\nretry-after: 1|later",
        OK,
    ]);
    let start = SystemClock.elapsed();
    Bench::new().posting("siem", "webhook", &receiver.url()).run(&[]).exits(0);
    assert!((SystemClock.elapsed() - start).as_millis() >= 1_000, "Retry-After was not honoured");
    let got = receiver.got();
    assert_eq!(got.len(), 3);
    got.iter().for_each(assert_signed);
    assert!(got.iter().all(|one| one.header("webhook-id") == got[0].header("webhook-id")));
    assert!(got.iter().all(|one| one.body == got[0].body));
}

#[test]
fn nobody_waits_longer_than_the_time_that_is_given() {
    let receiver = Receiver::answering(&["429 Too Many Requests\nretry-after: 3600|"]);
    let start = SystemClock.elapsed();
    Bench::new()
        .posting("siem", "webhook", &receiver.url())
        .run(&[])
        .exits(4)
        .complains("keeps asking to slow down: HTTP 429")
        .complains("hint: raise min_severity or timeout_seconds");
    assert!((SystemClock.elapsed() - start).as_secs() < 5 && receiver.got().len() == 1);
}

#[test]
fn a_receiver_that_says_no_is_not_asked_again_and_the_others_are_told() {
    for status in
        ["400 Bad Request", "401 Unauthorized", "404 Not Found", "408 Request Timeout", "410 Gone"]
    {
        let refusing = Receiver::answering(&[&format!("{status}|no such hook: PATH")]);
        let other = Receiver::answering(&[OK]);
        Bench::new()
            .posting("gone", "slack", &refusing.url())
            .posting("there", "teams", &other.url())
            .run(&[])
            .exits(4)
            .complains(
                "error: notify `gone` (slack): not sent: the receiver refused the message: HTTP 4",
            )
            .complains("no such hook: [redacted]")
            .complains("notify `there` (teams): sent");
        assert_eq!((refusing.got().len(), other.got().len()), (1, 1), "{status}");
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Receiver::answering(&[OK]);
    let target = format!("307 Temporary Redirect\nlocation: {}|", elsewhere.url());
    let receiver = Receiver::answering(&[&target]);
    Bench::new()
        .posting("siem", "webhook", &receiver.url())
        .run(&[])
        .exits(4)
        .complains("sent us on to another address, which was not followed");
    assert_eq!((receiver.got().len(), elsewhere.got().len()), (1, 0));
}

#[test]
fn a_web_page_is_no_receivers_answer() {
    let receiver = Receiver::answering(&["200 OK\ncontent-type: text/html|<html>Sign in</html>"]);
    Bench::new()
        .posting("siem", "webhook", &receiver.url())
        .run(&[])
        .exits(4)
        .complains("a web page");
}

#[test]
fn a_dead_or_silent_receiver_ends_in_time() {
    let silent = Receiver::answering(&[""]);
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/hooks/FAKE-path", listener.local_addr().unwrap())
    };
    // Connections are taken by the system, and nobody ever greets.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mail = format!(
        "kind = \"email\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"a@acme.example\"\nto = [\"b@acme.example\"]",
        mute.local_addr().unwrap().port()
    );
    let start = SystemClock.elapsed();
    let mut bench = Bench::new()
        .posting("silent", "webhook", &silent.url())
        .posting("dead", "webhook", &closed)
        .channel("mute", &mail);
    bench.config = bench.config.replace("kind =", "timeout_seconds = 2\nkind =");
    let run = bench
        .run(&[])
        .exits(4)
        .complains("error: notify `silent` (webhook): not sent: no")
        .complains("error: notify `dead` (webhook): not sent: no")
        .complains("error: notify `mute` (email): not sent: ");
    // Of some services the host's name is the secret.
    assert!(!run.stderr.contains("127.0.0.1:"), "{}", run.stderr);
    assert!((SystemClock.elapsed() - start).as_secs() < 8, "{:?}", SystemClock.elapsed() - start);
}

#[test]
fn plain_text_leaves_this_machine_never() {
    Bench::new()
        .posting("far", "webhook", "http://192.0.2.1/hooks/FAKE-path")
        .run(&[])
        .exits(4)
        .complains("not https://");
}

#[test]
fn slack_and_teams_get_their_own_forms() {
    let (slack, teams) = (Receiver::answering(&[OK]), Receiver::answering(&["202 Accepted|"]));
    Bench::new()
        .posting("one", "slack", &slack.url())
        .posting("two", "teams", &teams.url())
        .run(&[])
        .exits(0);
    let slack = slack.got()[0].json();
    assert_eq!(slack["blocks"][0]["type"], "header");
    assert_eq!(slack["blocks"][2]["text"]["verbatim"], true);
    let teams = teams.got()[0].json();
    assert_eq!(teams["type"], "message");
    let card = &teams["attachments"][0];
    assert_eq!(card["contentType"], "application/vnd.microsoft.card.adaptive");
    assert_eq!(card["content"]["type"], "AdaptiveCard");
}

#[test]
fn a_dry_run_shows_everything_and_sends_nothing() {
    let receiver = Receiver::answering(&[OK]);
    let server = MailServer::start(Speaks::Plain, &["250 fine"]);
    let file = TempDir::new().unwrap();
    let touched = file.path().join("touched");
    let mut bench = Bench::new()
        .posting("siem", "webhook", &receiver.url())
        .posting("ops", "slack", &receiver.url())
        .mailing(&server, "tls = \"none\"\n")
        .channel(
            "script",
            &format!("kind = \"command\"\ncommand = [\"touch\", \"{}\"]", touched.display()),
        );
    // Not even the secrets are needed.
    bench.environment.clear();
    let run = bench.run(&["--dry-run"]).exits(0);
    let run = run
        .says("--- siem (webhook)")
        .says("POST to: the environment variable URL_SIEM")
        .says("webhook-signature: v1, made with the environment variable HMAC_KEY")
        .says("\"type\": \"grants.test\"")
        .says("subject: [TEST] Grantwarden: 1 new finding (1 high)")
        .says("<!DOCTYPE html>")
        .says("run: [\"touch\", ");
    assert_eq!(run.stderr, "");
    assert!(receiver.got().is_empty() && server.heard().commands.is_empty() && !touched.exists());
    // One channel only.
    let one = bench.run(&["--dry-run", "--channel", "ops"]).exits(0);
    assert!(one.stdout.contains("--- ops (slack)") && !one.stdout.contains("siem"));
}

#[test]
fn a_mail_goes_over_starttls_with_a_password() {
    let server = MailServer::start(Speaks::Starttls, &["250 fine"]);
    Bench::new()
        .mailing(&server, "username = \"scanner\"\npassword = { env = \"MAIL_PASSWORD\" }\n")
        .run(&[])
        .exits(0)
        .complains("notify `mail` (email): sent, 1 finding");
    let heard = server.heard();
    let in_plain_text: Vec<&str> = heard
        .commands
        .iter()
        .filter(|(tls, _)| !tls)
        .map(|(_, command)| command.as_str())
        .collect();
    assert!(
        matches!(in_plain_text[..], [hello, "STARTTLS"] if hello.starts_with("EHLO")),
        "{in_plain_text:?}"
    );
    let recipients =
        heard.commands.iter().filter(|(_, command)| command.starts_with("RCPT")).count();
    assert_eq!(recipients, 2);
    let [mail] = &heard.mails[..] else { panic!("{heard:?}") };
    for header in [
        "Subject: [TEST] Grantwarden: 1 new finding (1 high)\r\n",
        "From: Grantwarden <scanner@acme.example>\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Message-ID: <msg_",
        "multipart/alternative",
        "Content-Type: text/plain; charset=utf-8\r\n",
        "Content-Type: text/html; charset=utf-8\r\n",
    ] {
        assert!(mail.contains(header), "no {header:?} in {mail}");
    }
}

#[test]
fn a_mail_goes_over_tls_from_the_first_byte() {
    let server = MailServer::start(Speaks::Tls, &["250 fine"]);
    Bench::new().mailing(&server, "tls = \"tls\"\n").run(&[]).exits(0);
    let heard = server.heard();
    assert!(heard.commands.iter().all(|(tls, _)| *tls) && heard.mails.len() == 1, "{heard:?}");
}

#[test]
fn a_server_without_tls_or_trust_gets_nothing() {
    let plain = MailServer::start(Speaks::Plain, &["250 fine"]);
    Bench::new().mailing(&plain, "").run(&[]).exits(4).complains("STARTTLS");
    assert!(plain.heard().commands.iter().all(|(_, command)| !command.starts_with("MAIL")));

    let unknown = MailServer::start(Speaks::Starttls, &["250 fine"]);
    let mut bench = Bench::new().mailing(&unknown, "");
    bench.config = bench.config.replace("certificate_authorities", "# certificate_authorities");
    bench.run(&[]).exits(4).complains("hint: if the server has a private certificate authority");
    assert!(unknown.heard().mails.is_empty());

    // On this machine, plain text may be asked for.
    Bench::new().mailing(&plain, "tls = \"none\"\n").run(&[]).exits(0);
    assert_eq!(plain.heard().mails.len(), 1);
}

#[test]
fn a_mail_is_sent_again_after_a_passing_no_and_not_after_a_final_one() {
    let busy = MailServer::start(Speaks::Tls, &["451 4.7.1 come back later", "250 fine"]);
    Bench::new().mailing(&busy, "tls = \"tls\"\n").run(&[]).exits(0);
    assert_eq!(busy.heard().mails.len(), 1);

    let refusing = MailServer::start(Speaks::Tls, &["550 5.1.1 nobody of that name"]);
    Bench::new()
        .mailing(&refusing, "tls = \"tls\"\n")
        .run(&[])
        .exits(4)
        .complains("nobody of that name");
    let tries = refusing.heard().commands.iter().filter(|(_, c)| c.starts_with("RCPT")).count();
    assert_eq!(tries, 1);
}

#[test]
fn a_wrong_password_is_not_repeated_by_anybody() {
    let server = MailServer::start(Speaks::Starttls, &["250 fine"]);
    let mut bench = Bench::new()
        .mailing(&server, "username = \"somebody\"\npassword = { env = \"MAIL_PASSWORD\" }\n");
    bench.environment.retain(|(name, _)| name == "MAIL_PASSWORD");
    bench.run(&[]).exits(4).complains("is wrong, [redacted]");
    assert!(server.heard().mails.is_empty());
}

#[test]
fn a_program_gets_the_message_and_no_secret_of_the_scan() {
    let folder = TempDir::new().unwrap();
    let (message, environment) = (folder.path().join("message"), folder.path().join("environment"));
    let script = format!("cat > {}; env > {}", message.display(), environment.display());
    let settings = format!(
        "kind = \"command\"\ncommand = [\"/bin/sh\", \"-c\", \"{script}\"]\nenvironment = [\"PAGER_ROUTE\"]"
    );
    Bench::new()
        .channel("pager", &settings)
        .with("PAGER_ROUTE", "team-a-of-the-pager")
        .with("GRANTWARDEN_SECRET", "FAKE-client-secret")
        .run(&[])
        .exits(0);
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    let body: serde_json::Value = serde_json::from_str(&read(&message)).unwrap();
    assert_eq!(body["type"], "grants.test");
    let environment = read(&environment);
    assert!(environment.contains("PAGER_ROUTE=team-a-of-the-pager"), "{environment}");
    assert!(environment.contains("PATH=") && !environment.contains("SECRET"), "{environment}");
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let bench =
        Bench::new().channel("ops", "kind = \"slack\"\nurl = \"https://hooks.example/FAKE-x\"");
    bench.run(&[]).exits(2).complains("grantwarden.toml:4:7: a secret must not stand in");
    let bench = Bench::new().channel("ops", "kind = \"slak\"");
    bench.run(&[]).exits(2).complains("grantwarden.toml:3:8: unknown variant `slak`");
    Bench::new().run(&[]).exits(2).complains("no channel to tell").complains("docs/notify.md");
    let bench = Bench::new().posting("ops", "slack", "https://hooks.example/FAKE-x");
    bench
        .run(&["--channel", "opps"])
        .exits(2)
        .complains("there is no channel `opps`")
        .complains("has ops");
    let mut unset = bench;
    unset.environment.clear();
    unset.run(&[]).exits(4).complains("the environment variable URL_OPS cannot be read");
}
