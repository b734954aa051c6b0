//! How a scanner is set up for the tenants of a lab: a configuration file with the keys that it names, and the same facts as JSON for
//! other clients.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{
    EntraTenant, GithubTenant, GoogleWorkspace, Lab, OktaOrg, Org, SlackPlan, SlackTenant,
};

impl Lab {
    /// Writes `grantwarden.toml`, the scanner's keys (for their owner only) and the certificate authority into a folder, which is made
    /// if it is not there. A tenant's name in it is its name in the world as a word. Gives the path of the configuration.
    ///
    /// # Errors
    /// If the folder or a file cannot be written.
    pub fn write_config(&self, folder: &Path) -> io::Result<PathBuf> {
        fs::create_dir_all(folder)?;
        let mut tables = Vec::new();
        for org in self.salesforce_orgs() {
            tables.push(salesforce(org, folder)?);
        }
        for customer in self.google_workspaces() {
            tables.push(google_workspace(customer, folder)?);
        }
        for tenant in self.entra_tenants() {
            tables.push(microsoft_365(tenant, folder)?);
        }
        for tenant in self.slack_tenants() {
            tables.push(slack(tenant, folder)?);
        }
        for tenant in self.github_tenants() {
            tables.push(github(tenant, folder)?);
        }
        for org in self.okta_orgs() {
            tables.push(okta(org, folder)?);
        }
        if let Some(pem) = self.ca_pem() {
            fs::write(folder.join("lab-ca.pem"), pem)?;
        }
        let path = folder.join("grantwarden.toml");
        fs::write(&path, tables.join("\n"))?;
        Ok(path)
    }

    /// What signs in to each tenant, one object each; with the paths of the files that [`Lab::write_config`] wrote into `folder`.
    pub fn describe(&self, folder: Option<&Path>) -> Vec<Value> {
        let file = |name: String| folder.map(|folder| folder.join(name));
        let orgs = self.salesforce_orgs().iter().map(|org| {
            let client = org.client();
            json!({
                "platform": "salesforce",
                "name": org.name(),
                "base_url": org.base_url(),
                "client_id": client.client_id,
                "client_secret": client.client_secret,
                "username": client.username,
                "audience": client.audience,
                "private_key_file": file(key_file(&org.name())),
            })
        });
        let customers = self.google_workspaces().iter().map(|customer| {
            let client = customer.client();
            json!({
                "platform": "google-workspace",
                "name": customer.name(),
                "base_url": customer.base_url(),
                "customer_id": client.customer_id,
                "client_email": client.client_email,
                "subject": client.subject,
                "key_file": file(service_account_file(&customer.name())),
            })
        });
        let directories = self.entra_tenants().iter().map(|tenant| {
            let client = tenant.client();
            json!({
                "platform": "microsoft-365",
                "name": tenant.name(),
                "base_url": tenant.base_url(),
                "token_url": client.token_url,
                "tenant_id": client.tenant_id,
                "client_id": client.client_id,
                "client_secret": client.client_secret,
                "private_key_file": file(key_file(&tenant.name())),
                "certificate_file": file(certificate_file(&tenant.name())),
            })
        });
        let slack_tenants = self.slack_tenants().iter().map(|tenant| {
            let client = tenant.client();
            json!({
                "platform": "slack",
                "name": tenant.name(),
                "base_url": tenant.base_url(),
                "plan": client.plan,
                "enterprise_id": client.enterprise_id,
                "team_id": client.team_id,
                "token_file": file(token_file(&tenant.name())),
                "revoker_token_file": file(revoker_token_file(&tenant.name())),
                "tokens": {
                    "reader": client.reader,
                    "revoker": client.revoker,
                    "org_admin": client.org_admin,
                    "workspace_admin": client.workspace_admin,
                    "bot": client.bot,
                },
            })
        });
        let directories = directories.chain(slack_tenants);
        let hosts = self.github_tenants().iter().map(|tenant| {
            let client = tenant.client();
            let revoker = !client.revoker_client_id.is_empty();
            json!({
                "platform": "github",
                "name": tenant.name(),
                "base_url": tenant.base_url(),
                "graphql_url": tenant.graphql_url(),
                "organisations": client.organisations,
                "enterprise": client.enterprise,
                "client_id": client.client_id,
                "app_id": client.app_id,
                "private_key_file": file(key_file(&tenant.name())),
                "revoker_client_id": client.revoker_client_id,
                "revoker_app_id": client.revoker_app_id,
                "revoker_key_file": if revoker { file(revoker_file(&tenant.name())) } else { None },
                "owner_token": client.owner_token,
            })
        });
        let directories = directories.chain(hosts);
        let okta = self.okta_orgs().iter().map(|org| {
            let (client, revoker) = (org.client(), org.revoker());
            json!({
                "platform": "okta",
                "name": org.name(),
                "base_url": org.base_url(),
                "token_url": client.token_url,
                "client_id": client.client_id,
                "key_id": client.key_id,
                "api_token": client.api_token,
                "private_key_file": file(key_file(&org.name())),
                "revoker_client_id": revoker.client_id,
                "revoker_key_id": revoker.key_id,
                "revoker_private_key_file": file(revoker_key_file(&org.name())),
            })
        });
        let described = orgs.chain(customers).chain(directories);
        described.chain(okta).collect()
    }
}

