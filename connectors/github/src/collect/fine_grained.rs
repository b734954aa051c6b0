//! Fine-grained personal access tokens that the organisation let in, and requests that wait for an owner. Only a GitHub App may ask.

use grantwarden_kit::{
    error::Result,
    model::{AuditEvent, Gap, Grant, GrantKind, Holder, Observed, Reason, Record},
};

use super::{
    Facts, Scan, gaps,
    gaps::silent,
    listing::{Listing, book},
    records::{self, setting},
    scopes,
    stand_ins::StandIn,
};
use crate::{
    api::{FineGrainedToken, TokenRequest},
    rights::{self, FINE_GRAINED},
};

pub(super) const FACET: &str = "fine-grained-tokens";
pub(super) const REQUESTS: &str = "fine-grained-token-requests";

pub(super) async fn read(scan: &Scan<'_>, facts: &Facts) -> Result<()> {
    if !scan.begins(FACET, FINE_GRAINED) {
        return Ok(());
    }
    let request = scan.client.list("list fine-grained tokens", &["personal-access-tokens"]);
    // New ones come last, so that those before them do not move.
    let request = request.map(|mut request| {
        request.url.query_pairs_mut().extend_pairs([("sort", "created_at"), ("direction", "asc")]);
        request
    });
    match request {
        Ok(request) => {
            let mut listing = Listing::numbered(scan.client, request);
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
    loop {
        match listing.next::<FineGrainedToken>().await {
            Ok(Some(lot)) => {
                book(scan.ledger, FACET, &lot);
                for row in &lot.rows {
                    let app = scan.stand_ins.introduce(StandIn::FineGrainedTokens, FACET).await?;
                    scan.grant(FACET, grant(row, app, facts)).await?;
                }
            }
            Ok(None) => return Ok(()),
            Err(error) => {
                gaps::fail(scan.ledger, FACET, &error);
                return Ok(());
            }
        }
    }
}

fn grant(row: &FineGrainedToken, app: (&str, &str), facts: &Facts) -> Grant {
    let owner = row.owner.as_ref();
    let login = owner.and_then(|owner| owner.login.as_deref());
    let holder = facts.people.principal(FACET, login, owner.and_then(|owner| owner.id));
    let mut settings =
        vec![setting("Repository access", selection(row.repository_selection.as_deref()))];
    let mut say = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            settings.push(setting(name, Observed::Known(value)));
        }
    };
    say("Name", row.token_name.clone());
    say("Token number", row.token_id.map(|id| id.to_string()));
    if row.token_expired == Some(true) {
        say("Expired", Some("yes".to_owned()));
    }
    Grant {
        scopes: scopes::of_groups(FACET, row.permissions.as_ref()),
        granted_at: gaps::time(FACET, row.access_granted_at.as_deref()),
        granted_by: silent(FACET, "GitHub does not tell who let it in"),
        last_used_at: gaps::told_time(FACET, row.token_last_used_at.as_ref()),
        expires: match (&row.token_expires_at, row.token_expired) {
            (Some(None), Some(true)) => {
                gaps::odd(FACET, "GitHub says that it has no end and that it has ended")
            }
            (told, _) => records::end(FACET, told.as_ref()),
        },
        settings,
        ..records::grant(
            FACET,
            format!("fine-grained-token:{}", row.id),
            records::called(app, [&row.token_name]),
            GrantKind::PersonalToken,
            Holder::Principal(holder),
        )
    }
}

fn selection(text: Option<&str>) -> Observed<String> {
    match text {
        Some("all") => Observed::Known("all repositories".to_owned()),
        Some("subset") => Observed::Known("selected repositories".to_owned()),
        Some("none") => Observed::Known("no repository".to_owned()),
        Some(other) => gaps::odd(FACET, format!("GitHub says `{other}`, which is not known")),
        None => silent(FACET, "GitHub does not tell"),
    }
}

/// Streams requests as events: nobody holds anything by them yet.
pub(super) async fn requests(scan: &Scan<'_>) -> Result<()> {
    if !scan.begins(REQUESTS, rights::REQUESTS) {
        return Ok(());
    }
    let mut listing =
        match scan.client.list("list token requests", &["personal-access-token-requests"]) {
            Ok(request) => Listing::numbered(scan.client, request),
            Err(error) => {
                gaps::fail(scan.ledger, REQUESTS, &error);
                scan.ledger.settle(REQUESTS);
                return Ok(());
            }
        };
    loop {
        match listing.next::<TokenRequest>().await {
            Ok(Some(lot)) => {
                book(scan.ledger, REQUESTS, &lot);
                for row in &lot.rows {
                    match event(row) {
                        Some(event) => {
                            scan.send(Record::AuditEvent(event)).await?;
                            scan.ledger.read(REQUESTS, 1);
                        }
                        None => {
                            let detail = "GitHub does not tell when the token was asked for";
                            scan.ledger
                                .lose(Gap::new(Reason::CallFailed, REQUESTS, detail), Some(1));
                        }
                    }
                }
            }
            Ok(None) => break,
            Err(error) => {
                gaps::fail(scan.ledger, REQUESTS, &error);
                break;
            }
        }
    }
    scan.ledger.settle(REQUESTS);
    Ok(())
}

fn event(row: &TokenRequest) -> Option<AuditEvent> {
    let login = row.owner.as_ref().and_then(|owner| owner.login.as_deref());
    let asked = match scopes::of_groups(REQUESTS, row.permissions.as_ref()) {
        Observed::Known(scopes) => {
            scopes.into_iter().map(|scope| scope.name).collect::<Vec<_>>().join(", ")
        }
        _ => "permissions that are not told".to_owned(),
    };
    let by = login.unwrap_or("somebody");
    let name = row.token_name.as_deref().unwrap_or("without a name");
    let which = selection(row.repository_selection.as_deref());
    let which = which.known().map_or("repositories that are not told", String::as_str);
    let reason =
        row.reason.as_deref().map(|text| format!("; reason given: {text}")).unwrap_or_default();
    Some(AuditEvent {
        id: format!("fine-grained-token-request:{}", row.id),
        at: row.created_at.as_deref()?.parse().ok()?,
        actor: gaps::text(REQUESTS, login),
        action: "personal_access_token.request_pending".to_owned(),
        summary: format!("{by} asks for the fine-grained token {name}: {asked} on {which}{reason}"),
    })
}
