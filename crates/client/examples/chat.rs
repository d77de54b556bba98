//! Chat: publishes the lines of standard input, and prints those of the others.
//!
//! ```text
//! cargo run -p webpubsub-client --features native --example chat -- http://127.0.0.1:8080/negotiate?id=ada GROUP
//! ```

use std::error::Error;

use tokio::io::{AsyncBufReadExt, BufReader};
use webpubsub_client::{Client, ClientState, GroupName, Outgoing, Payload, SubscriptionEvent};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(negotiate), Some(group)) = (arguments.next(), arguments.next()) else {
        return Err("usage: chat NEGOTIATE_URL GROUP".into());
    };
    let group = GroupName::new(&group)?;
    let client = Client::builder(negotiate).connect().await?;
    let mut subscription = client.subscribe(&group).await?;
    let mut state = client.state();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    println!("in the group {group}");
    loop {
        tokio::select! {
            line = lines.next_line() => {
                let Some(line) = line? else { break };
                let message = Outgoing::to_group(group.clone(), line.into()).without_echo();
                client.send(message).await?.await?;
            }
            event = subscription.next() => match event {
                Some(SubscriptionEvent::Message(message)) => {
                    let name = message.from_user_id.unwrap_or_else(|| "somebody".to_owned());
                    if let Payload::Text(text) = message.payload {
                        println!("{name}: {text}");
                    }
                }
                Some(other) => eprintln!("{other:?}"),
                None => break,
            },
            Some(state) = state.changed() => {
                if let ClientState::Recovering { reason, .. } = state {
                    eprintln!("{reason}; reconnecting");
                }
            }
        }
    }
    client.close().await;
    Ok(())
}
