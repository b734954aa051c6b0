//! Compares the facts of one record with those of the same record in another scan. What one of them did not see is noted, never guessed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use grantwarden_kit::model::{
    App, Approval, Expiry, Gap, Grant, GrantKind, Holder, IpRange, Observed, PrincipalStatus,
    Publisher, Scope,
};

use super::{
    Kind,
    fact::{Fact, gravest, is_use},
};

/// One thing about a record that is not as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Delta {
    pub(super) added: Vec<String>,
    pub(super) removed: Vec<String>,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

impl Delta {
    pub(super) fn text(before: String, after: String) -> Self {
        Self { before: Some(before), after: Some(after), ..Self::default() }
    }
}

/// What two records of the same thing say.
#[derive(Debug, Default)]
pub(super) struct Compared<'a> {
    pub(super) deltas: Vec<(Kind, Delta)>,
    /// Facts that the older record does not show, the newer, or both; with the reasons.
    pub(super) unseen: Vec<(Fact, Option<&'a Gap>, Option<&'a Gap>)>,
}

impl<'a> Compared<'a> {
    /// Compares two grants; of one that took the place of another, the day of consent is another by nature.
    pub(super) fn grants(old: &'a Grant, new: &'a Grant, is_reissued: bool) -> Self {
        let mut all = Self::default();
        all.scopes(Fact::Scopes, &old.scopes, &new.scopes);
        if !is_reissued
            && let Some((then, now)) =
                all.both(Fact::GrantedAt, &old.granted_at, &new.granted_at)
            // Some logs tell fractions of a second, some do not.
            && then.map(|at| at.as_second()) != now.map(|at| at.as_second())
        {
            let kind = if then < now { Kind::ReConsented } else { Kind::Predated };
            let text = |at: Option<_>| at.map_or("no day".to_owned(), ToString::to_string);
            all.deltas.push((kind, Delta::text(text(then), text(now))));
        }
        all.texts(
            Kind::ApprovalChanged,
            Fact::Approval,
            &old.approval,
            &new.approval,
            |approval| match approval {
                Some(Approval::AdminApproved) => "an administrator's approval".to_owned(),
                Some(Approval::SelfAuthorized) => "a user's own consent".to_owned(),
                None => "no approval".to_owned(),
            },
        );
        all.texts(Kind::ExpiryChanged, Fact::Expires, &old.expires, &new.expires, expiry);
        let (then, now) = (&old.network.binding, &new.network.binding);
        all.texts(Kind::NetworkChanged, Fact::Network, then, now, network);
        all.settings(old, new);
        all.holder(old, new);
        all.token(old, new);
        all.owner(old, new);
        all
    }

    /// Compares two apps.
    pub(super) fn apps(old: &'a App, new: &'a App) -> Self {
        let mut all = Self::default();
        all.publisher(old, new);
        if let Some((then, now)) =
            all.both(Fact::Redirects, &old.redirect_domains, &new.redirect_domains)
        {
            let set = |list: Option<&'a Vec<String>>| list.into_iter().flatten().cloned().collect();
            all.sets(&set(then), &set(now), Kind::RedirectsChanged, Kind::RedirectsChanged);
        }
        if let Some((then, now)) = all.both(Fact::Blocked, &old.blocked, &new.blocked) {
            match (then.copied().unwrap_or_default(), now.copied().unwrap_or_default()) {
                (false, true) => all.deltas.push((Kind::Blocked, Delta::default())),
                (true, false) => all.deltas.push((Kind::Unblocked, Delta::default())),
                (true, true) | (false, false) => {}
            }
        }
        all.texts(Kind::ApprovalChanged, Fact::AppApproval, &old.approval, &new.approval, |who| {
            match who {
                Some(Approval::AdminApproved) => "users whom an administrator named".to_owned(),
                Some(Approval::SelfAuthorized) => "any user".to_owned(),
                None => "nobody by name".to_owned(),
            }
        });
        all.scopes(Fact::AppScopes, &old.scopes, &new.scopes);
        all
    }

    /// Both values (`None`: the platform says that there is none), if both scans saw the fact.
    fn both<T>(
        &mut self,
        fact: Fact,
        old: &'a Observed<T>,
        new: &'a Observed<T>,
    ) -> Option<(Option<&'a T>, Option<&'a T>)> {
        if old.gap().is_some() || new.gap().is_some() {
            self.unseen.push((fact, old.gap(), new.gap()));
            return None;
        }
        Some((old.known(), new.known()))
    }

    fn texts<T>(
        &mut self,
        kind: Kind,
        fact: Fact,
        old: &'a Observed<T>,
        new: &'a Observed<T>,
        text: impl Fn(Option<&T>) -> String,
    ) {
        let Some((then, now)) = self.both(fact, old, new) else { return };
        let (then, now) = (text(then), text(now));
        if then != now {
            self.deltas.push((kind, Delta::text(then, now)));
        }
    }

