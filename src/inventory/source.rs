//! [`Source`]: a file with lines of an inventory, and what to call it; [`Parts`]: all the files of a snapshot. They find lines; what those
//! say is their readers' business.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::{Header, InventoryError, Line};

/// No record comes near it; a file without line breaks must not fill the memory.
const LONGEST_LINE: u64 = 16 << 20;

/// The files of a snapshot: an inventory file, or a spool for each tenant.
#[derive(Debug)]
pub struct Parts {
    /// Spools have no first and no last line.
    pub(super) header: Option<Header>,
    pub(super) sources: Vec<Source>,
}

impl Parts {
    /// Opens an inventory file by its path.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(path: &Path) -> Result<Self, InventoryError> {
        Ok(Self { header: None, sources: vec![Source::open(path)?] })
    }

    /// One finished spool for each tenant.
    pub fn of_spools(header: Header, spools: Vec<File>) -> Self {
        let name = "the scan's temporary file";
        let sources = spools.into_iter().map(|file| Source { file, name: name.into() });
        Self { header: Some(header), sources: sources.collect() }
    }
}

/// A file with lines of an inventory.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: File,
    pub(super) name: PathBuf,
}

/// Where a line stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// From 1.
    pub(super) line: u64,
    /// Bytes before it.
    pub(super) offset: u64,
}

impl Source {
    /// Opens a file by its path. A pipe is copied to disk, because an inventory is read more than once.
    fn open(path: &Path) -> Result<Self, InventoryError> {
        let read = |source| InventoryError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(read)?;
        let is_regular = file.metadata().map_err(read)?.is_file();
        let file = if is_regular { file } else { spool(file).map_err(read)? };
        Ok(Self { file, name: path.to_owned() })
    }

    /// Gives every line that is not empty, as text.
    pub(super) fn texts<E: From<InventoryError>>(
        &self,
        mut each: impl FnMut(Place, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |source| E::from(self.failed(source));
        let mut file = self.file.try_clone().map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut reader = BufReader::with_capacity(256 << 10, file);
        let mut text = String::new();
        let mut offset = 0;
        for line in 1.. {
            text.clear();
            let mut limited = (&mut reader).take(LONGEST_LINE);
            let read = limited.read_line(&mut text).map_err(failed)?;
            if read == 0 {
                break;
            }
            if limited.limit() == 0 {
                return Err(self.wrong(line, "the line is too long to be one record").into());
            }
            if !text.trim_ascii().is_empty() {
                each(Place { line, offset }, &text)?;
            }
            offset += read as u64;
        }
        Ok(())
    }

    /// Gives every line that is not empty, with its number.
    pub(super) fn lines<E: From<InventoryError>>(
        &self,
        mut each: impl FnMut(u64, Line<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.texts(|place, text| {
            let line = serde_json::from_str(text)
                .map_err(|error| self.wrong(place.line, error.to_string()))?;
            each(place.line, line)
        })
    }

    /// Gives the line that begins after so many bytes.
    pub(super) fn line_at<T>(
        &self,
        offset: u64,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, InventoryError> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset)).map_err(|error| self.failed(error))?;
        let mut text = String::new();
        let mut reader = BufReader::with_capacity(4 << 10, file).take(LONGEST_LINE);
        reader.read_line(&mut text).map_err(|error| self.failed(error))?;
        read(&text).map_err(|message| match self.number_of(offset) {
            Ok(line) => self.wrong(line, message),
            Err(error) => error,
        })
    }

    /// The number of the line that begins after so many bytes.
    fn number_of(&self, offset: u64) -> Result<u64, InventoryError> {
        let mut number = 0;
        self.texts::<InventoryError>(|place, _| {
            if place.offset <= offset {
                number = place.line;
            }
            Ok(())
        })?;
        Ok(number)
    }

    pub(super) fn failed(&self, source: io::Error) -> InventoryError {
        InventoryError::Read { path: self.name.clone(), source }
    }

    pub(super) fn wrong(&self, line: u64, message: impl Into<String>) -> InventoryError {
        InventoryError::Line { path: self.name.clone(), line, message: message.into() }
    }
}

/// Copies a pipe to disk.
fn spool(mut from: File) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut from, &mut file)?;
    Ok(file)
}
