//! A mail server on this machine that speaks enough SMTP (RFC 5321), STARTTLS (RFC 3207) and AUTH PLAIN (RFC 4954) to take a mail.

use std::{
    io::{BufRead as _, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::rustls::{
    ServerConfig, ServerConnection, StreamOwned, crypto::aws_lc_rs, pki_types::PrivateKeyDer,
};

/// How the server is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// Plain text, and TLS when asked to.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// Plain text only.
    Plain,
}

/// A mail as it came, and what was said on the way.
#[derive(Debug, Default, Clone)]
pub(crate) struct Heard {
    /// Commands, each with whether it came over TLS.
    pub(crate) commands: Vec<(bool, String)>,
    /// Mails, as they were sent.
    pub(crate) mails: Vec<String>,
}

/// The server.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    /// Its certificate, for who should trust it.
    pub(crate) certificate: String,
    heard: Arc<Mutex<Heard>>,
}

impl MailServer {
    /// Answers recipients as told, in turn, the last for ever.
    pub(crate) fn start(speaks: Speaks, recipients: &[&str]) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let session = Session {
            config: Arc::new(config),
            heard: Arc::clone(&heard),
            recipients: recipients.iter().map(|answer| (*answer).to_owned()).collect(),
            speaks,
        };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let session = session.clone();
                thread::spawn(move || session.serve(stream.unwrap()));
            }
        });
        Self { port, certificate: cert.pem(), heard }
    }

    pub(crate) fn heard(&self) -> Heard {
        self.heard.lock().unwrap().clone()
    }
}

#[derive(Clone)]
struct Session {
    config: Arc<ServerConfig>,
    heard: Arc<Mutex<Heard>>,
    recipients: Vec<String>,
    speaks: Speaks,
}

impl Session {
    fn serve(&self, stream: TcpStream) {
        if self.speaks == Speaks::Tls {
            return self.talk(BufReader::new(self.protected(stream)), true, true);
        }
        // What follows STARTTLS is a conversation of its own.
        let plain = BufReader::new(stream.try_clone().unwrap());
        self.talk(plain, false, true);
        if self.last().is_some_and(|(_, command)| command == "STARTTLS") {
            self.talk(BufReader::new(self.protected(stream)), true, false);
        }
    }

    fn protected(&self, stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
        let connection = ServerConnection::new(Arc::clone(&self.config)).unwrap();
        StreamOwned::new(connection, stream)
    }

    fn last(&self) -> Option<(bool, String)> {
        self.heard.lock().unwrap().commands.last().cloned()
    }

    fn talk<S: Read + Write>(&self, mut stream: BufReader<S>, is_tls: bool, greets: bool) {
        let say = |stream: &mut BufReader<S>, text: &str| {
            let text = text.replace('\n', "\r\n");
            let _ = stream.get_mut().write_all(format!("{text}\r\n").as_bytes());
            let _ = stream.get_mut().flush();
        };
        if greets {
            say(&mut stream, "220 localhost ESMTP");
        }
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let command = line.trim().to_owned();
            self.heard.lock().unwrap().commands.push((is_tls, command.clone()));
            let word = command.split([' ', ':']).next().unwrap_or_default().to_uppercase();
            match word.as_str() {
                "EHLO" if !is_tls && self.speaks == Speaks::Starttls => {
                    say(&mut stream, "250-localhost\n250-STARTTLS\n250 8BITMIME");
                }
                "EHLO" => say(&mut stream, "250-localhost\n250-AUTH PLAIN\n250 8BITMIME"),
                "STARTTLS" => return say(&mut stream, "220 go ahead"),
                "AUTH" => {
                    let proof = command.rsplit(' ').next().unwrap_or_default();
                    let is_right =
                        STANDARD.decode(proof).unwrap() == b"\0scanner\0FAKE-mail-password";
                    // Some servers repeat what they were given.
                    let no = format!("535 5.7.8 FAKE-mail-password is wrong, {proof}");
                    say(&mut stream, if is_right { "235 welcome" } else { &no });
                }
                "RCPT" => {
                    let asked = self.heard.lock().unwrap();
                    let number = asked
                        .commands
                        .iter()
                        .filter(|(_, other)| other.starts_with("RCPT"))
                        .count();
                    drop(asked);
                    let answer = self.recipients.get(number - 1).or(self.recipients.last());
                    say(&mut stream, answer.unwrap());
                }
                "DATA" => {
                    say(&mut stream, "354 go ahead");
                    let mut mail = String::new();
                    while !mail.ends_with("\r\n.\r\n") && stream.read_line(&mut mail).unwrap() > 0 {
                    }
                    self.heard.lock().unwrap().mails.push(mail);
                    say(&mut stream, "250 taken");
                }
                "QUIT" => return say(&mut stream, "221 bye"),
                _ => say(&mut stream, "250 fine"),
            }
        }
    }
}
