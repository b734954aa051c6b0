//! The conformance suite: what every connector must keep, as data. A connector's tests say how to start its stand-in and which
//! calls belong to which facet; the suite does the rest.
//!
//! The one law behind every case: whatever goes wrong, either the result is whole, or the loss is booked under the facet that
//! lost it. Time is a [`TestClock`], so that waiting costs nothing.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use grantwarden_lab::{Effect, Fault};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::{Clock, SystemClock, TestClock},
    connector::{Kit, Session, Sink},
    error::{Error, Result},
    model::{Coverage, Part, Reason, Record},
};

/// No fault in one family of calls may hold a scan up for longer.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// How the suite starts a platform's stand-in and opens the connector on it.
#[async_trait]
pub trait Platform: Send + Sync {
    /// Starts the stand-in with a world.
    async fn start(&self, world: World) -> Box<dyn StandIn>;

    /// Which calls belong to which facet: the suite makes each of them fail in every way.
    fn families(&self) -> Vec<Family>;

    /// A refusal for a missing right, in the platform's words.
    fn forbidden(&self) -> Effect;

    /// A refusal of the access token, in the platform's words.
    fn unauthorized(&self) -> Effect;

    /// A part of the path that every call of the API has and no call for a token has.
    fn api_path(&self) -> &'static str;

    /// A refusal that says that the tenant's quota is used up; `None` if the platform has no such quota.
    fn quota_used_up(&self) -> Option<Effect> {
        Some(Effect::TotalRequestsLimit)
    }

    /// Whether a session that ends can be begun anew. A token that somebody made by hand ends for good.
    fn renews_sessions(&self) -> bool {
        true
    }

    /// "Not there", in the platform's words.
    fn not_found(&self) -> Effect;

    /// The listing of grants, which is what must be whole.
    fn listing(&self) -> Listing;
}

/// A running stand-in.
#[async_trait]
pub trait StandIn: Send + Sync {
    /// Opens the connector on it.
    ///
    /// # Errors
    /// As [`crate::connector::Connector::open`].
    fn open(&self, kit: Kit) -> Result<Box<dyn Session>>;

    /// Makes something go wrong.
    fn inject(&self, fault: Fault);

    /// Ends every access token.
    fn expire_sessions(&self);

    /// Texts that must never reach a record, a loss or an error.
    fn secrets(&self) -> Vec<String>;
}

/// Which world a stand-in serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// Nothing that a third party holds.
    Empty,
    /// A few of everything that the platform has.
    Small,
    /// So many grants, with many that are tied in whatever the listing is ordered by.
    Grants(usize),
}

/// Calls that belong to a facet.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Facet id.
    pub facet: &'static str,
    /// A part of the path of such a call.
    pub path: &'static str,
    /// A part of its query, operation or body.
    pub text: &'static str,
    /// Whether being refused, or not being there, is an answer and no loss: a feature that a tenant may not have.
    pub may_be_absent: bool,
}

/// How the platform lists grants.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Calls for a page after the first.
    pub next_page: Family,
    /// A page token that the platform does not take, in its words.
    pub page_refused: Effect,
    /// The call that counts, and an answer of it that says 1,000,000; `None` if the platform does not count.
    pub count: Option<(Family, Effect)>,
}

impl Family {
    fn fault(&self, effect: Effect) -> Fault {
        let fault = Fault::new(effect).on_path(self.path);
        if self.text.is_empty() { fault } else { fault.on_text(self.text) }
    }
}

/// What a scan of a stand-in gave.
#[derive(Debug)]
pub struct Outcome {
    /// In the order of the stream.
    pub records: Vec<Record>,
    /// What was read and what was not.
    pub coverage: Coverage,
    /// The most records that were in memory at once.
    pub in_flight: usize,
    /// How long the scan would have taken by a clock that really waits.
    pub waited: Duration,
}

impl Outcome {
    /// How many grants there are.
    pub fn grants(&self) -> usize {
        self.records.iter().filter(|record| matches!(record, Record::Grant(_))).count()
    }

    fn part(&self, facet: &str) -> Option<&Part> {
        self.coverage.parts.iter().find(|part| part.facet == facet)
    }
}

/// Runs every case; the error names the cases that failed and how.
///
/// # Errors
/// The list of failures.
pub async fn conform(platform: &dyn Platform) -> Result<usize, String> {
    let mut suite = Suite { platform, failures: Vec::new(), cases: 0 };
    suite.worlds().await;
    suite.sessions().await;
    suite.faults().await;
    suite.listing().await;
    suite.cancellation().await;
    if suite.failures.is_empty() { Ok(suite.cases) } else { Err(suite.failures.join("\n")) }
}

