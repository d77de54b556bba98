//! `tailcast run -- COMMAND`: runs a command, publishes its output to a group and forwards it.
//!
//! ```text
//! command ─ standard output ─► own standard output, and main source ─────────┐
//!         └ standard error  ─► own standard error, and source `stderr` ──────┴─► pipeline
//!
//! command ─ terminal ─► own standard output, and main source ──────────────────► pipeline
//! ```
//!
//! The command does not depend on the connection: if the pipeline gives up, output is still forwarded, and the exit code is
//! that of the command. While lines wait for acknowledgement, the command is blocked as by a full pipe.

mod outputs;
#[cfg(unix)]
mod pty;

use std::{
    ffi::OsString,
    io,
    process::{ExitCode, ExitStatus, Stdio},
    time::Instant,
};

use tokio::{
    process::{Child, Command},
    sync::watch,
    task::JoinHandle,
};

use crate::{
    cli::RunOptions,
    failure::Failure,
    pipeline::{
        self,
        input::{CommandEnd, Input, InputSender},
        publisher::Publisher,
        stop_requests::StopRequests,
    },
    publish_session::{PublishCommand, PublishSession},
    secret,
    signals::{Signals, StopSignal},
    usage_error::UsageError,
};
use outputs::{ExitReceiver, Output, publish_outputs};

/// Name of the source of standard error.
const ERRORS: &str = "stderr";
/// Exit code for a command that exists and cannot be executed (POSIX, "Exit Status for Commands").
const NOT_EXECUTABLE: u8 = 126;
/// Exit code for a command that does not exist (POSIX).
const NOT_FOUND: u8 = 127;
/// Offset of the exit code of a command that a signal ended, as in shells.
const SIGNAL_OFFSET: i32 = 128;

/// Command that was started.
struct Started {
    child: Child,
    /// Task that reads, forwards and publishes its output.
    publishing: JoinHandle<()>,
    /// Task that serves the command's own terminal, if it has one: signals of the user's terminal do not go there.
    terminal: Option<JoinHandle<()>>,
}

