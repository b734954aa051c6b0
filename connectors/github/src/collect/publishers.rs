//! Who is behind a GitHub App: its owner, home page, and what it asks for today. One call for each app, and none if another tenant of the
//! same GitHub was just asked. GitHub shows public apps only.

use std::sync::atomic::Ordering;

use grantwarden_kit::{
    error::{ErrorKind, Result},
    model::{Gap, Reason},
};

use super::{Scan, gaps};
use crate::api::{AppFacts, Installation};

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

/// Looks the app of an installation up, and books the result.
pub(super) async fn look_up(scan: &Scan<'_>, row: &Installation) -> Facts {
    if let Some(gap) = scan.ledger.skipped(FACET) {
        return Facts::Untold(gap);
    }
    let Some(slug) = row.app_slug.as_deref() else {
        let gap = Gap::new(Reason::PlatformSilent, FACET, "the listing does not name the app");
        scan.ledger.lose(gap.clone(), Some(1));
        return Facts::Untold(gap);
    };
    match ask(scan, slug, row).await {
        Ok(facts) if !is_of(&facts, row) => {
            let detail =
                "the app's name in addresses leads to another app: who is behind it is not known";
            let gap = Gap::new(Reason::CallFailed, FACET, detail);
            scan.ledger.lose(gap.clone(), Some(1));
            Facts::Untold(gap)
        }
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
        let note = match private {
            1 => "1 private app does not show who is behind it".to_owned(),
            _ => format!("{private} private apps do not show who is behind them"),
        };
        scan.ledger.note(FACET, note);
    }
    scan.ledger.settle(FACET);
}

async fn ask(scan: &Scan<'_>, slug: &str, row: &Installation) -> Result<AppFacts> {
    let client = scan.client;
    let (base, now) = (client.site.base(), client.door.clock().now());
    // Names change hands: what was read of one app is not told of another.
    if let Some(facts) = client.owners.find(base, slug, now).filter(|facts| is_of(facts, row)) {
        return Ok(facts);
    }
    let facts: AppFacts = client.read(&client.get("look an app up", &["apps", slug])?).await?;
    client.owners.keep(base, slug, now, facts.clone());
    Ok(facts)
}

/// Whether facts are of the app of an installation, by its number, or by its client id where one of the two does not tell the number.
fn is_of(facts: &AppFacts, row: &Installation) -> bool {
    let by_number = facts.id.zip(row.app_id).map(|(one, other)| one == other);
    let by_client = facts.client_id.as_ref().zip(row.client_id.as_ref());
    by_number.or(by_client.map(|(one, other)| one == other)).unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that was given up may be somebody else's by now.
    #[test]
    fn facts_are_of_an_app_by_number_or_client_and_never_by_name_alone() {
        let row: Installation = serde_json::from_str(
            r#"{"id":1,"app_id":5,"client_id":"Iv1.FAKE5","app_slug":"robin"}"#,
        )
        .unwrap();
        let facts = |text: &str| -> AppFacts { serde_json::from_str(text).unwrap() };
        assert!(is_of(&facts(r#"{"id":5}"#), &row));
        assert!(!is_of(&facts(r#"{"id":6,"client_id":"Iv1.FAKE5"}"#), &row));
        assert!(!is_of(&facts(r#"{"client_id":"Iv1.FAKE6"}"#), &row));
        assert!(is_of(&facts("{}"), &row));
    }
}
