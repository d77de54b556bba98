//! The page in a browser, with the server behind it.

use anyhow::Context;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Kind},
    command::run,
    environment::{site, tailcast},
    server::Server,
};

/// A server with the page, and a browser that shows it.
pub struct Viewer {
    /// The server.
    pub server: Server,
    /// The browser.
    pub browser: Browser,
}

impl Viewer {
    /// The page at the address `query`, connected.
    ///
    /// # Errors
    /// When something does not start, or the page does not connect.
    pub async fn open(query: &str) -> anyhow::Result<Self> {
        Self::open_in(Kind::Chromium, query).await
    }

    /// The page at the address `query`, connected, in a browser of this kind.
    ///
    /// # Errors
    /// When something does not start, or the page does not connect.
    pub async fn open_in(kind: Kind, query: &str) -> anyhow::Result<Self> {
        let site = site()?;
        let site = site.to_str().context("the path of the site is not UTF-8")?;
        let viewer =
            Self { server: Server::start(&["--site", site]).await?, browser: Browser::start_of(kind).await? };
        viewer.go(query).await?;
        Ok(viewer)
    }

    /// Another address of the same page, connected.
    ///
    /// # Errors
    /// When the page does not connect.
    pub async fn go(&self, query: &str) -> anyhow::Result<()> {
        self.browser.open(&self.server.url(query)).await?;
        self.browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await
    }

    /// Pipes `input` into the group, and waits until the page has got `count` lines in all.
    ///
    /// # Errors
    /// When the streamer fails, or the lines do not come.
    pub async fn stream(&self, input: &str, count: usize) -> anyhow::Result<()> {
        let arguments = ["stream", "--negotiate", &self.server.negotiate_url()];
        let ended = run(&tailcast()?, &arguments, input.as_bytes()).await?;
        anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
        let count = format!("document.querySelector('#line-count').dataset.received === '{count}'");
        self.browser.until(&count).await?;
        self.painted().await
    }

    /// Waits until what came is on screen.
    ///
    /// # Errors
    /// When the page draws nothing any more.
    pub async fn painted(&self) -> anyhow::Result<()> {
        self.browser
            .run_async("requestAnimationFrame(() => requestAnimationFrame(() => done(true)))")
            .await
            .map(drop)
    }

    /// Gives the page another size, in CSS pixels.
    ///
    /// # Errors
    /// When the browser does not take it.
    pub async fn resize(&self, width: u32, height: u32) -> anyhow::Result<()> {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.browser.devtools("Emulation.setDeviceMetricsOverride", size).await?;
        self.painted().await
    }

    /// What an expression is in the page.
    ///
    /// # Errors
    /// When it throws.
    pub async fn value(&self, expression: &str) -> anyhow::Result<Value> {
        self.browser.run(&format!("return {expression}")).await
    }
}
