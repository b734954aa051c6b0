//! What the records of the small world say.

use grantwarden_kit::model::{
    Approval, Expiry, GrantKind, Holder, Observed, Origin, Reason, Record, UserConsent,
};

use super::support::{
    OneHost, app, apps, events, grant, grants, part, scope_names, setting, tenant,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_organisation_is_read() {
    let lab = OneHost::small().await;
    let scan = lab.scan().await;
    assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
    let own = tenant(&scan);
    assert_eq!(
        (own.id.as_str(), own.display_name.known().unwrap().as_str()),
        ("9919", "Small Company")
    );
    let value = |name: &str| {
        own.settings.iter().find(|setting| setting.name == name).unwrap().value.known().cloned()
    };
    assert_eq!(value("Plan").unwrap(), "enterprise");
    assert_eq!(value("Require two-factor authentication").unwrap(), "yes");
    assert_eq!(
        value("Actions secrets of the organisation").unwrap(),
        "2: DRIFT_API_KEY, REGISTRY_TOKEN"
    );
    // An app comes before its grants, and no id comes twice.
    let (mut known, mut ids) = (std::collections::HashSet::new(), std::collections::HashSet::new());
    for record in &scan.records {
        match record {
            Record::App(app) => assert!(known.insert(app.id.as_str()), "{} came twice", app.id),
            Record::Grant(grant) => {
                assert!(known.contains(grant.app.as_str()), "{} before its app", grant.id);
                assert!(ids.insert(grant.id.as_str()), "{} came twice", grant.id);
            }
            _ => {}
        }
    }
    // The token was given back.
    assert_eq!(lab.tenant().count_calls(|call| call.path == "/installation/token"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installed_app_says_what_it_may_do_and_who_is_behind_it() {
    let scan = OneHost::small().await.scan().await;
    let drift = app(&scan, "app:3001");
    assert_eq!((drift.name.as_str(), drift.origin), ("Drift", Origin::ThirdParty));
    assert_eq!(drift.publisher.known().unwrap().name, "drift-apps");
    assert_eq!(drift.home_tenant.known().unwrap(), "drift-apps");
    assert_eq!(drift.web_domains.known().unwrap(), &["www.drift.example"]);
    assert_eq!(drift.client_ids.known().unwrap(), &["Iv1.FAKEdrift0000001"]);
    assert_eq!(drift.blocked, Observed::Known(false));
    let waiting = "Permissions that the app asks for and was not given";
    let waiting = drift.settings.iter().find(|setting| setting.name == waiting).unwrap();
    assert_eq!(waiting.value.known().unwrap(), "actions:write, secrets:write");

    let installation = grant(&scan, "installation:7001");
    assert_eq!((installation.kind, &installation.holder), (GrantKind::Installation, &Holder::App));
    assert_eq!(
        scope_names(installation),
        ["actions:read", "contents:write", "metadata:read", "workflows:write"]
    );
    assert_eq!(installation.expires, Observed::Known(Expiry::Never));
    assert_eq!(installation.last_used_at.gap().unwrap().reason, Reason::PlatformSilent);
    assert_eq!(setting(installation, "Repository access"), Some("all repositories"));
    let lint = grant(&scan, "installation:7002");
    assert_eq!(setting(lint, "Repository access"), Some("selected repositories"));

    // Suspended, private and somebody else's: nobody says whose.
    let owl = app(&scan, "app:3003");
    assert_eq!((&owl.blocked, owl.origin), (&Observed::Known(true), Origin::ThirdParty));
    assert!(owl.publisher.gap().is_some());
    assert_eq!(owl.name, "night-owl");
    let owners = part(&scan, "app-owners");
    assert!(owners.losses.is_empty() && owners.notes[0].contains("private apps"), "{owners:?}");
    // Uninstalled: only the log tells.
    assert!(apps(&scan).all(|app| app.id != "app:3005"));
    assert!(events(&scan).any(|event| event.action == "integration_installation.destroy"));
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_of_members_are_told_by_kind() {
    let scan = OneHost::small().await.scan().await;
    let oauth = grant(&scan, "credential:161001");
    assert_eq!((oauth.app.as_str(), oauth.kind), ("oauth-app-tokens", GrantKind::Delegated));
    let scopes = oauth.scopes.known().unwrap();
    assert!(scopes.iter().all(|scope| scope.resource.as_deref() == Some("OAuth scope")));
    assert_eq!(scope_names(oauth), ["repo", "read:org"]);
    let classic = grant(&scan, "credential:161002");
    assert_eq!(classic.kind, GrantKind::PersonalToken);
    assert_eq!(classic.expires, Observed::Known(Expiry::Never));
    assert_eq!(classic.last_used_at, Observed::Absent);
    assert_eq!(setting(classic, "Name"), Some("deploy from my laptop"));
    let Holder::Principal(sam) = &classic.holder else { panic!("not a user's") };
    assert_eq!(sam.name.known().unwrap(), "sam");
    // Not an owner is not "an ordinary user": other roles are not read.
    assert!(sam.privileges.gap().is_some());
    let key = grant(&scan, "credential:161003");
    assert_eq!((key.kind, scope_names(key)), (GrantKind::Key, vec!["ssh-key"]));
    assert!(matches!(key.expires.known().unwrap(), Expiry::Idle(_)));
    let user = grant(&scan, "credential:161004");
    assert_eq!(user.app, "app-user-tokens");
    assert!(matches!(user.expires.known().unwrap(), Expiry::At(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn fine_grained_tokens_have_their_permissions_and_their_end() {
    let scan = OneHost::small().await.scan().await;
    let some = grant(&scan, "fine-grained-token:25001");
    assert_eq!(scope_names(some), ["members:read", "contents:read", "metadata:read"]);
    assert!(matches!(some.expires.known().unwrap(), Expiry::At(_)));
    assert_eq!(setting(some, "Repository access"), Some("selected repositories"));
    let all = grant(&scan, "fine-grained-token:25002");
    assert_eq!(all.expires, Observed::Known(Expiry::Never));
    assert_eq!(all.last_used_at, Observed::Absent);
    let ended = grant(&scan, "fine-grained-token:25003");
    assert_eq!(setting(ended, "Expired"), Some("yes"));
    let waiting = events(&scan).filter(|event| event.action.ends_with("request_pending"));
    assert_eq!(waiting.count(), 2);
    assert!(grants(&scan).all(|grant| !grant.id.ends_with(":26001")), "a request is no grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn deploy_keys_and_webhooks_are_grants_of_their_place() {
    let scan = OneHost::small().await.scan().await;
    let writer = grant(&scan, "deploy-key:12001");
    assert_eq!((writer.app.as_str(), writer.kind), ("deploy-keys", GrantKind::Key));
    assert_eq!(scope_names(writer), ["deploy-key:write"]);
    assert_eq!(setting(writer, "Repository"), Some("small/backend"));
    assert_eq!(writer.granted_by.known().unwrap(), "sam");
    assert!(writer.last_used_at.known().is_some());
    let unused = grant(&scan, "deploy-key:12002");
    assert_eq!(
        (&unused.last_used_at, scope_names(unused)),
        (&Observed::Absent, vec!["deploy-key:read"])
    );
    assert_eq!(setting(grant(&scan, "deploy-key:12003"), "Enabled"), Some("no"));

    let hook = grant(&scan, "webhook:70001");
    assert_eq!((hook.app.as_str(), hook.kind), ("webhook:hooks.drift.example", GrantKind::Webhook));
    assert_eq!(app(&scan, &hook.app).redirect_domains.known().unwrap(), &["hooks.drift.example"]);
    assert_eq!(scope_names(hook), ["webhook"]);
    assert_eq!(setting(hook, "Events"), Some("*"));
    assert_eq!(setting(hook, "Secret"), Some("set"));
    let weak = grant(&scan, "repository-webhook:70002");
    assert_eq!(setting(weak, "SSL verification"), Some("off"));
    assert_eq!(setting(weak, "Secret"), Some("not set"));
    assert_eq!(setting(weak, "Repository"), Some("small/backend"));
    assert_eq!(setting(grant(&scan, "repository-webhook:70003"), "Active"), Some("no"));
    // An outside collaborator without a key is seen, and has nothing.
    assert_eq!(part(&scan, "outside-collaborators").read, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn oauth_apps_are_what_owners_last_decided() {
    let scan = OneHost::small().await.scan().await;
    let chat = app(&scan, "oauth-app:4001");
    assert_eq!((chat.name.as_str(), chat.kind.as_str()), ("Drift Chat", "OAuth app"));
    assert_eq!(chat.approval, Observed::Known(Approval::AdminApproved));
    assert_eq!(app(&scan, "oauth-app:4003").blocked, Observed::Known(true));
    // Denied; but whether members need an approval at all the log does not tell.
    assert!(app(&scan, "oauth-app:4002").blocked.gap().is_some());
    assert!(tenant(&scan).consent.user_consent.gap().is_some());
    assert!(part(&scan, "oauth-app-policy").notes[0].contains("180 days"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_in_the_log_tells_who_may_let_an_app_in() {
    let switched = "[[github.audit]]\nat = \"2025-12-01T08:00:00Z\"\norganisation = \"small\"\naction = \"org.enable_oauth_app_restrictions\"\nactor = \"ada\"\n\n# A Git event, which";
    let text = super::support::SMALL.replacen("# A Git event, which", switched, 1);
    let world = grantwarden_lab::World::parse(&text).unwrap();
    let lab = grantwarden_lab::Lab::builder().now(super::support::NOW.parse().unwrap());
    let lab = OneHost { lab: lab.start(world).await.unwrap(), ..OneHost::small().await };
    let scan = lab.scan().await;
    assert_eq!(tenant(&scan).consent.user_consent, Observed::Known(UserConsent::None));
    assert_eq!(app(&scan, "oauth-app:4002").blocked, Observed::Known(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_single_sign_on_credentials_are_not_visible_and_never_none() {
    for lab in [OneHost::labs().await, OneHost::team("garage").await] {
        let scan = lab.scan().await;
        let losses = &part(&scan, "credential-authorizations").losses;
        assert_eq!(losses[0].gap.reason, Reason::Licence, "{losses:#?}");
        // Another right would not show them: the scan is whole, and says so.
        assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
    }
    let empty = OneHost::small_with(", without_saml_empty = true").await;
    let empty = OneHost { account: "small-labs".into(), ..empty };
    let scan = empty.scan().await;
    let losses = &part(&scan, "credential-authorizations").losses;
    assert_eq!(losses[0].gap.reason, Reason::Licence, "{losses:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_without_an_audit_log_is_no_missing_right() {
    let scan = OneHost::team("garage").await.scan().await;
    for facet in ["audit-events", "oauth-app-policy"] {
        assert_eq!(part(&scan, facet).losses[0].gap.reason, Reason::Licence, "{facet}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_shows_the_apps_of_its_organisations() {
    let lab = OneHost::enterprise().await;
    let scan = lab.scan().await;
    assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
    assert!(tenant(&scan).id.starts_with("enterprise:"));
    let drift: Vec<_> = apps(&scan).filter(|app| app.name == "Drift").collect();
    assert_eq!(drift.len(), 1, "one app, however many installations");
    assert!(drift[0].blocked.gap().is_some());
    let mut of_drift: Vec<_> = grants(&scan)
        .filter(|grant| grant.app == drift[0].id)
        .map(|grant| (grant.id.as_str(), setting(grant, "Organisation").unwrap()))
        .collect();
    of_drift.sort_unstable();
    assert_eq!(of_drift, [("installation:7001", "small"), ("installation:7006", "small-labs")]);
    let lint = grant(&scan, "installation:7002");
    assert_eq!(setting(lint, "Repositories"), Some("2: website, backend"));
    // A deployer of one of its organisations is its own.
    assert!(events(&scan).count() > 0);
}
