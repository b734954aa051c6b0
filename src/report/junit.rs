//! `junit`: the report as test results, which every CI server shows. One suite for each tenant, one for vendors, one for the policy.
//!
//! A suite's head counts its cases, and findings do not come suite by suite: cases wait on disk, all in one file, until all are known.

use std::{
    fs::File,
    io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write},
    ops::Range,
};

use grantwarden_kit::model::Timestamp;

use super::{missing, plain};
use crate::{
    finding::{Finding, Severity, Status, SubjectKind},
    inventory::TenantRecords,
    scan::{JudgeError, Judged},
};

/// Where the cases of all suites wait, in the order in which they come.
pub(super) struct Spool {
    file: BufWriter<File>,
    length: u64,
}

/// The cases that belong together.
pub(super) struct Suite {
    name: String,
    /// Where they stand in the spool. Findings come tenant by tenant, so that there are few pieces.
    pieces: Vec<Range<u64>>,
    counts: Counts,
}

/// How many cases there are, and how many of them did not pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
}

/// How a case went.
pub(super) enum Outcome<'a> {
    Passed(&'a str),
    Skipped(&'a str),
    Failed(&'a str, &'a str),
    Error(&'a str, &'a str),
}

pub(super) fn write(judged: &Judged<'_>, to: &mut dyn Write) -> Result<(), JudgeError> {
    let tenants = &judged.inventory.tenants;
    let mut spool = Spool::new()?;
    let names = tenants.iter().map(|tenant| tenant.end.name.clone());
    let others = ["vendors", "policy", "scan"].map(|name| unlike(name, tenants));
    let mut suites: Vec<Suite> = names.chain(others).map(Suite::new).collect();
    let [of_tenants @ .., vendors, policy, scan] = suites.as_mut_slice() else { return Ok(()) };
    for (suite, tenant) in of_tenants.iter_mut().zip(tenants) {
        let why = missing::why_incomplete(tenant);
        suite.coverage(&mut spool, judged, why.as_deref())?;
    }
    let beyond = missing::beyond_tenants(judged);
    let why = |of: &str| beyond.iter().find(|beyond| beyond.of == of).map(|beyond| beyond.text);
    policy.coverage(&mut spool, judged, why("policy"))?;
    // A suite only for what is seldom.
    if let Some(why) = why("scan") {
        scan.coverage(&mut spool, judged, Some(why))?;
    }
    let fail_on = judged.policy().fail_on.severity();
    judged.for_each_finding(|finding, _| {
        let tenant = finding.tenant.as_ref().and_then(|name| {
            judged.inventory.tenants.iter().position(|tenant| tenant.end.name == *name)
        });
        let suite = match tenant {
            Some(at) => &mut of_tenants[at],
            None if finding.subject.kind == SubjectKind::Waiver => &mut *policy,
            None => &mut *vendors,
        };
        Ok(suite.finding(&mut spool, finding, fail_on)?)
    })?;
    if suites.last().is_some_and(|scan| scan.pieces.is_empty()) {
        suites.pop();
    }
    Ok(document(&suites, spool, judged.inventory.header.taken_at, to)?)
}

/// Writes the suites as a document.
pub(super) fn document(
    suites: &[Suite],
    spool: Spool,
    taken_at: Timestamp,
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut all = Counts::default();
    suites.iter().for_each(|suite| all.add(suite.counts));
    writeln!(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(to, "<testsuites name=\"grantwarden\" {} time=\"0\">", all.attributes())?;
    // The form has no place for a zone; it is UTC.
    let taken_at = taken_at.whole_second().to_string();
    let taken_at = taken_at.trim_end_matches('Z');
    let mut cases = spool.file.into_inner().map_err(io::IntoInnerError::into_error)?;
    for suite in suites {
        suite.write(&mut cases, taken_at, to)?;
    }
    writeln!(to, "</testsuites>")
}

/// A name that no tenant has.
fn unlike(name: &str, tenants: &[TenantRecords]) -> String {
    let mut name = name.to_owned();
    while tenants.iter().any(|tenant| plain(&tenant.end.name) == name) {
        name.push_str(" of all tenants");
    }
    name
}

impl Spool {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { file: BufWriter::new(tempfile::tempfile()?), length: 0 })
    }

    /// Adds a case, and gives its place.
    fn add(&mut self, case: &[u8]) -> io::Result<Range<u64>> {
        self.file.write_all(case)?;
        let start = self.length;
        self.length += case.len() as u64;
        Ok(start..self.length)
    }
}

impl Suite {
    /// An empty one.
    pub(super) const fn new(name: String) -> Self {
        Self {
            name,
            pieces: Vec::new(),
            counts: Counts { tests: 0, failures: 0, errors: 0, skipped: 0 },
        }
    }

