//! Responses of the service, encoded.

use tokio_tungstenite::tungstenite::Message;
use webpubsub_protocol::{
    json,
    message::{Metadata, Request, Response},
    name::GroupName,
    payload::Payload,
    protobuf,
    subprotocol::Subprotocol,
};

/// Returns a message of a group.
pub fn message(group: &GroupName, text: String) -> Response<'_> {
    Response::GroupMessage {
        group: group.as_str().into(),
        from_user_id: None,
        payload: Payload::Text(text.into()),
        sequence: None,
        metadata: Metadata::new(),
        stream: None,
    }
}

/// Returns the first response of a connection.
pub fn connected() -> Response<'static> {
    Response::Connected {
        connection_id: "measured".to_owned(),
        user_id: None,
        reconnection_token: None,
        run_id: None,
    }
}

/// Returns the acknowledgement of a request.
pub fn ack(ack_id: u64) -> Response<'static> {
    Response::Ack { ack_id, outcome: Ok(()) }
}

/// Returns the response to a ping.
pub fn pong() -> Response<'static> {
    Response::Pong
}

/// Encodes a response.
pub fn encode(subprotocol: Subprotocol, response: &Response<'_>) -> Message {
    if is_binary(subprotocol) {
        Message::binary(protobuf::encode_response(response))
    } else {
        Message::text(json::encode_response(response))
    }
}

/// Decodes a request; `None` if it is malformed.
pub fn decode(subprotocol: Subprotocol, frame: &Message) -> Option<Request<'_>> {
    match frame {
        Message::Binary(bytes) if is_binary(subprotocol) => protobuf::decode_request(bytes).ok(),
        Message::Text(text) => json::decode_request(text).ok(),
        _ => None,
    }
}

fn is_binary(subprotocol: Subprotocol) -> bool {
    matches!(subprotocol, Subprotocol::Protobuf | Subprotocol::ReliableProtobuf)
}
