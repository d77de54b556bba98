//! Recipes of `deploy/` for web servers, with replaced names, ports and directories: the static page at a path, and the server
//! behind a reverse proxy.

use std::path::Path;

use anyhow::Context;
use reqwest::{Response, header::HeaderMap};
use serde_json::{Value, json};
use tailcast_tests::{
    browser::Browser,
    command::run,
    environment::tailcast,
    hosted::HostedPage,
    server::{Server, http_client},
    web_server::{Replacement, WebServer, free_address},
};

const CONNECTED: &str = "document.querySelector('#status')?.dataset.state === 'connected'";
const OWN_KEY: [&str; 2] = ["--access-key", "an-access-key-of-thirty-two-characters"];
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Web server with recipes.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Nginx,
    Caddy,
}

const BOTH: [Kind; 2] = [Kind::Nginx, Kind::Caddy];

/// Starts a web server with the page at `/tailcast/`.
async fn host(kind: Kind, page: &HostedPage) -> anyhow::Result<WebServer> {
    let www = page.folder().to_str().context("a path that is not UTF-8")?;
    // The recipes expect the page in a subdirectory of the root.
    let below = page.folder().join("tailcast");
    if !below.exists() {
        std::os::unix::fs::symlink(".", &below)?;
    }
    let address = &free_address()?;
    let unused = unused_site(address);
    match kind {
        Kind::Nginx => {
            let replacements = [
                Replacement { from: "root /var/www;", to: &format!("root {www};") },
                Replacement { from: "listen 80;", to: &format!("listen {address};") },
            ];
            WebServer::nginx(address, "nginx-site.conf", &replacements).await
        }
        Kind::Caddy => {
            let replacements = [
                Replacement { from: "root * /var/www\n", to: &format!("root * {www}\n") },
                Replacement { from: "\nfiles.example.com {", to: &format!("\nhttp://{address} {{") },
                Replacement { from: "\nlogs.example.com {", to: &unused },
            ];
            WebServer::caddy(address, "Caddyfile", &replacements).await
        }
    }
}

/// Returns the address of the Caddyfile's site that the test does not use.
fn unused_site(address: &str) -> String {
    format!("\nhttp://unused.{} {{", address.replacen("127.0.0.1", "invalid", 1))
}

/// Starts a web server at `address` as a reverse proxy of `server`.
async fn front(kind: Kind, address: &str, server: &Server) -> anyhow::Result<WebServer> {
    let ours = server.address();
    let unused = unused_site(address);
    match kind {
        Kind::Nginx => {
            let replacements = [
                Replacement { from: "http://127.0.0.1:8080;", to: &format!("http://{ours};") },
                Replacement { from: "listen 80;", to: &format!("listen {address};") },
            ];
            WebServer::nginx(address, "nginx-proxy.conf", &replacements).await
        }
        Kind::Caddy => {
            let replacements = [
                Replacement { from: "reverse_proxy 127.0.0.1:8080", to: &format!("reverse_proxy {ours}") },
                Replacement { from: "\nfiles.example.com {", to: &unused },
                Replacement { from: "\nlogs.example.com {", to: &format!("\nhttp://{address} {{") },
            ];
            WebServer::caddy(address, "Caddyfile", &replacements).await
        }
    }
}

