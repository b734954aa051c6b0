//! Secrets: references in the configuration, values in memory. The only module that opens one, and the only one that reads the
//! environment. A value is never printed, logged, compared in a message or put into an error.

use std::{fmt, path::PathBuf, process::Stdio, time::Duration};

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor},
};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};

/// A secret value. `Debug` prints nothing of it, and dropping it wipes it.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a value over.
    pub fn new(value: String) -> Self {
        Self(value.into())
    }

    /// The value itself: for a request header or body, a signature, and nothing else.
    #[expect(clippy::disallowed_methods, reason = "the one place that opens a secret")]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    /// For token replies only; a configuration holds a [`SecretRef`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Where a secret is kept. A configuration holds references only; a literal is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretRef {
    /// The name of an environment variable.
    Env(String),
    /// A file; a line break at its end is not part of the secret.
    File(PathBuf),
    /// A program and its arguments, run without a shell; its standard output is the secret.
    Command(Vec<String>),
}

/// How long a `command` reference may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

impl SecretRef {
    /// Fetches the secret.
    ///
    /// # Errors
    /// [`ErrorKind::Secret`] naming the reference, never the value.
    pub async fn fetch(&self) -> Result<Secret> {
        let text = match self {
            Self::Env(name) => read_environment(name)?,
            Self::File(path) => {
                Zeroizing::new(tokio::fs::read_to_string(path).await.map_err(|error| {
                    fail(format!("cannot read the secret from {}", path.display()))
                        .with_hint(
                            "check the path, and that the user who runs the scan may read the file",
                        )
                        .with_source(error)
                })?)
            }
            Self::Command(argv) => run(argv).await?,
        };
        let value = text.trim_end_matches(['\r', '\n']);
        if value.is_empty() {
            return Err(fail(format!("{self} is empty")));
        }
        Ok(Secret::new(value.to_owned()))
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn read_environment(name: &str) -> Result<Zeroizing<String>> {
    std::env::var(name).map(Zeroizing::new).map_err(|error| {
        fail(format!("the environment variable {name} cannot be read"))
            .with_hint(format!("set {name} before the scan starts, or refer to a file instead"))
            .with_source(match error {
                std::env::VarError::NotPresent => "it is not set",
                std::env::VarError::NotUnicode(_) => "it is not valid UTF-8",
            })
    })
}

async fn run(argv: &[String]) -> Result<Zeroizing<String>> {
    let [program, arguments @ ..] = argv else {
        return Err(fail("a `command` reference needs a program".to_owned()));
    };
    let running = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(COMMAND_TIMEOUT, running)
        .await
        .map_err(|_| {
            fail(format!("`{program}` gave no secret within {} s", COMMAND_TIMEOUT.as_secs()))
        })?
        .map_err(|error| fail(format!("`{program}` cannot be run")).with_source(error))?;
    if !output.status.success() {
        return Err(fail(format!("`{program}` ended with {}", output.status)));
    }
    String::from_utf8(output.stdout)
        .map(Zeroizing::new)
        .map_err(|_| fail(format!("`{program}` printed something that is not UTF-8")))
}

fn fail(message: String) -> Error {
    Error::new(ErrorKind::Secret, message)
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Command(argv) => {
                write!(f, "the output of `{}`", argv.first().map_or("", String::as_str))
            }
        }
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReferenceVisitor)
    }
}

/// Refuses a literal without repeating it: the default messages of serde would print it.
struct ReferenceVisitor;

impl<'de> Visitor<'de> for ReferenceVisitor {
    type Value = SecretRef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reference to a secret: { env = \"NAME\" }, { file = \"/path\" } or { command = [\"program\", \"argument\"] }")
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<SecretRef, E> {
        self.visit_str("")
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<SecretRef, E> {
        self.visit_str("")
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<SecretRef, E> {
        self.visit_str("")
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<SecretRef, E> {
        self.visit_str("")
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<SecretRef, E> {
        Err(E::custom(
            "a secret must not stand in the configuration; write { env = \"NAME\" }, { file = \"/path\" } or { command = [\"program\", \"argument\"] } \
             (and replace the secret that was here: a file may have been copied)",
        ))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretRef, A::Error> {
        let reference = match map.next_key::<String>()?.as_deref() {
            Some("env") => SecretRef::Env(map.next_value::<Word>()?.0),
            Some("file") => SecretRef::File(map.next_value::<Word>()?.0.into()),
            Some("command") => {
                let argv = map.next_value::<Vec<Word>>()?;
                SecretRef::Command(argv.into_iter().map(|word| word.0).collect())
            }
            Some(other) => {
                return Err(de::Error::unknown_field(other, &["env", "file", "command"]));
            }
            None => {
                return Err(de::Error::custom(
                    "a secret reference needs one of env, file, command",
                ));
            }
        };
        match map.next_key::<String>()? {
            None => Ok(reference),
            Some(_) => Err(de::Error::custom("a secret reference names exactly one place")),
        }
    }
}

/// A text. Anything else is refused without repeating it: it may be a secret in the wrong place.
struct Word(String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer).ok();
        let text = value.and_then(|value| value.as_str().map(ToOwned::to_owned));
        text.map(Self).ok_or_else(|| {
            de::Error::custom(
                "a reference to a secret is a text: the name of a variable, a path, a program",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Holder {
        key: SecretRef,
    }

    fn parse(text: &str) -> Result<SecretRef, String> {
        toml::from_str::<Holder>(text).map(|holder| holder.key).map_err(|e| e.message().to_owned())
    }

    #[test]
    fn a_literal_is_refused_and_not_repeated() {
        let message = parse("key = 'FAKE-hunter2'").unwrap_err();
        assert!(message.contains("{ env ="), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
        for text in
            ["key = 48151623", "key = { env = 48151623 }", "key = { command = ['a', 48151623] }"]
        {
            let message = parse(text).unwrap_err();
            assert!(!message.contains("48151623"), "{message}");
        }
    }

    #[test]
    fn a_reference_names_one_place() {
        assert_eq!(parse("key = { env = 'A' }").unwrap(), SecretRef::Env("A".into()));
        assert!(parse("key = { env = 'A', file = 'b' }").unwrap_err().contains("exactly one"));
        assert!(parse("key = { vault = 'A' }").unwrap_err().contains("unknown field `vault`"));
    }

    #[tokio::test]
    async fn a_file_loses_its_last_line_break_and_a_missing_one_is_named() {
        let reference = SecretRef::Command(vec!["printf".into(), "FAKE-secret\\n".into()]);
        assert_eq!(reference.fetch().await.unwrap().expose(), "FAKE-secret");
        let missing = SecretRef::File("/nonexistent/key.pem".into()).fetch().await.unwrap_err();
        assert!(missing.to_string().contains("/nonexistent/key.pem"));
        let failing = SecretRef::Command(vec!["false".into()]).fetch().await.unwrap_err();
        assert!(failing.to_string().contains("`false` ended with"));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("FAKE-hunter2".into())), "Secret(…)");
    }
}
