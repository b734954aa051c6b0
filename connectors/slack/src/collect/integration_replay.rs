//! One app in one workspace, as rows of the integration log change it, oldest first.

use grantwarden_kit::model::Timestamp;

use super::{
    installs::{HeldScopes, Live, Mark, NEVER},
    integration_log::{Change, LogRow},
    tables::{Names, ScopeSet, Tables},
};

#[derive(Debug, Clone)]
struct Own {
    user: Option<u32>,
    is_on: bool,
    /// Unix seconds; `NEVER`: before the log begins.
    added_at: i64,
    scopes: u32,
    /// Scope sets that it got besides.
    also: Vec<u32>,
    /// Somebody changed the scopes of one of several: the number of the set that it then had.
    doubt: Option<u32>,
    /// Somebody removed one of several.
    removal: Option<i64>,
    off: Option<(i64, Option<u32>)>,
}

/// One app in one workspace.
#[derive(Debug, Clone, Default)]
pub(super) struct State(Vec<Own>);

impl State {
    /// Takes the next row of an app in a workspace.
    pub(super) fn take(&mut self, row: &LogRow) {
        let own = self.0.iter().position(|own| own.user == row.user);
        match row.change {
            Change::Added => {
                let mut added = Own { added_at: row.at, ..Own::new(row) };
                match own {
                    // Whoever installs an app again keeps what it got before, unless it was removed.
                    Some(at) if self.0[at].is_on || self.0[at].off.is_some() => {
                        let before = &self.0[at];
                        added.also.clone_from(&before.also);
                        added.also.push(before.scopes);
                        added.doubt = before.doubt;
                        self.0[at] = added;
                    }
                    Some(at) => self.0[at] = added,
                    None => self.0.push(added),
                }
            }
            Change::Removed | Change::Disabled => self.end(row, own),
            Change::Decided => {
                let is_meant = |at: &usize| own.is_none_or(|own| own == *at);
                for at in (0..self.0.len()).filter(is_meant) {
                    self.0[at].also.push(row.scopes);
                }
            }
            Change::Enabled => {
                let is_off = |own: &Own| !own.is_on && own.off.is_some();
                let off: Vec<usize> = match own.filter(|at| is_off(&self.0[*at])) {
                    Some(at) => vec![at],
                    None => (0..self.0.len()).filter(|at| is_off(&self.0[*at])).collect(),
                };
                // Whose it was is not said: whatever may be on is on.
                for at in &off {
                    self.0[*at].is_on = true;
                    self.0[*at].off = None;
                }
                if off.is_empty() && !self.0.iter().any(|own| own.is_on) {
                    self.0.push(Own::new(row));
                }
            }
            Change::Updated => {
                let on: Vec<usize> = match own.filter(|at| self.0[*at].is_on) {
                    Some(at) => vec![at],
                    None => (0..self.0.len()).filter(|at| self.0[*at].is_on).collect(),
                };
                match on.as_slice() {
                    // What is changed is there, even if the log begins too late to say since when.
                    [] => self.0.push(Own::new(row)),
                    // Whether the row has all scopes or only the new ones is not certain: an app keeps what it got.
                    [at] => self.0[*at].also.push(row.scopes),
                    several => several.iter().for_each(|at| self.0[*at].doubt = Some(row.scopes)),
                }
            }
        }
    }

    fn end(&mut self, row: &LogRow, own: Option<usize>) {
        let on: Vec<usize> = (0..self.0.len()).filter(|at| self.0[*at].is_on).collect();
        if let Some(own) = own.filter(|at| !self.0[*at].is_on && self.0[*at].off.is_some()) {
            // It was switched off already: this row may be about it, or about another's.
            if row.change == Change::Removed {
                self.0[own].off = None;
            }
            on.iter().for_each(|at| self.0[*at].removal = Some(row.at));
            return;
        }
        let ended = match (own.filter(|at| self.0[*at].is_on), on.as_slice()) {
            (Some(at), _) | (None, &[at]) => at,
            (None, several) => {
                several.iter().for_each(|at| self.0[*at].removal = Some(row.at));
                return;
            }
        };
        self.0[ended].is_on = false;
        self.0[ended].off = (row.change == Change::Disabled).then_some((row.at, row.reason));
    }

    /// The installs that are there.
    pub(super) fn live(&self, app: u32, place: u32, tables: &Tables) -> Vec<Live> {
        let on = self.0.iter().filter(|own| own.is_on);
        on.map(|own| {
            let scopes = match own.doubt {
                Some(scopes) => {
                    let scopes = tables.scopes.set(scopes).all().unwrap_or_default();
                    let why = format!(
                        "the integration log has a change of scopes by somebody else ({}), and does not say which of several installs of the app it was",
                        if scopes.is_empty() { "not listed".to_owned() } else { scopes.join(", ") }
                    );
                    HeldScopes::Doubtful { why, before: own.set(tables) }
                }
                None => HeldScopes::Set(own.set(tables)),
            };
            let remark = own.removal.map(|_| {
                "somebody else removed one of several installs of the app, and the integration log does not say which: this one may be gone"
                    .to_owned()
            });
            let mark = Mark { by: own.user, at: own.added_at, scopes: own.scopes };
            let since = own.added_at;
            Live { app, place, mark, since, scopes, is_extension: false, remark, told_by: None }
        })
        .collect()
    }

    /// Installs that are switched off, for a reader.
    pub(super) fn switched_off(
        &self,
        tables: &Tables,
        reasons: &Names,
        place: &str,
    ) -> Vec<String> {
        let off = self.0.iter().filter(|own| !own.is_on);
        off.filter_map(|own| {
            let (at, reason) = own.off?;
            let who = own.user.and_then(|user| tables.people.get(user));
            let who = who.map_or("somebody", |who| who.name.as_deref().unwrap_or(&who.id));
            let date = Timestamp::from_second(at);
            let date = date.map(Timestamp::date).unwrap_or_default();
            let reason = reason.map_or("not told", |reason| reasons.name(reason));
            Some(format!("the install of {who} in {place}, since {date} (reason: {reason})"))
        })
        .collect()
    }
}

impl Own {
    /// All scopes that it got. Rows without a list add nothing to one that has one.
    fn set(&self, tables: &Tables) -> ScopeSet {
        let also = self.also.iter().map(|set| tables.scopes.set(*set));
        let mut told = also.filter(|set| **set != ScopeSet::Untold);
        match tables.scopes.set(self.scopes) {
            // The first list that is told stands for what was not.
            ScopeSet::Untold => match told.next() {
                Some(first) => told.fold(first.clone(), |all, set| all.with(set)),
                None => ScopeSet::Untold,
            },
            own => told.fold(own.clone(), |all, set| all.with(set)),
        }
    }

    fn new(row: &LogRow) -> Self {
        Self {
            user: row.user,
            is_on: true,
            added_at: NEVER,
            scopes: row.scopes,
            also: Vec::new(),
            doubt: None,
            removal: None,
            off: None,
        }
    }
}
