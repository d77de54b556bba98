//! `tailcast stream`: standard input, line by line, to a group.

use std::io::{self, Read};

use crate::{
    cli::StreamOptions,
    failure::Failure,
    publishing::{
        self,
        input::{CHUNK_BYTES, Input, InputSender},
        stopping::Stopping,
    },
    signals::Signals,
};

/// Streams until the input ends, a signal comes, or the client gives up.
pub(crate) async fn run(options: StreamOptions) -> Result<(), Failure> {
    let stopping = Stopping::by_signals(Signals::listen()?);
    let (sender, input) = Input::channel();
    // A thread, because a read may block for ever. Left behind when the program ends in mid-read; it holds nothing that
    // must be saved.
    std::thread::spawn(move || {
        if let Err(error) = read_chunks(&sender) {
            sender.fail(error);
        }
    });
    publishing::publish("stream", options.destination, input, stopping).await
}

fn read_chunks(sender: &InputSender) -> io::Result<()> {
    let mut input = io::stdin().lock();
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        match input.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(bytes) => {
                chunk.truncate(bytes);
                if sender.blocking_send(chunk).is_err() {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
