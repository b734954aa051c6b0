//! A grant and an app password as records.

use grantwarden_kit::{
    error::Result,
    model::{
        Approval, Expiry, Gap, Grant, GrantKind, Holder, NetworkPolicy, Observed, Reason, Record,
        Scope, Timestamp,
    },
};

use super::{
    clients::{self, Client, Clients},
    log::LOG_LIFE,
    people,
    sweep::{Context, FACET, PASSWORDS},
};
use crate::api::{Asp, Number, Token, User};

/// The scope that stands for what an app password allows.
const PASSWORD_SCOPE: &str = "application-specific-password";

/// The id of a user's grant to a client.
pub(crate) fn grant_id(user: &str, client: &str) -> String {
    format!("{user}:{client}")
}

/// The id of an app password.
pub(crate) fn password_id(user: &str, code: i64) -> String {
    format!("{user}:asp:{code}")
}

/// Streams a grant, its app first.
pub(super) async fn give(
    context: &Context<'_>,
    clients: &mut Clients<'_>,
    user: &User,
    token: Token,
    granted_at: Option<i64>,
) -> Result<()> {
    let app_name = clients.introduce(Client::of_token(&token), context.sink).await?;
    clients.count(&token.client_id);
    let (last_used_at, use_count) = context.history.usage(user, &token.client_id);
    // Older dates are not told, remembered or not: a scan without memory does not see them either.
    let log_begins = context.began_at.minus(LOG_LIFE).as_second();
    let granted_at = granted_at.filter(|at| *at >= log_begins);
    let approval = clients.approval(&token.client_id);
    let grant = Grant {
        granted_at: context.history.granted_at(granted_at),
        last_used_at,
        use_count,
        network: context.network.clone(),
        approval,
        ..of_token(user, token, app_name)
    };
    context.ledger.read(FACET, 1);
    context.sink.send(Record::Grant(Box::new(grant))).await
}

/// A grant as the listing alone tells it.
pub(crate) fn of_token(user: &User, token: Token, app_name: String) -> Grant {
    let silent = |detail: &str| Gap::new(Reason::PlatformSilent, FACET, detail);
    let principal = people::principal(user);
    let scopes = match token.scopes {
        Some(scopes) => Observed::Known(scopes.into_iter().map(Scope::named).collect()),
        None => Observed::Unknown(Gap::new(
            Reason::CallFailed,
            FACET,
            "Google gave a grant without its scopes",
        )),
    };
    let untold = silent("the listing of grants does not tell it");
    Grant {
        id: grant_id(&user.id, &token.client_id),
        app: token.client_id,
        app_name,
        kind: GrantKind::Delegated,
        // The user consents for themselves: an administrator's consent is no grant of a user.
        granted_by: principal.name.clone(),
        holder: Holder::Principal(principal),
        scopes,
        granted_at: Observed::Unknown(untold.clone()),
        last_used_at: Observed::Unknown(untold.clone()),
        use_count: Observed::Unknown(untold.clone()),
        // The consent itself has no end, and with it a refresh token lives as long as somebody uses it within six months:
        // https://developers.google.com/identity/protocols/oauth2#expiration
        expires: Observed::Known(Expiry::Never),
        // Google shows no offline access: any grant may hold a refresh token, and is taken for one that does (API sheet, section 6).
        refreshable: Observed::Unknown(silent(
            "Google does not tell whether the app holds a refresh token; take the grant for one that lasts",
        )),
        network: NetworkPolicy { binding: Observed::Absent, look_alikes: Vec::new() },
        // Google's tokens are bearer tokens: https://developers.google.com/identity/protocols/oauth2
        settings: Vec::new(),
        sender_constrained: Observed::Known(false),
        approval: Observed::Unknown(untold),
    }
}

/// Streams an app password.
pub(super) async fn give_password(
    context: &Context<'_>,
    clients: &mut Clients<'_>,
    user: &User,
    asp: &Asp,
) -> Result<()> {
    let Some(grant) = of_password(user, asp) else {
        let detail = "an app password has a number of a form that is not known";
        context.ledger.lose(Gap::new(Reason::CallFailed, PASSWORDS, detail), Some(1));
        return Ok(());
    };
    clients.introduce_passwords(context.sink).await?;
    context.ledger.read(PASSWORDS, 1);
    context.sink.send(Record::Grant(Box::new(grant))).await
}

/// An app password as a grant; `None` if its number cannot be read.
pub(crate) fn of_password(user: &User, asp: &Asp) -> Option<Grant> {
    let untold = |detail: &str| Gap::new(Reason::PlatformSilent, PASSWORDS, detail);
    let principal = people::principal(user);
    let name = asp.name.clone().filter(|name| !name.is_empty());
    Some(Grant {
        id: password_id(&user.id, asp.code_id.value()?),
        app: clients::PASSWORDS.to_owned(),
        app_name: name.unwrap_or_else(|| "an app password without a name".to_owned()),
        kind: GrantKind::PersonalToken,
        granted_by: principal.name.clone(),
        holder: Holder::Principal(principal),
        scopes: Observed::Known(vec![Scope::named(PASSWORD_SCOPE)]),
        granted_at: created(asp.creation_time.as_ref()),
        last_used_at: time(asp.last_time_used.as_ref()),
        use_count: Observed::Unknown(untold("Google does not count uses of an app password")),
        // It lasts until somebody revokes it or the password changes: https://support.google.com/accounts/answer/185833
        expires: Observed::Known(Expiry::Never),
        refreshable: Observed::Known(false),
        network: NetworkPolicy { binding: Observed::Absent, look_alikes: Vec::new() },
        settings: Vec::new(),
        sender_constrained: Observed::Known(false),
        approval: Observed::Known(Approval::SelfAuthorized),
    })
}

/// A time in seconds. What exists was made some day: 0 is not known.
fn created(number: Option<&Number>) -> Observed<Timestamp> {
    match time(number) {
        Observed::Absent => {
            let detail = "Google gave an app password without the time of its creation";
            Observed::unknown(Reason::PlatformSilent, PASSWORDS, detail)
        }
        other => other,
    }
}

/// A time in seconds; 0 means never (API sheet).
fn time(number: Option<&Number>) -> Observed<Timestamp> {
    let unread = || {
        let detail = "Google gave an app password without its times";
        Observed::Unknown(Gap::new(Reason::CallFailed, PASSWORDS, detail))
    };
    match number.and_then(Number::value) {
        Some(0) => Observed::Absent,
        Some(seconds) => Timestamp::from_second(seconds).map_or_else(unread, Observed::Known),
        None => unread(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_zero_is_never_for_a_use_and_unknown_for_a_creation() {
        let zero = Number::Text("0".to_owned());
        assert_eq!(time(Some(&zero)), Observed::Absent);
        assert!(created(Some(&zero)).gap().is_some());
        assert_eq!(created(Some(&Number::Plain(7))).known().unwrap().as_second(), 7);
        assert!(created(None).gap().is_some());
    }
}
