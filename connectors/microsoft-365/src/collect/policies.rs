//! Settings of the directory: who may let an app in, and the rules for secrets and tokens. Everything comes in one batch.

use std::time::Duration;

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    http::{Reply, Request},
    ledger::Ledger,
    model::{Observed, Reason},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::roles;
use crate::{
    api::{
        AdminConsentRequestPolicy, AppManagementPolicy, AuthorizationPolicy, Organization, Page,
        PermissionGrantPolicy, Row, TokenLifetimePolicy,
    },
    graph::Graph,
    rights::{Area, Claims},
};

pub(super) const ORGANIZATION: &str = "organization";
pub(super) const CONSENT: &str = "consent-settings";
pub(super) const MANAGEMENT: &str = "app-management";
/// What one batch tells of the directory.
pub(super) struct Settings {
    pub(super) organization: Option<Organization>,
    pub(super) authorization: Observed<AuthorizationPolicy>,
    pub(super) admin_consent: Observed<AdminConsentRequestPolicy>,
    pub(super) grant_policies: Observed<Vec<PermissionGrantPolicy>>,
    pub(super) management: Observed<AppManagementPolicy>,
    pub(super) token_lifetime: Observed<Option<Duration>>,
    /// What roles need; taken out by whoever reads them.
    pub(super) roles: Option<Result<roles::Read>>,
}

/// One part of the batch: its facet, its permission, its request.
struct Part {
    facet: &'static str,
    area: Area,
    request: Request,
}

impl Settings {
    pub(super) async fn read(graph: &Graph, ledger: &Ledger, claims: &Claims) -> Result<Self> {
        let get = |facet, area, path, query| -> Result<Part> {
            Ok(Part { facet, area, request: graph.get("read settings", path, query)? })
        };
        let [definitions, assignments] = roles::requests(graph)?;
        let role = |request| Part { facet: roles::OF_USERS, area: Area::Roles, request };
        let parts = [
            get(
                ORGANIZATION,
                Area::Organization,
                "organization",
                "$select=id,displayName,assignedPlans",
            )?,
            get(CONSENT, Area::Policies, "policies/authorizationPolicy", "")?,
            get(CONSENT, Area::Policies, "policies/adminConsentRequestPolicy", "")?,
            get(
                CONSENT,
                Area::GrantPolicies,
                "policies/permissionGrantPolicies",
                "$expand=includes,excludes",
            )?,
            get(MANAGEMENT, Area::Policies, "policies/defaultAppManagementPolicy", "")?,
            get(MANAGEMENT, Area::Policies, "policies/tokenLifetimePolicies", "")?,
            role(definitions),
            role(assignments),
        ];
        let skipped = |facet| ledger.skipped(facet).is_some();
        let (no_consent, no_management) = (skipped(CONSENT), skipped(MANAGEMENT));
        let no_roles =
            [roles::OF_APPS, roles::OF_USERS].iter().all(|facet| ledger.skipped(facet).is_some());
        let gives_up = |facet: &str| match facet {
            CONSENT => no_consent,
            MANAGEMENT => no_management,
            roles::OF_USERS => no_roles,
            _ => false,
        };
        let mut replies: Vec<Option<Result<Reply>>> = parts
            .iter()
            .map(|part| match claims.allow(part.area) {
                _ if gives_up(part.facet) => Some(Err(given_up())),
                Err(error) => Some(Err(error)),
                Ok(()) => None,
            })
            .collect();
        let open: Vec<usize> = (0..parts.len()).filter(|at| replies[*at].is_none()).collect();
        let requests: Vec<Request> = open.iter().map(|at| parts[*at].request.clone()).collect();
        for (at, reply) in open.into_iter().zip(graph.send_batch(&requests).await) {
            replies[at] = Some(reply);
        }
        let mut replies = replies.into_iter().map(|reply| reply.unwrap_or_else(|| Err(given_up())));
        let mut next = || replies.next().unwrap_or_else(|| Err(given_up()));
        // Taken before it is known whether the facet was given up: the replies come in the order of the parts.
        let of_organization = next();
        let organization = ledger
            .look(ORGANIZATION, async {
                let page: Page<Organization> =
                    graph.decode(&parts[0].request, &of_organization?)?;
                page.value.into_iter().find_map(Row::good).ok_or_else(|| {
                    let message = "the directory does not show itself";
                    graph.explain("read settings", Error::new(ErrorKind::Forbidden, message))
                })
            })
            .await;
        ledger.read(ORGANIZATION, u64::from(organization.known().is_some()));
        let consent = Books { graph, ledger, facet: CONSENT };
        let authorization = consent.one(next()).await;
        let admin_consent = consent.one(next()).await;
        let grant_policies = consent.listing(&parts[3].request, next()).await;
        let management = Books { graph, ledger, facet: MANAGEMENT };
        let default_management = management.one(next()).await;
        let lifetimes = management.listing(&parts[5].request, next()).await;
        let (definitions, assignments) = (next(), next());
        let roles = if no_roles {
            None
        } else {
            Some(roles::Read::from_first_pages(graph, definitions, assignments).await)
        };
        Ok(Self {
            organization: match organization {
                Observed::Known(organization) => Some(organization),
                Observed::Absent | Observed::Unknown(_) => None,
            },
            authorization,
            admin_consent,
            grant_policies,
            management: default_management,
            token_lifetime: lifetime(lifetimes),
            roles,
        })
    }
}

