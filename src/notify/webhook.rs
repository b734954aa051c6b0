//! Signs messages as Standard Webhooks has it (<https://www.standardwebhooks.com>): `webhook-id`, `webhook-timestamp`, `webhook-signature`.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use grantwarden_kit::{
    clock::Clock,
    error::Error,
    http::{Authorize, Request, Stamp},
    secret::Secret,
};

use super::Trouble;

/// Signs one message, anew for each sending: a receiver refuses an old time.
pub(super) struct Signer {
    key: hmac::Key,
    clock: Arc<dyn Clock>,
    id: String,
    body: String,
}

impl Signer {
    /// For one message.
    pub(super) fn new(
        key: &Secret,
        clock: Arc<dyn Clock>,
        id: String,
        body: String,
    ) -> Result<Self, Trouble> {
        Ok(Self { key: read_key(key)?, clock, id, body })
    }

    fn sign(&self, timestamp: i64) -> String {
        let signed = format!("{}.{timestamp}.{}", self.id, self.body);
        format!("v1,{}", STANDARD.encode(hmac::sign(&self.key, signed.as_bytes())))
    }
}

#[async_trait]
impl Authorize for Signer {
    async fn stamp(&self, _: &Request) -> Result<Stamp, Error> {
        let timestamp = self.clock.now().as_second();
        let header = |name, value| (name, Secret::new(value));
        Ok(Stamp {
            headers: vec![
                header("webhook-timestamp", timestamp.to_string()),
                header("webhook-signature", self.sign(timestamp)),
            ],
            ..Stamp::default()
        })
    }

    /// Nothing to forget: the next stamp is new anyway.
    async fn refused(&self, _: u64) {}
}

fn read_key(key: &Secret) -> Result<hmac::Key, Trouble> {
    let text = key.expose();
    let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).unwrap_or_default();
    if !(24..=64).contains(&bytes.len()) {
        return Err(Trouble::new("hmac_key is not 24 to 64 bytes in base64")
            .hint("make one for both sides: printf 'whsec_%s' \"$(openssl rand -base64 32)\""));
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::clock::SystemClock;

    use super::*;

    fn signer(key: &str) -> Result<Signer, Trouble> {
        let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "{\"test\": 2432232314}");
        let key = Secret::new(key.to_owned());
        Signer::new(&key, Arc::new(SystemClock), id.to_owned(), body.to_owned())
    }

    /// The example that the tests of the Standard Webhooks libraries use.
    #[test]
    fn signs_as_the_published_example() {
        for key in ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            let signature = signer(key).ok().unwrap().sign(1_614_265_330);
            assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        }
    }

    #[test]
    fn a_weak_or_broken_key_is_refused_and_not_repeated() {
        for key in ["FAKE-hunter2", "whsec_RkFLRQ==", "whsec_"] {
            let trouble = signer(key).err().unwrap();
            assert!(trouble.message.contains("24 to 64 bytes"));
            assert!(!trouble.message.contains("hunter2") && !trouble.message.contains("RkFL"));
        }
    }
}
