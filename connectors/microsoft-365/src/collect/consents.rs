//! The audit log: who consented and when, and which credentials were added. It goes back 7 days, or 30 with a premium licence; older
//! consents have no date anywhere.

use std::{collections::HashMap, time::Duration};

use grantwarden_kit::{
    connector::Sink,
    error::{Error, ErrorKind, Result},
    ledger::Ledger,
    model::{AuditEvent, Gap, Observed, Reason, Record, Timestamp},
};
use tokio::sync::watch;

use super::{
    reports::book,
    rows::{Listing, book_odd},
};
use crate::{
    api::{DirectoryAudit, Identified, Initiator, PermissionGrant, TargetResource},
    graph::{self, Graph},
    rights::{Area, Claims},
};

pub(super) const FACET: &str = "consent-events";
const CONSENT: &str = "Consent to application";
const APP_ADDED: &str = "Add service principal";
/// What concerns integrations:
/// <https://learn.microsoft.com/en-us/entra/identity/monitoring-health/reference-audit-activities>
const ACTIVITIES: [&str; 6] = [
    CONSENT,
    "Add delegated permission grant",
    "Remove delegated permission grant",
    "Add app role assignment to service principal",
    APP_ADDED,
    "Add service principal credentials",
];
/// How the log names a change of a registration's credentials: "Update application – Certificates and secrets management", with a dash and
/// a blank at the end that documents and logs write in more than one way.
const UPDATE: &str = "Update application";
const OF_CREDENTIALS: &str = "certificates and secrets";
/// The longest that any directory keeps its audit log:
/// <https://learn.microsoft.com/en-us/entra/identity/monitoring-health/reference-reports-data-retention>
const RETENTION: Duration = Duration::from_secs(30 * 86_400);

/// Who consented, and when.
#[derive(Clone)]
pub(super) struct Consent {
    pub(super) at: Timestamp,
    pub(super) by: Option<Box<str>>,
}

/// What the audit log says of apps and grants.
pub(super) struct Consents {
    /// The latest consent to a grant, by the grant's id and by who holds it for whom on what.
    by_grant: HashMap<Box<str>, Consent>,
    /// When an app came in, by object id.
    apps: HashMap<Box<str>, Timestamp>,
    /// Why the log is not known, if it is not.
    gap: Option<Gap>,
}

impl Consents {
    /// Reads the log and streams its entries as soon as the tenant's own record is out.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`] when nobody reads the stream any more.
    pub(super) async fn read(
        graph: &Graph,
        ledger: &Ledger,
        claims: &Claims,
        sink: &Sink,
        mut tenant_is_out: watch::Receiver<bool>,
    ) -> Result<Self> {
        let mut consents = Self { by_grant: HashMap::new(), apps: HashMap::new(), gap: None };
        if let Some(gap) = ledger.skipped(FACET) {
            consents.gap = Some(gap);
            return Ok(consents);
        }
        let since = graph.door.clock().now().minus(RETENTION);
        let mut questions =
            ACTIVITIES.map(|name| format!("activityDisplayName eq '{name}'")).to_vec();
        questions.push(format!("startswith(activityDisplayName,'{UPDATE}')"));
        for question in questions {
            let read = async {
                claims.allow(Area::AuditLog)?;
                let query = format!(
                    "$filter={question} and activityDateTime ge {}T00:00:00Z",
                    since.date()
                );
                let first =
                    graph.report(graph::AUDIT_LOG, "v1.0", "auditLogs/directoryAudits", &query)?;
                let mut listing = Listing::new(graph, first);
                while let Some(lot) = listing.next::<DirectoryAudit>().await? {
                    let (mut read, mut odd) = (0, lot.odd);
                    let concerns = |row: &DirectoryAudit| concerns_integrations(row);
                    for row in lot.rows.into_iter().filter(concerns) {
                        let Some(at) = at(&row) else {
                            odd += 1;
                            continue;
                        };
                        read += 1;
                        consents.learn(&row, at);
                        wait(&mut tenant_is_out).await?;
                        sink.send(Record::AuditEvent(event(row, at))).await?;
                    }
                    ledger.read(FACET, read);
                    consents.gap = book_odd(ledger, FACET, odd).or(consents.gap.take());
                }
                Ok::<_, Error>(())
            };
            match read.await {
                Ok(()) => {}
                Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
                Err(error) => {
                    consents.gap = Some(book(ledger, FACET, &error));
                    // What refuses one question refuses them all; each of them takes its time.
                    break;
                }
            }
        }
        ledger.settle(FACET);
        Ok(consents)
    }

