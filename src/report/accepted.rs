//! The part of the table about what the policy accepts: how much, by whom and until when, and what a user should hear about it.

use std::io;

use super::table::{Page, number};
use crate::scan::Judged;

/// Entries that the table names of each kind.
const NAMED: usize = 20;

impl Page<'_> {
    /// What the policy accepts. Nothing is said where it accepts nothing.
    pub(super) fn accepted(&mut self, judged: &Judged<'_>) -> io::Result<()> {
        let policy = judged.policy();
        let counts = &judged.counts;
        let accepted = [&counts.waived, &counts.allowed, &counts.baseline];
        let total: u64 = accepted.iter().map(|counts| counts.total()).sum();
        let warnings = judged.warnings();
        if total == 0 && warnings.is_empty() {
            return Ok(());
        }
        writeln!(self.to, "\n{}", self.bold("Accepted by the policy"))?;
        let [waived, allowed, baseline] = accepted.map(crate::finding::Counts::total);
        writeln!(
            self.to,
            "  {}: {waived} waived, {allowed} allowed, {baseline} in the baseline",
            number(total, "finding")
        )?;
        let waivers = policy.waivers.iter().zip(&judged.uses.waivers);
        let lines = waivers.filter(|(_, used)| used.holds > 0).map(|(waiver, used)| {
            format!(
                "- waived until {} by {}: {} ({}), because: {}",
                *waiver.until,
                *waiver.owner,
                waiver.title(),
                number(used.holds, "finding"),
                *waiver.reason
            )
        });
        self.list(&lines.collect::<Vec<_>>())?;
        let allow = policy.allow.iter().zip(&judged.uses.allow);
        let lines = allow.filter(|(_, used)| used.holds > 0).map(|(allow, used)| {
            let rules: Vec<&str> = allow.rules.iter().map(|rule| rule.as_str()).collect();
            let of_rules =
                if rules.is_empty() { String::new() } else { format!("{} of ", rules.join(", ")) };
            format!(
                "- allowed: {of_rules}{} ({}), because: {}",
                *allow.subject,
                number(used.holds, "finding"),
                *allow.reason
            )
        });
        self.list(&lines.collect::<Vec<_>>())?;
        self.list(
            &warnings.iter().map(|warning| format!("- warning: {warning}")).collect::<Vec<_>>(),
        )
    }

    /// The first lines of a list, and how many there are besides.
    fn list(&mut self, lines: &[String]) -> io::Result<()> {
        for line in lines.iter().take(NAMED) {
            self.paragraph("  ", line)?;
        }
        if lines.len() > NAMED {
            writeln!(self.to, "  and {} more", lines.len() - NAMED)?;
        }
        Ok(())
    }
}
