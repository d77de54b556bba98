//! Static page of `cargo xtask dist` on a file host: at any path, configured by a file or by its
//! URL, with specific errors for a misconfigured host.

use anyhow::Context;
use serde_json::{Value, json};
use tailcast_tests::{
    browser::{Browser, Kind},
    command::run,
    environment::tailcast,
    file_host::FileHost,
    hosted::HostedPage,
    server::{Server, get},
};

const CONNECTED: &str = "document.querySelector('#status')?.dataset.state === 'connected'";

/// Returns the Content-Security-Policy of the server's page, with another `connect-src`.
async fn policy(connect: &str) -> anyhow::Result<String> {
    let server = Server::start(&[]).await?;
    let answer = tailcast_tests::server::http_client()?.get(server.url("/")).send().await?;
    let policy = answer.headers().get("content-security-policy").context("no policy")?.to_str()?;
    Ok(policy.replace("connect-src *", &format!("connect-src {connect}")))
}

/// Starts a service that allows the origin of `host`.
async fn service_for(host: &FileHost) -> anyhow::Result<Server> {
    Server::start(&["--allow-origin", &host.origin()]).await
}

async fn stream(service: &Server, group: &str, line: &str) -> anyhow::Result<()> {
    let arguments = ["stream", "--negotiate", &service.negotiate_url(), "--group", group];
    let ended = run(&tailcast()?, &arguments, line.as_bytes()).await?;
    anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
    Ok(())
}

/// Returns a condition: the page shows a line with this text.
fn shows(text: &str) -> String {
    format!("[...document.querySelectorAll('#log .text')].some(row => row.textContent === '{text}')")
}

tailcast_tests::in_every_browser! {
    the_configuration_file_sets_the_service_of_the_page,
    parameters_of_the_url_override_an_optional_configuration_file,
    attributes_of_the_body_configure_the_page,
    the_page_works_with_another_content_type_for_webassembly,
    a_policy_that_blocks_webassembly_is_reported_by_the_page,
    missing_files_are_reported,
    scripts_with_a_wrong_content_type_are_reported,
    invalid_settings_are_reported,
    a_service_that_does_not_allow_the_origin_is_reported,
}

async fn the_configuration_file_sets_the_service_of_the_page(kind: Kind) -> anyhow::Result<()> {
    let page = HostedPage::copy()?;
    let host = FileHost::start("/tools/tailcast/", page.folder()).await?;
    let service = service_for(&host).await?;
    let settings =
        json!({ "negotiate": service.negotiate_url(), "group": ["web", "db"], "wrap": 1, "lines": 500 });
    page.write("config.json", &settings.to_string())?;
    host.add_header(
        "Content-Security-Policy",
        &policy(&format!("'self' {} ws://{}", service.url(""), service.address())).await?,
    );
    host.add_header("X-Content-Type-Options", "nosniff");
    let browser = Browser::start_of(kind).await?;
    browser.open(&host.url("")).await?;
    browser.until(CONNECTED).await?;
    stream(&service, "web", "from web").await?;
    browser.until(&shows("from web")).await?;
    stream(&service, "db", "from db").await?;
    browser.until(&shows("from db")).await?;
    let asked = browser
        .run("return [...new Set(performance.getEntriesByType('resource').map(entry => new URL(entry.name).origin))].sort()")
        .await?;
    let mut expected = [host.origin(), service.url("")];
    expected.sort();
    assert_eq!(asked, json!(expected));
    if kind.has_console_log() {
        assert_eq!(browser.console_errors().await?, [""; 0]);
    }
    browser.close().await
}

