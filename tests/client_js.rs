//! npm package of the JavaScript client, in third-party pages, with the real service.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};
use tailcast_tests::{
    browser::{Browser, Kind},
    bundled::Application,
    file_host::FileHost,
    fixed_response::FixedResponse,
    in_every_browser,
    server::Server,
    tcp_proxy::TcpProxy,
};

in_every_browser!(
    messages_of_all_types_are_received_unchanged,
    a_stream_is_received_completely_and_in_order,
    an_aborted_stream_is_reported_to_both_sides,
    a_stream_resumes_after_a_dropped_connection_without_loss_or_duplicates,
    an_invocation_resolves_with_the_response_of_the_event_handler,
    the_client_connects_with_a_url_or_a_function,
    failures_are_errors_with_messages,
    invalid_arguments_are_refused_with_errors,
    connection_failures_are_reported,
    results_and_errors_are_those_of_the_official_package,
    streams_of_a_group_are_iterable,
    options_limit_reconnection_and_waiting,
    the_outbox_has_a_limit,
);

/// Page on another origin than the service, with the package and without a build.
struct Page {
    browser: Browser,
    server: Server,
    _host: FileHost,
    _application: Application,
}

impl Page {
    async fn open(kind: Kind, name: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let application = Application::new(&format!("client-{name}-{kind:?}")).await?;
        let folder = application.package("webpubsub-client");
        std::fs::write(
            folder.join("page.html"),
            "<!doctype html><title>Client</title><script type=module>
                 import init, { WebPubSubClient } from './webpubsub-client.js';
                 await init();
                 Object.assign(window, { WebPubSubClient, heard: [], events: [] });
                 window.connect = async (place, options) => {
                     window.client = new WebPubSubClient(place, options);
                     client.on('group-message', ({ message }) => heard.push(message));
                     for (const name of ['connected', 'recovered', 'disconnected', 'gap', 'stopped'])
                         client.on(name, () => events.push(name));
                     client.on('connect-failed', ({ message }) => events.push(message));
                     await client.start();
                 };
             </script>",
        )?;
        let host = FileHost::start("/", &folder).await?;
        let origin = host.origin();
        let server = Server::start(&[&["--allow-origin", &origin], arguments].concat()).await?;
        let browser = Browser::start_of(kind).await?;
        browser.open(&host.url("page.html")).await?;
        browser.until("window.connect").await?;
        Ok(Self { browser, server, _host: host, _application: application })
    }

    async fn connected(kind: Kind, name: &str) -> anyhow::Result<Self> {
        let page = Self::open(kind, name, &[]).await?;
        let negotiate = page.server.negotiate_url();
        page.does(&format!("await connect('{negotiate}', {{ groups: ['stream'] }})")).await?;
        Ok(page)
    }

    /// Runs asynchronous statements. Returns their result.
    async fn does(&self, statements: &str) -> anyhow::Result<Value> {
        let script = format!(
            "(async () => {{ {statements} }})().then((value) => done({{ value }}), (error) => done({{ error: String(error) }}))"
        );
        let outcome = self.browser.run_async(&script).await?;
        anyhow::ensure!(outcome["error"].is_null(), "{statements}: {}", outcome["error"]);
        Ok(outcome["value"].clone())
    }

    /// Returns the message with which a promise is rejected.
    async fn failure_of(&self, promise: &str) -> anyhow::Result<String> {
        let statement = format!("return await {promise}.then(() => 'kept', (error) => error.message)");
        Ok(self.does(&statement).await?.as_str().context("no words")?.to_owned())
    }
}

