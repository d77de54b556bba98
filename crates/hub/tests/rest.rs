//! The data plane answers recorded requests of the official SDKs as recorded.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt;
use webpubsub_hub::Service;
use webpubsub_protocol::{
    connection_string::AccessKey,
    token::{Claims, UnixTime, sign},
};

const HOST: &str = "localhost:8080";

#[derive(Deserialize)]
struct Vectors {
    requests: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    method: String,
    target: String,
    status: u16,
    #[serde(default = "default_auth")]
    auth: bool,
    content_type: Option<String>,
    body: Option<String>,
    body_hex: Option<String>,
    error_code: Option<String>,
}

fn default_auth() -> bool {
    true
}

fn key() -> AccessKey {
    AccessKey::new("a-key-for-tests-of-32-or-more-bytes!").unwrap()
}

fn bearer(target: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    format!(
        "Bearer {}",
        sign(&Claims::new(format!("http://{HOST}{target}"), UnixTime(now), 60), &key()).unwrap()
    )
}

async fn send(request: Request<Body>) -> (StatusCode, Option<String>, Value) {
    let service = Service::builder().access_key(key()).build().unwrap();
    let response = service.router().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    assert!(parts.headers["api-supported-versions"].to_str().unwrap().ends_with("2024-12-01"));
    let code = parts.headers.get("x-ms-error-code").map(|code| code.to_str().unwrap().to_owned());
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status, code, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn bytes_of(vector: &Vector) -> Vec<u8> {
    match (&vector.body, &vector.body_hex) {
        (Some(text), _) => text.clone().into_bytes(),
        (None, Some(hex)) => {
            (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
        }
        (None, None) => Vec::new(),
    }
}

#[tokio::test]
async fn recorded_requests_of_the_sdks_get_the_recorded_responses() {
    let vectors: Vectors = serde_json::from_str(include_str!("vectors/rest.json")).unwrap();
    for vector in vectors.requests {
        let mut request =
            Request::builder().method(vector.method.as_str()).uri(&vector.target).header(header::HOST, HOST);
        if vector.auth {
            request = request.header(header::AUTHORIZATION, bearer(&vector.target));
        }
        if let Some(content_type) = &vector.content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        let sent = bytes_of(&vector);
        let request = request.header(header::CONTENT_LENGTH, sent.len());
        let (status, code, body) = send(request.body(Body::from(sent)).unwrap()).await;
        assert_eq!(status.as_u16(), vector.status, "{} {}: {body}", vector.method, vector.target);
        if vector.error_code.is_some() {
            assert_eq!(code, vector.error_code, "{} {}", vector.method, vector.target);
        }
        if vector.status == 400 {
            assert_eq!(body["code"], "Error.BadRequest", "{} {}: {body}", vector.method, vector.target);
            assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()));
        }
    }
}

#[tokio::test]
async fn requests_without_a_valid_token_are_rejected_before_any_other_check() {
    let other = "/api/hubs/other/:send?api-version=2024-12-01";
    for target in
        ["/api/hubs/chat/:send?api-version=2024-12-01", "/api/hubs/1bad/:send", "/api/hubs/chat/nowhere"]
    {
        let request =
            Request::post(target).header(header::HOST, HOST).header(header::AUTHORIZATION, bearer(other));
        assert_eq!(send(request.body(Body::empty()).unwrap()).await.0, 401, "{target}");
    }
}

#[tokio::test]
async fn a_token_for_one_group_is_not_accepted_for_a_group_whose_name_differs_in_case() {
    let signed = "/api/hubs/chat/groups/g/:send?api-version=2024-12-01";
    for (target, status) in [(signed, 202), ("/api/hubs/chat/groups/G/:send?api-version=2024-12-01", 401)] {
        let request = Request::post(target)
            .header(header::HOST, HOST.to_uppercase())
            .header(header::AUTHORIZATION, bearer(signed))
            .header(header::CONTENT_LENGTH, "1")
            .header(header::CONTENT_TYPE, "text/plain");
        assert_eq!(send(request.body(Body::from("x")).unwrap()).await.0, status, "{target}");
    }
}

/// Sends a request to a hub with three members of the group `g`.
async fn ask(
    service: &Service,
    method: &str,
    target: &str,
    content_type: Option<&str>,
    body: &str,
) -> (u16, Value) {
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header(header::HOST, HOST)
        .header(header::CONTENT_LENGTH, body.len())
        .header(header::AUTHORIZATION, bearer(target));
    if let Some(content_type) = content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    let response =
        service.router().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn a_permission_is_never_granted_without_naming_its_group() {
    let service = Service::builder().access_key(key()).build().unwrap();
    for method in ["PUT", "HEAD", "DELETE"] {
        for query in
            ["", "?targetName=", "?api-version=2024-12-01&targetName=%20%09", "?targetName=a&targetName=b"]
        {
            let target = format!("/api/hubs/kitchen/permissions/joinLeaveGroup/connections/c9{query}");
            let (status, body) = ask(&service, method, &target, None, "").await;
            assert_eq!(status, 400, "{method} {target}");
            assert!(method == "HEAD" || body["target"] == "targetName", "{body}");
        }
    }
}

#[tokio::test]
async fn bulk_changes_of_groups_require_json_and_a_valid_filter() {
    let service = Service::builder().access_key(key()).build().unwrap();
    let change = json!({"groups": ["a", "b"]}).to_string();
    for operation in [":addToGroups", ":removeFromGroups"] {
        let target = format!("/api/hubs/kitchen/{operation}?api-version=2023-07-01");
        for content_type in
            [None, Some("text/csv"), Some("application/octet-stream"), Some("application/json; charset=x-y")]
        {
            assert_eq!(
                ask(&service, "POST", &target, content_type, &change).await.0,
                415,
                "{content_type:?}"
            );
        }
        for (filter, status) in
            [("", 200), (" ", 400), ("\t\n", 400), ("userId eq 'ada'", 200), ("userId eq", 400)]
        {
            let change = json!({"groups": ["a"], "filter": filter}).to_string();
            let (given, body) = ask(&service, "POST", &target, Some("application/json"), &change).await;
            assert_eq!(given, status, "{filter:?}: {body}");
        }
    }
}

#[tokio::test]
async fn parameters_of_a_listing_are_given_once_and_in_range() {
    let service = Service::builder().access_key(key()).build().unwrap();
    for (query, status) in [
        ("maxpagesize=3&top=4", 200),
        ("top=2147483647", 200),
        ("maxpagesize=3&maxpagesize=3", 400),
        ("top=5&top=6", 400),
        ("top=2147483648", 400),
        ("top=", 400),
        ("continuationToken=", 400),
        ("continuationToken=0123456789abcdef0123456789abcdef", 400),
    ] {
        let target = format!("/api/hubs/kitchen/groups/g/connections?{query}");
        let (given, body) = ask(&service, "GET", &target, None, "").await;
        assert_eq!(given, status, "{query}: {body}");
        assert!(status == 400 || body == json!({"value": [], "nextLink": null}), "{body}");
    }
}
