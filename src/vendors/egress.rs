//! [`Egress`]: the addresses from which a vendor says that it calls.

use std::time::Duration;

use grantwarden_kit::model::Timestamp;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use url::Url;

use crate::policy::Date;

/// Whether a day begins after this time.
pub(super) fn lies_ahead(day: Date, now: Timestamp) -> bool {
    // A day is over one day after it begins.
    !day.is_over(now.plus(Duration::from_secs(86_400)))
}

/// The addresses from which a vendor says that it calls, when that was looked up, and where it says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Egress {
    /// Networks (`203.0.113.0/24`) or single addresses.
    pub ranges: Vec<Network>,
    /// The day on which somebody compared them with what the vendor publishes.
    pub checked: Date,
    /// The vendor's page with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Url>,
}

impl Egress {
    /// Whether the day on which somebody looked lies in the future: then nobody did.
    pub fn is_checked_ahead(&self, now: Timestamp) -> bool {
        lies_ahead(self.checked, now)
    }

    /// The ranges that limit anything.
    pub fn usable(&self) -> impl Iterator<Item = &Network> {
        self.ranges.iter().filter(|range| !range.is_useless())
    }

    /// The ranges that limit nothing: too many others are in them.
    pub fn useless(&self) -> impl Iterator<Item = &Network> {
        self.ranges.iter().filter(|range| range.is_useless())
    }
}

/// A network or a single address, written as RFC 4632 has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network(IpNet);

impl Network {
    /// Reads `203.0.113.0/24` or a single address.
    ///
    /// # Errors
    /// What is wrong, and how to write it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no network; write 203.0.113.0/24");
        let net = match text.parse::<std::net::IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => text.parse().map_err(|_| wrong())?,
        };
        if net.trunc() != net {
            return Err(format!(
                "`{text}` begins in the middle of a network; write {}",
                net.trunc()
            ));
        }
        Ok(Self(net))
    }

    /// Whether it is as large as what the regional registries get to give away to everybody (an IPv4 /8; an IPv6 /12,
    /// <https://www.icann.org/en/news/in-focus/global-addressing/allocation-ipv6-rirs>): a whole cloud fits in, and whoever rents a machine there.
    pub fn is_useless(self) -> bool {
        match self.0 {
            IpNet::V4(net) => net.prefix_len() <= 8,
            IpNet::V6(net) => net.prefix_len() <= 12,
        }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Network {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Network".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_networks_and_addresses() {
        for (text, written) in [
            ("203.0.113.0/24", "203.0.113.0/24"),
            ("203.0.113.7", "203.0.113.7/32"),
            ("2001:db8::/32", "2001:db8::/32"),
        ] {
            assert_eq!(Network::parse(text).unwrap().to_string(), written);
        }
        assert!(Network::parse("203.0.113.7/24").unwrap_err().ends_with("write 203.0.113.0/24"));
        for text in ["203.0.113.0/33", "vendor.example", "203.0.113.0-203.0.113.9", ""] {
            assert!(Network::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_holds_a_whole_cloud_is_useless() {
        for (text, useless) in [
            ("3.0.0.0/8", true),
            ("0.0.0.0/0", true),
            ("203.0.112.0/20", false),
            ("2600::/12", true),
            ("2001:db8::/32", false),
        ] {
            assert_eq!(Network::parse(text).unwrap().is_useless(), useless, "{text}");
        }
    }
}
