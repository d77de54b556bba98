//! Escape sequences of a styled line, for terminals.

use std::ops::Range;

use tailcast_lines::ansi::{
    sgr::{link_sequence, sgr_sequence},
    style::Style,
};

use super::url_at;
use crate::model::line_store::Line;

/// Returns the part `bytes` of a line with escape sequences for its styles and links. All are reset at its end.
#[must_use]
pub fn with_escapes(line: &Line<'_>, bytes: Range<usize>) -> String {
    let cuts = cuts(line, &bytes);
    let (mut text, mut style, mut url) = (String::new(), Style::default(), None);
    for pair in cuts.windows(2) {
        let &[start, end] = pair else { continue };
        let next_style = line.styles.at(start);
        if next_style != style {
            style = next_style;
            text.push_str(&sgr_sequence(style));
        }
        let next_url = url_at(line, start);
        if next_url != url {
            url = next_url;
            text.push_str(&link_sequence(url));
        }
        text.push_str(line.text.get(start..end).unwrap_or_default());
    }
    if url.is_some() {
        text.push_str(&link_sequence(None));
    }
    if style != Style::default() {
        text.push_str("\u{1b}[0m");
    }
    text
}

/// Returns the offsets within `bytes` at which style or link change, its ends included.
fn cuts(line: &Line<'_>, bytes: &Range<usize>) -> Vec<usize> {
    let mut cuts: Vec<usize> = line.styles.runs().map(|run| run.start as usize).collect();
    cuts.extend(line.links.iter().flat_map(|link| [link.range.start as usize, link.range.end as usize]));
    cuts.retain(|at| bytes.contains(at));
    cuts.extend([bytes.start, bytes.end]);
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::{super::AnsiReader, *};
    use crate::model::line_store::{LineKind, LineStore, StoreLimits};

    fn stored(text: &str) -> LineStore {
        let mut store = LineStore::new(StoreLimits::default());
        store.push_message(LineKind::Group, text, 0.0);
        store
    }

    #[test]
    fn a_part_of_a_line_has_its_styles_and_links_and_resets_them_at_its_end() {
        let store = stored("a\u{1b}[1;31mbc\u{1b}]8;;https://x/\u{7}de\u{1b}]8;;\u{7}\u{1b}[mf");
        let line = store.line(0).unwrap();
        assert_eq!(with_escapes(&line, 0..2), "a\u{1b}[0;1;31mb\u{1b}[0m");
        assert_eq!(
            with_escapes(&line, 4..6),
            "\u{1b}[0;1;31m\u{1b}]8;;https://x/\u{1b}\\e\u{1b}[0m\u{1b}]8;;\u{1b}\\f"
        );
        assert_eq!(with_escapes(&stored("plain").line(0).unwrap(), 0..5), "plain");
    }

    proptest! {
        #[test]
        fn escape_sequences_round_trip(
            parts in prop::collection::vec(("[a-z]{1,4}", "(0|1|2|3|4|7|9|53|3[0-7]|9[0-7]|4[0-7]|10[0-7]|38;5;200|48;2;1;2;3)"), 1..8)
        ) {
            let text: String = parts.iter().map(|(text, code)| format!("\u{1b}[{code}m{text}")).collect();
            let store = stored(&text);
            let line = store.line(0).unwrap();
            let again = AnsiReader::default().read_line(&with_escapes(&line, 0..line.text.len()));
            prop_assert_eq!(again.text.as_str(), line.text);
            prop_assert_eq!(again.runs, line.styles.runs().collect::<Vec<_>>());
        }
    }
}
