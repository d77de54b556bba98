//! A style in the page's words: class names and custom properties.
//!
//! On the page's own paper, the first 16 colours are the theme's variables, and others are brought into the range of
//! lightness in which they can be read there. Text that brings a paper of its own is the same in every theme, and where it
//! would be hard to read on that, it is black or white.

use super::style::{Color, Face, Style};

/// What to put on an element.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct StyleWords {
    /// Class names, separated by spaces.
    pub classes: String,
    /// Value of the custom property `--f`: the text's colour.
    pub foreground: Option<String>,
    /// Value of the custom property `--b`: the colour behind it.
    pub background: Option<String>,
}

/// The page's words for a style.
#[must_use]
pub fn style_words(style: Style) -> StyleWords {
    const NAMES: [(Face, &str); 8] = [
        (Face::Bold, "bold"),
        (Face::Dim, "dim"),
        (Face::Italic, "italic"),
        (Face::Underline, "underline"),
        (Face::Inverse, "inverse"),
        (Face::Hidden, "concealed"),
        (Face::Strike, "strike"),
        (Face::Overline, "overline"),
    ];
    let mut classes = "ansi".to_owned();
    for (face, name) in NAMES {
        if style.has(face) {
            classes.push(' ');
            classes.push_str(name);
        }
    }
    if style.background != Color::Default {
        classes.push_str(" papered");
    }
    let Some(paper) = fixed(style.background) else {
        let foreground = match style.foreground {
            Color::Default => None,
            Color::Indexed(index @ 0..16) => Some(format!("var(--ansi-{index})")),
            color => fixed(color).map(|color| {
                let hex = hex(color);
                format!(
                    "light-dark(oklch(from {hex} min(l, {LIGHTEST_ON_LIGHT}) c h), \
                     oklch(from {hex} max(l, {DARKEST_ON_DARK}) c h))"
                )
            }),
        };
        return StyleWords { classes, foreground, background: None };
    };
    let ink = fixed(style.foreground).filter(|ink| contrast(*ink, paper) >= LEAST_CONTRAST);
    let ink =
        ink.unwrap_or_else(|| if contrast(WHITE, paper) >= contrast(BLACK, paper) { WHITE } else { BLACK });
    StyleWords { classes, foreground: Some(hex(ink)), background: Some(hex(paper)) }
}

type Rgb = (u8, u8, u8);

const BLACK: Rgb = (0, 0, 0);
const WHITE: Rgb = (255, 255, 255);
/// Lightness at which text of any hue can still be read on the light theme's paper.
const LIGHTEST_ON_LIGHT: &str = "0.54";
/// The same on the dark theme's paper.
const DARKEST_ON_DARK: &str = "0.66";
/// What text needs to be read (WCAG 2.2, success criterion 1.4.3).
const LEAST_CONTRAST: f64 = 4.5;
/// The first 16 colours where the theme does not matter (as xterm has them).
const BASIC: [Rgb; 16] = [
    (0, 0, 0),
    (205, 0, 0),
    (0, 205, 0),
    (205, 205, 0),
    (0, 0, 238),
    (205, 0, 205),
    (0, 205, 205),
    (229, 229, 229),
    (127, 127, 127),
    (255, 0, 0),
    (0, 255, 0),
    (255, 255, 0),
    (92, 92, 255),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 255),
];

fn hex((red, green, blue): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// A colour whatever the theme; `None` for the page's own.
fn fixed(color: Color) -> Option<Rgb> {
    match color {
        Color::Default => None,
        Color::Indexed(index) => {
            Some(BASIC.get(usize::from(index)).copied().unwrap_or_else(|| of_cube(index)))
        }
        Color::Rgb(red, green, blue) => Some((red, green, blue)),
    }
}

/// The contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio").
fn contrast(one: Rgb, other: Rgb) -> f64 {
    let luminance = |(red, green, blue): Rgb| {
        // A cubic in place of the standard's power of 2.4: it is off by less than 0.002, and the page need not load a power.
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            value * (value * (value * 0.305_306_011 + 0.682_171_111) + 0.012_522_878)
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    };
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    (one / other).max(other / one)
}

/// The colours from 16 on: a cube of 6 × 6 × 6, then 24 greys (as xterm has them).
fn of_cube(index: u8) -> (u8, u8, u8) {
    let Some(grey) = index.checked_sub(232) else {
        let index = index.saturating_sub(16);
        let level = |step: u8| if step == 0 { 0 } else { 55 + step * 40 };
        return (level(index / 36), level(index / 6 % 6), level(index % 6));
    };
    let level = 8 + grey * 10;
    (level, level, level)
}

#[cfg(test)]
mod tests {
    use super::{super::AnsiReader, *};

    fn words(sequence: &str) -> StyleWords {
        let line = AnsiReader::default().read_line(&format!("\u{1b}[{sequence}mx"));
        style_words(line.runs[0].style)
    }

    #[test]
    fn theme_colours_are_variables_and_others_are_made_legible() {
        assert_eq!(words("31").foreground.unwrap(), "var(--ansi-1)");
        assert_eq!(words("95").foreground.unwrap(), "var(--ansi-13)");
        let legible = words("38;5;16").foreground.unwrap();
        assert_eq!(
            legible,
            "light-dark(oklch(from #000000 min(l, 0.54) c h), oklch(from #000000 max(l, 0.66) c h))"
        );
    }

    #[test]
    fn text_on_paper_of_its_own_can_be_read_in_every_theme() {
        let on_paper = |sequence| {
            let words = words(sequence);
            (words.foreground.unwrap(), words.background.unwrap())
        };
        assert_eq!(on_paper("97;44"), ("#ffffff".to_owned(), "#0000ee".to_owned()));
        assert_eq!(on_paper("48;5;226"), ("#000000".to_owned(), "#ffff00".to_owned()));
        assert_eq!(on_paper("38;2;255;128;0;48;5;231").0, "#000000");
        assert_eq!(on_paper("31;41").0, "#ffffff");
    }

    #[test]
    fn the_cube_and_the_greys_are_xterm_s() {
        assert_eq!(
            [of_cube(16), of_cube(21), of_cube(196), of_cube(231)],
            [(0, 0, 0), (0, 0, 255), (255, 0, 0), (255, 255, 255)]
        );
        assert_eq!([of_cube(232), of_cube(255)], [(8, 8, 8), (238, 238, 238)]);
    }

    #[test]
    fn faces_are_classes() {
        assert_eq!(words("1;3;7;41").classes, "ansi bold italic inverse papered");
    }
}
