//! The page at `/_hub`, in a real browser.

use serde_json::json;
use tailcast_tests::{browser::Browser, server::Server, socket::Socket};

const RELIABLE: &str = "json.reliable.webpubsub.azure.v1";

#[tokio::test]
async fn it_shows_who_is_there_and_what_goes_to_and_fro_live_and_without_tokens() -> anyhow::Result<()> {
    let hub = Server::start_hub(&[]).await?;
    let key = hub.connection_string()?.access_key;
    let url = hub.client_url(&key, |claims| {
        claims.user_id = Some("<b>ada</b>".into());
        claims.groups = vec!["lobby".into()];
        claims.roles = vec!["webpubsub.sendToGroup".into()];
    })?;
    let browser = Browser::start().await?;
    browser.open(&hub.url("/_hub")).await?;
    browser.until("document.body.innerText.includes('Nobody has connected yet')").await?;

    let mut client = Socket::open(&url, &[RELIABLE]).await?;
    let greeting = client.json().await?;
    let id = greeting["connectionId"].as_str().unwrap_or_default();
    // Names are text, whatever they look like.
    browser.until("document.querySelector('main').innerText.includes('<b>ada</b>')").await?;
    browser.until("document.querySelector('main').innerText.includes('lobby')").await?;

    let follow = format!("document.querySelector('a[href=\"/_hub?connection={id}\"]').click()");
    browser.run(&follow).await?;
    browser.until("document.querySelector('section[aria-label=\"Chosen connection\"]') !== null").await?;
    let send =
        json!({"type": "sendToGroup", "group": "lobby", "dataType": "text", "data": "<i>seen live</i>"});
    client.send(&send.to_string()).await?;
    browser.until("document.querySelectorAll('td.frame').length >= 3").await?;
    let text = browser.run("return document.querySelector('main').innerText").await?;
    let text = text.as_str().unwrap_or_default();
    assert!(text.contains("<i>seen live</i>") && text.contains("← in") && text.contains("→ out"), "{text}");
    let token = greeting["reconnectionToken"].as_str().unwrap_or_default();
    assert!(!token.is_empty() && !text.contains(token), "the page shows a token");

    drop(client);
    browser.until("document.querySelector('main').innerText.includes('kept for recovery')").await?;
    if let Ok(folder) = std::env::var("TAILCAST_SCREENSHOTS") {
        browser.save_screenshot(&std::path::Path::new(&folder).join("hub.png")).await?;
    }
    assert_eq!(browser.console_errors().await?, [""; 0]);
    Ok(())
}
