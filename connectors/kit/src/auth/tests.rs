//! Sender-constrained tokens against a real server on loopback, which checks every proof.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use wiremock::{
    Mock, MockServer, Request as Received, Respond, ResponseTemplate,
    matchers::{any, path},
};

use super::{Dpop, PrivateKeyJwt, SenderConstraint, TokenEndpoint, Tokens};
use crate::{
    clock::{Clock as _, SystemClock, TestClock},
    error::{Answer, ErrorKind},
    http::{Classify, Door, DoorConfig, Limits, Plain, Reply, Request, Verdict},
    jwt::SigningKey,
    model::Timestamp,
    secret::Secret,
};

/// Says what an OAuth server says, with its error code.
struct OAuth;

impl Classify for OAuth {
    fn classify(&self, reply: &Reply, now: Timestamp) -> Verdict {
        let code = reply.json::<Value>().ok().and_then(|body| Some(body["error"].as_str()?.into()));
        match Plain.classify(reply, now) {
            Verdict::Refused(_, answer) => {
                Verdict::Refused(ErrorKind::SignIn, Answer { code, ..answer })
            }
            other => other,
        }
    }
}

/// A server that wants proofs, and a nonce in them that it may change.
#[derive(Clone)]
struct Server(Arc<Mutex<Heard>>);

struct Heard {
    nonce: &'static str,
    /// The ids of proofs and assertions.
    ids: Vec<String>,
    tokens: u32,
    assertions: DecodingKey,
}

