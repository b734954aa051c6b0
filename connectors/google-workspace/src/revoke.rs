//! Taking access away: deletes grants and app passwords, looks again by an independent read, and finds who holds grants to an app now.
//!
//! Google has no interface that blocks an app, removes a delegation or ends what an app already fetched: that goes to a person, with the
//! clicks.

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use futures::{Stream, StreamExt, stream};
use grantwarden_kit::{
    connector::{
        Kit, RevocationPlan, Revoke, Step, StepOutcome, Targets, TenantConfig, Verification,
    },
    error::{Error, ErrorKind, Result},
    http::Request,
    model::{App, Grant, GrantKind},
};

use crate::{
    access::Purpose,
    account::Account,
    api::User,
    collect::{
        grants::{grant_id, of_token},
        log::{self, LogQuery},
    },
    directory::{self, UserListing},
};

const REVOKE_GRANT: &str = "revoke-grant";
const DELETE_PASSWORD: &str = "delete-app-password";
/// The kinds of apps that have no client id.
const EXTENSION: &str = "Chrome extension";
const PASSWORDS: &str = "app password";

/// One account opened for revocation.
pub struct Revoker {
    account: Account,
}

/// A grant that is there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// As a scan would record it, but for facts that only the log tells: they are unknown.
    pub grant: Grant,
    /// Whether the log named the user, so that it was found without asking everybody.
    pub is_from_log: bool,
}

/// Whom to ask.
enum Ask {
    User(Box<User>, bool),
    Failed(Error),
}

impl Revoker {
    /// Prepares to revoke. Does not touch the network.
    ///
    /// # Errors
    /// As [`grantwarden_kit::connector::Connector::open`].
    pub fn open(tenant: TenantConfig, kit: Kit) -> Result<Self> {
        Ok(Self { account: Account::open(tenant, kit)? })
    }

