//! Third-party programs, unmodified except for the URL: the tutorial's streamer, publisher, server and pages, a client
//! on the PyPI package `websockets`, and the official Python SDK.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

mod program;

use std::path::Path;

use anyhow::Context;
use program::{Program, path_of, run_program};
use serde_json::{Value, json};
use tailcast_tests::{
    browser::Browser,
    command::run,
    environment::tailcast,
    server::Server,
    socket::{JSON, Socket},
    streamer::Streamer,
    with_timeout,
};

/// Calls a method of the official SDK. Returns its result.
async fn sdk(server: &Server, method: &str, arguments: Value) -> anyhow::Result<Value> {
    let connection_string = server.connection_string()?.reveal();
    let arguments = [connection_string.as_str(), method, &arguments.to_string()];
    let ended = run_program("service_sdk.py", &arguments, b"").await?;
    anyhow::ensure!(ended.code == Some(0), "{method}: {}", ended.stderr);
    Ok(serde_json::from_str(&ended.stdout)?)
}

/// Sends text with a method of the official SDK.
async fn sdk_text(server: &Server, method: &str, message: &str, mut target: Value) -> anyhow::Result<()> {
    target["message"] = json!(message);
    target["content_type"] = json!("text/plain");
    sdk(server, method, target).await.map(drop)
}

/// Programming language of a client.
#[derive(Debug, Clone, Copy)]
enum Language {
    Rust,
    Python,
}

const BOTH: [Language; 2] = [Language::Rust, Language::Python];

/// Connected client with the JSON subprotocol.
enum Client {
    Rust(Box<Socket>),
    Python(Box<Program>),
}

impl Client {
    /// Connects with a token of the official SDK. Returns the client and its `connected` frame.
    async fn connect(language: Language, server: &Server, token: Value) -> anyhow::Result<(Self, Value)> {
        let token = sdk(server, "get_client_access_token", token).await?;
        let url = token["url"].as_str().context("no url")?;
        let mut client = match language {
            Language::Rust => Self::Rust(Box::new(Socket::open(url, &[JSON]).await?)),
            Language::Python => {
                let mut program = Program::start("client.py", &[url, JSON])?;
                assert_eq!(program.line().await?, format!("subprotocol: {JSON}"));
                Self::Python(Box::new(program))
            }
        };
        let connected = client.frame().await?;
        anyhow::ensure!(connected["event"] == "connected", "{connected}");
        Ok((client, connected))
    }

    async fn frame(&mut self) -> anyhow::Result<Value> {
        match self {
            Self::Rust(socket) => socket.json().await,
            Self::Python(program) => Ok(serde_json::from_str(&program.line().await?)?),
        }
    }

    async fn ask(&mut self, request: Value) -> anyhow::Result<Value> {
        match self {
            Self::Rust(socket) => socket.send(&request.to_string()).await?,
            Self::Python(program) => program.write(&request.to_string()).await?,
        }
        self.frame().await
    }
}

fn from_server(data_type: &str, data: &Value) -> Value {
    json!({"type": "message", "from": "server", "dataType": data_type, "data": data})
}

fn from_group(group: &str, text: &str) -> Value {
    json!({"type": "message", "from": "group", "group": group, "dataType": "text", "data": text})
}

#[tokio::test]
async fn the_tutorials_streamer_receives_a_response_to_each_message() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let lines: Vec<String> = (0..500).map(|number| format!("line {number} \"quoted\" é")).collect();
    let input = lines.join("\n") + "\n";
    let ended = run_program("stream.py", &[&server.negotiate_url()], input.as_bytes()).await?;
    // The program ends with a traceback, after it has received a response to each message.
    assert_eq!(ended.stdout.trim(), "connected");
    assert!(ended.stderr.ends_with("EOFError: EOF when reading a line\n"), "{}", ended.stderr);
    for line in &lines {
        assert_eq!(subscriber.json().await?["data"], *line);
    }
    Ok(())
}

#[tokio::test]
async fn lines_of_the_tutorials_streamer_appear_immediately() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let mut streamer = Program::start("stream.py", &[&server.negotiate_url()])?;
    for line in ["one", "  two\t", "", "<b>&amp;</b> \\ 日本"] {
        streamer.write(line).await?;
        assert_eq!(subscriber.json().await?["data"], line);
    }
    Ok(())
}

