//! Attributes and properties of the element.

use serde_json::{Value, json};
use tailcast_tests::{browser::Kind, embedding::Embedding};

tailcast_tests::in_every_browser! {
    attributes_and_properties_reflect_each_other,
    negotiate_url_and_user_id_configure_the_connection,
    group_and_subprotocol_can_change_while_connected,
    max_lines_limits_the_stored_lines,
    display_attributes_apply_immediately,
    filter_shows_only_matching_lines,
    publish_shows_the_composer_and_readonly_hides_it,
}

/// Returns each attribute with a value, and the expected value of its property.
fn attributes() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    vec![
        ("negotiate", "negotiate", "/negotiate", json!("/negotiate")),
        ("url", "url", "ws://h/client/hubs/x", json!("ws://h/client/hubs/x")),
        ("group", "group", "a,b", json!("a,b")),
        ("user-id", "userId", "ada", json!("ada")),
        ("subprotocol", "subprotocol", "json", json!("json")),
        ("max-lines", "maxLines", "50", json!(50)),
        ("max-mib", "maxMib", "5", json!(5)),
        ("publish", "publish", "", json!(true)),
        ("readonly", "readonly", "", json!(true)),
        ("follow", "follow", "0", json!(false)),
        ("wrap", "wrap", "", json!(true)),
        ("theme", "theme", "dark", json!("dark")),
        ("time", "time", "clock", json!("clock")),
        ("marks", "marks", "timeout", json!("timeout")),
        ("speak", "speak", "", json!(true)),
        ("columns", "columns", "a,b", json!("a,b")),
        ("context", "context", "3", json!(3)),
        ("find", "find", "word", json!("word")),
        ("filter", "filter", "word", json!("word")),
        ("levels", "levels", "error", json!("error")),
        ("toolbar", "toolbar", "none", json!("none")),
    ]
}

async fn attributes_and_properties_reflect_each_other(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    page.until("customElements.get('tail-cast')").await?;
    let observed = page.value("customElements.get('tail-cast').observedAttributes.toSorted()").await?;
    let mut names: Vec<_> = attributes().into_iter().map(|(attribute, ..)| attribute).collect();
    names.sort_unstable();
    assert_eq!(observed, json!(names), "all are tried here");
    for (attribute, property, value, meant) in attributes() {
        page.run("window.one = document.createElement('tail-cast')").await?;
        let usual = page.value(&format!("one.{property}")).await?;
        page.run(&format!("one.setAttribute('{attribute}', '{value}')")).await?;
        assert_eq!(page.value(&format!("one.{property}")).await?, meant, "{attribute}");
        page.run(&format!("one.removeAttribute('{attribute}')")).await?;
        assert_eq!(page.value(&format!("one.{property}")).await?, usual, "{attribute}, taken away");
        page.run(&format!("one.{property} = {meant}")).await?;
        assert_eq!(page.value(&format!("one.getAttribute('{attribute}')")).await?, value, "{property}");
        page.run(&format!("one.{property} = {usual}")).await?;
        assert_eq!(
            page.value(&format!("one.hasAttribute('{attribute}')")).await?,
            false,
            "{property}, as usual"
        );
    }
    page.close_without_errors().await
}

async fn negotiate_url_and_user_id_configure_the_connection(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    let service = page.server.negotiate("grace").await?;
    // An endpoint on the page's host, with a relative URL.
    page.host.put("/deep/negotiate", "application/json", json!({ "url": service }).to_string());
    page.show("<tail-cast negotiate='deep/negotiate'></tail-cast>").await?;
    page.connected(0).await?;
    assert_eq!(page.value("part('#status').dataset.userId").await?, "grace");
    page.show(&format!("<tail-cast url='{service}'></tail-cast>")).await?;
    page.connected(0).await?;
    assert_eq!(page.value("part('#status').dataset.userId").await?, "grace");
    page.stream("direct\n").await?;
    // Another endpoint opens another connection.
    page.run("element().userId = 'ada'; element().url = null; element().negotiate = 'NEGOTIATE'").await?;
    page.until("part('#status')?.dataset.userId === 'ada' && state() === 'connected'").await?;
    page.wait_for_connections(1).await?;
    page.close_without_errors().await
}

async fn group_and_subprotocol_can_change_while_connected(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, "<tail-cast negotiate=NEGOTIATE group=build-42></tail-cast>").await?;
    page.stream_to("other", "not for us\n").await?;
    page.stream_to("build-42", "for us\n").await?;
    page.until("rows().length > 0").await?;
    assert_eq!(page.value("rows()").await?, json!(["for us"]));
    assert_eq!(page.subprotocols().await?, ["json.reliable.webpubsub.azure.v1"]);
    page.run("element().setAttribute('group', 'other'); element().subprotocol = 'json'").await?;
    page.until("heard.filter(({ name }) => name === 'connected').length === 2 && state() === 'connected'")
        .await?;
    assert_eq!(page.value("sockets").await?, 2, "both changes made one connection");
    assert_eq!(page.subprotocols().await?, ["json.webpubsub.azure.v1"]);
    page.stream_to("other", "for us now\n").await?;
    page.until("rows().includes('for us now')").await?;
    page.close_without_errors().await
}

