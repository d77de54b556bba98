//! Documented commands and settings of the service alone.

use std::{fs, path::Path};

use axum::{
    Router,
    extract::State,
    http::{Method, Uri},
    response::IntoResponse,
};
use tailcast_tests::{
    command::{command, run_to_end},
    server::Server,
    socket::{JSON, Socket},
    with_timeout,
};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use webpubsub_protocol::token::{Claims, UnixTime, sign};

use crate::{
    documents::{Step, documents, occurrences},
    sandbox::Sandbox,
};

/// Last output of `tailcast hub` before it is ready for the test.
const LAST_OUTPUT: &str = "Inspector: ";

/// Address of the application in the documents.
const APPLICATION: &str = "localhost:3000";

/// Service, with the requests that an application receives for a client of the hub `chat`.
pub struct DocumentedService {
    /// Command of the documents.
    pub command: &'static str,
    requests: &'static [&'static str],
}

/// Documented services.
pub const SERVICES: [DocumentedService; 3] = [
    DocumentedService { command: "tailcast hub", requests: &[] },
    DocumentedService {
        command: "tailcast hub --event-handler 'http://localhost:3000/api/webpubsub/hubs/{hub}/'",
        requests: &["/api/webpubsub/hubs/chat/"],
    },
    DocumentedService {
        command: "tailcast hub --event-handler 'url-template=http://localhost:3000/{event} \
                  user-event-pattern=order.*,chat system-event=connect hub=chat'",
        requests: &["/connect", "/order.created"],
    },
];

/// Documented service with a certificate of its own authority.
pub const TLS_FOR_DEVELOPMENT: &str = "tailcast hub --tls-dev";

#[tokio::test]
async fn the_documented_authority_for_development_is_where_its_variable_points() -> anyhow::Result<()> {
    for step in occurrences(TLS_FOR_DEVELOPMENT)? {
        let sandbox = Sandbox::new()?;
        let mut command = sandbox.shell(&step)?;
        command.env_remove("XDG_DATA_HOME");
        let hub = Server::start_command(command, LAST_OUTPUT).await?;
        let file = sandbox.file("home/.local/share/tailcast/tls/ca.pem");
        anyhow::ensure!(file.exists(), "{}", hub.stderr());
        let line = format!("NODE_EXTRA_CA_CERTS={}", file.display());
        assert!(hub.stderr().contains(&line), "{}", hub.stderr());
    }
    Ok(())
}

#[tokio::test]
async fn documented_services_send_events_to_the_documented_urls() -> anyhow::Result<()> {
    for documented in SERVICES {
        for step in occurrences(documented.command)? {
            check(&step, documented.requests).await?;
        }
    }
    Ok(())
}

/// Beginning of a documented configuration of the user.
const OF_THE_USER: &str = "# ~/.config/tailcast/config.toml\n";

#[tokio::test]
async fn documented_configuration_files_are_accepted() -> anyhow::Result<()> {
    let files = documents()?;
    let files = files.iter().flat_map(|document| document.blocks("toml"));
    let files: Vec<_> = files.filter(|file| !file.text.starts_with(OF_THE_USER)).collect();
    assert!(!files.is_empty(), "no document contains a configuration file");
    for file in files {
        let application = Application::start().await?;
        let sandbox = Sandbox::new()?;
        fs::write(sandbox.file("tailcast.toml"), file.text.replace(APPLICATION, &application.address))?;
        let command = "tailcast hub --config tailcast.toml".to_owned();
        let step = Step { place: file.place, exports: Vec::new(), command };
        let hub = Server::start_command(sandbox.shell(&step)?, LAST_OUTPUT).await?;
        application.expect(&hub, &["/api/webpubsub/hubs/chat/"]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_documented_configuration_of_the_user_selects_server_and_group() -> anyhow::Result<()> {
    let files = documents()?;
    let files = files.iter().flat_map(|document| document.blocks("toml"));
    let files: Vec<_> = files.filter(|file| file.text.starts_with(OF_THE_USER)).collect();
    assert!(!files.is_empty(), "no document contains a configuration of the user");
    for file in files {
        let sandbox = Sandbox::new()?;
        let folder = sandbox.file("home/ada/.config/tailcast");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("publish-key"), "ours\n")?;
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        fs::write(folder.join("ca.pem"), made.cert.pem())?;
        let server = Server::start(&["--publish-key", "ours", "--group", "build"]).await?;
        let text = file.text.replace("https://logs.example.com", &server.url(""));
        let home = format!("{}/home/ada", sandbox.file("").display().to_string().trim_end_matches('/'));
        fs::write(folder.join("config.toml"), text.replace("/home/ada", &home))?;
        let script = format!(
            "export XDG_CONFIG_HOME={home}/.config; some-command | tailcast && exec tailcast watch --no-follow"
        );
        // Without the addresses that the sandbox adds to documented commands.
        let mut shell = command(Path::new("sh"));
        shell.args(["-c", &script]);
        let inherited = std::env::var("PATH").unwrap_or_default();
        shell.env("PATH", format!("{}:{inherited}", sandbox.file("bin").display()));
        let ended = run_to_end(shell, b"").await?;
        assert_eq!((ended.code, ended.stdout.trim_end()), (Some(0), "a line of some-command"), "{ended:?}");
    }
    Ok(())
}

async fn check(step: &Step, requests: &[&str]) -> anyhow::Result<()> {
    let application = Application::start().await?;
    let mut sandbox = Sandbox::new()?;
    sandbox.replace(APPLICATION, &application.address);
    let hub = Server::start_command(sandbox.shell(step)?, LAST_OUTPUT).await?;
    application.expect(&hub, requests).await
}

/// Application that accepts all events. Stops when dropped.
struct Application {
    address: String,
    /// Paths of the requests with events.
    requests: mpsc::UnboundedReceiver<String>,
    task: JoinHandle<()>,
}

impl Application {
    async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (sender, requests) = mpsc::unbounded_channel();
        let router = Router::new().fallback(accept).with_state(sender);
        // The server ends with the test.
        let task = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { address, requests, task })
    }

    /// Connects a client to the hub `chat`, sends an event, and compares the requests.
    async fn expect(mut self, hub: &Server, requests: &[&str]) -> anyhow::Result<()> {
        let endpoint = hub.url("/client/hubs/chat");
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        let claims = Claims::new(endpoint.clone(), UnixTime(now.as_secs()), 60);
        let token = sign(&claims, &hub.connection_string()?.access_key)?;
        let url = format!("{}?access_token={token}", endpoint.replacen("http", "ws", 1));
        let mut client = Socket::open(&url, &[JSON]).await?;
        client.json().await?;
        client.send(r#"{"type":"event","event":"order.created","dataType":"text","data":"1"}"#).await?;
        for expected in requests {
            let received = with_timeout(expected, async { Ok(self.requests.recv().await) }).await?;
            assert_eq!(received.as_deref(), Some(*expected));
        }
        Ok(())
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Accepts the validation request and all events.
async fn accept(
    State(requests): State<mpsc::UnboundedSender<String>>,
    method: Method,
    uri: Uri,
) -> impl IntoResponse {
    if method == Method::POST {
        // The test reads only the requests that it expects.
        drop(requests.send(uri.path().to_owned()));
    }
    [("webhook-allowed-origin", "*")]
}
