//! `unused-scope`: a scope that an app holds and that nobody used it for.
//!
//! Only where the platform's log names every call, and names calls of that kind by somebody. One finding for an app, not for a grant.

use std::time::Duration;

use grantwarden_kit::model::{App, Gap, Origin, Reason, Scope, Timestamp};

use super::{
    Context, Meta, Problem, Reference, Remedy, Rule, Seen, Verdicts, controls, fact,
    operations::{self, Calls},
    words,
};
use crate::{
    finding::{Confidence, Evidence, Severity},
    inventory::Held,
    policy::{AnyParameter, Parameter, Span},
    scopes::{Access, Assessment},
};

pub(super) struct UnusedScope;

static META: Meta = Meta {
    id: "unused-scope",
    title: "Scope that an app holds and never uses",
    severity: Severity::Low,
    summary: "An app holds a scope, and the platform's log names no call that needs it.",
    why: "A thief of the token has the scope all the same. Context.ai had been granted all of Google Workspace for a feature that few \
          used (2026); nobody misses what is taken away here.",
    incidents: &["contextai-vercel-2026", "salesloft-drift-2025"],
    remedies: &[Remedy::NarrowScopes, Remedy::RevokeGrant],
    references: &[Reference {
        title: "RFC 9700 section 2.3: access token privilege restriction",
        url: "https://www.rfc-editor.org/rfc/rfc9700#section-2.3",
    }],
    parameters: &[AnyParameter::Span(&LOG)],
    controls: &[controls::NHI_OVERPRIVILEGED],
    needs: &[fact::USAGE_OPERATIONS],
};

static LOG: Parameter<Span> = Parameter {
    rule: "unused-scope",
    key: "log",
    default: Span::days(30),
    meaning: "how much of the log must be known before anything counts as never done",
};

impl Rule for UnusedScope {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn tenant(&self, context: &Context<'_>, _: &Seen<'_>, verdicts: &mut Verdicts) {
        tell_of_log(context, context.policy.get(&LOG).duration(), verdicts);
    }

    fn app(&self, context: &Context<'_>, app: &App, verdicts: &mut Verdicts) {
        let needed = context.policy.get(&LOG).duration();
        let Some((calls, held)) = judged(context, app, needed, verdicts) else { return };
        let mut unused: Vec<(&Scope, Assessment<'_>)> = Vec::new();
        let mut undated = false;
        for (scope, since) in &held.scopes {
            let assessment = context.catalog.assess(scope, held.kind);
            // Who the user is, is told at sign-in, without a call.
            if assessment.access == Access::SignIn || is_young(*since, context.now, needed) {
                continue;
            }
            let apis = calls.log.apis(scope);
            if apis.is_empty() || !calls.log.has_any(context, &apis) {
                if assessment.severity > Severity::Info {
                    verdicts.unknown(fact::USAGE_OPERATIONS, &not_logged(context));
                }
                continue;
            }
            if calls.through(&apis).is_empty() {
                undated |= since.is_none();
                unused.push((scope, assessment));
            }
        }
        if !unused.is_empty() {
            verdicts.find(problem(app, held, &calls, &unused, undated));
        }
    }
}

/// Says once for the tenant if its log cannot tell what was never called.
pub(super) fn tell_of_log(context: &Context<'_>, needed: Duration, verdicts: &mut Verdicts) {
    let told = operations::log_of(context).map(|log| operations::too_short(context, log, needed));
    if let Err(gap) | Ok(Some(gap)) = told {
        verdicts.unknown(fact::USAGE_OPERATIONS, &gap);
    }
}

/// The calls of an app and what it holds, if both are known well enough. What the whole tenant lacks, the tenant says.
pub(super) fn judged<'a>(
    context: &Context<'a>,
    app: &App,
    needed: Duration,
    verdicts: &mut Verdicts,
) -> Option<(Calls<'a>, &'a Held)> {
    if app.origin == Origin::Platform || app.blocked.known() == Some(&true) {
        return None;
    }
    let log = operations::log_of(context).ok()?;
    if operations::too_short(context, log, needed).is_some() {
        return None;
    }
    let held = context.digest.held.get(&app.id)?;
    let calls = match Calls::of(context, log, app) {
        Ok(calls) => calls?,
        Err(gap) => {
            verdicts.unknown(fact::USAGE_OPERATIONS, &gap);
            return None;
        }
    };
    if let Some(gap) = &held.unseen {
        verdicts.unknown(fact::GRANT_SCOPES, gap);
    }
    Some((calls, held))
}

