//! Custom authorization servers: for how long their rules let tokens live. Only what the rules prove is said.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use grantwarden_kit::{
    error::{Error, ErrorKind},
    ledger::{Ledger, gap_of},
    model::{Expiry, Gap, Observed, Reason, RefreshPolicy},
};

use super::{
    listed::{self, Listed},
    standing::{Doubtful, Shown, Standing},
};
use crate::{
    api::{AuthorizationServer, Policy, Rule, TokenLife},
    listing::Listing,
    org::{Call, Org, bucket, is_not_there},
    told::{Told, untold},
};

pub(super) const FACET: &str = "authorization-servers";
pub(super) const LIST: Call = Call {
    endpoint: "list authorization servers",
    scope: "okta.authorizationServers.read",
    bucket: bucket::DEFAULT,
};
pub(super) const DOUBTFUL: Doubtful =
    Doubtful { facet: FACET, what: "authorization servers", shown: Shown::Readers };
const POLICIES: Call = Call { endpoint: "list policies of an authorization server", ..LIST };
const RULES: Call = Call { endpoint: "list rules of a policy", ..LIST };
/// The org's own authorization server: <https://developer.okta.com/docs/concepts/auth-servers/>
pub(super) const ORG_ACCESS: Duration = Duration::from_secs(3_600);
/// A policy for every client.
const EVERYBODY: &str = "ALL_CLIENTS";
const CONCURRENT: usize = 2;

/// What the custom authorization servers of an org allow.
pub(super) struct Lifetimes {
    servers: Vec<Server>,
    /// Why some of it is not known.
    gap: Option<Gap>,
}

struct Server {
    issuer: Told<String>,
    policies: Vec<ClientPolicy>,
}

struct ClientPolicy {
    /// `None`: not told, so it may be for anybody.
    clients: Option<Vec<String>>,
    rules: Vec<Told<TokenLife>>,
}

impl ClientPolicy {
    fn is_for(&self, client_id: &str) -> bool {
        let names = |id: &String| id == EVERYBODY || id == client_id;
        self.clients.as_ref().is_none_or(|clients| clients.iter().any(names))
    }
}

impl Lifetimes {
    pub(super) async fn read(org: &Org, ledger: &Ledger, standing: &Standing<'_>) -> Self {
        if let Some(gap) = ledger.skipped(FACET) {
            return Self { servers: Vec::new(), gap: Some(gap) };
        }
        let path = ["api", "v1", "authorizationServers"];
        let first = Listing::of(org, LIST, &path, &[("limit", "200")]).await;
        let all = match first {
            Ok(listing) => listing.all::<AuthorizationServer>().await,
            Err(error) => Err(error),
        };
        let mut lifetimes = Self { servers: Vec::new(), gap: None };
        match all {
            Err(error) => lifetimes.lose(ledger, gap_of(FACET, &without_product(error))),
            Ok(batch) => {
                listed::book_odd(ledger, FACET, batch.odd, &mut lifetimes.gap);
                if batch.rows.is_empty() && batch.odd == 0 {
                    lifetimes.gap = standing.believe_empty(ledger, DOUBTFUL).await;
                }
                ledger.read(FACET, batch.rows.len() as u64);
                lifetimes.fill(org, ledger, batch.rows).await;
            }
        }
        ledger.settle(FACET);
        lifetimes
    }

    /// Books a loss, after which nothing can be proven of what is missing.
    fn lose(&mut self, ledger: &Ledger, gap: Gap) {
        ledger.lose(gap.clone(), None);
        self.gap.get_or_insert(gap);
    }

    async fn fill(&mut self, org: &Org, ledger: &Ledger, servers: Vec<AuthorizationServer>) {
        let live = servers.into_iter().filter(|server| is_live(&server.status));
        let mut read = stream::iter(live)
            .map(|server| async move {
                let mut lost = None;
                let policies = policies(org, ledger, &server, &mut lost).await;
                (Server { issuer: server.issuer, policies }, lost)
            })
            .buffered(CONCURRENT);
        while let Some((server, lost)) = read.next().await {
            self.servers.push(server);
            if let Some(gap) = lost {
                self.gap.get_or_insert(gap);
            }
        }
    }

