//! What is seen of renewals and of OAuth servers.

use super::{Case, LEADS};

pub const CASES: &[Case] = &[
    Case {
        name: "renewals fail",
        seen: &[
            LEADS,
            (r#"token_renewals_total{result="Ok"}"#, "0+10x30 300x100"),
            (
                r#"token_renewals_total{result="Unavailable"}"#,
                "0x30 0+10x100",
            ),
        ],
        comes: &[
            ("30m", &[]),
            ("70m", &[r#"alertname="GmailOperatorRenewalsFail""#]),
        ],
    },
    Case {
        name: "some renewals fail, and some sign-ins have ended",
        seen: &[
            LEADS,
            (r#"token_renewals_total{result="Ok"}"#, "0+10x200"),
            (r#"token_renewals_total{result="Unavailable"}"#, "0+2x200"),
            (r#"token_renewals_total{result="Ended"}"#, "0+2x200"),
        ],
        comes: &[("2h", &[])],
    },
    Case {
        name: "one OAuth server is left alone, another was for a while",
        seen: &[
            LEADS,
            (
                r#"oauth_server_held_back{namespace="mail",profile="google"}"#,
                "1x200",
            ),
            (
                r#"oauth_server_held_back{namespace="mail",profile="own"}"#,
                "1x10 0x200",
            ),
        ],
        comes: &[
            ("14m", &[]),
            (
                "16m",
                &[
                    r#"alertname="GmailOperatorOAuthServerHeldBack",namespace="mail",profile="google""#,
                ],
            ),
        ],
    },
    Case {
        name: "renewals fail for minutes; it recovers and wakes nobody",
        seen: &[
            LEADS,
            (
                r#"token_renewals_total{result="Unavailable"}"#,
                "0x60 2x1 4x1 6x140",
            ),
            (r#"token_renewals_total{result="Ok"}"#, "0x64 2x140"),
        ],
        comes: &[
            ("70m", &[]),
            ("76m", &[]),
            ("80m", &[]),
            ("90m", &[]),
            ("2h", &[]),
        ],
    },
    Case {
        name: "renewals fail for long, and there is only one mailbox, which is tried each six minutes",
        seen: &[
            LEADS,
            (r#"token_renewals_total{result="Ok"}"#, "3x200"),
            (
                r#"token_renewals_total{result="Unavailable"}"#,
                "0x30 4x5 5x5 6x5 7x5 8x5 9x5 10x5",
            ),
        ],
        comes: &[
            ("45m", &[]),
            ("47m", &[r#"alertname="GmailOperatorRenewalsFail""#]),
            ("64m", &[r#"alertname="GmailOperatorRenewalsFail""#]),
        ],
    },
    Case {
        name: "the renewals of one of two installations fail, and the other has far more",
        seen: &[
            LEADS,
            (
                r#"token_renewals_total{namespace="one",result="Ok"}"#,
                "0+500x200",
            ),
            (
                r#"token_renewals_total{namespace="two",result="Unavailable"}"#,
                "0+5x200",
            ),
        ],
        comes: &[(
            "30m",
            &[r#"alertname="GmailOperatorRenewalsFail",namespace="two""#],
        )],
    },
    Case {
        name: "an OAuth server is back for a moment between two tries",
        seen: &[
            LEADS,
            (
                r#"oauth_server_held_back{namespace="mail",profile="google"}"#,
                "1x6 0 1x6 0 1x200",
            ),
        ],
        comes: &[(
            "16m",
            &[r#"alertname="GmailOperatorOAuthServerHeldBack",namespace="mail",profile="google""#],
        )],
    },
    Case {
        name: "a profile is suspended while its OAuth server is away",
        seen: &[
            LEADS,
            (
                r#"oauth_server_held_back{namespace="mail",profile="google"}"#,
                "1x10 stale",
            ),
        ],
        comes: &[("14m", &[]), ("30m", &[])],
    },
];
