//! Recorded answers of the real thing decode into our wire types.

use std::path::PathBuf;

use serde::Deserialize;

use crate::api::{
    AppFacts, Hook, Identified, Installation, InstallationToken, Organization, Page, RepositoryRow,
    Row, User,
};

#[derive(Deserialize)]
struct Exchange {
    method: String,
    url: String,
    status: u16,
    /// A text, or the object that it was.
    #[serde(default)]
    body: serde_json::Value,
}

#[expect(
    clippy::disallowed_methods,
    reason = "where the shared data are is told by the environment"
)]
fn shared() -> PathBuf {
    std::env::var_os("GRANTWARDEN_SHARED").map_or_else(|| "../../../shared".into(), PathBuf::from)
}

/// Numbers and names that were masked.
fn unmask(text: &str) -> String {
    let numbers = [
        "<GITHUB_TEST_INTEGRATION>",
        "<GITHUB_TEST_INTEGRATION_INSTALLATION>",
        "<GITHUB_TEST_ORG_TEAM_ID>",
    ];
    numbers.iter().fold(text.to_owned(), |text, mask| text.replace(mask, "17"))
}

fn rows<T: serde::de::DeserializeOwned + Identified>(body: &str) -> Result<usize, String> {
    let page: Page<T> = serde_json::from_str(body).map_err(|error| error.to_string())?;
    let (rows, _) = page.parts();
    let odd = rows.iter().filter(|row| matches!(row, Row::Odd(_))).count();
    if odd == 0 { Ok(rows.len()) } else { Err(format!("{odd} odd rows")) }
}

fn one<T: serde::de::DeserializeOwned>(body: &str) -> Result<usize, String> {
    serde_json::from_str::<T>(body).map(|_| 1).map_err(|error| error.to_string())
}

/// What an answer of this address is; `None` for those that we do not ask.
fn decode(exchange: &Exchange, body: &str) -> Option<Result<usize, String>> {
    let path = exchange.url.strip_prefix("https://api.github.com")?;
    let path = path.split('?').next()?;
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let is_error = exchange.status >= 400;
    Some(match (exchange.method.as_str(), parts.as_slice()) {
        _ if is_error => one::<serde_json::Map<String, serde_json::Value>>(body),
        ("GET", ["app"]) => one::<AppFacts>(body),
        ("GET", ["app" | "user", "installations"]) => rows::<Installation>(body),
        ("GET", [.., "installation"] | ["app", "installations", _]) => one::<Installation>(body),
        ("POST", ["app", "installations", _, "access_tokens"]) => one::<InstallationToken>(body),
        ("GET", ["orgs" | "repos", .., "hooks"]) => rows::<Hook>(body),
        ("GET" | "PATCH", ["orgs" | "repos", .., "hooks", _])
        | ("POST", ["orgs" | "repos", .., "hooks"]) => one::<Hook>(body),
        ("GET", ["orgs", _, "members" | "public_members" | "outside_collaborators"]) => {
            rows::<User>(body)
        }
        ("GET", ["orgs", _, "repos"]) => rows::<RepositoryRow>(body),
        ("GET", ["orgs", _]) => one::<Organization>(body),
        ("GET", ["orgs", _, "audit-log"]) => {
            one::<Vec<serde_json::Map<String, serde_json::Value>>>(body)
        }
        _ => return None,
    })
}

#[test]
fn recorded_answers_decode() {
    let path = shared().join("recordings/octokit.rb.jsonl");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: no shared data");
        return;
    };
    let (mut bodies, mut found, mut failures) = (0, 0, Vec::new());
    for line in text.lines() {
        let exchange: Exchange = serde_json::from_str(line).unwrap();
        let body = match &exchange.body {
            serde_json::Value::String(text) => unmask(text),
            serde_json::Value::Null => continue,
            other => unmask(&other.to_string()),
        };
        if body.trim().is_empty() {
            continue;
        }
        match decode(&exchange, &body) {
            None => {}
            Some(Ok(count)) => {
                bodies += 1;
                found += count;
            }
            Some(Err(why)) => failures.push(format!("{} {}: {why}", exchange.method, exchange.url)),
        }
    }
    println!("{bodies} bodies with {found} objects decode");
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(bodies > 50, "only {bodies} bodies belong to our calls");
}