async fn max_lines_limits_the_stored_lines(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, "<tail-cast negotiate=NEGOTIATE max-lines=1000></tail-cast>").await?;
    let many: String = (0..20_000).map(|number| format!("line {number}\n")).collect();
    page.stream(&many).await?;
    let counts = page.value("({ ...part('#line-count').dataset })").await?;
    let count = |name: &str| counts[name].as_str().and_then(|count| count.parse::<u64>().ok());
    assert_eq!(count("received"), Some(20_000), "{counts}");
    assert!(count("held") <= Some(1000) && count("dropped") >= Some(19_000), "{counts}");
    page.close_without_errors().await
}

async fn display_attributes_apply_immediately(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(
        kind,
        "<tail-cast negotiate=NEGOTIATE follow=0 wrap theme=dark levels=error toolbar=none time=clock find=boom marks=503></tail-cast>",
    )
    .await?;
    let long = "x".repeat(400);
    page.stream(&format!("INFO fine\nERROR 503 boom {long}\nERROR again\n")).await?;
    let shown = "({
        rows: rows().map((text) => text.slice(0, 11)),
        isPaused: Boolean(part('#resume')),
        isWrapped: part('#log').scrollWidth <= part('#log').clientWidth,
        paper: getComputedStyle(part('.tailcast')).backgroundColor,
        header: getComputedStyle(part('header')).display,
        find: getComputedStyle(part('#find')).display,
        hits: part('#find').dataset.hits,
        hasTime: /\\d:\\d\\d/.test(part('#log .gutter').textContent),
    })";
    assert_eq!(
        page.value(shown).await?,
        json!({
            "rows": ["ERROR 503 b", "ERROR again"], "isPaused": true, "isWrapped": true, "paper": "rgb(14, 17, 19)",
            "header": "none", "find": "none", "hits": "1", "hasTime": true,
        })
    );
    page.run(
        "for (const name of ['wrap', 'levels', 'toolbar', 'time', 'find']) element().removeAttribute(name);
         element().theme = 'light'; element().follow = true",
    )
    .await?;
    page.wait_for_frame().await?;
    assert_eq!(
        page.value(shown).await?,
        json!({
            "rows": ["INFO fine", "ERROR 503 b", "ERROR again"], "isPaused": false, "isWrapped": false,
            "paper": "rgb(255, 255, 255)", "header": "flex", "find": "flex", "hits": "0", "hasTime": false,
        })
    );
    for (toolbar, header, find) in
        [("find", "none", "flex"), ("status", "flex", "none"), ("full", "flex", "flex")]
    {
        page.run(&format!("element().toolbar = '{toolbar}'")).await?;
        let displays = "[part('header'), part('#find')].map((one) => getComputedStyle(one).display)";
        assert_eq!(page.value(displays).await?, json!([header, find]), "{toolbar}");
    }
    page.close_without_errors().await
}

async fn filter_shows_only_matching_lines(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, "<tail-cast negotiate=NEGOTIATE filter=keep></tail-cast>").await?;
    page.stream("keep this\ndrop that\nkeep it\n").await?;
    assert_eq!(page.value("rows()").await?, json!(["keep this", "keep it"]));
    page.run("element().filter = 'drop'").await?;
    page.until("rows().join() === 'drop that'").await?;
    page.run("element().context = 1").await?;
    page.until("rows().length === 3").await?;
    page.run("element().context = null").await?;
    page.until("rows().join() === 'drop that'").await?;
    page.run("element().filter = null").await?;
    page.until("rows().length === 3").await?;
    page.close_without_errors().await
}

async fn publish_shows_the_composer_and_readonly_hides_it(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, "<tail-cast negotiate=NEGOTIATE></tail-cast>").await?;
    assert_eq!(page.value("part('#composer')").await?, Value::Null);
    page.run("element().publish = true").await?;
    page.until("part('#composer') && state() === 'connected'").await?;
    // Simulates typing.
    let type_line = "const field = part('#composer input'); field.value = 'typed';
        field.dispatchEvent(new Event('input', { bubbles: true }));";
    page.run(&format!("{type_line} part('#composer button').click()")).await?;
    page.until("rows().includes('typed')").await?;
    page.run("element().readonly = true").await?;
    page.until("state() === 'connected' && !part('#composer')").await?;
    page.close_without_errors().await
}
