//! What a message carries, as JavaScript has it.

use js_sys::{JSON, Uint8Array};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use webpubsub_protocol::payload::Payload;

#[wasm_bindgen(module = "/src/browser.js")]
extern "C" {
    #[wasm_bindgen(js_name = read)]
    fn read_json(json: &str) -> JsValue;
    #[wasm_bindgen(js_name = dataTypeOf)]
    fn data_type_of(name: &JsValue) -> i32;
    #[wasm_bindgen(js_name = bytesOf)]
    fn bytes_of(content: &JsValue) -> Option<Uint8Array>;
}

/// The data type of a payload, and its content as JavaScript has it.
pub fn written(payload: &Payload<'_>) -> (&'static str, JsValue) {
    match payload {
        Payload::Text(text) => ("text", JsValue::from_str(text)),
        Payload::Json(json) => ("json", read_json(json)),
        Payload::Binary(bytes) => ("binary", Uint8Array::from(&**bytes).buffer().into()),
        Payload::Protobuf(bytes) => ("protobuf", Uint8Array::from(&**bytes).buffer().into()),
    }
}

/// Reads `content` as `data_type` says; the error is in words.
pub fn read(content: &JsValue, data_type: &JsValue) -> Result<Payload<'static>, String> {
    // In the order of `DATA_TYPES` in browser.js: so no name crosses over for each message.
    match data_type_of(data_type) {
        0 => {
            let text = content.as_string().ok_or("text content must be a string")?;
            Ok(Payload::Text(text.into()))
        }
        1 => {
            let json = JSON::stringify(content).ok().and_then(|json| json.as_string());
            Ok(Payload::Json(json.ok_or("the content cannot be written as JSON")?.into()))
        }
        2 => Ok(Payload::Binary(bytes(content)?.into())),
        3 => Ok(Payload::Protobuf(bytes(content)?.into())),
        _ => {
            let given = data_type.as_string().map_or_else(|| "this".to_owned(), |name| format!("`{name}`"));
            Err(format!("{given} is no data type; \"text\", \"json\", \"binary\" and \"protobuf\" are"))
        }
    }
}

fn bytes(content: &JsValue) -> Result<Vec<u8>, String> {
    match bytes_of(content) {
        Some(bytes) => Ok(bytes.to_vec()),
        None => Err("binary content must be an ArrayBuffer or a view of one, as a Uint8Array is".to_owned()),
    }
}
