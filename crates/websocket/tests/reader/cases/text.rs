//! Group 6: texts, valid and invalid, and their rejection at the first invalid byte.

use super::{Case, INVALID_TEXT, check, text_event};
use crate::{
    client_frames::{end, fragmented, part, text, text_start},
    reading::{
        Connection,
        Delivery::{AtOnce, FrameByFrame},
    },
};

const GREEK: &[u8] = b"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5";
/// Text with a surrogate, which is not UTF-8.
const WITH_SURROGATE: &[u8] = b"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80edited";
/// Text with a number beyond the last character. Invalid from [`FIRST_INVALID`] on.
const BEYOND_LAST: &[u8] = b"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xF4\x90\x80\x80edited";
const FIRST_INVALID: usize = 12;

#[test]
fn empty_fragments_are_joined() {
    let cases = [
        Case::new("6.1.1", AtOnce, &[text(b"")], &[text_event(b"")]),
        Case::new("6.1.2", AtOnce, &[text_start(b""), part(b""), end(b"")], &[text_event(b"")]),
        Case::new("6.1.3", AtOnce, &[text_start(b""), part(b"middle"), end(b"")], &[text_event(b"middle")]),
    ];
    check("6.1", 3, &cases);
}

#[test]
fn fragments_may_end_inside_of_a_character() {
    let letters = "letters-äöüß-µ@àá".as_bytes();
    let (before, after) = ("letters-äö", "üß-µ@àá");
    let two = [text_start(before.as_bytes()), end(after.as_bytes())];
    let cases = [
        Case::new("6.2.1", AtOnce, &[text(letters)], &[text_event(letters)]),
        Case::new("6.2.2", AtOnce, &two, &[text_event(letters)]),
        Case::new("6.2.3", AtOnce, &fragmented(true, letters, 1), &[text_event(letters)]),
        Case::new("6.2.4", AtOnce, &fragmented(true, GREEK, 1), &[text_event(GREEK)]),
    ];
    check("6.2", 4, &cases);
}

#[test]
fn invalid_text_is_rejected_in_one_frame_and_in_fragments() {
    let cases = [
        Case::new("6.3.1", AtOnce, &[text(WITH_SURROGATE)], &[INVALID_TEXT]),
        Case::new("6.3.2", FrameByFrame, &fragmented(true, WITH_SURROGATE, 1), &[INVALID_TEXT]),
    ];
    check("6.3", 2, &cases);
}

/// Checks that the first piece is accepted, and that the second one is rejected.
fn check_second(number: &str, pieces: [&[u8]; 2]) {
    let mut connection = Connection::new();
    connection.receive(pieces[0]);
    assert_eq!(connection.events, [], "case {number}, first piece");
    connection.receive(pieces[1]);
    assert_eq!(connection.events, [INVALID_TEXT], "case {number}, second piece");
}

#[test]
fn invalid_text_is_rejected_before_its_end() {
    let (valid, rest) = BEYOND_LAST.split_at(GREEK.len());
    check_second("6.4.1", [&text_start(valid), &part(&rest[..4])]);
    let (possible, rest) = BEYOND_LAST.split_at(FIRST_INVALID);
    check_second("6.4.2", [&text_start(possible), &part(&rest[..1])]);
    // The same in reads of one frame.
    let frame = text(BEYOND_LAST);
    let header_len = frame.len() - BEYOND_LAST.len();
    let reads =
        |first: usize, second: usize| [&frame[..header_len + first], &frame[header_len + first..][..second]];
    check_second("6.4.3", reads(GREEK.len(), 4));
    check_second("6.4.4", reads(FIRST_INVALID, 1));
}

/// Group, whether its texts are valid, and the texts.
type Texts<'a> = (&'a str, bool, &'a [&'a [u8]]);

