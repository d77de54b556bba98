//! Real browsers, headless, driven over WebDriver.

use std::{collections::HashMap, path::PathBuf};

use anyhow::Context;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{command::command, environment, in_time};

/// Flags that let Chromium run without a desktop, a sandbox or anything from the network.
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

/// The same for Firefox.
const FIREFOX_FLAGS: [&str; 3] = ["--headless", "--width=1200", "--height=800"];

/// Which browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Chromium or Chrome.
    Chromium,
    /// Firefox. Its driver knows the standard's commands only: no console, no developer tools.
    Firefox,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Chromium, Self::Firefox];

    /// Whether its driver tells what a page wrote to the console.
    #[must_use]
    pub fn tells_console(self) -> bool {
        self == Self::Chromium
    }

    /// The driver, told to take a free port.
    fn driver(self) -> anyhow::Result<Command> {
        let mut command = match self {
            Self::Chromium => command(&environment::chromedriver()?),
            Self::Firefox => command(&environment::geckodriver()?),
        };
        command.arg("--port=0");
        // A group of its own, which ends as one.
        command.process_group(0);
        Ok(command)
    }

    fn capabilities(self) -> anyhow::Result<serde_json::Map<String, Value>> {
        let mut capabilities = serde_json::Map::new();
        // Certificates of tests are nobody's.
        capabilities.insert("acceptInsecureCerts".to_owned(), json!(true));
        match self {
            Self::Chromium => {
                let options = json!({ "binary": environment::chromium()?, "args": FLAGS });
                capabilities.insert("goog:chromeOptions".to_owned(), options);
                // Console messages are evidence: a page that throws is broken, however it looks.
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

/// Makes tests of functions that take the [`Kind`] of a browser: one for each browser, in a module that has its name.
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

/// A browser with one page. Ends when dropped, and takes its driver with it.
pub struct Browser {
    client: Client,
    driver: Child,
}

impl Browser {
    /// Starts Chromium and its driver.
    ///
    /// # Errors
    /// When one of them does not start.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_of(Kind::Chromium).await
    }

    /// Starts a browser of this kind, and its driver.
    ///
    /// # Errors
    /// When one of them does not start.
    pub async fn start_of(kind: Kind) -> anyhow::Result<Self> {
        in_time("start of the browser", async {
            let (driver, port) = start_driver(kind).await?;
            let client = ClientBuilder::new(HttpConnector::new())
                .capabilities(kind.capabilities()?)
                .connect(&format!("http://127.0.0.1:{port}"))
                .await?;
            Ok(Self { client, driver })
        })
        .await
    }

    /// The WebDriver client, for what has no name here.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Opens a page.
    ///
    /// # Errors
    /// When it does not load.
    pub async fn open(&self, url: &str) -> anyhow::Result<()> {
        in_time(url, async { Ok(self.client.goto(url).await?) }).await
    }

    /// Runs a script in the page; gives what it returns.
    ///
    /// # Errors
    /// When it throws.
    pub async fn run(&self, script: &str) -> anyhow::Result<Value> {
        in_time(script, async { Ok(self.client.execute(script, vec![]).await?) }).await
    }

    /// Runs a script in the page that calls `done` with what it has to say; gives that.
    ///
    /// # Errors
    /// When it throws, or never calls.
    pub async fn run_async(&self, script: &str) -> anyhow::Result<Value> {
        let script = format!("const done = arguments[0]; {script}");
        in_time("a script", async { Ok(self.client.execute_async(&script, vec![]).await?) }).await
    }

    /// Waits until an expression is true, asking the page once per animation frame.
    ///
    /// # Errors
    /// When it does not become true in time; says what the page shows then.
    pub async fn until(&self, condition: &str) -> anyhow::Result<()> {
        let script = format!(
            "const done = arguments[0];
             const ask = () => ({condition}) ? done(true) : setTimeout(ask, 10);
             ask();"
        );
        let waited =
            in_time(condition, async { Ok(self.client.execute_async(&script, vec![]).await?) }).await;
        if waited.is_err() {
            let shown = self.run("return document.body.innerText.slice(0, 2000)").await?;
            waited.with_context(|| format!("the page shows: {shown}"))?;
        }
        Ok(())
    }

    /// Asks something of Chromium's developer tools, by the names of their protocol. Not in [`in_time`]: a page that hangs
    /// is a finding of a measurement, which has limits of its own.
    ///
    /// # Errors
    /// When they refuse.
    pub async fn devtools(&self, method: &'static str, parameters: Value) -> anyhow::Result<Value> {
        self.client.issue_cmd(DevTools { method, parameters }).await.context(method)
    }

    /// The process of the driver, below which the browser's are. `None` once it has ended.
    #[must_use]
    pub fn driver_id(&self) -> Option<u32> {
        self.driver.id()
    }

    /// The text of the first element that `selector` finds.
    ///
    /// # Errors
    /// When there is none.
    pub async fn text(&self, selector: &str) -> anyhow::Result<String> {
        in_time(selector, async { Ok(self.client.find(Locator::Css(selector)).await?.text().await?) }).await
    }

    /// A picture of what is visible.
    ///
    /// # Errors
    /// When it cannot be taken or written.
    pub async fn save_screenshot(&self, path: &PathBuf) -> anyhow::Result<()> {
        let png = in_time("screenshot", async { Ok(self.client.screenshot().await?) }).await?;
        Ok(std::fs::write(path, png)?)
    }

    /// What the page wrote to the console as an error.
    ///
    /// # Errors
    /// When the driver does not tell.
    pub async fn console_errors(&self) -> anyhow::Result<Vec<String>> {
        let log: Vec<HashMap<String, Value>> =
            serde_json::from_value(self.client.issue_cmd(ConsoleLog).await.context("console log")?)?;
        let severe = log.iter().filter(|entry| entry.get("level").is_some_and(|level| level == "SEVERE"));
        Ok(severe.filter_map(|entry| entry.get("message")).map(ToString::to_string).collect())
    }

    /// Ends the browser.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn close(self) -> anyhow::Result<()> {
        in_time("end of the browser", async { Ok(self.client.clone().close().await?) }).await
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A driver that is killed leaves its browser behind, unless both are.
        if let Some(driver) = self.driver.id() {
            let group = format!("-{driver}");
            let _ended_before = std::process::Command::new("kill").args(["-KILL", "--", &group]).status();
        }
    }
}

/// Chromium's extension to WebDriver for the console.
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

/// Chromium's extension to WebDriver for its developer tools.
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

/// How often a driver is started. It takes a free port of one family of addresses and then wants the same of the other, where
/// now and then somebody else has it; then it ends.
const DRIVER_STARTS: u32 = 4;

async fn start_driver(kind: Kind) -> anyhow::Result<(Child, u16)> {
    let mut starts = 0;
    loop {
        starts += 1;
        let mut driver = kind.driver()?.spawn()?;
        match driver_port(&mut driver).await {
            Err(_) if starts < DRIVER_STARTS => {}
            port => return Ok((driver, port?)),
        }
    }
}

async fn driver_port(driver: &mut Child) -> anyhow::Result<u16> {
    let mut lines = BufReader::new(driver.stdout.take().context("no standard output")?).lines();
    while let Some(line) = lines.next_line().await? {
        let line = line.trim_end_matches('.');
        // Chromium's driver and Firefox's, in this order.
        let said = line.rsplit_once("on port ").or_else(|| line.rsplit_once("Listening on 127.0.0.1:"));
        let port = said.map(|(_, port)| port);
        if let Some(port) = port.and_then(|port| port.parse().ok()).filter(|port| *port != 0) {
            // The driver goes on talking; what it says is of no interest, but the pipe must not fill up.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(port);
        }
    }
    anyhow::bail!("the driver ended without saying its port")
}
