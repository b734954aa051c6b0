//! When apps and their credentials were last used, from two beta reports. They belong to the global cloud and may be missing.

use std::collections::HashMap;

use grantwarden_kit::{
    error::{ErrorKind, Result},
    ledger::{Ledger, gap_of},
    model::{Gap, Observed, Reason, Timestamp},
};
use serde::de::DeserializeOwned;

use super::rows::book_odd;
use crate::{
    api::{CredentialActivity, Page, SignInActivities, SignInActivity},
    graph::{self, Graph, RESTARTS},
    rights::{Area, Claims},
};

pub(super) const SIGN_INS: &str = "sign-ins";
pub(super) const CREDENTIALS: &str = "credential-sign-ins";
const SIGN_IN_REPORT: &str = "reports/servicePrincipalSignInActivities";
const CREDENTIAL_REPORT: &str = "reports/appCredentialSignInActivities";

/// Last use of one app as a client.
#[derive(Clone, Copy)]
struct Uses {
    for_users: Use,
    as_itself: Use,
}

#[derive(Clone, Copy)]
enum Use {
    /// The report has no date. It does not say how far back it goes, so that this is not "never".
    Untold,
    At(Timestamp),
    Unreadable,
}

impl Use {
    fn of(activity: Option<&SignInActivity>) -> Self {
        match activity.and_then(|activity| activity.last_sign_in_date_time.as_deref()) {
            None => Self::Untold,
            Some(text) => moment(text).map_or(Self::Unreadable, Self::At),
        }
    }

    /// Of two rows on the same thing: the later, unless one cannot be read.
    fn or_later(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unreadable, _) | (_, Self::Unreadable) => Self::Unreadable,
            (Self::At(one), Self::At(other)) => Self::At(one.max(other)),
            (at @ Self::At(_), Self::Untold) | (Self::Untold, at @ Self::At(_)) => at,
            (Self::Untold, Self::Untold) => Self::Untold,
        }
    }

    fn observed(self, facet: &str) -> Observed<Timestamp> {
        match self {
            Self::Untold => Observed::unknown(
                Reason::PlatformSilent,
                facet,
                "the report has no date, and does not say how far back it goes",
            ),
            Self::At(at) => Observed::Known(at),
            Self::Unreadable => Observed::unknown(
                Reason::CallFailed,
                facet,
                "the report has a time in a form that is not known",
            ),
        }
    }
}

/// Last use of apps, by client id.
pub(super) struct AppUse(Observed<HashMap<Box<str>, Uses>>);

impl AppUse {
    pub(super) async fn read(graph: &Graph, ledger: &Ledger, claims: &Claims) -> Self {
        let mut uses: HashMap<Box<str>, Uses> = HashMap::new();
        let gap =
            report(graph, ledger, claims, SIGN_INS, SIGN_IN_REPORT, |row: SignInActivities| {
                let Some(app) = row.app_id else { return false };
                let for_users = Use::of(row.delegated_client_sign_in_activity.as_ref());
                let activity = row.application_authentication_client_sign_in_activity;
                let as_itself = Use::of(activity.as_ref());
                let now = Uses { for_users, as_itself };
                uses.entry(app.to_lowercase().into())
                    .and_modify(|old: &mut Uses| {
                        old.for_users = old.for_users.or_later(now.for_users);
                        old.as_itself = old.as_itself.or_later(now.as_itself);
                    })
                    .or_insert(now);
                true
            })
            .await;
        Self(gap.map_or(Observed::Known(uses), Observed::Unknown))
    }

    /// When the app last signed a user in.
    pub(super) fn for_users(&self, app_id: Option<&str>) -> Observed<Timestamp> {
        self.of(app_id, |uses| uses.for_users)
    }

    /// When the app last signed in as itself.
    pub(super) fn as_itself(&self, app_id: Option<&str>) -> Observed<Timestamp> {
        self.of(app_id, |uses| uses.as_itself)
    }

    fn of(&self, app_id: Option<&str>, pick: impl Fn(&Uses) -> Use) -> Observed<Timestamp> {
        match &self.0 {
            Observed::Unknown(gap) => Observed::Unknown(gap.clone()),
            Observed::Absent => Observed::Absent,
            Observed::Known(uses) => {
                match app_id.and_then(|id| uses.get(id.to_lowercase().as_str())) {
                    Some(uses) => pick(uses).observed(SIGN_INS),
                    // Not in the list is not "never": nobody says how far back the report goes.
                    None => Observed::unknown(
                        Reason::PlatformSilent,
                        SIGN_INS,
                        "the report of sign-ins does not list the app",
                    ),
                }
            }
        }
    }
}

