//! The second gate, an administrator role: without one that covers them, some of Okta's lists are empty and no error says so. An empty list
//! is believed only if the scanner's own role shows that it would not be empty for that reason.

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    ledger::{Ledger, gap_of},
    model::{Gap, Reason},
};
use tokio::sync::OnceCell;

use crate::{
    access::Who,
    api::{Role, User},
    hints,
    listing::Listing,
    org::{Call, Org, bucket},
};

/// Standard roles that read all of what a scan reads: <https://help.okta.com/en-us/content/topics/security/administrators-admin-comparison.htm>
const READ_ALL: [&str; 3] = ["SUPER_ADMIN", "ORG_ADMIN", "READ_ONLY_ADMIN"];

pub(super) const CLIENT_ROLES: Call = Call {
    endpoint: "list roles of a service app",
    scope: "okta.roles.read",
    bucket: bucket::CLIENTS,
};
pub(super) const USER_ROLES: Call =
    Call { endpoint: "list roles of a user", scope: "okta.roles.read", bucket: bucket::USER };
const MYSELF: Call =
    Call { endpoint: "look who the API token is", scope: "okta.users.read", bucket: bucket::USER };

/// What the scanner's own roles are; asked for once, and only if something is empty.
pub(super) struct Standing<'a> {
    org: &'a Org,
    roles: OnceCell<Result<Vec<String>>>,
}

impl<'a> Standing<'a> {
    pub(super) fn new(org: &'a Org) -> Self {
        Self { org, roles: OnceCell::new() }
    }

    /// Books a loss for an empty list, unless a role of the scanner's shows that it really is empty.
    pub(super) async fn believe_empty(
        &self,
        ledger: &Ledger,
        facet: &str,
        what: &str,
    ) -> Option<Gap> {
        let roles = self.roles.get_or_init(|| own_roles(self.org)).await;
        let mut hint = hints::no_role(what);
        let detail = match roles {
            Ok(roles) if roles.iter().any(|role| READ_ALL.contains(&role.as_str())) => return None,
            Ok(roles) if roles.is_empty() => format!(
                "Okta lists no {what}, and the scanner has no administrator role that would show them"
            ),
            Ok(roles) => format!(
                "Okta lists no {what}, and the scanner's role ({}) may not show them",
                roles.join(", ")
            ),
            Err(error) if error.kind == ErrorKind::Cancelled => return Some(gap_of(facet, error)),
            Err(error) => {
                hint = hints::shows_roles(what);
                format!(
                    "Okta lists no {what}, and whether the scanner's role would show them cannot be seen ({})",
                    error.summary()
                )
            }
        };
        let gap = Gap::new(Reason::Permission, facet, format!("{detail}; {hint}"));
        ledger.lose(gap.clone(), None);
        Some(gap)
    }
}

/// The id of the user behind the scanner's API token.
pub(super) async fn own_user(org: &Org) -> Result<String> {
    let user: User = org.ask(MYSELF, &["api", "v1", "users", "me"], &[]).await?;
    Ok(user.id)
}

async fn own_roles(org: &Org) -> Result<Vec<String>> {
    let access = org.connect().await?;
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
    let roles = listing.all::<Role>().await?.rows;
    let is_active = |role: &Role| role.status.given().is_some_and(|status| status == "ACTIVE");
    let active = roles.into_iter().filter(is_active);
    Ok(active.filter_map(|role| role.kind.given().cloned()).collect())
}
