//! Hands a message to a program on its standard input. Without a shell, and with PATH, HOME and the named variables only: what this program
//! was given to sign in with is nobody else's.

use std::{ffi::OsString, process::Stdio, time::Duration};

use grantwarden_kit::{http::Redactor, secret::Secret};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
};

use super::Trouble;

/// Variables that every program gets.
const ALWAYS: [&str; 2] = ["PATH", "HOME"];
/// Bytes of standard error that are looked at; the rest is read and dropped, so that the program is not held up.
const HEARD: usize = 8 << 10;

/// How long after its end is still listened: what it started may hold standard error open for ever.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// Runs the program; its exit code alone says whether it took the message; what it says on standard error comes back, made harmless. Dropped before its end, it kills the program.
pub(super) async fn run(
    program: &str,
    arguments: &[String],
    environment: &[String],
    input: &str,
) -> Result<Option<String>, Trouble> {
    let variables = variables(environment);
    let redactor = Redactor::default();
    for (name, value) in &variables {
        if let Some(value) = value.to_str().filter(|_| !ALWAYS.contains(&name.as_str())) {
            redactor.learn(&Secret::new(value.to_owned()));
        }
    }
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(variables)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            Trouble::new(format!("`{program}` cannot be run: {error}"))
                .hint("give the whole path of the program; there is no shell to look into")
        })?;
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A program that does not want to read everything may say so by its exit code.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
    };
    let mut heard = Vec::new();
    let listen = async {
        if let Some(stderr) = stderr {
            hear(stderr, &mut heard).await;
        }
    };
    let status = {
        let talk = async { tokio::join!(feed, listen) };
        tokio::pin!(talk);
        let ended = tokio::select! {
            biased;
            _ = &mut talk => None,
            status = child.wait() => Some(status),
        };
        match ended {
            None => child.wait().await,
            Some(status) => {
                let _ = tokio::time::timeout(AFTERWARDS, talk).await;
                status
            }
        }
    };
    let status = status.map_err(|error| Trouble::new(format!("`{program}` was lost: {error}")))?;
    let said = redactor.clean(&String::from_utf8_lossy(&heard));
    if status.success() {
        return Ok((!said.is_empty()).then_some(said));
    }
    let said = if said.is_empty() { said } else { format!(": {said}") };
    Err(Trouble::new(format!("`{program}` ended with {status}{said}")))
}

/// Keeps the beginning of what it says, piece by piece: nothing is lost if it is not waited for the end.
async fn hear(mut stderr: impl AsyncRead + Unpin, kept: &mut Vec<u8>) {
    let mut piece = [0; 4 << 10];
    // What cannot be read was not said.
    while let Ok(length @ 1..) = stderr.read(&mut piece).await {
        let room = HEARD.saturating_sub(kept.len());
        kept.extend_from_slice(&piece[..length.min(room)]);
    }
}

/// The variables that are handed on. None is looked at.
fn variables(environment: &[String]) -> Vec<(String, OsString)> {
    let is_wanted =
        |name: &str| ALWAYS.contains(&name) || environment.iter().any(|wanted| wanted == name);
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| is_wanted(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shell(script: &str, input: &str) -> Result<Option<String>, Trouble> {
        run("/bin/sh", &["-c".to_owned(), script.to_owned()], &[], input).await
    }

    #[tokio::test]
    async fn the_message_comes_on_standard_input_and_the_environment_is_scrubbed() {
        let script = "read line; [ \"$line\" = hello ] || exit 7; env | grep -v -e ^PATH= -e ^HOME= -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD= >&2; true";
        // What a shell sets by itself is all that is left.
        assert_eq!(shell(script, "hello\n").await.ok().unwrap(), None);
    }

    #[tokio::test]
    async fn what_it_says_is_redacted_and_its_failure_told() {
        let said = shell(
            "echo \"oops 00FAKE00FAKE00FAKE00FAKE00FAKE00FAKE00 \u{1b}[31m\" >&2; exit 3",
            "",
        )
        .await
        .err()
        .unwrap();
        assert!(said.message.contains("exit status: 3: oops [redacted]"), "{}", said.message);
        assert!(!said.message.contains('\u{1b}'));
        assert!(run("/nonexistent/program", &[], &[], "").await.is_err());
    }

    #[tokio::test]
    async fn neither_a_deaf_nor_a_loud_program_blocks() {
        let input = "x".repeat(1 << 20);
        assert!(shell("exit 0", &input).await.is_ok());
        assert!(shell("cat >&2", &input).await.is_ok());
    }

    /// What it leaves running in the background has its standard error still, and its standard input.
    #[tokio::test]
    async fn the_exit_code_decides_whatever_is_left_running() {
        let input = "x".repeat(1 << 20);
        let in_time = Duration::from_secs(20);
        for (code, is_sent) in [(0, true), (3, false)] {
            let script = format!("sleep 30 <&0 & echo said >&2; exit {code}");
            let ended = tokio::time::timeout(in_time, shell(&script, &input)).await.unwrap();
            match ended {
                Ok(said) => assert!(is_sent && said.as_deref() == Some("said"), "{said:?}"),
                Err(trouble) => {
                    assert!(!is_sent && trouble.message.contains("status: 3: said"), "{trouble:?}");
                }
            }
        }
    }
}