fn salesforce(org: &Org, folder: &Path) -> io::Result<String> {
    let client = org.client();
    let key = write_private(&folder.join(key_file(&org.name())), &client.private_key_pem)?;
    Ok(format!(
        "[[tenant]]\nname = {}\nplatform = \"salesforce\"\nbase_url = {}\naudience = {}\n\
         auth = {{ method = \"jwt_bearer\", client_id = {}, username = {}, private_key = {{ file = {key} }} }}\n",
        quoted(&slug(&org.name())),
        quoted(org.base_url()),
        quoted(&client.audience),
        quoted(&client.client_id),
        quoted(&client.username),
    ))
}

fn google_workspace(customer: &GoogleWorkspace, folder: &Path) -> io::Result<String> {
    let client = customer.client();
    let file = folder.join(service_account_file(&customer.name()));
    let key = write_private(&file, &client.key_json)?;
    Ok(format!(
        "[[tenant]]\nname = {}\nplatform = \"google-workspace\"\nbase_url = {}\ntoken_url = {}\naccount = {}\n\
         auth = {{ method = \"service_account\", key = {{ file = {key} }}, subject = {} }}\n",
        quoted(&slug(&customer.name())),
        quoted(customer.base_url()),
        quoted(&format!("{}/token", customer.base_url())),
        quoted(&client.customer_id),
        quoted(&client.subject),
    ))
}

fn microsoft_365(tenant: &EntraTenant, folder: &Path) -> io::Result<String> {
    let client = tenant.client();
    let key = write_private(&folder.join(key_file(&tenant.name())), &client.private_key_pem)?;
    let certificate = folder.join(certificate_file(&tenant.name()));
    fs::write(&certificate, &client.certificate_pem)?;
    Ok(format!(
        "[[tenant]]\nname = {}\nplatform = \"microsoft-365\"\nbase_url = {}\ntoken_url = {}\naccount = {}\n\
         auth = {{ method = \"private_key_jwt\", client_id = {}, private_key = {{ file = {key} }}, certificate = {} }}\n",
        quoted(&slug(&tenant.name())),
        quoted(tenant.base_url()),
        quoted(&client.token_url),
        quoted(&client.tenant_id),
        quoted(&client.client_id),
        quoted(&certificate.display().to_string()),
    ))
}

