//! What somebody may have meant by a word that does not exist.

/// ``; did you mean `x`? The whats are a, b, c``: the nearest known word, and all of them.
pub(super) fn hint(word: &str, known: &[&str], what: &str) -> String {
    match nearest(word, known) {
        Some(near) => format!("did you mean `{near}`? The {what} are {}", known.join(", ")),
        None => format!("there are no {what}"),
    }
}

/// The known word with the fewest edits; the first of equals.
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known.iter().min_by_key(|other| edits(word, other)).copied()
}

/// Levenshtein distance, in bytes: the words are ASCII.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in to.bytes().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits() {
        for (from, to, expected) in [("", "abc", 3), ("abc", "abc", 0), ("kitten", "sitting", 3)] {
            assert_eq!(edits(from, to), expected, "{from} -> {to}");
        }
    }
}
