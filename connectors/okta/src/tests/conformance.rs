//! The kit's conformance suite.

use async_trait::async_trait;
use grantwarden_kit::testing::{self, Family, Listing, Platform, StandIn, World};
use grantwarden_lab::Effect;

use super::support::{OneOrg, scale};

/// With the facets that are read only if somebody asks for them, or with the others.
struct OktaLab {
    opts_in: bool,
}

#[async_trait]
impl Platform for OktaLab {
    async fn start(&self, world: World) -> Box<dyn StandIn> {
        Box::new(match world {
            World::Empty => OneOrg::empty_with(|_| {}).await,
            World::Small => {
                let mut org = OneOrg::small_with(|world| {
                    // One of each kind is enough.
                    let spared = ["Desk Timer", "Legacy Portal", "Old Importer"];
                    let is_kept = |app: &str| !spared.contains(&app);
                    world.apps.retain(|app| is_kept(&app.label));
                    world.grants.retain(|grant| is_kept(&grant.app));
                    world.refresh_tokens.retain(|token| is_kept(&token.app));
                    world.events.retain(|event| !event.targets.iter().any(|to| !is_kept(to)));
                })
                .await;
                if self.opts_in {
                    org.skip.clear();
                }
                org
            }
            World::Grants(grants) => {
                let mut world = scale(grants);
                world.okta[0].behaviour.quota = false;
                let mut org = OneOrg::start(world).await;
                // Two events for each grant, which say nothing about the listing.
                org.skip.extend(["token-events", "consent-events"].map(ToOwned::to_owned));
                org
            }
        })
    }

    fn families(&self) -> Vec<Family> {
        let family = |facet, path, text| Family { facet, path, text, may_be_absent: false };
        if self.opts_in {
            return vec![
                family("user-grants", "/api/v1/users/", ""),
                family("user-grants", "/api/v1/users", "status eq"),
                family("cross-app-access", "/cwo/connections", ""),
            ];
        }
        vec![
            family("organization", "/api/v1/org", ""),
            family("apps", "/api/v1/apps", "includeNonDeleted"),
            family("scope-grants", "/grants", ""),
            family("refresh-tokens", "/tokens", ""),
            family("api-tokens", "/api/v1/api-tokens", ""),
            family("api-service-integrations", "/integrations/api/v1/api-services", ""),
            family("client-roles", "/oauth2/v1/clients/", ""),
            family("administrators", "/iam/assignees/users", ""),
            family("administrators", "/api/v1/users/", ""),
            family("users", "/api/v1/users", "id eq"),
            family("authorization-servers", "/authorizationServers", ""),
            family("authorization-servers", "/rules", ""),
            family("client-keys", "/oauth2/v1/clients", ""),
            family("client-keys", "/credentials/jwks", ""),
            family("client-keys", "/credentials/secrets", ""),
            family("network-zones", "/zones", ""),
            family("token-events", "/logs", ""),
        ]
    }

    fn api_path(&self) -> &'static str {
        "/api/v1/"
    }

    /// Okta counts by the minute, and has no quota of a day.
    fn quota_used_up(&self) -> Option<Effect> {
        None
    }

    fn forbidden(&self) -> Effect {
        reply(403, "E0000006", "You do not have permission to perform the requested action")
    }

    fn unauthorized(&self) -> Effect {
        reply(401, "E0000011", "Invalid token provided")
    }

    fn not_found(&self) -> Effect {
        reply(404, "E0000007", "Not found: Resource not found: x (Lab)")
    }

    fn listing(&self) -> Listing {
        let next_page =
            Family { facet: "refresh-tokens", path: "/tokens", text: "page", may_be_absent: false };
        let page_refused = reply(400, "E0000001", "Api validation failed: after");
        Listing { next_page, page_refused, count: None }
    }
}

fn reply(status: u16, code: &str, summary: &str) -> Effect {
    let body = format!(
        r#"{{"errorCode":"{code}","errorSummary":"{summary}","errorLink":"{code}","errorId":"oaeFAKE","errorCauses":[]}}"#
    );
    Effect::Reply { status, headers: Vec::new(), body }
}

#[tokio::test(flavor = "multi_thread")]
async fn conforms() {
    conform(OktaLab { opts_in: false }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_on_request_conforms() {
    conform(OktaLab { opts_in: true }).await;
}

async fn conform(lab: OktaLab) {
    match testing::conform(&lab).await {
        Ok(cases) => println!("{cases} checks"),
        Err(failures) => panic!("{failures}"),
    }
}