async fn messages_of_all_types_are_received_unchanged(kind: Kind) -> anyhow::Result<()> {
    let page = Page::connected(kind, "heard").await?;
    page.does(
        "await client.sendToGroup('stream', 'é', 'text');
         await client.sendToGroup('stream', { n: [1, null] }, 'json');
         await client.sendToGroup('stream', new Uint8Array([0, 255]), 'binary');
         await client.sendToGroup('stream', new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 1), 'binary');
         await client.sendToGroup('stream', 'not heard', 'text', { noEcho: true });
         await client.leaveGroup('stream');
         await client.sendToGroup('stream', 'not heard', 'text');
         await client.joinGroup('stream');
         await client.sendToGroup('stream', 'last', 'text', { fireAndForget: true })",
    )
    .await?;
    page.browser.until("heard.length >= 5").await?;
    let heard = page
        .does(
            "return heard.map(({ group, dataType, data }) =>
                 [group, dataType, dataType === 'binary' ? [...new Uint8Array(data)] : data])",
        )
        .await?;
    assert_eq!(
        heard,
        json!([
            ["stream", "text", "é"],
            ["stream", "json", { "n": [1, null] }],
            ["stream", "binary", [0, 255]],
            ["stream", "binary", [2]],
            ["stream", "text", "last"],
        ])
    );
    page.does("client.stop()").await?;
    page.browser.until("events.includes('stopped')").await?;
    assert_eq!(page.does("return events").await?, json!(["connected", "disconnected", "stopped"]));
    page.browser.close().await
}

async fn a_stream_is_received_completely_and_in_order(kind: Kind) -> anyhow::Result<()> {
    let page = Page::connected(kind, "stream").await?;
    // More than the buffer of a stream, without waiting between writes.
    page.does(
        "const stream = await client.openGroupStream('stream');
         const written = [];
         for (let number = 1; number <= 1000; number += 1) written.push(stream.write(number, 'json'));
         await stream.end();
         await Promise.all([...written, stream.closed])",
    )
    .await?;
    page.browser.until("heard.length === 1001").await?;
    let in_order = page
        .does(
            "return heard.every(({ data, stream }, at) =>
                 stream.streamId === heard[0].stream.streamId && stream.streamSequenceId === at + 1 &&
                 stream.endOfStream === (at === 1000) && (stream.endOfStream || data === at + 1))",
        )
        .await?;
    assert_eq!(in_order, true);
    // A message outside of a stream has no stream fields.
    page.does("await client.sendToGroup('stream', 'after', 'text')").await?;
    page.browser.until("heard.length === 1002").await?;
    assert_eq!(page.does("return 'stream' in heard.at(-1)").await?, false);
    page.browser.close().await
}

async fn an_aborted_stream_is_reported_to_both_sides(kind: Kind) -> anyhow::Result<()> {
    let page = Page::connected(kind, "broken").await?;
    let ends = async |count: usize| {
        page.browser
            .until(&format!("heard.filter(({{ stream }}) => stream.endOfStream).length === {count}"))
            .await?;
        page.does("return heard.at(-1).stream.error").await
    };
    page.does(
        "const stream = await client.openGroupStream('stream');
         await stream.write('a', 'text');
         await stream.abort({ message: 'the model failed', userErrorCode: 'E42' });
         window.stream = stream",
    )
    .await?;
    let error = json!({ "name": "UserError", "message": "the model failed", "userErrorCode": "E42" });
    assert_eq!(ends(1).await?, error);
    for late in ["stream.write('b', 'text')", "stream.end()"] {
        assert!(page.failure_of(late).await?.contains("has ended"), "{late}");
    }
    page.does("(await client.openGroupStream('stream')).free()").await?;
    assert_eq!(ends(2).await?["message"], "abandoned");
    // The service ends an idle stream.
    page.does("window.silent = await client.openGroupStream('stream', { idleTimeoutInMs: 20 })").await?;
    assert_eq!(ends(3).await?["name"], "IdleTimeout");
    assert!(page.failure_of("silent.closed").await?.contains("the service ended the stream"));
    // A stream of a stopped client is independent of the streams of its successor.
    page.does("window.old = await client.openGroupStream('stream'); client.stop()").await?;
    page.browser.until("events.includes('stopped')").await?;
    assert!(page.failure_of("old.closed").await?.contains("the client stopped"));
    page.does("await client.start(); window.stream = await client.openGroupStream('stream')").await?;
    assert!(page.failure_of("old.write('x', 'text')").await?.contains("has ended"));
    page.does("old.free(); await stream.write('y', 'text'); await stream.end()").await?;
    page.browser.close().await
}

