//! What a clock has written that was ahead of ours.

use super::*;
use crate::domain::schedule::later;

/// The results of `view` as a clock writes them that is so far ahead.
fn ahead(view: &TestView, by: i64) -> TestView {
    let by = Duration::from_secs(by.unsigned_abs());
    let mut view = view.clone();
    if let Some(test) = &mut view.newest {
        test.started_at = later(test.started_at, by);
        test.begun_at = test.started_at;
        test.finished_at = test.finished_at.map(|at| later(at, by));
    }
    for direction in [&mut view.incoming, &mut view.outgoing] {
        direction.tested_at = direction.tested_at.map(|at| later(at, by));
    }
    view
}

fn plainest(test: TestView) -> World {
    let ready = profiles()[3].clone();
    world(
        specs()[1].clone(),
        ready,
        GrantView::Held(held()),
        test,
        None,
    )
}

#[test]
fn results_from_the_future_hold_no_test_back() {
    let now = time(START);
    for view in tests() {
        let (test, grant) = (ahead(&view, 24 * HOUR), GrantView::Held(held()));
        let set_back = test.set_back(now, &grant);
        let asks = |test: TestView| World {
            test_request: Some("now".into()),
            ..plainest(test)
        };
        let [ours, plain] =
            [asks(set_back.clone()), asks(view.clone())].map(|world| decide(&world));
        let starts = |plan: &Plan| matches!(plan.step, Some(Step::StartTest(_)));
        assert_eq!(starts(&ours), starts(&plain), "{view:#?}");
        let works = Outside {
            renewal: Answer::Works,
            incoming: Answer::Works,
            outgoing: Answer::Works,
            arrival: Answer::Works,
        };
        let (ended, _) = run(plainest(set_back), works);
        assert!(ended.test.running().is_none(), "{ended:#?}");
        let next = decide(&ended);
        let soon = later(ended.now, ended.times.retest);
        assert!(
            next.step.is_some() || next.wake.is_some_and(|at| at <= soon),
            "{next:?}"
        );
    }
}

#[test]
fn a_little_ahead_and_as_late_as_the_sign_in_is_no_future() {
    let finished = tests().pop().unwrap();
    let newest = |view: &TestView| view.newest.as_ref().and_then(|test| test.finished_at);
    let signed_in_later = |by: i64| {
        GrantView::Held(Held {
            signed_in_at: time(START + by),
            ..held()
        })
    };
    // It finished a second before.
    for (by, grant, stays) in [
        (0, GrantView::Absent, true),
        (61, GrantView::Absent, true),
        (62, GrantView::Absent, false),
        (HOUR, signed_in_later(HOUR), true),
        (HOUR, signed_in_later(HOUR - 2), false),
    ] {
        let before = ahead(&finished, by);
        let after = before.clone().set_back(time(START), &grant);
        assert_eq!(after == before, stays, "{by} {grant:?}");
        if !stays {
            assert_eq!(newest(&after), Some(time(START)));
            assert_eq!(ahead(&after, by - 1), before, "their order stays");
        }
    }
}
