//! The workspaces of an organisation.

use std::collections::HashSet;

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    ledger::Ledger,
    model::{Gap, Reason},
};

use super::tables::Tables;
use crate::{
    account::{Account, Listed, PAGE, Reach},
    api::{Named, Team, TeamsPage},
    lenient::Text,
    rights::Right,
};

pub(super) const FACET: &str = "workspaces";

/// The workspaces that Slack lists.
#[derive(Debug, Default)]
pub(super) struct Workspaces {
    pub(super) teams: Vec<Team>,
    /// Whether these are all.
    pub(super) is_whole: bool,
}

impl Workspaces {
    /// Reads them.
    pub(super) async fn read(account: &Account, ledger: &Ledger) -> Result<Self> {
        let identity = account.identity().await?;
        let mut found = Self::default();
        if let Reach::Workspace(id) = &identity.reach {
            // A single workspace is the one that the sign-in told.
            if ledger.skipped(FACET).is_none() {
                ledger.read(FACET, 1);
                ledger.settle(FACET);
            }
            found.teams.push(Team { id: Text(id.clone()), name: identity.name.clone() });
            found.is_whole = true;
            return Ok(found);
        }
        let mut unreadable = 0;
        let seen = ledger
            .look(FACET, async {
                identity.held.check(Right::Teams)?;
                let fields = [("limit", PAGE)];
                let first =
                    account.post("list workspaces", "admin.teams.list", "teams", &fields)?;
                fill(account, &first, &mut found.teams, &mut unreadable).await?;
                // The organisation that let the scanner in has at least one.
                if found.teams.is_empty() && unreadable == 0 {
                    let message = "Slack lists no workspaces at all";
                    return Err(account
                        .door
                        .place(Error::new(ErrorKind::Malformed, message), "list workspaces"));
                }
                Ok(())
            })
            .await;
        ledger.read(FACET, u64::try_from(found.teams.len()).unwrap_or(u64::MAX));
        if unreadable > 0 {
            let gap = Gap::new(Reason::CallFailed, FACET, "rows have a form that is not known");
            ledger.lose(gap, Some(unreadable));
        }
        found.is_whole = seen.known().is_some() && unreadable == 0;
        Ok(found)
    }

    /// Takes them in as places.
    pub(super) fn learn(&self, tables: &mut Tables) -> HashSet<u32> {
        let place = |team: &Team| {
            let (id, name) = (Some(team.id.clone()), team.name.clone());
            Named { id, name, email: None, kind: None }
        };
        self.teams.iter().filter_map(|team| tables.place(&place(team))).collect()
    }
}

async fn fill(
    account: &Account,
    first: &grantwarden_kit::http::Request,
    teams: &mut Vec<Team>,
    unreadable: &mut u64,
) -> Result<()> {
    let mut seen = HashSet::new();
    let listed = account.listing::<TeamsPage>(first, Right::Teams, |page| match page {
        Listed::Page(page) => {
            for row in page.teams {
                match row.0 {
                    // A listing that shifts gives one twice.
                    Some(team) if !seen.insert(team.id.0.clone()) => {}
                    Some(team) => teams.push(team),
                    None => *unreadable += 1,
                }
            }
        }
        Listed::Anew => {
            teams.clear();
            seen.clear();
            *unreadable = 0;
        }
    });
    listed.await
}

/// The workspaces in which the token works, for whoever may not list all. It takes no scope.
pub(super) async fn own(account: &Account) -> Result<Vec<Team>> {
    let fields = [("limit", PAGE)];
    let first = account.post("list own workspaces", "auth.teams.list", "own-teams", &fields)?;
    let (mut teams, mut unreadable) = (Vec::new(), 0);
    fill(account, &first, &mut teams, &mut unreadable).await?;
    if unreadable > 0 {
        let message = "workspaces have a form that is not known";
        return Err(account
            .door
            .place(Error::new(ErrorKind::Malformed, message), "list own workspaces"));
    }
    Ok(teams)
}

/// Asks for one workspace.
pub(super) async fn probe(account: &Account) -> Result<()> {
    let identity = account.identity().await?;
    if identity.reach.enterprise().is_none() {
        return Ok(());
    }
    identity.held.check(Right::Teams)?;
    let request =
        account.post("list workspaces", "admin.teams.list", "teams", &[("limit", "1")])?;
    account.ask::<TeamsPage>(&request, Some(Right::Teams)).await.map(drop)
}
