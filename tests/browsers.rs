//! Main functions of the page in all supported browsers, with standard WebDriver commands only.

use fantoccini::Locator;
use serde_json::{Value, json};
use tailcast_tests::{
    browser::{Browser, Kind},
    command::run,
    environment::{book, tailcast},
    file_host::FileHost,
    hosted::HostedPage,
    server::Server,
};

const CONNECTED: &str = "document.querySelector('#status')?.dataset.state === 'connected'";

async fn stream(server: &Server, input: &str) -> anyhow::Result<()> {
    let arguments = ["stream", "--negotiate", &server.negotiate_url()];
    let ended = run(&tailcast()?, &arguments, input.as_bytes()).await?;
    anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
    Ok(())
}

/// Returns a condition: the rendered lines have these texts, from top to bottom.
fn lines_are(lines: &[&str]) -> String {
    let lines = Value::from(lines);
    format!(
        "JSON.stringify([...document.querySelectorAll('#log .row')]
             .map(row => [row.getBoundingClientRect().top, row.querySelector('.text').textContent])
             .sort((a, b) => a[0] - b[0]).map(([, text]) => text)) === JSON.stringify({lines})"
    )
}

tailcast_tests::in_every_browser! {
    streamed_lines_appear_with_their_colors,
    following_stops_on_scroll_and_resumes,
    search_finds_matches_and_filter_hides_other_lines,
    a_page_reconnects_after_a_server_restart,
    an_embedded_element_shows_the_lines_of_its_group,
    a_page_on_a_file_host_connects_to_another_server_and_works_offline,
}

async fn streamed_lines_appear_with_their_colors(kind: Kind) -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let browser = Browser::start_of(kind).await?;
    browser.open(&server.url("/")).await?;
    browser.until(CONNECTED).await?;
    stream(&server, "plain\n\u{1b}[1;31mred\u{1b}[0m and not\n").await?;
    browser.until(&lines_are(&["plain", "red and not"])).await?;
    let name = browser.run("return navigator.userAgent").await?.to_string();
    assert!(name.contains(if kind == Kind::Firefox { "Firefox/" } else { "Chrom" }), "{name}");
    let coloured = browser
        .run(
            "const red = document.querySelector('#log .row .text span');
             return [red.textContent, getComputedStyle(red).color !== getComputedStyle(red.parentNode).color]",
        )
        .await?;
    assert_eq!(coloured, json!(["red", true]), "{kind:?}");
    stream(&server, "later\n").await?;
    browser.until(&lines_are(&["plain", "red and not", "later"])).await?;
    browser.close().await
}

async fn following_stops_on_scroll_and_resumes(kind: Kind) -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let browser = Browser::start_of(kind).await?;
    browser.open(&server.url("/")).await?;
    browser.until(CONNECTED).await?;
    let lines: String = (1..=20_000).map(|number| format!("line {number}\n")).collect();
    stream(&server, &lines).await?;
    let shows = |text: &str| {
        format!("[...document.querySelectorAll('#log .text')].some(row => row.textContent === '{text}')")
    };
    browser.until(&shows("line 20000")).await?;
    let body = browser.client().find(Locator::Css("body")).await?;
    body.send_keys("g").await?;
    browser.until("document.querySelector('#goto').matches(':popover-open')").await?;
    browser.client().find(Locator::Css("#goto input")).await?.send_keys("57\u{e007}").await?;
    browser.until(&shows("line 57")).await?;
    stream(&server, "the last\n").await?;
    browser.until("document.querySelector('#resume')?.dataset.new === '1'").await?;
    assert_eq!(browser.run(&format!("return {}", shows("line 57"))).await?, true, "{kind:?}: it moved");
    browser.client().find(Locator::Css("#resume")).await?.click().await?;
    browser.until(&shows("the last")).await?;
    browser.close().await
}

