//! The order of a revocation: restrict every app first, then withdraw requests, then uninstall at one call a minute.

use std::collections::{BTreeMap, BTreeSet};

use grantwarden_kit::{
    connector::{RevocationPlan, Step, Targets},
    model::{App, Grant, Observed},
};

use crate::lenient::count;

use super::{
    CANCEL_REQUEST, RESTRICT, UNINSTALL,
    proof::{MOST_TEAMS, is_id},
};

/// What a restriction may change besides.
const TAKES_OVER: &str = "the first decision that an app makes for the whole organisation may hand app approval to it: Slack then switches approval in its own pages off until that app is removed";

/// The plan for an organisation.
///
/// `own` is the app whose token revokes. Without it no step could follow: it is left to a person, as the last.
pub(super) fn of_organization(
    targets: &Targets,
    enterprise: &str,
    own: Option<&str>,
) -> RevocationPlan {
    let mut plan = RevocationPlan::default();
    let is_own = |app: &str| own == Some(app);
    let mut uninstalls = Vec::new();
    let mut requests = Vec::new();
    for app in targets.apps.iter().filter(|app| !is_own(&app.id)) {
        if !is_id(&app.id, "A") {
            plan.by_hand.push(app_by_hand(app));
            continue;
        }
        plan.steps.push(restrict(app, enterprise));
        let open = open_requests(app).into_iter();
        requests.extend(open.map(|(id, team)| cancel(app, &id, enterprise, team.as_deref())));
        let places: BTreeSet<String> =
            targets.grants.iter().filter(|grant| grant.app == app.id).filter_map(place).collect();
        uninstalls.push(uninstall_everywhere(&app.id, &app.name, enterprise, &places));
    }
    let is_target = |grant: &&Grant| targets.apps.iter().any(|app| app.id == grant.app);
    let mut by_app: BTreeMap<&str, Vec<&Grant>> = BTreeMap::new();
    let is_wanted = |grant: &&Grant| !is_target(grant) && !is_own(&grant.app);
    for grant in targets.grants.iter().filter(is_wanted) {
        by_app.entry(&grant.app).or_default().push(grant);
    }
    for (app, grants) in by_app {
        of_grants(app, &grants, enterprise, &mut uninstalls, &mut plan.by_hand);
    }
    let is_own_wanted = targets.apps.iter().any(|app| is_own(&app.id))
        || targets.grants.iter().any(|grant| is_own(&grant.app));
    let minutes = u64::try_from(uninstalls.len()).unwrap_or(u64::MAX);
    plan.steps.extend(requests);
    plan.steps.extend(uninstalls);
    if minutes > 0 {
        plan.by_hand.push(format!(
            "Slack uninstalls one app a minute: {} at least {}. Every app that is named is restricted before the first is removed.",
            if minutes == 1 { "1 removal takes".to_owned() } else { format!("{minutes} removals take") },
            count(minutes, "minute")
        ));
    }
    if is_own_wanted {
        plan.by_hand.push(
            "The app whose token revokes is among what is to be removed, and no step could follow its removal: remove it by hand as the last, Admin dashboard > Integrations > Installed apps."
                .to_owned(),
        );
    }
    plan.by_hand.extend(always(&targets.apps));
    plan
}

/// Installs of an app that is not to lose everything: only the places that are named.
fn of_grants(
    app: &str,
    grants: &[&Grant],
    enterprise: &str,
    uninstalls: &mut Vec<Step>,
    by_hand: &mut Vec<String>,
) {
    let name = grants.first().map_or(app, |grant| grant.app_name.as_str());
    if !is_id(app, "A") {
        by_hand.extend(grants.iter().map(|grant| grant_by_hand(grant)));
        return;
    }
    let places: BTreeSet<String> = grants.iter().filter_map(|grant| place(grant)).collect();
    if places.contains(enterprise) {
        uninstalls.push(uninstall_everywhere(app, name, enterprise, &places));
        return;
    }
    let (extensions, own): (Vec<&&Grant>, Vec<&&Grant>) =
        grants.iter().partition(|grant| is_extension(grant));
    let own: BTreeSet<String> = own.into_iter().filter_map(|grant| place(grant)).collect();
    let teams: Vec<&String> = own.iter().filter(|place| is_id(place, "T")).collect();
    for lot in teams.chunks(MOST_TEAMS) {
        uninstalls.push(uninstall_from(app, name, enterprise, lot));
    }
    for grant in extensions {
        by_hand.push(format!(
            "{name} came to {} with its install on the whole organisation, and Slack removes it only from there by its interface: name the app itself, or Admin dashboard > Integrations > Installed apps > {name} > Remove from workspace.",
            place(grant).unwrap_or_default()
        ));
    }
    for grant in grants.iter().filter(|grant| place(grant).is_none_or(|at| !is_id(&at, "T"))) {
        by_hand.push(grant_by_hand(grant));
    }
}

