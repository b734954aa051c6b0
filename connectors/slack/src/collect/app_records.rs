//! Apps as records.

use std::{collections::BTreeSet, time::Duration};

use grantwarden_kit::model::{
    App, Approval, Gap, Observed, Origin, Publisher, Reason, RefreshPolicy, Scope, Setting,
    Timestamp, TokenPolicy,
};
use url::Url;

use super::{
    INSTALLED,
    tables::{AppFacts, Tables, Verdict},
};

/// Life of an access token of an app with token rotation: <https://docs.slack.dev/authentication/using-token-rotation>
const ROTATED_LIFE: Duration = Duration::from_secs(43_200);

/// What the scan as a whole could see of decisions, and of installs.
#[derive(Debug, Clone)]
pub(super) struct Sight {
    /// Why decisions about apps are not known; `None`: they were read whole.
    pub(super) decisions: Option<Gap>,
    /// Whether the export of installed apps was given.
    pub(super) has_export: bool,
}

fn silent<T>(detail: &str) -> Observed<T> {
    Observed::unknown(Reason::PlatformSilent, INSTALLED, detail)
}

/// The record of an app; `grants` is how many of its installs are there.
pub(super) fn record(facts: &AppFacts, tables: &Tables, sight: &Sight, grants: usize) -> App {
    let described = facts.described.as_deref();
    let name = described
        .and_then(|described| described.name.clone())
        .or_else(|| facts.name.get().cloned())
        .unwrap_or_else(|| facts.id.clone());
    App {
        id: facts.id.clone(),
        name,
        kind: if facts.is_service { "legacy integration" } else { "Slack app" }.to_owned(),
        client_ids: silent("Slack does not tell the client id of an app; its app id stands for it"),
        publisher: publisher(),
        home_tenant: silent("Slack does not tell where an app is registered"),
        namespace: silent("Slack has no packages"),
        redirect_domains: silent("Slack does not tell where an app redirects to"),
        web_domains: web_domains(facts, sight),
        origin: origin(facts),
        installed: installed(facts, sight, grants),
        blocked: blocked(facts, sight, grants),
        approval: approval(facts, sight),
        assigned_to: silent("not asked for: who may use an app takes one call for each"),
        scopes: registered_scopes(facts, sight),
        token_policy: token_policy(facts),
        flows: silent("Slack does not tell the flows of an app"),
        introspects_all_tokens: silent("Slack does not tell it"),
        created_at: silent(
            "Slack tells when an app was installed, not when the tenant first had it",
        ),
        changed_at: silent("Slack does not tell it"),
        settings: settings(facts, tables),
    }
}

fn publisher() -> Observed<Publisher> {
    silent("Slack does not tell who is behind an app")
}

fn origin(facts: &AppFacts) -> Origin {
    let described = facts.described.as_deref();
    let developer = described.and_then(|described| described.developer_type.as_deref());
    let listed = described.and_then(|described| described.is_internal);
    let is_own = match (listed, developer) {
        (Some(is_internal), None) => is_internal,
        (is_internal, Some(developer)) => {
            // Two answers that do not agree make no app one's own.
            developer == "internal" && is_internal != Some(false)
        }
        (None, None) => facts.is_service || facts.internal.get() == Some(&true),
    };
    // No sign of Slack's own apps is documented, so that none is taken for one.
    if is_own && !facts.is_service { Origin::Own } else { Origin::ThirdParty }
}

fn installed(facts: &AppFacts, sight: &Sight, grants: usize) -> Observed<bool> {
    if grants > 0 || facts.is_exported {
        return Observed::Known(true);
    }
    if sight.has_export {
        return silent(
            "neither the log nor the export has an install that is there; the export may be older than an install",
        );
    }
    if facts.is_in_log {
        return silent(
            "the log has its removal wherever it has its install; installs from before the log begins are not visible",
        );
    }
    silent("the log has no install of it; installs from before the log begins are not visible")
}