/// Runs the command. Returns its exit code.
pub(crate) async fn run(command: PublishCommand, options: RunOptions) -> Result<ExitCode, Failure> {
    // Errors of the target are reported before the command starts.
    let target = command.target(&options.target)?;
    let mut signals = Signals::listen_with_hang_up()?;
    let session = PublishSession::open(command, &options.target, target).await?;
    let (exit_sender, exited) = watch::channel(None);
    let (sender, input) = Input::channel();
    let started_at = Instant::now();
    let Started { mut child, publishing, terminal } = start(&options, sender, exited)?;
    let (stop, mut stop_requests) = StopRequests::channel();
    let publisher = Publisher::of_command(vec![String::new(), ERRORS.to_owned()]);
    let target = session.target();
    // Owns the receiver of stop requests, so that it is closed at its end.
    let sending =
        async move { pipeline::run(command.program, target, publisher, input, &mut stop_requests).await };
    let running = async {
        let (status, mut was_stopped) = wait_for_exit(&mut child, &mut signals, terminal.is_some()).await;
        let exit_code = status.as_ref().ok().and_then(exit_code);
        exit_sender.send_replace(Some(CommandEnd { exit_code, duration: started_at.elapsed() }));
        if let Some(terminal) = terminal {
            // Leaves the raw mode of the user's terminal.
            drop(terminal.await);
        }
        loop {
            tokio::select! {
                // The pipeline has ended.
                () = stop.closed() => break,
                // The command has exited, so the signal stops the pipeline.
                _ = signals.next() => {
                    was_stopped = true;
                    publishing.abort();
                    // A full queue has two requests, which stop the pipeline immediately.
                    let _is_full = stop.try_send(());
                }
            }
        }
        (status, was_stopped)
    };
    let ((status, was_stopped), published) = tokio::join!(running, sending);
    // The task ends with the output, or was aborted.
    drop(publishing.await);
    let stop = async {
        signals.next().await;
    };
    if let Err(failure) = session.finish(published, was_stopped, stop).await {
        // The exit code is that of the command, so a failure to publish is only printed.
        failure.report(command.program);
    }
    let status =
        status.map_err(|error| Failure::runtime(format!("cannot wait for the command to exit: {error}")))?;
    Ok(exit_code(&status).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Waits until the command exits. Forwards signals to it meanwhile. Returns its status, and whether there was a signal.
async fn wait_for_exit(
    child: &mut Child,
    signals: &mut Signals,
    has_terminal: bool,
) -> (io::Result<ExitStatus>, bool) {
    let mut was_stopped = false;
    loop {
        let signal = tokio::select! {
            status = child.wait() => return (status, was_stopped),
            signal = signals.next() => signal,
        };
        was_stopped = true;
        forward_signal(signal, child, has_terminal);
    }
}

/// Starts the command, in a terminal of its own if the user sees its output in a terminal.
fn start(options: &RunOptions, sender: InputSender, exited: ExitReceiver) -> Result<Started, Failure> {
    #[cfg(unix)]
    if options.needs_terminal() {
        return pty::start(options, sender, exited);
    }
    let (program, arguments) = options.program()?;
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    for variable in secret::VARIABLES {
        command.env_remove(variable);
    }
    let mut child = command.spawn().map_err(|error| not_started(program, &error))?;
    let missing = || Failure::runtime("the outputs of the command were not opened".to_owned());
    let (output, errors) =
        (child.stdout.take().ok_or_else(missing)?, child.stderr.take().ok_or_else(missing)?);
    let output = Output::new(output, tokio::io::stdout(), 0, options.text.encoding);
    let errors = Output::new(errors, tokio::io::stderr(), 1, options.text.encoding);
    let publishing = tokio::spawn(publish_outputs(output, Some(errors), sender, exited));
    Ok(Started { child, publishing, terminal: None })
}

impl RunOptions {
    /// Returns the program and its arguments.
    fn program(&self) -> Result<(&OsString, &[OsString]), Failure> {
        Ok(self.command.split_first().ok_or(UsageError::NoCommand)?)
    }

    /// Whether the command is to have a terminal of its own.
    #[cfg(unix)]
    fn needs_terminal(&self) -> bool {
        use std::io::IsTerminal;
        self.pty || (!self.no_pty && io::stdout().is_terminal() && io::stderr().is_terminal())
    }
}

fn not_started(program: &OsString, error: &io::Error) -> Failure {
    let is_missing = error.kind() == io::ErrorKind::NotFound;
    let code = if is_missing { NOT_FOUND } else { NOT_EXECUTABLE };
    let line = program.to_string_lossy();
    // The command runs without a shell, so a whole command line is taken for the name of a program.
    let advice = match is_missing && line.contains([' ', '|', '>', '<', ';', '&', '$', '*']) {
        true => format!("; for a command line of a shell, use: tailcast run -- sh -c '{line}'"),
        false => String::new(),
    };
    Failure::CommandNotStarted { message: format!("cannot run `{line}`: {error}{advice}"), code }
}

/// Forwards a signal to the command, unless the terminal has sent it to the command too.
#[cfg(unix)]
fn forward_signal(signal: StopSignal, child: &Child, has_terminal: bool) {
    use rustix::process::{Pid, Signal, kill_process};
    let signal = match signal {
        // Ctrl-C in a terminal sends SIGINT to the whole foreground process group, including the command.
        StopSignal::Interrupt if !has_terminal && is_in_foreground() => return,
        StopSignal::Interrupt => Signal::INT,
        StopSignal::Terminate => Signal::TERM,
        StopSignal::HangUp => Signal::HUP,
    };
    let process = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    if let Some(Err(error)) = process.map(|process| kill_process(process, signal)) {
        tracing::warn!(%error, "cannot forward the signal to the command");
    }
}

/// Whether this process is in the foreground process group of its terminal.
#[cfg(unix)]
fn is_in_foreground() -> bool {
    use rustix::{process::getpgrp, stdio, termios::tcgetpgrp};
    [stdio::stdin(), stdio::stdout(), stdio::stderr()]
        .into_iter()
        .any(|terminal| tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp()))
}

/// Does nothing: on systems without signals, Ctrl-C reaches the command too.
#[cfg(not(unix))]
fn forward_signal(_: StopSignal, _: &Child, _: bool) {}

/// Returns the exit code that a shell would report.
fn exit_code(status: &ExitStatus) -> Option<u8> {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(status);
    #[cfg(not(unix))]
    let signal = None::<i32>;
    let code = status.code().or(signal.map(|number| SIGNAL_OFFSET + number));
    code.and_then(|code| u8::try_from(code).ok())
}
