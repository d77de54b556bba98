//! Log panel in an axum application with the negotiate endpoint as a library.

use std::process::Stdio;

use anyhow::Context;
use tailcast_tests::{
    browser::Browser,
    command::{command, run},
    environment::{dist, tailcast},
    server::{Server, get},
    with_timeout,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Child,
};

/// Application of the example. Killed when dropped.
struct Application {
    url: String,
    _process: Child,
}

impl Application {
    /// Starts the application at a free port, for the hub of a service.
    async fn start(service: &Server) -> anyhow::Result<Self> {
        let mut command = command(env!("CARGO_BIN_EXE_log-panel-example").as_ref());
        command.arg("127.0.0.1:0").arg(dist()?.join("npm"));
        let connection_string = service.connection_string()?.reveal();
        command.env("WEBPUBSUB_CONNECTION_STRING", connection_string).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let mut output = BufReader::new(process.stdout.take().context("no standard output")?).lines();
        let line = with_timeout("the address of the application", async { Ok(output.next_line().await?) });
        let line = line.await?.context("the application has exited")?;
        let url = line.strip_prefix("listening on ").context("no address")?.to_owned();
        Ok(Self { url, _process: process })
    }
}

#[tokio::test]
async fn a_log_panel_in_an_axum_application_shows_lines() -> anyhow::Result<()> {
    let service = Server::start_hub(&[]).await?;
    let application = Application::start(&service).await?;
    let browser = Browser::start().await?;
    browser.open(&application.url).await?;
    let in_panel = |condition: &str| {
        format!(
            "(() => {{ const panel = document.querySelector('tail-cast').shadowRoot; return {condition}; }})()"
        )
    };
    browser.until(&in_panel("panel?.querySelector('#status')?.dataset.state === 'connected'")).await?;
    let negotiate = format!("{}/negotiate", application.url);
    let arguments = ["stream", "--negotiate", &negotiate, "--publish-key", "secret"];
    let ended = run(&tailcast()?, &arguments, b"from the build\n").await?;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    browser.until(&in_panel("panel.querySelector('#log').textContent.includes('from the build')")).await?;
    Ok(())
}

#[tokio::test]
async fn the_endpoint_refuses_what_its_application_has_not_opened() -> anyhow::Result<()> {
    let service = Server::start_hub(&[]).await?;
    let application = Application::start(&service).await?;
    let refusal = |query: &'static str| {
        let url = format!("{}/negotiate?{query}", application.url);
        async move { get(&url).await }
    };
    assert_eq!(refusal("group=payroll").await?.0, 403);
    assert_eq!(refusal("role=publisher").await?.0, 401);
    assert_eq!(refusal("group=").await?.0, 400);
    assert_eq!(refusal("role=viewer").await?.0, 200);
    Ok(())
}
