//! Upstream server with scripted responses, a service that calls it, and a client of the service.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
};
use futures_util::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc},
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::HeaderValue,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use tower::ServiceExt;
use webpubsub_hub::{Service, http::HANDLER_TIMEOUT};
use webpubsub_protocol::{
    connection_string::AccessKey,
    token::{Claims, UnixTime, event_signature, sign},
};

const KEY: &str = "a-key-for-tests-of-32-or-more-bytes!";
/// Timeout of each wait.
const PATIENCE: Duration = Duration::from_secs(20);

async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("timed out waiting for {what}"))
}

fn key() -> AccessKey {
    AccessKey::new(KEY).unwrap()
}

pub fn signature(connection_id: &str) -> String {
    event_signature(connection_id, &[key()])
}

/// Request that the server received.
#[derive(Debug, Clone)]
pub struct Event {
    pub name: String,
    pub path: String,
    headers: HeaderMap,
    pub text: String,
    pub body: Value,
    /// Number of the request among those with its name, from 1 on.
    pub attempt: usize,
}

impl Event {
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    }
}

/// Scripted response.
pub struct ScriptedResponse {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    never: bool,
}

pub fn answer(status: u16) -> ScriptedResponse {
    ScriptedResponse { status, headers: Vec::new(), body: String::new(), never: false }
}

impl ScriptedResponse {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }

    /// Never answers.
    pub fn never(mut self) -> Self {
        self.never = true;
        self
    }
}

struct Consent {
    origin: Mutex<String>,
    knows_options: AtomicBool,
    /// Number of requests that are still answered with 503.
    unavailable: AtomicUsize,
    paths: Mutex<Vec<String>>,
    cancelled: Notify,
}

/// Upstream server.
pub struct UpstreamServer {
    address: String,
    consent: Arc<Consent>,
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<Event>>,
    /// Events that were skipped while waiting for others.
    skipped: Mutex<Vec<Event>>,
}

