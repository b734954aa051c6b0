//! Finds out what can be seen: one small call per facet, and none where the sign-in tells or where the call could change something.

use grantwarden_kit::{
    ledger::Ledger,
    model::{Gap, Reason},
};

use super::{
    INSTALLED, ORGANIZATION, absent, activity, audit, audit_reading, decisions, installs,
    integration_log, inventory, people, usage, workspaces,
};
use crate::{
    MANIFEST,
    account::{Account, Identity, Reach},
    rights::Right,
};

/// Actions of the group `app` that are known to say nothing of what is installed.
const WITHOUT_MEANING: [&str; 16] = [
    "app_allowlist_rule_matched",
    "app_collaborator_added",
    "app_collaborator_removed",
    "app_manifest_created",
    "app_manifest_updated",
    "app_deployed",
    "app_mcp_server_added",
    "app_mcp_server_updated",
    "app_mcp_server_removed",
    "app_mcp_server_acl_changed",
    "app_resources_added",
    "app_variable_added",
    "app_variable_removed",
    "app_agentforce_session_created_from_prompt_link",
    "app_agentforce_shareable_prompt_created",
    "app_datastore_deleted",
];

/// Asks for one thing of each kind; what the user should know of the audit log besides.
pub(crate) async fn probe(
    account: &Account,
    identity: &Identity,
    ledger: &Ledger,
) -> Option<String> {
    ledger.look(ORGANIZATION, async { Ok(()) }).await;
    ledger.look(workspaces::FACET, workspaces::probe(account)).await;
    ledger.look(people::FACET, people::probe(account)).await;
    let mut note = None;
    match &identity.reach {
        Reach::Organization(_) => {
            let log = ledger.look(INSTALLED, audit::probe(account)).await;
            if log.known().is_some() {
                note = unknown_actions(account).await;
            } else if identity.held.has(Right::Admin.scope()) {
                note = Some(
                    "without the audit log, installs are read from the integration logs of the workspaces: what is installed on the whole organisation need not be in them"
                        .to_owned(),
                );
            }
            if ledger.skipped(INSTALLED).is_none() && !account.imports.contains_key(INSTALLED) {
                ledger.lose(inventory::no_export(), None);
            }
            ledger.look(activity::FACET, activity::probe(account)).await;
            // The same log with the same right.
            if ledger.skipped(usage::FACET).is_none() {
                if let Some(gap) = log.gap().filter(|gap| gap.reason != Reason::Skipped) {
                    ledger.lose(Gap { facet: usage::FACET.to_owned(), ..gap.clone() }, None);
                }
                ledger.settle(usage::FACET);
            }
            for facet in decisions::WITH_SIDE_EFFECT {
                // Asking could already change how the organisation behaves: the sign-in has to do.
                ledger.look(facet, async { identity.held.check(Right::Apps) }).await;
            }
        }
        Reach::Workspace(_) => {
            ledger
                .look(INSTALLED, async {
                    identity.held.check(Right::Admin)?;
                    integration_log::page(account, None, 1, "1").await.map(drop)
                })
                .await;
            for facet in
                decisions::WITH_SIDE_EFFECT.into_iter().chain([activity::FACET, usage::FACET])
            {
                absent(ledger, facet);
            }
        }
    }
    note
}

/// Whether Slack has actions that this version does not know: an install under a new name would not be seen.
async fn unknown_actions(account: &Account) -> Option<String> {
    let known: Vec<&str> = installs::ACTIONS
        .iter()
        .chain(&audit_reading::TOLD)
        .chain(&WITHOUT_MEANING)
        .copied()
        .collect();
    match audit::unknown_actions(account, &known).await {
        Ok(unknown) => {
            (!unknown.is_empty()).then(|| {
                format!(
                    "the audit log has actions of apps that this version does not know and does not read: {}",
                    unknown.join(", ")
                )
            })
        }
        Err(error) => Some(format!(
            "whether the audit log has actions that this version does not know could not be read ({})",
            error.summary()
        )),
    }
}

/// What the user should know besides.
pub(crate) fn notes(identity: &Identity, skip: &[String]) -> Vec<String> {
    let mut notes = vec![format!("the token holds: {}", identity.held.describe())];
    notes.push(match &identity.reach {
        Reach::Organization(_) => "Enterprise organisation, a token for all of it".to_owned(),
        Reach::Workspace(_) => match &identity.parent {
            Some(parent) => format!(
                "one workspace of the organisation {parent}: nothing of its other workspaces is seen; use a token that is installed on the organisation"
            ),
            None => "single workspace: only the integration log tells what is installed".to_owned(),
        },
    });
    let writes = identity.held.writes();
    if !writes.is_empty() {
        notes.push(format!(
            "the token can change things ({}): the scanner only reads with it; keep it as you would keep one that revokes",
            writes.join(", ")
        ));
    }
    if let Some(end) = identity.ends_at {
        notes.push(format!("the token ends at {} and cannot be renewed here", end.whole_second()));
    }
    for facet in decisions::WITH_SIDE_EFFECT {
        let is_wanted = identity.reach.enterprise().is_some() && !skip.iter().any(|id| id == facet);
        let why = MANIFEST.facet(facet).and_then(|facet| facet.opt_in.as_ref());
        if let Some(why) = why.filter(|_| is_wanted) {
            notes.push(format!("the configuration includes {facet}: {why}"));
        }
    }
    notes
}