async fn a_stream_resumes_after_a_dropped_connection_without_loss_or_duplicates(
    kind: Kind,
) -> anyhow::Result<()> {
    let page = Page::open(kind, "cut", &[]).await?;
    let proxy = TcpProxy::to(page.server.address()).await?;
    let negotiate = proxy.url("/negotiate");
    page.does(&format!("await connect('{negotiate}', {{ groups: ['stream'] }})")).await?;
    page.does("window.stream = await client.openGroupStream('stream')").await?;
    for part in 0..3 {
        let writing = format!(
            "const written = [];
             for (let number = 0; number < 200; number += 1) written.push(stream.write({part} * 200 + number, 'json'));
             await Promise.all(written)"
        );
        page.does(&writing).await?;
        proxy.drop_connections();
    }
    page.does("await stream.end()").await?;
    page.browser.until("heard.length >= 601").await?;
    let (heard, events) =
        (page.does("return heard.map(({ data }) => data)").await?, page.does("return events").await?);
    let expected: Vec<Value> = (0..600).map(Value::from).chain([json!("")]).collect();
    assert_eq!(heard, json!(expected));
    assert_eq!(events[0], "connected");
    assert!(events.as_array().is_some_and(|events| events.contains(&json!("recovered"))), "{events}");
    assert!(events.as_array().is_some_and(|events| !events.contains(&json!("gap"))), "{events}");
    page.browser.close().await
}

async fn an_invocation_resolves_with_the_response_of_the_event_handler(kind: Kind) -> anyhow::Result<()> {
    let server =
        FixedResponse::with("200 OK", "application/json\r\nWebHook-Allowed-Origin: *", "{\"sum\":3}").await?;
    let page = Page::open(kind, "invoke", &["--event-handler", &server.url("/{event}")]).await?;
    page.does(&format!("await connect('{}')", page.server.negotiate_url())).await?;
    let answer = json!({ "dataType": "json", "data": { "sum": 3 } });
    for invocation in ["client.invokeEvent('add', [1, 2], 'json')", "client.invokeEvent('add')"] {
        let statements = format!("const {{ invocationId, ...answer }} = await {invocation}; return answer");
        assert_eq!(page.does(&statements).await?, answer);
    }
    page.browser.close().await
}

async fn the_client_connects_with_a_url_or_a_function(kind: Kind) -> anyhow::Result<()> {
    let page = Page::open(kind, "place", &[]).await?;
    page.does(&format!("window.negotiate = '{}'", page.server.negotiate_url())).await?;
    page.does(
        "class Credential {
             asked = 0;
             async getClientAccessUrl() {
                 this.asked += 1;
                 return (await (await fetch(negotiate)).json()).url;
             }
         }
         window.offered = [];
         window.WebSocket = class extends WebSocket {
             constructor(url, protocols) {
                 super(url, protocols);
                 offered.push(protocols[0]);
             }
         };
         const credential = new Credential();
         await connect(credential, { groups: ['stream'], protocol: 'json' });
         const stopped = new Promise((done) => client.on('stopped', done));
         client.stop();
         await stopped;
         await client.start();
         if (credential.asked !== 2) throw new Error(`asked ${credential.asked} times`)",
    )
    .await?;
    page.does("window.url = (await (await fetch(negotiate)).json()).url; await connect(url)").await?;
    page.does("await connect({ getClientAccessUrl: url }, { protocol: 'protobuf.reliable' })").await?;
    let (json, reliable) = ("json.webpubsub.azure.v1", "json.reliable.webpubsub.azure.v1");
    let offered = json!([json, json, reliable, "protobuf.reliable.webpubsub.azure.v1"]);
    assert_eq!(page.does("return offered").await?, offered);
    page.browser.close().await
}

