//! Compressed copies of files, for servers that send them as they are.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::write;

/// Highest quality of Brotli: the page is compressed once and sent often.
const BROTLI_QUALITY: i32 = 11;
/// Largest window of Brotli's standard format: 16 MiB, more than the size of the page.
const BROTLI_WINDOW_BITS: i32 = 24;
/// Extensions of compressed files.
const ENDINGS: [&str; 2] = ["br", "gz"];

/// Returns whether a file is a compressed copy that [`pack`] wrote.
pub fn is_packed(file: &Path) -> bool {
    file.extension().and_then(OsStr::to_str).is_some_and(|ending| ENDINGS.contains(&ending))
}

/// Writes `FILE.br` and `FILE.gz`, if they are smaller.
pub(super) fn pack(file: &Path) -> Result<()> {
    let plain = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let failed = || format!("cannot pack {}", file.display());
    let packed = [brotli(&plain).with_context(failed)?, gzip(&plain).with_context(failed)?];
    for (ending, packed) in ENDINGS.iter().zip(packed) {
        if packed.len() < plain.len() {
            write(&PathBuf::from(format!("{}.{ending}", file.display())), &packed)?;
        }
    }
    Ok(())
}

fn brotli(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let params = brotli::enc::BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_WINDOW_BITS,
        size_hint: plain.len(),
        ..Default::default()
    };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &plain[..], &mut packed, &params)?;
    Ok(packed)
}

fn gzip(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain)?;
    encoder.finish()
}
