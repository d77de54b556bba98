//! URLs that stand in the text of a line.

use std::ops::Range;

/// Schemes of the URLs that are links.
const SCHEMES: [&str; 2] = ["http://", "https://"];
/// Opening and closing brackets: a closing one belongs to a URL that contains its opening one.
const BRACKETS: [(char, char); 4] = [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>')];

/// Returns the byte ranges of the URLs in a text: ascending and disjoint.
#[must_use]
pub fn plain_urls(text: &str) -> Vec<Range<usize>> {
    let mut urls: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    while let Some(colon) = text.get(from..).and_then(|rest| rest.find("://")).map(|at| from + at) {
        from = colon + "://".len();
        let is_behind_last = |start: &usize| urls.last().is_none_or(|last| last.end <= *start);
        let Some(start) =
            scheme_start(text, colon).filter(is_behind_last).filter(|_| begins_with_host(text, from))
        else {
            continue;
        };
        let end = end_of(text, from);
        if has_host(text.get(from..end).unwrap_or_default()) {
            urls.push(start..end);
            from = end;
        }
    }
    urls
}

/// Returns the start of the scheme whose colon is given, unless it is another one or part of a word.
fn scheme_start(text: &str, colon: usize) -> Option<usize> {
    SCHEMES.iter().find_map(|scheme| {
        let start = (colon + "://".len()).checked_sub(scheme.len())?;
        let is_scheme = text.get(start..)?.get(..scheme.len())?.eq_ignore_ascii_case(scheme);
        let is_word = text.get(..start)?.chars().next_back().is_some_and(char::is_alphanumeric);
        (is_scheme && !is_word).then_some(start)
    })
}

/// Returns the end of the URL that goes on at `from`, without what trails as punctuation.
fn end_of(text: &str, from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let length = rest.find(|character| !is_of_url(character)).unwrap_or(rest.len());
    let url = rest.get(..length).unwrap_or_default();
    // Texts are far shorter than 2^63 bytes.
    let count = |bracket: char| url.matches(bracket).count().cast_signed();
    let mut surplus = BRACKETS.map(|(open, close)| count(close) - count(open));
    from + url.trim_end_matches(|last| is_trailing(last, &mut surplus)).len()
}

/// Whether a host begins at `from`, without a search for the end of the URL.
fn begins_with_host(text: &str, from: usize) -> bool {
    let rest = text.get(from..).unwrap_or_default();
    let end = rest.find(|character| !is_of_url(character) || matches!(character, '/' | '?' | '#'));
    has_host(rest.get(..end.unwrap_or(rest.len())).unwrap_or_default())
}

/// Whether a character can be part of a URL, as people write them: letters of all scripts, but nothing invisible.
fn is_of_url(character: char) -> bool {
    if character.is_ascii() {
        character.is_ascii_graphic() && !matches!(character, '"' | '<' | '>' | '`' | '\\' | '^' | '|')
    } else {
        character.is_alphanumeric()
    }
}

/// Whether the last character of a URL is punctuation after it, or a bracket that was opened before it or is not closed. `surplus` is how
/// many more closing brackets of each kind the URL has than opening ones; those that are removed are subtracted.
fn is_trailing(last: char, surplus: &mut [isize; BRACKETS.len()]) -> bool {
    if matches!(last, '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*') {
        return true;
    }
    BRACKETS.iter().zip(surplus).any(|((open, close), surplus)| {
        let is_surplus = last == *close && *surplus > 0;
        *surplus += isize::from(last == *open) - isize::from(is_surplus);
        is_surplus || last == *open
    })
}

/// Whether what follows a scheme begins with a host: no user, who could look like one, and no characters that look like others.
fn has_host(rest: &str) -> bool {
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    !host.contains('@')
        && host.is_ascii()
        && host.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[')
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn urls(text: &str) -> Vec<&str> {
        plain_urls(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn punctuation_after_a_url_is_not_part_of_it_and_brackets_are_balanced() {
        assert_eq!(
            urls("see https://example.org/a_(b)?x=1&y=2. and (https://example.org/p)"),
            ["https://example.org/a_(b)?x=1&y=2", "https://example.org/p"]
        );
        for (text, url) in [
            ("listening on http://127.0.0.1:8080/.", "http://127.0.0.1:8080/"),
            ("GET=\"HTTP://h/a,b;c\",", "HTTP://h/a,b;c"),
            ("[docs](https://h/x[1]) more", "https://h/x[1]"),
            ("<https://h/?q=a|b>", "https://h/?q=a"),
            ("url='https://h/a%20b#part'", "https://h/a%20b#part"),
            ("http://[::1]:80/x!?", "http://[::1]:80/x"),
            ("https://de.wikipedia.org/wiki/Größe…", "https://de.wikipedia.org/wiki/Größe"),
            ("{\"url\":\"https://h/{id}\"}", "https://h/{id}"),
            ("https://h/a(b)( x", "https://h/a(b)"),
        ] {
            assert_eq!(urls(text), [url], "{text}");
        }
    }

    #[test]
    fn the_time_grows_with_the_length_of_the_text_whatever_it_has() {
        for part in ["http://h/a)", "http://.x", "http://a@", "http://h(", "http://[", "x://", ")"] {
            let text = format!("http://h/{}", part.repeat(1 << 15));
            assert!(urls(&text).len() <= 1 << 15, "{part}");
        }
    }

    #[test]
    fn other_schemes_words_and_hosts_that_mislead_are_no_links() {
        for text in [
            "javascript://h/%0aalert(1)",
            "ftp://h/x ws://h/x file:///etc/passwd",
            "xhttp://h/",
            "https://",
            "http://. http:///path",
            "https://good.example@bad.example/",
            "https://аррӏе.com/",
        ] {
            assert_eq!(urls(text), [""; 0], "{text}");
        }
    }

    proptest! {
        #[test]
        fn urls_are_disjoint_and_start_with_their_scheme(text in "(https?://|[a-z0-9.()\\[\\]@/ é\u{202e}\"]){0,30}") {
            let mut end = 0;
            for range in plain_urls(&text) {
                prop_assert!(range.start >= end && range.end > range.start);
                prop_assert!(text[range.clone()].starts_with("http"));
                let has_invisible = text[range.clone()].contains('\u{202e}');
                prop_assert!(!has_invisible);
                end = range.end;
            }
        }
    }
}
