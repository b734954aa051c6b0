//! GitHub Apps that are installed on the organisation, each with its installation as a grant.

use grantwarden_kit::{
    error::Result,
    model::{Gap, Record},
};

use futures::{StreamExt, TryStreamExt, stream};

use super::{
    Scan,
    app_records::{self, Home},
    gaps,
    listing::{Listing, book},
    publishers,
};
use crate::{api::Installation, rights::INSTALLATIONS};

pub(super) const FACET: &str = "installations";

/// Streams the apps of the organisation and their installations.
pub(super) async fn of_organization(scan: &Scan<'_>) -> Result<()> {
    let home = Home {
        organizations: [scan.client.site.account.name().to_lowercase()].into(),
        enterprise: None,
        edition: scan.client.edition()?,
    };
    if let Some(gap) = scan.obstacle(FACET, INSTALLATIONS) {
        publishers::settle(scan, Some(gap));
        return Ok(());
    }
    let gap = match scan.client.list("list installations", &["installations"]) {
        Ok(request) => {
            let mut listing = Listing::numbered(scan.client, request);
            read(scan, &mut listing, &home).await?
        }
        Err(error) => Some(gaps::fail(scan.ledger, FACET, &error)),
    };
    scan.ledger.settle(FACET);
    publishers::settle(scan, gap);
    Ok(())
}

/// Streams the apps of a listing; why it is not whole, if it is not.
async fn read(scan: &Scan<'_>, listing: &mut Listing<'_>, home: &Home) -> Result<Option<Gap>> {
    let mut gap = None;
    loop {
        match listing.next::<Installation>().await {
            Ok(Some(lot)) => {
                gap = book(scan.ledger, FACET, &lot).or(gap);
                let known = stream::iter(lot.rows)
                    .map(|row| async move {
                        let facts = publishers::look_up(scan, &row).await;
                        Ok((row, facts))
                    })
                    .buffered(scan.client.concurrent.max(1));
                known
                    .try_for_each(|(row, facts)| async move {
                        let app = app_records::app(&row, &facts, home);
                        let name = app.name.clone();
                        scan.send(Record::App(app)).await?;
                        scan.grant(FACET, app_records::installation(&row, &name, None)).await
                    })
                    .await?;
            }
            Ok(None) => return Ok(gap),
            Err(error) => return Ok(Some(gaps::fail(scan.ledger, FACET, &error))),
        }
    }
}
