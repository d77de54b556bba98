//! Commands, carried out.

use std::{ops::RangeInclusive, rc::Rc};

use leptos::prelude::*;

use super::{
    LogController,
    rendering::has_time,
    state::{ViewerStateStoreFields, update},
};
use crate::{
    browser::{
        clock::local_time,
        download::download_lines,
        preferences::{MAX_CONTEXT, Preferences},
    },
    model::{
        command::{Command, Dialog},
        destination::Destination,
        export::{ExportFormat, ExportScope},
        highlight::HighlightRules,
        live_log::LiveLog,
        navigation::Direction,
        search::{matcher::Query, work::Work},
        view_link::ViewLink,
    },
};

/// Counts of lines around matches that one key switches through, after none.
const CONTEXTS: [u64; 3] = [2, 5, 10];

impl LogController {
    /// Carries out a command.
    pub fn run(self: &Rc<Self>, command: Command) {
        match command {
            Command::FocusSearch => self.focus_search(),
            Command::SetPattern(pattern) => self.change_query(|query| query.pattern = pattern),
            Command::ToggleCase => {
                self.change_query(|query| query.is_case_sensitive = !query.is_case_sensitive);
            }
            Command::ToggleRegex => self.change_query(|query| query.is_regex = !query.is_regex),
            Command::StepMatch(direction) => {
                let has_time = has_time();
                self.change_log(|log| log.step_match(direction, &mut Work::while_true(&has_time)));
            }
            Command::SetFilterMode(mode) => self.filter(|log| log.set_filter_mode(mode)),
            Command::NextFilterMode => {
                let mode = self.state.filter().with_untracked(|filter| filter.mode.next());
                self.filter(|log| log.set_filter_mode(mode));
            }
            Command::ClearFilters => {
                self.filter(LiveLog::clear_filters);
                // The button that was pressed disappears.
                self.focus_log();
            }
            Command::ToggleLevel(level) => self.filter(|log| log.toggle_level(level)),
            Command::ToggleSource(source) => self.filter(|log| log.toggle_source(source)),
            Command::SetTimeRange(bars) => {
                self.filter(|log| log.set_time_range(bars, local_time().offset_minutes));
            }
            Command::PauseOrFollow => self.pause_or_follow(),
            Command::LoadEarlier => self.load_earlier(),
            Command::Follow => {
                self.follow();
                // The button that was pressed disappears.
                self.focus_log();
            }
            Command::Scroll(distance, direction) => self.scroll_requested(distance, direction),
            Command::Select(distance, direction) => {
                self.change_log(|log| log.extend_selection(distance, direction));
            }
            Command::SelectAll => self.change_log(LiveLog::select_all),
            Command::Copy => self.copy(false),
            Command::CopyWithColours => self.copy(true),
            Command::ToggleBookmark => self.change_log(LiveLog::toggle_bookmark),
            Command::StepBookmark(direction) => self.step_bookmark(direction),
            Command::CopyLink => {
                let lines = self.log.borrow_mut().link_selection();
                self.copy_link(lines);
            }
            Command::CopyText(text) => {
                self.copy_text(&text, "Copied");
            }
            Command::LinkLine { id, extends } => {
                let lines = self.log.borrow_mut().link_line(id, extends);
                if let Some(fragment) = self.show_link(lines) {
                    self.show_toast(format!("The page's address now ends with {fragment}"));
                }
            }
            Command::GoTo(destination) => self.go_to(&destination),
            Command::SetGutter(gutter) => self.prefer(|preferences| preferences.gutter = gutter),
            Command::NextGutter => self.prefer(|preferences| preferences.gutter = preferences.gutter.next()),
            Command::ToggleWrap => {
                self.prefer(|preferences| preferences.is_wrapping = !preferences.is_wrapping)
            }
            Command::SetTheme(theme) => self.prefer(|preferences| preferences.theme = theme),
            Command::NextTheme => self.next_theme(),
            Command::ToggleAnnouncements => self.toggle_announcements(),
            Command::SetHighlights(rules) => self.prefer(|preferences| preferences.highlights = rules),
            Command::SetColumns(fields) => self.prefer(|preferences| preferences.columns = fields),
            Command::ToggleOpenCurrent => self.change_log(LiveLog::toggle_open_current),
            Command::ToggleOpen(id) => self.change_log(|log| log.toggle_open(id)),
            Command::ToggleFoldCurrent => self.filter(LiveLog::toggle_fold_current),
            Command::ToggleFold(id) => self.filter(|log| log.toggle_fold(id)),
            Command::ToggleAllFolds => self.filter(LiveLog::toggle_all_folds),
            Command::StepError(direction) => self.step_error(direction),
            Command::NextContext => self.next_context(),
            Command::ToggleWholeCurrent => self.change_log(LiveLog::toggle_whole_current),
            Command::ToggleWhole(id) => self.change_log(|log| log.toggle_whole(id)),
            Command::Download(scope, format) => self.download(scope, format),
            Command::OpenFiles => self.open_files(),
            Command::Clear => self.clear(),
            Command::UndoClear => self.undo_clear(),
            Command::Reconnect => self.connect(),
            Command::Publish { source } => self.publish_draft(source),
            Command::RecallDraft(direction) => self.recall_draft(direction),
            Command::ToggleDialog(dialog) => self.toggle_dialog(dialog),
            Command::Dismiss => {
                self.change_log(|log| log.viewport_mut().stop_seeking());
                self.clear_selection();
            }
        }
        self.request_render();
    }