impl Heard {
    /// The claims of a request's proof, if it is a good one.
    fn proof(&mut self, request: &Received) -> Option<Value> {
        let proof = request.headers.get("dpop")?.to_str().unwrap();
        let header = jsonwebtoken::decode_header(proof).unwrap();
        assert_eq!((header.typ.as_deref(), header.alg), (Some("dpop+jwt"), Algorithm::ES256));
        let key = DecodingKey::from_jwk(&header.jwk.unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.required_spec_claims.clear();
        let claims = jsonwebtoken::decode::<Value>(proof, &key, &validation).unwrap().claims;
        let host = request.headers["host"].to_str().unwrap();
        assert_eq!(claims["htu"], format!("http://{host}{}", request.url.path()));
        assert_eq!(claims["htm"], request.method.as_str());
        self.once(&claims["jti"]);
        (claims["nonce"] == self.nonce).then_some(claims)
    }

    fn once(&mut self, id: &Value) {
        let id = id.as_str().unwrap().to_owned();
        assert!(!self.ids.contains(&id), "{id} was seen before");
        self.ids.push(id);
    }
}

impl Respond for Server {
    fn respond(&self, request: &Received) -> ResponseTemplate {
        let mut heard = self.0.lock().unwrap();
        let is_sign_in = request.url.path() == "/token";
        if is_sign_in {
            let form: BTreeMap<String, String> =
                url::form_urlencoded::parse(&request.body).into_owned().collect();
            let mut validation = Validation::new(Algorithm::ES256);
            validation.set_audience(&["https://login.example"]);
            let assertion = &form["client_assertion"];
            let claims =
                jsonwebtoken::decode::<Value>(assertion, &heard.assertions, &validation).unwrap();
            heard.once(&claims.claims["jti"]);
            if !request.headers.contains_key("dpop") {
                return ResponseTemplate::new(400)
                    .set_body_string(r#"{"error":"invalid_dpop_proof"}"#);
            }
        }
        let Some(claims) = heard.proof(request) else {
            let status = if is_sign_in { 400 } else { 401 };
            return ResponseTemplate::new(status)
                .insert_header("dpop-nonce", heard.nonce)
                .set_body_string(r#"{"error":"use_dpop_nonce"}"#);
        };
        if is_sign_in {
            heard.tokens += 1;
            return ResponseTemplate::new(200)
                .set_body_string(r#"{"access_token":"FAKE-bound","token_type":"DPoP"}"#);
        }
        assert_eq!(request.headers["authorization"], "DPoP FAKE-bound");
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"FAKE-bound");
        assert_eq!(claims["ath"], URL_SAFE_NO_PAD.encode(digest));
        ResponseTemplate::new(200).set_body_string("{}")
    }
}

fn ec_key() -> (SigningKey, DecodingKey) {
    use aws_lc_rs::signature::KeyPair as _;
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let body = STANDARD.encode(pair.to_pkcs8v1().unwrap().as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    let public = DecodingKey::from_ec_der(pair.public_key().as_ref());
    (SigningKey::from_pem(&Secret::new(pem), None).unwrap(), public)
}

fn door(server: &MockServer) -> Arc<Door> {
    let config = DoorConfig {
        tenant: "acme".into(),
        platform: "test".into(),
        origins: vec![server.uri().parse().unwrap()],
        certificate_authorities: None,
        buckets: BTreeMap::new(),
        classify: Arc::new(OAuth),
        limits: Limits::default(),
        keep_quota_percent: 0,
        clock: Arc::new(TestClock::at(SystemClock.now())),
        cancel: CancellationToken::new(),
    };
    Arc::new(Door::new(config).unwrap())
}

fn source(server: &MockServer, key: SigningKey, dpop: Option<SenderConstraint>) -> PrivateKeyJwt {
    let endpoint = TokenEndpoint {
        url: format!("{}/token", server.uri()).parse().unwrap(),
        audience: "https://login.example".into(),
        assertion_life: Duration::from_secs(300),
    };
    PrivateKeyJwt { endpoint, client_id: "me".into(), key: Arc::new(key), scopes: Vec::new(), dpop }
}

#[tokio::test]
async fn a_server_that_wants_proofs_gets_them_with_every_call_and_the_nonce_that_it_asks_for() {
    let server = MockServer::start().await;
    let (key, assertions) = ec_key();
    let heard = Heard { nonce: "n1", ids: Vec::new(), tokens: 0, assertions };
    let heard = Arc::new(Mutex::new(heard));
    Mock::given(any()).respond_with(Server(Arc::clone(&heard))).mount(&server).await;
    let door = door(&server);
    let dpop = Arc::new(Dpop::make().unwrap());
    let constraint = SenderConstraint::when_asked(Arc::clone(&dpop));
    let source = source(&server, key, Some(constraint));
    let tokens = Tokens::new(Box::new(source), Arc::clone(&door)).with_dpop(dpop);
    let url = format!("{}/things?page=2", server.uri()).parse().unwrap();
    let read = Request::get("read things", url);
    // Without a proof, without the nonce, good; then the API wants its nonce, too.
    door.send(&read, Some(&tokens)).await.unwrap();
    assert_eq!(door.calls(), 5);
    // A new nonce costs one more call, and no new token.
    heard.lock().unwrap().nonce = "n2";
    door.send(&read, Some(&tokens)).await.unwrap();
    assert_eq!((door.calls(), heard.lock().unwrap().tokens), (7, 1));
}

#[tokio::test]
async fn an_assertion_is_made_anew_when_a_sign_in_is_sent_again() {
    let server = MockServer::start().await;
    let (key, assertions) = ec_key();
    let heard = Heard { nonce: "n1", ids: Vec::new(), tokens: 0, assertions };
    let broken = ResponseTemplate::new(503);
    Mock::given(path("/token")).respond_with(broken).up_to_n_times(1).mount(&server).await;
    Mock::given(any()).respond_with(Server(Arc::new(Mutex::new(heard)))).mount(&server).await;
    let door = door(&server);
    let source = source(&server, key, None);
    // Without a key for proofs the refusal is final; both assertions were seen once.
    let error = super::TokenSource::fetch(&source, &door).await.unwrap_err();
    assert_eq!(error.code(), Some("invalid_dpop_proof"));
    let sent = server.received_requests().await.unwrap();
    assert_eq!(sent.len(), 2);
    assert_ne!(sent[0].body, sent[1].body);
}
