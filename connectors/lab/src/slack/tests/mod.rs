//! The tenant over HTTP, as a client sees it.

mod audit;
mod decisions;
mod faults;
mod gate;
mod logs;
mod paging;
mod people;
mod revocation;
mod shapes;
mod worlds;

use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value as Json, json};

use super::{SlackBehaviour, SlackClient, SlackPlan, SlackScale, SlackTenant, SlackWorld};
use crate::{Effect, Fault, Lab, World};

const SMALL: &str = include_str!("../../../../../fixtures/worlds/slack-small.toml");
const ORG: &str = "enterprise_id=E0SMALL01";
const SALES: &str = "T0SALES01";

/// A lab, one of its tenants, and a client.
struct Bench {
    lab: Lab,
    http: Client,
    tenant: usize,
    tokens: SlackClient,
}

#[expect(clippy::disallowed_methods, reason = "the lab's tests have no door of their own")]
fn http() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

fn now() -> jiff::Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

impl Bench {
    /// The organisation of the small world.
    async fn small() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut SlackWorld)) -> Self {
        let mut world = World::parse(SMALL).unwrap();
        change(&mut world.slack[0]);
        Self::of(world, 0).await
    }

    /// The single workspace of the small world.
    async fn workshop() -> Self {
        Self::of(World::parse(SMALL).unwrap(), 1).await
    }

    async fn of(world: World, tenant: usize) -> Self {
        let lab = Lab::builder().now(now()).start(world).await.unwrap();
        let tokens = lab.slack_tenants()[tenant].client();
        Self { lab, http: http(), tenant, tokens }
    }

    fn tenant(&self) -> &SlackTenant {
        &self.lab.slack_tenants()[self.tenant]
    }

    fn behave(&self, change: impl FnOnce(&mut SlackBehaviour)) {
        self.tenant().set_behaviour(change);
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.tenant().base_url())
    }

    fn api(&self, method: &str, query: &str) -> RequestBuilder {
        self.http.get(self.url(&format!("/api/{method}?{query}")))
    }

    #[expect(clippy::disallowed_methods, reason = "the lab's tests have no door of their own")]
    async fn send(&self, request: RequestBuilder) -> Response {
        request.send().await.unwrap()
    }

    /// The status and the body of a call.
    async fn ask(&self, request: RequestBuilder) -> (u16, Json) {
        let response = self.send(request).await;
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or_default())
    }

    /// The body of a read with a token.
    async fn read_as(&self, token: &str, method: &str, query: &str) -> Json {
        let (status, body) = self.ask(self.api(method, query).bearer_auth(token)).await;
        assert_eq!(status, 200, "{method}: {body}");
        body
    }

    /// The body of a read that must succeed.
    async fn read(&self, method: &str, query: &str) -> Json {
        let body = self.read_as(&self.tokens.reader, method, query).await;
        assert_eq!(body["ok"], true, "{method} {query}: {body}");
        body
    }

    /// The code that refuses a read.
    async fn refused(&self, method: &str, query: &str) -> String {
        refusal(&self.read_as(&self.tokens.reader, method, query).await)
    }

    /// The body of a write with the revoker's token.
    async fn write(&self, method: &str, form: &[(&str, &str)]) -> Json {
        self.write_as(&self.tokens.revoker, method, form).await
    }

    async fn write_as(&self, token: &str, method: &str, form: &[(&str, &str)]) -> Json {
        let request = self.http.post(self.url(&format!("/api/{method}"))).form(form);
        let (status, body) = self.ask(request.bearer_auth(token)).await;
        assert_eq!(status, 200, "{method}: {body}");
        body
    }

    /// The audit log's answer to a query, with the reader's token.
    async fn audit(&self, query: &str) -> Json {
        let request = self.http.get(self.url(&format!("/audit/v1/logs?{query}")));
        let (status, body) = self.ask(request.bearer_auth(&self.tokens.reader)).await;
        assert_eq!(status, 200, "{query}: {body}");
        body
    }

    /// All items of a cursor listing, page by page.
    async fn all(&self, method: &str, query: &str, list: &str) -> Vec<Json> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let mut body = self.read(method, &format!("{query}&cursor={cursor}")).await;
            let Json::Array(page) = body[list].take() else { panic!("{method}: {body}") };
            items.extend(page);
            let next = body["response_metadata"]["next_cursor"].as_str().unwrap_or_default();
            if next.is_empty() {
                return items;
            }
            cursor = encoded(next);
        }
    }
}

/// The code of a refusal.
fn refusal(body: &Json) -> String {
    assert_eq!(body["ok"], false, "{body}");
    body["error"].as_str().unwrap().to_owned()
}

/// One field of each item, as texts.
fn column(items: &Json, pointer: &str) -> Vec<String> {
    let items = items.as_array().unwrap().iter();
    items.map(|item| item.pointer(pointer).unwrap().as_str().unwrap().to_owned()).collect()
}
