//! Grants of a tenant: those that only one snapshot has, and those whose facts differ. The rest is never read again.

use std::{cmp::Ordering, collections::BTreeMap};

use grantwarden_kit::{
    manifest::Holding,
    model::{Grant, GrantKind, Holder, Observed},
};

use super::{
    super::InventoryError,
    Change, Found, Kind, Outline, Subject, SubjectKind, What,
    blanks::Blanks,
    compare::{Compared, Delta, scopes},
    coverage::Withheld,
    light::{Hash, hash},
    outline::Row,
    pairs,
    tenants::Pair,
};

/// A grant that only one snapshot has.
struct Single {
    /// Hash of app, kind and holder; `None` of tokens and keys, of which a holder has as many as it likes.
    right: Option<Hash>,
    granted_at: Option<i64>,
    offset: u64,
    id: Box<str>,
    /// As [`Found::app`] says.
    app: Option<u32>,
}

/// How the principal behind grants of an app changed, and of how many.
type Owners = BTreeMap<(Kind, String, String), Owner>;

struct Owner {
    label: String,
    app_name: String,
    delta: Delta,
    grants: u64,
}

/// Compares the grants.
pub(super) fn compare(
    pair: &Pair<'_>,
    files: (&Outline, &Outline),
    withheld: &Withheld,
    blanks: &mut Blanks<'_>,
    found: &mut Found,
) -> Result<(), InventoryError> {
    let Some((old, new)) = pair.old.zip(pair.new) else { return Ok(()) };
    let mut work = Work { pair, files, found, blanks, owners: Owners::new() };
    let (mut gone, mut came) = (Vec::new(), Vec::new());
    let (mut held_new, mut held_gone) = (0, 0);
    let mut same: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    let (hide_new, hide_gone) =
        (withheld.of_new(Holding::Grants), withheld.of_gone(Holding::Grants));
    each(&old.grants, &new.grants, |then, now| {
        match (then, now) {
            (Some(then), Some(now)) => {
                *same.entry((then.gaps, now.gaps)).or_default() += 1;
                if then.facts != now.facts {
                    work.differ(then.offset, now.offset, false)?;
                }
            }
            (None, Some(_)) if hide_new.is_some() => held_new += 1,
            (Some(_), None) if hide_gone.is_some() => held_gone += 1,
            (None, Some(now)) => came.push(work.single(files.1, now.offset)?),
            (Some(then), None) => gone.push(work.single(files.0, then.offset)?),
            (None, None) => {}
        }
        Ok::<(), InventoryError>(())
    })?;
    work.only(gone, came)?;
    work.owners();
    let blanks = work.blanks;
    for (key, records) in [(hide_new, held_new), (hide_gone, held_gone)] {
        if let Some(key) = key {
            blanks.hold_back(key, records);
        }
    }
    for ((then, now), records) in same {
        unseen((old.gaps.get(then), new.gaps.get(now)), records, blanks);
    }
    Ok(())
}

type Gaps<'a> = &'a [(super::fact::Fact, grantwarden_kit::model::Gap)];

/// Notes the facts that so many pairs of grants do not show.
fn unseen((old, new): (Gaps<'_>, Gaps<'_>), records: u64, blanks: &mut Blanks<'_>) {
    for fact in super::fact::Fact::OF_GRANT {
        let gap = |gaps: Gaps<'_>| gaps.iter().position(|(other, _)| *other == fact);
        let (then, now) = (gap(old).map(|at| &old[at].1), gap(new).map(|at| &new[at].1));
        blanks.fact(fact, then, now, records);
    }
}

/// Walks two lists in the order of ids.
fn each<E>(
    old: &[Row],
    new: &[Row],
    mut take: impl FnMut(Option<&Row>, Option<&Row>) -> Result<(), E>,
) -> Result<(), E> {
    let (mut then, mut now) = (old.iter().peekable(), new.iter().peekable());
    loop {
        let order = match (then.peek(), now.peek()) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.id.cmp(&b.id),
        };
        match order {
            Ordering::Less => take(then.next(), None)?,
            Ordering::Equal => take(then.next(), now.next())?,
            Ordering::Greater => take(None, now.next())?,
        }
    }
}

struct Work<'w, 'a, 'b> {
    pair: &'w Pair<'a>,
    files: (&'w Outline, &'w Outline),
    found: &'w mut Found,
    blanks: &'w mut Blanks<'b>,
    owners: Owners,
}

