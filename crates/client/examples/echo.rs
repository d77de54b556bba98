//! Sends every text of one group to another group.
//!
//! ```text
//! cargo run -p webpubsub-client --features native --example echo -- http://127.0.0.1:8080/negotiate FROM TO
//! ```

use std::error::Error;

use webpubsub_client::{Client, GroupName, Payload, SubscriptionEvent};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(negotiate), Some(from), Some(to)) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: echo NEGOTIATE_URL FROM_GROUP TO_GROUP".into());
    };
    let to = GroupName::new(&to)?;
    let client = Client::builder(negotiate).connect().await?;
    let mut subscription = client.subscribe(from).await?;
    while let Some(event) = subscription.next().await {
        match event {
            SubscriptionEvent::Message(message) => {
                if let Payload::Text(text) = message.payload {
                    // Waits while too much is unacknowledged. The receipt would report when the service has it.
                    client.publish(&to, text.into_owned()).await?;
                }
            }
            SubscriptionEvent::Gap { .. } | SubscriptionEvent::Lagged { .. } => {
                eprintln!("messages are missing");
            }
            SubscriptionEvent::Refused(error) => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}
