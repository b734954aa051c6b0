//! The address of a file: from the root of the repository where the scan was started, else a whole one.

use std::path::{Component, Path};

use serde_json::{Value, json};
use url::Url;

/// An `artifactLocation` (section 3.4 of the form).
pub(in crate::report) fn location(path: &Path, root: &str) -> Value {
    match relative(path) {
        Some(uri) => json!({ "uri": uri, "uriBaseId": root }),
        None => json!({ "uri": absolute(path) }),
    }
}

/// The path as a relative address; none if it leads out of the folder.
fn relative(path: &Path) -> Option<String> {
    let mut url = Url::parse("file:///").ok()?;
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(name) => {
                url.path_segments_mut().ok()?.pop_if_empty().push(&name.to_string_lossy());
            }
            Component::Prefix(_) | Component::RootDir | Component::ParentDir => return None,
        }
    }
    Some(url.path().trim_start_matches('/').to_owned())
}

fn absolute(path: &Path) -> String {
    let whole = std::path::absolute(path).ok().and_then(|path| Url::from_file_path(path).ok());
    whole.map_or_else(|| path.to_string_lossy().into_owned(), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_an_address() {
        let uri = |path: &str| relative(Path::new(path));
        assert_eq!(uri("grantwarden.toml").as_deref(), Some("grantwarden.toml"));
        assert_eq!(uri("./a b/ü#?.toml").as_deref(), Some("a%20b/%C3%BC%23%3F.toml"));
        assert_eq!((uri("../g.toml"), uri("/etc/g.toml")), (None, None));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_elsewhere_gets_a_whole_address() {
        assert_eq!(
            location(Path::new("/etc/g w.toml"), "%SRCROOT%"),
            json!({ "uri": "file:///etc/g%20w.toml" })
        );
    }
}
