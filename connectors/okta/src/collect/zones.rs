//! Network zones, and what a restriction to zones means for a token.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use grantwarden_kit::{
    ledger::Ledger,
    model::{Gap, IpRange, LookAlike, NetworkPolicy, Observed, Reason},
};

use super::{
    listed::{self, Listed},
    standing::{Doubtful, Shown, Standing},
};
use crate::{
    api::{Address, Network, Zone},
    org::{Call, Org, bucket},
    told::{Told, odd, unknown_value, untold},
};

pub(super) const FACET: &str = "network-zones";
pub(super) const LIST: Call = Call {
    endpoint: "list network zones",
    scope: "okta.networkZones.read",
    bucket: bucket::DEFAULT,
};
pub(super) const DOUBTFUL: Doubtful =
    Doubtful { facet: FACET, what: "network zones", shown: Shown::Readers };
/// In place of a zone's id: every zone that is a set of addresses.
const ALL: &str = "ALL_IP_ZONES";
/// What a restriction was to tell.
const WHERE: &str = "from where it works";

/// The org's network zones.
pub(super) struct Zones {
    by_id: HashMap<String, Zone>,
    gap: Option<Gap>,
}

impl Zones {
    pub(super) async fn read(org: &Org, ledger: &Ledger, standing: &Standing<'_>) -> Self {
        let path = ["api", "v1", "zones"];
        let Listed { rows, mut gap } =
            listed::read::<Zone>(org, ledger, FACET, LIST, &path, &[("limit", "200")]).await;
        if rows.is_empty() && gap.is_none() {
            gap = standing.believe_empty(ledger, DOUBTFUL).await;
        }
        ledger.read(FACET, rows.len() as u64);
        if ledger.skipped(FACET).is_none() {
            ledger.settle(FACET);
        }
        let by_id = rows.into_iter().map(|zone| (zone.id.clone(), zone)).collect();
        Self { by_id, gap }
    }

    /// What a setting of some facet binds.
    pub(super) fn policy(&self, network: &Told<Network>, facet: &str) -> NetworkPolicy {
        let mut look_alikes = Vec::new();
        let binding = match network {
            Told::Given(network) => self.binding(network, facet, &mut look_alikes),
            Told::Odd => Observed::Unknown(odd(facet, WHERE)),
            Told::Missing | Told::Null => Observed::Unknown(untold(facet, WHERE)),
        };
        NetworkPolicy { binding, look_alikes }
    }

    fn binding(
        &self,
        network: &Network,
        facet: &str,
        look_alikes: &mut Vec<LookAlike>,
    ) -> Observed<Vec<IpRange>> {
        match network.connection.given().map(String::as_str) {
            Some("ANYWHERE") => return Observed::Absent,
            Some("ZONE") => {}
            Some(other) => return unknown_value(facet, WHERE, other),
            None => return network.connection.observed(facet, WHERE, |_| Vec::new()),
        }
        if matches!((&network.include, &network.exclude), (Told::Odd, _) | (_, Told::Odd)) {
            return Observed::Unknown(odd(facet, WHERE));
        }
        let included = network.include.given().map_or(&[][..], Vec::as_slice);
        let excluded = network.exclude.given().map_or(&[][..], Vec::as_slice);
        if included.is_empty() && excluded.is_empty() {
            let detail = "Okta says that network zones restrict it, and names none";
            return Observed::unknown(Reason::CallFailed, facet, detail);
        }
        if included.is_empty() {
            look_alikes.push(LookAlike {
                setting: "Network zones that are excluded".to_owned(),
                why: "it works from every network but the zones that are named".to_owned(),
            });
            return Observed::Absent;
        }
        // What is excluded besides only makes it narrower.
        self.ranges(included, facet)
    }

    fn ranges(&self, ids: &[String], facet: &str) -> Observed<Vec<IpRange>> {
        let mut ranges = Vec::new();
        for id in ids {
            let zones: Vec<&Zone> = if id == ALL {
                if let Some(gap) = &self.gap {
                    return Observed::Unknown(gap.clone());
                }
                self.by_id.values().filter(|zone| is_of_addresses(zone)).collect()
            } else {
                match (self.by_id.get(id), &self.gap) {
                    (Some(zone), _) => vec![zone],
                    (None, Some(gap)) => return Observed::Unknown(gap.clone()),
                    (None, None) => {
                        let detail = format!("Okta does not list the network zone {id}");
                        return Observed::unknown(Reason::CallFailed, facet, detail);
                    }
                }
            };
            for zone in zones {
                match of_zone(zone, facet) {
                    Ok(more) => ranges.extend(more),
                    Err(gap) => return Observed::Unknown(gap),
                }
            }
        }
        if ranges.is_empty() {
            let detail = "Okta lists no addresses for the network zones that restrict it";
            return Observed::unknown(Reason::CallFailed, facet, detail);
        }
        ranges.sort_unstable();
        ranges.dedup();
        Observed::Known(ranges)
    }

