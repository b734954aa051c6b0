//! `policy`: asks custom rules about the records of their tests, and lists what a rule can read.

use std::io::{self, Write};

use super::{
    Failure,
    args::{Listing, PolicyArgs, PolicyCommand, PolicyTestArgs},
    scan,
};
use crate::{
    exit::Exit,
    policy::custom::{self, FIELDS, Outcome},
    report::plain,
    rules,
};

pub(super) fn run(arguments: &PolicyArgs) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    match &arguments.command {
        PolicyCommand::Test(test) => run_tests(&mut out, test),
        PolicyCommand::Fields(fields) => {
            list_fields(&mut out, fields.format)?;
            Ok(Exit::Clean)
        }
    }
}

fn run_tests(out: &mut impl Write, arguments: &PolicyTestArgs) -> Result<Exit, Failure> {
    let mut config = scan::offline_config(&arguments.config)?;
    if let Some(path) = &arguments.policy {
        config.replace_policy(path)?;
    }
    let path = arguments.policy.as_ref().unwrap_or(&arguments.config);
    // The configuration was checked: what is compiled here was compiled there.
    let rules = custom::compile(&config.policy.custom, &rules::ids())
        .map_err(|error| Failure::usage(error.message))?;
    if rules.is_empty() {
        return Err(Failure::usage(format!("{} has no custom rule", path.display()))
            .hint("a custom rule is a table [[policy.custom]]; see docs/custom-rules.md"));
    }
    let (mut passed, mut failed, mut untested) = (0_u64, 0_u64, 0_u64);
    for rule in &rules {
        let id = &rule.rule.id;
        if rule.rule.tests.is_empty() {
            untested += 1;
            writeln!(out, "{id}: no tests")?;
        }
        for (test, outcome) in rule.test() {
            let name = plain(&test.name);
            match outcome {
                Outcome::Passed => {
                    passed += 1;
                    writeln!(out, "{id}: {name}: ok")?;
                }
                Outcome::Failed(problem) => {
                    failed += 1;
                    writeln!(out, "{id}: {name}: FAILED: {}", plain(&problem))?;
                }
            }
        }
    }
    let rest = if untested == 0 { String::new() } else { format!(", {untested} without tests") };
    writeln!(out, "{} custom rules{rest}; {passed} passed, {failed} failed", rules.len())?;
    Ok(if failed == 0 { Exit::Clean } else { Exit::Findings })
}

fn list_fields(out: &mut impl Write, format: Listing) -> io::Result<()> {
    match format {
        Listing::Json => {
            serde_json::to_writer_pretty(&mut *out, FIELDS)?;
            writeln!(out)
        }
        Listing::Table => FIELDS.iter().try_for_each(|field| {
            writeln!(out, "{:<31} {:<15} {}", field.path, field.holds(), field.meaning)
        }),
    }
}
