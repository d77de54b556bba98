//! Asking a negotiate endpoint by `fetch`, or a function of JavaScript.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use super::{Negotiation, socket::describe};
use crate::{
    failure::ConnectFailure,
    negotiate::{MAX_ANSWER_BYTES, ServiceUrl, read_answer, without_query},
};

/// Asks a negotiate endpoint.
pub(super) fn negotiate_at(url: String) -> Negotiation {
    Box::pin(async move { fetch_service_url(&url).await })
}

/// A negotiation for [`WebClient::start_with`](super::WebClient::start_with) that calls `function` each time: it gives the
/// service's URL, as a text or as an object's member `url`, or a promise of that.
pub fn negotiate_by(function: Function) -> impl Fn() -> Negotiation + 'static {
    move || {
        let function = function.clone();
        Box::pin(async move { ask_function(&function).await })
    }
}

async fn ask_function(function: &Function) -> Result<ServiceUrl, ConnectFailure> {
    let failed = |error: JsValue| ConnectFailure::NegotiateFunction {
        detail: error.as_string().unwrap_or_else(|| describe(&error)),
    };
    let answer = function.call0(&JsValue::NULL).map_err(failed)?;
    let answer = JsFuture::from(Promise::resolve(&answer)).await.map_err(failed)?;
    let url = answer.as_string().or_else(|| Reflect::get(&answer, &"url".into()).ok()?.as_string());
    ServiceUrl::given(&url.unwrap_or_default())
}

async fn fetch_service_url(url: &str) -> Result<ServiceUrl, ConnectFailure> {
    let (status, body) = match fetch_text(url).await {
        Ok(answer) => answer,
        Err(error) => return Err(unanswered(url, &error).await),
    };
    if body.len() > MAX_ANSWER_BYTES {
        return Err(ConnectFailure::NegotiateAnswer {
            url: without_query(url).to_owned(),
            found: format!("{} bytes", body.len()),
        });
    }
    read_answer(url, status, &body)
}

/// Why there is no answer that could be read. Browsers do not tell; but a server that is there answers a request whose
/// answer nobody wants to read.
async fn unanswered(url: &str, error: &JsValue) -> ConnectFailure {
    let plain = without_query(url).to_owned();
    if let Some(origin) = other_origin(&plain)
        && fetch_blindly(&plain).await.is_ok()
    {
        return ConnectFailure::NegotiateOrigin { url: plain, origin };
    }
    ConnectFailure::NegotiateUnreachable { url: plain, detail: describe(error) }
}

/// Whose page this is, unless `url` is of the same origin.
fn other_origin(url: &str) -> Option<String> {
    let origin = Reflect::get(&js_sys::global(), &"origin".into()).ok()?.as_string()?;
    let is_same = !url.contains("://") || url.strip_prefix(&origin).is_some_and(|path| path.starts_with('/'));
    (!is_same).then_some(origin)
}

/// The status and the body that `url` answers with.
async fn fetch_text(url: &str) -> Result<(u16, String), JsValue> {
    let response: Response = JsFuture::from(fetch(url, &JsValue::UNDEFINED)?).await?.dyn_into()?;
    let body = JsFuture::from(response.text()?).await?;
    Ok((response.status(), body.as_string().unwrap_or_default()))
}

/// Has `url` answer, whomever it allows to read that.
async fn fetch_blindly(url: &str) -> Result<JsValue, JsValue> {
    let options = js_sys::Object::new();
    Reflect::set(&options, &"mode".into(), &"no-cors".into())?;
    JsFuture::from(fetch(url, &options)?).await
}

/// Starts a request, from a window or from a worker.
fn fetch(url: &str, options: &JsValue) -> Result<Promise, JsValue> {
    let fetch: Function = Reflect::get(&js_sys::global(), &"fetch".into())?.dyn_into()?;
    fetch.call2(&JsValue::UNDEFINED, &url.into(), options)?.dyn_into()
}
