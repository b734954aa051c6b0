//! `grantwarden-lab serve`: the lab as a program of its own, for other people's clients and for
//! scripts. Standard output is one line of JSON once it serves; everything else is in the library.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use grantwarden_lab::{FaultFile, GoogleScale, GoogleWorkspace, Lab, Org, Scale, World};
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
        }
    }
    let config = options.write_config.as_deref().map(|dir| write_config(dir, &lab)).transpose()?;
    let orgs = lab.salesforce_orgs().iter().map(|org| {
        let client = org.client();
        json!({
            "platform": "salesforce",
            "name": org.name(),
            "base_url": org.base_url(),
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "username": client.username,
            "audience": client.audience,
            "private_key_file": options.write_config.as_deref().map(|dir| dir.join(key_name(org))),
        })
    });
    let google = lab.google_workspaces().iter().map(|customer| {
        let client = customer.client();
        json!({
            "platform": "google-workspace",
            "name": customer.name(),
            "base_url": customer.base_url(),
            "customer_id": client.customer_id,
            "client_email": client.client_email,
            "subject": client.subject,
            "key_file":
                options.write_config.as_deref().map(|dir| dir.join(google_key_name(customer))),
        })
    });
    let tenants: Vec<_> = orgs.chain(google).collect();
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
    let scale = Scale {
        users: options.users,
        apps: options.apps,
        tokens: options.tokens,
        seed: options.seed,
        now: options.now.unwrap_or_else(now),
    };
    let generated = options.users + options.apps + options.tokens > 0;
    match &options.world {
        None => Ok(World::generate(&scale)),
        Some(path) => {
            let world = World::load(path).with_context(|| shown("cannot use", path))?;
            Ok(if generated { world.grow(&scale) } else { world })
        }
    }
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
    match &options.world {
        None => Ok(World::generate_google(&scale)),
        Some(path) => {
            let world = World::load(path).with_context(|| shown("cannot use", path))?;
            Ok(world.grow_google(&scale))
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program that is not the scanner has no other clock"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Writes the scanner's configuration, its keys and the certificate authority; gives the path.
fn write_config(dir: &Path, lab: &Lab) -> Result<PathBuf> {
    fs::create_dir_all(dir).with_context(|| shown("cannot create", dir))?;
    let mut config = String::new();
    for org in lab.salesforce_orgs() {
        let client = org.client();
        let key = dir.join(key_name(org));
        write_private(&key, &client.private_key_pem)?;
        config.push_str(&format!(
            "[[tenant]]\nname = {}\nplatform = \"salesforce\"\nbase_url = {}\naudience = {}\n\
             auth = {{ method = \"jwt_bearer\", client_id = {}, username = {}, private_key = {{ file = {} }} }}\n\n",
            quoted(&slug(&org.name())),
            quoted(org.base_url()),
            quoted(&client.audience),
            quoted(&client.client_id),
            quoted(&client.username),
            quoted(&key.display().to_string()),
        ));
    }
    for customer in lab.google_workspaces() {
        let client = customer.client();
        let key = dir.join(google_key_name(customer));
        write_private(&key, &client.key_json)?;
        config.push_str(&format!(
            "[[tenant]]\nname = {}\nplatform = \"google-workspace\"\nbase_url = {}\ntoken_url = {}\naccount = {}\n\
             auth = {{ method = \"service_account\", key = {{ file = {} }}, subject = {} }}\n\n",
            quoted(&slug(&customer.name())),
            quoted(customer.base_url()),
            quoted(&format!("{}/token", customer.base_url())),
            quoted(&client.customer_id),
            quoted(&key.display().to_string()),
            quoted(&client.subject),
        ));
    }
    if let Some(pem) = lab.ca_pem() {
        fs::write(dir.join("lab-ca.pem"), pem)?;
    }
    let path = dir.join("grantwarden.toml");
    fs::write(&path, config.trim_end().to_owned() + "\n")
        .with_context(|| shown("cannot write", &path))?;
    Ok(path)
}

/// Writes a file that only its owner may read; an older one is replaced, whoever could read it.
fn write_private(path: &Path, text: &str) -> Result<()> {
    if path.exists() {
        fs::remove_file(path).with_context(|| shown("cannot replace", path))?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| shown("cannot write", path))?;
    file.write_all(text.as_bytes())?;
    Ok(())
}

fn key_name(org: &Org) -> String {
    format!("{}.pem", slug(&org.name()))
}

fn google_key_name(customer: &GoogleWorkspace) -> String {
    format!("{}.json", slug(&customer.name()))
}

/// `Northwind Robotics` as a tenant name.
fn slug(name: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let slug: String = name.chars().map(word).collect();
    slug.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
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