async fn failures_are_errors_with_messages(kind: Kind) -> anyhow::Result<()> {
    let page = Page::open(kind, "failures", &[]).await?;
    let thrown = async |statement: &str| {
        page.does(&format!("try {{ {statement} }} catch (error) {{ return error.message }}")).await
    };
    assert!(thrown("new WebPubSubClient({})").await?.to_string().contains("getClientAccessUrl()"));
    for wrong in ["{ protocol: 'xml' }", "{ protocol: {} }", "{ groups: 'chat' }", "{ groups: [5] }"] {
        let words = thrown(&format!("new WebPubSubClient('/negotiate', {wrong})")).await?;
        assert!(words.to_string().contains("must be"), "{wrong}: {words}");
    }
    let words = thrown("new WebPubSubClient('wss://?access_token=secret')").await?.to_string();
    assert!(words.contains("no client access URL") && !words.contains("secret"), "{words}");
    page.does(&format!("await connect('{}', {{ protocol: 'protobuf' }})", page.server.negotiate_url()))
        .await?;
    let failures = [
        ("client.joinGroup('not mine')", "Forbidden"),
        ("client.sendToGroup('stream', 5, 'text')", "must be a string"),
        ("client.invokeEvent('add')", "prefer a JSON one"),
        ("client.openGroupStream('not mine')", "Forbidden"),
        ("client.openGroupStream('')", "group"),
        ("client.openGroupStream('stream', { idleTimeoutInMs: 0 })", "must be a number above 0"),
    ];
    for (promise, words) in failures {
        let failure = page.failure_of(promise).await?;
        assert!(failure.contains(words), "{promise}: {failure}");
    }
    page.browser.close().await
}

async fn invalid_arguments_are_refused_with_errors(kind: Kind) -> anyhow::Result<()> {
    let page = Page::connected(kind, "values").await?;
    page.does(
        "window.stream = await client.openGroupStream('stream');
         window.detached = new ArrayBuffer(8);
         structuredClone(detached, { transfer: [detached] })",
    )
    .await?;
    let failures = [
        ("client.joinGroup(42)", "must be a string"),
        ("client.joinGroup({})", "must be a string"),
        ("client.leaveGroup()", "must be a string"),
        ("client.sendToGroup(Symbol(), 'x', 'text')", "must be a string"),
        ("client.sendToGroup('stream', 'x')", "no data type"),
        (
            "client.sendToGroup('stream', new Proxy({}, { get() { throw 1 } }), 'json')",
            "cannot be written as JSON",
        ),
        ("client.sendToGroup('stream', () => {}, 'json')", "cannot be written as JSON"),
        (
            "client.sendToGroup('stream', new DataView(new ArrayBuffer(1)).buffer.x, 'binary')",
            "must be an ArrayBuffer",
        ),
        ("client.sendEvent(null, 'x', 'text')", "must be a string"),
        ("client.invokeEvent('add', [1, 2])", "no data type"),
        ("stream.write('x', 7)", "no data type"),
        ("client.openGroupStream(7)", "must be a string"),
    ];
    for (promise, words) in failures {
        let failure = page.failure_of(promise).await?;
        assert!(failure.contains(words), "{promise}: {failure}");
    }
    // A detached buffer has no bytes. Success and failure are both valid, if the client keeps running.
    page.failure_of("client.sendToGroup('stream', detached, 'binary')").await?;
    page.failure_of("client.sendToGroup('stream', 'x', 'text', { get noEcho() { throw 1 } })").await?;
    page.does("try { client.on('connected', 5) } catch (error) { window.refused = error.message }").await?;
    assert_eq!(page.does("return refused").await?, "a listener must be a function");
    page.does("stream.free(); await client.sendToGroup('stream', 'still here', 'text'); client.free()")
        .await?;
    page.browser.until("heard.at(-1).data === 'still here'").await?;
    page.browser.close().await
}

async fn connection_failures_are_reported(kind: Kind) -> anyhow::Result<()> {
    let page = Page::open(kind, "unconnected", &[]).await?;
    let wrong = page.server.url("/nowhere");
    let refused = page.failure_of(&format!("connect('{wrong}')")).await?;
    assert!(refused.starts_with("negotiate failed:") && refused.contains(&wrong), "{refused}");
    assert!(!page.does("return events").await?.to_string().contains("stopped"));
    // On request, temporary failures are reported and retried.
    page.does(
        "window.answers = [() => { throw new Error('out of order') }, () => fetch(negotiate).then((answer) => answer.json())];
         events.length = 0",
    )
    .await?;
    page.does(&format!("window.negotiate = '{}'", page.server.negotiate_url())).await?;
    page.does("await connect({ getClientAccessUrl: async () => answers.shift()() }, { retryStart: true })")
        .await?;
    let events = page.does("return events").await?;
    assert!(events[0].as_str().is_some_and(|words| words.contains("out of order")), "{events}");
    assert_eq!(events[1], "connected");
    page.browser.close().await
}

