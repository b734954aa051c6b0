//! The door against a real server on loopback. Waiting is a test clock's, so that no test takes longer than its calls.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use url::Url;
use wiremock::{
    Mock, MockServer, Request as Received, ResponseTemplate,
    matchers::{any, header, method, path},
};

use super::*;
use crate::{
    auth::{
        AccessToken, ClientCredentials, FederatedToken, JwtBearer, PrivateKeyJwt, SelfSignedJwt,
        ServiceAccount, TokenEndpoint, TokenSource, Tokens,
    },
    clock::{Clock as _, SystemClock, TestClock},
    error::{ErrorKind, Result},
    jwt::SigningKey,
    manifest::Bucket,
    secret::{Secret, SecretRef},
};

fn door_with(server: &MockServer, change: impl FnOnce(&mut DoorConfig)) -> Arc<Door> {
    let mut config = DoorConfig {
        tenant: "acme".into(),
        platform: "test".into(),
        origins: vec![server.uri().parse().unwrap()],
        certificate_authorities: None,
        buckets: BTreeMap::new(),
        classify: Arc::new(Plain),
        limits: Limits::default(),
        keep_quota_percent: 0,
        clock: Arc::new(TestClock::at(SystemClock.now())),
        cancel: CancellationToken::new(),
    };
    change(&mut config);
    Arc::new(Door::new(config).unwrap())
}

fn door(server: &MockServer) -> Arc<Door> {
    door_with(server, |_| {})
}

fn get(server: &MockServer, path: &str) -> Request {
    Request::get("read things", format!("{}{path}", server.uri()).parse().unwrap())
}

async fn answers(server: &MockServer, replies: Vec<ResponseTemplate>) {
    for (priority, reply) in (1..).zip(replies) {
        Mock::given(any())
            .respond_with(reply)
            .up_to_n_times(1)
            .with_priority(priority)
            .mount(server)
            .await;
    }
}

async fn kind_of(server: &MockServer, request: Request) -> (ErrorKind, String) {
    let error = door(server).send(&request, None).await.unwrap_err();
    (error.kind, format!("{error} {error:?}"))
}

#[tokio::test]
async fn retry_after_is_waited_for_and_the_call_repeated() {
    let server = MockServer::start().await;
    answers(
        &server,
        vec![
            ResponseTemplate::new(429).insert_header("retry-after", "30"),
            ResponseTemplate::new(503),
            ResponseTemplate::new(200).set_body_string("{}"),
        ],
    )
    .await;
    let clock = Arc::new(TestClock::at(SystemClock.now()));
    let before = clock.now();
    let door = door_with(&server, |config| config.clock = clock.clone());
    door.send(&get(&server, "/"), None).await.unwrap();
    assert!(before.until(clock.now()) >= Duration::from_secs(30));
    assert_eq!(door.calls(), 3);
}

#[test]
fn a_reply_tells_its_own_time() {
    let headers = [("date", "Sun, 22 Nov 2026 11:00:01 GMT")];
    let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let reply = Reply::part(reqwest::StatusCode::OK, headers.into_iter().collect(), String::new());
    assert_eq!(reply.date(), Some("2026-11-22T11:00:01Z".parse().unwrap()));
    let silent = Reply::part(reqwest::StatusCode::OK, Default::default(), String::new());
    assert_eq!(silent.date(), None);
}

/// Requests for tokens name a bucket that few manifests have.
#[tokio::test]
async fn a_bucket_that_the_manifest_does_not_name_is_its_default() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let clock = Arc::new(TestClock::at(SystemClock.now()));
    let one = std::num::NonZeroU32::MIN;
    let bucket = Bucket { per_minute: Some(one), burst: Some(one), concurrent: one };
    let door = door_with(&server, |config| {
        config.clock = clock.clone();
        config.buckets.insert("default".into(), bucket);
    });
    let before = clock.now();
    for _ in 0..2 {
        let request = Request { bucket: "token", ..get(&server, "/") };
        door.send(&request, None).await.unwrap();
    }
    assert!(before.until(clock.now()) >= Duration::from_secs(59));
}

/// Announces what is left of a window of ten seconds.
struct Windowed;

impl Classify for Windowed {
    fn classify(&self, reply: &Reply, now: crate::model::Timestamp) -> Verdict {
        Plain.classify(reply, now)
    }

