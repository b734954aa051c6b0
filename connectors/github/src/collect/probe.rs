//! What can be seen: one small read for each facet, and none where the sign-in already tells that the right is missing.

use grantwarden_kit::{
    connector::Sink,
    error::{Error, ErrorKind, Result},
    http::Request,
    ledger::Ledger,
};

use super::{
    Scan, audit, authorizations, deploy_keys, enterprise, fine_grained, gaps, hooks, installations,
    oauth_apps, organization, outside, people, publishers, server,
};
use crate::{
    api::Organization,
    client::Client,
    rights::{
        self, DEPLOY_KEYS, ENTERPRISE, FINE_GRAINED, INSTALLATIONS, MEMBERS, Need,
        ORGANIZATION_HOOKS, REPOSITORY_HOOKS, SECRETS, SITE,
    },
    site::{Account, Edition},
};

/// What shows whether a facet is visible.
struct Look {
    facet: &'static str,
    need: Need,
    /// Below the account; none where the right alone tells.
    path: Option<&'static [&'static str]>,
}

const fn look(facet: &'static str, need: Need, path: Option<&'static [&'static str]>) -> Look {
    Look { facet, need, path }
}

const LOOKS: [Look; 9] = [
    look(people::FACET, MEMBERS, Some(&["members"])),
    look(installations::FACET, INSTALLATIONS, Some(&["installations"])),
    look(authorizations::FACET, INSTALLATIONS, Some(&["credential-authorizations"])),
    look(fine_grained::FACET, FINE_GRAINED, Some(&["personal-access-tokens"])),
    look(fine_grained::REQUESTS, rights::REQUESTS, Some(&["personal-access-token-requests"])),
    look(hooks::OF_ORGANIZATION, ORGANIZATION_HOOKS, Some(&["hooks"])),
    look(hooks::OF_REPOSITORIES, REPOSITORY_HOOKS, None),
    look(organization::SECRETS, SECRETS, Some(&["actions", "secrets"])),
    look(outside::FACET, MEMBERS, Some(&["outside_collaborators"])),
];

/// Books for each facet whether it is visible. The organisation's own record, if it shows it.
pub(crate) async fn probe(client: &Client, ledger: &Ledger) -> Option<Organization> {
    // Nothing is streamed.
    let (sink, _) = Sink::bounded(1);
    let scan = Scan::new(client, ledger, &sink);
    match &client.site.account {
        Account::Organization(_) => of_organization(&scan).await,
        Account::Enterprise(_) => {
            of_enterprise(&scan).await;
            None
        }
    }
}

async fn of_organization(scan: &Scan<'_>) -> Option<Organization> {
    let own = organization::read(scan).await.known().cloned();
    for Look { facet, need, path } in LOOKS {
        let is_server = scan.client.edition().is_ok_and(|edition| edition == Edition::Server);
        if facet == authorizations::FACET && is_server {
            if scan.ledger.skipped(facet).is_none() {
                scan.ledger.lose(authorizations::not_on_a_server(), None);
                scan.ledger.settle(facet);
            }
        } else if scan.begins(facet, need) {
            match facet {
                hooks::OF_ORGANIZATION => hooks::limits_of_organization(scan),
                hooks::OF_REPOSITORIES => hooks::limits_of_repositories(scan),
                _ => {}
            }
            let seen = match path {
                Some(path) => small(scan, path).await,
                None => Ok(()),
            };
            match seen {
                Err(error) if facet == authorizations::FACET => {
                    scan.ledger.lose(authorizations::gap(scan, &error).await, None);
                    scan.ledger.settle(facet);
                }
                seen => settle(scan, facet, seen),
            }
        }
    }
    if scan.begins(deploy_keys::FACET, DEPLOY_KEYS) {
        deploy_keys::limits(scan);
        let seen = deploy_keys::ask(scan.client, None, 1).await;
        if let Ok((page, _)) = &seen {
            let shown = page.total_count.unwrap_or_default();
            deploy_keys::check_repositories(scan, own.as_ref(), shown).await;
        }
        settle(scan, deploy_keys::FACET, seen.and_then(|(_, refusal)| refusal.map_or(Ok(()), Err)));
    }
    log(scan, &[oauth_apps::FACET, audit::FACET], own.as_ref()).await;
    // Anybody may look a public app up.
    open_to_all(scan, publishers::FACET);
    for (facet, what) in
        [(server::TOKENS, "tokens"), (server::KEYS, "keys"), (server::HOOKS, "hooks")]
    {
        let is_server = scan.client.edition().is_ok_and(|edition| edition == Edition::Server);
        if is_server && scan.begins(facet, SITE) {
            let seen = async {
                let path = ["admin", what];
                let request =
                    scan.client.query("look whether it is visible", &path, &[("per_page", "1")])?;
                scan.client.send(&request).await.map(drop)
            };
            settle(scan, facet, seen.await);
        }
    }
    own
}

async fn of_enterprise(scan: &Scan<'_>) {
    for facet in [enterprise::FACET, installations::FACET, enterprise::REPOSITORIES] {
        if scan.begins(facet, ENTERPRISE) {
            let seen = match facet == enterprise::FACET {
                true => small(scan, &["apps", "installable_organizations"]).await,
                false => Ok(()),
            };
            settle(scan, facet, seen);
        }
    }
    log(scan, &[audit::FACET], None).await;
    open_to_all(scan, publishers::FACET);
}

/// The audit log: one call for the facets that are made of it.
async fn log(scan: &Scan<'_>, facets: &[&'static str], own: Option<&Organization>) {
    let need = audit::need(&scan.client.site.account);
    let open: Vec<&str> = facets.iter().copied().filter(|facet| scan.begins(facet, need)).collect();
    if open.is_empty() {
        return;
    }
    let seen = async {
        let request = audit::request(scan, &["integration_installation.create"])?;
        scan.client.send(&only_one(request)).await.map(drop)
    };
    let seen: Result<()> = seen.await;
    let plan = own.and_then(|own| own.plan.as_ref()?.name.as_deref());
    for facet in open {
        if let Err(error) = &seen {
            scan.ledger.lose(audit::gap(scan, facet, error, plan).await, None);
        }
        scan.ledger.settle(facet);
    }
}

async fn small(scan: &Scan<'_>, path: &[&str]) -> Result<()> {
    let request = scan.client.list("look whether it is visible", path)?;
    let reply = scan.client.send(&only_one(request)).await?;
    match super::listing::is_partial(&reply.headers) {
        true => {
            let message = "GitHub leaves rows out: the token is not authorised for single sign-on";
            Err(Error::new(ErrorKind::Forbidden, message))
        }
        false => Ok(()),
    }
}

fn only_one(request: Request) -> Request {
    super::listing::with(request, "per_page", "1")
}

fn open_to_all(scan: &Scan<'_>, facet: &str) {
    if scan.ledger.skipped(facet).is_none() {
        scan.ledger.settle(facet);
    }
}

fn settle(scan: &Scan<'_>, facet: &str, seen: Result<()>) {
    if let Err(error) = seen {
        gaps::fail(scan.ledger, facet, &error);
    }
    scan.ledger.settle(facet);
}
