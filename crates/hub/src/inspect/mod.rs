//! The inspector, a live page at `/_hub`, and metrics for monitoring systems at `/metrics`.
//!
//! The page shows hubs, groups and connections, message rates, and the last frames of a selected connection. The service
//! renders it once a second for each viewer, with all text escaped; a script updates the document.
//! The page shows messages of clients to everyone who can open it, so it is off by default.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    extract::{FromRef, Query, Request, State},
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

use crate::registry::Registry;
use rates::Rates;

mod page;
mod rates;
mod snapshot;

/// Time between two updates of a page.
pub(crate) const REFRESH_INTERVAL: Duration = Duration::from_secs(1);
/// Events per stream before the browser must reconnect, which it does automatically: no page holds a permit for ever.
const MAX_EVENTS_PER_STREAM: u32 = 600;
/// Maximum number of pages that receive updates; a further one is answered with 503.
pub(crate) const MAX_VIEWERS: usize = 16;

const SECURITY_POLICY: &str =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'";

/// State of the routes.
#[derive(Clone)]
struct Inspector {
    registry: Arc<Registry>,
    viewers: Viewers,
}

/// Number of pages that receive updates.
#[derive(Clone, Default)]
struct Viewers(Arc<AtomicUsize>);

impl FromRef<Inspector> for Arc<Registry> {
    fn from_ref(inspector: &Inspector) -> Self {
        Arc::clone(&inspector.registry)
    }
}

impl FromRef<Inspector> for Viewers {
    fn from_ref(inspector: &Inspector) -> Self {
        inspector.viewers.clone()
    }
}

/// Returns the routes `/metrics` and `/_hub`.
pub(crate) fn routes(registry: &Arc<Registry>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/_hub", get(document))
        .route("/_hub/live", get(updates))
        .route("/_hub/live.js", get(|| asset("text/javascript; charset=utf-8", include_str!("live.js"))))
        .route("/_hub/style.css", get(|| asset("text/css; charset=utf-8", include_str!("style.css"))))
        .layer(middleware::from_fn(own_pages_only))
        .with_state(Inspector { registry: Arc::clone(registry), viewers: Viewers::default() })
}

/// Rejects requests of other sites' scripts (by Fetch Metadata), and forbids browsers to share the responses with other
/// origins.
async fn own_pages_only(request: Request, next: Next) -> Response {
    if is_from_other_site(request.headers()) {
        return (
            StatusCode::FORBIDDEN,
            "requests from other sites must not read the inspector: open its page directly\n",
        )
            .into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn is_from_other_site(headers: &HeaderMap) -> bool {
    let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    matches!(value("sec-fetch-site"), "cross-site" | "same-site") && value("sec-fetch-mode") != "navigate"
}

/// Query of the page and of its updates.
#[derive(Debug, Default, Deserialize)]
struct PageQuery {
    /// Id of the connection whose details are shown.
    connection: Option<String>,
}

async fn asset(content_type: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}

async fn metrics(State(registry): State<Arc<Registry>>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], registry.openmetrics(tokio::time::Instant::now()))
        .into_response()
}

async fn document(State(registry): State<Arc<Registry>>, Query(selection): Query<PageQuery>) -> Response {
    let snapshot = snapshot::take(&registry, selection.connection.as_deref());
    let html = page::document(&snapshot, registry.settings().log_page);
    let policy =
        (HeaderName::from_static("content-security-policy"), HeaderValue::from_static(SECURITY_POLICY));
    ([policy], Html(html.into_string())).into_response()
}

/// One of [`MAX_VIEWERS`] permits.
struct ViewerPermit(Viewers);

impl ViewerPermit {
    fn acquire(viewers: Viewers) -> Option<Self> {
        let acquired = viewers.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |held| {
            (held < MAX_VIEWERS).then_some(held + 1)
        });
        acquired.is_ok().then_some(Self(viewers))
    }
}

impl Drop for ViewerPermit {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

async fn updates(
    State(registry): State<Arc<Registry>>,
    State(viewers): State<Viewers>,
    Query(selection): Query<PageQuery>,
) -> Response {
    let Some(permit) = ViewerPermit::acquire(viewers) else {
        let reason =
            format!("{MAX_VIEWERS} inspector pages are open already: close one of them, then reload\n");
        return (StatusCode::SERVICE_UNAVAILABLE, reason).into_response();
    };
    let mut timer = tokio::time::interval(REFRESH_INTERVAL);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let state = (registry, permit, selection, timer, Rates::default(), MAX_EVENTS_PER_STREAM);
    let events =
        stream::unfold(state, |(registry, permit, selection, mut timer, mut rates, left)| async move {
            let left = left.checked_sub(1)?;
            timer.tick().await;
            let snapshot = snapshot::take(&registry, selection.connection.as_deref());
            rates.update(&snapshot, SystemTime::now());
            let html = page::main_part(&snapshot, &rates).into_string();
            // As JSON: the event stream would split the HTML at its line ends.
            let event = Event::default().json_data(html).unwrap_or_default();
            Some((Ok::<_, Infallible>(event), (registry, permit, selection, timer, rates, left)))
        });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt;

    use super::*;
    use crate::{history::WallClock, settings::ServiceSettings};

    async fn get(router: &Router, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    fn inspectable() -> Router {
        routes(&Arc::new(Registry::new(
            ServiceSettings { is_inspectable: true, ..ServiceSettings::default() },
            WallClock::new(tokio::time::Instant::now(), SystemTime::now()),
        )))
    }

    #[tokio::test]
    async fn the_page_runs_and_loads_nothing_but_its_own_files() {
        let response = get(&inspectable(), "/_hub", &[]).await;
        assert_eq!(response.status(), 200);
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
        for (path, content_type) in [("live.js", "text/javascript"), ("style.css", "text/css")] {
            let response = get(&inspectable(), &format!("/_hub/{path}"), &[]).await;
            let headers = response.headers();
            assert!(headers["content-type"].to_str().unwrap().starts_with(content_type), "{path}");
            assert_eq!(headers["cross-origin-resource-policy"], "same-origin", "{path}");
        }
    }

    #[tokio::test]
    async fn requests_of_other_sites_are_rejected_and_links_from_them_are_not() {
        let router = inspectable();
        let from = |mode| [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", mode)];
        assert_eq!(get(&router, "/_hub", &from("cors")).await.status(), 403);
        assert_eq!(get(&router, "/_hub", &from("navigate")).await.status(), 200);
    }

    #[tokio::test]
    async fn pages_beyond_the_limit_are_rejected_until_another_closes() {
        let router = inspectable();
        let mut viewers = Vec::new();
        for _ in 0..MAX_VIEWERS {
            viewers.push(get(&router, "/_hub/live", &[]).await);
        }
        assert_eq!(get(&router, "/_hub/live", &[]).await.status(), 503);
        viewers.pop();
        assert_eq!(get(&router, "/_hub/live", &[]).await.status(), 200);
    }
}