/// The account is named for an organisation only: a single workspace has no id of that kind.
fn slack(tenant: &SlackTenant, folder: &Path) -> io::Result<String> {
    let client = tenant.client();
    let token = write_private(&folder.join(token_file(&tenant.name())), &client.reader)?;
    let revoker = folder.join(revoker_token_file(&tenant.name()));
    let revoker = write_private(&revoker, &client.revoker)?;
    let account = match (client.plan, client.enterprise_id) {
        (SlackPlan::Enterprise, Some(id)) => format!("account = {}\n", quoted(&id)),
        _ => String::new(),
    };
    Ok(format!(
        "# The token that may uninstall and restrict apps is in {revoker}.\n\
         [[tenant]]\nname = {}\nplatform = \"slack\"\nbase_url = {}\n{account}\
         auth = {{ method = \"static\", token = {{ file = {token} }} }}\n",
        quoted(&slug(&tenant.name())),
        quoted(tenant.base_url()),
    ))
}

/// One table for each organisation that is scanned, and one for the enterprise if the App is on it.
fn github(tenant: &GithubTenant, folder: &Path) -> io::Result<String> {
    let client = tenant.client();
    let key = write_private(&folder.join(key_file(&tenant.name())), &client.private_key_pem)?;
    if !client.revoker_client_id.is_empty() {
        write_private(&folder.join(revoker_file(&tenant.name())), &client.revoker_key_pem)?;
    }
    let enterprise = client.enterprise.map(|slug| format!("enterprises/{slug}"));
    let tables = client.organisations.into_iter().chain(enterprise).map(|account| {
        format!(
            "[[tenant]]\nname = {}\nplatform = \"github\"\nbase_url = {}\naccount = {}\n\
             auth = {{ method = \"github_app\", client_id = {}, private_key = {{ file = {key} }} }}\n",
            quoted(&slug(&format!("{} {account}", tenant.name()))),
            quoted(tenant.base_url().trim_end_matches("/api/v3")),
            quoted(&account),
            quoted(&client.client_id),
        )
    });
    Ok(tables.collect::<Vec<_>>().join("\n"))
}

fn okta(org: &OktaOrg, folder: &Path) -> io::Result<String> {
    let (client, revoker) = (org.client(), org.revoker());
    let key = write_private(&folder.join(key_file(&org.name())), &client.private_key_pem)?;
    write_private(&folder.join(revoker_key_file(&org.name())), &revoker.private_key_pem)?;
    Ok(format!(
        "[[tenant]]\nname = {}\nplatform = \"okta\"\nbase_url = {}\n\
         auth = {{ method = \"private_key_jwt\", client_id = {}, private_key = {{ file = {key} }}, key_id = {} }}\n",
        quoted(&slug(&org.name())),
        quoted(org.base_url()),
        quoted(&client.client_id),
        quoted(&client.key_id),
    ))
}

/// Writes a file that only its owner may read; an older one is replaced, whoever could read it. Gives its path as a TOML string.
fn write_private(path: &Path, text: &str) -> io::Result<String> {
    if path.exists() {
        fs::remove_file(path)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())?;
    Ok(quoted(&path.display().to_string()))
}

fn token_file(tenant: &str) -> String {
    format!("{}-token.txt", slug(tenant))
}

fn revoker_token_file(tenant: &str) -> String {
    format!("{}-revoker-token.txt", slug(tenant))
}

fn key_file(tenant: &str) -> String {
    format!("{}.pem", slug(tenant))
}

fn revoker_key_file(tenant: &str) -> String {
    format!("{}-revoker.pem", slug(tenant))
}

fn service_account_file(tenant: &str) -> String {
    format!("{}.json", slug(tenant))
}

fn certificate_file(tenant: &str) -> String {
    format!("{}-certificate.pem", slug(tenant))
}

fn revoker_file(tenant: &str) -> String {
    format!("{}-revoker.pem", slug(tenant))
}

/// `Northwind Robotics` as a word.
fn slug(name: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let slug: String = name.chars().map(word).collect();
    slug.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
