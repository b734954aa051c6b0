//! The users behind grants, looked up a thousand at a time.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    http::{Body, Request},
    ledger::{Ledger, gap_of},
    model::{Gap, Observed, Principal, PrincipalStatus, Reason},
};
use serde_json::json;

use super::roles::Roles;
use crate::{
    api::{Page, Row, User},
    graph::{Graph, is_guid, is_not_there},
    rights::{Area, Claims},
};

pub(super) const FACET: &str = "users";
/// Ids in one look-up: <https://learn.microsoft.com/en-us/graph/api/directoryobject-getbyids>
pub(super) const MOST_IDS: usize = 1_000;
const SELECT: &str = "$select=id,userPrincipalName,accountEnabled";
/// Users that are kept in mind; more are looked up again.
const MOST_KEPT: usize = 200_000;

/// What is kept of a user.
enum Person {
    Found {
        name: Option<Box<str>>,
        enabled: Option<bool>,
    },
    /// The directory does not have such a user.
    Gone,
    /// The look-up failed.
    Unknown(Arc<Gap>),
}

/// Users by object id.
pub(super) struct People<'a> {
    graph: &'a Graph,
    ledger: &'a Ledger,
    known: HashMap<Box<str>, Person>,
    /// Why no further look-up is made.
    refused: Option<Arc<Gap>>,
    /// `$select` is taken; Graph's documents have changed their mind about it.
    selects: bool,
}

impl<'a> People<'a> {
    pub(super) fn new(graph: &'a Graph, ledger: &'a Ledger, claims: &Claims) -> Self {
        let refused = ledger.skipped(FACET).or_else(|| {
            ledger.settle(FACET);
            claims.allow(Area::Users).err().map(|error| ledger.fail(FACET, &error))
        });
        Self { graph, ledger, known: HashMap::new(), refused: refused.map(Arc::new), selects: true }
    }

    /// Whether a user must be looked up first.
    pub(super) fn lacks(&self, id: &str) -> bool {
        self.refused.is_none() && !self.known.contains_key(key(id).as_ref())
    }

