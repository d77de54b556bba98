//! The messages of the schema, as they are read. Numbers are those of the service documentation.

use super::{
    MalformedMessage,
    wire::{Message, Value, merge_into},
};

type Taken = Result<(), MalformedMessage>;

/// Declares messages: their fields by number, and how each is read. The names are the documentation: they are the schema's.
macro_rules! messages {
    ($($message:ident { $($number:literal $field:ident: $kind:ty = $read:ident,)* })*) => {$(
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub(super) struct $message<'a> {
            $(pub(super) $field: $kind,)*
            /// A message without fields borrows nothing.
            _frame: std::marker::PhantomData<&'a [u8]>,
        }

        impl<'a> Message<'a> for $message<'a> {
            #[allow(unused_variables, reason = "a message without fields takes no value")]
            fn take(&mut self, number: u32, value: Value<'a>) -> Taken {
                match number {
                    $($number => messages!(@$read self.$field, value),)*
                    _ => {}
                }
                Ok(())
            }
        }
    )*};
    (@text $field:expr, $value:ident) => { $field = $value.text()? };
    (@optional_text $field:expr, $value:ident) => { $field = Some($value.text()?) };
    (@bytes $field:expr, $value:ident) => { $field = $value.bytes()? };
    (@number $field:expr, $value:ident) => { $field = $value.number()? };
    (@optional_number $field:expr, $value:ident) => { $field = Some($value.number()?) };
    (@optional_short_number $field:expr, $value:ident) => { $field = Some($value.short_number()?) };
    (@flag $field:expr, $value:ident) => { $field = $value.flag()? };
    (@message $field:expr, $value:ident) => { merge_into(&mut $field, $value)? };
    (@data $field:expr, $value:ident) => { $field.get_or_insert_default().merge($value.bytes()?)? };
    (@entry $field:expr, $value:ident) => { $field.push(Entry::read($value.bytes()?)?) };
}

messages! {
    SendToGroup {
        1 group: &'a str = text,
        2 ack_id: Option<u64> = optional_number,
        3 data: Option<MessageData<'a>> = data,
        4 no_echo: bool = flag,
        5 ttl_seconds: Option<u32> = optional_short_number,
        6 metadata: Vec<Entry<'a>> = entry,
        7 stream: Option<StreamStart<'a>> = message,
    }
    StreamStart {
        1 stream_id: &'a str = text,
        2 idle_timeout_ms: Option<u32> = optional_short_number,
    }
    StreamData {
        1 stream_id: &'a str = text,
        2 stream_sequence_id: Option<u64> = optional_number,
        3 data: Option<MessageData<'a>> = data,
    }
    StreamEnd {
        1 stream_id: &'a str = text,
        2 error: Option<StreamEndError<'a>> = message,
    }
    StreamEndError {
        1 message: Option<&'a str> = optional_text,
        2 user_error_code: Option<&'a str> = optional_text,
    }
    Event {
        1 event: &'a str = text,
        2 data: Option<MessageData<'a>> = data,
        3 ack_id: Option<u64> = optional_number,
        4 metadata: Vec<Entry<'a>> = entry,
        5 stream: Option<StreamStart<'a>> = message,
    }
    InvokeEvent {
        1 event: &'a str = text,
        2 invocation_id: &'a str = text,
        3 data: Option<MessageData<'a>> = data,
        4 metadata: Vec<Entry<'a>> = entry,
        5 stream: Option<StreamStart<'a>> = message,
    }
    CancelInvocation {
        1 invocation_id: &'a str = text,
    }
    InvokeResponse {
        1 invocation_id: &'a str = text,
        2 success: bool = flag,
        3 data: Option<MessageData<'a>> = data,
        4 error: Option<Error<'a>> = message,
    }
    SetGroupState {
        1 group: &'a str = text,
        2 ack_id: Option<u64> = optional_number,
        3 state: Option<GroupState<'a>> = message,
    }
    GroupState {
        1 entries: Vec<Entry<'a>> = entry,
    }
    GroupRequest {
        1 group: &'a str = text,
        2 ack_id: Option<u64> = optional_number,
    }
    SequenceAck {
        1 sequence_id: u64 = number,
    }
    Empty {}
    Entry {
        1 name: &'a str = text,
        2 value: &'a str = text,
    }
    Any {
        1 type_url: &'a str = text,
        2 value: &'a [u8] = bytes,
    }
    Ack {
        1 ack_id: u64 = number,
        2 success: bool = flag,
        3 error: Option<Error<'a>> = message,
    }
    Error {
        1 name: &'a str = text,
        2 message: &'a str = text,
    }
    DownstreamData {
        1 from: &'a str = text,
        2 group: Option<&'a str> = optional_text,
        3 data: Option<MessageData<'a>> = data,
        4 sequence_id: Option<u64> = optional_number,
        5 metadata: Vec<Entry<'a>> = entry,
        6 stream: Option<StreamPlace<'a>> = message,
        15 delivery_count: Option<u64> = optional_number,
    }
    StreamPlace {
        1 stream_id: &'a str = text,
        2 stream_sequence_id: u64 = number,
        3 end_of_stream: bool = flag,
        4 error: Option<StreamFault<'a>> = message,
    }
    StreamFault {
        1 name: &'a str = text,
        2 message: Option<&'a str> = optional_text,
        3 user_error_code: Option<&'a str> = optional_text,
    }
    StreamAck {
        1 stream_id: &'a str = text,
        2 expected_sequence_id: u64 = number,
    }
    StreamNack {
        1 stream_id: &'a str = text,
        2 name: &'a str = text,
        3 message: &'a str = text,
        4 expected_sequence_id: u64 = number,
    }
    StreamClosed {
        1 stream_id: &'a str = text,
        2 error: Option<Error<'a>> = message,
    }
    Connected {
        1 connection_id: &'a str = text,
        2 user_id: &'a str = text,
        3 reconnection_token: Option<&'a str> = optional_text,
        15 run_id: Option<&'a str> = optional_text,
    }
    // The reason has number 2, not 1.
    Disconnected {
        2 reason: &'a str = text,
    }
    // Records of history responses, an addition to the schema.
    Record {
        1 head: Option<RecordHead<'a>> = message,
        2 message: Option<RecordMessage<'a>> = message,
        3 end: Option<RecordEnd<'a>> = message,
    }
    RecordHead {
        1 run_id: &'a str = text,
        2 next_number: u64 = number,
        3 next_line: u64 = number,
        4 oldest: Option<RecordOldest<'a>> = message,
    }
    RecordOldest {
        1 sequence_id: u64 = number,
        2 number: u64 = number,
        3 line: u64 = number,
    }
    RecordMessage {
        1 time: u64 = number,
        2 number: u64 = number,
        3 line: u64 = number,
        4 frame: &'a [u8] = bytes,
    }
    RecordEnd {
        1 sequence_id: u64 = number,
    }
}

