//! Who is behind a GitHub App: its owner, home page, and what it asks for today. One call for each app, and none if another tenant of the
//! same GitHub was just asked. GitHub shows public apps only.

use std::sync::atomic::Ordering;

use grantwarden_kit::{
    error::{ErrorKind, Result},
    model::{Gap, Reason},
};

use super::{Scan, gaps};
use crate::api::AppFacts;

pub(super) const FACET: &str = "app-owners";

/// What GitHub tells of an app, or why it does not.
pub(super) enum Facts {
    Told(Box<AppFacts>),
    Untold(Gap),
}

impl Facts {
    pub(super) fn told(&self) -> Option<&AppFacts> {
        match self {
            Self::Told(facts) => Some(facts),
            Self::Untold(_) => None,
        }
    }

    pub(super) fn gap(&self) -> Gap {
        match self {
            Self::Told(_) => Gap::new(Reason::PlatformSilent, FACET, "GitHub does not tell"),
            Self::Untold(gap) => gap.clone(),
        }
    }
}

/// Looks an app up, and books the result.
pub(super) async fn look_up(scan: &Scan<'_>, slug: Option<&str>) -> Facts {
    if let Some(gap) = scan.ledger.skipped(FACET) {
        return Facts::Untold(gap);
    }
    let Some(slug) = slug else {
        let gap = Gap::new(Reason::PlatformSilent, FACET, "the listing does not name the app");
        scan.ledger.lose(gap.clone(), Some(1));
        return Facts::Untold(gap);
    };
    match ask(scan, slug).await {
        Ok(facts) => {
            scan.ledger.read(FACET, 1);
            Facts::Told(Box::new(facts))
        }
        Err(error) if error.kind == ErrorKind::NotFound => {
            // An answer, too: the app is private.
            scan.ledger.read(FACET, 1);
            scan.private_apps.fetch_add(1, Ordering::Relaxed);
            let detail = "GitHub does not show who is behind a private app";
            Facts::Untold(Gap::new(Reason::PlatformSilent, FACET, detail))
        }
        Err(error) => {
            let gap = gaps::of(FACET, &error);
            scan.ledger.lose(gap.clone(), Some(1));
            Facts::Untold(gap)
        }
    }
}

/// Closes the facet: the look-ups are as whole as the listing of apps.
pub(super) fn settle(scan: &Scan<'_>, of_listing: Option<Gap>) {
    if scan.ledger.skipped(FACET).is_some() {
        return;
    }
    if let Some(gap) = of_listing {
        let detail = format!("not every installed app is known: {}", gap.detail);
        scan.ledger.lose(Gap::new(gap.reason, FACET, detail), None);
    }
    let private = scan.private_apps.load(Ordering::Relaxed);
    if private > 0 {
        scan.ledger.note(FACET, format!("{private} private apps do not show who is behind them"));
    }
    scan.ledger.settle(FACET);
}

async fn ask(scan: &Scan<'_>, slug: &str) -> Result<AppFacts> {
    let client = scan.client;
    let (origin, now) = (client.site.origin(), client.door.clock().now());
    if let Some(facts) = client.owners.find(&origin, slug, now) {
        return Ok(facts);
    }
    let facts: AppFacts = client.read(&client.get("look an app up", &["apps", slug])?).await?;
    client.owners.keep(&origin, slug, now, facts.clone());
    Ok(facts)
}
