//! Signing in: every method, what is missing, and where a token may go.

use grantwarden_kit::{
    auth::Credentials,
    connector::{Connector as _, TenantConfig},
    error::{Error, ErrorKind},
    secret::{Secret, SecretRef},
};
use grantwarden_lab::{Effect, Fault};

use super::support::{NOW, OneDirectory, kit_at};
use crate::{MANIFEST, Microsoft365};

async fn sign_in(config: TenantConfig) -> Result<(), Error> {
    Microsoft365.open(config, kit_at(NOW))?.sign_in().await
}

fn with(lab: &OneDirectory, credentials: Credentials) -> TenantConfig {
    TenantConfig { credentials, ..lab.config() }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_of_the_manifest_signs_in() {
    let lab = OneDirectory::small().await;
    let client = lab.tenant().client();
    let folder = tempfile::tempdir().unwrap();
    let assertion = folder.path().join("token");
    std::fs::write(&assertion, lab.tenant().federated_assertion()).unwrap();
    let scopes = Vec::new;
    let methods = [
        lab.config().credentials,
        Credentials::ClientCredentials {
            client_id: client.client_id.clone(),
            client_secret: Secret::new(client.client_secret.clone()),
            scopes: scopes(),
        },
        Credentials::FederatedToken {
            client_id: client.client_id.clone(),
            assertion: SecretRef::File(assertion),
            scopes: scopes(),
        },
        Credentials::Static { token: Secret::new("FAKE-token".into()) },
    ];
    for credentials in methods {
        let method = credentials.method();
        assert!(MANIFEST.sign_ins.iter().any(|known| known.method == method), "{method}");
        sign_in(with(&lab, credentials)).await.unwrap_or_else(|error| panic!("{method}: {error}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_named_before_any_call() {
    let lab = OneDirectory::small().await;
    let client = lab.tenant().client();
    let without_account = TenantConfig { account: None, ..lab.config() };
    let without_certificate = with(
        &lab,
        Credentials::PrivateKeyJwt {
            client_id: client.client_id.clone(),
            private_key: Secret::new(client.private_key_pem.clone()),
            key_id: None,
            certificate: None,
            scopes: Vec::new(),
        },
    );
    let of_another_platform =
        with(&lab, Credentials::ServiceAccount { key: Secret::new("{}".into()), subject: None });
    lab.tenant().forget_calls();
    for (config, word) in [
        (without_account, "account"),
        (without_certificate, "certificate"),
        (of_another_platform, "service_account"),
    ] {
        let error = sign_in(config).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Configuration, "{error}");
        assert!(error.message.contains(word) && error.hint.is_some(), "{error}");
    }
    assert_eq!(lab.tenant().count_calls(|_| true), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_what_to_do_and_nothing_of_the_secret() {
    let lab = OneDirectory::small().await;
    let client = lab.tenant().client();
    let wrong = with(
        &lab,
        Credentials::ClientCredentials {
            client_id: client.client_id,
            client_secret: Secret::new("FAKE-wrong-secret".into()),
            scopes: Vec::new(),
        },
    );
    let error = sign_in(wrong).await.unwrap_err();
    assert_eq!((error.kind, error.code()), (ErrorKind::SignIn, Some("AADSTS7000215")));
    assert!(error.hint.as_deref().is_some_and(|hint| hint.contains("Secret ID")), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("FAKE-wrong"), "{error:?}");
    let elsewhere = TenantConfig { account: Some("nowhere.example".into()), ..lab.config() };
    let error = sign_in(elsewhere).await.unwrap_err();
    assert!(error.hint.is_some(), "{error}");
}

/// A token of which nothing can be read is tried: what it may do, Graph says.
#[tokio::test(flavor = "multi_thread")]
async fn an_opaque_token_is_tried_and_not_judged() {
    let lab = OneDirectory::small().await;
    let token = Credentials::Static { token: Secret::new("FAKE-opaque".into()) };
    let session = Microsoft365.open(with(&lab, token), kit_at(NOW)).unwrap();
    let probe = session.probe().await.unwrap();
    assert!(probe.facets.iter().all(|visibility| visibility.gap.is_some()));
    assert!(lab.tenant().count_calls(|call| call.path.ends_with("/$batch")) > 0);
}

/// A next link cannot lead a token out of the directory.
#[tokio::test(flavor = "multi_thread")]
async fn a_next_link_to_another_host_is_not_followed() {
    let lab = OneDirectory::small().await;
    let body = r#"{"value":[],"@odata.nextLink":"https://thief.example/v1.0/servicePrincipals"}"#;
    let effect = Effect::Reply { status: 200, headers: Vec::new(), body: body.into() };
    let fault = Fault::new(effect).on_path("/v1.0/servicePrincipals").on_text("top=999");
    lab.tenant().inject(fault);
    let scan = lab.scan().await;
    let part = super::support::part(&scan, "service-principals");
    assert!(part.losses[0].gap.detail.contains("thief.example"), "{part:?}");
    assert!(!scan.coverage.is_whole());
}

#[test]
fn public_clouds_sign_in_at_their_own_hosts() {
    for (graph, account) in [
        ("https://graph.microsoft.com", "acme.example"),
        ("https://dod-graph.microsoft.us", "acme.example"),
    ] {
        let config = TenantConfig {
            name: "test".into(),
            base_url: graph.parse().unwrap(),
            token_url: None,
            account: Some(account.into()),
            imports: Default::default(),
            memory: None,
            audience: None,
            hosts: Vec::new(),
            certificate_authorities: None,
            credentials: Credentials::ClientCredentials {
                client_id: "id".into(),
                client_secret: Secret::new("FAKE-secret".into()),
                scopes: Vec::new(),
            },
            skip: Vec::new(),
            buckets: Default::default(),
            keep_quota_percent: 0,
        };
        assert!(Microsoft365.open(config, kit_at(NOW)).is_ok());
    }
}

#[test]
fn the_manifest_is_read() {
    assert_eq!(MANIFEST.id, "microsoft-365");
    assert!(MANIFEST.facets.iter().filter(|facet| facet.promised).count() >= 8);
}
