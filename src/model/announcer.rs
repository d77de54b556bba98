//! Announcements of new lines for screen readers.
//!
//! A few lines are read out, many are counted. Pauses leave time to listen.

use super::{display_text::display_text_up_to, grouped_number::counted, line_store::LineStore};

/// Shortest pause between two announcements, in milliseconds.
const PAUSE_MS: f64 = 5_000.0;
/// Maximum count of lines that are read out; more are counted.
const MAX_LINES: u64 = 3;
/// Maximum count of characters of a line that are read out.
const MAX_CHARS: usize = 200;

/// Announcer of new lines. See the [module](self).
#[derive(Debug, Default)]
pub struct Announcer {
    is_enabled: bool,
    text: String,
    /// First line that was not announced yet.
    next_id: u64,
    last_ms: f64,
}

impl Announcer {
    /// Announces the lines from `next_id` on, or stops announcing.
    pub fn set_enabled(&mut self, is_enabled: bool, next_id: u64) {
        if is_enabled != self.is_enabled {
            *self = Self { is_enabled, next_id, ..Self::default() };
        }
    }

    /// Whether lines wait to be announced.
    #[must_use]
    pub fn has_pending(&self, store: &LineStore) -> bool {
        self.is_enabled && self.next_id < store.next_id()
    }

    /// Announces the lines that arrived since the last announcement, unless that was less than 5 s ago.
    pub fn announce(&mut self, store: &LineStore, unix_ms: f64) {
        if !self.has_pending(store) || unix_ms - self.last_ms < PAUSE_MS {
            return;
        }
        let new_lines = store.next_id().saturating_sub(self.next_id);
        self.text = if new_lines > MAX_LINES {
            counted(new_lines, "new line", "new lines")
        } else {
            let lines = store.lines_from(self.next_id);
            let texts = lines.map(|line| display_text_up_to(line.text, MAX_CHARS).text.into_owned());
            texts.collect::<Vec<_>>().join("\n")
        };
        (self.next_id, self.last_ms) = (store.next_id(), unix_ms);
    }

    /// Returns the last announcement.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::line_store::{LineKind, StoreLimits},
        *,
    };

    fn push(store: &mut LineStore, text: &str) {
        store.push_message(LineKind::Group, text, 0.0);
    }

    #[test]
    fn a_few_new_lines_are_read_out_many_are_counted_and_pauses_are_kept() {
        let (mut store, mut announcer) = (LineStore::new(StoreLimits::default()), Announcer::default());
        push(&mut store, "before");
        let announce = |announcer: &mut Announcer, store: &LineStore, unix_ms| {
            announcer.announce(store, unix_ms);
            announcer.text().to_owned()
        };
        assert_eq!(announce(&mut announcer, &store, 10_000.0), "", "disabled");
        announcer.set_enabled(true, store.next_id());
        assert_eq!(announce(&mut announcer, &store, 10_000.0), "", "earlier lines are not announced");
        push(&mut store, "a\nb\u{202e}");
        assert_eq!(announce(&mut announcer, &store, 10_000.0), "a\nb<U+202E>");
        push(&mut store, &vec!["x"; 5_000].join("\n"));
        assert_eq!(announce(&mut announcer, &store, 12_000.0), "a\nb<U+202E>");
        assert!(announcer.has_pending(&store));
        assert_eq!(announce(&mut announcer, &store, 15_000.0), "5,000 new lines");
        assert!(!announcer.has_pending(&store));
        announcer.set_enabled(false, store.next_id());
        assert_eq!(announcer.text(), "");
    }

    #[test]
    fn long_lines_are_cut() {
        let (mut store, mut announcer) = (LineStore::new(StoreLimits::default()), Announcer::default());
        announcer.set_enabled(true, 0);
        push(&mut store, &"x".repeat(10_000));
        announcer.announce(&store, PAUSE_MS);
        assert_eq!(announcer.text().len(), MAX_CHARS);
    }
}
