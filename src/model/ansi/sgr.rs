//! A styled line with its escape sequences put back: for terminals, and for whoever pastes into one.

use std::{fmt::Write, ops::Range};

use super::style::{Color, Face, Style};
use crate::model::line_store::Line;

/// The part `bytes` of a line, with its colours, faces and links. It ends as plain as it began.
#[must_use]
pub fn with_escapes(line: &Line<'_>, bytes: Range<usize>) -> String {
    let mut cuts: Vec<usize> = line.styles.runs().map(|run| run.start as usize).collect();
    cuts.extend(line.links.iter().flat_map(|link| [link.range.start as usize, link.range.end as usize]));
    cuts.retain(|at| bytes.contains(at));
    cuts.extend([bytes.start, bytes.end]);
    cuts.sort_unstable();
    cuts.dedup();
    let (mut text, mut style, mut url) = (String::new(), Style::default(), None);
    for pair in cuts.windows(2) {
        let &[start, end] = pair else { continue };
        let here = line.styles.at(start);
        if here != style {
            style = here;
            text.push_str(&sequence(style));
        }
        let leads =
            |link: &&super::Link| (link.range.start as usize..link.range.end as usize).contains(&start);
        let url_here = line.links.iter().find(leads).map(|link| link.url.as_str());
        if url_here != url {
            url = url_here;
            text.push_str(&link_to(url));
        }
        text.push_str(line.text.get(start..end).unwrap_or_default());
    }
    if url.is_some() {
        text.push_str(&link_to(None));
    }
    if style != Style::default() {
        text.push_str("\u{1b}[0m");
    }
    text
}

fn link_to(url: Option<&str>) -> String {
    format!("\u{1b}]8;;{}\u{1b}\\", url.unwrap_or_default())
}

/// The sequence that sets a style, whatever was set before.
fn sequence(style: Style) -> String {
    const FACES: [(Face, u8); 8] = [
        (Face::Bold, 1),
        (Face::Dim, 2),
        (Face::Italic, 3),
        (Face::Underline, 4),
        (Face::Inverse, 7),
        (Face::Hidden, 8),
        (Face::Strike, 9),
        (Face::Overline, 53),
    ];
    let mut sequence = "\u{1b}[0".to_owned();
    for (face, code) in FACES {
        if style.has(face) {
            // Writing to a string cannot fail.
            write!(sequence, ";{code}").unwrap_or_default();
        }
    }
    for (color, base) in [(style.foreground, 30), (style.background, 40)] {
        match color {
            Color::Default => Ok(()),
            Color::Indexed(index @ 0..8) => write!(sequence, ";{}", base + index),
            Color::Indexed(index @ 8..16) => write!(sequence, ";{}", base + 52 + index),
            Color::Indexed(index) => write!(sequence, ";{};5;{index}", base + 8),
            Color::Rgb(red, green, blue) => write!(sequence, ";{};2;{red};{green};{blue}", base + 8),
        }
        .unwrap_or_default();
    }
    sequence.push('m');
    sequence
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
    fn a_part_of_a_line_keeps_its_colours_and_links_and_ends_plain() {
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
        fn what_is_written_is_read_again_as_the_same(
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
