//! Sends a mail over SMTP (RFC 5321). TLS is required unless the configuration says otherwise; a server that cannot is refused, not obeyed.

use std::time::{Duration, SystemTime};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use grantwarden_kit::{connector::Kit, http::Redactor, secret::Secret};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message as Letter, Tokio1Executor,
    message::{
        MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        Error as SmtpError,
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};

use super::{Trouble, mail::Mail};
use crate::config::{MailTarget, MailTls};

/// Sends of one mail, the first included.
const ATTEMPTS: u32 = 4;

/// What a mail is sent with.
pub(super) struct Post<'a> {
    pub(super) target: &'a MailTarget<'a>,
    pub(super) password: Option<Secret>,
    pub(super) certificate_authorities: Option<Vec<u8>>,
    /// The same for each sending of the same message.
    pub(super) id: &'a str,
    /// Time for one command and its answer.
    pub(super) patience: Duration,
}

/// Sends until the server takes it, refuses it for good, or failed too often.
pub(super) async fn send(post: Post<'_>, mail: Mail, kit: &Kit) -> Result<(), Trouble> {
    let redactor = redactor(&post);
    let letter = letter(&post, mail, kit)?;
    let transport = transport(&post)?;
    let mut attempt = 1;
    loop {
        let Err(error) = transport.send(letter.clone()).await else { return Ok(()) };
        let said = whole(&error);
        if attempt == ATTEMPTS || is_final(&error, &said) {
            return Err(trouble(&error, &said, &post, &redactor));
        }
        kit.clock.sleep(Duration::from_secs(1 << (attempt - 1))).await;
        attempt += 1;
    }
}

/// Knows the password, also in the forms in which it is sent (RFC 4616, and the LOGIN mechanism): a server may repeat them.
fn redactor(post: &Post<'_>) -> Redactor {
    let redactor = Redactor::default();
    if let (Some(password), Some((username, _))) = (&post.password, &post.target.login) {
        let plain = format!("\0{username}\0{}", password.expose());
        for proof in [plain.as_str(), password.expose()] {
            redactor.learn(&Secret::new(STANDARD.encode(proof)));
        }
        redactor.learn(password);
    }
    redactor
}

/// Whether another try would end the same. A certificate that is not trusted comes as a broken connection.
fn is_final(error: &SmtpError, said: &str) -> bool {
    error.is_permanent()
        || error.is_client()
        || error.is_response()
        || error.is_tls()
        || said.contains("certificate")
}

/// The error with its causes.
fn whole(error: &SmtpError) -> String {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        said = format!("{said}: {inner}");
        cause = inner.source();
    }
    said
}

fn letter(post: &Post<'_>, mail: Mail, kit: &Kit) -> Result<Letter, Trouble> {
    let target = post.target;
    let seconds = u64::try_from(kit.clock.now().as_second()).unwrap_or(0);
    let mut letter = Letter::builder()
        .from(target.from.clone())
        .subject(mail.subject)
        .date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        .message_id(Some(format!("<{}@{}>", post.id, target.from.email.domain())))
        // RFC 3834: nobody's absence is answered to a program.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
    for to in &target.to {
        letter = letter.to(to.clone());
    }
    letter
        .multipart(MultiPart::alternative_plain_html(mail.text, mail.html))
        .map_err(|error| Trouble::new(format!("the mail cannot be written: {error}")))
}

fn transport(post: &Post<'_>) -> Result<AsyncSmtpTransport<Tokio1Executor>, Trouble> {
    let target = post.target;
    let tls = match target.tls {
        MailTls::Starttls => Tls::Required(parameters(post)?),
        MailTls::Tls => Tls::Wrapper(parameters(post)?),
        MailTls::None => Tls::None,
    };
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(
        target.host.trim_matches(['[', ']']),
    )
    .port(target.port)
    .timeout(Some(post.patience))
    .tls(tls);
    if let (Some((username, _)), Some(password)) = (&target.login, &post.password) {
        let (username, password) = ((*username).to_owned(), password.expose().to_owned());
        transport = transport.credentials(Credentials::new(username, password));
    }
    Ok(transport.build())
}

fn parameters(post: &Post<'_>) -> Result<TlsParameters, Trouble> {
    let mut parameters =
        TlsParameters::builder(post.target.host.trim_matches(['[', ']']).to_owned());
    if let Some(pem) = &post.certificate_authorities {
        let certificate = Certificate::from_pem(pem).map_err(|_| {
            Trouble::new("certificate_authorities is not a PEM file with certificates")
        })?;
        parameters = parameters.add_root_certificate(certificate);
    }
    parameters.build().map_err(|error| Trouble::new(format!("TLS cannot be set up: {error}")))
}

fn trouble(error: &SmtpError, said: &str, post: &Post<'_>, redactor: &Redactor) -> Trouble {
    let MailTarget { host, port, .. } = post.target;
    let trouble = Trouble::new(format!("{host} port {port}: {}", redactor.clean(said)));
    let lower = said.to_lowercase();
    if lower.contains("certificate") {
        trouble.hint("if the server has a private certificate authority, name its certificate in certificate_authorities")
    } else if lower.contains("starttls") {
        trouble.hint(
            "the server offers no STARTTLS: use tls = \"tls\" with its port for that, usually 465",
        )
    } else if error.is_permanent() {
        trouble.hint("check from, to, username and password")
    } else {
        trouble.hint("check host and port, and that the server is reached from here")
    }
}
