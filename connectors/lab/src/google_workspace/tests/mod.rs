//! The customer over HTTP, as a client sees it.

mod directory;
mod faults;
mod paging;
mod quotas;
mod reports;
mod settings;
mod shapes;
mod sign_in;
mod worlds;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::{Client, Response};
use serde_json::{Value as Json, json};

use super::{GoogleScale, GoogleWorkspace, GoogleWorld, Privilege};
use crate::{Effect, Fault, Lab, World};

const SMALL: &str = include_str!("../../../../../fixtures/worlds/google-small.toml");
const ADMIN: &str = "ada.admin@small.example";
const SAM: &str = "sam.sales@small.example";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// One scope for each endpoint.
const SCOPES: [&str; 7] = [
    "admin.directory.user.readonly",
    "admin.directory.user",
    "admin.directory.user.security",
    "admin.reports.audit.readonly",
    "admin.reports.usage.readonly",
    "cloud-identity.policies.readonly",
    "chrome.management.reports.readonly",
];

/// A lab of one customer, and a client that is signed in to it.
struct Bench {
    lab: Lab,
    client: Client,
    token: String,
}

#[expect(clippy::disallowed_methods, reason = "the lab's tests have no door of their own")]
fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

fn wall() -> i64 {
    crate::clock::Clock::new(None).wall().as_second()
}

fn full(scopes: &[&str]) -> String {
    let full = scopes.iter().map(|scope| format!("https://www.googleapis.com/auth/{scope}"));
    full.collect::<Vec<_>>().join(" ")
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

impl Bench {
    async fn small() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut GoogleWorld)) -> Self {
        let mut world = World::parse(SMALL).unwrap();
        change(&mut world.google_workspace[0]);
        Self::of(world).await
    }

    async fn of(world: World) -> Self {
        let now = "2026-01-15T12:00:00Z".parse().unwrap();
        let lab = Lab::builder().now(now).start(world).await.unwrap();
        let mut bench = Self { lab, client: client(), token: String::new() };
        bench.token = bench.sign_in_for(&SCOPES).await;
        bench
    }

    fn customer(&self) -> &GoogleWorkspace {
        &self.lab.google_workspaces()[0]
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.customer().base_url())
    }

    fn claims(&self, scopes: &[&str]) -> Json {
        let client = self.customer().client();
        json!({
            "iss": client.client_email,
            "sub": client.subject,
            "scope": full(scopes),
            "aud": "https://oauth2.googleapis.com/token",
            "iat": wall(),
            "exp": wall() + 3_600,
        })
    }

    fn key(&self) -> Json {
        serde_json::from_str(&self.customer().client().key_json).unwrap()
    }

    fn assertion(&self, claims: &Json, key_id: Option<&str>) -> String {
        let key = self.key();
        let secret =
            EncodingKey::from_rsa_pem(key["private_key"].as_str().unwrap().as_bytes()).unwrap();
        let kid = key_id.or(key["private_key_id"].as_str()).map(str::to_owned);
        let header = Header { kid, ..Header::new(Algorithm::RS256) };
        encode(&header, claims, &secret).unwrap()
    }

    async fn sign_in(&self, claims: Json) -> (u16, Json) {
        let assertion = self.assertion(&claims, None);
        self.token_call(&[("grant_type", JWT_BEARER), ("assertion", &assertion)]).await
    }

    /// An access token for some scopes, which must be given.
    async fn sign_in_for(&self, scopes: &[&str]) -> String {
        let (status, body) = self.sign_in(self.claims(scopes)).await;
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    #[expect(clippy::disallowed_methods, reason = "the lab's tests have no door of their own")]
    async fn send(&self, request: reqwest::RequestBuilder) -> Response {
        request.send().await.unwrap()
    }

    async fn token_call(&self, form: &[(&str, &str)]) -> (u16, Json) {
        let response = self.send(self.client.post(self.url("/token")).form(form)).await;
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> (u16, Json) {
        self.get_as(&self.token, path).await
    }

    async fn get_as(&self, token: &str, path: &str) -> (u16, Json) {
        let response = self.send(self.client.get(self.url(path)).bearer_auth(token)).await;
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or_default())
    }

    /// The body of a call that must succeed.
    async fn body(&self, path: &str) -> Json {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn delete(&self, path: &str) -> u16 {
        let request = self.client.delete(self.url(path)).bearer_auth(&self.token);
        self.send(request).await.status().as_u16()
    }

    /// All items of a listing, page by page.
    async fn all(&self, path: &str, list: &str) -> Vec<Json> {
        let mut items = Vec::new();
        let mut token = String::new();
        loop {
            let mut body = self.body(&format!("{path}{token}")).await;
            if let Some(Json::Array(page)) = body.get_mut(list).map(Json::take) {
                items.extend(page);
            }
            let Some(next) = body["nextPageToken"].as_str() else { return items };
            token = format!("&pageToken={}", encoded(next));
        }
    }
}

/// The reason of a refusal.
fn reason(body: &Json) -> &str {
    body["error"]["errors"][0]["reason"].as_str().unwrap_or_default()
}

fn user_path(user: &str, rest: &str) -> String {
    format!("/admin/directory/v1/users/{user}{rest}")
}
