//! Commands of the user, and the keys that give them. One table serves the key handler, the menu and the list of shortcuts.

use super::{
    export::{ExportFormat, ExportScope},
    gutter::GutterContent,
    level::Level,
    navigation::{Direction, Distance},
    search::FilterMode,
    theme::Theme,
};

/// Something that the user can ask the viewer to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Focus the search field.
    FocusSearch,
    /// Search for a pattern; an empty one ends the search.
    SetPattern(String),
    /// Match case, or ignore it.
    ToggleCase,
    /// Treat the pattern as a regular expression, or as plain text.
    ToggleRegex,
    /// Go to the next or the previous line with a match.
    StepMatch(Direction),
    /// Show all lines, only matching lines, or only the others.
    SetFilterMode(FilterMode),
    /// Switch to the next filter mode.
    NextFilterMode,
    /// Show all lines again: of all levels, sources and times, matching or not.
    ClearFilters,
    /// Show lines of a level, or hide them.
    ToggleLevel(Level),
    /// Show lines of a source, or hide them.
    ToggleSource(u16),
    /// Show only lines of some bars of the timeline, both included; `None` shows lines of all times.
    SetTimeRange(Option<(usize, usize)>),
    /// Hold the view, or follow the newest line.
    PauseOrFollow,
    /// Follow the newest line.
    Follow,
    /// Load lines before the first one.
    LoadEarlier,
    /// Scroll.
    Scroll(Distance, Direction),
    /// Move the end of the selection.
    Select(Distance, Direction),
    /// Select all visible lines.
    SelectAll,
    /// Copy the selection.
    Copy,
    /// Copy the selection with the escape sequences of its colours.
    CopyWithColours,
    /// Add or remove a bookmark at the current line.
    ToggleBookmark,
    /// Go to the next or the previous bookmark.
    StepBookmark(Direction),
    /// Copy a link to the current line, or the selected ones.
    CopyLink,
    /// Copy a text of the viewer, such as a shell command.
    CopyText(String),
    /// Put one line into the page's address.
    LinkLine {
        /// Id of the line.
        id: u64,
        /// Whether the link extends from the line linked before to this one.
        extends: bool,
    },
    /// Go to a line or a time, as typed.
    GoTo(String),
    /// Show line numbers, timestamps, or the time since the previous line.
    SetGutter(GutterContent),
    /// Switch to the next content of the gutter.
    NextGutter,
    /// Wrap long lines, or not.
    ToggleWrap,
    /// Use the system's theme, the light or the dark one.
    SetTheme(Theme),
    /// Switch to the next theme.
    NextTheme,
    /// Announce new lines to a screen reader, or not.
    ToggleAnnouncements,
    /// Highlight by these rules, one a line.
    SetHighlights(String),
    /// Show these fields of JSON lines as columns, separated by commas.
    SetColumns(String),
    /// Expand or collapse the current JSON line.
    ToggleOpenCurrent,
    /// Expand or collapse the JSON line with this id.
    ToggleOpen(u64),
    /// Fold the current record, or unfold it.
    ToggleFoldCurrent,
    /// Fold the record that begins with the line with this id, or unfold it.
    ToggleFold(u64),
    /// Fold all records, or unfold them.
    ToggleAllFolds,
    /// Go to the next or the previous error.
    StepError(Direction),
    /// Switch to the next count of lines around matches.
    NextContext,
    /// Show the current long line whole, or shorten it.
    ToggleWholeCurrent,
    /// Show the long line with this id whole, or shorten it.
    ToggleWhole(u64),
    /// Download lines as a file.
    Download(ExportScope, ExportFormat),
    /// Ask for files and read them.
    OpenFiles,
    /// Remove all lines.
    Clear,
    /// Restore the lines removed last.
    UndoClear,
    /// Connect at once.
    Reconnect,
    /// Publish the draft to the group of a source.
    Publish {
        /// Number of the source.
        source: usize,
    },
    /// Put the text published before, or after, into the draft.
    RecallDraft(Direction),
    /// Open a dialog, or close it.
    ToggleDialog(Dialog),
    /// Clear the search or the selection, and leave the field.
    Dismiss,
}

