//! Grants that no token stands for: apps that sign in as themselves (client credentials) whenever they like, as a user of the org.

use grantwarden_kit::{
    connector::Sink,
    error::Result,
    ledger::{Ledger, gap_of},
    model::{Approval, Expiry, Gap, Grant, GrantKind, Holder, Observed, Principal, Reason, Record},
};

use super::{Facts, short_id};
use crate::{
    api::User,
    org::{Api, Books, Org, Select},
    soql,
};

const FACET: &str = "grants";

/// Streams one grant per app that runs as itself.
pub(super) async fn all(org: &Org, ledger: &Ledger, sink: &Sink, facts: &mut Facts) -> Result<()> {
    if let Some(gap) = facts.apps.unseen_runners() {
        // Their users' profiles are read because these grants name them.
        for facet in [FACET, "login-ranges"] {
            let detail = format!("which apps run as themselves is not known: {}", gap.detail);
            ledger.lose(Gap::new(gap.reason, facet, detail), None);
        }
    }
    let runners = facts.apps.running_as();
    if runners.is_empty() {
        return Ok(());
    }
    let users = match users(org, ledger, runners.iter().map(|(_, user)| user.as_str())).await {
        Ok(users) => users,
        Err(error) => {
            // The grants are certain; who is behind them is not.
            ledger.lose(gap_of(FACET, &error), None);
            Vec::new()
        }
    };
    let profiles = users.iter().filter_map(|user| user.profile_id.as_deref());
    facts.network.load(org, ledger, profiles).await;
    for (app, runs_as) in runners {
        let is_it = |user: &&User| {
            user.username.as_deref() == Some(&runs_as)
                || user.id.as_deref().is_some_and(|id| short_id(id) == short_id(&runs_as))
        };
        if let Some(grant) = grant(facts, &app, &runs_as, users.iter().find(is_it)) {
            sink.send(Record::Grant(Box::new(grant))).await?;
        }
    }
    Ok(())
}

fn grant(facts: &Facts, app: &str, runs_as: &str, user: Option<&User>) -> Option<Grant> {
    let registered = facts.apps.get(app)?;
    let app = &registered.app;
    let silent = |what: &str| {
        let detail = format!("Salesforce lists no token for an app that runs as itself: {what}");
        Gap::new(Reason::PlatformSilent, FACET, detail)
    };
    let profile = user.and_then(|user| {
        Some((user.profile_id.as_deref()?, user.profile.as_ref()?.name.as_deref()?))
    });
    Some(Grant {
        id: format!("{}:client_credentials", app.id),
        app: app.id.clone(),
        app_name: app.name.clone(),
        kind: GrantKind::AppOnly,
        holder: Holder::Principal(match user {
            Some(user) => facts
                .people
                .principal(user.id.as_deref().unwrap_or(runs_as), &Observed::Known(user)),
            None => unresolved(runs_as),
        }),
        scopes: app.scopes.clone(),
        granted_at: Observed::Unknown(silent("when it was allowed is not told")),
        granted_by: Observed::Unknown(silent("who allowed it is not told")),
        last_used_at: Observed::Unknown(silent("its last use is not told")),
        use_count: Observed::Unknown(silent("how often it is used is not told")),
        // The app gets a new token whenever it asks.
        expires: Observed::Known(Expiry::Never),
        refreshable: Observed::Known(true),
        network: facts.network.policy(&app.id, &registered.relaxation, profile),
        settings: Vec::new(),
        sender_constrained: Observed::Known(false),
        approval: Observed::Known(Approval::AdminApproved),
    })
}

/// Policies name the execution user by sign-in name or, in some versions, by id.
async fn users<'a>(
    org: &Org,
    ledger: &Ledger,
    names: impl Iterator<Item = &'a str>,
) -> Result<Vec<User>> {
    let is_id = |name: &&str| name.starts_with("005") && !name.contains('@');
    let (ids, names): (Vec<&str>, Vec<&str>) = names.partition(is_id);
    let mut users = Vec::new();
    for (column, values) in [("Id", ids), ("Username", names)] {
        if values.is_empty() {
            continue;
        }
        let select = Select {
            api: Api::Data,
            endpoint: "query execution users",
            columns: &["Id", "Username", "IsActive"],
            optional: &["UserType", "LastLoginDate", "ProfileId", "Profile.Name"],
            from: &format!("FROM User WHERE {column} IN {}", soql::texts(values)),
            books: Some(Books { ledger, facet: FACET }),
        };
        users.extend(org.select::<User>(&select).await?);
    }
    Ok(users)
}

fn unresolved(user: &str) -> Principal {
    let gap = Gap::new(Reason::CallFailed, FACET, "the app's execution user could not be read");
    Principal {
        id: user.to_owned(),
        name: Observed::Known(user.to_owned()),
        kind: Observed::Unknown(gap.clone()),
        status: Observed::Unknown(gap.clone()),
        privileges: Observed::Unknown(gap.clone()),
        last_login_at: Observed::Unknown(gap),
    }
}
