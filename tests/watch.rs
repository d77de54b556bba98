//! `tailcast watch`: lines of a group in a terminal or a pipe.

use anyhow::Context;
use serde_json::json;
use tailcast_tests::{
    command::{command, run},
    environment::tailcast,
    fault_proxy::FaultProxy,
    process::Process,
    server::Server,
    streamer::Streamer,
    with_timeout,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdout},
};

async fn stream(server: &Server, input: &str) -> anyhow::Result<()> {
    let ended =
        run(&tailcast()?, &["stream", "--negotiate", &server.negotiate_url()], input.as_bytes()).await?;
    anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
    Ok(())
}

fn numbered(lines: std::ops::RangeInclusive<u32>) -> String {
    lines.map(|number| format!("line {number}\n")).collect()
}

/// Runs `tailcast watch` to its end.
async fn watch(server: &Server, arguments: &[&str]) -> anyhow::Result<(Option<i32>, String, String)> {
    let negotiate = server.negotiate_url();
    let all = [&["watch", "--negotiate", &negotiate], arguments].concat();
    let ended = run(&tailcast()?, &all, b"").await?;
    Ok((ended.code, ended.stdout, ended.stderr))
}

#[tokio::test]
async fn earlier_lines_are_printed_with_their_colours() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    stream(&server, &numbered(1..=500)).await?;
    stream(&server, "\u{1b}[31mred\u{1b}[m\n").await?;
    let (code, last, stderr) = watch(&server, &["-n", "3", "--no-follow"]).await?;
    assert_eq!(code, Some(0), "{stderr}");
    assert!(last.starts_with("line 499\nline 500\n\u{1b}[0;31mred"), "{last:?}");
    let (_, all, _) = watch(&server, &["--since", "10m", "--no-follow"]).await?;
    assert_eq!(all.lines().count(), 501);
    let (_, none, _) = watch(&server, &["-n", "0", "--no-follow"]).await?;
    assert_eq!(none, "");
    let (code, _, stderr) = watch(&server, &["--since", "soon", "--no-follow"]).await?;
    assert!(code == Some(2) && stderr.contains("an age such as 10m"), "{code:?} {stderr}");
    let (code, _, stderr) = watch(&server, &["--group", "a,b"]).await?;
    assert!(code == Some(2) && stderr.contains("prints one group, and `a,b`"), "{code:?} {stderr}");
    Ok(())
}

/// Server in front of another one, whose history has no end.
struct EndlessHistory {
    address: String,
    task: tokio::task::JoinHandle<()>,
}

impl EndlessHistory {
    async fn of(server: &Server) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, target) = (listener.local_addr()?.to_string(), server.address().to_owned());
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                // A connection that fails is that of a test that has failed.
                tokio::spawn(answer(socket, target.clone()));
            }
        });
        Ok(Self { address, task })
    }
}

