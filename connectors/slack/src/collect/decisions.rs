//! What administrators decided about apps, and what members ask for. Everything here uses `admin.apps:read`, which can change how the
//! organisation behaves: nothing of it is called unless the configuration asks for it.

use grantwarden_kit::{
    error::{ErrorKind, Result},
    ledger::Ledger,
    model::{Gap, Reason, Timestamp},
};

use super::{
    tables::{Tables, Verdict},
    workspaces::Workspaces,
};
use crate::{
    MANIFEST,
    account::{Account, Listed, PAGE},
    api::{AppRequest, Configs, Decision, DecisionsPage, RequestsPage, ScopeObject, ServersPage},
    lenient::Row,
    rights::Right,
};

pub(super) const APPROVALS: &str = "approvals";
pub(super) const REQUESTS: &str = "requests";
pub(super) const WORKSPACE_APPROVALS: &str = "workspace-approvals";
pub(super) const LIMITS: &str = "domain-limits";
pub(super) const SERVERS: &str = "mcp-servers";
/// The facets that call `admin.apps.*` with `admin.apps:read`.
pub(super) const WITH_SIDE_EFFECT: [&str; 5] =
    [APPROVALS, REQUESTS, WORKSPACE_APPROVALS, LIMITS, SERVERS];
/// Apps that one look-up takes. Slack does not say how many it takes.
const BATCH: usize = 100;

/// Which decisions a listing has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Approved,
    Restricted,
}

impl Kind {
    const fn method(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Approved => ("list approved apps", "admin.apps.approved.list", "approved"),
            Self::Restricted => {
                ("list restricted apps", "admin.apps.restricted.list", "restricted")
            }
        }
    }
}

/// For which place decisions are asked: the parameter and the id.
type Place<'a> = (&'static str, &'a str);

/// Says what reading changes, where something is going to be read that does.
pub(super) fn warn(ledger: &Ledger, facet: &str) {
    if let Some(why) = MANIFEST.facet(facet).and_then(|facet| facet.opt_in.as_ref()) {
        ledger.note(facet, format!("read because the configuration asks for it: {why}"));
    }
}

/// The organisation's decisions; the gap if they were not read whole.
pub(super) async fn approvals(
    account: &Account,
    ledger: &Ledger,
    enterprise: &str,
) -> (Vec<(bool, Decision)>, Option<Gap>) {
    if let Some(gap) = ledger.skipped(APPROVALS) {
        return (Vec::new(), Some(gap));
    }
    warn(ledger, APPROVALS);
    let place = ("enterprise_id", enterprise);
    let mut rows = Vec::new();
    let mut unreadable = 0;
    let seen = ledger
        .look(APPROVALS, async {
            account.identity().await?.held.check(Right::Apps)?;
            let (approved, restricted) = futures::join!(
                listing(account, Kind::Approved, place),
                listing(account, Kind::Restricted, place),
            );
            // What one of them gave is worth having whatever became of the other.
            let mut failure = None;
            for (is_approved, listed) in [(true, approved), (false, restricted)] {
                match listed {
                    Ok((decisions, odd)) => {
                        unreadable += odd;
                        rows.extend(decisions.into_iter().map(|row| (is_approved, row)));
                    }
                    Err(error) => failure = Some(error),
                }
            }
            failure.map_or(Ok(()), Err)
        })
        .await;
    ledger.read(APPROVALS, u64::try_from(rows.len()).unwrap_or(u64::MAX));
    let mut gap = seen.gap().cloned();
    if let Some(odd) = book_unreadable(ledger, APPROVALS, unreadable) {
        gap.get_or_insert(odd);
    }
    (rows, gap)
}

/// Both passes of a listing: apps that Slack has certified come only when they are asked for.
async fn listing(account: &Account, kind: Kind, place: Place<'_>) -> Result<(Vec<Decision>, u64)> {
    let (endpoint, method, bucket) = kind.method();
    let (mut rows, mut unreadable) = (Vec::new(), 0_u64);
    for certified in ["false", "true"] {
        let query = [place, ("limit", PAGE), ("certified", certified)];
        let first = account.get(endpoint, method, bucket, &query)?;
        let (begin, begin_unreadable) = (rows.len(), unreadable);
        let listed = account.listing::<DecisionsPage>(&first, Right::Apps, |page| match page {
            Listed::Page(page) => keep(page.apps, &mut rows, &mut unreadable),
            Listed::Anew => {
                rows.truncate(begin);
                unreadable = begin_unreadable;
            }
        });
        listed.await?;
    }
    Ok((rows, unreadable))
}

