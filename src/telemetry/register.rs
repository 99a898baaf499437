//! Under which names metrics are exposed.

use prometheus_client::registry::Registry;

use super::metrics::{
    Kind, Metrics, Protocol, ProtocolLabels, ReconcileLabels, ReconcileResult, RenewalResult,
    ResultLabels,
};

impl Metrics {
    /// A registry with all of them.
    pub fn registry(&self) -> Registry {
        let mut registry = Registry::default();
        self.register(&mut registry);
        registry
    }

    /// Registers all of them under the prefix `gmail_operator`.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("gmail_operator");
        registry.register(
            "reconciles",
            "Reconciles by kind and result",
            self.reconciles.clone(),
        );
        registry.register(
            "reconcile_duration_seconds",
            "How long reconciles take by kind, with their waits for servers",
            self.reconcile_durations.histogram(),
        );
        self.register_load(registry);
        registry.register(
            "status_writes",
            "Writes of a status by kind",
            self.status_writes.clone(),
        );
        registry.register(
            "token_renewals",
            "Renewals of access tokens by result",
            self.renewals.clone(),
        );
        registry.register(
            "token_renewal_margin_seconds",
            "How much of the old access token's life was left at its renewal; below zero it had ended",
            self.renewal_margin.histogram(),
        );
        registry.register(
            "token_renewals_held_back",
            "Renewals that were not sent yet by why: others come first, the OAuth server fails, or it asked for a pause",
            self.held_back.clone(),
        );
        self.register_tests(registry);
        registry.register(
            "sign_in_earliest_end_timestamp_seconds",
            "When the first of a profile's sign-ins is known to end",
            self.earliest_end.clone(),
        );
        registry.register(
            "sign_ins_ending_soon",
            "How many of a profile's sign-ins are known to end within a day",
            self.ending_soon.clone(),
        );
        registry.register(
            "leader",
            "Whether this process is the leader",
            self.leader.clone(),
        );
        registry.register(
            "caches_filled",
            "Whether the leader has read all that it looks after",
            self.caches_filled.clone(),
        );
        self.sign_in_page.register(registry);
        registry.register_collector(Box::new(self.fleet.clone()));
        self.begin_at_zero();
    }

    /// What an alert wants to see from the first time on: a counter that begins with 1 has not risen.
    fn begin_at_zero(&self) {
        for protocol in [Protocol::Imap, Protocol::Pop3, Protocol::Smtp] {
            let labels = ProtocolLabels { protocol };
            self.unknown_answers.get_or_create(&labels).inc_by(0);
        }
        for result in [RenewalResult::Ok, RenewalResult::Unavailable] {
            let renewals = &self.renewals;
            renewals.get_or_create(&ResultLabels { result }).inc_by(0);
        }
        for kind in [Kind::Mailbox, Kind::GmailServerProfile, Kind::Grant] {
            for result in [
                ReconcileResult::Ok,
                ReconcileResult::Error,
                ReconcileResult::Panic,
                ReconcileResult::TimedOut,
            ] {
                let labels = ReconcileLabels { kind, result };
                self.reconciles.get_or_create(&labels).inc_by(0);
            }
        }
    }

    fn register_load(&self, registry: &mut Registry) {
        registry.register(
            "reconciles_waiting",
            "Objects that changed or were woken and have not been looked at since, by kind",
            self.waiting.clone(),
        );
        registry.register(
            "reconciles_in_work",
            "Objects that are being looked at, by kind, with those that wait for a server meanwhile",
            self.in_work.clone(),
        );
        registry.register(
            "mail_connections",
            "Connections to mail servers that may be open, and Mailboxes that wait for one",
            self.connections.clone(),
        );
        registry.register(
            "remote_call_duration_seconds",
            "How long calls to servers take, by service and result",
            self.remote_calls.histogram(),
        );
        registry.register(
            "api_writes",
            "Writes to the API server by verb, kind and result",
            self.api_writes.counters(),
        );
    }

    fn register_tests(&self, registry: &mut Registry) {
        registry.register(
            "direction_tests",
            "Tests of one direction by reason",
            self.tests.clone(),
        );
        registry.register(
            "test_step_duration_seconds",
            "How long the steps of tests take: the access token, the login over each protocol, and the round trip of a message",
            self.step_durations.histogram(),
        );
        registry.register(
            "unknown_answers",
            "Answers of mail servers that the table of reasons does not know, by protocol",
            self.unknown_answers.clone(),
        );
    }
}
