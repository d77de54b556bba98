//! Files that the user opens or drops, read in slices so that the page stays responsive.

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DataTransfer, Document, DragEvent, File, FileList, HtmlInputElement};

use crate::model::file_lines::SLICE_BYTES;

/// Returns the files that a drag carries; `None` for a drag of anything else.
#[must_use]
pub fn dragged_files(event: &DragEvent) -> Option<DataTransfer> {
    let data = event.data_transfer()?;
    data.types().includes(&JsValue::from_str("Files"), 0).then_some(data)
}

/// Asks the user for files, and calls `on_chosen` with them.
///
/// # Errors
/// The browser's error when it cannot make the field.
pub fn ask_for_files(document: &Document, on_chosen: impl FnOnce(FileList) + 'static) -> Result<(), JsValue> {
    let field: HtmlInputElement = document.create_element("input")?.unchecked_into();
    field.set_type("file");
    field.set_multiple(true);
    let chosen = field.clone();
    let on_change = Closure::once_into_js(move || {
        if let Some(files) = chosen.files() {
            on_chosen(files);
        }
    });
    field.set_onchange(Some(on_change.unchecked_ref()));
    field.click();
    Ok(())
}

/// The bytes of a file, a slice at a time.
pub struct FileSlices<'f> {
    file: &'f File,
    from: f64,
    size: f64,
    is_cut: bool,
}

impl<'f> FileSlices<'f> {
    /// Returns the slices of a file; of one larger than `max_bytes`, those of its end.
    #[must_use]
    pub fn new(file: &'f File, max_bytes: usize) -> Self {
        let size = file.size();
        // A memory limit, far below 2^53.
        #[allow(clippy::cast_precision_loss)]
        let from = (size - max_bytes as f64).max(0.0);
        Self { file, from, size, is_cut: from > 0.0 }
    }

    /// Whether the beginning of the file is left out.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Reads the next slice; `None` at the end.
    ///
    /// # Errors
    /// The browser's error when it cannot read the file.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, JsValue> {
        if self.from >= self.size {
            return Ok(None);
        }
        let to = (self.from + SLICE_BYTES as f64).min(self.size);
        let slice = self.file.slice_with_f64_and_f64(self.from, to)?;
        let bytes = JsFuture::from(slice.array_buffer()).await?;
        self.from = to;
        Ok(Some(Uint8Array::new(&bytes).to_vec()))
    }
}
