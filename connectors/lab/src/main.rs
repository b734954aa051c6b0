//! `grantwarden-lab serve`: the lab as a program of its own, for other people's clients and for
//! scripts. Standard output is one line of JSON once it serves; everything else is in the library.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use grantwarden_lab::{
    EntraScale, FaultFile, GithubScale, GoogleScale, Lab, OktaScale, Scale, SlackPlan, SlackScale,
    World,
};
use jiff::Timestamp;
use serde_json::json;

/// Local stand-ins for the platforms' APIs.
#[derive(Debug, Parser)]
#[command(name = "grantwarden-lab", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a world on loopback until interrupted.
    Serve(Serve),
}

#[derive(Debug, Args)]
struct Serve {
    /// World file; a generated world if left out.
    #[arg(long)]
    world: Option<PathBuf>,
    /// Generated tokens, beside those of the world file.
    #[arg(long, default_value_t = 0)]
    tokens: usize,
    /// Generated users.
    #[arg(long, default_value_t = 0)]
    users: usize,
    /// Generated apps.
    #[arg(long, default_value_t = 0)]
    apps: usize,
    /// Generated Google Workspace grants: the generated users and apps are Google's, and `--tokens`
    /// makes none.
    #[arg(long, default_value_t = 0, conflicts_with = "tokens")]
    google_grants: usize,
    /// Generated Microsoft 365 grants: `--users` and `--apps` are then totals of an Entra directory,
    /// and `--tokens` makes none.
    #[arg(long, default_value_t = 0, conflicts_with_all = ["tokens", "google_grants"])]
    microsoft_grants: usize,
    /// Generated Slack installs: the generated users and apps are Slack's, and `--tokens` makes none.
    #[arg(long, default_value_t = 0, conflicts_with_all = ["tokens", "google_grants", "microsoft_grants"])]
    slack_grants: usize,
    /// Generated Slack workspaces; 0 is a single workspace and not an organisation.
    #[arg(long, default_value_t = 12, requires = "slack_grants")]
    slack_workspaces: usize,
    /// Rows of a single Slack workspace's integration log, removed installs included.
    #[arg(long, default_value_t = 0, requires = "slack_grants")]
    slack_log_rows: usize,
    /// Generated GitHub credentials and fine-grained tokens: `--users` are then members of the one
    /// organisation, a repository for every five, `--apps` are installed on it, and `--tokens` makes none.
    #[arg(long, default_value_t = 0, conflicts_with_all = ["tokens", "google_grants", "microsoft_grants"])]
    github_grants: usize,
    /// Generated Okta scope grants, with eight refresh tokens for each: `--users` and `--apps` are then an Okta org's, a quarter of the
    /// apps OIDC, and `--tokens` makes none.
    #[arg(long, default_value_t = 0, conflicts_with_all = ["tokens", "google_grants", "microsoft_grants"])]
    okta_grants: usize,
    /// Seed of the generator.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Port of the first tenant; a free one if left out.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Freeze the world's time, e.g. 2026-01-15T12:00:00Z.
    #[arg(long)]
    now: Option<Timestamp>,
    /// Fault file.
    #[arg(long)]
    faults: Option<PathBuf>,
    /// Serve HTTPS and write the certificate authority beside the configuration.
    #[cfg(feature = "tls")]
    #[arg(long, requires = "write_config")]
    tls: bool,
    /// Write `grantwarden.toml` and the scanner's private key into this directory.
    #[arg(long, value_name = "DIR")]
    write_config: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Command::Serve(options) = Cli::parse().command;
    serve(options).await
}

async fn serve(options: Serve) -> Result<()> {
    let world = world(&options)?;
    let mut builder = Lab::builder().port(options.port);
    if let Some(now) = options.now {
        builder = builder.now(now);
    }
    #[cfg(feature = "tls")]
    if options.tls {
        builder = builder.tls();
    }
    let lab = builder.start(world).await?;
    if let Some(path) = &options.faults {
        let text = fs::read_to_string(path).with_context(|| shown("cannot read", path))?;
        let file = FaultFile::parse(&text).with_context(|| shown("not a fault file:", path))?;
        for fault in &file.faults {
            lab.salesforce_orgs().iter().for_each(|org| org.inject(fault.clone()));
            lab.google_workspaces().iter().for_each(|customer| customer.inject(fault.clone()));
            lab.slack_tenants().iter().for_each(|tenant| tenant.inject(fault.clone()));
            lab.entra_tenants().iter().for_each(|tenant| tenant.inject(fault.clone()));
            lab.github_tenants().iter().for_each(|tenant| tenant.inject(fault.clone()));
            lab.okta_orgs().iter().for_each(|org| org.inject(fault.clone()));
        }
    }
    let folder = options.write_config.as_deref();
    let config = folder
        .map(|folder| lab.write_config(folder).with_context(|| shown("cannot write to", folder)))
        .transpose()?;
    let tenants = lab.describe(folder);
    let ready = json!({ "config": config, "tenants": tenants });
    writeln!(io::stdout(), "{ready}")?;
    interrupted().await?;
    lab.stop();
    Ok(())
}

