//! [`StandIns`]: records that stand for apps which GitHub does not name: one for all classic tokens, one for all SSH keys, and so on. Each
//! comes once, before its first grant.

use std::collections::BTreeSet;

use grantwarden_kit::{
    connector::Sink,
    error::Result,
    model::{App, Observed, Origin, Record},
};
use tokio::sync::Mutex;

use super::records;

/// What stands for apps that have no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum StandIn {
    PersonalTokens,
    FineGrainedTokens,
    OauthAppTokens,
    AppUserTokens,
    UnknownCredentials,
    SshKeys,
    DeployKeys,
    SiteTokens,
}

impl StandIn {
    #[cfg(feature = "revoke")]
    pub(crate) const ALL: [Self; 8] = [
        Self::PersonalTokens,
        Self::FineGrainedTokens,
        Self::OauthAppTokens,
        Self::AppUserTokens,
        Self::UnknownCredentials,
        Self::SshKeys,
        Self::DeployKeys,
        Self::SiteTokens,
    ];

    /// [`App::id`] and name.
    pub(crate) const fn app(self) -> (&'static str, &'static str) {
        match self {
            Self::PersonalTokens => ("personal-access-tokens", "Personal access tokens"),
            Self::FineGrainedTokens => {
                ("fine-grained-personal-access-tokens", "Fine-grained personal access tokens")
            }
            Self::OauthAppTokens => ("oauth-app-tokens", "Tokens of OAuth apps"),
            Self::AppUserTokens => ("app-user-tokens", "User tokens of GitHub Apps"),
            Self::UnknownCredentials => {
                ("other-credentials", "Credentials of a kind that is not known")
            }
            Self::SshKeys => ("ssh-keys", "SSH keys of users"),
            Self::DeployKeys => ("deploy-keys", "Deploy keys"),
            Self::SiteTokens => ("site-tokens", "Tokens of the server's users"),
        }
    }

    fn record(self, facet: &str) -> App {
        let (id, name) = self.app();
        let client_ids = match self {
            // There is a client; the listing does not name it.
            Self::OauthAppTokens | Self::AppUserTokens | Self::UnknownCredentials => {
                super::gaps::silent(facet, "the listing does not name the app that holds the token")
            }
            _ => Observed::Absent,
        };
        let publisher = match client_ids {
            Observed::Absent => Observed::Absent,
            _ => super::gaps::silent(facet, "GitHub does not tell who is behind it"),
        };
        App {
            client_ids,
            publisher,
            origin: Origin::ThirdParty,
            ..records::app(facet, id, name, "stand-in for apps that GitHub does not name")
        }
    }
}

/// Those that were given out.
pub(super) struct StandIns<'a> {
    sink: &'a Sink,
    sent: Mutex<BTreeSet<StandIn>>,
}

impl<'a> StandIns<'a> {
    pub(super) fn new(sink: &'a Sink) -> Self {
        Self { sink, sent: Mutex::default() }
    }

    /// Streams the record unless it was. Whoever comes second waits until it is out.
    pub(super) async fn introduce(
        &self,
        stand_in: StandIn,
        facet: &str,
    ) -> Result<(&'static str, &'static str)> {
        let mut sent = self.sent.lock().await;
        if sent.insert(stand_in) {
            self.sink.send(Record::App(stand_in.record(facet))).await?;
        }
        Ok(stand_in.app())
    }
}
