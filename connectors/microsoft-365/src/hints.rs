//! What an administrator can do about an error of Microsoft's.

use grantwarden_kit::error::{Error, ErrorKind};

/// Adds a hint to an error whose cause is known.
pub(crate) fn advise(error: Error) -> Error {
    let Some(code) = error.code() else { return error };
    let hint = match code {
        "AADSTS7000222" => {
            "the client secret has ended: App registrations > the app > Certificates & secrets > New client secret, or better upload a certificate"
        }
        "AADSTS7000215" => {
            "the client secret is wrong: its Value is needed, which is shown once, and not its Secret ID"
        }
        "AADSTS700027" => {
            "the certificate at the app does not belong to the private key, or it has ended: upload the certificate that `certificate` names; check this machine's clock too"
        }
        "AADSTS700024" => {
            "the assertion had ended, or not begun, when it arrived: check this machine's clock"
        }
        "AADSTS700016" => {
            "no such app in this directory: check client_id (Application ID, not Object ID) and account"
        }
        "AADSTS90002" | "AADSTS900023" => {
            "no such directory: account must be the Directory (tenant) ID or a verified domain, and base_url the Graph host of its cloud"
        }
        "AADSTS7000112" => {
            "the scanner's own app is disabled: Enterprise applications > the app > Properties > Enabled for users to sign-in = Yes"
        }
        "AADSTS53003" => {
            "a conditional access policy keeps the scanner out: add the address that it runs from to the policy's locations"
        }
        "AADSTS700213" | "AADSTS70021" => {
            "no federated credential of the app matches the token's issuer and subject: App registrations > the app > Certificates & secrets > Federated credentials"
        }
        "Authorization_RequestDenied" | "Authentication_MSGraphPermissionMissing" => {
            "App registrations > the scanner's app > API permissions: add the application permission, then Grant admin consent"
        }
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant" => {
            "the directory needs Microsoft Entra ID P1 or P2 for this"
        }
        "InvalidAuthenticationToken" if error.kind == ErrorKind::Unauthorized => {
            "a new token is refused too: check that base_url belongs to the cloud of the token, and that the app was not disabled meanwhile"
        }
        _ => return error,
    };
    error.with_hint(hint)
}
