//! The page on one host, the negotiate endpoint on another: in a browser, which asks leave (CORS).

use tailcast_tests::{
    browser::Browser,
    command::run,
    environment::tailcast,
    server::{Server, get},
};

/// The page of `host`, told to negotiate at `service`.
async fn open(browser: &Browser, host: &Server, service: &Server) -> anyhow::Result<()> {
    browser.open(&host.url(&format!("/?negotiate={}", service.negotiate_url()))).await
}

#[tokio::test]
async fn a_page_of_another_origin_connects_and_draws_once_it_was_allowed() -> anyhow::Result<()> {
    let host = Server::start(&[]).await?;
    let service = Server::start(&["--allow-origin", &host.url("")]).await?;
    let browser = Browser::start().await?;
    open(&browser, &host, &service).await?;
    browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    let arguments = ["stream", "--negotiate", &service.negotiate_url()];
    assert_eq!(run(&tailcast()?, &arguments, b"from elsewhere\n").await?.code, Some(0));
    browser.until("document.querySelector('#log')?.textContent.includes('from elsewhere')").await?;
    assert_eq!(browser.console_errors().await?, [""; 0]);
    browser.close().await
}

#[tokio::test]
async fn a_page_that_was_not_allowed_says_that_it_cannot_connect() -> anyhow::Result<()> {
    let (host, service) = (Server::start(&[]).await?, Server::start(&[]).await?);
    let browser = Browser::start().await?;
    open(&browser, &host, &service).await?;
    browser.until("document.body.textContent.includes('negotiate failed')").await?;
    // It is up; only the browser does not let that page read its answer.
    assert_eq!(get(&service.url("/negotiate")).await?.0, 200);
    browser.close().await
}

#[tokio::test]
async fn what_a_publishing_page_shows_is_allowed_for_beforehand() -> anyhow::Result<()> {
    let host = Server::start(&[]).await?;
    let service = Server::start(&["--allow-origin", &host.url(""), "--publish-key", "ours"]).await?;
    let browser = Browser::start().await?;
    browser.open(&host.url("/")).await?;
    let status = browser
        .run(&format!(
            "return fetch('{}?role=publisher', {{ headers: {{ Authorization: 'Bearer ours' }} }})
                 .then(answer => answer.status, error => String(error))",
            service.negotiate_url()
        ))
        .await?;
    assert_eq!(status, 200);
    browser.close().await
}
