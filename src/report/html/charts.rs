//! Bars of grants by time, as SVG. Each bar has its words and its number beside it, so that the picture adds nothing that cannot be read.

use super::{
    facts::{Facts, Times},
    text::{counted, number},
};

/// Pixels between the tops of two bars.
const STEP: u64 = 26;

/// Pixels of the longest bar.
const LONGEST: u64 = 300;

/// A chart.
pub(super) struct Chart {
    /// For the page's own references.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// What it shows, in a sentence with all its numbers.
    pub(super) description: String,
    pub(super) bars: Vec<Bar>,
    /// Pixels.
    pub(super) height: u64,
}

/// A bar.
pub(super) struct Bar {
    pub(super) label: &'static str,
    /// The number, as it is written beside the bar.
    pub(super) count: String,
    /// Pixels from the top.
    pub(super) top: u64,
    /// Pixels from the top to the line on which its words stand.
    pub(super) line: u64,
    /// Pixels.
    pub(super) width: u64,
    /// Pixels from the left to its number.
    pub(super) end: u64,
    /// How it is drawn: a class of the style.
    pub(super) class: &'static str,
}

/// The page's charts.
pub(super) fn charts(facts: &Facts) -> [Chart; 2] {
    let ages = [
        "less than 30 days",
        "30 to 89 days",
        "90 to 364 days",
        "1 to 2 years",
        "2 years or more",
        "no date of grant kept",
        "not visible",
    ];
    let uses = [
        "in the last 7 days",
        "7 to 29 days ago",
        "30 to 89 days ago",
        "90 to 364 days ago",
        "a year ago or more",
        "never used",
        "not visible",
    ];
    [
        chart("ages", "How long ago they were given", ages, &facts.ages),
        chart("uses", "When they were last used", uses, &facts.uses),
    ]
}

fn chart(id: &'static str, title: &'static str, labels: [&'static str; 7], times: &Times) -> Chart {
    let [a, b, c, d, e] = times.known;
    let counts = [a, b, c, d, e, times.absent, times.unknown];
    let most = counts.into_iter().max().unwrap_or_default().max(1);
    let bar = |(at, (label, count)): (usize, (&'static str, u64))| {
        // The shortest bar can still be seen; none is drawn for none.
        let width = (count * LONGEST / most).max(u64::from(count > 0) * 2);
        let top = at as u64 * STEP;
        Bar {
            label,
            count: number(count),
            top: top + 3,
            line: top + 17,
            width,
            end: 170 + width + 8,
            class: match at {
                5 => "bar none",
                6 => "bar unseen",
                _ => "bar",
            },
        }
    };
    let said: Vec<String> = labels
        .iter()
        .zip(counts)
        .map(|(label, count)| format!("{label}: {}", counted(count, "grant")))
        .collect();
    Chart {
        id,
        title,
        description: format!("{}.", said.join("; ")),
        bars: labels.into_iter().zip(counts).enumerate().map(bar).collect(),
        height: labels.len() as u64 * STEP + 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_counts_and_the_words_have_them_all() {
        let times = Times { known: [0, 1, 1_000, 0, 500], absent: 2, unknown: 250 };
        let chart = chart("x", "X", ["a", "b", "c", "d", "e", "f", "g"], &times);
        let widths: Vec<u64> = chart.bars.iter().map(|bar| bar.width).collect();
        assert_eq!(widths, [0, 2, 300, 0, 150, 2, 75]);
        assert_eq!(
            chart.description,
            "a: 0 grants; b: 1 grant; c: 1,000 grants; d: 0 grants; e: 500 grants; f: 2 grants; g: 250 grants."
        );
    }
}
