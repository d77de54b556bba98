//! Methods of the element.

use serde_json::json;
use tailcast_tests::{browser::Kind, embedding::Embedding};

const ELEMENT: &str = "<tail-cast negotiate=NEGOTIATE></tail-cast>";
/// Makes the page record downloads instead of saving them.
const KEEP_FILES: &str = "window.files = [];
    const make = URL.createObjectURL;
    URL.createObjectURL = (blob) => { files.push({ blob }); return make.call(URL, blob); };
    HTMLAnchorElement.prototype.click = function () { files.at(-1).name = this.download; }";

tailcast_tests::in_every_browser! {
    calls_before_the_start_are_queued,
    pause_stops_following_and_resume_restarts_it,
    append_adds_lines_and_clear_removes_them,
    search_supports_text_and_regular_expressions,
    download_saves_a_file,
    download_waits_for_a_running_search,
    send_resolves_on_acknowledgement_and_rejects_with_the_reason,
}

async fn calls_before_the_start_are_queued(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    page.until("customElements.get('tail-cast')").await?;
    page.run(
        "const one = Object.assign(document.createElement('tail-cast'), { negotiate: 'NEGOTIATE' });
         one.append('first\\nsecond'); one.pause(); one.search('second');
         window.sent = one.send('sent early').then(() => 'sent', String);
         document.body.append(one)",
    )
    .await?;
    page.until("rows().includes('sent early')").await?;
    assert_eq!(page.value("rows()").await?, json!(["first", "second", "sent early"]));
    assert_eq!(
        page.value("[part('#find').dataset.hits, Boolean(part('#resume'))]").await?,
        json!(["1", true])
    );
    assert_eq!(page.browser.run_async("sent.then(done)").await?, "sent");
    page.close_without_errors().await
}

async fn pause_stops_following_and_resume_restarts_it(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, ELEMENT).await?;
    let many: String = (0..500).map(|number| format!("line {number}\n")).collect();
    page.stream(&many).await?;
    page.run("element().pause()").await?;
    page.stream_to("stream", &format!("{}news\n", "more\n".repeat(199))).await?;
    page.until("part('#resume')?.dataset.new === '200'").await?;
    assert_eq!(page.value("rows().includes('news')").await?, false);
    page.run("element().resume()").await?;
    page.until("!part('#resume') && rows().includes('news')").await?;
    assert_eq!(page.value("document.activeElement.tagName").await?, "BODY", "the focus stays where it was");
    page.close_without_errors().await
}

async fn append_adds_lines_and_clear_removes_them(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, ELEMENT).await?;
    page.stream("from the service\n").await?;
    page.run("element().append('<b>ours</b>\\nand \\x1b[1mbold\\x1b[0m')").await?;
    page.until("rows().length === 3").await?;
    assert_eq!(page.value("rows()").await?, json!(["from the service", "<b>ours</b>", "and bold"]));
    page.run("element().clear()").await?;
    page.until("rows().length === 0").await?;
    assert_eq!(page.value("({ ...part('#line-count').dataset }).held").await?, "0");
    page.stream("a new one\n").await?;
    assert_eq!(page.value("rows()").await?, json!(["a new one"]));
    page.close_without_errors().await
}

async fn search_supports_text_and_regular_expressions(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, ELEMENT).await?;
    page.stream("a.b\nAxB\naxb\nrest\n").await?;
    for (call, hits, rows) in [
        ("search('a.b')", json!("1"), 4),
        ("search('AXB')", json!("2"), 4),
        ("search('AxB', { caseSensitive: true })", json!("1"), 4),
        ("search(/a.b/)", json!("2"), 4),
        ("search(/a.b/i)", json!("3"), 4),
        ("search('a.b', { regex: true, show: 'hits' })", json!("3"), 3),
        ("search('a.b', { regex: true, show: 'rest' })", json!("3"), 1),
        ("search()", json!("0"), 4),
    ] {
        page.run(&format!("element().{call}")).await?;
        page.until(&format!("rows().length === {rows} && (part('#find').dataset.hits ?? null) === {hits}"))
            .await?;
    }
    page.close_without_errors().await
}

async fn download_saves_a_file(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, ELEMENT).await?;
    page.stream("INFO one\nERROR two\n").await?;
    page.run(KEEP_FILES).await?;
    page.run("element().levels = 'error'").await?;
    page.until("rows().length === 1").await?;
    page.run("element().download(); element().download({ scope: 'held', format: 'json' })").await?;
    let files = page
        .browser
        .run_async(
            "Promise.all(files.map(async ({ blob, name }) => [name, (await blob.text()).replace(/\"time\":\"[^\"]*\"/g, 'T')])).then(done)",
        )
        .await?;
    assert_eq!(
        files,
        json!([
            ["tailcast.log", "ERROR two\n"],
            [
                "tailcast.jsonl",
                "{T,\"level\":\"info\",\"source\":\"group\",\"text\":\"INFO one\"}\n{T,\"level\":\"error\",\"source\":\"group\",\"text\":\"ERROR two\"}\n"
            ]
        ])
    );
    page.close_without_errors().await
}

async fn download_waits_for_a_running_search(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, ELEMENT).await?;
    page.run(KEEP_FILES).await?;
    // Many more lines than one slice of the search.
    page.run(
        "element().append(Array.from({ length: 100_000 }, (_, at) => `line ${at} ${'.'.repeat(90)}`).join('\\n'));
         element().search('line 99999', { show: 'hits' });
         element().download()",
    )
    .await?;
    let file = page.browser.run_async("files[0].blob.text().then(done)").await?;
    assert_eq!(file, format!("line 99999 {}\n", ".".repeat(90)));
    page.close_without_errors().await
}

async fn send_resolves_on_acknowledgement_and_rejects_with_the_reason(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, ELEMENT).await?;
    let sent = page
        .browser
        .run_async("element().send('hello').then(() => done('sent'), (error) => done(String(error)))");
    assert_eq!(sent.await?, "sent");
    page.until("rows().includes('hello')").await?;
    // The token of a viewer does not permit publishing.
    page.run("element().negotiate = 'NEGOTIATE?role=viewer'").await?;
    page.until("heard.filter(({ name }) => name === 'connected').length === 2 && state() === 'connected'")
        .await?;
    let refused = page
        .browser
        .run_async("element().send('no').then(() => done('sent'), (error) => done(String(error)))");
    let refused = refused.await?.to_string();
    assert!(refused.contains("does not have permission"), "{refused}");
    // Lines without an acknowledgement are reported when the element is removed.
    let gone = page
        .browser
        .run_async("const sent = element().send('x'.repeat(1000)); element().remove(); sent.then(() => done('sent'), (error) => done(String(error)))")
        .await?
        .to_string();
    assert!(gone.contains("was removed"), "{gone}");
    page.browser.close().await
}
