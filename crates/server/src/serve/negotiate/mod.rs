//! `GET /negotiate` and `GET /groups`: the endpoint of [`webpubsub_negotiate`] with the settings of this server.
//!
//! | module | concept |
//! | --- | --- |
//! | [`caller`] | client of a request: rate limit, scheme, user |
//! | [`groups`] | list of groups |

mod caller;
mod groups;

use std::sync::Arc;

use axum::{Router, middleware::from_fn_with_state, routing::get};
use webpubsub_hub::Service;
use webpubsub_negotiate::{NegotiateErrorKind, Negotiator, PublishPolicy, ServiceLocation};
use webpubsub_protocol::connection_string::ConnectionString;

use super::config::{Backend, ServeConfig};
use caller::CallerPolicy;
use groups::GroupLister;

/// Returns the routes of both endpoints.
pub(super) fn routes(config: &ServeConfig, service: Option<&Service>) -> Router {
    let negotiator = negotiator(config);
    let policy = Arc::new(CallerPolicy::new(config));
    let lister = GroupLister::new(negotiator.clone(), config.hub.clone(), service.cloned());
    let identified = webpubsub_negotiate::router(negotiator)
        .layer(from_fn_with_state(Arc::clone(&policy), caller::identify));
    Router::new()
        .route("/groups", get(groups::list).with_state(lister))
        .merge(identified)
        .layer(from_fn_with_state(policy, caller::check_rate))
}

fn negotiator(config: &ServeConfig) -> Negotiator {
    let publish_policy = match &config.publish_key {
        Some(key) => PublishPolicy::WithKey(key.clone()),
        None if config.is_publishing_open() => PublishPolicy::Everyone,
        None => PublishPolicy::Nobody,
    };
    let has_history = match &config.backend {
        Backend::Embedded(service) => service.history.iter().any(|rule| rule.retention.is_some()),
        Backend::Azure { .. } => false,
    };
    Negotiator::builder(connection_string(config), config.hub.clone(), config.group.clone())
        .location(location(config))
        .open_groups(config.open_groups.clone())
        .open_every_group(config.is_every_group_open())
        .publish_policy(publish_policy)
        .token_lifetime_seconds(config.token_lifetime_seconds)
        .history(has_history)
        .advice(advice)
        .build()
}

fn connection_string(config: &ServeConfig) -> ConnectionString {
    match &config.backend {
        Backend::Embedded(service) => ConnectionString {
            endpoint: config.listen.endpoint_at(config.listen.address.to_string()),
            access_key: service.access_keys.primary.clone(),
        },
        Backend::Azure { connection_string } => connection_string.clone(),
    }
}

fn location(config: &ServeConfig) -> ServiceLocation {
    let https =
        |origin: &String| origin.strip_prefix("https://").map(|host| host.trim_end_matches('/').to_owned());
    match (&config.backend, &config.listen.public) {
        (Backend::Azure { .. }, _) => ServiceLocation::ConnectionString,
        (Backend::Embedded(_), Some(public)) => ServiceLocation::Public(public.clone()),
        (Backend::Embedded(_), None) => ServiceLocation::RequestHost {
            https_hosts: config.listen.origins.allowed.iter().filter_map(https).collect(),
        },
    }
}

/// Returns what changes an outcome, for people who may have only a browser.
fn advice(kind: NegotiateErrorKind) -> Option<&'static str> {
    match kind {
        NegotiateErrorKind::GroupNotOpen => {
            Some("the operator of the server can open it with `--allow-group PATTERN`")
        }
        NegotiateErrorKind::PublishKeyRequired => {
            Some("commands read it from TAILCAST_PUBLISH_KEY or `--publish-key-file FILE`")
        }
        NegotiateErrorKind::PublishingDisabled => {
            Some("the operator of the server can enable it with `--publish-key-file FILE`")
        }
        _ => None,
    }
}
