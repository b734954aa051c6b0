//! `sibling-or-twin-grant`: one vendor under several client ids of a tenant, and one app that is there twice.
//!
//! A second instance under the *same* client id cannot be told from a second connection of the first; `new-or-changed-grant` sees it come.

use std::collections::{BTreeMap, BTreeSet};

use grantwarden_kit::model::App;

use super::{
    Context, Meta, Problem, Reference, Remedy, Rule, Surroundings, VendorView, Verdicts, controls,
    fact, words,
};
use crate::{
    finding::{Confidence, Evidence, Severity},
    vendors::{self, Member, Party, TieKind},
};

pub(super) struct SiblingOrTwinGrant;

static META: Meta = Meta {
    id: "sibling-or-twin-grant",
    title: "App or vendor that is there more than once",
    severity: Severity::High,
    summary: "A tenant has one app twice, or one vendor under several client ids; what differs is named.",
    why: "Whoever revokes one leaves the other. Context.ai had two client ids of one Google project (2026), Heroku's dashboard two \
          numbers under one name (2022); and an intruder who connects a look-alike of an approved app stays when the first is cleaned up.",
    incidents: &["contextai-vercel-2026", "heroku-travis-github-2022"],
    remedies: &[Remedy::RevokeGrant, Remedy::RequireAdminApproval],
    references: &[Reference {
        title: "Push Security: evil twin integrations (SAT1016)",
        url: "https://github.com/pushsecurity/saas-attacks/blob/main/techniques/evil_twin_integrations/description.md",
    }],
    controls: &[controls::INTEGRATE, controls::MASQUERADE],
    needs: &[],
    parameters: &[],
};

impl Rule for SiblingOrTwinGrant {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// An app that has the name of another one of the tenant.
    fn app(&self, context: &Context<'_>, app: &App, verdicts: &mut Verdicts) {
        let around = context.surroundings;
        let Some(me) = Instance::find(around, context.tenant_name, &app.id) else { return };
        let others: Vec<Instance<'_>> = around
            .namesakes(context.tenant_name, &app.name)
            .filter_map(|(tenant, id)| Instance::find(around, tenant, id))
            .filter(|other| other.member.app != app.id && !(me.is_own() && other.is_own()))
            .collect();
        // The one that was there first is not the second.
        let Some(first) = others.iter().min_by_key(|other| other.seniority()) else { return };
        if !me.is_there() || me.seniority() < first.seniority() {
            return;
        }
        let relation = relation(&me, first);
        let name = &app.name;
        let count = words::counted(others.len() as u64 + 1, "time");
        let (severity, confidence, what) = match &relation {
            Relation::Explained(why) => (
                Severity::Info,
                Confidence::High,
                format!("{why}; whoever revokes one leaves the other"),
            ),
            Relation::Differs(what, ..) => (
                Severity::High,
                Confidence::High,
                format!("with another {what}: it may be somebody else's"),
            ),
            Relation::Unexplained => (
                Severity::High,
                Confidence::Medium,
                "and nothing that is visible ties the two: it may be somebody else's".to_owned(),
            ),
        };
        verdicts.find(Problem {
            severity,
            confidence,
            message: format!("{name} is {count} in {}, {what}.", context.tenant_name),
            evidence: twin_evidence(&me, first, &relation),
        });
    }