    /// The case that says whether everything was read.
    fn coverage(
        &mut self,
        spool: &mut Spool,
        judged: &Judged<'_>,
        why: Option<&str>,
    ) -> io::Result<()> {
        let accepted;
        let outcome = match why {
            None => Outcome::Passed("Everything that was promised was read."),
            Some(why) if judged.policy().allow_incomplete => {
                accepted = format!("incomplete, accepted by allow_incomplete: {why}");
                Outcome::Skipped(&accepted)
            }
            Some(why) => Outcome::Error("incomplete", why),
        };
        self.case(spool, "coverage", "everything that was promised was read", &outcome)
    }

    fn finding(
        &mut self,
        spool: &mut Spool,
        finding: &Finding,
        fail_on: Option<Severity>,
    ) -> io::Result<()> {
        let subject = &finding.subject;
        let mut text = format!("{}\n", plain(&finding.message));
        for evidence in &finding.evidence {
            let (fact, value) = (plain(&evidence.fact), plain(&evidence.value));
            text.push_str(&format!("- {fact}: {value} [{}]\n", plain(&evidence.source)));
        }
        text.push_str(&format!("fingerprint {}\n", finding.fingerprint));
        let kind = finding.severity.as_str();
        let accepted = finding.status.to_string();
        let outcome = match &finding.status {
            Status::Active if fail_on.is_some_and(|least| finding.severity >= least) => {
                Outcome::Failed(kind, &text)
            }
            Status::Active => Outcome::Passed(&text),
            _ => Outcome::Skipped(&accepted),
        };
        let name = format!("{}: {} ({} {})", kind, subject.label, subject.kind, subject.id);
        self.case(spool, &finding.rule, &name, &outcome)
    }

    /// Adds a case. Its class is the suite's name and `rule`.
    pub(super) fn case(
        &mut self,
        spool: &mut Spool,
        rule: &str,
        name: &str,
        outcome: &Outcome<'_>,
    ) -> io::Result<()> {
        self.counts.tests += 1;
        let to = &mut Vec::new();
        let class = xml(&format!("{}.{rule}", self.name));
        writeln!(to, "  <testcase classname=\"{class}\" name=\"{}\" time=\"0\">", xml(name))?;
        match outcome {
            Outcome::Passed(text) => writeln!(to, "    <system-out>{}</system-out>", lines(text))?,
            Outcome::Skipped(why) => {
                self.counts.skipped += 1;
                writeln!(to, "    <skipped message=\"{}\"/>", xml(why))?;
            }
            Outcome::Failed(kind, text) => {
                self.counts.failures += 1;
                let message = text.lines().next().unwrap_or_default();
                let (message, text) = (xml(message), lines(text));
                writeln!(
                    to,
                    "    <failure type=\"{kind}\" message=\"{message}\">{text}</failure>"
                )?;
            }
            Outcome::Error(kind, text) => {
                self.counts.errors += 1;
                let text = xml(text);
                writeln!(to, "    <error type=\"{kind}\" message=\"{text}\">{text}</error>")?;
            }
        }
        writeln!(to, "  </testcase>")?;
        let place = spool.add(to)?;
        match self.pieces.last_mut().filter(|last| last.end == place.start) {
            Some(last) => last.end = place.end,
            None => self.pieces.push(place),
        }
        Ok(())
    }

    fn write(&self, cases: &mut File, taken_at: &str, to: &mut dyn Write) -> io::Result<()> {
        let (name, counts) = (xml(&self.name), self.counts.attributes());
        writeln!(to, " <testsuite name=\"{name}\" {counts} time=\"0\" timestamp=\"{taken_at}\">")?;
        for piece in &self.pieces {
            cases.seek(SeekFrom::Start(piece.start))?;
            io::copy(&mut cases.take(piece.end - piece.start), to)?;
        }
        writeln!(to, " </testsuite>")
    }
}

impl Counts {
    const fn add(&mut self, other: Self) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
    }

    fn attributes(self) -> String {
        let Self { tests, failures, errors, skipped } = self;
        format!(
            "tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\""
        )
    }
}

/// Escaped text of several lines.
fn lines(text: &str) -> String {
    text.lines().map(|line| xml(line) + "\n").collect()
}

/// A text for an attribute or an element of XML 1.0 (section 2.2 says which characters there are), on one line.
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_has_only_characters_that_it_may() {
        assert_eq!(
            xml("a\0\u{1b}\u{202e}b\u{fffe}<&>\"'\n"),
            "ab\u{fffd}&lt;&amp;&gt;&quot;&apos;"
        );
        assert_eq!(lines("a\nb]]>\n"), "a\nb]]&gt;\n");
    }
}
