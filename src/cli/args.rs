//! Arguments as types. No behaviour.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use grantwarden_kit::model::Timestamp;
use strum::Display;

use crate::{
    policy::{FailOn, Span},
    report::{Format, changes},
    store::Reference,
};

/// Know every OAuth grant your SaaS has given away, judge it, and be able to cut it.
#[derive(Debug, Parser)]
#[command(
    name = "grantwarden",
    version,
    max_term_width = 120,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(
    after_help = "Exit codes: 0 clean, 1 findings at or above the threshold, 2 usage or configuration, 3 incomplete, 4 internal error"
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub struct Global {
    /// Say more on standard error; twice for every call
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Log filter in the form of RUST_LOG; wins over --verbose
    #[arg(long, env = "GRANTWARDEN_LOG", value_name = "FILTER", hide = true, global = true)]
    pub log: Option<String>,
    /// Write logs as JSON lines
    #[arg(
        long,
        env = "GRANTWARDEN_LOG_JSON",
        value_parser = clap::builder::FalseyValueParser::new(),
        hide = true,
        global = true
    )]
    pub log_json: bool,
    /// Colour for people
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN", global = true)]
    pub color: Colour,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How to show what is no report of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, ValueEnum)]
#[strum(serialize_all = "kebab-case")]
pub enum Listing {
    /// For a person at a terminal.
    Table,
    /// For programs.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read the tenants, judge what they have granted, report
    Scan(ScanArgs),
    /// Sign in to the tenants and show what can and cannot be seen, and which right is missing
    Doctor(DoctorArgs),
    /// What differs between two snapshots: grants, scopes, credentials, owners
    Diff(DiffArgs),
    /// Explain a rule, a scope or a finding
    Explain(ExplainArgs),
    /// Write a commented configuration, and show how to set up the platform with least privilege
    Init(InitArgs),
    /// Scan a made-up company that is served on this machine: no account, no network
    Demo(DemoArgs),
    /// Who is behind the apps of all tenants, and why that is thought
    Vendor(VendorArgs),
    /// Known breaches of vendors, and what of an inventory they mean
    Advisory(AdvisoryArgs),
    /// Test the policy's custom rules, and list what they can read
    Policy(PolicyArgs),
    /// Judge a remembered scan again, and report
    Report(ReportArgs),
    /// What scans left behind: list, check, prune, export, import
    Store(StoreCommandArgs),
    /// Tell people what a scan changed, or try out the channels
    Notify(NotifyArgs),
    /// Print the JSON schema of a file that is read or written
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

/// Which tenants.
#[derive(Debug, Args)]
pub struct Selection {
    /// Configuration file
    #[arg(short, long, env = "GRANTWARDEN_CONFIG", value_name = "FILE", default_value = crate::config::FILE_NAME)]
    pub config: PathBuf,
    /// Only this tenant; repeatable
    #[arg(short, long = "tenant", value_name = "NAME")]
    pub tenants: Vec<String>,
}

/// What findings rest on besides the inventory.
#[derive(Debug, Args)]
pub struct BasisArgs {
    /// Judge by the policy in FILE, in place of `[policy]` of the configuration
    #[arg(long, env = "GRANTWARDEN_POLICY", value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Also look for what this advisory names (docs/advisories.md). Repeatable
    #[arg(long = "advisory", value_name = "FILE")]
    pub advisories: Vec<PathBuf>,
    /// Compare with this inventory of an earlier scan (from `--export`). Repeatable: what apps did is compared with all of them
    #[arg(long, value_name = "FILE")]
    pub previous: Vec<PathBuf>,
    /// Judge as of this time instead of the time of the scan
    #[arg(long, value_name = "TIME")]
    pub now: Option<Timestamp>,
}

/// Where scans are remembered.
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// Remember scans in FILE (SQLite); `none` remembers nothing. Wins over `[store]` of the configuration
    #[arg(long, env = "GRANTWARDEN_STORE", value_name = "FILE")]
    pub store: Option<PathBuf>,
    /// What systemd gives a service for its state.
    #[arg(long, env = "STATE_DIRECTORY", hide = true)]
    pub state_directory: Option<OsString>,
    /// Where this user keeps state.
    #[arg(long, env = "XDG_STATE_HOME", hide = true)]
    pub state_home: Option<OsString>,
    /// This user's folder.
    #[arg(long, env = "HOME", hide = true)]
    pub home: Option<OsString>,
}

