//! The vendor's clients of features that are not offered: their users see which feature it is.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use std::path::{Path, PathBuf};

use serde_json::Value;
use tailcast_tests::{
    command::{command, run_to_end},
    environment::{node_modules, python},
    server::Server,
};
use tokio::process::Command;

fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("strangers/not_offered").join(name)
}

fn node(name: &str, argument: &str) -> anyhow::Result<Command> {
    let mut node = command(Path::new("node"));
    node.env("NODE_PATH", node_modules()?).arg(program(name)).arg(argument);
    Ok(node)
}

#[tokio::test]
async fn errors_of_the_chat_sdk_name_the_feature() -> anyhow::Result<()> {
    let hub = Server::start_hub(&[]).await?;
    let mut python = command(&python()?);
    python.arg(program("chat_service.py")).arg(hub.connection_string()?.reveal());
    let ended = run_to_end(python, b"").await?;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let errors: Vec<Value> = ended.stdout.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!(errors.len(), 6, "{errors:#?}");
    for error in &errors {
        assert_eq!(error["status"], 501, "{error}");
        let text = error["error"].as_str().unwrap_or_default();
        assert!(text.contains("Chat (`azure-messaging-webpubsubchatservice`) is not offered"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_socket_io_server_makes_the_service_log_what_is_not_offered() -> anyhow::Result<()> {
    let hub = Server::start_hub(&[]).await?;
    let mut server = node("socket_io_server.js", &hub.connection_string()?.reveal())?;
    // Killed when dropped: the extension itself shows nothing, and never gives up.
    let _server = server.spawn()?;
    hub.wait_for_stderr("Server tunnels (`@azure/web-pubsub-socket.io`, `awps-tunnel`) are not offered")
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_socket_io_client_receives_an_error_that_names_the_feature() -> anyhow::Result<()> {
    let hub = Server::start_hub(&[]).await?;
    let ended = run_to_end(node("socket_io_client.js", &hub.url("/"))?, b"").await?;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let error: Value = serde_json::from_str(&ended.stdout)?;
    assert_eq!(error["code"], "NotImplemented");
    let text = error["message"].as_str().unwrap_or_default();
    assert!(text.contains("Socket.IO clients (`@azure/web-pubsub-socket.io`) are not offered"), "{error}");
    Ok(())
}
