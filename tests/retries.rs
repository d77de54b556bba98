//! Retries: their limit, and the messages about them.

use std::time::{Duration, Instant};

use tailcast_tests::{command::run, environment::tailcast, fixed_response::FixedResponse, server::Server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
    time::interval,
};

#[tokio::test]
async fn an_endpoint_that_answers_a_byte_at_a_time_does_not_extend_the_limit() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/negotiate", listener.local_addr()?);
    let trickling = tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _request = socket.read(&mut [0; 4096]).await;
                let _head = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").await;
                let mut ticks = interval(Duration::from_millis(100));
                while socket.write_all(b" ").await.is_ok() {
                    ticks.tick().await;
                }
            });
        }
    });
    let started = Instant::now();
    let ended = run(&tailcast()?, &["stream", "--negotiate", &url, "--give-up-after", "2"], b"x\n").await?;
    // Less than the timeout of a step, which is 15 s.
    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("did not answer within 2 s"), "{}", ended.stderr);
    trickling.abort();
    Ok(())
}

/// Answers the first request with 429 and a time until the next attempt, further ones with the URL of a service.
async fn busy_once(service: String) -> anyhow::Result<(String, JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/negotiate", listener.local_addr()?);
    let task = tokio::spawn(async move {
        let busy = "429 Too Many Requests\r\nRetry-After: 6\r\nContent-Length: 0";
        let mut answer = format!("HTTP/1.1 {busy}\r\nConnection: close\r\n\r\n");
        while let Ok((mut socket, _)) = listener.accept().await {
            let _request = socket.read(&mut [0; 4096]).await;
            let _written = socket.write_all(answer.as_bytes()).await;
            let body = format!(r#"{{"url":"{service}"}}"#);
            let length = body.len();
            answer =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        }
    });
    Ok((url, task))
}

#[tokio::test]
async fn the_end_of_the_input_does_not_shorten_the_time_that_the_server_asks_for() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let service = server.negotiate("ada").await?;
    let (url, task) = busy_once(service).await?;
    let started = Instant::now();
    let ended = run(&tailcast()?, &["stream", "--negotiate", &url], b"x\n").await?;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(started.elapsed() >= Duration::from_secs(6), "{:?}", started.elapsed());
    assert!(ended.stderr.contains("retrying after 6 s, as the server asks"), "{}", ended.stderr);
    task.abort();
    // The limit of the user is shorter.
    let (url, task) = busy_once(String::new()).await?;
    let started = Instant::now();
    let ended = run(&tailcast()?, &["stream", "--negotiate", &url, "--give-up-after", "2"], b"x\n").await?;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
    task.abort();
    Ok(())
}

#[tokio::test]
async fn an_interruption_is_reported_by_one_line_and_its_outcome() -> anyhow::Result<()> {
    let down = FixedResponse::with("503 Service Unavailable", "text/plain", "restarting").await?;
    for command in ["stream", "watch"] {
        let arguments = [command, "--negotiate", &down.url("/negotiate"), "--give-up-after", "8"];
        let ended = run(&tailcast()?, &arguments, b"x\n").await?;
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        let lines: Vec<&str> = ended.stderr.lines().collect();
        assert_eq!(lines.len(), 2, "{}", ended.stderr);
        assert!(lines.iter().all(|line| line.contains("answered 503")), "{}", ended.stderr);
        assert!(lines.first().is_some_and(|line| line.ends_with("; retrying")), "{}", ended.stderr);
    }
    Ok(())
}
