//! The official service SDKs manage connections, users, groups and permissions of the embedded service as of the cloud.
//! Sending is in `strangers.rs`.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};
use tailcast_tests::{
    command::{command, run_to_end},
    environment::{node_modules, python},
    server::Server,
    socket::{JSON, Socket},
};

/// Which SDK is asked.
#[derive(Debug, Clone, Copy)]
enum Sdk {
    JavaScript,
    Python,
}

const BOTH: [Sdk; 2] = [Sdk::JavaScript, Sdk::Python];

/// One call: the Python method with its keyword arguments, the JavaScript method with its arguments.
type Call<'a> = (&'a str, Value, &'a str, Value);

/// An SDK over the connection string that the server printed.
struct Service<'a> {
    server: &'a Server,
    sdk: Sdk,
}

impl Service<'_> {
    async fn call(
        &self,
        (py_method, py_arguments, js_method, js_arguments): Call<'_>,
    ) -> anyhow::Result<Value> {
        let strangers = Path::new(env!("CARGO_MANIFEST_DIR")).join("strangers");
        let connection_string = self.server.connection_string()?.reveal();
        let (mut command, method, arguments) = match self.sdk {
            Sdk::JavaScript => {
                let mut node = command(Path::new("node"));
                node.env("NODE_PATH", node_modules()?).arg(strangers.join("service_sdk.js"));
                (node, js_method, js_arguments)
            }
            Sdk::Python => {
                let mut python = command(&python()?);
                python.arg(strangers.join("service_sdk.py"));
                (python, py_method, py_arguments)
            }
        };
        command.args([connection_string.as_str(), method, &arguments.to_string()]);
        let ended = run_to_end(command, b"").await?;
        anyhow::ensure!(ended.code == Some(0), "{:?} {method}: {}", self.sdk, ended.stderr);
        serde_json::from_str(&ended.stdout)
            .with_context(|| format!("{:?} {method}: {}", self.sdk, ended.stdout))
    }

    /// A client of this SDK's own token; gives it with its connection id.
    async fn client(&self, user: &str, groups: &[&str]) -> anyhow::Result<(Socket, String)> {
        let token = self
            .call((
                "get_client_access_token",
                json!({"user_id": user, "groups": groups}),
                "getClientAccessToken",
                json!([{"userId": user, "groups": groups}]),
            ))
            .await?;
        let mut socket = Socket::open(token["url"].as_str().context("no url")?, &[JSON]).await?;
        let connected = socket.json().await?;
        anyhow::ensure!(connected["userId"] == user, "{connected}");
        let id = connected["connectionId"].as_str().context("no connection id")?.to_owned();
        Ok((socket, id))
    }

    async fn exists(&self, kind: &str, name: &str) -> anyhow::Result<bool> {
        let (py_method, py_name, js_method) = match kind {
            "connection" => ("connection_exists", "connection_id", "connectionExists"),
            "user" => ("user_exists", "user_id", "userExists"),
            _ => ("group_exists", "group", "groupExists"),
        };
        let exists = self.call((py_method, json!({py_name: name}), js_method, json!([name]))).await?;
        exists.as_bool().context("no bool")
    }

    /// Sends to a group, so that who is in it can be seen.
    async fn tell_group(&self, group: &str, text: &str) -> anyhow::Result<()> {
        let py = json!({"group": group, "message": text, "content_type": "text/plain"});
        let js = json!([text, {"contentType": "text/plain"}]);
        self.call(("send_to_group", py, &format!("group:{group}:sendToAll"), js)).await.map(drop)
    }
}