/// Arguments of `scan`.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// Which tenants.
    #[command(flatten)]
    pub selection: Selection,
    /// Format on standard output
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Also write a report to FILE; its ending tells the format (.html, .json, .jsonl, .csv, .md, .sarif, .xml, .ocsf.jsonl, .prom, .txt).
    /// Repeatable
    #[arg(short, long = "output", value_name = "FILE")]
    pub outputs: Vec<PathBuf>,
    /// Write the inventory (JSON Lines) to FILE, for --offline
    #[arg(long, value_name = "FILE")]
    pub export: Option<PathBuf>,
    /// Do not touch the network: judge the inventory given with --inventory
    #[arg(long, requires = "inventory")]
    pub offline: bool,
    /// Inventory file to judge
    #[arg(long, value_name = "FILE", requires = "offline")]
    pub inventory: Option<PathBuf>,
    /// Accept what FILE lists; fail only on what is new or worse
    #[arg(long, env = "GRANTWARDEN_BASELINE", value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write what counts today to FILE, for --baseline
    #[arg(long, value_name = "FILE")]
    pub write_baseline: Option<PathBuf>,
    /// What findings rest on besides the inventory.
    #[command(flatten)]
    pub basis: BasisArgs,
    /// Severity from which on the scan fails; wins over the configuration
    #[arg(long, value_enum, env = "GRANTWARDEN_FAIL_ON", value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,
    /// Exit with 0 although a promised part could not be read
    #[arg(long)]
    pub allow_incomplete: bool,
    /// Read everything anew, whatever `[incremental]` remembers
    #[arg(long, conflicts_with = "offline")]
    pub full: bool,
    /// Where the scan is remembered.
    #[command(flatten)]
    pub store: StoreArgs,
    /// Tell the channels of `[[notify]]` what the scan changed
    #[arg(long, conflicts_with = "offline")]
    pub notify: bool,
    /// No progress display
    #[arg(short, long)]
    pub quiet: bool,
    /// What a scan needs that a timer starts.
    #[command(flatten)]
    pub timing: TimingArgs,
}

/// What a scan needs that a timer starts.
#[derive(Debug, Args)]
pub struct TimingArgs {
    /// Hold FILE while scanning, so that two scans never run at the same time
    #[arg(long, value_name = "FILE", conflicts_with = "offline")]
    pub lock: Option<PathBuf>,
    /// Wait for a scan that holds the lock, at most so long (`30m`), instead of ending with 3 at once
    #[arg(long, value_name = "DURATION", requires = "lock")]
    pub lock_wait: Option<Span>,
    /// Scan only if the last whole scan of the chosen tenants is older (`20h`), by the store; otherwise end with 0
    #[arg(long, value_name = "DURATION", conflicts_with = "offline")]
    pub if_older_than: Option<Span>,
    /// First wait a random time, at most so long (`15m`), so that many scanners do not call at the same moment
    #[arg(long, value_name = "DURATION", conflicts_with = "offline")]
    pub jitter: Option<Span>,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Which scan: `latest`, `previous`, a number, a date (the newest scan that had begun by its end) or a time
    #[arg(default_value = "latest")]
    pub scan: Reference,
    /// Which tenants.
    #[command(flatten)]
    pub selection: Selection,
    /// Format on standard output
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Also write a report to FILE; its ending tells the format. Repeatable
    #[arg(short, long = "output", value_name = "FILE")]
    pub outputs: Vec<PathBuf>,
    /// Write the inventory (JSON Lines) to FILE, for --offline
    #[arg(long, value_name = "FILE")]
    pub export: Option<PathBuf>,
    /// Accept what FILE lists; fail only on what is new or worse
    #[arg(long, env = "GRANTWARDEN_BASELINE", value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// What findings rest on besides the inventory.
    #[command(flatten)]
    pub basis: BasisArgs,
    /// Severity from which on the report fails; wins over the configuration
    #[arg(long, value_enum, env = "GRANTWARDEN_FAIL_ON", value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,
    /// Exit with 0 although a promised part could not be read
    #[arg(long)]
    pub allow_incomplete: bool,
    /// Where the scan is remembered.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// Arguments of `store`.
#[derive(Debug, Args)]
pub struct StoreCommandArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: StoreCommand,
}

