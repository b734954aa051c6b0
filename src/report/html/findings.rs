//! The findings: as data for the script, written one after the other, and the gravest of each app and rule as a table for readers without it.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    io::{self, Write},
};

use grantwarden_kit::model::Timestamp;
use serde::Serialize;

use super::{
    data::{self, Text, Texts},
    quota::Quota,
    text::{name, sentence},
};
use crate::{
    finding::{Finding, Severity, Status, Subject},
    scan::{JudgeError, Judged, News, Since},
};

/// Findings that the page holds. The tests of the page in a browser are made with so many.
pub(super) const MOST: u64 = 100_000;

/// Findings that are shown without the script.
const SHOWN: usize = 100;

/// Subjects that one data block holds: the script reads block by block and lets the browser breathe in between.
const PER_BLOCK: usize = 1_000;

/// A finding as it is shown without the script.
pub(super) struct Shown {
    pub(super) fingerprint: String,
    pub(super) severity: Severity,
    pub(super) rule: String,
    /// The app, else the thing that it is about.
    pub(super) subject: String,
    /// The tenant and its platform.
    pub(super) place: String,
    pub(super) message: String,
    pub(super) evidence: Vec<String>,
    /// Since when it is there, and whether it is new; empty if that is not known.
    pub(super) since: String,
}

/// The gravest finding of each app and rule, the gravest first, as far as they are shown.
pub(super) fn gravest(judged: &Judged<'_>) -> Result<Vec<Shown>, JudgeError> {
    let rules = judged.groups.iter().flat_map(|group| &group.rules);
    let mut gravest: Vec<&Finding> = rules.map(|rule| &rule.worst).collect();
    gravest.sort_by_key(|finding| Reverse(finding.severity));
    gravest.truncate(SHOWN);
    let names: Vec<_> = gravest.iter().map(|finding| finding.fingerprint).collect();
    let dates = judged.dates(&names)?;
    let shown = |finding: &Finding| shown(finding, dates.get(&finding.fingerprint));
    Ok(gravest.into_iter().map(shown).collect())
}

fn shown(finding: &Finding, since: Option<&Since>) -> Shown {
    let subject = &finding.subject;
    let place = match (&finding.tenant, &finding.platform) {
        (Some(tenant), Some(platform)) => format!("{} ({})", name(tenant), name(platform)),
        _ => "all tenants".to_owned(),
    };
    let evidence = finding
        .evidence
        .iter()
        .map(|evidence| format!("{}: {}", sentence(&evidence.fact), sentence(&evidence.value)));
    Shown {
        fingerprint: finding.fingerprint.to_string(),
        severity: finding.severity,
        rule: name(&finding.rule),
        subject: name(subject.app.as_ref().map_or(&subject.label, |app| &app.name)),
        place,
        message: sentence(&finding.message),
        evidence: evidence.collect(),
        since: since.map(words).unwrap_or_default(),
    }
}

fn words(since: &Since) -> String {
    let day = since.first_seen.map(Timestamp::date);
    let mark = match since.news {
        Some(News::New) => Some("new".to_owned()),
        Some(News::Back) => Some("back".to_owned()),
        Some(News::Unchanged) | None => None,
    };
    day.into_iter().chain(mark).collect::<Vec<String>>().join(" ")
}

/// A subject with its findings. As data it is an array, in this order.
#[derive(Debug, Serialize)]
struct OfSubject(
    /// The tenant: index into the list of them; -1 for what is about several.
    i64,
    /// Its kind.
    Text,
    /// Its id.
    String,
    /// For a person.
    String,
    /// The app's name, if there is one.
    Option<Text>,
    /// The principal, if there is one.
    Option<Text>,
    Vec<OfFinding>,
);

/// A finding. As data it is an array, in this order.
#[derive(Debug, Serialize)]
struct OfFinding(
    /// The severity: place in [`Severity::ALL`].
    u8,
    /// The confidence, from 0 for low.
    u8,
    /// The rule's id.
    Text,
    /// The fingerprint.
    String,
    /// 0 for one that counts, 1 waived, 2 allowed, 3 in the baseline.
    u8,
    /// By whom and why it is accepted.
    Option<Text>,
    /// The message.
    String,
    /// The evidence: fact, value and source of each, one after the other.
    Vec<Text>,
    /// What is remembered of it, if there is a store.
    Option<OfPast>,
);

