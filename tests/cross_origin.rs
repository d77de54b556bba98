//! Page and negotiate endpoint on different origins (CORS).

use tailcast_tests::{
    browser::Browser,
    command::run,
    environment::tailcast,
    server::{Server, get},
};

/// Opens the page of `host` with the negotiate endpoint of `service`.
async fn open(browser: &Browser, host: &Server, service: &Server) -> anyhow::Result<()> {
    browser.open(&host.url(&format!("/?negotiate={}", service.negotiate_url()))).await
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_connects_and_shows_lines() -> anyhow::Result<()> {
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
async fn a_page_of_another_origin_reports_that_it_cannot_connect() -> anyhow::Result<()> {
    let (host, service) = (Server::start(&[]).await?, Server::start(&[]).await?);
    let browser = Browser::start().await?;
    open(&browser, &host, &service).await?;
    browser.until("document.body.textContent.includes('negotiate failed')").await?;
    // The service runs, but the browser blocks the response.
    assert_eq!(get(&service.url("/negotiate")).await?.0, 200);
    browser.close().await
}

#[tokio::test]
async fn a_preflight_request_allows_the_publish_key() -> anyhow::Result<()> {
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
