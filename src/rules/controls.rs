//! Published controls that rules answer to, each written once. A control that nobody published does not belong here.
//!
//! Ids of CISA's baselines stand without their version, which changes while the control stays the same.

/// A control, or a threat, that somebody else published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Control {
    /// Who published it.
    pub framework: &'static str,
    /// Its id there.
    pub id: &'static str,
    /// Its title there.
    pub title: &'static str,
    /// Where it stands.
    pub url: &'static str,
}

const NHI: &str = "OWASP Non-Human Identities Top 10";
const ATTACK: &str = "MITRE ATT&CK";
const SCUBA: &str = "CISA SCuBA";
const SBS: &str = "Security Benchmark for Salesforce";
const CIS_MICROSOFT: &str = "CIS Microsoft 365 Foundations Benchmark";
const CIS_GOOGLE: &str = "CIS Google Workspace Foundations Benchmark";

const NHI_PAGE: &str = "https://owasp.org/www-project-non-human-identities-top-10/2025/top-10-2025";
const SBS_PAGE: &str = "https://github.com/Salesforce-Security-Benchmark/docs-site/blob/main/benchmark/oauth-security.md";
const GWS_PAGE: &str =
    "https://github.com/cisagov/ScubaGoggles/blob/main/scubagoggles/baselines/commoncontrols.md";
const CIS_MICROSOFT_PAGE: &str = "https://www.cisecurity.org/benchmark/microsoft_365";
const CIS_GOOGLE_PAGE: &str = "https://www.cisecurity.org/benchmark/google_workspace";

const fn nhi(id: &'static str, title: &'static str) -> Control {
    Control { framework: NHI, id, title, url: NHI_PAGE }
}

const fn attack(id: &'static str, title: &'static str, url: &'static str) -> Control {
    Control { framework: ATTACK, id, title, url }
}

const fn scuba(id: &'static str, title: &'static str, url: &'static str) -> Control {
    Control { framework: SCUBA, id, title, url }
}

const fn sbs(id: &'static str, title: &'static str) -> Control {
    Control { framework: SBS, id, title, url: SBS_PAGE }
}

pub(super) const NHI_OFFBOARDING: Control = nhi("NHI1:2025", "Improper Offboarding");
pub(super) const NHI_LEAKAGE: Control = nhi("NHI2:2025", "Secret Leakage");
pub(super) const NHI_THIRD_PARTY: Control = nhi("NHI3:2025", "Vulnerable Third-Party NHI");
pub(super) const NHI_AUTHENTICATION: Control = nhi("NHI4:2025", "Insecure Authentication");
pub(super) const NHI_OVERPRIVILEGED: Control = nhi("NHI5:2025", "Overprivileged NHI");
pub(super) const NHI_LONG_LIVED: Control = nhi("NHI7:2025", "Long-Lived Secrets");
pub(super) const NHI_HUMAN_USE: Control = nhi("NHI10:2025", "Human Use of NHI");

pub(super) const STEAL_TOKEN: Control =
    attack("T1528", "Steal Application Access Token", "https://attack.mitre.org/techniques/T1528/");
pub(super) const USE_TOKEN: Control = attack(
    "T1550.001",
    "Use Alternate Authentication Material: Application Access Token",
    "https://attack.mitre.org/techniques/T1550/001/",
);
pub(super) const ADD_CREDENTIALS: Control = attack(
    "T1098.001",
    "Account Manipulation: Additional Cloud Credentials",
    "https://attack.mitre.org/techniques/T1098/001/",
);
pub(super) const ADD_ROLES: Control = attack(
    "T1098.003",
    "Account Manipulation: Additional Cloud Roles",
    "https://attack.mitre.org/techniques/T1098/003/",
);
pub(super) const MASQUERADE: Control = attack(
    "T1036.005",
    "Masquerading: Match Legitimate Resource Name or Location",
    "https://attack.mitre.org/techniques/T1036/005/",
);
pub(super) const INTEGRATE: Control =
    attack("T1671", "Cloud Application Integration", "https://attack.mitre.org/techniques/T1671/");

pub(super) const ENTRA_REGISTRATION: Control = scuba(
    "MS.AAD.5.1",
    "Only administrators SHALL be allowed to register applications",
    "https://github.com/cisagov/ScubaGear/blob/main/PowerShell/ScubaGear/baselines/aad.md#msaad51v1",
);
pub(super) const ENTRA_CONSENT: Control = scuba(
    "MS.AAD.5.2",
    "Only administrators SHALL be allowed to consent to applications",
    "https://github.com/cisagov/ScubaGear/blob/main/PowerShell/ScubaGear/baselines/aad.md#msaad52v1",
);
pub(super) const ENTRA_WORKFLOW: Control = scuba(
    "MS.AAD.5.3",
    "An admin consent workflow SHALL be configured for applications",
    "https://github.com/cisagov/ScubaGear/blob/main/PowerShell/ScubaGear/baselines/aad.md#msaad53v1",
);
pub(super) const GOOGLE_ACCESS: Control = scuba(
    "GWS.COMMONCONTROLS.10.1",
    "Agencies SHALL use GWS application access control policies to restrict access to all GWS services by third party apps",
    GWS_PAGE,
);
pub(super) const GOOGLE_LOW_RISK: Control = scuba(
    "GWS.COMMONCONTROLS.10.2",
    "Agencies SHALL NOT allow users to consent to access to low-risk scopes",
    GWS_PAGE,
);
pub(super) const GOOGLE_UNCONFIGURED: Control = scuba(
    "GWS.COMMONCONTROLS.10.4",
    "Agencies SHALL NOT allow users to access unconfigured third-party apps",
    GWS_PAGE,
);
pub(super) const GOOGLE_LESS_SECURE: Control = scuba(
    "GWS.COMMONCONTROLS.10.5",
    "Access to Google Workspace applications by less secure apps that do not meet security standards for authentication SHALL be prevented",
    GWS_PAGE,
);
pub(super) const GOOGLE_MARKETPLACE: Control = scuba(
    "GWS.COMMONCONTROLS.11.1",
    "Only approved Google Workspace Marketplace applications SHALL be allowed for installation",
    GWS_PAGE,
);

pub(super) const SALESFORCE_INSTALL: Control =
    sbs("SBS-OAUTH-001", "Require Formal Installation of Connected Apps");
pub(super) const SALESFORCE_ACCESS: Control =
    sbs("SBS-OAUTH-002", "Require Profile or Permission Set Access Control for Connected Apps");
pub(super) const SALESFORCE_CRITICALITY: Control =
    sbs("SBS-OAUTH-003", "Add Criticality Classification of OAuth-Enabled Connected Apps");
pub(super) const SALESFORCE_DILIGENCE: Control =
    sbs("SBS-OAUTH-004", "Due Diligence Documentation for High-Risk Connected App Vendors");

pub(super) const CIS_ENTRA_APPS: Control = Control {
    framework: CIS_MICROSOFT,
    id: "5.1.2.2",
    title: "Ensure third party integrated applications are not allowed",
    url: CIS_MICROSOFT_PAGE,
};
pub(super) const CIS_ENTRA_CONSENT: Control = Control {
    framework: CIS_MICROSOFT,
    id: "5.1.5.1",
    title: "Ensure user consent to apps accessing company data on their behalf is not allowed",
    url: CIS_MICROSOFT_PAGE,
};
pub(super) const CIS_GOOGLE_DELEGATION: Control = Control {
    framework: CIS_GOOGLE,
    id: "4.2.1.4",
    title: "Ensure domain-wide delegation for applications is reviewed periodically",
    url: CIS_GOOGLE_PAGE,
};
