//! Quotas of one app in one directory: resource units for reads, a number of writes, and a small
//! number of calls to the logs. Buckets refill all the time; a refused call costs nothing.

use std::sync::{Mutex, PoisonError};

use super::error::Refusal;
use super::guid::Guid;
use super::world::Behaviour;
use crate::wire::{Reply, Request};

/// What a call is charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charge {
    /// A read, in resource units.
    Read(u32),
    /// A change: one resource unit and one write.
    Write,
    /// A call to `auditLogs` or `reports`.
    Report,
}

impl Charge {
    /// What a call costs.
    pub(crate) fn of(request: &Request, path: &[&str]) -> Self {
        let read = request.method == "GET";
        match path {
            ["auditLogs" | "reports", ..] => return Self::Report,
            ["directoryObjects", "getByIds"] => return Self::Read(3),
            _ if !read => return Self::Write,
            _ => {}
        }
        let mut cost: i32 = match path {
            ["applications" | "oauth2PermissionGrants" | "users", ..]
            | ["servicePrincipals", _, "appRoleAssignments", ..] => 2,
            _ => 1,
        };
        cost -= i32::from(request.param("$select").is_some());
        cost += i32::from(request.param("$expand").is_some());
        let top = request.param("$top").and_then(|top| top.parse::<u32>().ok());
        cost -= i32::from(top.is_some_and(|top| top < 20));
        Self::Read(u32::try_from(cost.max(1)).unwrap_or(1))
    }
}

#[derive(Debug)]
struct Bucket {
    capacity: f64,
    window_seconds: f64,
    level: f64,
    at_ms: i64,
}

impl Bucket {
    fn new(capacity: u32, window_seconds: f64, now_ms: i64) -> Self {
        let capacity = f64::from(capacity);
        Self { capacity, window_seconds, level: capacity, at_ms: now_ms }
    }

    /// Takes so much, or gives the seconds to wait for it.
    fn take(&mut self, amount: u32, now_ms: i64, scale: f64) -> Result<f64, f64> {
        let rate = self.capacity / self.window_seconds * scale;
        #[expect(clippy::cast_precision_loss, reason = "milliseconds between two calls")]
        let passed = (now_ms - self.at_ms).max(0) as f64 / 1_000.0;
        self.level = (self.level + passed * rate).min(self.capacity);
        self.at_ms = now_ms;
        let amount = f64::from(amount);
        if self.level < amount {
            return Err((amount - self.level) / rate);
        }
        self.level -= amount;
        Ok((self.capacity - self.level) / self.capacity)
    }
}

#[derive(Debug)]
struct Buckets {
    units: Bucket,
    writes: Bucket,
    reports: Bucket,
}

/// The quotas of the scanner in this directory.
#[derive(Debug)]
pub(crate) struct Quota {
    buckets: Mutex<Buckets>,
    scale: f64,
    on: bool,
}

/// What a call was charged, for its reply.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Charged {
    units: u32,
    used: f64,
}

impl Quota {
    pub(crate) fn new(behaviour: &Behaviour, users: usize, now_ms: i64) -> Self {
        let units = behaviour.resource_units.unwrap_or(match users {
            0..50 => 3_500,
            50..=500 => 5_000,
            _ => 8_000,
        });
        let buckets = Buckets {
            units: Bucket::new(units, 10.0, now_ms),
            writes: Bucket::new(behaviour.writes, 150.0, now_ms),
            reports: Bucket::new(behaviour.report_calls, 10.0, now_ms),
        };
        Self { buckets: Mutex::new(buckets), scale: behaviour.time_scale, on: behaviour.quota }
    }

    /// Charges a call, or refuses it.
    pub(crate) fn take(
        &self,
        charge: Charge,
        now_ms: i64,
        app: Guid,
        tenant: Guid,
    ) -> Result<Charged, Refusal> {
        let units = match charge {
            Charge::Read(units) => units,
            Charge::Write | Charge::Report => 1,
        };
        if !self.on {
            return Ok(Charged { units, used: 0.0 });
        }
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let (taken, scope, limit) = match charge {
            Charge::Report => {
                (buckets.reports.take(1, now_ms, self.scale), "Read", "ResourceUnitLimitExceeded")
            }
            Charge::Write => {
                (buckets.writes.take(1, now_ms, self.scale), "Write", "WriteLimitExceeded")
            }
            Charge::Read(units) => {
                (buckets.units.take(units, now_ms, self.scale), "Read", "ResourceUnitLimitExceeded")
            }
        };
        match taken {
            Ok(used) => Ok(Charged { units, used }),
            Err(wait) => Err(throttled(limit)
                .with_header("retry-after", format!("{:.0}", wait.ceil().max(1.0)))
                .with_header("x-ms-throttle-limit-percentage", "1.1")
                .with_header(
                    "x-ms-throttle-scope",
                    format!("Tenant_Application/{scope}/{app}/{tenant}"),
                )),
        }
    }
}

/// A refusal for a limit of this name.
pub(crate) fn throttled(limit: &str) -> Refusal {
    Refusal::throttled().with_header("x-ms-throttle-information", limit)
}

impl Charged {
    /// The same reply with what it cost.
    pub(crate) fn stamp(self, reply: Reply) -> Reply {
        let reply = reply.with_header("x-ms-resource-unit", self.units.to_string());
        if self.used > 0.8 {
            return reply
                .with_header("x-ms-throttle-limit-percentage", format!("{:.1}", self.used));
        }
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_refills_with_time() {
        let mut bucket = Bucket::new(5, 10.0, 0);
        for _ in 0..5 {
            assert!(bucket.take(1, 0, 1.0).is_ok());
        }
        assert_eq!(bucket.take(1, 0, 1.0), Err(2.0));
        assert!(bucket.take(1, 1_900, 1.0).is_err());
        assert!(bucket.take(1, 2_000, 1.0).is_ok());
        assert!(bucket.take(1, 2_034, 60.0).is_ok(), "sixty times as fast");
    }
}
