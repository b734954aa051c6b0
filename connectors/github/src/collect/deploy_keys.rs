//! Deploy keys: SSH keys of one repository. One GraphQL call for each hundred repositories finds those that have keys; REST tells the rest,
//! such as when a key was last used.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use futures::{StreamExt, TryStreamExt, stream};
use grantwarden_kit::{
    error::{Answer, Error, ErrorKind, Result},
    http::{Body, Request},
    model::{Expiry, Gap, Grant, GrantKind, Holder, Observed, Reason},
    seen::Seen,
};
use serde_json::json;

use super::{
    Facts, Scan, gaps,
    listing::{Listing, is_partial},
    records::{self, setting},
    scopes,
    stand_ins::StandIn,
};
use crate::{
    api::{
        DeployKey, GraphqlError, GraphqlReply, GraphqlRepositories, GraphqlRepository,
        Organization, Row,
    },
    classify::SAML,
    client::{Client, dressed},
    rights::{DEPLOY_KEYS, Held},
};

pub(super) const FACET: &str = "deploy-keys";
/// GraphQL has an hour of calls of its own.
const BUCKET: &str = "graphql";
/// How often the sweep is begun anew when its cursor ends.
const RESTARTS: u32 = 2;

/// Which repositories have keys. GraphQL does not know when a key was last used (API sheet, section 2.4).
const QUERY: &str = "query($login: String!, $first: Int!, $after: String) { organization(login: $login) { repositories(first: $first, after: $after) \
     { totalCount nodes { nameWithOwner deployKeys(first: 1) { totalCount } } pageInfo { endCursor hasNextPage } } } }";

/// Numbers of the keys that were given out.
pub(super) type Given = Mutex<HashSet<u64>>;

/// A repository with so many keys.
pub(crate) struct Repository {
    pub(crate) owner: String,
    pub(crate) name: String,
    pub(crate) keys: u64,
}

/// Books that the scanner's installation may not see every repository.
pub(super) fn limits(scan: &Scan<'_>) {
    if let Some(detail) = scan.held.missed_repositories() {
        scan.ledger.lose(Gap::new(Reason::Permission, FACET, detail), None);
    }
}

/// Streams the keys; their numbers.
pub(super) async fn read(scan: &Scan<'_>, facts: &Facts) -> Result<Given> {
    let given = Given::default();
    if !scan.begins(FACET, DEPLOY_KEYS) {
        return Ok(given);
    }
    limits(scan);
    match sweep(scan, facts, &given).await {
        Ok(()) => {}
        Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
        Err(error) => {
            gaps::fail(scan.ledger, FACET, &error);
        }
    }
    scan.ledger.settle(FACET);
    Ok(given)
}

async fn sweep(scan: &Scan<'_>, facts: &Facts, given: &Given) -> Result<()> {
    let (mut after, mut restarts) = (None, 0);
    let (mut seen, mut repositories, mut total) = (Seen::default(), 0, None);
    let mut cursors = HashSet::new();
    let mut first = 100;
    loop {
        let page = match ask(scan.client, after.as_deref(), first).await {
            Ok((page, refusal)) => {
                if let Some(error) = refusal {
                    // A part of it was refused.
                    gaps::fail(scan.ledger, FACET, &error);
                }
                page
            }
            Err(error) if error.kind == ErrorKind::PageExpired && restarts < RESTARTS => {
                restarts += 1;
                after = None;
                cursors.clear();
                continue;
            }
            // GitHub gives up after ten seconds.
            Err(error) if error.kind == ErrorKind::Unavailable && first > 50 => {
                first = 50;
                continue;
            }
            Err(error) => return Err(error),
        };
        total = page.total_count.or(total);
        let mut found = Vec::new();
        for row in page.nodes {
            let Some(repository) = repository_of(row) else {
                let detail = "a repository is not what the API promises, or its keys are not told";
                scan.ledger.lose(Gap::new(Reason::CallFailed, FACET, detail), None);
                continue;
            };
            if seen.is_new(&format!("{}/{}", repository.owner, repository.name)) {
                repositories += 1;
                found.extend((repository.keys > 0).then_some(repository));
            }
        }
        stream::iter(found)
            .map(Ok)
            .try_for_each_concurrent(scan.client.concurrent.max(1), |repository| async move {
                keys_of(scan, &repository, given).await
            })
            .await?;
        if !page.page_info.has_next_page {
            break;
        }
        let next = page.page_info.end_cursor.filter(|cursor| cursors.insert(cursor.clone()));
        after = Some(next.ok_or_else(|| {
            let message = "the listing of repositories leads back to a page that was read before";
            scan.client.explain("list repositories", Error::new(ErrorKind::Malformed, message))
        })?);
    }
    if let Some(total) = total.filter(|total| *total > repositories) {
        let detail = format!("GitHub counts {total} repositories and showed {repositories}");
        scan.ledger.lose(Gap::new(Reason::CountMismatch, FACET, detail), None);
    }
    check_repositories(scan, facts.organization.as_ref(), repositories).await;
    Ok(())
}

