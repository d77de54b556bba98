//! `tailcast run -- COMMAND`: runs a command, publishes its output to a group and forwards it.
//!
//! ```text
//! command ─ standard output ─► own standard output, and whole lines ─────────┐
//!         └ standard error  ─► own standard error, and whole lines in red ───┴─► pipeline
//! ```
//!
//! The command does not depend on the connection: if the pipeline gives up, output is still forwarded, and the exit code is
//! that of the command. While lines wait for acknowledgement, the command is blocked as by a full pipe.

use std::{
    io,
    process::{ExitCode, ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    process::{Child, Command},
    sync::watch,
    task::JoinHandle,
};

use crate::{
    cli::RunOptions,
    failure::Failure,
    pipeline::{
        self,
        input::{CHUNK_BYTES, Input, InputSender},
        line_assembler::{Decoration, LineAssembler},
        stop_requests::StopRequests,
    },
    signals::{Signals, StopSignal},
    terminal::without_controls,
    usage_error::UsageError,
};

/// Idle time after the command's exit at which reading stops: a background process of the command can hold the pipe open.
const OUTPUT_GRACE_PERIOD: Duration = Duration::from_secs(1);
/// Exit code for a command that exists and cannot be executed (POSIX, "Exit Status for Commands").
const NOT_EXECUTABLE: u8 = 126;
/// Exit code for a command that does not exist (POSIX).
const NOT_FOUND: u8 = 127;
/// Offset of the exit code of a command that a signal ended, as in shells.
const SIGNAL_OFFSET: i32 = 128;

/// Runs the command. Returns its exit code.
pub(crate) async fn run(options: RunOptions) -> Result<ExitCode, Failure> {
    // An invalid group must be reported before the command starts.
    options.target.group_name()?;
    let mut signals = Signals::listen()?;
    let mut child = start(&options)?;
    let (exit_sender, exited) = watch::channel(false);
    let (sender, input) = Input::channel();
    let output = child.stdout.take().map(|output| {
        let lines = LineAssembler::new(Decoration::none());
        tokio::spawn(forward_output(output, tokio::io::stdout(), lines, sender.clone(), exited.clone()))
    });
    let errors = child.stderr.take().map(|errors| {
        let lines = LineAssembler::new(Decoration::red());
        tokio::spawn(forward_output(errors, tokio::io::stderr(), lines, sender.clone(), exited))
    });
    drop(sender);
    let forwarding: Vec<JoinHandle<()>> = [output, errors].into_iter().flatten().collect();
    let (stop, stop_requests) = StopRequests::channel();
    let publishing = pipeline::run("run", options.target, input, stop_requests);
    let running = async {
        let status = wait_for_exit(&mut child, &mut signals).await;
        exit_sender.send_replace(true);
        loop {
            tokio::select! {
                // The pipeline has ended.
                () = stop.closed() => break,
                // The command has exited, so the signal stops the pipeline.
                _ = signals.next() => {
                    forwarding.iter().for_each(JoinHandle::abort);
                    // A full queue has two requests, which stop the pipeline immediately.
                    let _is_full = stop.try_send(());
                }
            }
        }
        status
    };
    let (status, published) = tokio::join!(running, publishing);
    for task in forwarding {
        // The task ends with the output, or was aborted.
        drop(task.await);
    }
    match published {
        Ok(()) => {}
        // The exit code is that of the command, so a failure to publish is only printed.
        Err(failure) => eprintln!("tailcast run: {}", without_controls(&failure.to_string())),
    }
    let status =
        status.map_err(|error| Failure::runtime(format!("cannot wait for the command to exit: {error}")))?;
    Ok(exit_code(status))
}

/// Waits until the command exits. Forwards signals to it meanwhile.
async fn wait_for_exit(child: &mut Child, signals: &mut Signals) -> io::Result<ExitStatus> {
    loop {
        let signal = tokio::select! {
            status = child.wait() => return status,
            signal = signals.next() => signal,
        };
        forward_signal(signal, child);
    }
}

fn start(options: &RunOptions) -> Result<Child, Failure> {
    let Some((program, arguments)) = options.command.split_first() else {
        return Err(UsageError::NoCommand.into());
    };
    let mut command = Command::new(program);
    // The command must not inherit the key.
    command.args(arguments).env_remove("TAILCAST_PUBLISH_KEY").stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|error| {
        let code = if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE };
        Failure::CommandNotStarted { message: format!("cannot run `{}`: {error}", program.display()), code }
    })
}

/// Forwards one output of the command to `to`, and its lines to the pipeline, until the output ends.
async fn forward_output(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut lines: LineAssembler,
    sender: InputSender,
    mut exited: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; CHUNK_BYTES];
    let (mut is_forwarded, mut is_published) = (true, true);
    loop {
        let idle_after_exit = async {
            // A dropped sender means that the command has exited.
            drop(exited.wait_for(|exited| *exited).await);
            tokio::time::sleep(OUTPUT_GRACE_PERIOD).await;
        };
        let read = tokio::select! {
            biased;
            read = from.read(&mut buffer) => read,
            () = idle_after_exit => break,
        };
        let Ok(bytes @ 1..) = read else { break };
        let chunk = buffer.get(..bytes).unwrap_or_default();
        // A closed output (`| head`) must not stop publishing.
        is_forwarded = is_forwarded && write(&mut to, chunk).await.is_ok();
        let whole = lines.push(chunk);
        is_published = is_published && (whole.is_empty() || sender.send(whole).await.is_ok());
    }
    let last = lines.finish();
    if is_published && !last.is_empty() {
        // A closed pipeline does not need the last line.
        let _is_closed = sender.send(last).await;
    }
}

async fn write(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}

/// Forwards a signal to the command, unless the terminal has sent it to the command too.
#[cfg(unix)]
fn forward_signal(signal: StopSignal, child: &Child) {
    use rustix::process::{Pid, Signal, kill_process};
    let signal = match signal {
        // Ctrl-C in a terminal sends SIGINT to the whole foreground process group, including the command.
        StopSignal::Interrupt if is_in_foreground() => return,
        StopSignal::Interrupt => Signal::INT,
        StopSignal::Terminate => Signal::TERM,
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
fn forward_signal(_: StopSignal, _: &Child) {}

fn exit_code(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None::<i32>;
    let code = status.code().or(signal.map(|number| SIGNAL_OFFSET + number));
    code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}
