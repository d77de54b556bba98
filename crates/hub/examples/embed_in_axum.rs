//! Embeds the service in an axum application, which has a route of its own and handles the events of the clients.
//!
//! Every client becomes a member of the group `headlines`. `POST /headlines` publishes the text of the request to it.
//!
//! ```sh
//! cargo run -p webpubsub-hub --example embed_in_axum -- 127.0.0.1:8080
//! websocat 'ws://127.0.0.1:8080/client/hubs/news?name=ada'
//! curl --data 'It works' http://127.0.0.1:8080/headlines
//! ```

use std::{error::Error, sync::Arc};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use webpubsub_hub::{
    ConnectRejection, ConnectRequest, ConnectResponse, ConnectionInfo, EventError, EventHandler, EventReply,
    Hub, Service, UserEvent, async_trait,
};
use webpubsub_protocol::{name::GroupName, payload::Payload};

/// Decides who may connect, and answers the messages of the clients.
struct Newsroom {
    headlines: GroupName,
}

#[async_trait]
impl EventHandler for Newsroom {
    async fn connect(&self, request: &ConnectRequest<'_>) -> Result<ConnectResponse, ConnectRejection> {
        let name = request.query.iter().find(|(name, _)| name == "name");
        let Some((_, user)) = name else { return Err(ConnectRejection::new(403)) };
        Ok(ConnectResponse {
            user_id: Some(user.clone()),
            groups: Some(vec![self.headlines.clone()]),
            ..ConnectResponse::default()
        })
    }

    async fn event(
        &self,
        connection: &ConnectionInfo,
        _event: &UserEvent,
    ) -> Result<Option<EventReply>, EventError> {
        let reply = format!("Thank you, {}", connection.user_id().unwrap_or("guest"));
        Ok(Some(Payload::Text(reply.into()).into()))
    }
}

/// Publishes the body of the request.
async fn publish(State(hub): State<Arc<Hub>>, headline: String) -> (StatusCode, String) {
    match hub.publish("headlines", Payload::Text(headline.into())).await {
        Ok(()) => (StatusCode::ACCEPTED, String::new()),
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let newsroom = Newsroom { headlines: GroupName::new("headlines")? };
    let service = Service::builder().allow_anonymous(true).event_handler(Arc::new(newsroom)).build()?;
    let app = Router::new()
        .route("/headlines", post(publish))
        .with_state(service.hub("news")?)
        .merge(service.router());
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
