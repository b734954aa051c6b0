//! The lab: local stand-ins for the platforms' APIs, so that anybody can run the real connectors
//! over real HTTP with nothing but this repository.
//!
//! A [`World`] says what the tenants hold; [`Lab::start`] serves each on a port of its own, on
//! loopback, until the lab is dropped. The lab is written from the platforms' documents and never
//! from a connector: it is strict about the shape of a request, keeps state, enforces permissions and
//! limits, and lets [`Fault`]s happen. It depends on no other crate of the workspace.
//!
//! To add a platform: a module beside [`salesforce`] with its own world types and a type that
//! implements the crate's `Tenant` trait; a list in [`World`]; a list and a look-up in [`Lab`].

mod calls;
mod clock;
mod fault;
pub mod github;
pub mod google_workspace;
mod keys;
pub mod microsoft_365;
mod moment;
pub mod okta;
pub mod salesforce;
mod server;
mod setup;
pub mod slack;
#[cfg(feature = "tls")]
mod tls;
mod watch;
mod wire;
mod world;

use jiff::Timestamp;

pub use self::calls::Call;
use self::clock::Clock;
pub use self::fault::{Effect, Fault, FaultFile, When};
pub use self::github::{GithubClient, GithubScale, GithubTenant};
pub use self::google_workspace::{GoogleClient, GoogleScale, GoogleWorkspace};
pub use self::microsoft_365::{EntraClient, EntraScale, EntraTenant};
pub use self::moment::{Moment, MomentError};
pub use self::okta::{OktaClient, OktaOrg, OktaScale};
pub use self::salesforce::{ApiLimits, ClientCredentials, Org, Permission, Scale};
use self::server::Bound;
pub use self::slack::{SlackClient, SlackPlan, SlackScale, SlackTenant};
#[cfg(feature = "tls")]
pub use self::tls::TlsError;
pub use self::watch::Watch;
pub use self::world::{World, WorldError};

