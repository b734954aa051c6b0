//! Which rows of a listing came already: rows move from page to page, and a listing whose page token ends is begun anew. Holds hashes, never
//! ids, and must not take a row for another one: a row that is left out is one that nobody misses.

use std::{
    collections::HashSet,
    fs::File,
    hash::{BuildHasher, RandomState},
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
};

use crate::error::{Error, ErrorKind, Result};

/// Rows of a listing between which one that comes twice is recognised, at the least, as long as the listing was not begun anew.
const WINDOW: usize = 14_000;

/// 128-bit hashes of ids, with keys of their own, so that nobody can make two ids the same.
#[derive(Debug, Default)]
struct Hasher(RandomState, RandomState);

impl Hasher {
    fn hash(&self, id: &str) -> u128 {
        u128::from(self.0.hash_one(id)) << 64 | u128::from(self.1.hash_one(id))
    }
}

/// Ids that came, all in memory: for what grows with apps, not with grants.
#[derive(Debug, Default)]
pub struct Seen {
    hashes: HashSet<u128>,
    hasher: Hasher,
}

impl Seen {
    /// Whether this id comes for the first time.
    pub fn is_new(&mut self, id: &str) -> bool {
        self.hashes.insert(self.hasher.hash(id))
    }
}

/// Ids of the rows of one listing that were given, in flat memory. While a listing runs on, a row that comes twice does so because rows
/// moved between pages, so that the last 14,000 at least are compared. After [`Given::begin_anew`] every row is compared with all that were
/// given: they are read back from a temporary file, and memory then grows with them.
#[derive(Debug, Default)]
pub struct Given {
    hasher: Hasher,
    recent: HashSet<u128>,
    /// The window before `recent`; all that is in the file after the listing was begun anew.
    before: HashSet<u128>,
    /// What `recent` was emptied into.
    older: Option<File>,
    is_anew: bool,
    count: u64,
}

impl Given {
    /// Whether the row with this id is to be given: it was not given before.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if the machine's folder for temporary files cannot be used.
    pub fn is_new(&mut self, id: &str) -> Result<bool> {
        let hash = self.hasher.hash(id);
        if self.before.contains(&hash) || !self.recent.insert(hash) {
            return Ok(false);
        }
        self.count += 1;
        if self.recent.len() == WINDOW {
            self.put_away().map_err(|error| unusable(&error))?;
        }
        Ok(true)
    }

    /// How many rows were given.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The listing begins anew: all that was given will come again, in whatever order.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if the machine's folder for temporary files cannot be used.
    pub fn begin_anew(&mut self) -> Result<()> {
        self.is_anew = true;
        if let Some(file) = &mut self.older {
            self.before = read_back(file).map_err(|error| unusable(&error))?;
        }
        Ok(())
    }

    fn put_away(&mut self) -> io::Result<()> {
        let bytes: Vec<u8> = self.recent.iter().flat_map(|hash| hash.to_ne_bytes()).collect();
        let file = match &mut self.older {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::End(0))?;
        file.write_all(&bytes)?;
        if self.is_anew {
            self.before.extend(self.recent.drain());
        } else {
            self.before = std::mem::take(&mut self.recent);
        }
        Ok(())
    }
}

fn read_back(file: &mut File) -> io::Result<HashSet<u128>> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::with_capacity(64 << 10, file);
    let mut hash = [0; size_of::<u128>()];
    (0..length / hash.len() as u64)
        .map(|_| reader.read_exact(&mut hash).map(|()| u128::from_ne_bytes(hash)))
        .collect()
}

fn unusable(error: &io::Error) -> Error {
    let message = format!("the machine's folder for temporary files cannot be used: {error}");
    Error::new(ErrorKind::Configuration, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(ids: impl IntoIterator<Item = usize>, given: &mut Given) -> usize {
        ids.into_iter().filter(|id| given.is_new(&id.to_string()).unwrap()).count()
    }

    #[test]
    fn a_row_that_moved_to_the_next_page_is_not_given_twice() {
        let mut rows = Given::default();
        assert_eq!(given(0..WINDOW + 10, &mut rows), WINDOW + 10);
        assert_eq!(given(10..WINDOW + 20, &mut rows), 10);
        assert_eq!(rows.count() as usize, WINDOW + 20);
    }

    #[test]
    fn a_listing_that_begins_anew_gives_only_what_is_new() {
        let mut rows = Given::default();
        let many = 3 * WINDOW + 5;
        assert_eq!(given(0..many, &mut rows), many);
        rows.begin_anew().unwrap();
        assert_eq!(given((0..many + 7).rev(), &mut rows), 7);
        assert_eq!(given(many..many + 2 * WINDOW, &mut rows), 2 * WINDOW - 7);
        rows.begin_anew().unwrap();
        assert_eq!(given(0..many + 2 * WINDOW, &mut rows), 0);
    }

    #[test]
    fn memory_does_not_grow_with_the_listing() {
        let mut rows = Given::default();
        given(0..10 * WINDOW, &mut rows);
        assert!(rows.recent.len() + rows.before.len() <= 2 * WINDOW);
    }
}
