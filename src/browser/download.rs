//! Lines as a file, passed to the browser in parts: no second copy of all lines is made in WebAssembly memory.

use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, Document, HtmlAnchorElement, Url};

use crate::model::{
    export::{ExportFormat, ExportScope},
    live_log::LiveLog,
};

/// Bytes of text in one part.
const PART_BYTES: usize = 1 << 20;

/// Downloads lines.
///
/// # Errors
/// The browser's error when it cannot make the file.
pub fn download_lines(
    document: &Document,
    log: &LiveLog,
    (scope, format): (ExportScope, ExportFormat),
) -> Result<(), JsValue> {
    let parts = Array::new();
    let mut position = 0;
    while let Some((text, next)) = log.export_from((scope, format), position, PART_BYTES) {
        // A blob of its own keeps the bytes outside of WebAssembly memory.
        let part = Array::of1(&JsValue::from_str(&text));
        parts.push(Blob::new_with_str_sequence(&part)?.as_ref());
        position = next;
    }
    let options = BlobPropertyBag::new();
    options.set_type("text/plain;charset=utf-8");
    let file = Blob::new_with_blob_sequence_and_options(&parts, &options)?;
    let url = Url::create_object_url_with_blob(&file)?;
    let link: HtmlAnchorElement = document.create_element("a")?.unchecked_into();
    link.set_href(&url);
    link.set_download(&format!("tailcast.{}", format.extension()));
    link.click();
    // The browser holds the file by now.
    Url::revoke_object_url(&url)
}
