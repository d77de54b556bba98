//! Signals that stop the program.

use crate::{failure::Failure, service::Shutdown};

/// Signal that stops the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopSignal {
    /// SIGINT, sent by Ctrl-C.
    Interrupt,
    /// SIGTERM.
    #[cfg(unix)]
    Terminate,
    /// SIGHUP: the terminal is gone.
    #[cfg(unix)]
    HangUp,
}

/// Stream of stop signals.
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    /// `None` where SIGHUP has another meaning.
    #[cfg(unix)]
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    /// Listens to SIGINT and SIGTERM.
    pub(crate) fn listen() -> Result<Self, Failure> {
        use tokio::signal::unix::SignalKind;
        Ok(Self {
            interrupt: listener(SignalKind::interrupt())?,
            terminate: listener(SignalKind::terminate())?,
            hang_up: None,
        })
    }

    /// Listens to SIGHUP too, unless it is ignored, as by `nohup`.
    pub(crate) fn listen_with_hang_up() -> Result<Self, Failure> {
        use rustix::process::Signal;
        let signals = Self::listen()?;
        if has_signal("self", "SigIgn:", Signal::HUP) {
            return Ok(signals);
        }
        Ok(Self { hang_up: Some(listener(tokio::signal::unix::SignalKind::hangup())?), ..signals })
    }

    pub(crate) async fn next(&mut self) -> StopSignal {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => StopSignal::Interrupt,
            _ = self.terminate.recv() => StopSignal::Terminate,
            () = hang_up => StopSignal::HangUp,
        }
    }
}

impl Signals {
    /// Waits for a signal. Returns the end of a server.
    pub(crate) async fn shutdown(&mut self) -> Shutdown {
        self.next().await;
        Shutdown::Now
    }
}

#[cfg(unix)]
fn listener(kind: tokio::signal::unix::SignalKind) -> Result<tokio::signal::unix::Signal, Failure> {
    tokio::signal::unix::signal(kind)
        .map_err(|error| Failure::runtime(format!("cannot install a signal handler: {error}")))
}

/// Whether a set of signals of a process contains `signal`, by its name in `/proc/PROCESS/status`. `false` on systems without `/proc`.
#[cfg(unix)]
pub(crate) fn has_signal(process: &str, set: &str, signal: rustix::process::Signal) -> bool {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{process}/status")) else { return false };
    let mask = status.lines().find_map(|line| line.strip_prefix(set));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (signal.as_raw() - 1) & 1 == 1
}

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn listen() -> Result<Self, Failure> {
        Ok(Self {})
    }

    pub(crate) fn listen_with_hang_up() -> Result<Self, Failure> {
        Self::listen()
    }

    pub(crate) async fn next(&mut self) -> StopSignal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        StopSignal::Interrupt
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::Signal;

    use super::*;

    #[test]
    fn the_sets_of_signals_of_a_process_are_read() {
        // The runtime of Rust ignores SIGPIPE.
        assert!(has_signal("self", "SigIgn:", Signal::PIPE));
        assert!(!has_signal("self", "SigIgn:", Signal::INT));
        assert!(!has_signal("0", "SigIgn:", Signal::PIPE));
    }
}
