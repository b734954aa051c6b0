//! The org over HTTP, as a client sees it.

mod dpop;
mod faults;
mod inventory;
mod logs;
mod paging;
mod quotas;
mod revocation;
mod shapes;
mod sign_in;
mod worlds;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::{Client, Method, Response};
use serde_json::{Value as Json, json};

use super::{OktaClient, OktaOrg, OktaScale, OktaWorld};
use crate::keys::random_text;
use crate::{Effect, Fault, Lab, World};

const SMALL: &str = include_str!("../../../../../fixtures/worlds/okta-small.toml");
const ADA: &str = "ada.admin@small.example";
const SAM: &str = "sam.sales@small.example";
const GUS: &str = "gone.gus@small.example";
const DRIFT: &str = "0oaFAKEdrift00000001";
const ROBOT: &str = "0oaFAKErobot00000001";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A lab of one org, and clients that are signed in to it.
struct Bench {
    lab: Lab,
    client: Client,
    /// The scanner's access token, for every read scope.
    token: String,
    /// The revoker's, for everything.
    revoking: String,
}

#[expect(clippy::disallowed_methods, reason = "the lab's tests have no door of their own")]
fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

fn wall() -> i64 {
    crate::clock::Clock::new(None).wall().as_second()
}

/// The claims of a client assertion that is all right.
fn claims(client: &OktaClient) -> Json {
    json!({
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": client.token_url,
        "iat": wall(),
        "exp": wall() + 300,
        "jti": random_text(20),
    })
}

fn assertion(client: &OktaClient, claims: &Json) -> String {
    let key = EncodingKey::from_rsa_pem(client.private_key_pem.as_bytes()).unwrap();
    let header = Header { kid: Some(client.key_id.clone()), ..Header::new(Algorithm::RS256) };
    encode(&header, claims, &key).unwrap()
}

/// The form of a token request.
fn form<'f>(scopes: &'f str, assertion: &'f str) -> Vec<(&'static str, &'f str)> {
    vec![
        ("grant_type", "client_credentials"),
        ("scope", scopes),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion),
    ]
}

impl Bench {
    async fn small() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut OktaWorld)) -> Self {
        let mut world = World::parse(SMALL).unwrap();
        change(&mut world.okta[0]);
        Self::of(world).await
    }

    async fn of(world: World) -> Self {
        let now = "2026-01-15T12:00:00Z".parse().unwrap();
        let lab = Lab::builder().now(now).start(world).await.unwrap();
        let mut bench =
            Self { lab, client: client(), token: String::new(), revoking: String::new() };
        let dpop = bench.org().core.state().behaviour.dpop;
        if dpop != super::OktaDpop::Required {
            let all = super::READ_SCOPES.join(" ");
            bench.token = bench.sign_in(&bench.org().client(), &all).await;
            let all = format!("{all} {}", super::MANAGE_SCOPES.join(" "));
            bench.revoking = bench.sign_in(&bench.org().revoker(), &all).await;
        }
        bench
    }

    fn org(&self) -> &OktaOrg {
        &self.lab.okta_orgs()[0]
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.org().base_url())
    }

    #[expect(clippy::disallowed_methods, reason = "the lab's tests have no door of their own")]
    async fn send(&self, request: reqwest::RequestBuilder) -> Response {
        request.send().await.unwrap()
    }

    async fn token_call(&self, form: &[(&str, &str)]) -> (u16, Json) {
        let request = self.client.post(self.url("/oauth2/v1/token")).form(form);
        let response = self.send(request).await;
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    /// An access token, which must be given.
    async fn sign_in(&self, client: &OktaClient, scopes: &str) -> String {
        let assertion = assertion(client, &claims(client));
        let (status, body) = self.token_call(&form(scopes, &assertion)).await;
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        authorization: &str,
        body: Option<Json>,
    ) -> Response {
        let mut request =
            self.client.request(method, self.url(path)).header("authorization", authorization);
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.send(request).await
    }

    async fn response(&self, path: &str) -> Response {
        self.call(Method::GET, path, &format!("Bearer {}", self.token), None).await
    }

    async fn get(&self, path: &str) -> (u16, Json) {
        let response = self.response(path).await;
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    /// The body of a call that must succeed.
    async fn body(&self, path: &str) -> Json {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn rows(&self, path: &str) -> Vec<Json> {
        match self.body(path).await {
            Json::Array(rows) => rows,
            other => panic!("{path}: {other}"),
        }
    }

    /// A call of the revoker.
    async fn change(&self, method: Method, path: &str, body: Option<Json>) -> (u16, Json) {
        let response = self.call(method, path, &format!("Bearer {}", self.revoking), body).await;
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    async fn delete(&self, path: &str) -> u16 {
        self.change(Method::DELETE, path, None).await.0
    }

    /// All rows of a listing, page by page, and how many pages there were.
    async fn all(&self, path: &str) -> (Vec<Json>, usize) {
        let mut rows = Vec::new();
        let mut pages = 0;
        let mut next = Some(path.to_owned());
        while let Some(path) = next.take() {
            let response = self.response(&path).await;
            assert_eq!(response.status(), 200, "{path}");
            next = link(&response, "next").map(|url| url.replace(self.org().base_url(), ""));
            rows.extend(response.json::<Vec<Json>>().await.unwrap());
            pages += 1;
        }
        (rows, pages)
    }

    async fn ssws(&self, token: &str, path: &str) -> (u16, Json) {
        let secret = self.org().api_token_secret(token).unwrap();
        let response = self.call(Method::GET, path, &format!("SSWS {secret}"), None).await;
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    fn inject(&self, effect: Effect) {
        self.org().inject(Fault::new(effect).times(1));
    }
}

/// The address of a `Link` header line.
fn link(response: &Response, rel: &str) -> Option<String> {
    let ending = format!(">; rel=\"{rel}\"");
    let lines = response.headers().get_all("link").iter();
    let found = lines.filter_map(|line| line.to_str().ok()?.strip_suffix(ending.as_str()));
    let mut found = found.map(|line| line.trim_start_matches('<').to_owned());
    found.next()
}

/// The code of a refusal.
fn code(body: &Json) -> &str {
    body["errorCode"].as_str().unwrap_or_default()
}

fn texts(rows: &[Json], field: &str) -> Vec<String> {
    rows.iter().map(|row| row[field].as_str().unwrap_or_default().to_owned()).collect()
}
