//! The native client against the embedded service, in every subprotocol.

use anyhow::Context;
use futures_util::StreamExt;
use tailcast_tests::{
    fixed_response::FixedResponse,
    listener::{Listener, group},
    scripted_service::ScriptedService,
    server::Server,
};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use webpubsub_client::protocol::message::AckError;
use webpubsub_client::{
    Client, ClientBuilder, ClientEvent, ClientOptions, ConnectErrorKind, ConnectFailure, EventName, Events,
    MAX_INVOCATIONS, Outgoing, Payload, PublishErrorKind, ServiceEndpoint, StreamOptions, Subprotocol,
    SubscribeErrorKind,
};

/// Returns a client that connects in the background, and its events.
fn started(mut builder: ClientBuilder) -> (Client, Events) {
    let events = builder.events();
    (builder.connect_lazy(), events)
}

fn text(text: &str) -> Payload<'static> {
    Payload::Text(text.to_owned().into())
}

#[tokio::test]
async fn messages_are_exchanged_in_every_subprotocol() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    for subprotocol in Subprotocol::ALL {
        let options = ClientOptions::new().only(subprotocol);
        let mut listener = Listener::join(&server.negotiate_url(), options.clone()).await?;
        let payloads = [text("é\n"), Payload::Binary(vec![0, 255].into())];
        for payload in payloads {
            let receipt = listener.client().publish(&group()?, payload.clone()).await?;
            let heard = listener.until(|event| matches!(event, ClientEvent::GroupMessage { .. })).await?;
            anyhow::ensure!(
                matches!(&heard, ClientEvent::GroupMessage { payload: heard, .. } if *heard == payload),
                "{subprotocol:?}: {heard:?}"
            );
            receipt.await?;
        }
        listener.client().send_and_forget(Outgoing::to_group(group()?, text("forgotten"))).await?;
        assert_eq!(listener.text().await?, "forgotten");
    }
    Ok(())
}

#[tokio::test]
async fn refusals_of_groups_and_messages_are_reported() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut listener = Listener::join(&server.negotiate_url(), ClientOptions::new()).await?;
    let refused = listener.client().subscribe("not mine").await.err().context("not refused")?;
    assert_eq!(refused.kind(), SubscribeErrorKind::Refused);
    assert!(refused.refusal().is_some_and(AckError::is_forbidden), "{refused:?}");
    listener.client().publish(&group()?, "heard").await?.await?;
    assert_eq!(listener.text().await?, "heard");
    let long = "x".repeat(2_000_000);
    let refused = listener.client().publish(&group()?, long.clone()).await?.await.err();
    let refused = refused.context("not refused")?;
    assert_eq!(refused.kind(), PublishErrorKind::TooLarge);
    assert_eq!(refused.into_message().map(Outgoing::into_payload), Some(text(&long)));
    Ok(())
}

#[tokio::test]
async fn a_failed_url_function_is_retried() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let url = server.negotiate("ada").await?;
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let endpoint = ServiceEndpoint::from_fn(move || {
        let fails = calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 2;
        let answer = if fails { Err("no token today".to_owned()) } else { Ok(url.clone()) };
        async { answer }
    });
    let (_client, mut events) = started(Client::builder(endpoint));
    let mut failures = 0;
    tailcast_tests::with_timeout("a connection", async {
        loop {
            match events.next().await.context("stopped")? {
                ClientEvent::ConnectFailed { failure } => {
                    let ConnectFailure::NegotiateFunction { detail } = failure else {
                        anyhow::bail!("{failure:?}")
                    };
                    assert_eq!(detail, "no token today");
                    failures += 1;
                }
                ClientEvent::Connected { .. } => return Ok(()),
                _ => {}
            }
        }
    })
    .await?;
    assert_eq!(failures, 2);
    Ok(())
}

#[tokio::test]
async fn a_service_without_a_subprotocol_is_reported() -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/client/hubs/h?access_token=secret", listener.local_addr()?);
    let body = serde_json::json!({ "url": url }).to_string();
    let negotiate = FixedResponse::with("200 OK", "application/json", &body).await?;
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await?;
        anyhow::Ok(tokio_tungstenite::accept_async(socket).await?)
    });
    tailcast_tests::with_timeout("the failure", async {
        let error =
            Client::builder(negotiate.url("/negotiate")).connect().await.err().context("connected")?;
        assert_eq!(error.kind(), ConnectErrorKind::Unsupported);
        assert!(matches!(error.failure(), Some(ConnectFailure::NoSubprotocol { .. })), "{error}");
        assert!(!error.to_string().contains("secret"));
        Ok(())
    })
    .await
}

/// Returns the failure of a client that this endpoint refuses.
async fn refusal(negotiate_url: String) -> anyhow::Result<ConnectFailure> {
    let (_client, mut events) = started(Client::builder(negotiate_url));
    tailcast_tests::with_timeout("the end of the client", async {
        let mut failure = None;
        while let Some(event) = events.next().await {
            match event {
                ClientEvent::ConnectFailed { failure: reason } => failure = Some(reason),
                ClientEvent::Connecting | ClientEvent::Stopped => {}
                other => anyhow::bail!("{other:?}"),
            }
        }
        failure.context("no failure")
    })
    .await
}

