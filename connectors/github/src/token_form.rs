//! What a GitHub token looks like: its kind by its prefix, and the checksum of the 40-character forms. It proves nothing about a token
//! that has the right form: it only finds those that cannot be whole.

/// What a token is, by its first characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// `ghp_`: a classic personal access token.
    ClassicToken,
    /// `github_pat_`: a fine-grained personal access token.
    FineGrainedToken,
    /// `gho_`: a user's token of an OAuth app.
    OauthAppToken,
    /// `ghu_`: a user's token of a GitHub App.
    AppUserToken,
    /// `ghs_`: a token of an installation of a GitHub App.
    InstallationToken,
    /// `ghr_`: renews a user's token of a GitHub App; no API takes it.
    RefreshToken,
    /// No prefix that is known: an old token, or none of GitHub's.
    Unknown,
}

/// Prefixes of the forms that end with a checksum.
const PREFIXES: [(&str, TokenKind); 5] = [
    ("ghp_", TokenKind::ClassicToken),
    ("gho_", TokenKind::OauthAppToken),
    ("ghu_", TokenKind::AppUserToken),
    ("ghs_", TokenKind::InstallationToken),
    ("ghr_", TokenKind::RefreshToken),
];
const FINE_GRAINED: &str = "github_pat_";

/// Random characters, and characters of the checksum that follows them.
const RANDOM: usize = 30;
const CHECKSUM: usize = 6;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl TokenKind {
    /// The kind of a token.
    pub fn of(token: &str) -> Self {
        if token.starts_with(FINE_GRAINED) {
            return Self::FineGrainedToken;
        }
        let known = PREFIXES.iter().find(|(prefix, _)| token.starts_with(prefix));
        known.map_or(Self::Unknown, |(_, kind)| *kind)
    }

    /// For a person.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClassicToken => "classic personal access token",
            Self::FineGrainedToken => "fine-grained personal access token",
            Self::OauthAppToken => "user token of an OAuth app",
            Self::AppUserToken => "user token of a GitHub App",
            Self::InstallationToken => "installation token of a GitHub App",
            Self::RefreshToken => "refresh token of a GitHub App",
            Self::Unknown => "token of an unknown kind",
        }
    }
}

/// Whether the checksum of a token fits; `None` for every form that is not known to have one. A token whose checksum does not fit was
/// never issued: a character was lost or changed. One that fits may still have ended long ago.
///
/// After a four-character prefix come 30 characters and six more, which are the CRC-32 of those 30 in base 62 (API sheet, section 6).
pub fn checksum_fits(token: &str) -> Option<bool> {
    let (prefix, _) = PREFIXES.iter().find(|(prefix, _)| token.starts_with(prefix))?;
    let body = token.as_bytes().get(prefix.len()..)?;
    let is_plain = body.len() == RANDOM + CHECKSUM && body.iter().all(u8::is_ascii_alphanumeric);
    if !is_plain {
        return None;
    }
    let (random, checksum) = body.split_at(RANDOM);
    Some(base62(crc32(random)) == checksum)
}

/// CRC-32 as in ISO 3309: reflected, polynomial 0xEDB88320.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes
        .iter()
        .fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

/// Six digits, the first being zeros if need be.
fn base62(mut number: u32) -> [u8; CHECKSUM] {
    let mut text = [DIGITS[0]; CHECKSUM];
    for slot in text.iter_mut().rev() {
        *slot = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_random_part() {
        // The check value of the polynomial, and the example of the API sheet.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(&base62(crc32(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ")), b"0mLq17");
        let made = |prefix: &str, random: &str| {
            let checksum = base62(crc32(random.as_bytes()));
            format!("{prefix}{random}{}", String::from_utf8_lossy(&checksum))
        };
        let whole = made("ghp_", "FAKEFAKEFAKEFAKEFAKEFAKEFAKE00");
        assert_eq!(checksum_fits(&whole), Some(true));
        assert_eq!(checksum_fits(&whole.replacen("FAKE", "FAKF", 1)), Some(false));
    }

    #[test]
    fn only_forms_with_a_checksum_are_judged() {
        for token in [
            "ghp_FAKE",
            "ghp_FAKE-FAKE-FAKE-FAKE-FAKE-FAKE-FAKE-FAK0",
            "github_pat_FAKEFAKEFAKEFAKEFAKE00_FAKE",
            "ghs_1234_FAKEFAKE.FAKE.FAKE",
            "0123456789abcdef0123456789abcdef01234567",
            "",
        ] {
            assert_eq!(checksum_fits(token), None, "{token}");
        }
    }

    #[test]
    fn a_prefix_tells_the_kind() {
        assert_eq!(TokenKind::of("github_pat_FAKE"), TokenKind::FineGrainedToken);
        assert_eq!(TokenKind::of("ghs_1234_FAKE.FAKE.FAKE"), TokenKind::InstallationToken);
        assert_eq!(TokenKind::of("FAKE"), TokenKind::Unknown);
    }
}
