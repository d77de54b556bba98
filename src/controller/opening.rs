//! Files that the user opens or drops.

use std::rc::Rc;

use leptos::task::spawn_local;
use wasm_bindgen::JsValue;
use web_sys::{DragEvent, File, FileList};

use super::{LogController, WeakController};
use crate::{
    browser::{
        clock::local_time,
        file_reader::{FileSlices, ask_for_files, dragged_files},
    },
    model::{file_lines::FileLines, grouped_number::counted, live_log::LiveLog},
};

impl LogController {
    pub(super) fn open_files(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        let asked = ask_for_files(self.host.document(), move |files| {
            if let Some(controller) = weak.upgrade() {
                controller.read_files(files);
            }
        });
        if let Err(error) = asked {
            leptos::logging::error!("the browser cannot ask for files: {error:?}");
        }
    }

    /// Accepts files that are dragged over the viewer: the browser would leave the page for them otherwise.
    pub fn dragged_over(event: &DragEvent) {
        if dragged_files(event).is_some() {
            event.prevent_default();
        }
    }

    /// Reads files that are dropped on the viewer.
    pub fn dropped(self: &Rc<Self>, event: &DragEvent) {
        if let Some(data) = dragged_files(event) {
            event.prevent_default();
            if let Some(files) = data.files() {
                self.read_files(files);
            }
        }
    }

    /// Reads files one after the other. Ends when the viewer is removed.
    fn read_files(self: &Rc<Self>, files: FileList) {
        let weak = Rc::downgrade(self);
        spawn_local(async move {
            for at in 0..files.length() {
                let Some(file) = files.get(at) else { continue };
                let notice = match read_file(&weak, &file).await {
                    Ok(notice) => notice,
                    Err(error) => Some(format!("cannot read {}: {error:?}", file.name())),
                };
                let (Some(notice), Some(controller)) = (notice, weak.upgrade()) else { return };
                controller.log.borrow_mut().add_notice(&notice, local_time());
                controller.request_render();
            }
        });
    }

    fn add_file_lines<T>(&self, add: impl FnOnce(&mut LiveLog, f64) -> T) -> T {
        let added = add(&mut self.log.borrow_mut(), local_time().unix_ms);
        self.request_render();
        added
    }
}

/// Reads a file into the log; of one larger than the log can hold, its end. Returns a notice for the user, or `None` when the viewer
/// was removed meanwhile.
async fn read_file(weak: &WeakController, file: &File) -> Result<Option<String>, JsValue> {
    let Some(max_bytes) = weak.upgrade().map(|controller| controller.limits.bytes) else { return Ok(None) };
    let (mut slices, mut lines) = (FileSlices::new(file, max_bytes), FileLines::default());
    while let Some(bytes) = slices.next().await? {
        let Some(controller) = weak.upgrade() else { return Ok(None) };
        controller.add_file_lines(|log, unix_ms| {
            lines.feed(&bytes, |line| log.append_file_line(line, unix_ms));
        });
    }
    let Some(controller) = weak.upgrade() else { return Ok(None) };
    let count =
        controller.add_file_lines(|log, unix_ms| lines.finish(|line| log.append_file_line(line, unix_ms)));
    let cut = if slices.is_cut() { ", the end of the file: it is larger than this page keeps" } else { "" };
    Ok(Some(format!("opened {}, {}{cut}", file.name(), counted(count, "line", "lines"))))
}
