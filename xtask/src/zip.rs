//! ZIP archives (PKWARE APPNOTE), as wheels of Python are. Small ones only: without the extensions for more than 4 GiB.

use std::io::Write;

use anyhow::{Context, Result};
use flate2::{Compression, Crc, write::DeflateEncoder};

const LOCAL_HEADER: u32 = 0x0403_4b50;
const CENTRAL_HEADER: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// Version 2.0, the first one with the compression method.
const VERSION: u16 = 20;
/// System that the attributes are for: Unix.
const UNIX: u16 = 3 << 8;
/// File names are UTF-8.
const UTF_8: u16 = 1 << 11;
const DEFLATE: u16 = 8;
/// 1980-01-01, the earliest date, so that equal contents give equal archives.
const DATE: u16 = 1 << 5 | 1;
/// A regular file, in the upper half of the attributes.
const REGULAR_FILE: u32 = 0o100_000;

/// Archive in memory.
#[derive(Debug, Default)]
pub struct Zip {
    files: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

impl Zip {
    /// Adds a file with its permissions, such as `0o755`.
    ///
    /// # Errors
    /// If a size exceeds the limits of the format.
    pub fn add(&mut self, name: &str, content: &[u8], mode: u32) -> Result<()> {
        let mut crc = Crc::new();
        crc.update(content);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content)?;
        let packed = encoder.finish()?;
        let offset = size(self.files.len())?;
        let mut common = Vec::new();
        for field in [VERSION, UTF_8, DEFLATE, 0, DATE] {
            common.extend(field.to_le_bytes());
        }
        for field in [crc.sum(), size(packed.len())?, size(content.len())?] {
            common.extend(field.to_le_bytes());
        }
        common.extend(u16::try_from(name.len()).context("the name is too long")?.to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        self.files.extend(LOCAL_HEADER.to_le_bytes());
        self.files.extend(&common);
        self.files.extend(name.as_bytes());
        self.files.extend(&packed);
        self.directory.extend(CENTRAL_HEADER.to_le_bytes());
        self.directory.extend((UNIX | VERSION).to_le_bytes());
        self.directory.extend(&common);
        // No comment, the first disk, and no attributes of MS-DOS.
        self.directory.extend([0; 6]);
        self.directory.extend(((REGULAR_FILE | mode) << 16).to_le_bytes());
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.count = self.count.checked_add(1).context("too many files")?;
        Ok(())
    }

    /// Returns the archive.
    ///
    /// # Errors
    /// If a size exceeds the limits of the format.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        let (start, length) = (size(self.files.len())?, size(self.directory.len())?);
        self.files.append(&mut self.directory);
        self.files.extend(END.to_le_bytes());
        self.files.extend([0; 4]);
        self.files.extend(self.count.to_le_bytes());
        self.files.extend(self.count.to_le_bytes());
        self.files.extend(length.to_le_bytes());
        self.files.extend(start.to_le_bytes());
        self.files.extend([0; 2]);
        Ok(self.files)
    }
}

fn size(bytes: usize) -> Result<u32> {
    u32::try_from(bytes).context("the archive exceeds 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_the_documented_lengths_and_positions() {
        let mut zip = Zip::default();
        zip.add("a", b"aaaaaaaaaaaaaaaa", 0o755).unwrap();
        zip.add("b/c", b"", 0o644).unwrap();
        let files = zip.files.len();
        let bytes = zip.finish().unwrap();
        let end = bytes.len() - 22;
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!((number(0), number(files), number(end)), (LOCAL_HEADER, CENTRAL_HEADER, END));
        assert_eq!(number(end + 16) as usize, files);
        assert_eq!(number(end + 12) as usize, end - files);
        assert_eq!(number(files + 38) >> 16, 0o100_755, "attributes of the first file");
        assert_eq!(number(files + 24), 16, "size of the first file");
        assert_eq!(end - files, 2 * 46 + "a".len() + "b/c".len());
    }
}
