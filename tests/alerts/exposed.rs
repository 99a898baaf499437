use std::time::Duration;

use anyhow::Result;
use gmail_operator::api::{ProfileCondition, Reason};
use gmail_operator::telemetry::calls::{CallResult, Service};
use gmail_operator::telemetry::fleet::{
    CapacityLabels, ConditionLabel, ConditionLabels, ConditionStatus, Figures, LimitSetBy,
    MailboxLabels, MailboxState,
};
use gmail_operator::telemetry::metrics::{
    Direction, HeldBackLabel, HeldBackLabels, Kind, KindLabels, Metrics, ProfileLabels, Protocol,
    ReasonLabel, ReconcileResult, RenewalResult, ResultLabels, TestedStep,
};
use gmail_operator::telemetry::sign_ins::SignInResult;
use gmail_operator::telemetry::writes::{Verb, Written};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use strum::IntoEnumIterator;

/// What the operator exposes when all has happened that can.
pub fn exposed() -> Result<String> {
    let (metrics, mut registry) = (Metrics::default(), Registry::default());
    metrics.register(&mut registry);
    count(&metrics);
    let profile = ProfileLabels {
        namespace: "mail".into(),
        profile: "google".into(),
    };
    metrics.endings(&profile, Some(1), 1);
    metrics.leader.set(1);
    metrics.caches_filled.set(1);
    for result in SignInResult::iter() {
        metrics.sign_in_page.ended(result);
    }
    load(&metrics);
    metrics.fleet.show(figures(profile));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

fn count(metrics: &Metrics) {
    for kind in [Kind::Mailbox, Kind::GmailServerProfile, Kind::Grant] {
        for result in [
            ReconcileResult::Ok,
            ReconcileResult::Error,
            ReconcileResult::Panic,
            ReconcileResult::TimedOut,
            ReconcileResult::Invalid,
        ] {
            metrics.reconciled(kind, result, Duration::ZERO);
        }
        let writes = &metrics.status_writes;
        writes.get_or_create(&KindLabels { kind }).inc();
    }
    for result in [
        RenewalResult::Ok,
        RenewalResult::Ended,
        RenewalResult::Unavailable,
    ] {
        let renewals = &metrics.renewals;
        renewals.get_or_create(&ResultLabels { result }).inc();
    }
    metrics.renewal_margin.observe(1.0);
    for because in [
        HeldBackLabel::Line,
        HeldBackLabel::Circuit,
        HeldBackLabel::Pause,
    ] {
        let held_back = &metrics.held_back;
        held_back.get_or_create(&HeldBackLabels { because }).inc();
    }
    for direction in [Direction::Incoming, Direction::Outgoing] {
        Reason::iter().for_each(|reason| metrics.tested(direction, reason));
    }
    for step in [
        TestedStep::Token,
        TestedStep::Imap,
        TestedStep::Pop3,
        TestedStep::Smtp,
        TestedStep::RoundTrip,
    ] {
        metrics.step_took(step, Duration::ZERO);
    }
    for protocol in [Protocol::Imap, Protocol::Pop3, Protocol::Smtp] {
        metrics.heard(protocol, Reason::UnexpectedReply);
    }
}

fn load(metrics: &Metrics) {
    for kind in [Kind::Mailbox, Kind::GmailServerProfile, Kind::Grant] {
        let labels = KindLabels { kind };
        metrics.waiting.get_or_create(&labels).set(1);
        metrics.in_work.get_or_create(&labels).set(1);
    }
    metrics.connections(1, 1);
    for result in [
        CallResult::Ok,
        CallResult::Refused,
        CallResult::Unreachable,
        CallResult::Abandoned,
    ] {
        for service in [
            Service::OAuthToken,
            Service::OAuthClientCheck,
            Service::OAuthKeys,
            Service::OAuthRevocation,
            Service::Imap,
            Service::Pop3,
            Service::Smtp,
            Service::Kubernetes,
        ] {
            metrics
                .remote_calls
                .observe(service, result, Duration::ZERO);
        }
        metrics
            .api_writes
            .count(Verb::Patch, Written::MailboxStatus, result);
    }
}

fn figures(profile: ProfileLabels) -> Figures {
    let mut figures = Figures {
        places_taken: vec![(profile.clone(), 1)],
        capacity: [LimitSetBy::Google, LimitSetBy::Profile]
            .map(|set_by| {
                let ProfileLabels { namespace, profile } = profile.clone();
                let labels = CapacityLabels {
                    namespace,
                    profile,
                    set_by,
                };
                (labels, 1)
            })
            .into(),
        held_back: vec![(profile.clone(), 1)],
        ..Figures::default()
    };
    let ProfileLabels { namespace, profile } = profile;
    for reason in Reason::iter().map(ReasonLabel) {
        figures.mailboxes.extend(
            [
                MailboxState::Ready,
                MailboxState::Waiting,
                MailboxState::Suspended,
                MailboxState::Failing,
            ]
            .map(|state| {
                let labels = MailboxLabels {
                    namespace: namespace.clone(),
                    profile: profile.clone(),
                    state,
                    reason,
                };
                (labels, 1)
            }),
        );
    }
    for condition in ProfileCondition::iter() {
        for reason in condition.reasons() {
            figures.conditions.extend(
                [
                    ConditionStatus::True,
                    ConditionStatus::False,
                    ConditionStatus::Unknown,
                ]
                .map(|status| ConditionLabels {
                    namespace: namespace.clone(),
                    profile: profile.clone(),
                    condition: ConditionLabel(condition),
                    status,
                    reason: ReasonLabel(*reason),
                }),
            );
        }
    }
    figures
}
