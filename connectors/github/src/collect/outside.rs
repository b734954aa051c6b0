//! Outside collaborators and their public SSH keys, which anybody may see: single sign-on does not stand before them. A call for each.

use futures::{StreamExt, TryStreamExt, stream};
use grantwarden_kit::{
    error::{ErrorKind, Result},
    model::{Expiry, Grant, GrantKind, Holder, Observed, Record, Scope},
};

use super::{
    Facts, Scan, gaps,
    gaps::silent,
    listing::{Listing, book},
    records, scopes,
    stand_ins::StandIn,
};
use crate::{
    api::{PublicKey, User},
    rights::MEMBERS,
    site::{Edition, is_name},
};

pub(super) const FACET: &str = "outside-collaborators";

pub(super) async fn read(scan: &Scan<'_>, facts: &Facts) -> Result<()> {
    if !scan.begins(FACET, MEMBERS) {
        return Ok(());
    }
    let mut listing =
        match scan.client.list("list outside collaborators", &["outside_collaborators"]) {
            Ok(request) => Listing::numbered(scan.client, request),
            Err(error) => {
                gaps::fail(scan.ledger, FACET, &error);
                scan.ledger.settle(FACET);
                return Ok(());
            }
        };
    loop {
        match listing.next::<User>().await {
            Ok(Some(lot)) => {
                book(scan.ledger, FACET, &lot);
                stream::iter(lot.rows)
                    .map(Ok)
                    .try_for_each_concurrent(scan.client.concurrent.max(1), |user| async move {
                        keys_of(scan, facts, &user).await
                    })
                    .await?;
            }
            Ok(None) => break,
            Err(error) => {
                gaps::fail(scan.ledger, FACET, &error);
                break;
            }
        }
    }
    scan.ledger.settle(FACET);
    Ok(())
}

async fn keys_of(scan: &Scan<'_>, facts: &Facts, user: &User) -> Result<()> {
    if !is_name(&user.login) {
        let error = grantwarden_kit::error::Error::new(ErrorKind::Malformed, "a login is none");
        gaps::fail(scan.ledger, FACET, &error);
        return Ok(());
    }
    let path = ["users", &user.login, "keys"];
    let mut listing = match scan.client.query("list keys of a user", &path, &[("per_page", "100")])
    {
        Ok(request) => Listing::numbered(scan.client, request),
        Err(error) => {
            gaps::fail(scan.ledger, FACET, &error);
            return Ok(());
        }
    };
    loop {
        match listing.next::<PublicKey>().await {
            Ok(Some(lot)) => {
                book(scan.ledger, FACET, &lot);
                for row in &lot.rows {
                    let app = scan.stand_ins.introduce(StandIn::SshKeys, FACET).await?;
                    let grant = grant(scan, facts, user, (row, app))?;
                    scan.send(Record::Grant(Box::new(grant))).await?;
                }
            }
            Ok(None) => {
                scan.ledger.read(FACET, 1);
                return Ok(());
            }
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
            Err(error) => {
                gaps::fail(scan.ledger, FACET, &error);
                return Ok(());
            }
        }
    }
}

fn grant(
    scan: &Scan<'_>,
    facts: &Facts,
    user: &User,
    (row, app): (&PublicKey, (&str, &str)),
) -> Result<Grant> {
    let holder = facts.people.principal(FACET, Some(&user.login), Some(user.id));
    let is_cloud = scan.client.edition()? == Edition::Cloud;
    Ok(Grant {
        scopes: Observed::Known(vec![Scope::named(scopes::SSH_KEY)]),
        granted_by: Observed::Known(user.login.clone()),
        expires: match is_cloud {
            true => Observed::Known(Expiry::Idle(records::KEY_IDLE)),
            false => silent(FACET, "GitHub does not tell when it ends"),
        },
        ..records::grant(
            FACET,
            format!("user-key:{}", row.id),
            app,
            GrantKind::Key,
            Holder::Principal(holder),
        )
    })
}
