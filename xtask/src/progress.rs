//! Progress on standard error: one line per step.

use std::time::{Duration, Instant};

use anyhow::Result;

/// Announces a step, runs it, and prints its duration.
///
/// # Errors
/// The step's own.
pub fn step<T>(what: &str, why_and_how_long: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    announce(what, why_and_how_long);
    let start = Instant::now();
    let value = work()?;
    eprintln!("    {what}: done in {}", humanized(start.elapsed()));
    Ok(value)
}

/// Prints the name of a step, its reason and its rough duration.
pub fn announce(what: &str, why_and_how_long: &str) {
    eprintln!("==> {what} ({why_and_how_long})");
}

/// Prints a remark.
pub fn note(text: &str) {
    eprintln!("    {text}");
}

/// Formats a duration: `0.4 s`, `12 s`, `3 min 5 s`.
pub fn humanized(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_of_their_size() {
        assert_eq!(humanized(Duration::from_millis(420)), "0.4 s");
        assert_eq!(humanized(Duration::from_secs(12)), "12 s");
        assert_eq!(humanized(Duration::from_secs(185)), "3 min 5 s");
    }
}
