//! What the reader can have done, and by which keys: one table, which the page obeys and its help lists.

use super::level::Level;

/// Something the reader can have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Go to the search field.
    Find,
    /// Go to the next line with a hit, or to the one before.
    StepHit(Way),
    /// Show hits only, everything else only, or all.
    NextFilter,
    /// Look at capitals, or not.
    ToggleCase,
    /// Take the pattern for an expression, or for words.
    ToggleRegex,
    /// Show lines of this level, or not.
    ToggleLevel(Level),
    /// Hold the view, or follow the newest line.
    PauseOrFollow,
    /// Move the view.
    Scroll(Stride, Way),
    /// Move the end of the selection.
    Select(Stride, Way),
    /// Select all lines shown.
    SelectAll,
    /// Put the selection on the clipboard.
    Copy,
    /// The same with the escape sequences of its colours.
    CopyColoured,
    /// Mark the current line, or not.
    ToggleBookmark,
    /// Go to the next bookmark, or to the one before.
    StepBookmark(Way),
    /// Put the current line, or the lines selected, into the page's address.
    LinkLines,
    /// Ask for a line or a time to go to.
    GoTo,
    /// Tell lines' numbers, times, or the time since the line before.
    NextTimes,
    /// Wrap long lines, or not.
    ToggleWrap,
    /// Choose what is always marked.
    Highlights,
    /// Other colours.
    NextTheme,
    /// Keep the lines shown as a file.
    Save,
    /// Choose what to keep, and how.
    SaveMenu,
    /// Read a file.
    OpenFile,
    /// Open the current JSON line to its values, or close it.
    ToggleOpen,
    /// Choose which values of JSON lines are columns.
    Columns,
    /// Have new lines spoken, or not.
    ToggleSpeech,
    /// Connect now.
    Retry,
    /// Say more about the connection.
    Details,
    /// Clear the search or the selection, and leave the field.
    Escape,
    /// List the keys.
    Help,
}

/// On, or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To newer lines.
    Forward,
    /// To older lines.
    Back,
}

/// How far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stride {
    /// A character.
    Character,
    /// A line.
    Line,
    /// What is in view.
    Page,
    /// All there is.
    All,
}

/// Where a key is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the search field.
    FindField,
    /// In another field that takes text.
    OtherField,
    /// In the log, or where nothing has the focus.
    Log,
    /// On a button, say.
    Elsewhere,
}

/// Where a key means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Wherever no text is typed.
    Page,
    /// In the log.
    Log,
    /// In the search field.
    Field,
    /// In the search field and wherever no text is typed.
    Both,
}

impl Reach {
    fn covers(self, place: Place) -> bool {
        match place {
            Place::FindField => matches!(self, Self::Field | Self::Both),
            Place::OtherField => false,
            Place::Log => self != Self::Field,
            Place::Elsewhere => matches!(self, Self::Page | Self::Both),
        }
    }
}

/// Some keys, and what they do.
#[derive(Debug)]
pub struct Binding {
    /// Names as [`key_name`] makes them.
    pub keys: &'static [&'static str],
    /// Where they do it.
    pub reach: Reach,
    /// What they do.
    pub command: Command,
    /// The same in words.
    pub words: &'static str,
}

const fn on(reach: Reach, keys: &'static [&'static str], command: Command, words: &'static str) -> Binding {
    Binding { keys, reach, command, words }
}

use Command::*;
use Reach::{Both, Field, Log, Page};
use Stride::{All, Character, Line};
use Way::{Back, Forward};

