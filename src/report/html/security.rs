//! What the page is allowed to do: nothing but its own style and its own script, each named by its hash (CSP level 3).
//!
//! The meta element is the only way for a file that no server sends. `frame-ancestors` and `sandbox` are not possible there.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The content security policy of a page with this style, and this script or none.
pub(in crate::report) fn policy(style: &str, script: Option<&str>) -> String {
    let script = script.map_or_else(|| "none".to_owned(), hash);
    // Trusted types keep the script itself from turning a text into HTML.
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(style),
        script
    )
}

/// A source expression that allows this text and no other.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification: <https://www.w3.org/TR/CSP3/#external-hash>.
    #[test]
    fn the_hash_is_that_of_the_specification() {
        assert_eq!(
            hash("alert('Hello, world.');"),
            "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="
        );
    }
}