#[tokio::test]
async fn a_refused_client_stops_with_the_reason_of_the_server() -> anyhow::Result<()> {
    let page = "<!doctype html><title>no</title><script>alert(1)</script>";
    let endless = "no ".repeat(1_000_000);
    for (content_type, body, reason) in [
        ("text/plain; charset=utf-8", "not\u{1b}[2J today\n", Some("not[2J today")),
        ("application/json", r#"{"error":{"message":"not today"}}"#, Some("not today")),
        ("text/html", page, None),
        ("text/plain", page, None),
        ("text/plain", &endless, None),
    ] {
        let endpoint = FixedResponse::with("403 Forbidden", content_type, body).await?;
        let url = endpoint.url("/negotiate");
        let reason = reason.map(str::to_owned);
        let expected =
            ConnectFailure::NegotiateStatus { url: url.clone(), status: 403, reason, retry_after: None };
        assert_eq!(refusal(url).await?, expected, "{content_type}");
    }
    Ok(())
}

#[tokio::test]
async fn a_client_with_a_refused_token_stops_with_the_reason_of_the_service() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let url = format!("ws://{}/client/hubs/stream?access_token=no.to.ken", server.address());
    let body = serde_json::json!({ "url": url }).to_string();
    let negotiate = FixedResponse::with("200 OK", "application/json", &body).await?;
    let refused = refusal(negotiate.url("/negotiate")).await?;
    let ConnectFailure::Refused { status, detail, .. } = &refused else { anyhow::bail!("{refused:?}") };
    assert_eq!(*status, Some(401));
    // The reason of the service follows the status.
    assert!(detail.contains(": "), "{detail}");
    assert!(!format!("{refused} {refused:?}").contains("no.to.ken"), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn a_native_client_receives_a_stream_completely_and_in_order() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut listener = Listener::join(&server.negotiate_url(), ClientOptions::new()).await?;
    let mut stream = listener.client().open_stream(&group()?, StreamOptions::new()).await?;
    let writing = async {
        for number in 1..=1_000 {
            stream.write(text(&number.to_string())).await?;
        }
        stream.end().await?;
        anyhow::Ok(())
    };
    let writing = tokio::spawn(writing);
    for number in 1..=1_001 {
        let heard = listener.until(|event| matches!(event, ClientEvent::GroupMessage { .. })).await?;
        let ClientEvent::GroupMessage { payload, stream: Some(place), .. } = heard else {
            anyhow::bail!("no stream: {heard:?}")
        };
        assert_eq!(place.stream_sequence_id, number);
        assert_eq!(place.end_of_stream, number == 1_001);
        assert!(place.end_of_stream || payload == text(&number.to_string()));
    }
    writing.await?
}

#[tokio::test]
async fn a_stream_is_ended_if_its_opening_future_is_dropped() -> anyhow::Result<()> {
    let service = ScriptedService::start().await?;
    let (client, mut events) = started(Client::builder(service.negotiate_url()));
    tailcast_tests::with_timeout("the end of the stream", async {
        // The service does not respond to stream frames.
        let mut socket = service.accept().await?;
        while !matches!(events.next().await.context("stopped")?, ClientEvent::Connected { .. }) {}
        let group = group()?;
        let start = tokio::select! {
            opened = client.open_stream(&group, StreamOptions::new()) => anyhow::bail!("{opened:?}"),
            start = socket.next() => start.context("no start")??,
        };
        assert!(start.to_text()?.contains(r#""stream":{"streamId":"#), "{start}");
        let end = socket.next().await.context("no end")??;
        assert!(end.to_text()?.contains("streamEnd") && end.to_text()?.contains("abandoned"), "{end}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_dropped_invocation_is_cancelled_and_frees_its_permit() -> anyhow::Result<()> {
    let service = ScriptedService::start().await?;
    let (client, mut events) = started(Client::builder(service.negotiate_url()));
    let event = EventName::new("slow")?;
    tailcast_tests::with_timeout("the cancellation", async {
        // The service does not respond.
        let mut socket = service.accept().await?;
        while !matches!(events.next().await.context("stopped")?, ClientEvent::Connected { .. }) {}
        // One more than the limit of pending invocations.
        for number in 1..=MAX_INVOCATIONS + 1 {
            tokio::select! {
                answered = client.invoke(&event, None) => anyhow::bail!("{number}: {answered:?}"),
                invoked = until(&mut socket, "\"invoke\"") => {
                    assert!(invoked?.contains(&format!("\"invocationId\":\"{number}\"")));
                }
            }
        }
        Ok(())
    })
    .await
}

/// Waits for the next frame that contains `words`. A cancellation must precede the next invocation.
async fn until(socket: &mut WebSocketStream<TcpStream>, words: &str) -> anyhow::Result<String> {
    let mut cancelled = false;
    loop {
        let frame = socket.next().await.context("no further frame")??;
        let frame = frame.to_text()?;
        cancelled |= frame.contains("cancelInvocation");
        if frame.contains(words) {
            assert!(cancelled || frame.contains("\"invocationId\":\"1\""), "{frame}");
            return Ok(frame.to_owned());
        }
    }
}
