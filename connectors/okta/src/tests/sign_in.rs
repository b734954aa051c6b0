//! Signing in: scopes that are not granted, proofs of possession, API tokens.

use grantwarden_kit::{connector::Connector as _, error::ErrorKind, model::Reason};
use grantwarden_lab::{Effect, Fault, okta::OktaDpop};

use super::support::*;
use crate::Okta;

fn tokens(org: &OneOrg) -> usize {
    org.org().count_calls(|call| call.path.ends_with("/token"))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_asks_for_all_scopes() {
    let org = OneOrg::small().await;
    org.session().sign_in().await.unwrap();
    assert_eq!(tokens(&org), 1);
}

/// One refusal, each scope once, and one request for those that are left.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_is_found_out_once() {
    let org = OneOrg::small().await;
    org.org().set_right("okta.logs.read", false);
    org.org().set_right("okta.clients.read", false);
    let session = org.session();
    session.sign_in().await.unwrap();
    let asked = crate::access::READING.len();
    assert_eq!(tokens(&org), 1 + asked + 1);
    // A new token is asked for with what is known to be granted.
    org.org().inject(Fault::new(Effect::ExpireSessions).on_path("/api/v1/").times(1));
    let scan = scan(session.as_ref()).await;
    assert_eq!(tokens(&org), 1 + asked + 1 + 1);
    assert_eq!(part(&scan, "token-events").losses[0].gap.reason, Reason::Permission);
    assert_eq!(part(&scan, "apps").losses, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_scope_at_all_fails_the_tenant_with_the_click_to_make() {
    let org = OneOrg::small().await;
    for scope in crate::access::READING {
        org.org().set_right(scope, false);
    }
    let error = org.session().sign_in().await.unwrap_err();
    assert_eq!((error.kind, error.code()), (ErrorKind::SignIn, Some("invalid_scope")));
    assert!(error.hint.unwrap().contains("Okta API Scopes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_of_possession_are_given_when_asked_for() {
    for resource_nonce in [false, true] {
        let org = OneOrg::small_with(|world| {
            world.behaviour.dpop = OktaDpop::Required;
            world.behaviour.resource_nonce = resource_nonce;
        })
        .await;
        let scan = org.scan().await;
        assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
        // The first asks for a proof, the second for its nonce.
        assert_eq!(tokens(&org), 3);
    }
}

/// Okta changes the nonce once a day: a scan that is under way goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_that_changes_midway_costs_no_row() {
    let org = OneOrg::small_with(|world| {
        world.behaviour.dpop = OktaDpop::Required;
        world.behaviour.resource_nonce = true;
    })
    .await;
    let session = org.session();
    session.sign_in().await.unwrap();
    org.org().rotate_dpop_nonce();
    let scan = scan(session.as_ref()).await;
    assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
    // The token is still good.
    assert_eq!(tokens(&org), 3);
}

/// Both at once: scopes that are missing, and proofs.
#[tokio::test(flavor = "multi_thread")]
async fn scopes_are_tried_with_proofs() {
    let org = OneOrg::small_with(|world| world.behaviour.dpop = OktaDpop::Required).await;
    org.org().set_right("okta.logs.read", false);
    org.session().sign_in().await.unwrap();
    assert_eq!(tokens(&org), 3 + crate::access::READING.len() + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_token_signs_in_with_its_own_scheme() {
    let mut org = OneOrg::small().await;
    org.token = Some(org.org().api_token_secret("Grantwarden").unwrap());
    let scan = org.scan().await;
    assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
    assert_eq!(tokens(&org), 0);
    let probe = org.session().probe().await.unwrap();
    assert!(probe.notes.iter().any(|note| note.contains("30 days")), "{:?}", probe.notes);
    // A list of API tokens without the scanner's own leaves others out, too.
    let empty = Effect::Reply { status: 200, headers: Vec::new(), body: "[]".into() };
    org.org().inject(Fault::new(empty).on_path("/api/v1/api-tokens"));
    let scan = org.scan().await;
    assert_eq!(part(&scan, "api-tokens").losses[0].gap.reason, Reason::Permission);
    // One that has ended fails everything, and says what to do.
    org.token = Some(format!("00FAKE{}", "x".repeat(36)));
    let scan = org.scan().await;
    assert!(!scan.coverage.is_whole());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_okta_does_not_have_is_refused() {
    let org = OneOrg::small().await;
    let mut config = org.config();
    config.credentials = grantwarden_kit::auth::Credentials::ClientCredentials {
        client_id: "0oaFAKE".into(),
        client_secret: grantwarden_kit::secret::Secret::new("FAKE".into()),
        scopes: Vec::new(),
    };
    let Err(error) = Okta.open(config, kit()) else { panic!("was opened") };
    assert_eq!(error.kind, ErrorKind::Configuration);
}