/// A part of the page that opens above the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialog {
    /// Commands by name.
    Menu,
    /// Details of the connection.
    ConnectionDetails,
    /// Keyboard shortcuts.
    KeyboardShortcuts,
    /// Choice of lines and format to download.
    Download,
    /// Line or time to go to.
    GoTo,
    /// Groups that this viewer may join.
    Groups,
    /// Highlight rules.
    Highlights,
    /// Fields shown as columns.
    Columns,
}

impl Dialog {
    /// Returns the id of its element.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Menu => "menu",
            Self::ConnectionDetails => "details",
            Self::KeyboardShortcuts => "keys",
            Self::Download => "save",
            Self::GoTo => "goto",
            Self::Groups => "groups",
            Self::Highlights => "highlights",
            Self::Columns => "columns",
        }
    }
}

/// Part of the page that has the focus when a key is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyContext {
    /// The search field.
    SearchField,
    /// Another field that takes text.
    TextField,
    /// The log, or nothing in particular.
    Log,
    /// A button beside the log. It uses Space and Enter itself; other keys act as in the log.
    Button,
    /// Any other element, a dialog for instance.
    Elsewhere,
}

/// Contexts in which a binding applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyScope {
    /// Everywhere but in text fields.
    Page,
    /// The log only.
    Log,
    /// The search field only.
    SearchField,
    /// The search field, and everywhere but in text fields.
    PageAndSearchField,
    /// Everywhere but in the search field.
    PageAndTextFields,
}

impl KeyScope {
    fn includes(self, context: KeyContext) -> bool {
        match context {
            KeyContext::SearchField => matches!(self, Self::SearchField | Self::PageAndSearchField),
            KeyContext::TextField => self == Self::PageAndTextFields,
            KeyContext::Log | KeyContext::Button => self != Self::SearchField,
            KeyContext::Elsewhere => {
                matches!(self, Self::Page | Self::PageAndSearchField | Self::PageAndTextFields)
            }
        }
    }
}

/// Keys bound to a command.
#[derive(Debug)]
pub struct Binding {
    /// Names as [`key_name`] returns them.
    pub keys: &'static [&'static str],
    /// Contexts in which the keys apply.
    pub scope: KeyScope,
    /// The command.
    pub command: Command,
    /// Its description for the user.
    pub label: &'static str,
}

const fn bind(
    scope: KeyScope,
    keys: &'static [&'static str],
    command: Command,
    label: &'static str,
) -> Binding {
    Binding { keys, scope, command, label }
}

use Command::*;
use Direction::{Backward, Forward};
use Distance::{All, Character, Line};
use KeyScope::{Log, Page, PageAndSearchField, PageAndTextFields, SearchField};

