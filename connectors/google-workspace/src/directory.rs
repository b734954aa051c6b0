//! The Directory API: users, their grants and their app passwords. What a listing means for a scan is not decided here.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    http::{Pages, Request},
    model::Timestamp,
};
use serde::de::DeserializeOwned;

use crate::{
    access::Purpose,
    account::{Account, RESTARTS},
    api::{Asp, Items, Token, User, UsersPage},
};

const LIST_USERS: &str = "list users";
const USER_FIELDS: &str = "id,primaryEmail,suspended,archived,isAdmin,isDelegatedAdmin,isEnrolledIn2Sv,lastLoginTime,creationTime,customerId";

/// All users, page by page, each once: in the order of their addresses, which is the same in the next scan.
pub(crate) struct UserListing<'a> {
    account: &'a Account,
    size: u32,
    pages: Option<Pages<'a>>,
    restarts: u32,
    /// Users that were given, as hashes of their ids.
    given: HashSet<u64>,
    hasher: RandomState,
}

/// Users of one page.
#[derive(Debug, Default)]
pub(crate) struct UserPage {
    pub(crate) users: Vec<User>,
    /// Rows that could not be read.
    pub(crate) unreadable: u64,
}

impl<'a> UserListing<'a> {
    /// Starts a listing with so many users on a page; Google takes 500.
    pub(crate) fn new(account: &'a Account, size: u32) -> Self {
        Self {
            account,
            size,
            pages: None,
            restarts: 0,
            given: HashSet::new(),
            hasher: RandomState::new(),
        }
    }

    /// The next page; `None` after the last. A page token that is not taken any more begins the listing anew.
    pub(crate) async fn next(&mut self) -> Result<Option<UserPage>> {
        loop {
            let first = self.first()?;
            let pages = match &mut self.pages {
                Some(pages) => pages,
                none => none.insert(self.account.pages(Purpose::Users, first)?),
            };
            match pages.next::<UsersPage>().await {
                Ok(Some(page)) if page.kind.is_none() && page.users.is_empty() => {
                    let message = "the answer is neither a page of users nor an empty one";
                    let error = Error::new(ErrorKind::Malformed, message);
                    return Err(self.account.explain(Purpose::Users, LIST_USERS, error));
                }
                Ok(Some(page)) => return Ok(Some(self.read(page))),
                Ok(None) => return Ok(None),
                Err(error) if error.kind == ErrorKind::PageExpired && self.restarts < RESTARTS => {
                    self.restarts += 1;
                    self.pages = None;
                }
                Err(error) => {
                    return Err(self.account.explain(Purpose::Users, LIST_USERS, error));
                }
            }
        }
    }

    fn first(&self) -> Result<Request> {
        let mut url = self.account.url(Purpose::Users, &["admin", "directory", "v1", "users"])?;
        url.query_pairs_mut()
            .append_pair("customer", self.account.customer())
            .append_pair("maxResults", &self.size.to_string())
            .append_pair("orderBy", "email")
            .append_pair("fields", &format!("kind,nextPageToken,users({USER_FIELDS})"))
            .append_pair("prettyPrint", "false");
        Ok(Request::get(LIST_USERS, url))
    }

    fn read(&mut self, page: UsersPage) -> UserPage {
        let mut read = UserPage::default();
        for row in page.users {
            match serde_json::from_value::<User>(row) {
                Ok(user) => {
                    if self.given.insert(self.hasher.hash_one(&user.id)) {
                        read.users.push(user);
                    }
                }
                Err(_) => read.unreadable += 1,
            }
        }
        read
    }
}