    fn change_log(&self, change: impl FnOnce(&mut LiveLog)) {
        change(&mut self.log.borrow_mut());
    }

    /// Changes search or filter, and searches the first slice at once: a step to the next match may follow before the next frame.
    pub(super) fn filter(&self, change: impl FnOnce(&mut LiveLog)) {
        let log = &mut *self.log.borrow_mut();
        change(log);
        log.advance_search();
        self.request_render();
        if let Some(scheduler) = self.scheduler.get() {
            scheduler.request_search();
        }
    }

    pub(super) fn change_query(&self, change: impl FnOnce(&mut Query)) {
        let mut query = self.state.query().get_untracked();
        change(&mut query);
        update(self.state.query(), query.clone());
        self.filter(|log| log.set_query(query));
    }

    fn focus_search(&self) {
        if let Some(field) = self.elements.search_field.try_get_untracked().flatten() {
            if let Err(error) = field.focus() {
                leptos::logging::error!("the search field cannot be focused: {error:?}");
            }
            field.select();
        }
    }

    /// Holds the view, or follows the newest line.
    fn pause_or_follow(&self) {
        let is_following = self.log.borrow().viewport().is_following();
        if is_following { self.pause() } else { self.follow() }
    }

    /// Holds the view.
    pub fn pause(&self) {
        self.change_log(|log| log.viewport_mut().pause());
        self.request_render();
    }

    /// Follows the newest line.
    pub fn follow(&self) {
        self.change_log(LiveLog::follow);
        self.request_render();
    }

    fn step_bookmark(&self, direction: Direction) {
        let has_bookmark = self.log.borrow_mut().step_bookmark(direction);
        if !has_bookmark {
            self.show_toast("No bookmarks: press m to add one at the current line".to_owned());
        }
    }

    fn step_error(&self, direction: Direction) {
        let has_error = self.log.borrow_mut().step_error(direction);
        if !has_error {
            self.show_toast("No visible line is an error".to_owned());
        }
    }

    fn next_context(&self) {
        self.prefer(|preferences| {
            let next = CONTEXTS.into_iter().find(|lines| *lines > preferences.context);
            preferences.context = next.unwrap_or_default();
        });
        let lines = self.state.preferences().with_untracked(|preferences| preferences.context);
        self.show_toast(format!("Lines around matches: {lines}"));
    }

    /// Goes to a line or a time, and closes the dialog that asked for it; shows what is wrong otherwise.
    fn go_to(&self, destination: &str) {
        match Destination::read(destination, local_time()) {
            Ok(destination) => {
                let obstacle = self.log.borrow_mut().go_to(destination);
                update(self.state.go_to_error(), String::new());
                update(self.state.dialog(), None);
                self.focus_log();
                if let Some(obstacle) = obstacle {
                    self.show_toast(obstacle);
                }
            }
            Err(error) => update(self.state.go_to_error(), error.to_string()),
        }
    }

    /// Shows the view that the address of a standalone page names, when the address changes.
    pub fn go_to_fragment(&self) {
        if let Some(link) = self.view_in_address() {
            self.show_view(&link);
            if let Some(obstacle) = link.numbers.and_then(|lines| self.go_to_lines(lines)) {
                self.show_toast(obstacle);
            }
        }
    }

    /// Shows the view that the address names when the page opens, and what the settings say otherwise. Its lines are not there yet.
    pub(super) fn show_first_view(&self) {
        if let Some(link) = self.view_in_address() {
            let link = link.or(&self.view_link());
            self.show_view(&link);
            drop(link.numbers.and_then(|lines| self.go_to_lines(lines)));
        }
    }

    fn go_to_lines(&self, lines: RangeInclusive<u64>) -> Option<String> {
        self.log.borrow_mut().go_to(Destination::Lines(lines))
    }

    fn view_in_address(&self) -> Option<ViewLink> {
        if self.host.is_embedded() {
            return None;
        }
        let fragment = self.host.window().location().hash().ok()?;
        self.address.borrow_mut().clone_from(&fragment);
        Some(ViewLink::parse(&fragment))
    }

