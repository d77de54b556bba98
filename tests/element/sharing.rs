//! Several elements on one page: one WebAssembly instance, and shared connections.

use serde_json::json;
use tailcast_tests::{browser::Kind, embedding::Embedding};

tailcast_tests::in_every_browser! {
    elements_with_one_endpoint_share_a_connection,
    a_later_element_receives_its_lines,
    another_endpoint_user_or_subprotocol_opens_another_connection,
    elements_of_a_lost_shared_connection_reconnect,
    a_line_of_a_replaced_client_is_not_reported_as_sent,
}

async fn elements_with_one_endpoint_share_a_connection(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(
        kind,
        "<tail-cast negotiate=NEGOTIATE group=a></tail-cast>
         <tail-cast negotiate=NEGOTIATE group=b></tail-cast>
         <tail-cast negotiate=NEGOTIATE group=a,b></tail-cast>",
    )
    .await?;
    page.run("for (const one of document.querySelectorAll('tail-cast')) one.style.height = '9rem'").await?;
    for element in 0..3 {
        page.connected(element).await?;
    }
    page.wait_for_connections(1).await?;
    assert_eq!(page.value("sockets").await?, 1);
    assert_eq!(page.value("instances").await?, 1);
    page.stream_to("a", "for a\n").await?;
    page.stream_to("b", "for b\n").await?;
    page.until("rows(0).length === 1 && rows(1).length === 1 && rows(2).length === 2").await?;
    assert_eq!(
        page.value("[rows(0), rows(1), rows(2)]").await?,
        json!([["for a"], ["for b"], ["for a", "for b"]])
    );
    page.run("element(0).remove()").await?;
    page.stream_to("a", "for who stayed\n").await?;
    page.until("rows(1).includes('for who stayed')").await?;
    page.wait_for_connections(1).await?;
    assert_eq!(page.value("sockets").await?, 1, "the others keep it");
    page.run("element(0).remove(); element(0).remove()").await?;
    page.wait_for_connections(0).await?;
    page.close_without_errors().await
}

async fn a_later_element_receives_its_lines(kind: Kind) -> anyhow::Result<()> {
    let page =
        Embedding::connect(kind, "<tail-cast negotiate=NEGOTIATE group=a style='height: 9rem'></tail-cast>")
            .await?;
    let add = |group: &str| {
        format!(
            "const one = document.createElement('tail-cast'); one.style.height = '9rem';
             Object.assign(one, {{ negotiate: 'NEGOTIATE', group: '{group}' }}); document.body.append(one)"
        )
    };
    // A group that is already joined needs no further request.
    page.run(&add("a")).await?;
    page.connected(1).await?;
    page.wait_for_connections(1).await?;
    assert_eq!(page.value("sockets").await?, 1);
    // Another group is not permitted by the token, so the element opens a separate connection.
    page.run(&add("late")).await?;
    page.connected(2).await?;
    page.stream_to("a", "for a\n").await?;
    page.stream_to("late", "for late\n").await?;
    page.until("rows(0).length === 1 && rows(1).length === 1 && rows(2).length === 1").await?;
    assert_eq!(page.value("rows(2)").await?, json!(["for late"]));
    page.wait_for_connections(2).await?;
    assert_eq!(page.value("sockets").await?, 2);
    page.run("for (const one of [...document.querySelectorAll('tail-cast')]) one.remove()").await?;
    page.wait_for_connections(0).await?;
    page.close_without_errors().await
}

async fn another_endpoint_user_or_subprotocol_opens_another_connection(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(
        kind,
        "<tail-cast negotiate=NEGOTIATE></tail-cast>
         <tail-cast negotiate=NEGOTIATE user-id=ada></tail-cast>
         <tail-cast negotiate=NEGOTIATE subprotocol=json></tail-cast>",
    )
    .await?;
    page.run("for (const one of document.querySelectorAll('tail-cast')) one.style.height = '9rem'").await?;
    for element in 0..3 {
        page.connected(element).await?;
    }
    page.wait_for_connections(3).await?;
    assert_eq!(page.value("sockets").await?, 3);
    assert_eq!(page.value("instances").await?, 1);
    assert_eq!(page.value("part('#status', 1).dataset.userId").await?, "ada");
    page.stream("for all\n").await?;
    page.until("[0, 1, 2].every((at) => rows(at).includes('for all'))").await?;
    page.close_without_errors().await
}

async fn elements_of_a_lost_shared_connection_reconnect(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(
        kind,
        "<tail-cast negotiate=NEGOTIATE group=a></tail-cast><tail-cast negotiate=NEGOTIATE group=b></tail-cast>",
    )
    .await?;
    page.run("for (const one of document.querySelectorAll('tail-cast')) one.style.height = '9rem'").await?;
    page.connected(0).await?;
    page.connected(1).await?;
    let id = "part('#status').dataset.connectionId";
    let connection = page.value(id).await?;
    page.close_connection(connection.as_str().unwrap_or_default()).await?;
    page.until(&format!("state(0) === 'connected' && state(1) === 'connected' && {id} !== {connection}"))
        .await?;
    page.stream_to("b", "again\n").await?;
    page.until("rows(1).includes('again')").await?;
    page.wait_for_connections(1).await?;
    assert_eq!(page.value(id).await?, page.value("part('#status', 1).dataset.connectionId").await?);
    page.browser.close().await
}

async fn a_line_of_a_replaced_client_is_not_reported_as_sent(kind: Kind) -> anyhow::Result<()> {
    let page =
        Embedding::connect(kind, "<tail-cast negotiate=NEGOTIATE style='height: 9rem'></tail-cast>").await?;
    // The line is not acknowledged, and the connection cannot be reopened.
    page.run(
        "window.real = { fetch: window.fetch, send: WebSocket.prototype.send };
         WebSocket.prototype.send = () => {};
         window.lost = element().send('lost').then(() => 'sent', String);
         window.fetch = () => Promise.reject(new TypeError('no network'))",
    )
    .await?;
    let connection = page.value("part('#status').dataset.connectionId").await?;
    page.close_connection(connection.as_str().unwrap_or_default()).await?;
    // Meanwhile, another element reconnects with a new client, whose ack ids restart.
    page.browser
        .run_async(
            "const act = () => {
               if (!part('#retry')) return setTimeout(act, 5);
               window.fetch = real.fetch;
               WebSocket.prototype.send = real.send;
               const one = document.createElement('tail-cast');
               one.style.height = '9rem';
               one.negotiate = 'NEGOTIATE';
               document.body.append(one);
               done(true);
             };
             act();"
                .replace("NEGOTIATE", &page.server.negotiate_url())
                .as_str(),
        )
        .await?;
    page.connected(0).await?;
    page.connected(1).await?;
    let told = page.browser.run_async("lost.then(done)").await?;
    assert!(told.to_string().contains("not acknowledged"), "{told}");
    let sent = page
        .browser
        .run_async("element().send('kept').then(() => done('sent'), (error) => done(String(error)))");
    assert_eq!(sent.await?, "sent");
    page.until("rows().includes('kept') && rows(1).includes('kept')").await?;
    page.close_without_errors().await
}
