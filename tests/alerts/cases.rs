use serde_json::{Value, json};

/// What Prometheus has seen, and what comes of it.
pub struct Case {
    name: &'static str,
    /// Series, without their prefix `gmail_operator_`, and a value for each minute in promtool's words.
    seen: &'static [(&'static str, &'static str)],
    /// At these times these alerts are there, with the labels that tell them apart.
    comes: &'static [(&'static str, &'static [&'static str])],
}

const LEADS: (&str, &str) = ("leader", "1x200");

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
            (r#"token_renewals_total{result="Ok"}"#, "0+5x200"),
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
        name: "four fifths of the places are taken",
        seen: &[
            LEADS,
            (
                r#"profile_places_taken{namespace="mail",profile="google"}"#,
                "80x200",
            ),
            (
                r#"profile_capacity{namespace="mail",profile="google"}"#,
                "100x200",
            ),
            (
                r#"profile_places_taken{namespace="mail",profile="second"}"#,
                "79x200",
            ),
            (
                r#"profile_capacity{namespace="mail",profile="second"}"#,
                "100x200",
            ),
            // No limit.
            (
                r#"profile_places_taken{namespace="mail",profile="internal"}"#,
                "5000x200",
            ),
        ],
        comes: &[(
            "16m",
            &[r#"alertname="GmailOperatorCapacityLow",namespace="mail",profile="google""#],
        )],
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
];

impl Case {
    /// As promtool reads it.
    pub fn for_promtool(&self) -> Value {
        let seen = self.seen.iter().map(
            |(series, values)| json!({ "series": format!("gmail_operator_{series}"), "values": values }),
        );
        let comes = self.comes.iter().map(|(time, alerts)| {
            let alerts = alerts.iter();
            let alerts = alerts.map(|labels| json!({ "labels": format!("{{{labels}}}"), "value": 1 }));
            json!({
                "eval_time": time,
                "expr": r#"max by (alertname, namespace, profile, kind, protocol) (ALERTS{alertstate="firing"})"#,
                "exp_samples": alerts.collect::<Vec<_>>(),
            })
        });
        json!({
            "name": self.name,
            "interval": "1m",
            "input_series": seen.collect::<Vec<_>>(),
            "promql_expr_test": comes.collect::<Vec<_>>(),
        })
    }

    /// The alerts that come.
    pub fn fired(&self) -> impl Iterator<Item = &'static str> {
        let alerts = self.comes.iter().flat_map(|(_, alerts)| *alerts);
        alerts.filter_map(|labels| labels.split('"').nth(1))
    }
}
