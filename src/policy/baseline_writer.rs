//! [`BaselineWriter`]: writes a baseline without holding its findings.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write},
};

use grantwarden_kit::model::Timestamp;

use super::{
    Held,
    baseline::{Head, Row, SCHEMA},
};
use crate::finding::{Finding, Fingerprint};

/// Writes a baseline. Findings are put on disk as they come and sorted by an index of their places, so that memory stays flat.
pub struct BaselineWriter {
    spool: io::BufWriter<File>,
    places: Vec<(Fingerprint, u64)>,
    end: u64,
}

impl BaselineWriter {
    /// An empty one.
    ///
    /// # Errors
    /// If there is no room for a temporary file.
    pub fn new() -> io::Result<Self> {
        Ok(Self { spool: io::BufWriter::new(tempfile::tempfile()?), places: Vec::new(), end: 0 })
    }

    /// Adds a finding.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn add(&mut self, finding: &Finding, held: Held) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Row::of(finding, held))?;
        line.push(b'\n');
        self.spool.write_all(&line)?;
        self.places.push((finding.fingerprint, self.end));
        self.end += line.len() as u64;
        Ok(())
    }

    /// Writes the file.
    ///
    /// # Errors
    /// If the writer fails.
    pub fn finish(
        mut self,
        judged_at: Timestamp,
        complete: bool,
        to: &mut dyn Write,
    ) -> io::Result<()> {
        let head = Head {
            baseline: SCHEMA,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            judged_at,
            complete,
            findings: self.places.len() as u64,
        };
        serde_json::to_writer(&mut *to, &head)?;
        to.write_all(b"\n")?;
        self.spool.flush()?;
        self.places.sort_unstable();
        let mut reader =
            BufReader::new(self.spool.into_inner().map_err(io::IntoInnerError::into_error)?);
        let mut line = Vec::new();
        for (_, place) in self.places {
            reader.seek(SeekFrom::Start(place))?;
            line.clear();
            reader.read_until(b'\n', &mut line)?;
            to.write_all(&line)?;
        }
        Ok(())
    }
}
