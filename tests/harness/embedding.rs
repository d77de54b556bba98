//! The custom element in somebody else's page: a service, that page's host, and a browser.

use anyhow::Context;
use serde_json::Value;

use crate::{
    browser::{Browser, Kind},
    command::run,
    environment::tailcast,
    in_time,
    page_host::{PACKAGE, PageHost},
    server::{RestRequest, Server, get},
};

/// Stands in a page for the address of the negotiate endpoint.
pub const NEGOTIATE: &str = "NEGOTIATE";

/// What every page has before anything else: it keeps what elements tell, and counts the WebAssembly and
/// the sockets that are made.
const WITNESS: &str = "
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

/// See the [module](self).
pub struct Embedding {
    /// The service.
    pub server: Server,
    /// Where the page comes from.
    pub host: PageHost,
    /// What shows it.
    pub browser: Browser,
    kind: Kind,
}

impl Embedding {
    /// Opens a page with this in its body, which may name the endpoint as [`NEGOTIATE`].
    ///
    /// # Errors
    /// When something does not start.
    pub async fn open(kind: Kind, body: &str) -> anyhow::Result<Self> {
        let host = PageHost::start().await?;
        let server = Server::start(&["--allow-origin", &host.url("")]).await?;
        let embedding = Self { server, host, browser: Browser::start_of(kind).await?, kind };
        embedding.show(body).await?;
        Ok(embedding)
    }

    /// The same, and waits until the first element is connected.
    ///
    /// # Errors
    /// When it does not connect.
    pub async fn connect(kind: Kind, body: &str) -> anyhow::Result<Self> {
        let embedding = Self::open(kind, body).await?;
        embedding.connected(0).await?;
        Ok(embedding)
    }

    /// Shows another page.
    ///
    /// # Errors
    /// When it does not load.
    pub async fn show(&self, body: &str) -> anyhow::Result<()> {
        self.show_with(body, &[]).await
    }