/// Scans a stand-in as the tool would.
///
/// # Errors
/// What fails the whole tenant.
pub async fn scan(stand_in: &dyn StandIn) -> Result<Outcome> {
    scan_with(stand_in, CancellationToken::new(), usize::MAX).await
}

/// Scans, and cancels after so many records.
async fn scan_with(
    stand_in: &dyn StandIn,
    cancel: CancellationToken,
    cancel_after: usize,
) -> Result<Outcome> {
    let start = SystemClock.now();
    let clock = Arc::new(TestClock::at(start));
    let session = stand_in.open(Kit { clock: clock.clone(), cancel: cancel.clone() })?;
    session.sign_in().await?;
    let (sink, mut stream) = Sink::bounded(64);
    let reading = async {
        let (mut records, mut in_flight) = (Vec::new(), 0);
        while let Some(record) = stream.recv().await {
            in_flight = in_flight.max(stream.len() + 1);
            records.push(record);
            if records.len() == cancel_after {
                cancel.cancel();
            }
        }
        (records, in_flight)
    };
    let writing = async {
        let sink = sink;
        let mut coverage = session.collect(&sink).await;
        if let Some(log) = session.usage() {
            coverage.parts.extend(log.usage(&sink).await.parts);
        }
        coverage
    };
    // A scan that waits on something that never comes must fail the case, not hang it.
    let both = async { tokio::join!(reading, writing) };
    let ((records, in_flight), coverage) =
        tokio::time::timeout(Duration::from_secs(120), both).await.map_err(|_| {
            Error::new(crate::error::ErrorKind::Timeout, "the scan did not end within 120 s")
        })?;
    Ok(Outcome { records, coverage, in_flight, waited: start.until(clock.now()) })
}

struct Suite<'a> {
    platform: &'a dyn Platform,
    failures: Vec<String>,
    cases: usize,
}

