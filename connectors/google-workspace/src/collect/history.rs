//! What the OAuth log tells of grants: when each was given, what was revoked, and how it was used. Of each pair of user and app only a
//! few numbers stay in memory.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{BuildHasher, RandomState},
};

use grantwarden_kit::model::{Gap, Observed, Reason, Timestamp};

use crate::api::{Activity, User};

/// Facet of the grants' dates.
pub(super) const EVENTS: &str = "grant-events";
/// Facet of the grants' use.
pub(super) const ACTIVITY: &str = "app-activity";

/// What is known of one pair of user and app.
#[derive(Debug, Clone, Copy, Default)]
struct Pair {
    /// Last authorisation, in seconds; 0: none in the log.
    authorized: i64,
    /// Last use, in seconds; 0: none in the log.
    used: i64,
    uses: u32,
}

/// `client_type` by client id, and when an authorisation last told it, in seconds.
pub(super) type ClientTypes = BTreeMap<String, (String, i64)>;

/// Facts from the OAuth log.
pub(super) struct History {
    hasher: RandomState,
    pairs: HashMap<u64, Pair>,
    /// When each user last revoked, in seconds, by client; both as hashes.
    revoked: HashMap<u64, HashMap<u64, i64>>,
    /// Users with an authorisation or a revocation, as hashes of their ids; and of their addresses, where an administrator revoked.
    touched: HashSet<u64>,
    /// An entry does not name its user by id: anybody may have changed, because an address may be an alias or an older one.
    has_anonymous: bool,
    /// `client_type` by client id, from the last authorisation.
    client_types: ClientTypes,
    /// Why dates are not known where the log has none.
    no_date: Gap,
    /// Why use is not known where the log has none.
    no_use: Gap,
    /// The log of uses was cut off, so that counts are too low.
    is_cut: bool,
    /// Whether authorisations and revocations were read whole.
    pub(super) is_whole: bool,
}

impl History {
    pub(super) fn new() -> Self {
        let silent = |facet: &str, detail: &str| Gap::new(Reason::PlatformSilent, facet, detail);
        Self {
            hasher: RandomState::new(),
            pairs: HashMap::new(),
            revoked: HashMap::new(),
            touched: HashSet::new(),
            has_anonymous: false,
            client_types: BTreeMap::new(),
            no_date: silent(
                EVENTS,
                "it was given before the 180 days that Google's OAuth log reaches back",
            ),
            no_use: silent(
                ACTIVITY,
                "no use in the 180 days that Google's OAuth log reaches back; it does not tell of earlier ones",
            ),
            is_cut: false,
            is_whole: false,
        }
    }

    /// Says why dates are not known.
    pub(super) fn without_dates(&mut self, gap: Gap) {
        self.no_date = gap;
    }

    /// Says why use is not known.
    pub(super) fn without_use(&mut self, gap: Gap, is_cut: bool) {
        self.no_use = gap;
        self.is_cut = is_cut;
    }

    /// Addresses are the same in upper and lower case.
    fn key(&self, user: &str, client: &str) -> u64 {
        self.hasher.hash_one((user.to_ascii_lowercase(), client))
    }

    /// Takes an authorisation.
    pub(super) fn authorize(&mut self, at: Timestamp, entry: &Activity) {
        self.touch(entry);
        let Some(user) = entry.actor.id().or(entry.actor.email()) else { return };
        for event in &entry.events {
            let Some(client) = event.text("client_id") else {
                self.has_anonymous = true;
                continue;
            };
            let key = self.key(user, client);
            let pair = self.pairs.entry(key).or_default();
            pair.authorized = pair.authorized.max(at.as_second());
            if let Some(kind) = event.text("client_type") {
                self.learn_type(client, kind, at.as_second());
            }
        }
    }

    fn learn_type(&mut self, client: &str, kind: &str, at: i64) {
        match self.client_types.get_mut(client) {
            Some((_, newest)) if *newest >= at => {}
            Some(known) => *known = (kind.to_owned(), at),
            None => drop(self.client_types.insert(client.to_owned(), (kind.to_owned(), at))),
        }
    }

    /// Takes what an earlier scan knew of clients, but for what the log would not tell any more.
    pub(super) fn recall_types(&mut self, types: &ClientTypes, log_begins: Timestamp) {
        let live = types.iter().filter(|(_, (_, at))| *at >= log_begins.as_second());
        for (client, (kind, at)) in live {
            self.learn_type(client, kind, *at);
        }
    }

    /// What is known of clients.
    pub(super) const fn types(&self) -> &ClientTypes {
        &self.client_types
    }

