//! `table`: for a person at a terminal. Grouped by app, the gravest first; then what could not be seen; then what to do.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    io::{self, Write},
};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use grantwarden_kit::model::{Count, Observed, Part, Usage};

use super::{Look, missing, plain, steps};
use crate::{
    exit::Exit,
    finding::{Counts, Severity, SubjectKind},
    policy::Verdict,
    scan::{Group, JudgeError, Judged, Novelties, RuleCount, Whose},
    vendors::{Party, Vendor},
};

/// Vendors that the report names.
const NAMED_VENDORS: usize = 10;

/// Apps that "next steps" names per rule.
const NAMED_APPS: usize = 5;

pub(super) fn write(judged: &Judged<'_>, look: Look, to: &mut dyn Write) -> Result<(), JudgeError> {
    let novelties = judged.novelties()?;
    let mut page = Page { to, look };
    page.tenants(judged)?;
    for is_wanted in [is_of_app as fn(&Whose) -> bool, is_of_vendor, is_of_tenant, is_of_policy] {
        for group in judged.groups.iter().filter(|group| is_wanted(&group.whose)) {
            page.group(judged, group, novelties.as_ref())?;
        }
    }
    page.vendors(judged)?;
    page.accepted(judged)?;
    page.coverage(judged)?;
    page.next_steps(judged)?;
    page.result(judged, novelties.as_ref())?;
    Ok(())
}

/// The first few apps, to follow what is to be done about them.
fn named(apps: &[&str]) -> String {
    let mut line = String::new();
    let named: Vec<String> = apps.iter().take(NAMED_APPS).map(|app| plain(app)).collect();
    if !named.is_empty() {
        let _ = write!(line, ": {}", named.join(", "));
    }
    if apps.len() > NAMED_APPS {
        let _ = write!(line, " and {} more", apps.len() - NAMED_APPS);
    }
    line
}

const fn is_of_app(whose: &Whose) -> bool {
    matches!(whose, Whose::App { .. })
}

const fn is_of_vendor(whose: &Whose) -> bool {
    matches!(whose, Whose::Vendor(_) | Whose::Register)
}

const fn is_of_tenant(whose: &Whose) -> bool {
    matches!(whose, Whose::Tenant(_))
}

const fn is_of_policy(whose: &Whose) -> bool {
    matches!(whose, Whose::Policy)
}

pub(super) struct Page<'a> {
    pub(super) to: &'a mut dyn Write,
    pub(super) look: Look,
}