    /// Looks users up; at most [`MOST_IDS`].
    pub(super) async fn look_up(&mut self, ids: Vec<Box<str>>) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        if self.known.len() + ids.len() > MOST_KEPT {
            self.known.clear();
        }
        match self.find(&ids).await {
            Ok((found, odd)) => {
                self.ledger.read(FACET, found.len() as u64);
                let lost = (odd > 0).then(|| {
                    let detail = "a user is not what the API promises";
                    let gap = Gap::new(Reason::CallFailed, FACET, detail);
                    self.ledger.lose(gap.clone(), Some(odd));
                    Arc::new(gap)
                });
                let mut missing: BTreeMap<Box<str>, Box<str>> =
                    ids.into_iter().map(|id| (key(&id).into(), id)).collect();
                for user in found {
                    missing.remove(key(&user.id).as_ref());
                    self.keep(user);
                }
                match lost {
                    // If a row was lost, it may be any of those.
                    Some(gap) => {
                        for id in missing.into_keys() {
                            self.known.insert(id, Person::Unknown(Arc::clone(&gap)));
                        }
                        Ok(())
                    }
                    None => self.ask_one_by_one(missing).await,
                }
            }
            Err(error) if error.kind == ErrorKind::Cancelled => Err(error),
            Err(error) => {
                let gap = gap_of(FACET, &error);
                self.ledger.lose(gap.clone(), Some(ids.len() as u64));
                let gap = Arc::new(gap);
                if !may_pass(error.kind) {
                    self.refused = Some(Arc::clone(&gap));
                }
                for id in ids {
                    self.known.insert(key(&id).into(), Person::Unknown(Arc::clone(&gap)));
                }
                Ok(())
            }
        }
    }

    fn keep(&mut self, user: User) {
        let name = user.user_principal_name.map(String::into_boxed_str);
        let person = Person::Found { name, enabled: user.account_enabled };
        self.known.insert(key(&user.id).into(), person);
    }

    /// Asked for and not given is no proof that a user is gone: each is asked for by its own address, too.
    async fn ask_one_by_one(&mut self, missing: BTreeMap<Box<str>, Box<str>>) -> Result<()> {
        let (users, others): (Vec<_>, Vec<_>) =
            missing.into_iter().partition(|(_, id)| is_guid(id));
        for (key, _) in others {
            let message = "a grant names a user by something that is no id";
            self.lose(key, &Error::new(ErrorKind::Malformed, message));
        }
        let one = |(_, id): &(Box<str>, Box<str>)| {
            self.graph.get("look for a user", &format!("users/{id}"), SELECT)
        };
        let requests: Vec<Request> = users.iter().map(one).collect::<Result<_>>()?;
        let replies = self.graph.send_batch(&requests).await;
        for ((key, _), (request, reply)) in users.into_iter().zip(requests.iter().zip(replies)) {
            let user = reply.and_then(|reply| self.graph.decode::<User>(request, &reply));
            match user {
                Ok(user) if user.id.eq_ignore_ascii_case(&key) => {
                    self.ledger.read(FACET, 1);
                    self.keep(user);
                }
                Ok(_) => self.lose(key, &another_user()),
                Err(error) if is_not_there(&error) => {
                    self.known.insert(key, Person::Gone);
                }
                Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
                Err(error) => self.lose(key, &error),
            }
        }
        Ok(())
    }

    fn lose(&mut self, key: Box<str>, error: &Error) {
        let gap = gap_of(FACET, error);
        self.ledger.lose(gap.clone(), Some(1));
        self.known.insert(key, Person::Unknown(Arc::new(gap)));
    }

    async fn find(&mut self, ids: &[Box<str>]) -> Result<(Vec<User>, u64)> {
        let first = match self.ask(ids).await {
            Err(error) if error.kind == ErrorKind::InvalidRequest && self.selects => {
                self.selects = false;
                self.ask(ids).await?
            }
            other => other?,
        };
        let (base, mut page) = first;
        let (mut found, mut odd, mut pages) = (Vec::new(), 0, 0);
        loop {
            let count = page.value.len();
            let before = found.len();
            found.extend(page.value.into_iter().filter_map(Row::good));
            odd += (count - (found.len() - before)) as u64;
            let Some(link) = page.next else { return Ok((found, odd)) };
            pages += 1;
            if pages > MOST_IDS {
                let error = Error::new(ErrorKind::Malformed, "the listing does not end");
                return Err(self.graph.explain(base.endpoint, error));
            }
            let next = self.graph.follow(&base, &link)?;
            page = self.graph.read(&Request::get(base.endpoint, next.url)).await?;
        }
    }

    async fn ask(&self, ids: &[Box<str>]) -> Result<(Request, Page<User>)> {
        let query = if self.selects { SELECT } else { "" };
        let url = self.graph.url("v1.0", "directoryObjects/getByIds", query)?;
        let body = Body::Json(json!({ "ids": ids, "types": ["user"] }).into());
        // It reads, although it is a POST.
        let request = Request::post("look up users", url, body).repeatable();
        let page = self.graph.read(&request).await?;
        Ok((request, page))
    }

    /// The principal record of a user.
    pub(super) fn principal(&self, id: &str, roles: &Roles) -> Principal {
        fn silent<T>(detail: &str) -> Observed<T> {
            Observed::unknown(Reason::PlatformSilent, FACET, detail)
        }
        let unknown = |gap: &Gap| (Observed::Unknown(gap.clone()), Observed::Unknown(gap.clone()));
        let (name, status) = match (self.known.get(key(id).as_ref()), &self.refused) {
            (Some(Person::Found { name, enabled }), _) => (
                match name {
                    Some(name) => Observed::Known(name.to_string()),
                    None => silent("Graph does not tell the user's sign-in name"),
                },
                match enabled {
                    Some(true) => Observed::Known(PrincipalStatus::Active),
                    Some(false) => Observed::Known(PrincipalStatus::Suspended),
                    None => silent("Graph does not tell whether the account is enabled"),
                },
            ),
            (Some(Person::Gone), _) => {
                (Observed::Absent, Observed::Known(PrincipalStatus::Deleted))
            }
            (Some(Person::Unknown(gap)), _) => unknown(gap),
            (None, Some(gap)) => unknown(gap),
            (None, None) => {
                (silent("the user was not looked up"), silent("the user was not looked up"))
            }
        };
        let is_gone = status.known() == Some(&PrincipalStatus::Deleted);
        Principal {
            id: id.to_owned(),
            name,
            kind: silent("Entra does not mark accounts that exist for programs"),
            status,
            privileges: if is_gone { Observed::Absent } else { roles.of_user(id) },
            last_login_at: silent("sign-in times of users are not read"),
        }
    }
}

/// Ids are the same in either case.
fn key(id: &str) -> Cow<'_, str> {
    if id.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(id.to_ascii_lowercase())
    } else {
        Cow::Borrowed(id)
    }
}

fn another_user() -> Error {
    Error::new(ErrorKind::Malformed, "Graph gives another user than the one that was asked for")
}

/// Whether asking again later may help.
const fn may_pass(kind: ErrorKind) -> bool {
    !matches!(
        kind,
        ErrorKind::Forbidden
            | ErrorKind::Unauthorized
            | ErrorKind::SignIn
            | ErrorKind::Licence
            | ErrorKind::Unsupported
            | ErrorKind::ForeignHost
            | ErrorKind::Quota
    )
}
