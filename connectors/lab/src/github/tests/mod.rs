//! The host over HTTP, as a client sees it.

mod audit;
mod enterprise;
mod faults;
mod graphql;
mod limits;
mod listings;
mod paging;
mod permissions;
mod revocation;
mod scale;
mod server;
mod shapes;
mod sign_in;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value as Json, json};

use super::{GithubScale, GithubTenant, GithubWorld};
use crate::{Effect, Fault, Lab, World};

const SMALL: &str = include_str!("../../../../../fixtures/worlds/github-small.toml");
const ENTERPRISE: &str = "/enterprises/small-corp";

/// A lab of three hosts, and a client that is signed in to the first.
struct Bench {
    lab: Lab,
    client: Client,
    token: String,
    revoker: String,
}

#[expect(clippy::disallowed_methods, reason = "the lab's tests have no door of their own")]
fn client() -> Client {
    Client::builder().no_proxy().user_agent("lab-test").build().unwrap()
}

fn wall() -> i64 {
    crate::clock::Clock::new(None).wall().as_second()
}

fn jwt(key: &str, claims: &Json) -> String {
    let secret = EncodingKey::from_rsa_pem(key.as_bytes()).unwrap();
    encode(&Header::new(Algorithm::RS256), claims, &secret).unwrap()
}

/// The body of an answer that may have none.
async fn read(response: Response) -> (u16, Json) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_default())
}

fn message(body: &Json) -> &str {
    body["message"].as_str().unwrap_or_default()
}

fn texts<'a>(list: &'a Json, field: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|row| row[field].as_str().unwrap()).collect()
}

fn numbers(list: &Json, field: &str) -> Vec<u64> {
    list.as_array().unwrap().iter().map(|row| row[field].as_u64().unwrap()).collect()
}

impl Bench {
    async fn small() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut GithubWorld)) -> Self {
        let mut world = World::parse(SMALL).unwrap();
        change(&mut world.github[0]);
        Self::of(world).await
    }

    async fn of(world: World) -> Self {
        let now = "2026-01-15T12:00:00Z".parse().unwrap();
        let lab = Lab::builder().now(now).start(world).await.unwrap();
        let (token, revoker) = (String::new(), String::new());
        let mut bench = Self { lab, client: client(), token, revoker };
        let first = bench.tenant().client().organisations[0].clone();
        bench.token = bench.token_for(&format!("/orgs/{first}"), false).await;
        bench.revoker = bench.token_for(&format!("/orgs/{first}"), true).await;
        bench
    }

    fn tenant(&self) -> &GithubTenant {
        &self.lab.github_tenants()[0]
    }

    fn url(&self, path: &str) -> String {
        if path.starts_with("http") {
            return path.to_owned();
        }
        format!("{}{path}", self.tenant().base_url())
    }

    /// A JWT of the scanner's App, or the revoker's.
    fn jwt(&self, revoker: bool) -> String {
        let client = self.tenant().client();
        let (iss, key) = match revoker {
            false => (client.client_id, client.private_key_pem),
            true => (client.revoker_client_id, client.revoker_key_pem),
        };
        jwt(&key, &json!({ "iat": wall() - 60, "exp": wall() + 540, "iss": iss }))
    }

    /// An installation token for `/orgs/…` or `/enterprises/…`.
    async fn token_for(&self, above: &str, revoker: bool) -> String {
        let jwt = self.jwt(revoker);
        let (status, found) = self.get_as(&jwt, &format!("{above}/installation")).await;
        assert_eq!(status, 200, "{above}: {found}");
        let path = format!("/app/installations/{}/access_tokens", found["id"]);
        let (status, body) = self.post_as(&jwt, &path, &json!({})).await;
        assert_eq!(status, 201, "{body}");
        body["token"].as_str().unwrap().to_owned()
    }

    #[expect(clippy::disallowed_methods, reason = "the lab's tests have no door of their own")]
    async fn send(&self, request: RequestBuilder) -> Response {
        request.send().await.unwrap()
    }

    async fn response(&self, path: &str) -> Response {
        self.send(self.client.get(self.url(path)).bearer_auth(&self.token)).await
    }

    async fn get(&self, path: &str) -> (u16, Json) {
        self.get_as(&self.token, path).await
    }

    async fn get_as(&self, token: &str, path: &str) -> (u16, Json) {
        let mut request = self.client.get(self.url(path));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        read(self.send(request).await).await
    }

    async fn post_as(&self, token: &str, path: &str, body: &Json) -> (u16, Json) {
        let mut request = self.client.post(self.url(path)).json(body);
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        read(self.send(request).await).await
    }

    async fn patch_as(&self, token: &str, path: &str, body: &Json) -> (u16, Json) {
        let request = self.client.patch(self.url(path)).json(body).bearer_auth(token);
        read(self.send(request).await).await
    }

    async fn delete_as(&self, token: &str, path: &str) -> u16 {
        let request = self.client.delete(self.url(path)).bearer_auth(token);
        self.send(request).await.status().as_u16()
    }

    /// The body of a call that must succeed.
    async fn body(&self, path: &str) -> Json {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// All items of a listing, by its links only.
    async fn all(&self, path: &str, list: Option<&str>) -> Vec<Json> {
        let mut items = Vec::new();
        let mut next = Some(self.url(path));
        while let Some(address) = next {
            let response = self.response(&address).await;
            assert_eq!(response.status().as_u16(), 200, "{address}");
            next = link(&response, "next");
            let body: Json = response.json().await.unwrap();
            let page = list.map_or(&body, |name| &body[name]);
            items.extend(page.as_array().unwrap().iter().cloned());
        }
        items
    }
}

/// An address of a `Link` header.
fn link(response: &Response, rel: &str) -> Option<String> {
    let header = response.headers().get("link")?.to_str().unwrap();
    let part = header.split(", ").find(|part| part.ends_with(&format!("rel=\"{rel}\"")))?;
    let (address, _) = part.strip_prefix('<')?.split_once('>')?;
    Some(address.to_owned())
}
