//! Consents of users to scopes of custom authorization servers, user by user: only if the configuration asks for it.

use std::collections::{BTreeMap, HashMap};

use futures::{StreamExt as _, stream};
use grantwarden_kit::{
    error::Result,
    ledger::Ledger,
    model::{Gap, Reason},
};

use super::{
    asking::Asking,
    grants::{Around, of_scopes},
    lifetimes,
    people::LIST as USERS,
    standing::{Doubtful, Shown, Standing},
    window::Window,
};
use crate::{
    api::{Application, ScopeGrant, User},
    listing::{Batch, Listing},
    org::{Call, Org, bucket},
};

pub(super) const FACET: &str = "user-grants";
pub(super) const LIST: Call =
    Call { endpoint: "list grants of a user", scope: "okta.users.read", bucket: bucket::USER };
const NO_CONSENTS: Doubtful =
    Doubtful { facet: FACET, what: "consents of any user", shown: Shown::Readers };
const CONCURRENT: usize = 5;

/// Streams what users consented to. `apps`: by client id. Whether all of it was read.
pub(super) async fn stream(
    org: &Org,
    ledger: &Ledger,
    standing: &Standing<'_>,
    window: &mut Window<'_>,
    apps: &HashMap<&str, &Application>,
    around: &Around<'_>,
) -> Result<bool> {
    let mut asking = Asking::new(org, ledger, FACET, LIST);
    if asking.is_over() {
        asking.finish(ledger, 0);
        return Ok(!asking.has_lost);
    }
    let path = ["api", "v1", "users"];
    // Whoever was deactivated holds consents, too; without a filter Okta leaves them out.
    let everybody = "status eq \"ACTIVE\" or status eq \"PASSWORD_EXPIRED\" or status eq \"LOCKED_OUT\" or status eq \"RECOVERY\" \
                     or status eq \"PROVISIONED\" or status eq \"STAGED\" or status eq \"SUSPENDED\" or status eq \"DEPROVISIONED\"";
    let mut strangers = 0;
    let mut users = 0;
    let listed = Listing::of(org, USERS, &path, &[("limit", "200"), ("filter", everybody)]).await;
    let mut listing = match listed {
        Ok(listing) => listing,
        Err(error) => {
            asking.failed(ledger, "all users", &error)?;
            asking.finish(ledger, 0);
            return Ok(false);
        }
    };
    loop {
        let batch: Batch<User> = match listing.next().await {
            Ok(Some(batch)) => batch,
            Ok(None) => break,
            Err(error) => {
                asking.failed(ledger, "the rest of the users", &error)?;
                break;
            }
        };
        asking.count(ledger, 0, batch.odd);
        users += batch.rows.len() as u64;
        let ids = batch.rows.into_iter().map(|user| user.id);
        let over = asking.is_over();
        let mut read = stream::iter(ids.filter(|_| !over))
            .map(|id| async move {
                let path = ["api", "v1", "users", &id, "grants"];
                let query = [("limit", "200")];
                let all = async {
                    Listing::of(org, LIST, &path, &query).await?.all::<ScopeGrant>().await
                };
                let all = all.await;
                (id, all)
            })
            .buffered(CONCURRENT);
        while let Some((id, consents)) = read.next().await {
            let batch = match consents {
                Ok(batch) => batch,
                Err(error) => {
                    asking.failed(ledger, &id, &error)?;
                    continue;
                }
            };
            asking.worked();
            asking.count(ledger, batch.rows.len() as u64, batch.odd);
            strangers += give(window, &id, batch.rows, apps, around).await?;
        }
    }
    if users == 0 && !asking.has_lost {
        let detail = "Okta lists no users at all: the scanner's role does not show them";
        ledger.lose(Gap::new(Reason::Permission, FACET, detail), None);
    }
    if users > 0 && asking.rows == 0 && !asking.has_lost {
        standing.believe_empty(ledger, NO_CONSENTS).await;
    }
    if strangers > 0 {
        let detail = "consents to clients for which Okta lists no app";
        ledger.lose(Gap::new(Reason::CountMismatch, FACET, detail), Some(strangers));
    }
    asking.finish(ledger, users);
    Ok(!asking.has_lost)
}

/// Streams a user's consents; how many belong to no app. Those of the org itself are listed with the apps.
async fn give(
    window: &mut Window<'_>,
    user: &str,
    rows: Vec<ScopeGrant>,
    apps: &HashMap<&str, &Application>,
    around: &Around<'_>,
) -> Result<u64> {
    let mut strangers = 0;
    let mut by_app: BTreeMap<&str, (&Application, Vec<ScopeGrant>)> = BTreeMap::new();
    for mut row in rows {
        let issuer = row.issuer.given();
        if issuer.is_some_and(|issuer| lifetimes::server_of(issuer).is_none()) {
            continue;
        }
        if row.user_id.given().is_none() {
            row.user_id = crate::told::Told::Given(user.to_owned());
        }
        let found = row.client_id.given().and_then(|id| apps.get(id.as_str()));
        match found {
            Some(app) => {
                by_app.entry(app.id.as_str()).or_insert_with(|| (app, Vec::new())).1.push(row);
            }
            None => strangers += 1,
        }
    }
    for (app, rows) in by_app.into_values() {
        for mut pending in of_scopes(app, rows, around) {
            pending.facet = FACET;
            window.push_once(pending).await?;
        }
    }
    Ok(strangers)
}
