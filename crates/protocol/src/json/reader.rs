//! Reading JSON (RFC 8259) without more than a client needs: an object's members as they stand in the text, and the strings,
//! whole numbers and flags among them. What a page loads for it is a fraction of a general parser.
//!
//! Nothing here recurses: a text may be nested as deeply as it is long.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::{MalformedFrame, write::push_plain};

/// The members of an object, unread.
#[derive(Debug)]
pub struct Members<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Members<'a> {
    /// Splits a text that is an object. Every value in it is checked to be JSON.
    ///
    /// # Errors
    /// [`MalformedFrame::Syntax`] when it is none, [`MalformedFrame::Twice`] when a member comes twice.
    pub fn read(text: &'a str) -> Result<Self, MalformedFrame> {
        let mut scanner = Scanner { text, at: 0 };
        let members = scanner.object().ok_or(MalformedFrame::Syntax { at: scanner.at })?;
        for (place, (name, _)) in members.iter().enumerate() {
            if members.iter().take(place).any(|(other, _)| other == name) {
                return Err(MalformedFrame::Twice { member: name.to_string() });
            }
        }
        Ok(Self(members))
    }

    /// A member as it stands in the text. `null` is none.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        self.0
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| *value)
            .filter(|value| *value != "null")
    }

    /// A member that is a string.
    ///
    /// # Errors
    /// [`MalformedFrame::MemberType`] when it is something else.
    pub fn text(&self, name: &'static str) -> Result<Option<Cow<'a, str>>, MalformedFrame> {
        self.with(name, text_of)
    }

    /// A member that is a whole number.
    ///
    /// # Errors
    /// [`MalformedFrame::MemberType`] when it is something else, or beyond 64 bits.
    pub fn number(&self, name: &'static str) -> Result<Option<u64>, MalformedFrame> {
        self.with(name, |value| value.parse().ok())
    }

    /// A member that is `true` or `false`.
    ///
    /// # Errors
    /// [`MalformedFrame::MemberType`] when it is something else.
    pub fn flag(&self, name: &'static str) -> Result<Option<bool>, MalformedFrame> {
        self.with(name, |value| value.parse().ok())
    }

    /// A member that is an object.
    ///
    /// # Errors
    /// [`MalformedFrame::MemberType`] when it is something else.
    pub fn object(&self, name: &'static str) -> Result<Option<Self>, MalformedFrame> {
        match self.raw(name) {
            Some(value) if value.starts_with('{') => Self::read(value).map(Some),
            Some(_) => Err(MalformedFrame::MemberType { member: name }),
            None => Ok(None),
        }
    }

    /// All members, in the order of the text.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }

    fn with<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<Option<T>, MalformedFrame> {
        let read = |value| read(value).ok_or(MalformedFrame::MemberType { member: name });
        self.raw(name).map(read).transpose()
    }
}

/// Whether a text is one JSON value, and nothing else.
#[must_use]
pub fn is_json(text: &str) -> bool {
    let mut scanner = Scanner { text, at: 0 };
    scanner.space();
    let is_value = scanner.value().is_some();
    scanner.space();
    is_value && scanner.at == text.len()
}

/// What a JSON string says; `None` for what is no string, or says what no text can: half of a surrogate pair.
pub(super) fn text_of(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    let escape_in = |text: &str| memchr(b'\\', text.as_bytes());
    if escape_in(inner).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, escape)) = escape_in(rest).and_then(|at| rest.split_at_checked(at)) {
        push_plain(&mut out, plain, rest);
        let (sign, behind) = escape.get(1..)?.split_at_checked(1)?;
        rest = behind;
        out.push(match sign {
            "b" => '\u{8}',
            "f" => '\u{c}',
            "n" => '\n',
            "r" => '\r',
            "t" => '\t',
            "u" => {
                let (c, behind) = unicode(rest)?;
                rest = behind;
                c
            }
            other => other.chars().next()?,
        });
    }
    out.push_str(rest);
    Some(Cow::Owned(out))
}

