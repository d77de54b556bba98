//! Checks of types.

use super::*;

fn is_send(_: impl Send) {}

#[tokio::test]
async fn futures_of_a_client_may_be_sent_between_threads() {
    let client = Client::builder("http://127.0.0.1:1/").connect_lazy();
    is_send(client.subscribe("group"));
    is_send(client.publish("group", "text"));
    is_send(client.invoke("event", None));
    is_send(client.close());
    is_send(client.state());
    is_send(Client::builder("http://127.0.0.1:1/").connect());
}
