//! Tells a service that a scan begins and how it ended, so that a scan that never ran is noticed.
//!
//! The address is a secret: neither it nor what the service answers is ever shown. Nothing here can fail a scan; what goes wrong is a warning.

use std::{sync::Arc, time::Duration};

use grantwarden_kit::{
    clock::SystemClock,
    error::{Error, ErrorKind},
    http::{Door, DoorConfig, Limits, Plain, Request},
};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{config, exit::Exit};

/// The longest that one message may hold up a scan, repeats included.
const LONGEST: Duration = Duration::from_secs(15);

const LIMITS: Limits = Limits {
    connect: Duration::from_secs(5),
    answer: Duration::from_secs(5),
    body: 1 << 20,
    attempts: 2,
    patience: Duration::from_secs(5),
};

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// The scan begins.
    Start,
    /// The scan ended so.
    End(Exit),
}

impl Beat {
    /// What is appended to the address, by <https://healthchecks.io/docs/http_api/>. Findings are what a scan is for: only what kept it from its
    /// work is a failure.
    fn ending(self) -> Option<String> {
        match self {
            Self::Start => Some("start".to_owned()),
            Self::End(Exit::Clean | Exit::Findings) => None,
            Self::End(exit) => Some(exit.code().to_string()),
        }
    }
}

/// A service that is told. Not printable: it holds the address.
pub(super) struct Heartbeat {
    door: Door,
    address: Url,
}

impl Heartbeat {
    /// Fetches the address; without a usable one nobody is told, and a warning says why.
    pub(super) async fn open(settings: &config::Heartbeat) -> Option<Self> {
        let secret = match settings.url.fetch().await {
            Ok(secret) => secret,
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                let why = [Some(error.message), cause].into_iter().flatten();
                warn(&why.collect::<Vec<_>>().join(": "));
                return None;
            }
        };
        let opened = Url::parse(secret.expose()).ok().and_then(|address| {
            let is_web = matches!(address.scheme(), "http" | "https") && address.has_host();
            is_web.then(|| Self::at(address))
        });
        match opened {
            Some(Ok(heartbeat)) => Some(heartbeat),
            Some(Err(error)) => {
                warn(&why(&error));
                None
            }
            None => {
                warn(&format!("{} does not hold a web address", settings.url));
                None
            }
        }
    }

    fn at(address: Url) -> Result<Self, Error> {
        let door = Door::new(DoorConfig {
            tenant: "heartbeat".to_owned(),
            platform: "heartbeat".to_owned(),
            origins: vec![address.clone()],
            certificate_authorities: None,
            buckets: std::collections::BTreeMap::new(),
            classify: Arc::new(Plain),
            limits: LIMITS,
            keep_quota_percent: 0,
            clock: Arc::new(SystemClock),
            // Its own: that a scan was stopped is told, too.
            cancel: CancellationToken::new(),
        })?;
        Ok(Self { door, address })
    }

    /// Tells.
    pub(super) async fn tell(&self, beat: Beat) {
        let request = Request::get("heartbeat", extended(&self.address, beat));
        match tokio::time::timeout(LONGEST, self.door.send(&request, None)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => warn(&why(&error)),
            Err(_) => warn("no answer in time"),
        }
    }
}

/// The address for a message. What stands after `?` stays.
fn extended(address: &Url, beat: Beat) -> Url {
    let mut address = address.clone();
    if let Some(ending) = beat.ending()
        && let Ok(mut path) = address.path_segments_mut()
    {
        path.pop_if_empty().push(&ending);
    }
    address
}

fn warn(why: &str) {
    tracing::warn!("The heartbeat was not sent: {why}. The scan is not concerned.");
}

/// In words that hold nothing of the address, unlike the error's own.
fn why(error: &Error) -> String {
    if let Some(answer) = &error.answer {
        return match error.kind {
            ErrorKind::ForeignHost => {
                "the service sent us on to another address, which was not followed".to_owned()
            }
            _ => format!("the service answered with status {}", answer.status),
        };
    }
    let why = match error.kind {
        ErrorKind::Configuration => {
            "its address must begin with https://, or be on this machine (127.0.0.1, ::1, localhost)"
        }
        ErrorKind::Network => {
            "no connection; check the network, and HTTPS_PROXY if there is a proxy"
        }
        ErrorKind::Tls => "no trusted TLS connection",
        ErrorKind::Timeout => "no answer in time",
        ErrorKind::Malformed | ErrorKind::TooLarge => {
            "something else answered in place of the service"
        }
        _ => "it failed",
    };
    why.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str, beat: Beat) -> String {
        extended(&Url::parse(address).unwrap(), beat).to_string()
    }

    #[test]
    fn the_ending_says_what_happened() {
        let address = "https://hc.example/FAKE-uuid";
        assert_eq!(at(address, Beat::Start), "https://hc.example/FAKE-uuid/start");
        for exit in [Exit::Clean, Exit::Findings] {
            assert_eq!(at(address, Beat::End(exit)), address);
        }
        for (exit, code) in [(Exit::Usage, 2), (Exit::Incomplete, 3), (Exit::Internal, 4)] {
            assert_eq!(at(address, Beat::End(exit)), format!("{address}/{code}"));
        }
        assert_eq!(
            at("https://hc.example/FAKE-key/scan/?create=1", Beat::Start),
            "https://hc.example/FAKE-key/scan/start?create=1"
        );
    }

    #[test]
    fn an_error_tells_nothing_of_the_address() {
        let address = Url::parse("http://192.0.2.1/FAKE-uuid").unwrap();
        let Err(error) = Heartbeat::at(address) else { panic!("plain text was accepted") };
        assert!(error.to_string().contains("192.0.2.1"));
        assert!(why(&error).contains("must begin with https://"));
        assert!(!why(&error).contains("192.0.2.1"));
    }
}
