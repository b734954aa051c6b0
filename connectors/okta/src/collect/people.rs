//! People: names and status of those who hold something, asked for in lots, and the administrator roles of those for whom it matters.
//! Nobody else is listed.

use std::collections::{HashMap, HashSet};

use futures::{StreamExt as _, stream};
use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    http::Paging,
    ledger::{Ledger, gap_of},
    model::{Gap, Observed, Principal, Reason},
};

use super::{
    listed::{book_odd, unless_cancelled},
    person::Person,
    standing::USER_ROLES,
};
use crate::{
    api::{Assignees, Role, User},
    listing::Listing,
    org::{Call, Org, bucket},
};

pub(super) const FACET: &str = "users";
pub(super) const ADMINISTRATORS: &str = "administrators";
pub(super) const LIST: Call =
    Call { endpoint: "look users up", scope: "okta.users.read", bucket: bucket::USERS };
pub(super) const ASSIGNEES: Call =
    Call { endpoint: "list administrators", scope: "okta.roles.read", bucket: bucket::DEFAULT };
/// Users in one look-up: the address stays below 5,000 letters.
const LOT: usize = 100;
/// People that are kept at most: whoever comes up again after that is looked up again.
const KEPT: usize = 100_000;
const CONCURRENT: usize = 2;
/// So many look-ups in a row that fail end the looking.
const ENOUGH: u32 = 3;

/// The people of an org, as far as they came up.
pub(super) struct People<'a> {
    org: &'a Org,
    ledger: &'a Ledger,
    /// `None`: Okta does not show them.
    known: HashMap<Box<str>, Option<Person>>,
    /// Holders whom Okta does not show, and that is booked.
    hidden: HashSet<Box<str>>,
    /// Why nobody, or not everybody, can be looked up.
    gap: Option<Gap>,
    /// Nobody else is looked up.
    is_over: bool,
    in_a_row: u32,
    admins: Option<HashSet<Box<str>>>,
    admins_gap: Option<Gap>,
    roles: HashMap<Box<str>, Observed<Vec<String>>>,
    roles_are_over: bool,
}

impl<'a> People<'a> {
    /// Nobody is known yet, but who is an administrator at all.
    pub(super) async fn new(org: &'a Org, ledger: &'a Ledger) -> Result<Self> {
        let gap = ledger.skipped(FACET);
        let mut people = Self {
            org,
            ledger,
            known: HashMap::new(),
            hidden: HashSet::new(),
            is_over: gap.is_some(),
            gap,
            in_a_row: 0,
            admins: None,
            admins_gap: ledger.skipped(ADMINISTRATORS),
            roles: HashMap::new(),
            roles_are_over: false,
        };
        if let Err(error) = people.see() {
            people.give_up(&error);
        }
        if people.admins_gap.is_none() {
            let read = unless_cancelled(people.read_admins().await)?;
            if let Err(error) = read {
                people.admins_gap = Some(ledger.fail(ADMINISTRATORS, &error));
            }
        }
        Ok(people)
    }

    /// Whether the scope was granted, before anybody is looked up.
    fn see(&self) -> Result<()> {
        self.org.granted(LIST)
    }

    async fn read_admins(&mut self) -> Result<()> {
        let path = ["api", "v1", "iam", "assignees", "users"];
        let first = self.org.get(ASSIGNEES, &path, &[("limit", "100")]).await?;
        // This listing has its next page in the body.
        let paging = Paging::NextUrl(&["_links", "next", "href"]);
        let mut listing = Listing::new(self.org, first, paging);
        let mut admins = HashSet::new();
        while let Some(batch) = listing.page::<Assignees>().await? {
            let mut odd_rows = None;
            book_odd(self.ledger, ADMINISTRATORS, batch.odd, &mut odd_rows);
            self.admins_gap = self.admins_gap.take().or(odd_rows);
            admins.extend(batch.rows.into_iter().map(|row| row.id.into_boxed_str()));
        }
        if admins.is_empty() {
            let detail = "Okta lists no administrators at all, and every org has one: the scanner's role does not show them";
            let gap = Gap::new(Reason::Permission, ADMINISTRATORS, detail);
            self.ledger.lose(gap.clone(), None);
            self.admins_gap = Some(gap);
            return Ok(());
        }
        self.ledger.read(ADMINISTRATORS, admins.len() as u64);
        self.admins = Some(admins);
        Ok(())
    }

    /// Looks up whoever is not known yet, and the roles of the administrators among the holders and of `powerful`. Those who only gave
    /// something may be long gone.
    pub(super) async fn meet(
        &mut self,
        holders: &[&str],
        givers: &[&str],
        powerful: &[&str],
    ) -> Result<()> {
        if self.known.len() > KEPT {
            self.known.clear();
        }
        let mut strangers: Vec<String> = Vec::new();
        let mut seen = HashSet::new();
        for id in holders.iter().chain(givers) {
            if is_plain(id) && !self.known.contains_key(*id) && seen.insert(*id) {
                strangers.push((*id).to_owned());
            }
        }
        if !self.is_over && !strangers.is_empty() {
            self.look_up(&strangers).await?;
        }
        self.book_hidden(holders);
        self.ask_roles(holders, powerful).await
    }

