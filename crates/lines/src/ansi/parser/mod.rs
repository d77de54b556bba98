//! From characters to text and commands, whatever pieces they come in.
//!
//! The states are those of Paul Williams' parser, as far as they differ for what is understood here. The input is text,
//! so the 8-bit controls of old terminals are characters like others.

use memchr::memchr3;

/// Most parameters of a sequence; further ones are dropped (as xterm does).
const MAX_PARAMETERS: usize = 32;
/// Longest payload of an OSC sequence, in bytes. A longer one has no effect.
const MAX_PAYLOAD_BYTES: usize = 4096;

/// Text or command of a terminal.
#[derive(Debug, PartialEq, Eq)]
pub enum TerminalCommand<'a> {
    /// Text to show.
    Text(&'a str),
    /// Colours and faces.
    Sgr(&'a Parameters),
    /// Start of a link, or its end.
    Link(Option<&'a str>),
    /// Move to the beginning of the line.
    CarriageReturn,
    /// Move one column back.
    Backspace,
    /// Move columns to the right, or to the left when negative.
    MoveBy(i32),
    /// Move to a column, from 0.
    MoveTo(usize),
    /// Move over tab stops to the right, or to the left when negative.
    Tab(i32),
    /// Move rows down, or up when negative.
    MoveRows {
        /// Rows.
        rows: i32,
        /// Whether to the beginning of the row.
        is_to_start: bool,
    },
    /// Store the position of the cursor and the style.
    SaveCursor,
    /// Restore them.
    RestoreCursor,
    /// Blank a part of the line.
    EraseInLine(Erase),
    /// Blank the line from the cursor on, and the rows below.
    EraseBelow,
    /// Blank columns from the cursor on.
    EraseColumns(usize),
    /// Remove columns from the cursor on.
    DeleteColumns(usize),
    /// Insert blank columns at the cursor.
    InsertColumns(usize),
    /// Write the last character again.
    Repeat(usize),
}

/// Part of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erase {
    /// From the cursor to the end.
    ToEnd,
    /// From the beginning to the cursor.
    ToStart,
    /// The whole line.
    All,
}

/// The numbers of a sequence. A number may have further ones after colons, which belong to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    numbers: Vec<u16>,
    /// Where in `numbers` each parameter begins.
    starts: Vec<usize>,
}

impl Parameters {
    /// Returns the parameters, each with its numbers behind colons. No parameters are one 0.
    pub fn groups(&self) -> impl Iterator<Item = &[u16]> {
        let ends = self.starts.iter().skip(1).copied().chain([self.numbers.len()]);
        let given = self
            .starts
            .iter()
            .zip(ends)
            .map(|(start, end)| self.numbers.get(*start..end).unwrap_or_default());
        let none: Option<&[u16]> = self.starts.is_empty().then_some(&[0]);
        given.chain(none)
    }

    /// The first parameter, or `default` when it is missing or 0.
    fn first_or(&self, default: u16) -> u16 {
        self.numbers.first().copied().filter(|number| *number > 0).unwrap_or(default)
    }

    /// Whether there is no parameter but 0.
    fn is_zero(&self) -> bool {
        matches!(*self.numbers, [] | [0])
    }

    fn clear(&mut self) {
        self.numbers.clear();
        self.starts.clear();
    }

    fn digit(&mut self, digit: u16) {
        if self.starts.is_empty() {
            self.begin();
        }
        if let Some(number) = self.numbers.last_mut() {
            *number = number.saturating_mul(10).saturating_add(digit);
        }
    }

    /// `;`: the next parameter.
    fn next(&mut self) {
        if self.starts.is_empty() {
            self.begin();
        }
        self.begin();
    }

    /// `:`: the next number of the same parameter.
    fn next_in_group(&mut self) {
        if self.starts.is_empty() {
            self.begin();
        }
        if self.numbers.len() < MAX_PARAMETERS {
            self.numbers.push(0);
        }
    }

