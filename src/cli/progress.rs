//! The progress display: one line per tenant on standard error, on a terminal only.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::{inventory::TenantEnd, scan::Observer};

/// One spinner per tenant that is being scanned.
#[derive(Default)]
pub(super) struct Progress {
    lines: MultiProgress,
    by_tenant: Mutex<HashMap<String, ProgressBar>>,
}

impl Progress {
    fn with(&self, tenant: &str, change: impl FnOnce(&ProgressBar)) {
        if let Some(line) =
            self.by_tenant.lock().unwrap_or_else(PoisonError::into_inner).get(tenant)
        {
            change(line);
        }
    }
}

impl Observer for Progress {
    fn start(&self, tenant: &str) {
        let style = ProgressStyle::with_template("{spinner} {prefix}: {pos} grants read").ok();
        let line = self.lines.add(ProgressBar::new_spinner());
        if let Some(style) = style {
            line.set_style(style);
        }
        line.set_prefix(tenant.to_owned());
        line.enable_steady_tick(Duration::from_millis(120));
        self.by_tenant
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(tenant.to_owned(), line);
    }

    fn progress(&self, tenant: &str, grants: u64) {
        self.with(tenant, |line| line.set_position(grants));
    }

    fn finish(&self, tenant: &str, _: &TenantEnd) {
        self.with(tenant, ProgressBar::finish_and_clear);
    }
}