impl Suite<'_> {
    fn check(&mut self, case: &str, holds: bool, why: impl FnOnce() -> String) {
        self.cases += 1;
        if !holds {
            self.failures.push(format!("{case}: {}", why()));
        }
    }

    /// An empty tenant, a small one, many pages, and many rows in flat memory.
    async fn worlds(&mut self) {
        for (case, world, expected) in [
            ("an empty tenant", World::Empty, Some(0)),
            ("a small tenant", World::Small, None),
            ("ten thousand grants", World::Grants(10_000), Some(10_000)),
        ] {
            let stand_in = self.platform.start(world).await;
            match scan(stand_in.as_ref()).await {
                Ok(outcome) => {
                    let (grants, whole) = (outcome.grants(), outcome.coverage.is_whole());
                    self.check(case, whole, || {
                        format!("not whole: {:#?}", losses(&outcome.coverage))
                    });
                    if let Some(expected) = expected {
                        self.check(case, grants >= expected, || {
                            format!("{grants} grants of {expected}")
                        });
                    }
                    let ids: std::collections::BTreeSet<&str> =
                        outcome.records.iter().filter_map(grant_id).collect();
                    let unique = ids.len();
                    self.check(case, unique == grants, || {
                        format!("{grants} grants have {unique} ids")
                    });
                    let in_flight = outcome.in_flight;
                    self.check(case, in_flight <= 65, || {
                        format!("{in_flight} records in memory at once")
                    });
                    self.no_secret(case, stand_in.as_ref(), &format!("{:?}", outcome.records));
                }
                Err(error) => self.check(case, false, || error.to_string()),
            }
        }
    }

    /// A refused token is renewed once; one that stays refused fails the tenant or books the loss.
    async fn sessions(&mut self) {
        let renews = self.platform.renews_sessions();
        let stand_in = self.platform.start(World::Small).await;
        if renews {
            stand_in.expire_sessions();
        }
        // Who signs in with a token made by hand may make a few calls only.
        let first_calls = if renews { 3 } else { 1 };
        stand_in.inject(Fault::new(Effect::ExpireSessions).skip(first_calls).times(1));
        match scan(stand_in.as_ref()).await {
            Ok(outcome) => {
                let whole = outcome.coverage.is_whole();
                self.check("a session that ends midway", whole == renews, || {
                    format!("{:#?}", losses(&outcome.coverage))
                });
            }
            Err(error) => self.check("a session that ends midway", !renews, || error.to_string()),
        }
        let stand_in = self.platform.start(World::Small).await;
        // The sign-in itself passes.
        let refused = Fault::new(self.platform.unauthorized()).on_path(self.platform.api_path());
        stand_in.inject(refused.skip(if renews { 2 } else { 1 }));
        match scan(stand_in.as_ref()).await {
            Ok(outcome) => {
                let whole = outcome.coverage.is_whole();
                self.check("a token that stays refused", !whole, || {
                    "was taken for a whole result".to_owned()
                });
                self.no_secret(
                    "a token that stays refused",
                    stand_in.as_ref(),
                    &format!("{:?}", outcome.coverage),
                );
            }
            Err(error) => {
                self.no_secret("a token that stays refused", stand_in.as_ref(), &error.to_string());
            }
        }
    }

    /// Every family of calls fails in every way.
    async fn faults(&mut self) {
        let stand_in = self.platform.start(World::Small).await;
        let whole = match scan(stand_in.as_ref()).await {
            Ok(outcome) => rows(&outcome.coverage),
            Err(error) => return self.check("the fault matrix", false, || error.to_string()),
        };
        let families = self.platform.families();
        let cases: Vec<(Family, Case)> = families
            .into_iter()
            .flat_map(|family| self.cases_of(&family).into_iter().map(move |case| (family, case)))
            .collect();
        // Most of the suite's time is here, and no case knows of another: each core takes its share.
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let share = cases.len().div_ceil(cores).max(1);
        let platform = self.platform;
        let shares: Vec<Result<Suite<'_>, String>> = std::thread::scope(|scope| {
            let running: Vec<_> = cases
                .chunks(share)
                .map(|cases| scope.spawn(|| faults_of(platform, cases, &whole)))
                .collect();
            running
                .into_iter()
                .map(|share| share.join().unwrap_or_else(|_| Err("a case panicked".to_owned())))
                .collect()
        });
        for share in shares {
            match share {
                Ok(share) => {
                    self.cases += share.cases;
                    self.failures.extend(share.failures);
                }
                Err(failure) => self.failures.push(failure),
            }
        }
    }

    async fn one_fault(
        &mut self,
        name: &str,
        family: &Family,
        case: &Case,
        stand_in: &dyn StandIn,
        whole: &BTreeMap<String, u64>,
    ) {
        let outcome = match scan(stand_in).await {
            Ok(outcome) => outcome,
            // The whole tenant failed: said loudest of all. Only a fault that passes must not do that.
            Err(error) => {
                self.check(name, !case.passes, || {
                    format!("a fault that passes failed the tenant: {error}")
                });
                return self.no_secret(name, stand_in, &format!("{error} {error:?}"));
            }
        };
        let waited = outcome.waited;
        self.check(name, waited < PATIENCE, || {
            format!("the scan would have waited for {waited:?}")
        });
        let part = outcome.part(family.facet);
        let lost = part.is_some_and(|part| !part.losses.is_empty());
        if case.passes {
            self.check(name, !lost, || {
                format!("a fault that passes left a loss: {:#?}", losses(&outcome.coverage))
            });
        } else {
            let excused = family.may_be_absent && case.is_absence;
            self.check(name, lost || excused, || "the loss is not booked".to_owned());
            if let Some(reason) = case.reason {
                let told = part
                    .is_some_and(|part| part.losses.iter().any(|loss| loss.gap.reason == reason));
                self.check(name, told || excused, || {
                    format!("not told as {reason:?}: {:#?}", losses(&outcome.coverage))
                });
            }
        }
        // The law: fewer rows than there are, and no word about it, is the worst bug there is.
        for part in &outcome.coverage.parts {
            let expected = whole.get(&part.facet).copied().unwrap_or(0);
            let silent = part.read < expected && part.losses.is_empty();
            self.check(name, !silent, || {
                format!(
                    "{} of {expected} rows of {} were read, and nothing is said",
                    part.read, part.facet
                )
            });
        }
        self.no_secret(name, stand_in, &format!("{:?}", outcome.coverage));
    }

    fn cases_of(&self, family: &Family) -> Vec<Case> {
        let always = |effect: Effect| vec![family.fault(effect)];
        let times = |effect: Effect, times| vec![family.fault(effect).times(times)];
        let throttle = |retry_after| Effect::Throttle { retry_after };
        let mut cases = vec![
            Case::passes("429 with Retry-After, twice", times(throttle(Some(7)), 2)),
            Case::passes("429 without Retry-After, twice", times(throttle(None), 2)),
            Case::passes("too many at once, once", times(Effect::ConcurrentLimit, 1)),
            Case::passes("503, twice", times(Effect::ServerError, 2)),
            Case::passes("a cut body, once", times(Effect::CutBody { after_bytes: 40 }, 1)),
            Case::passes("a dropped connection, once", times(Effect::Drop, 1)),
            Case {
                passes: self.platform.renews_sessions(),
                ..Case::passes("a session that ends here", times(Effect::ExpireSessions, 1))
            },
            Case::passes("a slow answer", times(Effect::Slow { millis: 30 }, 1)),
            Case::loses("429 with a long Retry-After", always(throttle(Some(86_400)))),
            Case::loses("429 with an endless Retry-After", always(throttle(Some(u64::MAX)))),
            Case::passes("429 with Retry-After 0, once", times(throttle(Some(0)), 1)),
            Case::loses("429 for good", always(throttle(None))),
            Case::loses("503 for good", always(Effect::ServerError)),
            Case::loses("a cut body for good", always(Effect::CutBody { after_bytes: 40 })),
            Case::loses("HTML in place of an answer", always(Effect::Html)),
            Case::loses("a redirect", always(redirect())),
            Case::loses("401 for good", always(self.platform.unauthorized())),
            Case {
                is_absence: true,
                reason: Some(Reason::Permission),
                ..Case::loses("403", always(self.platform.forbidden()))
            },
            Case { is_absence: true, ..Case::loses("404", always(self.platform.not_found())) },
        ];
        cases.extend(self.platform.quota_used_up().map(|effect| Case {
            reason: Some(Reason::Quota),
            ..Case::loses("the quota used up", always(effect))
        }));
        cases
    }

    /// What goes wrong between two pages: page tokens that are not taken, pages that are gone, grants that come and go, counts that
    /// disagree. The world has many grants that are tied at the edges of pages.
    async fn listing(&mut self) {
        let Listing { next_page, page_refused, count } = self.platform.listing();
        let on_pages = |effect: Effect| next_page.fault(effect).skip(2);
        let passing = [
            ("a page token that expires", on_pages(Effect::ExpireLocator).times(1)),
            ("an altered page token", on_pages(page_refused.clone()).times(1)),
            ("a page that is cut off", on_pages(Effect::CutBody { after_bytes: 100 }).times(1)),
        ];
        for (case, fault) in passing {
            let stand_in = self.platform.start(World::Grants(3_000)).await;
            stand_in.inject(fault);
            self.whole_listing(case, stand_in.as_ref(), 0).await;
        }
        let gone = Effect::Reply { status: 410, headers: Vec::new(), body: String::new() };
        let losing = [
            ("a page token that is never taken", on_pages(page_refused)),
            ("404 on a page", on_pages(self.platform.not_found())),
            ("410 on a page", on_pages(gone)),
            ("403 on a page", on_pages(self.platform.forbidden())),
        ];
        let is_counted = count.is_some();
        let counted =
            count.map(|(family, effect)| ("a count that stays higher", family.fault(effect)));
        for (case, fault) in losing.into_iter().chain(counted) {
            let stand_in = self.platform.start(World::Grants(3_000)).await;
            stand_in.inject(fault);
            match scan(stand_in.as_ref()).await {
                Ok(outcome) => {
                    let numbered = outcome.coverage.parts.iter().any(|part| {
                        part.facet == next_page.facet
                            && part.losses.iter().any(|loss| loss.rows.is_some())
                    });
                    let whole = outcome.coverage.is_whole();
                    // Who is not told how many there are cannot tell how many are missing.
                    self.check(case, !whole && (numbered || !is_counted), || {
                        format!("no loss with a number: {:#?}", losses(&outcome.coverage))
                    });
                }
                Err(error) => self.check(case, false, || error.to_string()),
            }
        }
        let stand_in = self.platform.start(World::Grants(3_000)).await;
        let Some((app, user)) =
            scan(stand_in.as_ref()).await.ok().and_then(|outcome| holder(&outcome))
        else {
            return self
                .check("grants that come and go", false, || "no grant has a holder".to_owned());
        };
        stand_in.inject(on_pages(Effect::RevokeToken { app: app.clone() }).times(2));
        self.whole_listing("grants that go meanwhile", stand_in.as_ref(), 2).await;
        stand_in.inject(on_pages(Effect::AddToken { app, username: user }).times(2));
        self.whole_listing("grants that come meanwhile", stand_in.as_ref(), 2).await;
    }

    /// Every grant, each once, and nothing lost; but for so many that are gone by now.
    async fn whole_listing(&mut self, case: &str, stand_in: &dyn StandIn, gone: usize) {
        match scan(stand_in).await {
            Ok(outcome) => {
                let ids: std::collections::BTreeSet<&str> =
                    outcome.records.iter().filter_map(grant_id).collect();
                let (unique, grants) = (ids.len(), outcome.grants());
                self.check(case, unique == grants && grants + gone >= 3_000, || {
                    format!("{grants} grants with {unique} ids")
                });
                self.check(case, outcome.coverage.is_whole(), || {
                    format!("{:#?}", losses(&outcome.coverage))
                });
            }
            Err(error) => self.check(case, false, || error.to_string()),
        }
    }

    /// Ctrl-C ends a scan cleanly and says what is missing.
    async fn cancellation(&mut self) {
        let stand_in = self.platform.start(World::Grants(5_000)).await;
        match scan_with(stand_in.as_ref(), CancellationToken::new(), 200).await {
            Ok(outcome) => {
                let (grants, coverage) = (outcome.grants(), &outcome.coverage);
                self.check("cancelled", grants < 5_000, || {
                    "the scan went on to its end".to_owned()
                });
                let told = coverage
                    .parts
                    .iter()
                    .flat_map(|part| &part.losses)
                    .any(|loss| loss.gap.reason == Reason::Cancelled);
                self.check("cancelled", told && !coverage.is_whole(), || {
                    format!("{:#?}", losses(coverage))
                });
            }
            Err(error) => self.check("cancelled", false, || error.to_string()),
        }
    }

    fn no_secret(&mut self, case: &str, stand_in: &dyn StandIn, text: &str) {
        let leaked = stand_in.secrets().into_iter().any(|secret| text.contains(&secret));
        self.check(case, !leaked, || "a secret is in what the connector gave out".to_owned());
    }
}

