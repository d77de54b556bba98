//! A look inside: `GET /metrics` for machines, and a live page at `/_hub` for people.
//!
//! The page shows hubs, groups and connections, how much goes through, and the last frames of a chosen connection. It is
//! rendered here, once a second for each viewer, and the browser puts it in place; all of it is text that was escaped.
//! Whoever can open it sees what clients send: so the program that embeds the service decides whether it is there.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    Router,
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{
        Html, IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::get,
};
use futures_util::stream;
use serde::Deserialize;

use crate::service::Service;
use page::Rates;

mod page;
pub mod recorder;
mod snapshot;

/// How often the page is drawn anew.
pub const REFRESH_INTERVAL: Duration = Duration::from_secs(1);
/// How many times a page is drawn anew before its browser has to ask again, which it does by itself: nobody holds a place
/// for ever.
const PICTURES: u32 = 600;
/// Most pages that are kept live at once; a further one is answered with 503.
pub const MAX_VIEWERS: usize = 16;

const SECURITY_POLICY: &str =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'";

/// The routes `/metrics` and `/_hub`.
pub(crate) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/_hub", get(whole_page))
        .route("/_hub/live", get(live_page))
        .route(
            "/_hub/live.js",
            get(|| asset("text/javascript; charset=utf-8", include_str!("inspect/live.js"))),
        )
        .route("/_hub/style.css", get(|| asset("text/css; charset=utf-8", include_str!("inspect/style.css"))))
        .layer(middleware::from_fn(own_pages_only))
}

/// Refuses what another page asks for behind its reader's back (browsers say so: Fetch Metadata), and tells browsers to keep
/// what is here from other pages.
async fn own_pages_only(request: Request, next: Next) -> Response {
    if is_asked_by_other_page(request.headers()) {
        return (StatusCode::FORBIDDEN, "other pages may not look inside\n").into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn is_asked_by_other_page(headers: &HeaderMap) -> bool {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    matches!(said("sec-fetch-site"), "cross-site" | "same-site") && said("sec-fetch-mode") != "navigate"
}

/// What the viewer looks at.
#[derive(Debug, Default, Deserialize)]
struct Choice {
    connection: Option<String>,
}

async fn asset(content_type: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    for (name, hub) in service.all_hubs() {
        let (groups, connections) = hub.counts();
        service.metrics().set_present(name.as_str(), groups, &connections);
    }
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], service.metrics().text()).into_response()
}

async fn whole_page(State(service): State<Arc<Service>>, Query(choice): Query<Choice>) -> Response {
    let snapshot = snapshot::take(&service, choice.connection.as_deref());
    let html = page::whole(&snapshot, &Rates::default());
    let policy =
        (HeaderName::from_static("content-security-policy"), HeaderValue::from_static(SECURITY_POLICY));
    ([policy], Html(html.into_string())).into_response()
}

/// A place among [`MAX_VIEWERS`].
struct Viewer(Arc<Service>);

impl Drop for Viewer {
    fn drop(&mut self) {
        self.0.viewers().fetch_sub(1, Ordering::AcqRel);
    }
}

async fn live_page(State(service): State<Arc<Service>>, Query(choice): Query<Choice>) -> Response {
    let taken = service.viewers().fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
        (taken < MAX_VIEWERS).then_some(taken + 1)
    });
    if taken.is_err() {
        let words = format!("{MAX_VIEWERS} pages are live already; close one of them\n");
        return (StatusCode::SERVICE_UNAVAILABLE, words).into_response();
    }
    let viewer = Viewer(service);
    let mut pulse = tokio::time::interval(REFRESH_INTERVAL);
    pulse.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let pictures = stream::unfold((viewer, choice, pulse, Rates::default(), PICTURES), |state| async move {
        let (viewer, choice, mut pulse, mut rates, left) = state;
        let left = left.checked_sub(1)?;
        pulse.tick().await;
        let snapshot = snapshot::take(&viewer.0, choice.connection.as_deref());
        rates.update(&snapshot);
        let html = page::live_part(&snapshot, &rates).into_string();
        // As JSON, so that no line end in it means anything to the event stream.
        let event = Event::default().json_data(html).unwrap_or_default();
        Some((Ok::<_, Infallible>(event), (viewer, choice, pulse, rates, left)))
    });
    Sse::new(pictures).keep_alive(KeepAlive::default()).into_response()
}
