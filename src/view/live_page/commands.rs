//! What the reader has done with the lines.

use std::ops::RangeInclusive;

use wasm_bindgen::JsValue;
use web_sys::Window;

use super::{LivePage, report, tell_brush};
use crate::{
    model::{
        command::{Command, Way},
        destination::{Destination, lines_fragment},
        highlight::HighlightRules,
        live_log::{ExportFormat, ExportScope, Times},
    },
    view::{
        clock::local_time, download::save_lines, find_bar::FindChange, screen::Screen,
        surroundings::Surroundings,
    },
};

impl LivePage {
    /// Shows these fields of JSON lines as columns.
    pub fn set_columns(&self, names: &str) {
        self.log.borrow_mut().set_columns(names);
        self.gate.ask();
    }

    /// Wraps long lines, or does not.
    pub fn set_wrapping(&self, is_wrapping: bool) {
        self.is_wrapping.set(is_wrapping);
        if let Some(stage) = self.stage.borrow().as_ref() {
            report(stage.view.set_wrapping(is_wrapping, &mut self.log.borrow_mut()));
        }
        self.gate.ask();
    }

    /// Rows tell when their line came, or its number.
    pub fn set_times(&self, times: Times) {
        self.log.borrow_mut().set_times(times);
        self.gate.ask();
    }

    /// New lines are spoken, or not.
    pub fn set_speaking(&self, is_speaking: bool) {
        self.log.borrow_mut().set_speaking(is_speaking);
        self.gate.ask();
    }

    /// Marks other things in all lines. Says what is wrong with the rules.
    pub fn set_highlights(&self, words: &str) -> Option<String> {
        let (rules, wrong) = HighlightRules::read(words);
        self.log.borrow_mut().set_rules(rules);
        self.gate.ask();
        wrong
    }

    /// Changes what is looked for, or what is shown.
    pub fn find(&self, change: FindChange) {
        let mut log = self.log.borrow_mut();
        log.find(|finding| change.apply(finding));
        // At once, for whoever goes to a hit before the next frame.
        log.look_on();
        self.gate.ask_with_work();
    }

    /// Goes where the reader wants to. Says why not, if that is no place.
    pub fn go_to(&self, words: &str) -> Option<String> {
        match Destination::read(words, local_time()) {
            Ok(destination) => {
                let said = self.log.borrow_mut().go_to_destination(destination);
                self.gate.ask();
                self.focus();
                said.into_iter().for_each(|words| self.screen.say(words));
                None
            }
            Err(error) => Some(error.to_string()),
        }
    }

    /// Carries out what concerns the lines.
    pub fn carry_out(&self, command: Command) {
        match command {
            Command::StepHit(way) => self.log.borrow_mut().step(way == Way::Forward),
            Command::PauseOrFollow => self.pause_or_follow(),
            Command::Scroll(stride, way) => {
                if let Some(stage) = self.stage.borrow().as_ref() {
                    stage.input.wish(stride, way);
                }
            }
            Command::Select(stride, way) => self.log.borrow_mut().extend_selection(stride, way),
            Command::SelectAll => self.log.borrow_mut().select_all(),
            Command::Copy => self.copy(false),
            Command::CopyColoured => self.copy(true),
            Command::ToggleBookmark => self.log.borrow_mut().toggle_bookmark(),
            Command::StepBookmark(way) => {
                let has_one = self.log.borrow_mut().step_bookmark(way == Way::Forward);
                if !has_one {
                    self.screen.say("no line is bookmarked: m marks one".to_owned());
                }
            }
            Command::ToggleOpen => {
                let log = &mut *self.log.borrow_mut();
                log.line_to_open().into_iter().for_each(|id| log.toggle_open(id));
            }
            Command::LinkLines => {
                let linked = self.log.borrow_mut().link_selected();
                show_link(&self.surroundings, &self.window, linked, self.screen);
            }
            Command::Save => self.save(ExportScope::Shown, ExportFormat::Text),
            Command::OpenFile => {
                if let Err(error) = self.files.ask(&self.document) {
                    leptos::logging::error!("no file can be asked for: {error:?}");
                }
            }
            Command::Retry => self.connect(),
            Command::Escape => {
                if let Some(stage) = self.stage.borrow().as_ref() {
                    stage.selection.clear(&mut self.log.borrow_mut());
                }
            }
            _ => {}
        }
        self.gate.ask();
    }