    /// Takes a revocation.
    pub(super) fn revoke(&mut self, at: Timestamp, entry: &Activity) {
        self.touch(entry);
        let user = entry.actor.id().or(entry.actor.email()).unwrap_or_default();
        let user = self.hasher.hash_one(user);
        for event in &entry.events {
            let client = self.hasher.hash_one(event.text("client_id").unwrap_or_default());
            let newest = self.revoked.entry(client).or_default().entry(user).or_insert(i64::MIN);
            *newest = (*newest).max(at.as_second());
        }
    }

    /// The user of an entry is the one for whom access was given or taken, whoever took it: <https://support.google.com/a/answer/6124308>.
    fn touch(&mut self, entry: &Activity) {
        match entry.actor.id() {
            Some(id) => drop(self.touched.insert(self.hasher.hash_one(id))),
            None => self.has_anonymous = true,
        }
    }

    /// Takes a revocation from the log of administrators. It names the user by address, and comes on top of the other log.
    pub(super) fn revoke_by_admin(&mut self, entry: &Activity) {
        for address in entry.events.iter().filter_map(|event| event.text("USER_EMAIL")) {
            self.touched.insert(self.hasher.hash_one(address.to_ascii_lowercase()));
        }
    }

    /// Takes a use.
    pub(super) fn used(&mut self, at: Timestamp, user: &str, client: &str) {
        let key = self.key(user, client);
        let pair = self.pairs.entry(key).or_default();
        pair.used = pair.used.max(at.as_second());
        pair.uses = pair.uses.saturating_add(1);
    }

    /// Whether the log tells who was touched.
    pub(super) const fn names_everybody(&self) -> bool {
        self.is_whole && !self.has_anonymous
    }

    /// Whether the user's grants may have changed in the stretch of log that was read.
    pub(super) fn touches(&self, user: &User) -> bool {
        let address = user.primary_email.as_deref().map(str::to_ascii_lowercase);
        let keys = [Some(user.id.as_str()), address.as_deref()];
        keys.into_iter().flatten().any(|key| self.touched.contains(&self.hasher.hash_one(key)))
    }

    fn pair(&self, user: &User, client: &str) -> Option<Pair> {
        let by_id = self.pairs.get(&self.key(&user.id, client));
        let by_email = user
            .primary_email
            .as_deref()
            .and_then(|email| self.pairs.get(&self.key(email, client)));
        match (by_id, by_email) {
            (Some(one), Some(other)) => Some(Pair {
                authorized: one.authorized.max(other.authorized),
                used: one.used.max(other.used),
                uses: one.uses.saturating_add(other.uses),
            }),
            (one, other) => one.or(other).copied(),
        }
    }

    /// When the grant was last authorised, in seconds, as far as the stretch of log that was read tells.
    pub(super) fn authorized(&self, user: &User, client: &str) -> Option<i64> {
        self.pair(user, client).map(|pair| pair.authorized).filter(|at| *at > 0)
    }

    /// When the grant was last authorised.
    pub(super) fn granted_at(&self, seconds: Option<i64>) -> Observed<Timestamp> {
        match seconds.and_then(Timestamp::from_second) {
            Some(at) => Observed::Known(at),
            None => Observed::Unknown(self.no_date.clone()),
        }
    }

    /// When the grant was last used, and how often in the stretch of log that was read.
    pub(super) fn usage(&self, user: &User, client: &str) -> (Observed<Timestamp>, Observed<u64>) {
        let unknown = || Observed::Unknown(self.no_use.clone());
        match self.pair(user, client).filter(|pair| pair.used > 0) {
            Some(pair) => (
                Timestamp::from_second(pair.used).map_or_else(unknown, Observed::Known),
                if self.is_cut {
                    Observed::Unknown(self.no_use.clone())
                } else {
                    Observed::Known(pair.uses.into())
                },
            ),
            None => (unknown(), Observed::Unknown(self.no_use.clone())),
        }
    }

    /// `client_type` of an app, where an authorisation tells it.
    pub(super) fn client_type(&self, client: &str) -> Option<&str> {
        self.client_types.get(client).map(|(kind, _)| kind.as_str())
    }

    /// How many users revoked their grant to an app at or after a time.
    pub(super) fn revocations(&self, client: &str, from: Timestamp) -> u64 {
        let client = self.hasher.hash_one(client);
        let users = self.revoked.get(&client).into_iter().flat_map(HashMap::values);
        users.filter(|at| **at >= from.as_second()).count() as u64
    }
}
