//! Refused requests to the data plane say why: in the body, in the challenge, and by their status.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64_URL};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use webpubsub_hub::{Service, ServiceBuilder};
use webpubsub_protocol::{
    connection_string::AccessKey,
    token::{Claims, UnixTime, sign},
};

const HOST: &str = "localhost:8080";
const LISTING: &str = "/api/hubs/chat/groups/lobby/connections";

fn key() -> AccessKey {
    AccessKey::new("a-key-for-tests-of-32-or-more-bytes!").unwrap()
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

fn signed(claims: &Claims) -> String {
    format!("Bearer {}", sign(claims, &key()).unwrap())
}

fn signed_for(target: &str) -> String {
    signed(&Claims::new(format!("http://{HOST}{target}"), UnixTime(now()), 60))
}

/// Token of a tenant of Microsoft Entra ID, with a signature that nobody can verify.
fn entra(change: impl FnOnce(&mut Value)) -> String {
    let mut claims = json!({
        "iss": "https://sts.windows.net/0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0/",
        "aud": "https://webpubsub.azure.com",
        "exp": now() + 600,
    });
    change(&mut claims);
    let header = BASE64_URL.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
    format!("Bearer {header}.{}.{}", BASE64_URL.encode(claims.to_string()), BASE64_URL.encode("signature"))
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

fn with_key() -> ServiceBuilder {
    Service::builder().access_key(key())
}

async fn ask(builder: ServiceBuilder, method: Method, target: &str, authorization: Option<&str>) -> Answer {
    let mut request = Request::builder().method(method).uri(target).header(header::HOST, HOST);
    if let Some(value) = authorization {
        request = request.header(header::AUTHORIZATION, value);
    }
    let router = builder.build().unwrap().router();
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Answer { status: parts.status, headers: parts.headers, body }
}

#[tokio::test]
async fn a_request_without_a_valid_token_says_what_is_wrong_with_it() {
    let expired =
        Claims { expires_at: Some(UnixTime(now() - 600)), ..Claims::new(HOST.into(), UnixTime(0), 1) };
    let elsewhere = signed_for("/api/hubs/chat/groups/kitchen/connections");
    let stranger = AccessKey::new("another-key-of-at-least-32-characters").unwrap();
    let foreign =
        sign(&Claims::new(format!("http://{HOST}{LISTING}"), UnixTime(now()), 60), &stranger).unwrap();
    let foreign = format!("Bearer {foreign}");
    for (authorization, words) in [
        (None, "has no access token"),
        (Some("Basic dXNlcjpwYXNz"), "another scheme than `Bearer`"),
        (Some("Bearer nonsense"), "no JSON Web Token"),
        (Some(foreign.as_str()), "not signed with"),
        (Some(signed(&expired).as_str()), "has expired"),
        (Some(elsewhere.as_str()), "/groups/kitchen/connections`"),
    ] {
        let answer = ask(with_key(), Method::GET, LISTING, authorization).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{words}");
        assert_eq!(answer.header("x-ms-error-code"), "Error.Unauthorized");
        assert_eq!(answer.body["code"], "Error.Unauthorized");
        assert!(answer.message().contains(words), "{}", answer.body);
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with("Bearer"), "{challenge}");
        let is_presented = authorization.is_some_and(|value| value.starts_with("Bearer"));
        assert_eq!(challenge.contains("error=\"invalid_token\""), is_presented, "{challenge}");
    }
}

#[tokio::test]
async fn the_token_of_a_page_is_accepted_for_the_next_page() {
    for signed_target in
        ["?maxpagesize=7", "", "/", "/further/segments?x=y"].map(|rest| format!("{LISTING}{rest}"))
    {
        let target = format!("{LISTING}?maxpagesize=9&api-version=2024-12-01");
        let answer = ask(with_key(), Method::GET, &target, Some(&signed_for(&signed_target))).await;
        assert_eq!(answer.status, StatusCode::OK, "{signed_target}: {}", answer.body);
    }
}

#[tokio::test]
async fn an_unknown_path_or_method_is_reported_like_every_other_error() {
    for (method, target) in [
        (Method::GET, "/api/hubs/chat/:send"),
        (Method::POST, "/api/hubs/chat/rooms/x/:send"),
        (Method::PUT, "/api/hubs/chat/users/a/b/groups/g"),
        (Method::GET, "/api/elsewhere"),
        (Method::GET, "/api/"),
    ] {
        let answer = ask(with_key(), method, target, Some(&signed_for(target))).await;
        assert_eq!(
            (answer.status, answer.header("x-ms-error-code")),
            (StatusCode::NOT_FOUND, "Error.NotFound")
        );
        assert!(answer.message().contains("method and path"), "{target}: {}", answer.body);
    }
    let head = ask(with_key(), Method::HEAD, "/api/elsewhere", Some(&signed_for("/api/elsewhere"))).await;
    assert_eq!(head.header("x-ms-error-code"), "Error.NotFound");
}

#[tokio::test]
async fn an_entra_token_is_named_and_accepted_only_if_that_is_allowed() {
    let refused = ask(with_key(), Method::GET, LISTING, Some(&entra(|_| {}))).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(refused.message().contains("Microsoft Entra ID"), "{}", refused.body);

    let lenient = || with_key().allow_unverified_entra_tokens(true);
    assert_eq!(ask(lenient(), Method::GET, LISTING, Some(&entra(|_| {}))).await.status, StatusCode::OK);
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 4] = [
        (|claims| claims["iss"] = json!("https://accounts.example/tenant/"), "issuer"),
        (|claims| claims["aud"] = json!("https://storage.azure.com"), "another resource"),
        (|claims| claims["exp"] = json!(now() - 600), "expired"),
        (|claims| claims["exp"] = Value::Null, "no expiry"),
    ];
    for (change, words) in changes {
        let answer = ask(lenient(), Method::GET, LISTING, Some(&entra(change))).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{words}");
        assert!(answer.message().contains(words), "{}", answer.body);
    }
    // Tokens of the access key remain valid beside them.
    assert_eq!(ask(lenient(), Method::GET, LISTING, Some(&signed_for(LISTING))).await.status, StatusCode::OK);
}

