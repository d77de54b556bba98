//! `tailcast hub`: the service without the page.

use tailcast_tests::{
    command::run,
    environment::tailcast,
    server::{RestRequest, Server, get, http_client},
    socket::{JSON, Socket},
};
use webpubsub_protocol::connection_string::AccessKey;

const FIRST: &str = "first-key-of-32-characters-or-more";
const SECOND: &str = "second-key-of-32-characters-or-more";

#[tokio::test]
async fn the_hub_serves_only_clients_and_the_rest_api() -> anyhow::Result<()> {
    let hub = Server::start_hub(&[]).await?;
    let key = hub.connection_string()?.access_key;
    let mut client = Socket::open(&hub.client_url(&key, |_| {})?, &[JSON]).await?;
    client.json().await?;
    let send = RestRequest {
        method: "POST",
        target: "/:send?api-version=2024-12-01",
        headers: &[("content-type", "text/plain")],
        body: "to all",
    };
    assert_eq!(hub.rest(send).await?.status(), 202);
    assert_eq!(client.json().await?["data"], "to all");
    assert_eq!(get(&hub.url("/healthz")).await?.0, 200);
    assert_eq!(get(&hub.url("/negotiate")).await?.0, 404);
    assert_eq!(get(&hub.url("/")).await?.0, 404);
    Ok(())
}

#[tokio::test]
async fn refused_requests_say_why_to_the_client_and_in_the_log() -> anyhow::Result<()> {
    let hub = Server::start_hub(&["--allow-unverified-entra-tokens"]).await?;
    let http = http_client()?;
    let unsigned = http.get(hub.url("/api/hubs/stream/groups/g/connections")).send().await?;
    assert_eq!(unsigned.status(), 401);
    assert_eq!(
        unsigned.headers().get("www-authenticate").map(|value| value.as_bytes()),
        Some(&b"Bearer"[..])
    );
    let body: serde_json::Value = serde_json::from_str(&unsigned.text().await?)?;
    assert_eq!(body["code"], "Error.Unauthorized", "{body}");
    let unknown = http.get(hub.url("/chat")).send().await?;
    assert_eq!(
        unknown.headers().get("x-ms-error-code").map(|value| value.as_bytes()),
        Some(&b"Error.NotFound"[..])
    );
    assert!(unknown.text().await?.contains("the service has no path `/chat`"));
    for line in ["REST request refused", "request has no access token", "unknown path"] {
        hub.wait_for_stderr(line).await?;
    }
    Ok(())
}

#[tokio::test]
async fn both_keys_are_accepted_during_rotation() -> anyhow::Result<()> {
    let hub = Server::start_hub(&["--access-key", FIRST, "--secondary-access-key", SECOND]).await?;
    for key in [FIRST, SECOND] {
        let url = hub.client_url(&AccessKey::new(key)?, |_| {})?;
        assert_eq!(Socket::open(&url, &[JSON]).await?.json().await?["event"], "connected", "{key}");
    }
    let other = hub.client_url(&AccessKey::new(&FIRST.to_uppercase())?, |_| {})?;
    assert_eq!(Socket::refusal(&other, &[JSON], &[]).await?, 401);
    assert!(!hub.stderr().contains(FIRST) && !hub.stderr().contains(SECOND), "a key is in the log");
    Ok(())
}

