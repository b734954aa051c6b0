//! Okta's own examples of answers, from its API description, as the wire types read them.

use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    api::{
        ApiService, ApiToken, Application, AuthorizationServer, Key, LogEvent, Policy,
        RefreshToken, Role, Row, Rule, ScopeGrant, Secret, User,
    },
    told::Told,
};

fn description() -> Option<Value> {
    let folder =
        option_env!("GRANTWARDEN_SHARED").map_or_else(|| "../../../shared".into(), PathBuf::from);
    let text = std::fs::read_to_string(folder.join("specs/okta-grants.json")).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// All 200 examples of a GET, as rows.
fn rows(description: &Value, path: &str) -> Vec<Value> {
    let content = &description["paths"][path]["get"]["responses"]["200"]["content"];
    let examples = content["application/json"]["examples"].as_object();
    let mut rows = Vec::new();
    for example in examples.into_iter().flat_map(serde_json::Map::values) {
        let example = match example["$ref"].as_str() {
            Some(reference) => description.pointer(&reference[1..]).unwrap(),
            None => example,
        };
        match &example["value"] {
            Value::Array(all) => rows.extend(all.iter().cloned()),
            other => rows.push(other.clone()),
        }
    }
    rows
}

fn decode<T: DeserializeOwned>(description: &Value, path: &str, least: usize) -> Vec<T> {
    // One example is a part of an event only.
    let is_whole = |row: &Value| row.get("id").or(row.get("uuid")).is_some();
    let rows: Vec<Value> = rows(description, path).into_iter().filter(is_whole).collect();
    assert!(rows.len() >= least, "{path}: {} examples", rows.len());
    rows.iter()
        .map(|row| match serde_json::from_value::<Row<T>>(row.clone()).unwrap() {
            Row::Good(row) => row,
            Row::Odd(_) => panic!("{path}: {row}"),
        })
        .collect()
}

#[test]
fn oktas_own_examples_are_understood() {
    let Some(description) = description() else {
        println!("skipped: no shared data");
        return;
    };
    let apps: Vec<Application> = decode(&description, "/api/v1/apps", 4);
    assert!(apps.iter().all(|app| app.label.given().is_some() && app.status.given().is_some()));
    assert!(apps.iter().all(|app| !matches!(app.settings, Told::Odd)));
    let grants: Vec<ScopeGrant> = decode(&description, "/api/v1/apps/{appId}/grants", 1);
    assert!(grants.iter().all(|grant| grant.scope_id.given().is_some()));
    assert!(grants.iter().all(|grant| grant.created.given().is_some()));
    let tokens: Vec<RefreshToken> = decode(&description, "/api/v1/apps/{appId}/tokens", 1);
    assert!(tokens.iter().all(|token| token.scopes.given().is_some()));
    assert!(tokens.iter().all(|token| token.expires_at.given().is_some()));
    let api_tokens: Vec<ApiToken> = decode(&description, "/api/v1/api-tokens", 2);
    assert_eq!(api_tokens[0].token_window.given().unwrap(), "P30D");
    assert_eq!(api_tokens[1].token_window.given().unwrap(), "PT5M");
    // The second example has no network restriction, not even one that says so.
    assert!(api_tokens[1].network.given().is_none());
    let services: Vec<ApiService> = decode(&description, "/integrations/api/v1/api-services", 1);
    assert!(services.iter().all(|service| service.created_at.given().is_some()));
    let path = "/integrations/api/v1/api-services/{apiServiceId}/credentials/secrets";
    let _: Vec<Secret> = decode(&description, path, 1);
    let roles: Vec<Role> = decode(&description, "/oauth2/v1/clients/{clientId}/roles", 2);
    assert!(roles.iter().all(|role| role.kind.given().is_some()));
    let users: Vec<User> = decode(&description, "/api/v1/users", 2);
    assert!(
        users.iter().any(|user| user.profile.field(|profile| &profile.login).given().is_some())
    );
    for name in ["ListRefreshTokensClientsResponse", "RetrieveRefreshTokenClientResponse"] {
        let tokens = description["components"]["examples"][name]["value"].clone();
        let tokens: Vec<RefreshToken> = serde_json::from_value(tokens).unwrap();
        assert!(tokens.iter().all(|token| token.scopes.given().is_some()), "{name}");
    }
    let _: Vec<AuthorizationServer> = decode(&description, "/api/v1/authorizationServers", 1);
    let path = "/api/v1/authorizationServers/{authServerId}/policies";
    let policies: Vec<Policy> = decode(&description, path, 1);
    assert!(policies.iter().all(|policy| !matches!(policy.conditions, Told::Odd)));
    let path = "/api/v1/authorizationServers/{authServerId}/policies/{policyId}/rules";
    let rules: Vec<Rule> = decode(&description, path, 1);
    for rule in &rules {
        let life = rule.actions.field(|actions| &actions.token).given().unwrap();
        assert!(life.refresh_token_lifetime_minutes.given().is_some());
    }
    let events: Vec<LogEvent> = decode(&description, "/api/v1/logs", 2);
    assert!(events.iter().all(|event| event.actor.given().is_some()));
    let keys = rows(&description, "/api/v1/apps/{appId}/credentials/jwks");
    assert!(!keys.is_empty());
    for set in keys {
        let set = if set["jwks"].is_object() { set["jwks"].clone() } else { set };
        for key in set["keys"].as_array().into_iter().flatten() {
            let key: Key = serde_json::from_value(key.clone()).unwrap();
            assert!(key.id.given().is_some());
        }
    }
}

/// Real answers hold null where the description promises a value.
#[test]
fn nulls_cost_nothing() {
    let Some(description) = description() else {
        println!("skipped: no shared data");
        return;
    };
    let nulled = |path: &str| {
        let mut rows = rows(&description, path);
        for row in &mut rows {
            for (name, value) in row.as_object_mut().unwrap() {
                if name != "id" {
                    *value = Value::Null;
                }
            }
        }
        Value::Array(rows)
    };
    fn all_good<T: DeserializeOwned>(rows: Value) {
        let rows: Vec<Row<T>> = serde_json::from_value(rows).unwrap();
        assert!(!rows.is_empty() && rows.iter().all(|row| matches!(row, Row::Good(_))));
    }
    all_good::<Application>(nulled("/api/v1/apps"));
    all_good::<ScopeGrant>(nulled("/api/v1/apps/{appId}/grants"));
    all_good::<RefreshToken>(nulled("/api/v1/apps/{appId}/tokens"));
    all_good::<ApiToken>(nulled("/api/v1/api-tokens"));
    all_good::<ApiService>(nulled("/integrations/api/v1/api-services"));
    all_good::<User>(nulled("/api/v1/users"));
}
