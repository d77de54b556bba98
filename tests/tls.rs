//! TLS termination in the server.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use tailcast_tests::{
    browser::Browser,
    command::{command, run, run_to_end},
    environment::{node_modules, tailcast},
    server::{Server, http_client},
    with_timeout,
};

/// Temporary directory with a certificate for 127.0.0.1 and its key. Removed when dropped.
struct Certificate(PathBuf);

impl Certificate {
    fn new(test: &str) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("tailcast-tls-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let certificate = Self(folder);
        certificate.renew()?;
        Ok(certificate)
    }

    /// Replaces certificate and key.
    fn renew(&self) -> anyhow::Result<()> {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        fs::write(self.file(), made.cert.pem())?;
        Ok(fs::write(self.key(), made.signing_key.serialize_pem())?)
    }

    fn file(&self) -> PathBuf {
        self.0.join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.0.join("key.pem")
    }

    async fn server(&self) -> anyhow::Result<Server> {
        let (file, key) = (self.file(), self.key());
        Server::start(&["--tls-cert", text(&file)?, "--tls-key", text(&key)?]).await
    }

    /// Returns a client that trusts only the current certificate.
    fn client(&self) -> anyhow::Result<reqwest::Client> {
        // Installs the TLS provider.
        drop(http_client()?);
        let root = reqwest::Certificate::from_pem(&fs::read(self.file())?)?;
        Ok(reqwest::Client::builder().no_proxy().tls_certs_only([root]).build()?)
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("the path is not UTF-8")
}

#[tokio::test]
async fn streaming_over_tls_requires_a_trusted_certificate() -> anyhow::Result<()> {
    let certificate = Certificate::new("stream")?;
    let server = certificate.server().await?;
    let answer = with_timeout("negotiating", async {
        Ok(certificate.client()?.get(server.negotiate_url()).send().await?.text().await?)
    })
    .await?;
    assert!(
        answer.starts_with(&format!("{{\"url\":\"wss://{}/client/hubs/stream", server.address())),
        "{answer}"
    );
    let mut trusting = command(&tailcast()?);
    trusting
        .args(["stream", "--negotiate", &server.negotiate_url()])
        .env("SSL_CERT_FILE", certificate.file());
    let ended = run_to_end(trusting, b"in private\n").await?;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let other = Certificate::new("other")?;
    let mut doubting = command(&tailcast()?);
    doubting.args(["stream", "--negotiate", &server.negotiate_url(), "--give-up-after", "0.2"]);
    doubting.env("SSL_CERT_FILE", other.file());
    let ended = run_to_end(doubting, b"x\n").await?;
    assert_eq!(ended.code, Some(1));
    let expected = format!("the certificate of {} is not trusted", server.negotiate_url());
    assert!(ended.stderr.contains(&expected) && ended.stderr.contains("--ca-cert"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("is the server running?"), "{}", ended.stderr);
    Ok(())
}

#[tokio::test]
async fn a_certificate_authority_is_trusted_by_flag_or_file() -> anyhow::Result<()> {
    let certificate = Certificate::new("authority")?;
    let server = certificate.server().await?;
    let (authority, url) = (certificate.file(), server.url(""));
    let authority = text(&authority)?;
    let connection_string = server.stderr();
    let printed = connection_string.lines().find_map(|line| line.strip_prefix("Connection string: "));
    let printed = printed.context("no connection string")?;
    for (arguments, input) in [
        (&["stream", "--server", &url, "--ca-cert", authority][..], "in private\n"),
        (&["watch", "--server", &url, "--no-follow", "--ca-cert", authority], ""),
        (&["publish", printed, "stream", "hello", "--ca-cert", authority], ""),
    ] {
        let ended = run(&tailcast()?, arguments, input.as_bytes()).await?;
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.stderr);
    }
    let configuration = certificate.0.join("tailcast");
    fs::create_dir_all(&configuration)?;
    let file = format!("server = \"{url}\"\nca-cert = \"{authority}\"\n");
    fs::write(configuration.join("config.toml"), file)?;
    let mut configured = command(&tailcast()?);
    configured.args(["watch", "--no-follow"]).env("XDG_CONFIG_HOME", &certificate.0);
    let ended = run_to_end(configured, b"").await?;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "in private\n"), "{}", ended.stderr);
    let key = certificate.key();
    for (file, words) in [("/nonexistent.pem", "cannot read"), (text(&key)?, "no certificate")] {
        let ended = run(&tailcast()?, &["stream", "--ca-cert", file], b"").await?;
        assert!(ended.code == Some(2) && ended.stderr.contains(words), "{}", ended.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn the_page_connects_and_shows_lines_over_tls() -> anyhow::Result<()> {
    let certificate = Certificate::new("page")?;
    let server = certificate.server().await?;
    let browser = Browser::start().await?;
    browser.open(&server.url("/")).await?;
    browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    let mut stream = command(&tailcast()?);
    stream.args(["stream", "--negotiate", &server.negotiate_url()]).env("SSL_CERT_FILE", certificate.file());
    assert_eq!(run_to_end(stream, b"seen in private\n").await?.code, Some(0));
    browser.until("document.querySelector('#log')?.textContent.includes('seen in private')").await?;
    browser.close().await
}

#[tokio::test]
async fn sighup_reloads_the_certificate_and_ignores_an_invalid_one() -> anyhow::Result<()> {
    let certificate = Certificate::new("renewed")?;
    let server = certificate.server().await?;
    let old = certificate.client()?;
    certificate.renew()?;
    let new = certificate.client()?;
    let health = server.url("/healthz");
    assert_eq!(old.get(&health).send().await?.status(), 200);
    assert!(new.get(&health).send().await.is_err(), "the new certificate is not loaded before SIGHUP");
    server.signal("HUP").await?;
    server.wait_for_stderr("Reloaded the certificate.").await?;
    assert_eq!(new.get(&health).send().await?.status(), 200);
    fs::write(certificate.file(), "no certificate")?;
    server.signal("HUP").await?;
    server.wait_for_stderr("the previous one stays in use: ").await?;
    assert_eq!(new.get(&health).send().await?.status(), 200);
    Ok(())
}

#[tokio::test]
async fn invalid_certificate_files_are_reported() -> anyhow::Result<()> {
    let (one, other) = (Certificate::new("one")?, Certificate::new("another")?);
    let refused = async |file: PathBuf, key: PathBuf| {
        let mut serve = command(&tailcast()?);
        serve.args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--tls-cert",
            text(&file)?,
            "--tls-key",
            text(&key)?,
        ]);
        let ended = run_to_end(serve, b"").await?;
        anyhow::ensure!(ended.code == Some(2), "{}", ended.stderr);
        anyhow::Ok(ended.stderr)
    };
    assert!(refused(one.file(), other.key()).await?.contains("do not match"));
    assert!(refused(one.key(), one.key()).await?.contains("contains no certificate"));
    assert!(refused(one.file(), PathBuf::from("/no/such/key.pem")).await?.contains("/no/such/key.pem"));
    Ok(())
}