    fn window(&self, reply: &Reply, _: crate::model::Timestamp) -> Option<Window> {
        let remaining = reply.header("remaining")?.parse().ok()?;
        Some(Window { limit: 100, remaining, resets_in: Duration::from_secs(10) })
    }
}

#[tokio::test]
async fn a_bucket_rests_when_only_the_share_of_others_is_left() {
    let server = MockServer::start().await;
    let left = |calls: &str| ResponseTemplate::new(200).insert_header("remaining", calls);
    answers(&server, vec![left("21"), left("20"), left("99")]).await;
    let clock = Arc::new(TestClock::at(SystemClock.now()));
    let door = door_with(&server, |config| {
        config.clock = clock.clone();
        config.classify = Arc::new(Windowed);
        config.keep_quota_percent = 20;
    });
    let mut waited = Vec::new();
    for _ in 0..3 {
        let before = clock.now();
        door.send(&get(&server, "/"), None).await.unwrap();
        waited.push(before.until(clock.now()).as_secs());
    }
    assert_eq!(waited, [0, 0, 10]);
}

#[tokio::test]
async fn a_wait_beyond_patience_is_refused_at_once() {
    let server = MockServer::start().await;
    answers(&server, vec![ResponseTemplate::new(429).insert_header("retry-after", "86400")]).await;
    let (kind, text) = kind_of(&server, get(&server, "/")).await;
    assert_eq!(kind, ErrorKind::Throttled);
    assert!(text.contains("86400"), "{text}");
}

#[tokio::test]
async fn a_platform_in_trouble_is_not_hammered() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(503)).mount(&server).await;
    let door = door(&server);
    for _ in 0..50 {
        door.send(&get(&server, "/"), None).await.unwrap_err();
    }
    // 50 first sends, and no more repeats than the budget has: 30.
    assert_eq!(door.calls(), 80);
}

#[tokio::test]
async fn a_change_is_not_sent_again_once_its_outcome_is_unknown() {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(502)).mount(&server).await;
    let request = Request::post("change", server.uri().parse().unwrap(), Body::Empty);
    let door = door(&server);
    assert_eq!(door.send(&request, None).await.unwrap_err().kind, ErrorKind::OutcomeUnknown);
    assert_eq!(door.calls(), 1);
}

