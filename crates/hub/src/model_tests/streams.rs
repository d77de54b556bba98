//! Streams of the model: at most one per client, so that the order of messages is defined.

use crate::session::Incoming;
use proptest::prelude::*;
use tokio::time::Instant;

use super::{GROUPS, World};

/// Operation of a publisher on its stream.
#[derive(Debug, Clone)]
pub(super) enum StreamStep {
    Start {
        group: usize,
    },
    /// A fragment with this offset from the expected sequence id.
    Data {
        offset: i64,
    },
    KeepAlive,
    End,
}

pub(super) fn any_stream_step() -> impl Strategy<Value = StreamStep> {
    prop_oneof![
        (0..3_usize).prop_map(|group| StreamStep::Start { group }),
        (-1..3_i64).prop_map(|offset| StreamStep::Data { offset: offset.min(1) }),
        Just(StreamStep::Data { offset: 0 }),
        Just(StreamStep::KeepAlive),
        Just(StreamStep::End),
    ]
}

impl World {
    pub(super) fn stream(&mut self, client: usize, step: StreamStep) {
        let Some(at) = self.connected_client(client) else { return };
        match step {
            StreamStep::Start { group } => self.start_stream(at, GROUPS[group]),
            StreamStep::Data { offset } => self.stream_data(at, offset),
            StreamStep::KeepAlive => {
                self.send(at, r#"{"type":"streamData","streamId":"s"}"#);
                if self.clients[at].stream.is_none() {
                    self.expect_for(at, "stream closed StreamNotFound");
                }
            }
            StreamStep::End => {
                self.send(at, r#"{"type":"streamEnd","streamId":"s"}"#);
                let expected = if self.clients[at].stream.is_some() { "well" } else { "StreamNotFound" };
                self.end_stream(at);
                self.expect_for(at, &format!("stream closed {expected}"));
            }
        }
    }

    fn start_stream(&mut self, at: usize, group: &'static str) {
        self.send(at, &format!(r#"{{"type":"sendToGroup","group":"{group}","stream":{{"streamId":"s"}}}}"#));
        let client = &mut self.clients[at];
        let expected = if !client.may_send.contains(group) {
            "stream closed Forbidden"
        } else if client.stream.is_some() {
            "stream closed BadRequest"
        } else {
            client.stream = Some((group, 1));
            "stream at 1"
        };
        self.expect_for(at, expected);
    }

    fn stream_data(&mut self, at: usize, offset: i64) {
        let expected = self.clients[at].stream.map_or(1, |(_, expected)| expected);
        let number = expected.saturating_add_signed(offset);
        let text = self.next_text();
        self.send(
            at,
            &format!(
                r#"{{"type":"streamData","streamId":"s","streamSequenceId":{number},"dataType":"text","data":"{text}"}}"#
            ),
        );
        let Some((group, expected)) = self.clients[at].stream else {
            return self.expect_for(at, "stream closed StreamNotFound");
        };
        match number.cmp(&expected) {
            std::cmp::Ordering::Less => self.expect_for(at, &format!("stream at {expected}")),
            std::cmp::Ordering::Greater => self.expect_for(at, &format!("stream back at {expected}")),
            std::cmp::Ordering::Equal if !self.clients[at].may_send.contains(group) => {
                self.end_stream(at);
                self.expect_for(at, "stream closed Forbidden");
            }
            std::cmp::Ordering::Equal => {
                let from = self.clients[at].user.unwrap_or("nobody");
                self.expect(
                    |_, client| client.groups.contains(group),
                    &format!("{group} from {from}: {text}"),
                );
                self.clients[at].stream = Some((group, expected + 1));
                self.expect_for(at, &format!("stream at {}", expected + 1));
            }
        }
    }

    /// Ends a stream: its receivers get a terminal message. The publisher may be one of them.
    pub(super) fn end_stream(&mut self, at: usize) {
        let Some((group, number)) = self.clients[at].stream.take() else { return };
        let from = self.clients[at].user.unwrap_or("nobody");
        self.expect(|_, client| client.groups.contains(group), &format!("{group} from {from}: end {number}"));
    }

    fn send(&mut self, at: usize, frame: &str) {
        self.clients[at].session.receive(Incoming::Text(frame), Instant::now());
    }

    fn expect_for(&mut self, at: usize, expected: &str) {
        self.clients[at].expected.push(expected.to_owned());
    }
}