    /// How long one access token of a client lives: the longest that any server allows.
    pub(super) fn access(&self, client_id: &str) -> Observed<Duration> {
        if let Some(gap) = &self.gap {
            return Observed::Unknown(gap.clone());
        }
        let mut longest = ORG_ACCESS;
        for life in self.lives(client_id) {
            match life.field(|life| &life.access_token_lifetime_minutes) {
                Told::Given(minutes) => longest = longest.max(span(*minutes)),
                _ => return Observed::Unknown(untold(FACET, "how long access tokens live")),
            }
        }
        Observed::Known(longest)
    }

    /// What ends a refresh token of a client, as far as custom servers tell. The org's own server has no setting that can be read.
    pub(super) fn refresh(&self, client_id: &str) -> Observed<RefreshPolicy> {
        let silent = || {
            Observed::unknown(
                Reason::PlatformSilent,
                FACET,
                "Okta does not tell how long refresh tokens of the org's own authorization server live; each token tells its own end",
            )
        };
        // `None` in it: not even a pause ends them.
        let mut unlimited: Option<Option<Duration>> = None;
        for idle in self.lives(client_id).filter_map(without_end) {
            unlimited = Some(match unlimited {
                None => idle,
                Some(longest) => longest.zip(idle).map(|(a, b)| a.max(b)),
            });
        }
        match unlimited {
            // One server that lets them live for ever is enough.
            Some(Some(idle)) => Observed::Known(RefreshPolicy::Idle(idle)),
            Some(None) => Observed::Known(RefreshPolicy::Never),
            None => match &self.gap {
                Some(gap) => Observed::Unknown(gap.clone()),
                None => silent(),
            },
        }
    }

    /// When a refresh token ends of which Okta tells no end: if the server that issued it has rules for this client that all let tokens
    /// live without end.
    pub(super) fn end(&self, issuer: Option<&str>, client_id: &str) -> Option<Expiry> {
        let issued_by = server_of(issuer?)?;
        let server = self.servers.iter().find(|server| {
            server.issuer.given().is_some_and(|known| server_of(known) == Some(issued_by))
        })?;
        let ends: Option<Vec<Option<Duration>>> =
            lives_of(server, client_id).map(without_end).collect();
        // Whatever rule it came by: the longest pause that any of them forgives.
        let longest = ends?.into_iter().reduce(|a, b| a.zip(b).map(|(a, b)| a.max(b)))?;
        Some(longest.map_or(Expiry::Never, Expiry::Idle))
    }

    fn lives<'a>(&'a self, client_id: &'a str) -> impl Iterator<Item = &'a Told<TokenLife>> {
        self.servers.iter().flat_map(move |server| lives_of(server, client_id))
    }
}

fn lives_of<'a>(
    server: &'a Server,
    client_id: &'a str,
) -> impl Iterator<Item = &'a Told<TokenLife>> {
    let policies = server.policies.iter().filter(move |policy| policy.is_for(client_id));
    policies.flat_map(|policy| policy.rules.iter())
}

/// Whether a rule lets refresh tokens live without end, and after which pause they end all the same.
fn without_end(life: &Told<TokenLife>) -> Option<Option<Duration>> {
    let life = life.given()?;
    if life.refresh_token_lifetime_minutes.given() != Some(&0) {
        return None;
    }
    match &life.refresh_token_window_minutes {
        Told::Given(0) | Told::Null => Some(None),
        Told::Given(minutes) => Some(Some(span(*minutes))),
        Told::Missing | Told::Odd => None,
    }
}

/// An org that has not bought the product gives "not found" for the whole listing.
pub(super) fn without_product(error: Error) -> Error {
    if !is_not_there(&error) {
        return error;
    }
    let message = "the org has no custom authorization servers: they take API Access Management";
    Error::new(ErrorKind::Licence, message)
}

const fn span(minutes: u64) -> Duration {
    Duration::from_secs(minutes.saturating_mul(60))
}

/// What is not told to be off may be on.
fn is_live(status: &Told<String>) -> bool {
    status.given().is_none_or(|status| status != "INACTIVE")
}

