//! The traits that a platform implements. A connector turns a tenant's configuration into records; it never judges them.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    auth::Credentials,
    clock::Clock,
    error::{Error, ErrorKind, Result},
    manifest::{Bucket, Manifest},
    memory::Memory,
    model::{App, Coverage, Gap, Grant, Record},
};

/// One platform.
pub trait Connector: Send + Sync {
    /// The facts of the platform.
    fn manifest(&self) -> &'static Manifest;

    /// The platform's scope catalog, the text of its `scopes.toml`.
    fn scopes(&self) -> &'static str;

    /// Prepares to read a tenant. Does not touch the network.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] or [`ErrorKind::Secret`].
    fn open(&self, tenant: TenantConfig, kit: Kit) -> Result<Box<dyn Session>>;

    /// Prepares to revoke in a tenant, with credentials that are given for that purpose only. Does not touch the network.
    ///
    /// # Errors
    /// As [`Connector::open`]; also when this build or this platform cannot revoke.
    fn open_revoker(&self, tenant: TenantConfig, kit: Kit) -> Result<Box<dyn Revoke>> {
        let _ = kit;
        Err(Error::new(
            ErrorKind::Configuration,
            format!("this build cannot revoke on {}", self.manifest().name),
        )
        .at(&tenant.name, &self.manifest().id, "revoke"))
    }
}

/// What a connector gets from the outside besides the tenant's configuration.
#[derive(Clone)]
pub struct Kit {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Cancelled when the user stops the scan.
    pub cancel: CancellationToken,
}

/// One tenant's configuration with its secrets fetched.
#[derive(Debug)]
pub struct TenantConfig {
    /// The user's name for it.
    pub name: String,
    /// Where its API is. No other host gets a token unless `hosts` names it.
    pub base_url: Url,
    /// The authorization server's token endpoint, where it is not the platform's usual path below `base_url`.
    pub token_url: Option<Url>,
    /// `aud` of assertions, where it is not the platform's usual one.
    pub audience: Option<String>,
    /// Further origins that may get a token, for example an instance host.
    pub hosts: Vec<Url>,
    /// A PEM file's content with certificate authorities to trust besides the machine's.
    pub certificate_authorities: Option<Vec<u8>>,
    /// The platform's own id of the account, where signing in or asking takes one.
    pub account: Option<String>,
    /// How to sign in.
    pub credentials: Credentials,
    /// What an administrator exported by hand because no interface tells it: file contents by facet id.
    pub imports: BTreeMap<String, Vec<u8>>,
    /// What the last scan left for this one; `None`: read everything anew.
    pub memory: Option<Memory>,
    /// Facets that the user gives up.
    pub skip: Vec<String>,
    /// Pacing that differs from the manifest's, by bucket name.
    pub buckets: BTreeMap<String, Bucket>,
    /// The share of the tenant's own API quota, in percent, that a scan leaves untouched.
    pub keep_quota_percent: u8,
}

/// An opened tenant.
pub trait Session: Collect {
    /// Calls sent so far.
    fn calls(&self) -> u64;

    /// App activity from audit logs, where the platform has them.
    fn usage(&self) -> Option<&dyn UsageLog> {
        None
    }
}

/// Reads a tenant.
#[async_trait]
pub trait Collect: Send + Sync {
    /// Signs in. What fails here fails the whole tenant.
    ///
    /// # Errors
    /// No connection, or no token.
    async fn sign_in(&self) -> Result<()>;

    /// Says who we are, what these credentials can see, and why the rest is not visible.
    ///
    /// # Errors
    /// When nothing can be seen at all: no connection, no token.
    async fn probe(&self) -> Result<Probe>;

    /// Streams what the tenant holds and says what is missing. Never fails: a failed part is a loss in its coverage. An app comes
    /// before its grants.
    async fn collect(&self, sink: &Sink) -> Coverage;
}

/// Reads what apps did.
#[async_trait]
pub trait UsageLog: Send + Sync {
    /// Streams activity from the platform's logs and says what is missing.
    async fn usage(&self, sink: &Sink) -> Coverage;
}

/// What [`Collect::probe`] found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Probe {
    /// The identity that the credentials belong to.
    pub identity: String,
    /// The account, by id and name.
    pub tenant: String,
    /// One entry per facet, in the order of the manifest.
    pub facets: Vec<Visibility>,
    /// What the user should know besides: quota left, API version.
    pub notes: Vec<String>,
}

/// Whether a facet is visible.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Visibility {
    /// Facet id.
    pub facet: String,
    /// Why it is not, or not wholly, visible; `None` if it is.
    pub gap: Option<Gap>,
}