async fn results_and_errors_are_those_of_the_official_package(kind: Kind) -> anyhow::Result<()> {
    let page = Page::connected(kind, "results").await?;
    let results = page
        .does(
            "const results = [await client.joinGroup('stream'), await client.sendToGroup('stream', 'x', 'text'),
                 await client.sendToGroup('stream', 'x', 'text', { fireAndForget: true }), await client.leaveGroup('stream')];
             return results.map(({ ackId, isDuplicated }) => [typeof ackId, isDuplicated])",
        )
        .await?;
    let acknowledged = json!(["number", false]);
    assert_eq!(results, json!([acknowledged, acknowledged, ["undefined", false], acknowledged]));
    let errors = page
        .does(
            "const describe = (error) => [error.name, error.code, error.errorDetail?.name ?? null];
             const aborted = { abortSignal: AbortSignal.abort() };
             const errors = [];
             for (const promise of [
                 client.joinGroup('closed'), client.sendToGroup('stream', 5, 'text'), client.invokeEvent('add'),
                 client.joinGroup('stream', aborted), client.invokeEvent('add', 1, 'json', aborted), client.start(aborted),
                 client.start(), client.openGroupStream('closed'), new WebPubSubClient('ws://h/client').joinGroup('stream'),
             ]) errors.push(describe(await promise.catch((error) => error)));
             return errors",
        )
        .await?;
    let (send, invocation, other) = ("SendMessageError", "InvocationError", "WebPubSubError");
    let expected = json!([
        [send, "Refused", "Forbidden"],
        [send, "InvalidArgument", null],
        [invocation, "Refused", errors[2][2]],
        [send, "Aborted", null],
        [invocation, "Aborted", null],
        [other, "Aborted", null],
        [other, "AlreadyStarted", null],
        ["Forbidden", "Refused", "Forbidden"],
        [send, "NotStarted", null],
    ]);
    assert_eq!(errors, expected);
    page.browser.close().await
}

async fn streams_of_a_group_are_iterable(kind: Kind) -> anyhow::Result<()> {
    let page = Page::connected(kind, "iterable").await?;
    page.does(
        "window.seen = [];
         client.onGroupStream(async (stream) => {
             const fragments = [];
             try {
                 for await (const { data } of stream) fragments.push(data);
                 seen.push([stream.streamId, fragments]);
             } catch (error) {
                 seen.push([error.name, fragments]);
             }
         });
         const complete = await client.openGroupStream('stream', { streamId: 'complete' });
         for (let number = 1; number <= 3; number += 1) await complete.write(number, 'json');
         await complete.end();
         const failed = await client.openGroupStream('stream');
         window.failure = new Promise((done) => failed.onError(done));
         await failed.write('one', 'text');
         await failed.abort({ message: 'failed' });
         const silent = await client.openGroupStream('stream', { idleTimeoutInMs: 20 });
         window.failure = new Promise((done) => silent.onError(done));
         await silent.write('one', 'text')",
    )
    .await?;
    page.browser.until("seen.length === 3").await?;
    let expected = json!([["complete", [1, 2, 3]], ["UserError", ["one"]], ["IdleTimeout", ["one"]]]);
    assert_eq!(page.does("return seen").await?, expected);
    assert_eq!(page.does("return (await failure).name").await?, "IdleTimeout");
    // A reader that does not read does not fill the memory.
    page.does(
        "window.overflow = new Promise((done) => {
             client.onGroupStream((stream) => stream.abortSignal.addEventListener('abort', async () => {
                 const fragments = [];
                 try {
                     for await (const fragment of stream) fragments.push(fragment);
                 } catch (error) {
                     done([error.name, fragments.length]);
                 }
             }), { groupNames: ['stream'] });
         });
         const endless = await client.openGroupStream('stream');
         for (let number = 1; number <= 5000; number += 1) await endless.write(number, 'json')",
    )
    .await?;
    assert_eq!(page.does("return overflow").await?, json!(["Overflow", 4096]));
    page.browser.close().await
}