async fn parameters_of_the_url_override_an_optional_configuration_file(kind: Kind) -> anyhow::Result<()> {
    let page = HostedPage::copy()?;
    let host = FileHost::start("/a/b/", page.folder()).await?;
    let service = service_for(&host).await?;
    let browser = Browser::start_of(kind).await?;
    let asking = host.url(&format!("?negotiate={}&group=nightly", service.negotiate_url()));
    for settings in [Some(r#"{ "negotiate": "https://wrong.invalid/negotiate", "group": "wrong" }"#), None] {
        match settings {
            Some(text) => page.write("config.json", text)?,
            None => page.remove("config.json")?,
        }
        browser.open(&asking).await?;
        browser.until(CONNECTED).await?;
        let line = if settings.is_some() { "first" } else { "second" };
        stream(&service, "nightly", line).await?;
        browser.until(&shows(line)).await?;
    }
    browser.close().await
}

async fn attributes_of_the_body_configure_the_page(kind: Kind) -> anyhow::Result<()> {
    let page = HostedPage::copy()?;
    let host = FileHost::start("/", page.folder()).await?;
    let service = service_for(&host).await?;
    let body = format!("<body data-negotiate=\"{}\" data-group=\"own\">", service.negotiate_url());
    page.replace("index.html", "<body>", &body)?;
    page.write("config.json", "{}")?;
    let browser = Browser::start_of(kind).await?;
    browser.open(&host.url("index.html")).await?;
    browser.until(CONNECTED).await?;
    stream(&service, "own", "to its own group").await?;
    browser.until(&shows("to its own group")).await?;
    browser.close().await
}

async fn the_page_works_with_another_content_type_for_webassembly(kind: Kind) -> anyhow::Result<()> {
    let page = HostedPage::copy()?;
    let (host, browser) = (FileHost::start("/", page.folder()).await?, Browser::start_of(kind).await?);
    host.add_header("X-Content-Type-Options", "nosniff");
    for content_type in ["application/octet-stream", "text/plain"] {
        host.set_content_type("wasm", content_type);
        host.set_content_type("webmanifest", content_type);
        browser.open(&host.url(&format!("?called={content_type}"))).await?;
        browser.until("document.querySelector('#log') !== null").await?;
    }
    browser.close().await
}

/// Opens the page, and waits until it shows the message.
async fn says(browser: &Browser, host: &FileHost, words: &str) -> anyhow::Result<()> {
    browser.open(&host.url("")).await?;
    browser.until(&format!("document.body.innerText.includes({})", Value::from(words))).await
}

async fn a_policy_that_blocks_webassembly_is_reported_by_the_page(kind: Kind) -> anyhow::Result<()> {
    let page = HostedPage::copy()?;
    let (host, browser) = (FileHost::start("/", page.folder()).await?, Browser::start_of(kind).await?);
    host.add_header("Content-Security-Policy", "default-src 'self'");
    says(&browser, &host, "forbids WebAssembly. Whoever hosts it adds 'wasm-unsafe-eval' to script-src")
        .await?;
    browser.close().await
}

async fn missing_files_are_reported(kind: Kind) -> anyhow::Result<()> {
    let page = HostedPage::copy()?;
    let (host, browser) = (FileHost::start("/", page.folder()).await?, Browser::start_of(kind).await?);
    page.remove(&page.name("_bg.wasm")?)?;
    says(&browser, &host, "Tailcast does not start: one of its files is missing").await?;
    let again = HostedPage::copy()?;
    let script = again.name("_bg.wasm")?.replace("_bg.wasm", ".js");
    again.remove(&script)?;
    host.set_folder(again.folder());
    says(&browser, &host, "Tailcast does not start: one of its files is missing").await?;
    browser.close().await
}

async fn scripts_with_a_wrong_content_type_are_reported(kind: Kind) -> anyhow::Result<()> {
    let page = HostedPage::copy()?;
    let (host, browser) = (FileHost::start("/", page.folder()).await?, Browser::start_of(kind).await?);
    host.set_content_type("js", "text/plain");
    browser.open(&host.url("")).await?;
    let words = "document.body.innerText.includes('those that end in .js as JavaScript')";
    // The message has a delay, because a slow start is more likely.
    assert_eq!(browser.run(&format!("return {words}")).await?, false);
    browser.run("document.getAnimations().forEach(animation => animation.finish())").await?;
    browser.until(words).await?;
    browser.close().await
}

async fn invalid_settings_are_reported(kind: Kind) -> anyhow::Result<()> {
    let page = HostedPage::copy()?;
    let (host, browser) = (FileHost::start("/", page.folder()).await?, Browser::start_of(kind).await?);
    for (settings, words) in [
        ("{ negotiate: 'x' }", "the page's settings, config.json, cannot be read"),
        ("[]", "config.json, cannot be read: it is no JSON object"),
        (r#"{ "negotiate": "ftp://h/" }"#, "it must be an http or https URL"),
    ] {
        page.write("config.json", settings)?;
        says(&browser, &host, words).await?;
    }
    browser.close().await
}

async fn a_service_that_does_not_allow_the_origin_is_reported(kind: Kind) -> anyhow::Result<()> {
    let page = HostedPage::copy()?;
    let (host, service) = (FileHost::start("/", page.folder()).await?, Server::start(&[]).await?);
    page.write("config.json", &json!({ "negotiate": service.negotiate_url() }).to_string())?;
    let browser = Browser::start_of(kind).await?;
    says(&browser, &host, "the server does not allow pages of this origin").await?;
    // The service runs, but the browser blocks the response.
    assert_eq!(get(&service.negotiate_url()).await?.0, 200);
    browser.close().await
}
