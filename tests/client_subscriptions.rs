//! Subscriptions, receipts and states of the Rust client, against the embedded service.

use std::time::Duration;

use anyhow::Context;
use futures_util::FutureExt;
use tailcast_tests::{fault_proxy::FaultProxy, listener::group, server::Server, with_timeout};
use webpubsub_client::{
    Client, ClientEvent, ClientState, ConnectErrorKind, HistoryStart, Limits, Payload, PublishErrorKind,
    SubscribeErrorKind, SubscribeOptions, Subscription, SubscriptionEvent, Timeouts,
};

/// Returns the next item of a subscription.
async fn next(subscription: &mut Subscription) -> anyhow::Result<SubscriptionEvent> {
    with_timeout("an item of the subscription", async {
        subscription.next().await.context("the subscription has ended")
    })
    .await
}

/// Returns the text of the next item, which must be a message.
async fn text(subscription: &mut Subscription) -> anyhow::Result<String> {
    match next(subscription).await? {
        SubscriptionEvent::Message(message) => match message.payload {
            Payload::Text(text) => Ok(text.into_owned()),
            other => anyhow::bail!("{other:?}"),
        },
        other => anyhow::bail!("{other:?}"),
    }
}

/// Publishes numbered texts, and waits for their acknowledgements.
async fn publish(client: &Client, numbers: std::ops::RangeInclusive<u32>) -> anyhow::Result<()> {
    let mut receipts = Vec::new();
    for number in numbers {
        receipts.push(client.publish(&group()?, number.to_string()).await?);
    }
    for receipt in receipts {
        receipt.await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_client_leaves_a_group_with_its_last_subscription() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let client = Client::builder(server.negotiate_url()).connect().await?;
    let mut first = client.subscribe(&group()?).await?;
    let mut second = client.subscribe(&group()?).await?;
    let membership = client.join(&group()?).await?;
    let mut events = client.events().await?;
    client.publish(&group()?, "both").await?.await?;
    assert_eq!((text(&mut first).await?, text(&mut second).await?), ("both".to_owned(), "both".to_owned()));
    drop(first);
    client.publish(&group()?, "one").await?.await?;
    assert_eq!(text(&mut second).await?, "one");
    drop(second);
    client.publish(&group()?, "none").await?.await?;
    drop(membership);
    with_timeout("the end of the membership", async {
        let mut has_left_early = true;
        loop {
            match events.next().await.context("stopped")? {
                // It is still a member, so it receives the last message.
                ClientEvent::GroupMessage { payload, .. } if payload == "none".into() => {
                    has_left_early = false
                }
                ClientEvent::Left { .. } => {
                    anyhow::ensure!(!has_left_early, "left before the last membership was dropped");
                    return Ok(());
                }
                _ => {}
            }
        }
    })
    .await?;
    let mut again = client.subscribe(&group()?).await?;
    client.publish(&group()?, "again").await?.await?;
    assert_eq!(text(&mut again).await?, "again");
    Ok(())
}

#[tokio::test]
async fn a_slow_subscription_lags_and_another_does_not() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut limits = Limits::default();
    limits.queued_messages = 10;
    let client = Client::builder(server.negotiate_url()).limits(limits).connect().await?;
    let mut slow = client.subscribe(&group()?).await?;
    let mut fast = client.subscribe(&group()?).await?;
    for number in 1..=50 {
        publish(&client, number..=number).await?;
        assert_eq!(text(&mut fast).await?, number.to_string());
    }
    for number in 1..=10 {
        assert_eq!(text(&mut slow).await?, number.to_string());
    }
    assert_eq!(next(&mut slow).await?, SubscriptionEvent::Lagged { messages: 40 });
    publish(&client, 51..=51).await?;
    assert_eq!(text(&mut slow).await?, "51");
    Ok(())
}