    /// A vendor's apps of different names in one tenant.
    fn vendor(&self, view: &VendorView<'_>, verdicts: &mut Verdicts) {
        if view.vendor.party != Party::Third {
            return;
        }
        let mut by_tenant: BTreeMap<&str, Vec<Instance<'_>>> = BTreeMap::new();
        for member in &view.vendor.apps {
            let found = Instance::find(view.surroundings, &member.tenant, &member.app);
            by_tenant.entry(&member.tenant).or_default().extend(found.filter(Instance::is_there));
        }
        by_tenant.retain(|_, apps| {
            let names: BTreeSet<String> =
                apps.iter().map(|app| vendors::company(&app.member.name)).collect();
            names.len() > 1
        });
        if by_tenant.is_empty() {
            return;
        }
        let siblings: Vec<&Instance<'_>> = by_tenant.values().flatten().collect();
        let claimed: Vec<&str> = siblings
            .iter()
            .filter(|app| app.is_only_claimed())
            .map(|app| app.member.name.as_str())
            .collect();
        let vendor = &view.vendor.name;
        let where_to = words::list(by_tenant.iter().map(|(tenant, apps)| {
            let names: BTreeSet<&str> = apps.iter().map(|app| app.member.name.as_str()).collect();
            format!("{tenant} ({})", words::some(&names.into_iter().collect::<Vec<_>>(), 5))
        }));
        let (severity, what) = if claimed.is_empty() {
            (Severity::Info, "whoever revokes one leaves the others".to_owned())
        } else {
            let names = words::some(&claimed, 5);
            (Severity::Medium, format!("and only what somebody typed in ties {names} to it"))
        };
        verdicts.find(Problem {
            severity,
            confidence: Confidence::with_reservations(usize::from(!claimed.is_empty())),
            message: format!("{vendor} has several apps in {where_to}: {what}."),
            evidence: siblings.iter().take(10).map(|app| app.evidence()).collect(),
        });
    }
}

/// An app of a tenant with what is known about its vendor.
struct Instance<'a> {
    party: Party,
    member: &'a Member,
    /// The register's entry that a key, not only a name, leads to: its line.
    registered: Option<usize>,
}

impl<'a> Instance<'a> {
    fn find(around: &'a Surroundings<'_>, tenant: &str, app: &str) -> Option<Self> {
        let (vendor, member) = around.member_of(tenant, app)?;
        let entry = around.entry_of(tenant, app);
        let keyed = entry.filter(|found| found.confidence != vendors::Confidence::Claimed);
        // The entry of a vendor says nothing about an app that only claims to be the vendor's.
        let registered = keyed.filter(|found| found.by_own_key).map(|found| found.entry.line);
        (!member.traits.is_platforms).then_some(Self { party: vendor.party, member, registered })
    }

    fn is_own(&self) -> bool {
        self.party == Party::Own
    }

    /// Whether it can do anything: it has grants or is installed, and is not blocked.
    fn is_there(&self) -> bool {
        let traits = &self.member.traits;
        !traits.is_blocked && (self.member.grants > 0 || traits.is_installed)
    }

    /// The registered one first, then the oldest; where no date is visible, the one with more grants.
    fn seniority(&self) -> impl Ord {
        let traits = &self.member.traits;
        let is_dead = !self.is_there();
        (
            is_dead,
            self.registered.is_none(),
            traits.created_at.is_none(),
            traits.created_at,
            std::cmp::Reverse(self.member.grants),
            self.member.app.clone(),
        )
    }

    fn is_only_claimed(&self) -> bool {
        let surest = self.member.ties.first().map(|tie| tie.confidence);
        self.registered.is_none() && surest == Some(vendors::Confidence::Claimed)
    }

    /// Its values of one kind; of redirect domains and publishers only what the platform vouches for as much as it can.
    fn values(&self, kind: TieKind) -> BTreeSet<&'a str> {
        let keys = self.member.keys.iter().filter(|tie| tie.kind == kind);
        keys.map(|tie| tie.value.as_str()).collect()
    }

    fn publishers(&self) -> BTreeSet<&'a str> {
        let mut all = self.values(TieKind::Publisher);
        all.extend(self.values(TieKind::VerifiedPublisher));
        all
    }

    fn evidence(&self) -> Evidence {
        let ties: Vec<String> = self
            .member
            .ties
            .iter()
            .take(3)
            .map(|tie| format!("{} {} ({})", tie.kind, tie.value, tie.confidence))
            .collect();
        let ties = if ties.is_empty() { "nothing ties it".to_owned() } else { ties.join(", ") };
        let value = format!("{} in {}: {ties}", self.member.app, self.member.tenant);
        Evidence::new(self.member.name.clone(), value, fact::APP_CLIENT_IDS)
    }
}

/// What the second instance has to do with the first.
enum Relation<'a> {
    /// It is known why there are two.
    Explained(String),
    /// A fact that says whose an app is: what, of the second, of the first, and where it stands.
    Differs(&'static str, BTreeSet<&'a str>, BTreeSet<&'a str>, &'static str),
    /// No fact that is visible says anything.
    Unexplained,
}

