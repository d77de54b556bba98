//! Refusals of the negotiate endpoint: the page shows the server's reason and no retry.

use anyhow::Context;
use tailcast_tests::{browser::Browser, environment::site, server::Server};

/// Reason with which the server refuses the group `secret`.
const REFUSAL: &str = "the group `secret` is not open on this server; the operator of the server can open it with `--allow-group PATTERN`";

async fn server_with_page(listen: &str, open_groups: &str) -> anyhow::Result<Server> {
    let site = site()?;
    let site = site.to_str().context("the path of the site is not UTF-8")?;
    Server::start_on(listen, &["--site", site, "--allow-group", open_groups]).await
}

/// Waits for the state `failed`, and checks that the page shows the reason and a button instead of a retry.
async fn check_refusal(browser: &Browser, reason: &str) -> anyhow::Result<()> {
    browser.until("document.querySelector('#status')?.dataset.state === 'failed'").await?;
    assert_eq!(browser.text("#status").await?, format!("Not connected: {reason}"));
    let details = browser.run("return document.querySelector('#details .last-error').textContent").await?;
    let details = details.as_str().unwrap_or_default();
    assert!(details.ends_with(&format!("/negotiate answered 403 Forbidden: {reason}")), "{details}");
    let words = browser.run("return document.body.textContent").await?.to_string();
    assert!(!words.contains("Retrying") && !words.contains("Reconnecting"), "{words}");
    assert_eq!(browser.text("#retry").await?, "Reconnect");
    Ok(())
}

#[tokio::test]
async fn a_refused_group_is_shown_with_the_reason_of_the_server() -> anyhow::Result<()> {
    let (server, browser) = (server_with_page("127.0.0.1:0", "build-*").await?, Browser::start().await?);
    browser.open(&server.url("/?group=secret")).await?;
    check_refusal(&browser, REFUSAL).await?;
    // After a refusal, only the user can start another attempt.
    let requests =
        "performance.getEntriesByType('resource').filter(({ name }) => name.includes('/negotiate')).length";
    assert_eq!(browser.run(&format!("return {requests}")).await?, 1);
    browser.run("document.querySelector('#retry').click()").await?;
    browser.until(&format!("{requests} === 2")).await?;
    check_refusal(&browser, REFUSAL).await?;
    browser.close().await
}

#[tokio::test]
async fn a_page_that_is_refused_later_stops_retrying() -> anyhow::Result<()> {
    let (server, browser) = (server_with_page("127.0.0.1:0", "*").await?, Browser::start().await?);
    let address = server.address().to_owned();
    browser.open(&server.url("/?group=secret")).await?;
    browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    server.kill().await?;
    let _server = server_with_page(&address, "build-*").await?;
    check_refusal(&browser, REFUSAL).await?;
    browser.close().await
}
