//! Chat page in Leptos, for `wasm32-unknown-unknown`: shows the messages of a group, and publishes the text of a field.
//!
//! `crates/client/tests/leptos_chat.rs` runs it in a browser. In an application of its own, trunk builds it.

/// The page.
#[cfg(target_arch = "wasm32")]
pub mod page {
    use leptos::{
        html::Input,
        prelude::*,
        task::{spawn_local, spawn_local_scoped_with_cancellation},
    };
    use webpubsub_client::{Client, Payload, SubscriptionEvent};

    /// Chat in one group.
    #[component]
    pub fn Chat(
        /// URL of the negotiate endpoint.
        endpoint: &'static str,
        /// Name of the group.
        group: &'static str,
    ) -> impl IntoView {
        // It connects in the background, and ends with the component and its tasks.
        let client = StoredValue::new_local(Client::builder(endpoint).connect_lazy());
        let (lines, set_lines) = signal(Vec::<String>::new());
        let (status, set_status) = signal("connecting".to_owned());
        let field = NodeRef::<Input>::new();

        let mut state = client.get_value().state();
        spawn_local_scoped_with_cancellation(async move {
            while let Some(state) = state.changed().await {
                set_status.set(if state.is_connected() { "connected" } else { "not connected" }.to_owned());
            }
        });
        spawn_local_scoped_with_cancellation(async move {
            let client = client.get_value();
            let mut subscription = match client.subscribe(group).await {
                Ok(subscription) => subscription,
                Err(error) => return set_status.set(error.to_string()),
            };
            while let Some(event) = subscription.next().await {
                if let Some(line) = line_of(event) {
                    set_lines.update(|lines| lines.push(line));
                }
            }
        });
        let publish = move |event: leptos::ev::SubmitEvent| {
            event.prevent_default();
            let Some(field) = field.get() else { return };
            let (client, text) = (client.get_value(), field.value());
            spawn_local(async move {
                let sent = async { client.publish(group, text).await?.await };
                match sent.await {
                    Ok(()) => field.set_value(""),
                    Err(error) => set_status.set(error.to_string()),
                }
            });
        };
        view! {
            <p role="status">{status}</p>
            <ul>
                {move || lines.get().into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}
            </ul>
            <form on:submit=publish>
                <input aria-label="Message" node_ref=field />
                <button>"Send"</button>
            </form>
        }
    }

    fn line_of(event: SubscriptionEvent) -> Option<String> {
        match event {
            SubscriptionEvent::Message(message) => match message.payload {
                Payload::Text(text) => Some(text.into_owned()),
                _ => None,
            },
            SubscriptionEvent::Gap { .. } | SubscriptionEvent::Lagged { .. } => {
                Some("messages are missing".to_owned())
            }
            _ => None,
        }
    }
}

#[cfg(target_arch = "wasm32")]
fn main() {
    leptos::mount::mount_to_body(|| {
        leptos::view! { <page::Chat endpoint="/negotiate" group="stream" /> }
    });
}

/// There is no page outside of a browser.
#[cfg(not(target_arch = "wasm32"))]
fn main() {}
