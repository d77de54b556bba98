//! Metrics of the service in the OpenMetrics text format.
//!
//! Counters are atomic and updated as events happen; gauges are computed when the metrics are requested.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use webpubsub_protocol::subprotocol::Subprotocol;

use crate::{history::RingCounts, memory::MemoryBudget};

/// Protocol label of clients without a predefined subprotocol.
pub(crate) const SIMPLE: &str = "simple";
/// All protocol labels.
pub(crate) const PROTOCOL_LABELS: [&str; 5] = [
    SIMPLE,
    Subprotocol::Json.name(),
    Subprotocol::ReliableJson.name(),
    Subprotocol::Protobuf.name(),
    Subprotocol::ReliableProtobuf.name(),
];

/// Labels of the metrics of a hub.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByHub {
    hub: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByProtocol {
    hub: String,
    protocol: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByStatus {
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOperation {
    operation: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByEvent {
    event: &'static str,
    outcome: &'static str,
}

/// Message counters of one hub. Clones share the counters.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traffic {
    /// Messages received from clients.
    pub(crate) received: Counter,
    /// Bytes of the messages received from clients.
    pub(crate) received_bytes: Counter,
    /// Messages queued for clients, counted once for each receiver.
    pub(crate) delivered: Counter,
}

/// All metrics of a service.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Mutex<Registry>,
    connections: Family<ByProtocol, Gauge>,
    groups: Family<ByHub, Gauge>,
    memory_used: Gauge,
    memory_limit: Gauge,
    memory_refusals: Counter,
    history_messages: Gauge,
    history_bytes: Gauge,
    history_groups: Gauge,
    history_dropped: Counter,
    history_groups_forgotten: Counter,
    opened: Family<ByProtocol, Counter>,
    refused: Family<ByStatus, Counter>,
    received: Family<ByHub, Counter>,
    received_bytes: Family<ByHub, Counter>,
    delivered: Family<ByHub, Counter>,
    /// Reliable connections that were recovered on a new socket.
    pub(crate) recovered: Counter,
    /// Recoveries that were rejected.
    pub(crate) refused_recoveries: Counter,
    requests: Family<ByOperation, Counter>,
    events: Family<ByEvent, Counter>,
    event_seconds: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        // From 1 ms to about 100 s, the default timeout of event handlers.
        let event_seconds = Histogram::new(exponential_buckets(0.001, 3.2, 11));
        let metrics = Self {
            registry: Mutex::new(Registry::with_prefix("webpubsub")),
            connections: Family::default(),
            groups: Family::default(),
            memory_used: Gauge::default(),
            memory_limit: Gauge::default(),
            memory_refusals: Counter::default(),
            history_messages: Gauge::default(),
            history_bytes: Gauge::default(),
            history_groups: Gauge::default(),
            history_dropped: Counter::default(),
            history_groups_forgotten: Counter::default(),
            opened: Family::default(),
            refused: Family::default(),
            received: Family::default(),
            received_bytes: Family::default(),
            delivered: Family::default(),
            recovered: Counter::default(),
            refused_recoveries: Counter::default(),
            requests: Family::default(),
            events: Family::default(),
            event_seconds,
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let registry = &mut *registry;
        registry.register("connections", "Open connections", self.connections.clone());
        registry.register("groups", "Groups with members", self.groups.clone());
        registry.register(
            "memory_used_bytes",
            "Memory charged to the budget of all clients",
            self.memory_used.clone(),
        );
        registry.register("memory_limit_bytes", "Budget of all clients", self.memory_limit.clone());
        registry.register(
            "memory_refusals",
            "Queues and messages that were refused because memory ran short",
            self.memory_refusals.clone(),
        );
        registry.register(
            "history_messages",
            "Group messages that clients can still read",
            self.history_messages.clone(),
        );
        registry.register("history_bytes", "Memory of the history", self.history_bytes.clone());
        registry.register("history_groups", "Groups with a history", self.history_groups.clone());
        registry.register(
            "history_messages_dropped",
            "Messages dropped from the history for their age or for newer ones",
            self.history_dropped.clone(),
        );
        registry.register(
            "history_groups_forgotten",
            "Groups that were least recently used, and forgotten for new ones",
            self.history_groups_forgotten.clone(),
        );
        registry.register("connections_opened", "Accepted connections", self.opened.clone());
        registry.register("handshakes_refused", "Rejected handshakes", self.refused.clone());
        registry.register("messages_received", "Messages received from clients", self.received.clone());
        registry.register(
            "received_bytes",
            "Bytes of the messages received from clients",
            self.received_bytes.clone(),
        );
        registry.register(
            "messages_delivered",
            "Messages queued for clients, counted once for each receiver",
            self.delivered.clone(),
        );
        registry.register("connections_recovered", "Recovered reliable connections", self.recovered.clone());
        registry.register("recoveries_refused", "Rejected recoveries", self.refused_recoveries.clone());
        registry.register("rest_requests", "Requests to the REST data plane", self.requests.clone());
        registry.register("events", "Events dispatched to event handlers", self.events.clone());
        registry.register("event_seconds", "Response time of event handlers", self.event_seconds.clone());
    }

    /// Returns the counters of a hub.
    pub(crate) fn traffic(&self, hub: &str) -> Traffic {
        let label = ByHub { hub: hub.to_owned() };
        Traffic {
            received: self.received.get_or_create_owned(&label),
            received_bytes: self.received_bytes.get_or_create_owned(&label),
            delivered: self.delivered.get_or_create_owned(&label),
        }
    }

    /// Removes the metrics of a hub that was removed.
    pub(crate) fn remove_hub(&self, hub: &str) {
        let label = ByHub { hub: hub.to_owned() };
        for family in [&self.received, &self.received_bytes, &self.delivered] {
            family.remove(&label);
        }
        self.groups.remove(&label);
        for protocol in PROTOCOL_LABELS {
            let label = ByProtocol { hub: hub.to_owned(), protocol };
            self.opened.remove(&label);
            self.connections.remove(&label);
        }
    }

    pub(crate) fn record_connection(&self, hub: &str, protocol: &'static str) {
        self.opened.get_or_create(&ByProtocol { hub: hub.to_owned(), protocol }).inc();
    }

    pub(crate) fn record_refused_handshake(&self, status: u16) {
        self.refused.get_or_create(&ByStatus { status }).inc();
    }

    pub(crate) fn record_request(&self, operation: &'static str, status: u16) {
        self.requests.get_or_create(&ByOperation { operation, status }).inc();
    }

    pub(crate) fn record_event(&self, event: &'static str, outcome: &'static str, seconds: f64) {
        self.events.get_or_create(&ByEvent { event, outcome }).inc();
        self.event_seconds.observe(seconds);
    }

    /// Sets the gauges of a hub: number of groups, and of connections by protocol.
    pub(crate) fn set_gauges(&self, hub: &str, groups: usize, connections: &[(&'static str, usize)]) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.groups.get_or_create(&ByHub { hub: hub.to_owned() }).set(number(groups));
        for (protocol, count) in connections {
            let label = ByProtocol { hub: hub.to_owned(), protocol };
            self.connections.get_or_create(&label).set(number(*count));
        }
    }

    /// Sets the metrics of the memory budget.
    pub(crate) fn set_memory(&self, memory: &MemoryBudget) {
        let number = |bytes: usize| i64::try_from(bytes).unwrap_or(i64::MAX);
        self.memory_used.set(number(memory.used()));
        self.memory_limit.set(number(memory.limit()));
        let counted = self.memory_refusals.get();
        self.memory_refusals.inc_by(memory.refusals().saturating_sub(counted));
    }

    /// Sets the metrics of the history.
    pub(crate) fn set_history(&self, counts: &RingCounts) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.history_messages.set(number(counts.messages));
        self.history_bytes.set(number(counts.bytes));
        self.history_groups.set(number(counts.groups));
        for (counter, count) in [
            (&self.history_dropped, counts.dropped_messages),
            (&self.history_groups_forgotten, counts.forgotten_groups),
        ] {
            counter.inc_by(count.saturating_sub(counter.get()));
        }
    }

    /// Encodes all metrics in the OpenMetrics text format.
    pub(crate) fn to_openmetrics(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a `String` cannot fail.
        encode(&mut text, &registry).unwrap_or_default();
        text
    }
}

/// Timer of one event, recorded when stopped.
pub(crate) struct EventTimer {
    metrics: Arc<Metrics>,
    event: &'static str,
    started: Instant,
}

impl EventTimer {
    pub(crate) fn start(metrics: &Arc<Metrics>, event: &'static str, now: Instant) -> Self {
        Self { metrics: Arc::clone(metrics), event, started: now }
    }

    pub(crate) fn stop(self, has_succeeded: bool, now: Instant) {
        let outcome = if has_succeeded { "success" } else { "failure" };
        self.metrics.record_event(self.event, outcome, now.duration_since(self.started).as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_values_are_in_the_output() {
        let metrics = Metrics::default();
        metrics.traffic("chat").delivered.inc_by(3);
        metrics.set_gauges("chat", 2, &[("simple", 1)]);
        metrics.record_refused_handshake(401);
        let text = metrics.to_openmetrics();
        for line in [
            "webpubsub_messages_delivered_total{hub=\"chat\"} 3",
            "webpubsub_groups{hub=\"chat\"} 2",
            "webpubsub_connections{hub=\"chat\",protocol=\"simple\"} 1",
            "webpubsub_handshakes_refused_total{status=\"401\"} 1",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}