#[tokio::test]
async fn clients_of_features_that_are_not_offered_are_told_which_feature_it_is() {
    for (method, target, words) in [
        (Method::GET, "/clients/socketio/hubs/eio_hub/?EIO=4&transport=polling", "Socket.IO"),
        (Method::GET, "/server/tunnel?hub=eio_hub", "web-pubsub-socket.io"),
        (Method::POST, "/api/hubs/eio_hub/:invoke?api-version=2024-12-01", "web-pubsub-socket.io"),
        (Method::GET, "/clients/mqtt/hubs/sensors", "MQTT"),
        (Method::PUT, "/api/hubs/chat/chat/rooms/lobby?api-version=2024-12-01", "Chat"),
        (
            Method::GET,
            "/api/hubs/chat/chat/conversations/c1/messages",
            "azure-messaging-webpubsubchatservice",
        ),
    ] {
        let answer = ask(with_key(), method, target, Some(&signed_for(target))).await;
        assert_eq!(answer.status, StatusCode::NOT_IMPLEMENTED, "{target}");
        assert_eq!(answer.body["code"], "NotImplemented");
        assert!(
            answer.message().contains(words) && answer.message().contains("not offered"),
            "{}",
            answer.body
        );
    }
    let unknown = ask(with_key(), Method::GET, "/clients/telnet/hubs/h", None).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn tokens_may_be_for_the_public_url_with_its_path() {
    let token_for = |url: &str| signed(&Claims::new(format!("{url}{LISTING}"), UnixTime(now()), 60));
    for (url, status) in [
        ("https://hub.example.com/chat", StatusCode::OK),
        ("https://hub.example.com", StatusCode::OK),
        ("http://localhost:8080", StatusCode::OK),
        ("https://hub.example.com/other", StatusCode::UNAUTHORIZED),
        ("https://evil.example/chat", StatusCode::UNAUTHORIZED),
    ] {
        let builder = with_key().public_url("https://hub.example.com/chat");
        let answer = ask(builder, Method::GET, LISTING, Some(&token_for(url))).await;
        assert_eq!(answer.status, status, "{url}: {}", answer.body);
    }
}

#[tokio::test]
async fn paths_and_queries_are_read_as_the_cloud_service_reads_them() {
    for (method, target, status) in [
        (Method::HEAD, "/api/health", StatusCode::OK),
        (Method::HEAD, "/api/health?API-Version=2024-12-01", StatusCode::OK),
        (Method::HEAD, "/api/health?api-version=1999-01-01", StatusCode::BAD_REQUEST),
        (Method::POST, "/api/hubs/chat/:closeConnections?Api-Version=1999-01-01", StatusCode::BAD_REQUEST),
        (Method::POST, "/api/Hubs/chat/:closeconnections/?REASON=a+b", StatusCode::NO_CONTENT),
        (Method::POST, "/api/hubs/chat/:generateToken?MinutesToExpire=2147483647", StatusCode::OK),
        (Method::POST, "/api/hubs/chat/:generateToken?minutesToExpire=2147483648", StatusCode::BAD_REQUEST),
        (Method::DELETE, "/api/hubs/chat/permissions/2/connections/c1?targetname=g", StatusCode::NO_CONTENT),
        (Method::GET, "/api/hubs/chat/groups/lobby/connections/?MaxPageSize=0", StatusCode::BAD_REQUEST),
        // No handshake, but a path of clients.
        (Method::GET, "/client/hubs/chat/", StatusCode::BAD_REQUEST),
        (Method::GET, "/client/hubs/chat/other", StatusCode::NOT_FOUND),
    ] {
        let answer = ask(with_key(), method, target, Some(&signed_for(target))).await;
        assert_eq!(answer.status, status, "{target}: {}", answer.body);
    }
}
