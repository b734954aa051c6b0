//! Users as principals.

use grantwarden_kit::model::{Gap, Observed, Principal, PrincipalStatus, Reason, Timestamp};

use crate::api::User;

pub(super) const FACET: &str = "users";

/// The user as the principal behind a grant. Google writes booleans that are false, too: one that is missing is not known.
pub(crate) fn principal(user: &User) -> Principal {
    Principal {
        id: user.id.clone(),
        name: told("primaryEmail", user.primary_email.clone()),
        // A directory has persons' accounts only; which of them programs use, nobody tells.
        kind: Observed::unknown(
            Reason::PlatformSilent,
            FACET,
            "Google does not tell users that work from users that programs use",
        ),
        status: status(user),
        privileges: privileges(user),
        last_login_at: last_login(user.last_login_time.as_deref()),
    }
}

fn status(user: &User) -> Observed<PrincipalStatus> {
    match (user.suspended, user.archived) {
        (Some(true), _) => Observed::Known(PrincipalStatus::Suspended),
        // An archived user keeps the data and cannot sign in: https://support.google.com/a/answer/9048836
        (_, Some(true)) => Observed::Known(PrincipalStatus::Inactive),
        (Some(false), Some(false)) => Observed::Known(PrincipalStatus::Active),
        (None, _) => told("suspended", None),
        (_, None) => told("archived", None),
    }
}

fn privileges(user: &User) -> Observed<Vec<String>> {
    match (user.is_admin, user.is_delegated_admin) {
        (Some(true), _) => Observed::Known(vec!["Super Admin".to_owned()]),
        (Some(false), Some(true)) => Observed::Known(vec!["Delegated Admin".to_owned()]),
        (Some(false), Some(false)) => Observed::Known(Vec::new()),
        (None, _) => told("isAdmin", None),
        (_, None) => told("isDelegatedAdmin", None),
    }
}

/// Who never signed in has the beginning of time (API sheet).
fn last_login(text: Option<&str>) -> Observed<Timestamp> {
    let Some(text) = text else { return told("lastLoginTime", None) };
    match text.parse::<Timestamp>() {
        Ok(at) if at.as_second() == 0 => Observed::Absent,
        Ok(at) => Observed::Known(at),
        Err(_) => Observed::unknown(
            Reason::CallFailed,
            FACET,
            "Google wrote the time of a sign-in in a form that is not known",
        ),
    }
}

fn told<T>(field: &str, value: Option<T>) -> Observed<T> {
    value.map_or_else(
        || {
            let detail = format!("Google gave users without {field}");
            Observed::Unknown(Gap::new(Reason::CallFailed, FACET, detail))
        },
        Observed::Known,
    )
}

/// The domain of an address.
pub(super) fn domain(email: &str) -> Option<&str> {
    email.rsplit_once('@').map(|(_, domain)| domain).filter(|domain| !domain.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(fields: &str) -> User {
        serde_json::from_str(&format!(r#"{{"id":"7"{fields}}}"#)).unwrap()
    }

    #[test]
    fn a_missing_boolean_is_not_false() {
        let bare = principal(&user(""));
        assert!(bare.status.gap().is_some() && bare.privileges.gap().is_some());
        assert!(bare.last_login_at.gap().is_some() && bare.name.gap().is_some());
        let whole = principal(&user(
            r#","suspended":false,"archived":false,"isAdmin":false,"isDelegatedAdmin":false,"lastLoginTime":"1970-01-01T00:00:00.000Z""#,
        ));
        assert_eq!(whole.status, Observed::Known(PrincipalStatus::Active));
        assert_eq!(whole.privileges, Observed::Known(Vec::new()));
        assert_eq!(whole.last_login_at, Observed::Absent);
        let admin = principal(&user(r#","isAdmin":true,"suspended":true"#));
        assert_eq!(admin.privileges, Observed::Known(vec!["Super Admin".to_owned()]));
        assert_eq!(admin.status, Observed::Known(PrincipalStatus::Suspended));
    }
}
