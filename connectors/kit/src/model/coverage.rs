//! What of a tenant was read, what was not, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Gap, Reason};

/// What of one tenant was read, part by part, in the order of the connector's manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// One entry per facet that the scan looked at.
    pub parts: Vec<Part>,
}

impl Coverage {
    /// Whether everything that the connector promises was read.
    pub fn is_whole(&self) -> bool {
        self.parts.iter().all(Part::is_whole)
    }

    /// Books rows that are neither read nor lost as a loss of their own.
    pub fn account(&mut self) {
        for part in &mut self.parts {
            let lost = part
                .losses
                .iter()
                .try_fold(0_u64, |sum, loss| Some(sum.saturating_add(loss.rows?)));
            // A loss of unknown size may hold them all.
            let Some((expected, lost)) = part.expected.zip(lost) else { continue };
            let unsaid = expected.saturating_sub(part.read.saturating_add(lost));
            if unsaid > 0 {
                let detail = format!("the platform counts {expected} and gave {}", part.read);
                part.lose(Gap::new(Reason::CountMismatch, &part.facet, detail), Some(unsaid));
            }
        }
    }

    /// The part for a facet, made if it is not there yet.
    pub fn part(&mut self, facet: &str, title: &str, promised: bool) -> &mut Part {
        let at = self.parts.iter().position(|part| part.facet == facet).unwrap_or_else(|| {
            self.parts.push(Part::new(facet, title, promised));
            self.parts.len() - 1
        });
        &mut self.parts[at]
    }
}

/// One part of a tenant: how much of it was read and what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// Facet id in the connector's manifest.
    pub facet: String,
    /// For a person: `OAuth tokens`.
    pub title: String,
    /// Whether a loss here makes the scan incomplete.
    pub promised: bool,
    /// Rows read.
    pub read: u64,
    /// Rows that the platform says there are, where it says so.
    pub expected: Option<u64>,
    /// What is missing and why; empty if nothing is.
    pub losses: Vec<Loss>,
    /// How it was read, where a reader should know and nothing is missing: what is remembered from an earlier scan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Something missing from a [`Part`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Loss {
    /// Why it is missing.
    #[serde(flatten)]
    pub gap: Gap,
    /// How many rows are missing; `None` if nobody can tell.
    pub rows: Option<u64>,
}

impl Part {
    /// A part of which nothing was read yet.
    pub fn new(facet: &str, title: &str, promised: bool) -> Self {
        Self {
            facet: facet.to_owned(),
            title: title.to_owned(),
            promised,
            read: 0,
            expected: None,
            losses: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a loss; equal ones are counted together.
    pub fn lose(&mut self, gap: Gap, rows: Option<u64>) {
        match self.losses.iter_mut().find(|loss| loss.gap == gap) {
            Some(loss) => loss.rows = loss.rows.zip(rows).map(|(a, b)| a.saturating_add(b)),
            None => self.losses.push(Loss { gap, rows }),
        }
    }

    /// Whether the part keeps the connector's promise.
    pub fn is_whole(&self) -> bool {
        !self.promised || !self.losses.iter().any(|loss| loss.gap.reason.is_loss())
    }

    /// The first loss that stands for the whole part: nothing of it was read.
    pub fn unseen(&self) -> Option<&Gap> {
        self.losses
            .iter()
            .find(|loss| self.read == 0 && loss.gap.reason != Reason::Vanished)
            .map(|loss| &loss.gap)
    }
}