#[tokio::test]
async fn a_development_certificate_is_trusted_by_its_authority_and_by_node() -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("tailcast-tls-dev-test-{}", std::process::id()));
    let option = format!("--tls-dev={}", text(&folder)?);
    let server = Server::start_hub(&[&option]).await?;
    let authority = folder.join("ca.pem");
    server.wait_for_stderr(&format!("NODE_EXTRA_CA_CERTS={}", text(&authority)?)).await?;
    drop(http_client()?);
    let root = reqwest::Certificate::from_pem(&fs::read(&authority)?)?;
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([root]).build()?;
    assert_eq!(client.get(server.url("/healthz")).send().await?.status(), 200);
    // The service SDK accepts the endpoint without an option.
    let script = "const { WebPubSubServiceClient } = require('@azure/web-pubsub');
        const service = new WebPubSubServiceClient(process.argv[1], 'chat');
        (async () => {
            await service.sendToAll('hello', { contentType: 'text/plain' });
            for await (const page of await service.group('g').listConnections()) console.log(page.length);
            console.log('done');
        })();";
    let mut node = command(Path::new("node"));
    node.args(["-e", script, &server.connection_string()?.reveal()])
        .env("NODE_EXTRA_CA_CERTS", &authority)
        .env("NODE_PATH", node_modules()?);
    let ended = run_to_end(node, b"").await?;
    assert_eq!((ended.code, ended.stdout.trim()), (Some(0), "done"), "{}", ended.stderr);
    fs::remove_dir_all(&folder)?;
    Ok(())
}
