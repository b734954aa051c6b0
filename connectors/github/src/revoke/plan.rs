//! The steps that end what the targets name, and what a person has to do. Only exact ties become steps; what merely looks alike is named
//! for a person to look at. The scanner's own token and installation are never planned.

use std::collections::{BTreeMap, HashSet};

use grantwarden_kit::{
    connector::{RevocationPlan, Step, Targets},
    error::Result,
    model::{App, Grant, Observed, Setting},
};

use super::{
    left_behind::{self, Remains},
    steps::{self, Installed, ORDER, Receiver},
};
use crate::{
    api::{CredentialAuthorization, Installation, OrganizationRow, RepositoryRow, SiteToken},
    client::Client,
    collect::{SLUG, StandIn, every_row},
    site::{Account, Edition, is_name},
};

/// A repository of this name, which the organisation keeps empty, is what an app is narrowed to.
const QUARANTINE: &str = "quarantine";
/// Names of repositories that an undo writes down.
const SHOWN: usize = 100;
/// A plan being made. A step that several targets ask for comes once.
#[derive(Default)]
pub(super) struct Draft {
    steps: BTreeMap<(usize, String, String), Step>,
    by_hand: Vec<String>,
}

impl Draft {
    pub(super) fn add(&mut self, step: Step) {
        let order = ORDER.iter().position(|action| *action == step.action).unwrap_or(ORDER.len());
        self.steps.entry((order, step.target.clone(), place_of(&step).to_owned())).or_insert(step);
    }

    pub(super) fn by_hand(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.by_hand.contains(&text) {
            self.by_hand.push(text);
        }
    }
}

/// Where a step's target stands: a webhook of the organisation and one of a repository may have the same number.
pub(super) fn place_of(step: &Step) -> &str {
    step.details.get("repository").map_or("", String::as_str)
}

/// Makes a plan.
pub(super) async fn make(client: &Client, targets: &Targets) -> Result<RevocationPlan> {
    let (mut draft, mut known) = (Draft::default(), Known::default());
    for app in &targets.apps {
        whole_app(client, app, &mut known, &mut draft).await?;
    }
    let own = own_credentials(client, &targets.grants).await?;
    for grant in &targets.grants {
        one_grant(client, grant, (&own, &mut known), &mut draft).await?;
    }
    Ok(RevocationPlan { steps: draft.steps.into_values().collect(), by_hand: draft.by_hand })
}

/// What was read for a plan, once for all of its targets.
#[derive(Default)]
struct Known {
    installed: Option<Everywhere>,
    remains: Option<Remains>,
}

impl Known {
    async fn installations(&mut self, client: &Client) -> Result<&Everywhere> {
        let installed = match self.installed.take() {
            Some(installed) => installed,
            None => installations(client).await?,
        };
        Ok(self.installed.insert(installed))
    }

    async fn remains(&mut self, client: &Client) -> &Remains {
        let remains = match self.remains.take() {
            Some(remains) => remains,
            None => Remains::read(client).await,
        };
        self.remains.insert(remains)
    }
}

/// What is installed where.
type Everywhere = Vec<(Option<String>, Installation)>;

/// The installations on the organisation, or on every organisation of the enterprise.
async fn installations(client: &Client) -> Result<Everywhere> {
    match &client.site.account {
        Account::Organization(_) => {
            let request = client.list("list installations", &["installations"])?;
            let rows: Vec<Installation> = every_row(client, request).await?;
            Ok(rows.into_iter().map(|row| (None, row)).collect())
        }
        Account::Enterprise(_) => {
            let request =
                client.list("list organisations", &["apps", "installable_organizations"])?;
            let organizations: Vec<OrganizationRow> = every_row(client, request).await?;
            let mut all = Vec::new();
            for organization in organizations.into_iter().filter(|row| is_name(&row.login)) {
                let path = ["apps", "organizations", &organization.login, "installations"];
                let request = client.list("list installations of an organisation", &path)?;
                let rows: Vec<Installation> = every_row(client, request).await?;
                all.extend(rows.into_iter().map(|row| (Some(organization.login.clone()), row)));
            }
            Ok(all)
        }
    }
}