    /// Books holders whom Okta does not show, each once.
    fn book_hidden(&mut self, holders: &[&str]) {
        let mut hidden = 0_u64;
        for id in holders {
            let is_hidden = matches!(self.known.get(*id), Some(None));
            if is_hidden && !self.hidden.contains(*id) {
                self.hidden.insert((*id).into());
                hidden += 1;
            }
        }
        if hidden > 0 {
            let detail = "users who hold something and whom Okta does not show: deleted meanwhile, or outside of what the scanner's role covers";
            self.ledger.lose(Gap::new(Reason::CallFailed, FACET, detail), Some(hidden));
        }
    }

    async fn look_up(&mut self, strangers: &[String]) -> Result<()> {
        let org = self.org;
        let lots: Vec<Vec<String>> = strangers.chunks(LOT).map(<[String]>::to_vec).collect();
        let mut lots = stream::iter(lots)
            .map(|lot| async move {
                let found = lot_of(org, &lot).await;
                (lot, found)
            })
            .buffered(CONCURRENT);
        while let Some((lot, found)) = lots.next().await {
            match unless_cancelled(found)? {
                Ok((users, odd_rows)) => {
                    self.in_a_row = 0;
                    self.take(&lot, users, odd_rows);
                }
                Err(error) => {
                    self.in_a_row += 1;
                    let hopeless = matches!(error.kind, ErrorKind::Forbidden | ErrorKind::Quota);
                    if hopeless || self.in_a_row >= ENOUGH {
                        if !self.is_over {
                            self.give_up(&error);
                        }
                    } else {
                        let gap = gap_of(FACET, &error);
                        self.ledger.lose(gap.clone(), Some(lot.len() as u64));
                        self.gap.get_or_insert(gap);
                    }
                }
            }
        }
        Ok(())
    }

    fn give_up(&mut self, error: &Error) {
        self.is_over = true;
        self.gap = Some(self.ledger.fail(FACET, error));
    }

    fn take(&mut self, lot: &[String], users: Vec<User>, odd_rows: u64) {
        let mut gap = None;
        book_odd(self.ledger, FACET, odd_rows, &mut gap);
        self.ledger.read(FACET, users.len() as u64);
        for user in users {
            let person = Person::of(&user);
            self.known.insert(user.id.into_boxed_str(), Some(person));
        }
        for id in lot {
            self.known.entry(id.as_str().into()).or_insert(None);
        }
    }

    async fn ask_roles(&mut self, ids: &[&str], powerful: &[&str]) -> Result<()> {
        if self.roles_are_over || self.ledger.skipped(ADMINISTRATORS).is_some() {
            return Ok(());
        }
        let is_admin =
            |id: &&&str| self.admins.as_ref().is_some_and(|admins| admins.contains(**id));
        let mut seen = HashSet::new();
        let wanted = powerful.iter().chain(ids.iter().filter(is_admin));
        let wanted =
            wanted.filter(|id| !self.roles.contains_key(**id) && is_plain(id) && seen.insert(**id));
        let wanted: Vec<String> = wanted.map(ToString::to_string).collect();
        let org = self.org;
        let mut asked = stream::iter(wanted)
            .map(|id| async move {
                let roles = roles_of(org, &id).await;
                (id, roles)
            })
            .buffered(CONCURRENT);
        while let Some((id, roles)) = asked.next().await {
            let roles = match unless_cancelled(roles)? {
                Ok(roles) if roles.is_empty() && !self.shows_roles_of(&id) => {
                    let detail = "Okta lists no role of the user, and does not show that it would";
                    let gap = Gap::new(Reason::Permission, ADMINISTRATORS, detail);
                    self.ledger.lose(gap.clone(), None);
                    Observed::Unknown(gap)
                }
                Ok(roles) => Observed::Known(roles),
                Err(error) => {
                    let gap = gap_of(ADMINISTRATORS, &error);
                    self.ledger.lose(gap.clone(), None);
                    if error.kind == ErrorKind::Forbidden {
                        self.roles_are_over = true;
                        self.admins_gap.get_or_insert(gap.clone());
                    }
                    Observed::Unknown(gap)
                }
            };
            self.roles.insert(id.into_boxed_str(), roles);
            if self.roles_are_over {
                break;
            }
        }
        Ok(())
    }

    /// Whether an empty list of a user's roles is believed: only where administrators can be seen, and this is none of them.
    fn shows_roles_of(&self, id: &str) -> bool {
        let is_whole = self.admins_gap.is_none();
        is_whole && self.admins.as_ref().is_some_and(|admins| !admins.contains(id))
    }

