//! Access tokens that are bound to a key.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;

use super::*;
use crate::okta::OktaDpop;

/// A key of the client's process, apart from its client key.
fn proof_key(pem: &str, algorithm: Algorithm) -> (EncodingKey, Jwk) {
    let key = match algorithm {
        Algorithm::ES256 => EncodingKey::from_ec_pem(pem.as_bytes()).unwrap(),
        _ => EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(),
    };
    let jwk = Jwk::from_encoding_key(&key, algorithm).unwrap();
    (key, jwk)
}

fn prove(key: &(EncodingKey, Jwk), algorithm: Algorithm, claims: &Json) -> String {
    let header = Header {
        typ: Some("dpop+jwt".to_owned()),
        jwk: Some(key.1.clone()),
        ..Header::new(algorithm)
    };
    encode(&header, claims, &key.0).unwrap()
}

struct Prover {
    key: (EncodingKey, Jwk),
    bench: Bench,
}

impl Prover {
    async fn new(change: impl FnOnce(&mut OktaWorld)) -> Self {
        let bench = Bench::with(|world| {
            world.behaviour.dpop = OktaDpop::Required;
            change(world);
        })
        .await;
        let pem = bench.org().client().ec_private_key_pem.unwrap();
        Self { key: proof_key(&pem, Algorithm::ES256), bench }
    }

    fn claims(&self, method: &str, path: &str) -> Json {
        json!({ "htm": method, "htu": self.bench.url(path), "iat": wall(), "jti": random_text(20) })
    }

    async fn token(&self, proof: Option<&Json>) -> (u16, Json, Option<String>) {
        let client = self.bench.org().client();
        let signed = assertion(&client, &claims(&client));
        let scopes = "okta.apps.read okta.logs.read";
        let mut request =
            self.bench.client.post(self.bench.url("/oauth2/v1/token")).form(&form(scopes, &signed));
        if let Some(proof) = proof {
            request = request.header("dpop", prove(&self.key, Algorithm::ES256, proof));
        }
        let response = self.bench.send(request).await;
        let nonce = response.headers().get("dpop-nonce").map(|it| it.to_str().unwrap().to_owned());
        (response.status().as_u16(), response.json().await.unwrap(), nonce)
    }

    /// A bound token, by way of the nonce.
    async fn signed_in(&self) -> String {
        let (_, _, nonce) = self.token(Some(&self.claims("POST", "/oauth2/v1/token"))).await;
        let mut proof = self.claims("POST", "/oauth2/v1/token");
        proof["nonce"] = json!(nonce.unwrap());
        let (status, body, _) = self.token(Some(&proof)).await;
        assert_eq!((status, &body["token_type"]), (200, &json!("DPoP")), "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    fn api_claims(&self, token: &str) -> Json {
        let mut claims = self.claims("GET", "/api/v1/apps");
        claims["ath"] = json!(URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes())));
        claims
    }

    async fn apps(&self, token: &str, proof: Option<String>) -> (u16, String, Option<String>) {
        let mut request = self.bench.client.get(self.bench.url("/api/v1/apps?limit=2"));
        request = request.header("authorization", format!("DPoP {token}"));
        if let Some(proof) = proof {
            request = request.header("dpop", proof);
        }
        let response = self.bench.send(request).await;
        let header =
            |name: &str| response.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
        let (challenge, nonce) = (header("www-authenticate"), header("dpop-nonce"));
        (response.status().as_u16(), challenge.unwrap_or_default(), nonce)
    }
}

#[tokio::test]
async fn a_token_is_bound_by_way_of_a_nonce() {
    let prover = Prover::new(|_| {}).await;
    let (status, body, nonce) = prover.token(None).await;
    assert_eq!((status, &body["error"], nonce), (400, &json!("invalid_dpop_proof"), None));
    let (status, body, nonce) =
        prover.token(Some(&prover.claims("POST", "/oauth2/v1/token"))).await;
    assert_eq!((status, &body["error"], nonce.is_some()), (400, &json!("use_dpop_nonce"), true));
    let token = prover.signed_in().await;
    let proof = prove(&prover.key, Algorithm::ES256, &prover.api_claims(&token));
    assert_eq!(prover.apps(&token, Some(proof)).await.0, 200);
    // Another nonce, and the old one is refused.
    let mut proof = prover.claims("POST", "/oauth2/v1/token");
    proof["nonce"] = json!(nonce.clone().unwrap());
    prover.bench.org().rotate_dpop_nonce();
    let (status, body, fresh) = prover.token(Some(&proof)).await;
    assert_eq!((status, &body["error"]), (400, &json!("use_dpop_nonce")));
    assert_ne!(fresh, nonce);
}

