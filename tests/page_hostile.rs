//! Hostile output: it is shown safely, and the page stays responsive.

use serde_json::{Value, json};
use tailcast_tests::viewer::Viewer;

/// Checks that the page responds to a key within a few frames.
async fn check_response(viewer: &Viewer) -> anyhow::Result<()> {
    let took = viewer
        .browser
        .run_async(
            "const start = performance.now();
             const press = () => dispatchEvent(new KeyboardEvent('keydown', { key: 't', bubbles: true }));
             press(); press(); press();
             requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)))",
        )
        .await?;
    anyhow::ensure!(took.as_f64().is_some_and(|ms| ms < 2_000.0), "the page took {took} ms to answer");
    Ok(())
}

/// Checks that the page renders frames without long gaps, for some seconds.
async fn check_frames(viewer: &Viewer, case: &str) -> anyhow::Result<()> {
    let longest = viewer
        .browser
        .run_async(
            "const start = performance.now();
             let last = start, longest = 0;
             const frame = () => {
               const now = performance.now();
               longest = Math.max(longest, now - last);
               last = now;
               if (now - start < 2000) requestAnimationFrame(frame); else done(longest);
             };
             requestAnimationFrame(frame)",
        )
        .await?;
    anyhow::ensure!(longest.as_f64().is_some_and(|ms| ms < 500.0), "{case}: {longest} ms without a frame");
    Ok(())
}

async fn last_text(viewer: &Viewer) -> anyhow::Result<Value> {
    viewer.value("[...document.querySelectorAll('#log .row .text')].at(-1).textContent").await
}

#[tokio::test]
async fn a_line_of_ten_megabytes_is_rendered_partially_and_stored_completely() -> anyhow::Result<()> {
    // Messages are limited to 1 MiB, and the streamer splits longer lines, so the line is read from a file.
    let viewer = Viewer::open("/").await?;
    let dropped = "const file = new File(['x'.repeat(10 << 20), '\\nafter\\n'], 'long.log');
        const data = new DataTransfer();
        data.items.add(file);
        document.querySelector('.lines').dispatchEvent(
            new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))";
    viewer.browser.run(dropped).await?;
    viewer.browser.until("document.querySelector('#log [data-from=notice]')").await?;
    let drawn = viewer
        .value(
            "Math.max(...[...document.querySelectorAll('#log .text')].map(text => text.textContent.length))",
        )
        .await?;
    assert_eq!(drawn, 4_000);
    let more = viewer.value("document.querySelector('#log .more').textContent").await?;
    assert!(more.as_str().is_some_and(|more| more.contains("more characters")), "{more}");
    check_response(&viewer).await?;
    assert_eq!(viewer.browser.console_errors().await?, [""; 0]);
    viewer.browser.close().await
}

#[tokio::test]
async fn a_million_empty_lines_can_be_scrolled() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    viewer.stream(&"\n".repeat(1_000_000), 1_000_000).await?;
    assert_eq!(viewer.value("document.querySelector('#line-count').dataset.dropped !== '0'").await?, true);
    assert!(viewer.value("document.querySelectorAll('#log *').length").await?.as_u64() < Some(1_000));
    check_response(&viewer).await?;
    viewer.browser.run("dispatchEvent(new KeyboardEvent('keydown', { key: 'Home' }))").await?;
    viewer.browser.until("!document.querySelector('#log .top-row').hidden").await?;
    viewer.browser.close().await
}

#[tokio::test]
async fn deceptive_characters_are_visible_and_stay_in_their_row() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    let pile = format!("pile e{} end", "\u{301}".repeat(2_000));
    let lines = format!(
        "user\u{202e}gnp.exe\nzero\u{200b}width\u{feff} nul\0 bell\u{7}\n{pile}\n日本語 한국어 👩‍👩‍👧 flag 🇪🇺\nlast\n"
    );
    viewer.stream(&lines, 5).await?;
    let texts =
        viewer.value("[...document.querySelectorAll('#log .text')].map(text => text.textContent)").await?;
    let texts: Vec<String> = serde_json::from_value(texts)?;
    let [bidi, hidden, pile, wide, last] = &texts[..] else { anyhow::bail!("{texts:?}") };
    assert_eq!(bidi, "user<U+202E>gnp.exe");
    assert_eq!(hidden, "zero<U+200B>width<U+FEFF> nul␀ bell␇");
    assert!(pile.ends_with("<1984 more combining> end"), "{pile}");
    assert_eq!((wide.as_str(), last.as_str()), ("日本語 한국어 👩‍👩‍👧 flag 🇪🇺", "last"));
    let heights = viewer
        .value("[...document.querySelectorAll('#log .row')].map(row => row.getBoundingClientRect().height)")
        .await?;
    let heights: Vec<f64> = serde_json::from_value(heights)?;
    assert!(heights.windows(2).all(|pair| pair.first() == pair.last()), "{heights:?}");
    check_response(&viewer).await?;
    viewer.browser.close().await
}

