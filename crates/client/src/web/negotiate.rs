//! Negotiation through `fetch` or through a JavaScript function.

use gloo_net::http::{Request, RequestBuilder, Response};
use js_sys::{Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, AbortSignal, ReadableStreamDefaultReader, ReadableStreamReadResult, RequestMode,
};

use super::{Negotiation, platform::Network, socket::describe};
use crate::{
    failure::ConnectFailure,
    negotiate::{Answer, MAX_ANSWER_BYTES, ServiceUrl, read_answer, shown_url, without_query},
    service_endpoint::{Credential, ServiceEndpoint, Source},
};

#[wasm_bindgen]
extern "C" {
    /// The global `fetch` of a window, a worker or Node.js.
    #[wasm_bindgen(catch)]
    fn fetch(request: &web_sys::Request) -> Result<Promise, JsValue>;

    /// The global `btoa`: Base64 of a text whose characters stand for bytes.
    #[wasm_bindgen(catch)]
    fn btoa(bytes: &str) -> Result<String, JsValue>;
}

/// Negotiates once. Dropping the negotiation aborts its request.
pub(crate) async fn negotiate(endpoint: &ServiceEndpoint, _: &Network) -> Result<ServiceUrl, ConnectFailure> {
    match &endpoint.source {
        Source::Negotiate { url, credential } => fetch_service_url(url, credential.as_ref()).await,
        Source::AccessUrl(url) => ServiceUrl::given(url),
        Source::Function(function) => function.call().await,
    }
}

/// Negotiates at the endpoint `url`. Dropping the negotiation aborts its request.
pub(super) fn negotiate_at(url: String) -> Negotiation {
    Box::pin(async move { fetch_service_url(&url, None).await })
}

impl ServiceEndpoint {
    /// A JavaScript function that returns the service's URL as a string or as an object's property `url`, or a promise of either. A
    /// property `history` is the URL of the history, as a negotiate endpoint returns it.
    #[must_use]
    pub fn from_js_function(function: Function) -> Self {
        Self::from_function(negotiate_by(function))
    }
}

/// Returns a negotiation for [`WebClient::start_with`](super::WebClient::start_with) that calls `function` for each
/// connection. The function returns the service's URL as a string or as an object's property `url`, or a promise of
/// either. A property `history` is the URL of the history, as a negotiate endpoint returns it.
pub fn negotiate_by(function: Function) -> impl Fn() -> Negotiation + 'static {
    move || {
        let function = function.clone();
        Box::pin(async move { call_function(&function).await })
    }
}

async fn call_function(function: &Function) -> Result<ServiceUrl, ConnectFailure> {
    let failed = |error: JsValue| ConnectFailure::NegotiateFunction {
        detail: error.as_string().unwrap_or_else(|| describe(&error)),
    };
    let answer = function.call0(&JsValue::NULL).map_err(failed)?;
    let answer = JsFuture::from(Promise::resolve(&answer)).await.map_err(failed)?;
    let property = |name: &str| Reflect::get(&answer, &name.into()).ok()?.as_string();
    let url = ServiceUrl::given(&answer.as_string().or_else(|| property("url")).unwrap_or_default())?;
    Ok(url.with_history(property("history").as_deref()))
}

/// Aborts a request when dropped.
pub(super) struct AbortGuard(AbortController);

impl AbortGuard {
    pub(super) fn new() -> Result<Self, JsValue> {
        AbortController::new().map(Self)
    }

    pub(super) fn signal(&self) -> AbortSignal {
        self.0.signal()
    }
}

impl Drop for AbortGuard {
    fn drop(&mut self) {
        // Without effect on a request that is complete.
        self.0.abort();
    }
}

/// Returns the value of the header `Authorization`.
fn authorization(credential: &Credential) -> Result<String, JsValue> {
    Ok(match credential {
        Credential::Bearer(token) => format!("Bearer {token}"),
        Credential::Basic { user, password } => {
            // `btoa` takes one character for each byte.
            let bytes: String = format!("{user}:{password}").bytes().map(char::from).collect();
            format!("Basic {}", btoa(&bytes)?)
        }
    })
}

async fn fetch_service_url(url: &str, credential: Option<&Credential>) -> Result<ServiceUrl, ConnectFailure> {
    let failed = |error| unreachable(url, &error);
    let guard = AbortGuard::new().map_err(failed)?;
    let mut request = Request::get(url).abort_signal(Some(&guard.signal()));
    if let Some(credential) = credential {
        request = request.header("authorization", &authorization(credential).map_err(failed)?);
    }
    let response = match send(request).await {
        Ok(response) => response,
        Err(error) => return Err(explain(url, &error, &guard.signal()).await),
    };
    let content_type = response.headers().get("content-type").unwrap_or_default();
    let retry_after = response.headers().get("retry-after");
    let answer = Answer {
        status: response.status(),
        content_type: &content_type,
        retry_after: retry_after.as_deref(),
        body: None,
    };
    let body = if !answer.needs_body() {
        None
    } else if response.ok() {
        read_body(&response).await.map_err(|error| unreachable(url, &error))?
    } else {
        // The status is the failure, whether or not its reason can be read.
        read_body(&response).await.ok().flatten()
    };
    read_answer(url, Answer { body: body.as_deref(), ..answer })
}

