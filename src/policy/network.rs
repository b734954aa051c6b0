//! [`Network`]: addresses as people write them: `203.0.113.0/24`, `203.0.113.7`, `203.0.113.1-203.0.113.9`.

use std::{fmt, net::IpAddr, str::FromStr};

use grantwarden_kit::model::IpRange;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network(pub IpRange);

/// The text is not a range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a range of addresses; write `203.0.113.0/24`, `203.0.113.7` or `203.0.113.1-203.0.113.9`"
)]
pub struct ParseNetworkError(String);

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let range = match (text.split_once('/'), text.split_once('-')) {
            (Some((address, bits)), _) => block(address, bits),
            (None, Some((start, end))) => start
                .trim()
                .parse()
                .ok()
                .zip(end.trim().parse().ok())
                .and_then(|(start, end)| IpRange::new(start, end)),
            (None, None) => {
                text.parse().ok().and_then(|address: IpAddr| IpRange::new(address, address))
            }
        };
        range.map(Self).ok_or_else(|| ParseNetworkError(text.to_owned()))
    }
}

/// A block of RFC 4632; bits behind the prefix must be zero, or a typing error would widen it.
fn block(address: &str, bits: &str) -> Option<IpRange> {
    let address: IpAddr = address.parse().ok()?;
    let bits: u32 = bits.parse().ok()?;
    let (start, end) = match address {
        IpAddr::V4(address) => {
            let rest = u32::MAX.checked_shr(bits).unwrap_or(0);
            let start = address.to_bits();
            (bits <= 32 && start & rest == 0)
                .then(|| (IpAddr::from(address), IpAddr::from((start | rest).to_be_bytes())))?
        }
        IpAddr::V6(address) => {
            let rest = u128::MAX.checked_shr(bits).unwrap_or(0);
            let start = address.to_bits();
            (bits <= 128 && start & rest == 0)
                .then(|| (IpAddr::from(address), IpAddr::from((start | rest).to_be_bytes())))?
        }
    };
    IpRange::new(start, end)
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Network {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Network".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Addresses: a block (RFC 4632), one address, or first and last with a hyphen between.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, start, end) in [
            ("203.0.113.0/24", "203.0.113.0", "203.0.113.255"),
            ("203.0.113.7", "203.0.113.7", "203.0.113.7"),
            ("203.0.113.1-203.0.113.9", "203.0.113.1", "203.0.113.9"),
            ("2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("0.0.0.0/0", "0.0.0.0", "255.255.255.255"),
            ("203.0.113.7/32", "203.0.113.7", "203.0.113.7"),
        ] {
            let Network(range) = text.parse().unwrap();
            assert_eq!(
                (range.start.to_string(), range.end.to_string()),
                (start.into(), end.into())
            );
        }
        for text in
            ["", "203.0.113", "203.0.113.1/24", "203.0.113.0/33", "9.0.0.0-8.0.0.0", "::/129"]
        {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
