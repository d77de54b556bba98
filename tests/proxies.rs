//! `tailcast stream` through an HTTP proxy, as the environment names it.

use tailcast_tests::{
    command::{command, run_to_end},
    connect_proxy::ConnectProxy,
    environment::tailcast,
    server::Server,
};

#[tokio::test]
async fn the_proxy_of_the_environment_is_used_for_the_websocket_too() -> anyhow::Result<()> {
    for variable in ["http_proxy", "all_proxy"] {
        let (server, proxy) = (Server::start(&[]).await?, ConnectProxy::start().await?);
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
async fn who_is_named_in_no_proxy_is_reached_without_it() -> anyhow::Result<()> {
    let (server, proxy) = (Server::start(&[]).await?, ConnectProxy::start().await?);
    let mut streamer = command(&tailcast()?);
    streamer.args(["stream", "--negotiate", &server.negotiate_url()]);
    streamer.env("http_proxy", proxy.url()).env("no_proxy", "127.0.0.1");
    assert_eq!(run_to_end(streamer, b"straight\n").await?.code, Some(0));
    assert_eq!(proxy.tunnels(), 0);
    Ok(())
}