async fn options_limit_reconnection_and_waiting(kind: Kind) -> anyhow::Result<()> {
    let page = Page::open(kind, "options", &[]).await?;
    let proxy = TcpProxy::to(page.server.address()).await?;
    let negotiate = proxy.url("/negotiate");
    page.does(&format!(
        "await connect('{negotiate}', {{ groups: ['stream'], protocol: 'json', autoReconnect: false,
                                         messageRetryOptions: {{ maxRetries: 0 }} }})"
    ))
    .await?;
    proxy.drop_connections();
    page.browser.until("events.includes('stopped')").await?;
    assert_eq!(page.does("return events").await?, json!(["connected", "disconnected", "stopped"]));
    // A message that waits for a connection fails after the time of its retries, and is not sent later.
    page.does(
        "window.answer = undefined;
         window.waiting = new WebPubSubClient({ getClientAccessUrl: () => new Promise((done) => { window.answer = done }) },
             { groups: ['stream'], messageRetryOptions: { maxRetries: 2, retryDelayInMs: 10 } });
         waiting.on('group-message', ({ message }) => heard.push(message));
         window.started = waiting.start()",
    )
    .await?;
    page.browser.until("window.answer").await?;
    let late = "waiting.sendToGroup('stream', 'late', 'text').then(() => 'sent', (error) => error.code)";
    assert_eq!(page.does(&format!("return {late}")).await?, "NotConnected");
    let url = page.server.negotiate_url();
    page.does(&format!("answer((await (await fetch('{url}')).json()).url); await started")).await?;
    page.does("await waiting.sendToGroup('stream', 'in time', 'text')").await?;
    page.browser.until("heard.length > 0").await?;
    assert_eq!(page.does("return heard.map(({ data }) => data)").await?, json!(["in time"]));
    page.browser.close().await
}

async fn the_outbox_has_a_limit(kind: Kind) -> anyhow::Result<()> {
    let page = Page::open(kind, "waiting", &[]).await?;
    page.does("connect({ getClientAccessUrl: () => new Promise((done) => { window.answer = done }) }, { groups: ['stream'] })")
        .await?;
    // Of a hundred megabytes, the client accepts the in-flight window and the queue, and refuses the rest immediately.
    page.does(
        "const megabyte = 'x'.repeat(1_000_000);
         window.outcomes = [];
         for (let number = 0; number < 100; number += 1)
             client.sendToGroup('stream', megabyte, 'text').then(() => outcomes.push('sent'), () => outcomes.push('refused'))",
    )
    .await?;
    page.browser.until("outcomes.length > 0").await?;
    let refused = page.does("return outcomes.length").await?.as_u64().context("no number")?;
    assert!((20..40).contains(&refused), "{refused}");
    let url = page.server.negotiate_url();
    page.does(&format!("answer((await (await fetch('{url}')).json()).url)")).await?;
    page.browser.until("outcomes.length === 100").await?;
    let sent = page.does("return outcomes.filter((outcome) => outcome === 'sent').length").await?;
    assert_eq!(sent.as_u64(), Some(100 - refused));
    page.browser.close().await
}

#[tokio::test]
async fn a_client_without_references_runs_until_it_is_stopped() -> anyhow::Result<()> {
    let page = Page::open(Kind::Chromium, "unheld", &[]).await?;
    let negotiate = page.server.negotiate_url();
    page.does(&format!("await connect('{negotiate}', {{ groups: ['stream'] }}); window.client = undefined"))
        .await?;
    // Finalization callbacks run some time after garbage collection.
    page.does(
        "window.collected = new Promise((done) => { window.registry = new FinalizationRegistry(done) });
         registry.register({}, 1)",
    )
    .await?;
    page.browser.devtools("HeapProfiler.collectGarbage", json!({})).await?;
    page.does("await collected").await?;
    page.does(
        "const other = new WebPubSubClient(new URL(performance.getEntriesByType('resource').find(({ name }) => name.endsWith('/negotiate')).name).href);
         await other.start();
         await other.sendToGroup('stream', 'to nobody', 'text')",
    )
    .await?;
    page.browser.until("heard.some(({ data }) => data === 'to nobody')").await?;
    assert_eq!(page.does("return events").await?, json!(["connected"]));
    page.browser.close().await
}