/// The place in a grant's id: `app:place:token`.
fn place(grant: &Grant) -> Option<String> {
    let rest = grant.id.strip_prefix(&grant.app)?.strip_prefix(':')?;
    let (place, _) = rest.split_once(':')?;
    (is_id(place, "T") || is_id(place, "E")).then(|| place.to_owned())
}

fn is_extension(grant: &Grant) -> bool {
    grant.settings.iter().any(|setting| setting.name == "install")
}

fn step(action: &str, target: &str, details: &[(&str, &str)]) -> Step {
    let detail = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Step {
        action: action.to_owned(),
        target: target.to_owned(),
        title: String::new(),
        breaks: String::new(),
        undo: None,
        calls: 1,
        details: details.iter().map(detail).collect(),
    }
}

fn restrict(app: &App, enterprise: &str) -> Step {
    let (id, name) = (&app.id, &app.name);
    Step {
        title: format!("Restrict {name} for the whole organisation"),
        breaks: format!(
            "nobody can install {name} any more; what is installed goes on working until it is uninstalled. Warning: {TAKES_OVER}"
        ),
        undo: Some(format!(
            "Admin dashboard > Integrations > Restricted apps > {name} > Clear restriction (admin.apps.clearResolution)"
        )),
        ..step(RESTRICT, id, &[("app_id", id), ("enterprise_id", enterprise)])
    }
}

fn cancel(app: &App, request: &str, enterprise: &str, team: Option<&str>) -> Step {
    let mut details =
        vec![("request_id", request), ("app_id", &app.id), ("enterprise_id", enterprise)];
    details.extend(team.map(|team| ("team_id", team)));
    Step {
        title: format!("Withdraw the request {request} for {}", app.name),
        breaks: "whoever asked for the app has to ask again".to_owned(),
        undo: Some("the member asks again".to_owned()),
        ..step(CANCEL_REQUEST, request, &details)
    }
}

fn uninstall_everywhere(
    app: &str,
    name: &str,
    enterprise: &str,
    places: &BTreeSet<String>,
) -> Step {
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    let places = places.join(",");
    let mut details = vec![("app_id", app), ("enterprise_id", enterprise)];
    if !places.is_empty() {
        details.push(("places", &places));
    }
    Step {
        title: format!("Uninstall {name} from the organisation and all workspaces"),
        breaks: format!(
            "{name} stops working for everybody: its bot's token and those of all users end"
        ),
        undo: Some(format!("install {name} again; whoever connected it has to connect it again")),
        ..step(UNINSTALL, app, &details)
    }
}

fn uninstall_from(app: &str, name: &str, enterprise: &str, teams: &[&String]) -> Step {
    let teams: Vec<&str> = teams.iter().map(|team| team.as_str()).collect();
    let list = teams.join(",");
    let details = [("app_id", app), ("enterprise_id", enterprise), ("team_ids", list.as_str())];
    Step {
        title: format!(
            "Uninstall {name} from {} ({list})",
            count(u64::try_from(teams.len()).unwrap_or(u64::MAX), "workspace")
        ),
        breaks: format!(
            "{name} stops working in these workspaces for everybody, also for users whose install is not named: no interface ends one user's token alone"
        ),
        undo: Some(format!("install {name} again in these workspaces")),
        ..step(UNINSTALL, app, &details)
    }
}