impl Drop for EndlessHistory {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Sends an endless history, or forwards another request.
async fn answer(mut client: TcpStream, target: String) -> anyhow::Result<()> {
    let mut head = vec![0; 8192];
    let read = client.read(&mut head).await?;
    let head = String::from_utf8_lossy(head.get(..read).unwrap_or_default()).into_owned();
    if !head.starts_with("GET /history/") {
        let mut server = TcpStream::connect(target).await?;
        // The history is then requested on another connection.
        let close = if head.contains("pgrade:") { "" } else { "\r\nConnection: close" };
        server.write_all(head.replacen("\r\n", &format!("{close}\r\n"), 1).as_bytes()).await?;
        tokio::io::copy_bidirectional(&mut client, &mut server).await?;
        return Ok(());
    }
    client.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n").await?;
    client.write_all(b"{\"type\":\"history\",\"runId\":\"r\",\"nextNumber\":1,\"nextLine\":1}\n").await?;
    let text = "x".repeat(100_000);
    for number in 1.. {
        let message = json!({"type": "message", "from": "group", "group": "stream", "dataType": "text", "data": text,
            "sequenceId": number, "time": 0, "number": number, "line": number});
        client.write_all(format!("{message}\n").as_bytes()).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_history_without_an_end_is_refused_at_a_limit() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let endless = EndlessHistory::of(&server).await?;
    let url = format!("http://{}", endless.address);
    let ended = run(&tailcast()?, &["watch", "--server", &url, "--no-follow"], b"").await?;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let expected = "the history cannot be read: the history exceeds 75497472 bytes; request a shorter range";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    Ok(())
}

#[tokio::test]
async fn live_lines_follow_once_and_in_order_whatever_the_network_does() -> anyhow::Result<()> {
    const LINES: u32 = 20_000;
    let server = Server::start(&[]).await?;
    let proxy = FaultProxy::to(server.address()).await?;
    stream(&server, &numbered(1..=1_000)).await?;
    let mut watching = command(&tailcast()?);
    watching.args(["watch", "--negotiate", &proxy.url("/negotiate"), "-n", "100000"]);
    let mut watching = watching.stdout(std::process::Stdio::piped()).spawn()?;
    let mut output = BufReader::new(watching.stdout.take().context("no output")?).lines();
    let mut streamer = Streamer::start(&server.negotiate_url(), &[])?;
    let mut expected = 1..=LINES;
    let mut next = async || {
        let line = with_timeout("a line", async { Ok(output.next_line().await?) }).await?;
        anyhow::ensure!(line == expected.next().map(|number| format!("line {number}")), "{line:?}");
        anyhow::Ok(())
    };
    for part in 1..=19 {
        streamer.write(&numbered(part * 1_000 + 1..=(part + 1) * 1_000)).await?;
        if part % 5 == 0 {
            proxy.drop_connections();
        }
        for _ in 0..1_000 {
            next().await?;
        }
    }
    for _ in 0..1_000 {
        next().await?;
    }
    streamer.end_input();
    assert_eq!(streamer.wait_for_exit().await?.0, Some(0));
    tailcast_tests::server::signal(watching.id().context("no process")?, "TERM").await?;
    assert_eq!(watching.wait().await?.code(), Some(0));
    Ok(())
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_ends_it_without_an_error() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    stream(&server, &numbered(1..=100_000)).await?;
    let script = format!(
        "'{}' watch --negotiate {} -n 100000 --no-follow | head -n 1; echo ${{PIPESTATUS[0]}}",
        tailcast()?.display(),
        server.negotiate_url()
    );
    let ended = run(std::path::Path::new("bash"), &["-c", &script], b"").await?;
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("line 1\n0\n", ""));
    Ok(())
}

#[tokio::test]
async fn nothing_but_text_and_colours_reaches_the_terminal() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut publisher = server.connect("stranger").await?;
    let hostile =
        "\u{1b}]52;c;aGk=\u{7}\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}31m\u{7}\u{1b}P1\u{1b}\\\u{1b}[32mgreen";
    let message =
        json!({"type": "sendToGroup", "group": "stream", "dataType": "text", "data": hostile, "ackId": 1});
    publisher.ask(&message.to_string()).await?;
    let (_, shown, _) = watch(&server, &["--no-follow"]).await?;
    let sequences: Vec<&str> = shown.split('\u{1b}').skip(1).collect();
    assert!(
        !sequences.is_empty() && sequences.iter().all(|rest| rest.starts_with('[') && rest.contains('m')),
        "{shown:?}"
    );
    assert!(shown.contains("green") && !shown.contains("title") && !shown.contains("aGk"), "{shown:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_hidden_or_reorders_text_is_shown() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut publisher = server.connect("stranger").await?;
    let hidden = "\u{1b}[8mconcealed\u{1b}[28m a\u{200e}b\u{61c}c\u{200b}d\u{2028}e\u{202e}f\u{e0041}g";
    let message =
        json!({"type": "sendToGroup", "group": "stream", "dataType": "text", "data": hidden, "ackId": 1});
    publisher.ask(&message.to_string()).await?;
    let (_, shown, _) = watch(&server, &["--no-follow"]).await?;
    assert_eq!(shown, format!("concealed {}\n", ["a", "b", "c", "d", "e", "f", "g"].join("\u{fffd}")));
    Ok(())
}

#[tokio::test]
async fn a_group_that_is_not_open_is_an_error() -> anyhow::Result<()> {
    let server = Server::start(&["--allow-group", "build-*"]).await?;
    let (code, _, stderr) = watch(&server, &["--group", "payroll", "--no-follow"]).await?;
    assert!(code == Some(1) && stderr.contains("`payroll` is not open"), "{code:?} {stderr}");
    let server = Server::start(&["--history", "off"]).await?;
    let (code, _, stderr) = watch(&server, &["--no-follow"]).await?;
    assert!(code == Some(1) && stderr.contains("no history"), "{code:?} {stderr}");
    Ok(())
}

#[tokio::test]
async fn after_a_restart_of_the_service_everything_new_is_printed_and_the_loss_is_reported()
-> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let address = server.address().to_owned();
    let negotiate = server.negotiate_url();
    stream(&server, &numbered(1..=3)).await?;
    let mut watching = command(&tailcast()?);
    watching.args(["watch", "--negotiate", &negotiate, "-n", "2", "--give-up-after", "60"]);
    let mut watching = watching.spawn()?;
    let mut output = BufReader::new(watching.stdout.take().context("no output")?).lines();
    let mut next = async || with_timeout("a line", async { Ok(output.next_line().await?) }).await;
    assert_eq!((next().await?.as_deref(), next().await?.as_deref()), (Some("line 2"), Some("line 3")));
    server.kill().await?;
    let server = Server::start_on(&address, &[]).await?;
    stream(&server, &numbered(4..=40)).await?;
    for number in 4..=40 {
        assert_eq!(next().await?, Some(format!("line {number}")));
    }
    tailcast_tests::server::signal(watching.id().context("no process")?, "TERM").await?;
    let ended = watching.wait_with_output().await?;
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.code() == Some(1) && stderr.contains("was restarted"), "{stderr}");
    Ok(())
}