/// Runs a share of the fault matrix in a runtime of its own.
fn faults_of<'a>(
    platform: &'a dyn Platform,
    cases: &[(Family, Case)],
    whole: &BTreeMap<String, u64>,
) -> Result<Suite<'a>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let mut suite = Suite { platform, failures: Vec::new(), cases: 0 };
    runtime.block_on(async {
        for (family, case) in cases {
            let stand_in = platform.start(World::Small).await;
            case.faults.iter().for_each(|fault| stand_in.inject(fault.clone()));
            let name = format!("{} / {}", family.facet, case.name);
            suite.one_fault(&name, family, case, stand_in.as_ref(), whole).await;
        }
    });
    Ok(suite)
}

/// One way in which a family of calls fails.
struct Case {
    name: &'static str,
    faults: Vec<Fault>,
    /// The fault is over before the connector's patience is: the result must be whole.
    passes: bool,
    /// The platform says "there is none" or "not for you".
    is_absence: bool,
    /// The reason that the loss must be told with.
    reason: Option<Reason>,
}

impl Case {
    fn passes(name: &'static str, faults: Vec<Fault>) -> Self {
        Self { name, faults, passes: true, is_absence: false, reason: None }
    }

    fn loses(name: &'static str, faults: Vec<Fault>) -> Self {
        Self { passes: false, ..Self::passes(name, faults) }
    }
}

fn redirect() -> Effect {
    let location = ("location".to_owned(), "https://thief.example/collect".to_owned());
    Effect::Reply { status: 302, headers: vec![location], body: String::new() }
}

/// An app, and somebody who granted it something.
fn holder(outcome: &Outcome) -> Option<(String, String)> {
    outcome.records.iter().find_map(|record| match record {
        Record::Grant(grant) => {
            Some((grant.app_name.clone(), grant.holder.principal()?.name.known()?.clone()))
        }
        _ => None,
    })
}

fn grant_id(record: &Record) -> Option<&str> {
    match record {
        Record::Grant(grant) => Some(&grant.id),
        _ => None,
    }
}

fn rows(coverage: &Coverage) -> BTreeMap<String, u64> {
    coverage.parts.iter().map(|part| (part.facet.clone(), part.read)).collect()
}

fn losses(coverage: &Coverage) -> Vec<String> {
    let parts =
        coverage.parts.iter().flat_map(|part| part.losses.iter().map(move |loss| (part, loss)));
    parts
        .map(|(part, loss)| format!("{}: {:?} {}", part.facet, loss.gap.reason, loss.gap.detail))
        .collect()
}