    fn show_view(&self, link: &ViewLink) {
        let mut preferences = self.state.preferences().get_untracked();
        if !link.columns.is_empty() {
            preferences.columns.clone_from(&link.columns);
        }
        if link.context > 0 {
            preferences.context = link.context.min(MAX_CONTEXT);
        }
        self.apply_preferences(preferences);
        update(self.state.query(), link.query.clone());
        self.filter(|log| log.show_view(link));
        self.request_render();
    }

    /// Returns the view as it is now.
    fn view_link(&self) -> ViewLink {
        let (query, columns) = (
            // The viewer may have been removed while a render was waiting.
            self.state.query().try_get_untracked().unwrap_or_default(),
            self.state
                .preferences()
                .try_with_untracked(|preferences| preferences.columns.clone())
                .unwrap_or_default(),
        );
        self.log.borrow().view_link(query, columns)
    }

    /// Whether the view differs from the one in the address of a standalone page.
    pub(super) fn is_address_stale(&self) -> bool {
        !self.host.is_embedded() && *self.address.borrow() != self.view_link().format()
    }

    /// Writes the view into the address of a standalone page, where it differs.
    pub(super) fn write_address(&self) {
        let fragment = self.view_link().format();
        if *self.address.borrow() != fragment && self.host.set_fragment(&fragment) {
            *self.address.borrow_mut() = fragment;
        }
    }

    /// Puts lines into the page's address. Returns what the address now ends with; `None` where the address is not the viewer's.
    fn show_link(&self, lines: Option<RangeInclusive<u64>>) -> Option<String> {
        lines?;
        let fragment = ViewLink { top: None, ..self.view_link() }.format();
        let is_shown = self.host.set_fragment(&fragment);
        self.address.borrow_mut().clone_from(&fragment);
        is_shown.then_some(fragment)
    }

    /// Puts lines into the page's address, and copies the address.
    fn copy_link(&self, lines: Option<RangeInclusive<u64>>) {
        let Some(fragment) = self.show_link(lines) else { return };
        match self.host.window().location().href() {
            Ok(address) if self.copy_text(&address, "Link copied") => {}
            _ => self.show_toast(format!("The page's address now ends with {fragment}")),
        }
    }

    fn next_theme(&self) {
        self.prefer(|preferences| preferences.theme = preferences.theme.next());
        let theme = self.state.preferences().with_untracked(|preferences| preferences.theme);
        self.show_toast(format!("Theme: {}", theme.as_str()));
    }

    fn toggle_announcements(&self) {
        self.prefer(|preferences| preferences.is_announcing = !preferences.is_announcing);
        let is_announcing = self.state.preferences().with_untracked(|preferences| preferences.is_announcing);
        let message =
            if is_announcing { "New lines are announced" } else { "New lines are no longer announced" };
        self.show_toast(message.to_owned());
    }

    /// Changes a preference, applies and stores it.
    fn prefer(&self, change: impl FnOnce(&mut Preferences)) {
        let mut preferences = self.state.preferences().get_untracked();
        change(&mut preferences);
        preferences.store(&self.settings);
        self.apply_preferences(preferences);
    }

    pub(super) fn apply_preferences(&self, preferences: Preferences) {
        if let Err(error) = self.host.set_theme(preferences.theme.as_str()) {
            leptos::logging::error!("the theme cannot be applied: {error:?}");
        }
        let old = self.state.preferences().get_untracked();
        self.change_log(|log| {
            log.set_gutter(preferences.gutter);
            log.set_announcing(preferences.is_announcing);
            log.set_columns(&preferences.columns);
            log.set_context(preferences.context);
        });
        if preferences.highlights != old.highlights {
            let (rules, error) = HighlightRules::parse(&preferences.highlights);
            self.change_log(|log| log.set_highlights(rules));
            let message = error.map(|error| error.to_string());
            update(self.state.highlights_error(), message.unwrap_or_default());
        }
        if preferences.is_wrapping != old.is_wrapping {
            // The list wraps when Leptos has written the document: at the latest in the next frame.
            self.is_measure_due.set(true);
        }
        update(self.state.preferences(), preferences);
        self.request_render();
    }

    fn toggle_dialog(&self, dialog: Dialog) {
        if dialog == Dialog::Groups && self.host.is_embedded() {
            return;
        }
        let open = self.state.dialog().get_untracked();
        update(self.state.go_to_error(), String::new());
        update(self.state.dialog(), (open != Some(dialog)).then_some(dialog));
    }

    /// Downloads lines as a file.
    pub fn download(&self, scope: ExportScope, format: ExportFormat) {
        if scope == ExportScope::Visible && self.log.borrow().is_filtered() {
            // All lines that the filter lets through, not those found so far.
            while self.log.borrow_mut().advance_search() {}
        }
        if let Err(error) = download_lines(self.host.document(), &self.log.borrow(), (scope, format)) {
            leptos::logging::error!("the lines cannot be downloaded: {error:?}");
            self.show_toast("The browser refused to download the lines".to_owned());
        }
    }
}
