//! Lines as a file: given to the browser in pieces, so that no second copy of the whole is made here.

use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, Document, HtmlAnchorElement, Url};

use crate::model::live_log::{ExportFormat, ExportScope, LiveLog};

/// Bytes of text that are handed over at a time.
const PIECE_BYTES: usize = 1 << 20;
/// Has the browser keep lines.
///
/// # Errors
/// What the browser says when it makes no file.
pub fn save_lines(
    document: &Document,
    log: &LiveLog,
    (scope, format): (ExportScope, ExportFormat),
) -> Result<(), JsValue> {
    let pieces = Array::new();
    let mut position = 0;
    while let Some((text, next)) = log.export_from((scope, format), position, PIECE_BYTES) {
        // A blob of its own keeps the bytes outside this page's memory.
        let piece = Array::of1(&JsValue::from_str(&text));
        pieces.push(Blob::new_with_str_sequence(&piece)?.as_ref());
        position = next;
    }
    let kind = BlobPropertyBag::new();
    kind.set_type("text/plain;charset=utf-8");
    let file = Blob::new_with_blob_sequence_and_options(&pieces, &kind)?;
    let url = Url::create_object_url_with_blob(&file)?;
    let link: HtmlAnchorElement = document.create_element("a")?.unchecked_into();
    link.set_href(&url);
    link.set_download(&format!("tailcast.{}", format.extension()));
    link.click();
    // The browser has taken the file by now.
    Url::revoke_object_url(&url)
}
