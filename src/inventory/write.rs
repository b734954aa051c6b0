//! Writes records to disk while a scan runs, and puts the tenants' files together into one inventory.

use std::{
    fs::File,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
};

use grantwarden_kit::model::Record;

use super::{Header, Line, TenantEnd, harmless::write_json};

/// One tenant's part of an inventory, in a file without a name: it goes with the process.
#[derive(Debug)]
pub struct Spool {
    file: BufWriter<File>,
    tenant: String,
    account: Option<String>,
    grants: u64,
    records: u64,
}

/// A finished [`Spool`], at its start.
#[derive(Debug)]
pub struct Spooled {
    /// The tenant's lines.
    pub file: File,
    /// How its scan ended.
    pub end: TenantEnd,
    /// The platform's own id of the tenant, unless it could not be read.
    pub account: Option<String>,
    /// How many grants there are.
    pub grants: u64,
    /// How many records there are.
    pub records: u64,
}

impl Spool {
    /// An empty spool for a tenant.
    ///
    /// # Errors
    /// If the machine's folder for temporary files cannot be written to.
    pub fn new(tenant: &str) -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::with_capacity(256 << 10, tempfile::tempfile()?),
            tenant: tenant.to_owned(),
            account: None,
            grants: 0,
            records: 0,
        })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn push(&mut self, record: Record) -> io::Result<()> {
        match &record {
            Record::Tenant(tenant) => self.account = Some(tenant.id.clone()),
            Record::Grant(_) => self.grants += 1,
            _ => {}
        }
        let line =
            Line { tenant: Some((&self.tenant).into()), record: Some(record), ..Line::default() };
        write_line(&mut self.file, &line)?;
        self.records += 1;
        Ok(())
    }

    /// Records so far.
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// Adds the tenant's last line and gives the lines back.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn finish(mut self, end: TenantEnd) -> io::Result<Spooled> {
        write_line(&mut self.file, &Line { tenant_end: Some(end.clone()), ..Line::default() })?;
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        let Self { account, grants, records, .. } = self;
        Ok(Spooled { file, end, account, grants, records })
    }
}

/// Puts parts together into one inventory.
pub(super) fn join(
    header: &Header,
    parts: impl IntoIterator<Item = File>,
    records: u64,
    mut to: impl Write,
) -> io::Result<()> {
    write_line(&mut to, &Line { snapshot: Some(header.clone()), ..Line::default() })?;
    let mut buffer = vec![0; 256 << 10];
    for mut part in parts {
        part.seek(SeekFrom::Start(0))?;
        loop {
            match part.read(&mut buffer)? {
                0 => break,
                read => to.write_all(&buffer[..read])?,
            }
        }
    }
    write_line(&mut to, &Line { end: Some(records), ..Line::default() })
}

fn write_line(to: &mut impl Write, line: &Line<'_>) -> io::Result<()> {
    write_json(&mut *to, line)?;
    to.write_all(b"\n")
}
