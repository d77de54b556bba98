//! Names of public types, of which no two in the workspace are equal: a name has one meaning for everybody who reads the code.

use super::ratchet::{Finding, Measures};
use crate::sources::RustFile;

const DEFINITIONS: [&str; 5] = ["pub struct ", "pub enum ", "pub trait ", "pub type ", "pub union "];

/// Finds the definitions of each name; more than one need an entry.
pub fn measure(files: &[RustFile]) -> Measures {
    let mut measures = Measures::new();
    for file in files {
        for (line, code) in file.code_lines() {
            let Some(name) = defined_name(&code) else { continue };
            let measure = measures.entry(name.to_owned()).or_default();
            measure.limit = 1;
            measure.findings.push(Finding {
                path: file.path.clone(),
                line,
                advice: format!("`{name}`: give each type a name of its own"),
            });
        }
    }
    measures
}

/// Returns the name of the public type that a line of code defines.
fn defined_name(code: &str) -> Option<&str> {
    let rest = DEFINITIONS.iter().find_map(|definition| code.trim_start().strip_prefix(definition))?;
    let is_end = |symbol: char| !symbol.is_alphanumeric() && symbol != '_';
    rest.split(is_end).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::SourceTree;

    fn findings(files: &[(&str, &str)], name: &str) -> usize {
        let mut sources = SourceTree::default();
        for (path, text) in files {
            sources.add_text(path, (*text).to_owned());
        }
        measure(&sources.rust).get(name).map_or(0, |measure| measure.findings.len())
    }

    #[test]
    fn definitions_in_all_crates_are_counted() {
        let files = [
            ("src/a.rs", "pub struct Queue<T>(T);\n// pub struct Queue;\npub(crate) struct Queue2;"),
            ("crates/hub/src/b.rs", "mod inner {\n    pub enum Queue {}\n}\npub struct Queues;"),
        ];
        assert_eq!(findings(&files, "Queue"), 2);
        assert_eq!(findings(&files, "Queues"), 1);
        assert_eq!(findings(&files, "Queue2"), 0);
    }

    #[test]
    fn types_of_tests_are_left_out() {
        let files = [
            ("tests/harness/a.rs", "pub struct Queue;"),
            ("src/a/tests.rs", "pub struct Queue;"),
            ("src/b.rs", "#[cfg(test)]\nmod tests {\n    pub struct Queue;\n}\npub type Queue = u8;"),
        ];
        assert_eq!(findings(&files, "Queue"), 1);
    }
}
