//! Password of viewers: `tailcast serve --viewer-password`.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use serde_json::Value;
use tailcast_tests::{
    browser::{Browser, Kind},
    command::{Ended, command, run_to_end},
    environment::{site, tailcast},
    page_host::{PACKAGE, PageHost},
    server::{Server, http_client},
    socket::{JSON, Socket},
    streamer::Streamer,
    web_server::free_port,
    with_timeout,
};

const ACCESS_KEY: &str = "an-access-key-of-thirty-two-characters";
const PASSWORD: &str = "s3cret-of-viewers";
/// Condition: the page is connected.
const CONNECTED: &str = "document.querySelector('#status')?.dataset.state === 'connected'";

fn arguments(password: &str) -> [&str; 6] {
    ["--access-key", ACCESS_KEY, "--publish-key", "ours", "--viewer-password", password]
}

async fn start() -> anyhow::Result<Server> {
    Server::start(&arguments(PASSWORD)).await
}

/// Status, body and `Retry-After` of a response.
#[derive(Debug)]
struct Answer {
    status: u16,
    challenge: Option<String>,
    retry_after: Option<String>,
    body: String,
}

async fn get(url: &str, authorization: Option<&str>) -> anyhow::Result<Answer> {
    let mut request = http_client()?.get(url);
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    with_timeout(url, async {
        let response = request.send().await?;
        let header = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
        let (challenge, retry_after) = (header("www-authenticate"), header("retry-after"));
        Ok(Answer {
            status: response.status().as_u16(),
            challenge,
            retry_after,
            body: response.text().await?,
        })
    })
    .await
}

fn basic(password: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    format!("Basic {}", BASE64_STANDARD.encode(format!("anyone:{password}")))
}

#[tokio::test]
async fn the_page_and_its_endpoints_require_the_password_or_the_publish_key() -> anyhow::Result<()> {
    let server = start().await?;
    for path in
        ["/", "/index.html", "/%69ndex.html", "/index.html.br", "/config.json", "/negotiate", "/groups"]
    {
        let url = server.url(path);
        let refused = get(&url, None).await?;
        assert_eq!(refused.status, 401, "{path}");
        assert_eq!(
            refused.challenge.as_deref(),
            Some("Basic realm=\"Tailcast\", charset=\"UTF-8\""),
            "{path}"
        );
        assert!(refused.body.contains("the password of its viewers"), "{path}: {}", refused.body);
        // The page has no settings file.
        let expected = if path == "/config.json" { 404 } else { 200 };
        for accepted in [basic(PASSWORD), "Bearer ours".to_owned()] {
            assert_eq!(get(&url, Some(&accepted)).await?.status, expected, "{path} {accepted}");
        }
    }
    let page = get(&server.url("/"), Some(&basic(PASSWORD))).await?.body;
    let hashed = page.split('"').find(|text| text.ends_with(".css")).unwrap_or_default();
    let hashed = format!("/{}", hashed.trim_start_matches("./").trim_start_matches('/'));
    for path in ["/healthz", "/manifest.webmanifest", "/service_worker.js", "/icon-192.png", &hashed] {
        assert_eq!(get(&server.url(path), None).await?.status, 200, "{path}");
    }
    // The password permits to view, the key to publish.
    let publish = server.url("/negotiate?role=publisher");
    assert_eq!(get(&publish, Some(&basic(PASSWORD))).await?.status, 401);
    assert_eq!(get(&publish, Some("Bearer ours")).await?.status, 200);
    assert_eq!(get(&publish, Some("Bearer guess")).await?.status, 401);
    Ok(())
}