async fn whole_app(client: &Client, app: &App, known: &mut Known, draft: &mut Draft) -> Result<()> {
    if let Some(stand_in) = StandIn::ALL.into_iter().find(|known| known.app().0 == app.id) {
        let name = stand_in.app().1;
        draft.by_hand(format!(
            "{name} stands for many that GitHub does not tell apart: name the grants to revoke. Ending all of a kind at once is not planned: it would end the scanner's own, too."
        ));
        return Ok(());
    }
    if app.id.starts_with("oauth-app:") {
        draft.by_hand(format!(
            "Deny {}: organisation settings > Third-party access > OAuth app policy > {} > Deny access. No interface does it. Tokens that users gave it elsewhere stay.",
            app.name, app.name
        ));
        return Ok(());
    }
    if let Some(host) = app.id.strip_prefix("webhook:") {
        if app.redirect_domains.known().is_none() {
            draft.by_hand(format!(
                "{}: GitHub does not tell where these webhooks send to. Name the grants to revoke.",
                app.name
            ));
            return Ok(());
        }
        return left_behind::of_host(client, host, draft).await;
    }
    if app.kind == "OAuth app" {
        return tokens_of_client(client, app, draft).await;
    }
    let rows = known.installations(client).await?.iter();
    let of_app: Vec<&(Option<String>, Installation)> =
        rows.filter(|(_, row)| is_of(app, row)).collect();
    if of_app.is_empty() {
        draft.by_hand(format!(
            "No installation of {} is listed: what it left behind is looked for. If it is installed, name the grant of its installation.",
            app.name
        ));
    }
    let mut slugs: HashSet<String> =
        setting_of(&app.settings, SLUG).map(ToOwned::to_owned).into_iter().collect();
    for (organization, row) in of_app {
        slugs.extend(row.app_slug.clone());
        one_installation(client, organization.as_deref(), (row, &app.name), draft).await?;
    }
    if matches!(client.site.account, Account::Organization(_)) {
        left_behind::of_app(client, known.remains(client).await, (app, &slugs), draft);
    } else {
        draft.by_hand(format!(
            "Deploy keys and webhooks that {} left behind are looked for in an organisation: plan there as well.",
            app.name
        ));
    }
    draft.by_hand(format!(
        "Tokens that users gave {} (ghu_) end within 8 hours, or with the user: Settings > Applications > Authorized GitHub Apps > {} > Revoke. What it copied, such as secrets of workflows, has to be replaced.",
        app.name, app.name
    ));
    Ok(())
}

/// Whether an installation is of an app: by number or client id, never by name; where a listing tells neither, the record stands for the one
/// installation.
fn is_of(app: &App, row: &Installation) -> bool {
    let by_installation = app.id == format!("installation:{}", row.id);
    let by_number = row.app_id.is_some_and(|id| app.id == format!("app:{id}"));
    let by_client = row.client_id.as_ref().is_some_and(|client| {
        app.id == format!("client:{client}")
            || app.client_ids.known().is_some_and(|clients| clients.contains(client))
    });
    by_number || by_client || by_installation
}

async fn one_installation(
    client: &Client,
    organization: Option<&str>,
    (row, name): (&Installation, &str),
    draft: &mut Draft,
) -> Result<()> {
    if client.held().installation().is_some_and(|own| own.installation == row.id) {
        draft.by_hand(format!(
            "{name} is what this plan was made with: its own installation is not planned."
        ));
        return Ok(());
    }
    let Some(organization) = organization else {
        let page = row.html_url.as_deref().unwrap_or("organisation settings > GitHub Apps");
        draft.by_hand(format!(
            "Uninstall {name}: {page} > Suspend (to be undone) or Uninstall. Only an app that is installed on the enterprise can do it by an interface (account = \"enterprises/SLUG\")."
        ));
        return Ok(());
    };
    let installed = Installed { organization, id: row.id, app: name };
    match quarantine(client, &installed).await {
        Ok(true) => draft.add(steps::narrow(&installed, QUARANTINE, &before(client, &installed, row).await)),
        Ok(false) => draft.by_hand(format!(
            "To narrow an app before it is uninstalled, {organization} needs an empty private repository named {QUARANTINE}: there is none."
        )),
        Err(error) => draft.by_hand(format!(
            "It could not be looked up whether {organization} has a repository named {QUARANTINE} to narrow {name} to: {}",
            error.summary()
        )),
    }
    draft.add(steps::uninstall(&installed));
    Ok(())
}