    fn scopes(&mut self, fact: Fact, old: &'a Observed<Vec<Scope>>, new: &'a Observed<Vec<Scope>>) {
        let Some((then, now)) = self.both(fact, old, new) else { return };
        self.sets(&scopes(then), &scopes(now), Kind::Widened, Kind::Narrowed);
    }

    /// What was added to a set and what was taken away; together where it is one kind of change.
    fn sets(&mut self, then: &BTreeSet<String>, now: &BTreeSet<String>, more: Kind, less: Kind) {
        let added: Vec<String> = now.difference(then).cloned().collect();
        let removed: Vec<String> = then.difference(now).cloned().collect();
        if more == less {
            if !added.is_empty() || !removed.is_empty() {
                self.deltas.push((more, Delta { added, removed, ..Delta::default() }));
            }
            return;
        }
        if !added.is_empty() {
            self.deltas.push((more, Delta { added, ..Delta::default() }));
        }
        if !removed.is_empty() {
            self.deltas.push((less, Delta { removed, ..Delta::default() }));
        }
    }

    fn publisher(&mut self, old: &'a App, new: &'a App) {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let mut differ = |what: &str, then: String, now: String| {
            if then != now {
                before.push(format!("{what} {then}"));
                after.push(format!("{what} {now}"));
            }
        };
        let text = |text: Option<&String>| text.map_or("none".to_owned(), Clone::clone);
        if let Some((then, now)) = self.both(Fact::Publisher, &old.publisher, &new.publisher) {
            let name = |publisher: Option<&'a Publisher>| text(publisher.map(|by| &by.name));
            differ("publisher", name(then), name(now));
            if let Some((then, now)) = then.zip(now)
                && let Some((then, now)) =
                    self.both(Fact::PublisherVerified, &then.verified, &now.verified)
            {
                let word = |is: Option<&bool>| {
                    if is == Some(&true) { "yes".to_owned() } else { "no".to_owned() }
                };
                differ("verified", word(then), word(now));
            }
        }
        if let Some((then, now)) = self.both(Fact::HomeTenant, &old.home_tenant, &new.home_tenant) {
            differ("home tenant", text(then), text(now));
        }
        if !before.is_empty() {
            let delta = Delta::text(before.join(", "), after.join(", "));
            self.deltas.push((Kind::PublisherChanged, delta));
        }
    }

    /// What a grant reaches, by its settings. One that is not visible in one of them is no change.
    fn settings(&mut self, old: &'a Grant, new: &'a Grant) {
        let gaps = [old, new].map(|grant| {
            let settings = grant.settings.iter().filter(|setting| !is_use(&setting.name));
            gravest(settings.filter_map(|setting| setting.value.gap()))
        });
        if gaps.iter().any(Option::is_some) {
            self.unseen.push((Fact::Settings, gaps[0], gaps[1]));
        }
        let (then, now) = (by_name(old), by_name(new));
        let names: BTreeSet<&str> = then.keys().chain(now.keys()).copied().collect();
        let mut words = Differing::default();
        for name in names {
            let [then, now] = [then.get(name), now.get(name)].map(|values| {
                let values = values.map(Vec::as_slice).unwrap_or_default();
                let is_seen = values.iter().all(|value| value.gap().is_none());
                is_seen.then(|| {
                    values.iter().filter_map(|value| value.known()).collect::<BTreeSet<_>>()
                })
            });
            if let Some((then, now)) = then.zip(now)
                && then != now
            {
                words.add(name, &listed(&then), &listed(&now));
            }
        }
        self.differing(Kind::ReachChanged, &words);
    }

    /// Whose a grant is, which app has it, and how it was given.
    fn holder(&mut self, old: &Grant, new: &Grant) {
        let mut words = Differing::default();
        if is_another(&old.holder, &new.holder) {
            words.add("holder", &holder(&old.holder), &holder(&new.holder));
        }
        if old.app != new.app {
            let app = |grant: &Grant| format!("{} ({})", grant.app_name, grant.app);
            words.add("app", &app(old), &app(new));
        }
        if old.kind != new.kind {
            words.add("kind", kind(old.kind), kind(new.kind));
        }
        self.differing(Kind::HolderChanged, &words);
    }

    /// What a thief could do with a grant's token, and for how long.
    fn token(&mut self, old: &'a Grant, new: &'a Grant) {
        let mut words = Differing::default();
        for (fact, name, then, now) in [
            (Fact::Refreshable, "renews itself", &old.refreshable, &new.refreshable),
            (
                Fact::SenderConstrained,
                "bound to a key",
                &old.sender_constrained,
                &new.sender_constrained,
            ),
        ] {
            let Some((then, now)) = self.both(fact, then, now) else { continue };
            let word = |is: Option<&bool>| if is == Some(&true) { "yes" } else { "no" };
            if word(then) != word(now) {
                words.add(name, word(then), word(now));
            }
        }
        self.differing(Kind::TokenChanged, &words);
    }

