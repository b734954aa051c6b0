//! GUIDs: read, shown, and made from names, so that a directory has the same ids at every start.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

/// A GUID.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Guid([u8; 16]);

impl Guid {
    /// All zeros; as an app role it means access without any role.
    pub(crate) const ZERO: Self = Self([0; 16]);

    /// The GUID that a text always makes.
    pub(crate) fn of(text: &str) -> Self {
        let mut bytes = [0; 16];
        for (slot, byte) in bytes.iter_mut().zip(digest(&SHA256, text.as_bytes()).as_ref()) {
            *slot = *byte;
        }
        bytes[6] = bytes[6] & 0x0f | 0x50;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }

    /// Reads the form with hyphens, in any case.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() != 36 {
            return None;
        }
        let mut bytes = [0; 16];
        let mut place = 0;
        for (at, digit) in text.bytes().enumerate() {
            if matches!(at, 8 | 13 | 18 | 23) {
                if digit != b'-' {
                    return None;
                }
                continue;
            }
            let digit = u8::try_from(char::from(digit).to_digit(16)?).ok()?;
            bytes[place / 2] = bytes[place / 2] << 4 | digit;
            place += 1;
        }
        Some(Self(bytes))
    }

    /// The sixteen bytes.
    pub(crate) fn bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                out.write_str("-")?;
            }
            write!(out, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips() {
        let text = "00000003-0000-0000-c000-000000000000";
        assert_eq!(Guid::parse(text).unwrap().to_string(), text);
        let made = Guid::of("a name");
        assert_eq!(Guid::parse(&made.to_string().to_uppercase()), Some(made));
        assert_ne!(made, Guid::of("another name"));
        for bad in
            ["", "00000003-0000-0000-c000-00000000000", "00000003x0000-0000-c000-000000000000"]
        {
            assert_eq!(Guid::parse(bad), None, "{bad}");
        }
    }
}
