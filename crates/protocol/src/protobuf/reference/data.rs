//! The data of a message, by way of `prost`.

use std::borrow::Cow;

use prost::Message;
use serde_json::value::RawValue;

use super::{
    super::MalformedMessage,
    NOT_OF_THE_SCHEMA,
    schema::{Any, Data, MessageData},
};
use crate::payload::Payload;

/// Reads data; `None` when there is none, or of a kind that is not known.
pub(super) fn read(data: Option<MessageData>) -> Result<Option<Payload<'static>>, MalformedMessage> {
    let Some(data) = data.and_then(|message| message.data) else { return Ok(None) };
    Ok(Some(match data {
        Data::Text(text) => Payload::Text(text.into()),
        Data::Binary(bytes) => Payload::Binary(bytes.into()),
        Data::Protobuf(bytes) => {
            Any::decode(&*bytes).map_err(|_| NOT_OF_THE_SCHEMA)?;
            Payload::Protobuf(bytes.into())
        }
        Data::Json(text) => {
            let json: &RawValue = serde_json::from_str(&text).map_err(|_| MalformedMessage::Data)?;
            Payload::Json(Cow::Owned(json.get().to_owned()))
        }
    }))
}

/// Writes data.
pub(super) fn write(payload: &Payload<'_>) -> MessageData {
    let data = match payload {
        Payload::Text(text) => Data::Text(text.to_string()),
        Payload::Json(json) => Data::Json(json.to_string()),
        Payload::Binary(bytes) => Data::Binary(bytes.to_vec()),
        Payload::Protobuf(bytes) => Data::Protobuf(bytes.to_vec()),
    };
    MessageData { data: Some(data) }
}
