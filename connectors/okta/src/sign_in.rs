//! Token sources: a service app that asks for all scopes at once and makes do with those that are granted, and a token made by hand.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use grantwarden_kit::{
    auth::{AccessToken, PrivateKeyJwt, TokenSource},
    error::Result,
    http::Door,
    secret::Secret,
};
use tokio::sync::Mutex;

/// Okta takes four requests for tokens a second from one client.
const BETWEEN: Duration = Duration::from_millis(260);

/// Signs in as a service app. Okta refuses a request altogether if one of its scopes is not granted, and does not say which: then each is
/// asked for alone, once.
pub(crate) struct ServiceApp {
    /// Its scopes are those to ask for; held while signing in.
    source: Mutex<PrivateKeyJwt>,
}

impl ServiceApp {
    pub(crate) fn new(source: PrivateKeyJwt) -> Arc<Self> {
        Arc::new(Self { source: Mutex::new(source) })
    }
}

/// The source as [`grantwarden_kit::auth::Tokens`] takes it.
pub(crate) struct Shared(pub(crate) Arc<ServiceApp>);

#[async_trait]
impl TokenSource for Shared {
    async fn fetch(&self, door: &Door) -> Result<AccessToken> {
        let mut source = self.0.source.lock().await;
        let refusal = match source.fetch(door).await {
            Err(error) if error.code() == Some("invalid_scope") => error,
            other => return other.map(|token| told(token, &source.scopes)),
        };
        let asked = source.scopes.clone();
        let granted = granted(&mut source, &asked, door).await;
        // Whatever happened, the next sign-in begins with what is known to be granted, or with everything.
        match granted {
            Ok(granted) if granted.is_empty() || granted.len() == asked.len() => {
                source.scopes = asked;
                Err(refusal)
            }
            Ok(granted) => {
                source.scopes = granted;
                door.clock().sleep(BETWEEN).await;
                source.fetch(door).await.map(|token| told(token, &source.scopes))
            }
            Err(error) => {
                source.scopes = asked;
                Err(error)
            }
        }
    }
}

/// A reply that names no scopes grants those that were asked for (RFC 6749 section 5.1).
fn told(mut token: AccessToken, asked: &[String]) -> AccessToken {
    token.reply.scope.get_or_insert_with(|| asked.join(" "));
    token
}

/// Which scopes are granted, by asking for each alone.
async fn granted(source: &mut PrivateKeyJwt, asked: &[String], door: &Door) -> Result<Vec<String>> {
    let mut granted = Vec::new();
    if asked.len() < 2 {
        return Ok(granted);
    }
    for scope in asked {
        door.clock().sleep(BETWEEN).await;
        source.scopes = vec![scope.clone()];
        match source.fetch(door).await {
            Ok(_) => granted.push(scope.clone()),
            Err(error) if error.code() == Some("invalid_scope") => {}
            Err(error) => return Err(error),
        }
    }
    Ok(granted)
}

/// What a token is, by its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// An API token: `00` and 40 letters, digits, `-` or `_`.
    Ssws,
    /// Anything else is an access token.
    Bearer,
}

impl Form {
    pub(crate) fn of(token: &Secret) -> Self {
        let text = token.expose();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if text.starts_with("00") && text.bytes().all(is_plain) { Self::Ssws } else { Self::Bearer }
    }
}

/// A token made by hand, with the scheme that its form asks for.
pub(crate) struct Handmade {
    pub(crate) token: Secret,
}

#[async_trait]
impl TokenSource for Handmade {
    async fn fetch(&self, door: &Door) -> Result<AccessToken> {
        door.redactor().learn(&self.token);
        let token = AccessToken::plain(self.token.clone());
        Ok(match Form::of(&self.token) {
            Form::Ssws => AccessToken { scheme: "SSWS", ..token },
            Form::Bearer => token,
        })
    }

    fn is_renewable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_its_scheme_by_its_form() {
        let form = |text: &str| Form::of(&Secret::new(text.to_owned()));
        assert_eq!(form("00FAKE_abcdefghijklmnopqrstuvwxyz012345-67"), Form::Ssws);
        assert_eq!(form("eyJraWQiOiJGQUtFIn0.e30.FAKE"), Form::Bearer);
        assert_eq!(form("00abc.def"), Form::Bearer);
    }
}
