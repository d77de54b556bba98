//! Prints the messages of a group: the last ones of its history, then those that are published.
//!
//! ```text
//! cargo run -p webpubsub-client --features native --example subscriber -- http://127.0.0.1:8080/negotiate GROUP
//! ```

use std::error::Error;

use webpubsub_client::{Client, HistoryStart, Payload, SubscribeOptions, SubscriptionEvent};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(negotiate), Some(group)) = (arguments.next(), arguments.next()) else {
        return Err("usage: subscriber NEGOTIATE_URL GROUP".into());
    };
    let client = Client::builder(negotiate).connect().await?;
    let options = SubscribeOptions::new().history(HistoryStart::Last(10));
    let mut subscription = client.subscribe_with(group, options).await?;
    while let Some(event) = subscription.next().await {
        match event {
            SubscriptionEvent::Message(message) => match message.payload {
                Payload::Text(text) | Payload::Json(text) => println!("{text}"),
                Payload::Binary(bytes) | Payload::Protobuf(bytes) => println!("{} bytes", bytes.len()),
            },
            SubscriptionEvent::CaughtUp => println!("(live)"),
            SubscriptionEvent::Gap { messages: Some(messages) } => {
                eprintln!("{messages} messages are missing")
            }
            SubscriptionEvent::Gap { messages: None } => eprintln!("messages may be missing"),
            SubscriptionEvent::Lagged { messages } => eprintln!("{messages} messages were skipped"),
            SubscriptionEvent::HistoryFailed(failure) => eprintln!("{failure}"),
            SubscriptionEvent::Refused(error) => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}
