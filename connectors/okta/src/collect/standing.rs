//! The second gate, an administrator role: without one that covers them, some of Okta's lists are empty and no error says so. An empty list
//! is believed only if the scanner's own role shows that it would not be empty for that reason.
//!
//! What Okta documents of its standard roles decides. Of some lists it does not say which role sees them, so that only a super administrator
//! is proof. An org that has none of these would then be incomplete for ever with a role that merely reads: for such roles the doubt is said
//! as what it is, something that no interface tells (`PlatformSilent`), with how to settle it. For every other role it is a missing right.

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    ledger::{Ledger, gap_of},
    model::{Gap, Reason},
};
use tokio::sync::OnceCell;

use crate::{
    access::{Access, Who},
    api::{Role, User},
    hints,
    listing::Listing,
    org::{Call, Org, bucket},
};

const SUPER: &str = "SUPER_ADMIN";
/// Standard roles that see all apps, users, authorization servers and zones:
/// <https://help.okta.com/en-us/content/topics/security/administrators-admin-comparison.htm>
const READ_ALL: [&str; 3] = [SUPER, "ORG_ADMIN", "READ_ONLY_ADMIN"];
/// Standard roles that see the System Log, by the same table.
const READ_LOG: [&str; 4] = [SUPER, "ORG_ADMIN", "READ_ONLY_ADMIN", "REPORT_ADMIN"];

pub(super) const CLIENT_ROLES: Call = Call {
    endpoint: "list roles of a service app",
    scope: "okta.roles.read",
    bucket: bucket::CLIENTS,
};
pub(super) const USER_ROLES: Call =
    Call { endpoint: "list roles of a user", scope: "okta.roles.read", bucket: bucket::USER };
const MYSELF: Call =
    Call { endpoint: "look who the API token is", scope: "okta.users.read", bucket: bucket::USER };

/// A list that may be empty for want of a role.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doubtful {
    pub(super) facet: &'static str,
    /// What is on it, for a person, in the plural.
    pub(super) what: &'static str,
    pub(super) shown: Shown,
}

/// To whom Okta shows a list.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shown {
    /// To every role that reads the whole org.
    Readers,
    /// To every role that reads the System Log.
    LogReaders,
    /// To super administrators; of other roles nobody documents it. The page of the Admin Console that shows the same.
    Super {
        /// For a person.
        page: &'static str,
    },
}

impl Shown {
    const fn proof(self) -> &'static [&'static str] {
        match self {
            Self::Readers => &READ_ALL,
            Self::LogReaders => &READ_LOG,
            Self::Super { .. } => &[SUPER],
        }
    }
}

/// How far the scanner's role reaches among apps.
pub(super) enum Reach<'a> {
    /// To all of them.
    All,
    /// Maybe to some only: the roles that it has.
    Some(&'a [String]),
    /// Its roles cannot be seen; why.
    Untold(String),
}

/// What the scanner's own roles are; asked for once.
pub(super) struct Standing<'a> {
    org: &'a Org,
    access: &'a Access,
    roles: OnceCell<Result<Vec<String>>>,
}

impl<'a> Standing<'a> {
    pub(super) fn new(org: &'a Org, access: &'a Access) -> Self {
        Self { org, access, roles: OnceCell::new() }
    }

    pub(super) const fn who(&self) -> &Who {
        &self.access.who
    }

    async fn roles(&self) -> &Result<Vec<String>> {
        self.roles.get_or_init(|| own_roles(self.org, self.access)).await
    }

    /// Whether one of the scanner's roles is known to show a list.
    pub(super) async fn shows(&self, shown: Shown) -> bool {
        let roles = self.roles().await;
        roles.as_ref().is_ok_and(|roles| has(roles, shown.proof()))
    }

    /// Whether the scanner's role shows all apps, or maybe only some: a custom role, or one of an application administrator, may be given
    /// for some apps, and then Okta lists no others.
    pub(super) async fn reach(&self) -> Reach<'_> {
        match self.roles().await {
            Ok(roles) if has(roles, &READ_ALL) => Reach::All,
            Ok(roles) => Reach::Some(roles),
            Err(error) => Reach::Untold(error.summary()),
        }
    }

    /// Books a doubt about an empty list, unless a role of the scanner's shows that it really is empty. The gap, if it is a loss.
    pub(super) async fn believe_empty(&self, ledger: &Ledger, list: Doubtful) -> Option<Gap> {
        let gap = self.doubt(list).await?;
        ledger.lose(gap.clone(), None);
        gap.reason.is_loss().then_some(gap)
    }

    async fn doubt(&self, Doubtful { facet, what, shown }: Doubtful) -> Option<Gap> {
        let who = self.who();
        let detail = match self.roles().await {
            Ok(roles) if has(roles, shown.proof()) => return None,
            Ok(roles) => {
                if let Shown::Super { page } = shown
                    && has(roles, &READ_ALL)
                {
                    let detail = format!(
                        "Okta lists no {what}; whether it would show them to the scanner's role ({}) is documented nowhere. To be sure, look at {page}, or scan once as Super Administrator",
                        roles.join(", ")
                    );
                    return Some(Gap::new(Reason::PlatformSilent, facet, detail));
                }
                let own = if roles.is_empty() {
                    "the scanner has no administrator role that would show them".to_owned()
                } else {
                    format!("the scanner's role ({}) may not show them", roles.join(", "))
                };
                format!("Okta lists no {what}, and {own}; {}", hints::no_role(what, who))
            }
            Err(error) if error.kind == ErrorKind::Cancelled => return Some(gap_of(facet, error)),
            Err(error) => format!(
                "Okta lists no {what}, and whether the scanner's role would show them cannot be seen ({}); {}",
                error.summary(),
                hints::shows_roles(who)
            ),
        };
        Some(Gap::new(Reason::Permission, facet, detail))
    }
}

fn has(roles: &[String], wanted: &[&str]) -> bool {
    roles.iter().any(|role| wanted.contains(&role.as_str()))
}

/// The id of the user behind the API token that asks.
pub(crate) async fn own_user(org: &Org) -> Result<String> {
    let user: User = org.ask(MYSELF, &["api", "v1", "users", "me"], &[]).await?;
    Ok(user.id)
}

async fn own_roles(org: &Org, access: &Access) -> Result<Vec<String>> {
    let listing = match &access.who {
        Who::ServiceApp { client_id } => {
            let path = ["oauth2", "v1", "clients", client_id, "roles"];
            Listing::of(org, CLIENT_ROLES, &path, &[]).await?
        }
        Who::ApiToken => {
            let user = own_user(org).await?;
            Listing::of(org, USER_ROLES, &["api", "v1", "users", &user, "roles"], &[]).await?
        }
        Who::Bearer => {
            let message = "nobody tells whose access token it is";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
    };
    let batch = listing.all::<Role>().await?;
    if batch.odd > 0 {
        return Err(Error::new(ErrorKind::Malformed, "a role has a form that is not known"));
    }
    let is_active = |role: &Role| role.status.given().is_some_and(|status| status == "ACTIVE");
    let active = batch.rows.into_iter().filter(is_active);
    Ok(active.filter_map(|role| role.kind.given().cloned()).collect())
}