fn keep<T>(page: Vec<Row<T>>, rows: &mut Vec<T>, unreadable: &mut u64) {
    for row in page {
        match row.0 {
            Some(row) => rows.push(row),
            None => *unreadable += 1,
        }
    }
}

fn book_unreadable(ledger: &Ledger, facet: &str, rows: u64) -> Option<Gap> {
    let detail = "rows have a form that is not known";
    let gap = (rows > 0).then(|| Gap::new(Reason::CallFailed, facet, detail))?;
    ledger.lose(gap.clone(), Some(rows));
    Some(gap)
}

/// Takes the organisation's decisions in.
pub(super) fn learn(tables: &mut Tables, decisions: Vec<(bool, Decision)>) {
    for (is_approved, decision) in decisions {
        let Some(facts) = tables.apps.learn(&decision.app.id.0) else { continue };
        let scopes = decision.scopes.unwrap_or_default();
        let named = |wanted: &dyn Fn(&ScopeObject) -> bool| {
            let scopes = scopes.iter().filter(|scope| wanted(scope));
            scopes.map(|scope| scope.name.clone()).collect::<Vec<_>>()
        };
        let token = |scope: &ScopeObject| scope.token_type.clone().unwrap_or_default();
        let mut sensitive: Vec<String> = scopes
            .iter()
            .filter(|scope| scope.is_sensitive == Some(true))
            .map(|scope| match token(scope) {
                token if token.is_empty() => scope.name.clone(),
                token => format!("{} ({token})", scope.name),
            })
            .collect();
        sensitive.sort_unstable();
        sensitive.dedup();
        let at = decision.date_updated.map(|at| at.0);
        let verdict = Verdict { at, scopes: named(&|_| true), sensitive };
        if is_approved {
            facts.approved = Some(verdict);
        } else {
            facts.restricted = Some(verdict);
        }
        facts.described = Some(Box::new(decision.app));
    }
}

/// The organisation's requests that nobody has answered.
pub(super) async fn requests(
    account: &Account,
    ledger: &Ledger,
    tables: &mut Tables,
    enterprise: &str,
) {
    if ledger.skipped(REQUESTS).is_some() {
        return;
    }
    warn(ledger, REQUESTS);
    let (mut rows, mut unreadable) = (Vec::new(), 0);
    let read = async {
        account.identity().await?.held.check(Right::Apps)?;
        request_listing(account, ("enterprise_id", enterprise), &mut rows, &mut unreadable).await
    };
    ledger.look(REQUESTS, read).await;
    ledger.read(REQUESTS, u64::try_from(rows.len()).unwrap_or(u64::MAX));
    book_unreadable(ledger, REQUESTS, unreadable);
    learn_requests(tables, rows);
}

async fn request_listing(
    account: &Account,
    place: Place<'_>,
    rows: &mut Vec<AppRequest>,
    unreadable: &mut u64,
) -> Result<()> {
    // Here the parameter adds the certified apps to the others.
    let query = [place, ("limit", PAGE), ("certified", "true")];
    let first = account.get("list app requests", "admin.apps.requests.list", "requests", &query)?;
    let (begin, begin_unreadable) = (rows.len(), *unreadable);
    let listed = account.listing::<RequestsPage>(&first, Right::Apps, |page| match page {
        Listed::Page(page) => keep(page.app_requests, rows, unreadable),
        Listed::Anew => {
            rows.truncate(begin);
            *unreadable = begin_unreadable;
        }
    });
    listed.await
}

fn learn_requests(tables: &mut Tables, requests: Vec<AppRequest>) {
    for request in requests {
        let Some(facts) = tables.apps.learn(&request.app.id.0) else { continue };
        let by = request.user.and_then(|user| user.email.or(user.name));
        let team = request.team.and_then(|team| team.id.map(|id| id.0));
        let at = request.date_created.and_then(|at| Timestamp::from_second(at.0));
        let scopes: Vec<String> =
            request.scopes.into_iter().flatten().map(|scope| scope.name).collect();
        let text = format!(
            "{} by {} in {}, {}: {}",
            request.id.0,
            by.as_deref().unwrap_or("somebody"),
            team.as_deref().unwrap_or("the organisation"),
            at.map_or_else(|| "no date".to_owned(), Timestamp::date),
            if scopes.is_empty() { "scopes not told".to_owned() } else { scopes.join(", ") },
        );
        if !facts.requests.contains(&text) {
            facts.requests.push(text);
        }
        if facts.described.is_none() {
            facts.described = Some(Box::new(request.app));
        }
    }
}

