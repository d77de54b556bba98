//! Requests to the data plane, well signed and otherwise anything: an answer always comes, and it is never the service's
//! own failure.
#![no_main]

use std::sync::LazyLock;

use axum::{body::Body, http::Request};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;
use tower::ServiceExt;
use webpubsub_hub::Service;
use webpubsub_protocol::{
    connection_string::AccessKey,
    token::{Claims, UnixTime, sign},
};

const METHODS: [&str; 5] = ["GET", "HEAD", "PUT", "POST", "DELETE"];
const PATHS: [&str; 10] = [
    "/:send",
    "/groups/g/:send",
    "/users/u/:send",
    "/connections/c/:send",
    "/:addToGroups",
    "/:removeFromGroups",
    "/:closeConnections",
    "/groups/g/connections",
    "/permissions/sendToGroup/connections/c",
    "/:generateToken",
];
const TYPES: [&str; 4] =
    ["text/plain", "application/json", "application/octet-stream", "text/plain; charset=x"];

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"));

fuzz_target!(|data: (u8, u8, u8, &str, &[u8])| {
    let (method, path, content_type, query, body) = data;
    let choose = |from: &[&'static str], at: u8| from[usize::from(at) % from.len()];
    let target = format!("/api/hubs/h{}?{query}", choose(&PATHS, path));
    let key = AccessKey::new("a-key-for-fuzzing-of-32-or-more-bytes").expect("a good key");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_secs();
    let token = sign(&Claims::new(format!("http://h{target}"), UnixTime(now), 60), &key).expect("claims");
    let request = Request::builder()
        .method(choose(&METHODS, method))
        .uri(&target)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", choose(&TYPES, content_type))
        .body(Body::from(body.to_vec()));
    // What no HTTP parser lets through is not for us.
    let Ok(request) = request else { return };
    let service = Service::builder().access_key(key).accept_any_host(true).build().expect("a service");
    let answer = RUNTIME.block_on(service.router().oneshot(request)).expect("an answer");
    assert!(!matches!(answer.status().as_u16(), 500 | 502..), "{target}: {}", answer.status());
});