/// What `store` does.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Every scan that is remembered, the newest first
    List(StoreListArgs),
    /// One scan: its tenants, what it changed, and what was accepted
    Show(StoreShowArgs),
    /// Look for damage: read every snapshot back and compare it with what was kept
    Check(StorePlaceArgs),
    /// Remove the records of old snapshots; findings and their history stay
    Prune(StorePruneArgs),
    /// Write the whole store as JSON Lines, for a backup or to move it
    Export(StoreExportArgs),
    /// Read in what `export` wrote, or an inventory file as a scan
    Import(StoreImportArgs),
}

/// Which store.
#[derive(Debug, Args)]
pub struct StorePlaceArgs {
    /// Configuration file, whose `[store]` names the store
    #[arg(short, long, env = "GRANTWARDEN_CONFIG", value_name = "FILE", default_value = crate::config::FILE_NAME)]
    pub config: PathBuf,
    /// Which store.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// Arguments of `store list`.
#[derive(Debug, Args)]
pub struct StoreListArgs {
    /// Format on standard output
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub format: Listing,
    /// Which store.
    #[command(flatten)]
    pub place: StorePlaceArgs,
}

/// Arguments of `store show`.
#[derive(Debug, Args)]
pub struct StoreShowArgs {
    /// Which scan: `latest`, a number, a date or a time
    #[arg(default_value = "latest")]
    pub scan: Reference,
    /// Format on standard output
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub format: Listing,
    /// Which store.
    #[command(flatten)]
    pub place: StorePlaceArgs,
}

/// Arguments of `store prune`.
#[derive(Debug, Args)]
pub struct StorePruneArgs {
    /// Keep at least the newest N snapshots of each tenant; without it what `[store] keep` says
    #[arg(long, value_name = "N")]
    pub snapshots: Option<usize>,
    /// Keep all snapshots that are not older: `90d`, `2w`
    #[arg(long, value_name = "AGE")]
    pub age: Option<Span>,
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
    /// Which store.
    #[command(flatten)]
    pub place: StorePlaceArgs,
}

/// Arguments of `store export`.
#[derive(Debug, Args)]
pub struct StoreExportArgs {
    /// Where to write; without it to standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Which store.
    #[command(flatten)]
    pub place: StorePlaceArgs,
}

/// Arguments of `store import`.
#[derive(Debug, Args)]
pub struct StoreImportArgs {
    /// An export of a whole store (only into an empty one), or an inventory from `scan --export`
    pub file: PathBuf,
    /// Which store.
    #[command(flatten)]
    pub place: StorePlaceArgs,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Which tenants.
    #[command(flatten)]
    pub selection: Selection,
    /// Format on standard output
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub format: Listing,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The older snapshot: an inventory file (from `scan --export`), or a scan of the store: `previous`, a number, a date or a time
    #[arg(default_value = "previous")]
    pub old: String,
    /// The newer snapshot, named in the same way
    #[arg(default_value = "latest")]
    pub new: String,
    /// Configuration file, whose `[store]` names the store
    #[arg(short, long, env = "GRANTWARDEN_CONFIG", value_name = "FILE", default_value = crate::config::FILE_NAME)]
    pub config: PathBuf,
    /// Where scans are remembered.
    #[command(flatten)]
    pub store: StoreArgs,
    /// Only this tenant; repeatable
    #[arg(short, long = "tenant", value_name = "NAME")]
    pub tenants: Vec<String>,
    /// Also the platforms' own apps
    #[arg(long)]
    pub all: bool,
    /// Format on standard output
    #[arg(short, long, value_enum, default_value_t = changes::Format::Table)]
    pub format: changes::Format,
    /// Also write the changes to FILE; its ending tells the format (.json, .jsonl, .csv, .md, .sarif, .xml,
    /// .ocsf.jsonl, .html, .txt). Repeatable
    #[arg(short, long = "output", value_name = "FILE")]
    pub outputs: Vec<PathBuf>,
    /// Exit with 1 if anything changed
    #[arg(long)]
    pub exit_code: bool,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Rule id (`drift-pattern`), scope (`api`, or `salesforce:api`), right (`Modify All Data`) or fingerprint of a finding;
    /// without it, the list of rules
    pub what: Option<String>,
    /// Inventory file (from `scan --export`) in which to look for who holds the scope, or for the finding
    #[arg(long, value_name = "FILE", requires = "what")]
    pub inventory: Option<PathBuf>,
    /// Look into this scan of the store instead of an inventory file: `latest`, a number, a date. A fingerprint is looked for in the
    /// latest one
    #[arg(long, requires = "what", conflicts_with = "inventory")]
    pub scan: Option<Reference>,
    /// Where scans are remembered.
    #[command(flatten)]
    pub store: StoreArgs,
    /// Configuration file, for the policy that a finding is judged by
    #[arg(short, long, env = "GRANTWARDEN_CONFIG", value_name = "FILE", default_value = crate::config::FILE_NAME)]
    pub config: PathBuf,
    /// What the finding rests on besides the inventory, as given to the scan.
    #[command(flatten)]
    pub basis: BasisArgs,
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Platform to set up
    #[arg(default_value = "salesforce")]
    pub platform: String,
    /// Where to write
    #[arg(short, long, value_name = "FILE", default_value = crate::config::FILE_NAME)]
    pub output: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Format on standard output
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Write the demo company's inventory to FILE
    #[arg(long, value_name = "FILE")]
    pub export: Option<PathBuf>,
}

/// Arguments of `vendor`.
#[derive(Debug, Args)]
pub struct VendorArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: VendorCommand,
}

