//! Headless browsers, controlled over WebDriver.

use std::{collections::HashMap, path::PathBuf};

use anyhow::Context;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{command::command, environment, process::Process, with_timeout};

/// Flags to run Chromium without a display, a sandbox and background network requests.
const FLAGS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,800",
];

/// Flags to run Firefox without a display.
const FIREFOX_FLAGS: [&str; 3] = ["--headless", "--width=1200", "--height=800"];

/// Browser engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Chromium or Chrome.
    Chromium,
    /// Firefox. Its driver supports neither the console log nor the DevTools protocol.
    Firefox,
}

impl Kind {
    /// All engines.
    pub const ALL: [Self; 2] = [Self::Chromium, Self::Firefox];

    /// Whether the driver supports the console log.
    #[must_use]
    pub fn has_console_log(self) -> bool {
        self == Self::Chromium
    }

    /// Returns the command of the driver, with a free port.
    fn driver(self) -> anyhow::Result<Command> {
        let mut command = match self {
            Self::Chromium => command(&environment::chromedriver()?),
            Self::Firefox => command(&environment::geckodriver()?),
        };
        command.arg("--port=0");
        // A separate process group, so that driver and browser are killed together.
        command.process_group(0);
        Ok(command)
    }

    /// Returns the capabilities. Chromium gets additional flags.
    fn capabilities(self, flags: &[&str]) -> anyhow::Result<serde_json::Map<String, Value>> {
        let mut capabilities = serde_json::Map::new();
        // Tests use self-signed certificates.
        capabilities.insert("acceptInsecureCerts".to_owned(), json!(true));
        match self {
            Self::Chromium => {
                let flags = [&FLAGS[..], flags].concat();
                let options = json!({ "binary": environment::chromium()?, "args": flags });
                capabilities.insert("goog:chromeOptions".to_owned(), options);
                // Tests assert that pages log no errors.
                capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
            }
            Self::Firefox => {
                let options = json!({ "binary": environment::firefox()?, "args": FIREFOX_FLAGS });
                capabilities.insert("moz:firefoxOptions".to_owned(), options);
            }
        }
        Ok(capabilities)
    }
}

/// Defines one test per browser engine for each function with a [`Kind`] parameter, in a module per engine.
#[macro_export]
macro_rules! in_every_browser {
    ($($test:ident),+ $(,)?) => {
        $crate::in_every_browser! { in_chromium: Chromium, $($test),+ }
        $crate::in_every_browser! { in_firefox: Firefox, $($test),+ }
    };
    ($module:ident: $kind:ident, $($test:ident),+) => {
        mod $module {
            $(
                #[tokio::test]
                async fn $test() -> anyhow::Result<()> {
                    super::$test($crate::browser::Kind::$kind).await
                }
            )+
        }
    };
}

/// Browser with one page. The browser and its driver are killed when dropped.
pub struct Browser {
    client: Client,
    driver: Child,
}

