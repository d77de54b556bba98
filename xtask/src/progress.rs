//! What a person sees while they wait: one line per step, on standard error.

use std::time::{Duration, Instant};

use anyhow::Result;

/// Announces a step, runs it, and says how long it took.
///
/// # Errors
/// The step's own.
pub fn step<T>(what: &str, why_and_how_long: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    announce(what, why_and_how_long);
    let start = Instant::now();
    let value = work()?;
    eprintln!("    {what}: done in {}", in_words(start.elapsed()));
    Ok(value)
}

/// Says what begins now, why, and roughly how long it takes.
pub fn announce(what: &str, why_and_how_long: &str) {
    eprintln!("==> {what} ({why_and_how_long})");
}

/// One remark that belongs to no step.
pub fn note(text: &str) {
    eprintln!("    {text}");
}

/// A duration as a person says it: `0.4 s`, `12 s`, `3 min 5 s`.
pub fn in_words(duration: Duration) -> String {
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
    fn durations_read_as_a_person_says_them() {
        assert_eq!(in_words(Duration::from_millis(420)), "0.4 s");
        assert_eq!(in_words(Duration::from_secs(12)), "12 s");
        assert_eq!(in_words(Duration::from_secs(185)), "3 min 5 s");
    }
}
