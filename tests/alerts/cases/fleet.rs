//! What is seen of profiles and Mailboxes.

use super::{Case, LEADS};

pub const CASES: &[Case] = &[
    Case {
        name: "suspended mailboxes wake nobody",
        seen: &[
            LEADS,
            (
                r#"mailboxes{namespace="mail",profile="google",state="Suspended",reason="Suspended"}"#,
                "3x200",
            ),
            (
                r#"mailboxes{namespace="mail",profile="google",state="Suspended",reason="ProfileSuspended"}"#,
                "3x200",
            ),
            (
                r#"profile_condition{namespace="mail",profile="google",condition="Ready",status="False",reason="ProfileSuspended"}"#,
                "1x200",
            ),
        ],
        comes: &[("2h", &[])],
    },
    Case {
        name: "mailboxes that nobody has signed in to wake nobody",
        seen: &[
            LEADS,
            (
                r#"mailboxes{namespace="mail",profile="google",state="Waiting",reason="SignInRequired"}"#,
                "900x200",
            ),
            (
                r#"mailboxes{namespace="",profile="",state="Waiting",reason="NoDefaultProfile"}"#,
                "2x200",
            ),
        ],
        comes: &[("2h", &[])],
    },
    Case {
        name: "signed-in mailboxes fail",
        seen: &[
            LEADS,
            (
                r#"mailboxes{namespace="mail",profile="google",state="Failing",reason="ConsentExpired"}"#,
                "1x200",
            ),
            // The reason changes; it fails all the time.
            (
                r#"mailboxes{namespace="crm",profile="own",state="Failing",reason="ConnectionRefused"}"#,
                "1x20 stale",
            ),
            (
                r#"mailboxes{namespace="crm",profile="own",state="Failing",reason="ConnectionTimedOut"}"#,
                "_x20 1x100",
            ),
            (
                r#"mailboxes{namespace="",profile="",state="Failing",reason="ProfileNotAvailable"}"#,
                "2x200",
            ),
            // This one is well again after 20 minutes.
            (
                r#"mailboxes{namespace="mail",profile="second",state="Failing",reason="ReplyTimedOut"}"#,
                "4x20 stale",
            ),
        ],
        comes: &[
            ("29m", &[]),
            (
                "31m",
                &[
                    r#"alertname="GmailOperatorMailboxesFail""#,
                    r#"alertname="GmailOperatorMailboxesFail",namespace="crm",profile="own""#,
                    r#"alertname="GmailOperatorMailboxesFail",namespace="mail",profile="google""#,
                ],
            ),
        ],
    },
    Case {
        name: "most mailboxes of a profile fail",
        seen: &[
            LEADS,
            (
                r#"profile_condition{namespace="mail",profile="google",condition="MailboxesHealthy",status="False",reason="MostMailboxesFailing"}"#,
                "1x200",
            ),
        ],
        comes: &[
            ("4m", &[]),
            (
                "6m",
                &[
                    r#"alertname="GmailOperatorMostMailboxesFail",namespace="mail",profile="google""#,
                ],
            ),
        ],
    },
    Case {
        name: "a profile is not Ready",
        seen: &[
            LEADS,
            (
                r#"profile_condition{namespace="mail",profile="google",condition="Ready",status="False",reason="ClientSecretRejected"}"#,
                "1x200",
            ),
            (
                r#"profile_condition{namespace="mail",profile="own",condition="Ready",status="True",reason="ProfileReadyInTesting"}"#,
                "1x200",
            ),
            (
                r#"profile_condition{namespace="mail",profile="own",condition="RedirectRegistered",status="Unknown",reason="NotVerifiable"}"#,
                "1x200",
            ),
        ],
        comes: &[
            ("14m", &[]),
            (
                "16m",
                &[r#"alertname="GmailOperatorProfileNotReady",namespace="mail",profile="google""#],
            ),
        ],
    },
    Case {
        name: "sign-ins end within a day",
        seen: &[
            LEADS,
            (
                r#"sign_ins_ending_soon{namespace="mail",profile="google"}"#,
                "2x200",
            ),
        ],
        comes: &[
            ("4m", &[]),
            (
                "6m",
                &[r#"alertname="GmailOperatorSignInsEnd",namespace="mail",profile="google""#],
            ),
        ],
    },
    Case {
        name: "four fifths of the places that Google gives are taken",
        seen: &[
            LEADS,
            (
                r#"profile_places_taken{namespace="mail",profile="google"}"#,
                "80x200",
            ),
            (
                r#"profile_capacity{namespace="mail",profile="google",set_by="Google"}"#,
                "100x200",
            ),
            (
                r#"profile_places_taken{namespace="mail",profile="second"}"#,
                "79x200",
            ),
            (
                r#"profile_capacity{namespace="mail",profile="second",set_by="Google"}"#,
                "100x200",
            ),
            // Somebody wants one and has it.
            (
                r#"profile_places_taken{namespace="mail",profile="small"}"#,
                "1x200",
            ),
            (
                r#"profile_capacity{namespace="mail",profile="small",set_by="Profile"}"#,
                "1x200",
            ),
            (
                r#"profile_capacity{namespace="mail",profile="small",set_by="Google"}"#,
                "100x200",
            ),
            // Somebody's wish is fulfilled, and so, nearly, is what Google gives.
            (
                r#"profile_places_taken{namespace="mail",profile="large"}"#,
                "95x200",
            ),
            (
                r#"profile_capacity{namespace="mail",profile="large",set_by="Profile"}"#,
                "95x200",
            ),
            (
                r#"profile_capacity{namespace="mail",profile="large",set_by="Google"}"#,
                "100x200",
            ),
            (
                r#"profile_places_taken{namespace="mail",profile="old"}"#,
                "100x200",
            ),
            (
                r#"profile_capacity{namespace="mail",profile="old",set_by="Google"}"#,
                "100x200",
            ),
            (
                r#"profile_condition{namespace="mail",profile="old",condition="Ready",status="False",reason="ProfileSuspended"}"#,
                "1x200",
            ),
            // No limit.
            (
                r#"profile_places_taken{namespace="mail",profile="internal"}"#,
                "5000x200",
            ),
        ],
        comes: &[(
            "16m",
            &[
                r#"alertname="GmailOperatorCapacityLow",namespace="mail",profile="google""#,
                r#"alertname="GmailOperatorCapacityLow",namespace="mail",profile="large""#,
            ],
        )],
    },
    Case {
        name: "Mailboxes wait for a place",
        seen: &[
            LEADS,
            (
                r#"mailboxes{namespace="mail",profile="small",state="Waiting",reason="CapacityReached"}"#,
                "1x200",
            ),
            (
                r#"mailboxes{namespace="",profile="",state="Waiting",reason="CapacityReached"}"#,
                "2x200",
            ),
            (
                r#"mailboxes{namespace="mail",profile="google",state="Waiting",reason="CapacityReached"}"#,
                "1x10 stale",
            ),
        ],
        comes: &[
            ("14m", &[]),
            (
                "16m",
                &[
                    r#"alertname="GmailOperatorCapacityReached""#,
                    r#"alertname="GmailOperatorCapacityReached",namespace="mail",profile="small""#,
                ],
            ),
        ],
    },
];