/// The receiving end of a scan's bounded stream. Sending waits while the reader is busy, so memory stays flat.
#[derive(Debug, Clone)]
pub struct Sink(mpsc::Sender<Record>);

impl Sink {
    /// A stream that holds at most `room` records.
    pub fn bounded(room: usize) -> (Self, mpsc::Receiver<Record>) {
        let (sender, receiver) = mpsc::channel(room);
        (Self(sender), receiver)
    }

    /// Hands a record over.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`] when nobody reads any more.
    pub async fn send(&self, record: Record) -> Result<()> {
        self.0.send(record).await.map_err(|_| {
            Error::new(ErrorKind::Cancelled, "nobody reads the scan's records any more")
        })
    }
}

/// Takes access away. Separate from reading and with credentials of its own, so that a read-only build cannot revoke by type.
#[async_trait]
pub trait Revoke: Send + Sync {
    /// The calls that end what the targets name, in order: what is contained first comes first. Reads only.
    ///
    /// # Errors
    /// When the platform does not tell what is needed to revoke.
    async fn plan(&self, targets: &Targets) -> Result<RevocationPlan>;

    /// Carries out one step. Never repeats a call whose outcome is not known.
    async fn apply(&self, step: &Step) -> StepOutcome;

    /// Looks, by a read that has nothing to do with [`Revoke::apply`], whether the step took effect.
    async fn verify(&self, step: &Step) -> Verification;
}

/// What is to lose its access.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    /// Apps to block for everybody. An app that is only named by a grant is never blocked.
    pub apps: Vec<App>,
    /// Grants to revoke.
    pub grants: Vec<Grant>,
}

/// The way to end what [`Targets`] name.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RevocationPlan {
    /// In the order in which they are to be applied.
    pub steps: Vec<Step>,
    /// What no interface of the platform can do; a person has to, as described.
    pub by_hand: Vec<String>,
}

/// One call of a revocation plan. Holds no secret: a revoker fetches what it needs when it applies the step.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Step {
    /// The platform's name for the action: `revoke-token`, `block-app`.
    pub action: String,
    /// What it is done to: the app's or the grant's id.
    pub target: String,
    /// For a person.
    pub title: String,
    /// What stops working, and for whom.
    pub breaks: String,
    /// How to undo it; `None` if it cannot be undone.
    pub undo: Option<String>,
    /// Calls that it takes.
    pub calls: u64,
    /// What the connector needs to carry it out.
    pub details: BTreeMap<String, String>,
}

/// How a step ended.
#[derive(Debug)]
pub enum StepOutcome {
    /// The platform says that it did it.
    Done,
    /// There was nothing left to do.
    AlreadyGone,
    /// The platform said no.
    Refused(Error),
    /// No answer came: verify before anything else.
    Unknown(Error),
}

impl Step {
    /// What `plan` wrote down for carrying the step out.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if it is not there: the plan was not made by this connector.
    pub fn detail(&self, name: &str) -> Result<&str> {
        let text = self.details.get(name).map(String::as_str);
        text.filter(|text| !text.is_empty()).ok_or_else(|| {
            let message = format!("the step {} {} lacks `{name}`", self.action, self.target);
            Error::new(ErrorKind::Configuration, message)
                .with_hint("plans are made by `plan`; make a new one")
        })
    }
}

impl StepOutcome {
    /// How a step ended that did not succeed: refused if it is certain that nothing was changed, because the platform said no or nothing
    /// was sent. Everything else may have happened.
    pub const fn of_failure(error: Error) -> Self {
        match error.kind {
            ErrorKind::Configuration
            | ErrorKind::Secret
            | ErrorKind::SignIn
            | ErrorKind::Unauthorized
            | ErrorKind::Forbidden
            | ErrorKind::Licence
            | ErrorKind::NotFound
            | ErrorKind::Unsupported
            | ErrorKind::InvalidRequest
            | ErrorKind::Throttled
            | ErrorKind::Quota
            | ErrorKind::ForeignHost
            | ErrorKind::Tls
            | ErrorKind::Network => Self::Refused(error),
            ErrorKind::PageExpired
            | ErrorKind::Unavailable
            | ErrorKind::Timeout
            | ErrorKind::TooLarge
            | ErrorKind::Malformed
            | ErrorKind::Cancelled
            | ErrorKind::OutcomeUnknown => Self::Unknown(error),
        }
    }
}

/// What a verification saw.
#[derive(Debug)]
pub enum Verification {
    /// Not there any more.
    Gone,
    /// Still listed; how many.
    StillThere(u64),
    /// Could not look.
    CannotTell(Error),
}