impl UpstreamServer {
    pub async fn start(script: impl Fn(&Event) -> ScriptedResponse + Send + Sync + 'static) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let consent = Arc::new(Consent {
            origin: Mutex::new("*".into()),
            knows_options: AtomicBool::new(true),
            unavailable: AtomicUsize::new(0),
            paths: Mutex::default(),
            cancelled: Notify::new(),
        });
        let (shared, script, attempts) =
            (Arc::clone(&consent), Arc::new(script), Arc::new(Mutex::new(HashMap::new())));
        let app = Router::new().fallback(move |request: Request| {
            let (consent, script, sender, attempts) =
                (Arc::clone(&shared), Arc::clone(&script), sender.clone(), Arc::clone(&attempts));
            async move {
                if request.method() != Method::POST {
                    return consent.answer(&request);
                }
                let event = read(request, &attempts).await;
                let answer = script(&event);
                sender.send(event).unwrap();
                if answer.never {
                    let on_cancel = OnDrop(consent);
                    std::future::pending::<()>().await;
                    drop(on_cancel);
                }
                let mut response = Response::builder().status(answer.status);
                for (name, value) in answer.headers {
                    response = response.header(name, value);
                }
                response.body(Body::from(answer.body)).unwrap()
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(axum::serve(listener, app).into_future());
        Self { address, consent, events: tokio::sync::Mutex::new(events), skipped: Mutex::default() }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns a rule for all events.
    pub fn rule(&self) -> String {
        self.url("/hubs/{hub}")
    }

    pub fn consenting_to(self, origin: &str) -> Self {
        *self.consent.origin.lock().unwrap() = origin.to_owned();
        self
    }

    pub fn without_options(self) -> Self {
        self.consent.knows_options.store(false, Ordering::SeqCst);
        self
    }

    /// Answers the first `requests` validation requests with 503.
    pub fn starting_after(self, requests: usize) -> Self {
        self.consent.unavailable.store(requests, Ordering::SeqCst);
        self
    }

    /// Waits for the next event with this name.
    pub async fn next(&self, name: &str) -> Event {
        let take = |events: &mut Vec<Event>| {
            events.iter().position(|event| event.name == name).map(|at| events.remove(at))
        };
        if let Some(event) = take(&mut self.skipped.lock().unwrap()) {
            return event;
        }
        let mut events = self.events.lock().await;
        loop {
            let event = in_time(name, events.recv()).await.unwrap();
            if event.name == name {
                return event;
            }
            self.skipped.lock().unwrap().push(event);
        }
    }

    /// Returns whether there is no further event.
    pub fn is_quiet(&self) -> bool {
        self.skipped.lock().unwrap().is_empty() && self.events.try_lock().unwrap().is_empty()
    }

    pub fn validated_paths(&self) -> Vec<String> {
        self.consent.paths.lock().unwrap().clone()
    }

    /// Waits until a request without an answer is cancelled.
    pub async fn until_cancelled(&self) {
        in_time("the request to be cancelled", self.consent.cancelled.notified()).await;
    }
}

struct OnDrop(Arc<Consent>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.cancelled.notify_one();
    }
}

impl Consent {
    fn answer(&self, request: &Request) -> Response {
        let is_known = request.method() != Method::OPTIONS || self.knows_options.load(Ordering::SeqCst);
        if !is_known {
            return StatusCode::NOT_FOUND.into_response();
        }
        let take_one = |left: usize| left.checked_sub(1);
        if self.unavailable.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take_one).is_ok() {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        self.paths.lock().unwrap().push(request.uri().path().to_owned());
        assert!(request.headers().contains_key("webhook-request-origin"));
        [("WebHook-Allowed-Origin", self.origin.lock().unwrap().clone())].into_response()
    }
}

async fn read(request: Request, attempts: &Mutex<HashMap<String, usize>>) -> Event {
    let (parts, body) = request.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let name = parts.headers["ce-eventname"].to_str().unwrap().to_owned();
    let attempt = {
        let mut attempts = attempts.lock().unwrap();
        let attempt = attempts.entry(name.clone()).or_insert(0);
        *attempt += 1;
        *attempt
    };
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Event { name, path: parts.uri.path().to_owned(), headers: parts.headers, text, body, attempt }
}

/// Running service with the hub `chat`.
pub struct Running {
    address: String,
    service: Service,
}

pub async fn service(rules: &[&str]) -> Running {
    start(rules, HANDLER_TIMEOUT, false).await
}

pub async fn service_with_timeout(rules: &[&str], timeout: Duration) -> Running {
    start(rules, timeout, false).await
}

pub async fn anonymous_service(rules: &[&str]) -> Running {
    start(rules, HANDLER_TIMEOUT, true).await
}

async fn start(rules: &[&str], timeout: Duration, allows_anonymous: bool) -> Running {
    // Fails if another test of this process has installed the provider.
    drop(rustls::crypto::ring::default_provider().install_default());
    let rules = rules.iter().map(|rule| rule.parse().unwrap()).collect();
    let builder = Service::builder().access_key(key()).accept_any_host(true).inspectable(true);
    let builder = builder.allow_anonymous(allows_anonymous).http_event_handlers(rules, timeout);
    let service = builder.build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(axum::serve(listener, service.router()).into_future());
    Running { address, service }
}

fn token(audience: String) -> String {
    token_of("token-user", audience)
}

fn token_of(user: &str, audience: String) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = Claims { user_id: Some(user.to_owned()), ..Claims::new(audience, UnixTime(now), 60) };
    sign(&claims, &key()).unwrap()
}

impl Running {
    /// Replaces the rules of the event handlers.
    pub fn replace_rules(&self, rules: &[&str]) {
        let rules = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        assert!(self.service.replace_http_event_handlers(rules, HANDLER_TIMEOUT));
    }

    /// Sends a request to the data plane, and returns the status.
    pub async fn rest(&self, method: &str, target: &str) -> StatusCode {
        let token = token(format!("http://h{target}"));
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap();
        self.service.router().oneshot(request).await.unwrap().status()
    }