/// Why a lab does not start.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A port cannot be taken.
    #[error("cannot listen on loopback")]
    Listen(#[from] std::io::Error),
    /// The world contradicts itself.
    #[error(transparent)]
    Org(#[from] salesforce::OrgError),
    /// A Google Workspace customer of the world contradicts itself.
    #[error(transparent)]
    Google(#[from] google_workspace::GoogleError),
    /// An Entra directory of the world contradicts itself.
    #[error(transparent)]
    Entra(#[from] microsoft_365::EntraError),
    /// A Slack tenant of the world contradicts itself.
    #[error(transparent)]
    Slack(#[from] slack::SlackError),
    /// A GitHub host of the world contradicts itself.
    #[error(transparent)]
    Github(#[from] github::GithubError),
    /// An Okta org of the world contradicts itself.
    #[error(transparent)]
    Okta(#[from] okta::OktaError),
    /// No certificate for the scanner.
    #[error(transparent)]
    Certificate(#[from] microsoft_365::CertificateError),
    /// No key for the scanner.
    #[error(transparent)]
    Key(#[from] salesforce::KeyError),
    /// No TLS.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Tenants in service. Dropping it ends them.
#[derive(Debug)]
pub struct Lab {
    salesforce: Vec<Org>,
    google_workspaces: Vec<GoogleWorkspace>,
    entra: Vec<EntraTenant>,
    slack: Vec<SlackTenant>,
    github: Vec<GithubTenant>,
    okta: Vec<OktaOrg>,
    ca_pem: Option<String>,
}

impl Lab {
    /// Serves a world with the default options.
    ///
    /// # Errors
    /// If the world contradicts itself or no port can be taken.
    pub async fn start(world: World) -> Result<Self, LabError> {
        Self::builder().start(world).await
    }

    /// Options, then [`LabBuilder::start`].
    pub fn builder() -> LabBuilder {
        LabBuilder::default()
    }

    /// The Salesforce org of this name.
    pub fn salesforce(&self, name: &str) -> Option<&Org> {
        self.salesforce.iter().find(|org| org.name() == name)
    }

    /// All Salesforce orgs, in the order of the world file.
    pub fn salesforce_orgs(&self) -> &[Org] {
        &self.salesforce
    }

    /// The Google Workspace customer of this name.
    pub fn google_workspace(&self, name: &str) -> Option<&GoogleWorkspace> {
        self.google_workspaces.iter().find(|customer| customer.name() == name)
    }

    /// All Google Workspace customers, in the order of the world file.
    pub fn google_workspaces(&self) -> &[GoogleWorkspace] {
        &self.google_workspaces
    }

    /// The Entra directory of this name.
    pub fn entra(&self, name: &str) -> Option<&EntraTenant> {
        self.entra.iter().find(|tenant| tenant.name() == name)
    }

    /// All Entra directories, in the order of the world file.
    pub fn entra_tenants(&self) -> &[EntraTenant] {
        &self.entra
    }

    /// The Slack tenant of this name.
    pub fn slack(&self, name: &str) -> Option<&SlackTenant> {
        self.slack.iter().find(|tenant| tenant.name() == name)
    }

    /// All Slack tenants, in the order of the world file.
    pub fn slack_tenants(&self) -> &[SlackTenant] {
        &self.slack
    }

    /// The GitHub host of this name.
    pub fn github(&self, name: &str) -> Option<&GithubTenant> {
        self.github.iter().find(|tenant| tenant.name() == name)
    }

    /// All GitHub hosts, in the order of the world file.
    pub fn github_tenants(&self) -> &[GithubTenant] {
        &self.github
    }

    /// The Okta org of this name.
    pub fn okta(&self, name: &str) -> Option<&OktaOrg> {
        self.okta.iter().find(|org| org.name() == name)
    }

    /// All Okta orgs, in the order of the world file.
    pub fn okta_orgs(&self) -> &[OktaOrg] {
        &self.okta
    }

    /// The certificate authority that a client must trust, in PEM, if the lab speaks TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Ends all tenants; so does dropping the lab.
    pub fn stop(self) {}
}

/// Options of a lab.
#[derive(Debug, Default)]
pub struct LabBuilder {
    now: Option<Timestamp>,
    limits: Option<ApiLimits>,
    port: u16,
    #[cfg(feature = "tls")]
    tls: bool,
}

impl LabBuilder {
    /// Freezes the time of the worlds' data. Sessions still age by the wall.
    #[must_use]
    pub fn now(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// The API request allowance of every org, whatever the world says.
    #[must_use]
    pub fn limits(mut self, limits: ApiLimits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// The port of the first tenant; a free one if 0. Further tenants always get a free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Serves HTTPS under `https://localhost:PORT`.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Serves a world.
    ///
    /// # Errors
    /// If the world contradicts itself or no port can be taken.
    pub async fn start(self, world: World) -> Result<Lab, LabError> {
        let clock = Clock::new(self.now);
        let mut ports = Ports {
            next: self.port,
            #[cfg(feature = "tls")]
            tls: if self.tls { Some(tls::Tls::make()?) } else { None },
        };
        let mut salesforce = Vec::new();
        for (index, mut org) in (0_u8..).zip(world.salesforce) {
            let (bound, base_url) = ports.take().await?;
            if let Some(limits) = self.limits {
                org.limits = limits;
            }
            salesforce.push(Org::start(org, index, clock, bound, base_url)?);
        }
        let mut google_workspaces = Vec::new();
        for customer in world.google_workspace {
            let (bound, base_url) = ports.take().await?;
            google_workspaces.push(GoogleWorkspace::start(customer, clock, bound, base_url)?);
        }
        let mut entra = Vec::new();
        for directory in world.microsoft_365 {
            let (bound, base_url) = ports.take().await?;
            entra.push(EntraTenant::start(directory, clock, bound, base_url)?);
        }
        let mut slack = Vec::new();
        for tenant in world.slack {
            let (bound, base_url) = ports.take().await?;
            slack.push(SlackTenant::start(tenant, clock, bound, base_url)?);
        }
        let mut github = Vec::new();
        for host in &world.github {
            let (bound, origin) = ports.take().await?;
            github.push(GithubTenant::start(host, clock, bound, origin)?);
        }
        let mut okta = Vec::new();
        for org in world.okta {
            let (bound, base_url) = ports.take().await?;
            okta.push(OktaOrg::start(org, clock, bound, base_url)?);
        }
        #[cfg(feature = "tls")]
        let ca_pem = ports.tls.map(|tls| tls.ca_pem);
        #[cfg(not(feature = "tls"))]
        let ca_pem = None;
        Ok(Lab { salesforce, google_workspaces, entra, slack, github, okta, ca_pem })
    }
}

/// Hands out a port to each tenant: the first as asked, then free ones.
struct Ports {
    next: u16,
    #[cfg(feature = "tls")]
    tls: Option<tls::Tls>,
}

impl Ports {
    /// A bound port and the address under which it serves.
    async fn take(&mut self) -> Result<(Bound, String), LabError> {
        #[cfg_attr(not(feature = "tls"), expect(unused_mut, reason = "only TLS changes it"))]
        let mut bound = Bound::loopback(std::mem::take(&mut self.next)).await?;
        let address = bound.tcp.local_addr()?;
        #[cfg_attr(not(feature = "tls"), expect(unused_mut, reason = "only TLS changes it"))]
        let mut base_url = format!("http://{address}");
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            base_url = format!("https://localhost:{}", address.port());
            bound.tls = Some(tls.acceptor.clone());
        }
        Ok((bound, base_url))
    }
}