/// What `vendor` does.
#[derive(Debug, Subcommand)]
pub enum VendorCommand {
    /// Every vendor with its platforms, apps and grants
    List(VendorListArgs),
    /// The apps of one vendor, what ties each to it, and what the vendor register says
    Show(VendorShowArgs),
    /// Which grants end, at any depth of declared sub-processors, at a company
    Chain(VendorChainArgs),
    /// Draft a vendor register from what is seen; with one configured, print the entries that it lacks
    Init(VendorInitArgs),
}

/// Arguments of `vendor list`.
#[derive(Debug, Args)]
pub struct VendorListArgs {
    /// Also the tenants' own apps and the platforms'
    #[arg(long)]
    pub all: bool,
    /// What to look at.
    #[command(flatten)]
    pub source: VendorSource,
}

/// Arguments of `vendor show`.
#[derive(Debug, Args)]
pub struct VendorShowArgs {
    /// A vendor's name, or the name of one of its apps
    pub name: String,
    /// What to look at.
    #[command(flatten)]
    pub source: VendorSource,
}

/// Arguments of `vendor chain`.
#[derive(Debug, Args)]
pub struct VendorChainArgs {
    /// A company's name, or a brand of it
    pub name: String,
    /// What to look at.
    #[command(flatten)]
    pub source: VendorSource,
}

/// Arguments of `vendor init`.
#[derive(Debug, Args)]
pub struct VendorInitArgs {
    /// Where to write
    #[arg(short, long, value_name = "FILE", default_value = "vendors.toml")]
    pub output: PathBuf,
    /// Which snapshot.
    #[command(flatten)]
    pub snapshot: Snapshot,
}

/// Records of tenants: read now, or kept.
#[derive(Debug, Args)]
pub struct Snapshot {
    /// Which tenants.
    #[command(flatten)]
    pub selection: Selection,
    /// Look at this inventory file (from `scan --export`) instead of scanning
    #[arg(long, value_name = "FILE", conflicts_with = "tenants")]
    pub inventory: Option<PathBuf>,
}