impl Page<'_> {
    fn tenants(&mut self, judged: &Judged<'_>) -> io::Result<()> {
        for tenant in &judged.inventory.tenants {
            let end = &tenant.end;
            let name = tenant.tenant.as_ref().map(|tenant| match &tenant.display_name {
                Observed::Known(name) => format!(" {name} ({})", tenant.id),
                _ => format!(" {}", tenant.id),
            });
            writeln!(
                self.to,
                "{}  {}{}",
                self.bold(&end.name),
                plain(&end.platform),
                plain(&name.unwrap_or_default()),
            )?;
            if let Some(failure) = &end.failure {
                writeln!(self.to, "  {}", self.paint(Severity::High, "NOT SCANNED"))?;
                self.paragraph("  ", &failure.message)?;
                if let Some(hint) = &failure.hint {
                    self.paragraph("  ", &format!("hint: {hint}"))?;
                }
            } else {
                writeln!(
                    self.to,
                    "  {} of {}, {}",
                    number(tenant.grants, "grant"),
                    number(tenant.apps.len() as u64, "app"),
                    if end.is_whole() {
                        "complete".to_owned()
                    } else {
                        self.paint(Severity::High, "INCOMPLETE: see below")
                    },
                )?;
                let (apps, grants) = tenant.of_the_platform();
                if apps > 0 {
                    writeln!(
                        self.to,
                        "  of these {} of the platform itself, with {}: no third party's",
                        number(apps, "app"),
                        number(grants, "grant"),
                    )?;
                }
            }
        }
        for beyond in missing::beyond_tenants(judged) {
            writeln!(self.to, "{}", self.paint(Severity::High, "INCOMPLETE"))?;
            self.paragraph("  ", beyond.text)?;
        }
        Ok(())
    }

    fn group(
        &mut self,
        judged: &Judged<'_>,
        group: &Group,
        novelties: Option<&Novelties>,
    ) -> io::Result<()> {
        writeln!(self.to)?;
        let severity = group.severity();
        let label = self.paint(severity, &severity.as_str().to_uppercase());
        match &group.whose {
            Whose::App { tenant, id, name } => {
                let tenant = &judged.inventory.tenants[*tenant];
                let app = tenant.apps.get(id);
                let mut about: Vec<String> = app.into_iter().map(|app| app.kind.clone()).collect();
                if let Some(publisher) = app.and_then(|app| app.publisher.known()) {
                    about.insert(0, publisher.name.clone());
                }
                about.push(tenant.end.name.clone());
                writeln!(
                    self.to,
                    "{label}  {}  ({}), {} with findings",
                    self.bold(name),
                    plain(&about.join(", ")),
                    number(group.grants, "grant")
                )?;
                for usage in tenant
                    .digest
                    .usage
                    .iter()
                    .filter(|usage| usage.app == *id || usage.app == *name)
                {
                    self.paragraph("  ", &activity(&super::shortened(usage)))?;
                }
            }
            Whose::Tenant(tenant) => {
                let name = &judged.inventory.tenants[*tenant].end.name;
                writeln!(self.to, "{label}  {} as a whole", self.bold(name))?;
            }
            Whose::Vendor(name) => {
                writeln!(self.to, "{label}  {} with all its apps", self.bold(name))?;
            }
            Whose::Register => writeln!(self.to, "{label}  {}", self.bold("Vendor register"))?,
            Whose::Policy => writeln!(self.to, "{label}  {}", self.bold("Policy"))?,
        }
        let mut said = BTreeSet::new();
        for rule in &group.rules {
            self.rule(rule, novelties, &mut said)?;
        }
        Ok(())
    }

    /// One rule's findings about an app. What an earlier rule gave as evidence is not said again.
    fn rule<'f>(
        &mut self,
        rule: &'f RuleCount,
        novelties: Option<&Novelties>,
        said: &mut BTreeSet<(&'f str, &'f str)>,
    ) -> io::Result<()> {
        let finding = &rule.worst;
        let severity = finding.severity;
        let head = self.paint(severity, &format!("{:<8}", severity.as_str()));
        let how_many = match (finding.subject.kind, rule.counts.total()) {
            (SubjectKind::Grant, total) => format!("  {}", number(total, "grant")),
            (_, 1) => String::new(),
            (_, total) => format!("  {total}x"),
        };
        let mark = novelties.and_then(|novelties| novelties.mark(rule));
        let mark = mark.map(|mark| format!("  {mark}")).unwrap_or_default();
        writeln!(self.to, "  {head} {}{how_many}{mark}", self.bold(&finding.rule))?;
        self.paragraph("           ", &finding.message)?;
        for evidence in &finding.evidence {
            if !said.insert((&evidence.value, &evidence.source)) {
                continue;
            }
            self.paragraph(
                "           ",
                &format!("- {}: {} [{}]", evidence.fact, evidence.value, evidence.source),
            )?;
        }
        if rule.counts.total() > 1 && !rule.principals.is_empty() {
            let mut names: Vec<&str> = rule.principals.iter().map(String::as_str).collect();
            if rule.has_more_principals {
                names.push("and others");
            }
            self.paragraph("           ", &format!("- held by: {}", names.join(", ")))?;
        }
        Ok(())
    }

    /// The third parties that hold more than one app, and under which names.
    fn vendors(&mut self, judged: &Judged<'_>) -> io::Result<()> {
        let spread: Vec<&Vendor> = judged
            .surroundings
            .vendors
            .iter()
            .filter(|vendor| vendor.party == Party::Third && vendor.is_spread())
            .collect();
        if spread.is_empty() {
            return Ok(());
        }
        writeln!(self.to, "\n{}", self.bold("Vendors with more than one app"))?;
        for vendor in spread.iter().take(NAMED_VENDORS) {
            let line = format!(
                "{}: {} on {}, {}; as {}",
                vendor.name,
                number(vendor.apps.len() as u64, "app"),
                vendor.platforms.join(", "),
                number(vendor.grants, "grant"),
                vendor.names.join(", "),
            );
            self.paragraph("  ", &line)?;
        }
        if spread.len() > NAMED_VENDORS {
            writeln!(self.to, "  and {} more", spread.len() - NAMED_VENDORS)?;
        }
        writeln!(self.to, "  `grantwarden vendor show NAME` says what ties the apps together.")
    }

    fn coverage(&mut self, judged: &Judged<'_>) -> io::Result<()> {
        writeln!(self.to, "\n{}", self.bold("Coverage"))?;
        for tenant in &judged.inventory.tenants {
            if tenant.end.failure.is_some() {
                writeln!(self.to, "{}: nothing was read", plain(&tenant.end.name))?;
                continue;
            }
            let mut table = Table::new();
            table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(u16::try_from(self.look.width).unwrap_or(u16::MAX));
            for part in &tenant.end.coverage.parts {
                table.add_row([plain(&part.title), rows(part), missing(part)]);
            }
            if let Some(column) = table.column_mut(1) {
                column.set_cell_alignment(CellAlignment::Right);
            }
            let compared = judged.surroundings.compared_with(tenant).map_or_else(
                || "not compared with an earlier scan".to_owned(),
                |then| format!("compared with the scan of {}", then.date()),
            );
            writeln!(
                self.to,
                "{} ({}, {compared})",
                plain(&tenant.end.name),
                number(tenant.end.calls, "call")
            )?;
            for line in table.to_string().lines() {
                writeln!(self.to, " {}", line.trim_end())?;
            }
        }
        Ok(())
    }

    fn next_steps(&mut self, judged: &Judged<'_>) -> io::Result<()> {
        let steps = steps::steps(judged);
        if steps.is_empty() {
            return Ok(());
        }
        writeln!(self.to, "\n{}", self.bold("Next steps"))?;
        let platforms: BTreeSet<&str> = steps.iter().filter_map(|step| step.platform).collect();
        for step in steps {
            let label = self.paint(step.severity, &format!("{:<8}", step.severity.as_str()));
            let mut line = format!("{label}  {}", plain(&step.title));
            if let (true, Some(platform)) = (platforms.len() > 1, step.platform) {
                let _ = write!(line, " on {platform}");
            }
            line.push_str(&named(&step.apps));
            writeln!(self.to, "  {line}")?;
            for click in step.clicks {
                self.paragraph("           ", click)?;
            }
        }
        writeln!(
            self.to,
            "  `grantwarden explain RULE` says more about a rule; `--format json` lists every finding."
        )
    }

    fn result(&mut self, judged: &Judged<'_>, novelties: Option<&Novelties>) -> io::Result<()> {
        writeln!(self.to, "\n{}", counts(&judged.counts.active))?;
        if let Some(novelties) = novelties {
            writeln!(self.to, "{}", novelties.sentence())?;
        }
        let switched_off = judged.switched_off();
        if !switched_off.is_empty() {
            self.paragraph(
                "",
                &format!("Switched off by the policy: {}", switched_off.join(", ")),
            )?;
        }
        if let Verdict::Fail { threshold, findings } =
            judged.policy().verdict(&judged.counts.active)
        {
            writeln!(
                self.to,
                "{} at or above {threshold}: exit code 1",
                number(findings, "finding")
            )?;
        }
        if !judged.is_whole() {
            let code = match (judged.exit(), judged.policy().allow_incomplete) {
                (Exit::Incomplete, _) => ": exit code 3",
                (_, true) => " (accepted by allow_incomplete)",
                _ => "",
            };
            writeln!(self.to, "{}{code}", self.paint(Severity::High, "The scan is incomplete"))?;
        }
        if judged.exit() == Exit::Clean && judged.is_whole() {
            let tenants = number(judged.inventory.tenants.len() as u64, "tenant");
            writeln!(
                self.to,
                "{tenants} read whole; nothing at or above the threshold: exit code 0"
            )?;
        }
        Ok(())
    }

    /// Wraps a text to the terminal's width.
    pub(super) fn paragraph(&mut self, indent: &str, text: &str) -> io::Result<()> {
        let width = self.look.width.saturating_sub(indent.len()).max(40);
        let mut line = String::new();
        let text = plain(text);
        for word in text.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                writeln!(self.to, "{indent}{line}")?;
                line.clear();
                line.push_str(if text.starts_with("- ") { "  " } else { "" });
            }
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
            line.push_str(word);
        }
        writeln!(self.to, "{indent}{line}")
    }

    /// The text, harmless and bold.
    pub(super) fn bold(&self, text: &str) -> String {
        let text = plain(text);
        if self.look.colour { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text }
    }

    fn paint(&self, severity: Severity, text: &str) -> String {
        let colour = match severity {
            Severity::Critical => "1;31",
            Severity::High => "31",
            Severity::Medium => "33",
            Severity::Low => "36",
            Severity::Info => "2",
        };
        if self.look.colour { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// What an app did, in one line. Logs name an app by id or by name; a name alone proves nothing, so that the log is named too.
/// Entries of each list of an app's usage that are shown.
const SHOWN: usize = 3;

fn activity(usage: &Usage) -> String {
    let list = |what: &str, counts: &[Count]| {
        let values: Vec<&str> =
            counts.iter().take(SHOWN).map(|count| count.value.as_str()).collect();
        if values.is_empty() { String::new() } else { format!("; {what} {}", values.join(", ")) }
    };
    format!(
        "activity in {} since {}: {}{}{}{}",
        usage.log,
        usage.from.date(),
        number(usage.events, "event"),
        list("from", &usage.addresses),
        list("by", &usage.agents),
        list("on", &usage.objects),
    )
}

fn rows(part: &Part) -> String {
    match part.expected {
        Some(expected) if expected != part.read => format!("{} of {expected}", part.read),
        _ if part.unseen().is_some() => "-".to_owned(),
        _ => part.read.to_string(),
    }
}

fn missing(part: &Part) -> String {
    let noted = |said: String| {
        let notes = part.notes.iter().map(|note| plain(note));
        std::iter::once(said).chain(notes).collect::<Vec<_>>().join("; ")
    };
    if part.losses.is_empty() {
        return noted("read".to_owned());
    }
    let losses: Vec<String> = part
        .losses
        .iter()
        .map(|loss| match loss.rows {
            Some(rows) => format!("{rows} missing: {}", loss.gap.detail),
            None => loss.gap.detail.clone(),
        })
        .collect();
    let grave = if part.is_whole() { "not seen" } else { "MISSING" };
    noted(format!("{grave}: {}", plain(&losses.join("; "))))
}

pub(super) fn counts(counts: &Counts) -> String {
    if counts.total() == 0 {
        return "No findings".to_owned();
    }
    let each: Vec<String> = Severity::ALL
        .into_iter()
        .rev()
        .filter(|severity| counts.of(*severity) > 0)
        .map(|severity| format!("{} {severity}", counts.of(severity)))
        .collect();
    format!("{}: {}", number(counts.total(), "finding"), each.join(", "))
}

pub(super) fn number(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