async fn ask(url: &str, headers: &[(&str, &str)]) -> anyhow::Result<Response> {
    let mut request = http_client()?.get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.with_context(|| url.to_owned())
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[tokio::test]
async fn files_have_compression_content_types_and_cache_headers() -> anyhow::Result<()> {
    let page = HostedPage::copy()?;
    let (wasm, style) = (page.name("_bg.wasm")?, page.name(".css")?);
    for kind in BOTH {
        let host = host(kind, &page).await?;
        for (name, kind, cache) in [
            (wasm.as_str(), "application/wasm", IMMUTABLE),
            (style.as_str(), "text/css", IMMUTABLE),
            ("", "text/html", "no-cache"),
            ("config.json", "application/json", "no-cache"),
            ("manifest.webmanifest", "application/manifest+json", "no-cache"),
            ("service_worker.js", "javascript", "no-cache"),
        ] {
            let url = host.url(&format!("/tailcast/{name}"));
            let answer = ask(&url, &[]).await?;
            assert_eq!(answer.status(), 200, "{url}");
            let response_headers = answer.headers();
            assert!(header(response_headers, "content-type").contains(kind), "{url}: {response_headers:?}");
            assert_eq!(header(response_headers, "cache-control"), cache, "{url}");
            assert!(!header(response_headers, "etag").is_empty(), "{url}: {response_headers:?}");
        }
        for (accepted, ending) in [("gzip, deflate, br", "br"), ("gzip", "gz")] {
            let answer =
                ask(&host.url(&format!("/tailcast/{wasm}")), &[("accept-encoding", accepted)]).await?;
            let encoding = if ending == "gz" { "gzip" } else { "br" };
            assert_eq!(header(answer.headers(), "content-encoding"), encoding);
            assert_eq!(header(answer.headers(), "content-type"), "application/wasm");
            assert_eq!(header(answer.headers(), "vary").to_lowercase(), "accept-encoding");
            let packed = std::fs::read(page.folder().join(format!("{wasm}.{ending}")))?;
            assert!(answer.bytes().await? == packed, "{accepted}: the content differs");
        }
        for missing in ["no-such-file", "tailcast-page-0123456789abcdef.js"] {
            let answer = ask(&host.url(&format!("/tailcast/{missing}")), &[]).await?;
            assert_eq!(answer.status(), 404);
            let kept = header(answer.headers(), "cache-control");
            assert!(!kept.contains("immutable"), "{kind:?}, {missing}: {kept}");
        }
        let outside = ask(&host.url("/tailcast"), &[]).await?;
        assert_eq!(outside.url().path(), "/tailcast/");
    }
    Ok(())
}

#[tokio::test]
async fn response_headers_equal_those_of_tailcast_serve() -> anyhow::Result<()> {
    let page = HostedPage::copy()?;
    let own = Server::start(&[]).await?;
    let ours = ask(&own.url("/"), &[]).await?;
    let rules = std::fs::read_to_string(page.folder().join("_headers"))?;
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/hosting.md");
    let document = std::fs::read_to_string(document)?;
    let hosts = [host(Kind::Nginx, &page).await?, host(Kind::Caddy, &page).await?];
    for name in [
        "Content-Security-Policy",
        "X-Content-Type-Options",
        "Referrer-Policy",
        "Cross-Origin-Resource-Policy",
    ] {
        let expected = header(ours.headers(), name);
        for host in &hosts {
            assert_eq!(header(ask(&host.url("/tailcast/"), &[]).await?.headers(), name), expected, "{name}");
        }
        let line = format!("{name}: {expected}\n");
        assert!(rules.contains(&line), "_headers does not contain {line}");
        assert!(document.contains(&line), "docs/hosting.md does not contain {line}");
    }
    Ok(())
}

#[tokio::test]
async fn the_page_at_a_path_connects_to_another_server() -> anyhow::Result<()> {
    for kind in BOTH {
        let page = HostedPage::copy()?;
        let host = host(kind, &page).await?;
        let service = Server::start(&["--allow-origin", &host.url("")]).await?;
        page.write("config.json", &json!({ "negotiate": service.negotiate_url() }).to_string())?;
        let browser = Browser::start().await?;
        browser.open(&host.url("/tailcast/")).await?;
        browser.until(CONNECTED).await?;
        browser.until("navigator.serviceWorker.controller !== null").await?;
        assert_eq!(browser.console_errors().await?, [""; 0]);
        browser.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_page_works_behind_a_reverse_proxy() -> anyhow::Result<()> {
    for kind in BOTH {
        let address = free_address()?;
        let public = format!("http://{address}");
        let named = ["--public-url", &public, "--trusted-proxy", "127.0.0.1", "--publish-key", "ours"];
        let server = Server::start(&[&OWN_KEY[..], &named].concat()).await?;
        let front = front(kind, &address, &server).await?;
        let browser = Browser::start().await?;
        browser.open(&front.url("/")).await?;
        browser.until(CONNECTED).await?;
        let negotiate = front.url("/negotiate");
        let arguments = ["stream", "--negotiate", &negotiate, "--publish-key", "ours"];
        let streamed = run(&tailcast()?, &arguments, b"through the proxy\n").await?;
        assert_eq!(streamed.code, Some(0), "{}", streamed.stderr);
        browser.until("document.querySelector('#log').textContent.includes('through the proxy')").await?;
        let negotiated: Value = serde_json::from_str(&ask(&negotiate, &[]).await?.text().await?)?;
        let url = negotiated.get("url").and_then(Value::as_str).context("no url")?;
        assert!(url.starts_with(&format!("ws://{address}/client/")), "{kind:?}: {url}");
        assert_eq!(browser.console_errors().await?, [""; 0]);
        browser.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn forwarded_headers_of_clients_are_replaced_by_the_proxy() -> anyhow::Result<()> {
    for kind in BOTH {
        let address = free_address()?;
        let public = format!("http://{address}");
        let named = ["--public-url", &public, "--trusted-proxy", "127.0.0.1", "--negotiate-limit", "3"];
        let server = Server::start(&[&OWN_KEY[..], &named].concat()).await?;
        let front = front(kind, &address, &server).await?;
        let mut outcomes = Vec::new();
        for number in 1..=4 {
            // Each request claims another client address.
            let (claimed, by) = (format!("198.51.100.{number}"), format!("for=198.51.100.{number}"));
            let claims = [("x-forwarded-for", claimed.as_str()), ("forwarded", by.as_str())];
            outcomes.push(ask(&front.url("/negotiate"), &claims).await?.status().as_u16());
        }
        assert_eq!(outcomes, [200, 200, 200, 429], "{kind:?}");
    }
    Ok(())
}