/// Ids of requests that a scan wrote down, and the workspace of each, if it is one's.
fn open_requests(app: &App) -> BTreeMap<String, Option<String>> {
    let told = app.settings.iter().filter(|setting| setting.name == "request");
    let ids = told.filter_map(|setting| match &setting.value {
        Observed::Known(text) => {
            let id = text.split_whitespace().next().filter(|id| is_id(id, "Ar"))?;
            // The place is behind the last ` in `, whatever the name before it is.
            let team = text.rsplit(" in ").next().and_then(|rest| rest.split(',').next());
            let team = team.filter(|team| is_id(team, "T"));
            Some((id.to_owned(), team.map(ToOwned::to_owned)))
        }
        _ => None,
    });
    ids.collect()
}

fn app_by_hand(app: &App) -> String {
    if app.kind == "legacy integration" {
        return service_by_hand(&app.name);
    }
    format!(
        "{} is known without its app id, so that no interface can be told to remove it: Admin dashboard > Integrations > Installed apps > {} > restrict and remove.",
        app.name, app.name
    )
}

fn service_by_hand(name: &str) -> String {
    format!(
        "Remove the legacy integration {name} by hand: its workspace > Tools & settings > Manage apps > Custom Integrations > {name} > Remove. Its webhook address and token work until then."
    )
}

fn grant_by_hand(grant: &Grant) -> String {
    if grant.app.starts_with("service:") {
        return service_by_hand(&grant.app_name);
    }
    format!(
        "Remove {} by hand: Admin dashboard > Integrations > Installed apps > {}. Where it is installed is not told ({}).",
        grant.app_name, grant.app_name, grant.id
    )
}

/// What no interface reaches, whatever is revoked.
fn always(apps: &[App]) -> Vec<String> {
    let mut texts = vec![
        "What an app read before stays with it. Tokens end with the uninstall; an app's webhook addresses go with it, those of legacy custom integrations do not: look through Manage apps > Custom Integrations of each workspace.".to_owned(),
        "A single user's token cannot be ended by an administrator: the user revokes it under the app's page in Slack, or the app is uninstalled for all.".to_owned(),
    ];
    if !apps.is_empty() {
        texts.push("Look for further app ids of the same vendor, for Slack Connect channels with it, and ask members who develop apps to revoke their configuration tokens (they end after 12 hours).".to_owned());
    }
    texts
}

/// The plan for a single workspace: Slack has no interface that removes another company's app from it.
pub(super) fn of_workspace(targets: &Targets, url: Option<&str>) -> RevocationPlan {
    let page = match url.map(|url| url.trim_end_matches('/')) {
        Some(url) => format!("{url}/apps/manage"),
        None => "Tools & settings > Manage apps".to_owned(),
    };
    let mut plan = RevocationPlan::default();
    let is_target = |grant: &&Grant| targets.apps.iter().any(|app| app.id == grant.app);
    for app in &targets.apps {
        plan.by_hand.push(if app.kind == "legacy integration" {
            service_by_hand(&app.name)
        } else {
            format!("Remove {} ({}) by hand: {page} > {} > Configuration > Remove App. Restrict it first, if app approval is on.", app.name, app.id, app.name)
        });
    }
    for grant in targets.grants.iter().filter(|grant| !is_target(grant)) {
        let who = grant.holder.principal().map_or("its installer", |user| user.label());
        plan.by_hand.push(if grant.app.starts_with("service:") {
            service_by_hand(&grant.app_name)
        } else {
            format!("Revoke the authorisation of {} by {who} by hand: {page} > {} > Configuration > Authorizations > Revoke.", grant.app_name, grant.app_name)
        });
    }
    if !plan.by_hand.is_empty() {
        plan.by_hand.insert(0, "Slack has no interface that removes an app from a single workspace: everything is done by hand.".to_owned());
        plan.by_hand.extend(always(&targets.apps));
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_slack_have_letters_and_digits_only() {
        assert!(is_id("A0123ABC", "A") && is_id("Ar12", "Ar") && is_id("T1", "T"));
        for odd in ["", "A", "A1,A2", "A1&x=y", "a1", "../A1", "T1"] {
            assert!(!is_id(odd, "A"), "{odd}");
        }
    }
}
