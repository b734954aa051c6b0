//! What a step names, checked, and the reads that look whether it took effect.

use std::collections::BTreeSet;

use grantwarden_kit::{
    connector::Step,
    error::{Error, ErrorKind, Result},
};

use super::{CANCEL_REQUEST, RESTRICT, UNINSTALL};
use crate::{
    account::{Account, Listed, PAGE},
    api::{DecisionsPage, RequestsPage},
    collect::of_app::AppLog,
    rights::Right,
};

/// Workspaces that one call takes.
pub(super) const MOST_TEAMS: usize = 100;

pub(super) fn unknown_action(action: &str) -> Error {
    let message = format!("this version does not know the action {action}");
    Error::new(ErrorKind::Configuration, message)
}

fn altered(what: &str) -> Error {
    Error::new(ErrorKind::Configuration, format!("the step's {what} is not one of Slack"))
        .with_hint("the plan was changed or made by another version: make a new one")
}

/// Whether a text is an id of Slack that begins so.
pub(super) fn is_id(text: &str, prefix: &str) -> bool {
    let rest = text.strip_prefix(prefix).unwrap_or_default();
    !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The app that a step is about: its target, and nothing else.
pub(super) fn app(step: &Step) -> Result<&str> {
    let app = step.detail("app_id")?;
    if !is_id(app, "A") || (step.action != CANCEL_REQUEST && step.target != app) {
        return Err(altered("app_id"));
    }
    Ok(app)
}

/// The request that a step is about.
pub(super) fn request(step: &Step) -> Result<&str> {
    let request = step.detail("request_id")?;
    if !is_id(request, "Ar") || step.target != request {
        return Err(altered("request_id"));
    }
    Ok(request)
}

/// Where a request was made: the parameter and the id.
pub(super) fn request_place<'a>(
    step: &'a Step,
    enterprise: &'a str,
) -> Result<(&'static str, &'a str)> {
    match step.details.get("team_id") {
        None => Ok(("enterprise_id", enterprise)),
        Some(team) if is_id(team, "T") => Ok(("team_id", team)),
        Some(_) => Err(altered("team_id")),
    }
}

/// What a step is about.
pub(super) fn target(step: &Step) -> Result<&str> {
    match step.action.as_str() {
        RESTRICT | UNINSTALL => app(step),
        CANCEL_REQUEST => request(step),
        other => Err(unknown_action(other)),
    }
}

/// The organisation that a step is about, which must be the token's.
pub(super) async fn enterprise<'a>(step: &'a Step, account: &Account) -> Result<&'a str> {
    let enterprise = step.detail("enterprise_id")?;
    let identity = account.identity().await?;
    if identity.reach.enterprise() != Some(enterprise) {
        let message = format!(
            "the plan is for {enterprise}, and the token belongs to {}",
            identity.reach.id()
        );
        return Err(Error::new(ErrorKind::Configuration, message)
            .with_hint("use a token that is installed on the whole organisation of the plan"));
    }
    Ok(enterprise)
}

/// The workspaces that a removal is about; `None`: the whole organisation.
pub(super) fn teams(step: &Step) -> Result<Option<Vec<&str>>> {
    let Some(list) = step.details.get("team_ids") else { return Ok(None) };
    let teams: Vec<&str> = list.split(',').collect();
    if teams.is_empty() || teams.len() > MOST_TEAMS || !teams.iter().all(|team| is_id(team, "T")) {
        return Err(altered("team_ids"));
    }
    Ok(Some(teams))
}

/// The places from which an app must be gone: the step's, and of a removal from everywhere whatever the log has besides.
pub(super) fn places(step: &Step, enterprise: &str, log: &AppLog) -> Result<BTreeSet<String>> {
    if let Some(teams) = teams(step)? {
        return Ok(teams.into_iter().map(ToOwned::to_owned).collect());
    }
    let planned = step.details.get("places").map(String::as_str).unwrap_or_default();
    let planned = planned.split(',').filter(|place| !place.is_empty()).map(ToOwned::to_owned);
    let mut places: BTreeSet<String> = planned.chain(log.live.iter().cloned()).collect();
    // Installs that came with the organisation's end with its removal.
    if places.is_empty() {
        places.extend(log.removed.iter().cloned());
    }
    if places.is_empty() {
        places.insert(enterprise.to_owned());
    }
    Ok(places)
}

/// Whether an app is not restricted.
pub(super) async fn is_open(account: &Account, step: &Step) -> Result<bool> {
    let (app, enterprise) = (app(step)?, enterprise(step, account).await?);
    account.identity().await?.held.check(Right::Apps)?;
    for certified in ["false", "true"] {
        let query = [("enterprise_id", enterprise), ("limit", PAGE), ("certified", certified)];
        let first = account.get(
            "list restricted apps",
            "admin.apps.restricted.list",
            "restricted",
            &query,
        )?;
        let (mut is_listed, mut unreadable) = (false, false);
        let listed = account.listing::<DecisionsPage>(&first, Right::Apps, |page| {
            if let Listed::Page(page) = page {
                for row in page.apps {
                    match row.0 {
                        Some(decision) => is_listed |= decision.app.id.0 == app,
                        None => unreadable = true,
                    }
                }
            }
        });
        listed.await?;
        if is_listed {
            return Ok(false);
        }
        if unreadable {
            return Err(odd_rows(account, "list restricted apps"));
        }
    }
    Ok(true)
}

/// Whether a request is still open, in the list of the organisation or in that of its workspace.
pub(super) async fn is_pending(account: &Account, step: &Step) -> Result<bool> {
    let (request, enterprise) = (request(step)?, enterprise(step, account).await?);
    let place = request_place(step, enterprise)?;
    account.identity().await?.held.check(Right::Apps)?;
    let of_all = ("enterprise_id", enterprise);
    if is_pending_in(account, request, of_all).await? {
        return Ok(true);
    }
    Ok(place != of_all && is_pending_in(account, request, place).await?)
}

async fn is_pending_in(
    account: &Account,
    request: &str,
    place: (&'static str, &str),
) -> Result<bool> {
    let query = [place, ("limit", PAGE), ("certified", "true")];
    let first = account.get("list app requests", "admin.apps.requests.list", "requests", &query)?;
    let (mut is_listed, mut unreadable) = (false, false);
    let listed = account.listing::<RequestsPage>(&first, Right::Apps, |page| {
        if let Listed::Page(page) = page {
            for row in page.app_requests {
                match row.0 {
                    Some(open) => is_listed |= open.id.0 == request,
                    None => unreadable = true,
                }
            }
        }
    });
    listed.await?;
    if unreadable && !is_listed {
        return Err(odd_rows(account, "list app requests"));
    }
    Ok(is_listed)
}

fn odd_rows(account: &Account, endpoint: &str) -> Error {
    let message = "the list has rows that cannot be read, and it may be one of them";
    account.door.place(Error::new(ErrorKind::Malformed, message), endpoint)
}
