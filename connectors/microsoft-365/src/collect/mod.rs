//! What a scan reads of a directory: its settings, apps and reports side by side, then the grants as a stream. One file per subject.
//! Nothing here keeps more than the apps, the settings and a compact index of users in memory.

mod app_records;
mod apps;
mod archive;
mod changes;
mod consents;
mod credentials;
mod directory;
mod grants;
mod people;
mod permissions;
mod policies;
mod probe;
mod registrations;
mod replay;
mod reports;
mod roles;
mod rows;
mod tenant;

use grantwarden_kit::{
    connector::Sink,
    error::{Error, ErrorKind, Result},
    ledger::Ledger,
    memory::Memory,
    model::{Gap, Observed, Reason, Record, Timestamp},
};
use tokio::sync::watch;

use self::{
    apps::{Apps, Facts},
    archive::{Archive, Which},
    consents::Consents,
    directory::Directory,
    grants::{Source, Stream},
    people::People,
    permissions::Permissions,
    policies::Settings,
    registrations::Registrations,
    reports::{AppUse, CredentialUse},
    roles::Roles,
};
use crate::{MANIFEST, graph::Graph, rights::Claims};
#[cfg(feature = "revoke")]
pub(crate) use permissions::DEFAULT_ACCESS;
pub(crate) use probe::probe;

/// Reads the whole directory.
pub(crate) async fn all(
    graph: &Graph,
    ledger: &Ledger,
    sink: &Sink,
    memory: Option<&Memory>,
) -> Result<()> {
    let claims = graph.connect().await?;
    book_user_token(ledger, &claims);
    let remembers = [directory::FACET, registrations::FACET, grants::FACET]
        .iter()
        .all(|facet| ledger.skipped(facet).is_none());
    let memory = memory.filter(|_| remembers);
    let archive = Archive::open(graph, memory, &graph.identity(&claims)).await;
    if let Some(note) = archive.note() {
        for facet in [directory::FACET, registrations::FACET, grants::FACET] {
            ledger.note(facet, note.clone());
        }
    }
    let skips_grants = ledger.skipped(grants::FACET).is_some();
    let (all_users, tenant_wide) = Source::new(graph, ledger, &archive, Which::TenantWide);
    let (others, of_others) = Source::new(graph, ledger, &archive, Which::Others);
    // The two long listings begin at once and wait, a few pages ahead, for whoever takes them.
    let listing = async {
        if skips_grants {
            drop((all_users, others));
            return None;
        }
        let (first, second) = tokio::join!(all_users.run(&claims), others.run(&claims));
        first.or(second)
    };
    let reading = async {
        let facts = facts(graph, ledger, sink, &claims, &archive).await?;
        let mut apps = Apps::new(&facts, ledger, sink);
        apps.send_all().await?;
        let people = People::new(graph, ledger, &claims);
        let now = graph.door.clock().now();
        Stream::new(apps, people, ledger, sink, now).run(tenant_wide, of_others).await
    };
    let (gap, done) = tokio::join!(listing, reading);
    done?;
    ledger.settle(grants::FACET);
    if let Some(gap) = gap {
        // Who is behind the grants that were not read is not known either.
        let detail = format!("not every grant is known: {}", gap.detail);
        ledger.lose(Gap::new(gap.reason, people::FACET, detail), None);
    }
    archive.keep();
    Ok(())
}

/// A token that acts for a user lists what that user may see, without a word about the rest.
pub(crate) fn book_user_token(ledger: &Ledger, claims: &Claims) {
    if !claims.acts_for_a_user() {
        return;
    }
    let detail = "the token acts for a user: what that user may not see is not seen";
    for facet in MANIFEST.facets.iter().filter(|facet| facet.promised) {
        if ledger.skipped(&facet.id).is_none() {
            ledger.lose(Gap::new(Reason::Permission, &facet.id, detail), None);
        }
    }
}

/// Everything but the delegated grants. Sends the tenant's own record on the way.
async fn facts(
    graph: &Graph,
    ledger: &Ledger,
    sink: &Sink,
    claims: &Claims,
    archive: &Archive,
) -> Result<Facts> {
    let (tell, tenant_is_out) = watch::channel(false);
    let directory = async move {
        let (settings, directory) = tokio::join!(
            Settings::read(graph, ledger, claims),
            Directory::read(graph, ledger, claims, archive),
        );
        let mut settings = settings?;
        let own = settings.organization.as_ref().map(|own| own.id.clone());
        let tenant = own.or_else(|| claims.tid.clone()).ok_or_else(|| {
            let message = "neither the directory nor the token tells the directory's id";
            graph.explain("read settings", Error::new(ErrorKind::Forbidden, message))
        })?;
        let of_microsoft = match &directory.gap {
            Some(gap) => Observed::Unknown(gap.clone()),
            None => Observed::Known(directory.of_microsoft()),
        };
        sink.send(Record::Tenant(settings.record(&tenant, of_microsoft))).await?;
        // Nobody waits for it if the audit log is given up.
        let _ = tell.send(true);
        let permissions = Permissions::read(graph, ledger, &directory).await;
        let roles = Roles::book(ledger, &directory, settings.roles.take());
        Ok::<_, Error>((tenant, settings, directory, permissions, roles))
    };
    let reports = async {
        let app_use = AppUse::read(graph, ledger, claims).await;
        let credential_use = CredentialUse::read(graph, ledger, claims).await;
        (app_use, credential_use)
    };
    let (of_directory, registrations, (app_use, credential_use), consents) = tokio::join!(
        directory,
        Registrations::read(graph, ledger, claims, archive),
        reports,
        Consents::read(graph, ledger, claims, sink, tenant_is_out),
    );
    let (tenant, settings, directory, permissions, roles) = of_directory?;
    Ok(Facts {
        tenant,
        settings,
        directory,
        registrations,
        permissions,
        roles,
        app_use,
        credential_use,
        consents: consents?,
    })
}

/// A time as Graph writes it. A text that is no time is a gap, not "none".
fn time(facet: &str, text: &str) -> Observed<Timestamp> {
    text.parse().map_or_else(
        |_| {
            let detail = "the platform wrote a time in a form that is not known";
            Observed::unknown(Reason::CallFailed, facet, detail)
        },
        Observed::Known,
    )
}

/// The host of an address.
fn host(url: &str) -> Option<String> {
    url::Url::parse(url.trim()).ok()?.host_str().map(str::to_lowercase)
}