/// What is remembered of a finding. As data it is an array, in this order.
#[derive(Debug, Serialize)]
struct OfPast(
    /// When it was first seen, if that is known.
    Option<Text>,
    /// When it came back, if it did.
    Option<Text>,
    /// 0 for one that was there in the scan before or of which that is not known, 1 for a new one, 2 for one that is back.
    u8,
);

/// Writes the findings for which there is room, and the strings they name.
pub(super) fn write(
    judged: &Judged<'_>,
    mut quota: Quota,
    to: &mut dyn Write,
) -> Result<(), JudgeError> {
    let tenants = judged.inventory.tenants.iter().enumerate();
    let mut writer = Writer {
        to,
        texts: Texts::default(),
        tenants: tenants.map(|(at, tenant)| (tenant.end.name.clone(), at)).collect(),
        open: None,
        in_block: 0,
    };
    judged.for_each_dated(|finding, since| {
        if quota.take(finding) {
            writer.finding(finding, since)?;
        }
        Ok(())
    })?;
    writer.close()?;
    Ok(())
}

struct Writer<'a> {
    to: &'a mut dyn Write,
    texts: Texts,
    tenants: BTreeMap<String, usize>,
    /// The subject whose findings are being gathered.
    open: Option<(Option<String>, Subject, Vec<OfFinding>)>,
    in_block: usize,
}

impl Writer<'_> {
    fn finding(&mut self, finding: &Finding, since: Option<&Since>) -> io::Result<()> {
        let row = self.row(finding, since);
        if let Some((tenant, subject, rows)) = &mut self.open
            && *tenant == finding.tenant
            && *subject == finding.subject
        {
            rows.push(row);
            return Ok(());
        }
        self.flush()?;
        self.open = Some((finding.tenant.clone(), finding.subject.clone(), vec![row]));
        Ok(())
    }

    fn past(&mut self, since: &Since) -> OfPast {
        let mut text = |time: Option<Timestamp>| {
            time.map(|time| self.texts.text(time.whole_second().to_string()))
        };
        let (first_seen, reopened_at) = (text(since.first_seen), text(since.reopened_at));
        let news = match since.news {
            Some(News::New) => 1,
            Some(News::Back) => 2,
            Some(News::Unchanged) | None => 0,
        };
        OfPast(first_seen, reopened_at, news)
    }

    fn row(&mut self, finding: &Finding, since: Option<&Since>) -> OfFinding {
        let accepted = match &finding.status {
            Status::Active => None,
            status => Some(self.texts.text(sentence(&status.to_string()))),
        };
        let mut evidence = Vec::with_capacity(3 * finding.evidence.len());
        for one in &finding.evidence {
            for text in [&one.fact, &one.value, &one.source] {
                evidence.push(self.texts.text(sentence(text)));
            }
        }
        OfFinding(
            finding.severity as u8,
            finding.confidence as u8,
            self.texts.text(name(&finding.rule)),
            finding.fingerprint.to_string(),
            match finding.status {
                Status::Active => 0,
                Status::Waived { .. } => 1,
                Status::Allowed { .. } => 2,
                Status::Baseline => 3,
            },
            accepted,
            sentence(&finding.message),
            evidence,
            since.map(|since| self.past(since)),
        )
    }

    /// Writes the subject that is open.
    fn flush(&mut self) -> io::Result<()> {
        let Some((tenant, subject, rows)) = self.open.take() else { return Ok(()) };
        let place = tenant.and_then(|tenant| self.tenants.get(&tenant).copied());
        let item = OfSubject(
            place.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1),
            self.texts.text(subject.kind.to_string()),
            name(&subject.id),
            name(&subject.label),
            subject.app.map(|app| self.texts.text(name(&app.name))),
            subject.principal.map(|principal| self.texts.text(name(&principal))),
            rows,
        );
        if self.in_block == 0 {
            data::open(self.to, "class=\"findings\"")?;
            self.to.write_all(b"[\n")?;
        } else {
            self.to.write_all(b",\n")?;
        }
        data::json(self.to, &item)?;
        self.in_block += 1;
        if self.in_block == PER_BLOCK { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> io::Result<()> {
        self.in_block = 0;
        self.to.write_all(b"\n]")?;
        data::close(self.to)
    }

    fn close(mut self) -> io::Result<()> {
        self.flush()?;
        if self.in_block > 0 {
            self.end_block()?;
        }
        self.texts.write(self.to, "id=\"texts\"")
    }
}