/// Nothing was sent, so nothing can have happened.
#[tokio::test]
async fn a_change_that_found_no_connection_is_sent_again() {
    let server = MockServer::start().await;
    let door =
        door_with(&server, |config| config.origins = vec!["http://127.0.0.1:1".parse().unwrap()]);
    let request = Request::post("change", "http://127.0.0.1:1/".parse().unwrap(), Body::Empty);
    assert_eq!(door.send(&request, None).await.unwrap_err().kind, ErrorKind::Network);
    assert_eq!(door.calls(), u64::from(Limits::default().attempts));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_host_is_named() {
    let server = MockServer::start().await;
    let away = ResponseTemplate::new(302).insert_header("location", "https://thief.example/?q=1");
    answers(&server, vec![away]).await;
    let (kind, text) = kind_of(&server, get(&server, "/")).await;
    assert_eq!(kind, ErrorKind::ForeignHost);
    assert!(text.contains("https://thief.example,") && !text.contains("q=1"), "{text}");
}

#[tokio::test]
async fn a_next_link_to_another_host_gets_no_token() {
    let (server, thief) = (MockServer::start().await, MockServer::start().await);
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_string("{}"))
        .mount(&thief)
        .await;
    let body = format!(r#"{{"next":"{}/collect"}}"#, thief.uri());
    answers(&server, vec![ResponseTemplate::new(200).set_body_string(body)]).await;
    let door = door(&server);
    let tokens = counting(&door).1;
    let mut pages = Pages::new(&door, &tokens, Paging::NextUrl(&["next"]), get(&server, "/"));
    assert!(pages.next::<Value>().await.unwrap().is_some());
    assert_eq!(pages.next::<Value>().await.unwrap_err().kind, ErrorKind::ForeignHost);
    assert!(thief.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_listing_that_runs_in_circles_ends_with_an_error() {
    let server = MockServer::start().await;
    let reply = ResponseTemplate::new(200).set_body_string(r#"{"next":"/again"}"#);
    Mock::given(any()).respond_with(reply).mount(&server).await;
    let door = door(&server);
    let tokens = counting(&door).1;
    let mut pages = Pages::new(&door, &tokens, Paging::NextUrl(&["next"]), get(&server, "/"));
    for _ in 0..2 {
        pages.next::<Value>().await.unwrap();
    }
    let error = pages.next::<Value>().await.unwrap_err();
    assert!(error.to_string().contains("leads back"), "{error}");
}

#[tokio::test]
async fn html_a_large_body_and_a_slow_one_are_told_apart() {
    let server = MockServer::start().await;
    Mock::given(path("/html"))
        .respond_with(
            ResponseTemplate::new(200).set_body_string("\n<!DOCTYPE html><title>Sign in</title>"),
        )
        .mount(&server)
        .await;
    Mock::given(path("/large"))
        .respond_with(ResponseTemplate::new(200).set_body_bytes(vec![b' '; 3_000]))
        .mount(&server)
        .await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(5));
    Mock::given(path("/slow")).respond_with(slow).mount(&server).await;
    let door = door_with(&server, |config| {
        config.limits = Limits {
            body: 2_000,
            answer: Duration::from_millis(50),
            attempts: 2,
            ..Limits::default()
        };
    });
    let kind = async |path| door.send(&get(&server, path), None).await.unwrap_err().kind;
    assert_eq!(kind("/html").await, ErrorKind::Malformed);
    assert_eq!(kind("/large").await, ErrorKind::TooLarge);
    assert_eq!(kind("/slow").await, ErrorKind::Timeout);
}

#[tokio::test]
async fn what_a_platform_answers_is_redacted() {
    let server = MockServer::start().await;
    let body = "the client secret s3cr3t! and token 00D000000000001AAA!AQ0FAKE0FAKE0FAKE0FAKE0FAKE are wrong";
    answers(&server, vec![ResponseTemplate::new(403).set_body_string(body)]).await;
    let door = door(&server);
    door.redactor().learn(&Secret::new("s3cr3t!".into()));
    let error = door.send(&get(&server, "/"), None).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(!text.contains("s3cr3t") && !text.contains("FAKE0"), "{text}");
}

#[tokio::test]
async fn the_share_of_the_quota_that_is_kept_is_not_used() {
    struct Counted;
    impl Classify for Counted {
        fn classify(&self, reply: &Reply, now: crate::model::Timestamp) -> Verdict {
            Plain.classify(reply, now)
        }
        fn quota(&self, _: &Reply) -> Option<QuotaUse> {
            Some(QuotaUse { used: 91, max: 100 })
        }
    }
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let door = door_with(&server, |config| {
        config.classify = Arc::new(Counted);
        config.keep_quota_percent = 10;
    });
    door.send(&get(&server, "/"), None).await.unwrap();
    assert_eq!(door.send(&get(&server, "/"), None).await.unwrap_err().kind, ErrorKind::Quota);
    assert_eq!(door.calls(), 1);
}

#[tokio::test]
async fn plain_http_is_for_this_machine_only() {
    for (url, is_fine) in [
        ("http://acme.my.salesforce.com", false),
        ("http://192.0.2.1", false),
        ("https://acme.my.salesforce.com", true),
        ("http://localhost:1", true),
        ("http://[::1]:1", true),
        ("ftp://localhost", false),
    ] {
        let made = Door::new(DoorConfig {
            tenant: "acme".into(),
            platform: "test".into(),
            origins: vec![url.parse().unwrap()],
            certificate_authorities: None,
            buckets: BTreeMap::new(),
            classify: Arc::new(Plain),
            limits: Limits::default(),
            keep_quota_percent: 0,
            clock: Arc::new(SystemClock),
            cancel: CancellationToken::new(),
        });
        assert_eq!(made.is_ok(), is_fine, "{url}");
    }
}

#[tokio::test]
async fn nobody_listening_and_no_such_name_are_told_apart() {
    let server = MockServer::start().await;
    let door = door_with(&server, |config| {
        config.origins.push("http://127.0.0.1:1".parse().unwrap());
        config.origins.push("https://no-such-org.invalid".parse().unwrap());
        config.limits.attempts = 1;
    });
    let refused = Request::get("read things", "http://127.0.0.1:1/".parse().unwrap());
    let error = door.send(&refused, None).await.unwrap_err();
    assert!(error.to_string().contains("no connection to http://127.0.0.1:1"), "{error}");
    let unknown = Request::get("read things", "https://no-such-org.invalid/".parse().unwrap());
    let error = door.send(&unknown, None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Network);
    assert!(error.hint.is_some());
}

/// A source that counts how often it is asked.
struct Counting(Arc<AtomicUsize>);

#[async_trait]
impl TokenSource for Counting {
    async fn fetch(&self, _: &Door) -> Result<AccessToken> {
        let nth = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(AccessToken::plain(Secret::new(format!("FAKE-token-{nth}"))))
    }
}

fn counting(door: &Arc<Door>) -> (Arc<AtomicUsize>, Tokens) {
    let count = Arc::new(AtomicUsize::new(0));
    (Arc::clone(&count), Tokens::new(Box::new(Counting(Arc::clone(&count))), Arc::clone(door)))
}

#[tokio::test]
async fn many_callers_share_one_sign_in() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let door = door(&server);
    let (count, tokens) = counting(&door);
    let request = get(&server, "/");
    let sends = (0..20).map(|_| door.send(&request, Some(&tokens)));
    assert!(futures::future::join_all(sends).await.iter().all(Result::is_ok));
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_for_all_who_hold_it() {
    let server = MockServer::start().await;
    let new = header("authorization", "Bearer FAKE-token-2");
    Mock::given(new).respond_with(ResponseTemplate::new(200)).with_priority(1).mount(&server).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(401)).mount(&server).await;
    let door = door(&server);
    let (count, tokens) = counting(&door);
    let request = get(&server, "/");
    let sends = (0..10).map(|_| door.send(&request, Some(&tokens)));
    assert!(futures::future::join_all(sends).await.iter().all(Result::is_ok));
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_token_that_stays_refused_is_an_error_after_one_renewal() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(401)).mount(&server).await;
    let door = door(&server);
    let (count, tokens) = counting(&door);
    let error = door.send(&get(&server, "/"), Some(&tokens)).await.unwrap_err();
    assert_eq!((error.kind, count.load(Ordering::SeqCst)), (ErrorKind::Unauthorized, 2));
}

fn endpoint(server: &MockServer) -> TokenEndpoint {
    TokenEndpoint {
        url: format!("{}/token", server.uri()).parse().unwrap(),
        audience: "https://login.example".into(),
        assertion_life: Duration::from_secs(180),
    }
}

fn form(request: &Received) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(&request.body).into_owned().collect()
}