fn relation<'a>(second: &Instance<'a>, first: &Instance<'a>) -> Relation<'a> {
    if second.registered.is_some() && second.registered == first.registered {
        return Relation::Explained("and the register has both".to_owned());
    }
    if second.member.traits.in_sandbox {
        return Relation::Explained("in a tenant for trying things out".to_owned());
    }
    let both = |kind| (second.values(kind), first.values(kind));
    let facts = [
        // Proven by the platform, and first: another account's app is another's whatever else it says.
        ("home tenant", both(TieKind::HomeTenant), fact::APP_HOME_TENANT, true),
        ("client id", both(TieKind::ClientId), fact::APP_CLIENT_IDS, false),
        ("Google project", both(TieKind::GoogleProject), fact::APP_CLIENT_IDS, false),
        ("package namespace", both(TieKind::Namespace), fact::APP_NAMESPACE, false),
        ("redirect domain", both(TieKind::RedirectDomain), fact::APP_REDIRECT_DOMAINS, true),
        ("publisher", (second.publishers(), first.publishers()), fact::APP_PUBLISHER, true),
    ];
    for (what, (mine, theirs), source, tells) in facts {
        // Codes go to any redirect domain: sharing one explains nothing about an app that has more.
        let extra: BTreeSet<&str> = mine.difference(&theirs).copied().collect();
        if what == "redirect domain" && !theirs.is_empty() && !extra.is_empty() {
            return Relation::Differs(what, extra, theirs, source);
        }
        if let Some(value) = mine.intersection(&theirs).next() {
            let is_proof = what != "publisher" || !both(TieKind::VerifiedPublisher).0.is_empty();
            if is_proof {
                return Relation::Explained(format!("of the same {what}, {value}"));
            }
        } else if tells && !mine.is_empty() && !theirs.is_empty() {
            return Relation::Differs(what, mine, theirs, source);
        }
    }
    Relation::Unexplained
}

