//! Outputs of the command: each is forwarded byte for byte, and published.

use std::time::Duration;

use encoding_rs::Encoding;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{
        mpsc::{self, Receiver, Sender},
        watch,
    },
    task::JoinHandle,
};

use crate::{
    pipeline::input::{CHUNK_BYTES, CommandEnd, InputSender},
    text_decoder::TextDecoder,
};

/// Idle time after the command's exit at which reading stops: a background process of the command can hold the pipe open.
const OUTPUT_GRACE_PERIOD: Duration = Duration::from_secs(1);
/// Capacity of the queue of chunks that wait to be forwarded.
const FORWARD_QUEUE_LIMIT: usize = 1;
/// Reads of one output after which the other one has precedence.
const MAX_CONSECUTIVE_READS: u32 = 16;

/// Receiver of the end of the command; `None` while it runs.
pub(super) type ExitReceiver = watch::Receiver<Option<CommandEnd>>;

/// An output of the command.
pub(super) struct Output {
    from: Box<dyn AsyncRead + Send + Unpin>,
    buffer: Vec<u8>,
    forwarder: Sender<Vec<u8>>,
    /// Task that forwards.
    #[cfg_attr(not(unix), allow(dead_code, reason = "the end of a terminal alone waits for it"))]
    forwarding: Option<JoinHandle<()>>,
    /// Number of its source.
    source: usize,
    decoder: TextDecoder,
    line_ends: Option<TerminalLineEnds>,
    is_open: bool,
}

impl Output {
    /// Creates an output that is forwarded to `to`.
    pub(super) fn new(
        from: impl AsyncRead + Send + Unpin + 'static,
        to: impl AsyncWrite + Send + Unpin + 'static,
        source: usize,
        encoding: Option<&'static Encoding>,
    ) -> Self {
        let (forwarder, chunks) = mpsc::channel(FORWARD_QUEUE_LIMIT);
        let forwarding = Some(tokio::spawn(forward(chunks, to)));
        Self {
            from: Box::new(from),
            buffer: vec![0; CHUNK_BYTES],
            forwarder,
            forwarding,
            source,
            decoder: TextDecoder::new(encoding),
            line_ends: None,
            is_open: true,
        }
    }

    /// Removes the carriage returns that a terminal puts before line feeds.
    #[cfg(unix)]
    pub(super) fn of_terminal(self) -> Self {
        Self { line_ends: Some(TerminalLineEnds::default()), ..self }
    }

    /// Takes the task that forwards the output, which ends with it.
    #[cfg(unix)]
    pub(super) fn take_forwarding(&mut self) -> Option<JoinHandle<()>> {
        self.forwarding.take()
    }

    /// Reads the next chunk, once the one before was accepted for forwarding. Returns its text, for publishing. Never returns
    /// after the end. Can be cancelled.
    async fn next(&mut self) -> (usize, Vec<u8>) {
        if !self.is_open {
            std::future::pending::<()>().await;
        }
        let permit = self.forwarder.reserve().await.ok();
        // A terminal reports an error when its programs have ended.
        let bytes = self.from.read(&mut self.buffer).await.unwrap_or_default();
        let chunk = self.buffer.get(..bytes).unwrap_or_default();
        self.is_open = !chunk.is_empty();
        let text = match &mut self.line_ends {
            Some(line_ends) => line_ends.without_returns(chunk),
            None => chunk.to_vec(),
        };
        // A closed output (`| head`) must not stop publishing.
        if let Some(permit) = permit.filter(|_| self.is_open) {
            permit.send(chunk.to_vec());
        }
        (self.source, self.decoder.decode(text))
    }

    /// Ends the output. Returns what is left of its text.
    fn end(mut self) -> (usize, Vec<u8>) {
        let mut rest = match self.line_ends {
            Some(TerminalLineEnds { has_return: true }) => self.decoder.decode(vec![b'\r']),
            _ => Vec::new(),
        };
        rest.extend(self.decoder.finish());
        (self.source, rest)
    }
}

/// Filter of the carriage returns that a terminal puts before line feeds.
#[derive(Debug, Default)]
struct TerminalLineEnds {
    /// Whether the last byte was a carriage return, which is held back.
    has_return: bool,
}

impl TerminalLineEnds {
    fn without_returns(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(bytes.len() + 1);
        for byte in bytes {
            if std::mem::take(&mut self.has_return) && *byte != b'\n' {
                text.push(b'\r');
            }
            match byte {
                b'\r' => self.has_return = true,
                byte => text.push(*byte),
            }
        }
        text
    }
}

/// Forwards and publishes the outputs until they end, then reports the end of the command. When both outputs can be read, the
/// first one has precedence.
pub(super) async fn publish_outputs(
    mut output: Output,
    mut errors: Option<Output>,
    sender: InputSender,
    mut exited: ExitReceiver,
) {
    let (mut is_published, mut consecutive_reads) = (true, 0);
    while output.is_open || errors.as_ref().is_some_and(|errors| errors.is_open) {
        let is_turn_of_errors = consecutive_reads >= MAX_CONSECUTIVE_READS;
        consecutive_reads = if is_turn_of_errors { 0 } else { consecutive_reads + 1 };
        let (first, second) = match &mut errors {
            Some(errors) if is_turn_of_errors => (errors, Some(&mut output)),
            errors => (&mut output, errors.as_mut()),
        };
        let (source, text) = tokio::select! {
            biased;
            read = first.next() => read,
            read = next_of(second) => read,
            () = idle_after(&mut exited) => break,
        };
        is_published = is_published && (text.is_empty() || sender.send(source, text).await.is_ok());
    }
    for (source, rest) in [Some(output.end()), errors.map(Output::end)].into_iter().flatten() {
        is_published = is_published && (rest.is_empty() || sender.send(source, rest).await.is_ok());
    }
    // A dropped sender means that waiting for the command has failed.
    let end = exited.wait_for(Option::is_some).await.ok().and_then(|end| *end);
    if let Some(end) = end.filter(|_| is_published) {
        // A closed pipeline needs nothing more.
        let _is_closed = sender.end_command(end).await;
    }
}

async fn next_of(output: Option<&mut Output>) -> (usize, Vec<u8>) {
    match output {
        Some(output) => output.next().await,
        None => std::future::pending().await,
    }
}

/// Waits until the command has exited, and for the grace period after that.
async fn idle_after(exited: &mut ExitReceiver) {
    drop(exited.wait_for(Option::is_some).await);
    tokio::time::sleep(OUTPUT_GRACE_PERIOD).await;
}

/// Writes chunks until the output is closed.
async fn forward(mut chunks: Receiver<Vec<u8>>, mut to: impl AsyncWrite + Unpin) {
    while let Some(chunk) = chunks.recv().await {
        if to.write_all(&chunk).await.is_err() || to.flush().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_carriage_returns_before_line_feeds_are_removed() {
        for chunks in [&["a\r\nb\r", "\nc\r\r\n10%\r20%\r", "", "x"][..], &["a\r\nb\r\nc\r\r\n10%\r20%\rx"]] {
            let mut line_ends = TerminalLineEnds::default();
            let text: Vec<u8> =
                chunks.iter().flat_map(|chunk| line_ends.without_returns(chunk.as_bytes())).collect();
            assert_eq!(String::from_utf8(text).unwrap(), "a\nb\nc\r\n10%\r20%\rx");
        }
    }
}
