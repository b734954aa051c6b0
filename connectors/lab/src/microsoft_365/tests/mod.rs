//! The directory over HTTP, as a client sees it.

mod changes;
mod contract;
mod directory;
mod faults;
mod logs;
mod paging;
mod permissions;
mod scale;
mod sign_in;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::{Client, Response};
use serde_json::{Value as Json, json};

use super::{EntraTenant, EntraWorld};
use crate::{Effect, Fault, Lab, World};

const SMALL: &str = include_str!("../../../../../fixtures/worlds/microsoft-small.toml");
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const MAILVAULT: &str = "51000000-0000-4000-8000-000000000001";
const BACKUP_ROBOT: &str = "51000000-0000-4000-8000-000000000002";
const CHARTLY: &str = "51000000-0000-4000-8000-000000000003";
const GRAPH_ID: &str = "9a000000-0000-4000-8000-000000000003";
const INVOICES: &str = "ab000000-0000-4000-8000-000000000002";

/// A lab of one directory, and a client that is signed in to it.
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

    /// The small world, without quotas unless the change turns them on again.
    async fn with(change: impl FnOnce(&mut EntraWorld)) -> Self {
        let mut world = World::parse(SMALL).unwrap();
        world.microsoft_365[0].behaviour.quota = false;
        change(&mut world.microsoft_365[0]);
        Self::of(world).await
    }

    async fn of(world: World) -> Self {
        let now = "2026-01-15T12:00:00Z".parse().unwrap();
        let lab = Lab::builder().now(now).start(world).await.unwrap();
        let mut bench = Self { lab, client: client(), token: String::new() };
        bench.sign_in().await;
        bench
    }

    fn tenant(&self) -> &EntraTenant {
        &self.lab.entra_tenants()[0]
    }

    async fn sign_in(&mut self) {
        let secret = self.tenant().client().client_secret;
        let (status, body) = self.token_call(&[("client_secret", secret.as_str())]).await;
        assert_eq!(status, 200, "{body}");
        self.token = body["access_token"].as_str().unwrap().to_owned();
    }

    #[expect(clippy::disallowed_methods, reason = "the lab's tests have no door of their own")]
    async fn send(&self, request: reqwest::RequestBuilder) -> Response {
        request.send().await.unwrap()
    }

    /// A call to the token endpoint: the usual fields, then these instead or besides.
    async fn token_call(&self, fields: &[(&str, &str)]) -> (u16, Json) {
        let client = self.tenant().client();
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", client.client_id.as_str()),
            ("scope", "https://graph.microsoft.com/.default"),
        ];
        form.retain(|(name, _)| !fields.iter().any(|(other, _)| other == name));
        form.extend(fields.iter().copied().filter(|(_, value)| !value.is_empty()));
        let response = self.send(self.client.post(&client.token_url).form(&form)).await;
        (response.status().as_u16(), response.json().await.unwrap())
    }

    fn url(&self, path: &str) -> String {
        if path.starts_with("http") {
            return path.to_owned();
        }
        let version =
            if path.starts_with("/beta/") || path.starts_with("/v1.0/") { "" } else { "/v1.0" };
        format!("{}{version}{path}", self.tenant().base_url())
    }

    async fn raw(&self, path: &str) -> Response {
        self.send(self.client.get(self.url(path)).bearer_auth(&self.token)).await
    }

    async fn get(&self, path: &str) -> (u16, Json) {
        let response = self.raw(path).await;
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    /// The rows of a listing that must succeed, page by page.
    async fn rows(&self, path: &str) -> Vec<Json> {
        let mut rows = Vec::new();
        let mut next = Some(self.url(path));
        while let Some(url) = next {
            let (status, body) = self.get(&url).await;
            assert_eq!(status, 200, "{url}: {body}");
            rows.extend(body["value"].as_array().unwrap().iter().cloned());
            next = body["@odata.nextLink"].as_str().map(str::to_owned);
        }
        rows
    }

    async fn call(&self, method: &str, path: &str, body: Option<Json>) -> (u16, Json) {
        let method = method.parse().unwrap();
        let mut request = self.client.request(method, self.url(path)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = self.send(request).await;
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    async fn delete(&self, path: &str) -> u16 {
        self.call("DELETE", path, None).await.0
    }

    /// The parts of a batch that must succeed as a whole, by id.
    async fn batch(&self, urls: &[&str]) -> Vec<Json> {
        let requests: Vec<Json> = urls
            .iter()
            .enumerate()
            .map(|(at, url)| json!({ "id": at.to_string(), "method": "GET", "url": url }))
            .collect();
        let (status, body) =
            self.call("POST", "/$batch", Some(json!({ "requests": requests }))).await;
        assert_eq!(status, 200, "{body}");
        let mut parts = body["responses"].as_array().unwrap().clone();
        parts.sort_by_key(|part| part["id"].as_str().unwrap().parse::<usize>().unwrap());
        parts
    }

    fn claims(&self) -> Json {
        let client = self.tenant().client();
        json!({
            "iss": client.client_id,
            "sub": client.client_id,
            "aud": client.token_url,
            "jti": crate::keys::random_text(20),
            "nbf": wall(),
            "iat": wall(),
            "exp": wall() + 300,
        })
    }

    fn thumbprint(&self) -> String {
        use base64::Engine;
        let pem = self.tenant().client().certificate_pem;
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest)
    }

    fn assertion(&self, claims: &Json) -> String {
        self.assertion_with(claims, Algorithm::PS256, Some(&self.thumbprint()))
    }

    fn assertion_with(
        &self,
        claims: &Json,
        algorithm: Algorithm,
        thumbprint: Option<&str>,
    ) -> String {
        let key =
            EncodingKey::from_rsa_pem(self.tenant().client().private_key_pem.as_bytes()).unwrap();
        let mut header = Header::new(algorithm);
        header.x5t_s256 = thumbprint.map(str::to_owned);
        if thumbprint.is_none() {
            header.x5t = Some("FAKE".to_owned());
        }
        encode(&header, claims, &key).unwrap()
    }

    async fn by_assertion(&self, assertion: &str) -> (u16, Json) {
        let fields = [("client_assertion_type", ASSERTION), ("client_assertion", assertion)];
        self.token_call(&fields).await
    }
}

fn code(body: &Json) -> &str {
    body["error"]["code"].as_str().unwrap_or_default()
}

/// The number of a refusal of the token endpoint.
fn aadsts(body: &Json) -> u64 {
    body["error_codes"][0].as_u64().unwrap_or_default()
}

fn texts(rows: &[Json], field: &str) -> Vec<String> {
    rows.iter().map(|row| row[field].as_str().unwrap_or("null").to_owned()).collect()
}