#[tokio::test]
async fn tokens_of_the_official_sdk_set_user_roles_and_groups() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    for language in BOTH {
        let token = json!({
            "user_id": "ada lovelace/é",
            "roles": ["webpubsub.joinLeaveGroup.mine", "webpubsub.sendToGroup.ours"],
            "groups": ["given"],
        });
        let (mut client, connected) = Client::connect(language, &server, token).await?;
        assert_eq!(connected["userId"], "ada lovelace/é");
        for (id, (request, group, refusal)) in [
            ("joinGroup", "mine", Value::Null),
            ("joinGroup", "ours", json!("Forbidden")),
            ("sendToGroup", "ours", Value::Null),
            ("sendToGroup", "mine", json!("Forbidden")),
        ]
        .into_iter()
        .enumerate()
        {
            let request = json!({"type": request, "group": group, "ackId": id, "data": "x"});
            let ack = client.ask(request).await?;
            let expected = (&json!(id), &json!(refusal.is_null()), &refusal);
            assert_eq!((&ack["ackId"], &ack["success"], &ack["error"]["name"]), expected, "{language:?}");
        }
        sdk_text(&server, "send_to_group", "to a member", json!({"group": "given"})).await?;
        assert_eq!(client.frame().await?, from_group("given", "to a member"), "{language:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_anonymous_token_of_the_official_sdk_has_no_permissions() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let (mut client, connected) = Client::connect(Language::Python, &server, json!({})).await?;
    assert_eq!(connected["userId"], Value::Null);
    for request in ["joinGroup", "sendToGroup"] {
        let request = json!({"type": request, "group": "stream", "ackId": 1, "data": "x"});
        assert_eq!(client.ask(request).await?["error"]["name"], "Forbidden");
    }
    Ok(())
}

#[tokio::test]
async fn the_official_sdk_sends_all_data_types_to_all_clients() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let (mut rust, _) = Client::connect(Language::Rust, &server, json!({})).await?;
    let (mut python, _) = Client::connect(Language::Python, &server, json!({})).await?;
    let bytes = "application/octet-stream";
    for (arguments, data_type, data) in [
        (json!({"message": "héllo", "content_type": "text/plain"}), "text", json!("héllo")),
        (json!({"message": {"a": [1, null, "x"]}}), "json", json!({"a": [1, null, "x"]})),
        (json!({"message": "words", "content_type": "application/json"}), "json", json!("words")),
        (json!({"message_hex": "0102ff", "content_type": bytes}), "binary", json!("AQL/")),
    ] {
        sdk(&server, "send_to_all", arguments).await?;
        for client in [&mut rust, &mut python] {
            assert_eq!(client.frame().await?, from_server(data_type, &data));
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_official_sdk_sends_to_groups_users_and_connections_with_exclusions() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let token = |user: &str| json!({"user_id": user, "groups": ["g"]});
    let (mut ada, _) = Client::connect(Language::Rust, &server, token("ada 1")).await?;
    let (mut bob, connected) = Client::connect(Language::Python, &server, token("bob")).await?;
    let bob_s = &connected["connectionId"];
    for (method, message, target) in [
        ("send_to_group", "group", json!({"group": "g"})),
        ("send_to_group", "group but bob", json!({"group": "g", "excluded": [bob_s]})),
        ("send_to_group", "another group", json!({"group": "h"})),
        ("send_to_all", "all but bob", json!({"excluded": [bob_s]})),
        ("send_to_user", "ada", json!({"user_id": "ada 1"})),
        ("send_to_user", "bob", json!({"user_id": "bob"})),
        ("send_to_connection", "bob's connection", json!({"connection_id": bob_s})),
        ("send_to_all", "the end", json!({})),
    ] {
        sdk_text(&server, method, message, target).await?;
    }
    // An excluded message would have arrived before the last one.
    let direct = |text: &str| from_server("text", &json!(text));
    for expected in [
        from_group("g", "group"),
        from_group("g", "group but bob"),
        direct("all but bob"),
        direct("ada"),
        direct("the end"),
    ] {
        assert_eq!(ada.frame().await?, expected);
    }
    for expected in [from_group("g", "group"), direct("bob"), direct("bob's connection"), direct("the end")] {
        assert_eq!(bob.frame().await?, expected);
    }
    Ok(())
}

#[tokio::test]
async fn the_tutorials_publisher_reaches_clients_with_and_without_a_subprotocol() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut framed = server.connect("ada").await?;
    let mut plain = Program::start("client.py", &[&server.negotiate("bob").await?])?;
    assert_eq!(plain.line().await?, "subprotocol: None");
    let publish = [server.connection_string()?.reveal(), "stream".into(), "héllo <b>".into()];
    let ended = run_program("publish.py", &publish.each_ref().map(String::as_str), b"").await?;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(framed.json().await?, from_server("text", &json!("héllo <b>")));
    assert_eq!(plain.line().await?, "héllo <b>");
    Ok(())
}

/// Starts `tailcast serve` with one of the tutorial's pages.
async fn server_with(page: &str) -> anyhow::Result<Server> {
    Server::start(&["--site", &path_of(page)?]).await
}

/// Starts the tutorial's server, which signs tokens for the service. Returns it with its address.
async fn tutorial_server(server: &Server, page: &str) -> anyhow::Result<(Program, String)> {
    let arguments = [server.connection_string()?.reveal(), path_of(page)?];
    let mut tutorial = Program::start("server.py", &arguments.each_ref().map(String::as_str))?;
    let ready = tutorial.line().await?;
    let port = ready.strip_prefix("server started on ").with_context(|| ready.clone())?;
    Ok((tutorial, format!("http://localhost:{port}")))
}

/// Returns the texts of the page's elements, from top to bottom.
async fn texts(browser: &Browser, elements: &str) -> anyhow::Result<Vec<String>> {
    let script =
        format!("return [...document.querySelectorAll('#output {elements}')].map(one => one.innerText)");
    Ok(serde_json::from_value(browser.run(&script).await?)?)
}

/// Publishes until the tutorial's last page shows a line: it does not indicate when it has joined the group.
async fn page_has_joined(browser: &Browser, streamer: &mut Streamer) -> anyhow::Result<()> {
    with_timeout("joining the group", async {
        while texts(browser, "span").await?.is_empty() {
            streamer.write("anybody there?\n").await?;
        }
        Ok(())
    })
    .await
}

/// Waits until the tutorial's last page shows `last`. Returns its lines.
async fn lines_until(browser: &Browser, last: &str) -> anyhow::Result<Vec<String>> {
    browser.until(&format!("document.querySelector('#output').textContent.endsWith('{last}')")).await?;
    let spans = texts(browser, "span").await?;
    let lines = spans.iter().flat_map(|span| span.split('\n'));
    Ok(lines.filter(|line| *line != "anybody there?").map(str::to_owned).collect())
}

#[tokio::test]
async fn the_tutorials_first_page_shows_each_frame() -> anyhow::Result<()> {
    let (server, browser) = (server_with("page/first").await?, Browser::start().await?);
    browser.open(&server.url("/")).await?;
    browser.until("document.querySelectorAll('#output p').length === 1").await?;
    let publish = ["publish", &server.connection_string()?.reveal(), "stream", "hello"];
    assert_eq!(run(&tailcast()?, &publish, b"").await?.code, Some(0));
    assert_eq!(run_program("publish.py", &publish[1..], b"").await?.code, Some(0));
    browser.until("document.querySelectorAll('#output p').length === 3").await?;
    let printed = texts(&browser, "p").await?;
    let connected: Value = serde_json::from_str(&printed[0])?;
    let id = connected["connectionId"].as_str().context("no connection id")?;
    let hello = r#"{"type":"message","from":"server","dataType":"text","data":"hello"}"#;
    assert_eq!(connected, json!({"type": "system", "event": "connected", "connectionId": id}));
    assert_eq!(printed[1..], [hello, hello]);
    browser.close().await
}

#[tokio::test]
async fn the_tutorials_last_page_shows_lines_in_order() -> anyhow::Result<()> {
    let (server, browser) = (server_with("page/last").await?, Browser::start().await?);
    let mut streamer = Streamer::start(&server.negotiate_url(), &[])?;
    browser.open(&server.url("/")).await?;
    page_has_joined(&browser, &mut streamer).await?;
    let mut lines: Vec<String> = (0..1000).map(|number| format!("line {number}")).collect();
    lines.extend(["  indented\t.", "", "<b>&amp;</b> \"quoted\" \\", "é 日本", "the end"].map(str::to_owned));
    streamer.write(&(lines.join("\n") + "\n")).await?;
    streamer.end_input();
    assert_eq!(streamer.wait_for_exit().await?, (Some(0), String::new()));
    assert_eq!(lines_until(&browser, "the end").await?, lines);
    browser.close().await
}

/// Publishes output of several sources, with an unfinished line. Returns the messages.
async fn marked_messages(server: &Server, browser: Option<&Browser>) -> anyhow::Result<Vec<String>> {
    let mut subscriber = server.subscribe().await?;
    if let Some(browser) = browser {
        page_has_joined(browser, &mut Streamer::start(&server.negotiate_url(), &[])?).await?;
    }
    let url = server.negotiate_url();
    let script = "echo out; printf 50%% >&2; sleep 0.3; printf \"\\r100%%\\n\" >&2; exit 2";
    let arguments = ["run", "--no-pty", "--negotiate", &url, "--", "sh", "-c", script];
    assert_eq!(run(&tailcast()?, &arguments, b"").await?.code, Some(2));
    let mut messages: Vec<String> = Vec::new();
    while !messages.last().is_some_and(|last| last.contains("]133;D;")) {
        messages.push(subscriber.message_text().await?);
    }
    messages.retain(|message| !message.starts_with("anybody there?"));
    Ok(messages)
}

#[tokio::test]
async fn marks_are_readable_in_the_tutorials_page() -> anyhow::Result<()> {
    let (server, browser) = (server_with("page/last").await?, Browser::start().await?);
    browser.open(&server.url("/")).await?;
    let messages = marked_messages(&server, Some(&browser)).await?;
    browser.until("document.querySelector('#output').textContent.includes(']133;D;2;')").await?;
    let mut shown = texts(&browser, "span").await?;
    shown.retain(|text| !text.starts_with("anybody there?"));
    let printable = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
    let bodies: Vec<String> = shown.iter().map(|text| printable(text)).collect();
    assert_eq!(bodies.len(), messages.len(), "{shown:?}");
    assert_eq!(bodies[1], "out", "output of one source is shown as it is");
    assert!(bodies[0].starts_with("]133;C;aid=") && bodies[0].len() < 24, "{bodies:?}");
    assert!(bodies[2].starts_with("]7717;") && bodies[2].ends_with(";stderr: 50%"), "{bodies:?}");
    assert!(bodies.iter().any(|body| body.ends_with(";stderr: 100%")), "{bodies:?}");
    assert!(bodies.iter().all(|body| body.len() < 60), "{bodies:?}");
    browser.close().await
}

#[tokio::test]
async fn terminals_ignore_marks() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let messages = marked_messages(&server, None).await?;
    let modules = tailcast_tests::environment::node_modules()?;
    let arguments = [path_of("xterm.mjs")?, modules.display().to_string()];
    let ended = run(Path::new("node"), &arguments, &serde_json::to_vec(&messages)?).await?;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let rows: Vec<String> = serde_json::from_str(&ended.stdout)?;
    let rows: Vec<&str> = rows.iter().map(String::as_str).filter(|row| !row.is_empty()).collect();
    assert_eq!(rows, ["out", "50%", "100%"], "{messages:?}");
    Ok(())
}

#[tokio::test]
async fn the_tutorials_server_works_with_its_clients_and_tailcast_stream() -> anyhow::Result<()> {
    let (server, browser) = (Server::start(&[]).await?, Browser::start().await?);
    let (_tutorial, url) = tutorial_server(&server, "page/last").await?;
    let negotiate_url = format!("{url}/negotiate");
    let mut streamer = Streamer::start(&negotiate_url, &[])?;
    browser.open(&url).await?;
    page_has_joined(&browser, &mut streamer).await?;
    streamer.write("one of ours\n").await?;
    streamer.end_input();
    assert_eq!(streamer.wait_for_exit().await?.0, Some(0));
    run_program("stream.py", &[&negotiate_url], b"one of theirs\nthe end\n").await?;
    assert_eq!(lines_until(&browser, "the end").await?, ["one of ours", "one of theirs", "the end"]);
    browser.close().await
}