#[tokio::test]
async fn a_bad_proof_gives_no_token() {
    let prover = Prover::new(|_| {}).await;
    let good = || prover.claims("POST", "/oauth2/v1/token");
    let with = |name: &str, value: Json| {
        let mut claims = good();
        claims[name] = value;
        claims
    };
    for wrong in [
        with("htm", json!("GET")),
        with("htu", json!(prover.bench.url("/oauth2/v1/token?x=y"))),
        with("htu", json!("https://elsewhere.example/oauth2/v1/token")),
        with("iat", json!(wall() - 3_600)),
        with("jti", json!("")),
    ] {
        let mut wrong = wrong;
        wrong["nonce"] = json!(prover.bench.org().core.once.nonce());
        let (status, body, _) = prover.token(Some(&wrong)).await;
        assert_eq!((status, &body["error"]), (400, &json!("invalid_dpop_proof")), "{wrong}");
    }
    // The proof of one key, signed by another; the wrong type; no key; a private key.
    let client = prover.bench.org().client();
    let rsa = proof_key(&client.private_key_pem, Algorithm::RS256);
    let header = |change: &dyn Fn(&mut Header)| {
        let mut header = Header {
            typ: Some("dpop+jwt".to_owned()),
            jwk: Some(prover.key.1.clone()),
            ..Header::new(Algorithm::ES256)
        };
        change(&mut header);
        encode(&header, &good(), &prover.key.0).unwrap()
    };
    let crossed = Header {
        typ: Some("dpop+jwt".to_owned()),
        jwk: Some(prover.key.1.clone()),
        ..Header::new(Algorithm::RS256)
    };
    for wrong in [
        encode(&crossed, &good(), &rsa.0).unwrap(),
        header(&|header| header.typ = Some("JWT".to_owned())),
        header(&|header| header.jwk = None),
        "nonsense".to_owned(),
    ] {
        let signed = assertion(&client, &claims(&client));
        let request =
            prover.bench.client.post(&client.token_url).form(&form("okta.apps.read", &signed));
        let response = prover.bench.send(request.header("dpop", wrong)).await;
        assert_eq!(response.status(), 400);
        assert_eq!(response.json::<Json>().await.unwrap()["error"], "invalid_dpop_proof");
    }
}

#[tokio::test]
async fn a_bound_token_needs_its_key_at_every_call() {
    let prover = Prover::new(|_| {}).await;
    let token = prover.signed_in().await;
    let es = |claims: &Json| prove(&prover.key, Algorithm::ES256, claims);
    let good = prover.api_claims(&token);
    assert_eq!(prover.apps(&token, Some(es(&good))).await.0, 200);
    let mut no_hash = prover.api_claims(&token);
    no_hash["ath"] = json!("x");
    let mut other_url = prover.api_claims(&token);
    other_url["htu"] = json!(prover.bench.url("/api/v1/apps?limit=2"));
    let client = prover.bench.org().client();
    let rsa = proof_key(&client.private_key_pem, Algorithm::RS256);
    let other_key = prove(&rsa, Algorithm::RS256, &prover.api_claims(&token));
    for wrong in [Some(es(&good)), None, Some(es(&no_hash)), Some(es(&other_url)), Some(other_key)]
    {
        let (status, challenge, _) = prover.apps(&token, wrong).await;
        assert_eq!(status, 401);
        assert!(challenge.starts_with("DPoP error=\"invalid_dpop_proof\""), "{challenge}");
    }
    let bearer =
        prover.bench.call(Method::GET, "/api/v1/apps", &format!("Bearer {token}"), None).await;
    assert_eq!(bearer.status(), 401);
}

#[tokio::test]
async fn the_api_may_ask_for_a_nonce_too() {
    let prover = Prover::new(|world| world.behaviour.resource_nonce = true).await;
    let token = prover.signed_in().await;
    let es = |claims: &Json| prove(&prover.key, Algorithm::ES256, claims);
    let (status, challenge, nonce) =
        prover.apps(&token, Some(es(&prover.api_claims(&token)))).await;
    assert_eq!(status, 401);
    assert!(challenge.contains("use_dpop_nonce"), "{challenge}");
    let mut claims = prover.api_claims(&token);
    claims["nonce"] = json!(nonce.unwrap());
    assert_eq!(prover.apps(&token, Some(es(&claims))).await.0, 200);
}

#[tokio::test]
async fn optional_and_off() {
    let prover = Prover::new(|world| world.behaviour.dpop = OktaDpop::Optional).await;
    prover.signed_in().await;
    let (status, body, _) = prover.token(None).await;
    assert_eq!((status, &body["token_type"]), (200, &json!("Bearer")));
    prover.bench.org().set_behaviour(|behaviour| behaviour.dpop = OktaDpop::Off);
    let (status, body, _) = prover.token(Some(&json!({ "htm": "nonsense" }))).await;
    assert_eq!((status, &body["token_type"]), (200, &json!("Bearer")));
}
