//! Offset of the last lines of a file.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use memchr::memrchr_iter;

/// Size of a read; blocks are read backwards from the end.
const BLOCK_BYTES: u64 = 64 * 1024;

/// Returns the offset of the last `count` lines in the first `length` bytes. A last line without a line feed is counted.
pub(super) fn offset(file: &mut File, length: u64, count: u64) -> io::Result<u64> {
    if count == 0 {
        return Ok(length);
    }
    // No line starts after the final line feed.
    let (mut end, mut remaining_feeds) = (length, count);
    let mut block = vec![0; BLOCK_BYTES as usize];
    if length > 0 {
        file.seek(SeekFrom::Start(length - 1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        remaining_feeds += u64::from(last == *b"\n");
    }
    while end > 0 {
        let start = end.saturating_sub(BLOCK_BYTES);
        let bytes = usize::try_from(end - start).unwrap_or_default();
        let part = block.get_mut(..bytes).unwrap_or_default();
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        for at in memrchr_iter(b'\n', part) {
            remaining_feeds -= 1;
            if remaining_feeds == 0 {
                return Ok(start + at as u64 + 1);
            }
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn last(text: &str, count: u64) -> String {
        let mut file = crate::tail::generation::tests::unnamed_file();
        file.write_all(text.as_bytes()).unwrap();
        let from = offset(&mut file, text.len() as u64, count).unwrap();
        text.get(usize::try_from(from).unwrap()..).unwrap().to_owned()
    }

    #[test]
    fn the_requested_number_of_lines_is_found() {
        assert_eq!(last("a\nb\nc\n", 2), "b\nc\n");
        assert_eq!(last("a\nb\nc", 2), "b\nc");
        assert_eq!(last("a\n\n\n", 2), "\n\n");
        assert_eq!(last("a\nb\n", 0), "");
        assert_eq!(last("a\nb\n", 9), "a\nb\n");
        assert_eq!(last("", 3), "");
    }

    #[test]
    fn lines_longer_than_a_block_are_found() {
        let long = "x".repeat(3 * BLOCK_BYTES as usize);
        assert_eq!(last(&format!("a\n{long}\nb\n"), 2), format!("{long}\nb\n"));
    }
}