    fn learn(&mut self, row: &DirectoryAudit, at: Timestamp) {
        if !row.result.as_deref().is_none_or(|text| text.eq_ignore_ascii_case("success")) {
            return;
        }
        let targets = row.target_resources.as_deref().unwrap_or_default();
        match row.activity_display_name.as_deref().map(str::trim) {
            Some(CONSENT) => {
                let by: Option<Box<str>> = actor(row.initiated_by.as_ref()).map(Into::into);
                for key in targets.iter().flat_map(consented_grants) {
                    let is_newer = |old: &Consent| old.at < at;
                    if self.by_grant.get(key.as_str()).is_none_or(is_newer) {
                        self.by_grant.insert(key.into(), Consent { at, by: by.clone() });
                    }
                }
            }
            Some(APP_ADDED) => {
                if let Some(id) = targets.first().and_then(|target| target.id.as_deref()) {
                    let first = self.apps.entry(id.into()).or_insert(at);
                    *first = at.min(*first);
                }
            }
            _ => {}
        }
    }

    /// When the directory first had an app, if the log goes back so far.
    pub(super) fn app_added(&self, id: &str) -> Observed<Timestamp> {
        self.apps
            .get(id)
            .map_or_else(|| self.untold("when the app was added"), |at| Observed::Known(*at))
    }

    /// When a grant was given, and by whom.
    pub(super) fn consent_to(
        &self,
        grant: &PermissionGrant,
    ) -> (Observed<Timestamp>, Observed<String>) {
        let PermissionGrant { id, client_id, resource_id, principal_id, .. } = grant;
        let consent = self.by_grant.get(id.as_str()).or_else(|| {
            let key = key(client_id, resource_id.as_deref()?, principal_id.as_deref());
            self.by_grant.get(key.as_str())
        });
        let by = consent.and_then(|consent| consent.by.as_deref());
        (
            consent.map_or_else(|| self.untold("when it was given"), |it| Observed::Known(it.at)),
            by.map_or_else(|| self.untold("who gave it"), |by| Observed::Known(by.to_owned())),
        )
    }

    fn untold<T>(&self, what: &str) -> Observed<T> {
        match &self.gap {
            Some(gap) => Observed::Unknown(gap.clone()),
            None => {
                let detail =
                    format!("only the audit log tells {what}, and it does not go back so far");
                Observed::unknown(Reason::PlatformSilent, FACET, detail)
            }
        }
    }
}

impl Identified for DirectoryAudit {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Waits until the tenant's own record is out.
async fn wait(tenant_is_out: &mut watch::Receiver<bool>) -> Result<()> {
    tenant_is_out.wait_for(|out| *out).await.map(drop).map_err(|_| {
        Error::new(ErrorKind::Cancelled, "the scan ended before the tenant's own record was out")
    })
}

fn actor(initiator: Option<&Initiator>) -> Option<&str> {
    let initiator = initiator?;
    let user = initiator.user.as_ref();
    let of_user = user.and_then(|user| user.user_principal_name.as_deref().or(user.id.as_deref()));
    of_user.or_else(|| initiator.app.as_ref()?.display_name.as_deref())
}

/// A property that the event changed, without the quotes around it.
fn property<'a>(target: &'a TargetResource, name: &str) -> Option<&'a str> {
    let mut properties = target.modified_properties.iter().flatten();
    let found = properties.find(|property| property.display_name.as_deref() == Some(name))?;
    found.new_value.as_deref().map(|value| value.trim_matches('"'))
}

