//! What a message carries, as JavaScript has it.

use js_sys::{ArrayBuffer, JSON, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use webpubsub_protocol::payload::Payload;

/// Reads `content` as `data_type` says; the error is in words.
pub fn read(content: &JsValue, data_type: &str) -> Result<Payload<'static>, String> {
    match data_type {
        "text" => {
            let text = content.as_string().ok_or("text content must be a string")?;
            Ok(Payload::Text(text.into()))
        }
        "json" => {
            let json = JSON::stringify(content).ok().and_then(|json| json.as_string());
            Ok(Payload::Json(json.ok_or("the content cannot be written as JSON")?.into()))
        }
        "binary" => Ok(Payload::Binary(bytes(content)?.into())),
        "protobuf" => Ok(Payload::Protobuf(bytes(content)?.into())),
        other => Err(format!("`{other}` is no data type; one of text, json, binary, protobuf is")),
    }
}

fn bytes(content: &JsValue) -> Result<Vec<u8>, String> {
    if content.is_instance_of::<ArrayBuffer>() || content.is_instance_of::<Uint8Array>() {
        Ok(Uint8Array::new(content).to_vec())
    } else {
        Err("binary content must be an ArrayBuffer or a Uint8Array".to_owned())
    }
}
