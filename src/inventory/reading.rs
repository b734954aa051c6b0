//! [`Reading`]: the order that the lines of an inventory keep, checked while they are read, whatever is made of the records.

use std::collections::BTreeMap;

use grantwarden_kit::model::{Gap, Reason, Record};

use super::{Header, Line, SCHEMA, TenantEnd};
use crate::registry;

/// An inventory while it is being read for the first time. `T` is what is kept of a tenant.
pub(super) struct Reading<T> {
    pub(super) header: Option<Header>,
    open: BTreeMap<String, Open<T>>,
    order: Vec<String>,
    pub(super) records: u64,
    ended: bool,
}

struct Open<T> {
    kept: T,
    end: Option<TenantEnd>,
}

impl<T: Default> Reading<T> {
    /// Before the first line; of the parts of a scan the header is known.
    pub(super) fn new(header: Option<Header>) -> Self {
        Self { header, open: BTreeMap::new(), order: Vec::new(), records: 0, ended: false }
    }

    /// Takes a line in. `add` is given the record and what is kept of its tenant.
    pub(super) fn take(
        &mut self,
        line: Line<'_>,
        add: impl FnOnce(&mut T, Record) -> Result<(), String>,
    ) -> Result<(), String> {
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
            } => add(self.record_of(&tenant)?, record)?,
            Line {
                snapshot: None,
                tenant: None,
                record: None,
                tenant_end: Some(end),
                end: None,
            } => {
                let tenant = self.tenant(&end.name);
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

    /// Counts a record, and gives what is kept of its tenant.
    pub(super) fn record_of(&mut self, tenant: &str) -> Result<&mut T, String> {
        if self.ended {
            return Err("there is something after the last line".to_owned());
        }
        if self.header.is_none() {
            return Err("the first line must be the snapshot's: {\"snapshot\": {…}}".to_owned());
        }
        self.records += 1;
        let tenant = self.tenant(tenant);
        if tenant.end.is_some() {
            return Err("a record comes after the last line of its tenant".to_owned());
        }
        Ok(&mut tenant.kept)
    }

    /// What was read of each tenant, in the order of the file. `must_end`: the last line may not be missing.
    #[expect(clippy::type_complexity, reason = "the three parts of an inventory, said once")]
    pub(super) fn finish(
        mut self,
        must_end: bool,
    ) -> Result<(Header, u64, Vec<(TenantEnd, T)>), String> {
        if must_end && !self.ended {
            return Err(
                "the file ends too early: its last line is missing, so records may be missing too"
                    .to_owned(),
            );
        }
        let header = self.header.ok_or_else(|| "the file is empty".to_owned())?;
        let mut tenants = Vec::with_capacity(self.order.len());
        for tenant in self.order {
            let Some(open) = self.open.remove(&tenant) else { continue };
            let mut end =
                open.end.ok_or_else(|| format!("the tenant `{tenant}` has no last line"))?;
            if end.failure.is_none() {
                miss_unsaid(&mut end);
            }
            end.coverage.account();
            tenants.push((end, open.kept));
        }
        Ok((header, self.records, tenants))
    }

    fn tenant(&mut self, name: &str) -> &mut Open<T> {
        if !self.open.contains_key(name) {
            self.order.push(name.to_owned());
        }
        self.open.entry(name.to_owned()).or_insert_with(|| Open { kept: T::default(), end: None })
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