#[tokio::test]
async fn client_credentials_go_in_the_form_and_never_into_an_error() {
    let server = MockServer::start().await;
    let refusal = r#"{"error":"invalid_client","error_description":"bad secret FAKE-s3cret"}"#;
    answers(
        &server,
        vec![
            ResponseTemplate::new(200).set_body_string(
                r#"{"access_token":"FAKE-a","expires_in":60,"token_type":"Bearer","id":"x"}"#,
            ),
            ResponseTemplate::new(400).set_body_string(refusal),
        ],
    )
    .await;
    let door = door(&server);
    let source = ClientCredentials {
        endpoint: endpoint(&server),
        client_id: "me".into(),
        client_secret: Secret::new("FAKE-s3cret".into()),
        scopes: vec!["a".into(), "b".into()],
    };
    let token = source.fetch(&door).await.unwrap();
    assert!(token.expires_at.is_some());
    assert!(!format!("{token:?}").contains("FAKE-a"), "{token:?}");
    let sent = form(&server.received_requests().await.unwrap()[0]);
    assert_eq!(sent["grant_type"], "client_credentials");
    assert_eq!((sent["client_secret"].as_str(), sent["scope"].as_str()), ("FAKE-s3cret", "a b"));
    let error = source.fetch(&door).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
}

