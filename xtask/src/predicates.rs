//! Rule that functions with the name of a question (`is_…`, `has_…`, `needs_…`, `can_…`) change nothing.

use anyhow::{Result, ensure};

use crate::sources::RustFile;

/// Beginnings of the definitions.
const PREDICATES: [&str; 4] = ["fn is_", "fn has_", "fn needs_", "fn can_"];

/// Checks that no predicate takes `&mut self`.
///
/// # Errors
/// Each predicate that does.
pub fn check(files: &[RustFile]) -> Result<()> {
    let changing: Vec<_> = files.iter().flat_map(changing).collect();
    ensure!(
        changing.is_empty(),
        "a predicate changes its subject: name it after the change, as in `take_due_ping` (xtask/src/predicates.rs):\n    {}",
        changing.join("\n    ")
    );
    Ok(())
}

fn changing(file: &RustFile) -> Vec<String> {
    let code = &file.source.code;
    let definitions = PREDICATES.iter().flat_map(|prefix| code.match_indices(prefix));
    let changing = definitions.filter_map(|(at, _)| {
        let (before, definition) = code.split_at_checked(at)?;
        let (name, parameters) = definition.split_once('(')?;
        parameters.trim_start().starts_with("&mut self").then(|| {
            let line = before.matches('\n').count() + 1;
            format!("{}:{line}: `{}`", file.path, name.trim_start_matches("fn "))
        })
    });
    changing.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::SourceTree;

    #[test]
    fn a_predicate_that_changes_its_subject_is_refused() {
        let text = "fn is_a(&self) {}\nfn take_b(&mut self) {}\nfn has_c(\n    &mut self,\n) {}\nfn can_d(e: &mut E) {}";
        let mut sources = SourceTree::default();
        sources.add_text("src/a.rs", text.to_owned());
        let error = check(&sources.rust).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.ends_with(":\n    src/a.rs:3: `has_c`"), "{error}");
    }
}
