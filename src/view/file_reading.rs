//! Files that the reader opens: read in slices, so that the page lives on meanwhile.

use std::{cell::RefCell, rc::Rc};

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DataTransfer, Document, DragEvent, EventTarget, File, FileList, HtmlInputElement};

use super::{clock::local_time, listener::Listener};
use crate::model::{
    file_lines::{FileLines, SLICE_BYTES},
    grouped_number::counted,
    line_store::LineKind,
    live_log::LiveLog,
};

/// Reads files into a log. Of a file larger than the log can be, the end is read.
#[derive(Clone)]
pub struct FileReading {
    log: Rc<RefCell<LiveLog>>,
    most_bytes: f64,
    changed: Rc<dyn Fn()>,
}

impl FileReading {
    /// Reads into `log`, and tells that it changed.
    #[must_use]
    pub fn new(log: &Rc<RefCell<LiveLog>>, most_bytes: usize, changed: impl Fn() + 'static) -> Self {
        // A limit of memory, far below 2^53.
        #[allow(clippy::cast_precision_loss)]
        let most_bytes = most_bytes as f64;
        Self { log: Rc::clone(log), most_bytes, changed: Rc::new(changed) }
    }

    /// Reads what is dropped onto `around`, until the listeners are dropped.
    #[must_use]
    pub fn listen(&self, around: &EventTarget) -> [Listener; 2] {
        let reading = self.clone();
        let files = |event: &DragEvent| {
            let data: Option<DataTransfer> = event.data_transfer();
            data.filter(|data| data.types().includes(&JsValue::from_str("Files"), 0))
        };
        [
            Listener::active(around, "dragover", move |event: &DragEvent| {
                if files(event).is_some() {
                    // Or else the browser leaves the page for the file.
                    event.prevent_default();
                }
            }),
            Listener::active(around, "drop", move |event: &DragEvent| {
                if let Some(data) = files(event) {
                    event.prevent_default();
                    reading.read_all(data.files());
                }
            }),
        ]
    }

    /// Asks the reader for files, and reads them.
    ///
    /// # Errors
    /// What the browser says when it makes no field.
    pub fn ask(&self, document: &Document) -> Result<(), JsValue> {
        let field: HtmlInputElement = document.create_element("input")?.unchecked_into();
        field.set_type("file");
        field.set_multiple(true);
        let reading = self.clone();
        let chosen = field.clone();
        let react = wasm_bindgen::closure::Closure::once_into_js(move || reading.read_all(chosen.files()));
        field.set_onchange(Some(react.unchecked_ref()));
        field.click();
        Ok(())
    }

    /// Reads files one after the other.
    fn read_all(&self, files: Option<FileList>) {
        let Some(files) = files else { return };
        let reading = self.clone();
        spawn_local(async move {
            for at in 0..files.length() {
                let Some(file) = files.get(at) else { continue };
                let said = match reading.read(&file).await {
                    Ok(said) => said,
                    Err(error) => format!("cannot read {}: {error:?}", file.name()),
                };
                reading.log.borrow_mut().note(&said, local_time());
                (reading.changed)();
            }
        });
    }

    async fn read(&self, file: &File) -> Result<String, JsValue> {
        let (name, size) = (file.name(), file.size());
        let start = (size - self.most_bytes).max(0.0);
        let (mut lines, mut from) = (FileLines::default(), start);
        while from < size {
            let to = (from + SLICE_BYTES as f64).min(size);
            let slice = JsFuture::from(file.slice_with_f64_and_f64(from, to)?.array_buffer()).await?;
            let now = local_time().unix_ms;
            let log = &mut *self.log.borrow_mut();
            lines.feed(&Uint8Array::new(&slice).to_vec(), |line| {
                log.store.push_message(LineKind::File, line, now);
            });
            (self.changed)();
            from = to;
        }
        let (log, now) = (&mut *self.log.borrow_mut(), local_time().unix_ms);
        let count = lines.finish(|line| log.store.push_message(LineKind::File, line, now));
        let cut = if start > 0.0 { ", the end of the file: it is larger than this page keeps" } else { "" };
        Ok(format!("opened {name}, {}{cut}", counted(count, "line", "lines")))
    }
}
