//! Viewer page in a browser, with its server.

use anyhow::Context;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Kind},
    command::run,
    environment::{site, tailcast},
    server::Server,
};

/// Server and browser with the page.
pub struct Viewer {
    /// Server of the page.
    pub server: Server,
    /// Browser with the page.
    pub browser: Browser,
}

impl Viewer {
    /// Opens the page with the given path and query in Chromium, and waits until it is connected.
    ///
    /// # Errors
    /// Fails if a process does not start, or the page does not connect.
    pub async fn open(query: &str) -> anyhow::Result<Self> {
        Self::open_in(Kind::Chromium, query).await
    }

    /// Opens the page with the given path and query, and waits until it is connected.
    ///
    /// # Errors
    /// Fails if a process does not start, or the page does not connect.
    pub async fn open_in(kind: Kind, query: &str) -> anyhow::Result<Self> {
        let site = site()?;
        let site = site.to_str().context("the path of the site is not UTF-8")?;
        let viewer =
            Self { server: Server::start(&["--site", site]).await?, browser: Browser::start_of(kind).await? };
        viewer.go(query).await?;
        Ok(viewer)
    }

    /// Opens another path and query, and waits until the page is connected.
    ///
    /// # Errors
    /// Fails if the page does not connect.
    pub async fn go(&self, query: &str) -> anyhow::Result<()> {
        self.browser.open(&self.server.url(query)).await?;
        self.browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await
    }

    /// Publishes the lines of `input`, and waits until the page has received `count` lines in total.
    ///
    /// # Errors
    /// Fails if `tailcast stream` fails, or the lines are not received.
    pub async fn stream(&self, input: &str, count: usize) -> anyhow::Result<()> {
        let arguments = ["stream", "--negotiate", &self.server.negotiate_url()];
        let ended = run(&tailcast()?, &arguments, input.as_bytes()).await?;
        anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
        let count = format!("document.querySelector('#line-count').dataset.received === '{count}'");
        self.browser.until(&count).await?;
        self.wait_for_frame().await
    }

    /// Waits for two animation frames, so that received lines are rendered.
    ///
    /// # Errors
    /// Fails if the page renders no frames.
    pub async fn wait_for_frame(&self) -> anyhow::Result<()> {
        self.browser
            .run_async("requestAnimationFrame(() => requestAnimationFrame(() => done(true)))")
            .await
            .map(drop)
    }

    /// Sets the size of the viewport, in CSS pixels.
    ///
    /// # Errors
    /// Fails if the browser refuses the size.
    pub async fn resize(&self, width: u32, height: u32) -> anyhow::Result<()> {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.browser.devtools("Emulation.setDeviceMetricsOverride", size).await?;
        self.wait_for_frame().await
    }

    /// Evaluates an expression in the page.
    ///
    /// # Errors
    /// Fails if the expression throws.
    pub async fn value(&self, expression: &str) -> anyhow::Result<Value> {
        self.browser.run(&format!("return {expression}")).await
    }
}
