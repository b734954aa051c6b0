//! The org over HTTP, as a client sees it.

mod faults;
mod limits;
mod metadata;
mod permissions;
mod queries;
mod revocation;
mod sign_in;
mod worlds;

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::{Client, Response};
use serde_json::{Value as Json, json};

use super::{ApiLimits, Behaviour, Org, OrgWorld, Permission, Scale};
use crate::{Effect, Fault, Lab, World};

const SMALL: &str = include_str!("../../../../../fixtures/worlds/small.toml");
const DEMO: &str = include_str!("../../../../../fixtures/worlds/demo.toml");
const EMPTY: &str = include_str!("../../../../../fixtures/worlds/empty.toml");
const SCANNER: &str = "scanner@small.example";

/// A lab of one org, and a client that is signed in to it.
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

impl Bench {
    async fn small() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut OrgWorld)) -> Self {
        let mut world = World::parse(SMALL).unwrap();
        change(&mut world.salesforce[0]);
        Self::of(world).await
    }

    async fn of(world: World) -> Self {
        let now = "2026-01-15T12:00:00Z".parse().unwrap();
        let lab = Lab::builder().now(now).start(world).await.unwrap();
        let mut bench = Self { lab, client: client(), token: String::new() };
        let (status, body) = bench.sign_in(bench.claims()).await;
        assert_eq!(status, 200, "{body}");
        bench.token = body["access_token"].as_str().unwrap().to_owned();
        bench
    }

    fn org(&self) -> &Org {
        &self.lab.salesforce_orgs()[0]
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.org().base_url())
    }

    fn claims(&self) -> Json {
        let client = self.org().client();
        json!({
            "iss": client.client_id,
            "sub": client.username,
            "aud": client.audience,
            "exp": wall() + 180,
        })
    }

    fn assertion(&self, claims: &Json) -> String {
        let key =
            EncodingKey::from_rsa_pem(self.org().client().private_key_pem.as_bytes()).unwrap();
        encode(&Header::new(Algorithm::RS256), claims, &key).unwrap()
    }

    async fn sign_in(&self, claims: Json) -> (u16, Json) {
        let assertion = self.assertion(&claims);
        let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        self.token_call(&[("grant_type", grant), ("assertion", &assertion)]).await
    }

    #[expect(clippy::disallowed_methods, reason = "the lab's tests have no door of their own")]
    async fn send(&self, request: reqwest::RequestBuilder) -> Response {
        request.send().await.unwrap()
    }

    async fn token_call(&self, form: &[(&str, &str)]) -> (u16, Json) {
        let request = self.client.post(self.url("/services/oauth2/token")).form(form);
        let response = self.send(request).await;
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> (u16, Json) {
        let request = self.client.get(self.url(path)).bearer_auth(&self.token);
        let response = self.send(request).await;
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or_default())
    }

    async fn query(&self, soql: &str) -> (u16, Json) {
        self.query_on("query", soql).await
    }

    async fn query_on(&self, api: &str, soql: &str) -> (u16, Json) {
        let encoded: String = form_urlencoded::byte_serialize(soql.as_bytes()).collect();
        self.get(&format!("/services/data/v65.0/{api}?q={encoded}")).await
    }

    /// The records of a query that must succeed.
    async fn records(&self, soql: &str) -> Vec<Json> {
        let (status, body) = self.query(soql).await;
        assert_eq!(status, 200, "{soql}: {body}");
        body["records"].as_array().unwrap().clone()
    }

    async fn count(&self, soql: &str) -> u64 {
        let (status, body) = self.query(soql).await;
        assert_eq!(status, 200, "{soql}: {body}");
        body["totalSize"].as_u64().unwrap()
    }

    async fn revoke(&self, token: &str) -> u16 {
        let request =
            self.client.post(self.url("/services/oauth2/revoke")).form(&[("token", token)]);
        self.send(request).await.status().as_u16()
    }

    async fn soap(&self, operation: &str) -> (u16, String) {
        let body = format!(
            "<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns=\"http://soap.sforce.com/2006/04/metadata\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><e:Header><SessionHeader>\
             <sessionId>{}</sessionId></SessionHeader></e:Header><e:Body>{operation}</e:Body></e:Envelope>",
            self.token
        );
        let request = self
            .client
            .post(self.url("/services/Soap/m/65.0"))
            .header("content-type", "text/xml; charset=UTF-8")
            .header("soapaction", "\"\"")
            .body(body);
        let response = self.send(request).await;
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

fn code(body: &Json) -> &str {
    body[0]["errorCode"].as_str().unwrap_or_default()
}

fn message(body: &Json) -> &str {
    body[0]["message"].as_str().unwrap_or_default()
}

fn texts(records: &[Json], field: &str) -> Vec<String> {
    records.iter().map(|record| record[field].as_str().unwrap_or("null").to_owned()).collect()
}

/// A generated world of so many tokens.
fn large(tokens: usize) -> World {
    let now = "2026-01-15T12:00:00Z".parse().unwrap();
    World::generate(&Scale { users: 400, apps: 24, tokens, seed: 3, now })
}
