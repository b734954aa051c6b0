//! [`Outline`]: a snapshot as far as a comparison needs it in memory: apps and credentials whole, of each grant 48 bytes.
//!
//! The grants stay on disk, and are read again where they differ.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::resume_unwind,
    thread,
};

use grantwarden_kit::model::{App, Credential, Grant, Record, Tenant};

use super::{
    super::{Header, InventoryError, Line, Parts, TenantEnd, reading::Reading, source::Source},
    fact::GapSets,
    light::{Hash, Light, Scratch},
};

/// A snapshot as far as a comparison needs it.
#[derive(Debug)]
pub struct Outline {
    /// About the snapshot.
    pub header: Header,
    /// The tenants, in the order of the file.
    pub tenants: Vec<TenantOutline>,
    /// Each with how many bytes all those before it have.
    sources: Vec<(u64, Source)>,
}

/// One tenant of an [`Outline`].
#[derive(Debug)]
pub struct TenantOutline {
    /// How its scan ended.
    pub end: TenantEnd,
    /// The account itself, unless it could not be read.
    pub tenant: Option<Tenant>,
    /// Its apps by id.
    pub apps: BTreeMap<String, App>,
    /// Its credentials by app and id.
    pub(super) credentials: BTreeMap<(String, String), Credential>,
    /// By hash of the id.
    pub(super) grants: Vec<Row>,
    pub(super) gaps: GapSets,
}

impl TenantOutline {
    /// How many grants there are.
    pub fn grants(&self) -> u64 {
        self.grants.len() as u64
    }

    /// The platform's own id of a tenant that could be read.
    pub(super) fn id(&self) -> Option<&str> {
        let tenant = self.tenant.as_ref().filter(|_| self.end.failure.is_none())?;
        Some(&tenant.id)
    }
}

/// What is kept of a grant: 48 bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Hash of its id.
    pub(super) id: Hash,
    /// Hash of the facts that are compared.
    pub(super) facts: Hash,
    /// Where its line begins, in all files one after the other.
    pub(super) offset: u64,
    /// Number of the set of gaps among those facts.
    pub(super) gaps: u32,
}

impl Outline {
    /// Reads a snapshot.
    ///
    /// # Errors
    /// If it cannot be read, is cut off, is of a newer format, or contradicts itself.
    pub fn read(Parts { header, sources: files }: Parts) -> Result<Self, InventoryError> {
        let must_end = header.is_none();
        let mut reading = Reading::<Kept>::new(header);
        let (mut last, mut scratch) = (0, Scratch::default());
        let mut sources = Vec::with_capacity(files.len());
        let mut before = 0;
        for source in files {
            source.texts::<InventoryError>(|place, text| {
                last = place.line;
                take(&mut reading, text, before + place.offset, &mut scratch)
                    .map_err(|message| source.wrong(place.line, message))
            })?;
            let size = source.file.metadata().map_err(|error| source.failed(error))?.len();
            sources.push((before, source));
            before += size;
        }
        let finished = reading.finish(must_end);
        let (header, _, tenants) = finished.map_err(|message| InventoryError::Line {
            path: sources.first().map(|(_, source)| source.name.clone()).unwrap_or_default(),
            line: last,
            message,
        })?;
        let tenants = tenants.into_iter().map(|(end, kept)| kept.finish(end)).collect();
        Ok(Self { header, tenants, sources })
    }

    /// Reads two snapshots at the same time.
    ///
    /// # Errors
    /// As [`Outline::read`]; the older one's first.
    pub fn read_both(old: Parts, new: Parts) -> Result<(Self, Self), InventoryError> {
        let (old, new) = thread::scope(|scope| {
            let old = scope.spawn(|| Self::read(old));
            let new = Self::read(new);
            (old.join().unwrap_or_else(|panic| resume_unwind(panic)), new)
        });
        Ok((old?, new?))
    }

    /// Reads a grant again, whole.
    pub(super) fn grant(&self, offset: u64) -> Result<Grant, InventoryError> {
        let after = self.sources.partition_point(|(before, _)| *before <= offset);
        let (before, source) = &self.sources[after.saturating_sub(1)];
        source.line_at(offset - before, |text| match serde_json::from_str(text) {
            Ok(Line { record: Some(Record::Grant(grant)), .. }) => Ok(*grant),
            Ok(_) => Err("the file changed while it was read".to_owned()),
            Err(error) => Err(error.to_string()),
        })
    }
}

/// What is kept of a tenant while it is read.
#[derive(Default)]
struct Kept {
    tenant: Option<Tenant>,
    apps: BTreeMap<String, App>,
    /// Apps that grants named before their own record came.
    missing: BTreeSet<String>,
    credentials: BTreeMap<(String, String), Credential>,
    grants: Vec<Row>,
    gaps: GapSets,
}

fn take(
    reading: &mut Reading<Kept>,
    text: &str,
    offset: u64,
    scratch: &mut Scratch,
) -> Result<(), String> {
    if let Some(light) = Light::read(text)
        && let Some(((tenant, app), id)) = light.tenant().zip(light.app()).zip(light.id())
        && let Some(facts) = light.compared(scratch)
    {
        return reading.record_of(tenant)?.grant(&light, app, id, facts, offset, &scratch.unseen);
    }
    let line: Line<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    // Written by another program, with escapes or spaces where this one has none: as this program writes it.
    let written = serde_json::to_string(&line).map_err(|error| error.to_string())?;
    reading.take(line, |kept, record| kept.add(record, &written, offset, scratch))
}

impl Kept {
    fn add(
        &mut self,
        record: Record,
        written: &str,
        offset: u64,
        scratch: &mut Scratch,
    ) -> Result<(), String> {
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
            Record::Credential(credential) => {
                let key = (credential.app.clone(), credential.id.clone());
                self.credentials.insert(key, credential);
            }
            Record::Grant(grant) => {
                let light = Light::read(written).ok_or("the grant cannot be read again")?;
                let facts = light.compared(scratch).ok_or("the grant cannot be read again")?;
                let id = super::light::hash(grant.id.as_bytes());
                self.grant(&light, &grant.app, id, facts, offset, &scratch.unseen)?;
            }
            // What apps did and what was logged is what happened, not what is there.
            Record::Usage(_) | Record::AuditEvent(_) => {}
        }
        Ok(())
    }

    fn grant(
        &mut self,
        light: &Light<'_>,
        app: &str,
        id: Hash,
        facts: Hash,
        offset: u64,
        unseen: &str,
    ) -> Result<(), String> {
        if !self.apps.contains_key(app) && !self.missing.contains(app) {
            self.missing.insert(app.to_owned());
        }
        let gaps = if unseen.is_empty() {
            0
        } else {
            self.gaps.number_of(unseen, || Ok::<_, String>(light.gaps()))?
        };
        self.grants.push(Row { id, facts, offset, gaps });
        Ok(())
    }

    fn finish(mut self, end: TenantEnd) -> TenantOutline {
        // Should two have the same id, those with the same facts belong together.
        self.grants.sort_unstable_by_key(|row| (row.id, row.facts, row.offset));
        TenantOutline {
            end,
            tenant: self.tenant,
            apps: self.apps,
            credentials: self.credentials,
            grants: self.grants,
            gaps: self.gaps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_stays_small() {
        assert_eq!(size_of::<Row>(), 48);
    }
}
