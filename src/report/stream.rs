//! JSON that is written piece by piece, so that it never stands in memory as a whole. Knows no report.

use std::io::{self, Write};

use serde::Serialize;

use crate::inventory::harmless::write_json;

/// Writes a value as one line.
pub(super) fn line(to: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    write_json(&mut *to, value)?;
    to.write_all(b"\n")
}

/// A JSON object that is written member by member.
pub(super) struct Object<'a> {
    to: &'a mut dyn Write,
    is_empty: bool,
}

impl<'a> Object<'a> {
    pub(super) fn open(to: &'a mut dyn Write) -> io::Result<Self> {
        to.write_all(b"{")?;
        Ok(Self { to, is_empty: true })
    }

    fn key(&mut self, name: &str) -> io::Result<()> {
        let comma = if self.is_empty { "" } else { "," };
        self.is_empty = false;
        write!(self.to, "{comma}\n  \"{name}\": ")
    }

    pub(super) fn member(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        self.key(name)?;
        write_json(&mut *self.to, value)
    }

    /// Begins a list that is written item by item.
    pub(super) fn list(&mut self, name: &str) -> io::Result<List<'_>> {
        self.key(name)?;
        self.to.write_all(b"[")?;
        Ok(List { to: self.to, is_empty: true })
    }

    pub(super) fn close(self) -> io::Result<()> {
        self.to.write_all(b"\n}\n")
    }
}

/// A JSON array that is written item by item, one to a line.
pub(super) struct List<'a> {
    to: &'a mut dyn Write,
    is_empty: bool,
}

impl List<'_> {
    pub(super) fn item(&mut self, item: &impl Serialize) -> io::Result<()> {
        self.to.write_all(if self.is_empty { b"\n    " } else { b",\n    " })?;
        self.is_empty = false;
        write_json(&mut *self.to, item)
    }

    pub(super) fn close(self) -> io::Result<()> {
        self.to.write_all(if self.is_empty { b"]" } else { b"\n  ]" })
    }
}