/// What workspaces decided for themselves: five calls for each.
pub(super) async fn workspace_approvals(
    account: &Account,
    ledger: &Ledger,
    tables: &mut Tables,
    teams: &Workspaces,
) {
    if ledger.skipped(WORKSPACE_APPROVALS).is_some() {
        return;
    }
    warn(ledger, WORKSPACE_APPROVALS);
    if !teams.is_whole {
        let detail = "which workspaces there are was not read whole";
        ledger.lose(Gap::new(Reason::CallFailed, WORKSPACE_APPROVALS, detail), None);
    }
    let workspaces: Vec<String> = teams.teams.iter().map(|team| team.id.0.clone()).collect();
    let workspaces = workspaces.as_slice();
    let held = account.identity().await.map(|identity| identity.held.check(Right::Apps));
    if let Ok(Err(error)) | Err(error) = held {
        ledger.fail(WORKSPACE_APPROVALS, &error);
        ledger.settle(WORKSPACE_APPROVALS);
        return;
    }
    // Each method has a budget of its own, so that the three run side by side.
    let (approved, restricted, requests) = futures::join!(
        in_workspaces(account, ledger, workspaces, Kind::Approved),
        in_workspaces(account, ledger, workspaces, Kind::Restricted),
        requests_in_workspaces(account, ledger, workspaces),
    );
    let mut read = requests.len();
    for (is_approved, decisions) in [(true, approved), (false, restricted)] {
        read += decisions.len();
        for (team, app) in decisions {
            let place = tables.places.number(&team);
            if let Some(facts) = tables.apps.learn(&app) {
                let list =
                    if is_approved { &mut facts.approved_in } else { &mut facts.restricted_in };
                list.push(place);
            }
        }
    }
    learn_requests(tables, requests);
    ledger.read(WORKSPACE_APPROVALS, u64::try_from(read).unwrap_or(u64::MAX));
    ledger.settle(WORKSPACE_APPROVALS);
}

/// Books what a workspace did not give; whether the next one need not be asked.
fn book_workspace(ledger: &Ledger, team: &str, error: &grantwarden_kit::error::Error) -> bool {
    let gap = grantwarden_kit::ledger::gap_of(WORKSPACE_APPROVALS, error);
    let is_about_all = matches!(
        error.kind,
        ErrorKind::Unauthorized | ErrorKind::Forbidden | ErrorKind::Licence | ErrorKind::Cancelled
    );
    let detail =
        if is_about_all { gap.detail } else { format!("workspace {team}: {}", gap.detail) };
    ledger.lose(Gap { detail, ..gap }, None);
    is_about_all
}

async fn in_workspaces(
    account: &Account,
    ledger: &Ledger,
    workspaces: &[String],
    kind: Kind,
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for team in workspaces {
        match listing(account, kind, ("team_id", team)).await {
            Ok((decisions, unreadable)) => {
                book_unreadable(ledger, WORKSPACE_APPROVALS, unreadable);
                found.extend(decisions.into_iter().map(|row| (team.clone(), row.app.id.0)));
            }
            Err(error) if book_workspace(ledger, team, &error) => break,
            Err(_) => {}
        }
    }
    found
}

async fn requests_in_workspaces(
    account: &Account,
    ledger: &Ledger,
    workspaces: &[String],
) -> Vec<AppRequest> {
    let (mut found, mut unreadable) = (Vec::new(), 0);
    for team in workspaces {
        let place = ("team_id", team.as_str());
        match request_listing(account, place, &mut found, &mut unreadable).await {
            Ok(()) => {}
            Err(error) if book_workspace(ledger, team, &error) => break,
            Err(_) => {}
        }
    }
    book_unreadable(ledger, WORKSPACE_APPROVALS, unreadable);
    found
}

