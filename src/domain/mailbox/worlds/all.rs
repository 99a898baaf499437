use super::*;

/// One walk, since there are very many worlds: each is told what it starts as, and how it ends.
#[test]
fn every_world_comes_to_an_end_with_every_condition() {
    let count = every(|start, outside| {
        nothing_is_done_without_a_grant_a_profile_or_leave(&start);
        let (end, _) = run(start.clone(), outside);
        good_answers_end_enabled(&start, outside, &end);
        a_blip_signs_nobody_out(&start, outside, &end);
        a_grant_of_another_client_or_server_waits_for_its_own(&start, &end);
    });
    assert!(count > 50_000, "{count}");
}

fn good_answers_end_enabled(start: &World, outside: Outside, end: &World) {
    let good = [
        outside.renewal,
        outside.incoming,
        outside.outgoing,
        outside.arrival,
    ]
    .iter()
    .all(|answer| *answer == Answer::Works);
    if good && start.usable_grant().is_some() {
        assert!(verdicts(end).ready.holds(), "from {start:#?}");
        let answered = end.test_request.is_none() || end.answered_request.is_some();
        assert!(end.test.running().is_none() && answered, "from {start:#?}");
    }
}

fn nothing_is_done_without_a_grant_a_profile_or_leave(world: &World) {
    let suspended = world.spec.as_ref().map_or(true, |spec| spec.suspended);
    let adoptable = matches!(world.grant, GrantView::Adoptable { .. })
        && world.grant != adoptable(elsewhere())
        && matches!(world.profile, ProfileView::Ready(_))
        && !suspended;
    if world.usable_grant().is_none() && !adoptable && !world.wants_place() {
        let Plan { step, wake } = decide(world);
        assert_eq!(step, None, "{world:#?}");
        // In months, to say that what nobody uses will end.
        let soon = world.now + Duration::from_secs(100 * 24 * 3600);
        assert!(wake.is_none_or(|wake| wake > soon), "{world:#?}");
    }
}

fn a_blip_signs_nobody_out(start: &World, outside: Outside, end: &World) {
    if outside.renewal == Answer::FailsForNow && matches!(start.grant, GrantView::Held(_)) {
        assert_eq!(verdicts(end).signed_in, verdicts(start).signed_in);
    }
}

fn a_grant_of_another_client_or_server_waits_for_its_own(start: &World, end: &World) {
    let foreign = match &start.grant {
        GrantView::Held(held) => {
            held.client_id != "1-a" || *held.token_endpoint != token_endpoint()
        }
        GrantView::Adoptable { token_endpoint, .. } => *token_endpoint == elsewhere(),
        _ => false,
    };
    if foreign && matches!(start.profile, ProfileView::Ready(_)) {
        assert_eq!(decide(start).step, None);
        assert_eq!(verdicts(start).signed_in.reason, Reason::ClientChanged);
        assert_eq!(end.grant, start.grant);
    }
}