/// Declares messages that are one of several others. Of two kinds, the later one counts.
macro_rules! one_of {
    ($($name:ident { $($number:literal $variant:ident($message:ident),)* })*) => {$(
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub(super) enum $name<'a> {
            #[default]
            Unknown,
            $($variant($message<'a>),)*
        }

        impl<'a> Message<'a> for $name<'a> {
            fn take(&mut self, number: u32, value: Value<'a>) -> Taken {
                match number {
                    $($number => {
                        if !matches!(self, Self::$variant(_)) {
                            *self = Self::$variant($message::default());
                        }
                        if let Self::$variant(message) = self {
                            message.merge(value.bytes()?)?;
                        }
                    })*
                    _ => {}
                }
                Ok(())
            }
        }
    )*};
}

one_of! {
    Upstream {
        1 SendToGroup(SendToGroup),
        5 Event(Event),
        6 JoinGroup(GroupRequest),
        7 LeaveGroup(GroupRequest),
        8 SequenceAck(SequenceAck),
        9 Ping(Empty),
        10 InvokeEvent(InvokeEvent),
        11 CancelInvocation(CancelInvocation),
        13 StreamData(StreamData),
        14 StreamEnd(StreamEnd),
        15 SetGroupState(SetGroupState),
        16 SubscribeGroupState(GroupRequest),
        17 UnsubscribeGroupState(GroupRequest),
    }
    Downstream {
        1 Ack(Ack),
        2 Data(DownstreamData),
        3 System(System),
        4 Pong(Empty),
        5 InvokeResponse(InvokeResponse),
        6 StreamAck(StreamAck),
        7 StreamNack(StreamNack),
        8 StreamClosed(StreamClosed),
    }
    System {
        1 Connected(Connected),
        2 Disconnected(Disconnected),
    }
}

/// Data of a message: of several kinds the later one counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum MessageData<'a> {
    #[default]
    Unknown,
    Text(&'a str),
    Binary(&'a [u8]),
    /// An encoded `google.protobuf.Any`: on the wire a message and bytes look alike, and it is passed on as it is.
    Protobuf(&'a [u8]),
    Json(&'a str),
}

impl<'a> Message<'a> for MessageData<'a> {
    fn take(&mut self, number: u32, value: Value<'a>) -> Taken {
        match number {
            1 => *self = Self::Text(value.text()?),
            2 => *self = Self::Binary(value.bytes()?),
            3 => *self = Self::Protobuf(value.bytes()?),
            4 => *self = Self::Json(value.text()?),
            _ => {}
        }
        Ok(())
    }
}
