//! What is being done, as spans: log lines begin with the outermost, and a collector gets all of
//! them. Nothing secret and nothing that a stranger wrote is in them.

use opentelemetry::TraceId;
use opentelemetry::trace::TraceContextExt;
use tracing::{Span, error_span, field, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::calls::{CallResult, Service};
use super::metrics::{Kind, ReconcileResult};

/// The target of the spans that log lines begin with. They are errors by their level, so that there
/// is none that leaves them out.
pub(super) const WORK: &str = "gmail_operator::work";
/// The target of spans that only a collector gets. Where there is none they cost nothing.
pub(super) const STEP: &str = "gmail_operator::step";

/// One look at an object.
pub fn reconcile(kind: Kind, namespace: &str, object: &str) -> Span {
    identified(error_span!(
        target: WORK,
        "reconcile",
        ?kind,
        %namespace,
        %object,
        trace_id = field::Empty,
        result = field::Empty,
        otel.status_code = field::Empty,
    ))
}

/// How `span` of [`reconcile`] ended.
pub fn reconciled(span: &Span, result: ReconcileResult) {
    span.record("result", field::debug(result));
    if result != ReconcileResult::Ok {
        span.record("otel.status_code", "ERROR");
    }
}

/// One request to the sign-in page. `route` is the page's address with names in place of what is in
/// it, as `/signin/{namespace}/{name}/{uid}`; empty where there is no such page.
pub fn request(method: &'static str, route: &str) -> Span {
    identified(error_span!(
        target: WORK,
        "request",
        otel.kind = "server",
        http.request.method = %method,
        http.route = %route,
        trace_id = field::Empty,
        http.response.status_code = field::Empty,
        otel.status_code = field::Empty,
    ))
}

/// What `span` of [`request`] was answered with.
pub fn answered(span: &Span, status: u16) {
    span.record("http.response.status_code", status);
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}

/// A step of a look at an object: observe, decide, act, report.
pub fn step(name: &'static str) -> Span {
    info_span!(target: STEP, "step", otel.name = name)
}

/// What is done to an object, by its name.
pub fn act(what: &'static str) -> Span {
    info_span!(target: STEP, "act", step = what)
}

/// A call to a server.
pub(super) fn call(service: Service, host: &str, port: u16) -> Span {
    info_span!(
        target: STEP,
        "call",
        otel.kind = "client",
        ?service,
        server.address = %host,
        server.port = port,
        result = field::Empty,
        otel.status_code = field::Empty,
    )
}

/// How `span` of [`call`] ended.
pub(super) fn called(span: &Span, result: CallResult) {
    span.record("result", field::debug(result));
    if result != CallResult::Ok {
        span.record("otel.status_code", "ERROR");
    }
}

/// Gives a span the id of its trace: the collector's, or one of its own, so that lines of one look at
/// an object belong together in any case.
fn identified(span: Span) -> Span {
    let known = span.context().span().span_context().trace_id();
    let id = match known == TraceId::INVALID {
        true => TraceId::from_bytes(rand::random()),
        false => known,
    };
    span.record("trace_id", field::display(id));
    span
}
