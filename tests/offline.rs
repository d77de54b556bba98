//! Offline page: a visited page opens from the cache, and a newer version replaces it.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use serde_json::json;
use tailcast_tests::{
    browser::{Browser, Kind},
    file_host::FileHost,
    hosted::HostedPage,
    server::Server,
};

/// Condition: the service worker controls the page.
const KEPT: &str = "navigator.serviceWorker.controller !== null";

/// Drops a file of two lines onto the page, and waits until they are shown.
async fn drop_a_file(browser: &Browser) -> anyhow::Result<()> {
    browser.until("document.querySelector('#log') !== null").await?;
    browser
        .run(
            r"const data = new DataTransfer();
              data.items.add(new File(['first of the file\nsecond of the file\n'], 'app.log'));
              document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));",
        )
        .await?;
    browser
        .until("[...document.querySelectorAll('#log .text')].some(row => row.textContent === 'second of the file')")
        .await
}

/// Waits until the cache contains only one version of the page, with this prefix.
async fn until_kept(browser: &Browser, version: &str) -> anyhow::Result<()> {
    let ask = format!(
        "const ask = async () => {{
             const names = await caches.keys();
             return names.length === 1 && names[0].includes(' {version}') ? done(true) : setTimeout(ask, 10);
         }};
         ask();"
    );
    browser.run_async(&ask).await.map(drop)
}

tailcast_tests::in_every_browser! {
    a_visited_page_opens_without_its_server_and_shows_files,
    the_service_worker_ignores_other_pages,
    a_new_version_of_the_page_replaces_the_cached_one,
    the_last_configuration_file_is_cached,
    the_service_worker_is_removed_where_the_page_was_replaced,
}

async fn a_visited_page_opens_without_its_server_and_shows_files(kind: Kind) -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let (page, browser) = (server.url("/"), Browser::start_of(kind).await?);
    browser.open(&page).await?;
    browser.until(KEPT).await?;
    if kind.has_console_log() {
        assert_eq!(browser.console_errors().await?, [""; 0]);
    }
    server.kill().await?;
    for address in [page.clone(), format!("{page}?wrap=1&group=other#L5"), format!("{page}index.html")] {
        browser.open(&address).await?;
        drop_a_file(&browser).await?;
    }
    browser.close().await
}

async fn the_service_worker_ignores_other_pages(kind: Kind) -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let browser = Browser::start_of(kind).await?;
    browser.open(&server.url("/")).await?;
    browser.until(KEPT).await?;
    for path in ["/_hub", "/healthz", "/no-such-page"] {
        browser.open(&server.url(path)).await?;
        assert_eq!(browser.run("return document.querySelector('.tailcast')").await?, json!(null), "{path}");
    }
    browser.close().await
}

/// Returns a build with `name` in the page and as prefix of the service worker's version.
fn build(name: &str) -> anyhow::Result<HostedPage> {
    let page = HostedPage::copy()?;
    page.replace("index.html", "<title>", &format!("<meta name=\"build\" content=\"{name}\" /><title>"))?;
    page.replace("service_worker.js", "const VERSION = \"", &format!("const VERSION = \"{name}-"))?;
    Ok(page)
}

const BUILD: &str = "return document.querySelector('meta[name=build]').content";

async fn a_new_version_of_the_page_replaces_the_cached_one(kind: Kind) -> anyhow::Result<()> {
    let (old, new) = (build("old")?, build("new")?);
    let (host, browser) = (FileHost::start("/logs/", old.folder()).await?, Browser::start_of(kind).await?);
    // HTTP caching by the host must not delay a new version.
    host.add_header("Cache-Control", "max-age=600");
    let page = host.url("");
    browser.open(&page).await?;
    browser.until(KEPT).await?;
    until_kept(&browser, "old-").await?;
    host.set_folder(new.folder());
    browser.open(&page).await?;
    assert_eq!(browser.run(BUILD).await?, "new");
    until_kept(&browser, "new-").await?;
    drop(host);
    browser.open(&page).await?;
    assert_eq!(browser.run(BUILD).await?, "new");
    drop_a_file(&browser).await?;
    browser.close().await
}

async fn the_last_configuration_file_is_cached(kind: Kind) -> anyhow::Result<()> {
    let page = HostedPage::copy()?;
    page.write("config.json", r#"{ "group": "first" }"#)?;
    let (host, browser) = (FileHost::start("/", page.folder()).await?, Browser::start_of(kind).await?);
    browser.open(&host.url("")).await?;
    browser.until(KEPT).await?;
    page.write("config.json", r#"{ "group": "last" }"#)?;
    let shown = |group| format!("document.querySelector('.group')?.textContent === '{group}'");
    browser.open(&host.url("")).await?;
    browser.until(&shown("last")).await?;
    let address = host.url("");
    drop(host);
    browser.open(&address).await?;
    browser.until(&shown("last")).await?;
    browser.close().await
}

async fn the_service_worker_is_removed_where_the_page_was_replaced(kind: Kind) -> anyhow::Result<()> {
    let (ours, theirs) = (HostedPage::copy()?, HostedPage::copy()?);
    theirs.write("index.html", "<!doctype html><title>Somebody else</title>")?;
    let (host, browser) = (FileHost::start("/", ours.folder()).await?, Browser::start_of(kind).await?);
    browser.open(&host.url("")).await?;
    browser.until(KEPT).await?;
    host.set_folder(theirs.folder());
    browser.open(&host.url("")).await?;
    assert_eq!(browser.client().title().await?, "Somebody else");
    let gone = "const ask = async () => {
                    const workers = await navigator.serviceWorker.getRegistrations();
                    return workers.length + (await caches.keys()).length ? setTimeout(ask, 10) : done(true);
                };
                ask();";
    browser.run_async(gone).await?;
    browser.close().await
}

#[tokio::test]
async fn the_page_can_be_installed() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let browser = Browser::start().await?;
    browser.open(&server.url("/")).await?;
    browser.until(KEPT).await?;
    let manifest = browser.devtools("Page.getAppManifest", json!({})).await?;
    assert_eq!(manifest["errors"], json!([]));
    assert!(manifest["data"].as_str().is_some_and(|text| text.contains("\"Tailcast\"")), "{manifest}");
    let obstacles = browser.devtools("Page.getInstallabilityErrors", json!({})).await?;
    assert_eq!(obstacles["installabilityErrors"], json!([]));
    browser.close().await
}