    fn differing(&mut self, kind: Kind, words: &Differing) {
        if !words.before.is_empty() {
            let delta = Delta::text(words.before.join("; "), words.after.join("; "));
            self.deltas.push((kind, delta));
        }
    }

    /// Whether the principal behind a grant can still sign in.
    fn owner(&mut self, old: &'a Grant, new: &'a Grant) {
        let Some((then, now)) = old.holder.principal().zip(new.holder.principal()) else { return };
        if is_another(&old.holder, &new.holder) {
            return;
        }
        let Some((then, now)) = self.both(Fact::OwnerStatus, &then.status, &now.status) else {
            return;
        };
        let is_there = |status: Option<&PrincipalStatus>| status == Some(&PrincipalStatus::Active);
        let kind = match (is_there(then), is_there(now)) {
            (true, false) => Kind::OwnerLeft,
            (false, true) => Kind::OwnerBack,
            (true, true) | (false, false) => return,
        };
        self.deltas.push((kind, Delta::text(status(then), status(now))));
    }
}

/// What was and what is, in words.
#[derive(Default)]
struct Differing {
    before: Vec<String>,
    after: Vec<String>,
}

impl Differing {
    fn add(&mut self, what: &str, then: &str, now: &str) {
        self.before.push(format!("{what}: {then}"));
        self.after.push(format!("{what}: {now}"));
    }
}

/// The settings that do not tell of use; some platforms give several of one name.
fn by_name(grant: &Grant) -> BTreeMap<&str, Vec<&Observed<String>>> {
    let mut all = BTreeMap::<&str, Vec<&Observed<String>>>::new();
    for setting in grant.settings.iter().filter(|setting| !is_use(&setting.name)) {
        all.entry(&setting.name).or_default().push(&setting.value);
    }
    all
}

fn listed(values: &BTreeSet<&String>) -> String {
    if values.is_empty() {
        return "not set".to_owned();
    }
    values.iter().map(|value| value.as_str()).collect::<Vec<_>>().join(", ")
}

/// Whether two holders are not the same. Of an account that is gone the platform may not even tell the id: then nobody knows.
fn is_another(old: &Holder, new: &Holder) -> bool {
    match (old, new) {
        (Holder::Principal(then), Holder::Principal(now)) => {
            !then.id.is_empty() && !now.id.is_empty() && then.id != now.id
        }
        (Holder::Tenant, Holder::Tenant) | (Holder::App, Holder::App) => false,
        _ => true,
    }
}

fn holder(holder: &Holder) -> String {
    match holder {
        Holder::Principal(principal) => match principal.name.known() {
            Some(name) => format!("{name} ({})", principal.id),
            None => principal.label().to_owned(),
        },
        Holder::Tenant => "everybody".to_owned(),
        Holder::App => "the app itself".to_owned(),
    }
}

const fn kind(kind: GrantKind) -> &'static str {
    match kind {
        GrantKind::Delegated => "given by one user",
        GrantKind::AdminConsented => "given by an administrator for everybody",
        GrantKind::AppOnly => "given to the app itself",
        GrantKind::Installation => "an installation",
        GrantKind::PersonalToken => "a personal token",
        GrantKind::ApiToken => "an API token",
        GrantKind::Delegation => "the right to act as any user",
        GrantKind::Key => "a key",
        GrantKind::Webhook => "a webhook",
    }
}

/// Scopes as the platform writes them, with the API that they belong to where there are several.
pub(super) fn scopes(list: Option<&Vec<Scope>>) -> BTreeSet<String> {
    let name = |scope: &Scope| match &scope.resource {
        Some(resource) => format!("{resource}: {}", scope.name),
        None => scope.name.clone(),
    };
    list.into_iter().flatten().map(name).collect()
}

fn expiry(expires: Option<&Expiry>) -> String {
    match expires {
        Some(Expiry::Never) | None => "never".to_owned(),
        Some(Expiry::At(end)) => end.to_string(),
        Some(Expiry::Idle(span)) => format!("after {} without use", exactly(*span)),
    }
}

/// A length of time, exactly: two that differ never read the same.
fn exactly(span: Duration) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let seconds = span.as_secs();
    for (length, unit) in units {
        if span.subsec_nanos() == 0 && seconds.is_multiple_of(length) && seconds > 0 {
            let number = seconds / length;
            return format!("{number} {unit}{}", if number == 1 { "" } else { "s" });
        }
    }
    format!("{} seconds", span.as_secs_f64())
}

fn network(ranges: Option<&Vec<IpRange>>) -> String {
    let ranges: BTreeSet<&IpRange> = ranges.into_iter().flatten().collect();
    if ranges.is_empty() {
        return "any network".to_owned();
    }
    ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn status(status: Option<&PrincipalStatus>) -> String {
    let word = match status {
        Some(PrincipalStatus::Active) => "active",
        Some(PrincipalStatus::Suspended) => "suspended",
        Some(PrincipalStatus::Inactive) => "inactive",
        Some(PrincipalStatus::Deleted) => "deleted",
        None => "no account",
    };
    word.to_owned()
}