    /// Waits until the inspector shows that the only connection has lost its socket.
    pub async fn until_detached(&self) {
        let is_detached = async {
            loop {
                let request = Request::get("/_hub").body(Body::empty()).unwrap();
                let response = self.service.router().oneshot(request).await.unwrap();
                let page = response.into_body().collect().await.unwrap().to_bytes();
                if String::from_utf8_lossy(&page).contains("Disconnected, kept for recovery") {
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        in_time("the connection to lose its socket", is_detached).await;
    }
}

/// Client of the service.
pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub subprotocol: Option<String>,
}

impl Client {
    /// Connects with a token, and offers these subprotocols. Fails with the status of a rejection.
    pub async fn connect(running: &Running, offer: &str, query: &str) -> Result<Self, StatusCode> {
        let token = token("http://h/client/hubs/chat".into());
        let query = if query.is_empty() { "?".to_owned() } else { format!("{query}&") };
        Self::open(running, "chat", offer, &format!("{query}access_token={token}")).await
    }

    /// Connects to another hub, as a simple client.
    pub async fn connect_to(running: &Running, hub: &str) -> Result<Self, StatusCode> {
        let token = token(format!("http://h/client/hubs/{hub}"));
        Self::open(running, hub, "", &format!("?access_token={token}")).await
    }

    /// Connects as another user, as a simple client.
    pub async fn connect_as(running: &Running, user: &str) -> Result<Self, StatusCode> {
        let token = token_of(user, "http://h/client/hubs/chat".into());
        Self::open(running, "chat", "", &format!("?access_token={token}")).await
    }

    /// Connects as a simple client that is refused. Returns status, content type and body of the response.
    pub async fn refusal(running: &Running) -> (u16, String, String) {
        let token = token("http://h/client/hubs/chat".into());
        let url = format!("ws://{}/client/hubs/chat?access_token={token}", running.address);
        match in_time("a refusal", connect_async(url)).await {
            Err(Error::Http(response)) => {
                let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
                let body = String::from_utf8(response.body().clone().unwrap_or_default()).unwrap();
                (response.status().as_u16(), content_type, body)
            }
            other => panic!("{other:?}"),
        }
    }

    /// Connects without a token.
    pub async fn anonymous(running: &Running) -> Result<Self, StatusCode> {
        Self::open(running, "chat", "json.webpubsub.azure.v1", "").await
    }

    async fn open(running: &Running, hub: &str, offer: &str, query: &str) -> Result<Self, StatusCode> {
        let url = format!("ws://{}/client/hubs/{hub}{query}", running.address);
        let mut request = url.into_client_request().unwrap();
        if !offer.is_empty() {
            request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_str(offer).unwrap());
        }
        match in_time("a connection", connect_async(request)).await {
            Ok((socket, response)) => {
                let name = response.headers().get("sec-websocket-protocol");
                Ok(Self { socket, subprotocol: name.map(|name| name.to_str().unwrap().to_owned()) })
            }
            Err(Error::Http(response)) => Err(response.status()),
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Sends up to `most` empty messages. Returns `true` if one of them could not be sent in time.
    pub async fn backs_up_with_empty_messages(&mut self, most: usize) -> bool {
        const BACKED_UP: Duration = Duration::from_secs(1);
        for _ in 0..most {
            match timeout(BACKED_UP, self.socket.send(Message::text(""))).await {
                Ok(outcome) => outcome.unwrap(),
                Err(_) => return true,
            }
        }
        false
    }

    pub async fn ping(&mut self) {
        self.socket.send(Message::Ping("here?".into())).await.unwrap();
    }

    async fn message(&mut self) -> Message {
        in_time("a message", self.socket.next()).await.unwrap().unwrap()
    }

    pub async fn pong(&mut self) {
        assert_eq!(self.message().await, Message::Pong("here?".into()));
    }

    pub async fn text(&mut self) -> String {
        self.message().await.into_text().unwrap().to_string()
    }

    pub async fn json(&mut self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}"))
    }

    pub async fn close_code(&mut self) -> u16 {
        match self.message().await {
            Message::Close(Some(frame)) => frame.code.into(),
            other => panic!("{other:?}"),
        }
    }

    pub async fn close(&mut self, reason: &str) {
        let frame = CloseFrame { code: CloseCode::Normal, reason: reason.to_owned().into() };
        self.socket.close(Some(frame)).await.unwrap();
    }

    /// Drops the connection without a close frame.
    pub async fn drop_socket(self) {
        drop(self.socket);
    }
}