#[tokio::test]
async fn escape_sequences_affect_only_the_style_of_text() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    let title = viewer.value("document.title").await?;
    let hostile = [
        "\u{1b}]0;owned\u{7}title",
        "\u{1b}]52;c;b3duZWQ=\u{7}clipboard",
        "\u{1b}[6n\u{1b}[c\u{1b}[>c\u{1b}Zqueries",
        "\u{1b}[2J\u{1b}[H\u{1b}[1;1H\u{1b}[?1049hcursor",
        "\u{1b}]8;;javascript:alert(1)\u{7}link\u{1b}]8;;\u{7}",
        "\u{1b}P+q544e\u{1b}\\\u{1b}_apc\u{1b}\\device",
        "\u{1b}[38;2;999999999999;\u{1b}[31;31;31;31;31;31;31;31mnested",
        "\u{1b}[9999999999Cfar",
        "unfinished \u{1b}]0;never ended",
        "after",
    ];
    viewer.stream(&(hostile.join("\n") + "\n"), hostile.len()).await?;
    let texts = viewer
        .value("[...document.querySelectorAll('#log .text')].map(text => text.textContent.trim())")
        .await?;
    let texts: Vec<String> = serde_json::from_value(texts)?;
    let shown: Vec<&str> = texts.iter().map(String::as_str).collect();
    // `far` is beyond the rendered part of a long line.
    assert_eq!(
        shown,
        ["title", "clipboard", "queries", "cursor", "link", "device", "nested", "", "unfinished", "after"]
    );
    assert_eq!(viewer.value("document.title").await?, title);
    assert_eq!(viewer.value("document.querySelectorAll('#log a').length").await?, 0);
    assert_eq!(viewer.browser.console_errors().await?, [""; 0]);
    viewer.browser.close().await
}

#[tokio::test]
async fn a_link_with_a_hostile_expression_does_not_block_the_page() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    let mut publisher = viewer.server.connect("publisher").await?;
    for (ack_id, line) in
        [(1, "a".repeat(1_000_000)), (2, "й".repeat(500_000)), (3, "a b c \n".repeat(20_000))]
    {
        let message = json!({"type": "sendToGroup", "group": "stream", "dataType": "text", "data": line, "ackId": ack_id});
        publisher.ask(&message.to_string()).await?;
    }
    for (case, expression) in [
        ("nested repeats", "([a-c ]{0,30}){0,30}z"),
        ("nested repeats, as they were", "([a-c ]{0,30}){0,40}z"),
        (
            "alternatives",
            &format!("({}){{0,9}}z", ["a", "b", "aa", "ab", "ba", "й", "йй", "c"].join("|").repeat(2)),
        ),
        ("Unicode classes", r"(\w+\s?){20}z"),
        ("word boundaries", r"\b(\w|й)+\b.*z\b"),
        ("a search to the end for each match", "a.*z|a|й.*z|й"),
        ("empty matches", "(z*)*"),
        ("ranges of all letters", "[!-\u{ffff}]+[!-\u{ffff}]+z"),
    ] {
        let encoded: String = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for show in ["hits", "rest", "all"] {
            viewer.browser.open(&viewer.server.url(&format!("/?regex=1&show={show}&find={encoded}"))).await?;
            check_frames(&viewer, &format!("{case}, show={show}")).await?;
            check_response(&viewer).await?;
        }
        let next = "document.querySelector('#find input').dispatchEvent(
            new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }))";
        for _ in 0..3 {
            viewer.browser.run(next).await?;
            check_response(&viewer).await?;
        }
    }
    viewer.browser.close().await
}

#[tokio::test]
async fn a_slow_search_pattern_does_not_block_the_page() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    let line = "a".repeat(2_000) + "!\n";
    viewer.stream(&(line.repeat(2_000) + "end\n"), 2_001).await?;
    let look_for = |pattern: &str| {
        format!(
            "const field = document.querySelector('#find input');
             field.value = {};
             field.dispatchEvent(new Event('input', {{ bubbles: true }}))",
            Value::from(pattern)
        )
    };
    viewer.browser.run("document.querySelector('#find [aria-label=\"Regular expression\"]').click()").await?;
    for pattern in ["(a+)+$", "(a|aa)+$", "(a*)*b", "(.*a){20}$"] {
        viewer.browser.run(&look_for(pattern)).await?;
        check_response(&viewer).await?;
        viewer.browser.until("document.querySelector('#find').dataset.counting === 'false'").await?;
    }
    viewer.browser.run(&look_for("((((a{100}){100}){100}){100})")).await?;
    viewer
        .browser
        .until("document.querySelector('#find .wrong').textContent.includes('Invalid pattern')")
        .await?;
    check_response(&viewer).await?;
    assert_eq!(last_text(&viewer).await?, "end");
    viewer.browser.close().await
}