/// Whether every repository is shown, with its keys. Who may not see a repository is not told that it is there, and keys are shown to those
/// who administer the repository.
pub(super) async fn check_repositories(scan: &Scan<'_>, own: Option<&Organization>, seen: u64) {
    if matches!(scan.held, Held::App(_)) {
        // An installation on all repositories sees all of them; its repositories were dealt with.
        return;
    }
    let told = own.and_then(|own| own.public_repos?.checked_add(own.total_private_repos?));
    let gap = match told {
        Some(told) if told > seen => {
            let detail =
                format!("the organisation has {told} repositories, and the token shows {seen}");
            Gap::new(Reason::Permission, FACET, detail)
        }
        // GitHub shows this to owners, who administer every repository.
        Some(_) if scan.may_still_ask().await => return,
        Some(_) => {
            let detail = "nothing tells whether the token is an owner's: of a repository that its user does not administer, GitHub shows no keys";
            Gap::new(Reason::Permission, FACET, detail)
        }
        None => {
            let detail = "nothing tells whether the token shows every repository: use an owner's token with the scopes repo and read:org, or sign in with github_app";
            Gap::new(Reason::Permission, FACET, detail)
        }
    };
    scan.ledger.lose(gap, None);
}

/// One page of repositories, and what was refused of it.
pub(crate) async fn ask(
    client: &Client,
    after: Option<&str>,
    first: u32,
) -> Result<(GraphqlRepositories, Option<Error>)> {
    let url = client.site.graphql(client.edition()?)?;
    let variables = json!({ "login": client.site.account.name(), "first": first, "after": after });
    let body = Body::Json(json!({ "query": QUERY, "variables": variables }).into());
    // It reads, although it is a POST.
    let request = dressed(Request::post("list repositories", url, body).repeatable());
    let request = Request { bucket: BUCKET, ..request };
    let reply = client.send(&request).await?;
    let is_partial = is_partial(&reply.headers);
    let reply: GraphqlReply =
        reply.json().map_err(|error| client.explain(request.endpoint, error))?;
    let refused = reply.errors.first().map(|error| refusal(client, request.endpoint, error));
    let refusal = refused.or_else(|| {
        let message = "GitHub leaves rows out: the token is not authorised for single sign-on";
        let error = Error::new(ErrorKind::Forbidden, message);
        is_partial.then(|| client.explain(request.endpoint, error))
    });
    match (reply.data.and_then(|data| data.organization), refusal) {
        (Some(own), refusal) => Ok((own.repositories, refusal)),
        (None, Some(error)) => Err(error),
        (None, None) => {
            let message = "GraphQL knows no such organisation, or does not show it";
            Err(client.explain(request.endpoint, Error::new(ErrorKind::NotFound, message)))
        }
    }
}