/// How many users were deleted since a time. Google shows deleted users for 20 days.
pub(crate) async fn deleted_since(account: &Account, from: Timestamp) -> Result<u64> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Deleted {
        deletion_time: Option<String>,
    }
    const ENDPOINT: &str = "list deleted users";
    let mut url = directory(account, Purpose::Users, &["users"])?;
    url.query_pairs_mut()
        .append_pair("customer", account.customer())
        .append_pair("maxResults", "500")
        .append_pair("showDeleted", "true")
        .append_pair("fields", "nextPageToken,users(deletionTime)")
        .append_pair("prettyPrint", "false");
    let mut pages = account.pages(Purpose::Users, Request::get(ENDPOINT, url))?;
    let mut deleted = 0;
    let explain = |error| account.explain(Purpose::Users, ENDPOINT, error);
    while let Some(page) = pages.next::<UsersPage>().await.map_err(explain)? {
        let times = page.users.into_iter().filter_map(|row| {
            serde_json::from_value::<Deleted>(row).ok()?.deletion_time?.parse().ok()
        });
        deleted += times.filter(|at: &Timestamp| *at >= from).count() as u64;
    }
    Ok(deleted)
}

/// What a list that is not paged holds.
#[derive(Debug)]
pub(crate) struct Listed<T> {
    pub(crate) rows: Vec<T>,
    /// Rows that could not be read.
    pub(crate) unreadable: u64,
}

#[cfg(feature = "revoke")]
impl<T> Listed<T> {
    /// Whether a row is there; `None` if it may be one that cannot be read.
    pub(crate) fn has(&self, is: impl Fn(&T) -> Option<bool>) -> Option<bool> {
        let rows: Vec<Option<bool>> = self.rows.iter().map(is).collect();
        if rows.contains(&Some(true)) {
            return Some(true);
        }
        (self.unreadable == 0 && !rows.contains(&None)).then_some(false)
    }
}

/// The grants of one user.
pub(crate) async fn tokens(account: &Account, user: &str) -> Result<Listed<Token>> {
    let fields = "kind,items(clientId,displayText,anonymous,nativeApp,scopes)";
    items(account, "list grants", &["users", user, "tokens"], fields).await
}

/// The app passwords of one user.
pub(crate) async fn asps(account: &Account, user: &str) -> Result<Listed<Asp>> {
    let fields = "kind,items(codeId,name,creationTime,lastTimeUsed)";
    items(account, "list app passwords", &["users", user, "asps"], fields).await
}

async fn items<T: DeserializeOwned>(
    account: &Account,
    endpoint: &'static str,
    path: &[&str],
    fields: &str,
) -> Result<Listed<T>> {
    let mut url = directory(account, Purpose::Security, path)?;
    url.query_pairs_mut().append_pair("fields", fields).append_pair("prettyPrint", "false");
    let list: Items = account.ask(Purpose::Security, &Request::get(endpoint, url)).await?;
    if list.kind.is_none() && list.items.is_none() {
        let message = "the answer is neither a list nor an empty list";
        let error = Error::new(ErrorKind::Malformed, message);
        return Err(account.explain(Purpose::Security, endpoint, error));
    }
    let mut listed = Listed { rows: Vec::new(), unreadable: 0 };
    for row in list.items.unwrap_or_default() {
        match serde_json::from_value(row) {
            Ok(row) => listed.rows.push(row),
            Err(_) => listed.unreadable += 1,
        }
    }
    Ok(listed)
}

/// One user by id or address; `None` if the account has no such user.
pub(crate) async fn user(account: &Account, key: &str) -> Result<Option<User>> {
    let mut url = directory(account, Purpose::Users, &["users", key])?;
    url.query_pairs_mut().append_pair("fields", USER_FIELDS).append_pair("prettyPrint", "false");
    match account.ask(Purpose::Users, &Request::get("get user", url)).await {
        Ok(user) => Ok(Some(user)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// An address of the Directory API.
pub(crate) fn directory(account: &Account, purpose: Purpose, path: &[&str]) -> Result<url::Url> {
    let path: Vec<&str> =
        ["admin", "directory", "v1"].into_iter().chain(path.iter().copied()).collect();
    account.url(purpose, &path)
}
