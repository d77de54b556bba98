//! Paged listing of the members of a group.

use axum::{
    Json,
    http::{header, request::Parts},
    response::{IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use webpubsub_protocol::{endpoint::API_VERSION, name::GroupName};

use super::{error::RestError, parameters::QueryParameters};
use crate::hub::{Audience, Hub};

/// Maximum and default number of members on one page.
const MAX_PAGE_SIZE: usize = 200;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberPage {
    value: Vec<MemberEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_link: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberEntry {
    connection_id: String,
    user_id: Option<String>,
}

/// Returns one page, sorted by connection id. Ids do not change, so a permanent member is listed exactly once.
pub(super) fn list(
    hub: &Hub,
    group: &GroupName,
    parameters: &QueryParameters,
    parts: &Parts,
) -> Result<Response, RestError> {
    let page_size = parameters.number("maxpagesize", 1, MAX_PAGE_SIZE)?.unwrap_or(MAX_PAGE_SIZE);
    let top = parameters.number("top", 1, usize::MAX)?;
    let after = parameters.one("continuationToken");
    // A continuation token is the last id of the previous page.
    if after.is_some_and(|id| id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        let message =
            "`continuationToken` is invalid: request the `nextLink` of the previous page.".to_owned();
        return Err(RestError::bad_request("continuationToken", message));
    }
    let mut members = hub.select(Audience::Group(group.as_str()), None);
    members.retain(|connection| after.is_none_or(|after| connection.id.as_str() > after));
    members.sort_by(|a, b| a.id.cmp(&b.id));
    let length = page_size.min(top.unwrap_or(usize::MAX));
    let has_more = members.len() > length && top.is_none_or(|top| top > length);
    members.truncate(length);
    let last = members.last().filter(|_| has_more).map(|connection| connection.id.as_str().to_owned());
    let next_link = last.map(|last| next_link(parts, page_size, &last, top.map(|top| top - length)));
    let value = members
        .iter()
        .map(|connection| MemberEntry {
            connection_id: connection.id.as_str().to_owned(),
            user_id: connection.user_id().map(str::to_owned),
        })
        .collect();
    Ok(Json(MemberPage { value, next_link }).into_response())
}

/// Returns the URL of the next page. The SDKs require an absolute one.
fn next_link(parts: &Parts, page_size: usize, last: &str, top: Option<usize>) -> String {
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let (path, last) = (parts.uri.path(), utf8_percent_encode(last, NON_ALPHANUMERIC));
    let top = top.map(|top| format!("&top={top}")).unwrap_or_default();
    format!(
        "http://{host}{path}?api-version={API_VERSION}&maxpagesize={page_size}&continuationToken={last}{top}"
    )
}