/// Restricting an app leaves what is installed: an app whose installs go on is not blocked, however restricted it is.
fn blocked(facts: &AppFacts, sight: &Sight, grants: usize) -> Observed<bool> {
    match (&facts.restricted, &sight.decisions) {
        (Some(_), _) if grants > 0 || facts.is_exported => Observed::Known(false),
        (Some(_), _) if facts.approved.is_some() => {
            silent("Slack lists it as approved and as restricted")
        }
        (Some(_), _) if sight.has_export => Observed::Known(true),
        (Some(_), _) => silent(
            "nobody can install it any more, and no install of it is known; installs from before the log begins would go on and are not visible",
        ),
        (None, Some(gap)) => Observed::Unknown(gap.clone()),
        (None, None) => Observed::Known(false),
    }
}

/// Whether an administrator stands behind an app.
pub(super) fn approval(facts: &AppFacts, sight: &Sight) -> Observed<Approval> {
    match (&facts.approved, &sight.decisions) {
        (Some(_), _) if facts.restricted.is_some() => {
            silent("Slack lists it as approved and as restricted")
        }
        (Some(_), _) => Observed::Known(Approval::AdminApproved),
        (None, Some(gap)) => Observed::Unknown(gap.clone()),
        (None, None) => silent(
            "nobody approved it for the whole organisation; whether its installer needed approval then is not told",
        ),
    }
}

fn registered_scopes(facts: &AppFacts, sight: &Sight) -> Observed<Vec<Scope>> {
    let verdict = facts.approved.as_ref().or(facts.restricted.as_ref());
    match (verdict, &sight.decisions) {
        (Some(verdict), _) if !verdict.scopes.is_empty() => {
            let names: BTreeSet<&str> = verdict.scopes.iter().map(String::as_str).collect();
            Observed::Known(names.into_iter().map(Scope::named).collect())
        }
        (None, Some(gap)) => Observed::Unknown(gap.clone()),
        _ => silent(
            "Slack tells the scopes that an app asks for only where somebody decided about it",
        ),
    }
}

/// Rotation is told by the log only, for installs that it has.
fn token_policy(facts: &AppFacts) -> TokenPolicy {
    match facts.rotation.get() {
        Some(true) => TokenPolicy {
            access_lifetime: Observed::Known(ROTATED_LIFE),
            // A refresh token works once and has no end of its own.
            refresh: Observed::Known(RefreshPolicy::Never),
            rotation: Observed::Known(true),
        },
        Some(false) => TokenPolicy {
            access_lifetime: Observed::Absent,
            refresh: Observed::Absent,
            rotation: Observed::Known(false),
        },
        None => TokenPolicy {
            access_lifetime: silent(
                "whether the app rotates its tokens is told by the audit log only",
            ),
            refresh: silent("whether the app rotates its tokens is told by the audit log only"),
            rotation: silent("whether the app rotates its tokens is told by the audit log only"),
        },
    }
}

fn web_domains(facts: &AppFacts, sight: &Sight) -> Observed<Vec<String>> {
    let Some(described) = facts.described.as_deref() else {
        return match &sight.decisions {
            Some(gap) => Observed::Unknown(gap.clone()),
            None => silent("Slack tells the pages of an app only where somebody decided about it"),
        };
    };
    let pages = [&described.app_homepage_url, &described.privacy_policy_url, &described.help_url];
    let hosts = pages.iter().copied().flatten().filter_map(|page| {
        let url = Url::parse(page).ok()?;
        let host = url.host_str()?.to_lowercase();
        // Its entry in the directory is Slack's page, not the app's.
        (host != "slack.com" && !host.ends_with(".slack.com")).then_some(host)
    });
    let hosts: BTreeSet<String> = hosts.collect();
    let is_told = pages.iter().all(|page| page.as_ref().is_some_and(|page| is_read(page)));
    match (hosts.is_empty(), is_told) {
        (false, _) => Observed::Known(hosts.into_iter().collect()),
        (true, true) => Observed::Absent,
        (true, false) => {
            silent("Slack lists the app without its pages, or with others than addresses")
        }
    }
}