fn twin_evidence(
    me: &Instance<'_>,
    first: &Instance<'_>,
    relation: &Relation<'_>,
) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    if let Relation::Differs(what, mine, theirs, source) = relation {
        let value = format!("{}; of the first {}", words::list(mine), words::list(theirs));
        evidence.push(Evidence::new(*what, value, *source));
    }
    let instance = |name: &str, app: &Instance<'_>| {
        let member = app.member;
        let since = member.traits.created_at.map_or_else(
            || "since when is not visible".to_owned(),
            |day| format!("since {}", day.date()),
        );
        let registered = if app.registered.is_some() { ", in the register" } else { "" };
        let value = format!(
            "{}, {since}, {}{registered}",
            member.app,
            words::counted(member.grants, "grant")
        );
        Evidence::new(name, value, fact::APP_CLIENT_IDS)
    };
    evidence.push(instance("this one", me));
    evidence.push(instance("the first", first));
    evidence
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::model::{Observed, Origin, Publisher};

    use super::super::testing::{Well, days};
    use super::*;

    const RULE: &str = "sibling-or-twin-grant";

    /// The app of the well is the second one; the first is older, and differs as told.
    fn beside(change: impl Fn(&mut App)) -> Well {
        let well = Well::run();
        let mut first = well.app.clone();
        first.id = "0H4000000000000".to_owned();
        first.client_ids = Observed::Known(vec!["3MVG0".to_owned()]);
        first.created_at = Observed::Known(days(-900));
        change(&mut first);
        well.beside(vec![first])
    }

    #[test]
    fn high_if_home_tenant_redirect_or_publisher_differ() {
        let elsewhere = beside(|first| {
            first.redirect_domains = Observed::Known(vec!["other.example".to_owned()]);
        });
        let finding = elsewhere.one_of_app(RULE);
        assert_eq!((finding.severity, finding.confidence), (Severity::High, Confidence::High));
        assert_eq!(
            finding.message,
            "Backup is 2 times in acme-crm, with another redirect domain: it may be somebody else's."
        );
        assert_eq!(finding.evidence[0].value, "backup.example; of the first other.example");
        // Codes go to any of them: sharing one proves nothing.
        let mut also = beside(|_| {});
        also.app.redirect_domains =
            Observed::Known(vec!["evil.zone".to_owned(), "backup.example".to_owned()]);
        let finding = also.folded().one_of_app(RULE);
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(finding.evidence[0].value, "evil.zone; of the first backup.example");
        let mut home = beside(|first| first.home_tenant = Observed::Known("t-1".to_owned()));
        home.app.home_tenant = Observed::Known("t-2".to_owned());
        assert!(home.folded().one_of_app(RULE).message.contains("another home tenant"));
        let publisher = |name: &str| {
            Observed::Known(Publisher { name: name.to_owned(), verified: Observed::Known(true) })
        };
        let mut published = beside(|first| {
            first.redirect_domains = Observed::Absent;
            first.publisher = publisher("Backup Inc");
        });
        published.app.publisher = publisher("Backups");
        assert!(published.folded().one_of_app(RULE).message.contains("another publisher"));
    }

    /// A name and nothing else: the evil twin.
    #[test]
    fn high_and_less_sure_if_nothing_ties_them() {
        let finding = beside(|first| first.redirect_domains = Observed::Absent).one_of_app(RULE);
        assert_eq!((finding.severity, finding.confidence), (Severity::High, Confidence::Medium));
        assert!(finding.message.contains("nothing that is visible ties the two"));
    }

    #[test]
    fn info_if_explained() {
        let same_domain = beside(|_| {}).one_of_app(RULE);
        assert_eq!(same_domain.severity, Severity::Info);
        assert!(same_domain.message.contains("of the same redirect domain, backup.example"));
        let apart = |first: &mut App| {
            first.redirect_domains = Observed::Known(vec!["other.example".to_owned()]);
        };
        let mut sandbox = beside(apart);
        sandbox.tenant.sandbox = Observed::Known(true);
        assert_eq!(sandbox.folded().one_of_app(RULE).severity, Severity::Info);
        let both = beside(apart)
            .registered("[[vendor]]\nname = 'Backup'\nclient_ids = ['3MVG9', '3MVG0']\n");
        assert_eq!(both.one_of_app(RULE).severity, Severity::Info);
        // A name in the register is no explanation.
        let named =
            beside(apart).registered("[[vendor]]\nname = 'Backup'\nclient_ids = ['3MVG0']\n");
        assert_eq!(named.one_of_app(RULE).severity, Severity::High);
    }

    #[test]
    fn a_name_typed_in_as_publisher_explains_nothing() {
        let publisher = Observed::Known(Publisher {
            name: "Backup".to_owned(),
            verified: Observed::Known(false),
        });
        let mut well = beside(|first| {
            first.publisher = publisher.clone();
            first.redirect_domains = Observed::Absent;
        });
        well.app.publisher = publisher;
        assert_eq!(well.folded().one_of_app(RULE).severity, Severity::High);
    }

    #[test]
    fn silent_about_the_first_and_about_what_cannot_do_anything() {
        Well::run().folded().silent_of_app(RULE);
        beside(|first| first.created_at = Observed::Known(days(-1))).silent_of_app(RULE);
        let mut blocked = beside(|_| {});
        blocked.app.blocked = Observed::Known(true);
        blocked.folded().silent_of_app(RULE);
        beside(|first| first.name = "Backup Deluxe".to_owned()).silent_of_app(RULE);
        beside(|first| first.origin = Origin::Platform).silent_of_app(RULE);
    }

    #[test]
    fn siblings_are_info_and_medium_if_only_claimed() {
        let sibling =
            beside(|first| first.name = "Backup for Mail".to_owned()).one_of_vendors(RULE);
        assert_eq!(sibling.severity, Severity::Info);
        assert_eq!(
            sibling.message,
            "backup.example has several apps in acme-crm (Backup, Backup for Mail): whoever revokes one leaves the others."
        );
        let claimed = beside(|first| {
            first.name = "Backup for Mail".to_owned();
            first.web_domains = Observed::Known(vec!["backup.example".to_owned()]);
            first.redirect_domains = Observed::Absent;
        });
        let finding = claimed.one_of_vendors(RULE);
        assert_eq!(finding.severity, Severity::Medium);
        assert!(
            finding
                .message
                .ends_with("and only what somebody typed in ties Backup for Mail to it.")
        );
        Well::run().silent_of_vendors(RULE);
    }
}
