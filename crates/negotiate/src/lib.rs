//! Negotiate endpoint: gives clients a URL with a signed token, so that they do not need the access key of the service.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use axum::Router;
//! use webpubsub_negotiate::{Negotiator, router};
//! use webpubsub_protocol::{connection_string::ConnectionString, name::{GroupName, HubName}};
//!
//! let service = ConnectionString::parse(&std::env::var("WEBPUBSUB_CONNECTION_STRING")?)?;
//! let negotiator = Negotiator::builder(service, HubName::new("stream")?, GroupName::new("stream")?).build();
//! let app = Router::new().merge(router(negotiator));
//! # Ok(())
//! # }
//! ```
//!
//! `GET /negotiate` responds with `{"url": "wss://…/client/hubs/stream?access_token=…"}`. Parameters: `?group=` (repeatable),
//! `?role=viewer|publisher`, `?id=` for the user id. Without the feature `axum`, [`Negotiator::negotiate`] signs such URLs for
//! any other server.
//!
//! | module | contents |
//! | --- | --- |
//! | `negotiator` | settings, and signing of URLs |
//! | `request` | parameters of a request |
//! | `permission` | groups and permissions of a token |
//! | `error` | reasons without a URL |
//! | `endpoint` (feature `axum`) | the router |

#[cfg(feature = "axum")]
mod endpoint;
mod error;
mod negotiator;
mod permission;
mod request;

#[cfg(feature = "axum")]
pub use endpoint::{RequestScheme, VerifiedUser, router};
pub use error::{NegotiateError, NegotiateErrorKind};
pub use negotiator::{
    Caller, ClientAccess, DEFAULT_TOKEN_LIFETIME_SECONDS, Negotiator, NegotiatorBuilder, ServiceLocation,
};
pub use permission::PublishPolicy;
pub use request::{MAX_GROUPS, NegotiateRequest, Role};
