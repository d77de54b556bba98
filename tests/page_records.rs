//! Records: a stack trace belongs to its error for the filter, for folding, copying and going to errors.

use anyhow::Context;
use fantoccini::Locator;
use serde_json::{Value, json};
use tailcast_tests::{browser::Kind, viewer::Viewer};

/// Nine lines: three of an error, two of a Python error.
const LOG: &str = "10:00:00 INFO start
10:00:01 ERROR request failed
java.lang.IllegalStateException: no pool
\tat com.x.Pool.get(Pool.java:10)
10:00:02 INFO next
Traceback (most recent call last):
  File \"a.py\", line 1, in <module>
ValueError: bad
10:00:03 INFO end
";

const TEXTS: &str =
    "[...document.querySelectorAll('#log .row:not([hidden]) .text')].map(text => text.textContent)";

async fn press(viewer: &Viewer, key: &str) -> anyhow::Result<()> {
    viewer.browser.client().find(Locator::Css("#log")).await?.send_keys(key).await?;
    viewer.wait_for_frame().await
}

async fn search(viewer: &Viewer, pattern: &str) -> anyhow::Result<()> {
    let field = viewer.browser.client().find(Locator::Css("#find input")).await?;
    field.clear().await?;
    field.send_keys(pattern).await?;
    viewer.browser.until("document.querySelector('#find').dataset.counting === 'false'").await
}

/// Waits until the rows are these lines of [`LOG`], counted from 1.
async fn until_lines(viewer: &Viewer, lines: &[usize]) -> anyhow::Result<()> {
    let all: Vec<&str> = LOG.lines().collect();
    let expected: Option<Vec<&str>> = lines.iter().map(|line| all.get(line - 1).copied()).collect();
    let expected = Value::from(expected.context("no such line")?).to_string();
    viewer.browser.until(&format!("JSON.stringify({TEXTS}) === JSON.stringify({expected})")).await
}

tailcast_tests::in_every_browser! {
    a_filter_shows_whole_records,
    a_record_is_folded_and_copied_as_a_whole,
}

async fn a_filter_shows_whole_records(kind: Kind) -> anyhow::Result<()> {
    let viewer = Viewer::open_in(kind, "/").await?;
    viewer.stream(LOG, 9).await?;
    viewer.browser.run("document.querySelector('button[data-level=error]').click()").await?;
    until_lines(&viewer, &[2, 3, 4, 6, 7, 8]).await?;
    viewer.browser.run("document.querySelector('button[data-level=error]').click()").await?;
    search(&viewer, "Pool.java").await?;
    press(&viewer, "&").await?;
    until_lines(&viewer, &[2, 3, 4]).await?;
    // Lines around matches.
    press(&viewer, "a").await?;
    until_lines(&viewer, &[1, 2, 3, 4, 5, 6]).await?;
    viewer.go("/?find=ValueError&show=hits&context=1").await?;
    until_lines(&viewer, &[5, 6, 7, 8, 9]).await?;
    press(&viewer, "&").await?;
    until_lines(&viewer, &[1, 2, 3, 4, 5, 9]).await?;
    viewer.browser.close().await
}

async fn a_record_is_folded_and_copied_as_a_whole(kind: Kind) -> anyhow::Result<()> {
    let viewer = Viewer::open_in(kind, "/").await?;
    viewer.stream(LOG, 9).await?;
    // The first record in view, and then by the note behind it.
    press(&viewer, "f").await?;
    until_lines(&viewer, &[1, 2, 5, 6, 7, 8, 9]).await?;
    assert_eq!(viewer.value("document.querySelector('#log .folded').textContent").await?, "… 2 more lines");
    // A copy has the folded lines.
    let copy = "(() => {
        const range = document.createRange();
        const [first, last] = [...document.querySelectorAll('#log .row:not([hidden]) .text')].slice(1, 3);
        getSelection().setBaseAndExtent(first, 0, last, last.childNodes.length);
        document.dispatchEvent(new Event('selectionchange'));
        let copied = null;
        addEventListener('copy', (event) => { copied = event.clipboardData.getData('text/plain'); }, { once: true });
        document.dispatchEvent(new ClipboardEvent('copy', { clipboardData: new DataTransfer(), bubbles: true, cancelable: true }));
        return copied;
    })()";
    let expected: String = LOG.lines().skip(1).take(4).collect::<Vec<_>>().join("\n");
    assert_eq!(viewer.value(copy).await?, json!(expected));
    viewer
        .browser
        .run("getSelection().removeAllRanges(); document.querySelector('#log .folded').click()")
        .await?;
    until_lines(&viewer, &[1, 2, 3, 4, 5, 6, 7, 8, 9]).await?;
    press(&viewer, "u").await?;
    until_lines(&viewer, &[1, 2, 5, 6, 9]).await?;
    // The next match unfolds its record.
    search(&viewer, "Pool.java").await?;
    press(&viewer, "n").await?;
    until_lines(&viewer, &[1, 2, 3, 4, 5, 6, 9]).await?;
    search(&viewer, " ").await?;
    viewer.browser.run("getSelection().removeAllRanges()").await?;
    press(&viewer, "\u{e00c}").await?;
    press(&viewer, "u").await?;
    until_lines(&viewer, &[1, 2, 3, 4, 5, 6, 7, 8, 9]).await?;
    // Errors, one after the other, and around.
    let current = "document.querySelector('#log .row[data-current] .text')?.textContent";
    for (key, line) in [("e", 2), ("e", 6), ("e", 2), ("E", 6)] {
        press(&viewer, key).await?;
        let text = Value::from(LOG.lines().nth(line - 1).context("no such line")?).to_string();
        viewer.browser.until(&format!("{current} === {text}")).await.with_context(|| key.to_owned())?;
    }
    viewer.browser.close().await
}

#[tokio::test]
async fn stack_traces_of_a_busy_log_are_grouped_once_it_is_quiet() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    let lines: String =
        (0..20_000).map(|number| format!("ERROR {number}\n\tat a({number})\n\tat b\n")).collect();
    viewer.stream(&lines, 60_000).await?;
    viewer.browser.until("document.querySelectorAll('#log .fold').length > 3").await?;
    press(&viewer, "u").await?;
    viewer
        .browser
        .until("document.querySelector('#line-count').textContent.includes('20,000 of 60,000')")
        .await?;
    assert_eq!(viewer.browser.console_errors().await?, [""; 0]);
    Ok(())
}
