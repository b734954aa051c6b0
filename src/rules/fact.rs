//! Names of the facts that rules need: paths into the inventory's records, the same on every platform.
//!
//! They appear in [`Meta::needs`](super::Meta::needs), in [`Evidence::source`](crate::finding::Evidence) and in
//! [`Unknown::fact`](super::Unknown), so that a reader finds the fact in an exported inventory.
//! What begins with `before.` is in the inventory of an earlier scan.

/// Whether an administrator stands behind the grant.
pub const GRANT_APPROVAL: &str = "grant.approval";
/// When the grant ends by itself.
pub const GRANT_EXPIRES: &str = "grant.expires";
/// When the grant was given.
pub const GRANT_GRANTED_AT: &str = "grant.granted_at";
/// When the grant was last used.
pub const GRANT_LAST_USED_AT: &str = "grant.last_used_at";
/// Where the grant works from.
pub const GRANT_NETWORK: &str = "grant.network.binding";
/// Settings that look like a network restriction.
pub const GRANT_LOOK_ALIKES: &str = "grant.network.look_alikes";
/// Settings of the whole tenant that look like a network restriction.
pub const TENANT_LOOK_ALIKES: &str = "tenant.look_alikes";
/// What the grant allows.
pub const GRANT_SCOPES: &str = "grant.scopes";
/// Whether a thief of the token can use it.
pub const GRANT_SENDER_CONSTRAINED: &str = "grant.sender_constrained";
/// For whom the app acts.
pub const HOLDER: &str = "grant.holder";
/// A person or a machine.
pub const HOLDER_KIND: &str = "grant.holder.kind";
/// The rights of the principal behind the grant.
pub const HOLDER_PRIVILEGES: &str = "grant.holder.privileges";
/// Whether the principal behind the grant can still sign in.
pub const HOLDER_STATUS: &str = "grant.holder.status";
/// The app's OAuth client identifiers.
pub const APP_CLIENT_IDS: &str = "app.client_ids";
/// Where the app redirects to.
pub const APP_REDIRECT_DOMAINS: &str = "app.redirect_domains";
/// The company that says it is behind the app.
pub const APP_PUBLISHER: &str = "app.publisher";
/// When the tenant first had the app.
pub const APP_CREATED_AT: &str = "app.created_at";
/// How the grant was given.
pub const GRANT_KIND: &str = "grant.kind";
/// Further facts that bear on what the grant reaches.
pub const GRANT_SETTINGS: &str = "grant.settings";
/// The app's name.
pub const APP_NAME: &str = "app.name";
/// Whether the tenant installed the app.
pub const APP_INSTALLED: &str = "app.installed";
/// Whether the tenant has blocked the app.
pub const APP_BLOCKED: &str = "app.blocked";
/// In which tenant of the platform the app is registered.
pub const APP_HOME_TENANT: &str = "app.home_tenant";
/// The namespace of the app's package.
pub const APP_NAMESPACE: &str = "app.namespace";
/// Whether the app may look into tokens of other apps.
pub const APP_INTROSPECTS: &str = "app.introspects_all_tokens";
/// What the app's registration allows.
pub const APP_SCOPES: &str = "app.scopes";
/// When the credential ends by itself.
pub const CREDENTIAL_EXPIRES: &str = "credential.expires_at";
/// When the credential was made.
pub const CREDENTIAL_CREATED_AT: &str = "credential.created_at";
/// When the credential was last used.
pub const CREDENTIAL_LAST_USED_AT: &str = "credential.last_used_at";
/// What an ordinary user may consent to.
pub const USER_CONSENT: &str = "tenant.consent.user_consent";
/// Who holds a right that gets past the consent setting.
pub const CONSENT_BYPASSES: &str = "tenant.consent.bypasses";
/// Weak flows that are left open.
pub const WEAK_FLOWS: &str = "tenant.consent.weak_flows";
/// What the apps did, by the platform's logs.
pub const USAGE: &str = "usage";
/// What the apps did, call by call.
pub const USAGE_OPERATIONS: &str = "usage.operations";
/// The grants of an earlier scan.
pub const BEFORE_GRANTS: &str = "before.grants";
/// The apps of an earlier scan.
pub const BEFORE_APPS: &str = "before.apps";
/// The credentials of an earlier scan.
pub const BEFORE_CREDENTIALS: &str = "before.credentials";
/// What the apps did, by earlier scans.
pub const BEFORE_USAGE: &str = "before.usage";
/// Who may start using the app.
pub const APP_APPROVAL: &str = "app.approval";
