//! Host names in requests. A foreign name belongs to a web page whose owner has pointed it to the server (DNS rebinding).

use anyhow::Context;
use serde_json::Value;
use tailcast_tests::{
    browser::Browser,
    environment::site,
    server::{Server, http_client},
    socket::{JSON, Socket},
    with_timeout,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use webpubsub_protocol::connection_string::AccessKey;

const KEY: &str = "an-access-key-of-thirty-two-characters";
/// Routes of the page, the negotiate endpoint, the REST API and the inspector.
const ROUTES: [&str; 5] = ["/", "/negotiate", "/api/health", "/_hub", "/metrics"];
const FOREIGN: &str = "evil.example";

/// Starts a server that other machines can reach.
async fn public_server(arguments: &[&str]) -> anyhow::Result<Server> {
    let site = site()?;
    let site = site.to_str().context("the path of the page is not UTF-8")?;
    let own = ["--access-key", KEY, "--inspect", "--site", site];
    Server::start_on("0.0.0.0:0", &[&own[..], arguments].concat()).await
}

/// Requests `path` with the given host. Returns status and body.
async fn ask(server: &Server, path: &str, host: &str) -> anyhow::Result<(u16, String)> {
    let response = http_client()?.get(server.url(path)).header("host", host).send().await?;
    Ok((response.status().as_u16(), response.text().await?))
}

#[tokio::test]
async fn a_foreign_name_is_refused_on_every_route_but_the_health_check() -> anyhow::Result<()> {
    let server = public_server(&["--allow-host", "logs.example"]).await?;
    for route in ROUTES.into_iter().chain(["/nowhere", "/client/hubs/stream"]) {
        let (status, body) = ask(&server, route, FOREIGN).await?;
        assert_eq!(status, 421, "{route}: {body}");
        assert!(body.contains("`evil.example`") && body.contains("--allow-host"), "{body}");
    }
    let client = server.client_url(&AccessKey::new(KEY)?, |_| {})?;
    assert_eq!(Socket::refusal(&client, &[JSON], &[("host", FOREIGN)]).await?, 421);
    Socket::open(&client, &[JSON]).await?;
    assert_eq!(ask(&server, "/healthz", FOREIGN).await?.0, 200);
    Ok(())
}

#[tokio::test]
async fn addresses_and_names_of_the_server_are_accepted() -> anyhow::Result<()> {
    let server = public_server(&[
        "--allow-host",
        "logs.example:443",
        "--public-url",
        "https://public.example/tail",
        "--allow-origin",
        "https://pages.example:8443",
    ])
    .await?;
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname")?;
    let machine = machine.trim();
    for host in [
        "192.0.2.1:8080",
        "[2001:db8::1]:8080",
        "localhost",
        "LOGS.Example.:8080",
        "public.example",
        "pages.example",
        machine,
        &format!("{machine}.local"),
    ] {
        for route in ROUTES {
            assert_eq!(ask(&server, route, host).await?.0, 200, "{host}{route}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn clients_connect_by_an_allowed_name() -> anyhow::Result<()> {
    let server = public_server(&["--allow-host", "logs.example"]).await?;
    let host = "logs.example:8080";
    let negotiated: Value = serde_json::from_str(&ask(&server, "/negotiate", host).await?.1)?;
    let url = negotiated.get("url").and_then(Value::as_str).context("no url")?;
    let url = url.replacen(host, server.address(), 1);
    let mut client = Socket::open_with(&url, &[JSON], &[("host", host)]).await?;
    assert_eq!(client.json().await?.get("event"), Some(&Value::from("connected")));
    Ok(())
}

#[tokio::test]
async fn a_server_on_loopback_has_only_loopback_names() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    for host in ["localhost:8080", "app.localhost", "127.0.0.1", "[::1]:8080"] {
        assert_eq!(ask(&server, "/negotiate", host).await?.0, 200, "{host}");
    }
    for host in [FOREIGN, "192.0.2.1:8080"] {
        assert_eq!(ask(&server, "/negotiate", host).await?.0, 421, "{host}");
    }
    let named = Server::start(&["--allow-host", "logs.example", "--access-key", KEY]).await?;
    assert_eq!(ask(&named, "/negotiate", "logs.example").await?.0, 200);
    assert_eq!(ask(&named, "/negotiate", FOREIGN).await?.0, 421);
    Ok(())
}

#[tokio::test]
async fn a_request_must_have_one_host() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let both = "Host: localhost\r\nHost: evil.example\r\n";
    for (path, hosts, status) in [
        ("/negotiate", "", "400"),
        ("/negotiate", both, "400"),
        ("/negotiate", "Host: localhost:80@evil.example\r\n", "400"),
        ("http://evil.example/negotiate", "Host: localhost\r\n", "421"),
        ("/negotiate", "Host: localhost\r\n", "200"),
        ("/healthz", "", "200"),
    ] {
        let answer = with_timeout("raw exchange", async {
            let mut socket = TcpStream::connect(server.address()).await?;
            let request = format!("GET {path} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
            socket.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            socket.read_to_string(&mut answer).await?;
            Ok(answer)
        })
        .await?;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}, {hosts:?}: {answer}");
    }
    Ok(())
}

#[tokio::test]
async fn a_page_that_points_its_name_to_the_server_cannot_use_it() -> anyhow::Result<()> {
    let site = site()?;
    let site = site.to_str().context("the path of the page is not UTF-8")?;
    let private = Server::start(&["--site", site]).await?;
    let browser = Browser::start_resolving(FOREIGN, "127.0.0.1").await?;
    for server in [&private, &public_server(&[]).await?] {
        let port = server.address().rsplit(':').next().context("no port")?;
        browser.open(&format!("http://{FOREIGN}:{port}/")).await?;
        browser.until("document.body.textContent.includes('--allow-host evil.example')").await?;
        for route in ROUTES {
            let status =
                browser.run(&format!("return fetch('{route}').then(({{ status }}) => status)")).await?;
            assert_eq!(status, 421, "{route}");
        }
        let socket = "const socket = new WebSocket(`ws://${location.host}/client/hubs/stream`);
            socket.onopen = () => done('open');
            socket.onclose = () => done('refused');";
        assert_eq!(browser.run_async(socket).await?, "refused");
    }
    browser.close().await
}