/// Every key, and what it does.
pub const BINDINGS: &[Binding] = &[
    on(Page, &["/"], Find, "find"),
    on(Page, &["n"], StepHit(Forward), "next line with a hit"),
    on(Page, &["N"], StepHit(Back), "previous line with a hit"),
    on(Field, &["Enter"], StepHit(Forward), "next hit, from the search field"),
    on(Field, &["Shift+Enter"], StepHit(Back), "previous hit, from the search field"),
    on(Both, &["Alt+C"], ToggleCase, "match case"),
    on(Both, &["Alt+R"], ToggleRegex, "regular expression"),
    on(Page, &["&"], NextFilter, "only lines with hits, then those without, then all"),
    on(Page, &["1"], ToggleLevel(Level::Error), "only errors, or no longer"),
    on(Page, &["2"], ToggleLevel(Level::Warning), "the same for warnings"),
    on(Page, &["3"], ToggleLevel(Level::Info), "for information"),
    on(Page, &["4"], ToggleLevel(Level::Debug), "for debug lines"),
    on(Page, &["5"], ToggleLevel(Level::Trace), "for trace lines"),
    on(Page, &["h"], Highlights, "highlights: what is always marked"),
    on(Page, &["p", "F"], PauseOrFollow, "hold the view, or follow the newest line"),
    on(Log, &["Home", "Ctrl+ArrowUp"], Scroll(All, Back), "oldest line"),
    on(Log, &["End", "Ctrl+ArrowDown"], Scroll(All, Forward), "newest line"),
    on(Log, &["PageUp", "Shift+Space"], Scroll(Stride::Page, Back), "a page up"),
    on(Log, &["PageDown", "Space"], Scroll(Stride::Page, Forward), "a page down"),
    on(Log, &["ArrowUp"], Scroll(Line, Back), "a line up"),
    on(Log, &["ArrowDown"], Scroll(Line, Forward), "a line down"),
    on(Page, &["g"], GoTo, "go to a line or a time"),
    on(Page, &["m"], ToggleBookmark, "bookmark the current line, or no longer"),
    on(Page, &["]"], StepBookmark(Forward), "next bookmark"),
    on(Page, &["["], StepBookmark(Back), "previous bookmark"),
    on(Page, &["l"], LinkLines, "address of the current line or selection"),
    on(Log, &["Ctrl+A"], SelectAll, "select all lines shown"),
    on(Log, &["Shift+ArrowUp"], Select(Line, Back), "select upwards"),
    on(Log, &["Shift+ArrowDown"], Select(Line, Forward), "select downwards"),
    on(Log, &["Shift+ArrowLeft"], Select(Character, Back), "select to the left"),
    on(Log, &["Shift+ArrowRight"], Select(Character, Forward), "select to the right"),
    on(Log, &["Shift+PageUp"], Select(Stride::Page, Back), "select a page upwards"),
    on(Log, &["Shift+PageDown"], Select(Stride::Page, Forward), "select a page downwards"),
    on(Log, &["Shift+Home"], Select(All, Back), "select to the oldest line"),
    on(Log, &["Shift+End"], Select(All, Forward), "select to the newest line"),
    on(Log, &["Ctrl+C"], Copy, "copy the selection"),
    on(Page, &["C"], CopyColoured, "copy it with its colours"),
    on(Page, &["z"], ToggleWrap, "wrap long lines"),
    on(Page, &["t"], NextTimes, "numbers, times, or time since the line before"),
    on(Page, &["T"], NextTheme, "theme: the system's, light, dark"),
    on(Page, &["s"], Save, "keep the lines shown as a file"),
    on(Page, &["S"], SaveMenu, "choose what to keep, and how"),
    on(Page, &["o"], ToggleOpen, "open the JSON line that is looked at, or close it"),
    on(Page, &["c"], Columns, "columns: fields of JSON lines"),
    on(Page, &["O"], OpenFile, "open a file"),
    on(Page, &["v"], ToggleSpeech, "have new lines spoken by a screen reader"),
    on(Page, &["r"], Retry, "connect now"),
    on(Page, &["d"], Details, "details of the connection"),
    on(Both, &["Escape"], Escape, "clear the search or the selection, leave the field"),
    on(Page, &["?"], Help, "this list"),
];

impl Command {
    /// Whether the browser does its part by itself: it scrolls, and starts a copy.
    #[must_use]
    pub fn is_browsers_too(self) -> bool {
        matches!(self, Scroll(Line | Stride::Page, _) | Copy)
    }
}

/// What a key does at a place.
#[must_use]
pub fn command_of(key: &str, place: Place) -> Option<Command> {
    let bound = BINDINGS.iter().find(|binding| binding.reach.covers(place) && binding.keys.contains(&key));
    bound.map(|binding| binding.command)
}

/// A key's name with what is held down: `n`, `N`, `Ctrl+A`, `Shift+End`.
#[must_use]
pub fn key_name(key: &str, has_ctrl: bool, has_alt: bool, has_shift: bool) -> String {
    let key = if key == " " { "Space" } else { key };
    let is_letter = key.chars().count() == 1;
    let mut name = String::new();
    if has_ctrl {
        name.push_str("Ctrl+");
    }
    if has_alt {
        name.push_str("Alt+");
    }
    // A letter tells by itself.
    if has_shift && (!is_letter || has_ctrl || has_alt) {
        name.push_str("Shift+");
    }
    if is_letter && (has_ctrl || has_alt) {
        name.push_str(&key.to_ascii_uppercase());
    } else {
        name.push_str(key);
    }
    name
}

/// A key's name for the reader: `↑` in place of `ArrowUp`.
#[must_use]
pub fn spoken_key(key: &str) -> String {
    let arrows =
        [("ArrowUp", "↑"), ("ArrowDown", "↓"), ("ArrowLeft", "←"), ("ArrowRight", "→"), ("Escape", "Esc")];
    arrows.iter().fold(key.to_owned(), |key, (name, sign)| key.replace(name, sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_has_two_meanings_at_one_place() {
        for place in [Place::FindField, Place::OtherField, Place::Log, Place::Elsewhere] {
            let mut keys: Vec<&str> = BINDINGS
                .iter()
                .filter(|binding| binding.reach.covers(place))
                .flat_map(|binding| binding.keys)
                .copied()
                .collect();
            let all = keys.len();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), all, "{place:?}");
        }
    }

    #[test]
    fn a_key_means_what_the_place_allows() {
        assert_eq!(command_of("n", Place::Log), Some(StepHit(Forward)));
        assert_eq!(command_of("n", Place::FindField), None);
        assert_eq!(command_of("Enter", Place::FindField), Some(StepHit(Forward)));
        assert_eq!(command_of("Enter", Place::Log), None);
        assert_eq!(command_of("Space", Place::Elsewhere), None, "a button has its own use for it");
        assert_eq!(command_of("Escape", Place::OtherField), None);
    }

    #[test]
    fn keys_are_named_with_what_is_held_down() {
        assert_eq!(key_name("N", false, false, true), "N");
        assert_eq!(key_name("a", true, false, false), "Ctrl+A");
        assert_eq!(key_name("ArrowUp", false, false, true), "Shift+ArrowUp");
        assert_eq!(key_name(" ", false, false, true), "Shift+Space");
        assert_eq!(spoken_key("Shift+ArrowUp"), "Shift+↑");
    }
}