/// Files of the package.
const FILES: [&str; 17] = [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "core-loader.js",
    "core.js",
    "core_bg.wasm",
    "errors.js",
    "group-stream-writer.js",
    "group-streams.js",
    "message-deadline.js",
    "node.js",
    "options.js",
    "package.json",
    "protocols.js",
    "snippets",
    "webpubsub-client.d.ts",
    "webpubsub-client.js",
];

#[tokio::test]
async fn the_package_is_complete_and_documents_its_api() -> anyhow::Result<()> {
    let application = Application::new("client-package").await?;
    let folder = application.package("webpubsub-client");
    let entries = folder.read_dir()?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut files = entries.collect::<anyhow::Result<Vec<String>>>()?;
    files.sort_unstable();
    assert_eq!(files, FILES);
    let read = |name: &str| std::fs::read_to_string(folder.join(name));
    let package: Value = serde_json::from_str(&read("package.json")?)?;
    for name in [&package["exports"]["."]["default"], &package["exports"]["."]["types"], &package["main"]] {
        let name = name.as_str().unwrap_or_default();
        assert!(name.starts_with("./") && folder.join(name).is_file(), "{name}");
    }
    let (types, readme) = (read("webpubsub-client.d.ts")?, read("README.md")?);
    let page = Page::open(Kind::Chromium, "names", &[]).await?;
    page.does(&format!("await connect('{}')", page.server.negotiate_url())).await?;
    let names = page
        .does(
            "return [client, await client.openGroupStream('stream')].flatMap((one) => Object.getOwnPropertyNames(Object.getPrototypeOf(one)))",
        )
        .await?;
    for code in types
        .split("type ErrorCode =")
        .nth(1)
        .and_then(|rest| rest.split(';').next())
        .unwrap_or_default()
        .split('"')
    {
        let is_code = code.chars().all(char::is_alphabetic);
        assert!(!is_code || readme.contains(&format!("`{code}`")), "{code} is not in the README");
    }
    let names = names.as_array().context("no names")?.iter().filter_map(Value::as_str);
    for name in names.filter(|name| !["constructor", "__destroy_into_raw"].contains(name)) {
        if name == "closed" {
            assert!(types.contains("readonly closed: Promise<void>;") && readme.contains("`closed`"));
            continue;
        }
        let has_type = types.lines().any(|line| {
            line.trim().strip_prefix(name).is_some_and(|rest| rest.starts_with('(') || rest.starts_with('<'))
        });
        assert!(has_type, "{name} has no type");
        assert!(readme.contains(&format!("`{name}(")), "{name} is not in the README");
    }
    let events = types.split("interface ClientEvents {").nth(1).and_then(|rest| rest.split("\n}").next());
    let events = events
        .context("no events")?
        .lines()
        .filter_map(|line| line.trim().strip_prefix('"')?.split('"').next());
    for name in events {
        assert!(readme.contains(&format!("`{name}`")), "{name} is not in the README");
    }
    page.browser.close().await
}

/// Returns the first JavaScript block of a Markdown file, with the endpoint and the group of the test.
fn snippet(markdown: &str) -> Option<String> {
    let block = markdown.split("```js\n").nth(1)?.split("```").next()?;
    let endpoint = "new URLSearchParams(location.search).get(\"negotiate\") ?? \"\"";
    Some(block.replace("\"/negotiate\"", endpoint).replace("\"chat\"", "\"stream\""))
}

#[tokio::test]
async fn the_examples_of_the_readmes_work_in_a_vite_build() -> anyhow::Result<()> {
    let application = Application::new("client-built").await?;
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = Some(std::fs::read_to_string(tests.join("bundled/client.ts"))?);
    for readme in [tests.join("../README.md"), application.package("webpubsub-client").join("README.md")] {
        assert_eq!(snippet(&std::fs::read_to_string(&readme)?), built, "{}", readme.display());
    }
    application.node("vite/bin/vite.js", &["build", "--logLevel", "warn"]).await?;
    let preview = application.preview().await?;
    let server = Server::start(&["--allow-origin", &preview.origin]).await?;
    let browser = Browser::start().await?;
    browser.open(&format!("{}/client.html?negotiate={}", preview.origin, server.negotiate_url())).await?;
    browser.until("document.title === '[\"stream\",{\"hello\":\"world\"}]'").await?;
    assert_eq!(browser.console_errors().await?, [""; 0]);
    browser.close().await
}
