//! What an administrator can do about an error of GitHub's.

use grantwarden_kit::error::{Error, ErrorKind};

use crate::classify::{
    API_VERSION, BAD_JWT, CLOCK, IP_ALLOW_LIST, LOCKED_OUT, PRIMARY_LIMIT, SAML, SECONDARY_LIMIT,
    SUSPENDED,
};

/// Adds a hint to an error whose cause is known.
pub(crate) fn advise(error: Error) -> Error {
    let code = error.code().unwrap_or_default();
    let hint = match code {
        SAML => {
            "the organisation enforces SAML single sign-on: authorise the token for it (Settings > Developer settings > Personal access tokens > the token > Configure SSO), or sign in with github_app, which needs no such step"
        }
        IP_ALLOW_LIST => {
            "add the address that the scanner runs from to the list: organisation settings > Authentication security > IP allow list"
        }
        SUSPENDED => {
            "the scanner's own installation is suspended: organisation settings > GitHub Apps > the app > Unsuspend"
        }
        CLOCK => {
            "GitHub does not take this machine's time, and neither its own: check the clock, and what stands between this machine and GitHub"
        }
        BAD_JWT => {
            "the private key does not belong to the app: the app's settings > Private keys > Generate a private key; check client_id too"
        }
        API_VERSION => "this GitHub does not know version 2022-11-28 of the API: update the server",
        SECONDARY_LIMIT => {
            "too much at once for GitHub: run the scan again later, or lower the tenant's `buckets.default`"
        }
        _ if code.starts_with(PRIMARY_LIMIT) => {
            "the hour's calls are used up: run the scan again in an hour; a GitHub App has an hour of its own"
        }
        _ if error.kind == ErrorKind::Forbidden && is_of_token(&error) => {
            let wanted = if code.contains('=') { format!(" ({code})") } else { String::new() };
            let hint = format!(
                "the token lacks a permission{wanted}: Settings > Developer settings > Personal access tokens > the token; an owner approves a fine-grained one anew; or sign in with github_app"
            );
            return error.with_hint(hint);
        }
        _ if error.kind == ErrorKind::Forbidden && code.contains('=') => {
            let hint = format!(
                "the permission is missing ({code}): the app's settings > Permissions & events, then an owner accepts it under organisation settings > GitHub Apps > the app > Review request"
            );
            return error.with_hint(hint);
        }
        LOCKED_OUT => {
            "GitHub refuses right tokens too after many wrong ones: find out what else signs in from this address, and wait"
        }
        _ if error.kind == ErrorKind::Unauthorized => {
            "the token has ended, was revoked, or belongs to another GitHub than base_url"
        }
        _ => return error,
    };
    error.with_hint(hint)
}

/// Whether GitHub refused a token that somebody made by hand, in its own words.
fn is_of_token(error: &Error) -> bool {
    let text = error.answer.as_ref().map(|answer| answer.text.as_str());
    text.is_some_and(|text| text.contains("not accessible by personal access token"))
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::error::Answer;

    use super::*;

    /// Whoever has a token has no app to look into.
    #[test]
    fn a_token_is_not_told_to_change_an_app() {
        let hint = |text: &str| {
            let code = Some("members=read".to_owned());
            let answer = Answer { status: 403, code, text: text.to_owned() };
            advise(Error::new(ErrorKind::Forbidden, "no").with_answer(answer)).hint.unwrap()
        };
        let of_token = hint("Resource not accessible by personal access token");
        assert!(of_token.contains("the token") && of_token.contains("members=read"), "{of_token}");
        assert!(hint("Resource not accessible by integration").contains("the app's settings"));
    }
}
