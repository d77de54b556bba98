//! `tailcast stream`: publishes the lines of standard input to a group.

use std::io::{self, Read};

use crate::{
    cli::StreamOptions,
    failure::Failure,
    pipeline::{
        self,
        input::{CHUNK_BYTES, Input, InputPart, InputSender},
        publisher::Publisher,
        stop_requests::StopRequests,
    },
    publish_session::{PublishCommand, PublishSession},
    signals::Signals,
    text_decoder::TextDecoder,
};

/// Publishes until the end of the input, a signal, or a lasting connection failure.
pub(crate) async fn run(command: PublishCommand, options: StreamOptions) -> Result<(), Failure> {
    let target = command.target(&options.target)?;
    let mut stop_requests = StopRequests::from_signals(Signals::listen_with_hang_up()?);
    let session = PublishSession::open(command, &options.target, target).await?;
    let (sender, input) = Input::channel();
    // A thread, because a read can block without limit. It is not joined when the program ends: it has no state to save.
    std::thread::spawn(move || {
        if let Err(error) = read_chunks(&sender, TextDecoder::new(options.text.encoding)) {
            sender.fail(error);
        }
    });
    let target = session.target();
    let published = pipeline::run(command.program, target, Publisher::new(), input, &mut stop_requests).await;
    let was_stopped = stop_requests.was_requested();
    session.finish(published, was_stopped, stop_requests.next()).await
}

fn read_chunks(sender: &InputSender, mut decoder: TextDecoder) -> io::Result<()> {
    let mut input = io::stdin().lock();
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        match input.read(&mut chunk) {
            Ok(0) => {
                // A closed pipeline needs nothing more.
                let _is_closed = sender.blocking_send(InputPart::Bytes(0, decoder.finish()));
                return Ok(());
            }
            Ok(bytes) => {
                chunk.truncate(bytes);
                if sender.blocking_send(InputPart::Bytes(0, decoder.decode(chunk))).is_err() {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