impl Work<'_, '_, '_> {
    /// A grant whose facts are not the same, or one that took the place of another.
    fn differ(&mut self, then: u64, now: u64, is_reissued: bool) -> Result<(), InventoryError> {
        let (old, new) = (self.files.0.grant(then)?, self.files.1.grant(now)?);
        let compared = Compared::grants(&old, &new, is_reissued);
        if is_reissued {
            self.add(&new, Kind::Reissued, Some(then), Some(now));
            // Of the others the rows tell.
            for (fact, old, new) in compared.unseen {
                self.blanks.fact(fact, old, new, 1);
            }
        }
        for (kind, delta) in compared.deltas {
            match (kind, new.holder.principal()) {
                (Kind::OwnerLeft | Kind::OwnerBack, Some(principal)) => {
                    // Of a principal that is gone only the name may be left.
                    let identity = if principal.id.is_empty() {
                        principal.label().to_owned()
                    } else {
                        principal.id.clone()
                    };
                    let owner = self.owners.entry((kind, new.app.clone(), identity));
                    let owner = owner.or_insert_with(|| Owner {
                        label: principal.label().to_owned(),
                        app_name: new.app_name.clone(),
                        delta,
                        grants: 0,
                    });
                    owner.grants += 1;
                }
                _ => self.add(&new, kind, Some(then), Some(now)),
            }
        }
        Ok(())
    }

    fn add(&mut self, grant: &Grant, kind: Kind, then: Option<u64>, now: Option<u64>) {
        let app = self.found.app(self.pair, &grant.app, &grant.app_name);
        self.found.add(app, kind, &grant.id, What::Grant(then, now));
    }

    /// Grants that only one snapshot has. Where as many rights came as went, they were given again.
    fn only(&mut self, mut gone: Vec<Single>, mut came: Vec<Single>) -> Result<(), InventoryError> {
        for rows in [&mut gone, &mut came] {
            rows.sort_unstable_by(|a, b| {
                (&a.right, a.granted_at, &a.id).cmp(&(&b.right, b.granted_at, &b.id))
            });
        }
        let (mut then, mut now) = (gone.iter().peekable(), came.iter().peekable());
        loop {
            let order = match (then.peek(), now.peek()) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) if a.right.is_none() && b.right.is_none() => Ordering::Less,
                (Some(a), Some(b)) => a.right.cmp(&b.right),
            };
            let (old, new) = match order {
                Ordering::Less => (then.next(), None),
                Ordering::Equal => (then.next(), now.next()),
                Ordering::Greater => (None, now.next()),
            };
            match (old, new) {
                (Some(old), Some(new)) => self.differ(old.offset, new.offset, true)?,
                (Some(old), None) => {
                    let what = What::Grant(Some(old.offset), None);
                    self.found.add(old.app, Kind::GrantGone, &old.id, what);
                }
                (None, Some(new)) => {
                    let what = What::Grant(None, Some(new.offset));
                    self.found.add(new.app, Kind::GrantNew, &new.id, what);
                }
                (None, None) => return Ok(()),
            }
        }
    }

    /// Reads as much of a grant as it takes to find the other that it may stand for.
    fn single(&mut self, file: &Outline, offset: u64) -> Result<Single, InventoryError> {
        let grant = file.grant(offset)?;
        Ok(Single {
            right: right(&grant),
            granted_at: grant.granted_at.known().map(|at| at.as_second()),
            offset,
            app: self.found.app(self.pair, &grant.app, &grant.app_name),
            id: grant.id.into(),
        })
    }

    fn owners(&mut self) {
        for ((kind, app, identity), owner) in std::mem::take(&mut self.owners) {
            let name = self.pair.app_name(&app, &owner.app_name).to_owned();
            let Owner { label, delta, grants, app_name } = owner;
            let word =
                if kind == Kind::OwnerLeft { "can sign in no longer" } else { "can sign in again" };
            let held = if grants == 1 { "a grant".to_owned() } else { format!("{grants} grants") };
            let status = pairs::what_changed(&delta);
            let message = format!("{label}, behind {held} of {name}, {word}: {status}.");
            let subject = Subject {
                kind: SubjectKind::Principal,
                id: identity.clone(),
                label: label.clone(),
            };
            let change = Change {
                principal: Some(label),
                grants: Some(grants),
                ..pairs::make(self.pair, kind, subject, &app, delta, message)
            };
            let place = self.found.app(self.pair, &app, &app_name);
            self.found.add(place, kind, &identity, What::Held(Box::new(change)));
        }
    }
}

