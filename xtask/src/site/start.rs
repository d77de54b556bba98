//! Start-up script of the page: an external file in place of trunk's inline script, which shows no error when it fails.

use std::path::Path;

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use sha2::{Digest, Sha384};

use super::{INDEX, read, short_hash, write};

/// Tags around trunk's start-up script.
const SCRIPT: (&str, &str) = ("<script type=\"module\">", "</script>");
/// Code in trunk's script before the names of the page's script and of its WebAssembly. Both names end with a quote.
const NAMES: (&str, &str) = (" from './", "module_or_path: './");

/// Our script, with placeholders for the two names.
const START: &str = include_str!("start.js");
const MARKS: (&str, &str) = ("__SCRIPT__", "__MODULE__");

/// Replaces trunk's script by ours.
///
/// # Errors
/// When `index.html` is not what trunk writes, or cannot be read or written.
pub fn move_out(site: &Path) -> Result<()> {
    let index = site.join(INDEX);
    let moved = moved_out(&read(&index)?).with_context(|| {
        format!("{} holds no start-up script such as trunk writes, `{}`", index.display(), SCRIPT.0)
    })?;
    write(&site.join(&moved.name), moved.script.as_bytes())?;
    write(&index, moved.html.as_bytes())
}

/// Page without an inline script.
#[derive(Debug)]
struct Moved {
    html: String,
    /// File name of the script, with the hash of its contents.
    name: String,
    script: String,
}

fn moved_out(html: &str) -> Option<Moved> {
    let (before, rest) = html.split_once(SCRIPT.0)?;
    let (trunks, after) = rest.split_once(SCRIPT.1)?;
    let named =
        |mark| trunks.split_once(mark).and_then(|(_, rest)| rest.split_once('\'')).map(|(name, _)| name);
    let script = START.replace(MARKS.0, named(NAMES.0)?).replace(MARKS.1, named(NAMES.1)?);
    let name = format!("start-{}.js", short_hash(&[script.as_bytes()]));
    let integrity = BASE64.encode(Sha384::digest(&script));
    let tag = format!("<script type=\"module\" src=\"./{name}\" integrity=\"sha384-{integrity}\"></script>");
    Some(Moved { html: format!("{before}{tag}{after}"), name, script })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_script_starts_what_trunks_would_and_is_named_by_what_it_holds() -> Result<()> {
        let trunks = "\nimport init, * as bindings from './page-1.js';\n\
                      const wasm = await init({ module_or_path: './page-1_bg.wasm' });\n";
        let html = format!("<head><script type=\"module\">{trunks}</script><link></head>");
        let moved = moved_out(&html).context("no script")?;
        assert!(moved.script.contains("import(\"./page-1.js\")"), "{}", moved.script);
        assert!(moved.script.contains("\"./page-1_bg.wasm\""), "{}", moved.script);
        assert!(moved.html.starts_with(&format!("<head><script type=\"module\" src=\"./{}\" ", moved.name)));
        assert!(moved.html.ends_with("\"></script><link></head>"));
        assert!(moved_out(&moved.html).is_none());
        Ok(())
    }
}