/// Sends a request.
///
/// gloo-net's own `send` panics if `fetch` throws, rejects with something other than an `Error` or resolves with something
/// other than a `Response`. The scripts of a page may replace `fetch` by a function that does.
pub(super) async fn send(request: RequestBuilder) -> Result<Response, JsValue> {
    let request = request.build().map_err(|error| match error {
        gloo_net::Error::JsError(error) => JsValue::from(js_sys::Error::new(&error.message)),
        other => JsValue::from(js_sys::Error::new(&other.to_string())),
    })?;
    let response = JsFuture::from(fetch(&request.into())?).await?;
    response.dyn_into::<web_sys::Response>().map(Response::from)
}

/// Reads the body of a response; `None` if it is longer than [`MAX_ANSWER_BYTES`]. The rest of a longer one is not
/// read: whatever answers at a wrong address may answer without end.
pub(super) async fn read_body(response: &Response) -> Result<Option<String>, JsValue> {
    let mut body = Vec::new();
    if let Some(stream) = response.body() {
        let reader = ReadableStreamDefaultReader::new(&stream)?;
        loop {
            let read: ReadableStreamReadResult = JsFuture::from(reader.read()).await?.unchecked_into();
            if read.get_done() == Some(true) {
                break;
            }
            let chunk: Uint8Array = read.get_value().dyn_into()?;
            if body.len().saturating_add(chunk.length() as usize) > MAX_ANSWER_BYTES {
                return Ok(None);
            }
            body.extend_from_slice(&chunk.to_vec());
        }
    }
    Ok(Some(String::from_utf8_lossy(&body).into_owned()))
}

/// Determines why a request got no readable response. A browser does not say whether CORS is the reason; but then an
/// opaque request to the same URL succeeds.
async fn explain(url: &str, error: &JsValue, signal: &AbortSignal) -> ConnectFailure {
    let endpoint = without_query(url);
    if let Some(origin) = foreign_origin(endpoint)
        && is_reachable(endpoint, signal).await
    {
        return ConnectFailure::NegotiateOrigin { url: shown_url(url), origin };
    }
    unreachable(url, error)
}

fn unreachable(url: &str, error: &JsValue) -> ConnectFailure {
    ConnectFailure::NegotiateUnreachable { url: shown_url(url), detail: describe(error) }
}

/// Returns the origin of this page or worker, unless `url` has the same one.
fn foreign_origin(url: &str) -> Option<String> {
    let origin = Reflect::get(&js_sys::global(), &"origin".into()).ok()?.as_string()?;
    let is_same = !url.contains("://") || url.strip_prefix(&origin).is_some_and(|path| path.starts_with('/'));
    (!is_same).then_some(origin)
}

