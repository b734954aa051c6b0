//! What every connector must keep: for an organisation with everything asked for, and for a single workspace.

use async_trait::async_trait;
use grantwarden_kit::testing::{self, Family, Listing, Platform, StandIn, World};
use grantwarden_lab::{Effect, SlackPlan};

use super::bench::{GRID, OneTenant, WORKSHOP, forbidden, generated, refusal, small};

const AUDIT: &str = "/audit/v1/logs";
const LOGS: &str = "team.integrationLogs";

struct Grid;
struct Workspace;

fn family(facet: &'static str, path: &'static str, text: &'static str) -> Family {
    Family { facet, path, text, may_be_absent: false }
}

#[async_trait]
impl Platform for Grid {
    async fn start(&self, world: World) -> Box<dyn StandIn> {
        Box::new(match world {
            World::Small => {
                OneTenant::start(grantwarden_lab::World::parse(&small()).unwrap(), GRID).await
            }
            World::Empty => many(SlackPlan::Enterprise, 0).await,
            World::Grants(grants) => many(SlackPlan::Enterprise, grants).await,
        })
    }

    fn families(&self) -> Vec<Family> {
        vec![
            family("organization", "auth.test", ""),
            family("workspaces", "admin.teams.list", ""),
            family("users", "admin.users.list", "is_active=true"),
            family("users", "admin.users.list", "is_active=false"),
            family("installed-apps", AUDIT, "app_installed"),
            family("audit-events", AUDIT, ""),
            family("approvals", "admin.apps.approved.list", "certified=false enterprise_id"),
            family("approvals", "admin.apps.approved.list", "certified=true enterprise_id"),
            family("approvals", "admin.apps.restricted.list", "certified=false enterprise_id"),
            family("approvals", "admin.apps.restricted.list", "certified=true enterprise_id"),
            family("requests", "admin.apps.requests.list", "enterprise_id"),
            family("workspace-approvals", "admin.apps.approved.list", "team_id"),
            family("workspace-approvals", "admin.apps.restricted.list", "team_id"),
            family("workspace-approvals", "admin.apps.requests.list", "team_id"),
            family("app-activity", "admin.apps.activities.list", ""),
            family("domain-limits", "admin.apps.config.lookup", ""),
            family("mcp-servers", "admin.apps.mcp.servers.list", ""),
        ]
    }

    fn forbidden(&self) -> Effect {
        forbidden()
    }

    fn unauthorized(&self) -> Effect {
        refusal("token_revoked")
    }

    fn api_path(&self) -> &'static str {
        "/"
    }

    fn quota_used_up(&self) -> Option<Effect> {
        None
    }

    fn renews_sessions(&self) -> bool {
        false
    }

    fn not_found(&self) -> Effect {
        refusal("team_not_found")
    }

    fn listing(&self) -> Listing {
        Listing {
            next_page: family("installed-apps", AUDIT, "page"),
            page_refused: refusal("invalid_cursor"),
            count: None,
        }
    }
}

#[async_trait]
impl Platform for Workspace {
    async fn start(&self, world: World) -> Box<dyn StandIn> {
        Box::new(match world {
            World::Small => {
                OneTenant::start(grantwarden_lab::World::parse(&small()).unwrap(), WORKSHOP).await
            }
            World::Empty => many(SlackPlan::Workspace, 0).await,
            World::Grants(grants) => many(SlackPlan::Workspace, grants).await,
        })
    }

    fn families(&self) -> Vec<Family> {
        vec![
            family("organization", "auth.test", ""),
            family("users", "users.list", ""),
            family("installed-apps", LOGS, ""),
        ]
    }

    fn forbidden(&self) -> Effect {
        forbidden()
    }

    fn unauthorized(&self) -> Effect {
        refusal("account_inactive")
    }

    fn api_path(&self) -> &'static str {
        "/"
    }

    fn quota_used_up(&self) -> Option<Effect> {
        None
    }

    fn renews_sessions(&self) -> bool {
        false
    }

    fn not_found(&self) -> Effect {
        refusal("team_not_found")
    }

    fn listing(&self) -> Listing {
        let enormous =
            r#"{"ok":true,"logs":[],"paging":{"count":1000,"total":1000000,"page":1,"pages":1}}"#;
        Listing {
            next_page: family("installed-apps", LOGS, "page"),
            page_refused: refusal("invalid_cursor"),
            count: Some((family("installed-apps", LOGS, ""), super::bench::reply(enormous))),
        }
    }
}

/// Many installs on many pages.
async fn many(plan: SlackPlan, grants: usize) -> OneTenant {
    let mut world = generated(plan, 100, 300, grants);
    let name = world.slack[0].name.clone();
    world.slack[0].behaviour.audit_page = 250;
    world.slack[0].behaviour.logs_page = 250;
    let tenant = OneTenant::start(world, &name).await;
    match plan {
        // Five calls for each of a hundred workspaces are tested with the small world.
        SlackPlan::Enterprise => tenant.without_opt_ins(),
        SlackPlan::Workspace => tenant,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_conforms() {
    match testing::conform(&Grid).await {
        Ok(cases) => println!("{cases} checks"),
        Err(failures) => panic!("{failures}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_workspace_conforms() {
    match testing::conform(&Workspace).await {
        Ok(cases) => println!("{cases} checks"),
        Err(failures) => panic!("{failures}"),
    }
}
