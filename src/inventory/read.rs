//! Reads an inventory record by record.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, BufRead, BufReader, Read as _, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use grantwarden_kit::model::{App, Gap, Grant, Origin, Reason, Record, Tenant, Timestamp, Usage};

use super::{AppHoldings, Digest, Header, Line, SCHEMA, TenantEnd, write};
use crate::registry;

/// No record comes near it; a file without line breaks must not fill the memory.
const LONGEST_LINE: u64 = 16 << 20;

/// Domains of a tenant's principals that are counted.
const MOST_DOMAINS: usize = 256;

/// Principals of a tenant that are told from each other (8 bytes each); of more the first show in which domains they sign in.
const MOST_PRINCIPALS: usize = 65_536;

/// A snapshot: what is small is in memory, what is not is on disk.
#[derive(Debug)]
pub struct Inventory {
    /// About the snapshot.
    pub header: Header,
    /// The tenants, in the order in which they were configured or written.
    pub tenants: Vec<TenantRecords>,
    parts: Vec<Part>,
    records: u64,
    /// The one part is a whole inventory by itself.
    is_export: bool,
}

/// One tenant of an inventory, as far as it is held in memory.
#[derive(Debug)]
pub struct TenantRecords {
    /// How its scan ended.
    pub end: TenantEnd,
    /// The account itself, unless it could not be read.
    pub tenant: Option<Tenant>,
    /// Its apps by id.
    pub apps: BTreeMap<String, App>,
    /// How many grants there are.
    pub grants: u64,
    /// How many grants each app has, by its id.
    pub grants_by_app: BTreeMap<String, u64>,
    /// What the grants and credentials of each app add up to, by its id.
    pub holdings: BTreeMap<String, AppHoldings>,
    /// In which domains the sign-in names behind the grants are, each with its principals; of very many only the first.
    pub principal_domains: BTreeMap<String, u64>,
    /// What rules that look beyond one record need.
    pub digest: Digest,
}

impl TenantRecords {
    /// How many apps are the platform's own, recognised by their owner, and how many grants those hold.
    pub fn of_the_platform(&self) -> (u64, u64) {
        let apps = self.apps.values().filter(|app| app.origin == Origin::Platform);
        apps.fold((0, 0), |(apps, grants), app| {
            (apps + 1, grants + self.grants_by_app.get(&app.id).copied().unwrap_or_default())
        })
    }
}

/// A file with lines, and what to call it.
#[derive(Debug)]
struct Part {
    file: File,
    name: PathBuf,
}

/// Why an inventory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// The file cannot be read.
    #[error("cannot read the inventory {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("{}:{line}: {message}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
}

impl Inventory {
    /// The inventory of a scan that was just done: one finished spool per tenant.
    ///
    /// # Errors
    /// If the machine loses its temporary files.
    pub fn of_spools(header: Header, spools: Vec<File>) -> Result<Self, InventoryError> {
        let parts =
            spools.into_iter().map(|file| Part { file, name: "the scan's temporary file".into() });
        Self::index(Some(header), parts.collect())
    }

    /// Opens an inventory file.
    ///
    /// # Errors
    /// If it cannot be read, is cut off, is of a newer format, or contradicts itself.
    pub fn open(path: &Path) -> Result<Self, InventoryError> {
        let read = |source| InventoryError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(read)?;
        let is_regular = file.metadata().map_err(read)?.is_file();
        let file = if is_regular { file } else { spool(file).map_err(read)? };
        Self::index(None, vec![Part { file, name: path.to_owned() }])
    }