#[tokio::test]
async fn they_see_who_is_there() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    for sdk in BOTH {
        let service = Service { server: &server, sdk };
        let (_client, id) = service.client("ada/é", &["here"]).await?;
        for (kind, there, not_there) in
            [("connection", id.as_str(), "nobody"), ("user", "ada/é", "nobody"), ("group", "here", "nowhere")]
        {
            assert!(service.exists(kind, there).await?, "{sdk:?} {kind}");
            assert!(!service.exists(kind, not_there).await?, "{sdk:?} {kind}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn they_put_connections_and_users_into_groups_and_take_them_out() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    for sdk in BOTH {
        let service = Service { server: &server, sdk };
        let (mut ada, id) = service.client("ada", &[]).await?;
        let steps: [(Call<'_>, bool); 10] = [
            (
                (
                    "add_connection_to_group",
                    json!({"group": "g", "connection_id": id}),
                    "group:g:addConnection",
                    json!([id]),
                ),
                true,
            ),
            (
                (
                    "remove_connection_from_group",
                    json!({"group": "g", "connection_id": id}),
                    "group:g:removeConnection",
                    json!([id]),
                ),
                false,
            ),
            (
                (
                    "add_user_to_group",
                    json!({"group": "g", "user_id": "ada"}),
                    "group:g:addUser",
                    json!(["ada"]),
                ),
                true,
            ),
            (
                (
                    "remove_user_from_group",
                    json!({"group": "g", "user_id": "ada"}),
                    "group:g:removeUser",
                    json!(["ada"]),
                ),
                false,
            ),
            (
                (
                    "add_user_to_group",
                    json!({"group": "g", "user_id": "ada"}),
                    "group:g:addUser",
                    json!(["ada"]),
                ),
                true,
            ),
            (
                (
                    "remove_user_from_all_groups",
                    json!({"user_id": "ada"}),
                    "removeUserFromAllGroups",
                    json!(["ada"]),
                ),
                false,
            ),
            (
                (
                    "add_user_to_group",
                    json!({"group": "g", "user_id": "ada"}),
                    "group:g:addUser",
                    json!(["ada"]),
                ),
                true,
            ),
            (
                (
                    "remove_connection_from_all_groups",
                    json!({"connection_id": id}),
                    "removeConnectionFromAllGroups",
                    json!([id]),
                ),
                false,
            ),
            // The Python SDK has no bulk operations, so it does what they would.
            (
                (
                    "add_connection_to_group",
                    json!({"group": "g", "connection_id": id}),
                    "addConnectionsToGroups",
                    json!([["g", "h"], "userId eq 'ada'"]),
                ),
                true,
            ),
            (
                (
                    "remove_connection_from_group",
                    json!({"group": "g", "connection_id": id}),
                    "removeConnectionsFromGroups",
                    json!([["g", "h"], "startswith(userId, 'a')"]),
                ),
                false,
            ),
        ];
        for (at, (call, is_member)) in steps.into_iter().enumerate() {
            service.call(call).await?;
            service.tell_group("g", &format!("after {at}")).await?;
            if is_member {
                assert_eq!(ada.json().await?["data"], format!("after {at}"), "{sdk:?}");
            }
        }
        // Nothing came while it was no member: the next thing it hears is the answer to its own question.
        assert_eq!(ada.ask(r#"{"type":"ping"}"#).await?["type"], "pong", "{sdk:?}");
    }
    Ok(())
}

#[tokio::test]
async fn they_close_connections_with_a_reason_that_the_client_is_told() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    for sdk in BOTH {
        let service = Service { server: &server, sdk };
        let (mut spared, spared_id) = service.client("spared", &["g"]).await?;
        for kind in ["connection", "user", "group", "all"] {
            let (mut closed, id) = service.client("closed", &["g"]).await?;
            let (reason, excluded) = (format!("{kind} done"), json!([spared_id]));
            let call = match kind {
                "connection" => (
                    "close_connection",
                    json!({"connection_id": id, "reason": reason}),
                    "closeConnection",
                    json!([id, {"reason": reason}]),
                ),
                "user" => (
                    "close_user_connections",
                    json!({"user_id": "closed", "reason": reason}),
                    "closeUserConnections",
                    json!(["closed", {"reason": reason}]),
                ),
                "group" => (
                    "close_group_connections",
                    json!({"group": "g", "reason": reason, "excluded": excluded}),
                    "group:g:closeAllConnections",
                    json!([{"reason": reason, "excluded": excluded}]),
                ),
                _ => (
                    "close_all_connections",
                    json!({"reason": reason, "excluded": excluded}),
                    "closeAllConnections",
                    json!([{"reason": reason, "excluded": excluded}]),
                ),
            };
            service.call(call).await?;
            let farewell = closed.json().await?;
            let expected = format!("Application server closed the connection. Reason: {reason}");
            assert_eq!(
                farewell,
                json!({"type": "system", "event": "disconnected", "message": expected}),
                "{sdk:?}"
            );
            assert_eq!(closed.closed().await?.0, 1000, "{sdk:?} {kind}");
        }
        assert_eq!(spared.ask(r#"{"type":"ping"}"#).await?["type"], "pong", "{sdk:?}");
    }
    Ok(())
}

#[tokio::test]
async fn they_grant_check_and_revoke_permissions_at_once() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    for sdk in BOTH {
        let service = Service { server: &server, sdk };
        let (mut client, id) = service.client("ada", &[]).await?;
        let call = async |py_method: &str, js_method: &str| {
            let py = json!({"permission": "sendToGroup", "connection_id": id, "target_name": "room"});
            service.call((py_method, py, js_method, json!([id, "sendToGroup", {"targetName": "room"}]))).await
        };
        let mut ack_id = 0;
        let mut may_send = async || {
            ack_id += 1;
            let send = json!({"type": "sendToGroup", "group": "room", "data": 1, "ackId": ack_id});
            anyhow::Ok(client.ask(&send.to_string()).await?["success"] == true)
        };
        assert_eq!(
            (call("has_permission", "hasPermission").await?, may_send().await?),
            (json!(false), false)
        );
        call("grant_permission", "grantPermission").await?;
        assert_eq!((call("has_permission", "hasPermission").await?, may_send().await?), (json!(true), true));
        call("revoke_permission", "revokePermission").await?;
        assert_eq!(
            (call("has_permission", "hasPermission").await?, may_send().await?),
            (json!(false), false)
        );
    }
    Ok(())
}

#[tokio::test]
async fn they_list_the_members_of_a_group_page_by_page() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    for sdk in BOTH {
        let service = Service { server: &server, sdk };
        let group = format!("{sdk:?}");
        let mut expected = Vec::new();
        let mut clients = Vec::new();
        for number in 0..3 {
            let (client, id) = service.client(&format!("user {number}"), &[&group]).await?;
            clients.push(client);
            expected.push(json!({"connectionId": id, "userId": format!("user {number}")}));
        }
        expected.sort_by_key(|member| member["connectionId"].to_string());
        // The JavaScript SDK asks for one a page, the Python SDK takes what it gets.
        let py = json!({"group": group});
        let js = json!([{"maxPageSize": 1}]);
        let listed =
            service.call(("list_connections", py, &format!("group:{group}:listConnections"), js)).await?;
        assert_eq!(listed, json!(expected), "{sdk:?}");
        let (py, js) = (json!({"group": group, "top": 2}), json!([{"top": 2, "maxPageSize": 1}]));
        let listed =
            service.call(("list_connections", py, &format!("group:{group}:listConnections"), js)).await?;
        assert_eq!(listed, json!(expected[..2]), "{sdk:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_filter_selects_who_gets_a_message() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    for sdk in BOTH {
        let service = Service { server: &server, sdk };
        let (mut vip, _) = service.client("ada", &["vip"]).await?;
        let (mut other, _) = service.client("o'neil", &[]).await?;
        for (filter, text) in
            [("'vip' in groups", "vip"), ("userId eq 'o''neil'", "other"), ("userId ne null", "both")]
        {
            let py = json!({"message": text, "content_type": "text/plain", "filter": filter});
            let js = json!([text, {"contentType": "text/plain", "filter": filter}]);
            service.call(("send_to_all", py, "sendToAll", js)).await?;
        }
        assert_eq!(vip.lines(2).await?, ["vip", "both"], "{sdk:?}");
        assert_eq!(other.lines(2).await?, ["other", "both"], "{sdk:?}");
        let py = json!({"message": "x", "filter": "userId lt 1"});
        let error =
            service.call(("send_to_all", py, "sendToAll", json!(["x", {"filter": "userId lt 1"}]))).await;
        let words = error.err().context("a filter that makes no sense was taken")?.to_string();
        assert!(words.contains("400") || words.contains("Invalid syntax"), "{words}");
    }
    Ok(())
}
