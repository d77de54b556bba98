//! Adds a log panel to an axum application: the negotiate endpoint, the files of the element, and two lines in the page.
//!
//! The address of the application, and the folder of the element (`cargo xtask dist` writes it to `dist/npm`), are arguments.

use std::error::Error;

use axum::{Router, response::Html, routing::get};
use tower_http::services::ServeDir;
use webpubsub_negotiate::{Negotiator, PublishPolicy, router};
use webpubsub_protocol::{
    connection_string::ConnectionString,
    name::{GroupName, HubName},
};

/// Page of the application.
const PAGE: &str = r#"<!doctype html>
<title>Builds</title>
<h1>Builds</h1>
<script type="module" src="/tailcast/tailcast.js"></script>
<tail-cast negotiate="/negotiate" style="height: 20rem"></tail-cast>"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, element] = &arguments[..] else { return Err("usage: log_panel HOST:PORT FOLDER".into()) };
    let service = ConnectionString::parse(&std::env::var("WEBPUBSUB_CONNECTION_STRING")?)?;
    let negotiator = Negotiator::builder(service, HubName::new("stream")?, GroupName::new("stream")?)
        .publish_policy(PublishPolicy::WithKey("secret".to_owned()))
        .build();
    let app = Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .merge(router(negotiator))
        .nest_service("/tailcast", ServeDir::new(element));
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
