//! Documented servers, and the documented commands that publish to them.

use std::fs;

use anyhow::Context;
use tailcast_tests::{
    command::{Ended, run_to_end},
    marked_lines::split_marks,
    server::{Server, http_client, negotiated_url},
    socket::{JSON, Socket},
    with_timeout,
};

use crate::{
    documents::{Step, occurrences},
    sandbox::{KEY, Sandbox},
};

/// Last output of `tailcast serve` before it is ready for the test.
const LAST_OUTPUT: &str = "Open http";

/// Server, with commands that publish to one of its groups.
pub struct DocumentedServer {
    /// Command of the documents.
    pub command: &'static str,
    group: &'static str,
    /// Commands of the documents.
    pub publishers: &'static [Publisher],
}

/// Command that publishes.
pub struct Publisher {
    /// Command of the documents.
    pub command: &'static str,
    /// A line that it publishes.
    line: &'static str,
}

/// Line of the stand-in for the user's command.
const LINE: &str = "a line of some-command";

/// Documented servers without TLS.
pub const SERVERS: [DocumentedServer; 8] = [
    DocumentedServer {
        command: "tailcast serve",
        group: "stream",
        publishers: &[
            Publisher { command: "some-command | tailcast stream", line: LINE },
            Publisher { command: "tailcast run -- make test", line: "a line of make test" },
            Publisher { command: "tailcast tail app.log db.log", line: "a line of db.log" },
            Publisher {
                command: "docker logs --follow --tail 100 my-app 2>&1 | tailcast stream",
                line: "a line of docker logs",
            },
            Publisher {
                command: "docker compose logs --follow --no-log-prefix --no-color api | tailcast stream",
                line: "a line of docker compose",
            },
            Publisher { command: "tailcast run -- docker run --rm my-image", line: "a line of docker run" },
            Publisher {
                command: "kubectl logs --follow --tail=100 deployment/api | tailcast stream",
                line: "a line of kubectl logs",
            },
            Publisher {
                command: "tailcast run -- kubectl rollout status deployment/api",
                line: "a line of kubectl rollout",
            },
            Publisher {
                command: "journalctl --follow --lines=100 --output=cat --unit=nginx | tailcast stream",
                line: "a line of journalctl --follow",
            },
            Publisher {
                command: "journalctl --follow --lines=100 --output=json --unit=nginx | tailcast stream",
                line: "a line of journalctl --follow",
            },
            Publisher { command: "tailcast tail -n 100 /var/log/syslog", line: "a line of syslog" },
            Publisher {
                command: r#"tailcast run --group "build-$CI_JOB_ID" -- make test"#,
                line: "a line of make test",
            },
            Publisher {
                command: "ssh web-1 tail -F /var/log/app.log | tailcast stream",
                line: "a line of app.log",
            },
            Publisher {
                command: "ssh -R 8080:127.0.0.1:8080 web-1 tailcast tail /var/log/app.log",
                line: "a line of app.log",
            },
            Publisher {
                command: r#"tailcast publish "$CONNECTION_STRING" stream "Deploy begins""#,
                line: "Deploy begins",
            },
        ],
    },
    DocumentedServer {
        command: r#"tailcast serve "$CONNECTION_STRING""#,
        group: "stream",
        publishers: &[Publisher { command: "some-command | tailcast stream", line: LINE }],
    },
    DocumentedServer {
        command: "tailcast serve --listen 0.0.0.0:8080",
        group: "stream",
        publishers: &[Publisher {
            command: "some-command | tailcast stream --server http://HOST:8080",
            line: LINE,
        }],
    },
    DocumentedServer {
        command: "tailcast serve --public-url https://logs.example.com --trusted-proxy 127.0.0.1",
        group: "stream",
        publishers: &[Publisher {
            command: "some-command | tailcast stream --server https://logs.example.com",
            line: LINE,
        }],
    },
    DocumentedServer {
        command: "tailcast serve --public-url https://logs.example.com --trusted-proxy 127.0.0.1 \
                  --allow-origin https://files.example.com --allow-group build",
        group: "build",
        publishers: &[TO_BUILD],
    },
    DocumentedServer {
        command: "tailcast serve --public-url https://logs.example.com --trusted-proxy 127.0.0.1 \
                  --allow-origin https://files.example.com --allow-group build --allow-group deploy",
        group: "build",
        publishers: &[TO_BUILD],
    },
    DocumentedServer {
        command: "tailcast serve --allow-origin http://localhost:5173",
        group: "build-42",
        publishers: &[Publisher { command: "some-command | tailcast stream --group build-42", line: LINE }],
    },
    DocumentedServer {
        command: "tailcast serve --allow-origin https://app.example.com --allow-group 'build-*'",
        group: "build-42",
        publishers: &[],
    },
];

const TO_BUILD: Publisher = Publisher {
    command: "some-command | tailcast stream --server https://logs.example.com --group build",
    line: LINE,
};

/// Documented server with TLS.
pub const TLS_SERVER: &str = "tailcast serve --listen 0.0.0.0:443 --tls-cert chain.pem --tls-key key.pem";

#[tokio::test]
async fn lines_of_each_documented_publisher_arrive_at_the_documented_server() -> anyhow::Result<()> {
    for documented in SERVERS {
        for step in occurrences(documented.command)? {
            documented.check(&step).await.with_context(|| format!("{}: {}", step.place, step.command))?;
        }
    }
    Ok(())
}

