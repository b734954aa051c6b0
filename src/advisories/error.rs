//! What is wrong with an advisory file, with line and column.

use std::path::{Path, PathBuf};

use crate::position::Lines;

/// Why an advisory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AdvisoryError {
    /// The file cannot be read.
    #[error("cannot read the advisory {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong, and what to write instead.
        message: String,
    },
    /// Two files of the user's have the same id.
    #[error("{} and {} are both the advisory `{id}`; leave one out", first.display(), second.display())]
    Twice {
        /// The id.
        id: String,
        /// The one that was read first.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
}

impl AdvisoryError {
    /// Something is wrong at a byte of the text.
    pub(super) fn at(path: &Path, text: &str, offset: usize, message: impl Into<String>) -> Self {
        let (line, column) = Lines::of(text).position(offset);
        Self::Wrong { path: path.to_owned(), line, column, message: message.into() }
    }
}
