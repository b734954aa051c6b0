//! `markdown`: for a comment on a pull request or a job's summary. Coverage first, then the worst, then the details, folded.
//!
//! It fits into [`LIMIT`], and says what it leaves out. Names from platforms are inert, see [`inert`].

use std::{fmt::Write as _, io::Write};

use super::{inert::inert, missing, table::counts, table::number};
use crate::{
    exit::Exit,
    finding::Counts,
    policy::Verdict,
    scan::{Group, JudgeError, Judged, Novelties, RuleCount, Whose},
};

/// What GitHub takes as a comment is 65,536 characters. In bytes, which are never fewer, and with room for a line of the user's own.
const LIMIT: usize = 65_000;

/// Lines of the table of the worst findings.
const WORST: usize = 20;

/// Lines, and bytes, of a list of what is missing, and of warnings.
const LISTED: (usize, usize) = (30, LIMIT / 8);

pub(super) fn write(judged: &Judged<'_>, to: &mut dyn Write) -> Result<(), JudgeError> {
    Ok(to.write_all(page(judged, judged.novelties()?.as_ref()).as_bytes())?)
}

fn page(judged: &Judged<'_>, novelties: Option<&Novelties>) -> String {
    let mut page = Page { text: String::new(), left: LIMIT };
    let end = end(judged);
    // What is said at the end always has room.
    page.left -= end.len() + 400;
    head(&mut page, judged);
    coverage(&mut page, judged);
    worst(&mut page, judged, novelties);
    accepted(&mut page, judged);
    details(&mut page, judged, novelties);
    page.text.push_str(&end);
    page.text
}

/// Text that takes no more than there is room for.
struct Page {
    text: String,
    left: usize,
}

impl Page {
    /// Adds a block whole, or not at all.
    fn add(&mut self, block: &str) -> bool {
        let fits = block.len() <= self.left;
        if fits {
            self.text.push_str(block);
            self.left -= block.len();
        }
        fits
    }
}

fn head(page: &mut Page, judged: &Judged<'_>) {
    let verdict = match judged.exit() {
        Exit::Clean if judged.is_whole() => "nothing at or above the threshold",
        Exit::Clean => "nothing at or above the threshold, but the scan is incomplete",
        Exit::Findings if judged.is_whole() => "findings at or above the threshold",
        Exit::Findings => "findings at or above the threshold, and the scan is incomplete",
        _ => "the scan is incomplete",
    };
    page.add(&format!("## Grantwarden: {verdict}\n\n"));
}

/// What was read comes before what was found in it.
fn coverage(page: &mut Page, judged: &Judged<'_>) {
    page.add("| Tenant | Platform | Apps | Grants | Read |\n|---|---|---:|---:|---|\n");
    let mut left_out = 0;
    for tenant in &judged.inventory.tenants {
        let read = match (&tenant.end.failure, tenant.end.is_whole()) {
            (Some(_), _) => "**not scanned**",
            (None, true) => "whole",
            (None, false) => "**incomplete**",
        };
        let (name, platform) = (inert(&tenant.end.name), inert(&tenant.end.platform));
        let apps = tenant.apps.len();
        let line = format!("| {name} | {platform} | {apps} | {} | {read} |\n", tenant.grants);
        // A half of the page is enough for tenants.
        if page.left < LIMIT / 2 || !page.add(&line) {
            left_out += 1;
        }
    }
    if left_out > 0 {
        page.add(&format!("\n{} more.\n", number(left_out, "tenant")));
    }
    page.add("\n");
    let (mut grave, mut other) = (Vec::new(), Vec::new());
    for tenant in &judged.inventory.tenants {
        for missing in missing::of_tenant(tenant) {
            let line = format!("- {}: {}", inert(&tenant.end.name), inert(&missing.text));
            if missing.is_grave { grave.push(line) } else { other.push(line) }
        }
    }
    let beyond = missing::beyond_tenants(judged);
    grave.extend(beyond.iter().map(|beyond| format!("- {}", inert(beyond.text))));
    if !grave.is_empty() {
        let mut block =
            "**The scan is incomplete.** What was not seen may hold more:\n\n".to_owned();
        list(&mut block, &grave);
        if !page.add(&block) {
            page.add("**The scan is incomplete.** What is missing does not fit here.\n\n");
        }
    }
    if !other.is_empty() {
        let mut block = "Not seen, and not promised:\n\n".to_owned();
        list(&mut block, &other);
        page.add(&folded("What else was not seen", &block));
    }
}