impl DocumentedServer {
    /// Starts the server, and runs its publishers.
    async fn check(&self, step: &Step) -> anyhow::Result<()> {
        let service = Server::start_hub(&["--access-key", KEY]).await?;
        let mut sandbox = Sandbox::new()?;
        sandbox.replace("/var/log/", "");
        // The group of the viewer.
        sandbox.replace("build-$CI_JOB_ID", self.group);
        sandbox.set("CONNECTION_STRING", &format!("Endpoint={};AccessKey={KEY}", service.url("")));
        let server = Server::start_command(sandbox.shell(step)?, LAST_OUTPUT).await?;
        if !self.command.contains("$CONNECTION_STRING") {
            // The printed connection string of the server under test, in place of Azure's.
            sandbox.set("CONNECTION_STRING", &printed_connection_string(&server)?);
        }
        let mut viewer = self.viewer(&sandbox).await?;
        for publisher in self.publishers {
            for step in occurrences(publisher.command)? {
                publisher.check(&step, &sandbox, &mut viewer).await.with_context(|| step.command.clone())?;
            }
        }
        self.check_allowed_origins(&sandbox).await
    }

    /// Connects a viewer, which needs no key.
    async fn viewer(&self, sandbox: &Sandbox) -> anyhow::Result<Socket> {
        let group = self.group;
        let negotiate = format!("http://{}/negotiate?role=viewer&group={group}", sandbox.address());
        let mut viewer = Socket::open(&negotiated_url(&negotiate).await?, &[JSON]).await?;
        viewer.json().await?;
        let joined = viewer.ask(&format!(r#"{{"type":"joinGroup","group":"{group}","ackId":1}}"#)).await?;
        anyhow::ensure!(joined.get("success") == Some(&true.into()), "{joined}");
        Ok(viewer)
    }

    async fn check_allowed_origins(&self, sandbox: &Sandbox) -> anyhow::Result<()> {
        let negotiate = format!("http://{}/negotiate?role=viewer&group={}", sandbox.address(), self.group);
        for origin in self.command.split("--allow-origin ").skip(1).filter_map(|rest| rest.split(' ').next())
        {
            let answer = http_client()?.get(&negotiate).header("origin", origin).send().await?;
            let allowed = answer.headers().get("access-control-allow-origin").context("no CORS header")?;
            anyhow::ensure!(allowed == origin, "{allowed:?} in place of {origin}");
        }
        Ok(())
    }
}

impl Publisher {
    /// Runs the command until the viewer has received its line.
    async fn check(&self, step: &Step, sandbox: &Sandbox, viewer: &mut Socket) -> anyhow::Result<()> {
        // Files are followed until a signal.
        if step.command.contains("tailcast tail") {
            let mut following = sandbox.shell(step)?.spawn()?;
            self.until_received(viewer).await?;
            return with_timeout("the end of the command", async { Ok(following.kill().await?) }).await;
        }
        let ended = sandbox.run(step).await?;
        anyhow::ensure!(ended.code == Some(0), "{ended:?}");
        self.until_received(viewer).await
    }

    async fn until_received(&self, viewer: &mut Socket) -> anyhow::Result<()> {
        while !viewer.lines(1).await?.iter().any(|line| split_marks(line).1 == self.line) {}
        Ok(())
    }
}

fn printed_connection_string(server: &Server) -> anyhow::Result<String> {
    let output = server.stderr();
    let printed = output.lines().find_map(|line| line.strip_prefix("Connection string: "));
    printed.map(str::to_owned).context("no connection string")
}

#[tokio::test]
async fn the_documented_server_with_tls_has_the_certificate_of_its_files() -> anyhow::Result<()> {
    for step in occurrences(TLS_SERVER)? {
        let sandbox = Sandbox::new()?;
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        fs::write(sandbox.file("chain.pem"), made.cert.pem())?;
        fs::write(sandbox.file("key.pem"), made.signing_key.serialize_pem())?;
        let _server = Server::start_command(sandbox.shell(&step)?, LAST_OUTPUT).await?;
        // Installs the TLS provider.
        drop(http_client()?);
        let root = reqwest::Certificate::from_pem(made.cert.pem().as_bytes())?;
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([root]).build()?;
        let negotiate = format!("https://{}/negotiate?role=viewer", sandbox.address());
        let negotiated = client.get(negotiate).send().await?.error_for_status()?.text().await?;
        assert!(negotiated.contains("wss://"), "{negotiated}");
    }
    Ok(())
}

#[tokio::test]
async fn publishers_without_the_key_are_refused_by_a_documented_public_server() -> anyhow::Result<()> {
    let command = "tailcast serve --listen 0.0.0.0:8080";
    for step in occurrences(command)? {
        let sandbox = Sandbox::new()?;
        let _server = Server::start_command(sandbox.shell(&step)?, LAST_OUTPUT).await?;
        let without_key =
            Step { command: "some-command | tailcast stream".to_owned(), exports: Vec::new(), ..step };
        let ended: Ended = run_to_end(sandbox.shell(&without_key)?, b"").await?;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains("--publish-key"), "{}", ended.stderr);
    }
    Ok(())
}
