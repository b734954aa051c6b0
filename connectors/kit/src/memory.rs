//! What a connector remembers of one tenant from scan to scan, so that the next one may ask for less: a file of lines that only the
//! connector reads. It must not hold a secret, and a scan without it, or with a damaged one, must give the same result.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader, BufWriter, ErrorKind as IoErrorKind, Write},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::error::{Error, ErrorKind, Result};

/// Where a connector keeps what it remembers of one tenant.
#[derive(Debug, Clone)]
pub struct Memory {
    path: PathBuf,
    /// Whether what was remembered is not to be used.
    forgets: bool,
}

impl Memory {
    /// The file need not be there yet; its folder must be.
    pub fn at(path: PathBuf) -> Self {
        Self { path, forgets: false }
    }

    /// The same place for a scan that reads everything anew: nothing is recalled, and what is read is remembered.
    #[must_use]
    pub fn forgetting(mut self) -> Self {
        self.forgets = true;
        self
    }

    /// What was remembered, line by line. `None` if nothing was, or if it was written by another version of the connector: the first
    /// line must be `title`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if the file cannot be read.
    pub fn recall(&self, title: &str) -> Result<Option<Recollection>> {
        if self.forgets {
            return Ok(None);
        }
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == IoErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| self.fail("read", error))?,
        };
        let mut lines = Recollection { lines: BufReader::new(file), text: String::new() };
        Ok((lines.next_line::<String>()?.as_deref() == Some(title)).then_some(lines))
    }

    /// Begins to remember anew. What was remembered before stays until [`Rewrite::keep`].
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if the folder cannot be written to.
    pub fn rewrite(&self, title: &str) -> Result<Rewrite> {
        let draft = self.path.with_extension("new");
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // It tells who uses what: for the scanner's user only.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // A draft that is there was left by a scan that was killed.
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != IoErrorKind::NotFound => {
                return Err(self.fail("write", error));
            }
            _ => {}
        }
        let file = options.open(&draft).map_err(|error| self.fail("write", error))?;
        let mut rewrite = Rewrite { to: BufWriter::new(file), draft, memory: self.clone() };
        rewrite.line(&title)?;
        Ok(rewrite)
    }

    fn fail(&self, what: &str, error: std::io::Error) -> Error {
        let message = format!("cannot {what} what was remembered in {}", self.path.display());
        Error::new(ErrorKind::Configuration, message)
            .with_hint(
                "check the folder of `[incremental]`, or leave it out to read everything anew",
            )
            .with_source(error)
    }
}

/// What was remembered, being read.
#[derive(Debug)]
pub struct Recollection {
    lines: BufReader<File>,
    text: String,
}

impl Recollection {
    /// The next line; `None` after the last.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] if the line is not what the connector wrote: forget it all, and read everything anew.
    pub fn next_line<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        self.text.clear();
        let unreadable = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(ErrorKind::Malformed, "what was remembered cannot be read")
                .with_source(error)
        };
        if self.lines.read_line(&mut self.text).map_err(|error| unreadable(error.into()))? == 0 {
            return Ok(None);
        }
        serde_json::from_str(&self.text)
            .map(Some)
            .map_err(|_| unreadable("a line is damaged".into()))
    }
}

/// What is to be remembered, being written. Dropped without [`Self::keep`], it leaves no trace.
#[derive(Debug)]
pub struct Rewrite {
    to: BufWriter<File>,
    draft: PathBuf,
    memory: Memory,
}

impl Rewrite {
    /// Adds a line.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if it cannot be written.
    pub fn line(&mut self, value: &impl Serialize) -> Result<()> {
        serde_json::to_writer(&mut self.to, value)
            .map_err(std::io::Error::from)
            .and_then(|()| self.to.write_all(b"\n"))
            .map_err(|error| self.memory.fail("write", error))
    }

    /// Puts it in the place of what was remembered before. Only after a scan that lost nothing: what was not read must not be taken
    /// for known the next time.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if it cannot be written.
    pub fn keep(mut self) -> Result<()> {
        let write = |to: &mut BufWriter<File>, draft: &Path, path: &Path| {
            to.flush()?;
            to.get_ref().sync_all()?;
            fs::rename(draft, path)
        };
        write(&mut self.to, &self.draft, &self.memory.path)
            .map_err(|error| self.memory.fail("write", error))
    }
}

impl Drop for Rewrite {
    fn drop(&mut self) {
        // After `keep` there is nothing left to remove; a draft that stays is removed by the next scan.
        let _ = fs::remove_file(&self.draft);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> (tempfile::TempDir, Memory) {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::at(folder.path().join("acme.memory"));
        (folder, memory)
    }

    fn all(memory: &Memory, title: &str) -> Option<Vec<u32>> {
        let mut lines = memory.recall(title).unwrap()?;
        let mut all = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            all.push(line);
        }
        Some(all)
    }

    #[test]
    fn gives_back_what_was_kept_and_nothing_else() {
        let (_folder, memory) = memory();
        assert_eq!(all(&memory, "numbers 1"), None);
        let mut first = memory.rewrite("numbers 1").unwrap();
        first.line(&7).unwrap();
        first.line(&8).unwrap();
        first.keep().unwrap();
        assert_eq!(all(&memory, "numbers 1"), Some(vec![7, 8]));
        assert_eq!(all(&memory.clone().forgetting(), "numbers 1"), None);
        let mut dropped = memory.rewrite("numbers 1").unwrap();
        dropped.line(&9).unwrap();
        drop(dropped);
        assert_eq!(all(&memory, "numbers 1"), Some(vec![7, 8]));
        assert_eq!(all(&memory, "numbers 2"), None);
    }

    #[test]
    fn a_damaged_line_is_an_error_and_not_an_end() {
        let (folder, memory) = memory();
        fs::write(folder.path().join("acme.memory"), "\"numbers 1\"\n7\n{").unwrap();
        let mut lines = memory.recall("numbers 1").unwrap().unwrap();
        assert_eq!(lines.next_line::<u32>().unwrap(), Some(7));
        assert_eq!(lines.next_line::<u32>().unwrap_err().kind, ErrorKind::Malformed);
    }

    #[cfg(unix)]
    #[test]
    fn is_for_the_scanners_user_only() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, memory) = memory();
        memory.rewrite("numbers 1").unwrap().keep().unwrap();
        let mode = fs::metadata(folder.path().join("acme.memory")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
