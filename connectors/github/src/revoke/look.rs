//! Looks whether what a step takes away is still there, in the listing that it stood in: an answer without the row is proof only if the
//! listing was given, and given whole.

use grantwarden_kit::{
    connector::Step,
    error::{Error, ErrorKind, Result},
    http::Request,
};

use super::{
    Revoker,
    steps::{
        DELETE_DEPLOY_KEY, DELETE_SITE_TOKEN, DELETE_WEBHOOK, DISABLE_WEBHOOK, NARROW,
        REVOKE_CREDENTIAL, REVOKE_TOKEN, UNINSTALL, name, number, repository_path,
    },
    unknown_action,
};
use serde::de::IgnoredAny;

use crate::{
    api::{
        CredentialAuthorization, DeployKey, FineGrainedToken, Hook, Installation, RepositoryRow,
        SiteToken,
    },
    client::dressed,
    collect::every_row,
};

impl Revoker {
    /// How much is left of what a step takes away.
    pub(super) async fn look(&self, step: &Step) -> Result<u64> {
        let client = &self.client;
        let target: u64 = number(&step.target)?.parse().map_err(|_| {
            Error::new(ErrorKind::Configuration, "the step's target is not a number")
        })?;
        let count = |is_there: bool| u64::from(is_there);
        match step.action.as_str() {
            UNINSTALL => {
                let rows = self.installations(step).await?;
                Ok(count(rows.iter().any(|row| row.id == target)))
            }
            NARROW => self.beyond_quarantine(step, target).await,
            REVOKE_CREDENTIAL => {
                let all =
                    client.list("list authorised credentials", &["credential-authorizations"])?;
                let request = self.of_user(step, all, "login").await?;
                let rows: Vec<CredentialAuthorization> = every_row(client, request).await?;
                if rows.is_empty() {
                    self.lists_credentials().await?;
                }
                Ok(count(rows.iter().any(|row| row.credential_id == target)))
            }
            REVOKE_TOKEN => {
                let all = client.list("list fine-grained tokens", &["personal-access-tokens"])?;
                let request = self.of_user(step, all, "owner[]").await?;
                let rows: Vec<FineGrainedToken> = every_row(client, request).await?;
                Ok(count(rows.iter().any(|row| row.id == target)))
            }
            DELETE_DEPLOY_KEY => {
                let [repos, owner, repository] = repository_path(step)?;
                let path = [repos, owner, repository, "keys"];
                let request = client.query("list deploy keys", &path, &[("per_page", "100")])?;
                let rows: Vec<DeployKey> = every_row(client, request).await?;
                Ok(count(rows.iter().any(|row| row.id == target)))
            }
            DISABLE_WEBHOOK => match self.hook(step, target).await? {
                None => Ok(0),
                Some(Hook { active: Some(is_active), .. }) => Ok(count(is_active)),
                Some(_) => {
                    let message = "GitHub does not tell whether the webhook is active";
                    Err(client.explain("list webhooks", Error::new(ErrorKind::Malformed, message)))
                }
            },
            DELETE_WEBHOOK => Ok(count(self.hook(step, target).await?.is_some())),
            DELETE_SITE_TOKEN => {
                let request = client.query(
                    "list tokens of the server",
                    &["admin", "tokens"],
                    &[("per_page", "100")],
                )?;
                let rows: Vec<SiteToken> = every_row(client, request).await?;
                Ok(count(rows.iter().any(|row| row.id == target)))
            }
            other => Err(unknown_action(other)),
        }
    }

    /// A listing narrowed to the step's user, if there still is one of that name: a filter by a name that was changed finds nothing, and
    /// proves nothing.
    async fn of_user(&self, step: &Step, all: Request, parameter: &str) -> Result<Request> {
        let Ok(login) = step.detail("login") else { return Ok(all) };
        let path = ["users", name(login)?, "keys"];
        let look = self.client.query("look for the user", &path, &[("per_page", "1")])?;
        match self.client.send(&look).await {
            Ok(_) => {
                let mut request = all;
                request.url.query_pairs_mut().append_pair(parameter, login);
                Ok(request)
            }
            Err(error) if error.kind == ErrorKind::NotFound => Ok(all),
            Err(error) => Err(error),
        }
    }

    /// Proof that GitHub lists credentials of the organisation at all.
    ///
    /// # Errors
    /// If it lists none: without single sign-on that is what it says of any number of them.
    async fn lists_credentials(&self) -> Result<()> {
        let endpoint = "list authorised credentials";
        let [kind, account] = self.client.site.account.path();
        let path = [kind, account, "credential-authorizations"];
        let request = self.client.query(endpoint, &path, &[("per_page", "1")])?;
        let rows: Vec<IgnoredAny> = self.client.read(&request).await?;
        if rows.is_empty() {
            let message =
                "GitHub lists no credential of anybody: that the one is gone is not proven";
            let error = Error::new(ErrorKind::Malformed, message);
            let error = error.with_hint("look at it: organisation > People > the member > Authorized credentials; without single sign-on nothing is listed there either");
            return Err(self.client.explain(endpoint, error));
        }
        Ok(())
    }

    async fn hook(&self, step: &Step, target: u64) -> Result<Option<Hook>> {
        let is_of_organization = super::plan::place_of(step).is_empty();
        if let (Some(hidden), true) = (self.client.held().hidden_webhooks(), is_of_organization) {
            return Err(self
                .client
                .explain("list webhooks", Error::new(ErrorKind::Forbidden, hidden)));
        }
        let mut request = dressed(Request::get("list webhooks", self.hook_url(step, None)?));
        request.url.query_pairs_mut().append_pair("per_page", "100");
        let rows: Vec<Hook> = every_row(&self.client, request).await?;
        Ok(rows.into_iter().find(|row| row.id == target))
    }

    async fn installations(&self, step: &Step) -> Result<Vec<Installation>> {
        let organization = name(step.detail("organization")?)?;
        let path = ["apps", "organizations", organization, "installations"];
        let request = self.client.list("list installations of an organisation", &path)?;
        every_row(&self.client, request).await
    }

    /// How many repositories an installation reaches besides the one that it was narrowed to.
    async fn beyond_quarantine(&self, step: &Step, target: u64) -> Result<u64> {
        let rows = self.installations(step).await?;
        let Some(row) = rows.into_iter().find(|row| row.id == target) else {
            // Uninstalled: narrower than that nothing is.
            return Ok(0);
        };
        if row.repository_selection.as_deref() != Some("selected") {
            return Ok(1);
        }
        let path = self.installation_path(step)?;
        let path: Vec<&str> = path.iter().map(String::as_str).chain(["repositories"]).collect();
        let request = self.client.list("list repositories of an installation", &path)?;
        let repositories: Vec<RepositoryRow> = every_row(&self.client, request).await?;
        let only = step.detail("quarantine")?;
        Ok(repositories.iter().filter(|row| row.name != only).count() as u64)
    }
}
