//! New lines for a screen reader: a few are read out, many are counted, and never faster than one can listen.

use super::LiveLog;
use crate::model::{display_text::display_text_up_to, grouped_number::counted};

/// Shortest pause between two utterances.
const PAUSE_MS: f64 = 5_000.0;
/// Most lines that are read out; more are counted.
const MOST_LINES: u64 = 3;
/// Most characters of a line that are read out.
const MOST_CHARS: usize = 200;

/// What was said last, and what comes next.
#[derive(Debug, Default)]
pub(super) struct Speaking {
    pub(super) words: String,
    next_id: u64,
    last_ms: f64,
}

impl LiveLog {
    /// Lines that come from now on are to be spoken, or not.
    pub fn set_speaking(&mut self, is_speaking: bool) {
        if is_speaking != self.speaking.is_some() {
            let next_id = self.store.next_id();
            self.speaking = is_speaking.then(|| Speaking { next_id, ..Speaking::default() });
        }
    }

    /// Whether lines wait to be spoken.
    #[must_use]
    pub fn has_to_speak(&self) -> bool {
        self.speaking.as_ref().is_some_and(|speaking| speaking.next_id < self.store.next_id())
    }

    /// Words what came since, unless something was said a moment ago.
    pub fn speak(&mut self, unix_ms: f64) {
        if !self.has_to_speak() {
            return;
        }
        let (store, next_id) = (&self.store, self.store.next_id());
        let Some(speaking) = &mut self.speaking else { return };
        if unix_ms - speaking.last_ms < PAUSE_MS {
            return;
        }
        let new = next_id - speaking.next_id;
        speaking.words = if new > MOST_LINES {
            counted(new, "new line", "new lines")
        } else {
            let lines = store.lines_from(speaking.next_id);
            let texts = lines.map(|line| display_text_up_to(line.text, MOST_CHARS).text.into_owned());
            texts.collect::<Vec<_>>().join("\n")
        };
        (speaking.next_id, speaking.last_ms) = (next_id, unix_ms);
    }
}
