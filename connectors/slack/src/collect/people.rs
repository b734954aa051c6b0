//! Users: whether whoever is behind an install can still sign in, and what they may do. Only those whom a log names are kept.

use std::collections::HashMap;

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    ledger::Ledger,
    model::{Gap, Observed, Principal, PrincipalKind, PrincipalStatus, Reason},
};

use super::tables::{People, Person};
use crate::{
    account::{Account, Listed, Reach},
    api::{AdminUser, AdminUsersPage, Member, UsersPage},
    rights::Right,
};

pub(super) const FACET: &str = "users";

/// What the platform says of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Standing {
    email: Option<String>,
    name: Option<String>,
    is_active: Option<bool>,
    is_bot: Option<bool>,
    roles: Option<Vec<&'static str>>,
}

/// The users whom the logs name, as the platform lists them.
#[derive(Debug)]
pub(super) struct Directory {
    users: HashMap<String, Standing>,
    /// Why it is not whole; `None`: it is.
    gap: Option<Gap>,
}

/// Everything that tells a role. One that is missing makes all unknown.
fn roles(
    primary: Option<bool>,
    owner: Option<bool>,
    admin: Option<bool>,
) -> Option<Vec<&'static str>> {
    let told = [("is_primary_owner", primary?), ("is_owner", owner?), ("is_admin", admin?)];
    Some(told.into_iter().filter(|(_, holds)| *holds).map(|(role, _)| role).collect())
}

impl Directory {
    /// Reads the users, and keeps those whom the logs name.
    pub(super) async fn read(account: &Account, ledger: &Ledger, people: &People) -> Result<Self> {
        let mut found = Found { people, users: HashMap::new(), read: 0, unreadable: 0 };
        let listed = ledger.look(FACET, found.fill(account)).await;
        // What was read before a failure stays.
        ledger.read(FACET, found.read);
        let mut gap = listed.gap().cloned();
        if found.unreadable > 0 {
            let detail = format!("{} users have a form that is not known", found.unreadable);
            let odd = Gap::new(Reason::CallFailed, FACET, detail);
            ledger.lose(odd.clone(), Some(found.unreadable));
            gap.get_or_insert(odd);
        }
        if account.door.is_cancelled() {
            return Err(Error::new(ErrorKind::Cancelled, "the scan was cancelled"));
        }
        Ok(Self { users: found.users, gap })
    }

    /// A user as the principal behind an install. `told` is the name in an export, where no log has the user.
    pub(super) fn principal(&self, person: Option<&Person>, told: Option<&str>) -> Principal {
        let Some(person) = person else {
            return Principal {
                id: String::new(),
                name: told.map_or_else(
                    || Observed::Unknown(untold()),
                    |name| Observed::Known(name.to_owned()),
                ),
                kind: Observed::Unknown(untold()),
                status: Observed::Unknown(untold()),
                privileges: Observed::Unknown(untold()),
                last_login_at: Observed::Unknown(untold()),
            };
        };
        let standing = self.users.get(&person.id);
        Principal {
            id: person.id.clone(),
            name: self
                .name(person)
                .map_or_else(|| Observed::Unknown(self.unlisted()), Observed::Known),
            kind: self.fact(
                standing,
                |standing| standing.is_bot,
                |is_bot| match is_bot {
                    true => PrincipalKind::ServiceAccount,
                    false => PrincipalKind::Person,
                },
            ),
            status: self.fact(
                standing,
                |standing| standing.is_active,
                |is_active| match is_active {
                    true => PrincipalStatus::Active,
                    false => PrincipalStatus::Inactive,
                },
            ),
            privileges: self.fact(
                standing,
                |standing| standing.roles.clone(),
                |roles| roles.into_iter().map(ToOwned::to_owned).collect(),
            ),
            last_login_at: Observed::unknown(
                Reason::PlatformSilent,
                FACET,
                "not asked for: Slack tells it in its logs of sign-ins only",
            ),
        }
    }

    /// The sign-in name: the address, or the name where nobody tells the address.
    pub(super) fn name(&self, person: &Person) -> Option<String> {
        let standing = self.users.get(&person.id);
        let listed = standing.and_then(|standing| standing.email.clone());
        let of_listing = standing.and_then(|standing| standing.name.clone());
        listed.or_else(|| person.email.clone()).or(of_listing).or_else(|| person.name.clone())
    }

    fn fact<T, U>(
        &self,
        standing: Option<&Standing>,
        pick: impl FnOnce(&Standing) -> Option<T>,
        change: impl FnOnce(T) -> U,
    ) -> Observed<U> {
        match standing {
            None => Observed::Unknown(self.unlisted()),
            Some(standing) => pick(standing).map_or_else(
                || {
                    let detail = "Slack lists the user without it";
                    Observed::unknown(Reason::PlatformSilent, FACET, detail)
                },
                |value| Observed::Known(change(value)),
            ),
        }
    }

    /// Why a user is not known. Not being listed proves nothing: another workspace's users are not.
    fn unlisted(&self) -> Gap {
        self.gap.clone().unwrap_or_else(|| {
            let detail = "Slack does not list the user: of another workspace, or gone";
            Gap::new(Reason::PlatformSilent, FACET, detail)
        })
    }
}

fn untold() -> Gap {
    Gap::new(Reason::PlatformSilent, FACET, "the log does not say who it was")
}

struct Found<'a> {
    people: &'a People,
    users: HashMap<String, Standing>,
    read: u64,
    unreadable: u64,
}

