//! The program as a script sees it: one line of JSON, files for the scanner, faults from a file.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value as Json;

const WORLD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/worlds/small.toml");

const GOOGLE_WORLD: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/worlds/google-small.toml");

struct Program {
    child: Child,
    ready: Json,
}

impl Program {
    fn serve(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_grantwarden-lab"))
            .arg("serve")
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, ready: serde_json::from_str(&line).unwrap() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "a test of the lab has no door of its own")]
async fn status(url: &str) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(url).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn writes_what_the_scanner_needs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let program = Program::serve(&["--world", WORLD, "--write-config", path]);
    let tenant = &program.ready["tenants"][0];
    let base_url = tenant["base_url"].as_str().unwrap();
    assert_eq!(status(&format!("{base_url}/services/data/")).await, 200);

    let config = fs::read_to_string(program.ready["config"].as_str().unwrap()).unwrap();
    let config: toml::Table = toml::from_str(&config).unwrap();
    let written = &config["tenant"][0];
    assert_eq!(written["name"].as_str(), Some("small"));
    assert_eq!(written["base_url"].as_str(), Some(base_url));
    assert_eq!(written["auth"]["method"].as_str(), Some("jwt_bearer"));
    let key = written["auth"]["private_key"]["file"].as_str().unwrap();
    assert!(fs::read_to_string(key).unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn writes_what_signs_in_to_entra() {
    const ENTRA: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/worlds/microsoft-small.toml");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let program = Program::serve(&["--world", ENTRA, "--write-config", path]);
    let tenant = &program.ready["tenants"][0];
    assert_eq!(tenant["platform"], "microsoft-365");
    let config = fs::read_to_string(program.ready["config"].as_str().unwrap()).unwrap();
    let config: toml::Table = toml::from_str(&config).unwrap();
    let written = &config["tenant"][0];
    assert_eq!(written["platform"].as_str(), Some("microsoft-365"));
    assert_eq!(written["account"].as_str(), tenant["tenant_id"].as_str());
    assert_eq!(written["token_url"].as_str(), tenant["token_url"].as_str());
    assert_eq!(written["auth"]["method"].as_str(), Some("private_key_jwt"));
    let read = |path: Option<&str>| fs::read_to_string(path.unwrap()).unwrap();
    let key = read(written["auth"]["private_key"]["file"].as_str());
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----"));
    let certificate = read(written["auth"]["certificate"].as_str());
    assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----"));
}

#[tokio::test]
async fn writes_what_the_scanner_needs_for_google() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let program = Program::serve(&["--world", GOOGLE_WORLD, "--write-config", path]);
    let tenant = &program.ready["tenants"][0];
    let base_url = tenant["base_url"].as_str().unwrap();
    assert_eq!(tenant["customer_id"], "C0small01");
    assert_eq!(status(&format!("{base_url}/admin/directory/v1/users")).await, 401);

    let config = fs::read_to_string(program.ready["config"].as_str().unwrap()).unwrap();
    let config: toml::Table = toml::from_str(&config).unwrap();
    let written = &config["tenant"][0];
    assert_eq!(written["name"].as_str(), Some("small-google"));
    assert_eq!(written["platform"].as_str(), Some("google-workspace"));
    assert_eq!(written["token_url"].as_str(), Some(format!("{base_url}/token").as_str()));
    assert_eq!(written["account"].as_str(), Some("C0small01"));
    assert_eq!(written["auth"]["subject"].as_str(), Some("ada.admin@small.example"));
    let key = fs::read_to_string(written["auth"]["key"]["file"].as_str().unwrap()).unwrap();
    let key: Json = serde_json::from_str(&key).unwrap();
    assert_eq!(key["type"], "service_account");

    let grown = Program::serve(&["--google-grants", "500", "--users", "60", "--apps", "20"]);
    assert_eq!(grown.ready["tenants"][0]["platform"], "google-workspace");
}

#[tokio::test]
async fn injects_the_faults_of_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let faults = dir.path().join("faults.toml");
    let fault = "[[fault]]\nwhen = { path_contains = \"/services/data\", times = 1 }\n\
                 effect = { kind = \"server_error\" }\n";
    fs::write(&faults, fault).unwrap();
    let program = Program::serve(&[
        "--tokens",
        "1000",
        "--users",
        "5",
        "--apps",
        "8",
        "--faults",
        faults.to_str().unwrap(),
    ]);
    let url =
        format!("{}/services/data/", program.ready["tenants"][0]["base_url"].as_str().unwrap());
    assert_eq!(status(&url).await, 503);
    assert_eq!(status(&url).await, 200);
}

#[test]
fn says_what_is_wrong_with_a_world() {
    let dir = tempfile::tempdir().unwrap();
    let world = dir.path().join("world.toml");
    fs::write(&world, "[[salesforce]]\nname = \"x\"\nusers = 3\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_grantwarden-lab"))
        .args(["serve", "--world", world.to_str().unwrap()])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(stderr.contains("line 3") && stderr.contains("users"), "{stderr}");
}

#[test]
fn writes_what_signs_in_to_slack() {
    const SLACK: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/worlds/slack-small.toml");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let program = Program::serve(&["--world", SLACK, "--write-config", path]);
    let tenants = program.ready["tenants"].as_array().unwrap();
    assert_eq!((tenants.len(), &tenants[0]["platform"]), (2, &Json::from("slack")));
    let text = fs::read_to_string(program.ready["config"].as_str().unwrap()).unwrap();
    let config: toml::Table = toml::from_str(&text).unwrap();
    let (org, single) = (&config["tenant"][0], &config["tenant"][1]);
    assert_eq!(org["account"].as_str(), Some("E0SMALL01"));
    assert_eq!(org["base_url"].as_str(), tenants[0]["base_url"].as_str());
    assert_eq!((single["name"].as_str(), single.get("account")), (Some("small-workshop"), None));
    for (written, tenant) in [(org, &tenants[0]), (single, &tenants[1])] {
        assert_eq!(written["auth"]["method"].as_str(), Some("static"));
        let file = written["auth"]["token"]["file"].as_str().unwrap();
        let token = fs::read_to_string(file).unwrap();
        assert_eq!(Some(token.as_str()), tenant["tokens"]["reader"].as_str());
        let revoker = tenant["revoker_token_file"].as_str().unwrap();
        assert!(text.contains(&format!(
            "# The token that may uninstall and restrict apps is in \"{revoker}\"."
        )));
        assert_ne!(fs::read_to_string(revoker).unwrap(), token);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(revoker).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
    let grown =
        ["--slack-grants", "300", "--users", "40", "--apps", "20", "--slack-workspaces", "0"];
    let grown = Program::serve(&grown);
    assert_eq!(grown.ready["tenants"][0]["plan"], "workspace");
}
