//! `tailcast run -- COMMAND`: what a command says, to a group and to where it would have gone anyway.
//!
//! ```text
//! command ─ standard output ─► our standard output, and whole lines as they are ─┐
//!         └ standard error  ─► our standard error, and whole lines in red ───────┴─► publishing
//! ```
//!
//! The command's fate does not hang on the publishing: if that gives up, the output is passed on all the same, and the exit
//! code is the command's. While lines wait to be acknowledged, so does the command, as it would for a full pipe.

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
    publishing::{
        self,
        input::{CHUNK_BYTES, Input, InputSender},
        stopping::Stopping,
        whole_lines::{Mark, WholeLines},
    },
    signals::{Asked, Signals},
    terminal::plain,
};

/// How long after its end a command's output may be silent before it is read no further: somebody whom the command has left
/// behind may hold it open for ever.
const LINGER: Duration = Duration::from_secs(1);
/// What shells answer for a command that was found and cannot be run, and for one that was not found (POSIX, "Exit Status
/// for Commands").
const CANNOT_BE_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;
/// What shells add to the number of the signal that ended a command.
const BY_SIGNAL: i32 = 128;

/// Runs the command to its end, and gives its exit code.
pub(crate) async fn run(options: RunOptions) -> Result<ExitCode, Failure> {
    // Before anything is started that could not be watched.
    options.destination.group_name()?;
    let mut signals = Signals::listen()?;
    let mut child = start(&options)?;
    let (ended, has_ended) = watch::channel(false);
    let (sender, input) = Input::channel();
    let output = child.stdout.take().map(|output| {
        let lines = WholeLines::new(Mark::none());
        tokio::spawn(carry(output, tokio::io::stdout(), lines, sender.clone(), has_ended.clone()))
    });
    let errors = child.stderr.take().map(|errors| {
        let lines = WholeLines::new(Mark::standard_error());
        tokio::spawn(carry(errors, tokio::io::stderr(), lines, sender.clone(), has_ended))
    });
    drop(sender);
    let carrying: Vec<JoinHandle<()>> = [output, errors].into_iter().flatten().collect();
    let (stop, stopping) = Stopping::by_request();
    let publishing = publishing::publish("run", options.destination, input, stopping);
    let commanding = async {
        let status = end_of(&mut child, &mut signals).await;
        ended.send_replace(true);
        loop {
            tokio::select! {
                // The publishing is over.
                () = stop.closed() => break,
                // The command has ended, so this is for us.
                _ = signals.next() => {
                    carrying.iter().for_each(JoinHandle::abort);
                    // Full means that we were asked twice already, and are on our way.
                    let _is_full = stop.try_send(());
                }
            }
        }
        status
    };
    let (status, published) = tokio::join!(commanding, publishing);
    for task in carrying {
        // It ends with the output, or was ended above.
        drop(task.await);
    }
    match published {
        Ok(()) => {}
        // The command has done its part: what it achieved is not undone by who could not watch.
        Err(failure) => eprintln!("tailcast run: {}", plain(&failure.to_string())),
    }
    let status = status.map_err(|error| Failure::at_run_time(format!("the command is lost: {error}")))?;
    Ok(exit_code(status))
}

/// Waits for the command's end, and hands signals on to it meanwhile.
async fn end_of(child: &mut Child, signals: &mut Signals) -> io::Result<ExitStatus> {
    loop {
        let asked = tokio::select! {
            status = child.wait() => return status,
            asked = signals.next() => asked,
        };
        pass_on(asked, child);
    }
}

fn start(options: &RunOptions) -> Result<Child, Failure> {
    let Some((program, arguments)) = options.command.split_first() else {
        return Err(Failure::usage("which command? Put it behind `--`"));
    };
    let mut command = Command::new(program);
    // Nobody but us needs the key.
    command.args(arguments).env_remove("TAILCAST_PUBLISH_KEY").stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|error| {
        let code = if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { CANNOT_BE_RUN };
        Failure::NotRun { words: format!("`{}` cannot be run: {error}", program.display()), code }
    })
}

/// Moves what the command says to where it would have gone, and its lines to the publishing, until it ends.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut lines: WholeLines,
    sender: InputSender,
    mut has_ended: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; CHUNK_BYTES];
    let (mut is_passed_on, mut is_published) = (true, true);
    loop {
        let silence_after_the_end = async {
            // An error means that nobody waits for the command any more: then it has ended.
            drop(has_ended.wait_for(|ended| *ended).await);
            tokio::time::sleep(LINGER).await;
        };
        let read = tokio::select! {
            biased;
            read = from.read(&mut buffer) => read,
            () = silence_after_the_end => break,
        };
        let Ok(bytes @ 1..) = read else { break };
        let chunk = buffer.get(..bytes).unwrap_or_default();
        // A reader of ours that has gone (`| head`) is no reason to keep the pages from seeing the rest.
        is_passed_on = is_passed_on && write(&mut to, chunk).await.is_ok();
        let whole = lines.push(chunk);
        is_published = is_published && (whole.is_empty() || sender.send(whole).await.is_ok());
    }
    let last = lines.finish();
    if is_published && !last.is_empty() {
        // Who has stopped listening needs no last line.
        let _nobody_listens = sender.send(last).await;
    }
}

async fn write(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}

/// Hands a signal on, unless the command has had it already.
#[cfg(unix)]
fn pass_on(asked: Asked, child: &Child) {
    use rustix::process::{Pid, Signal, kill_process};
    let signal = match asked {
        // Ctrl-C in a terminal goes to everybody in the foreground, the command included.
        Asked::Interrupt if is_in_the_foreground() => return,
        Asked::Interrupt => Signal::INT,
        Asked::Terminate => Signal::TERM,
    };
    let process = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    if let Some(Err(error)) = process.map(|process| kill_process(process, signal)) {
        tracing::warn!(%error, "the command did not get the signal");
    }
}

/// Whether we are what a terminal shows and sends its keys to.
#[cfg(unix)]
fn is_in_the_foreground() -> bool {
    use rustix::{process::getpgrp, stdio, termios::tcgetpgrp};
    [stdio::stdin(), stdio::stdout(), stdio::stderr()]
        .into_iter()
        .any(|terminal| tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp()))
}

/// Where there are no signals, Ctrl-C goes to the command as well.
#[cfg(not(unix))]
fn pass_on(_: Asked, _: &Child) {}

fn exit_code(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None::<i32>;
    let code = status.code().or(signal.map(|number| BY_SIGNAL + number));
    code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}
