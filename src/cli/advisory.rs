//! `advisory`: the breaches that are known, what of an inventory one of them means, and whether a file is a proper advisory.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use grantwarden_kit::model::Timestamp;

use super::{
    Failure,
    args::{AdvisoryArgs, AdvisoryCommand, AdvisorySource, Listing},
    scan,
};
use crate::{
    advisories::{self, Advisories, Advisory, Answer, FoundApp},
    config::Config,
    exit::Exit,
    inventory::Inventory,
    policy::Policy,
    report::plain,
    rules::Surroundings,
};

pub(super) fn run(arguments: &AdvisoryArgs) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    match &arguments.command {
        AdvisoryCommand::List(list) => {
            let known = of(&list.source)?;
            match list.source.format {
                Listing::Json => {
                    json(&mut out, &known.iter().map(|one| &**one).collect::<Vec<_>>())?;
                }
                Listing::Table => known.iter().try_for_each(|one| line(&mut out, one, &known))?,
            }
            Ok(Exit::Clean)
        }
        AdvisoryCommand::Show(show) => {
            let known = of(&show.source)?;
            let Some(advisory) = known.find(&show.id) else {
                return Err(unknown(&show.id, &known));
            };
            let Some(path) = &show.inventory else {
                match show.source.format {
                    Listing::Json => json(&mut out, &**advisory)?,
                    Listing::Table => describe(&mut out, advisory)?,
                }
                return Ok(Exit::Clean);
            };
            let inventory = Inventory::open(path)?;
            let policy = Policy::default();
            let alone: Advisories = std::iter::once(Advisory::clone(advisory)).collect();
            let taken_at = inventory.header.taken_at;
            let around = Surroundings::new(&inventory, &policy, None, taken_at)
                .with_advisories(alone, &inventory);
            let answer = advisories::search(advisory, &around.advisories, &inventory)?;
            let names_others = warn_of_missing_tenants(advisory, &inventory);
            match show.source.format {
                Listing::Json => json(&mut out, &answer)?,
                Listing::Table => tell(&mut out, advisory, &answer, taken_at)?,
            }
            let is_whole =
                !names_others && inventory.tenants.iter().all(|tenant| tenant.end.is_whole());
            Ok(match (answer.has_exposed(), is_whole) {
                (true, _) => Exit::Findings,
                (false, false) => Exit::Incomplete,
                (false, true) => Exit::Clean,
            })
        }
        AdvisoryCommand::Check(check) => {
            for file in &check.files {
                let advisory = advisories::read(file)?;
                writeln!(out, "{}: {} is a proper advisory", file.display(), advisory.id)?;
            }
            Ok(Exit::Clean)
        }
    }
}

/// The built-in advisories, those of the configuration and those of the command line.
pub(super) fn load(config: &Config, files: &[PathBuf]) -> Result<Advisories, Failure> {
    let of_config = config.advisories.iter().flat_map(|section| &section.files);
    let known = Advisories::load(of_config.chain(files))?;
    for id in known.replaced() {
        let file = known.file_of(id).map_or_else(String::new, |file| file.display().to_string());
        tracing::warn!("{file} stands for the built-in advisory {id}.");
    }
    Ok(known)
}

/// Says which own tenants an advisory names that are not in an inventory; whether there are any.
pub(super) fn warn_of_missing_tenants(advisory: &Advisory, inventory: &Inventory) -> bool {
    let missing = advisories::missing_tenants(advisory, inventory);
    for tenant in &missing {
        tracing::warn!(
            "The advisory {} names the tenant `{tenant}`, which is not in this inventory: nothing was looked for there.",
            advisory.id
        );
    }
    !missing.is_empty()
}

fn of(source: &AdvisorySource) -> Result<Advisories, Failure> {
    load(&scan::offline_config(&source.config)?, &source.advisories)
}

fn unknown(id: &str, known: &Advisories) -> Failure {
    let ids: Vec<&str> = known.iter().map(|advisory| advisory.id.as_str()).collect();
    Failure::usage(format!("there is no advisory `{id}`"))
        .hint(format!("there is {}; `--advisory FILE` adds one", ids.join(", ")))
}

