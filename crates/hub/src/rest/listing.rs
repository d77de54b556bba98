//! Paged listing of the members of a group.

use axum::{
    Json,
    http::request::Parts,
    response::{IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use webpubsub_protocol::{
    connection_string::AccessKey,
    endpoint::API_VERSION,
    name::GroupName,
    token::{Claims, UnixTime, sign, verify},
};

use super::{error::RestError, parameters::QueryParameters};
use crate::hub::{Audience, Hub};

/// Maximum and default number of members on one page.
const MAX_PAGE_SIZE: usize = 200;
/// Maximum of `top` (documentation of the vendor's emulator, "Group member pagination").
const MAX_TOP: usize = i32::MAX as usize;
/// Lifetime of a continuation token, in seconds.
const CONTINUATION_SECONDS: u64 = 24 * 60 * 60;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberPage {
    value: Vec<MemberEntry>,
    next_link: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberEntry {
    connection_id: String,
    user_id: Option<String>,
}

/// Request for a page.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageRequest<'a> {
    pub(super) hub_name: &'a str,
    pub(super) group: &'a GroupName,
    pub(super) parameters: &'a QueryParameters,
    pub(super) parts: &'a Parts,
    /// URL of the service as the client knows it.
    pub(super) service_url: &'a str,
    /// Keys that sign continuation tokens.
    pub(super) keys: &'a [AccessKey],
    pub(super) now: UnixTime,
}

/// Returns one page, sorted by connection id. Ids do not change, so a permanent member is listed exactly once.
pub(super) fn list(hub: &Hub, request: PageRequest<'_>) -> Result<Response, RestError> {
    let PageRequest { group, parameters, .. } = request;
    let page_size = parameters.number("maxpagesize", 1, MAX_PAGE_SIZE)?.unwrap_or(MAX_PAGE_SIZE);
    let top = parameters.number("top", 1, MAX_TOP)?;
    let after =
        parameters.one("continuationToken")?.map(|token| request.last_of_previous_page(token)).transpose()?;
    let mut members = hub.select(Audience::Group(group.as_str()), None);
    members.retain(|connection| after.as_deref().is_none_or(|after| connection.id.as_str() > after));
    members.sort_by(|a, b| a.id.cmp(&b.id));
    let length = page_size.min(top.unwrap_or(usize::MAX));
    let has_more = members.len() > length && top.is_none_or(|top| top > length);
    members.truncate(length);
    let last = members.last().filter(|_| has_more).map(|connection| connection.id.as_str());
    let next_link =
        last.map(|last| request.next_link(page_size, last, top.map(|top| top - length))).transpose()?;
    let value = members
        .iter()
        .map(|connection| MemberEntry {
            connection_id: connection.id.as_str().to_owned(),
            user_id: connection.user_id().map(str::to_owned),
        })
        .collect();
    Ok(Json(MemberPage { value, next_link }).into_response())
}

impl PageRequest<'_> {
    /// Returns the URL of the next page. The SDKs require an absolute one.
    fn next_link(&self, page_size: usize, last: &str, top: Option<usize>) -> Result<String, RestError> {
        let (service_url, path) = (self.service_url, self.parts.uri.path());
        let token = self.continuation_token(last)?;
        let token = utf8_percent_encode(&token, NON_ALPHANUMERIC);
        let top = top.map(|top| format!("&top={top}")).unwrap_or_default();
        Ok(format!(
            "{service_url}{path}?api-version={API_VERSION}&maxpagesize={page_size}&continuationToken={token}{top}"
        ))
    }

    /// Returns the listing that a continuation token continues. No URL, so that the token is no access token.
    fn listing_name(&self) -> String {
        format!("members of {} {}", self.hub_name, self.group)
    }

    /// Signs the position in this listing, so that the token can neither be altered nor continue another listing.
    fn continuation_token(&self, last: &str) -> Result<String, RestError> {
        let position = Claims {
            user_id: Some(last.to_owned()),
            ..Claims::new(self.listing_name(), self.now, CONTINUATION_SECONDS)
        };
        let key = self.keys.first().ok_or(RestError::NotImplemented("Pages require an access key."))?;
        sign(&position, key).map_err(|error| {
            RestError::bad_request("Request", format!("The next page cannot be signed: {error}."))
        })
    }

    fn last_of_previous_page(&self, token: &str) -> Result<String, RestError> {
        let position = verify(token, self.keys, self.now).ok();
        let position = position.filter(|claims| claims.audiences == [self.listing_name()]);
        position.and_then(|claims| claims.user_id).ok_or_else(|| {
            let message =
                "`continuationToken` is not from a page of this group: request the `nextLink` of the previous page.".to_owned();
            RestError::bad_request("continuationToken", message)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::http::Request;
    use http_body_util::BodyExt;
    use serde_json::Value;
    use webpubsub_protocol::role::Permissions;

    use super::*;
    use crate::connection::{ClientConnection, ConnectionId, WireFormat};

    const NOW: UnixTime = UnixTime(1_000);

    /// Requests a page of the group `name` in the hub `hub_name`, and returns it; `None` if it is refused.
    async fn page(hub: &Hub, (hub_name, name): (&str, &str), query: &str, now: UnixTime) -> Option<Value> {
        let keys = [AccessKey::new(&"k".repeat(32)).unwrap()];
        let group = GroupName::new(name).unwrap();
        let path = format!("/api/hubs/{hub_name}/groups/{name}/connections");
        let (parts, ()) = Request::get(path).body(()).unwrap().into_parts();
        let parameters = QueryParameters::read(query).unwrap();
        let (group, parameters, parts) = (&group, &parameters, &parts);
        let service_url = "https://hub.example/prefix";
        let request = PageRequest { hub_name, group, parameters, parts, service_url, keys: &keys, now };
        let body = list(hub, request).ok()?.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap()
    }

    #[tokio::test]
    async fn pages_link_to_each_other_and_their_tokens_hold_for_their_listing_only() {
        let (hub, group) = (Hub::default(), GroupName::new("g").unwrap());
        for _ in 0..5 {
            let id = ConnectionId::random().unwrap();
            let connection = ClientConnection::new(id, None, WireFormat::Json, Permissions::default());
            let connection = Arc::new(connection);
            hub.add(&connection);
            hub.join(&connection.id, &group).unwrap();
        }
        let (mut query, mut ids, mut tokens) = ("maxpagesize=2".to_owned(), Vec::new(), Vec::new());
        loop {
            let page = page(&hub, ("h", "g"), &query, NOW).await.unwrap();
            ids.extend(
                page["value"].as_array().unwrap().iter().map(|entry| entry["connectionId"].to_string()),
            );
            let Some(link) = page["nextLink"].as_str() else { break };
            let (url, next) = link.split_once('?').unwrap();
            assert_eq!(url, "https://hub.example/prefix/api/hubs/h/groups/g/connections");
            query = next.to_owned();
            let token = query.split('&').find_map(|pair| pair.strip_prefix("continuationToken="));
            tokens.push(token.unwrap().to_owned());
        }
        let mut distinct = ids.clone();
        distinct.sort();
        distinct.dedup();
        assert!(distinct == ids && ids.len() == 5, "{ids:?}");
        let token = &tokens[0];
        let altered = token.replacen("%2E", "%2EA", 1);
        for (listing, token, now) in [
            (("other", "g"), token, NOW),
            (("h", "other"), token, NOW),
            (("h", "g"), &altered, NOW),
            (("h", "g"), token, NOW.plus(2 * CONTINUATION_SECONDS)),
        ] {
            let refused = page(&hub, listing, &format!("continuationToken={token}"), now).await;
            assert_eq!(refused, None, "{listing:?} {token}");
        }
    }
}
