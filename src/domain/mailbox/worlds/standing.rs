//! A sign-in that is ended from outside, one that nothing uses, and one whose turn is yet to come.

use super::*;
use crate::domain::grant::{EndCause, IDLE_LIFE, KnownEnd};
use crate::domain::mailbox::known_end;
use crate::domain::schedule::{earlier, later};

fn standing(spec: usize, profile: ProfileView, grant: GrantView) -> World {
    let untested = TestView::untested();
    world(specs()[spec].clone(), profile, grant, untested, None)
}

#[test]
fn an_annotation_ends_every_sign_in_that_was_given_before_it() {
    let signed_in = START - 10;
    let ended = GrantView::Ended {
        reason: Reason::ConsentExpired,
        account: address("ann@example.com"),
        signed_in_at: time(signed_in),
    };
    let grants = [
        (GrantView::Held(held()), true),
        (ended, true),
        (GrantView::Absent, false),
        (GrantView::Unreadable, false),
        (adoptable(token_endpoint()), false),
    ];
    for profile in profiles() {
        for spec in 0..specs().len() {
            for (grant, is_sign_in) in &grants {
                for (requested, counts) in [
                    (signed_in - 1, false),
                    (signed_in, false),
                    (signed_in + 1, true),
                    (START, true),
                    (START + 60, true),
                    (START + 61, false),
                ] {
                    let mut world = standing(spec, profile.clone(), grant.clone());
                    let before = decide(&world);
                    world.sign_out_request = Some(time(requested));
                    let plan = decide(&world);
                    let signs_out = counts && *is_sign_in;
                    assert_eq!(plan.step == Some(Step::SignOut), signs_out, "{world:#?}");
                    if !signs_out {
                        assert_eq!(plan.step, before.step);
                    } else {
                        let over = fold(
                            world,
                            &Step::SignOut,
                            Outcome::Grant(Box::new(GrantView::Absent)),
                        );
                        assert_ne!(decide(&over).step, Some(Step::SignOut));
                    }
                    if requested > START + 60 && *is_sign_in && plan.step.is_none() {
                        assert_eq!(plan.wake, Some(time(START + 1)), "it comes true by itself");
                    }
                }
            }
        }
    }
}

#[test]
fn a_turn_that_is_yet_to_come_is_no_failure() {
    let mut due = held();
    due.renew_at = time(START);
    let world = standing(1, profiles()[3].clone(), GrantView::Held(due));
    assert_eq!(decide(&world).step, Some(Step::Renew));
    let until = time(START + 7);
    let world = fold(world, &Step::Renew, Outcome::NotYet(until));
    assert_eq!(
        (world.renewal.failed, world.renewal.not_before),
        (0, Some(until))
    );
    assert_ne!(decide(&world).step, Some(Step::Renew));
    assert_eq!(decide(&world.at(until)).step, Some(Step::Renew));
}

#[test]
fn what_nothing_uses_ends_after_six_months() {
    let ends = later(held().access_issued_at, IDLE_LIFE);
    let idle = Some(KnownEnd {
        at: ends,
        cause: EndCause::Idle,
    });
    let warned = earlier(ends, Duration::from_secs(14 * 86_400));
    let not_checked = ProfileView::NotReady {
        name: ObjectName::new("mail", "google"),
        reason: Reason::NotChecked,
        detail: String::new(),
    };
    let [unserved, full, broken, ready] = profiles().try_into().unwrap();
    for (spec, profile, end, cure) in [
        (1, &ready, None, ""),
        (1, &not_checked, None, ""),
        (2, &ready, idle, "App team: Set spec.suspend to false"),
        (2, &broken, idle, "App team: Set spec.suspend to false"),
        (1, &unserved, idle, "Platform admin: Let the profile serve"),
        (1, &full, idle, "Platform admin: Let the profile serve"),
        (1, &broken, idle, "Platform admin: Let the profile serve"),
    ] {
        let world = standing(spec, profile.clone(), GrantView::Held(held()));
        assert_eq!(known_end(&world), end, "{profile:?}");
        if end.is_none() {
            continue;
        }
        assert_eq!(verdicts(&world).signed_in.reason, Reason::SignedIn);
        assert_eq!(decide(&world).wake, Some(warned));
        for now in [warned, later(ends, Duration::from_secs(86_400))] {
            let world = world.clone().at(now);
            let signed_in = verdicts(&world).signed_in;
            assert_eq!(signed_in.reason, Reason::SignInEndsSoon);
            assert!(
                signed_in.holds() && signed_in.message.contains(cure),
                "{signed_in:?}"
            );
            assert_eq!(decide(&world).step, None, "nothing is sent");
        }
    }
}

#[test]
fn an_end_that_comes_before_is_the_one_that_counts() {
    let week = KnownEnd {
        at: time(START + 86_400),
        cause: EndCause::TimeLimit,
    };
    let mut limited = held();
    limited.ends = Some(week);
    let world = standing(2, profiles()[3].clone(), GrantView::Held(limited));
    assert_eq!(known_end(&world), Some(week));
}