    fn begin(&mut self) {
        if self.numbers.len() < MAX_PARAMETERS {
            self.starts.push(self.numbers.len());
            self.numbers.push(0);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Ground,
    Escape,
    /// After ESC and a character that asks for one more, `ESC ( B`.
    EscapeIntermediate,
    Csi,
    /// A CSI sequence that is not for us.
    CsiIgnored,
    Osc,
    /// An OSC, DCS, APC, PM or SOS sequence that is not for us.
    StringIgnored,
    /// ESC within a string: a backslash ends it.
    StringEscape,
}

/// Parser of a stream of text, in pieces of any length.
#[derive(Debug, Clone, Default)]
pub struct Parser {
    state: State,
    parameters: Parameters,
    payload: String,
    /// Whether the payload is too long to mean anything.
    is_overlong: bool,
    is_osc: bool,
}

impl Parser {
    /// Whether no sequence is under way.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.state == State::Ground
    }

    /// Abandons an unfinished sequence.
    pub fn reset(&mut self) {
        self.state = State::Ground;
        self.payload.clear();
        self.is_overlong = false;
    }

    /// Parses a piece of the input, and passes its commands to `give`.
    pub fn feed(&mut self, text: &str, mut give: impl FnMut(TerminalCommand<'_>)) {
        let mut rest = text;
        while !rest.is_empty() {
            if self.state == State::Ground {
                let plain = memchr3(0x1b, b'\r', 0x08, rest.as_bytes()).unwrap_or(rest.len());
                let (before, after) = rest.split_at(plain);
                if !before.is_empty() {
                    give(TerminalCommand::Text(before));
                }
                rest = after;
            }
            if self.state == State::Csi {
                rest = self.take_numbers(rest);
            }
            let mut characters = rest.chars();
            let Some(character) = characters.next() else { return };
            rest = characters.as_str();
            self.step(character, &mut give);
        }
    }

    /// Reads the parameters of a CSI sequence. Returns the text behind them.
    fn take_numbers<'a>(&mut self, text: &'a str) -> &'a str {
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'0'..=b'9' => self.parameters.digit(u16::from(byte - b'0')),
                b';' => self.parameters.next(),
                b':' => self.parameters.next_in_group(),
                _ => return text.get(at..).unwrap_or_default(),
            }
        }
        ""
    }

    fn step(&mut self, character: char, give: &mut impl FnMut(TerminalCommand<'_>)) {
        match (self.state, character) {
            (State::Ground, '\r') => give(TerminalCommand::CarriageReturn),
            (State::Ground, '\u{8}') => give(TerminalCommand::Backspace),
            // Control characters in the middle of a sequence take effect, and the sequence goes on.
            (State::Escape | State::EscapeIntermediate | State::Csi | State::CsiIgnored, '\r') => {
                give(TerminalCommand::CarriageReturn);
            }
            (State::Escape | State::EscapeIntermediate | State::Csi | State::CsiIgnored, '\u{8}') => {
                give(TerminalCommand::Backspace);
            }
            // Cancel and substitute end any sequence (ECMA-48; DEC).
            (state, '\u{18}' | '\u{1a}') if state != State::Ground => self.reset(),
            (State::Osc | State::StringIgnored, '\u{1b}') => self.state = State::StringEscape,
            (State::Osc, '\u{7}') => self.end_string(give),
            (State::StringEscape, '\\') => self.end_string(give),
            // Any other escape ends the string, and begins a sequence of its own.
            (State::StringEscape, other) => {
                self.reset();
                self.state = State::Escape;
                self.step(other, give);
            }
            (_, '\u{1b}') => {
                self.reset();
                self.state = State::Escape;
            }
            (State::Ground, _) => {}
            (State::Escape | State::EscapeIntermediate, '\0'..='\u{1f}' | '\u{7f}') => {}
            (State::Escape, character) => self.after_escape(character, give),
            (State::EscapeIntermediate, '\u{20}'..='\u{2f}') => {}
            (State::EscapeIntermediate, _) => self.reset(),
            (State::Csi, character) => self.in_csi(character, give),
            (State::CsiIgnored, '@'..='~') => self.reset(),
            (State::CsiIgnored | State::StringIgnored, _) => {}
            (State::Osc, character) => {
                if self.payload.len() + character.len_utf8() > MAX_PAYLOAD_BYTES {
                    self.is_overlong = true;
                } else {
                    self.payload.push(character);
                }
            }
        }
    }

    fn after_escape(&mut self, character: char, give: &mut impl FnMut(TerminalCommand<'_>)) {
        match character {
            '7' => give(TerminalCommand::SaveCursor),
            '8' => give(TerminalCommand::RestoreCursor),
            'M' => give(TerminalCommand::MoveRows { rows: -1, is_to_start: false }),
            _ => {}
        }
        self.state = match character {
            '[' => {
                self.parameters.clear();
                State::Csi
            }
            ']' => {
                self.is_osc = true;
                State::Osc
            }
            // DCS, SOS, PM, APC.
            'P' | 'X' | '^' | '_' => {
                self.is_osc = false;
                State::StringIgnored
            }
            '\u{20}'..='\u{2f}' => State::EscapeIntermediate,
            _ => State::Ground,
        };
    }

    fn in_csi(&mut self, character: char, give: &mut impl FnMut(TerminalCommand<'_>)) {
        match character {
            // Private parameters, intermediates: sequences of others.
            '\u{20}'..='\u{2f}' | '<'..='?' => self.state = State::CsiIgnored,
            '@'..='~' => {
                self.state = State::Ground;
                if let Some(command) = command(character, &self.parameters) {
                    give(command);
                }
            }
            '\0'..='\u{1f}' | '\u{7f}' => {}
            // What cannot be part of a sequence ends it.
            _ => self.state = State::Ground,
        }
    }

    fn end_string(&mut self, give: &mut impl FnMut(TerminalCommand<'_>)) {
        let is_whole = self.is_osc && !self.is_overlong;
        if is_whole && let Some(link) = self.payload.strip_prefix("8;") {
            // `8;parameters;URL`; no URL ends the link.
            let url = link.split_once(';').map(|(_, url)| url).filter(|url| !url.is_empty());
            give(TerminalCommand::Link(url));
        }
        self.reset();
        self.is_osc = false;
    }
}

/// Returns the command of a CSI sequence with this final character; `None` if it has no effect on lines.
fn command(last: char, parameters: &Parameters) -> Option<TerminalCommand<'_>> {
    let first = parameters.first_or(1);
    let (count, distance) = (usize::from(first), i32::from(first));
    let rows = |rows: i32, is_to_start: bool| TerminalCommand::MoveRows { rows, is_to_start };
    Some(match last {
        'm' => TerminalCommand::Sgr(parameters),
        'A' => rows(-distance, false),
        'B' | 'e' => rows(distance, false),
        'C' | 'a' => TerminalCommand::MoveBy(distance),
        'D' => TerminalCommand::MoveBy(-distance),
        'E' => rows(distance, true),
        'F' => rows(-distance, true),
        'G' | '`' => TerminalCommand::MoveTo(count - 1),
        'I' => TerminalCommand::Tab(distance),
        'Z' => TerminalCommand::Tab(-distance),
        's' if parameters.is_zero() => TerminalCommand::SaveCursor,
        'u' if parameters.is_zero() => TerminalCommand::RestoreCursor,
        'J' if parameters.first_or(0) == 0 => TerminalCommand::EraseBelow,
        'X' => TerminalCommand::EraseColumns(count),
        'P' => TerminalCommand::DeleteColumns(count),
        '@' => TerminalCommand::InsertColumns(count),
        'b' => TerminalCommand::Repeat(count),
        'K' => TerminalCommand::EraseInLine(match parameters.first_or(0) {
            0 => Erase::ToEnd,
            1 => Erase::ToStart,
            2 => Erase::All,
            _ => return None,
        }),
        _ => return None,
    })
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