impl Found<'_> {
    async fn fill(&mut self, account: &Account) -> Result<()> {
        let identity = account.identity().await?;
        match identity.reach {
            Reach::Organization(_) => {
                identity.held.check(Right::AdminUsers)?;
                // Without it the listing leaves out whoever was deactivated.
                for is_active in ["true", "false"] {
                    let fields = [("limit", "100"), ("is_active", is_active)];
                    let first =
                        account.post("list users", "admin.users.list", "admin-users", &fields)?;
                    let mut seen = Seen::default();
                    let listed =
                        account.listing::<AdminUsersPage>(&first, Right::AdminUsers, |page| {
                            self.page(&mut seen, page, |page| {
                                let rows = page.users.into_iter();
                                rows.map(|row| {
                                    row.0.map(|user| of_admin(user, is_active == "true"))
                                })
                            });
                        });
                    listed.await?;
                }
            }
            Reach::Workspace(_) => {
                identity.held.check(Right::Users)?;
                let first =
                    account.get("list users", "users.list", "users", &[("limit", "200")])?;
                let mut seen = Seen::default();
                let listed = account.listing::<UsersPage>(&first, Right::Users, |page| {
                    self.page(&mut seen, page, |page| {
                        page.members.into_iter().map(|row| row.0.map(of_member))
                    });
                });
                listed.await?;
            }
        }
        Ok(())
    }

    fn page<P, I: Iterator<Item = Option<(String, Standing)>>>(
        &mut self,
        seen: &mut Seen,
        page: Listed<P>,
        rows: impl FnOnce(P) -> I,
    ) {
        let page = match page {
            Listed::Page(page) => page,
            Listed::Anew => {
                self.read -= seen.read;
                self.unreadable -= seen.unreadable;
                *seen = Seen::default();
                return;
            }
        };
        for row in rows(page) {
            match row {
                None => {
                    self.unreadable += 1;
                    seen.unreadable += 1;
                }
                Some((id, standing)) => {
                    self.read += 1;
                    seen.read += 1;
                    if self.people.has(&id) {
                        self.learn(id, standing);
                    }
                }
            }
        }
    }
}

impl Found<'_> {
    /// Takes a user in. Who is among the active and among the deactivated is neither for certain.
    fn learn(&mut self, id: String, mut standing: Standing) {
        let known = self.users.get(&id).map(|known| known.is_active);
        if known.is_some_and(|known| known != standing.is_active) {
            standing.is_active = None;
        }
        self.users.insert(id, standing);
    }
}

/// What the running listing gave so far.
#[derive(Default)]
struct Seen {
    read: u64,
    unreadable: u64,
}

fn of_admin(user: AdminUser, is_asked_active: bool) -> (String, Standing) {
    let standing = Standing {
        roles: roles(user.is_primary_owner, user.is_owner, user.is_admin),
        email: user.email.filter(|email| !email.is_empty()),
        name: user.username,
        is_active: user.is_active.or(Some(is_asked_active)),
        is_bot: user.is_bot,
    };
    (user.id.0, standing)
}

fn of_member(member: Member) -> (String, Standing) {
    let email = member.profile.and_then(|profile| profile.email);
    let standing = Standing {
        // A member who was deactivated is listed without roles, and has none.
        roles: match member.deleted {
            Some(true) => Some(Vec::new()),
            _ => roles(member.is_primary_owner, member.is_owner, member.is_admin),
        },
        email: email.filter(|email| !email.is_empty()),
        name: member.name,
        is_active: member.deleted.map(|is_gone| !is_gone),
        is_bot: member.is_bot,
    };
    (member.id.0, standing)
}

/// Asks for one user.
pub(super) async fn probe(account: &Account) -> Result<()> {
    let identity = account.identity().await?;
    match identity.reach {
        Reach::Organization(_) => {
            identity.held.check(Right::AdminUsers)?;
            let fields = [("limit", "1")];
            let request = account.post("list users", "admin.users.list", "admin-users", &fields)?;
            account.ask::<AdminUsersPage>(&request, Some(Right::AdminUsers)).await.map(drop)
        }
        Reach::Workspace(_) => {
            identity.held.check(Right::Users)?;
            let request = account.get("list users", "users.list", "users", &[("limit", "1")])?;
            account.ask::<UsersPage>(&request, Some(Right::Users)).await.map(drop)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_role_is_not_a_missing_right() {
        assert_eq!(roles(Some(false), Some(true), Some(true)).unwrap(), ["is_owner", "is_admin"]);
        assert_eq!(roles(Some(false), Some(false), Some(false)), Some(Vec::new()));
        assert_eq!(roles(None, Some(false), Some(false)), None);
    }

    #[test]
    fn who_is_not_listed_is_not_known() {
        let directory = Directory { users: HashMap::new(), gap: None };
        let person = Person { id: "U1".into(), name: Some("ada".into()), email: None };
        let principal = directory.principal(Some(&person), None);
        assert_eq!(principal.name, Observed::Known("ada".to_owned()));
        assert!(principal.status.gap().is_some() && principal.privileges.gap().is_some());
        let nobody = directory.principal(None, None);
        assert!(nobody.id.is_empty() && nobody.name.gap().is_some());
    }

    #[test]
    fn who_is_listed_twice_is_neither_active_nor_gone() {
        let people = People::default();
        let mut found = Found { people: &people, users: HashMap::new(), read: 0, unreadable: 0 };
        for is_asked_active in [true, false] {
            let user = serde_json::from_str(r#"{"id":"U1","username":"ada"}"#).unwrap();
            let (id, standing) = of_admin(user, is_asked_active);
            found.learn(id, standing);
        }
        assert_eq!(found.users["U1"].is_active, None);
    }

    #[test]
    fn a_deactivated_member_has_no_roles() {
        let text = r#"{"id":"U1","name":"bob","deleted":true,"is_bot":false}"#;
        let (_, standing) = of_member(serde_json::from_str(text).unwrap());
        assert_eq!((standing.roles, standing.is_active), (Some(Vec::new()), Some(false)));
    }
}
