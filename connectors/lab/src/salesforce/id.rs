//! Salesforce record ids: a three-character key prefix, `LAB` where a pod would be named (so that
//! every id of the lab is recognisable as made up), the org, a serial, and the three-character
//! check suffix of the 18-character form.

use std::fmt;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECK: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The id of one record in one org.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Id {
    prefix: [u8; 3],
    org: u8,
    serial: u32,
}

impl Id {
    /// The id of record `serial` of the object type that owns `prefix`.
    pub(crate) fn new(prefix: &str, org: u8, serial: usize) -> Self {
        let mut bytes = *b"000";
        for (slot, byte) in bytes.iter_mut().zip(prefix.bytes()) {
            *slot = byte;
        }
        Self { prefix: bytes, org, serial: u32::try_from(serial).unwrap_or(u32::MAX) }
    }

    /// Reads a 15- or 18-character id of this lab.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !(bytes.len() == 15 || bytes.len() == 18) || bytes.get(3..6)? != b"LAB" {
            return None;
        }
        let digit = |byte: u8| DIGITS.iter().position(|known| *known == byte);
        let org = u8::try_from(digit(*bytes.get(6)?)?).ok()?;
        let mut serial = 0_u64;
        for byte in bytes.get(7..15)? {
            serial = serial * 62 + digit(*byte)? as u64;
        }
        let prefix = bytes.get(..3)?.try_into().ok()?;
        let id = Self { prefix, org, serial: u32::try_from(serial).ok()? };
        (bytes.len() == 15 || id.to_string() == text).then_some(id)
    }

    /// The serial, if the id has this prefix.
    pub(crate) fn serial(self, prefix: &str) -> Option<usize> {
        (self.prefix == prefix.as_bytes()).then_some(self.serial as usize)
    }

    /// The 15-character form, as log files and access tokens carry it.
    pub(crate) fn short(self) -> String {
        self.to_string().chars().take(15).collect()
    }

    fn stem(self) -> [u8; 15] {
        let mut stem = *b"000LAB000000000";
        stem[..3].copy_from_slice(&self.prefix);
        stem[6] = DIGITS[usize::from(self.org) % 62];
        let mut rest = self.serial as usize;
        for slot in stem[7..].iter_mut().rev() {
            *slot = DIGITS[rest % 62];
            rest /= 62;
        }
        stem
    }
}

impl fmt::Display for Id {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stem = self.stem();
        for byte in stem {
            fmt::Write::write_char(out, char::from(byte))?;
        }
        // Each check character tells which letters of a group of five are upper case.
        for group in stem.chunks(5) {
            let upper = group
                .iter()
                .enumerate()
                .fold(0, |bits, (at, byte)| bits | usize::from(byte.is_ascii_uppercase()) << at);
            fmt::Write::write_char(out, char::from(CHECK[upper]))?;
        }
        Ok(())
    }
}

/// Whether a text has the form of an id of any org, as the platform checks id filters.
pub(crate) fn looks_like_id(text: &str) -> bool {
    matches!(text.len(), 15 | 18) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_in_both_lengths() {
        for serial in [0, 1, 61, 62, 999_999] {
            let id = Id::new("005", 0, serial);
            let text = id.to_string();
            assert_eq!(text.len(), 18);
            assert_eq!(Id::parse(&text), Some(id));
            assert_eq!(Id::parse(&id.short()), Some(id));
        }
        assert_eq!(Id::parse("005LAB000000001AAA"), None, "a wrong check suffix");
        assert_eq!(Id::parse("0015g00000abcdeAAA"), None, "an id of another org");
    }

    #[test]
    fn computes_the_known_check_suffix() {
        // Capitals: the 4th and 5th of 005LA, the 1st of B0000, none of 00001.
        assert_eq!(Id::new("005", 0, 1).to_string(), "005LAB000000001YBA");
    }

    #[test]
    fn text_order_is_serial_order() {
        let texts: Vec<String> = (0..5_000).map(|n| Id::new("0CC", 0, n * 7).to_string()).collect();
        assert!(texts.is_sorted());
    }
}
