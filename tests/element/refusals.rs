//! Failures caused by the host page, its web server or its policy: the message names the cause and the fix.

use serde_json::json;
use tailcast_tests::{browser::Kind, embedding::Embedding, page_host::PACKAGE, server::Server};

const ELEMENT: &str = "<tail-cast negotiate=NEGOTIATE></tail-cast>";
const MODULE: &str = "tailcast-core.js";
const WASM: &str = "tailcast-core_bg.wasm";

tailcast_tests::in_every_browser! {
    a_disallowed_origin_is_distinguished_from_an_unreachable_endpoint,
    a_policy_that_blocks_webassembly_is_reported_in_the_element,
    the_element_works_under_a_strict_policy,
    missing_and_invalid_files_are_reported,
    webassembly_with_another_content_type_works,
    a_later_element_retries_after_a_failed_load,
    a_second_version_of_the_module_is_ignored_with_a_warning,
}

/// Waits until the element shows the message and has dispatched it.
async fn says(page: &Embedding, words: &str) -> anyhow::Result<()> {
    page.until(&format!(
        "element().shadowRoot.textContent.includes({words:?})
         && heard.some(({{ name, detail }}) => name === 'error' && detail.message.includes({words:?}))"
    ))
    .await
}

async fn a_disallowed_origin_is_distinguished_from_an_unreachable_endpoint(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    let (strict, origin) = (Server::start(&[]).await?, page.host.url(""));
    let endpoint = strict.negotiate_url();
    page.show(&format!("<tail-cast negotiate='{endpoint}'></tail-cast>")).await?;
    says(&page, &format!("{endpoint} does not answer pages of {origin}")).await?;
    says(&page, &format!("--allow-origin {origin}")).await?;
    strict.kill().await?;
    page.show(&format!("<tail-cast negotiate='{endpoint}'></tail-cast>")).await?;
    says(&page, &format!("{endpoint} cannot be reached")).await?;
    page.browser.close().await
}

async fn a_policy_that_blocks_webassembly_is_reported_in_the_element(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    let policy = "default-src 'none'; script-src 'self'; connect-src *; img-src 'self'";
    page.show_with(ELEMENT, &[("content-security-policy", policy)]).await?;
    says(&page, "'wasm-unsafe-eval'").await?;
    assert_eq!(page.value("instances").await?, 0);
    // A policy that blocks the download of the file.
    let policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src https://elsewhere.example; img-src 'self'";
    page.show_with(ELEMENT, &[("content-security-policy", policy)]).await?;
    says(&page, WASM).await?;
    assert_eq!(page.value("element().shadowRoot.textContent.includes('wasm-unsafe-eval')").await?, false);
    page.browser.close().await
}

async fn the_element_works_under_a_strict_policy(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    let service = page.server.address();
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' http://{service} ws://{service};
         img-src 'self'"
    )
    .replace('\n', "");
    page.show_with(ELEMENT, &[("content-security-policy", &policy)]).await?;
    page.connected(0).await?;
    page.stream("\u{1b}[1;38;5;208mall in order\u{1b}[0m\nlast\n").await?;
    assert_eq!(page.value("getComputedStyle(part('header')).display").await?, "flex", "styles are there");
    page.close_without_errors().await
}

async fn missing_and_invalid_files_are_reported(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    let (module, wasm) = (format!("{PACKAGE}{MODULE}"), format!("{PACKAGE}{WASM}"));
    let script = page.host.text(&module)?;
    page.host.remove(&wasm);
    page.show(ELEMENT).await?;
    says(&page, WASM).await?;
    // Fallback response of servers for single-page applications.
    page.host.put(&wasm, "text/html", "<!doctype html><title>An application</title>");
    page.show(ELEMENT).await?;
    says(&page, WASM).await?;
    page.host.put(&wasm, "application/wasm", "<!doctype html><title>An application</title>");
    page.show(ELEMENT).await?;
    says(&page, WASM).await?;
    page.host.put(&module, "text/plain", script.as_str());
    page.show(ELEMENT).await?;
    says(&page, MODULE).await?;
    page.host.remove(&module);
    page.show(ELEMENT).await?;
    says(&page, MODULE).await?;
    assert_eq!(page.value("instances").await?, 0);
    page.browser.close().await
}

async fn webassembly_with_another_content_type_works(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    let wasm = format!("{PACKAGE}{WASM}");
    page.host.put(&wasm, "application/octet-stream", page.host.bytes(&wasm)?);
    page.show(ELEMENT).await?;
    page.connected(0).await?;
    page.stream("slower to start\n").await?;
    page.close_without_errors().await
}

async fn a_later_element_retries_after_a_failed_load(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    let wasm = format!("{PACKAGE}{WASM}");
    page.host.put("/kept.wasm", "application/wasm", page.host.bytes(&wasm)?);
    page.host.remove(&wasm);
    page.show(ELEMENT).await?;
    says(&page, WASM).await?;
    page.host.put(&wasm, "application/wasm", page.host.bytes("/kept.wasm")?);
    page.run(
        "element().before(Object.assign(document.createElement('tail-cast'), { negotiate: 'NEGOTIATE' }))",
    )
    .await?;
    page.connected(0).await?;
    // The first element retries after a change of its attributes.
    page.run("element(1).group = 'stream'").await?;
    page.connected(1).await?;
    page.browser.close().await
}

async fn a_second_version_of_the_module_is_ignored_with_a_warning(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, ELEMENT).await?;
    let script = page.host.text(&format!("{PACKAGE}tailcast.js"))?;
    let version = page.value("customElements.get('tail-cast').version").await?;
    let version = version.as_str().unwrap_or_default();
    page.host.put("/newer/tailcast.js", "text/javascript", script.replace(version, "99.0.0"));
    page.host.put("/same/tailcast.js", "text/javascript", script);
    page.run("window.warnings = []; console.warn = (...words) => warnings.push(words.join(' '))").await?;
    let loaded = page.browser.run_async(
        "Promise.all([import('/newer/tailcast.js'), import('/same/tailcast.js')]).then(() => done('both'), (error) => done(String(error)))",
    );
    assert_eq!(loaded.await?, "both");
    assert_eq!(page.value("customElements.get('tail-cast').version").await?, version);
    let warnings = page.value("warnings").await?;
    assert_eq!(warnings.as_array().map(Vec::len), Some(1), "{warnings}");
    assert!(warnings.to_string().contains("99.0.0") && warnings.to_string().contains(version), "{warnings}");
    page.run("document.body.append(Object.assign(document.createElement('tail-cast'), { negotiate: 'NEGOTIATE' }))").await?;
    page.connected(1).await?;
    page.stream("for both\n").await?;
    page.until("rows(1).includes('for both')").await?;
    assert_eq!(
        page.value("[instances, heard.filter(({ name }) => name === 'error').length]").await?,
        json!([1, 0])
    );
    page.close_without_errors().await
}