/// The character behind `\u`, and what follows it.
fn unicode(text: &str) -> Option<(char, &str)> {
    let unit = |text: &str| u32::from_str_radix(text.get(..4)?, 16).ok();
    let (high, rest) = (unit(text)?, text.get(4..)?);
    if let Some(c) = char::from_u32(high) {
        return Some((c, rest));
    }
    let behind = rest.strip_prefix("\\u").filter(|_| high < 0xDC00)?;
    let low = unit(behind).filter(|low| (0xDC00..0xE000).contains(low))?;
    let c = char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?;
    Some((c, behind.get(4..)?))
}

/// Returns whether there is a control character. Has no branch for a byte, so that the compiler looks at many with a few
/// instructions.
fn has_control(bytes: &[u8]) -> bool {
    bytes.iter().fold(false, |any, byte| any | (*byte < 0x20))
}

/// Goes through a text. Where something is not JSON, `at` stays near it.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes `byte`, if it comes next.
    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.takes(byte).then_some(())
    }

    /// The members of the object that the text is.
    fn object(&mut self) -> Option<Vec<(Cow<'a, str>, &'a str)>> {
        let mut members = Vec::new();
        self.space();
        self.take(b'{')?;
        self.space();
        if !self.takes(b'}') {
            loop {
                let from = self.at;
                self.string()?;
                let name = text_of(self.text.get(from..self.at)?)?;
                self.space();
                self.take(b':')?;
                self.space();
                let from = self.at;
                self.value()?;
                members.push((name, self.text.get(from..self.at)?));
                self.space();
                if !self.takes(b',') {
                    break;
                }
                self.space();
            }
            self.take(b'}')?;
        }
        self.space();
        (self.at == self.text.len()).then_some(members)
    }

    /// Goes past a value.
    fn value(&mut self) -> Option<()> {
        let mut open = Vec::new();
        loop {
            match self.peek()? {
                b'{' => {
                    self.at += 1;
                    self.space();
                    if !self.takes(b'}') {
                        open.push(b'}');
                        self.name()?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    self.space();
                    if !self.takes(b']') {
                        open.push(b']');
                        continue;
                    }
                }
                b'"' => self.string()?,
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => self.number()?,
            }
            // Behind a value: a further one, or the end of what holds it.
            loop {
                let Some(close) = open.last().copied() else { return Some(()) };
                self.space();
                if self.takes(b',') {
                    self.space();
                    if close == b'}' {
                        self.name()?;
                    }
                    break;
                }
                self.take(close)?;
                open.pop();
            }
        }
    }

    /// Goes past a member's name, up to its value.
    fn name(&mut self) -> Option<()> {
        self.string()?;
        self.space();
        self.take(b':')?;
        self.space();
        Some(())
    }

    /// Goes past a string. Text with many escapes is common: so the next quote or escape is found first, and the whole string is
    /// searched once for control characters, which are not allowed.
    fn string(&mut self) -> Option<()> {
        self.take(b'"')?;
        let (from, bytes) = (self.at, self.text.as_bytes());
        loop {
            self.at += memchr2(b'"', b'\\', bytes.get(self.at..)?)?;
            if self.takes(b'"') {
                let string = bytes.get(from..self.at)?;
                return (!has_control(string)).then_some(());
            }
            let digits = match bytes.get(self.at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 0,
                b'u' => 4,
                _ => return None,
            };
            self.at += 2;
            for _ in 0..digits {
                self.peek().filter(u8::is_ascii_hexdigit)?;
                self.at += 1;
            }
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.text.get(self.at..)?.starts_with(word).then(|| self.at += word.len())
    }

    fn number(&mut self) -> Option<()> {
        self.takes(b'-');
        if !self.takes(b'0') {
            self.digits()?;
        }
        if self.takes(b'.') {
            self.digits()?;
        }
        if self.takes(b'e') || self.takes(b'E') {
            if !self.takes(b'+') {
                self.takes(b'-');
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Value, value::RawValue};

    use super::*;

    /// JSON, and what is almost JSON.
    fn almost_json() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            Just("{".to_owned()),
            Just("}".to_owned()),
            Just("[".to_owned()),
            Just("]".to_owned()),
            Just(":".to_owned()),
            Just(",".to_owned()),
            Just("null".to_owned()),
            Just("true".to_owned()),
            Just("\\".to_owned()),
            Just("\"".to_owned()),
            Just("\"a\"".to_owned()),
            Just("\\ud83d\\ude00".to_owned()),
            "[ \t\n\r]",
            "\"[a-c\\\\nu0-9é]{0,6}\"",
            "-?[0-9]{1,3}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,2})?",
        ];
        prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|members| Value::from(members.into_iter().collect::<serde_json::Map<_, _>>())),
            ]
        })
    }

    /// serde_json's rules: a string that no text can say is JSON where nobody reads it.
    fn is_json_by_serde(text: &str) -> bool {
        serde_json::from_str::<&RawValue>(text).is_ok()
    }

    proptest! {
        #[test]
        fn what_is_json_is_what_serde_json_takes(text in almost_json()) {
            prop_assert_eq!(is_json(&text), is_json_by_serde(&text), "{}", text);
        }

        #[test]
        fn members_are_those_that_serde_json_reads(text in almost_json(), inside in almost_json()) {
            for text in [text, format!("{{\"a\":{inside}}}")] {
                let theirs = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(&text);
                match (Members::read(&text), theirs) {
                    (Ok(ours), Ok(theirs)) => {
                        let ours: BTreeMap<_, _> = ours.entries().map(|(name, value)| (name.to_owned(), value)).collect();
                        let theirs: BTreeMap<_, _> = theirs.iter().map(|(name, value)| (name.clone(), value.get())).collect();
                        prop_assert_eq!(ours, theirs);
                    }
                    (Err(MalformedFrame::Twice { .. }), Ok(_)) | (Err(_), Err(_)) => {}
                    (ours, theirs) => prop_assert!(false, "{text}: {ours:?}, {theirs:?}"),
                }
            }
        }

        #[test]
        fn values_written_by_serde_json_are_read(value in any_value()) {
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                prop_assert!(is_json(&text), "{}", text);
            }
        }

        #[test]
        fn strings_say_what_they_say_to_serde_json(inner in "([a-zé\\\\\"/bfnrtu0-9dDcCeE]|\\\\u[0-9a-fA-F]{4}){0,8}") {
            let text = format!("\"{inner}\"");
            if is_json(&text) {
                let theirs = serde_json::from_str::<String>(&text).ok();
                prop_assert_eq!(text_of(&text).map(Cow::into_owned), theirs, "{}", text);
            }
        }
    }

    #[test]
    fn a_million_brackets_are_no_danger() {
        let deep = "[".repeat(1_000_000);
        assert!(!is_json(&deep));
        assert!(is_json(&(deep + &"]".repeat(1_000_000))));
    }

    #[test]
    fn an_error_names_the_member_or_the_byte() {
        let twice = Members::read(r#"{"a":1,"a":2}"#).map(drop);
        assert!(matches!(&twice, Err(MalformedFrame::Twice { member }) if member == "a"), "{twice:?}");
        let syntax = Members::read(r#"{"a":tru}"#).map(drop);
        assert!(matches!(syntax, Err(MalformedFrame::Syntax { at: 5 })), "{syntax:?}");
        let members = Members::read(r#"{"a":"1","b":null,"c":1.5}"#).unwrap();
        let number = members.number("a");
        assert!(matches!(number, Err(MalformedFrame::MemberType { member: "a" })), "{number:?}");
        assert!(members.number("c").is_err() && members.flag("a").is_err() && members.object("a").is_err());
        assert!(matches!((members.raw("b"), members.text("b")), (None, Ok(None))));
    }
}
