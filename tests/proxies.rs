//! `tailcast stream` through an HTTP or SOCKS proxy from environment variables.

use tailcast_tests::{
    command::{command, run_to_end},
    connect_proxy,
    environment::tailcast,
    server::Server,
    socks_proxy,
};

#[tokio::test]
async fn the_proxy_of_the_environment_is_used_for_http_and_websocket() -> anyhow::Result<()> {
    for variable in ["http_proxy", "all_proxy"] {
        let (server, proxy) = (Server::start(&[]).await?, connect_proxy::start().await?);
        let mut subscriber = server.subscribe().await?;
        let mut streamer = command(&tailcast()?);
        streamer.args(["stream", "--negotiate", &server.negotiate_url()]).env(variable, proxy.url());
        let ended = run_to_end(streamer, b"through the proxy\n").await?;
        assert_eq!(ended.code, Some(0), "{variable}: {}", ended.stderr);
        assert_eq!(subscriber.lines(1).await?, ["through the proxy"]);
        assert_eq!(proxy.tunnels(), 1, "{variable}");
    }
    Ok(())
}

#[tokio::test]
async fn a_socks_proxy_is_used_for_http_and_websocket() -> anyhow::Result<()> {
    let (server, proxy) = (Server::start(&[]).await?, socks_proxy::start().await?);
    let mut subscriber = server.subscribe().await?;
    let mut streamer = command(&tailcast()?);
    streamer.args(["stream", "--negotiate", &server.negotiate_url()]).env("all_proxy", proxy.url());
    let ended = run_to_end(streamer, b"through the proxy\n").await?;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(subscriber.lines(1).await?, ["through the proxy"]);
    assert_eq!(proxy.tunnels(), 2, "one for the negotiation, one for the WebSocket");
    Ok(())
}

#[tokio::test]
async fn the_server_of_the_same_process_is_reached_directly() -> anyhow::Result<()> {
    let proxy = connect_proxy::start().await?;
    let mut piped = command(&tailcast()?);
    piped.args(["--port", "0", "--exit"]).env("http_proxy", proxy.url());
    let ended = run_to_end(piped, b"a line\n").await?;
    assert_eq!((ended.code, proxy.tunnels()), (Some(0), 0), "{}", ended.stderr);
    Ok(())
}

#[tokio::test]
async fn hosts_of_no_proxy_are_reached_directly() -> anyhow::Result<()> {
    let (server, proxy) = (Server::start(&[]).await?, connect_proxy::start().await?);
    let mut streamer = command(&tailcast()?);
    streamer.args(["stream", "--negotiate", &server.negotiate_url()]);
    streamer.env("http_proxy", proxy.url()).env("no_proxy", "127.0.0.1");
    assert_eq!(run_to_end(streamer, b"straight\n").await?.code, Some(0));
    assert_eq!(proxy.tunnels(), 0);
    Ok(())
}
