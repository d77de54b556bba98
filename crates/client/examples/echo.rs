//! Answers every text in a group with the same text in another.
//!
//! ```text
//! cargo run -p webpubsub-client --features native --example echo -- http://127.0.0.1:8080/negotiate FROM TO
//! ```

use std::error::Error;

use webpubsub_client::{
    ClientEvent, ClientOptions,
    native::{self, NegotiateEndpoint},
};
use webpubsub_protocol::{name::GroupName, payload::Payload};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(negotiate), Some(from), Some(to)) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: echo NEGOTIATE_URL FROM_GROUP TO_GROUP".into());
    };
    let to = GroupName::new(&to)?;
    let options = ClientOptions::new().join(GroupName::new(&from)?);
    let (client, mut events) = native::start(options, NegotiateEndpoint::new(negotiate));
    while let Some(event) = events.next().await {
        match event {
            ClientEvent::GroupMessage { payload: Payload::Text(text), group, .. } if group != to.as_str() => {
                // Waits while too much is unacknowledged. The receipt would tell when the service has it.
                let _receipt = client.send_to_group(&to, Payload::Text(text)).await?;
            }
            ClientEvent::Gap { .. } => eprintln!("messages may be missing here"),
            ClientEvent::Recovering { reason } => eprintln!("{reason}; taking the connection up again"),
            ClientEvent::ConnectFailed { failure } => eprintln!("{failure}"),
            ClientEvent::JoinRefused { error, .. } => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}