/// Whether `url` answers at all. The response stays opaque: no origin needs to be allowed to read it.
async fn is_reachable(url: &str, signal: &AbortSignal) -> bool {
    send(RequestBuilder::new(url).mode(RequestMode::NoCors).abort_signal(Some(signal))).await.is_ok()
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        task::Poll::{Pending, Ready},
    };

    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::web::tests::FetchStub;

    const URL: &str = "http://h/negotiate";

    async fn failure(url: &str) -> ConnectFailure {
        negotiate_at(url.to_owned()).await.unwrap_err()
    }

    fn refused(status: u16, reason: Option<&str>) -> ConnectFailure {
        let (url, reason) = (URL.to_owned(), reason.map(str::to_owned));
        ConnectFailure::NegotiateStatus { url, status, reason, retry_after: None }
    }

    #[wasm_bindgen_test]
    async fn an_answer_is_read_from_chunks() {
        let _fetch = FetchStub::install(
            r#"const bytes = new TextEncoder().encode('\uFEFF{"url":"ws://h/é"}');
               return new Response(new ReadableStream({
                   start(controller) {
                       for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
                       controller.close();
                   },
               }));"#,
        );
        let url = negotiate_at("http://h/negotiate".to_owned()).await.unwrap();
        assert_eq!(url.reveal(), "ws://h/é");
    }

    #[wasm_bindgen_test]
    async fn an_answer_without_end_is_refused_and_aborted() {
        let fetch = FetchStub::install(
            "return new Response(new ReadableStream({
                 pull(controller) {
                     log.push('chunk');
                     controller.enqueue(new Uint8Array(64 * 1024));
                 },
             }));",
        );
        let endless = failure("http://h/negotiate?id=secret").await;
        let found = format!("more than {MAX_ANSWER_BYTES} bytes");
        assert_eq!(endless, ConnectFailure::NegotiateAnswer { url: URL.to_owned(), found });
        let log = fetch.log();
        let chunks = log.iter().filter(|entry| *entry == "chunk").count();
        assert!((5..=6).contains(&chunks), "{log:?}");
        assert_eq!(log.last().map(String::as_str), Some("aborted http://h/negotiate?id=secret"));
    }

    #[wasm_bindgen_test]
    async fn the_reason_of_a_refusal_is_read_from_text_and_json() {
        for (content_type, body) in [
            ("text/plain", "the group is closed\\n"),
            ("application/json", r#"{"error":"the group is closed"}"#),
        ] {
            let _fetch = FetchStub::install(&format!(
                "return new Response(`{body}`, {{ status: 403, headers: {{ 'content-type': '{content_type}' }} }});"
            ));
            assert_eq!(failure(URL).await, refused(403, Some("the group is closed")));
        }
    }

    #[wasm_bindgen_test]
    async fn a_refusal_whose_body_fails_or_is_endless_has_no_reason() {
        for pull in ["throw new TypeError('cut off')", "controller.enqueue(new Uint8Array(64 * 1024))"] {
            let _fetch = FetchStub::install(&format!(
                "return new Response(new ReadableStream({{ pull(controller) {{ {pull} }} }}),
                     {{ status: 403, headers: {{ 'content-type': 'text/plain' }} }});"
            ));
            assert_eq!(failure(URL).await, refused(403, None), "{pull}");
        }
    }

    #[wasm_bindgen_test]
    async fn a_web_page_with_an_error_status_is_not_read() {
        let fetch = FetchStub::install(
            "return new Response(new ReadableStream({ pull() { log.push('chunk') } }, { highWaterMark: 0 }),
                 { status: 404, headers: { 'content-type': 'text/html' } });",
        );
        assert_eq!(failure(URL).await, refused(404, None));
        assert!(!fetch.log().contains(&"chunk".to_owned()));
    }

    #[wasm_bindgen_test]
    async fn a_body_that_fails_makes_the_endpoint_unreachable() {
        let _fetch = FetchStub::install(
            "return new Response(new ReadableStream({ pull() { throw new TypeError('cut off') } }));",
        );
        let unreachable =
            ConnectFailure::NegotiateUnreachable { url: URL.to_owned(), detail: "cut off".to_owned() };
        assert_eq!(failure(URL).await, unreachable);
    }

    #[wasm_bindgen_test]
    async fn a_fetch_that_a_page_replaced_makes_the_endpoint_unreachable() {
        let outcomes = [
            ("() => Promise.reject('no session')", "no session"),
            ("async () => ({ ok: true })", "ok"),
            ("() => { throw new TypeError('blocked') }", "blocked"),
        ];
        for (fetch, detail) in outcomes {
            let _fetch = FetchStub::replace(&js_sys::eval(fetch).unwrap());
            let ConnectFailure::NegotiateUnreachable { url, detail: found } = failure("/negotiate").await
            else {
                panic!("{fetch}")
            };
            assert_eq!(url, "/negotiate");
            assert!(found.contains(detail), "{fetch}: {found}");
        }
    }

    #[wasm_bindgen_test]
    async fn an_opaque_response_identifies_a_refused_origin() {
        let fetch = FetchStub::install(
            "log.push(`${request.mode} ${request.url}`);
             if (request.mode === 'cors') throw new TypeError('Failed to fetch');
             return new Response();",
        );
        let foreign = failure("http://h/negotiate?id=secret").await;
        assert!(matches!(&foreign, ConnectFailure::NegotiateOrigin { url, .. } if url == URL), "{foreign:?}");
        assert_eq!(fetch.log()[..2], ["cors http://h/negotiate?id=secret", "no-cors http://h/negotiate"]);
    }

    #[wasm_bindgen_test]
    async fn a_dropped_negotiation_aborts_its_request() {
        let fetch = FetchStub::install("return new Promise(() => {})");
        let mut negotiation = negotiate_at("http://h/negotiate".to_owned());
        poll_fn(|context| match negotiation.as_mut().poll(context) {
            Pending => Ready(()),
            Ready(outcome) => panic!("{outcome:?}"),
        })
        .await;
        assert_eq!(fetch.log(), [""; 0]);
        drop(negotiation);
        assert_eq!(fetch.log(), ["aborted http://h/negotiate"]);
    }
}
