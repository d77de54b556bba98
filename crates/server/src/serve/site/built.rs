//! Files that the build of the page has made: they contain nothing of the user.
//!
//! A name with a hash is not enough, since a folder can have files of the user with such names. The service worker of the page lists
//! those of its build.

use std::path::PathBuf;

use tokio::io::AsyncReadExt;
use tower_http::services::fs::Backend;

use super::{Site, embedded::Embedded, folder::Folder, headers::has_hash};

/// File name of the service worker.
const WORKER: &str = "service_worker.js";
/// Maximum size of a service worker that is read, in bytes.
const MAX_WORKER_BYTES: u64 = 64 * 1024;
/// Line of a service worker of this project.
const IS_OURS: &str = "const OURS = \"tailcast-page\";";
/// Begin of the line with its list.
const LIST: &str = "const FILES = ";

impl Site {
    /// Whether the build of the page has made the file at a path, whose name has a hash.
    pub(in crate::serve) async fn has_built(&self, path: &str) -> bool {
        let Some(name) = path.strip_prefix('/').filter(|name| has_hash(name)) else { return false };
        match self {
            Self::Embedded => Embedded::get(name).is_some(),
            Self::Folder(folder) => {
                worker(&Folder::new(folder)).await.is_some_and(|script| lists(&script, name))
            }
            Self::Missing => false,
        }
    }
}

/// Reads the service worker. It is read for each request, because the folder can get another build.
async fn worker(folder: &Folder) -> Option<String> {
    let file = folder.open(PathBuf::from(WORKER)).await.ok()?;
    let mut script = String::new();
    file.take(MAX_WORKER_BYTES).read_to_string(&mut script).await.ok()?;
    Some(script)
}

/// Whether a service worker of this project lists a name. Names with a hash have no characters that JSON escapes.
fn lists(script: &str, name: &str) -> bool {
    let is_ours = script.lines().any(|line| line == IS_OURS);
    let list = script.lines().find_map(|line| line.strip_prefix(LIST)).filter(|_| is_ours);
    list.is_some_and(|list| list.split('"').skip(1).step_by(2).any(|listed| listed == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_of_the_user_is_none_of_the_build_whatever_its_name() {
        let folder = std::env::temp_dir().join(format!("tailcast-built-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let site = Site::Folder(folder.clone());
        let (built, users) = ("/page-dfbabe9bcee54733.js", "/report-dfbabe9bcee54734.html");
        for name in [built, users, "/report-20261201.html"] {
            std::fs::write(folder.join(name.trim_start_matches('/')), "x").unwrap();
        }
        assert!(!site.has_built(built).await, "without a service worker");
        let list = "const FILES = [\"page-dfbabe9bcee54733.js\",\"report-20261201.html\"];";
        for (script, is_built) in [(format!("{list}\n{IS_OURS}\n"), true), (format!("{list}\n"), false)] {
            std::fs::write(folder.join(WORKER), script).unwrap();
            assert_eq!(site.has_built(built).await, is_built);
            for name in [users, "/report-20261201.html", "/service_worker.js", "//page-dfbabe9bcee54733.js"] {
                assert!(!site.has_built(name).await, "{name}");
            }
        }
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(!Site::Missing.has_built(built).await);
    }
}
