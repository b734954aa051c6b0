//! The steps, what each breaks and how to undo it, and the check of what a plan's file may put into an address.

use std::collections::BTreeMap;

use grantwarden_kit::{
    connector::Step,
    error::{Error, ErrorKind, Result},
};

use crate::site::is_name;

pub(super) const NARROW: &str = "narrow-installation";
pub(super) const UNINSTALL: &str = "uninstall-app";
pub(super) const REVOKE_CREDENTIAL: &str = "revoke-credential-authorization";
pub(super) const REVOKE_TOKEN: &str = "revoke-fine-grained-token";
pub(super) const DELETE_SITE_TOKEN: &str = "delete-site-token";
pub(super) const DELETE_DEPLOY_KEY: &str = "delete-deploy-key";
pub(super) const DISABLE_WEBHOOK: &str = "disable-webhook";
pub(super) const DELETE_WEBHOOK: &str = "delete-webhook";

/// What contains comes first.
pub(super) const ORDER: [&str; 8] = [
    NARROW,
    UNINSTALL,
    REVOKE_CREDENTIAL,
    REVOKE_TOKEN,
    DELETE_SITE_TOKEN,
    DELETE_DEPLOY_KEY,
    DISABLE_WEBHOOK,
    DELETE_WEBHOOK,
];

/// An installation of an app on an organisation of the enterprise.
pub(super) struct Installed<'a> {
    pub(super) organization: &'a str,
    pub(super) id: u64,
    pub(super) app: &'a str,
}

pub(super) fn narrow(installed: &Installed<'_>, quarantine: &str, before: &str) -> Step {
    let Installed { organization, id, app } = installed;
    Step {
        action: NARROW.to_owned(),
        target: id.to_string(),
        title: format!("Narrow {app} on {organization} to the repository {quarantine}"),
        breaks: format!(
            "{app} reaches no other repository of {organization} ({quarantine} has to be empty); what it may do to the organisation itself stays"
        ),
        undo: Some(format!(
            "PATCH /enterprises/SLUG/apps/organizations/{organization}/installations/{id}/repositories with {before}"
        )),
        calls: 1,
        details: owned(&[("organization", organization), ("quarantine", quarantine)]),
    }
}

pub(super) fn uninstall(installed: &Installed<'_>) -> Step {
    let Installed { organization, id, app } = installed;
    Step {
        action: UNINSTALL.to_owned(),
        target: id.to_string(),
        title: format!("Uninstall {app} from {organization}"),
        breaks: format!(
            "{app} stops working for {organization} at once, its tokens too; deploy keys and webhooks that it made stay"
        ),
        undo: Some(format!("install {app} again, from its page, as an owner of {organization}")),
        calls: 1,
        details: owned(&[("organization", organization)]),
    }
}

pub(super) fn revoke_credential(id: u64, what: &str, login: Option<&str>) -> Step {
    let who = login.unwrap_or("somebody");
    let details: Vec<(&str, &str)> = login.map(|login| ("login", login)).into_iter().collect();
    Step {
        action: REVOKE_CREDENTIAL.to_owned(),
        target: id.to_string(),
        title: format!("Take the authorisation from a credential of {who} ({what})"),
        breaks: format!(
            "the credential of {who} no longer reaches the organisation; it lives on for everything else, and {who} has to make and authorise another"
        ),
        undo: None,
        calls: 1,
        details: owned(&details),
    }
}

pub(super) fn revoke_token(id: u64, name: &str, login: Option<&str>) -> Step {
    let who = login.unwrap_or("somebody");
    let details: Vec<(&str, &str)> = login.map(|login| ("login", login)).into_iter().collect();
    Step {
        action: REVOKE_TOKEN.to_owned(),
        target: id.to_string(),
        title: format!("Take the fine-grained token {name} of {who} out of the organisation"),
        breaks: format!(
            "the token no longer reaches the organisation's private resources; SSH keys that it made stay, and the token itself stays with {who}"
        ),
        undo: Some(format!("{who} asks for access again, and an owner approves it")),
        calls: 1,
        details: owned(&details),
    }
}

