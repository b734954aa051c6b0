//! Finds out what can be seen: one small call per facet.

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    ledger::Ledger,
};

use super::{
    CUSTOMER, activity, app_access, authorized_apps, controls, delegation, extensions,
    history::{ACTIVITY, EVENTS},
    log::{self, LogQuery},
    people, some_users, sweep,
};
use crate::{
    account::{Account, Actor},
    api::User,
    directory::{self, UserListing},
};

/// As whom the scanner asks, for a person.
pub(crate) fn whoami(account: &Account) -> String {
    match &account.actor {
        Actor::Delegate { subject, .. } => subject.clone(),
        Actor::ServiceAccount { email } => email.clone(),
        Actor::Bearer => "whoever the configured token belongs to".to_owned(),
    }
}

/// Asks for one thing of each kind; the user who stands for all.
pub(crate) async fn probe(account: &Account, ledger: &Ledger) -> Option<User> {
    let user = one_user(account).await;
    for facet in [CUSTOMER, people::FACET] {
        ledger.look(facet, async { user.as_ref().map(drop).map_err(Error::echo) }).await;
    }
    let user = user.ok();
    // Whoever asks may always be asked about; a stranger may be a higher administrator.
    let key = match (&account.actor, &user) {
        (Actor::Delegate { subject, .. }, _) => Some(subject.clone()),
        (_, Some(user)) => Some(user.id.clone()),
        _ => None,
    };
    let nobody = || Error::new(ErrorKind::Malformed, "there is no user to ask about");
    let key = key.as_deref();
    ledger
        .look(sweep::FACET, async {
            directory::tokens(account, key.ok_or_else(nobody)?).await.map(drop)
        })
        .await;
    ledger
        .look(sweep::PASSWORDS, async {
            directory::asps(account, key.ok_or_else(nobody)?).await.map(drop)
        })
        .await;
    ledger.look(authorized_apps::FACET, authorized_apps::probe(account)).await;
    let authorize = LogQuery::all(account, "list authorisations", "token", "authorize");
    ledger.look(EVENTS, log::probe(account, &authorize)).await;
    let has_calls = ledger.look(ACTIVITY, log::probe(account, &activity::query(account))).await;
    if has_calls.known() == Some(&false) {
        ledger.lose(activity::no_log(), None);
    }
    let changes = ["AUTHORIZE_API_CLIENT_ACCESS", "ADD_TO_BLOCKED_OAUTH2_APPS"]
        .map(|event| LogQuery::all(account, "list changes", "admin", event));
    for (facet, query) in [delegation::FACET, app_access::FACET].into_iter().zip(&changes) {
        ledger.look(facet, log::probe(account, query)).await;
    }
    if !account.imports.contains_key(delegation::FACET) {
        ledger.lose(delegation::no_export(), None);
    }
    if account.is_itself() {
        ledger.lose(controls::no_policies(), None);
        ledger.settle(controls::FACET);
    } else {
        ledger.look(controls::FACET, controls::probe(account)).await;
    }
    if ledger.skipped(extensions::FACET).is_none() {
        if let Err(error) = extensions::probe(account).await {
            extensions::book_failure(ledger, &error);
        }
        ledger.settle(extensions::FACET);
    }
    user
}

async fn one_user(account: &Account) -> Result<User> {
    let page = some_users(account, UserListing::new(account, 1).next().await?)?;
    let nobody = || Error::new(ErrorKind::Malformed, "users have a form that is not known");
    page.users.into_iter().next().ok_or_else(nobody)
}
