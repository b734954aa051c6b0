//! Made-up changes for the tests of this module.

use super::{Message, pick::Candidates};
use crate::{
    config::{Channel, parse},
    finding::{Counts, Fingerprint, Severity, SubjectKind},
    store::{Changes, Item, Listed},
};

/// A name that tries to be more than text, in every form that messages are written in.
pub(super) const fn hostile() -> &'static str {
    "<!channel> <@U123> <https://evil.example|click> *bold* `code` [link](https://evil.example) <script>alert(1)</script> <at>all</at> \
     \u{1b}[31m\u{202e}\r\nBcc: everybody@evil.example"
}

/// Changes, and somebody to tell them.
pub(super) struct Made {
    pub(super) changes: Changes,
    pub(super) channel: Channel,
}

impl Made {
    /// So many new critical findings about an app of this name.
    pub(super) fn with(count: usize, app: &str) -> Self {
        let items = (0..count).map(|number| item(&number.to_string(), Severity::Critical, app));
        let mut changes = empty();
        changes.new = listed(items.collect());
        changes.active = changes.new.counts;
        Self { changes, channel: channel("") }
    }

    /// All of it.
    pub(super) fn message(&self) -> Message<'_> {
        Candidates::of(&self.changes, &self.channel).into_message(&Default::default()).unwrap()
    }
}

pub(super) fn channel(settings: &str) -> Channel {
    let text = format!(
        "[[notify]]\nname = \"ops\"\nkind = \"command\"\ncommand = [\"true\"]\n{settings}\n\
         [[tenant]]\nname = \"acme-crm\"\nplatform = \"salesforce\"\nbase_url = \"https://acme.my.salesforce.com\"\nauth = {{ method = \"static\", token = {{ env = \"T\" }} }}\n"
    );
    parse(std::path::Path::new("g.toml"), &text).unwrap().channels.remove(0)
}

pub(super) fn empty() -> Changes {
    Changes {
        scan: 12,
        taken_at: "2026-01-15T12:00:00Z".parse().unwrap(),
        before: Some("2026-01-14T12:00:00Z".parse().unwrap()),
        tenants: vec!["acme-crm".into(), "acme-git".into()],
        incomplete: Vec::new(),
        active: Counts::default(),
        new: Listed::default(),
        reopened: Listed::default(),
        worse: Listed::default(),
        resolved: Listed::default(),
    }
}

pub(super) fn listed(items: Vec<Item>) -> Listed {
    Listed { counts: items.iter().map(|item| item.severity).collect(), first: items }
}

pub(super) fn item(id: &str, severity: Severity, app: &str) -> Item {
    Item {
        fingerprint: Fingerprint::of("drift-pattern", "salesforce", "t", SubjectKind::App, id),
        rule: "drift-pattern".into(),
        severity,
        platform: Some("salesforce".into()),
        tenant: Some("acme-crm".into()),
        app: Some(app.into()),
        subject: format!("grant of {app}"),
        message: format!("{app} reaches everything from everywhere for ever."),
    }
}
