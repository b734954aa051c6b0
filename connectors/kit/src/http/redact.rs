//! Takes secrets out of text that a platform wrote, before it can reach an error, a log or a report.

use std::{
    collections::VecDeque,
    sync::{PoisonError, RwLock},
};

use crate::secret::Secret;

/// The longest text of a platform that is kept.
const LONGEST: usize = 300;
/// Secrets that are remembered. A revocation uses thousands, and each is dead once it was used.
const REMEMBERED: usize = 64;
/// Runs of token characters at least this long are taken for tokens; ids of the platforms are shorter.
const TOKEN_RUN: usize = 32;

/// Takes out the secrets that a session knows, and everything that looks like one.
#[derive(Debug, Default)]
pub struct Redactor {
    known: RwLock<VecDeque<Secret>>,
}

impl Redactor {
    /// Remembers a secret that is about to be used; the last 64 are remembered.
    pub fn learn(&self, secret: &Secret) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.iter().any(|old| old.expose() == secret.expose()) {
            return;
        }
        if known.len() == REMEMBERED {
            known.pop_front();
        }
        known.push_back(secret.clone());
    }

    /// The text without secrets.
    pub fn mask(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.known.read().unwrap_or_else(PoisonError::into_inner).iter() {
            // A very short "secret" would blot out ordinary words.
            if secret.expose().len() >= 6 {
                text = text.replace(secret.expose(), "[redacted]");
            }
        }
        let mut masked = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let end = rest.find(|c| !is_token_character(c)).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            masked.push_str(if looks_like_token(run) { "[redacted]" } else { run });
            let skip = after.find(is_token_character).unwrap_or(after.len());
            masked.push_str(&after[..skip]);
            rest = &after[skip..];
        }
        masked
    }

    /// The text on one line, without secrets, cut to a readable length.
    pub fn clean(&self, text: &str) -> String {
        // Whitespace has become blanks; no other control character may reach a terminal.
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut clean = self.mask(&words.replace(char::is_control, ""));
        if clean.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|&at| clean.is_char_boundary(at)).unwrap_or(0);
            clean.truncate(end);
            clean.push('…');
        }
        clean
    }
}

const fn is_token_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '!' | '+' | '=' | '~')
}

fn looks_like_token(run: &str) -> bool {
    run.len() >= TOKEN_RUN
        && run.bytes().any(|b| b.is_ascii_digit())
        && run.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_out_what_it_knows_and_what_looks_like_a_token() {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("s3cret".into()));
        let text = "client_secret s3cret and 00D000000000001!FAKE.FAKE0FAKE0FAKE0FAKE0\n were refused for 005000000000001AAA";
        assert_eq!(
            redactor.clean(text),
            "client_secret [redacted] and [redacted] were refused for 005000000000001AAA"
        );
    }

    #[test]
    fn leaves_nothing_that_moves_a_terminal() {
        assert_eq!(Redactor::default().clean("a\u{1b}[31m\r\nb\u{7}"), "a[31m b");
    }

    #[test]
    fn cuts_at_a_character() {
        let clean = Redactor::default().clean(&"é ".repeat(400));
        assert!(clean.ends_with('…') && clean.len() <= LONGEST + '…'.len_utf8());
    }
}