/// Last use of credentials, by key id.
pub(super) struct CredentialUse(Observed<HashMap<Box<str>, Use>>);

impl CredentialUse {
    pub(super) async fn read(graph: &Graph, ledger: &Ledger, claims: &Claims) -> Self {
        let mut uses: HashMap<Box<str>, Use> = HashMap::new();
        let gap = report(
            graph,
            ledger,
            claims,
            CREDENTIALS,
            CREDENTIAL_REPORT,
            |row: CredentialActivity| {
                let Some(key) = row.key_id else { return false };
                let now = Use::of(row.sign_in_activity.as_ref());
                // One row for each resource that the credential was used for.
                uses.entry(key.to_lowercase().into())
                    .and_modify(|old: &mut Use| *old = old.or_later(now))
                    .or_insert(now);
                true
            },
        )
        .await;
        Self(gap.map_or(Observed::Known(uses), Observed::Unknown))
    }

    /// When a credential was last used.
    pub(super) fn of(&self, key_id: Option<&str>) -> Observed<Timestamp> {
        match &self.0 {
            Observed::Unknown(gap) => Observed::Unknown(gap.clone()),
            Observed::Absent => Observed::Absent,
            Observed::Known(uses) => {
                match key_id.and_then(|id| uses.get(id.to_lowercase().as_str())) {
                    Some(used) => used.observed(CREDENTIALS),
                    None => Observed::unknown(
                        Reason::PlatformSilent,
                        CREDENTIALS,
                        "the report of credential use does not list the credential",
                    ),
                }
            }
        }
    }
}

/// Reads a report to its end. `take` says whether it could use the row. The gap, if the report is not whole.
async fn report<T: DeserializeOwned>(
    graph: &Graph,
    ledger: &Ledger,
    claims: &Claims,
    facet: &'static str,
    path: &'static str,
    mut take: impl FnMut(T) -> bool,
) -> Option<Gap> {
    if let Some(gap) = ledger.skipped(facet) {
        return Some(gap);
    }
    let mut odd = 0;
    let read = async {
        claims.allow(Area::Reports)?;
        let first = graph.report(graph::SIGN_IN_REPORT, "beta", path, "$top=999")?;
        let mut pages = graph.pages(&first);
        let (mut read, mut restarts) = (0, 0);
        loop {
            match pages.next::<Page<T>>().await {
                Ok(None) => return Ok(read),
                Ok(Some(page)) => {
                    for row in page.value {
                        if row.good().is_some_and(&mut take) {
                            read += 1;
                        } else {
                            odd += 1;
                        }
                    }
                }
                Err(error) if error.kind == ErrorKind::PageExpired && restarts < RESTARTS => {
                    restarts += 1;
                    read = 0;
                    pages = graph.pages(&first);
                }
                Err(error) => return Err(graph.explain(first.endpoint, error)),
            }
        }
    };
    let read: Result<u64> = read.await;
    ledger.settle(facet);
    match read {
        Ok(read) => {
            ledger.read(facet, read);
            book_odd(ledger, facet, odd)
        }
        Err(error) => Some(book(ledger, facet, &error)),
    }
}

/// Books a report that could not be read. One that the cloud does not have is not a failure.
pub(super) fn book(ledger: &Ledger, facet: &str, error: &grantwarden_kit::error::Error) -> Gap {
    let mut gap = gap_of(facet, error);
    if error.kind == ErrorKind::Unsupported {
        gap.reason = Reason::PlatformSilent;
    }
    ledger.lose(gap.clone(), None);
    gap
}

/// A time as the reports write it: documents show offsets such as `-8:00`.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let (rest, hours) = text.rsplit_once(['+', '-']).filter(|(rest, _)| rest.contains('T'))?;
    let sign = text.get(rest.len()..rest.len() + 1)?;
    let (hour, minute) = hours.split_once(':')?;
    format!("{rest}{sign}{hour:0>2}:{minute}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_offsets_of_the_documents() {
        let expected = "2021-03-01T08:00:00Z".parse().ok();
        assert_eq!(moment("2021-03-01T00:00:00-8:00"), expected);
        assert_eq!(moment("2021-03-01T00:00:00-08:00"), expected);
        assert_eq!(moment("2021-03-01T08:00:00Z"), expected);
        assert_eq!(moment("soon"), None);
    }
}