#[tokio::test]
async fn files_of_the_user_beside_the_page_require_the_password_whatever_their_names() -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("tailcast-viewer-files-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    for file in std::fs::read_dir(site()?)? {
        let file = file?;
        std::fs::copy(file.path(), folder.join(file.file_name()))?;
    }
    let reports = ["/report-20261201.html", "/report-20261201120000.html", "/report-dfbabe9bcee54733.html"];
    for report in reports {
        std::fs::write(folder.join(report.trim_start_matches('/')), "secret")?;
    }
    let all = [&arguments(PASSWORD)[..], &["--site", folder.to_str().unwrap_or_default()]].concat();
    let server = Server::start(&all).await?;
    for report in reports {
        assert_eq!(get(&server.url(report), None).await?.status, 401, "{report}");
        assert_eq!(get(&server.url(report), Some(&basic(PASSWORD))).await?.body, "secret");
    }
    let hashed = std::fs::read_dir(&folder)?.filter_map(|file| file.ok()?.file_name().into_string().ok());
    let css: Vec<String> = hashed.filter(|name| name.ends_with(".css")).collect();
    assert_eq!(css.len(), 1);
    for name in css {
        assert_eq!(get(&server.url(&format!("/{name}")), None).await?.status, 200, "{name}");
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

#[tokio::test]
async fn a_token_opens_the_web_socket_and_the_history_without_the_password() -> anyhow::Result<()> {
    let server = start().await?;
    let negotiated: Value =
        serde_json::from_str(&get(&server.negotiate_url(), Some(&basic(PASSWORD))).await?.body)?;
    let url = negotiated["url"].as_str().unwrap_or_default();
    let mut socket = Socket::open(url, &[JSON]).await?;
    assert_eq!(socket.json().await?["event"], "connected");
    let (_, token) = url.split_once("access_token=").unwrap_or_default();
    let history = format!("{}/groups/stream", negotiated["history"].as_str().unwrap_or_default());
    let bearer = format!("Bearer {token}");
    assert_eq!(get(&history, Some(&bearer)).await?.status, 200);
    assert_eq!(get(&format!("{history}?access_token={token}"), None).await?.status, 200);
    for without_token in [None, Some(basic(PASSWORD)), Some("Bearer ours".to_owned())] {
        assert_eq!(get(&history, without_token.as_deref()).await?.status, 401, "{without_token:?}");
    }
    // A token is not a credential of the endpoint that signs tokens.
    assert_eq!(get(&server.negotiate_url(), Some(&bearer)).await?.status, 401);
    Ok(())
}

#[tokio::test]
async fn wrong_passwords_and_keys_are_limited_by_address_each_for_itself() -> anyhow::Result<()> {
    let server = start().await?;
    let exhaust = async |wrong: &str| {
        for attempt in 1..=10 {
            // Attempts at all paths count together.
            let path = if attempt % 2 == 0 { "/" } else { "/groups" };
            assert_eq!(get(&server.url(path), Some(wrong)).await?.status, 401, "attempt {attempt}");
        }
        anyhow::Ok(())
    };
    exhaust(&basic("guess")).await?;
    publish(&server, "with the key").await?;
    exhaust("Bearer guess").await?;
    for credential in [basic("guess"), basic(PASSWORD), "Bearer guess".to_owned(), "Bearer ours".to_owned()] {
        let limited = get(&server.negotiate_url(), Some(&credential)).await?;
        assert_eq!(limited.status, 429, "{credential}");
        let wait: u64 = limited.retry_after.as_deref().unwrap_or_default().parse()?;
        assert!((1..=6).contains(&wait), "{wait}");
    }
    assert_eq!(get(&server.url("/"), None).await?.status, 401);
    assert_eq!(get(&server.url("/healthz"), None).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_long_publish_key_is_accepted_whatever_others_have_tried() -> anyhow::Result<()> {
    const KEY: &str = "a-publish-key-that-nobody-guesses";
    let arguments = ["--access-key", ACCESS_KEY, "--publish-key", KEY, "--viewer-password", PASSWORD];
    let server = Server::start(&arguments).await?;
    for wrong in [basic("guess"), "Bearer guess".to_owned()] {
        while get(&server.url("/"), Some(&wrong)).await?.status != 429 {}
    }
    let stream = ["stream", "--server", &server.url(""), "--publish-key", KEY];
    let ended = run(&stream, None, "line\n").await?;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    Ok(())
}

/// Runs a command with the password in its environment, or without.
async fn run(arguments: &[&str], password: Option<&str>, input: &str) -> anyhow::Result<Ended> {
    let mut command = command(&tailcast()?);
    command.args(arguments);
    if let Some(password) = password {
        command.env("TAILCAST_VIEWER_PASSWORD", password);
    }
    run_to_end(command, input.as_bytes()).await
}

#[tokio::test]
async fn commands_send_the_password_or_the_publish_key() -> anyhow::Result<()> {
    let server = start().await?;
    let url = server.url("");
    let with_key = ["stream", "--server", &url, "--publish-key", "ours"];
    for password in [None, Some(PASSWORD), Some("wrong")] {
        assert_eq!(run(&with_key, password, "line\n").await?.code, Some(0), "{password:?}");
    }
    let watch = ["watch", "--server", &url, "--no-follow"];
    let lines = "line\n".repeat(3);
    assert_eq!(run(&watch, Some(PASSWORD), "").await?.stdout, lines);
    let with_both = [&watch[..], &["--publish-key", "ours"]].concat();
    assert_eq!(run(&with_both, Some(PASSWORD), "").await?.stdout, lines);
    assert_eq!(run(&with_both, None, "").await?.stdout, lines);
    let file = std::env::temp_dir().join(format!("tailcast-viewer-password-{}", std::process::id()));
    std::fs::write(&file, format!("{PASSWORD}\n"))?;
    let by_file = [&watch[..], &["--viewer-password-file", file.to_str().unwrap_or_default()]].concat();
    let ended = run(&by_file, Some("wrong"), "").await?;
    assert_eq!(ended.stdout, lines, "{}", ended.stderr);
    std::fs::remove_file(&file)?;
    for (password, reason) in [(None, "TAILCAST_VIEWER_PASSWORD"), (Some("wrong"), "wrong viewer password")] {
        let refused = run(&watch, password, "").await?;
        assert_eq!(refused.code, Some(1), "{}", refused.stderr);
        assert!(refused.stderr.contains("401") && refused.stderr.contains(reason), "{}", refused.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn a_refusal_names_the_credential_that_the_command_needs() -> anyhow::Result<()> {
    let server = start().await?;
    let url = server.url("");
    let (key, password) = ("TAILCAST_PUBLISH_KEY", "TAILCAST_VIEWER_PASSWORD");
    for (arguments, needed, other) in [
        (&["stream", "--server", &url][..], key, password),
        (&["run", "--server", &url, "--", "echo", "line"], key, password),
        (&["watch", "--server", &url], password, key),
    ] {
        let ended = run(arguments, None, "line\n").await?;
        assert!(ended.stderr.contains("401") && ended.stderr.contains(needed), "{}", ended.stderr);
        assert!(!ended.stderr.contains(other) && !ended.stderr.contains(".;"), "{}", ended.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn the_password_is_never_printed_or_logged() -> anyhow::Result<()> {
    let server = start().await?;
    let in_url = server.url("").replace("://", &format!("://viewer:{PASSWORD}@"));
    let negotiate = format!("{in_url}/negotiate");
    let mut printed = String::new();
    for arguments in [
        &["watch", "--server", &in_url, "--no-follow"][..],
        &["watch", "--negotiate", &negotiate, "--no-follow"],
        &["stream", "--server", &in_url, "--open"],
    ] {
        let mut command = command(&tailcast()?);
        command.args(arguments).env("TAILCAST_LOG", "trace").env("BROWSER", "true");
        let ended = run_to_end(command, b"").await?;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        printed += &ended.stderr;
    }
    let unreachable = format!("http://viewer:{PASSWORD}@127.0.0.1:9");
    let invalid = format!("viewer:{PASSWORD}@127.0.0.1");
    for server in [&unreachable, &invalid] {
        let ended = run(&["watch", "--server", server, "--give-up-after", "0"], None, "").await?;
        assert_ne!(ended.code, Some(0));
        printed += &ended.stderr;
    }
    printed += &server.stderr();
    assert!(server.stderr().contains("Viewers need the password"), "{}", server.stderr());
    for secret in [PASSWORD, basic(PASSWORD).trim_start_matches("Basic ")] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
    Ok(())
}

#[tokio::test]
async fn a_piped_command_protects_its_own_server() -> anyhow::Result<()> {
    let mut command = command(&tailcast()?);
    command.args(["--port", &free_port()?.to_string()]).env("TAILCAST_VIEWER_PASSWORD", PASSWORD);
    let mut piped = Streamer::start_command(command)?;
    piped.write("of the pipe\n").await?;
    piped.end_input();
    let url = format!("http://{}", piped.page_address().await?);
    piped.wait_for_stderr("tailcast: 1 line sent").await?;
    assert_eq!(get(&url, None).await?.status, 401);
    let watch = ["watch", "--server", &url, "--no-follow"];
    assert_eq!(run(&watch, Some(PASSWORD), "").await?.stdout, "of the pipe\n");
    piped.signal("INT").await?;
    assert_eq!(piped.wait_for_exit().await?.0, Some(0));
    Ok(())
}

/// Enters the password: the browser keeps it for the server. The page itself has an address without it.
async fn log_in(browser: &Browser, server: &Server) -> anyhow::Result<()> {
    browser.open(&server.url("/groups").replace("://", &format!("://viewer:{PASSWORD}@"))).await
}

async fn publish(server: &Server, line: &str) -> anyhow::Result<()> {
    let arguments = ["stream", "--server", &server.url(""), "--publish-key", "ours"];
    let ended = run(&arguments, None, &format!("{line}\n")).await?;
    anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
    Ok(())
}

/// Waits until the browser asks for the password. Without a window, Chromium shows an error page in place of its dialog.
async fn until_password_is_asked(kind: Kind, browser: &Browser) -> anyhow::Result<()> {
    let is_asked = async || match kind {
        Kind::Chromium => browser.run("return location.protocol").await.is_ok_and(|it| it == "chrome-error:"),
        Kind::Firefox => browser.client().get_alert_text().await.is_ok_and(|text| text.contains("sign in")),
    };
    with_timeout("the dialog", async {
        while !is_asked().await {}
        Ok(())
    })
    .await
}

tailcast_tests::in_every_browser! {
    the_password_opens_the_page_with_its_history,
    an_installed_page_asks_for_the_new_password,
    an_element_of_another_origin_uses_the_password_of_the_browser,
}

async fn the_password_opens_the_page_with_its_history(kind: Kind) -> anyhow::Result<()> {
    let (server, browser) = (start().await?, Browser::start_of(kind).await?);
    publish(&server, "of the history").await?;
    log_in(&browser, &server).await?;
    for _visit in ["first", "with the service worker"] {
        browser.open(&server.url("/")).await?;
        browser.until(CONNECTED).await?;
        browser.until("document.querySelector('#log').textContent.includes('of the history')").await?;
        browser.until("navigator.serviceWorker.controller !== null").await?;
    }
    publish(&server, "of now").await?;
    browser.until("document.querySelector('#log').textContent.includes('of now')").await?;
    browser.close().await
}

async fn an_installed_page_asks_for_the_new_password(kind: Kind) -> anyhow::Result<()> {
    let (server, browser) = (start().await?, Browser::start_of(kind).await?);
    let (address, page) = (server.address().to_owned(), server.url("/"));
    log_in(&browser, &server).await?;
    browser.open(&page).await?;
    browser.until("navigator.serviceWorker.controller !== null").await?;
    server.kill().await?;
    let server = Server::start_on(&address, &arguments("another")).await?;
    browser.open(&page).await?;
    until_password_is_asked(kind, &browser).await?;
    if kind == Kind::Firefox {
        browser.client().dismiss_alert().await?;
        browser.until("document.body?.textContent.includes('requires the password')").await?;
    }
    // Where it was entered, the page and its worker are back.
    browser.open(&server.url("/groups").replace("://", "://viewer:another@")).await?;
    browser.open(&page).await?;
    browser.until(CONNECTED).await?;
    browser.until("navigator.serviceWorker.controller !== null").await?;
    browser.close().await
}

async fn an_element_of_another_origin_uses_the_password_of_the_browser(kind: Kind) -> anyhow::Result<()> {
    let host = PageHost::start().await?;
    let origin = host.url("");
    let server = Server::start(&[&arguments(PASSWORD)[..], &["--allow-origin", &origin]].concat()).await?;
    publish(&server, "of the history").await?;
    let browser = Browser::start_of(kind).await?;
    host.put(
        "/",
        "text/html",
        format!(
            "<!doctype html><title>A page</title><tail-cast id=log></tail-cast>
             <script type=module src={PACKAGE}tailcast.js></script>
             <script type=module>
               log.addEventListener('tailcast-error', (event) => window.failure = event.detail.message);
               // The driver of Firefox refuses a dialog while it opens a page.
               const isLoaded = new Promise((resolve) => addEventListener('load', () => setTimeout(resolve)));
               log.negotiateWith = async () => {{
                 await isLoaded;
                 const answer = await fetch('{}', {{ credentials: 'include' }});
                 if (!answer.ok) throw new Error(await answer.text());
                 return answer.json();
               }};
             </script>",
            server.negotiate_url()
        ),
    );
    browser.open(&host.url("/")).await?;
    // The driver of Chromium does not show its dialog.
    if kind == Kind::Firefox {
        until_password_is_asked(kind, &browser).await?;
        browser.client().dismiss_alert().await?;
        browser.until("window.failure?.includes('requires the password of its viewers')").await?;
    }
    log_in(&browser, &server).await?;
    browser.open(&host.url("/")).await?;
    browser.until("log.shadowRoot?.querySelector('#status')?.dataset.state === 'connected'").await?;
    browser.until("log.shadowRoot.querySelector('#log').textContent.includes('of the history')").await?;
    browser.close().await
}
