//! What an entry of the register must be like. Every refusal says what to write instead.

use toml::Spanned;

use super::{Entry, TieKind, brands, purposes, ties};
use crate::{registry, scopes::DataClass};

/// Where in the text something is wrong (a byte offset), and what.
pub(super) type Wrong = (usize, String);

/// Checks what can be checked of one entry by itself; its names and keys have functions of their own.
pub(super) fn entry(entry: &Entry) -> Result<(), Wrong> {
    for text in [&entry.owner, &entry.purpose].into_iter().flatten() {
        filled(text)?;
    }
    if let Some(purpose) = &entry.purpose
        && purposes::class(purpose.get_ref()).is_none()
    {
        let known: Vec<&str> = purposes::classes().iter().map(|class| class.id.as_str()).collect();
        let message = format!(
            "`{}` is no class of purposes; write one of {}",
            purpose.get_ref(),
            known.join(", ")
        );
        return Err((purpose.span().start, message));
    }
    if let Some(data) = &entry.data
        && data.get_ref().iter().any(|class| matches!(class, DataClass::None | DataClass::Unknown))
    {
        let message = "`none` and `unknown` are no kinds of data; name kinds, write [] if it may hold nothing, or leave `data` out".to_owned();
        return Err((data.span().start, message));
    }
    if let (Some(reviewed), Some(due)) = (entry.reviewed, &entry.review_due)
        && *due.get_ref() < reviewed
    {
        let message = format!("the next review is due before the last one, of {reviewed}");
        return Err((due.span().start, message));
    }
    entry.sub_processors.iter().flatten().try_for_each(|name| company(name).map(drop))
}

/// The name for comparing.
pub(super) fn company(name: &Spanned<String>) -> Result<String, Wrong> {
    let company = brands::company(name.get_ref());
    if company.is_empty() {
        let message = format!("`{}` is no name: it has no letter and no digit", name.get_ref());
        return Err((name.span().start, message));
    }
    Ok(company)
}

/// What an entry claims as its own: the kind, as it is written, and as it is compared.
pub(super) type Claim<'a> = (TieKind, &'a Spanned<String>, String);

/// What the entry claims as its own.
pub(super) fn keys(entry: &Entry) -> Result<Vec<Claim<'_>>, Wrong> {
    type Read = fn(&Spanned<String>) -> Result<String, Wrong>;
    let lists: [(TieKind, &[Spanned<String>], Read); 6] = [
        (TieKind::ClientId, &entry.client_ids, client_id),
        (TieKind::RedirectDomain, &entry.domains, domain),
        (TieKind::Publisher, &entry.publishers, company),
        (TieKind::Namespace, &entry.namespaces, of_platform),
        (TieKind::GoogleProject, &entry.google_projects, project),
        (TieKind::HomeTenant, &entry.home_tenants, of_platform),
    ];
    let mut keys = Vec::new();
    for (kind, values, read) in lists {
        for value in values {
            keys.push((kind, value, read(value)?));
        }
    }
    Ok(keys)
}

fn filled(text: &Spanned<String>) -> Result<String, Wrong> {
    let trimmed = text.get_ref().trim();
    if trimmed.is_empty() {
        return Err((text.span().start, "this is empty; leave it out".to_owned()));
    }
    Ok(trimmed.to_owned())
}

fn client_id(written: &Spanned<String>) -> Result<String, Wrong> {
    filled(written).map(|id| ties::client_id(&id))
}

fn domain(written: &Spanned<String>) -> Result<String, Wrong> {
    let text = written.get_ref();
    let wrong = |message: String| Err((written.span().start, message));
    let lower = text.to_lowercase();
    let is_odd = |c: char| !matches!(c, 'a'..='z' | '0'..='9' | '.' | '-');
    if lower.contains(is_odd) || lower.starts_with('.') || lower.ends_with('.') {
        return wrong(format!(
            "`{text}` is more or less than a domain; write `vendor.example`, without scheme, port, path, `*` or dot at the ends (other alphabets as `xn--…`)"
        ));
    }
    let Some(domain) = ties::registrable(text) else {
        return wrong(format!(
            "`{text}` is no domain that one owner registered; write `vendor.example`"
        ));
    };
    if domain != text.to_lowercase() {
        return wrong(format!("write the registered domain, `{domain}`, in place of `{text}`"));
    }
    if brands::is_shared(&domain) {
        return wrong(format!(
            "under `{domain}` many companies' apps live: it does not tell whose an app is"
        ));
    }
    Ok(domain)
}

fn project(written: &Spanned<String>) -> Result<String, Wrong> {
    let text = written.get_ref();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let message = format!(
            "`{text}` is no project number; it is what a Google client id begins with: `123456789012`"
        );
        return Err((written.span().start, message));
    }
    Ok(text.clone())
}

fn of_platform(written: &Spanned<String>) -> Result<String, Wrong> {
    let text = written.get_ref();
    let known = registry::platforms();
    match text.split_once(':') {
        Some((platform, value)) if known.contains(&platform) && !value.trim().is_empty() => {
            Ok(text.clone())
        }
        _ => {
            let message = format!(
                "`{text}` does not say on which platform; write `PLATFORM:VALUE` as `grantwarden vendor show` does, with {}",
                known.join(", ")
            );
            Err((written.span().start, message))
        }
    }
}
