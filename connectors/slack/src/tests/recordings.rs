//! Answers that Slack really gave, recorded by others: they are read, and their errors are told apart.

use std::path::PathBuf;

use grantwarden_kit::http::{Classify as _, Reply, Verdict};
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;

use crate::{
    api::{AuthTest, UsersPage},
    classify,
};

/// The recordings, where the machine has them.
fn recordings() -> Option<Vec<Value>> {
    let folder = option_env!("GRANTWARDEN_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let text = std::fs::read_to_string(folder.join("recordings/slack-ruby-client.jsonl")).ok()?;
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn recorded_answers_are_read() {
    let Some(recordings) = recordings() else { return println!("skipped: no shared data") };
    let (mut read, mut refused) = (0, 0);
    for recording in recordings {
        let status = StatusCode::from_u16(recording["status"].as_u64().unwrap() as u16).unwrap();
        let body = recording["body"].to_string();
        let reply = Reply::part(status, HeaderMap::new(), body.clone());
        let verdict =
            classify::Slack::default().classify(&reply, "2026-11-22T00:00:00Z".parse().unwrap());
        match recording["body"]["error"].as_str() {
            Some(code) => {
                let Verdict::Refused(_, answer) = verdict else { panic!("{body}: {verdict:?}") };
                assert_eq!(answer.code.as_deref(), Some(code));
                refused += 1;
                continue;
            }
            None => assert_eq!(verdict, Verdict::Fine, "{body}"),
        }
        let url = recording["url"].as_str().unwrap();
        match url.rsplit('/').next().unwrap() {
            "auth.test" => {
                let told: AuthTest = reply.json().unwrap();
                assert!(told.team_id.is_some() && told.user_id.is_some(), "{body}");
                read += 1;
            }
            "users.list" => {
                let page: UsersPage = reply.json().unwrap();
                assert!(page.members.iter().all(|row| row.0.is_some()), "{body}");
                read += 1;
            }
            "users.info" => {
                let member: crate::api::Member =
                    serde_json::from_value(recording["body"]["user"].clone()).unwrap();
                assert!(member.name.is_some());
                read += 1;
            }
            _ => {}
        }
    }
    println!("{read} answers read, {refused} refusals told apart");
    assert_eq!((read, refused), (12, 4));
}
