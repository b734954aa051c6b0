//! Where a grant works from, and settings that only look as if they said so.

use std::{fmt, net::IpAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Observed;

/// Where a grant works from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NetworkPolicy {
    /// The ranges that the platform enforces on traffic with this grant's tokens. `Absent`: they work from any network.
    pub binding: Observed<Vec<IpRange>>,
    /// Settings that an owner may take for a restriction and that do not bind this grant's tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub look_alikes: Vec<LookAlike>,
}

/// A setting that looks like a network restriction and does not bind token traffic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct LookAlike {
    /// The setting by the name that the platform's administration pages show.
    pub setting: String,
    /// Why tokens get past it.
    pub why: String,
}

/// An inclusive range of addresses.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "Ends")]
pub struct IpRange {
    /// The first address.
    pub start: IpAddr,
    /// The last address; never below `start`.
    pub end: IpAddr,
}

/// A range as written, before it is known to be one.
#[derive(Deserialize, JsonSchema)]
struct Ends {
    start: IpAddr,
    end: IpAddr,
}

impl TryFrom<Ends> for IpRange {
    type Error = String;

    fn try_from(Ends { start, end }: Ends) -> Result<Self, String> {
        Self::new(start, end).ok_or_else(|| format!("{start} to {end} is not a range of addresses"))
    }
}

impl IpRange {
    /// `None` if the addresses are of different families or in the wrong order.
    pub fn new(start: IpAddr, end: IpAddr) -> Option<Self> {
        (start.is_ipv4() == end.is_ipv4() && start <= end).then_some(Self { start, end })
    }

    /// Whether the range holds every address of its family and so restricts nothing.
    pub fn is_everything(self) -> bool {
        match (self.start, self.end) {
            (IpAddr::V4(start), IpAddr::V4(end)) => {
                start.to_bits() == 0 && end.to_bits() == u32::MAX
            }
            (IpAddr::V6(start), IpAddr::V6(end)) => {
                start.to_bits() == 0 && end.to_bits() == u128::MAX
            }
            _ => false,
        }
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start == self.end {
            write!(f, "{}", self.start)
        } else {
            write!(f, "{}-{}", self.start, self.end)
        }
    }
}
