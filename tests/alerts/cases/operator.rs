//! What is seen of the operator itself and of its sign-in page.

use super::{Case, LEADS};

pub const CASES: &[Case] = &[
    Case {
        name: "all is well",
        seen: &[
            LEADS,
            (
                r#"mailboxes{namespace="mail",profile="google",state="Ready",reason="Enabled"}"#,
                "5x200",
            ),
            (
                r#"profile_condition{namespace="mail",profile="google",condition="Ready",status="True",reason="ProfileReady"}"#,
                "1x200",
            ),
            (
                r#"profile_condition{namespace="mail",profile="google",condition="MailboxesHealthy",status="True",reason="MailboxesHealthy"}"#,
                "1x200",
            ),
            (
                r#"oauth_server_held_back{namespace="mail",profile="google"}"#,
                "0x200",
            ),
            (
                r#"sign_ins_ending_soon{namespace="mail",profile="google"}"#,
                "0x200",
            ),
            ("caches_filled", "1x200"),
            ("sign_in_page_ready", "1x200"),
            (r#"token_renewals_total{result="Ok"}"#, "0+5x200"),
            (r#"sign_ins_total{result="Ok"}"#, "0+1x200"),
            (r#"sign_ins_total{result="Refused"}"#, "0+5x200"),
            (
                r#"reconciles_total{kind="Mailbox",result="Ok"}"#,
                "0+60x200",
            ),
            (
                r#"reconciles_total{kind="Mailbox",result="Panic"}"#,
                "0x200",
            ),
            (r#"unknown_answers_total{protocol="Imap"}"#, "0x200"),
        ],
        comes: &[("2h", &[])],
    },
    Case {
        name: "nobody leads",
        seen: &[
            (r#"leader{pod="a"}"#, "0x200"),
            (r#"leader{pod="b"}"#, "0x200"),
        ],
        comes: &[
            ("4m", &[]),
            ("6m", &[r#"alertname="GmailOperatorNoLeader""#]),
        ],
    },
    Case {
        name: "a first answer is not known, and others were not long ago",
        seen: &[
            LEADS,
            (r#"unknown_answers_total{protocol="Imap"}"#, "0x20 1x200"),
            (r#"unknown_answers_total{protocol="Smtp"}"#, "7x200"),
        ],
        comes: &[
            ("19m", &[]),
            (
                "22m",
                &[r#"alertname="GmailOperatorUnknownAnswers",protocol="Imap""#],
            ),
            ("2h", &[]),
        ],
    },
    Case {
        name: "a fifth of the reconciles of one kind fails",
        seen: &[
            LEADS,
            (
                r#"reconciles_total{kind="Mailbox",result="Ok"}"#,
                "0+80x200",
            ),
            (
                r#"reconciles_total{kind="Mailbox",result="Error"}"#,
                "0+20x200",
            ),
            (r#"reconciles_total{kind="Grant",result="Ok"}"#, "0+95x200"),
            (
                r#"reconciles_total{kind="Grant",result="Error"}"#,
                "0+5x200",
            ),
        ],
        comes: &[
            ("25m", &[]),
            (
                "40m",
                &[r#"alertname="GmailOperatorReconcilesFail",kind="Mailbox""#],
            ),
        ],
    },
    Case {
        name: "a first panic",
        seen: &[
            LEADS,
            (
                r#"reconciles_total{kind="Mailbox",result="Ok"}"#,
                "0+80x200",
            ),
            (
                r#"reconciles_total{kind="Mailbox",result="Panic"}"#,
                "0x20 1x200",
            ),
            (
                r#"reconciles_total{kind="Grant",result="TimedOut"}"#,
                "0x20 1x200",
            ),
        ],
        comes: &[
            ("19m", &[]),
            (
                "22m",
                &[
                    r#"alertname="GmailOperatorBug",kind="Grant""#,
                    r#"alertname="GmailOperatorBug",kind="Mailbox""#,
                ],
            ),
        ],
    },
    Case {
        name: "nothing is read from the operator",
        seen: &[],
        comes: &[("6m", &[r#"alertname="GmailOperatorNoLeader""#])],
    },
    Case {
        name: "another replica takes over",
        seen: &[
            (r#"leader{pod="a"}"#, "1x10 stale"),
            (r#"leader{pod="b"}"#, "0x12 1x100"),
        ],
        comes: &[("30m", &[])],
    },
    Case {
        name: "one of two installations has no leader, and another cannot read its objects",
        seen: &[
            (r#"leader{namespace="one",job="metrics",pod="a"}"#, "1x200"),
            (
                r#"caches_filled{namespace="one",job="metrics",pod="a"}"#,
                "1x200",
            ),
            (r#"leader{namespace="two",job="metrics",pod="b"}"#, "0x200"),
            (
                r#"caches_filled{namespace="two",job="metrics",pod="b"}"#,
                "0x200",
            ),
            (
                r#"leader{namespace="three",job="metrics",pod="c"}"#,
                "1x200",
            ),
            (r#"leader{namespace="three",job="web",pod="d"}"#, "0x200"),
            (
                r#"caches_filled{namespace="three",job="metrics",pod="c"}"#,
                "0x200",
            ),
            (
                r#"caches_filled{namespace="three",job="web",pod="d"}"#,
                "0x200",
            ),
        ],
        comes: &[
            ("4m", &[]),
            (
                "6m",
                &[
                    r#"alertname="GmailOperatorCachesEmpty",namespace="three""#,
                    r#"alertname="GmailOperatorNoLeader",namespace="two""#,
                ],
            ),
        ],
    },
    Case {
        name: "the caches are filled after a while",
        seen: &[LEADS, ("caches_filled", "0x4 1x200")],
        comes: &[("6m", &[]), ("2h", &[])],
    },
    Case {
        name: "no pod serves the page, though one serves it elsewhere and one leads",
        seen: &[
            LEADS,
            (r#"sign_in_page_ready{namespace="one"}"#, "1x200"),
            (r#"sign_in_page_ready{namespace="one",pod="c"}"#, "0x200"),
            (r#"sign_in_page_ready{namespace="two"}"#, "0x200"),
            (r#"sign_in_page_ready{namespace="three"}"#, "0x3 1x200"),
        ],
        comes: &[
            ("4m", &[]),
            (
                "6m",
                &[r#"alertname="GmailOperatorSignInPageDown",namespace="two""#],
            ),
        ],
    },
    Case {
        name: "sign-ins fail, elsewhere one did, and elsewhere people decline",
        seen: &[
            LEADS,
            (
                r#"sign_ins_total{namespace="two",result="Failed"}"#,
                "0x20 1 2 3 4x200",
            ),
            (
                r#"sign_ins_total{namespace="two",result="Ok"}"#,
                "0x20 1x200",
            ),
            (
                r#"sign_ins_total{namespace="one",result="Failed"}"#,
                "0x20 1x200",
            ),
            (
                r#"sign_ins_total{namespace="one",result="Refused"}"#,
                "0+1x200",
            ),
        ],
        comes: &[
            ("20m", &[]),
            (
                "25m",
                &[r#"alertname="GmailOperatorSignInsFail",namespace="two""#],
            ),
            ("50m", &[]),
        ],
    },
];
