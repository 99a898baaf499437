use super::*;

fn plan(asked: Option<i64>, test: &TestView) -> Option<Step> {
    let grant = GrantView::Held(Held {
        test_requested_at: asked.map(time),
        ..held()
    });
    let world = world(
        specs()[1].clone(),
        profiles()[3].clone(),
        grant,
        test.clone(),
        None,
    );
    decide(&world).step
}

/// The web's clock may be ahead of ours: a request is answered once, whatever it says.
#[test]
fn a_test_that_its_owner_asks_for_begins_once() {
    let done = tests()
        .into_iter()
        .find(|view| {
            view.newest
                .as_ref()
                .is_some_and(|test| test.id == "finished")
        })
        .unwrap();
    for (asked, begins) in [
        (None, false),
        (Some(START - 100), false),
        (Some(START - 5), false),
        (Some(START - 4), true),
        (Some(START + 100), true),
    ] {
        let begun = match plan(asked, &done) {
            Some(Step::StartTest(test)) => Some(test),
            None => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(begun.is_some(), begins, "{asked:?}");
        let Some(test) = begun else { continue };
        assert_eq!(test.requested_by, TestRequestedBy::Page);
        let ended = TestView {
            newest: Some(Test {
                finished_at: Some(test.started_at),
                ..test
            }),
            ..done.clone()
        };
        assert_eq!(plan(asked, &ended), None, "{asked:?} is answered");
    }
}