    /// The sign-in name of a user.
    pub(super) fn name(&self, id: &str) -> Observed<String> {
        match self.known.get(id) {
            Some(Some(person)) => person.name(),
            _ => Observed::Unknown(self.unseen(id)),
        }
    }

    /// The user behind a grant.
    pub(super) fn principal(&self, id: &str) -> Principal {
        let unseen = || Gap::clone(&self.unseen(id));
        let (status, last_login_at) = match self.known.get(id) {
            Some(Some(person)) => (person.status(), person.last_login()),
            _ => (Observed::Unknown(unseen()), Observed::Unknown(unseen())),
        };
        Principal {
            id: id.to_owned(),
            name: self.name(id),
            kind: Observed::Unknown(Gap::new(
                Reason::PlatformSilent,
                FACET,
                "Okta does not tell people and service accounts apart",
            )),
            status,
            privileges: self.privileges(id),
            last_login_at,
        }
    }

    /// The roles of a user, in Okta's words.
    pub(super) fn privileges(&self, id: &str) -> Observed<Vec<String>> {
        if let Some(roles) = self.roles.get(id) {
            return roles.clone();
        }
        if let Some(gap) = &self.admins_gap {
            return Observed::Unknown(gap.clone());
        }
        let detail = "Okta's list of administrators does not name the user; roles that come with a group are shown user by user only, which is asked for owners of API tokens";
        Observed::unknown(Reason::PlatformSilent, ADMINISTRATORS, detail)
    }

    fn unseen(&self, id: &str) -> Gap {
        let detail = "Okta does not show this user";
        match &self.gap {
            Some(gap) if !self.known.contains_key(id) => gap.clone(),
            _ => Gap::new(Reason::CallFailed, FACET, detail),
        }
    }

    /// Everybody who came up was looked up, or booked as a loss. `is_whole`: everything that somebody holds was read.
    pub(super) fn finish(&self, is_whole: bool) {
        if !is_whole && self.ledger.skipped(FACET).is_none() {
            let detail = "what some of them hold could not be read, so they did not come up";
            self.ledger.lose(Gap::new(Reason::CallFailed, FACET, detail), None);
        }
        for facet in [FACET, ADMINISTRATORS] {
            if self.ledger.skipped(facet).is_none() {
                self.ledger.settle(facet);
            }
        }
    }
}

/// Looks up users by id. A lot that Okta finds too long is asked for in halves.
async fn lot_of(org: &Org, lot: &[String]) -> Result<(Vec<User>, u64)> {
    let (mut users, mut odd_rows) = (Vec::new(), 0);
    let mut open = vec![lot];
    while let Some(part) = open.pop() {
        match part_of(org, part).await {
            Ok((more, odd_more)) => {
                users.extend(more);
                odd_rows += odd_more;
            }
            Err(error) if error.kind == ErrorKind::InvalidRequest && part.len() > 1 => {
                let (left, right) = part.split_at(part.len() / 2);
                open.extend([right, left]);
            }
            Err(error) => return Err(error),
        }
    }
    Ok((users, odd_rows))
}

async fn part_of(org: &Org, part: &[String]) -> Result<(Vec<User>, u64)> {
    let filter: Vec<String> = part.iter().map(|id| format!("id eq \"{id}\"")).collect();
    let filter = filter.join(" or ");
    let query = [("limit", "200"), ("filter", filter.as_str())];
    let listing = Listing::of(org, LIST, &["api", "v1", "users"], &query).await?;
    let batch = listing.all::<User>().await?;
    let wanted: HashSet<&str> = part.iter().map(String::as_str).collect();
    // A filter that was not heeded gives everybody: whoever was not asked for is not taken.
    let asked_for = batch.rows.into_iter().filter(|user| wanted.contains(user.id.as_str()));
    Ok((asked_for.collect(), batch.odd))
}

async fn roles_of(org: &Org, id: &str) -> Result<Vec<String>> {
    let path = ["api", "v1", "users", id, "roles"];
    let batch = Listing::of(org, USER_ROLES, &path, &[]).await?.all::<Role>().await?;
    if batch.odd > 0 {
        return Err(Error::new(ErrorKind::Malformed, "a role has a form that is not known"));
    }
    batch.rows.iter().filter(|role| is_live(role)).map(name_of).collect()
}

/// What is not told to be off may be on.
pub(super) fn is_live(role: &Role) -> bool {
    role.status.given().is_none_or(|status| status != "INACTIVE")
}

/// The type of a role; of a custom one also what the customer calls it.
pub(super) fn name_of(role: &Role) -> Result<String> {
    let label = role.label.given().map_or(role.id.as_str(), String::as_str);
    match role.kind.given().map(String::as_str) {
        Some("CUSTOM") => Ok(format!("CUSTOM: {label}")),
        Some(kind) => Ok(kind.to_owned()),
        None => Err(Error::new(ErrorKind::Malformed, "Okta gave a role without its type")),
    }
}

/// Whether an id can stand in a filter.
pub(super) fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
