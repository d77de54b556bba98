//! The page while lines are written: unfinished ones, colours, sources.

use serde_json::{Value, json};
use tailcast_tests::{
    command::run, environment::tailcast, server::Server, streamer::Streamer, viewer::Viewer,
};

/// Returns a condition: the rows are these.
fn rows_are(rows: &[&str]) -> String {
    let rows = Value::from(rows);
    format!(
        "JSON.stringify([...document.querySelectorAll('#log .row .text')].map(text => text.textContent)) === JSON.stringify({rows})"
    )
}

async fn publish(server: &Server, text: &str) -> anyhow::Result<()> {
    let mut client = server.connect("publisher").await?;
    let request =
        json!({"type": "sendToGroup", "group": "stream", "dataType": "text", "data": text, "ackId": 1});
    let ack = client.ask(&request.to_string()).await?;
    anyhow::ensure!(ack.get("success") == Some(&true.into()), "{ack}");
    Ok(())
}

async fn stream(viewer: &Viewer, input: &[u8]) -> anyhow::Result<()> {
    let arguments = ["stream", "--negotiate", &viewer.server.negotiate_url()];
    let ended = run(&tailcast()?, &arguments, input).await?;
    anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
    Ok(())
}

#[tokio::test]
async fn prompts_and_progress_are_shown_before_the_line_feed_on_one_row() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    let mut streamer = Streamer::start(&viewer.server.negotiate_url(), &[])?;
    streamer.write("start\nContinue? [y/N] ").await?;
    viewer.browser.until(&rows_are(&["start", "Continue? [y/N] "])).await?;
    publish(&viewer.server, "of another publisher").await?;
    viewer.browser.until(&rows_are(&["start", "Continue? [y/N] ", "of another publisher"])).await?;
    streamer.write("y\n").await?;
    viewer.browser.until(&rows_are(&["start", "Continue? [y/N] y", "of another publisher"])).await?;
    for percent in ["10%", "20%"] {
        streamer.write(&format!("\r{percent} done")).await?;
        let shown = format!("{percent} done");
        viewer
            .browser
            .until(&rows_are(&["start", "Continue? [y/N] y", "of another publisher", &shown]))
            .await?;
    }
    streamer.write("\n").await?;
    streamer.end_input();
    assert_eq!(streamer.wait_for_exit().await?, (Some(0), String::new()));
    let received = viewer.value("document.querySelector('#line-count').dataset.received").await?;
    assert_eq!(received, "4");
    viewer.browser.close().await
}

#[tokio::test]
async fn a_filter_follows_a_line_as_it_changes() -> anyhow::Result<()> {
    let viewer = Viewer::open("/?find=done&show=hits").await?;
    let mut streamer = Streamer::start(&viewer.server.negotiate_url(), &[])?;
    streamer.write("all done\n50%").await?;
    viewer.browser.until("document.querySelector('#line-count').dataset.received === '2'").await?;
    viewer.browser.until(&rows_are(&["all done"])).await?;
    streamer.write("\rdone\n").await?;
    viewer.browser.until(&rows_are(&["all done", "done"])).await?;
    viewer.browser.close().await
}

#[tokio::test]
async fn a_command_that_ends_in_red_does_not_colour_the_next_one() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    stream(&viewer, b"\x1b[1;31mbuild failed (killed before reset)\n").await?;
    stream(&viewer, b"second command: plain\n").await?;
    // Sent by a program that does not close its colours.
    publish(&viewer.server, "\u{1b}[44mopen").await?;
    publish(&viewer.server, "plain").await?;
    viewer
        .browser
        .until(&rows_are(&["build failed (killed before reset)", "second command: plain", "open", "plain"]))
        .await?;
    let styled = viewer
        .value(
            "[...document.querySelectorAll('#log .text')].map(text => text.querySelector('span') !== null)",
        )
        .await?;
    assert_eq!(styled, json!([true, false, true, false]));
    viewer.browser.close().await
}

#[tokio::test]
async fn a_final_line_feed_is_no_row() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    for text in ["one\n", "two\n\n", "", "\n", "three\r\n"] {
        publish(&viewer.server, text).await?;
    }
    viewer.browser.until(&rows_are(&["one", "two", "", "", "", "three"])).await?;
    let received = viewer.value("document.querySelector('#line-count').dataset.received").await?;
    assert_eq!(received, "6");
    viewer.browser.close().await
}

#[tokio::test]
async fn files_are_sources_with_levels_json_and_switches() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    let folder = std::env::temp_dir().join(format!("tailcast-live-lines-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let (json_log, text_log) = (folder.join("api.log"), folder.join("db.log"));
    std::fs::write(&json_log, "{\"level\":\"error\",\"msg\":\"json\"}\n\u{1b}[41mred\n")?;
    std::fs::write(&text_log, "WARN slow\nplain\n")?;
    let url = viewer.server.negotiate_url();
    let tail = Streamer::start_as(
        "tail",
        &["--negotiate", &url, &json_log.to_string_lossy(), &text_log.to_string_lossy()],
    )?;
    viewer
        .browser
        .until(&rows_are(&[r#"{"level":"error","msg":"json"}"#, "red", "WARN slow", "plain"]))
        .await?;
    let rows = viewer
        .value(
            "[...document.querySelectorAll('#log .row')].map(row => [row.querySelector('.tag')?.textContent, row.dataset.level ?? '',
                 row.querySelector('.fold') !== null, row.querySelector('.text span') !== null])",
        )
        .await?;
    assert_eq!(
        rows,
        json!([
            ["api.log", "error", true, false],
            ["api.log", "", false, true],
            ["db.log", "warning", false, false],
            ["db.log", "", false, false]
        ])
    );
    let switches = viewer
        .value("[...document.querySelectorAll('#sources .source')].map(source => source.textContent)")
        .await?;
    assert_eq!(switches, json!(["api.log", "db.log"]));
    viewer.browser.run("document.querySelector('#sources .source').click()").await?;
    viewer.browser.until(&rows_are(&["WARN slow", "plain"])).await?;
    tail.signal("TERM").await?;
    assert_eq!(tail.wait_for_exit().await?.0, Some(0));
    std::fs::remove_dir_all(&folder)?;
    viewer.browser.close().await
}

#[tokio::test]
async fn a_dropped_file_in_utf_16_becomes_text() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    let script = "const bytes = [0xff, 0xfe]; for (const unit of 'größe\\n日本𝄞\\n') for (let at = 0; at < unit.length; at += 1) {
             const code = unit.charCodeAt(at); bytes.push(code & 255, code >> 8); }
         const data = new DataTransfer(); data.items.add(new File([new Uint8Array(bytes)], 'utf16.log'));
         data.items.add(new File([new Uint8Array([0xef, 0xbb, 0xbf, 0x6f, 0x6b, 0x0a])], 'utf8.log'));
         document.querySelector('#log').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))";
    viewer.browser.run(script).await?;
    viewer
        .browser
        .until(&rows_are(&["größe", "日本𝄞", "opened utf16.log, 2 lines", "ok", "opened utf8.log, 1 line"]))
        .await?;
    viewer.browser.close().await
}
