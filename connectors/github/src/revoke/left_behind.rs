//! Webhooks and deploy keys that an app may have made and that stay when it is uninstalled. Only exact ties become steps: a key that the app
//! itself added is deleted; a webhook to the host of the app's page is switched off and no more, because the app says itself which page that
//! is. What merely looks alike is named for a person to look at.

use std::collections::HashSet;

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    model::App,
};

use super::{
    plan::Draft,
    steps::{self, Receiver},
};
use crate::{
    api::{DeployKey, Hook},
    client::Client,
    collect::{Repository, ask_repositories, every_row, host_of, repository_of},
};

/// A shorter name of an app says nothing when it occurs in a key's title.
const TELLING: usize = 4;

/// Webhooks and keys of an organisation, read once for all apps of a plan.
pub(super) struct Remains {
    hooks: Result<Vec<Hook>>,
    /// Each with its repository.
    keys: Vec<(DeployKey, String)>,
    /// Why keys may be missing, for a person.
    unread: Vec<String>,
}

impl Remains {
    /// Reads them. What goes wrong is kept to be said, and stops nothing.
    pub(super) async fn read(client: &Client) -> Self {
        let hooks = organization_hooks(client).await;
        let mut all = Self { hooks, keys: Vec::new(), unread: Vec::new() };
        if let Err(error) = all.read_keys(client).await {
            all.unread.push(format!(
                "The deploy keys could not be looked through: {}. The settings of each repository > Deploy keys.",
                error.summary()
            ));
        }
        all
    }

    async fn read_keys(&mut self, client: &Client) -> Result<()> {
        let mut after = None;
        let mut cursors = HashSet::new();
        loop {
            let (page, refusal) = ask_repositories(client, after.as_deref(), 100).await?;
            if let Some(error) = refusal {
                return Err(error);
            }
            for row in page.nodes {
                match repository_of(row) {
                    Some(repository) if repository.keys == 0 => {}
                    Some(repository) => self.read_repository(client, &repository).await?,
                    None => self.unread.push(
                        "A repository could not be looked through for deploy keys: GitHub does not name it or its keys."
                            .to_owned(),
                    ),
                }
            }
            if !page.page_info.has_next_page {
                return Ok(());
            }
            let next = page.page_info.end_cursor.filter(|cursor| cursors.insert(cursor.clone()));
            after = Some(next.ok_or_else(|| {
                let message =
                    "the listing of repositories leads back to a page that was read before";
                client.explain("list repositories", Error::new(ErrorKind::Malformed, message))
            })?);
        }
    }

    /// One repository that cannot be read does not hide the others.
    async fn read_repository(&mut self, client: &Client, repository: &Repository) -> Result<()> {
        let path = ["repos", &repository.owner, &repository.name, "keys"];
        let place = format!("{}/{}", repository.owner, repository.name);
        let rows = async {
            let request = client.query("list deploy keys", &path, &[("per_page", "100")])?;
            every_row::<DeployKey>(client, request).await
        };
        match rows.await {
            Ok(rows) => self.keys.extend(rows.into_iter().map(|key| (key, place.clone()))),
            Err(error) if matches!(error.kind, ErrorKind::Cancelled | ErrorKind::Quota) => {
                return Err(error);
            }
            Err(error) => self.unread.push(format!(
                "The deploy keys of {place} could not be looked through: {}. {place} > Settings > Deploy keys.",
                error.summary()
            )),
        }
        Ok(())
    }
}

/// What an app may have made and that stays when it is uninstalled.
pub(super) fn of_app(
    client: &Client,
    remains: &Remains,
    (app, slugs): (&App, &HashSet<String>),
    draft: &mut Draft,
) {
    let domains = app.web_domains.known().map_or(&[][..], Vec::as_slice);
    match &remains.hooks {
        Ok(hooks) => hooks.iter().for_each(|hook| tie_hook(app, domains, hook, draft)),
        Err(error) => draft.by_hand(format!(
            "The webhooks of the organisation could not be looked through: {}. Organisation settings > Webhooks.",
            error.summary()
        )),
    }
    draft.by_hand(
        "Webhooks of repositories were not looked through, which takes a call for each: scan with include = [\"repository-webhooks\"], and name their grants.",
    );
    let held = client.held();
    if held.hidden_webhooks().is_some() || held.missed_repositories().is_some() {
        draft.by_hand(
            "What this plan was made with may not see every repository or webhook: an app on all repositories would.",
        );
    }
    for (key, place) in &remains.keys {
        tie(app, slugs, (key, place), draft);
    }
    for text in &remains.unread {
        draft.by_hand(text);
    }
}

fn tie_hook(app: &App, domains: &[String], hook: &Hook, draft: &mut Draft) {
    let Some(host) = host_of(hook) else { return };
    if domains.contains(&host) {
        draft.add(Receiver { id: hook.id, host: &host, repository: None }.disable());
        draft.by_hand(format!(
            "Look at the webhook {} of the organisation, which is switched off: it sends to {host}, which {} says is its own. Delete it if it is the app's: Organisation settings > Webhooks.",
            hook.id, app.name
        ));
    } else if domains.iter().any(|domain| is_related(domain, &host)) {
        draft.by_hand(format!(
            "Look at the webhook {} of the organisation to {host}: the host resembles {}'s. Organisation settings > Webhooks.",
            hook.id, app.name
        ));
    }
}

async fn organization_hooks(client: &Client) -> Result<Vec<Hook>> {
    let request = client.list("list webhooks", &["hooks"])?;
    every_row(client, request).await
}

/// Whether two hosts share their last two names. A guess: many vendors share a suffix.
fn is_related(one: &str, other: &str) -> bool {
    let suffix = |host: &str| {
        let names: Vec<&str> = host.rsplit('.').take(2).collect();
        (names.len() == 2).then(|| names.join("."))
    };
    suffix(one).is_some_and(|of_one| suffix(other) == Some(of_one))
}

fn tie(app: &App, slugs: &HashSet<String>, (key, place): (&DeployKey, &str), draft: &mut Draft) {
    let title = key.title.as_deref().unwrap_or("without a title");
    let added_by = key.added_by.clone().flatten();
    let is_exact = added_by
        .as_deref()
        .is_some_and(|login| login.strip_suffix("[bot]").is_some_and(|slug| slugs.contains(slug)));
    let (lower, name) = (title.to_lowercase(), app.name.to_lowercase());
    let resembles = name.len() >= TELLING && lower.contains(&name);
    if is_exact {
        draft.add(steps::delete_deploy_key(key.id, title, place));
    } else if resembles {
        draft.by_hand(format!(
            "Look at the deploy key {} ({title}) of {place}, added by {}: its title resembles {}. {place} > Settings > Deploy keys.",
            key.id,
            added_by.as_deref().unwrap_or("somebody"),
            app.name
        ));
    }
}

/// Everything of the organisation that is sent to a host.
pub(super) async fn of_host(client: &Client, host: &str, draft: &mut Draft) -> Result<()> {
    for hook in organization_hooks(client).await? {
        if host_of(&hook).as_deref() == Some(host) {
            let receiver = Receiver { id: hook.id, host, repository: None };
            draft.add(receiver.disable());
            draft.add(receiver.delete());
        }
    }
    if let Some(hidden) = client.held().hidden_webhooks() {
        draft.by_hand(format!("Webhooks of the organisation to {host} may be missing: {hidden}."));
    }
    draft.by_hand(format!(
        "Webhooks of repositories to {host} were not looked for, which takes a call for each repository: scan with include = [\"repository-webhooks\"], and name their grants."
    ));
    Ok(())
}