#[tokio::test]
async fn private_key_jwt_signs_a_fresh_assertion_each_time() {
    let server = MockServer::start().await;
    let reply = ResponseTemplate::new(200).set_body_string(r#"{"access_token":"FAKE-a"}"#);
    Mock::given(any()).respond_with(reply).mount(&server).await;
    let (pem, public) = rsa_key();
    let source = PrivateKeyJwt {
        endpoint: endpoint(&server),
        client_id: "me".into(),
        key: Arc::new(SigningKey::from_pem(&Secret::new(pem), Some("key-1".into())).unwrap()),
        scopes: Vec::new(),
        dpop: None,
    };
    let door = door(&server);
    source.fetch(&door).await.unwrap();
    source.fetch(&door).await.unwrap();
    let mut ids = Vec::new();
    for request in server.received_requests().await.unwrap() {
        let sent = form(&request);
        assert_eq!(
            sent["client_assertion_type"],
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
        validation.set_audience(&["https://login.example"]);
        validation.set_issuer(&["me"]);
        let key = jsonwebtoken::DecodingKey::from_rsa_der(&public);
        let token =
            jsonwebtoken::decode::<Value>(&sent["client_assertion"], &key, &validation).unwrap();
        assert_eq!(token.header.kid.as_deref(), Some("key-1"));
        assert_eq!(token.claims["sub"], "me");
        ids.push(token.claims["jti"].clone());
    }
    assert_ne!(ids[0], ids[1]);
}

/// A throw-away RSA key: PEM of the private half, DER of the public half (PKCS#1).
fn rsa_key() -> (String, Vec<u8>) {
    use aws_lc_rs::{
        encoding::{AsDer as _, Pkcs8V1Der},
        rsa::{KeyPair, KeySize},
        signature::KeyPair as _,
    };
    use base64::Engine as _;
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let body = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let pem =
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
    (pem, key.public_key().as_ref().to_vec())
}

#[test]
fn keys_that_cannot_sign_are_told_apart() {
    let message = |text: &str| {
        let error = SigningKey::from_pem(&Secret::new(text.into()), None).unwrap_err();
        assert!(error.hint.is_some());
        error.to_string()
    };
    assert!(message("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n").contains("pass phrase"));
    assert!(
        message("-----BEGIN CERTIFICATE-----\nAAAA\n")
            .contains("a certificate, not its private key")
    );
    assert!(message("not a key").contains("neither an RSA key"));
}

#[tokio::test]
async fn a_key_with_a_certificate_signs_with_ps256_and_names_it() {
    let (pem, public) = rsa_key();
    let certificate = "-----BEGIN CERTIFICATE-----\nRkFLRQ==\n-----END CERTIFICATE-----\n";
    let key = SigningKey::from_pem(&Secret::new(pem), None).unwrap();
    let key = key.with_certificate(certificate.as_bytes()).unwrap();
    let token = key.sign(&serde_json::json!({ "sub": "me" })).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::PS256);
    validation.required_spec_claims.clear();
    let verifier = jsonwebtoken::DecodingKey::from_rsa_der(&public);
    let token = jsonwebtoken::decode::<Value>(token.expose(), &verifier, &validation).unwrap();
    // SHA-256 of the four bytes `FAKE`, as `printf FAKE | openssl sha256 -binary | basenc --base64url` gives it.
    let thumbprint = "oVLZVo2EeIOG7QZWB5n3sPIiAFGvM5nSqniGLFVuq8s";
    assert_eq!(token.header.x5t_s256.as_deref(), Some(thumbprint));
    let (pem, _) = rsa_key();
    let key = SigningKey::from_pem(&Secret::new(pem), None).unwrap();
    assert_eq!(key.with_certificate(b"no certificate").unwrap_err().kind, ErrorKind::Configuration);
}

#[tokio::test]
async fn a_federated_token_is_read_again_at_each_sign_in() {
    let server = MockServer::start().await;
    let reply = ResponseTemplate::new(200).set_body_string(r#"{"access_token":"FAKE-a"}"#);
    Mock::given(any()).respond_with(reply).mount(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let source = FederatedToken {
        endpoint: endpoint(&server),
        client_id: "me".into(),
        assertion: SecretRef::File(path.clone()),
        scopes: Vec::new(),
    };
    let door = door(&server);
    for token in ["FAKE-first", "FAKE-second"] {
        std::fs::write(&path, token).unwrap();
        source.fetch(&door).await.unwrap();
    }
    let sent = server.received_requests().await.unwrap();
    let assertions: Vec<String> =
        sent.iter().map(|request| form(request)["client_assertion"].clone()).collect();
    assert_eq!(assertions, ["FAKE-first", "FAKE-second"]);
}

#[tokio::test]
async fn a_service_account_acts_for_a_user_or_as_itself() {
    let server = MockServer::start().await;
    let reply = ResponseTemplate::new(200).set_body_string(r#"{"access_token":"FAKE-a"}"#);
    Mock::given(any()).respond_with(reply).mount(&server).await;
    let (pem, public) = rsa_key();
    let file = serde_json::json!({
        "client_email": "scanner@acme.example", "private_key": pem, "private_key_id": "FAKE-1",
        "token_uri": "https://thief.example/token",
    });
    let account = ServiceAccount::from_key_file(&Secret::new(file.to_string())).unwrap();
    let claims = |token: &str| {
        let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
        validation.validate_aud = false;
        let verifier = jsonwebtoken::DecodingKey::from_rsa_der(&public);
        jsonwebtoken::decode::<Value>(token, &verifier, &validation).unwrap()
    };
    let door = door(&server);
    let source = JwtBearer {
        endpoint: endpoint(&server),
        client_id: account.email.clone(),
        username: "admin@acme.example".into(),
        key: Arc::clone(&account.key),
        scopes: vec!["a".into(), "b".into()],
    };
    source.fetch(&door).await.unwrap();
    let sent = form(&server.received_requests().await.unwrap()[0]);
    let token = claims(&sent["assertion"]);
    assert_eq!(token.header.kid.as_deref(), Some("FAKE-1"));
    assert_eq!(
        (&token.claims["sub"], &token.claims["scope"]),
        (&"admin@acme.example".into(), &"a b".into())
    );
    let source = SelfSignedJwt {
        issuer: account.email.clone(),
        audience: "https://api.example/".into(),
        key: account.key,
    };
    let token = source.fetch(&door).await.unwrap();
    assert!(token.expires_at.is_some());
    let claims = claims(token.value.expose()).claims;
    assert_eq!((&claims["iss"], &claims["sub"]), (&claims["sub"], &"scanner@acme.example".into()));
    assert_eq!(claims["aud"], "https://api.example/");
    let error = ServiceAccount::from_key_file(&Secret::new("FAKE-no-json".into())).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("FAKE"), "{error:?}");
}

#[tokio::test]
async fn a_bucket_keeps_its_rate_by_the_sessions_clock() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let clock = Arc::new(TestClock::at(SystemClock.now()));
    let before = clock.now();
    let bucket = Bucket {
        per_minute: 30.try_into().ok(),
        burst: 1.try_into().ok(),
        concurrent: 4.try_into().unwrap(),
    };
    let door = door_with(&server, |config| {
        config.clock = clock.clone();
        config.buckets.insert("slow".into(), bucket);
    });
    let request = Request { bucket: "slow", ..get(&server, "/") };
    let sends = (0..6).map(|_| door.send(&request, None));
    assert!(futures::future::join_all(sends).await.iter().all(Result::is_ok));
    // The first leaves at once, each further one two seconds after the one before.
    assert!(before.until(clock.now()) >= Duration::from_secs(10));
}

/// An envelope of paths: the server answers with a list of `[position, status, retry-after]`.
struct Paths(Url);

impl Envelope for Paths {
    fn largest(&self) -> usize {
        3
    }

    fn pack(&self, parts: &[&Request]) -> Result<Request> {
        let paths: Vec<&str> = parts.iter().map(|part| part.url.path()).collect();
        let body = Body::Json(Arc::new(serde_json::json!(paths)));
        Ok(Request::post("batch", self.0.clone(), body).repeatable())
    }

    fn unpack(&self, reply: &Reply) -> Result<Vec<(usize, Reply)>> {
        let replies: Vec<(usize, u16, Option<u64>)> = reply.json()?;
        let unpack = |(at, status, wait): (usize, u16, Option<u64>)| {
            let mut headers = reqwest::header::HeaderMap::new();
            if let Some(wait) = wait {
                headers.insert("retry-after", wait.into());
            }
            (at, Reply::part(reqwest::StatusCode::from_u16(status).unwrap(), headers, "{}"))
        };
        Ok(replies.into_iter().map(unpack).collect())
    }
}

async fn envelopes(server: &MockServer, replies: &[&str]) {
    let replies = replies.iter().map(|body| ResponseTemplate::new(200).set_body_string(*body));
    answers(server, replies.collect()).await;
}

fn parts(server: &MockServer, count: usize) -> Vec<Request> {
    (0..count).map(|nth| get(server, &format!("/{nth}"))).collect()
}

#[tokio::test]
async fn each_part_of_an_envelope_is_judged_alone_and_only_what_failed_is_sent_again() {
    let server = MockServer::start().await;
    // Out of order; one throttled, one without a reply, one that nobody asked for.
    envelopes(&server, &["[[2,403,null],[0,429,30],[9,200,null]]", "[[1,200,null],[0,200,null]]"])
        .await;
    let clock = Arc::new(TestClock::at(SystemClock.now()));
    let before = clock.now();
    let door = door_with(&server, |config| config.clock = clock.clone());
    let (_, tokens) = counting(&door);
    let envelope = Paths(server.uri().parse().unwrap());
    let results = door.send_batch(&parts(&server, 3), &envelope, &tokens).await;
    let kinds: Vec<Option<ErrorKind>> =
        results.iter().map(|result| result.as_ref().err().map(|error| error.kind)).collect();
    assert_eq!(kinds, [None, None, Some(ErrorKind::Forbidden)]);
    assert!(before.until(clock.now()) >= Duration::from_secs(30));
    let bodies: Vec<Value> = server
        .received_requests()
        .await
        .unwrap()
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    assert_eq!(bodies[1], serde_json::json!(["/0", "/1"]));
}

#[tokio::test]
async fn a_part_that_never_gets_a_reply_is_an_error_and_not_a_gap() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_string("[]"))
        .mount(&server)
        .await;
    let door = door(&server);
    let (_, tokens) = counting(&door);
    let envelope = Paths(server.uri().parse().unwrap());
    let results = door.send_batch(&parts(&server, 4), &envelope, &tokens).await;
    assert_eq!(results.len(), 4);
    assert!(
        results.iter().all(|result| {
            result.as_ref().is_err_and(|error| error.kind == ErrorKind::Malformed)
        })
    );
}

