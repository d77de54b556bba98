//! A running `tailcast serve` or `tailcast hub`.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader, Lines},
    process::{Child, ChildStdout},
    sync::watch,
};
use webpubsub_protocol::{
    connection_string::{AccessKey, ConnectionString},
    token::{Claims, UnixTime, sign},
};

use crate::{
    command::command,
    environment, in_time,
    socket::{JSON, Socket},
};

/// A request to the data plane.
#[derive(Debug, Clone, Copy, Default)]
pub struct RestRequest<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// Path below the hub, and query.
    pub target: &'a str,
    /// Further headers.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body, often empty.
    pub body: &'a str,
}

/// A server of its own, on a free port of the loopback interface. Killed when dropped.
pub struct Server {
    child: Child,
    /// Kept open: a server whose output nobody reads would fail to write it.
    _stdout: Lines<BufReader<ChildStdout>>,
    stderr: watch::Receiver<String>,
    scheme: String,
    address: String,
}

impl Server {
    /// Starts `tailcast serve --listen 127.0.0.1:0` with further arguments, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        Self::start_on("127.0.0.1:0", arguments).await
    }

    /// The same, on an address of the test's choice.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn start_on(listen: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        Self::run(&[&["serve", "--listen", listen], arguments].concat(), "hub `").await
    }

    /// Starts `tailcast hub --listen 127.0.0.1:0` with further arguments, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn start_hub(arguments: &[&str]) -> anyhow::Result<Self> {
        Self::run(&[&["hub", "--listen", "127.0.0.1:0"], arguments].concat(), "Connection string: ").await
    }

    /// Starts it, and waits until it is ready and has said `last_words` to people.
    async fn run(arguments: &[&str], last_words: &str) -> anyhow::Result<Self> {
        let mut command = command(&environment::tailcast()?);
        command.args(arguments);
        // Everything that can be logged is, so that a secret in a log does not escape the test that looks for it.
        command.env("TAILCAST_LOG", "trace");
        in_time("start of the server", async {
            let mut child = command.spawn()?;
            let mut stdout = BufReader::new(child.stdout.take().context("no standard output")?).lines();
            let mut stderr = collect(child.stderr.take().context("no standard error")?);
            let ready = stdout.next_line().await?;
            let place = ready.as_deref().and_then(|line| line.strip_prefix("listening on "));
            let Some((scheme, address)) = place.and_then(|place| place.split_once("://")) else {
                child.wait().await?;
                stderr.wait_for(|_| false).await.ok();
                anyhow::bail!("the server said {ready:?} instead of being ready: {}", *stderr.borrow());
            };
            let (scheme, address) = (scheme.to_owned(), address.to_owned());
            // What it tells people comes on another pipe; tests read that too.
            stderr.wait_for(|said| said.contains(last_words) && said.ends_with('\n')).await?;
            Ok(Self { child, _stdout: stdout, stderr, scheme, address })
        })
        .await
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The URL of `path`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// The negotiate endpoint.
    #[must_use]
    pub fn negotiate_url(&self) -> String {
        self.url("/negotiate")
    }

    /// The process.
    ///
    /// # Errors
    /// When it has ended.
    pub fn process_id(&self) -> anyhow::Result<u32> {
        self.child.id().context("the server has ended")
    }

    /// Everything that the server has said on standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.borrow().clone()
    }

    /// Waits until it has said `words` on standard error.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn says(&self, words: &str) -> anyhow::Result<()> {
        let mut stderr = self.stderr.clone();
        in_time(words, async {
            stderr.wait_for(|said| said.contains(words)).await?;
            Ok(())
        })
        .await
    }

    /// The connection string of the embedded service, as the server printed it.
    ///
    /// # Errors
    /// When it printed none.
    pub fn connection_string(&self) -> anyhow::Result<ConnectionString> {
        let stderr = self.stderr();
        let printed = stderr.lines().find_map(|line| line.strip_prefix("Connection string: "));
        Ok(ConnectionString::parse(printed.context("no connection string")?)?)
    }

    /// A URL to connect to, for `user`.
    ///
    /// # Errors
    /// When the negotiate endpoint does not answer as it should.
    pub async fn negotiate(&self, user: &str) -> anyhow::Result<String> {
        let answer: Value = serde_json::from_str(&get(&self.url(&format!("/negotiate?id={user}"))).await?.1)?;
        Ok(answer["url"].as_str().context("no url in the answer")?.to_owned())
    }

    /// A URL to connect to the hub `stream` with these claims, which are signed with `key`.
    ///
    /// # Errors
    /// When the clock is before 1970, or the claims cannot be signed.
    pub fn client_url(&self, key: &AccessKey, change: impl FnOnce(&mut Claims)) -> anyhow::Result<String> {
        let now = UnixTime(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
        let mut claims = Claims::new(self.url("/client/hubs/stream"), now, 60);
        change(&mut claims);
        let token = sign(&claims, key)?;
        Ok(format!("ws://{}/client/hubs/stream?access_token={token}", self.address))
    }

    /// Asks something of the data plane, of the hub `stream`, as an application server with the printed key does.
    /// Gives the answer.
    ///
    /// # Errors
    /// When there is none.
    pub async fn rest(&self, request: RestRequest<'_>) -> anyhow::Result<reqwest::Response> {
        let key = self.connection_string()?.access_key;
        let url = self.url(&format!("/api/hubs/stream{}", request.target));
        let now = UnixTime(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
        let token = sign(&Claims::new(url.clone(), now, 60), &key)?;
        let mut asked = http_client()?.request(request.method.parse()?, &url).bearer_auth(token);
        for (name, value) in request.headers {
            asked = asked.header(*name, *value);
        }
        in_time(&url, async { Ok(asked.body(request.body.to_owned()).send().await?) }).await
    }

    /// A JSON client that is connected.
    ///
    /// # Errors
    /// When it cannot connect.
    pub async fn connect(&self, user: &str) -> anyhow::Result<Socket> {
        let mut socket = Socket::open(&self.negotiate(user).await?, &[JSON]).await?;
        let connected = socket.json().await?;
        anyhow::ensure!(connected["event"] == "connected", "{connected}");
        Ok(socket)
    }

    /// A JSON client that is in the group `stream`.
    ///
    /// # Errors
    /// When it cannot connect or join.
    pub async fn subscribe(&self) -> anyhow::Result<Socket> {
        let mut socket = self.connect("subscriber").await?;
        socket.send(r#"{"type":"joinGroup","group":"stream","ackId":1}"#).await?;
        let joined = socket.json().await?;
        anyhow::ensure!(joined["success"] == true, "{joined}");
        Ok(socket)
    }

    /// Sends a signal, by the name that `kill` knows.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        signal(self.process_id()?, name).await
    }

    /// Waits for the end; gives the exit code.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn ended(&mut self) -> anyhow::Result<Option<i32>> {
        in_time("end of the server", async { Ok(self.child.wait().await?.code()) }).await
    }

    /// Ends it without warning, as a crash or a pulled plug would.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        in_time("killing the server", async { Ok(self.child.kill().await?) }).await
    }
}

/// Sends a signal to a process.
///
/// # Errors
/// When it cannot be sent.
pub async fn signal(process_id: u32, name: &str) -> anyhow::Result<()> {
    let status = tokio::process::Command::new("kill")
        .args([format!("-{name}"), process_id.to_string()])
        .status()
        .await?;
    anyhow::ensure!(status.success(), "kill -{name} {process_id}: {status}");
    Ok(())
}

/// GET: status and body.
///
/// # Errors
/// When there is no answer.
pub async fn get(url: &str) -> anyhow::Result<(u16, String)> {
    let response = in_time(url, async { Ok(http_client()?.get(url).send().await?) }).await?;
    Ok((response.status().as_u16(), response.text().await?))
}

/// An HTTP client that goes straight to its target.
///
/// # Errors
/// When it cannot be made.
pub fn http_client() -> anyhow::Result<reqwest::Client> {
    // A second installation fails, which is as good.
    let _installed_before = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

/// Collects what a process writes, as it writes it.
fn collect(output: impl AsyncRead + Send + Unpin + 'static) -> watch::Receiver<String> {
    let (said, listener) = watch::channel(String::new());
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            said.send_modify(|text| {
                text.push_str(&line);
                text.push('\n');
            });
        }
    });
    listener
}