/// An address without what may be a key in it.
fn page(address: &str) -> Option<String> {
    let mut url = Url::parse(address).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    (url.username().is_empty() && url.password().is_none()).then(|| url.to_string())
}

/// Whether a page is an address, or said to be none.
fn is_read(page: &str) -> bool {
    page.is_empty() || Url::parse(page).is_ok_and(|url| url.host_str().is_some())
}

fn settings(facts: &AppFacts, tables: &Tables) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut say = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            settings.push(Setting { name: name.to_owned(), value: Observed::Known(value) });
        }
    };
    let yes_no =
        |value: Option<bool>| value.map(|value| if value { "yes" } else { "no" }.to_owned());
    let described = facts.described.as_deref();
    let listed = described.and_then(|described| described.is_app_directory_approved);
    say("in the Slack Marketplace", yes_no(listed.or(facts.directory_approved.get().copied())));
    say("offered to other organisations", yes_no(facts.distributed.get().copied()));
    say("workflow app", yes_no(facts.workflow.get().copied()));
    if let Some(described) = described {
        say("developer type", described.developer_type.clone());
        say("socket mode", yes_no(described.socket_mode_enabled));
        say("Marketplace page", described.app_directory_url.as_deref().and_then(page));
    }
    let decided = |verdict: &Option<Verdict>, what: &str| {
        verdict.as_ref().map(|verdict| match verdict.at.and_then(Timestamp::from_second) {
            Some(at) => format!("{what}, {}", at.date()),
            None => what.to_owned(),
        })
    };
    say("app approval", decided(&facts.approved, "approved for the organisation"));
    say(
        "app approval",
        decided(
            &facts.restricted,
            "restricted for the organisation: nobody can install it, and what is installed stays",
        ),
    );
    if let Some((decision, at)) = facts.decision.get().zip(facts.decision.at()) {
        say("last decision in the audit log", Some(format!("{decision}, {}", at.date())));
    }
    let verdict = facts.approved.as_ref().or(facts.restricted.as_ref());
    let sensitive = verdict.map(|verdict| verdict.sensitive.join(", "));
    say("scopes that Slack calls sensitive", sensitive.filter(|list| !list.is_empty()));
    say("approved in workspaces", places(&facts.approved_in, tables));
    say("restricted in workspaces", places(&facts.restricted_in, tables));
    for request in &facts.requests {
        say("request", Some(request.clone()));
    }
    say("added to new workspaces by itself", yes_no(facts.future_installs.get().copied()));
    say("domains that it may reach", facts.limits.clone());
    say("as whom its workflows run", facts.workflow_strategy.clone());
    for server in &facts.servers {
        say("server for language models", Some(server.clone()));
    }
    let run = facts.last_run.and_then(Timestamp::from_second);
    say("last run of a workflow", run.map(|at| at.to_string()));
    for off in &facts.switched_off {
        say("switched off", Some(off.clone()));
    }
    settings
}

