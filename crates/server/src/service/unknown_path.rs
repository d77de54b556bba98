//! Response for paths that the service does not have.

use axum::{
    Json,
    http::{HeaderName, Method, StatusCode, Uri},
    response::IntoResponse,
};
use serde::Serialize;

/// Header with the code of an error, as in the REST data plane.
const ERROR_CODE: HeaderName = HeaderName::from_static("x-ms-error-code");
const CODE: &str = "Error.NotFound";

#[derive(Serialize)]
struct ErrorBody {
    code: &'static str,
    message: String,
    target: &'static str,
    details: [(); 0],
}

/// Handles a request that no route matches: reports it as the REST data plane reports errors.
pub(crate) async fn unknown_path(method: Method, uri: Uri) -> impl IntoResponse {
    let path = uri.path();
    tracing::debug!(%method, path, "request refused: unknown path");
    let message = format!(
        "the service has no path `{path}`; clients connect to /client/hubs/HUB, application servers call /api/hubs/HUB/…"
    );
    let body = ErrorBody { code: CODE, message, target: "Request", details: [] };
    (StatusCode::NOT_FOUND, [(ERROR_CODE, CODE)], Json(body))
}
