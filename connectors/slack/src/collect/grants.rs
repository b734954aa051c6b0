//! Installs as grants: one for the bot and one for each user's token, in each place.

use grantwarden_kit::model::{
    Approval, Expiry, Gap, Grant, GrantKind, Holder, NetworkPolicy, Observed, Reason, Scope,
    Setting, Timestamp,
};

use super::{
    INSTALLED,
    installs::{HeldScopes, Live, NEVER},
    people::Directory,
    tables::{AppFacts, ScopeSet, Tables},
};

/// Which token of an install a grant stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// The app's bot.
    Bot,
    /// The installer's.
    User,
    /// The log has one list of scopes for both.
    Untold,
}

/// What goes into every grant of an app.
pub(super) struct Context<'a> {
    pub(super) tables: &'a Tables,
    pub(super) directory: &'a Directory,
    /// The whole organisation's place.
    pub(super) organization: Option<u32>,
    /// Places that Slack lists now; `None`: that was not read whole.
    pub(super) listed: Option<&'a std::collections::HashSet<u32>>,
}

/// One app, for its grants.
pub(super) struct Subject<'a> {
    pub(super) facts: &'a AppFacts,
    pub(super) approval: &'a Observed<Approval>,
    /// It is installed in one place only, so that its last run was there.
    pub(super) is_in_one_place: bool,
}

/// The grants of one app in one place, whose installs are `live`.
pub(super) fn of_place(context: &Context<'_>, subject: &Subject<'_>, live: &[Live]) -> Vec<Grant> {
    let mut grants = Vec::new();
    // A place has one bot token of an app, with all that any of its installs got.
    let of_bot: Vec<_> = live
        .iter()
        .filter_map(|install| {
            let (set, doubt) = parts(&install.scopes);
            let ScopeSet::Told { user, bot } = set else { return None };
            let is_empty = user.is_empty() && bot.is_empty();
            (!bot.is_empty() || is_empty).then_some((install, bot, doubt))
        })
        .collect();
    if let Some((install, ..)) = of_bot.iter().max_by_key(|(install, ..)| install.mark.at) {
        let mut scopes: Vec<String> =
            of_bot.iter().flat_map(|(_, bot, _)| bot.iter().cloned()).collect();
        scopes.sort_unstable();
        scopes.dedup();
        let doubt = of_bot.iter().find_map(|(.., doubt)| *doubt);
        grants.push(grant(context, subject, install, Token::Bot, known(&scopes, doubt)));
    }
    for install in live {
        let (set, doubt) = parts(&install.scopes);
        let (token, scopes) = match set {
            ScopeSet::Told { user, .. } if user.is_empty() => continue,
            ScopeSet::Told { user, .. } => (Token::User, known(user, doubt)),
            ScopeSet::Mixed(all) => (Token::Untold, known(all, doubt)),
            ScopeSet::Untold => (Token::Untold, untold(subject.facts)),
        };
        grants.push(grant(context, subject, install, token, scopes));
    }
    if grants.len() > 1 {
        for grant in grants.iter_mut().filter(|grant| grant.last_used_at.known().is_some()) {
            let gap = silent("a run says which app it was, and not with which of its tokens");
            grant.last_used_at = Observed::Unknown(gap);
        }
    }
    grants
}

fn parts(scopes: &HeldScopes) -> (&ScopeSet, Option<&str>) {
    match scopes {
        HeldScopes::Set(set) => (set, None),
        HeldScopes::Doubtful { why, before } => (before, Some(why)),
    }
}

/// Scopes that may be too few are none that are known.
fn known(scopes: &[String], doubt: Option<&str>) -> Observed<Vec<Scope>> {
    match doubt {
        None => Observed::Known(scopes.iter().map(Scope::named).collect()),
        Some(why) => Observed::Unknown(silent(format!(
            "{why}; before that it had {}",
            if scopes.is_empty() { "none".to_owned() } else { scopes.join(", ") }
        ))),
    }
}

fn silent(detail: impl Into<String>) -> Gap {
    Gap::new(Reason::PlatformSilent, INSTALLED, detail)
}

fn untold(facts: &AppFacts) -> Observed<Vec<Scope>> {
    Observed::Unknown(silent(match (facts.is_service, facts.is_exported) {
        (true, _) => "a legacy integration has no scopes: what it may do depends on its kind",
        (false, true) => {
            "the export of installed apps has no scopes, and the log does not have the install"
        }
        (false, false) => "the log has the install without its scopes",
    }))
}

