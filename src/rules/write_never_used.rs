//! `write-never-used`: an app that may change data and, as far back as the log reaches, only ever read.
//!
//! Only where the platform's log names every call. A call that may have changed something keeps the rule silent.

use grantwarden_kit::model::{App, Scope};

use super::{
    Context, Meta, Problem, Reference, Remedy, Rule, Seen, Verdicts, controls, fact,
    operations::Calls,
    unused_scope::{is_young, judged, log_evidence, tell_of_log},
    words,
};
use crate::{
    finding::{Confidence, Evidence, Severity},
    inventory::Held,
    policy::{AnyParameter, Parameter, Span},
    scopes::{Access, Assessment},
};

pub(super) struct WriteNeverUsed;

static META: Meta = Meta {
    id: "write-never-used",
    title: "App may change data and only ever read it",
    severity: Severity::Medium,
    summary: "An app holds a scope that lets it change data, and every call that the platform's log names only reads.",
    why: "Reading would do, and changing is what a thief adds: the attackers of Salesloft Drift deleted the jobs with which they had \
          read the data (2025). An app that only reads can be given less without anybody noticing.",
    incidents: &["salesloft-drift-2025", "midnight-blizzard-2024"],
    remedies: &[Remedy::NarrowScopes, Remedy::UseDedicatedIdentity],
    references: &[Reference {
        title: "RFC 9700 section 2.3: access token privilege restriction",
        url: "https://www.rfc-editor.org/rfc/rfc9700#section-2.3",
    }],
    parameters: &[AnyParameter::Span(&LOG)],
    controls: &[controls::NHI_OVERPRIVILEGED],
    needs: &[fact::USAGE_OPERATIONS],
};

/// The harm from which on changing data is grave.
const GRAVE: u8 = 3;

static LOG: Parameter<Span> = Parameter {
    rule: "write-never-used",
    key: "log",
    default: Span::days(30),
    meaning: "how much of the log must be known before anything counts as never done",
};

impl Rule for WriteNeverUsed {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn tenant(&self, context: &Context<'_>, _: &Seen<'_>, verdicts: &mut Verdicts) {
        tell_of_log(context, context.policy.get(&LOG).duration(), verdicts);
    }

