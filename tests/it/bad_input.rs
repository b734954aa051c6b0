//! Bad input: each error names the tenant, what was tried, what the platform answered, and what to do.

use grantwarden_lab::{Effect, Fault, World};

use crate::support::{DEMO, Run, Stage};

/// A scan with a changed configuration.
fn with_config(stage: &Stage, change: impl FnOnce(String) -> String) -> Run {
    let config = change(stage.config("acme-crm"));
    stage.write("grantwarden.toml", &config);
    stage.run(&["scan", "--fail-on", "never"])
}

#[test]
fn no_configuration() {
    let stage = Stage::small();
    let run = stage.run(&["scan", "--config", "missing.toml"]).exits(2);
    run.complains("cannot read the configuration missing.toml")
        .complains("hint: `grantwarden init`");
}

#[test]
fn an_unknown_key_has_line_and_column() {
    let stage = Stage::small();
    with_config(&stage, |config| config.replace("audience", "audiense"))
        .exits(2)
        .complains("grantwarden.toml:5:1: unknown field `audiense`");
}

#[test]
fn a_literal_secret_is_refused_and_not_repeated() {
    let stage = Stage::small();
    let run = with_config(&stage, |config| {
        let start = config.find("private_key = ").unwrap();
        format!("{}private_key = \"FAKE-hunter2\" }}\n", &config[..start])
    });
    let run = run.exits(2).complains("must not stand in the configuration");
    assert!(!run.stderr.contains("hunter2"));
}

#[test]
fn an_unreadable_key() {
    let stage = Stage::small();
    with_config(&stage, |config| config.replace("key.pem", "no-such-key.pem"))
        .exits(3)
        .says("acme-crm (salesforce): configuration: cannot read the secret from")
        .says("no-such-key.pem")
        .says("hint: check the path");
}