/// GraphQL refuses with words in the body.
fn refusal(client: &Client, endpoint: &str, error: &GraphqlError) -> Error {
    let text = client.door.redactor().clean(&error.message);
    let lower = text.to_lowercase();
    let kind = match error.kind.as_str() {
        "FORBIDDEN" | "INSUFFICIENT_SCOPES" => ErrorKind::Forbidden,
        "NOT_FOUND" => ErrorKind::NotFound,
        "INVALID_CURSOR_ARGUMENTS" => ErrorKind::PageExpired,
        // It took longer than GitHub allows.
        _ if lower.contains("something went wrong") || lower.contains("timeout") => {
            ErrorKind::Unavailable
        }
        _ => ErrorKind::Malformed,
    };
    let code = lower.contains("saml").then(|| SAML.to_owned());
    let answer = Answer { status: 200, code, text };
    let error = Error::new(kind, "GraphQL refused the request").with_answer(answer);
    client.explain(endpoint, error)
}

/// A row of [`ask`]: owner, name and number of keys; `None` if it is not what the API promises.
pub(crate) fn repository_of(row: Row<GraphqlRepository>) -> Option<Repository> {
    let row = row.good()?;
    let (owner, name) = row.name_with_owner.split_once('/')?;
    let keys = row.deploy_keys.total_count;
    Some(Repository { owner: owner.to_owned(), name: name.to_owned(), keys })
}

async fn keys_of(scan: &Scan<'_>, repository: &Repository, given: &Given) -> Result<()> {
    let Repository { owner, name, keys } = repository;
    let path = ["repos", owner, name, "keys"];
    let mut listing = match scan.client.query("list deploy keys", &path, &[("per_page", "100")]) {
        Ok(request) => Listing::numbered(scan.client, request),
        Err(error) => {
            scan.ledger.lose(gaps::of(FACET, &error), Some(*keys));
            return Ok(());
        }
    };
    let mut read = 0;
    loop {
        match listing.next::<DeployKey>().await {
            Ok(Some(lot)) => {
                super::listing::book(scan.ledger, FACET, &lot);
                read += lot.odd;
                for row in &lot.rows {
                    let app = scan.stand_ins.introduce(StandIn::DeployKeys, FACET).await?;
                    let place = format!("{owner}/{name}");
                    scan.grant(FACET, grant(FACET, row, app, &place)).await?;
                    given.lock().unwrap_or_else(PoisonError::into_inner).insert(row.id);
                    read += 1;
                }
            }
            Ok(None) => break,
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
            Err(error) => {
                scan.ledger.lose(gaps::of(FACET, &error), Some(keys.saturating_sub(read).max(1)));
                return Ok(());
            }
        }
    }
    if read < *keys {
        let detail = format!("GraphQL counts more deploy keys of {owner}/{name} than REST lists");
        scan.ledger.lose(Gap::new(Reason::CountMismatch, FACET, detail), Some(keys - read));
    }
    Ok(())
}

/// A key of a repository.
pub(super) fn grant(facet: &str, row: &DeployKey, app: (&str, &str), repository: &str) -> Grant {
    let settings = vec![
        setting("Repository", Observed::Known(repository.to_owned())),
        setting("Name", gaps::text(facet, row.title.as_deref())),
        setting("Verified", gaps::yes(facet, row.verified)),
        setting("Enabled", gaps::yes(facet, row.enabled)),
    ];
    Grant {
        scopes: scopes::of_deploy_key(facet, row.read_only),
        granted_at: gaps::time(facet, row.created_at.as_deref()),
        granted_by: match &row.added_by {
            Some(Some(login)) => Observed::Known(login.clone()),
            Some(None) | None => gaps::silent(facet, "GitHub does not tell who added it"),
        },
        last_used_at: gaps::told_time(facet, row.last_used.as_ref()),
        // Until somebody deletes it.
        expires: Observed::Known(Expiry::Never),
        settings,
        ..records::grant(
            facet,
            format!("deploy-key:{}", row.id),
            records::called(app, [&row.title]),
            GrantKind::Key,
            Holder::App,
        )
    }
}
