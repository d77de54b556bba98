//! CSS of a style: class names and custom properties.
//!
//! On the theme's background, the first 16 colours are variables of the theme, and the lightness of others is limited to keep
//! them legible. Text with a background of its own looks the same in every theme; where its contrast would be too low, it is
//! black or white.

use super::style::{Color, Face, Style};

/// Classes and custom properties of an element.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CssStyle {
    /// Class names, separated by spaces.
    pub classes: String,
    /// Value of the custom property `--f`: the colour of the text.
    pub foreground: Option<String>,
    /// Value of the custom property `--b`: the colour of the background.
    pub background: Option<String>,
}

/// Converts a style to CSS.
#[must_use]
pub fn css_of(style: Style) -> CssStyle {
    let (foreground, background) = match fixed(style.background) {
        Some(background) => {
            let foreground = legible_on(background, style.foreground);
            (Some(hex(foreground)), Some(hex(background)))
        }
        None => (themed(style.foreground), None),
    };
    CssStyle { classes: classes_of(style), foreground, background }
}

fn classes_of(style: Style) -> String {
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
    classes
}

type Rgb = (u8, u8, u8);

const BLACK: Rgb = (0, 0, 0);
const WHITE: Rgb = (255, 255, 255);
/// Maximum lightness of legible text of any hue on the light theme's background.
const MAX_LIGHTNESS_ON_LIGHT: &str = "0.54";
/// Minimum lightness of legible text of any hue on the dark theme's background.
const MIN_LIGHTNESS_ON_DARK: &str = "0.66";
/// Minimum contrast of text (WCAG 2.2, success criterion 1.4.3).
const MIN_CONTRAST: f64 = 4.5;
/// The first 16 colours, as in xterm, where the theme does not define them.
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

/// Returns the CSS colour of text on the theme's background; `None` for the theme's own.
fn themed(foreground: Color) -> Option<String> {
    if let Color::Indexed(index @ 0..16) = foreground {
        return Some(format!("var(--ansi-{index})"));
    }
    let hex = hex(fixed(foreground)?);
    Some(format!(
        "light-dark(oklch(from {hex} min(l, {MAX_LIGHTNESS_ON_LIGHT}) c h), \
         oklch(from {hex} max(l, {MIN_LIGHTNESS_ON_DARK}) c h))"
    ))
}

/// Returns the colour of text on a fixed background: its own, or black or white if its contrast would be too low.
fn legible_on(background: Rgb, foreground: Color) -> Rgb {
    let own = fixed(foreground).filter(|own| contrast(*own, background) >= MIN_CONTRAST);
    own.unwrap_or_else(
        || {
            if contrast(WHITE, background) >= contrast(BLACK, background) { WHITE } else { BLACK }
        },
    )
}

fn hex((red, green, blue): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Returns a colour that does not depend on the theme; `None` for the theme's own.
fn fixed(color: Color) -> Option<Rgb> {
    match color {
        Color::Default => None,
        Color::Indexed(index) => {
            Some(BASIC.get(usize::from(index)).copied().unwrap_or_else(|| of_cube(index)))
        }
        Color::Rgb(red, green, blue) => Some((red, green, blue)),
    }
}

/// Returns the contrast ratio of two colours, from 1 to 21 (WCAG 2.2).
fn contrast(one: Rgb, other: Rgb) -> f64 {
    let luminance = |(red, green, blue): Rgb| {
        // A cubic in place of the standard's power of 2.4: the error is below 0.002, and the module needs no power function.
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            value * (value * (value * 0.305_306_011 + 0.682_171_111) + 0.012_522_878)
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    };
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    (one / other).max(other / one)
}

/// Returns a colour from index 16 on, as in xterm: a cube of 6 × 6 × 6, then 24 greys.
fn of_cube(index: u8) -> Rgb {
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

    fn css(sequence: &str) -> CssStyle {
        let line = AnsiReader::default().read_line(&format!("\u{1b}[{sequence}mx"));
        css_of(line.runs[0].style)
    }

    #[test]
    fn theme_colours_are_variables_and_others_are_limited_in_lightness() {
        assert_eq!(css("31").foreground.unwrap(), "var(--ansi-1)");
        assert_eq!(css("95").foreground.unwrap(), "var(--ansi-13)");
        let legible = css("38;5;16").foreground.unwrap();
        assert_eq!(
            legible,
            "light-dark(oklch(from #000000 min(l, 0.54) c h), oklch(from #000000 max(l, 0.66) c h))"
        );
    }

    #[test]
    fn text_on_a_background_of_its_own_is_legible_in_every_theme() {
        let on_background = |sequence| {
            let css = css(sequence);
            (css.foreground.unwrap(), css.background.unwrap())
        };
        assert_eq!(on_background("97;44"), ("#ffffff".to_owned(), "#0000ee".to_owned()));
        assert_eq!(on_background("48;5;226"), ("#000000".to_owned(), "#ffff00".to_owned()));
        assert_eq!(on_background("38;2;255;128;0;48;5;231").0, "#000000");
        assert_eq!(on_background("31;41").0, "#ffffff");
    }

    #[test]
    fn the_cube_and_the_greys_are_those_of_xterm() {
        assert_eq!(
            [of_cube(16), of_cube(21), of_cube(196), of_cube(231)],
            [(0, 0, 0), (0, 0, 255), (255, 0, 0), (255, 255, 255)]
        );
        assert_eq!([of_cube(232), of_cube(255)], [(8, 8, 8), (238, 238, 238)]);
    }

    #[test]
    fn faces_are_classes() {
        assert_eq!(css("1;3;7;41").classes, "ansi bold italic inverse papered");
    }
}