/// What makes two grants the same right: app, kind and holder. `None` of those kinds of which a holder has as many as it likes, each a way
/// in of its own, and where nothing tells who the holder is.
fn right(grant: &Grant) -> Option<Hash> {
    if matches!(
        grant.kind,
        GrantKind::PersonalToken | GrantKind::ApiToken | GrantKind::Key | GrantKind::Webhook
    ) {
        return None;
    }
    let (holder, id) = match &grant.holder {
        Holder::Principal(principal) if principal.id.is_empty() => return None,
        Holder::Principal(principal) => ("principal", principal.id.as_str()),
        Holder::Tenant => ("tenant", ""),
        Holder::App => ("app", ""),
    };
    let parts = [grant.app.as_str(), holder, id];
    let mut text: String = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
    text.push_str(&format!("{:?}", grant.kind));
    Some(hash(text.as_bytes()))
}

/// A change of a grant as data, made again from its records. `None` if the records do not say so any more.
pub(super) fn change(
    pair: &Pair<'_>,
    kind: Kind,
    old: Option<&Grant>,
    new: Option<&Grant>,
) -> Option<Change> {
    let grant = new.or(old)?;
    let delta = match (old, new) {
        (Some(old), Some(new)) if kind == Kind::Reissued => {
            Delta::text(old.id.clone(), new.id.clone())
        }
        (Some(old), Some(new)) => {
            let deltas = Compared::grants(old, new, old.id != new.id).deltas;
            deltas.into_iter().find(|(other, _)| *other == kind)?.1
        }
        (None, _) => Delta { added: list(grant), ..Delta::default() },
        (_, None) => Delta { removed: list(grant), ..Delta::default() },
    };
    let app = pair.app_name(&grant.app, &grant.app_name).to_owned();
    let label = match &grant.holder {
        Holder::Principal(principal) => format!("{app} for {}", principal.label()),
        Holder::Tenant => format!("{app} for everybody"),
        Holder::App => format!("{app} for itself"),
    };
    let message = message(kind, &label, &delta, grant);
    let principal = grant.holder.principal().map(|principal| principal.label().to_owned());
    let subject = Subject { kind: SubjectKind::Grant, id: grant.id.clone(), label };
    let mut change = pairs::make(pair, kind, subject, &grant.app, delta, message);
    change.app.iter_mut().for_each(|of| of.name.clone_from(&app));
    Some(Change { principal, grants: Some(1), ..change })
}

fn list(grant: &Grant) -> Vec<String> {
    scopes(grant.scopes.known()).into_iter().collect()
}

fn message(kind: Kind, label: &str, delta: &Delta, grant: &Grant) -> String {
    let what = match &grant.scopes {
        Observed::Known(_) => {
            scopes(grant.scopes.known()).into_iter().collect::<Vec<_>>().join(", ")
        }
        Observed::Absent => "no scopes".to_owned(),
        Observed::Unknown(_) => "scopes that are not visible".to_owned(),
    };
    let changed = pairs::what_changed(delta);
    match kind {
        Kind::GrantNew => format!("The grant of {label} is new: {what}."),
        Kind::GrantGone => format!("The grant of {label} is gone: {what}."),
        Kind::Reissued => {
            format!("The grant of {label} was given again under another id: {changed}.")
        }
        Kind::Widened => {
            format!("The grant of {label} has more scopes: {}.", delta.added.join(", "))
        }
        Kind::Narrowed => {
            format!("The grant of {label} has fewer scopes: not {}.", delta.removed.join(", "))
        }
        Kind::ReConsented => format!("The grant of {label} was given again: {changed}."),
        Kind::Predated => format!("The grant of {label} is dated earlier: {changed}."),
        Kind::ApprovalChanged => {
            format!("Who stands behind the grant of {label} changed: {changed}.")
        }
        Kind::ExpiryChanged => format!("When the grant of {label} ends changed: {changed}."),
        Kind::ReachChanged => format!("What the grant of {label} reaches changed: {changed}."),
        Kind::HolderChanged => format!("Whose the grant of {label} is changed: {changed}."),
        Kind::TokenChanged => format!("How the token of {label} works changed: {changed}."),
        _ => format!("From where the grant of {label} works changed: {changed}."),
    }
}