fn json(out: &mut impl Write, value: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

fn line(out: &mut impl Write, advisory: &Advisory, known: &Advisories) -> io::Result<()> {
    let safe = advisory.safe_date.map_or_else(|| "no safe date".to_owned(), Timestamp::date);
    let file = known.file_of(&advisory.id);
    let from = file.map_or_else(String::new, |file| format!("  ({})", file.display()));
    let title = plain(&advisory.title);
    writeln!(out, "{:<28} {safe:<12}  {:<8}  {title}{from}", advisory.id, advisory.surest())
}

fn describe(out: &mut impl Write, advisory: &Advisory) -> io::Result<()> {
    writeln!(out, "{}: {}", advisory.id, plain(&advisory.title))?;
    let mut field = |name: &str, value: &str| match value {
        "" => Ok(()),
        value => writeln!(out, "  {name:<12} {}", plain(value)),
    };
    field("vendor", &advisory.vendor)?;
    field("also called", &advisory.brands.join(", "))?;
    for product in &advisory.products {
        field("product", &format!("{}: {}", product.name, product.status))?;
    }
    for window in &advisory.windows {
        let day = |time: Option<Timestamp>| time.map_or("not known".to_owned(), Timestamp::date);
        let whose = window.tenant.as_deref().unwrap_or("campaign");
        field("window", &format!("{whose}: {} to {}", day(window.from), day(window.to)))?;
    }
    let safe = advisory.safe_date.map_or_else(|| "none".to_owned(), Timestamp::date);
    field(
        "safe date",
        &match &advisory.safe_date_basis {
            Some(basis) => format!("{safe}: {basis}"),
            None => safe,
        },
    )?;
    for key in &advisory.keys {
        let only = match key.platforms.as_slice() {
            [] => String::new(),
            platforms => format!(" on {}", platforms.join(", ")),
        };
        let (kind, certainty) = (key.kind, key.certainty());
        field(&certainty.to_string(), &format!("{kind} `{}`{only}; {}", key.value, key.source))?;
    }
    for indicator in &advisory.indicators {
        let role = indicator.role.as_ref().map_or_else(String::new, |role| format!(", {role}"));
        let until =
            indicator.expires.map_or_else(String::new, |end| format!(", until {}", end.date()));
        let (kind, value, weight) = (indicator.kind, &indicator.value, indicator.confidence);
        field(
            "indicator",
            &format!("{kind} {value} ({weight}{until}{role}); {}", indicator.source),
        )?;
    }
    field("revoke", advisory.revoke.as_deref().unwrap_or_default())?;
    for what in &advisory.also_rotate {
        field("rotate, too", what)?;
    }
    for revision in &advisory.revisions {
        field(&revision.date.date(), &revision.text)?;
    }
    for link in &advisory.references {
        field("read", &format!("{}: {}", link.title, link.url))?;
    }
    Ok(())
}

fn tell(
    out: &mut impl Write,
    advisory: &Advisory,
    answer: &Answer,
    taken_at: Timestamp,
) -> io::Result<()> {
    let taken = taken_at.date();
    writeln!(out, "{}: {}, in an inventory of {taken}", advisory.id, plain(&advisory.title))?;
    if answer.apps.is_empty() {
        writeln!(out, "\nNothing found.")?;
    } else {
        writeln!(out, "\nFound:")?;
        answer.apps.iter().try_for_each(|app| found(out, app))?;
    }
    writeln!(out, "\nThis was checked, for {}:", keys(advisory))?;
    for looked in &answer.looked {
        let advisories::Looked { tenant, platform, apps, grants, credentials } = looked;
        writeln!(
            out,
            "  {} ({platform}): apps {apps}, grants {grants}, credentials {credentials}",
            plain(tenant)
        )?;
    }
    writeln!(out, "\nThis could not be seen:")?;
    for text in &answer.unseen {
        writeln!(out, "  {}", plain(text))?;
    }
    if answer.unseen.is_empty() {
        writeln!(out, "  nothing that the connectors know of")?;
    }
    Ok(())
}

fn found(out: &mut impl Write, app: &FoundApp) -> io::Result<()> {
    let FoundApp { tenant, platform, name, id, certainty, status, by, .. } = app;
    let (name, tenant, by) = (plain(name), plain(tenant), plain(by));
    writeln!(out, "  {certainty}: {name} in {tenant} ({platform}), {status}, id {}", plain(id))?;
    writeln!(out, "    by {by}; {}", plain(&app.source))?;
    writeln!(
        out,
        "    grants: {} issued before the safe date, {} at a time that is not known, {} after it",
        app.before, app.unknown, app.after
    )?;
    for grant in &app.grants {
        let when = grant.granted_at.map_or_else(|| "not known".to_owned(), Timestamp::date);
        let used = grant.last_used_at.map_or_else(|| "not known".to_owned(), Timestamp::date);
        let (id, holder) = (plain(&grant.id), plain(&grant.holder));
        writeln!(out, "      {id} of {holder}: issued {when}, last used {used}")?;
    }
    let all = app.before + app.unknown + app.after;
    let more = all.saturating_sub(app.grants.len() as u64);
    if more > 0 {
        writeln!(out, "      and {more} more")?;
    }
    for credential in &app.credentials {
        writeln!(out, "    credential {} is not known to be newer", plain(credential))?;
    }
    for sighting in &app.sightings {
        writeln!(out, "    in the logs: {}", plain(sighting))?;
    }
    Ok(())
}

/// What was looked for, by kind.
fn keys(advisory: &Advisory) -> String {
    let kinds: std::collections::BTreeSet<String> =
        advisory.keys.iter().map(|key| key.kind.to_string()).collect();
    kinds.into_iter().collect::<Vec<_>>().join(", ")
}