/// What a vendor view is made from.
#[derive(Debug, Args)]
pub struct VendorSource {
    /// Which snapshot.
    #[command(flatten)]
    pub snapshot: Snapshot,
    /// Format on standard output
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub format: Listing,
}

/// Arguments of `policy`.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: PolicyCommand,
}

/// What `policy` does.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Ask every custom rule about the records of its tests; exits with 1 if one says something else
    Test(PolicyTestArgs),
    /// Every field that the condition of a custom rule can read
    Fields(PolicyFieldsArgs),
}

/// Arguments of `policy test`.
#[derive(Debug, Args)]
pub struct PolicyTestArgs {
    /// Configuration file
    #[arg(short, long, env = "GRANTWARDEN_CONFIG", value_name = "FILE", default_value = crate::config::FILE_NAME)]
    pub config: PathBuf,
    /// Test the policy in FILE, in place of `[policy]` of the configuration
    #[arg(long, env = "GRANTWARDEN_POLICY", value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// Arguments of `policy fields`.
#[derive(Debug, Args)]
pub struct PolicyFieldsArgs {
    /// Format on standard output
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub format: Listing,
}

/// Arguments of `advisory`.
#[derive(Debug, Args)]
pub struct AdvisoryArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: AdvisoryCommand,
}

/// What `advisory` does.
#[derive(Debug, Subcommand)]
pub enum AdvisoryCommand {
    /// Every advisory: id, safe date, how sure a match can be, title
    List(AdvisoryListArgs),
    /// One advisory, or what of an inventory it means
    Show(AdvisoryShowArgs),
    /// Check whether files are proper advisories
    Check(AdvisoryCheckArgs),
}

/// Arguments of `advisory list`.
#[derive(Debug, Args)]
pub struct AdvisoryListArgs {
    /// Which advisories.
    #[command(flatten)]
    pub source: AdvisorySource,
}

/// Arguments of `advisory show`.
#[derive(Debug, Args)]
pub struct AdvisoryShowArgs {
    /// The advisory's id
    pub id: String,
    /// Look for it in this inventory file (from `scan --export`)
    #[arg(long, value_name = "FILE")]
    pub inventory: Option<PathBuf>,
    /// Which advisories.
    #[command(flatten)]
    pub source: AdvisorySource,
}

/// Arguments of `advisory check`.
#[derive(Debug, Args)]
pub struct AdvisoryCheckArgs {
    /// Files to check
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// Which advisories there are besides the built-in ones.
#[derive(Debug, Args)]
pub struct AdvisorySource {
    /// Configuration file
    #[arg(short, long, env = "GRANTWARDEN_CONFIG", value_name = "FILE", default_value = crate::config::FILE_NAME)]
    pub config: PathBuf,
    /// Also this advisory. Repeatable
    #[arg(long = "advisory", value_name = "FILE")]
    pub advisories: Vec<PathBuf>,
    /// Format on standard output
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub format: Listing,
}

/// Arguments of `notify`.
#[derive(Debug, Args)]
pub struct NotifyArgs {
    /// Configuration file
    #[arg(short, long, env = "GRANTWARDEN_CONFIG", value_name = "FILE", default_value = crate::config::FILE_NAME)]
    pub config: PathBuf,
    /// Only this channel. Repeatable
    #[arg(long = "channel", value_name = "NAME")]
    pub channels: Vec<String>,
    /// Tell what this scan changed: `latest`, a number, a date. What a channel was told before is not told again
    #[arg(long, default_value = "latest", conflicts_with = "test")]
    pub scan: Reference,
    /// Send each channel a message that says that it is a test, and nothing else
    #[arg(long)]
    pub test: bool,
    /// Send nothing: print what would be sent
    #[arg(long)]
    pub dry_run: bool,
    /// Where scans are remembered.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    pub of: SchemaOf,
}

/// What has a JSON schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// grantwarden.toml
    Config,
    /// `--format json`
    Report,
    /// A line of `--export`
    Inventory,
    /// The vendor register
    Register,
    /// An advisory
    Advisory,
    /// `diff --format json`
    Diff,
    /// What a webhook and a command get
    Notification,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}