fn given_up() -> Error {
    Error::new(ErrorKind::Cancelled, "the configuration says not to look (`skip`)")
}

/// Where parts of the batch are booked.
struct Books<'a> {
    graph: &'a Graph,
    ledger: &'a Ledger,
    facet: &'static str,
}

impl Books<'_> {
    async fn one<T: DeserializeOwned>(&self, reply: Result<Reply>) -> Observed<T> {
        let read = async {
            let reply = reply?;
            reply.json().map_err(|error| self.graph.explain("read settings", error))
        };
        let seen = self.ledger.look(self.facet, read).await;
        self.ledger.read(self.facet, u64::from(seen.known().is_some()));
        seen
    }

    async fn listing<T: DeserializeOwned>(
        &self,
        first: &Request,
        reply: Result<Reply>,
    ) -> Observed<Vec<T>> {
        let read = async {
            let mut page: Page<T> = self.graph.decode(first, &reply?)?;
            let mut rows = Vec::new();
            for _ in 0..MOST_PAGES {
                for row in page.value {
                    rows.push(row.good().ok_or_else(|| {
                        let message = "a row is not what the API promises";
                        self.graph
                            .explain("read settings", Error::new(ErrorKind::Malformed, message))
                    })?);
                }
                let Some(link) = page.next else { return Ok(rows) };
                page = self.graph.read(&self.graph.follow(first, &link)?).await?;
            }
            let error = Error::new(ErrorKind::Malformed, "the listing does not end");
            Err(self.graph.explain("read settings", error))
        };
        let seen = self.ledger.look(self.facet, read).await;
        self.ledger.read(self.facet, u64::from(seen.known().is_some()));
        seen
    }
}

/// Pages that a listing of policies may have.
const MOST_PAGES: usize = 1_000;

/// The access token life of the policy that holds for the whole directory; `None` within: there is none.
fn lifetime(policies: Observed<Vec<TokenLifetimePolicy>>) -> Observed<Option<Duration>> {
    let policies = match policies {
        Observed::Known(policies) => policies,
        Observed::Absent => return Observed::Known(None),
        Observed::Unknown(gap) => return Observed::Unknown(gap),
    };
    let is_default = |policy: &&TokenLifetimePolicy| policy.is_organization_default == Some(true);
    let texts = policies.iter().find(is_default).and_then(|policy| policy.definition.as_ref());
    for text in texts.into_iter().flatten() {
        let definition: Option<Value> = serde_json::from_str(text).ok();
        let life = definition.as_ref().map(|it| &it["TokenLifetimePolicy"]["AccessTokenLifetime"]);
        match life {
            Some(Value::Null) => {}
            Some(Value::String(text)) if span(text).is_some() => {
                return Observed::Known(span(text));
            }
            _ => {
                let detail = "the token lifetime policy is written in a form that is not known";
                return Observed::unknown(Reason::CallFailed, MANAGEMENT, detail);
            }
        }
    }
    Observed::Known(None)
}

/// `[days.]hours:minutes:seconds`
fn span(text: &str) -> Option<Duration> {
    let (days, clock) = text.split_once('.').unwrap_or(("0", text));
    let mut parts = clock.split(':').map(|part| part.parse::<u64>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let days: u64 = days.parse().ok()?;
    let sum = |whole: u64, parts: u64, rest: u64| whole.checked_mul(parts)?.checked_add(rest);
    let minutes = sum(sum(days, 24, hours)?, 60, minutes)?;
    Some(Duration::from_secs(sum(minutes, 60, seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_that_cannot_be_read_is_not_the_usual_one() {
        let policy = |life: &str| {
            let definition = format!(r#"{{"TokenLifetimePolicy":{{{life}}}}}"#);
            lifetime(Observed::Known(vec![TokenLifetimePolicy {
                is_organization_default: Some(true),
                definition: Some(vec![definition]),
            }]))
        };
        let hour = Duration::from_secs(3_600);
        assert_eq!(policy(r#""AccessTokenLifetime":"01:00:00""#), Observed::Known(Some(hour)));
        assert_eq!(policy(r#""Version":1"#), Observed::Known(None));
        assert!(policy(r#""AccessTokenLifetime":"for ever""#).gap().is_some());
    }

    #[test]
    fn reads_the_life_of_access_tokens() {
        assert_eq!(span("08:00:00"), Some(Duration::from_secs(28_800)));
        assert_eq!(span("1.00:10:00"), Some(Duration::from_secs(87_000)));
        assert_eq!(span("until-revoked"), None);
        assert_eq!(span("1000000000000000000.00:00:00"), None);
    }
}