#[tokio::test]
async fn a_token_refused_in_a_part_is_renewed_once() {
    let server = MockServer::start().await;
    envelopes(&server, &["[[0,401,null],[1,200,null]]", "[[0,401,null]]"]).await;
    let door = door(&server);
    let (count, tokens) = counting(&door);
    let envelope = Paths(server.uri().parse().unwrap());
    let results = door.send_batch(&parts(&server, 2), &envelope, &tokens).await;
    assert_eq!(results[0].as_ref().unwrap_err().kind, ErrorKind::Unauthorized);
    assert!(results[1].is_ok());
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_empty_next_link_is_no_end() {
    let server = MockServer::start().await;
    let body = ResponseTemplate::new(200).set_body_string(r#"{"value":[],"next":""}"#);
    Mock::given(any()).respond_with(body).mount(&server).await;
    let door = door(&server);
    let (_, tokens) = counting(&door);
    let first = get(&server, "/things");
    let mut pages = Pages::new(&door, &tokens, Paging::NextUrl(&["next"]), first.clone());
    assert_eq!(pages.next::<Value>().await.unwrap_err().kind, ErrorKind::Malformed);
    let cursor = Paging::Cursor { member: &["next"], parameter: "page" };
    let mut pages = Pages::new(&door, &tokens, cursor, first);
    assert!(pages.next::<Value>().await.unwrap().is_some());
    assert!(pages.next::<Value>().await.unwrap().is_none());
}

#[tokio::test]
async fn a_change_that_a_failing_platform_answers_with_a_wait_is_not_sent_again() {
    let server = MockServer::start().await;
    let unwell = ResponseTemplate::new(503).insert_header("retry-after", "1");
    Mock::given(any()).respond_with(unwell).mount(&server).await;
    let door = door(&server);
    let change = Request::delete("change", server.uri().parse().unwrap());
    assert_eq!(door.send(&change, None).await.unwrap_err().kind, ErrorKind::OutcomeUnknown);
    assert_eq!(door.calls(), 1);
}
