//! Publishes each line of standard input to a group, and ends when the service has acknowledged all of them.
//!
//! ```text
//! seq 10 | cargo run -p webpubsub-client --features native --example publisher -- http://127.0.0.1:8080/negotiate GROUP
//! ```

use std::{error::Error, io::BufRead};

use webpubsub_client::{Client, GroupName};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(negotiate), Some(group)) = (arguments.next(), arguments.next()) else {
        return Err("usage: publisher NEGOTIATE_URL GROUP".into());
    };
    let group = GroupName::new(&group)?;
    let client = Client::builder(negotiate).connect().await?;
    let mut receipts = Vec::new();
    for line in std::io::stdin().lock().lines() {
        receipts.push(client.publish(&group, line?).await?);
    }
    client.drain().await?;
    let sent = receipts.len();
    for receipt in receipts {
        // The service may have refused it.
        receipt.await?;
    }
    client.close().await;
    println!("{sent} messages, all acknowledged");
    Ok(())
}