async fn search_finds_matches_and_filter_hides_other_lines(kind: Kind) -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let browser = Browser::start_of(kind).await?;
    browser.open(&server.url("/")).await?;
    browser.until(CONNECTED).await?;
    stream(&server, "GET /one 200\nERROR disk full\nGET /two 200\n").await?;
    browser.until(&lines_are(&["GET /one 200", "ERROR disk full", "GET /two 200"])).await?;
    browser.client().find(Locator::Css("#find input")).await?.send_keys("get").await?;
    browser.until("document.querySelector('#find').dataset.hits === '2'").await?;
    browser.client().find(Locator::Css("#filter [data-value=matching]")).await?.click().await?;
    browser.until(&lines_are(&["GET /one 200", "GET /two 200"])).await?;
    stream(&server, "noise\nGET /three 200\n").await?;
    browser.until(&lines_are(&["GET /one 200", "GET /two 200", "GET /three 200"])).await?;
    browser.close().await
}

async fn a_page_reconnects_after_a_server_restart(kind: Kind) -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let browser = Browser::start_of(kind).await?;
    browser.open(&server.url("/")).await?;
    browser.until(CONNECTED).await?;
    stream(&server, "before\n").await?;
    browser.until(&lines_are(&["before"])).await?;
    let address = server.address().to_owned();
    server.kill().await?;
    browser.until("document.querySelector('#status').dataset.state !== 'connected'").await?;
    let again = Server::start_on(&address, &[]).await?;
    // A restarted service has no connections, so the page reports a gap and reconnects.
    browser.until(CONNECTED).await?;
    stream(&again, "after\n").await?;
    browser.until("document.querySelector('#log').textContent.includes('after')").await?;
    browser.close().await
}

async fn an_embedded_element_shows_the_lines_of_its_group(kind: Kind) -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("tailcast-embedding-{kind:?}-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    std::os::unix::fs::symlink(book()?.join("element"), folder.join("element"))?;
    let host = FileHost::start("/", &folder).await?;
    let service = Server::start(&["--allow-origin", &host.origin()]).await?;
    let page = format!(
        "<!doctype html><title>Theirs</title><script type=\"module\" src=\"element/tailcast.js\"></script>
         <tail-cast negotiate=\"{}\"></tail-cast>",
        service.negotiate_url()
    );
    std::fs::write(folder.join("index.html"), page)?;
    let browser = Browser::start_of(kind).await?;
    browser.open(&host.url("")).await?;
    let inside = "document.querySelector('tail-cast').shadowRoot";
    browser.until(&format!("{inside}?.querySelector('#status')?.dataset.state === 'connected'")).await?;
    stream(&service, "into the element\n").await?;
    browser
        .until(&format!("{inside}.querySelector('#log').textContent.includes('into the element')"))
        .await?;
    browser.close().await?;
    Ok(std::fs::remove_dir_all(&folder)?)
}

async fn a_page_on_a_file_host_connects_to_another_server_and_works_offline(
    kind: Kind,
) -> anyhow::Result<()> {
    let page = HostedPage::copy()?;
    let host = FileHost::start("/logs/", page.folder()).await?;
    let service = Server::start(&["--allow-origin", &host.origin()]).await?;
    page.write("config.json", &json!({ "negotiate": service.negotiate_url() }).to_string())?;
    let browser = Browser::start_of(kind).await?;
    let address = host.url("");
    browser.open(&address).await?;
    browser.until(CONNECTED).await?;
    stream(&service, "from elsewhere\n").await?;
    browser.until(&lines_are(&["from elsewhere"])).await?;
    browser.until("navigator.serviceWorker.controller !== null").await?;
    drop(host);
    browser.open(&address).await?;
    browser.until(CONNECTED).await?;
    browser
        .run(
            r"const data = new DataTransfer();
              data.items.add(new File(['from a file\n'], 'app.log'));
              document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));",
        )
        .await?;
    browser.until("document.querySelector('#log').textContent.includes('from a file')").await?;
    browser.close().await
}
