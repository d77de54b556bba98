//! Colours and faces of a run of text, as SGR sequences set them (ECMA-48, section 8.3.117).

use super::parser::Parameters;

/// A colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Color {
    /// The page's own.
    #[default]
    Default,
    /// One of 256; the first 16 are the theme's.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// A face of the text, each a bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Face {
    /// Bold.
    Bold = 1,
    /// Faint.
    Dim = 2,
    /// Slanted.
    Italic = 4,
    /// Underlined, however.
    Underline = 8,
    /// Foreground and background change places.
    Inverse = 16,
    /// Not to be seen; it can still be selected.
    Hidden = 32,
    /// Struck through.
    Strike = 64,
    /// Overlined.
    Overline = 128,
}

/// Colours and faces. 10 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Style {
    /// Of the text.
    pub foreground: Color,
    /// Behind it.
    pub background: Color,
    faces: u8,
}

impl Style {
    /// Whether it has this face.
    #[must_use]
    pub fn has(self, face: Face) -> bool {
        self.faces & face as u8 != 0
    }

    /// Shows text that is hidden, or has the colour of its background.
    pub fn make_visible(&mut self) {
        self.reveal();
        if self.foreground == self.background {
            self.background = Color::Default;
        }
    }

    /// Shows what is hidden.
    pub fn reveal(&mut self) {
        self.unset(Face::Hidden);
    }

    fn set(&mut self, face: Face) {
        self.faces |= face as u8;
    }

    fn unset(&mut self, face: Face) {
        self.faces &= !(face as u8);
    }

    /// Applies the parameters of one SGR sequence. What is not known changes nothing.
    pub fn apply(&mut self, parameters: &Parameters) {
        let mut groups = parameters.groups();
        while let Some(group) = groups.next() {
            match group.first().copied().unwrap_or(0) {
                0 => *self = Self::default(),
                1 => self.set(Face::Bold),
                2 => self.set(Face::Dim),
                3 => self.set(Face::Italic),
                // `4:0` is no underline, `4:3` a curly one.
                4 if group.get(1) == Some(&0) => self.unset(Face::Underline),
                4 | 21 => self.set(Face::Underline),
                7 => self.set(Face::Inverse),
                8 => self.set(Face::Hidden),
                9 => self.set(Face::Strike),
                22 => {
                    self.unset(Face::Bold);
                    self.unset(Face::Dim);
                }
                23 => self.unset(Face::Italic),
                24 => self.unset(Face::Underline),
                27 => self.unset(Face::Inverse),
                28 => self.unset(Face::Hidden),
                29 => self.unset(Face::Strike),
                code @ (30..=37 | 90..=97) => self.foreground = Color::Indexed(basic(code)),
                39 => self.foreground = Color::Default,
                code @ (40..=47 | 100..=107) => self.background = Color::Indexed(basic(code - 10)),
                49 => self.background = Color::Default,
                // 58 is the colour of underlines, which is not shown.
                code @ (38 | 48 | 58) => {
                    // The colour's parts come after colons in the same parameter, or as the parameters that follow.
                    let color = if group.len() > 1 {
                        color_in_colons(group)
                    } else {
                        color_in_parameters(&mut groups)
                    };
                    match (code, color) {
                        (38, Some(color)) => self.foreground = color,
                        (48, Some(color)) => self.background = color,
                        _ => {}
                    }
                }
                53 => self.set(Face::Overline),
                55 => self.unset(Face::Overline),
                _ => {}
            }
        }
    }
}

/// Which of 16 colours a foreground code names.
fn basic(code: u16) -> u8 {
    let index = if code >= 90 { code - 90 + 8 } else { code - 30 };
    // At most 15.
    u8::try_from(index).unwrap_or_default()
}

fn byte(value: u16) -> Option<u8> {
    u8::try_from(value).ok()
}

/// `38:5:n`, `38:2:r:g:b`, `38:2:space:r:g:b`.
fn color_in_colons(group: &[u16]) -> Option<Color> {
    match *group {
        [_, 5, index] => byte(index).map(Color::Indexed),
        [_, 2, red, green, blue] | [_, 2, _, red, green, blue, ..] => {
            Some(Color::Rgb(byte(red)?, byte(green)?, byte(blue)?))
        }
        _ => None,
    }
}

/// `38;5;n`, `38;2;r;g;b`. Its parameters are used up even when they make no colour.
fn color_in_parameters<'p>(groups: &mut impl Iterator<Item = &'p [u16]>) -> Option<Color> {
    let mut next = || groups.next().and_then(|group| group.first().copied());
    match next()? {
        5 => byte(next()?).map(Color::Indexed),
        2 => {
            let (red, green, blue) = (next()?, next()?, next()?);
            Some(Color::Rgb(byte(red)?, byte(green)?, byte(blue)?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::parser::{Parser, TerminalCommand},
        *,
    };

    fn styled(sequence: &str) -> Style {
        let mut style = Style::default();
        Parser::default().feed(&format!("\u{1b}[{sequence}m"), |command| {
            if let TerminalCommand::Sgr(parameters) = command {
                style.apply(parameters);
            }
        });
        style
    }

    #[test]
    fn colours_come_in_sixteen_two_hundred_and_fifty_six_and_true() {
        assert_eq!(styled("31").foreground, Color::Indexed(1));
        assert_eq!(styled("97").foreground, Color::Indexed(15));
        assert_eq!(styled("104").background, Color::Indexed(12));
        assert_eq!(styled("38;5;208").foreground, Color::Indexed(208));
        assert_eq!(styled("48:5:17").background, Color::Indexed(17));
        assert_eq!(styled("38;2;1;2;3").foreground, Color::Rgb(1, 2, 3));
        assert_eq!(styled("38:2::1:2:3").foreground, Color::Rgb(1, 2, 3));
        assert_eq!(styled("38:2:1:2:3").foreground, Color::Rgb(1, 2, 3));
        assert_eq!(styled("31;39").foreground, Color::Default);
    }

    #[test]
    fn what_follows_a_colour_of_parameters_still_counts() {
        let style = styled("38;5;9;1;48;2;1;2;3;3");
        assert_eq!((style.foreground, style.background), (Color::Indexed(9), Color::Rgb(1, 2, 3)));
        assert!(style.has(Face::Bold) && style.has(Face::Italic));
        for underline in ["58;5;1", "58;2;1;2;4", "58:2::1:2:3", "58:5:7"] {
            let style = styled(&format!("4;{underline};31"));
            assert_eq!(
                (style.foreground, style.background),
                (Color::Indexed(1), Color::Default),
                "{underline}"
            );
            assert!(style.has(Face::Underline) && !style.has(Face::Bold));
        }
    }

    #[test]
    fn faces_are_set_and_taken_back() {
        let all = styled("1;2;3;4;7;8;9;53");
        for face in [
            Face::Bold,
            Face::Dim,
            Face::Italic,
            Face::Underline,
            Face::Inverse,
            Face::Hidden,
            Face::Strike,
            Face::Overline,
        ] {
            assert!(all.has(face), "{face:?}");
        }
        assert_eq!(styled("1;2;3;4;7;8;9;53;22;23;24;27;28;29;55"), Style::default());
        assert_eq!(styled("4:3;4:0"), Style::default());
        assert_eq!(styled("1;31;"), Style::default());
    }

    #[test]
    fn nonsense_changes_nothing() {
        for sequence in ["38;5;300", "38;7", "38", "999", "38;2;1;2", "48:9:1"] {
            assert_eq!(styled(sequence), Style::default(), "{sequence}");
        }
    }
}