    /// Writes the inventory as one file.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn export(&self, mut to: impl Write) -> io::Result<()> {
        if let ([part], true) = (self.parts.as_slice(), self.is_export) {
            let mut file = part.file.try_clone()?;
            file.seek(SeekFrom::Start(0))?;
            return io::copy(&mut file, &mut to).map(drop);
        }
        let parts: Vec<File> =
            self.parts.iter().map(|part| part.file.try_clone()).collect::<Result<_, _>>()?;
        write::join(&self.header, parts, self.records, to)
    }

    /// Gives every record that is not held in memory, in the order of the inventory, with the index of its tenant.
    ///
    /// # Errors
    /// If the file cannot be read any more; also what `each` returns.
    pub fn for_each<E: From<InventoryError>>(
        &self,
        mut each: impl FnMut(usize, Record) -> Result<(), E>,
    ) -> Result<(), E> {
        let index: BTreeMap<&str, usize> = self
            .tenants
            .iter()
            .enumerate()
            .map(|(at, tenant)| (tenant.end.name.as_str(), at))
            .collect();
        for part in &self.parts {
            part.lines::<E>(|_, line| {
                if let (Some(tenant), Some(record)) = (&line.tenant, line.record)
                    && let Some(&at) = index.get(tenant.as_ref())
                {
                    each(at, record)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Reads everything once: checks it, and keeps what is small.
    fn index(header: Option<Header>, parts: Vec<Part>) -> Result<Self, InventoryError> {
        let is_export = header.is_none();
        let mut reading = Reading { header, ..Reading::default() };
        let mut last = 0;
        for part in &parts {
            part.lines::<InventoryError>(|number, line| {
                last = number;
                reading.take(line).map_err(|message| part.wrong(number, message))
            })?;
        }
        let name = parts.first().map(|part| part.name.clone()).unwrap_or_default();
        let wrong = |message: &str| InventoryError::Line {
            path: name.clone(),
            line: last,
            message: message.to_owned(),
        };
        if is_export && !reading.ended {
            return Err(wrong(
                "the file ends too early: its last line is missing, so records may be missing too",
            ));
        }
        let Some(header) = reading.header else {
            return Err(wrong("the file is empty"));
        };
        let mut tenants = Vec::with_capacity(reading.order.len());
        for tenant in reading.order {
            let Some(mut open) = reading.open.remove(&tenant) else { continue };
            let mut end = open
                .end
                .ok_or_else(|| wrong(&format!("the tenant `{tenant}` has no last line")))?;
            if end.failure.is_none() {
                miss_unsaid(&mut end);
            }
            end.coverage.account();
            open.digest.finish();
            tenants.push(TenantRecords {
                end,
                tenant: open.tenant,
                apps: open.apps,
                grants: open.grants,
                grants_by_app: open.grants_by_app,
                holdings: open.holdings,
                principal_domains: open.principal_domains,
                digest: open.digest,
            });
        }
        Ok(Self { header, tenants, parts, records: reading.records, is_export })
    }
}

/// What the connector promises and the inventory says nothing about was not read.
fn miss_unsaid(end: &mut TenantEnd) {
    let facets =
        registry::find(&end.platform).map_or(&[][..], |connector| &connector.manifest().facets);
    for facet in facets.iter().filter(|facet| facet.promised) {
        if !end.coverage.parts.iter().any(|part| part.facet == facet.id) {
            let gap =
                Gap::new(Reason::CallFailed, &facet.id, "the inventory says nothing about it");
            end.coverage.part(&facet.id, &facet.title, true).lose(gap, None);
        }
    }
}

/// An inventory while it is being read for the first time.
#[derive(Default)]
struct Reading {
    header: Option<Header>,
    open: BTreeMap<String, OpenTenant>,
    order: Vec<String>,
    records: u64,
    ended: bool,
}

#[derive(Default)]
struct OpenTenant {
    tenant: Option<Tenant>,
    apps: BTreeMap<String, App>,
    /// Apps that grants named before their own record came.
    missing: BTreeSet<String>,
    grants: u64,
    grants_by_app: BTreeMap<String, u64>,
    holdings: BTreeMap<String, AppHoldings>,
    principal_domains: BTreeMap<String, u64>,
    /// Hashes of the principals whose domain was counted.
    principals: BTreeSet<u64>,
    digest: Digest,
    end: Option<TenantEnd>,
}

impl Reading {
    fn take(&mut self, line: Line<'_>) -> Result<(), String> {
        if self.ended {
            return Err("there is something after the last line".to_owned());
        }
        match line {
            Line {
                snapshot: Some(header),
                tenant: None,
                record: None,
                tenant_end: None,
                end: None,
            } => {
                if header.schema > SCHEMA {
                    return Err(format!(
                        "the file has format {}, this version reads up to {SCHEMA}; update grantwarden",
                        header.schema
                    ));
                }
                if self.header.replace(header).is_some() {
                    return Err("there are two first lines".to_owned());
                }
            }
            _ if self.header.is_none() => {
                return Err("the first line must be the snapshot's: {\"snapshot\": {…}}".to_owned());
            }
            Line {
                snapshot: None,
                tenant: Some(tenant),
                record: Some(record),
                tenant_end: None,
                end: None,
            } => {
                self.records += 1;
                let taken_at = self.header.as_ref().map(|header| header.taken_at);
                self.tenant(&tenant).add(record, taken_at)?;
            }
            Line {
                snapshot: None,
                tenant: None,
                record: None,
                tenant_end: Some(end),
                end: None,
            } => {
                let tenant = self.tenant(&end.name.clone());
                if tenant.end.replace(end).is_some() {
                    return Err("the tenant ends twice".to_owned());
                }
            }
            Line {
                snapshot: None,
                tenant: None,
                record: None,
                tenant_end: None,
                end: Some(records),
            } => {
                if records != self.records {
                    return Err(format!(
                        "the file holds {} records, its last line says {records}",
                        self.records
                    ));
                }
                self.ended = true;
            }
            _ => {
                return Err(
                    "a line is one of snapshot, tenant with record, tenant_end, end".to_owned()
                );
            }
        }
        Ok(())
    }

    fn tenant(&mut self, name: &str) -> &mut OpenTenant {
        if !self.open.contains_key(name) {
            self.order.push(name.to_owned());
        }
        self.open.entry(name.to_owned()).or_default()
    }
}

impl OpenTenant {
    fn add(&mut self, record: Record, taken_at: Option<Timestamp>) -> Result<(), String> {
        if self.end.is_some() {
            return Err("a record comes after the last line of its tenant".to_owned());
        }
        match record {
            Record::Tenant(tenant) => self.tenant = Some(tenant),
            Record::App(app) => {
                if self.missing.contains(&app.id) {
                    return Err(format!(
                        "the app `{}` comes after its grants; it must come before",
                        app.id
                    ));
                }
                self.apps.insert(app.id.clone(), app);
            }
            Record::Grant(grant) => {
                self.grants += 1;
                self.note_domain(&grant);
                self.holdings_of(&grant.app).add_grant(&grant);
                if let Some(taken_at) = taken_at {
                    self.digest.grant(&grant, taken_at);
                }
                if !self.apps.contains_key(&grant.app) {
                    self.missing.insert(grant.app.clone());
                }
                match self.grants_by_app.get_mut(&grant.app) {
                    Some(count) => *count += 1,
                    None => {
                        self.grants_by_app.insert(grant.app, 1);
                    }
                }
            }
            Record::Usage(mut usage) => {
                for list in [
                    &mut usage.addresses,
                    &mut usage.agents,
                    &mut usage.objects,
                    &mut usage.principals,
                    &mut usage.operations,
                    &mut usage.versions,
                ] {
                    list.truncate(Usage::TOP);
                }
                self.digest.usage.push(usage);
            }
            Record::Credential(credential) => {
                self.holdings_of(&credential.app).add_credential(&credential);
                self.digest.credential(credential);
            }
            Record::AuditEvent(event) => self.digest.change(event),
        }
        Ok(())
    }

    fn holdings_of(&mut self, app: &str) -> &mut AppHoldings {
        self.holdings.entry(app.to_owned()).or_default()
    }

    /// Counts in which domain the principal of a grant signs in; each principal once, however many grants it has.
    fn note_domain(&mut self, grant: &Grant) {
        let Some(principal) = grant.holder.principal() else { return };
        let Some(name) = principal.name.known() else { return };
        let Some((_, domain)) = name.rsplit_once('@') else { return };
        // Of a principal that is gone only the name may be left.
        let identity = if principal.id.is_empty() { name } else { &principal.id };
        let mut hasher = DefaultHasher::new();
        identity.hash(&mut hasher);
        if self.principals.len() >= MOST_PRINCIPALS || !self.principals.insert(hasher.finish()) {
            return;
        }
        let is_full = self.principal_domains.len() >= MOST_DOMAINS;
        if let Some(count) = self.principal_domains.get_mut(domain) {
            *count += 1;
        } else if !is_full {
            self.principal_domains.insert(domain.to_owned(), 1);
        }
    }
}

impl Part {
    fn lines<E: From<InventoryError>>(
        &self,
        mut each: impl FnMut(u64, Line<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |source| E::from(InventoryError::Read { path: self.name.clone(), source });
        let mut file = self.file.try_clone().map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut reader = BufReader::with_capacity(256 << 10, file);
        let mut text = String::new();
        for number in 1.. {
            text.clear();
            let mut limited = (&mut reader).take(LONGEST_LINE);
            if limited.read_line(&mut text).map_err(failed)? == 0 {
                break;
            }
            if limited.limit() == 0 {
                return Err(self
                    .wrong(number, "the line is too long to be one record".to_owned())
                    .into());
            }
            if text.trim().is_empty() {
                continue;
            }
            let line = serde_json::from_str(&text)
                .map_err(|error| self.wrong(number, error.to_string()))?;
            each(number, line)?;
        }
        Ok(())
    }

    fn wrong(&self, line: u64, message: String) -> InventoryError {
        InventoryError::Line { path: self.name.clone(), line, message }
    }
}

/// Copies a pipe to disk: an inventory is read more than once.
fn spool(mut from: File) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut from, &mut file)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        r#"{"snapshot":{"schema":1,"tool":"0.1.0","taken_at":"2026-01-15T12:00:00Z"}}"#;
    const END: &str = r#"{"tenant_end":{"name":"a","platform":"salesforce","started_at":"2026-01-15T12:00:00Z","finished_at":"2026-01-15T12:00:01Z","calls":1,"coverage":{"parts":[]}}}"#;

    fn open(lines: &[&str]) -> Result<Inventory, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(lines.join("\n").as_bytes()).unwrap();
        Inventory::open(file.path())
            .map_err(|error| error.to_string().replace(&file.path().display().to_string(), "FILE"))
    }

    #[test]
    fn a_whole_file_is_read() {
        let inventory = open(&[HEADER, END, r#"{"end":0}"#]).unwrap();
        assert_eq!(inventory.tenants.len(), 1);
        // It says nothing about what the platform's connector promises.
        assert!(!inventory.tenants[0].end.is_whole());
    }

    /// A vendor's support person with many grants is one principal, and does not outweigh the company's own people.
    #[test]
    fn a_principal_counts_once_however_many_grants_it_has() {
        let unknown = r#"{"unknown":{"reason":"platform-silent","facet":"grants","detail":""}}"#;
        let grant = |id: u32, principal: &str, name: &str| {
            format!(
                r#"{{"tenant":"a","record":{{"grant":{{"id":"{id}","app":"x","app_name":"X","kind":"delegated","holder":{{"principal":{{"id":"{principal}","name":{{"known":"{name}"}},"kind":{unknown},"status":{unknown},"privileges":{unknown},"last_login_at":{unknown}}}}},"scopes":{unknown},"granted_at":{unknown},"granted_by":{unknown},"last_used_at":{unknown},"use_count":{unknown},"expires":{unknown},"refreshable":{unknown},"network":{{"binding":{unknown}}},"sender_constrained":{unknown},"approval":{unknown}}}}}}}"#
            )
        };
        let grants = [
            grant(1, "u1", "support@vendor.example"),
            grant(2, "u1", "support@vendor.example"),
            grant(3, "u2", "ann@acme.example"),
            grant(4, "", "gone@acme.example"),
            grant(5, "", "gone@acme.example"),
        ];
        let mut lines = vec![HEADER];
        lines.extend(grants.iter().map(String::as_str));
        lines.extend([END, r#"{"end":5}"#]);
        let inventory = open(&lines).unwrap();
        let domains = &inventory.tenants[0].principal_domains;
        assert_eq!((domains["vendor.example"], domains["acme.example"]), (1, 2));
    }

    #[test]
    fn a_file_that_was_cut_off_is_refused() {
        assert!(open(&[HEADER, END]).unwrap_err().contains("ends too early"));
        assert!(open(&[HEADER, END, r#"{"end":1}"#]).unwrap_err().contains("holds 0 records"));
        assert!(open(&[]).unwrap_err().contains("ends too early"));
        assert!(open(&[HEADER, r#"{"end":"#]).unwrap_err().starts_with("FILE:2: EOF"));
    }

    #[test]
    fn a_newer_format_is_refused() {
        let newer = HEADER.replace("\"schema\":1", "\"schema\":3");
        assert!(open(&[&newer, END, r#"{"end":0}"#]).unwrap_err().contains("update grantwarden"));
    }

    #[test]
    fn what_comes_out_goes_in_again() {
        let inventory = open(&[HEADER, END, r#"{"end":0}"#]).unwrap();
        let mut written = Vec::new();
        inventory.export(&mut written).unwrap();
        assert_eq!(String::from_utf8(written).unwrap().lines().count(), 3);
    }
}
