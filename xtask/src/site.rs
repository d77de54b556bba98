//! What is done to `dist/` after trunk: it then suits a strict Content-Security-Policy, and servers that send files packed.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use sha2::{Digest, Sha256, Sha384};

/// Brotli's best: the page is packed once and sent often.
const BROTLI_QUALITY: i32 = 11;
/// Brotli's largest window of the plain format, 16 MiB: more than the page has.
const BROTLI_WINDOW_BITS: i32 = 24;
/// How many hexadecimal digits of a hash stand in a name, as trunk has it.
const HASH_DIGITS: usize = 16;

/// What stands before and after trunk's start-up script.
const SCRIPT: (&str, &str) = ("<script type=\"module\">", "</script>");

/// Moves the start-up script out of `index.html`, and packs every file.
///
/// # Errors
/// When `index.html` is not what trunk writes, or a file cannot be read or written.
pub fn finish(site: &Path) -> Result<()> {
    let index = site.join("index.html");
    let html = fs::read_to_string(&index).with_context(|| format!("cannot read {}", index.display()))?;
    let moved = move_script_out(&html).with_context(|| {
        format!("{} holds no start-up script such as trunk writes, `{}`", index.display(), SCRIPT.0)
    })?;
    write(&site.join(&moved.name), moved.script.as_bytes())?;
    write(&index, moved.html.as_bytes())?;
    files(site)?.iter().try_for_each(|file| pack(file))
}

/// A page without inline script.
#[derive(Debug)]
struct Moved {
    html: String,
    /// The script's file, named by what it holds.
    name: String,
    script: String,
}

fn move_script_out(html: &str) -> Option<Moved> {
    let (before, rest) = html.split_once(SCRIPT.0)?;
    let (script, after) = rest.split_once(SCRIPT.1)?;
    let script = script.trim().to_owned() + "\n";
    let digits: String = Sha256::digest(&script).iter().map(|byte| format!("{byte:02x}")).collect();
    let name = format!("start-{}.js", digits.get(..HASH_DIGITS)?);
    let integrity = BASE64.encode(Sha384::digest(&script));
    let tag = format!("<script type=\"module\" src=\"./{name}\" integrity=\"sha384-{integrity}\"></script>");
    Some(Moved { html: format!("{before}{tag}{after}"), name, script })
}

/// All files below `folder`.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = folder.read_dir().with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}

/// Writes `FILE.br` and `FILE.gz`, where that saves something.
fn pack(file: &Path) -> Result<()> {
    let plain = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let failed = || format!("cannot pack {}", file.display());
    for (ending, packed) in
        [("br", brotli(&plain).with_context(failed)?), ("gz", gzip(&plain).with_context(failed)?)]
    {
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

fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_moves_into_a_file_named_by_what_it_holds() -> Result<()> {
        let html = "<head><script type=\"module\">\nimport init from './x.js';\n</script><link></head>";
        let moved = move_script_out(html).context("no script")?;
        assert_eq!(moved.script, "import init from './x.js';\n");
        assert!(moved.html.starts_with(&format!("<head><script type=\"module\" src=\"./{}\" ", moved.name)));
        assert!(moved.html.ends_with("\"></script><link></head>"));
        assert!(move_script_out(&moved.html).is_none());
        Ok(())
    }
}