fn worst(page: &mut Page, judged: &Judged<'_>, novelties: Option<&Novelties>) {
    let active = &judged.counts.active;
    let counted =
        if active.total() == 0 { "No findings that count".to_owned() } else { counts(active) };
    page.add(&format!("{counted}.\n\n"));
    if let Some(novelties) = novelties {
        page.add(&format!("{}.\n\n", novelties.sentence()));
    }
    if let Verdict::Fail { threshold, findings } = judged.policy().verdict(&judged.counts.active) {
        let findings = number(findings, "finding");
        page.add(&format!("{findings} at or above {threshold}: exit code 1.\n\n"));
    }
    let mut all: Vec<(&Group, &RuleCount)> = judged
        .groups
        .iter()
        .flat_map(|group| group.rules.iter().map(move |rule| (group, rule)))
        .collect();
    // Stable: groups and their rules stand in the order of their weight.
    all.sort_by_key(|(_, rule)| std::cmp::Reverse(rule.worst.severity));
    if all.is_empty() {
        return;
    }
    page.add("| Severity | About | Tenant | Rule | Findings | The worst of them |\n|---|---|---|---|---:|---|\n");
    let mut shown = 0;
    for (group, rule) in all.iter().take(WORST) {
        let finding = &rule.worst;
        let line = format!(
            "| {} | {} | {} | {}{} | {} | {} |\n",
            finding.severity,
            about(group),
            finding.tenant.as_deref().map(inert).unwrap_or_default(),
            inert(&finding.rule),
            mark(novelties, rule),
            rule.counts.total(),
            inert(&finding.message),
        );
        // What the policy accepts has room after this.
        if page.left < LIMIT / 4 || !page.add(&line) {
            break;
        }
        shown += 1;
    }
    page.add("\n");
    if all.len() > shown {
        let more = number((all.len() - shown) as u64, "line");
        page.add(&format!("{more} of less weight are left out of this table.\n\n"));
    }
}

/// What of the findings of a rule is new, to follow its name.
fn mark(novelties: Option<&Novelties>, rule: &RuleCount) -> String {
    let mark = novelties.and_then(|novelties| novelties.mark(rule));
    mark.map(|mark| format!(" **{mark}**")).unwrap_or_default()
}

fn accepted(page: &mut Page, judged: &Judged<'_>) {
    let totals = [&judged.counts.waived, &judged.counts.allowed, &judged.counts.baseline];
    let [waived, allowed, baseline] = totals.map(Counts::total);
    let warnings = judged.warnings();
    let switched_off = judged.switched_off();
    if waived + allowed + baseline > 0 {
        page.add(&format!(
            "Accepted by the policy: {waived} waived, {allowed} allowed, {baseline} in the baseline.\n\n"
        ));
    }
    if !switched_off.is_empty() {
        page.add(&format!("Switched off by the policy: {}.\n\n", inert(&switched_off.join(", "))));
    }
    if !warnings.is_empty() {
        let lines: Vec<String> = warnings.iter().map(|one| format!("- {}", inert(one))).collect();
        let mut block = String::new();
        list(&mut block, &lines);
        page.add(&folded("Warnings about the policy", &block));
    }
}

/// Each app with its findings, the gravest first, until the page is full.
fn details(page: &mut Page, judged: &Judged<'_>, novelties: Option<&Novelties>) {
    let mut left_out = 0;
    let mut findings = 0;
    for group in &judged.groups {
        let total = group.counts().total();
        let title =
            format!("{}: {} ({})", group.severity(), about(group), number(total, "finding"));
        let mut block = String::new();
        for rule in &group.rules {
            let finding = &rule.worst;
            let _ = write!(
                block,
                "**{}** {}{} ({}): {}\n\n",
                finding.severity,
                inert(&finding.rule),
                mark(novelties, rule),
                number(rule.counts.total(), "finding"),
                inert(&finding.message)
            );
            for evidence in &finding.evidence {
                let (fact, value) = (inert(&evidence.fact), inert(&evidence.value));
                let _ = writeln!(block, "- {fact}: {value}");
            }
            let _ = writeln!(block, "- fingerprint: `{}`\n", finding.fingerprint);
        }
        // Once something was left out, what is less grave is too.
        if left_out > 0 || !page.add(&folded(&title, &block)) {
            left_out += 1;
            findings += total;
        }
    }
    if left_out > 0 {
        // Its room is kept free.
        let _ = write!(
            page.text,
            "The details of {} with {} do not fit into a comment and are left out; the JSON report has every finding.\n\n",
            number(left_out, "more subject"),
            number(findings, "finding"),
        );
    }
}

fn end(judged: &Judged<'_>) -> String {
    format!(
        "Grantwarden {}, scan of {}. `grantwarden explain RULE` says more about a rule.\n",
        env!("CARGO_PKG_VERSION"),
        judged.inventory.header.taken_at
    )
}

fn about(group: &Group) -> String {
    match &group.whose {
        Whose::App { name, .. } => inert(name),
        Whose::Tenant(_) => "the tenant as a whole".to_owned(),
        Whose::Vendor(_) => group
            .rules
            .first()
            .map_or_else(|| "a vendor".to_owned(), |rule| inert(&rule.worst.subject.label)),
        Whose::Register => "vendor register".to_owned(),
        Whose::Policy => "policy".to_owned(),
    }
}

/// The first lines, and how many there are besides.
fn list(block: &mut String, lines: &[String]) {
    let (most, longest) = LISTED;
    let mut room = longest;
    let fits = |line: &&String| {
        let left = room.checked_sub(line.len());
        room = left.unwrap_or_default();
        left.is_some()
    };
    let shown =
        lines.iter().take(most).take_while(fits).map(|line| writeln!(block, "{line}")).count();
    if lines.len() > shown {
        let _ = writeln!(block, "- and {} more", lines.len() - shown);
    }
    block.push('\n');
}

/// A part that opens on a click. The empty lines make what is inside Markdown again.
fn folded(title: &str, block: &str) -> String {
    format!("<details><summary>{title}</summary>\n\n{block}</details>\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_takes_no_more_than_fits() {
        let mut page = Page { text: String::new(), left: 3 };
        assert!(page.add("ab") && !page.add("cd") && page.add("e"));
        assert_eq!(page.text, "abe");
    }
}