    /// Who holds grants to these clients now: first the users whom the log names, with one call per client and two per user, then
    /// everybody else, because the log reaches back only 180 days and is some hours late.
    ///
    /// Each grant comes once. An error is one user's, or ends the listing of users: after any error the result is not whole.
    pub fn find(&self, client_ids: &[String]) -> impl Stream<Item = Result<Found>> + Send + '_ {
        let clients: Vec<String> = client_ids.to_vec();
        let wanted = clients.clone();
        let asks = stream::once(self.candidates(clients)).flat_map(move |candidates| {
            let (users, failures) = candidates;
            let known: HashSet<String> = users.iter().map(|user| user.id.clone()).collect();
            let failures = failures.into_iter().map(Ask::Failed);
            let first = users.into_iter().map(|user| Ask::User(Box::new(user), true));
            stream::iter(failures.chain(first)).chain(self.everybody(known))
        });
        asks.map(move |ask| self.held(ask, wanted.clone()))
            .buffered(self.account.concurrent.max(1))
            .flat_map(stream::iter)
    }

    /// Users whom the log names, and what could not be read of it.
    async fn candidates(&self, clients: Vec<String>) -> (Vec<User>, Vec<Error>) {
        let (mut keys, mut failures) = (Vec::new(), Vec::new());
        for client in &clients {
            let query = LogQuery {
                filters: Some(format!("client_id=={client}")),
                ..LogQuery::all(&self.account, "find authorisations", "token", "authorize")
            };
            let mut nameless = 0;
            let read = log::read(&self.account, &query, |_, entry| {
                let key = entry.actor.id().or(entry.actor.email()).map(ToOwned::to_owned);
                nameless += u64::from(key.is_none());
                keys.extend(key);
            });
            match read.await {
                Ok(end) if end.unreadable + nameless > 0 => {
                    let message =
                        format!("{} entries of the log name no user", end.unreadable + nameless);
                    failures.push(Error::new(ErrorKind::Malformed, message));
                }
                Ok(_) => {}
                Err(error) => failures.push(error),
            }
        }
        keys.sort_unstable();
        keys.dedup();
        let asked = stream::iter(keys)
            .map(async |key: String| directory::user(&self.account, &key).await)
            .buffered(self.account.concurrent.max(1))
            .collect::<Vec<_>>()
            .await;
        let (mut users, mut seen) = (Vec::new(), HashSet::new());
        for user in asked {
            match user {
                Ok(Some(user)) => {
                    if seen.insert(user.id.clone()) {
                        users.push(user);
                    }
                }
                // A user who is gone holds nothing; one who came back is found with everybody else.
                Ok(None) => {}
                Err(error) => failures.push(error),
            }
        }
        (users, failures)
    }

    /// All other users. A failure is the last.
    fn everybody(&self, known: HashSet<String>) -> impl Stream<Item = Ask> + Send + '_ {
        let listing = UserListing::new(&self.account, 500);
        let pages = stream::unfold(Some(listing), async |listing| {
            let mut listing = listing?;
            match listing.next().await {
                Ok(Some(page)) => Some((Ok(page), Some(listing))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        pages.flat_map(move |page| {
            let asks: Vec<Ask> = match page {
                Err(error) => vec![Ask::Failed(error)],
                Ok(page) => {
                    let odd = (page.unreadable > 0).then(|| {
                        let message = format!("{} users could not be read", page.unreadable);
                        Ask::Failed(Error::new(ErrorKind::Malformed, message))
                    });
                    let users = page.users.into_iter().filter(|user| !known.contains(&user.id));
                    users.map(|user| Ask::User(Box::new(user), false)).chain(odd).collect()
                }
            };
            stream::iter(asks)
        })
    }

    /// What one user grants to the wanted clients.
    async fn held(&self, ask: Ask, wanted: Vec<String>) -> Vec<Result<Found>> {
        let (user, is_from_log) = match ask {
            Ask::Failed(error) => return vec![Err(error)],
            Ask::User(user, is_from_log) => (user, is_from_log),
        };
        let listed = match directory::tokens(&self.account, &user.id).await {
            Ok(listed) => listed,
            Err(error) if error.kind == ErrorKind::NotFound => {
                return match directory::user(&self.account, &user.id).await {
                    Ok(None) => Vec::new(),
                    Ok(Some(_)) => vec![Err(error)],
                    Err(other) => vec![Err(other)],
                };
            }
            Err(error) => return vec![Err(error)],
        };
        let mut found: Vec<Result<Found>> = Vec::new();
        if listed.unreadable > 0 {
            let message = "grants of a user could not be read";
            found.push(Err(Error::new(ErrorKind::Malformed, message)));
        }
        for token in listed.rows.into_iter().filter(|token| wanted.contains(&token.client_id)) {
            let name = token.display_text.clone().unwrap_or_else(|| token.client_id.clone());
            found.push(Ok(Found { grant: of_token(&user, token, name), is_from_log }));
        }
        found
    }

    /// Grants of users whom the log names for the apps, and that are not in the plan.
    async fn unplanned(&self, clients: Vec<String>, planned: &HashSet<&str>) -> Result<u64> {
        let (users, failures) = self.candidates(clients.clone()).await;
        if let Some(error) = failures.into_iter().next() {
            return Err(error);
        }
        let asks = stream::iter(users)
            .map(|user| self.held(Ask::User(Box::new(user), true), clients.clone()))
            .buffered(self.account.concurrent.max(1));
        let held: Vec<Vec<Result<Found>>> = asks.collect().await;
        let mut unplanned = 0;
        for found in held.into_iter().flatten() {
            unplanned += u64::from(!planned.contains(found?.grant.id.as_str()));
        }
        Ok(unplanned)
    }

    async fn carry_out(&self, step: &Step) -> Result<Done> {
        let url = directory::directory(&self.account, Purpose::Security, &path(step)?)?;
        let endpoint =
            if step.action == REVOKE_GRANT { "revoke grant" } else { "delete app password" };
        // Changes and reads count against one quota, so they share a bucket.
        let request = Request::delete(endpoint, url);
        match self.account.send(Purpose::Security, &request).await {
            Ok(_) => Ok(Done::Now),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Done::AlreadyGone),
            Err(error) => Err(error),
        }
    }

    /// Whether it is still there. The user's list decides; that the thing itself is not found is a second witness, and none alone.
    async fn look(&self, step: &Step) -> Result<bool> {
        let user = step.detail("user_id")?;
        let path = path(step)?;
        let listed = match step.action.as_str() {
            REVOKE_GRANT => {
                let client = step.detail("client_id")?;
                let listed = directory::tokens(&self.account, user).await;
                listed.map(|listed| listed.has(|token| Some(token.client_id == client)))
            }
            _ => {
                let code = step.detail("code_id")?;
                let listed = directory::asps(&self.account, user).await;
                listed
                    .map(|listed| listed.has(|asp| Some(asp.code_id.value()?.to_string() == code)))
            }
        };
        match listed {
            Ok(Some(true)) => return Ok(true),
            Ok(Some(false)) => {}
            Ok(None) => {
                let message =
                    "the user's list has rows that cannot be read, and it may be one of them";
                return Err(Error::new(ErrorKind::Malformed, message));
            }
            Err(error) if error.kind == ErrorKind::NotFound => {
                return match directory::user(&self.account, user).await? {
                    None => Ok(false),
                    Some(_) => Err(error),
                };
            }
            Err(error) => return Err(error),
        }
        let url = directory::directory(&self.account, Purpose::Security, &path)?;
        match self.account.send(Purpose::Security, &Request::get("look again", url)).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

enum Done {
    Now,
    AlreadyGone,
}

#[async_trait]
impl Revoke for Revoker {
    async fn plan(&self, targets: &Targets) -> Result<RevocationPlan> {
        let mut plan = RevocationPlan::default();
        let mut clients = Vec::new();
        for app in &targets.apps {
            plan.by_hand.push(block(app));
            if !matches!(app.kind.as_str(), EXTENSION | PASSWORDS) {
                clients.push(app.id.clone());
            }
        }
        let mut planned = HashSet::new();
        for grant in &targets.grants {
            match step(grant, targets) {
                Some(step) => {
                    planned.insert(grant.id.as_str());
                    plan.steps.push(step);
                }
                None => plan.by_hand.push(by_hand(grant)),
            }
        }
        if !clients.is_empty() {
            plan.by_hand.push(
                "Further grants of these apps were looked for in the OAuth log only, which reaches back 180 days and is some hours late: scan again before the case is closed."
                    .to_owned(),
            );
            match self.unplanned(clients, &planned).await {
                Ok(0) => {}
                Ok(more) => plan.by_hand.push(format!(
                    "{more} more grants of these apps are there now and not in this plan: scan again and make a new plan"
                )),
                Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
                Err(error) => plan.by_hand.push(format!(
                    "Scan again before the case is closed: whether these apps got further grants since the last scan could not be read ({})",
                    error.summary()
                )),
            }
        }
        if !plan.steps.is_empty() {
            plan.by_hand.push(
                "What an app fetched before stays with it, and an access token that it holds can work for up to an hour. Sign users whose session may be stolen out: Admin console > Directory > Users > the user > Security > Sign-in cookies > Reset."
                    .to_owned(),
            );
        }
        Ok(plan)
    }

    async fn apply(&self, step: &Step) -> StepOutcome {
        match self.carry_out(step).await {
            Ok(Done::Now) => StepOutcome::Done,
            Ok(Done::AlreadyGone) => StepOutcome::AlreadyGone,
            Err(error) => StepOutcome::of_failure(error),
        }
    }

    async fn verify(&self, step: &Step) -> Verification {
        match self.look(step).await {
            Ok(false) => Verification::Gone,
            Ok(true) => Verification::StillThere(1),
            Err(error) => Verification::CannotTell(error),
        }
    }
}

/// The address below the Directory API of what a step is about.
fn path(step: &Step) -> Result<[&str; 4]> {
    let user = number(step, "user_id")?;
    match step.action.as_str() {
        REVOKE_GRANT => Ok(["users", user, "tokens", step.detail("client_id")?]),
        DELETE_PASSWORD => Ok(["users", user, "asps", number(step, "code_id")?]),
        other => Err(Error::new(
            ErrorKind::Configuration,
            format!("this version does not know the action {other}"),
        )),
    }
}

/// A detail that Google makes of digits: anything else would name another thing, or another page.
fn number<'a>(step: &'a Step, name: &str) -> Result<&'a str> {
    let text = step.detail(name)?;
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text);
    }
    Err(Error::new(ErrorKind::Configuration, format!("the step's {name} is no number"))
        .with_hint("the plan was changed or made by another version: make a new one"))
}