fn grant(
    context: &Context<'_>,
    subject: &Subject<'_>,
    install: &Live,
    token: Token,
    scopes: Observed<Vec<Scope>>,
) -> Grant {
    let Context { tables, directory, .. } = context;
    let facts = subject.facts;
    let place = tables.places.name(install.place);
    let person = install.mark.by.and_then(|by| tables.people.get(by));
    // Whoever only an export names has no id.
    let named = install.told_by.as_deref().unwrap_or_default();
    let user = person.map_or(named, |person| person.id.as_str());
    let granted_by =
        person.and_then(|person| directory.name(person)).or_else(|| install.told_by.clone());
    let kind = kind(facts);
    Grant {
        id: match token {
            Token::Bot => format!("{}:{place}:bot", facts.id),
            Token::User => format!("{}:{place}:user:{user}", facts.id),
            Token::Untold => format!("{}:{place}:by:{user}", facts.id),
        },
        app: facts.id.clone(),
        app_name: name(facts),
        kind,
        holder: match (token, facts.is_service) {
            (Token::Bot, _) | (_, true) => Holder::App,
            // A user's token reaches what the user reaches: nothing less is assumed where nobody tells.
            (Token::User | Token::Untold, false) => {
                Holder::Principal(directory.principal(person, install.told_by.as_deref()))
            }
        },
        scopes,
        granted_at: match Timestamp::from_second(install.mark.at)
            .filter(|_| install.mark.at > NEVER)
        {
            Some(at) => Observed::Known(at),
            None => Observed::Unknown(silent(
                "installed before the log begins, or at a time that nobody tells",
            )),
        },
        granted_by: granted_by.map_or_else(
            || Observed::Unknown(silent("the log does not say who installed it")),
            Observed::Known,
        ),
        last_used_at: last_used(subject),
        use_count: Observed::Unknown(silent("Slack counts no use of tokens")),
        expires: Observed::Known(Expiry::Never),
        refreshable: refreshable(facts),
        network: network(facts),
        sender_constrained: Observed::Known(false),
        approval: subject.approval.clone(),
        settings: settings(context, facts, install, token),
    }
}

/// The name that the logs give.
fn name(facts: &AppFacts) -> String {
    let described = facts.described.as_deref().and_then(|described| described.name.clone());
    described.or_else(|| facts.name.get().cloned()).unwrap_or_else(|| facts.id.clone())
}

/// Legacy integrations that send what is written to an address outside, by the names that Slack gives them; the others let somebody in who
/// has their address or token.
fn kind(facts: &AppFacts) -> GrantKind {
    if !facts.is_service {
        return GrantKind::Installation;
    }
    let name = facts.name.get().map(|name| name.to_lowercase()).unwrap_or_default();
    if name.contains("outgoing") || name.contains("slash command") {
        GrantKind::Webhook
    } else {
        GrantKind::ApiToken
    }
}

/// Only runs of workflow apps are logged, and a run says which app it was, not by which of its installs.
fn last_used(subject: &Subject<'_>) -> Observed<Timestamp> {
    match subject.facts.last_run.and_then(Timestamp::from_second) {
        Some(at) if subject.is_in_one_place => Observed::Known(at),
        _ => Observed::Unknown(silent("Slack does not tell when a token was last used")),
    }
}

fn refreshable(facts: &AppFacts) -> Observed<bool> {
    match facts.rotation.get() {
        Some(is_rotating) => Observed::Known(*is_rotating),
        None => Observed::Unknown(silent(
            "whether the app rotates its tokens is told by the audit log only",
        )),
    }
}

/// An app's developer may limit its tokens to addresses, and no interface tells a customer
/// (<https://docs.slack.dev/security>, "Restrict IP addresses"). The same page says that incoming webhooks are never limited.
fn network(facts: &AppFacts) -> NetworkPolicy {
    let is_webhook = facts.is_service
        && facts.name.get().is_some_and(|name| name.to_lowercase().contains("incoming webhook"));
    let binding = if is_webhook {
        Observed::Absent
    } else {
        Observed::Unknown(silent(
            "only the app's developer can limit its tokens to addresses (Restrict API Token Usage), and Slack does not tell whether that was done",
        ))
    };
    NetworkPolicy { binding, look_alikes: Vec::new() }
}

fn settings(context: &Context<'_>, facts: &AppFacts, install: &Live, token: Token) -> Vec<Setting> {
    let say = |name: &str, value: Observed<String>| Setting { name: name.to_owned(), value };
    let is_organization = context.organization == Some(install.place);
    let place = if is_organization {
        format!("the whole organisation ({})", context.tables.places.name(install.place))
    } else {
        context.tables.place_label(install.place)
    };
    let mut settings = vec![say("installed in", Observed::Known(place))];
    if !facts.is_service {
        settings.push(say(
            "token",
            match token {
                Token::Bot => Observed::Known("bot".to_owned()),
                Token::User => Observed::Known("user".to_owned()),
                Token::Untold => Observed::Unknown(silent(
                    "the log does not say whether it is a bot's or a user's",
                )),
            },
        ));
    }
    if install.is_extension {
        let text = "it came with the organisation's install".to_owned();
        settings.push(say("install", Observed::Known(text)));
    }
    if !is_organization && context.listed.is_some_and(|listed| !listed.contains(&install.place)) {
        let text =
            "Slack does not list this workspace now: it may be deleted or archived".to_owned();
        settings.push(say("workspace", Observed::Known(text)));
    }
    if let Some(remark) = &install.remark {
        settings.push(say("doubt", Observed::Known(remark.clone())));
    }
    settings
}
