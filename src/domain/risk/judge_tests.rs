//! What an explanation says of each kind of question that a check can ask, and what a verdict is called.

use super::checks::testing::{Desk, d};
use super::explain::{Line, Passed};
use super::figures::Step;
use super::judge::{Bench, Case, Check, LIMIT_NOT_SET, Rule, Verdict, walk};
use super::limit::Limit;
use crate::domain::oms::RefusalKind;

const RULE: Rule = Rule::conflict("TOO_MUCH", "most", "strategy");

fn asks_everything(_: &Case<'_>, bench: &mut Bench<'_>) {
    bench.at_most(&RULE, d("2.50"), d("4"));
    bench.at_least(&RULE, d("1"), d("3"));
    bench.not_worse(&RULE, Step { before: d("9"), after: d("8") }, d("5"));
    bench.not_worse(&RULE, Step { before: d("7"), after: d("8") }, d("5"));
    bench.require(true, "HELD", RefusalKind::Conflict, || "never said".to_owned());
    bench.require(false, "BROKEN", RefusalKind::Invalid, || "why=so".to_owned());
    assert_eq!(bench.set(&Limit::At(7), "most", "venue"), Some(7));
    assert_eq!(bench.set(&Limit::<u8>::NotRequired, "most", "venue"), None);
    assert_eq!(bench.set(&Limit::<u8>::NotSet, "most", "venue"), None);
    assert_eq!(bench.known(Some(1), "equity", "account"), Some(1));
    assert_eq!(bench.known(None::<u8>, "equity", "account"), None);
}

static EVERYTHING: Check = Check { name: "everything", soft: false, run: asks_everything };

static ALONE: &[&Check] = &[&EVERYTHING];

fn compared(used: &str, limit: &str, distance: &str, passed: Passed) -> Line {
    Line {
        code: "TOO_MUCH",
        limit_name: "most",
        scope: "strategy",
        used: Some(d(used)),
        limit: Some(d(limit)),
        distance: Some(d(distance)),
        passed,
        ..Line::new("everything")
    }
}

#[test]
fn an_explanation_has_a_line_for_each_question_with_its_limit_its_figures_and_the_room_left() {
    let judged = walk(ALONE, &Desk::new().case(), true);
    let said =
        |code, passed, note: &str| Line { code, passed, note: note.to_owned(), ..Line::new("everything") };
    let expected = [
        compared("2.5", "4", "1.5", Passed::Held),
        compared("1", "3", "-2", Passed::Denied),
        compared("8", "5", "-3", Passed::Held),
        compared("8", "5", "-3", Passed::Denied),
        said("HELD", Passed::Held, ""),
        said("BROKEN", Passed::Denied, "why=so"),
        Line {
            limit_name: "most",
            scope: "venue",
            ..said("", Passed::Held, "not required by configuration")
        },
        said(LIMIT_NOT_SET, Passed::Denied, "limit=most, scope=venue"),
        said("NO_VALUATION", Passed::Denied, "figure=equity, scope=account"),
    ];
    assert_eq!(judged.lines, expected);
    let denial = judged.denial.unwrap();
    assert_eq!(denial.to_string(), "TOO_MUCH: used=1, limit=3, name=most, scope=strategy", "the first one");
}

/// A decision stops at the first denial.
static AFTERWARDS: Check =
    Check { name: "afterwards", soft: false, run: |_, _| panic!("asked after a denial") };

static BOTH: &[&Check] = &[&EVERYTHING, &AFTERWARDS];

#[test]
fn a_decision_asks_no_check_after_the_first_denial() {
    let judged = walk(BOTH, &Desk::new().case(), false);
    assert!(judged.lines.is_empty() && judged.denial.is_some());
}

#[test]
fn a_verdict_says_which_it_is() {
    let approved = Verdict::Approved { let_pass: Vec::new() };
    assert!(approved.is_approved());
    assert_eq!(approved.to_string(), "APPROVED");
    let denied = Verdict::Denied { code: "TOO_MUCH".into(), detail: "used=1".to_owned() };
    assert!(!denied.is_approved());
    assert_eq!(denied.to_string(), "TOO_MUCH: used=1");
}