#[test]
fn an_encrypted_key() {
    let stage = Stage::small();
    let config = stage.config("acme-crm");
    stage.write("grantwarden.toml", &config);
    stage.write(
        "key.pem",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nFAKE\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    stage.run(&["scan"]).exits(3).says("encrypted with a pass phrase").says("openssl pkey");
}

#[test]
fn an_empty_environment_variable() {
    let stage = Stage::small();
    with_config(&stage, |config| {
        let start = config.find("private_key = ").unwrap();
        format!("{}private_key = {{ env = \"NO_SUCH_VARIABLE\" }} }}\n", &config[..start])
    })
    .exits(3)
    .says("NO_SUCH_VARIABLE cannot be read");
}

#[test]
fn a_wrong_audience() {
    let stage = Stage::small();
    let audience = stage.org().client().audience;
    with_config(&stage, |config| config.replace(&audience, "https://wrong.example"))
        .exits(3)
        .says("sign in: the authorization server refused to sign us in: HTTP 400 invalid_grant")
        .says("hint: set `audience`");
}

#[test]
fn an_unknown_client() {
    let stage = Stage::small();
    let client = stage.org().client().client_id;
    with_config(&stage, |config| config.replace(&client, "3MVG9-wrong"))
        .exits(3)
        .says("HTTP 400 invalid_client")
        .says("hint: check client_id");
}

#[test]
fn a_skewed_clock() {
    let text = DEMO.replacen("name =", "behaviour = { clock_skew_seconds = 3600 }\nname =", 1);
    let stage = Stage::of(World::parse(&text).unwrap(), None);
    stage.run(&["scan"]).exits(3).says("check this machine's clock");
}

#[test]
fn a_disabled_api() {
    let stage = Stage::small();
    let body = r#"[{"message":"The REST API is not enabled for this Organization.","errorCode":"API_DISABLED_FOR_ORG"}]"#;
    let disabled = Effect::Reply { status: 403, headers: Vec::new(), body: body.into() };
    stage.inject(Fault::new(disabled).on_path("/services/data"));
    stage
        .run(&["scan", "--fail-on", "never"])
        .exits(3)
        .says("API_DISABLED_FOR_ORG")
        .says("lacks API Enabled");
}

#[test]
fn an_exhausted_quota() {
    let stage = Stage::small();
    stage.inject(Fault::new(Effect::TotalRequestsLimit).on_path("/services/data"));
    stage
        .run(&["scan", "--fail-on", "never"])
        .exits(3)
        .says("the tenant's API quota is used up: HTTP 403 REQUEST_LIMIT_EXCEEDED")
        .says("run the scan later");
}

#[test]
fn a_typing_error_in_my_domain() {
    let stage = Stage::small();
    let base = stage.org().base_url().to_owned();
    with_config(&stage, |config| config.replace(&base, "https://acme-typo.my.salesforce.invalid"))
        .exits(3)
        .says("https://acme-typo.my.salesforce.invalid")
        .says("check base_url");
}

#[test]
fn plain_http_to_another_machine() {
    let stage = Stage::small();
    let base = stage.org().base_url().to_owned();
    with_config(&stage, |config| config.replace(&base, "http://192.0.2.1"))
        .exits(3)
        .says("would carry access tokens in plain text");
}

#[test]
fn a_web_page_in_place_of_an_answer() {
    let stage = Stage::small();
    stage.inject(Fault::new(Effect::Html).on_path("/oauth2/token"));
    stage
        .run(&["scan"])
        .exits(3)
        .says("a web page came back in place of the API's answer")
        .says("proxy");
}

#[test]
fn an_untrusted_certificate_and_a_trusted_one() {
    let stage = Stage::with_tls(World::parse(DEMO).unwrap());
    stage
        .run(&["scan"])
        .exits(3)
        .says("no trusted TLS connection to https://localhost")
        .says("certificate_authorities");
    let authority = stage.write("ca.pem", stage.lab().ca_pem().unwrap());
    let config = stage.config("acme-crm");
    stage.write(
        "grantwarden.toml",
        &config.replace(
            "audience =",
            &format!("certificate_authorities = \"{}\"\naudience =", authority.display()),
        ),
    );
    stage.run(&["scan"]).exits(1).says("drift-pattern");
}

/// A peer that hangs up in the middle of TLS is no matter of certificates: the read is sent again.
#[test]
fn a_connection_that_breaks_under_tls_is_tried_again() {
    let stage = Stage::with_tls(World::parse(DEMO).unwrap());
    stage.write("ca.pem", stage.lab().ca_pem().unwrap());
    let config = format!(
        "{}certificate_authorities = \"{}\"\n",
        stage.config("acme-crm"),
        stage.path("ca.pem").display()
    );
    stage.write("grantwarden.toml", &config);
    stage.inject(Fault::new(Effect::Drop).on_text("FROM OauthToken").times(1));
    stage.run(&["scan", "--fail-on", "never"]).exits(0).says("complete");
}

#[test]
fn a_proxy_that_is_not_there() {
    let stage = Stage::small();
    let config = stage.config("acme-crm");
    stage.write(
        "grantwarden.toml",
        &config.replace(stage.org().base_url(), "https://acme.my.salesforce.invalid"),
    );
    let mut command = stage.command();
    command.arg("scan").env("HTTPS_PROXY", "http://127.0.0.1:1");
    Run::of(&mut command).exits(3).says("https://acme.my.salesforce.invalid").says("HTTPS_PROXY");
}

/// A proxy is another machine: what is for this one does not go there.
#[test]
fn the_lab_is_reached_past_any_proxy() {
    let stage = Stage::small();
    let mut command = stage.command();
    command.args(["scan", "--fail-on", "never"]).env("HTTP_PROXY", "http://127.0.0.1:1");
    Run::of(&mut command).exits(0);
    // Nor if the configuration names other machines as well.
    let config =
        format!("{}hosts = [\"https://acme.my.salesforce.invalid\"]\n", stage.config("acme-crm"));
    stage.write("grantwarden.toml", &config);
    Run::of(&mut command).exits(0);
}

#[test]
fn a_report_that_cannot_be_written() {
    let stage = Stage::small();
    stage
        .run(&["scan", "--output", "report.pdf"])
        .exits(2)
        .complains("the ending does not tell a format");
    stage
        .run(&["scan", "--output", "no-such-folder/report.json"])
        .exits(2)
        .complains("there is no folder no-such-folder");
    assert!(!stage.path("no-such-folder").exists());
    std::fs::create_dir(stage.path("folder.json")).unwrap();
    for path in ["folder.json", "new.json/"] {
        stage.run(&["scan", "--output", path]).exits(2).complains("is a folder");
    }
    assert_eq!(stage.org().calls().len(), 0, "all of it before the scan");
}

/// Not even root makes a file there.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_file_is_told_before_the_scan() {
    let stage = Stage::small();
    stage
        .run(&["scan", "--output", "/proc/report.json"])
        .exits(2)
        .complains("cannot write /proc/report.json");
    assert_eq!(stage.org().calls().len(), 0);
}

