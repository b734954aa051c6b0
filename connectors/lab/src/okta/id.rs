//! Ids as the platform forms them: a prefix that tells the kind and 17 letters and digits, the same for the same world.

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A number that looks like chance and is not.
pub(crate) fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Letters and digits that follow from a seed.
pub(crate) fn letters(seed: u64, length: usize) -> String {
    let mut text = String::with_capacity(length);
    let mut state = seed;
    for _ in 0..length {
        state = mix(state);
        let place = usize::try_from(state % 62).unwrap_or_default();
        text.push(char::from(LETTERS[place]));
    }
    text
}

/// The id of something that has a name, e.g. `0oa…`.
pub(crate) fn named(prefix: &str, name: &str) -> String {
    let seed = prefix.bytes().chain(name.bytes()).fold(7, |seed, byte| mix(seed ^ u64::from(byte)));
    format!("{prefix}{}", letters(seed, 17))
}

/// The id of a row of a long table. [`row`] finds the row again.
pub(crate) fn numbered(prefix: &str, row: u32) -> String {
    let seed = prefix.bytes().fold(u64::from(row), |seed, byte| mix(seed ^ u64::from(byte)));
    format!("{prefix}{}{row:08x}5d7", letters(seed, 6))
}

/// The row of an id that [`numbered`] made.
pub(crate) fn row(prefix: &str, id: &str) -> Option<u32> {
    let row = u32::from_str_radix(id.get(9..17)?, 16).ok()?;
    (numbered(prefix, row) == id).then_some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_as_long_as_the_platforms_and_lead_back() {
        assert_eq!(named("0oa", "Grantwarden").len(), 20);
        assert_ne!(named("0oa", "a"), named("0oa", "b"));
        for number in [0, 1, 77, u32::MAX] {
            let id = numbered("oar", number);
            assert_eq!(id.len(), 20);
            assert_eq!(row("oar", &id), Some(number));
            assert_eq!(row("oag", &id), None);
        }
        for other in ["", "oar", "oarx", "oarFAKEFAKEFAKEFAKEF", "oaräöüäöüäöüäöüäöü"]
        {
            assert_eq!(row("oar", other), None, "{other}");
        }
    }
}