    fn copy(&self, has_colours: bool) {
        if !self.log.borrow().has_selected_text() {
            return self.screen.say("nothing is selected".to_owned());
        }
        let stage = self.stage.borrow();
        let Some(stage) = stage.as_ref() else { return };
        if let Some(native) = self.surroundings.selection()
            && native.is_collapsed()
        {
            // Browsers copy nothing when nothing seems selected, but what is selected may be out of view.
            native.select_all_children(stage.view.scroller()).unwrap_or_default();
        }
        self.clipboard.copy(has_colours);
        stage.selection.show(&stage.view, &self.log.borrow());
    }

    /// Gives the list the focus.
    pub fn focus(&self) {
        if let Some(stage) = self.stage.borrow().as_ref() {
            // Fails only for elements that take no focus.
            stage.view.scroller().focus().unwrap_or_default();
        }
    }

    /// The list has another place in its document: it is scrolled to where it was.
    pub fn moved(&self) {
        if let Some(stage) = self.stage.borrow().as_ref() {
            self.log.borrow_mut().viewport.placed(f64::from(stage.view.scroller().scroll_top()));
        }
        self.gate.ask();
    }

    /// Holds the view where it is, or follows the end again.
    pub fn pause_or_follow(&self) {
        let is_following = self.log.borrow().viewport.is_following();
        if is_following { self.pause() } else { self.follow() }
    }

    /// Holds the view where it is.
    pub fn pause(&self) {
        self.log.borrow_mut().viewport.pause();
        self.gate.ask();
    }

    /// Goes to the end and stays there, as nobody asked for with the pointer.
    pub fn resume(&self) {
        self.log.borrow_mut().viewport.follow();
        self.gate.ask();
    }

    /// Goes to the end and stays there.
    pub fn follow(&self) {
        self.log.borrow_mut().viewport.follow();
        // The button that was pressed is about to go.
        self.focus();
        self.gate.ask();
    }

    /// Shows only lines of these bars of the timeline, or all. What was being chosen is chosen, or chosen no more.
    pub fn set_range(&self, bars: Option<(usize, usize)>) {
        let sorted = bars.map(|(start, end)| (start.min(end), start.max(end)));
        self.log.borrow_mut().set_range(sorted, local_time().offset_minutes);
        self.set_brush(bars);
        self.gate.ask();
    }

    /// These bars of the timeline are being chosen.
    pub fn set_brush(&self, bars: Option<(usize, usize)>) {
        self.screen.change(|shown| shown.brush = bars);
        tell_brush(&self.log.borrow(), self.screen);
    }

    /// Puts text into the log, as if it had come in a message.
    pub fn append(&self, text: &str) {
        self.log.borrow_mut().append(text, local_time());
        self.gate.ask();
    }

    /// Takes all lines away.
    pub fn clear(&self) {
        self.log.borrow_mut().clear();
        self.gate.ask();
    }

    /// Gives lines to the browser, to be kept as a file.
    pub fn save(&self, scope: ExportScope, format: ExportFormat) {
        if scope == ExportScope::Shown && self.log.borrow().finding().shown().is_some() {
            // All that is shown in the end, not what was found so far.
            while self.log.borrow_mut().look_on() {}
        }
        if let Err(error) = save_lines(&self.document, &self.log.borrow(), (scope, format)) {
            leptos::logging::error!("the lines cannot be saved: {error:?}");
        }
    }
}

/// Puts lines into the page's address.
pub(super) fn show_link(
    surroundings: &Surroundings,
    window: &Window,
    lines: Option<RangeInclusive<u64>>,
    screen: Screen,
) {
    // Whose page it is not, whose address it is not.
    let Some(lines) = lines.filter(|_| surroundings.is_page()) else { return };
    let fragment = lines_fragment(&lines);
    if let Ok(history) = window.history() {
        // Browsers refuse when it is written hundreds of times a second.
        history.replace_state_with_url(&JsValue::NULL, "", Some(&fragment)).unwrap_or_default();
    }
    screen.say(format!("this page's address now ends with {fragment}"));
}