/// The step that ends a grant; `None` where only a person can.
fn step(grant: &Grant, targets: &Targets) -> Option<Step> {
    let user = grant.holder.principal().filter(|user| !user.id.is_empty())?;
    let (who, app) = (user.label(), &grant.app_name);
    match grant.kind {
        GrantKind::Delegated if grant.id == grant_id(&user.id, &grant.app) => {
            let is_blocked = targets.apps.iter().any(|app| app.id == grant.app);
            let again = if is_blocked {
                format!("; until the app is blocked by hand, {who} can connect it again")
            } else {
                format!(", until {who} connects it again")
            };
            Some(Step {
                action: REVOKE_GRANT.to_owned(),
                target: grant.id.clone(),
                title: format!("Revoke the grant of {app} for {who}"),
                breaks: format!("{app} can no longer act as {who}{again}"),
                undo: None,
                calls: 1,
                details: BTreeMap::from([
                    ("user_id".to_owned(), user.id.clone()),
                    ("client_id".to_owned(), grant.app.clone()),
                ]),
            })
        }
        GrantKind::PersonalToken => {
            let code = grant.id.strip_prefix(&format!("{}:asp:", user.id))?;
            Some(Step {
                action: DELETE_PASSWORD.to_owned(),
                target: grant.id.clone(),
                title: format!("Delete the app password {app} of {who}"),
                breaks: format!("whatever signs in as {who} with this password stops working"),
                undo: None,
                calls: 1,
                details: BTreeMap::from([
                    ("user_id".to_owned(), user.id.clone()),
                    ("code_id".to_owned(), code.to_owned()),
                ]),
            })
        }
        _ => None,
    }
}

/// What a person has to do for a grant that no interface ends.
fn by_hand(grant: &Grant) -> String {
    match grant.kind {
        GrantKind::Delegation => format!(
            "Remove the domain-wide delegation of {} by hand: Admin console > Security > Access and data control > API controls > Manage domain-wide delegation > {} > Delete.",
            grant.app_name, grant.app
        ),
        _ => format!(
            "Revoke {} by hand: Admin console > Directory > Users > the user > Security > Connected applications.",
            grant.id
        ),
    }
}

/// What a person has to do to contain an app.
fn block(app: &App) -> String {
    let name = &app.name;
    match app.kind.as_str() {
        EXTENSION => format!(
            "Block the extension {name} by hand: Admin console > Devices > Chrome > Apps & extensions > Users & browsers > add {} > Block.",
            app.id
        ),
        PASSWORDS => "No setting forbids app passwords for everybody: delete them one by one, as planned, and allow only security keys under Security > 2-Step Verification.".to_owned(),
        _ => format!(
            "Block {name} by hand, first: Admin console > Security > Access and data control > API controls > Manage app access > Configure new app > {} > Blocked, for the whole organisation.",
            app.id
        ),
    }
}
