//! An Enterprise Server: everything below `/api/v3`, and what its site administrators see.

use grantwarden_kit::{
    connector::Connector as _,
    model::{Expiry, GrantKind, Observed, Reason},
};

use super::support::{NOW, OneHost, app, grant, grants, kit_at, part, scan_session, setting};
use crate::GitHub;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_found_below_its_host() {
    let lab = OneHost::server().await;
    let mut config = lab.config();
    // As people write it: the host alone.
    config.base_url.set_path("");
    let session = GitHub::new().open(config, kit_at(NOW)).unwrap();
    session.sign_in().await.unwrap();
    let scan = scan_session(session.as_ref()).await;
    assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
    assert_eq!(setting(grant(&scan, "deploy-key:12101"), "Repository"), Some("workshop/firmware"));
    let listed = &part(&scan, "credential-authorizations").losses[0].gap;
    assert_eq!(listed.reason, Reason::PlatformSilent);
    // An app is no site administrator.
    let tokens = &part(&scan, "site-tokens").losses[0].gap;
    assert_eq!(tokens.reason, Reason::Permission);
    assert!(tokens.detail.contains("site_admin"), "{}", tokens.detail);
    let probe = session.probe().await.unwrap();
    assert!(probe.notes.iter().any(|note| note.contains("Server 3.19.0")), "{:?}", probe.notes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_administrator_sees_the_tokens_of_everybody() {
    let lab = OneHost::server().await;
    let token = lab.tenant().client().site_admin_token;
    let lab = OneHost { token: Some(token), ..lab };
    let scan = lab.scan().await;
    let script = grant(&scan, "site-token:501");
    assert_eq!((script.app.as_str(), script.kind), ("site-tokens", GrantKind::PersonalToken));
    assert_eq!(script.expires, Observed::Known(Expiry::Never));
    let chat = grant(&scan, "site-token:502");
    assert_eq!(chat.kind, GrantKind::Delegated);
    assert_eq!(app(&scan, &chat.app).name, "Drift Chat");
    assert_eq!(chat.app_name, "Drift Chat");
    assert!(grants(&scan).any(|grant| grant.id.starts_with("site-key:")));
    // The administrator is nobody in the organisation, and that is said.
    assert!(!scan.coverage.is_whole());
}

/// A server has no page that tells the app's installation on the enterprise: the app's own list does.
#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_of_a_server_is_found_in_the_apps_own_list() {
    let lab = OneHost::server().await;
    let rows = serde_json::json!([
        { "id": 1, "account": { "login": "workshop", "type": "Organization" }, "target_type": "Organization" },
        { "id": 2, "account": { "slug": "Works", "id": 5 }, "target_type": "Enterprise",
          "permissions": { "enterprise_organization_installations": "read" } },
    ]);
    let token = serde_json::json!({
        "token": "ghs_FAKEenterprise", "permissions": { "enterprise_organization_installations": "read" },
    });
    let answer = |status, body: serde_json::Value| grantwarden_lab::Effect::Reply {
        status,
        headers: Vec::new(),
        body: body.to_string(),
    };
    let tenant = lab.tenant();
    tenant.inject(
        grantwarden_lab::Fault::new(answer(200, rows)).on_path("/app/installations").times(1),
    );
    tenant.inject(
        grantwarden_lab::Fault::new(answer(201, token))
            .on_path("/app/installations/2/access_tokens"),
    );
    let mut config = lab.config();
    config.account = Some("enterprises/works".to_owned());
    let session = GitHub::new().open(config, kit_at(NOW)).unwrap();
    session.sign_in().await.unwrap();
    let asked = tenant.calls().into_iter().find(|call| call.path.ends_with("/2/access_tokens"));
    assert!(
        !asked.unwrap().operation.unwrap().contains("permissions"),
        "an enterprise's is not narrowed"
    );
}
