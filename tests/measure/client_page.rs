//! Benchmark of a client in a page: sends messages with acknowledgements and receives each of them.
//!
//! usage: measure-client-page ours|theirs FORM MESSAGES
//!
//! `cargo xtask bench client` builds everything and runs this program. Prints seconds.

use anyhow::Context;
use serde_json::Value;
use tailcast_tests::{browser::Browser, environment, server::Server};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [client, form, messages] = &arguments[..] else {
        anyhow::bail!("usage: measure-client-page ours|theirs FORM MESSAGES")
    };
    let site = environment::site()?;
    let server =
        Server::start(&["--site", site.to_str().context("the path of the site is not UTF-8")?]).await?;
    let browser = Browser::start().await?;
    browser.open(&server.url("/")).await?;
    browser.until("window.isReady === true").await?;
    let (client, form, messages) =
        (Value::from(client.as_str()), Value::from(form.as_str()), messages.parse::<u64>()?);
    browser
        .run(&format!(
            "measure({client}, {form}, {messages}).then(
                 seconds => {{ window.outcome = seconds }},
                 error => {{ window.outcome = String(error) }})"
        ))
        .await?;
    browser.until("window.outcome !== undefined").await?;
    let outcome = browser.run("return window.outcome").await?;
    println!("{}", outcome.as_f64().with_context(|| format!("the client failed: {outcome}"))?);
    browser.close().await
}