#[tokio::test]
async fn metrics_count_connections_and_messages() -> anyhow::Result<()> {
    let hub = Server::start_hub(&[]).await?;
    let key = hub.connection_string()?.access_key;
    let join = |claims: &mut webpubsub_protocol::token::Claims| claims.groups = vec!["g".into()];
    let mut client = Socket::open(&hub.client_url(&key, join)?, &[JSON]).await?;
    client.json().await?;
    client.ask(r#"{"type":"event","event":"e","data":1,"ackId":1}"#).await?;
    let headers = &[("content-type", "text/plain")];
    let send = RestRequest { method: "POST", target: "/groups/g/:send", headers, body: "x" };
    assert_eq!(hub.rest(send).await?.status(), 202);
    Socket::refusal(&hub.url("/client/hubs/stream").replace("http", "ws"), &[], &[]).await?;
    let (status, text) = get(&hub.url("/metrics")).await?;
    assert_eq!(status, 200);
    for line in [
        r#"webpubsub_connections{hub="stream",protocol="json.webpubsub.azure.v1"} 1"#,
        r#"webpubsub_groups{hub="stream"} 1"#,
        r#"webpubsub_messages_received_total{hub="stream"} 1"#,
        r#"webpubsub_messages_delivered_total{hub="stream"} 1"#,
        r#"webpubsub_rest_requests_total{operation="send",status="202"} 1"#,
        r#"webpubsub_handshakes_refused_total{status="401"} 1"#,
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    Ok(())
}

#[tokio::test]
async fn inspection_by_other_hosts_requires_the_flag() -> anyhow::Result<()> {
    // An allowed origin of another host makes the server public.
    let public = ["--access-key", FIRST, "--allow-origin", "https://app.example"];
    let closed = Server::start_hub(&public).await?;
    for path in ["/_hub", "/_hub/live", "/metrics"] {
        assert_eq!(get(&closed.url(path)).await?.0, 404, "{path}");
    }
    let open = Server::start_hub(&[&public[..], &["--inspect"]].concat()).await?;
    assert_eq!(get(&open.url("/_hub")).await?.0, 200);
    Ok(())
}

#[tokio::test]
async fn invalid_configuration_is_refused_with_the_invalid_setting() -> anyhow::Result<()> {
    let file = std::env::temp_dir().join(format!("tailcast-{}.toml", std::process::id()));
    std::fs::write(&file, "[[event-handler]]\nurl-template = \"nowhere\"\n")?;
    let path = file.to_string_lossy().into_owned();
    let wrong: [(&[&str], &str); 3] = [
        (&["--config", &path], "`nowhere`"),
        (&["--config", "/nonexistent.toml"], "/nonexistent.toml"),
        (&["--event-handler", "http://h/ colour=red"], "`colour=red`"),
    ];
    for (arguments, setting) in wrong {
        let ended = run(&tailcast()?, &[&["hub"], arguments].concat(), b"").await?;
        assert_eq!(ended.code, Some(2), "{arguments:?}");
        assert!(ended.stderr.contains(setting), "{}", ended.stderr);
    }
    std::fs::remove_file(&file)?;
    Ok(())
}

#[tokio::test]
async fn sighup_reloads_the_event_handlers_and_ignores_an_invalid_file() -> anyhow::Result<()> {
    let file = std::env::temp_dir().join(format!("tailcast-reload-{}.toml", std::process::id()));
    std::fs::write(&file, "")?;
    let hub = Server::start_hub(&["--config", &file.display().to_string()]).await?;
    let url = hub.client_url(&hub.connection_string()?.access_key, |_| {})?;
    std::fs::write(&file, "[[event-handler]]\nurl-template = \"nonsense\"\n")?;
    hub.signal("HUP").await?;
    hub.wait_for_stderr("Cannot reload the event handlers").await?;
    assert_eq!(Socket::open(&url, &[JSON]).await?.json().await?["event"], "connected");
    // A handler that refuses every client, since it consents to no events.
    let handler = hub.url("/api/health");
    let refusing =
        format!("[[event-handler]]\nurl-template = \"{handler}\"\nsystem-events = [\"connect\"]\n");
    std::fs::write(&file, refusing)?;
    hub.signal("HUP").await?;
    hub.wait_for_stderr("Reloaded the event handlers.").await?;
    assert_eq!(Socket::refusal(&url, &[JSON], &[]).await?, 500);
    std::fs::remove_file(&file)?;
    Ok(())
}