/// The domains that apps may write to or call.
pub(super) async fn limits(
    account: &Account,
    ledger: &Ledger,
    tables: &mut Tables,
    knows_all_apps: bool,
) {
    if ledger.skipped(LIMITS).is_some() {
        return;
    }
    warn(ledger, LIMITS);
    if !knows_all_apps {
        let detail = "only the apps that were seen were looked up, and not all were";
        ledger.lose(Gap::new(Reason::CallFailed, LIMITS, detail), None);
    }
    let ids: Vec<String> = tables
        .apps
        .all()
        .filter(|(_, facts)| !facts.is_service && facts.id.starts_with('A'))
        .map(|(_, facts)| facts.id.clone())
        .collect();
    let (mut rows, mut unreadable) = (Vec::new(), 0);
    let read = async {
        account.identity().await?.held.check(Right::Apps)?;
        for batch in ids.chunks(BATCH) {
            let ids = batch.join(",");
            let request = account.post(
                "look up app configurations",
                "admin.apps.config.lookup",
                "config",
                &[("app_ids", &ids)],
            )?;
            let page: Configs = account.ask(&request, Some(Right::Apps)).await?;
            keep(page.configs, &mut rows, &mut unreadable);
        }
        Ok(())
    };
    ledger.look(LIMITS, read).await;
    ledger.read(LIMITS, u64::try_from(rows.len()).unwrap_or(u64::MAX));
    book_unreadable(ledger, LIMITS, unreadable);
    for config in rows {
        let Some(facts) = tables.apps.learn(&config.app_id.0) else { continue };
        facts.workflow_strategy = config.workflow_auth_strategy;
        facts.limits = config.domain_restrictions.and_then(|limits| {
            // A list that is missing is no empty list: an empty one forbids nothing.
            let list = |kind: &str, domains: Option<Vec<String>>| {
                let domains = domains.filter(|domains| !domains.is_empty())?;
                Some(format!("{kind}: {}", domains.join(", ")))
            };
            let told = [list("addresses", limits.emails), list("calls", limits.urls)];
            let told: Vec<String> = told.into_iter().flatten().collect();
            (!told.is_empty()).then(|| told.join("; "))
        });
    }
}

/// The host of an address, and nothing else: the rest may hold a key.
fn host(address: &str) -> String {
    let url = url::Url::parse(address).ok();
    let host = url.as_ref().and_then(url::Url::host_str);
    host.map_or_else(|| "an address that cannot be read".to_owned(), ToOwned::to_owned)
}

/// Servers for language models on the organisation's list.
pub(super) async fn servers(account: &Account, ledger: &Ledger, tables: &mut Tables) {
    if ledger.skipped(SERVERS).is_some() {
        return;
    }
    warn(ledger, SERVERS);
    let (mut rows, mut unreadable) = (Vec::new(), 0);
    let read = async {
        account.identity().await?.held.check(Right::Apps)?;
        let fields = [("limit", PAGE)];
        let first = account.post(
            "list servers for language models",
            "admin.apps.mcp.servers.list",
            "mcp",
            &fields,
        )?;
        let listed = account.listing::<ServersPage>(&first, Right::Apps, |page| match page {
            Listed::Page(page) => keep(page.servers, &mut rows, &mut unreadable),
            Listed::Anew => {
                rows.clear();
                unreadable = 0;
            }
        });
        listed.await
    };
    ledger.look(SERVERS, read).await;
    ledger.read(SERVERS, u64::try_from(rows.len()).unwrap_or(u64::MAX));
    book_unreadable(ledger, SERVERS, unreadable);
    for server in rows {
        let Some(facts) = tables.apps.learn(&server.app_id.0) else { continue };
        facts.name.learn(i64::MIN, server.app_name);
        facts.servers.push(format!(
            "{} at {}, sign-in: {}",
            server.server_name.as_deref().unwrap_or("without a name"),
            server.url.as_deref().map_or_else(|| "an address that is not told".to_owned(), host),
            server.auth_type.as_deref().unwrap_or("not told"),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_only_the_host_is_kept() {
        for (address, kept) in [
            ("https://ada:FAKE@mcp.example:8443/key/FAKE?token=FAKE#FAKE", "mcp.example"),
            ("FAKE", "an address that cannot be read"),
        ] {
            assert_eq!(host(address), kept);
        }
    }
}
