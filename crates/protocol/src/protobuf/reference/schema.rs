//! The schema, as `prost` reads and writes it. Numbers are those of the service documentation.

#![allow(missing_docs, reason = "the names are the documentation: they are the schema's")]

use std::collections::BTreeMap;

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct UpstreamMessage {
    #[prost(oneof = "Upstream", tags = "1, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17")]
    pub(super) message: Option<Upstream>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Upstream {
    #[prost(message, tag = "1")]
    SendToGroup(SendToGroup),
    #[prost(message, tag = "5")]
    Event(Event),
    #[prost(message, tag = "6")]
    JoinGroup(GroupRequest),
    #[prost(message, tag = "7")]
    LeaveGroup(GroupRequest),
    #[prost(message, tag = "8")]
    SequenceAck(SequenceAck),
    #[prost(message, tag = "9")]
    Ping(Empty),
    #[prost(message, tag = "10")]
    InvokeEvent(InvokeEvent),
    #[prost(message, tag = "11")]
    CancelInvocation(CancelInvocation),
    #[prost(message, tag = "13")]
    StreamData(StreamData),
    #[prost(message, tag = "14")]
    StreamEnd(StreamEnd),
    #[prost(message, tag = "15")]
    SetGroupState(SetGroupState),
    #[prost(message, tag = "16")]
    SubscribeGroupState(GroupRequest),
    #[prost(message, tag = "17")]
    UnsubscribeGroupState(GroupRequest),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SetGroupState {
    #[prost(string, tag = "1")]
    pub(super) group: String,
    #[prost(uint64, optional, tag = "2")]
    pub(super) ack_id: Option<u64>,
    #[prost(message, optional, tag = "3")]
    pub(super) state: Option<GroupState>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GroupState {
    #[prost(btree_map = "string, string", tag = "1")]
    pub(super) entries: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GroupStateItem {
    #[prost(string, tag = "1")]
    pub(super) connection_id: String,
    #[prost(string, optional, tag = "2")]
    pub(super) user_id: Option<String>,
    #[prost(message, optional, tag = "3")]
    pub(super) state: Option<GroupState>,
    #[prost(int64, tag = "4")]
    pub(super) updated_at: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GroupStates {
    #[prost(string, tag = "1")]
    pub(super) group: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) items: Vec<GroupStateItem>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SendToGroup {
    #[prost(string, tag = "1")]
    pub(super) group: String,
    #[prost(uint64, optional, tag = "2")]
    pub(super) ack_id: Option<u64>,
    #[prost(message, optional, tag = "3")]
    pub(super) data: Option<MessageData>,
    #[prost(bool, optional, tag = "4")]
    pub(super) no_echo: Option<bool>,
    #[prost(uint32, optional, tag = "5")]
    pub(super) ttl_seconds: Option<u32>,
    #[prost(btree_map = "string, string", tag = "6")]
    pub(super) metadata: BTreeMap<String, String>,
    #[prost(message, optional, tag = "7")]
    pub(super) stream: Option<StreamStart>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StreamStart {
    #[prost(string, tag = "1")]
    pub(super) stream_id: String,
    #[prost(uint32, optional, tag = "2")]
    pub(super) idle_timeout_ms: Option<u32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StreamData {
    #[prost(string, tag = "1")]
    pub(super) stream_id: String,
    #[prost(uint64, optional, tag = "2")]
    pub(super) stream_sequence_id: Option<u64>,
    #[prost(message, optional, tag = "3")]
    pub(super) data: Option<MessageData>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StreamEnd {
    #[prost(string, tag = "1")]
    pub(super) stream_id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) error: Option<StreamEndError>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StreamEndError {
    #[prost(string, optional, tag = "1")]
    pub(super) message: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(super) user_error_code: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Event {
    #[prost(string, tag = "1")]
    pub(super) event: String,
    #[prost(message, optional, tag = "2")]
    pub(super) data: Option<MessageData>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) ack_id: Option<u64>,
    #[prost(btree_map = "string, string", tag = "4")]
    pub(super) metadata: BTreeMap<String, String>,
    #[prost(message, optional, tag = "5")]
    pub(super) stream: Option<StreamStart>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct InvokeEvent {
    #[prost(string, tag = "1")]
    pub(super) event: String,
    #[prost(string, tag = "2")]
    pub(super) invocation_id: String,
    #[prost(message, optional, tag = "3")]
    pub(super) data: Option<MessageData>,
    #[prost(btree_map = "string, string", tag = "4")]
    pub(super) metadata: BTreeMap<String, String>,
    #[prost(message, optional, tag = "5")]
    pub(super) stream: Option<StreamStart>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CancelInvocation {
    #[prost(string, tag = "1")]
    pub(super) invocation_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct InvokeResponse {
    #[prost(string, tag = "1")]
    pub(super) invocation_id: String,
    #[prost(bool, tag = "2")]
    pub(super) success: bool,
    #[prost(message, optional, tag = "3")]
    pub(super) data: Option<MessageData>,
    #[prost(message, optional, tag = "4")]
    pub(super) error: Option<Error>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GroupRequest {
    #[prost(string, tag = "1")]
    pub(super) group: String,
    #[prost(uint64, optional, tag = "2")]
    pub(super) ack_id: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SequenceAck {
    #[prost(uint64, tag = "1")]
    pub(super) sequence_id: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Empty {}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct MessageData {
    #[prost(oneof = "Data", tags = "1, 2, 3, 4")]
    pub(super) data: Option<Data>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Data {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(bytes, tag = "2")]
    Binary(Vec<u8>),
    /// An encoded `google.protobuf.Any`: on the wire a message and bytes look alike, and it is passed on as it is.
    #[prost(bytes, tag = "3")]
    Protobuf(Vec<u8>),
    #[prost(string, tag = "4")]
    Json(String),
}

/// `google.protobuf.Any`, to see whether bytes are one.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Any {
    #[prost(string, tag = "1")]
    pub(super) type_url: String,
    #[prost(bytes, tag = "2")]
    pub(super) value: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct DownstreamMessage {
    #[prost(oneof = "Downstream", tags = "1, 2, 3, 4, 5, 6, 7, 8")]
    pub(super) message: Option<Downstream>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Downstream {
    #[prost(message, tag = "1")]
    Ack(Ack),
    #[prost(message, tag = "2")]
    Data(DownstreamData),
    #[prost(message, tag = "3")]
    System(System),
    #[prost(message, tag = "4")]
    Pong(Empty),
    #[prost(message, tag = "5")]
    InvokeResponse(InvokeResponse),
    #[prost(message, tag = "6")]
    StreamAck(StreamAck),
    #[prost(message, tag = "7")]
    StreamNack(StreamNack),
    #[prost(message, tag = "8")]
    StreamClosed(StreamClosed),
}

/// The part of a `DownstreamMessage` that is written, but not read.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct DownstreamStates {
    #[prost(message, optional, tag = "9")]
    pub(super) update: Option<GroupStates>,
    #[prost(message, optional, tag = "10")]
    pub(super) snapshot: Option<GroupStates>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StreamAck {
    #[prost(string, tag = "1")]
    pub(super) stream_id: String,
    #[prost(uint64, tag = "2")]
    pub(super) expected_sequence_id: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StreamNack {
    #[prost(string, tag = "1")]
    pub(super) stream_id: String,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(string, tag = "3")]
    pub(super) message: String,
    #[prost(uint64, tag = "4")]
    pub(super) expected_sequence_id: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StreamClosed {
    #[prost(string, tag = "1")]
    pub(super) stream_id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) error: Option<Error>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Ack {
    #[prost(uint64, tag = "1")]
    pub(super) ack_id: u64,
    #[prost(bool, tag = "2")]
    pub(super) success: bool,
    #[prost(message, optional, tag = "3")]
    pub(super) error: Option<Error>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Error {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) message: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct DownstreamData {
    #[prost(string, tag = "1")]
    pub(super) from: String,
    #[prost(string, optional, tag = "2")]
    pub(super) group: Option<String>,
    #[prost(message, optional, tag = "3")]
    pub(super) data: Option<MessageData>,
    #[prost(uint64, optional, tag = "4")]
    pub(super) sequence_id: Option<u64>,
    #[prost(uint64, optional, tag = "15")]
    pub(super) delivery_count: Option<u64>,
    #[prost(btree_map = "string, string", tag = "5")]
    pub(super) metadata: BTreeMap<String, String>,
    #[prost(message, optional, tag = "6")]
    pub(super) stream: Option<StreamPlace>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StreamPlace {
    #[prost(string, tag = "1")]
    pub(super) stream_id: String,
    #[prost(uint64, tag = "2")]
    pub(super) stream_sequence_id: u64,
    #[prost(bool, optional, tag = "3")]
    pub(super) end_of_stream: Option<bool>,
    #[prost(message, optional, tag = "4")]
    pub(super) error: Option<StreamFault>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StreamFault {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, optional, tag = "2")]
    pub(super) message: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(super) user_error_code: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct System {
    #[prost(oneof = "SystemEvent", tags = "1, 2")]
    pub(super) event: Option<SystemEvent>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum SystemEvent {
    #[prost(message, tag = "1")]
    Connected(Connected),
    #[prost(message, tag = "2")]
    Disconnected(Disconnected),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Connected {
    #[prost(string, tag = "1")]
    pub(super) connection_id: String,
    #[prost(string, tag = "2")]
    pub(super) user_id: String,
    #[prost(string, optional, tag = "3")]
    pub(super) reconnection_token: Option<String>,
    #[prost(string, optional, tag = "15")]
    pub(super) run_id: Option<String>,
}

/// The reason has number 2, not 1.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Disconnected {
    #[prost(string, tag = "2")]
    pub(super) reason: String,
}