#[tokio::test]
async fn a_subscription_with_a_history_returns_each_message_once_however_slow_it_is() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut limits = Limits::default();
    limits.queued_messages = 10;
    let client = Client::builder(server.negotiate_url()).limits(limits).connect().await?;
    publish(&client, 1..=5).await?;
    let options = SubscribeOptions::new().history(HistoryStart::Last(100));
    let mut subscription = client.subscribe_with(&group()?, options).await?;
    for number in 1..=5 {
        assert_eq!(text(&mut subscription).await?, number.to_string());
    }
    assert_eq!(next(&mut subscription).await?, SubscriptionEvent::CaughtUp);
    // More than the queues hold.
    publish(&client, 6..=500).await?;
    let mut expected = 6;
    while expected <= 500 {
        match next(&mut subscription).await? {
            SubscriptionEvent::Message(message) => {
                assert_eq!(message.payload, expected.to_string().into());
                expected += 1;
            }
            SubscriptionEvent::CaughtUp => {}
            other => anyhow::bail!("{other:?}"),
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_interruption_of_a_subscription_is_filled_from_the_history() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let proxy = FaultProxy::to(server.address()).await?;
    let publisher = Client::builder(server.negotiate_url()).connect().await?;
    // A lost connection is not recovered: a new one replaces it.
    let mut timeouts = Timeouts::default();
    timeouts.recovery_window = Duration::ZERO;
    let client = Client::builder(proxy.url("/negotiate")).timeouts(timeouts).connect().await?;
    let options = SubscribeOptions::new().history(HistoryStart::Last(1));
    let mut subscription = client.subscribe_with(&group()?, options).await?;
    assert_eq!(next(&mut subscription).await?, SubscriptionEvent::CaughtUp);
    publish(&publisher, 1..=1).await?;
    assert_eq!(text(&mut subscription).await?, "1");
    let mut state = client.state();
    proxy.drop_connections();
    with_timeout("the loss", async { Ok(state.wait_for(|state| !state.is_connected()).await) }).await?;
    publish(&publisher, 2..=20).await?;
    let mut expected = 2;
    while expected <= 20 {
        match next(&mut subscription).await? {
            SubscriptionEvent::Message(message) => {
                assert_eq!(message.payload, expected.to_string().into());
                expected += 1;
            }
            SubscriptionEvent::CaughtUp => {}
            other => anyhow::bail!("{other:?}"),
        }
    }
    Ok(())
}

#[tokio::test]
async fn drain_waits_for_the_acknowledgements_and_close_for_the_close_frame() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let client = Client::builder(server.negotiate_url()).connect_lazy();
    let mut receipts = Vec::new();
    for number in 0..600 {
        receipts.push(client.publish(&group()?, number.to_string()).await?);
    }
    with_timeout("the acknowledgements", async { Ok(client.drain().await?) }).await?;
    for receipt in receipts {
        // Settled already.
        assert_eq!(tokio::task::unconstrained(receipt).now_or_never(), Some(Ok(())));
    }
    assert_eq!(subscriber.lines(600).await?.len(), 600);
    let mut subscription = client.subscribe(&group()?).await?;
    let closing = async {
        client.close().await;
        Ok(())
    };
    with_timeout("the close", closing).await?;
    assert_eq!(client.state().get(), ClientState::Stopped { failure: None });
    assert_eq!(with_timeout("the end", async { Ok(subscription.next().await) }).await?, None);
    let refused = client.publish(&group()?, "late").await.err().context("published")?;
    assert_eq!(refused.kind(), PublishErrorKind::Stopped);
    let refused = client.subscribe(&group()?).await.err().context("subscribed")?;
    assert_eq!(refused.kind(), SubscribeErrorKind::Stopped);
    assert!(client.drain().await.is_err());
    Ok(())
}

#[tokio::test]
async fn connecting_fails_with_a_kind_and_a_lazy_client_reports_its_state() -> anyhow::Result<()> {
    // Nothing listens on port 1.
    let nowhere = "http://127.0.0.1:1/negotiate";
    let error = Client::builder(nowhere).connect().await.err().context("connected")?;
    assert_eq!(error.kind(), ConnectErrorKind::Unreachable);
    let error = Client::builder("wss://").connect().await.err().context("connected")?;
    assert_eq!(error.kind(), ConnectErrorKind::InvalidAddress);
    let client = Client::builder(nowhere).connect_lazy();
    let mut state = client.state();
    let failed = with_timeout("a failure", async {
        Ok(state.wait_for(|state| matches!(state, ClientState::Waiting { failure: Some(_) })).await)
    });
    assert!(failed.await?.connection().is_none());
    client.close().await;
    assert!(client.state().get().is_stopped());
    let server = Server::start(&[]).await?;
    let client = Client::builder(server.negotiate("ada").await?).connect().await?;
    let connection = client.connection().context("no connection")?;
    assert_eq!(connection.user_id.as_deref(), Some("ada"));
    assert!(!connection.connection_id.is_empty());
    Ok(())
}
