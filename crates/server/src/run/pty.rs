//! A terminal of its own for the command, between it and the user's terminal.
//!
//! ```text
//! user's terminal ─ keys ─► raw standard input ─► terminal of the command ─► command
//!                 ◄─────── standard output ◄───── terminal of the command ◄─ output
//! ```
//!
//! Keys arrive unchanged, so Ctrl-C interrupts the command, and nothing else. Ctrl-Z stops the command and this program, until
//! the shell continues both, unless the command handles it.

use std::{
    io::{self, IsTerminal, Read},
    os::fd::AsFd,
    time::Duration,
};

use pty_process::{OwnedWritePty, Size};
use rustix::{
    process::{Pid, Signal, kill_current_process_group, kill_process_group},
    stdio,
    termios::{self, LocalModes, OptionalActions, SpecialCodeIndex, Termios},
};
use tokio::{
    io::AsyncWriteExt,
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use super::{
    Started, is_in_foreground, not_started,
    outputs::{ExitReceiver, Output, publish_outputs},
};
use crate::{
    cli::RunOptions, failure::Failure, pipeline::input::InputSender, secret, signals::has_signal,
    terminal::set_raw,
};

/// Capacity of the queue of reads of the keyboard.
const KEY_QUEUE_LIMIT: usize = 16;
/// Bytes of a read of the keyboard.
const KEY_BYTES: usize = 4096;
/// Maximum time in which the last output is written before the user's terminal leaves raw mode.
const FORWARD_TIMEOUT: Duration = Duration::from_millis(500);
/// Size of the command's terminal if the user's has none.
const DEFAULT_SIZE: (u16, u16) = (24, 80);

/// Starts the command in a terminal of its own. Standard input is the user's keyboard, or else inherited.
pub(super) fn start(
    options: &RunOptions,
    sender: InputSender,
    exited: ExitReceiver,
) -> Result<Started, Failure> {
    let (program, arguments) = options.program()?;
    let failed = |error: pty_process::Error| {
        Failure::runtime(format!(
            "cannot open a terminal for the command: {error}; pass --no-pty to run it without one"
        ))
    };
    let (terminal, end_of_command) = pty_process::open().map_err(failed)?;
    terminal.resize(user_size()).map_err(failed)?;
    let mut command = pty_process::Command::new(program).args(arguments);
    for variable in secret::VARIABLES {
        command = command.env_remove(variable);
    }
    let has_keyboard = io::stdin().is_terminal();
    if !has_keyboard {
        command = command.stdin(std::process::Stdio::inherit());
    }
    let child = command.spawn(end_of_command).map_err(|error| match error {
        pty_process::Error::Io(error) => not_started(program, &error),
        error => failed(error),
    })?;
    let (output, keyboard) = terminal.into_split();
    let process = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    let raw_mode = if has_keyboard && is_in_foreground() { RawMode::enter() } else { None };
    let mut output = Output::new(output, tokio::io::stdout(), 0, options.text.encoding).of_terminal();
    let (exited_first, forwarding) = (exited.clone(), output.take_forwarding());
    let control = tokio::spawn(async move {
        let _raw_mode = control(keyboard, process, raw_mode, exited_first).await;
        if let Some(forwarding) = forwarding {
            // The lines of the command have the ends that raw mode needs.
            drop(tokio::time::timeout(FORWARD_TIMEOUT, forwarding).await);
        }
    });
    let publishing = tokio::spawn(publish_outputs(output, None, sender, exited));
    Ok(Started { child, publishing, terminal: Some(control) })
}

/// Returns the size of the user's terminal.
fn user_size() -> Size {
    let size = [stdio::stdout().as_fd(), stdio::stderr().as_fd(), stdio::stdin().as_fd()]
        .into_iter()
        .find_map(|terminal| termios::tcgetwinsize(terminal).ok())
        .map(|size| (size.ws_row, size.ws_col))
        .filter(|(rows, columns)| *rows > 0 && *columns > 0);
    let (rows, columns) = size.unwrap_or(DEFAULT_SIZE);
    Size::new(rows, columns)
}

/// Passes keys and window sizes on, until the command ends. Returns the raw mode of the user's terminal.
async fn control(
    mut keyboard: OwnedWritePty,
    process: Option<Pid>,
    mut raw_mode: Option<RawMode>,
    mut exited: ExitReceiver,
) -> Option<RawMode> {
    let (Ok(mut resized), Ok(mut continued)) =
        (signal(SignalKind::window_change()), signal(SignalKind::from_raw(Signal::CONT.as_raw())))
    else {
        return raw_mode;
    };
    let mut keys = if raw_mode.is_some() { Some(read_keys()) } else { None };
    loop {
        tokio::select! {
            biased;
            () = async { drop(exited.wait_for(Option::is_some).await) } => return raw_mode,
            _ = resized.recv() => report(keyboard.resize(user_size()), "cannot resize the terminal of the command"),
            _ = continued.recv() => resume(&keyboard, process, raw_mode.as_mut()),
            typed = next_keys(&mut keys) => match typed {
                Some(typed) if raw_mode.as_ref().is_some_and(|raw| raw.stops(&typed)) && !handles_stop(process) => {
                    stop(process, raw_mode.as_ref());
                    // The shell has continued this program, or there is none that could.
                    resume(&keyboard, process, raw_mode.as_mut());
                }
                Some(typed) => {
                    if keyboard.write_all(&typed).await.is_err() {
                        return raw_mode;
                    }
                }
                None => keys = None,
            },
        }
    }
}

/// Stops the command and this program, with the user's terminal as the shell left it.
fn stop(process: Option<Pid>, raw_mode: Option<&RawMode>) {
    if let Some(raw_mode) = raw_mode {
        raw_mode.leave();
    }
    let stopped = process.map_or(Ok(()), |group| kill_process_group(group, Signal::STOP));
    report(stopped, "cannot stop the command");
    report(kill_current_process_group(Signal::TSTP), "cannot stop");
}

/// Continues the command after this program was continued.
fn resume(keyboard: &OwnedWritePty, process: Option<Pid>, raw_mode: Option<&mut RawMode>) {
    if let Some(raw_mode) = raw_mode {
        raw_mode.enter_again();
    }
    report(keyboard.resize(user_size()), "cannot resize the terminal of the command");
    let continued = process.map_or(Ok(()), |group| kill_process_group(group, Signal::CONT));
    report(continued, "cannot continue the command");
}

fn report<E: std::fmt::Display>(outcome: Result<(), E>, problem: &str) {
    if let Err(error) = outcome {
        tracing::warn!("{problem}: {error}");
    }
}

async fn next_keys(keys: &mut Option<mpsc::Receiver<Vec<u8>>>) -> Option<Vec<u8>> {
    match keys {
        Some(keys) => keys.recv().await,
        None => std::future::pending().await,
    }
}

/// Reads the keyboard in a thread, which is not joined when the program ends: a read can block without limit.
fn read_keys() -> mpsc::Receiver<Vec<u8>> {
    let (sender, keys) = mpsc::channel(KEY_QUEUE_LIMIT);
    std::thread::spawn(move || {
        let mut buffer = [0; KEY_BYTES];
        let mut keyboard = io::stdin().lock();
        while let Ok(bytes @ 1..) = keyboard.read(&mut buffer) {
            if sender.blocking_send(buffer.get(..bytes).unwrap_or_default().to_vec()).is_err() {
                return;
            }
        }
    });
    keys
}

/// Whether the command ignores or catches the stop signal of the keyboard, as shells and editors do.
fn handles_stop(process: Option<Pid>) -> bool {
    let Some(process) = process.map(|process| process.to_string()) else { return false };
    ["SigIgn:", "SigCgt:"].iter().any(|set| has_signal(&process, set, Signal::TSTP))
}

/// Raw mode of the user's terminal. Left when dropped.
struct RawMode {
    before: Termios,
}

impl RawMode {
    /// Enters raw mode, unless standard input is no terminal.
    fn enter() -> Option<Self> {
        let before = termios::tcgetattr(stdio::stdin()).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(stdio::stdin(), OptionalActions::Now, &raw).ok()?;
        set_raw(true);
        Some(Self { before })
    }

    /// Enters raw mode again, after the terminal may have been used by others.
    fn enter_again(&mut self) {
        let mut raw = self.before.clone();
        raw.make_raw();
        report(termios::tcsetattr(stdio::stdin(), OptionalActions::Now, &raw), "cannot change the terminal");
        set_raw(true);
    }

    fn leave(&self) {
        report(
            termios::tcsetattr(stdio::stdin(), OptionalActions::Now, &self.before),
            "cannot reset the terminal",
        );
        set_raw(false);
    }

    /// Whether these keys are the one that stops programs.
    fn stops(&self, keys: &[u8]) -> bool {
        let stop = self.before.special_codes[SpecialCodeIndex::VSUSP];
        self.before.local_modes.contains(LocalModes::ISIG) && stop != 0 && keys == [stop]
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        self.leave();
    }
}
