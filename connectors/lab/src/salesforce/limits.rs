//! The org's API request allowance: counted for every call, told in every reply.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use super::error::Refusal;
use super::world::ApiLimits;
use crate::wire::Reply;

/// The allowance and what is used of it.
#[derive(Debug)]
pub(crate) struct Meter {
    max: AtomicU64,
    used: AtomicU64,
}

impl Meter {
    pub(crate) fn new(limits: ApiLimits) -> Self {
        Self { max: AtomicU64::new(limits.max), used: AtomicU64::new(limits.used) }
    }

    /// Changes the allowance.
    pub(crate) fn set(&self, limits: ApiLimits) {
        self.max.store(limits.max, Ordering::Relaxed);
        self.used.store(limits.used, Ordering::Relaxed);
    }

    /// Takes one call from the allowance.
    pub(crate) fn take(&self) -> Result<(), Refusal> {
        let max = self.max.load(Ordering::Relaxed);
        if self.used.fetch_add(1, Ordering::Relaxed) < max {
            return Ok(());
        }
        self.used.fetch_min(max, Ordering::Relaxed);
        Err(Refusal::total_requests())
    }

    /// The same reply with the allowance in its header.
    pub(crate) fn stamp(&self, reply: Reply) -> Reply {
        let (max, used) = (self.max.load(Ordering::Relaxed), self.used.load(Ordering::Relaxed));
        reply.with_header("sforce-limit-info", format!("api-usage={}/{max}", used.min(max)))
    }

    /// `GET …/limits`.
    pub(crate) fn reply(&self) -> Reply {
        let (max, used) = (self.max.load(Ordering::Relaxed), self.used.load(Ordering::Relaxed));
        let body = json!({
            "DailyApiRequests": { "Max": max, "Remaining": max.saturating_sub(used) },
            "DailyAsyncApexExecutions": { "Max": 250_000, "Remaining": 250_000 },
            "DailyBulkApiBatches": { "Max": 15_000, "Remaining": 15_000 },
            "DataStorageMB": { "Max": 10_240, "Remaining": 7_912 },
        });
        Reply::json(200, body.to_string())
    }
}
