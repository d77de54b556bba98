//! Custom element in a host page: service, web server of the page, and browser.

use anyhow::Context;
use serde_json::Value;

use crate::{
    browser::{Browser, Kind},
    command::run,
    environment::tailcast,
    page_host::{PACKAGE, PageHost},
    server::{RestRequest, Server, get},
    with_timeout,
};

/// Placeholder in a page for the URL of the negotiate endpoint.
pub const NEGOTIATE: &str = "NEGOTIATE";

/// First script of every page: records errors and events of the elements, and counts WebAssembly instances and
/// WebSockets.
const PROBE: &str = "
    window.thrown = [];
    addEventListener('error', ({ message }) => thrown.push(message));
    addEventListener('unhandledrejection', ({ reason }) => thrown.push(String(reason)));
    window.heard = [];
    window.instances = 0;
    window.memories = [];
    for (const name of ['connected', 'disconnected', 'gap', 'error']) {
      addEventListener(`tailcast-${name}`, ({ detail, target }) => heard.push({ name, detail, id: target.id }));
    }
    for (const name of ['instantiate', 'instantiateStreaming']) {
      const make = WebAssembly[name];
      WebAssembly[name] = async (...all) => {
        const made = await make.apply(WebAssembly, all);
        instances += 1;
        memories.push((made.instance ?? made).exports.memory);
        return made;
      };
    }
    window.sockets = 0;
    window.WebSocket = class extends WebSocket { constructor(...all) { super(...all); sockets += 1; } };
    window.element = (at = 0) => document.querySelectorAll('tail-cast')[at];
    window.part = (selector, at = 0) => element(at)?.shadowRoot?.querySelector(selector);
    window.parts = (selector, at = 0) => [...element(at)?.shadowRoot?.querySelectorAll(selector) ?? []];
    window.rows = (at = 0) => parts('#log .row:not([hidden]) .text', at).map((text) => text.textContent);
    window.state = (at = 0) => part('#status', at)?.dataset.state;
";

/// Page with custom elements in a browser.
pub struct Embedding {
    /// Server with the service.
    pub server: Server,
    /// Web server of the page.
    pub host: PageHost,
    /// Browser with the page.
    pub browser: Browser,
    kind: Kind,
}

impl Embedding {
    /// Starts everything and opens a page with the given body. [`NEGOTIATE`] is replaced by the URL of the endpoint.
    ///
    /// # Errors
    /// Fails if a process does not start.
    pub async fn open(kind: Kind, body: &str) -> anyhow::Result<Self> {
        let host = PageHost::start().await?;
        let server = Server::start(&["--allow-origin", &host.url("")]).await?;
        let embedding = Self { server, host, browser: Browser::start_of(kind).await?, kind };
        embedding.show(body).await?;
        Ok(embedding)
    }

    /// Opens a page as [`Self::open`], and waits until the first element is connected.
    ///
    /// # Errors
    /// Fails if the element does not connect.
    pub async fn connect(kind: Kind, body: &str) -> anyhow::Result<Self> {
        let embedding = Self::open(kind, body).await?;
        embedding.connected(0).await?;
        Ok(embedding)
    }

    /// Opens another page.
    ///
    /// # Errors
    /// Fails if the page does not load.
    pub async fn show(&self, body: &str) -> anyhow::Result<()> {
        self.show_with(body, &[]).await
    }

