//! [`GithubSession`]: one account opened for reading.

use async_trait::async_trait;
use grantwarden_kit::{
    connector::{Collect, Probe, Session, Sink, Visibility},
    error::{ErrorKind, Result},
    ledger::Ledger,
    model::{Coverage, Gap, Reason},
};

use crate::{
    MANIFEST, client::Client, collect, rights::Held, site::Account, token_form::TokenKind,
};

/// One account opened for reading.
pub(crate) struct GithubSession {
    client: Client,
    skip: Vec<String>,
}

const NOT_OF_THIS_ACCOUNT: &str =
    "this kind of account, on this edition of GitHub, does not have it";

impl GithubSession {
    pub(crate) const fn new(client: Client, skip: Vec<String>) -> Self {
        Self { client, skip }
    }

    /// Opens the books. What is promised and this account, on this edition, does not have is said: nothing promised goes unsaid.
    fn ledger(&self) -> Ledger {
        let site = &self.client.site;
        let had = collect::facets(&site.account, site.known());
        let is_had = |facet: &str| had.contains(&facet);
        let promised = MANIFEST.facets.iter().filter(|facet| facet.promised);
        let lacking: Vec<&str> =
            promised.map(|facet| facet.id.as_str()).filter(|facet| !is_had(facet)).collect();
        let booked: Vec<&str> = had.iter().copied().chain(lacking.iter().copied()).collect();
        let ledger = Ledger::new(&MANIFEST, &booked, &self.skip);
        for facet in lacking {
            ledger.lose(Gap::new(Reason::PlatformSilent, facet, NOT_OF_THIS_ACCOUNT), None);
            ledger.settle(facet);
        }
        ledger
    }

    fn identity(&self) -> String {
        match self.client.held() {
            Held::App(granted) => {
                let slug = granted.app_slug.as_deref().unwrap_or("a GitHub App");
                match granted.app_id {
                    Some(id) => format!("{slug} (app {id}, installation {})", granted.installation),
                    None => format!("{slug} (installation {})", granted.installation),
                }
            }
            Held::Token(kind, _) => kind.name().to_owned(),
        }
    }

    /// What the user should know besides.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(quota) = self.client.door.quota() {
            let left = quota.max.saturating_sub(quota.used);
            notes.push(format!("{left} of {} calls of this hour are left", quota.max));
        }
        let seen = self.client.seen();
        if let Some(end) = seen.token_end {
            notes.push(format!("the token ends on {end}"));
        }
        if let Some(version) = seen.server_version {
            notes.push(format!("GitHub Enterprise Server {version}"));
        }
        let account = &self.client.site.account;
        let missed = self.client.held().missed_repositories();
        if let (Account::Organization(_), Some(missed)) = (account, missed) {
            notes.push(format!("{missed}; keys and webhooks of the others are not visible"));
        }
        let is_user = matches!(self.client.held(), Held::Token(kind, _) if kind != TokenKind::InstallationToken);
        if is_user && matches!(account, Account::Organization(_)) {
            notes.push(
                "fine-grained tokens are visible to a GitHub App only: sign in with github_app"
                    .to_owned(),
            );
        }
        notes
    }
}

impl Session for GithubSession {
    fn calls(&self) -> u64 {
        self.client.door.calls()
    }
}

#[async_trait]
impl Collect for GithubSession {
    async fn sign_in(&self) -> Result<()> {
        self.client.connect().await
    }

    async fn probe(&self) -> Result<Probe> {
        self.client.connect().await?;
        let ledger = self.ledger();
        let organization = collect::probe(&self.client, &ledger).await;
        let parts = ledger.close(self.client.door.is_cancelled()).parts;
        let facets = MANIFEST.facets.iter().map(|facet| {
            let gap = match parts.iter().find(|part| part.facet == facet.id) {
                Some(part) => part.losses.first().map(|loss| loss.gap.clone()),
                None => Some(Gap::new(Reason::PlatformSilent, &facet.id, NOT_OF_THIS_ACCOUNT)),
            };
            Visibility { facet: facet.id.clone(), gap }
        });
        let account = &self.client.site.account;
        let name = organization.and_then(|own| own.name);
        let notes = self.notes();
        let probe = Probe {
            identity: self.identity(),
            tenant: match (account, name) {
                (Account::Organization(login), Some(name)) => format!("{name} ({login})"),
                (Account::Organization(login), None) => login.clone(),
                (Account::Enterprise(slug), _) => format!("the enterprise {slug}"),
            },
            facets: facets.collect(),
            notes,
        };
        // A token that is not ended ends by itself within the hour; nobody needs to be told.
        let _ = self.client.end_token().await;
        Ok(probe)
    }

    async fn collect(&self, sink: &Sink) -> Coverage {
        let connected = self.client.connect().await;
        let ledger = self.ledger();
        let first = collect::first_facet(&self.client.site.account);
        let is_connected = connected.is_ok();
        let done = match connected {
            Ok(()) => collect::all(&self.client, &ledger, sink).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done
            && error.kind != ErrorKind::Cancelled
        {
            // Whatever was not settled by now is booked as not read; this says why.
            ledger.fail(first, &error);
        }
        let has_token = is_connected && !self.client.door.is_cancelled();
        let is_ended = has_token && self.client.end_token().await.is_ok();
        if is_connected && !is_ended && matches!(self.client.held(), Held::App(_)) {
            let note = "the scan's token was not ended: it ends by itself within the hour";
            ledger.note(first, note);
        }
        ledger.close(self.client.door.is_cancelled())
    }
}