/// A scope of yesterday had no time to be used.
pub(super) fn is_young(since: Option<Timestamp>, now: Timestamp, needed: Duration) -> bool {
    since.is_some_and(|since| since.until(now) < needed)
}

/// The gap of a scope whose calls the log does not name.
pub(super) fn not_logged(context: &Context<'_>) -> Gap {
    let detail = "the log names no call of some APIs by any app, so that it may not log them";
    Gap::new(Reason::PlatformSilent, operations::usage_facet(context), detail)
}

fn problem(
    app: &App,
    held: &Held,
    calls: &Calls<'_>,
    unused: &[(&Scope, Assessment<'_>)],
    undated: bool,
) -> Problem {
    let names: Vec<&str> = unused.iter().map(|(scope, _)| scope.name.as_str()).collect();
    let is_broad = unused.iter().any(|(_, assessment)| assessment.is_broad());
    let count = words::counted(unused.len() as u64, "scope");
    let called: Vec<&str> = calls.names.iter().copied().collect();
    let them = if unused.len() == 1 { "it" } else { "them" };
    Problem {
        severity: if is_broad { Severity::Medium } else { Severity::Low },
        confidence: Confidence::with_reservations(calls.doubts() + usize::from(undated)),
        message: format!(
            "{} holds {count} that no call since {} needed ({}): a thief of its token has {them} all the same.",
            app.name,
            calls.from.date(),
            words::some(&names, 3)
        ),
        evidence: vec![
            Evidence::new("never used", names.join(" "), fact::GRANT_SCOPES),
            Evidence::new("calls", words::some(&called, 10), fact::USAGE_OPERATIONS),
            log_evidence(calls),
            Evidence::new("held by", words::counted(held.grants, "grant"), fact::GRANT_SCOPES),
        ],
    }
}

/// The stretch of log as evidence.
pub(super) fn log_evidence(calls: &Calls<'_>) -> Evidence {
    let value = format!(
        "{} from {} to {}: {}",
        calls.log.name(),
        calls.from.date(),
        calls.to.date(),
        words::counted(calls.events, "call")
    );
    Evidence::new("log", value, fact::USAGE)
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::{
        manifest::Holding,
        model::{Coverage, Observed, Part},
    };

    use super::super::{
        before::TenantBefore,
        testing::{Office, days, gap},
    };
    use super::*;

    const RULE: &str = "unused-scope";
    const GMAIL: &str = "https://www.googleapis.com/auth/gmail.modify";
    const DRIVE: &str = "https://www.googleapis.com/auth/drive.readonly";

    fn office() -> Office {
        let mut office = Office::of(&[GMAIL, DRIVE, "openid"], &["gmail.users.messages.list"]);
        // Somebody calls Drive: the log names such calls.
        office.others(&["drive.files.list"]);
        office
    }

    #[test]
    fn a_scope_that_no_call_needs_is_found_once_for_the_app() {
        let finding = office().one(RULE);
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(
            finding.message,
            "Backup holds 1 scope that no call since 2026-03-03 needed (https://www.googleapis.com/auth/drive.readonly): a thief of \
             its token has it all the same."
        );
        assert_eq!(finding.confidence, Confidence::High);
    }

    #[test]
    fn what_reaches_little_is_low() {
        let tasks = "https://www.googleapis.com/auth/tasks.readonly";
        let mut office = Office::of(&[GMAIL, tasks], &["gmail.users.messages.list"]);
        office.others(&["tasks.tasks.list"]);
        assert_eq!(office.one(RULE).severity, Severity::Low);
    }

    #[test]
    fn used_young_and_unlogged_scopes_are_not_found() {
        let mut used = office();
        used.usage()
            .objects
            .push(grantwarden_kit::model::Count { value: "drive.files.get".to_owned(), count: 1 });
        used.unknown(RULE, &[]);
        let mut young = office();
        young.given(days(-3));
        young.unknown(RULE, &[]);
        let unlogged = Office::of(&[GMAIL, DRIVE], &["gmail.users.messages.list"]);
        unlogged.unknown(RULE, &[fact::USAGE_OPERATIONS]);
    }

    #[test]
    fn a_date_that_is_not_visible_lowers_the_confidence() {
        let mut office = office();
        office.given_unknown();
        assert_eq!(office.one(RULE).confidence, Confidence::Medium);
    }

    /// A page of the log that could not be read may have the call.
    #[test]
    fn a_log_with_holes_is_said_once_for_the_tenant() {
        for reason in [
            Reason::CallFailed,
            Reason::CountMismatch,
            Reason::Permission,
            Reason::Cancelled,
            Reason::Quota,
        ] {
            let mut part = Part::new("grants", "token activity", true);
            part.read = 90;
            part.lose(Gap::new(reason, "grants", "a page is missing"), None);
            let coverage = Coverage { parts: vec![part] };
            let mut now = office();
            now.well.facets[0].holds.push(Holding::Usage);
            now.one(RULE);
            now.well.coverage = coverage.clone();
            now.unknown(RULE, &[]);
            now.unknown_of_tenant(RULE, &[fact::USAGE_OPERATIONS]);
            let mut then = office();
            then.well.facets[0].holds.push(Holding::Usage);
            let before = TenantBefore::of_test(days(-91), &then.well.app, &[]);
            then.well.remember(before.with_coverage(coverage));
            // Where nothing of the earlier log counts, its holes do not either.
            then.one(RULE);
            let usage = then.usage().clone();
            then.well.remember_usage(&[usage]);
            then.unknown(RULE, &[]);
            then.unknown_of_tenant(RULE, &[fact::USAGE_OPERATIONS]);
        }
    }

    #[test]
    fn a_list_that_is_full_tells_nothing() {
        let mut office = office();
        let name =
            |n: usize| grantwarden_kit::model::Count { value: format!("gmail.{n}"), count: 1 };
        office.usage().objects = (0..grantwarden_kit::model::Usage::TOP).map(name).collect();
        office.unknown(RULE, &[fact::USAGE_OPERATIONS]);
    }

    #[test]
    fn platform_and_blocked_apps_are_left_alone() {
        let mut platform = office();
        platform.well.app.origin = Origin::Platform;
        platform.unknown(RULE, &[]);
        let mut blocked = office();
        blocked.well.app.blocked = Observed::Known(true);
        blocked.unknown(RULE, &[]);
    }

    #[test]
    fn a_log_that_cannot_tell_is_said_once_for_the_tenant() {
        let mut short = office();
        short.usage().from = days(-20);
        short.well.digest.usage.truncate(1);
        short.unknown(RULE, &[]);
        short.unknown_of_tenant(RULE, &[fact::USAGE_OPERATIONS]);
        let mut none = office();
        none.well.digest.usage.clear();
        none.unknown(RULE, &[]);
        none.unknown_of_tenant(RULE, &[fact::USAGE_OPERATIONS]);
        office().unknown_of_tenant(RULE, &[]);
        let mut unseen = office();
        unseen.well.digest.held.get_mut(&unseen.well.app.id).unwrap().unseen = Some(gap("scopes"));
        let judgement = unseen.judge_app();
        assert!(judgement.findings.iter().any(|finding| finding.rule == RULE));
        assert!(judgement.unknowns.iter().any(|unknown| unknown.fact == fact::GRANT_SCOPES));
    }
}