impl Browser {
    /// Starts Chromium and its driver.
    ///
    /// # Errors
    /// Fails if either does not start.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_of(Kind::Chromium).await
    }

    /// Starts a browser and its driver.
    ///
    /// # Errors
    /// Fails if either does not start.
    pub async fn start_of(kind: Kind) -> anyhow::Result<Self> {
        Self::start_with(kind, &[]).await
    }

    /// Starts Chromium, which resolves a host name to the given address.
    ///
    /// # Errors
    /// Fails if it does not start.
    pub async fn start_resolving(name: &str, address: &str) -> anyhow::Result<Self> {
        let rules = format!("--host-resolver-rules=MAP {name} {address}");
        Self::start_with(Kind::Chromium, &[&rules]).await
    }

    async fn start_with(kind: Kind, flags: &[&str]) -> anyhow::Result<Self> {
        with_timeout("start of the browser", async {
            let (driver, port) = start_driver(kind).await?;
            let client = ClientBuilder::new(HttpConnector::new())
                .capabilities(kind.capabilities(flags)?)
                .connect(&format!("http://127.0.0.1:{port}"))
                .await?;
            Ok(Self { client, driver })
        })
        .await
    }

    /// Returns the WebDriver client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Opens a page.
    ///
    /// # Errors
    /// Fails if the page does not load.
    pub async fn open(&self, url: &str) -> anyhow::Result<()> {
        with_timeout(url, async { Ok(self.client.goto(url).await?) }).await
    }

    /// Runs a script in the page. Returns its result.
    ///
    /// # Errors
    /// Fails if the script throws.
    pub async fn run(&self, script: &str) -> anyhow::Result<Value> {
        with_timeout(script, async { Ok(self.client.execute(script, vec![]).await?) }).await
    }

    /// Runs a script in the page that calls `done`. Returns the argument of the call.
    ///
    /// # Errors
    /// Fails if the script throws, or does not call `done`.
    pub async fn run_async(&self, script: &str) -> anyhow::Result<Value> {
        let script = format!("const done = arguments[0]; {script}");
        with_timeout("a script", async { Ok(self.client.execute_async(&script, vec![]).await?) }).await
    }

    /// Polls an expression in the page until it is true.
    ///
    /// # Errors
    /// Fails with the text of the page after the timeout.
    pub async fn until(&self, condition: &str) -> anyhow::Result<()> {
        let script = format!(
            "const done = arguments[0];
             const poll = () => ({condition}) ? done(true) : setTimeout(poll, 10);
             poll();"
        );
        let waited =
            with_timeout(condition, async { Ok(self.client.execute_async(&script, vec![]).await?) }).await;
        if waited.is_err() {
            let shown = self.run("return document.body.innerText.slice(0, 2000)").await?;
            waited.with_context(|| format!("text of the page: {shown}"))?;
        }
        Ok(())
    }

    /// Sends a command of the Chrome DevTools protocol. Without [`with_timeout`]: measurements have their own timeouts for pages
    /// that hang.
    ///
    /// # Errors
    /// Fails if the command fails.
    pub async fn devtools(&self, method: &'static str, parameters: Value) -> anyhow::Result<Value> {
        self.client.issue_cmd(DevTools { method, parameters }).await.context(method)
    }

    /// Returns the process id of the driver, the parent of the browser's processes. `None` after its exit.
    #[must_use]
    pub fn driver_id(&self) -> Option<u32> {
        self.driver.id()
    }

    /// Returns the processes of Chromium that render pages.
    ///
    /// # Errors
    /// Fails if the driver has exited.
    pub fn renderers(&self) -> anyhow::Result<Vec<Process>> {
        let driver = self.driver.id().context("the driver has exited")?;
        Process(driver).of_group("--type=renderer")
    }

    /// Returns the text of the first element that matches `selector`.
    ///
    /// # Errors
    /// Fails if no element matches.
    pub async fn text(&self, selector: &str) -> anyhow::Result<String> {
        with_timeout(selector, async { Ok(self.client.find(Locator::Css(selector)).await?.text().await?) })
            .await
    }

    /// Saves a screenshot of the viewport.
    ///
    /// # Errors
    /// Fails if the screenshot cannot be taken or written.
    pub async fn save_screenshot(&self, path: &PathBuf) -> anyhow::Result<()> {
        let png = with_timeout("screenshot", async { Ok(self.client.screenshot().await?) }).await?;
        Ok(std::fs::write(path, png)?)
    }

    /// Returns the errors in the page's console.
    ///
    /// # Errors
    /// Fails if the driver does not support the console log.
    pub async fn console_errors(&self) -> anyhow::Result<Vec<String>> {
        let log: Vec<HashMap<String, Value>> =
            serde_json::from_value(self.client.issue_cmd(ConsoleLog).await.context("console log")?)?;
        let severe = log.iter().filter(|entry| entry.get("level").is_some_and(|level| level == "SEVERE"));
        Ok(severe.filter_map(|entry| entry.get("message")).map(ToString::to_string).collect())
    }

    /// Closes the browser.
    ///
    /// # Errors
    /// Fails if it does not close.
    pub async fn close(self) -> anyhow::Result<()> {
        with_timeout("close of the browser", async { Ok(self.client.clone().close().await?) }).await
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Kills the group: a driver that is killed alone leaves its browser running.
        if let Some(driver) = self.driver.id() {
            let group = format!("-{driver}");
            let _already_exited = std::process::Command::new("kill").args(["-KILL", "--", &group]).status();
        }
    }
}

/// WebDriver extension of Chromium for the console log.
#[derive(Debug)]
struct ConsoleLog;

impl fantoccini::wd::WebDriverCompatibleCommand for ConsoleLog {
    fn endpoint(&self, base_url: &url::Url, session_id: Option<&str>) -> Result<url::Url, url::ParseError> {
        base_url.join(&format!("session/{}/se/log", session_id.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

/// WebDriver extension of Chromium for the DevTools protocol.
#[derive(Debug)]
struct DevTools {
    method: &'static str,
    parameters: Value,
}

impl fantoccini::wd::WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base_url: &url::Url, session_id: Option<&str>) -> Result<url::Url, url::ParseError> {
        base_url.join(&format!("session/{}/goog/cdp/execute", session_id.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        let body = json!({ "cmd": self.method, "params": self.parameters });
        (http::Method::POST, Some(body.to_string()))
    }
}

/// Maximum number of attempts to start a driver. It binds a free port for one address family and then the same port for the other,
/// and exits if that is in use.
const MAX_DRIVER_STARTS: u32 = 4;

async fn start_driver(kind: Kind) -> anyhow::Result<(Child, u16)> {
    let mut starts = 0;
    loop {
        starts += 1;
        let mut driver = kind.driver()?.spawn()?;
        match driver_port(&mut driver).await {
            Err(_) if starts < MAX_DRIVER_STARTS => {}
            port => return Ok((driver, port?)),
        }
    }
}

async fn driver_port(driver: &mut Child) -> anyhow::Result<u16> {
    let mut lines = BufReader::new(driver.stdout.take().context("no standard output")?).lines();
    while let Some(line) = lines.next_line().await? {
        let line = line.trim_end_matches('.');
        // Formats of ChromeDriver and geckodriver.
        let matched = line.rsplit_once("on port ").or_else(|| line.rsplit_once("Listening on 127.0.0.1:"));
        let port = matched.map(|(_, port)| port);
        if let Some(port) = port.and_then(|port| port.parse().ok()).filter(|port| *port != 0) {
            // Drains the output, so that the pipe does not fill up.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(port);
        }
    }
    anyhow::bail!("the driver exited without printing its port")
}
