//! Several sources in one page, and publishing from the page, with the real service.

use std::path::Path;

use anyhow::Context;
use tailcast_tests::{
    browser::Browser,
    command::run,
    environment::{site, tailcast},
    fault_proxy::FaultProxy,
    server::Server,
};

async fn server_with_page(arguments: &[&str]) -> anyhow::Result<Server> {
    let site = site()?;
    let site = site.to_str().context("the path of the site is not UTF-8")?;
    Server::start(&[&["--site", site], arguments].concat()).await
}

const CONNECTED: &str = "document.querySelector('#status')?.dataset.state === 'connected'";

async fn stream(server: &Server, group: &str, line: &str) -> anyhow::Result<()> {
    let arguments = ["stream", "--negotiate", &server.negotiate_url(), "--group", group];
    let ended = run(&tailcast()?, &arguments, line.as_bytes()).await?;
    anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
    Ok(())
}

/// Returns a condition: the rows are these, each as `source|text`.
fn rows_are(rows: &[&str]) -> String {
    let rows = serde_json::Value::from(rows);
    format!(
        "JSON.stringify([...document.querySelectorAll('#log .row')].map(row =>
             `${{row.querySelector('.tag')?.textContent ?? ''}}|${{row.querySelector('.text').textContent}}`))
             === JSON.stringify({rows})"
    )
}

#[tokio::test]
async fn groups_of_two_servers_form_one_log_with_source_filters() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let other = Server::start(&["--allow-origin", &format!("http://{}", server.address())]).await?;
    let (second, browser) = (other.negotiate_url(), Browser::start().await?);
    let address = format!("/?group=web,db&negotiate=negotiate&negotiate={second}%3Fgroup%3Dci");
    browser.open(&server.url(&address)).await?;
    browser.until(CONNECTED).await?;
    stream(&server, "web", "from web").await?;
    browser.until(&rows_are(&["web|from web"])).await?;
    stream(&other, "ci", "from ci").await?;
    browser.until(&rows_are(&["web|from web", "ci|from ci"])).await?;
    stream(&server, "db", "from db").await?;
    browser.until(&rows_are(&["web|from web", "ci|from ci", "db|from db"])).await?;
    browser.run("document.querySelectorAll('.source')[2].click()").await?;
    browser.until(&rows_are(&["web|from web", "db|from db"])).await?;
    browser.run("document.querySelectorAll('.source')[2].click()").await?;
    browser.until(&rows_are(&["web|from web", "ci|from ci", "db|from db"])).await?;
    assert_eq!(browser.console_errors().await?, [""; 0]);
    browser.close().await
}

/// Returns a script that types a line and sends it.
fn send(line: &str) -> String {
    format!(
        "const field = document.querySelector('#composer input'); field.value = '{line}';
         field.dispatchEvent(new Event('input', {{ bubbles: true }}));
         document.querySelector('#composer').requestSubmit()"
    )
}

fn said(words: &str) -> String {
    format!("document.querySelector('#composer .sent')?.textContent.startsWith('{words}')")
}

#[tokio::test]
async fn a_sent_line_is_delivered_despite_a_dropped_connection() -> anyhow::Result<()> {
    let (server, browser) = (server_with_page(&[]).await?, Browser::start().await?);
    let proxy = FaultProxy::to(server.address()).await?;
    browser.open(&proxy.url("/?publish")).await?;
    browser.until(CONNECTED).await?;
    browser.run(&send("first")).await?;
    browser.until(&said("delivered (1)")).await?;
    browser.until(&rows_are(&["|first"])).await?;
    proxy.drop_connections();
    browser.run(&send("second")).await?;
    browser.until(&said("delivered (2)")).await?;
    browser.until(&rows_are(&["|first", "|second"])).await?;
    browser.close().await
}

#[tokio::test]
async fn publishing_without_permission_is_reported() -> anyhow::Result<()> {
    let server = server_with_page(&["--publish-key", "not-the-page's"]).await?;
    let browser = Browser::start().await?;
    browser.open(&server.url("/?publish")).await?;
    browser.until(CONNECTED).await?;
    browser.run(&send("nobody hears this")).await?;
    browser.until(&said("not delivered: the service refused the message")).await?;
    browser.until(&rows_are(&[])).await?;
    browser.close().await
}

#[tokio::test]
async fn json_lines_expand_and_the_url_sets_columns() -> anyhow::Result<()> {
    let (server, browser) = (server_with_page(&[]).await?, Browser::start().await?);
    browser.open(&server.url("/?columns=level,msg")).await?;
    browser.until(CONNECTED).await?;
    stream(&server, "stream", r#"{"level":"error","msg":"no route","to":{"host":"db-1"}}"#).await?;
    browser.until("document.querySelectorAll('#log .cell').length === 2").await?;
    browser.until("document.querySelector('#log .row').dataset.level === 'error'").await?;
    browser.run("document.querySelector('#log .fold').click()").await?;
    browser.until("document.querySelectorAll('#log .branch').length === 4").await?;
    browser.save_screenshot(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("json.png")).await?;
    browser.close().await
}