#[test]
fn no_file_overwrites_another_or_what_is_read() {
    let stage = Stage::small();
    stage.run(&["scan", "--export", "inventory.jsonl", "--fail-on", "never"]).exits(0);
    let before = stage.read("inventory.jsonl");
    let offline = ["scan", "--offline", "--inventory", "inventory.jsonl"];
    let cases: [&[&str]; 7] = [
        &["scan", "--output", "a.json", "--output", "./a.json"],
        &["scan", "--output", "a.jsonl", "--export", "a.jsonl"],
        &["scan", "--export", "./grantwarden.toml"],
        &["scan", "--baseline", "inventory.jsonl", "--write-baseline", "inventory.jsonl"],
        &["scan", "--previous", "inventory.jsonl", "--export", "inventory.jsonl"],
        &["scan", "--lock", "a.json", "--output", "a.json"],
        &["scan", "--store", "a.json", "--output", "a.json"],
    ];
    let own = [&offline[..], &["--output", "inventory.jsonl"]].concat();
    for arguments in cases.into_iter().chain([own.as_slice()]) {
        stage.run(arguments).exits(2).complains("is named twice: each would overwrite the other");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("inventory.jsonl", stage.path("link.jsonl")).unwrap();
        let linked =
            ["scan", "--offline", "--inventory", "link.jsonl", "--output", "inventory.jsonl"];
        stage.run(&linked).exits(2).complains("is named twice");
    }
    stage
        .run(&["report", "--store", "a.json", "--output", "a.json"])
        .exits(2)
        .complains("is named twice");
    assert_eq!(stage.read("inventory.jsonl"), before);
}

/// What cannot be written keeps nothing else from being written: the disk may be full for one file only.
#[cfg(unix)]
#[test]
fn one_report_that_fails_costs_no_other() {
    let stage = Stage::of_size(400);
    stage.run(&["scan", "--export", "inventory.jsonl", "--fail-on", "never"]).exits(0);
    let program = assert_cmd::cargo::cargo_bin!("grantwarden");
    // 64 KiB to a file; the signal would end the program.
    let script = format!(
        "trap '' XFSZ; ulimit -f 64; '{}' scan --offline --inventory inventory.jsonl --output a.json --output b.prom",
        program.display()
    );
    let mut bash = std::process::Command::new("bash");
    let run = Run::of(bash.arg("-c").arg(script).current_dir(stage.path("")));
    let run = run.exits(4).complains("cannot write a.json").says("Coverage");
    assert!(!stage.path("a.json").exists(), "{run:?}");
    assert!(stage.read("b.prom").contains("grantwarden_scan_complete 1\n"));
}

#[test]
fn unknown_tenants_platforms_and_rules() {
    let stage = Stage::small();
    stage
        .run(&["scan", "--tenant", "acme"])
        .exits(2)
        .complains("no tenant `acme`; it has acme-crm");
    with_config(&stage, |config| config.replace("\"salesforce\"", "\"sailsforce\""))
        .exits(2)
        .complains(
            "this build has github, google-workspace, microsoft-365, okta, salesforce, slack",
        );
    with_config(&stage, |config| {
        format!("{config}[policy.rules.stale-unsed]\nseverity = \"off\"\n")
    })
    .exits(2)
    .complains("did you mean `stale-unused`");
}