    fn app(&self, context: &Context<'_>, app: &App, verdicts: &mut Verdicts) {
        let needed = context.policy.get(&LOG).duration();
        let Some((calls, held)) = judged(context, app, needed, verdicts) else { return };
        let mut writing: Vec<(&Scope, Assessment<'_>)> = Vec::new();
        let mut undated = false;
        for (scope, since) in &held.scopes {
            let assessment = context.catalog.assess(scope, held.kind);
            if assessment.access < Access::Add || is_young(*since, context.now, needed) {
                continue;
            }
            let made = calls.through(&calls.log.apis(scope));
            // Without any call the scope is unused, which is another rule's business.
            if !made.is_empty() && made.iter().all(|call| calls.log.reads(call)) {
                undated |= since.is_none();
                writing.push((scope, assessment));
            }
        }
        if !writing.is_empty() {
            verdicts.find(problem(context, app, held, &calls, &writing, undated));
        }
    }
}

fn problem(
    context: &Context<'_>,
    app: &App,
    held: &Held,
    calls: &Calls<'_>,
    writing: &[(&Scope, Assessment<'_>)],
    undated: bool,
) -> Problem {
    let names: Vec<&str> = writing.iter().map(|(scope, _)| scope.name.as_str()).collect();
    let is_grave = writing.iter().any(|(_, assessment)| assessment.harm_if_changed >= GRAVE);
    let narrower: Vec<&str> = writing
        .iter()
        .filter_map(|(scope, _)| context.catalog.entry(scope))
        .flat_map(|entry| &entry.narrower)
        .map(String::as_str)
        .collect();
    let instead = if narrower.is_empty() {
        "none in the catalog: limit the rights of the account behind it".to_owned()
    } else {
        words::some(&narrower, 5)
    };
    let called: Vec<&str> = calls.names.iter().copied().collect();
    Problem {
        severity: if is_grave { Severity::Medium } else { Severity::Low },
        confidence: Confidence::with_reservations(calls.doubts() + usize::from(undated)),
        message: format!(
            "{} may change data ({}) and has only read since {}: reading would do, and a thief of its token could change it.",
            app.name,
            words::some(&names, 3),
            calls.from.date()
        ),
        evidence: vec![
            Evidence::new("may change", names.join(" "), fact::GRANT_SCOPES),
            Evidence::new("calls", words::some(&called, 10), fact::USAGE_OPERATIONS),
            log_evidence(calls),
            Evidence::new("narrower scopes", instead, fact::GRANT_SCOPES),
            Evidence::new("held by", words::counted(held.grants, "grant"), fact::GRANT_SCOPES),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Office, Well, days};
    use super::*;
    use grantwarden_kit::model::{Count, Usage};

    const RULE: &str = "write-never-used";
    const GMAIL: &str = "https://www.googleapis.com/auth/gmail.modify";
    const TASKS: &str = "https://www.googleapis.com/auth/tasks";

    #[test]
    fn writing_sensitive_data_that_was_only_read_is_medium() {
        let office =
            Office::of(&[GMAIL], &["gmail.users.messages.list", "gmail.users.messages.get"]);
        let finding = office.one(RULE);
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(
            finding.message,
            "Backup may change data (https://www.googleapis.com/auth/gmail.modify) and has only read since 2026-03-03: reading would \
             do, and a thief of its token could change it."
        );
        let narrower = finding.evidence.iter().find(|evidence| evidence.fact == "narrower scopes");
        assert!(narrower.unwrap().value.contains("gmail.readonly"), "{narrower:?}");
    }

    #[test]
    fn few_calls_and_a_date_that_is_not_visible_lower_the_confidence() {
        let mut office = Office::of(&[GMAIL], &["gmail.users.messages.list"]);
        assert_eq!(office.one(RULE).confidence, Confidence::High);
        office.usage().events = 29;
        assert_eq!(office.one(RULE).confidence, Confidence::Medium);
        office.given_unknown();
        assert_eq!(office.one(RULE).confidence, Confidence::Low);
    }

    #[test]
    fn writing_what_matters_less_is_low() {
        assert_eq!(Office::of(&[TASKS], &["tasks.tasks.list"]).one(RULE).severity, Severity::Low);
    }

    #[test]
    fn a_call_that_may_change_something_a_scope_that_reads_and_a_young_one_are_not_found() {
        Office::of(&[GMAIL], &["gmail.users.messages.list", "gmail.users.messages.send"])
            .unknown(RULE, &[]);
        Office::of(&[GMAIL], &["gmail.users.drafts.tidy"]).unknown(RULE, &[]);
        let reading = "https://www.googleapis.com/auth/gmail.readonly";
        Office::of(&[reading], &["gmail.users.messages.list"]).unknown(RULE, &[]);
        let mut young = Office::of(&[GMAIL], &["gmail.users.messages.list"]);
        young.given(days(-3));
        young.unknown(RULE, &[]);
        // Never called at all: another rule says so.
        Office::of(&[GMAIL], &["drive.files.list"]).unknown(RULE, &[]);
    }

    #[test]
    fn a_platform_whose_log_names_no_calls_says_so_once() {
        let mut well = Well::run();
        well.platform = "slack";
        well.unknown_of_tenant(RULE, &[fact::USAGE_OPERATIONS]);
        well.unknown_of_app(RULE, &[]);
    }

    /// Salesforce keeps a day or two of its log: several scans together tell enough.
    #[test]
    fn several_short_logs_make_a_long_one() {
        let mut well = Well::run();
        let app = well.app.id.clone();
        let day = |at: i32| Usage {
            app: app.clone(),
            log: "EventLogFile ApiTotalUsage".to_owned(),
            from: days(at - 2),
            to: days(at),
            events: 9,
            addresses: Vec::new(),
            agents: Vec::new(),
            objects: Vec::new(),
            principals: Vec::new(),
            operations: vec![Count { value: "REST GET".to_owned(), count: 9 }],
            versions: Vec::new(),
        };
        well.digest.usage = vec![day(0)];
        well.remember_usage(&[]);
        well.unknown_of_tenant(RULE, &[fact::USAGE_OPERATIONS]);
        let earlier: Vec<Usage> = (1..15).map(|scan| day(-2 * scan)).collect();
        well.remember_usage(&earlier);
        well.unknown_of_tenant(RULE, &[]);
        let finding = well.one_of_app(RULE);
        assert!(finding.message.starts_with("Backup may change data (api)"), "{}", finding.message);
        well.digest.usage[0].operations.push(Count { value: "Bulk POST".to_owned(), count: 1 });
        well.unknown_of_app(RULE, &[]);
    }
}
