//! Credentials that members authorised for an organisation with SAML single sign-on: classic tokens, SSH keys and, as far as GitHub lists
//! them, tokens of apps. Without single sign-on GitHub lists none of them to anybody, which is not the same as "there are none".

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    model::{Expiry, Gap, Grant, GrantKind, Holder, Observed, Reason, Scope},
};

use super::{
    Facts, Scan, gaps,
    gaps::silent,
    listing::{Listing, book},
    records::{self, setting},
    scopes,
    stand_ins::StandIn,
};
use crate::{api::CredentialAuthorization, rights::INSTALLATIONS, site::Edition};

pub(super) const FACET: &str = "credential-authorizations";

/// What a credential is.
struct Kind {
    stand_in: StandIn,
    grant: GrantKind,
}

impl Kind {
    fn of(name: Option<&str>) -> Self {
        let (stand_in, grant) = match name {
            Some("personal access token") => (StandIn::PersonalTokens, GrantKind::PersonalToken),
            Some("SSH key") => (StandIn::SshKeys, GrantKind::Key),
            Some("OAuth app token") => (StandIn::OauthAppTokens, GrantKind::Delegated),
            Some("GitHub app token") => (StandIn::AppUserTokens, GrantKind::Delegated),
            _ => (StandIn::UnknownCredentials, GrantKind::Delegated),
        };
        Self { stand_in, grant }
    }
}

pub(super) async fn read(scan: &Scan<'_>, facts: &Facts) -> Result<()> {
    if !scan.begins(FACET, INSTALLATIONS) {
        return Ok(());
    }
    if scan.client.edition()? == Edition::Server {
        scan.ledger.lose(not_on_a_server(), None);
        scan.ledger.settle(FACET);
        return Ok(());
    }
    match scan.client.list("list authorised credentials", &["credential-authorizations"]) {
        Ok(request) => {
            let mut listing = Listing::by_cursor(scan.client, request);
            stream(scan, facts, &mut listing).await?;
        }
        Err(error) => {
            gaps::fail(scan.ledger, FACET, &error);
        }
    }
    scan.ledger.settle(FACET);
    Ok(())
}

async fn stream(scan: &Scan<'_>, facts: &Facts, listing: &mut Listing<'_>) -> Result<()> {
    let mut is_empty = true;
    loop {
        match listing.next::<CredentialAuthorization>().await {
            Ok(Some(lot)) => {
                book(scan.ledger, FACET, &lot);
                is_empty &= lot.rows.is_empty() && lot.odd == 0 && !lot.is_partial;
                for row in &lot.rows {
                    let stand_in = Kind::of(row.credential_type.as_deref()).stand_in;
                    let app = scan.stand_ins.introduce(stand_in, FACET).await?;
                    scan.grant(FACET, grant(row, app, facts)).await?;
                }
            }
            Ok(None) if is_empty => {
                let detail = "the list is empty: no member authorised a credential, or the organisation does not use SAML single sign-on; without it GitHub lists no credential";
                scan.ledger.lose(Gap::new(Reason::Licence, FACET, detail), None);
                return Ok(());
            }
            Ok(None) => {
                let note = "tokens of OAuth apps and GitHub Apps that were authorised during a single sign-on session are not listed by GitHub; a fine-grained token may be listed here and with its kind";
                scan.ledger.note(FACET, note);
                return Ok(());
            }
            Err(error) if listing.has_begun() => {
                gaps::fail(scan.ledger, FACET, &error);
                return Ok(());
            }
            Err(error) => {
                scan.ledger.lose(gap(scan, &error).await, None);
                return Ok(());
            }
        }
    }
}

/// The gap on an Enterprise Server, which has no such list.
pub(super) fn not_on_a_server() -> Gap {
    let detail = "an Enterprise Server does not list authorised credentials: see the tokens and keys of the server";
    Gap::new(Reason::PlatformSilent, FACET, detail)
}

/// The gap for a list that could not be begun. It is there in organisations of GitHub Enterprise Cloud with SAML single sign-on only: with
/// the right proven, "not found" is a matter of that.
pub(super) async fn gap(scan: &Scan<'_>, error: &Error) -> Gap {
    if error.kind == ErrorKind::NotFound && scan.may_still_ask().await {
        let detail = "GitHub lists credentials only for an organisation of Enterprise Cloud with SAML single sign-on: what members authorised is not known";
        return Gap::new(Reason::Licence, FACET, detail);
    }
    gaps::of(FACET, error)
}