/// Every keyboard shortcut.
pub static BINDINGS: &[Binding] = &[
    bind(PageAndTextFields, &["Ctrl+F"], FocusSearch, "Find; once more: the browser's own search"),
    bind(Page, &["/"], FocusSearch, "Find"),
    bind(Page, &["n"], StepMatch(Forward), "Next match"),
    bind(Page, &["N"], StepMatch(Backward), "Previous match"),
    bind(SearchField, &["Enter"], StepMatch(Forward), "Next match, in the search field"),
    bind(SearchField, &["Shift+Enter"], StepMatch(Backward), "Previous match, in the search field"),
    bind(PageAndSearchField, &["Alt+C"], ToggleCase, "Match case"),
    bind(PageAndSearchField, &["Alt+R"], ToggleRegex, "Regular expression"),
    bind(Page, &["&"], NextFilterMode, "Filter: all lines, matches, non-matches"),
    bind(Page, &["a"], NextContext, "Lines around matches while others are hidden: 0, 2, 5 or 10"),
    bind(Page, &["e"], StepError(Forward), "Next error"),
    bind(Page, &["E"], StepError(Backward), "Previous error"),
    bind(Page, &["1"], ToggleLevel(Level::Error), "Filter by level: error"),
    bind(Page, &["2"], ToggleLevel(Level::Warning), "Filter by level: warning"),
    bind(Page, &["3"], ToggleLevel(Level::Info), "Filter by level: info"),
    bind(Page, &["4"], ToggleLevel(Level::Debug), "Filter by level: debug"),
    bind(Page, &["5"], ToggleLevel(Level::Trace), "Filter by level: trace"),
    bind(Page, &["h"], ToggleDialog(Dialog::Highlights), "Highlights…"),
    bind(Page, &["p", "F"], PauseOrFollow, "Pause or follow"),
    bind(Log, &["Home", "Ctrl+ArrowUp"], Scroll(All, Backward), "Go to the oldest line"),
    bind(Log, &["End", "Ctrl+ArrowDown"], Scroll(All, Forward), "Go to the newest line and follow"),
    bind(Log, &["PageUp", "Shift+Space"], Scroll(Distance::Page, Backward), "Page up"),
    bind(Log, &["PageDown", "Space"], Scroll(Distance::Page, Forward), "Page down"),
    bind(Log, &["ArrowUp"], Scroll(Line, Backward), "Line up"),
    bind(Log, &["ArrowDown"], Scroll(Line, Forward), "Line down"),
    bind(Page, &["g"], ToggleDialog(Dialog::GoTo), "Go to line…"),
    bind(Page, &["G"], ToggleDialog(Dialog::Groups), "Groups…"),
    bind(Page, &["m"], ToggleBookmark, "Bookmark the current line"),
    bind(Page, &["]"], StepBookmark(Forward), "Next bookmark"),
    bind(Page, &["["], StepBookmark(Backward), "Previous bookmark"),
    bind(Page, &["l"], CopyLink, "Copy link to line"),
    bind(Log, &["Ctrl+A"], SelectAll, "Select all visible lines"),
    bind(Log, &["Shift+ArrowUp"], Select(Line, Backward), "Extend the selection up"),
    bind(Log, &["Shift+ArrowDown"], Select(Line, Forward), "Extend the selection down"),
    bind(Log, &["Shift+ArrowLeft"], Select(Character, Backward), "Extend the selection left"),
    bind(Log, &["Shift+ArrowRight"], Select(Character, Forward), "Extend the selection right"),
    bind(Log, &["Shift+PageUp"], Select(Distance::Page, Backward), "Extend the selection a page up"),
    bind(Log, &["Shift+PageDown"], Select(Distance::Page, Forward), "Extend the selection a page down"),
    bind(Log, &["Shift+Home"], Select(All, Backward), "Extend the selection to the oldest line"),
    bind(Log, &["Shift+End"], Select(All, Forward), "Extend the selection to the newest line"),
    bind(Log, &["Ctrl+C"], Copy, "Copy"),
    bind(Page, &["C"], CopyWithColours, "Copy with colours"),
    bind(Page, &["z"], ToggleWrap, "Wrap lines"),
    bind(Page, &["t"], NextGutter, "Line numbers, timestamps or elapsed time"),
    bind(Page, &["T"], NextTheme, "Theme: system, light, dark"),
    bind(Page, &["x"], Clear, "Clear"),
    bind(Log, &["Ctrl+Z"], UndoClear, "Undo clear"),
    bind(Page, &["s"], Download(ExportScope::Visible, ExportFormat::Text), "Download visible lines as text"),
    bind(Page, &["S"], ToggleDialog(Dialog::Download), "Download…"),
    bind(Page, &["o"], ToggleOpenCurrent, "Expand or collapse the current JSON line"),
    bind(Page, &["f"], ToggleFoldCurrent, "Fold or unfold the current record, such as a stack trace"),
    bind(Page, &["u"], ToggleAllFolds, "Fold all records, or unfold them"),
    bind(Page, &["w"], ToggleWholeCurrent, "Show the current long line whole, or shorten it"),
    bind(Page, &["c"], ToggleDialog(Dialog::Columns), "Columns…"),
    bind(Page, &["O"], OpenFiles, "Open file…"),
    bind(Page, &["v"], ToggleAnnouncements, "Announce new lines to a screen reader"),
    bind(Page, &["r"], Reconnect, "Reconnect"),
    bind(Page, &["d"], ToggleDialog(Dialog::ConnectionDetails), "Connection details"),
    bind(PageAndSearchField, &["Escape"], Dismiss, "Clear the search or the selection"),
    bind(Page, &["?"], ToggleDialog(Dialog::KeyboardShortcuts), "Keyboard shortcuts"),
];

impl Command {
    /// Whether the browser's own action is part of the command: it scrolls, and starts a copy.
    #[must_use]
    pub fn keeps_default(&self) -> bool {
        matches!(self, Scroll(Line | Distance::Page, _) | Copy)
    }