fn world(options: &Serve) -> Result<World> {
    if options.google_grants > 0 {
        return google_world(options);
    }
    if options.microsoft_grants > 0 {
        return microsoft_world(options);
    }
    if options.slack_grants > 0 {
        return slack_world(options);
    }
    if options.github_grants > 0 {
        return github_world(options);
    }
    if options.okta_grants > 0 {
        return okta_world(options);
    }
    let scale = Scale {
        users: options.users,
        apps: options.apps,
        tokens: options.tokens,
        seed: options.seed,
        now: options.now.unwrap_or_else(now),
    };
    let generated = options.users + options.apps + options.tokens > 0;
    Ok(match loaded(options)? {
        None => World::generate(&scale),
        Some(world) if generated => world.grow(&scale),
        Some(world) => world,
    })
}

/// The world of the file, or none, with generated Google Workspace grants.
fn google_world(options: &Serve) -> Result<World> {
    let scale = GoogleScale {
        users: options.users,
        grants: options.google_grants,
        apps: options.apps,
        seed: options.seed,
        now: options.now.unwrap_or_else(now),
    };
    Ok(match loaded(options)? {
        None => World::generate_google(&scale),
        Some(world) => world.grow_google(&scale),
    })
}

/// The world of the file, or none, with generated Microsoft 365 grants.
fn microsoft_world(options: &Serve) -> Result<World> {
    let scale = EntraScale {
        principals: options.apps,
        applications: options.apps / 8,
        users: options.users,
        grants: options.microsoft_grants,
        resources: 12,
        seed: options.seed,
        now: options.now.unwrap_or_else(now),
    };
    Ok(match loaded(options)? {
        None => World::generate_microsoft(&scale),
        Some(world) => world.grow_microsoft(&scale),
    })
}

/// The world of the file, or none, with generated Slack installs.
fn slack_world(options: &Serve) -> Result<World> {
    let single = options.slack_workspaces == 0;
    let scale = SlackScale {
        plan: if single { SlackPlan::Workspace } else { SlackPlan::Enterprise },
        workspaces: options.slack_workspaces,
        users: options.users,
        apps: options.apps,
        grants: options.slack_grants,
        log_rows: options.slack_log_rows,
        seed: options.seed,
        now: options.now.unwrap_or_else(now),
    };
    Ok(match loaded(options)? {
        None => World::generate_slack(&scale),
        Some(world) => world.grow_slack(&scale),
    })
}

/// The world of the file, or none, with generated Okta grants.
fn okta_world(options: &Serve) -> Result<World> {
    let scale = OktaScale {
        users: options.users,
        apps: options.apps,
        oidc_apps: options.apps / 4,
        refresh_tokens: options.okta_grants * 8,
        grants: options.okta_grants,
        api_tokens: options.users / 50,
        seed: options.seed,
        now: options.now.unwrap_or_else(now),
    };
    Ok(match loaded(options)? {
        None => World::generate_okta(&scale),
        Some(world) => world.grow_okta(&scale),
    })
}

/// The world of the file, or none, with generated GitHub credentials and tokens.
fn github_world(options: &Serve) -> Result<World> {
    let scale = GithubScale {
        organisations: 0,
        users: options.users,
        apps: options.apps,
        grants: options.github_grants,
        repositories: options.users / 5,
        seed: options.seed,
        now: options.now.unwrap_or_else(now),
    };
    Ok(match loaded(options)? {
        None => World::generate_github(&scale),
        Some(world) => world.grow_github(&scale),
    })
}

fn loaded(options: &Serve) -> Result<Option<World>> {
    let load = |path: &PathBuf| World::load(path).with_context(|| shown("cannot use", path));
    options.world.as_ref().map(load).transpose()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program that is not the scanner has no other clock"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

fn shown(what: &str, path: &Path) -> String {
    format!("{what} {}", path.display())
}

/// Waits for Ctrl-C or a termination signal.
async fn interrupted() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