pub(super) fn delete_site_token(id: u64, name: &str, login: Option<&str>) -> Step {
    let who = login.unwrap_or("somebody");
    Step {
        action: DELETE_SITE_TOKEN.to_owned(),
        target: id.to_string(),
        title: format!("Delete the token {name} of {who} on the whole server"),
        breaks: format!("the token of {who} works nowhere on the server any more"),
        undo: None,
        calls: 1,
        details: BTreeMap::new(),
    }
}

pub(super) fn delete_deploy_key(id: u64, name: &str, repository: &str) -> Step {
    Step {
        action: DELETE_DEPLOY_KEY.to_owned(),
        target: id.to_string(),
        title: format!("Delete the deploy key {name} of {repository}"),
        breaks: format!("whoever has the private key no longer reaches {repository}"),
        undo: Some(format!(
            "{repository} > Settings > Deploy keys > Add deploy key, with the public key from its owner"
        )),
        calls: 1,
        details: owned(&[("repository", repository)]),
    }
}

/// A webhook of the organisation, or of a repository.
pub(super) struct Receiver<'a> {
    pub(super) id: u64,
    pub(super) host: &'a str,
    pub(super) repository: Option<&'a str>,
}

impl Receiver<'_> {
    fn details(&self) -> BTreeMap<String, String> {
        let details: Vec<(&str, &str)> =
            self.repository.map(|repository| ("repository", repository)).into_iter().collect();
        owned(&details)
    }

    pub(super) fn disable(&self) -> Step {
        let place = self.repository.unwrap_or("the organisation");
        Step {
            action: DISABLE_WEBHOOK.to_owned(),
            target: self.id.to_string(),
            title: format!("Switch the webhook {} of {place} to {} off", self.id, self.host),
            breaks: format!("{} no longer hears what happens in {place}", self.host),
            undo: Some(format!("{place} > Settings > Webhooks > the webhook > Active")),
            calls: 1,
            details: self.details(),
        }
    }

    pub(super) fn delete(&self) -> Step {
        let place = self.repository.unwrap_or("the organisation");
        Step {
            action: DELETE_WEBHOOK.to_owned(),
            target: self.id.to_string(),
            title: format!("Delete the webhook {} of {place} to {}", self.id, self.host),
            breaks: format!(
                "{} no longer hears what happens in {place}, and the webhook's secret is gone",
                self.host
            ),
            undo: None,
            calls: 1,
            details: self.details(),
        }
    }
}

fn owned(details: &[(&str, &str)]) -> BTreeMap<String, String> {
    details.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A number that may stand in an address.
///
/// # Errors
/// [`ErrorKind::Configuration`] for anything else: the plan was changed.
pub(super) fn number(text: &str) -> Result<&str> {
    let is_number =
        !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { Ok(text) } else { Err(changed("a target of the plan is not a number")) }
}

/// A login that may stand in an address.
///
/// # Errors
/// As [`number`].
pub(super) fn name(text: &str) -> Result<&str> {
    if is_name(text) { Ok(text) } else { Err(changed("a name in the plan is not a login")) }
}

/// The path of a step's repository.
///
/// # Errors
/// As [`number`].
pub(super) fn repository_path(step: &Step) -> Result<[&str; 3]> {
    let text = step.detail("repository")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let parts = text.split_once('/').filter(|(owner, repository)| {
        is_name(owner)
            && !matches!(*repository, "" | "." | "..")
            && repository.bytes().all(is_plain)
    });
    let (owner, repository) = parts.ok_or_else(|| changed("a repository in the plan is none"))?;
    Ok(["repos", owner, repository])
}

fn changed(message: &str) -> Error {
    Error::new(ErrorKind::Configuration, message)
        .with_hint("plans are made by `plan`; make a new one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_plan_leads_elsewhere() {
        assert!(number("17").is_ok());
        for text in ["", "1/2", "-1", "17?x", "../1", "१"] {
            assert!(number(text).is_err(), "{text}");
        }
        let of = |repository: &str| {
            let step = delete_deploy_key(1, "k", repository);
            repository_path(&step).map(|path| path.map(ToOwned::to_owned)).ok()
        };
        assert_eq!(of("acme/api.v2").unwrap(), ["repos", "acme", "api.v2"].map(ToOwned::to_owned));
        for text in ["", "acme", "acme/", "acme/..", "acme/a/b", "../x", "acme/a?b", "acme/a%2fb"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
