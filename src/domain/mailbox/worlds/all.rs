use super::*;

#[test]
fn every_world_comes_to_an_end_with_every_condition() {
    let count = every(|world, outside| {
        run(world, outside);
    });
    assert!(count > 50_000, "{count}");
}

#[test]
fn where_all_answers_are_good_a_usable_grant_ends_enabled() {
    every(|world, outside| {
        let good = [
            outside.renewal,
            outside.incoming,
            outside.outgoing,
            outside.arrival,
        ]
        .iter()
        .all(|answer| *answer == Answer::Works);
        if good && world.usable_grant().is_some() {
            let start = world.clone();
            let (end, _) = run(world, outside);
            assert!(verdicts(&end).ready.holds(), "from {start:#?}");
            assert!(
                end.test.running().is_none()
                    && end
                        .test_request
                        .is_none_or(|_| end.answered_request.is_some()),
                "from {start:#?}"
            );
        }
    });
}

#[test]
fn nothing_is_done_without_a_grant_a_profile_or_leave() {
    every(|world, _| {
        let suspended = world.spec.as_ref().map_or(true, |spec| spec.suspended);
        let adoptable = matches!(world.grant, GrantView::Adoptable { .. })
            && world.grant != adoptable(elsewhere())
            && matches!(world.profile, ProfileView::Ready(_))
            && !suspended;
        if world.usable_grant().is_none() && !adoptable && !world.wants_place() {
            let Plan { step, wake } = decide(&world);
            assert_eq!(step, None, "{world:#?}");
            // In months, to say that what nobody uses will end.
            let soon = world.now + Duration::from_secs(100 * 24 * 3600);
            assert!(wake.is_none_or(|wake| wake > soon), "{world:#?}");
        }
    });
}

#[test]
fn a_blip_signs_nobody_out() {
    every(|world, outside| {
        if outside.renewal == Answer::FailsForNow && matches!(world.grant, GrantView::Held(_)) {
            let before = verdicts(&world).signed_in;
            let (end, _) = run(world, outside);
            assert_eq!(verdicts(&end).signed_in, before);
        }
    });
}

#[test]
fn a_grant_of_another_client_or_server_waits_for_its_own() {
    every(|world, outside| {
        let foreign = match &world.grant {
            GrantView::Held(held) => {
                held.client_id != "1-a" || *held.token_endpoint != token_endpoint()
            }
            GrantView::Adoptable { token_endpoint, .. } => *token_endpoint == elsewhere(),
            _ => false,
        };
        if foreign && matches!(world.profile, ProfileView::Ready(_)) {
            assert_eq!(decide(&world).step, None);
            assert_eq!(verdicts(&world).signed_in.reason, Reason::ClientChanged);
            let before = world.grant.clone();
            assert_eq!(run(world, outside).0.grant, before);
        }
    });
}