fn grant(row: &CredentialAuthorization, app: (&str, &str), facts: &Facts) -> Grant {
    let Kind { stand_in, grant: kind } = Kind::of(row.credential_type.as_deref());
    let holder = facts.people.principal(FACET, row.login.as_deref(), None);
    let mut settings = Vec::new();
    let mut say = |name: &str, value: Option<&String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            settings.push(setting(name, Observed::Known(value.clone())));
        }
    };
    say(
        "Name",
        row.authorized_credential_note.as_ref().or(row.authorized_credential_title.as_ref()),
    );
    say("Token ends with", row.token_last_eight.as_ref());
    say("Fingerprint", row.fingerprint.as_ref());
    if stand_in == StandIn::UnknownCredentials {
        let what = row.credential_type.as_deref().unwrap_or("nothing");
        let detail = format!("GitHub says `{what}`, which is not known");
        settings.push(setting("Kind of credential", gaps::odd(FACET, detail)));
    }
    Grant {
        scopes: scopes_of(row, stand_in),
        granted_at: gaps::time(FACET, row.credential_authorized_at.as_deref()),
        granted_by: gaps::text(FACET, row.login.as_deref()),
        // Null: never since it was authorised.
        last_used_at: gaps::told_time(FACET, row.credential_accessed_at.as_ref()),
        expires: expires(row, stand_in),
        refreshable: match stand_in {
            StandIn::AppUserTokens | StandIn::UnknownCredentials => {
                silent(FACET, "GitHub does not tell whether it can be renewed")
            }
            _ => Observed::Known(false),
        },
        settings,
        ..records::grant(
            FACET,
            format!("credential:{}", row.credential_id),
            records::called(
                app,
                [&row.authorized_credential_note, &row.authorized_credential_title],
            ),
            kind,
            Holder::Principal(holder),
        )
    }
}

fn scopes_of(row: &CredentialAuthorization, stand_in: StandIn) -> Observed<Vec<Scope>> {
    match (stand_in, &row.scopes) {
        (StandIn::SshKeys, _) => Observed::Known(vec![Scope::named(scopes::SSH_KEY)]),
        (_, Some(names)) if !names.is_empty() => Observed::Known(scopes::of_oauth(names)),
        (StandIn::OauthAppTokens, Some(_)) => Observed::Known(Vec::new()),
        (StandIn::PersonalTokens, Some(_)) => silent(
            FACET,
            "no scope is listed: a fine-grained token, whose permissions are told elsewhere, or a classic one without scopes",
        ),
        (StandIn::AppUserTokens, _) => {
            silent(FACET, "what its app was given, and the user may do: the listing does not tell")
        }
        _ => gaps::odd(FACET, "GitHub does not tell the scopes"),
    }
}

fn expires(row: &CredentialAuthorization, stand_in: StandIn) -> Observed<Expiry> {
    let told = row.authorized_credential_expires_at.as_ref();
    match (stand_in, told) {
        (StandIn::PersonalTokens | StandIn::OauthAppTokens, told) => records::end(FACET, told),
        (_, Some(Some(_))) => records::end(FACET, told),
        // Deleted if nobody used it for a year (github.com).
        (StandIn::SshKeys, _) => Observed::Known(Expiry::Idle(records::KEY_IDLE)),
        (StandIn::AppUserTokens, _) => silent(
            FACET,
            "it ends after 8 hours, unless its app switched that off: GitHub does not tell",
        ),
        _ => silent(FACET, "GitHub does not tell when it ends"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(more: &str) -> CredentialAuthorization {
        serde_json::from_str(&format!(r#"{{"credential_id":1,"login":"rina"{more}}}"#)).unwrap()
    }

    fn end_of(more: &str) -> Observed<Expiry> {
        let row = row(more);
        expires(&row, Kind::of(row.credential_type.as_deref()).stand_in)
    }

    /// Null is a statement, a missing field is none.
    #[test]
    fn a_token_without_an_end_is_told_apart_from_one_that_is_not_told() {
        let token = r#","credential_type":"personal access token""#;
        let null = format!(r#"{token},"authorized_credential_expires_at":null"#);
        assert_eq!(end_of(&null), Observed::Known(Expiry::Never));
        assert!(end_of(token).gap().is_some());
        let user =
            r#","credential_type":"GitHub app token","authorized_credential_expires_at":null"#;
        assert!(end_of(user).gap().is_some());
        assert!(end_of(r#","credential_type":"carrier pigeon""#).gap().is_some());
    }

    #[test]
    fn no_scope_in_the_list_is_not_no_scope() {
        let of = |more: &str| {
            let row = row(more);
            scopes_of(&row, Kind::of(row.credential_type.as_deref()).stand_in)
        };
        assert!(of(r#","credential_type":"personal access token","scopes":[]"#).gap().is_some());
        assert!(of(r#","credential_type":"OAuth app token""#).gap().is_some());
        let scopes = of(r#","credential_type":"OAuth app token","scopes":["repo"]"#);
        let scopes = scopes.known().unwrap();
        assert_eq!(
            (scopes[0].name.as_str(), scopes[0].resource.as_deref()),
            ("repo", Some("OAuth scope"))
        );
    }
}