    /// The same, with further headers of HTTP.
    ///
    /// # Errors
    /// When it does not load.
    pub async fn show_with(&self, body: &str, headers: &[(&'static str, &str)]) -> anyhow::Result<()> {
        let body = body.replace(NEGOTIATE, &self.server.negotiate_url());
        self.host.put("/witness.js", "text/javascript", WITNESS);
        let html = format!(
            "<!doctype html><html lang=en><meta charset=utf-8><title>A page</title>
             <script src=/witness.js></script>
             <body><main><h1>A page</h1>{body}</main><script type=module src={PACKAGE}tailcast.js></script>"
        );
        let headers = [&[("content-type", "text/html; charset=utf-8")], headers].concat();
        self.host.put_with("/", &headers, html);
        self.browser.open(&self.host.url("/")).await
    }

    /// Waits until the element with this number is connected, and in its group.
    ///
    /// # Errors
    /// When that does not happen.
    pub async fn connected(&self, element: usize) -> anyhow::Result<()> {
        self.until(&format!("state({element}) === 'connected'")).await
    }

    /// Waits until an expression is true in the page.
    ///
    /// # Errors
    /// When it does not become true; says what the elements show then, and what they told.
    pub async fn until(&self, condition: &str) -> anyhow::Result<()> {
        let waited = self.browser.until(condition).await;
        if waited.is_err() {
            let told = "JSON.stringify([heard.slice(-5), ...[...document.querySelectorAll('tail-cast')].map(
                (one) => one.shadowRoot?.textContent.replace(/\\s+/g, ' ').slice(0, 600))])";
            let told = self.value(told).await?;
            waited.with_context(|| format!("told and shown: {told}"))?;
        }
        Ok(())
    }

    /// What an expression is in the page.
    ///
    /// # Errors
    /// When it throws.
    pub async fn value(&self, expression: &str) -> anyhow::Result<Value> {
        self.browser.run(&format!("return {expression}")).await
    }

    /// Does something as the page's own script does. (A driver's scripts are strangers in a page of Firefox's: their errors and
    /// expressions are none there.)
    ///
    /// # Errors
    /// When it throws, or the page's policy allows no such thing.
    pub async fn run(&self, script: &str) -> anyhow::Result<()> {
        let script = Value::from(script.replace(NEGOTIATE, &self.server.negotiate_url()));
        self.browser.run(&format!("(window.wrappedJSObject ?? window).Function({script})()")).await.map(drop)
    }

    /// Waits until what came is on screen.
    ///
    /// # Errors
    /// When the page draws nothing any more.
    pub async fn painted(&self) -> anyhow::Result<()> {
        let script = "requestAnimationFrame(() => requestAnimationFrame(() => done(true)))";
        self.browser.run_async(script).await.map(drop)
    }

    /// Pipes `input` into a group.
    ///
    /// # Errors
    /// When it does not get there.
    pub async fn stream_to(&self, group: &str, input: &str) -> anyhow::Result<()> {
        let arguments = ["stream", "--group", group, "--negotiate", &self.server.negotiate_url()];
        let ended = run(&tailcast()?, &arguments, input.as_bytes()).await?;
        anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
        Ok(())
    }

    /// Pipes `input` into the group `stream`, and waits until the first element shows its last line.
    ///
    /// # Errors
    /// When it does not get there.
    pub async fn stream(&self, input: &str) -> anyhow::Result<()> {
        self.stream_to("stream", input).await?;
        let last = Value::from(input.lines().last().unwrap_or_default());
        self.until(&format!("rows().includes({last})")).await
    }

    /// How many clients are connected to the service.
    ///
    /// # Errors
    /// When the service does not tell.
    pub async fn connections(&self) -> anyhow::Result<u64> {
        let figures = self.figures().await?;
        let connected =
            figures.lines().filter_map(|line| line.strip_prefix("webpubsub_connections{")?.rsplit_once(' '));
        Ok(connected.filter_map(|(_, count)| count.parse::<u64>().ok()).sum())
    }

    /// The subprotocol of each client that is connected, as the service's figures call it.
    ///
    /// # Errors
    /// When the service does not tell.
    pub async fn subprotocols(&self) -> anyhow::Result<Vec<String>> {
        let figures = self.figures().await?;
        let connected =
            figures.lines().filter_map(|line| line.strip_prefix("webpubsub_connections{")?.split_once("} "));
        let names =
            connected.filter(|(_, count)| *count != "0").filter_map(|(labels, _)| labels.split('"').nth(3));
        Ok(names.map(str::to_owned).collect())
    }

    async fn figures(&self) -> anyhow::Result<String> {
        let (status, text) = get(&self.server.url("/metrics")).await?;
        anyhow::ensure!(status == 200, "/metrics answered {status}");
        Ok(text)
    }

    /// Has the service close a connection.
    ///
    /// # Errors
    /// When it does not.
    pub async fn close_connection(&self, id: &str) -> anyhow::Result<()> {
        let target = format!("/connections/{id}?reason=closed+by+the+test");
        let request = RestRequest { method: "DELETE", target: &target, ..RestRequest::default() };
        let status = self.server.rest(request).await?.status();
        anyhow::ensure!(status.is_success(), "the service answered {status}");
        Ok(())
    }

    /// Waits until that many clients are connected to the service.
    ///
    /// # Errors
    /// When others remain.
    pub async fn connections_become(&self, wanted: u64) -> anyhow::Result<()> {
        in_time(&format!("{wanted} connections"), async {
            while self.connections().await? != wanted {}
            Ok(())
        })
        .await
    }

    /// Ends, and fails if the page had an error.
    ///
    /// # Errors
    /// What was thrown and caught by nobody, and what the page wrote to the console, where the browser tells.
    pub async fn close_without_errors(self) -> anyhow::Result<()> {
        let thrown = self.value("window.thrown ?? []").await?;
        anyhow::ensure!(thrown == Value::Array(Vec::new()), "thrown: {thrown}");
        if self.kind.tells_console() {
            let errors = self.browser.console_errors().await?;
            anyhow::ensure!(errors.is_empty(), "the console says: {}", errors.join("\n"));
        }
        self.browser.close().await
    }
}
