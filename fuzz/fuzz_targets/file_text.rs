//! Encodings of files: in whatever slices a file is read, its text and its lines are the same, and what is not marked is unchanged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tailcast::model::{file_lines::FileLines, file_text::FileText};

const MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];

fn decode<'a>(slices: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut file = FileText::default();
    let mut text: Vec<u8> = slices.flat_map(|slice| file.decode(slice).into_owned()).collect();
    text.extend(file.finish());
    text
}

fn lines<'a>(slices: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let (mut file, mut lines) = (FileLines::default(), Vec::new());
    for slice in slices {
        file.feed(slice, |line| lines.push(line.to_owned()));
    }
    let count = file.finish(|line| lines.push(line.to_owned()));
    assert_eq!(count, lines.len() as u64);
    lines
}

fuzz_target!(|data: (u8, &[u8])| {
    let (slice, bytes) = data;
    let slice = usize::from(slice).max(1);
    let text = decode(std::iter::once(bytes));
    assert_eq!(text, decode(bytes.chunks(slice)));
    assert_eq!(lines(std::iter::once(bytes)), lines(bytes.chunks(slice)));
    if !MARKS.iter().any(|mark| bytes.starts_with(mark)) {
        assert_eq!(text, bytes);
    }
});
