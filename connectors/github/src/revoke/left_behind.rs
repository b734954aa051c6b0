//! Webhooks and deploy keys that an app may have made and that stay when it is uninstalled. Only exact ties become steps: the host of the
//! app's own page, or a key that the app itself added. What merely looks alike is named for a person to look at.

use std::collections::HashSet;

use grantwarden_kit::{error::Result, model::App};

use super::{
    plan::Draft,
    steps::{self, Receiver},
};
use crate::{
    api::{DeployKey, Hook},
    client::Client,
    collect::{ask_repositories, every_row, host_of, repository_of},
};

/// A shorter name of an app says nothing when it occurs in a key's title.
const TELLING: usize = 4;

/// Webhooks and keys that an app may have made and that stay when it is uninstalled. What goes wrong here is said and stops nothing.
pub(super) async fn of_app(client: &Client, app: &App, slugs: &HashSet<String>, draft: &mut Draft) {
    let domains = app.web_domains.known().cloned().unwrap_or_default();
    match organization_hooks(client).await {
        Ok(hooks) => {
            for hook in hooks {
                let Some(host) = host_of(&hook) else { continue };
                let receiver = Receiver { id: hook.id, host: &host, repository: None };
                if domains.contains(&host) {
                    draft.add(receiver.disable());
                    draft.add(receiver.delete());
                } else if domains.iter().any(|domain| is_related(domain, &host)) {
                    draft.by_hand(format!(
                        "Look at the webhook {} of the organisation to {host}: the host resembles {}'s. Organisation settings > Webhooks.",
                        hook.id, app.name
                    ));
                }
            }
        }
        Err(error) => draft.by_hand(format!(
            "The webhooks of the organisation could not be looked through: {}. Organisation settings > Webhooks.",
            error.summary()
        )),
    }
    draft.by_hand(
        "Webhooks of repositories were not looked through, which takes a call for each: scan with include = [\"repository-webhooks\"], and name their grants.",
    );
    if client.held().sees_own_webhooks_only() || client.held().may_miss_repositories() {
        draft.by_hand(
            "What this plan was made with may not see every repository or webhook: an app on all repositories would.",
        );
    }
    if let Err(error) = keys_of_app(client, app, slugs, draft).await {
        draft.by_hand(format!(
            "The deploy keys could not be looked through: {}. The settings of each repository > Deploy keys.",
            error.summary()
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

async fn keys_of_app(
    client: &Client,
    app: &App,
    slugs: &HashSet<String>,
    draft: &mut Draft,
) -> Result<()> {
    let mut after = None;
    let mut cursors = HashSet::new();
    loop {
        let (page, refusal) = ask_repositories(client, after.as_deref(), 100).await?;
        if let Some(error) = refusal {
            return Err(error);
        }
        let mut unread = 0;
        for row in page.nodes {
            let Some(repository) = repository_of(row) else {
                unread += 1;
                continue;
            };
            if repository.keys == 0 {
                continue;
            }
            let path = ["repos", &repository.owner, &repository.name, "keys"];
            let request = client.query("list deploy keys", &path, &[("per_page", "100")])?;
            let place = format!("{}/{}", repository.owner, repository.name);
            for key in every_row::<DeployKey>(client, request).await? {
                tie(app, slugs, (&key, &place), draft);
            }
        }
        if unread > 0 {
            draft.by_hand(format!(
                "{unread} repositories could not be looked through for deploy keys."
            ));
        }
        let next = page.page_info.end_cursor.filter(|cursor| cursors.insert(cursor.clone()));
        match next {
            Some(cursor) if page.page_info.has_next_page => after = Some(cursor),
            _ => return Ok(()),
        }
    }
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
    draft.by_hand(format!(
        "Webhooks of repositories to {host} were not looked for, which takes a call for each repository: scan with include = [\"repository-webhooks\"], and name their grants."
    ));
    Ok(())
}
