//! Escape sequences for styles and links, as a terminal reads them.

use std::ops::Range;

use super::{
    Link, StyledLine,
    style::{Color, Face, Style},
};

/// Sequence that ends every style.
pub const RESET: &str = "\u{1b}[m";

/// Returns the sequence that starts a link (OSC 8), or ends it.
#[must_use]
pub fn link_sequence(url: Option<&str>) -> String {
    format!("\u{1b}]8;;{}\u{1b}\\", url.unwrap_or_default())
}

/// Returns the sequence that replaces any style by this one.
#[must_use]
pub fn sgr_sequence(style: Style) -> String {
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
            sequence.push_str(&format!(";{code}"));
        }
    }
    sequence.push_str(&color_codes(style.foreground, 30));
    sequence.push_str(&color_codes(style.background, 40));
    sequence.push('m');
    sequence
}

/// Returns the codes of a colour, of which those of the first 8 start at `base`.
fn color_codes(color: Color, base: u8) -> String {
    match color {
        Color::Default => String::new(),
        Color::Indexed(index @ 0..8) => format!(";{}", base + index),
        Color::Indexed(index @ 8..16) => format!(";{}", base + 52 + index),
        Color::Indexed(index) => format!(";{};5;{index}", base + 8),
        Color::Rgb(red, green, blue) => format!(";{};2;{red};{green};{blue}", base + 8),
    }
}

impl StyledLine {
    /// Returns the part `bytes` of the line with escape sequences for its styles and links. All are reset at its end.
    #[must_use]
    pub fn with_escapes(&self, bytes: Range<usize>) -> String {
        self.escaped(bytes, &self.links)
    }

    /// Returns the line with escape sequences for its styles, without its links. All are reset at its end.
    #[must_use]
    pub fn with_styles(&self) -> String {
        self.escaped(0..self.text.len(), &[])
    }

    fn escaped(&self, bytes: Range<usize>, links: &[Link]) -> String {
        let mut cuts: Vec<usize> = self.runs.iter().map(|run| run.start as usize).collect();
        cuts.extend(links.iter().flat_map(|link| [link.range.start as usize, link.range.end as usize]));
        cuts.retain(|at| bytes.contains(at));
        cuts.extend([bytes.start, bytes.end]);
        cuts.sort_unstable();
        cuts.dedup();
        let (mut text, mut style, mut url) = (String::new(), Style::default(), None);
        let (mut runs, mut links) = (self.runs.iter().peekable(), links.iter().peekable());
        for pair in cuts.windows(2) {
            let &[start, end] = pair else { continue };
            while let Some(run) = runs.next_if(|run| run.start as usize <= start) {
                if run.style != style {
                    style = run.style;
                    text.push_str(&sgr_sequence(style));
                }
            }
            while links.next_if(|link| link.range.end as usize <= start).is_some() {}
            let next_url =
                links.peek().filter(|link| link.range.start as usize <= start).map(|link| &*link.url);
            if next_url != url {
                url = next_url;
                text.push_str(&link_sequence(url));
            }
            text.push_str(self.text.get(start..end).unwrap_or_default());
        }
        if url.is_some() {
            text.push_str(&link_sequence(None));
        }
        if style != Style::default() {
            text.push_str(RESET);
        }
        text
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::super::AnsiReader;

    proptest! {
        #[test]
        fn a_line_with_escape_sequences_reads_as_the_same_line(
            parts in prop::collection::vec(
                ("[a-zé\r\u{8}]{0,4}", "(0|1|2|3|4|7|9|53|3[0-7]|9[0-7]|4[0-7]|10[0-7]|38;5;200|48;2;1;2;3)", any::<bool>()),
                1..8,
            )
        ) {
            let text: String = parts
                .iter()
                .map(|(text, code, is_link)| {
                    let link = if *is_link { "https://x/" } else { "" };
                    format!("\u{1b}[{code}m\u{1b}]8;;{link}\u{7}{text}")
                })
                .collect();
            let line = AnsiReader::default().read_line(&text);
            let again = AnsiReader::default().read_line(&line.with_escapes(0..line.text.len()));
            prop_assert_eq!(&again.text, &line.text);
            prop_assert_eq!(&again.links, &line.links);
            let style_at = |line: &super::StyledLine, at: u32| {
                line.runs.iter().rev().find(|run| run.start <= at).map_or_else(Default::default, |run| run.style)
            };
            for at in 0..u32::try_from(line.text.len()).unwrap() {
                prop_assert_eq!(style_at(&again, at), style_at(&line, at));
            }
        }
    }
}