    /// Returns the first key bound to the command; an empty text if there is none.
    #[must_use]
    pub fn key(&self) -> &'static str {
        let binding = BINDINGS.iter().find(|binding| binding.command == *self);
        binding.and_then(|binding| binding.keys.first()).copied().unwrap_or_default()
    }
}

/// Keys that press a focused button.
const BUTTON_KEYS: [&str; 3] = ["Space", "Shift+Space", "Enter"];

/// Returns the command that a key gives in a context.
#[must_use]
pub fn command_for(key: &str, context: KeyContext) -> Option<&'static Command> {
    if context == KeyContext::Button && BUTTON_KEYS.contains(&key) {
        return None;
    }
    let bound =
        BINDINGS.iter().find(|binding| binding.scope.includes(context) && binding.keys.contains(&key));
    bound.map(|binding| &binding.command)
}

/// Returns a key's name with its modifiers: `n`, `N`, `Ctrl+A`, `Shift+End`.
#[must_use]
pub fn key_name(key: &str, has_ctrl: bool, has_alt: bool, has_shift: bool) -> String {
    let key = if key == " " { "Space" } else { key };
    let is_character = key.chars().count() == 1;
    let mut name = String::new();
    if has_ctrl {
        name.push_str("Ctrl+");
    }
    if has_alt {
        name.push_str("Alt+");
    }
    // A character contains Shift already: `N`, `&`.
    if has_shift && (!is_character || has_ctrl || has_alt) {
        name.push_str("Shift+");
    }
    if is_character && (has_ctrl || has_alt) {
        name.push_str(&key.to_ascii_uppercase());
    } else {
        name.push_str(key);
    }
    name
}

/// Returns a key's name as the user knows it: `↑` for `ArrowUp`.
#[must_use]
pub fn key_label(key: &str) -> String {
    let symbols =
        [("ArrowUp", "↑"), ("ArrowDown", "↓"), ("ArrowLeft", "←"), ("ArrowRight", "→"), ("Escape", "Esc")];
    symbols.iter().fold(key.to_owned(), |key, (name, symbol)| key.replace(name, symbol))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_gives_two_commands_in_one_context() {
        for context in [
            KeyContext::SearchField,
            KeyContext::TextField,
            KeyContext::Log,
            KeyContext::Button,
            KeyContext::Elsewhere,
        ] {
            let mut keys: Vec<&str> = BINDINGS
                .iter()
                .filter(|binding| binding.scope.includes(context))
                .flat_map(|binding| binding.keys)
                .copied()
                .collect();
            let all = keys.len();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), all, "{context:?}");
        }
    }

    #[test]
    fn a_key_gives_the_command_of_its_context() {
        assert_eq!(command_for("n", KeyContext::Log), Some(&StepMatch(Forward)));
        assert_eq!(command_for("n", KeyContext::SearchField), None);
        assert_eq!(command_for("Enter", KeyContext::SearchField), Some(&StepMatch(Forward)));
        assert_eq!(command_for("Enter", KeyContext::Log), None);
        assert_eq!(command_for("Space", KeyContext::Button), None, "Space presses a button");
        assert_eq!(command_for("End", KeyContext::Button), Some(&Scroll(All, Forward)));
        assert_eq!(command_for("End", KeyContext::Elsewhere), None);
        assert_eq!(command_for("Escape", KeyContext::TextField), None);
        assert_eq!(command_for("Ctrl+F", KeyContext::TextField), Some(&FocusSearch));
        assert_eq!(command_for("Ctrl+F", KeyContext::SearchField), None, "the browser's own search");
    }

    #[test]
    fn key_names_include_their_modifiers() {
        assert_eq!(key_name("N", false, false, true), "N");
        assert_eq!(key_name("a", true, false, false), "Ctrl+A");
        assert_eq!(key_name("ArrowUp", false, false, true), "Shift+ArrowUp");
        assert_eq!(key_name(" ", false, false, true), "Shift+Space");
        assert_eq!(key_label("Shift+ArrowUp"), "Shift+↑");
    }

    #[test]
    fn a_command_has_the_key_of_its_binding() {
        assert_eq!(ToggleWrap.key(), "z");
        assert_eq!(Follow.key(), "");
    }
}
