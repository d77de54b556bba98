//! Detection of unchanged inputs, whose output is not built again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

/// Record of the start of the last build, and of its output.
#[derive(Debug)]
pub struct Stamp {
    file: PathBuf,
    output: PathBuf,
    inputs: Vec<PathBuf>,
}

impl Stamp {
    /// Creates the stamp `name` in `folder`. `output` is a file that represents all output; `inputs` are files and folders.
    pub fn new(folder: PathBuf, name: &str, output: PathBuf, inputs: Vec<PathBuf>) -> Self {
        Self { file: folder.join(format!("{name}-built.txt")), output, inputs }
    }

    /// Builds, unless the inputs are unchanged.
    ///
    /// # Errors
    /// When the build fails, or the stamp cannot be written.
    pub fn renew(&self, build: impl FnOnce() -> Result<()>) -> Result<()> {
        if self.is_current() {
            return Ok(());
        }
        let began = SystemTime::now();
        build()?;
        let text = stamp_text(began, modified(&self.output)?);
        fs::write(&self.file, text).with_context(|| format!("cannot write {}", self.file.display()))
    }

    /// Returns whether the output is from our last build, and no input has changed since its start.
    fn is_current(&self) -> bool {
        let Ok(stamp) = fs::read_to_string(&self.file) else { return false };
        let Ok(output_time) = modified(&self.output) else { return false };
        let newest = self.inputs.iter().filter_map(|input| newest_change(input)).max();
        // An output that another program wrote gives another text.
        stamp_began(&stamp).is_some_and(|began| {
            stamp == stamp_text(began, output_time) && newest.is_some_and(|change| change < began)
        })
    }
}

/// Returns the time of the latest change of a file, or of anything in a folder. The time of the folder itself counts too: it is the
/// only trace of a removed file. `None` if the path does not exist.
fn newest_change(path: &Path) -> Option<SystemTime> {
    let own = modified(path).ok()?;
    let inside = path.read_dir().into_iter().flatten().flatten();
    inside.filter_map(|entry| newest_change(&entry.path())).chain([own]).max()
}

fn modified(path: &Path) -> Result<SystemTime> {
    let time = fs::metadata(path).and_then(|meta| meta.modified());
    time.with_context(|| format!("cannot read the time of {}", path.display()))
}

fn stamp_text(began: SystemTime, output_time: SystemTime) -> String {
    format!("{} {}", nanoseconds(began), nanoseconds(output_time))
}

fn stamp_began(stamp: &str) -> Option<SystemTime> {
    let nanoseconds = stamp.split(' ').next()?.parse().ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(nanoseconds))
}

fn nanoseconds(time: SystemTime) -> u128 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_time(path: &Path, seconds: u64) -> Result<()> {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        Ok(fs::File::open(path)?.set_modified(time)?)
    }

    #[test]
    fn the_newest_change_is_found_however_deep_and_a_removal_counts() -> Result<()> {
        let dir = std::env::temp_dir().join(format!("tailcast-xtask-{}", std::process::id()));
        let (inner, file) = (dir.join("inner"), dir.join("inner/file.rs"));
        fs::create_dir_all(&inner)?;
        fs::write(&file, "")?;
        for (path, seconds) in [(&file, 300), (&inner, 200), (&dir, 100)] {
            set_time(path, seconds)?;
        }
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(newest_change(&dir), at(300));
        fs::remove_file(&file)?;
        assert!(newest_change(&dir) > at(300));
        fs::remove_dir_all(&dir)?;
        assert_eq!(newest_change(&dir), None);
        Ok(())
    }

    #[test]
    fn a_stamp_gives_back_when_the_build_began() {
        let began = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_234_567_890_123_456_789);
        let stamp = stamp_text(began, SystemTime::UNIX_EPOCH);
        assert_eq!(stamp_began(&stamp), Some(began));
        assert_eq!(stamp_began("by hand"), None);
    }
}
