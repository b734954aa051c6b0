//! Removing a secret or certificate of an app or a service principal. A vendor's own secrets are in the vendor's tenant, out of reach.

use grantwarden_kit::{
    connector::Step,
    error::{Error, ErrorKind, Result},
    http::Body,
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Done, Object, Revoker,
    proof::{guid, id},
};

/// Properties that hold credentials.
const SELECT: &str = "$select=id,passwordCredentials,keyCredentials";

impl Revoker {
    pub(super) async fn remove_credential(&self, step: &Step) -> Result<Done> {
        let (collection, owner_id) = owner_of(step)?;
        let key = guid(step.detail("key_id")?)?;
        let path = format!("{collection}/{owner_id}");
        let Some(owner) = self.owner(collection, owner_id).await? else {
            return Ok(Done::AlreadyGone);
        };
        if holds(&owner, "passwordCredentials", key) {
            let body = Body::Json(json!({ "keyId": key }).into());
            let path = format!("{path}/removePassword");
            let request = self.change("remove secret", Method::POST, &path, body)?;
            let sent = self.graph.send(&request).await;
            return self.done(step, sent).await;
        }
        if !holds(&owner, "keyCredentials", key) {
            return Ok(Done::AlreadyGone);
        }
        // Graph replaces the list as a whole. `removeKey` would take a proof with the very key that is to go.
        let keys = list(&owner, "keyCredentials");
        let kept: Vec<&Value> = keys.iter().filter(|row| !is_key(row, key)).collect();
        if kept.iter().any(|row| row.get("key").is_none_or(Value::is_null)) {
            let message = "the app has another certificate that Graph does not give out, and that the change would damage";
            let error = Error::new(ErrorKind::InvalidRequest, message).with_hint(
                "remove it by hand: App registrations (or Enterprise applications) > the app > Certificates & secrets",
            );
            return Err(self.graph.explain("remove certificate", error));
        }
        let body = Body::Json(json!({ "keyCredentials": kept }).into());
        let request = self.change("remove certificate", Method::PATCH, &path, body)?;
        let sent = self.graph.send(&request).await;
        self.done(step, sent).await
    }

    /// Whether the credential is still there.
    pub(super) async fn has_credential(&self, step: &Step) -> Result<bool> {
        let key = step.detail("key_id")?;
        let (collection, owner_id) = owner_of(step)?;
        let Some(owner) = self.owner(collection, owner_id).await? else { return Ok(false) };
        Ok(holds(&owner, "passwordCredentials", key) || holds(&owner, "keyCredentials", key))
    }

    /// The app or service principal with its credentials; `None` if it is gone.
    pub(super) async fn owner(&self, collection: &str, owner: &str) -> Result<Option<Object>> {
        let path = format!("{collection}/{}", id(owner)?);
        let request = self.graph.get("read credentials", &path, SELECT)?;
        match self.graph.read::<Object>(&request).await {
            Ok(object) => {
                let has = |name| object.get(name).is_some_and(Value::is_array);
                if has("passwordCredentials") && has("keyCredentials") {
                    return Ok(Some(object));
                }
                let message = "Graph does not give the credentials";
                Err(self.graph.explain(request.endpoint, Error::new(ErrorKind::Malformed, message)))
            }
            Err(error) => self.prove_gone(error, owner).await.map(|()| None),
        }
    }
}

/// Key ids and names of all credentials in an object. A certificate with which Entra signs SAML assertions proves Entra, not the app.
pub(super) fn all(owner: &Object) -> Vec<(String, String)> {
    let text =
        |row: &Value, name: &str| row.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let rows = [("passwordCredentials", "secret"), ("keyCredentials", "certificate")];
    let named = rows.into_iter().flat_map(|(list_name, kind)| {
        let proving = list(owner, list_name).iter().filter(|row| !signs_for_entra(row));
        proving.filter_map(move |row| {
            let name = text(row, "displayName").unwrap_or_else(|| "without a name".to_owned());
            Some((text(row, "keyId")?, format!("{kind} {name}")))
        })
    });
    named.collect()
}

/// Which object the credential belongs to: its collection and its id.
fn owner_of(step: &Step) -> Result<(&str, &str)> {
    let (collection, owner) = (step.detail("collection")?, id(step.detail("owner_id")?)?);
    if ["applications", "servicePrincipals"].contains(&collection) {
        return Ok((collection, owner));
    }
    Err(Error::new(ErrorKind::Configuration, "credentials belong to apps and service principals"))
}

fn signs_for_entra(row: &Value) -> bool {
    row.get("usage").and_then(Value::as_str).is_some_and(|usage| usage.eq_ignore_ascii_case("Sign"))
}

fn list<'a>(owner: &'a Object, name: &str) -> &'a [Value] {
    owner.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn holds(owner: &Object, name: &str, key: &str) -> bool {
    list(owner, name).iter().any(|row| is_key(row, key))
}

fn is_key(row: &Value, key: &str) -> bool {
    row.get("keyId").and_then(Value::as_str) == Some(key)
}