#[tokio::test]
async fn older_lines_that_are_no_longer_kept_are_counted() -> anyhow::Result<()> {
    let server = Server::start(&["--history", "1h,1MiB"]).await?;
    stream(&server, &numbered(1..=300_000)).await?;
    for arguments in [["--since", "10m"], ["-n", "300000"]] {
        let (code, lines, stderr) = watch(&server, &[&arguments[..], &["--no-follow"]].concat()).await?;
        let gone = 300_000 - lines.lines().count();
        assert_eq!(code, Some(0), "{stderr}");
        assert!(gone > 0 && stderr.contains(&format!("{gone} older lines are no longer kept")), "{stderr}");
    }
    let (_, _, stderr) = watch(&server, &["-n", "5", "--no-follow"]).await?;
    assert_eq!(stderr, "");
    Ok(())
}

/// Running `tailcast watch`, after its first line, and the reader of its output.
async fn watch_first_line(server: &Server) -> anyhow::Result<(Child, BufReader<ChildStdout>)> {
    let mut watching = command(&tailcast()?);
    watching.args(["watch", "--negotiate", &server.negotiate_url()]);
    let mut watching = watching.spawn()?;
    let mut output = BufReader::new(watching.stdout.take().context("no output")?);
    let mut line = String::new();
    with_timeout("the first line", async { Ok(output.read_line(&mut line).await?) }).await?;
    Ok((watching, output))
}

#[tokio::test]
async fn a_reader_that_leaves_while_no_line_arrives_ends_it() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    stream(&server, "first\n").await?;
    let (mut watching, output) = watch_first_line(&server).await?;
    drop(output);
    let status = with_timeout("the end of watch", async { Ok(watching.wait().await?) }).await?;
    assert_eq!(status.code(), Some(0));
    Ok(())
}

#[tokio::test]
async fn a_signal_ends_it_although_nobody_reads_its_output() -> anyhow::Result<()> {
    for signal in ["INT", "TERM"] {
        let server = Server::start(&[]).await?;
        stream(&server, "first\n").await?;
        let (mut watching, output) = watch_first_line(&server).await?;
        // More than a pipe holds, and the buffers of the client.
        stream(&server, &numbered(1..=100_000)).await?;
        let process = Process(watching.id().context("no process")?);
        let is_full = |_| Ok(rustix::io::ioctl_fionread(output.get_ref())? > 60_000);
        process.wait_until("a full pipe", is_full).await?;
        tailcast_tests::server::signal(process.0, signal).await?;
        let status = with_timeout("the end of watch", async { Ok(watching.wait().await?) }).await?;
        assert_eq!(status.code(), Some(0), "SIG{signal}");
        drop(output);
    }
    Ok(())
}
