//! What can be seen: one small read for each facet, never a whole listing.

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    http::Request,
    ledger::Ledger,
};

use super::{consents, directory, grants, people, permissions, registrations, reports, roles};
use crate::{
    api::{Organization, Page, Row},
    graph::{self, Graph},
    rights::{Area, Claims},
};

/// What shows whether a facet is visible.
struct Look {
    facets: &'static [&'static str],
    area: Area,
    path: &'static str,
    query: &'static str,
}

const LOOKS: [Look; 9] = [
    Look {
        facets: &["organization"],
        area: Area::Organization,
        path: "organization",
        query: "$select=id,displayName,assignedPlans",
    },
    // The listings of permissions and federated credentials take the same right.
    Look {
        facets: &[directory::FACET, permissions::FACET],
        area: Area::Applications,
        path: "servicePrincipals",
        query: "$top=1&$select=id",
    },
    Look {
        facets: &[registrations::FACET, registrations::FEDERATED],
        area: Area::Applications,
        path: "applications",
        query: "$top=1&$select=id",
    },
    Look {
        facets: &[grants::FACET],
        area: Area::Grants,
        path: "oauth2PermissionGrants",
        query: "$top=1",
    },
    Look {
        facets: &[roles::OF_APPS, roles::OF_USERS],
        area: Area::Roles,
        path: "roleManagement/directory/roleDefinitions",
        query: "",
    },
    Look { facets: &[people::FACET], area: Area::Users, path: "users", query: "$top=1&$select=id" },
    Look {
        facets: &["consent-settings"],
        area: Area::Policies,
        path: "policies/authorizationPolicy",
        query: "",
    },
    Look {
        facets: &["consent-settings"],
        area: Area::GrantPolicies,
        path: "policies/permissionGrantPolicies",
        query: "",
    },
    Look {
        facets: &["app-management"],
        area: Area::Policies,
        path: "policies/defaultAppManagementPolicy",
        query: "",
    },
];

const REPORTS: [(&str, Area, &str, &str); 3] = [
    (reports::SIGN_INS, Area::Reports, "beta", "reports/servicePrincipalSignInActivities"),
    (reports::CREDENTIALS, Area::Reports, "beta", "reports/appCredentialSignInActivities"),
    (consents::FACET, Area::AuditLog, "v1.0", "auditLogs/directoryAudits"),
];

/// Books for each facet whether it is visible. The directory's own record, if it shows it.
pub(crate) async fn probe(graph: &Graph, ledger: &Ledger, claims: &Claims) -> Option<Organization> {
    let (organization, ()) =
        tokio::join!(settings(graph, ledger, claims), report(graph, ledger, claims));
    organization
}

async fn settings(graph: &Graph, ledger: &Ledger, claims: &Claims) -> Option<Organization> {
    let request = |look: &Look| graph.get("look whether it is visible", look.path, look.query);
    let requests: Vec<Request> = match LOOKS.iter().map(request).collect() {
        Ok(requests) => requests,
        Err(error) => {
            LOOKS.iter().flat_map(|look| look.facets).for_each(|facet| {
                ledger.fail(facet, &error);
            });
            return None;
        }
    };
    let mut organization = None;
    for ((look, request), reply) in
        LOOKS.iter().zip(&requests).zip(graph.send_batch(&requests).await)
    {
        let seen = claims.allow(look.area).and(reply);
        if let (Ok(reply), "organization") = (&seen, look.path) {
            let page: Result<Page<Organization>> = graph.decode(request, reply);
            organization = page.ok().and_then(|page| page.value.into_iter().find_map(Row::good));
        }
        for facet in look.facets {
            if ledger.skipped(facet).is_some() {
                continue;
            }
            ledger.settle(facet);
            if let Err(error) = &seen {
                ledger.fail(facet, error);
            }
        }
    }
    organization
}

async fn report(graph: &Graph, ledger: &Ledger, claims: &Claims) {
    for (facet, area, version, path) in REPORTS {
        if ledger.skipped(facet).is_some() {
            continue;
        }
        ledger.settle(facet);
        let seen = async {
            claims.allow(area)?;
            let request = graph.report(graph::LOOK_AT_REPORT, version, path, "$top=1")?;
            graph.send(&request).await.map(drop)
        };
        let seen: Result<(), Error> = seen.await;
        match seen {
            Ok(()) => {}
            Err(error) if error.kind == ErrorKind::Unsupported => {
                reports::book(ledger, facet, &error);
            }
            Err(error) => {
                ledger.fail(facet, &error);
            }
        }
    }
}
