//! Echo server, on which `cargo xtask autobahn` runs the Autobahn test suite.
//!
//! `echo 127.0.0.1:9001` listens on that address, `echo` on a free port.

use std::{
    env,
    error::Error,
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
};

use webpubsub_websocket::{
    MessageError, MessageReader, ReceivedMessage,
    encode::{encode, encode_close},
    frame::Opcode,
    handshake::accept_key,
    utf8::from_utf8,
};

/// Maximum payload of a message, in bytes: the largest one of the test suite.
const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;
/// Maximum size of a request, in bytes.
const MAX_REQUEST_BYTES: usize = 16 * 1024;
/// Size of a read, in bytes.
const READ_BYTES: usize = 64 * 1024;
/// Close code of a connection that ends as intended.
const NORMAL: u16 = 1000;

/// Close code that ends a connection.
struct Close(u16);

fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let listener = TcpListener::bind(address)?;
    println!("listening on ws://{}", listener.local_addr()?);
    for socket in listener.incoming() {
        let socket = socket?;
        thread::spawn(move || serve(socket).inspect_err(|error| eprintln!("connection lost: {error}")));
    }
    Ok(())
}

/// Serves a connection until its end.
fn serve(mut socket: TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut reader = accept(&mut socket)?;
    let mut received = vec![0; READ_BYTES];
    loop {
        if let Some(Close(code)) = answer(&mut socket, &mut reader)? {
            socket.write_all(&encode_close(code, ""))?;
            socket.shutdown(Shutdown::Write)?;
            // With unread bytes, the operating system would reset the connection, and might drop the close frame.
            io::copy(&mut socket, &mut io::sink())?;
            return Ok(());
        }
        let len = socket.read(&mut received)?;
        if len == 0 {
            return Ok(());
        }
        reader.reserve(len).extend_from_slice(received.get(..len).unwrap_or_default());
    }
}

/// Completes the opening handshake. Returns a reader with the bytes behind the request.
fn accept(socket: &mut TcpStream) -> io::Result<MessageReader> {
    let invalid = |reason| io::Error::new(io::ErrorKind::InvalidData, reason);
    let (mut request, mut byte) = (Vec::new(), [0]);
    while !request.ends_with(b"\r\n\r\n") {
        if request.len() == MAX_REQUEST_BYTES {
            return Err(invalid("the request is too long"));
        }
        socket.read_exact(&mut byte)?;
        request.extend_from_slice(&byte);
    }
    let request = String::from_utf8_lossy(&request);
    let headers = request.lines().filter_map(|line| line.split_once(':'));
    let mut keys = headers.filter(|(name, _)| name.eq_ignore_ascii_case("Sec-WebSocket-Key"));
    let (_, key) = keys.next().ok_or_else(|| invalid("the request is no WebSocket handshake"))?;
    let accept = accept_key(key.trim().as_bytes());
    write!(
        socket,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )?;
    Ok(MessageReader::new(MAX_MESSAGE_BYTES))
}

/// Answers all messages that were received. Returns a close code if the connection ends.
fn answer(socket: &mut TcpStream, reader: &mut MessageReader) -> io::Result<Option<Close>> {
    loop {
        let answer = match next_answer(reader) {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(None),
            Err(error) => return Ok(Some(Close(error.close_code()))),
        };
        match answer {
            Answer::Frame(frame) => socket.write_all(&frame)?,
            Answer::Nothing => {}
            Answer::Close(close) => return Ok(Some(close)),
        }
    }
}

/// Answer to a message.
enum Answer {
    Frame(Vec<u8>),
    Nothing,
    Close(Close),
}

/// Returns the answer to the next message; `None` if there is no whole message.
fn next_answer(reader: &mut MessageReader) -> Result<Option<Answer>, MessageError> {
    let Some(message) = reader.next_message()? else { return Ok(None) };
    let payload = reader.payload();
    Ok(Some(match message {
        ReceivedMessage::Text => Answer::Frame(encode(Opcode::Text, from_utf8(payload)?.as_bytes())),
        ReceivedMessage::Binary => Answer::Frame(encode(Opcode::Binary, payload)),
        ReceivedMessage::Ping => Answer::Frame(encode(Opcode::Pong, payload)),
        ReceivedMessage::Pong => Answer::Nothing,
        ReceivedMessage::Close { code, .. } => Answer::Close(Close(code.unwrap_or(NORMAL))),
    }))
}