    /// The names of zones, for a person.
    pub(super) fn names(&self, ids: &[String]) -> String {
        let name = |id: &String| {
            let known = self.by_id.get(id).and_then(|zone| zone.name.given());
            known.unwrap_or(id).clone()
        };
        ids.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}

fn is_of_addresses(zone: &Zone) -> bool {
    zone.kind.given().is_some_and(|kind| kind == "IP")
}

/// The addresses of a zone. A zone by place or network operator is none of addresses, and one that is switched off restricts nothing that
/// can be told.
fn of_zone(zone: &Zone, facet: &str) -> Result<Vec<IpRange>, Gap> {
    let name = zone.name.given().map_or(zone.id.as_str(), String::as_str);
    let fail = |what: &str| {
        Gap::new(Reason::PlatformSilent, facet, format!("the network zone {name} {what}"))
    };
    if !is_of_addresses(zone) {
        return Err(fail("is not one of addresses, but of places, networks or kinds of service"));
    }
    if zone.status.given().is_none_or(|status| status != "ACTIVE") {
        return Err(fail("is not active, as far as Okta tells"));
    }
    let gateways = zone.gateways.given().map_or(&[][..], Vec::as_slice);
    let proxies = zone.proxies.given().map_or(&[][..], Vec::as_slice);
    let odd_lists = matches!(zone.gateways, Told::Odd) || matches!(zone.proxies, Told::Odd);
    if odd_lists || (gateways.is_empty() && proxies.is_empty()) {
        return Err(fail("has no addresses, as far as Okta tells"));
    }
    let all = gateways.iter().chain(proxies);
    all.map(|address| {
        range(address).ok_or_else(|| fail("has an address of a form that is not known"))
    })
    .collect()
}

fn range(address: &Address) -> Option<IpRange> {
    let value = address.value.given()?.trim();
    match address.kind.given()?.as_str() {
        "CIDR" => cidr(value),
        "RANGE" => {
            let (start, end) = value.split_once('-').unwrap_or((value, value));
            IpRange::new(start.trim().parse().ok()?, end.trim().parse().ok()?)
        }
        _ => None,
    }
}

fn cidr(value: &str) -> Option<IpRange> {
    let (address, bits) = match value.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
        None => (value, None),
    };
    match address.parse().ok()? {
        IpAddr::V4(address) => {
            let bits = bits.unwrap_or(32);
            let host = (bits <= 32).then(|| u32::MAX.checked_shr(bits).unwrap_or(0))?;
            let start = address.to_bits() & !host;
            IpRange::new(
                Ipv4Addr::from_bits(start).into(),
                Ipv4Addr::from_bits(start | host).into(),
            )
        }
        IpAddr::V6(address) => {
            let bits = bits.unwrap_or(128);
            let host = (bits <= 128).then(|| u128::MAX.checked_shr(bits).unwrap_or(0))?;
            let start = address.to_bits() & !host;
            IpRange::new(
                Ipv6Addr::from_bits(start).into(),
                Ipv6Addr::from_bits(start | host).into(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zones() -> Zones {
        let rows: Vec<Zone> = serde_json::from_str(
            r#"[{"id":"nzo1","name":"Office","type":"IP","status":"ACTIVE","gateways":[{"type":"CIDR","value":"192.0.2.7/24"},{"type":"RANGE","value":"198.51.100.1-198.51.100.9"}],"proxies":null},
                {"id":"nzo2","name":"Abroad","type":"DYNAMIC","status":"ACTIVE"},
                {"id":"nzo3","name":"Old","type":"IP","status":"INACTIVE","gateways":[{"type":"CIDR","value":"203.0.113.0/24"}]}]"#,
        )
        .unwrap();
        Zones { by_id: rows.into_iter().map(|zone| (zone.id.clone(), zone)).collect(), gap: None }
    }

    fn policy(network: &str) -> NetworkPolicy {
        let network: Told<Network> = serde_json::from_str(network).unwrap();
        zones().policy(&network, "f")
    }

    #[test]
    fn a_zone_binds_its_addresses() {
        let bound = policy(r#"{"connection":"ZONE","include":["nzo1"]}"#);
        let shown: Vec<String> =
            bound.binding.known().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["192.0.2.0-192.0.2.255", "198.51.100.1-198.51.100.9"]);
        assert_eq!(policy(r#"{"connection":"ANYWHERE"}"#).binding, Observed::Absent);
    }

    #[test]
    fn zones_without_addresses_bind_nothing_that_is_known() {
        let network: Told<Network> =
            serde_json::from_str(r#"{"connection":"ZONE","include":["ALL_IP_ZONES"]}"#).unwrap();
        let none = Zones { by_id: HashMap::new(), gap: None };
        assert!(none.policy(&network, "f").binding.gap().is_some());
    }

    #[test]
    fn an_exclusion_is_no_restriction() {
        let open = policy(r#"{"connection":"ZONE","exclude":["nzo1"]}"#);
        assert_eq!(open.binding, Observed::Absent);
        assert_eq!(open.look_alikes.len(), 1);
    }

    #[test]
    fn what_is_not_told_is_unknown() {
        for network in [
            "null",
            "7",
            "{}",
            r#"{"connection":"MOON"}"#,
            r#"{"connection":"ZONE"}"#,
            r#"{"connection":"ZONE","include":["nzo9"]}"#,
            r#"{"connection":"ZONE","include":["nzo2"]}"#,
            r#"{"connection":"ZONE","include":["nzo1","nzo3"]}"#,
            r#"{"connection":"ZONE","include":["ALL_IP_ZONES"]}"#,
            r#"{"connection":"ZONE","include":7}"#,
        ] {
            assert!(policy(network).binding.gap().is_some(), "{network}");
        }
    }

    #[test]
    fn reads_all_lengths_of_a_prefix() {
        let show = |text| cidr(text).unwrap().to_string();
        assert_eq!(show("192.0.2.7"), "192.0.2.7");
        assert_eq!(show("192.0.2.7/32"), "192.0.2.7");
        assert!(cidr("10.0.0.0/0").unwrap().is_everything());
        assert!(cidr("::/0").unwrap().is_everything());
        assert_eq!(show("2001:db8::1/128"), "2001:db8::1");
        assert!(cidr("192.0.2.7/33").is_none());
    }
}