/// Whether the organisation has a repository that apps can be narrowed to.
async fn quarantine(client: &Client, installed: &Installed<'_>) -> Result<bool> {
    let path =
        ["apps", "installable_organizations", installed.organization, "accessible_repositories"];
    let request = client.list("list repositories of an organisation", &path)?;
    let rows: Vec<RepositoryRow> = every_row(client, request).await?;
    Ok(rows.iter().any(|row| row.name == QUARANTINE))
}

/// What an installation reaches now, as the body of the call that gives it back.
async fn before(client: &Client, installed: &Installed<'_>, row: &Installation) -> String {
    if row.repository_selection.as_deref() == Some("all") {
        return r#"{"repository_selection":"all"}"#.to_owned();
    }
    let id = installed.id.to_string();
    let path =
        ["apps", "organizations", installed.organization, "installations", &id, "repositories"];
    let rows = async {
        let request = client.list("list repositories of an installation", &path)?;
        every_row::<RepositoryRow>(client, request).await
    };
    match rows.await {
        Err(error) => {
            format!("the repositories that it has, which could not be read: {}", error.summary())
        }
        Ok(rows) if rows.len() <= SHOWN => {
            let names: Vec<String> = rows.into_iter().map(|row| row.name).collect();
            serde_json::json!({ "repository_selection": "selected", "repositories": names })
                .to_string()
        }
        Ok(_) => format!(
            "the repositories that it has: too many for a plan, read them first (more than {SHOWN})"
        ),
    }
}

/// The tokens that an OAuth app holds on a server.
async fn tokens_of_client(client: &Client, app: &App, draft: &mut Draft) -> Result<()> {
    if client.edition()? != Edition::Server {
        draft.by_hand(format!(
            "Deny {}: organisation settings > Third-party access > OAuth app policy.",
            app.name
        ));
        return Ok(());
    }
    let clients = app.client_ids.known().cloned().unwrap_or_default();
    let request =
        client.query("list tokens of the server", &["admin", "tokens"], &[("per_page", "100")])?;
    for row in every_row::<SiteToken>(client, request).await? {
        let of_client = row.app.as_ref().and_then(|app| app.client_id.as_ref());
        if of_client.is_some_and(|id| clients.contains(id)) {
            site_token(client, &row, draft);
        }
    }
    Ok(())
}

fn site_token(client: &Client, row: &SiteToken, draft: &mut Draft) {
    if is_own(client, row.token_last_eight.as_deref()) {
        draft.by_hand(
            "A token of the targets is the one that this plan was made with: it is not planned.",
        );
        return;
    }
    let login = row.user.as_ref().and_then(|user| user.login.as_deref());
    draft.add(steps::delete_site_token(
        row.id,
        row.note.as_deref().unwrap_or("without a name"),
        login,
    ));
}

/// Whether a token that a listing names is our own.
fn is_own(client: &Client, last_eight: Option<&str>) -> bool {
    last_eight.is_some() && last_eight == client.own_last_eight()
}

/// Authorisations among the targets that are of our own token. A grant may be old, or changed: the listing is asked.
async fn own_credentials(client: &Client, grants: &[Grant]) -> Result<HashSet<u64>> {
    let Some(own) = client.own_last_eight() else { return Ok(HashSet::new()) };
    let logins: HashSet<&str> = grants
        .iter()
        .filter(|grant| grant.id.starts_with("credential:"))
        .filter_map(|grant| grant.holder.principal()?.name.known().map(String::as_str))
        .collect();
    let mut ids = HashSet::new();
    for login in logins {
        let mut request =
            client.list("list authorised credentials", &["credential-authorizations"])?;
        request.url.query_pairs_mut().append_pair("login", login);
        let rows: Vec<CredentialAuthorization> = every_row(client, request).await?;
        let of_own = rows.iter().filter(|row| row.token_last_eight.as_deref() == Some(own));
        ids.extend(of_own.map(|row| row.credential_id));
    }
    Ok(ids)
}

