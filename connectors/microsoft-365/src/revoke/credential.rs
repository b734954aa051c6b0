//! Removing a secret or certificate of an app or a service principal. A vendor's own secrets are in the vendor's tenant, out of reach.

use grantwarden_kit::{
    connector::Step,
    error::{Error, ErrorKind, Result},
    http::Body,
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Done, Object, Revoker, detail, gone_is_done, is_gone};

/// Properties that hold credentials.
const SELECT: &str = "$select=id,passwordCredentials,keyCredentials";

impl Revoker {
    pub(super) async fn remove_credential(&self, step: &Step) -> Result<Done> {
        let (path, key) = (path(step)?, detail(step, "key_id")?);
        let Some(owner) = self.owner(&path).await? else { return Ok(Done::AlreadyGone) };
        if holds(&owner, "passwordCredentials", key) {
            let body = Body::Json(json!({ "keyId": key }).into());
            let path = format!("{path}/removePassword");
            let request = self.change("remove secret", Method::POST, &path, body)?;
            return gone_is_done(self.graph.send(&request).await);
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
        gone_is_done(self.graph.send(&request).await)
    }

    /// Whether the credential is still there.
    pub(super) async fn has_credential(&self, step: &Step) -> Result<bool> {
        let key = detail(step, "key_id")?;
        let Some(owner) = self.owner(&path(step)?).await? else { return Ok(false) };
        Ok(holds(&owner, "passwordCredentials", key) || holds(&owner, "keyCredentials", key))
    }

    /// The app or service principal with its credentials; `None` if it is gone.
    pub(super) async fn owner(&self, path: &str) -> Result<Option<Object>> {
        let request = self.graph.get("read credentials", path, SELECT)?;
        match self.graph.read::<Object>(&request).await {
            Ok(owner) => {
                let has = |name| owner.get(name).is_some_and(Value::is_array);
                if has("passwordCredentials") && has("keyCredentials") {
                    return Ok(Some(owner));
                }
                let message = "Graph does not give the credentials";
                Err(self.graph.explain(request.endpoint, Error::new(ErrorKind::Malformed, message)))
            }
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Key ids and names of all credentials in an object.
pub(super) fn all(owner: &Object) -> Vec<(String, String)> {
    let text =
        |row: &Value, name: &str| row.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let rows = [("passwordCredentials", "secret"), ("keyCredentials", "certificate")];
    let named = rows.into_iter().flat_map(|(list_name, kind)| {
        list(owner, list_name).iter().filter_map(move |row| {
            let name = text(row, "displayName").unwrap_or_else(|| "without a name".to_owned());
            Some((text(row, "keyId")?, format!("{kind} {name}")))
        })
    });
    named.collect()
}

fn path(step: &Step) -> Result<String> {
    Ok(format!("{}/{}", detail(step, "collection")?, detail(step, "owner_id")?))
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