    /// Opens another page with additional response headers.
    ///
    /// # Errors
    /// Fails if the page does not load.
    pub async fn show_with(&self, body: &str, headers: &[(&'static str, &str)]) -> anyhow::Result<()> {
        let body = body.replace(NEGOTIATE, &self.server.negotiate_url());
        self.host.put("/probe.js", "text/javascript", PROBE);
        let html = format!(
            "<!doctype html><html lang=en><meta charset=utf-8><title>A page</title>
             <script src=/probe.js></script>
             <body><main><h1>A page</h1>{body}</main><script type=module src={PACKAGE}tailcast.js></script>"
        );
        let headers = [&[("content-type", "text/html; charset=utf-8")], headers].concat();
        self.host.put_with("/", &headers, html);
        self.browser.open(&self.host.url("/")).await
    }

    /// Waits until an element is connected and has joined its group.
    ///
    /// # Errors
    /// Fails after the timeout.
    pub async fn connected(&self, element: usize) -> anyhow::Result<()> {
        self.until(&format!("state({element}) === 'connected'")).await
    }

    /// Polls an expression in the page until it is true.
    ///
    /// # Errors
    /// Fails after the timeout, with the text and the last events of the elements.
    pub async fn until(&self, condition: &str) -> anyhow::Result<()> {
        let waited = self.browser.until(condition).await;
        if waited.is_err() {
            let state = "JSON.stringify([heard.slice(-5), ...[...document.querySelectorAll('tail-cast')].map(
                (one) => one.shadowRoot?.textContent.replace(/\\s+/g, ' ').slice(0, 600))])";
            let state = self.value(state).await?;
            waited.with_context(|| format!("events and text of the elements: {state}"))?;
        }
        Ok(())
    }

    /// Evaluates an expression in the page.
    ///
    /// # Errors
    /// Fails if the expression throws.
    pub async fn value(&self, expression: &str) -> anyhow::Result<Value> {
        self.browser.run(&format!("return {expression}")).await
    }

    /// Runs a script as one of the page itself. In Firefox, scripts of the driver run in an isolated global, so the page does not
    /// receive their errors.
    ///
    /// # Errors
    /// Fails if the script throws, or the Content-Security-Policy blocks it.
    pub async fn run(&self, script: &str) -> anyhow::Result<()> {
        let script = Value::from(script.replace(NEGOTIATE, &self.server.negotiate_url()));
        self.browser.run(&format!("(window.wrappedJSObject ?? window).Function({script})()")).await.map(drop)
    }

    /// Waits for two animation frames, so that received lines are rendered.
    ///
    /// # Errors
    /// Fails if the page renders no frames.
    pub async fn wait_for_frame(&self) -> anyhow::Result<()> {
        let script = "requestAnimationFrame(() => requestAnimationFrame(() => done(true)))";
        self.browser.run_async(script).await.map(drop)
    }

    /// Publishes the lines of `input` to a group.
    ///
    /// # Errors
    /// Fails if `tailcast stream` fails.
    pub async fn stream_to(&self, group: &str, input: &str) -> anyhow::Result<()> {
        let arguments = ["stream", "--group", group, "--negotiate", &self.server.negotiate_url()];
        let ended = run(&tailcast()?, &arguments, input.as_bytes()).await?;
        anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
        Ok(())
    }

    /// Publishes the lines of `input` to the group `stream`, and waits until the first element shows the last line.
    ///
    /// # Errors
    /// Fails if the line does not appear.
    pub async fn stream(&self, input: &str) -> anyhow::Result<()> {
        self.stream_to("stream", input).await?;
        let last = Value::from(input.lines().last().unwrap_or_default());
        self.until(&format!("rows().includes({last})")).await
    }

    /// Returns the number of clients of the service.
    ///
    /// # Errors
    /// Fails if the metrics are unavailable.
    pub async fn connections(&self) -> anyhow::Result<u64> {
        let metrics = self.metrics().await?;
        let connected =
            metrics.lines().filter_map(|line| line.strip_prefix("webpubsub_connections{")?.rsplit_once(' '));
        Ok(connected.filter_map(|(_, count)| count.parse::<u64>().ok()).sum())
    }

    /// Returns the subprotocols of the clients, as labeled in the metrics.
    ///
    /// # Errors
    /// Fails if the metrics are unavailable.
    pub async fn subprotocols(&self) -> anyhow::Result<Vec<String>> {
        let metrics = self.metrics().await?;
        let connected =
            metrics.lines().filter_map(|line| line.strip_prefix("webpubsub_connections{")?.split_once("} "));
        let names =
            connected.filter(|(_, count)| *count != "0").filter_map(|(labels, _)| labels.split('"').nth(3));
        Ok(names.map(str::to_owned).collect())
    }

    async fn metrics(&self) -> anyhow::Result<String> {
        let (status, text) = get(&self.server.url("/metrics")).await?;
        anyhow::ensure!(status == 200, "/metrics answered {status}");
        Ok(text)
    }

    /// Closes a connection through the REST API of the service.
    ///
    /// # Errors
    /// Fails if the request fails.
    pub async fn close_connection(&self, id: &str) -> anyhow::Result<()> {
        let target = format!("/connections/{id}?reason=closed+by+the+test");
        let request = RestRequest { method: "DELETE", target: &target, ..RestRequest::default() };
        let status = self.server.rest(request).await?.status();
        anyhow::ensure!(status.is_success(), "the service answered {status}");
        Ok(())
    }

    /// Waits until the service has the given number of clients.
    ///
    /// # Errors
    /// Fails after the timeout.
    pub async fn wait_for_connections(&self, count: u64) -> anyhow::Result<()> {
        with_timeout(&format!("{count} connections"), async {
            while self.connections().await? != count {}
            Ok(())
        })
        .await
    }

    /// Closes the browser after a check for errors of the page.
    ///
    /// # Errors
    /// Fails with uncaught errors, and with errors in the console where the driver supports it.
    pub async fn close_without_errors(self) -> anyhow::Result<()> {
        let thrown = self.value("window.thrown ?? []").await?;
        anyhow::ensure!(thrown == Value::Array(Vec::new()), "uncaught errors: {thrown}");
        if self.kind.has_console_log() {
            let errors = self.browser.console_errors().await?;
            anyhow::ensure!(errors.is_empty(), "errors in the console: {}", errors.join("\n"));
        }
        self.browser.close().await
    }
}