async fn one_grant(
    client: &Client,
    grant: &Grant,
    (own, known): (&HashSet<u64>, &mut Known),
    draft: &mut Draft,
) -> Result<()> {
    let (kind, id) = grant.id.split_once(':').unwrap_or((&grant.id, ""));
    let Ok(number) = id.parse::<u64>() else {
        draft.by_hand(format!(
            "{} of {} is not a grant that this version knows.",
            grant.id, grant.app_name
        ));
        return Ok(());
    };
    let login = grant.holder.principal().and_then(|holder| holder.name.known()).map(String::as_str);
    let name = setting_of(&grant.settings, "Name").unwrap_or("without a name");
    let repository = setting_of(&grant.settings, "Repository");
    match kind {
        "installation" => {
            let rows = known.installations(client).await?.iter();
            match rows.into_iter().find(|(_, row)| row.id == number) {
                Some((organization, row)) => {
                    let of = (row, grant.app_name.as_str());
                    one_installation(client, organization.as_deref(), of, draft).await?;
                }
                None => draft.by_hand(format!("{} is not installed any more.", grant.app_name)),
            }
        }
        "credential" if own.contains(&number) || is_own(client, setting_of(&grant.settings, "Token ends with")) => {
            draft.by_hand("A credential of the targets is the token that this plan was made with: it is not planned.");
        }
        "credential" => {
            let stand_ins = [StandIn::OauthAppTokens, StandIn::AppUserTokens];
            if stand_ins.into_iter().any(|known| known.app().0 == grant.app) {
                draft.by_hand("GitHub may refuse to take an authorisation from a token of an app: then suspend or uninstall the GitHub App (organisation settings > GitHub Apps), or deny the OAuth app (Third-party access > OAuth app policy).");
            }
            draft.add(steps::revoke_credential(number, &grant.app_name, login));
            draft.by_hand("Taking an authorisation away ends no credential: its owner should delete it (Settings > Developer settings, or SSH and GPG keys), and public resources stay open to it.");
        }
        "fine-grained-token" => draft.add(steps::revoke_token(number, name, login)),
        "site-token" if is_own(client, setting_of(&grant.settings, "Token ends with")) => {
            draft.by_hand("A token of the targets is the one that this plan was made with: it is not planned.");
        }
        "site-token" => draft.add(steps::delete_site_token(number, name, login)),
        "deploy-key" => match repository.filter(|repository| repository.contains('/')) {
            Some(repository) => draft.add(steps::delete_deploy_key(number, name, repository)),
            None => draft.by_hand(format!("Delete the deploy key {number} ({name}) by hand: its repository is not known by name.")),
        },
        "webhook" | "repository-webhook" => {
            let host = grant.app.strip_prefix("webhook:").unwrap_or("a host that is not known");
            match (kind, repository) {
                ("repository-webhook", None) => draft.by_hand(format!(
                    "Delete the webhook {number} to {host} by hand: its repository is not known."
                )),
                (_, repository) => {
                    let receiver = Receiver { id: number, host, repository };
                    draft.add(receiver.disable());
                    draft.add(receiver.delete());
                }
            }
        }
        "user-key" | "site-key" => draft.by_hand(format!(
            "The SSH key {number} belongs to {}: who is to lose access is removed from the repositories, or deletes the key (Settings > SSH and GPG keys).",
            login.unwrap_or("a user")
        )),
        "site-webhook" => draft.by_hand(format!(
            "Delete the webhook {number} of the server by hand: Site admin > Enterprise > Settings > Hooks."
        )),
        _ => draft.by_hand(format!("{} of {} is not a grant that this version knows.", grant.id, grant.app_name)),
    }
    Ok(())
}

/// The value of a setting of a grant.
fn setting_of<'a>(settings: &'a [Setting], name: &str) -> Option<&'a str> {
    let setting = settings.iter().find(|setting| setting.name == name)?;
    match &setting.value {
        Observed::Known(value) => Some(value),
        Observed::Absent | Observed::Unknown(_) => None,
    }
}
