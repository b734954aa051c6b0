//! [`Watch`]: what was asked of a tenant, and what is to go wrong with it. The same for every platform.

use crate::calls::{Call, CallLog};
use crate::fault::{Fault, FaultPlan};

/// What a test sees and does of a tenant in service, whatever its platform.
#[derive(Debug, Default)]
pub struct Watch {
    pub(crate) log: CallLog,
    pub(crate) plan: FaultPlan,
}

impl Watch {
    /// Every call so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.log.all()
    }

    /// How many calls so far are of a kind.
    pub fn count_calls(&self, wanted: impl Fn(&Call) -> bool) -> usize {
        self.log.count(wanted)
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        self.log.clear();
    }

    /// Makes something go wrong from now on.
    pub fn inject(&self, fault: Fault) {
        self.plan.inject(fault);
    }

    /// Takes back all faults; what they changed stays changed.
    pub fn clear_faults(&self) {
        self.plan.clear();
    }
}