/// Who holds a grant, on what, and for whom; for everybody if nobody is named.
fn key(client: &str, resource: &str, principal: Option<&str>) -> String {
    format!("{client} {resource} {}", principal.unwrap_or_default()).to_lowercase()
}

/// Keys of the grants that a consent made. `ConsentAction.Permissions` is
/// `[before] => [[Id: …, ClientId: …, PrincipalId: …, ResourceId: …, …, Scope: …], [Id: …]]`.
fn consented_grants(target: &TargetResource) -> Vec<String> {
    let after = property(target, "ConsentAction.Permissions")
        .map(|text| text.rsplit_once("=>").map_or(text, |(_, after)| after))
        .unwrap_or_default();
    let mut keys = Vec::new();
    for entry in after.split(']') {
        let fields: HashMap<&str, &str> = entry
            .split(['[', ','])
            .filter_map(|field| field.trim().split_once(':'))
            .map(|(name, value)| (name.trim(), value.trim()))
            .collect();
        let field = |name| fields.get(name).copied().filter(|value| !value.is_empty());
        keys.extend(field("Id").map(ToOwned::to_owned));
        if let (Some(client), Some(resource)) = (field("ClientId"), field("ResourceId")) {
            keys.push(key(client, resource, field("PrincipalId")));
        }
    }
    keys
}

/// Whether the entry is one of those that were asked for: other changes of a registration begin with the same words.
fn concerns_integrations(row: &DirectoryAudit) -> bool {
    let name = row.activity_display_name.as_deref().unwrap_or_default().trim();
    !name.starts_with(UPDATE) || name.to_lowercase().contains(OF_CREDENTIALS)
}

fn at(row: &DirectoryAudit) -> Option<Timestamp> {
    row.activity_date_time.as_deref()?.parse().ok()
}

fn event(row: DirectoryAudit, at: Timestamp) -> AuditEvent {
    let action = row.activity_display_name.as_deref().unwrap_or_default().trim().to_owned();
    let targets = row.target_resources.unwrap_or_default();
    let names: Vec<&str> =
        targets.iter().filter_map(|target| target.display_name.as_deref()).collect();
    let mut summary = action.clone();
    if !names.is_empty() {
        summary = format!("{summary}: {}", names.join(", "));
    }
    let said = |name| targets.iter().find_map(|target| property(target, name));
    if said("ConsentContext.OnBehalfOfAll").is_some_and(|all| all.eq_ignore_ascii_case("true")) {
        summary.push_str(", for all users");
    }
    if row.result.as_deref().is_some_and(|result| !result.eq_ignore_ascii_case("success")) {
        summary.push_str(" (it failed)");
    }
    let actor = actor(row.initiated_by.as_ref()).map(ToOwned::to_owned);
    let actor = actor.map_or_else(
        || Observed::unknown(Reason::PlatformSilent, FACET, "the log does not tell who did it"),
        Observed::Known,
    );
    AuditEvent { id: row.id, at, actor, action, summary }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ModifiedProperty;

    #[test]
    fn finds_the_grants_that_a_consent_made() {
        let value = "\"[] => [[Id: aB-1, ClientId: c, PrincipalId: , ResourceId: r, ConsentType: AllPrincipals, Scope:  Mail.Read offline_access, CreatedDateTime: , ExpiryTime: ]], [[Id: aB-2, ClientId: C, PrincipalId: p, ResourceId: r]]; \"";
        let target = TargetResource {
            id: None,
            display_name: None,
            modified_properties: Some(vec![ModifiedProperty {
                display_name: Some("ConsentAction.Permissions".into()),
                new_value: Some(value.into()),
            }]),
        };
        assert_eq!(consented_grants(&target), ["aB-1", "c r ", "aB-2", "c r p"]);
    }
}