/// Checks texts of one frame. The valid and the invalid ones of a group follow one another.
fn check_texts(tables: &[Texts<'_>]) {
    for (group, is_valid, texts) in tables {
        for payload in *texts {
            let expected = if *is_valid { text_event(payload) } else { INVALID_TEXT };
            let mut connection = Connection::new();
            connection.receive(&text(payload));
            assert_eq!(connection.events, [expected], "group {group}, {payload:x?}");
        }
    }
}

#[test]
fn characters_of_every_length_are_text() {
    check_texts(&[
        (
            "6.5",
            true,
            &[
                b"hello\x24world",
                b"hello\xC2\xA2world",
                b"hello\xE2\x82\xACworld",
                b"hello\xF0\xA4\xAD\xA2world",
                GREEK,
            ],
        ),
        ("6.7", true, &[b"\x00", b"\xC2\x80", b"\xE0\xA0\x80", b"\xF0\x90\x80\x80"]),
        ("6.9", true, &[b"\x7F", b"\xDF\xBF", b"\xEF\xBF\xBF", b"\xF4\x8F\xBF\xBF"]),
        ("6.11", true, &[b"\xED\x9F\xBF", b"\xEE\x80\x80", b"\xEF\xBF\xBD", b"\xF4\x8F\xBF\xBF"]),
    ]);
}

#[test]
fn only_prefixes_that_end_with_a_character_are_text() {
    // Group 6.6: lengths of the prefixes that are whole characters.
    let whole = [2, 5, 7, 9, 11];
    for len in 1..=GREEK.len() {
        let prefix = &GREEK[..len];
        check_texts(&[("6.6", whole.contains(&len), &[prefix])]);
    }
}

#[test]
fn characters_beyond_the_last_one_are_not_text() {
    check_texts(&[
        ("6.8", false, &[b"\xF8\x88\x80\x80\x80", b"\xFC\x84\x80\x80\x80\x80"]),
        ("6.10", false, &[b"\xF7\xBF\xBF\xBF", b"\xFB\xBF\xBF\xBF\xBF", b"\xFD\xBF\xBF\xBF\xBF\xBF"]),
        ("6.11", false, &[b"\xF4\x90\x80\x80"]),
    ]);
}

#[test]
fn bytes_out_of_their_place_are_not_text() {
    let continuations: Vec<u8> = (0x80..=0xBF).collect();
    check_texts(&[
        (
            "6.12",
            false,
            &[
                b"\x80",
                b"\xBF",
                b"\x80\xBF",
                b"\x80\xBF\x80",
                b"\x80\xBF\x80\xBF",
                b"\x80\xBF\x80\xBF\x80",
                b"\x80\xBF\x80\xBF\x80\xBF",
                &continuations,
            ],
        ),
        ("6.16", false, &[b"\xFE", b"\xFF", b"\xFE\xFE\xFF\xFF"]),
    ]);
    // Group 6.13: first bytes without continuation, for two to six bytes.
    for firsts in [0xC0..=0xDF, 0xE0..=0xEF, 0xF0..=0xF7, 0xF8..=0xFB, 0xFC..=0xFD_u8] {
        let lonely: Vec<u8> = firsts.flat_map(|first| [first, b' ']).collect();
        check_texts(&[("6.13", false, &[&lonely])]);
    }
}

#[test]
fn characters_without_their_last_byte_are_not_text() {
    let incomplete: [&[u8]; 10] = [
        b"\xC0",
        b"\xE0\x80",
        b"\xF0\x80\x80",
        b"\xF8\x80\x80\x80",
        b"\xFC\x80\x80\x80\x80",
        b"\xDF",
        b"\xEF\xBF",
        b"\xF7\xBF\xBF",
        b"\xFB\xBF\xBF\xBF",
        b"\xFD\xBF\xBF\xBF\xBF",
    ];
    check_texts(&[("6.14", false, &incomplete), ("6.15", false, &[&incomplete.concat()])]);
}

#[test]
fn overlong_forms_are_not_text() {
    check_texts(&[
        (
            "6.17",
            false,
            &[
                b"\xC0\xAF",
                b"\xE0\x80\xAF",
                b"\xF0\x80\x80\xAF",
                b"\xF8\x80\x80\x80\xAF",
                b"\xFC\x80\x80\x80\x80\xAF",
            ],
        ),
        (
            "6.18",
            false,
            &[
                b"\xC1\xBF",
                b"\xE0\x9F\xBF",
                b"\xF0\x8F\xBF\xBF",
                b"\xF8\x87\xBF\xBF\xBF",
                b"\xFC\x83\xBF\xBF\xBF\xBF",
            ],
        ),
        (
            "6.19",
            false,
            &[
                b"\xC0\x80",
                b"\xE0\x80\x80",
                b"\xF0\x80\x80\x80",
                b"\xF8\x80\x80\x80\x80",
                b"\xFC\x80\x80\x80\x80\x80",
            ],
        ),
    ]);
}

#[test]
fn surrogates_are_not_text_alone_or_in_pairs() {
    let [high, low] = [
        [b"\xED\xA0\x80", b"\xED\xAD\xBF", b"\xED\xAE\x80", b"\xED\xAF\xBF"].as_slice(),
        [b"\xED\xB0\x80", b"\xED\xBE\x80", b"\xED\xBF\xBF"].as_slice(),
    ];
    for surrogate in high.iter().chain(low) {
        check_texts(&[("6.20", false, &[surrogate.as_slice()])]);
    }
    for first in high {
        for second in [b"\xED\xB0\x80", b"\xED\xBF\xBF"] {
            check_texts(&[("6.21", false, &[&[first.as_slice(), second].concat()])]);
        }
    }
}

#[test]
fn unassigned_and_special_characters_are_text() {
    // Group 6.22: the last two characters of every plane.
    let mut count = 0;
    for plane in 0..=16 {
        for last in [0xFFFE, 0xFFFF] {
            let character = char::from_u32(plane << 16 | last).unwrap();
            check_texts(&[("6.22", true, &[character.to_string().as_bytes()])]);
            count += 1;
        }
    }
    assert_eq!(count, 34);
    // Group 6.23: specials, U+FFF9 to U+FFFF.
    for special in '\u{FFF9}'..='\u{FFFF}' {
        check_texts(&[("6.23", true, &[special.to_string().as_bytes()])]);
    }
}
