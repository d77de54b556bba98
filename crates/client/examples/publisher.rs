//! Publishes each line of standard input to a group, and ends when the service has all of them.
//!
//! ```text
//! seq 10 | cargo run -p webpubsub-client --features native --example publisher -- http://127.0.0.1:8080/negotiate GROUP
//! ```

use std::{error::Error, io::BufRead, time::Duration};

use webpubsub_client::{
    ClientOptions,
    native::{self, NegotiateEndpoint},
};
use webpubsub_protocol::{name::GroupName, payload::Payload};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(negotiate), Some(group)) = (arguments.next(), arguments.next()) else {
        return Err("usage: publisher NEGOTIATE_URL GROUP".into());
    };
    let group = GroupName::new(&group)?;
    let options = ClientOptions::new().give_up_after(Duration::from_secs(60)).stop_on_lasting_failure();
    // Who only publishes need not read the events.
    let (client, _) = native::start(options, NegotiateEndpoint::new(negotiate));
    let mut receipts = Vec::new();
    for line in std::io::stdin().lock().lines() {
        receipts.push(client.send_to_group(&group, Payload::Text(line?.into())).await?);
    }
    let sent = receipts.len();
    for receipt in receipts {
        receipt.await?;
    }
    println!("{sent} messages, all acknowledged");
    Ok(())
}
