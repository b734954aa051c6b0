//! `init`: a commented configuration, and the steps that set up the platform.

use std::io::{self, Write as _};

use grantwarden_kit::manifest::{Account, Manifest};

use super::{Failure, args::InitArgs, output};
use crate::{exit::Exit, registry};

pub(super) fn run(arguments: &InitArgs) -> Result<Exit, Failure> {
    let Some(connector) = registry::find(&arguments.platform) else {
        return Err(Failure::usage(format!(
            "there is no platform `{}`; this build has {}",
            arguments.platform,
            registry::platforms().join(", ")
        )));
    };
    let manifest = connector.manifest();
    if arguments.output.exists() && !arguments.force {
        return Err(Failure::usage(format!("{} is already there", arguments.output.display()))
            .hint("write to another file with --output, or replace it with --force"));
    }
    let mut sign_ins = manifest.sign_ins.iter();
    let first = sign_ins.next().map_or("", |sign_in| sign_in.example.as_str());
    let others: String =
        sign_ins.map(|sign_in| format!("# auth = {}\n", sign_in.example)).collect();
    let facets: Vec<String> = manifest
        .facets
        .iter()
        .map(|facet| format!("#   {:<width$} {}", facet.id, facet.title, width = width(manifest)))
        .collect();
    let text = format!(
        r#"# Configuration of grantwarden. `grantwarden schema config` prints its JSON schema.
# It holds references to secrets, never a secret: {{ env = "NAME" }}, {{ file = "/path" }} or {{ command = ["program", "argument"] }}.

[[tenant]]
name = "my-{platform}"
platform = "{platform}"
base_url = "{base_url}"
{account}auth = {first}
{others}
# Parts that the scan does not look at. They are listed as not seen, and do not make it incomplete.
# skip = []
{facets}
{opt_ins}{imports}
# The share of the tenant's API quota, in percent, that a scan leaves untouched.
# keep_quota_percent = 10

# A folder where scans remember what they read, so that the next one asks for less.
# [incremental]
# folder = "/var/lib/grantwarden"

[policy]
# The severity from which on a scan fails with exit code 1: critical, high, medium, low, info, never.
fail_on = "high"
# A grant that nobody used for so long is stale.
stale_after = "90d"
# A grant that lives longer than this without anybody acting is durable.
durable_after = "30d"
# What differs for one rule: its severity ("off" switches it off), and what it judges by; `grantwarden explain RULE` tells.
# rules.no-expiry = {{ severity = "low", at_most = "365d" }}
"#,
        platform = manifest.id,
        base_url = manifest.base_url_example,
        account = account(manifest),
        opt_ins = opt_ins(manifest),
        imports = imports(manifest),
        facets = facets.join("\n"),
    );
    output::atomically(&arguments.output, |to| Ok(to.write_all(text.as_bytes())?))?;
    let mut out = io::stdout().lock();
    writeln!(out, "Wrote {}. How to set up {}:\n", arguments.output.display(), manifest.name)?;
    for (number, step) in (1..).zip(&manifest.setup) {
        writeln!(out, "{number}. {step}\n")?;
    }
    writeln!(out, "Then: grantwarden doctor --config {}", arguments.output.display())?;
    Ok(Exit::Clean)
}

/// The line with the account's id; a comment where it can be left out.
fn account(manifest: &Manifest) -> String {
    manifest.account.as_ref().map_or_else(String::new, |account| {
        let Account { meaning, example, required } = account;
        let comment = if *required { "" } else { "# " };
        format!("# {meaning}\n{comment}account = \"{example}\"\n")
    })
}

/// How much room the ids of facets take.
fn width(manifest: &Manifest) -> usize {
    manifest.facets.iter().map(|facet| facet.id.len()).max().unwrap_or_default()
}

/// A comment for each part that is read only if it is asked for.
fn opt_ins(manifest: &Manifest) -> String {
    let lines: Vec<String> = manifest
        .facets
        .iter()
        .filter_map(|facet| {
            let why = facet.opt_in.as_ref()?;
            Some(format!("#   {:<width$} {why}\n", facet.id, width = width(manifest)))
        })
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    format!(
        "# Parts that are read only if they stand here, and why.\n# include = []\n{}",
        lines.concat()
    )
}

/// A comment for each file that an administrator can export by hand.
fn imports(manifest: &Manifest) -> String {
    let lines = manifest.facets.iter().filter_map(|facet| {
        let what = facet.import.as_ref()?;
        Some(format!("\n# {what}\n# import = {{ {} = \"/path/to/file\" }}\n", facet.id))
    });
    lines.collect()
}
