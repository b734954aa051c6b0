//! Reads an inventory record by record.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use grantwarden_kit::model::{App, Grant, Origin, Record, Tenant, Timestamp, Usage};

use super::{
    AppHoldings, Digest, Header, Parts, TenantEnd, reading::Reading, source::Source, write,
};

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
    parts: Vec<Source>,
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
        Self::read(Parts::of_spools(header, spools))
    }

    /// Opens an inventory file.
    ///
    /// # Errors
    /// If it cannot be read, is cut off, is of a newer format, or contradicts itself.
    pub fn open(path: &Path) -> Result<Self, InventoryError> {
        Self::read(Parts::open(path)?)
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
    fn read(Parts { header, sources: parts }: Parts) -> Result<Self, InventoryError> {
        let is_export = header.is_none();
        let mut reading = Reading::<OpenTenant>::new(header);
        let mut last = 0;
        for part in &parts {
            part.lines::<InventoryError>(|number, line| {
                last = number;
                let taken_at = reading.header.as_ref().map(|header| header.taken_at);
                let taken = reading.take(line, |tenant, record| tenant.add(record, taken_at));
                taken.map_err(|message| part.wrong(number, message))
            })?;
        }
        let (header, records, tenants) =
            reading.finish(is_export).map_err(|message| InventoryError::Line {
                path: parts.first().map(|part| part.name.clone()).unwrap_or_default(),
                line: last,
                message,
            })?;
        let tenants = tenants.into_iter().map(|(end, open)| open.finish(end)).collect();
        Ok(Self { header, tenants, parts, records, is_export })
    }
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
}

impl OpenTenant {
    fn finish(mut self, end: TenantEnd) -> TenantRecords {
        self.digest.finish();
        TenantRecords {
            end,
            tenant: self.tenant,
            apps: self.apps,
            grants: self.grants,
            grants_by_app: self.grants_by_app,
            holdings: self.holdings,
            principal_domains: self.principal_domains,
            digest: self.digest,
        }
    }

    fn add(&mut self, record: Record, taken_at: Option<Timestamp>) -> Result<(), String> {
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
