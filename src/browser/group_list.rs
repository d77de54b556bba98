//! List of the groups that a viewer may join, from `/groups` beside a negotiate endpoint.

use gloo_net::http::Request;
use serde::Deserialize;
use web_sys::Url;

use crate::model::live_groups::ListedGroup;

#[derive(Deserialize)]
struct Answer {
    groups: Vec<GroupEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupEntry {
    group: String,
    #[serde(default)]
    members: f64,
    #[serde(default)]
    lines: f64,
    last_time: Option<f64>,
    #[serde(default)]
    last_line: Option<String>,
}

/// Returns the address of the list beside the negotiate endpoint at `negotiate_url`.
#[must_use]
pub fn groups_url(negotiate_url: &str) -> Option<String> {
    Some(Url::new_with_base("groups", &Url::new(negotiate_url).ok()?.href()).ok()?.href())
}

/// Reads the list at `url`.
///
/// # Errors
/// The reason why it cannot be had, as a sentence.
pub async fn read_groups(url: &str) -> Result<Vec<ListedGroup>, String> {
    let response =
        Request::get(url).send().await.map_err(|error| format!("The list cannot be loaded: {error}"))?;
    if !response.ok() {
        return Err(match response.status() {
            404 => "This server does not list its groups".to_owned(),
            status => format!("The server refused the list with status {status}"),
        });
    }
    let body = response.binary().await.map_err(|error| format!("The list cannot be loaded: {error}"))?;
    let text = String::from_utf8_lossy(&body);
    let parsed = js_sys::JSON::parse(&text).map_err(|_| "The server's list is not valid JSON".to_owned())?;
    let answer: Answer = serde_wasm_bindgen::from_value(parsed)
        .map_err(|error| format!("The server's list is not understood: {error}"))?;
    Ok(answer.groups.into_iter().map(listed).collect())
}

fn listed(entry: GroupEntry) -> ListedGroup {
    let GroupEntry { group, members, lines, last_time, last_line } = entry;
    // Counts of a server: whole numbers, far below 2^53. The casts saturate.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let (members, lines) = (members as u64, lines as u64);
    ListedGroup { name: group, members, lines, last_ms: last_time, last_line: last_line.unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn the_list_is_beside_the_negotiate_endpoint() {
        let url = |negotiate| groups_url(negotiate).unwrap();
        assert_eq!(url("https://h/negotiate?group=a&id=me"), "https://h/groups");
        assert_eq!(url("https://h/tail/negotiate"), "https://h/tail/groups");
    }
}