async fn policies(
    org: &Org,
    ledger: &Ledger,
    server: &AuthorizationServer,
    lost: &mut Option<Gap>,
) -> Vec<ClientPolicy> {
    let path = ["api", "v1", "authorizationServers", &server.id, "policies"];
    let Listed { rows, gap } =
        listed::read::<Policy>(org, ledger, FACET, POLICIES, &path, &[]).await;
    keep(lost, gap);
    let mut policies = Vec::new();
    for policy in rows.into_iter().filter(|policy| is_live(&policy.status)) {
        let path = [&path[..], &[policy.id.as_str(), "rules"]].concat();
        let Listed { rows, gap } =
            listed::read::<Rule>(org, ledger, FACET, RULES, &path, &[]).await;
        keep(lost, gap);
        let rules = rows.into_iter().filter(|rule| is_live(&rule.status));
        let clients = policy.conditions.field(|conditions| &conditions.clients);
        policies.push(ClientPolicy {
            clients: clients.field(|clients| &clients.include).given().cloned(),
            rules: rules
                .map(|rule| match rule.actions {
                    Told::Given(actions) => actions.token,
                    _ => Told::Missing,
                })
                .collect(),
        });
    }
    policies
}

fn keep(first: &mut Option<Gap>, gap: Option<Gap>) {
    if first.is_none() {
        *first = gap;
    }
}

/// The last part of a custom authorization server's address: `aus…`, `default`. `None` for the org itself, whose address has no path: it
/// may be any of the org's domains.
pub(super) fn server_of(issuer: &str) -> Option<&str> {
    let (_, server) = issuer.trim_end_matches('/').split_once("/oauth2/")?;
    Some(server).filter(|server| !server.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(rules: &[&str]) -> Lifetimes {
        let rules = rules.iter().map(|rule| serde_json::from_str(rule).unwrap()).collect();
        let policy = ClientPolicy { clients: Some(vec!["0oa1".into()]), rules };
        let issuer = Told::Given("https://acme.example/oauth2/aus1".to_owned());
        Lifetimes { servers: vec![Server { issuer, policies: vec![policy] }], gap: None }
    }

    const WEEK: &str = r#"{"accessTokenLifetimeMinutes":5,"refreshTokenLifetimeMinutes":0,"refreshTokenWindowMinutes":10080}"#;
    const EVER: &str = r#"{"accessTokenLifetimeMinutes":600,"refreshTokenLifetimeMinutes":0,"refreshTokenWindowMinutes":null}"#;
    const DAY: &str = r#"{"refreshTokenLifetimeMinutes":1440,"refreshTokenWindowMinutes":60}"#;

    #[test]
    fn the_longest_that_any_rule_allows_counts() {
        let issuer = Some("https://acme.example/oauth2/aus1");
        let week = Duration::from_secs(604_800);
        let both = server(&[WEEK, EVER]);
        assert_eq!(both.refresh("0oa1"), Observed::Known(RefreshPolicy::Never));
        assert_eq!(both.end(issuer, "0oa1"), Some(Expiry::Never));
        assert_eq!(both.access("0oa1"), Observed::Known(Duration::from_secs(36_000)));
        let one = server(&[WEEK]);
        assert_eq!(one.refresh("0oa1"), Observed::Known(RefreshPolicy::Idle(week)));
        assert_eq!(one.end(issuer, "0oa1"), Some(Expiry::Idle(week)));
        assert_eq!(one.access("0oa1"), Observed::Known(ORG_ACCESS));
        assert_eq!(one.access("0oa2"), Observed::Known(ORG_ACCESS));
    }

    #[test]
    fn what_no_rule_proves_is_not_said() {
        let issuer = Some("https://acme.example/oauth2/aus1");
        let mixed = server(&[WEEK, DAY]);
        assert_eq!(mixed.end(issuer, "0oa1"), None, "it may have come by the other rule");
        assert!(mixed.access("0oa1").gap().is_some());
        assert_eq!(mixed.end(Some("https://acme.example"), "0oa1"), None);
        assert!(server(&[DAY]).refresh("0oa1").gap().is_some());
        assert_eq!(server(&[]).end(issuer, "0oa1"), None);
    }
}
