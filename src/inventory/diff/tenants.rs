//! Which tenant of one snapshot is which of the other: by platform and the platform's own id, whatever the user calls it.

use grantwarden_kit::model::{Origin, Reason};

use super::{Change, Kind, NotCompared, Outline, Side, State, Subject, SubjectKind, TenantOutline};

/// A tenant in both snapshots, or in one.
#[derive(Debug, Clone)]
pub(super) struct Pair<'a> {
    pub(super) old: Option<&'a TenantOutline>,
    pub(super) new: Option<&'a TenantOutline>,
    pub(super) state: State,
    /// Why it cannot be compared, where that is not the tenant's own failure.
    doubt: Option<String>,
}

/// Whether a tenant of the one snapshot is that of the other.
type IsSame<'s> = &'s dyn Fn(&TenantOutline, &TenantOutline) -> bool;

/// All tenants, by name and platform.
pub(super) fn pair<'a>(old: &'a Outline, new: &'a Outline) -> Vec<Pair<'a>> {
    let mut olds: Vec<&TenantOutline> = old.tenants.iter().collect();
    let mut news: Vec<&TenantOutline> = new.tenants.iter().collect();
    let mut pairs = Vec::new();
    // An account that is configured twice is told apart by name.
    let same_account = |a: &TenantOutline, b: &TenantOutline| {
        a.end.platform == b.end.platform && a.id().is_some() && a.id() == b.id()
    };
    let same_name = |a: &TenantOutline, b: &TenantOutline| {
        a.end.platform == b.end.platform && a.end.name == b.end.name
    };
    let steps: [(IsSame<'_>, State); 3] = [
        (&|a, b| same_account(a, b) && same_name(a, b), State::Compared),
        (&same_account, State::Compared),
        // Of one that could not be read only the name is left.
        (&|a, b| same_name(a, b) && (a.id().is_none() || b.id().is_none()), State::NotComparable),
    ];
    for (is_same, state) in steps {
        olds.retain(|old| {
            let Some(at) = news.iter().position(|new| is_same(old, new)) else { return true };
            let new = news.remove(at);
            pairs.push(Pair { old: Some(old), new: Some(new), state, doubt: None });
            false
        });
    }
    let unread = |others: &[&TenantOutline], tenant: &TenantOutline| {
        let mut others = others.iter().filter(|other| other.id().is_none());
        others.find(|other| other.end.platform == tenant.end.platform).map(|other| {
            format!(
                "`{}` could not be read in the other scan, and may be the same tenant",
                other.end.name
            )
        })
    };
    let state = |tenant: &TenantOutline, doubt: &Option<String>, else_: State| {
        if tenant.id().is_none() || doubt.is_some() { State::NotComparable } else { else_ }
    };
    for tenant in &olds {
        let doubt = unread(&news, tenant);
        let state = state(tenant, &doubt, State::Gone);
        pairs.push(Pair { old: Some(tenant), new: None, state, doubt });
    }
    for tenant in &news {
        let doubt = unread(&olds, tenant);
        let state = state(tenant, &doubt, State::New);
        pairs.push(Pair { old: None, new: Some(tenant), state, doubt });
    }
    pairs.sort_by(|a, b| (a.name(), a.platform(), a.id()).cmp(&(b.name(), b.platform(), b.id())));
    pairs
}

impl<'a> Pair<'a> {
    /// The newer one, else the older one.
    fn any(&self) -> Option<&'a TenantOutline> {
        self.new.or(self.old)
    }

    /// The user's name for it.
    pub(super) fn name(&self) -> &'a str {
        self.any().map_or("", |tenant| &tenant.end.name)
    }

    /// Its names in both snapshots.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a String> {
        self.old.into_iter().chain(self.new).map(|tenant| &tenant.end.name)
    }

    pub(super) fn platform(&self) -> &'a str {
        self.any().map_or("", |tenant| &tenant.end.platform)
    }

    /// The platform's own id.
    pub(super) fn id(&self) -> Option<&'a str> {
        self.new.and_then(TenantOutline::id).or_else(|| self.old.and_then(TenantOutline::id))
    }

    /// An app's name; `fallback` where the app's own record is missing, or its id.
    pub(super) fn app_name<'n>(&self, id: &'n str, fallback: &'n str) -> &'n str
    where
        'a: 'n,
    {
        let mut sides = self.new.into_iter().chain(self.old);
        match sides.find_map(|side| side.apps.get(id)) {
            Some(app) => &app.name,
            None if fallback.is_empty() => id,
            None => fallback,
        }
    }

    /// Whether an app is the platform's own, in every snapshot that has it.
    pub(super) fn is_platform(&self, id: &str) -> bool {
        let sides = self.new.into_iter().chain(self.old);
        let mut origins = sides.filter_map(|side| side.apps.get(id)).map(|app| app.origin);
        origins.next() == Some(Origin::Platform) && origins.all(|origin| origin == Origin::Platform)
    }

    /// That the tenant is new, or gone.
    pub(super) fn change(&self) -> Change {
        let (kind, sentence) = match self.new {
            Some(_) => {
                (Kind::TenantNew, "is only in the newer snapshot: nothing of it was compared")
            }
            None => (Kind::TenantGone, "is only in the older snapshot: nothing of it was compared"),
        };
        let name = self.name();
        Change {
            platform: self.platform().to_owned(),
            tenant: name.to_owned(),
            kind,
            subject: Subject {
                kind: SubjectKind::Tenant,
                id: self.id().unwrap_or_default().to_owned(),
                label: name.to_owned(),
            },
            app: None,
            principal: None,
            added: Vec::new(),
            removed: Vec::new(),
            before: None,
            after: None,
            grants: self.any().map(TenantOutline::grants),
            message: format!("The tenant {name} {sentence}."),
        }
    }

    /// Why it cannot be compared: for each snapshot that could not read it.
    pub(super) fn not_compared(&self) -> Vec<NotCompared> {
        let blank = |side, detail: String, records| NotCompared {
            platform: self.platform().to_owned(),
            tenant: self.name().to_owned(),
            what: "tenant".to_owned(),
            side,
            reason: Reason::CallFailed,
            facet: String::new(),
            detail,
            records,
            counts: true,
        };
        let both = [(Side::Old, self.old, self.new), (Side::New, self.new, self.old)];
        let own = both.into_iter().filter_map(|(side, tenant, other)| {
            let tenant = tenant.filter(|tenant| tenant.id().is_none())?;
            let detail = tenant.end.failure.as_ref().map_or_else(
                || "the tenant itself was not read".to_owned(),
                |failure| failure.message.clone(),
            );
            Some(blank(side, detail, other.map_or(0, TenantOutline::grants)))
        });
        let mut all: Vec<NotCompared> = own.collect();
        if let Some(doubt) = &self.doubt
            && all.is_empty()
        {
            let side = if self.new.is_some() { Side::Old } else { Side::New };
            let grants = self.any().map_or(0, TenantOutline::grants);
            all.push(blank(side, doubt.clone(), grants));
        }
        all
    }
}
