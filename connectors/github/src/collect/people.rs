//! Who owns the organisation, and what is known of whoever holds a grant. Members are not listed: that would cost a call for every hundred.

use std::collections::BTreeSet;

use grantwarden_kit::model::{Gap, Observed, Principal, Reason};

use super::{Scan, gaps::silent, listing::Listing};
use crate::{api::User, rights::MEMBERS};

pub(super) const FACET: &str = "members";
/// By the name that GitHub's pages show.
const OWNER: &str = "Owner";

/// The owners, by login in lower case.
pub(super) struct People {
    owners: BTreeSet<String>,
    /// Why not all of them are known, if they are not.
    gap: Option<Gap>,
}

impl People {
    pub(super) async fn read(scan: &Scan<'_>) -> Self {
        let mut owners = BTreeSet::new();
        if let Some(gap) = scan.obstacle(FACET, MEMBERS) {
            return Self { owners, gap: Some(gap) };
        }
        let request = scan.client.list("list owners", &["members"]).map(|mut request| {
            request.url.query_pairs_mut().append_pair("role", "admin");
            request
        });
        let gap = match request {
            Ok(request) => {
                let mut listing = Listing::numbered(scan.client, request);
                let take = |user: User| {
                    owners.insert(user.login.to_lowercase());
                };
                listing.drain(scan.ledger, FACET, take).await
            }
            Err(error) => Some(super::gaps::fail(scan.ledger, FACET, &error)),
        };
        let gap = gap.or_else(|| {
            // Every organisation has one: whoever asks is shown some of its members only.
            let detail = "GitHub shows no owner, and every organisation has one: members: read, or an owner's token with read:org";
            let gap = Gap::new(Reason::Permission, FACET, detail);
            owners.is_empty().then(|| {
                scan.ledger.lose(gap.clone(), None);
                gap
            })
        });
        scan.ledger.settle(FACET);
        Self { owners, gap }
    }

    /// For users of a whole server, whose roles in organisations are not read.
    pub(super) fn unread() -> Self {
        let detail = "roles of the server's users are not read";
        let gap = Gap::new(Reason::PlatformSilent, FACET, detail);
        Self { owners: BTreeSet::new(), gap: Some(gap) }
    }

    /// The user behind a grant, by login.
    pub(super) fn principal(&self, facet: &str, login: Option<&str>, id: Option<u64>) -> Principal {
        let privileges = match login.map(str::to_lowercase) {
            Some(login) if self.owners.contains(&login) => Observed::Known(vec![OWNER.to_owned()]),
            Some(_) if self.gap.is_none() => silent(
                FACET,
                "not an owner; other roles in the organisation, in teams and in repositories are not read",
            ),
            _ => match &self.gap {
                Some(gap) => Observed::Unknown(gap.clone()),
                None => silent(facet, "the listing does not name the user"),
            },
        };
        Principal {
            // Listings of credentials name users by login only; it stays the same unless the user renames the account.
            id: match (login, id) {
                (Some(login), _) => login.to_owned(),
                (None, Some(id)) => id.to_string(),
                (None, None) => String::new(),
            },
            name: match login {
                Some(login) => Observed::Known(login.to_owned()),
                None => silent(facet, "the listing does not name the user"),
            },
            kind: silent(facet, "GitHub does not mark accounts that are for programs"),
            status: silent(facet, "the listing does not tell whether the user can still sign in"),
            privileges,
            last_login_at: silent(facet, "GitHub does not tell when a user last signed in"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_list_of_owners_tells_who_is_none() {
        let owners = BTreeSet::from(["ada".to_owned()]);
        let whole = People { owners: owners.clone(), gap: None };
        let privileges = |people: &People, login| people.principal("f", login, None).privileges;
        assert_eq!(privileges(&whole, Some("Ada")), Observed::Known(vec![OWNER.to_owned()]));
        let other = privileges(&whole, Some("sam"));
        assert_eq!(other.gap().unwrap().reason, Reason::PlatformSilent);
        let part = People { owners, gap: Some(Gap::new(Reason::CallFailed, FACET, "cut off")) };
        assert_eq!(privileges(&part, Some("ADA")), Observed::Known(vec![OWNER.to_owned()]));
        assert_eq!(privileges(&part, Some("sam")).gap().unwrap().reason, Reason::CallFailed);
        assert_eq!(part.principal("f", None, Some(7)).id, "7");
    }
}
