//! The second gate: what an admin role may do. The first gate, scopes, is no concern of this file.

use serde_json::{Value as Json, json};

use super::id::{letters, mix, named};
use super::time::iso;

/// The standard role types of the platform.
const STANDARD: [(&str, &str); 12] = [
    ("SUPER_ADMIN", "Super Administrator"),
    ("ORG_ADMIN", "Organization Administrator"),
    ("APP_ADMIN", "Application Administrator"),
    ("API_ACCESS_MANAGEMENT_ADMIN", "API Access Management Administrator"),
    ("READ_ONLY_ADMIN", "Read Only Administrator"),
    ("REPORT_ADMIN", "Report Administrator"),
    ("HELP_DESK_ADMIN", "Help Desk Administrator"),
    ("USER_ADMIN", "Group Administrator"),
    ("GROUP_MEMBERSHIP_ADMIN", "Group Membership Administrator"),
    ("MOBILE_ADMIN", "Mobile Administrator"),
    ("ACCESS_CERTIFICATIONS_ADMIN", "Access Certifications Administrator"),
    ("WORKFLOWS_ADMIN", "Workflows Administrator"),
];

/// What an operation touches: a resource of the scopes' names, to read or to change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Right {
    /// The middle of the scope, e.g. `appGrants`.
    pub(crate) resource: &'static str,
    /// Whether it changes something.
    pub(crate) manage: bool,
}

impl Right {
    /// The scope of the right.
    pub(crate) fn scope(self) -> String {
        let verb = if self.manage { "manage" } else { "read" };
        format!("okta.{}.{verb}", self.resource)
    }
}

/// An admin role that somebody has.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    /// `SUPER_ADMIN`, …, `CUSTOM`.
    pub(crate) kind: &'static str,
    pub(crate) label: String,
    /// What a custom role may do.
    permissions: Vec<String>,
    pub(crate) created: i64,
}

impl Role {
    /// A role by its type, or by the label of a custom one.
    pub(crate) fn find(name: &str, custom: &[(String, Vec<String>)], created: i64) -> Option<Self> {
        if let Some((kind, label)) = STANDARD.iter().find(|(kind, _)| *kind == name) {
            return Some(Self {
                kind,
                label: (*label).to_owned(),
                permissions: Vec::new(),
                created,
            });
        }
        let (label, permissions) = custom.iter().find(|(label, _)| label == name)?;
        Some(Self {
            kind: "CUSTOM",
            label: label.clone(),
            permissions: permissions.clone(),
            created,
        })
    }

    /// Whether worlds and tests name this role so.
    pub(crate) fn is(&self, name: &str) -> bool {
        if self.kind == "CUSTOM" { self.label == name } else { self.kind == name }
    }

    /// Whether the role is enough for something.
    pub(crate) fn allows(&self, right: Right, super_admin_only: &[String]) -> bool {
        if self.kind == "SUPER_ADMIN" {
            return true;
        }
        if super_admin_only.iter().any(|resource| resource == right.resource) {
            return false;
        }
        let Right { resource, manage } = right;
        match self.kind {
            "ORG_ADMIN" => {
                !manage
                    || !["roles", "appGrants", "apiTokens", "oauthIntegrations"].contains(&resource)
            }
            "READ_ONLY_ADMIN" => !manage,
            "APP_ADMIN" => {
                ["apps", "clients"].contains(&resource) || resource == "users" && !manage
            }
            "API_ACCESS_MANAGEMENT_ADMIN" => {
                ["apps", "clients", "authorizationServers"].contains(&resource)
                    || resource == "users" && !manage
            }
            "REPORT_ADMIN" => resource == "logs" && !manage,
            "HELP_DESK_ADMIN" | "USER_ADMIN" | "GROUP_MEMBERSHIP_ADMIN" => resource == "users",
            "CUSTOM" => {
                let wanted = [right.scope(), format!("okta.{resource}.manage")];
                self.permissions.iter().any(|permission| wanted.contains(permission))
            }
            _ => false,
        }
    }

    /// As the platform lists it. `whose` is the id of who has it.
    pub(crate) fn json(&self, whose: &str, assignment: &str, base_url: &str) -> Json {
        let name = format!("{whose}/{}", self.label);
        let prefix = if self.kind == "CUSTOM" { "irb" } else { "ra1" };
        let mut body = json!({
            "id": named(prefix, &name),
            "label": self.label,
            "type": self.kind,
            "status": "ACTIVE",
            "assignmentType": assignment,
            "created": iso(self.created),
            "lastUpdated": iso(self.created),
            "_links": { "assignee": { "href": format!("{base_url}/api/v1/users/{whose}") } },
        });
        if assignment == "CLIENT" {
            body["_links"]["assignee"]["href"] =
                json!(format!("{base_url}/oauth2/v1/clients/{whose}"));
        }
        if self.kind == "CUSTOM" {
            let seed = self.label.bytes().fold(3, |seed, byte| mix(seed ^ u64::from(byte)));
            body["role"] = json!(format!("cr0{}", letters(seed, 17)));
            body["resource-set"] = json!(format!("iam{}", letters(mix(seed), 17)));
        }
        body
    }
}
