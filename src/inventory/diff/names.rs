//! [`Names`]: numbers for the apps of a tenant that have changes, so that a million changes do not hold a million names.

use std::collections::BTreeMap;

/// Apps by name and id.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: BTreeMap<(String, String), u32>,
    /// The one that was asked for last: changes come in runs.
    last: Option<((String, String), u32)>,
}

impl Names {
    pub(super) fn number(&mut self, name: &str, id: &str) -> u32 {
        if let Some(((last_name, last_id), number)) = &self.last
            && last_name == name
            && last_id == id
        {
            return *number;
        }
        let key = (name.to_owned(), id.to_owned());
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(key.clone()).or_insert(next);
        self.last = Some((key, number));
        number
    }

    /// For each number the place in the order of names and ids.
    pub(super) fn ranks(&self) -> Vec<u32> {
        let mut ranks = vec![0; self.numbers.len()];
        for (rank, number) in (0..).zip(self.numbers.values()) {
            if let Some(place) = usize::try_from(*number).ok().and_then(|at| ranks.get_mut(at)) {
                *place = rank;
            }
        }
        ranks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_in_the_order_of_names_then_ids() {
        let mut names = Names::default();
        let numbers = [("Zoom", "1"), ("Drift", "2"), ("Drift", "1"), ("Drift", "1")]
            .map(|(name, id)| names.number(name, id));
        assert_eq!(numbers, [0, 1, 2, 2]);
        assert_eq!(names.ranks(), [2, 1, 0]);
    }
}
