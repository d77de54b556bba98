//! Properties of characters: case variants, normalization forms and classes.
//!
//! Case variants come from the tables of the standard library. The page takes normalization forms and classes from the browser,
//! which has their tables: they would be a quarter of the page.

use std::{cell::RefCell, collections::VecDeque, ops::RangeInclusive};

/// Maximum count of classes that are stored: the browser takes tens of milliseconds for each.
const MAX_CLASSES: usize = 16;

/// Characters of a class, in order.
pub type Class = Vec<RangeInclusive<char>>;

/// Characters that fold to another one, but are neither its capital nor its small letter (Unicode, CaseFolding.txt, status C).
const FURTHER_VARIANTS: [char; 31] = [
    '\u{b5}', '\u{17f}', '\u{345}', '\u{3c2}', '\u{3d0}', '\u{3d1}', '\u{3d5}', '\u{3d6}', '\u{3f0}',
    '\u{3f1}', '\u{3f5}', '\u{1c80}', '\u{1c81}', '\u{1c82}', '\u{1c83}', '\u{1c84}', '\u{1c85}', '\u{1c86}',
    '\u{1c87}', '\u{1c88}', '\u{1e9b}', '\u{1e9e}', '\u{1fbe}', '\u{2126}', '\u{212a}', '\u{212b}',
    '\u{1c5}', '\u{1c8}', '\u{1cb}', '\u{1f2}', '\u{3f4}',
];

/// Normalization form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Composed.
    Nfc,
    /// Decomposed.
    Nfd,
}

/// Returns the character to which all case variants of a character fold.
fn folded(character: char) -> char {
    // These fold to themselves, whatever their capital and small letters are.
    if matches!(character, 'ı' | 'İ') {
        return character;
    }
    let single = |mut characters: Box<dyn Iterator<Item = char>>| {
        let first = characters.next();
        first.filter(|_| characters.next().is_none())
    };
    let upper = single(Box::new(character.to_uppercase())).unwrap_or(character);
    single(Box::new(upper.to_lowercase())).unwrap_or(upper)
}

/// Returns the case variants of a character, itself included.
#[must_use]
pub fn variants(character: char) -> Vec<char> {
    let fold = folded(character);
    let mut variants = vec![character, fold];
    variants.extend(fold.to_uppercase().chain(character.to_lowercase()));
    variants.extend(FURTHER_VARIANTS);
    variants.retain(|variant| folded(*variant) == fold);
    variants.sort_unstable();
    variants.dedup();
    variants
}

/// Returns a class by its body in a regular expression: `\p{L}`, or several. `None` if it is unknown.
#[must_use]
pub fn class(body: &str) -> Option<Class> {
    thread_local! {
        static CLASSES: RefCell<VecDeque<(String, Option<Class>)>> = const { RefCell::new(VecDeque::new()) };
    }
    CLASSES.with_borrow_mut(|classes| {
        if let Some((_, class)) = classes.iter().find(|(known, _)| known == body) {
            return class.clone();
        }
        let class = implementation::class(body);
        if classes.len() >= MAX_CLASSES {
            classes.pop_front();
        }
        classes.push_back((body.to_owned(), class.clone()));
        class
    })
}

/// Returns text in a normalization form.
#[must_use]
pub fn normalized(text: &str, form: Form) -> String {
    if text.is_ascii() { text.to_owned() } else { implementation::normalized(text, form) }
}

/// Whether a class has a character.
#[must_use]
pub fn contains(class: &Class, character: char) -> bool {
    let at = class.partition_point(|range| *range.end() < character);
    class.get(at).is_some_and(|range| range.contains(&character))
}

#[cfg(target_arch = "wasm32")]
mod implementation {
    use js_sys::{Array, Function, JsString, Reflect, RegExp};
    use wasm_bindgen::{JsCast, JsValue};

    use super::{Class, Form};

    pub(super) fn normalized(text: &str, form: Form) -> String {
        let form = match form {
            Form::Nfc => "NFC",
            Form::Nfd => "NFD",
        };
        JsString::from(text).normalize(form).into()
    }

    /// Lets the browser find the class in a text of all characters. A method of its own, because the constructor throws.
    pub(super) fn class(body: &str) -> Option<Class> {
        let constructor = Reflect::get(&js_sys::global(), &JsValue::from_str("RegExp")).ok()?;
        let arguments = Array::of2(&JsValue::from_str(&format!("[{body}]+")), &JsValue::from_str("gu"));
        let expression = Reflect::construct(constructor.unchecked_ref::<Function>(), &arguments).ok()?;
        let characters: String = ('\0'..=char::MAX).collect();
        let runs = JsString::from(characters).match_(expression.unchecked_ref::<RegExp>())?;
        let range_of = |run: JsValue| {
            let run = run.as_string()?;
            Some(run.chars().next()?..=run.chars().next_back()?)
        };
        Some(Array::from(&runs).iter().filter_map(range_of).collect())
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod implementation {
    use regex_syntax::hir::{Class as HirClass, HirKind};
    use unicode_normalization::UnicodeNormalization;

    use super::{Class, Form};

    pub(super) fn normalized(text: &str, form: Form) -> String {
        match form {
            Form::Nfc => text.nfc().collect(),
            Form::Nfd => text.nfd().collect(),
        }
    }

    pub(super) fn class(body: &str) -> Option<Class> {
        let expression = regex_syntax::parse(&format!("[{body}]")).ok()?;
        match expression.kind() {
            HirKind::Class(HirClass::Unicode(class)) => {
                Some(class.ranges().iter().map(|range| range.start()..=range.end()).collect())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn variants_are_those_that_fold_to_the_same_character() {
        for (character, expected) in [
            ('a', "Aa"),
            ('ш', "Шш"),
            ('Σ', "Σςσ"),
            ('ς', "Σςσ"),
            ('ß', "ß\u{1e9e}"),
            ('k', "Kk\u{212a}"),
            ('\u{17f}', "Ss\u{17f}"),
            ('\u{c5}', "\u{c5}\u{e5}\u{212b}"),
            ('ı', "ı"),
            ('İ', "İ"),
            ('i', "Ii"),
            ('\u{1c6}', "\u{1c4}\u{1c5}\u{1c6}"),
            ('日', "日"),
            ('1', "1"),
        ] {
            assert_eq!(variants(character), expected.chars().collect::<Vec<_>>(), "{character}");
        }
    }

    #[test]
    fn classes_and_forms_are_those_of_unicode() {
        let class_of = |body: &str, character| contains(&class(body).unwrap(), character);
        assert!(class_of(r"\p{L}", 'ш') && class_of(r"\p{Nd}", '٣') && class_of(r"\p{Script=Greek}", 'π'));
        assert!(!class_of(r"\p{L}", '1') && !class_of(r"\p{Nd}", '½'));
        assert!(class_of(r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}", '\u{301}'));
        assert_eq!(class(r"\p{Lu}").and_then(|class| class.first().cloned()), Some('A'..='Z'));
        assert_eq!(class(r"\p{Nope}"), None);
        assert_eq!(normalized("e\u{301}", Form::Nfc), "é");
        assert_eq!(normalized("é", Form::Nfd), "e\u{301}");
    }
}
