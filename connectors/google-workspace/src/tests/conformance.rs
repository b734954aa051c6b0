//! What every connector must keep.

use async_trait::async_trait;
use grantwarden_kit::testing::{self, Family, Listing, Platform, StandIn, World};
use grantwarden_lab::{Effect, World as LabWorld};

use super::bench::{OneAccount, forbidden, refusal};

struct GoogleLab;

#[async_trait]
impl Platform for GoogleLab {
    async fn start(&self, world: World) -> Box<dyn StandIn> {
        Box::new(match world {
            World::Empty => OneAccount::start(OneAccount::generated(0, 0, 0)).await,
            World::Small => OneAccount::small().await,
            World::Grants(grants) => OneAccount::start(many(grants)).await,
        })
    }

    fn families(&self) -> Vec<Family> {
        let family = |facet, path, text| Family { facet, path, text, may_be_absent: false };
        let tokens = "/applications/token";
        let admin = "/applications/admin";
        vec![
            family("users", "/admin/directory/v1/users", "email"),
            family("customer", "/admin/directory/v1/users", "email"),
            family("grants", "/tokens", ""),
            family("app-passwords", "/asps", ""),
            family("authorized-apps", "/usage/dates/", ""),
            family("grant-events", tokens, "authorize"),
            family("grant-events", tokens, "revoke"),
            // The lab logs no requests, and an answer without any is too short to be cut.
            family("grant-events", tokens, "deny"),
            family("app-activity", tokens, "activity"),
            family("domain-wide-delegation", admin, "AUTHORIZE_API_CLIENT_ACCESS"),
            family("domain-wide-delegation", admin, "REMOVE_API_CLIENT_ACCESS"),
            family("app-access", admin, "ADD_TO_BLOCKED_OAUTH2_APPS"),
            family("app-access", admin, "ADD_TO_LIMITED_OAUTH2_APPS"),
            family("api-controls", "/v1/policies", "api_controls"),
            family("api-controls", "/v1/policies", "workspace_marketplace"),
            family("chrome-extensions", "countInstalledApps", ""),
        ]
    }

    fn forbidden(&self) -> Effect {
        forbidden()
    }

    fn unauthorized(&self) -> Effect {
        refusal(401, "authError", "Request had invalid authentication credentials.")
    }

    fn api_path(&self) -> &'static str {
        "/admin/"
    }

    fn not_found(&self) -> Effect {
        refusal(404, "notFound", "Resource Not Found: userKey")
    }

    fn listing(&self) -> Listing {
        let next_page = Family {
            facet: "grants",
            path: "/admin/directory/v1/users",
            text: "email pageToken",
            may_be_absent: false,
        };
        let page_refused = refusal(400, "invalid", "Invalid Input: pageToken");
        Listing { next_page, page_refused, count: None }
    }
}

/// Many grants on many pages of users.
fn many(grants: usize) -> LabWorld {
    let mut world = OneAccount::generated(400, grants, 40);
    world.google_workspace[0].behaviour.users_page = 50;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn conforms() {
    match testing::conform(&GoogleLab).await {
        Ok(cases) => println!("{cases} checks"),
        Err(failures) => panic!("{failures}"),
    }
}