/// The first places, and how many more.
fn places(places: &[u32], tables: &Tables) -> Option<String> {
    const FIRST: usize = 20;
    let named: Vec<String> = places.iter().take(FIRST).map(|at| tables.place_label(*at)).collect();
    let more = places.len().saturating_sub(FIRST);
    match (named.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(named.join(", ")),
        (false, more) => Some(format!("{} and {more} more", named.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(described: &str) -> AppFacts {
        let described = (!described.is_empty()).then(|| {
            let text = format!(r#"{{"id":"A1"{described}}}"#);
            Box::new(serde_json::from_str(&text).unwrap())
        });
        AppFacts { id: "A1".into(), described, ..AppFacts::default() }
    }

    fn sight() -> Sight {
        Sight { decisions: None, has_export: false }
    }

    #[test]
    fn two_answers_that_disagree_make_no_app_ones_own() {
        for (text, is_own) in [
            ("", false),
            (r#","is_internal":true"#, true),
            (r#","is_internal":true,"developer_type":"internal""#, true),
            (r#","is_internal":true,"developer_type":"third_party""#, false),
            (r#","is_internal":false,"developer_type":"internal""#, false),
            (r#","developer_type":"something_new""#, false),
        ] {
            assert_eq!(origin(&app(text)) == Origin::Own, is_own, "{text}");
        }
        let mut logged = app("");
        logged.internal.learn(1, Some(true));
        assert_eq!(origin(&logged), Origin::Own);
        let service = AppFacts { is_service: true, ..app("") };
        assert_eq!(origin(&service), Origin::ThirdParty);
    }

    #[test]
    fn a_restricted_app_whose_installs_go_on_is_not_blocked() {
        let verdict = Verdict { at: None, scopes: Vec::new(), sensitive: Vec::new() };
        let restricted = AppFacts { restricted: Some(verdict), ..app("") };
        assert_eq!(blocked(&restricted, &sight(), 1), Observed::Known(false));
        let with_export = Sight { has_export: true, ..sight() };
        assert_eq!(blocked(&restricted, &with_export, 0), Observed::Known(true));
        // Installs that are older than the log would go on.
        assert!(blocked(&restricted, &sight(), 0).gap().is_some());
        let both = AppFacts { approved: restricted.restricted.clone(), ..restricted };
        assert!(blocked(&both, &with_export, 0).gap().is_some());
        assert!(approval(&both, &with_export).gap().is_some());
        let unseen =
            Sight { decisions: Some(Gap::new(Reason::Skipped, "approvals", "x")), ..sight() };
        assert!(blocked(&app(""), &unseen, 0).gap().is_some());
    }

    #[test]
    fn nothing_is_called_not_installed() {
        assert!(installed(&app(""), &sight(), 0).gap().is_some());
        let removed = AppFacts { is_in_log: true, ..app("") };
        assert!(installed(&removed, &sight(), 0).gap().is_some());
        assert_eq!(installed(&app(""), &sight(), 2), Observed::Known(true));
    }

    #[test]
    fn web_domains_are_the_apps_own_pages() {
        let told = app(
            r#","app_homepage_url":"https://Drift.example/x","privacy_policy_url":"https://legal.drift.example","help_url":"https://slack.com/help""#,
        );
        let domains = web_domains(&told, &sight());
        assert_eq!(domains.known().unwrap(), &["drift.example", "legal.drift.example"]);
        let none = app(r#","help_url":"","app_homepage_url":"","privacy_policy_url":"""#);
        assert_eq!(web_domains(&none, &sight()), Observed::Absent);
        for odd in [
            r#","help_url":"""#,
            r#","help_url":"?","app_homepage_url":"","privacy_policy_url":"""#,
        ] {
            assert!(web_domains(&app(odd), &sight()).gap().is_some(), "{odd}");
        }
        assert!(web_domains(&app(""), &sight()).gap().is_some());
    }

    #[test]
    fn a_page_is_kept_without_what_may_be_a_key() {
        let kept = page("https://acme.slack.com/marketplace/A1?code=FAKE#FAKE").unwrap();
        assert_eq!(kept, "https://acme.slack.com/marketplace/A1");
        assert!(page("https://u:FAKE@slack.com/").is_none() && page("A1").is_none());
    }

    #[test]
    fn rotation_is_only_known_from_the_log() {
        assert!(token_policy(&app("")).rotation.gap().is_some());
        let mut rotating = app("");
        rotating.rotation.learn(1, Some(true));
        assert_eq!(token_policy(&rotating).access_lifetime, Observed::Known(ROTATED_LIFE));
    }
}
