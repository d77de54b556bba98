//! Addresses of lines and views, and reloads.

use anyhow::Context;
use tailcast_tests::{
    browser::Browser,
    streamer::{Streamer, stream},
};

use super::{PRESS_HOME, ROWS, numbered, received, server_with_page};

#[tokio::test]
async fn a_reload_keeps_the_place_the_search_and_the_filter() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    let lines: String = (1..=2_000)
        .map(|number| format!("{} line {number}\n", if number % 2 == 0 { "ERROR even" } else { "info odd" }))
        .collect();
    stream(&server, &[], &lines).await?;
    browser.open(&server.url("/")).await?;
    browser.until(&received(2_000)).await?;
    browser
        .run(
            "const field = document.querySelector('[aria-label=Find]');
             field.value = 'even line 1';
             field.dispatchEvent(new Event('input', { bubbles: true }));
             document.querySelector('button[data-level=error]').click();
             return field.value",
        )
        .await?;
    browser.until("document.querySelector('#line-count').textContent.includes('1,000 of 2,000')").await?;
    browser
        .run(
            "const log = document.querySelector('#log');
             log.dispatchEvent(new WheelEvent('wheel', { deltaY: -2000, bubbles: true }));
             log.scrollTop = 4000;",
        )
        .await?;
    browser
        .until("['find=even', 'levels=error', 'top='].every(part => location.hash.includes(part))")
        .await?;
    let top = "(() => {
            const log = document.querySelector('#log');
            const box = log.getBoundingClientRect();
            const rows = [...log.querySelectorAll('.row:not([hidden])')].map(row => [row, row.getBoundingClientRect()]);
            const visible = rows.filter(([, at]) => at.bottom > box.top + 2 && at.height > 0).sort(([, a], [, b]) => a.top - b.top);
            return visible[0]?.[0].querySelector('.text').textContent;
        })()";
    let hash = browser.run("return location.hash").await?;
    let before = browser.run(&format!("return {top}")).await?;
    browser.run("window.isOld = true; location.reload()").await?;
    browser.until(&format!("!window.isOld && {}", received(2_000))).await?;
    browser.until(&format!("{top} === {before}")).await?;
    assert_eq!(browser.run("return location.hash").await?, hash);
    Ok(())
}

#[tokio::test]
async fn a_reload_far_from_the_lines_that_are_loaded_first_keeps_the_place() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    stream(&server, &[], &numbered(1..=20_000)).await?;
    browser.open(&server.url("/?lines=2000")).await?;
    browser.until(&received(20_000)).await?;
    browser.run(PRESS_HOME).await?;
    let shown = |number: u32| {
        format!("(() => {{ {ROWS} return rows().some((row) => text(row) === 'line {number}'); }})()")
    };
    browser.until(&shown(1)).await?;
    let top = "[...document.querySelectorAll('#log .row:not([hidden])')]
        .find((row) => row.getBoundingClientRect().bottom > document.querySelector('#log').getBoundingClientRect().top + 2)
        ?.querySelector('.text').textContent";
    browser.until("location.hash.startsWith('#top=')").await?;
    for key in ["", "l"] {
        // Goes down a little, and then links the line at the top.
        let down = "window.hash = location.hash;
             log.dispatchEvent(new WheelEvent('wheel', { deltaY: 9, bubbles: true }));
             log.scrollTop += 900;";
        browser.run(&format!("{ROWS} {down}")).await?;
        browser.until("location.hash !== window.hash").await?;
        let press = format!(
            "document.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true }}))"
        );
        browser.run(&press).await?;
        browser
            .until(&format!("location.hash.startsWith('#{}')", if key.is_empty() { "top=" } else { "at=" }))
            .await?;
        let before = browser.run(&format!("return {top}")).await?;
        browser.run("window.isOld = true; location.reload()").await?;
        let is_back = match key {
            "" => format!("{top} === {before}"),
            _ => format!("document.querySelector('#log .row[data-linked] .text')?.textContent === {before}"),
        };
        browser.until(&format!("!window.isOld && {is_back}")).await?;
        assert_eq!(browser.text("#said").await?, "", "no message is shown");
    }
    Ok(())
}

#[tokio::test]
async fn a_copied_link_shows_the_same_line_in_another_page() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let (one, other) = (Browser::start().await?, Browser::start().await?);
    one.open(&server.url("/")).await?;
    one.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    stream(&server, &[], &numbered(1..=3_000)).await?;
    one.until(&received(3_000)).await?;
    one.run(
        "const log = document.querySelector('#log');
         log.dispatchEvent(new WheelEvent('wheel', { deltaY: -2000, bubbles: true }));
         log.scrollTop = 10000;
         log.focus();",
    )
    .await?;
    one.until("location.hash.includes('top=')").await?;
    one.run("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'l', bubbles: true }))").await?;
    one.until("location.hash.includes('at=')").await?;
    let linked =
        "document.querySelector('#log .row[data-linked]:not([data-linked=false]) .text')?.textContent";
    one.until(&format!("{linked}?.startsWith('line ')")).await?;
    let text = one.run(&format!("return {linked}")).await?;
    let hash = one.run("return location.hash").await?;
    let hash = hash.as_str().context("no fragment")?.to_owned();
    // A page that has seen none of the lines, while more arrive.
    stream(&server, &[], &numbered(3_001..=3_100)).await?;
    other.open(&server.url(&format!("/{hash}"))).await?;
    other.until(&format!("{linked} === {text}")).await?;
    // Another run of the server has no such line.
    let elsewhere = server_with_page(&[]).await?;
    stream(&elsewhere, &[], &numbered(1..=10)).await?;
    other.open(&elsewhere.url(&format!("/{hash}"))).await?;
    other.until("document.querySelector('#said')?.textContent.includes('restarted')").await?;
    Ok(())
}

#[tokio::test]
async fn a_line_number_in_the_address_loads_an_earlier_line() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    stream(&server, &[], &numbered(1..=20_000)).await?;
    browser.open(&server.url("/?lines=2000#L57")).await?;
    let shown = format!(
        "(() => {{ {ROWS} return rows().some((row) => number(row) === '57' && text(row) === 'line 57'); }})()"
    );
    browser.until(&shown).await?;
    assert_eq!(
        browser.run("return document.querySelector('div.shown > [role=status]')?.textContent ?? ''").await?,
        ""
    );
    Ok(())
}

#[tokio::test]
async fn states_of_an_unfinished_line_do_not_shift_the_line_numbers() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    let mut subscriber = server.subscribe().await?;
    let mut streamer = Streamer::start(&server.negotiate_url(), &[])?;
    // The line feed comes only when the unfinished line is published, and so once more.
    streamer.write(&(numbered(1..=10_000) + "line")).await?;
    while !subscriber.message_text().await?.ends_with("line") {}
    streamer.write(" 10001 at").await?;
    while !subscriber.message_text().await?.ends_with("line 10001 at") {}
    streamer.write(&format!(" last\n{}", numbered(10_002..=20_000))).await?;
    streamer.end_input();
    assert_eq!(streamer.wait_for_exit().await?.0, Some(0));
    browser.open(&server.url("/?lines=2000#L10001")).await?;
    let shown = format!(
        "(() => {{ {ROWS} return rows().some((row) => number(row) === '10001' && text(row) === 'line 10001 at last'); }})()"
    );
    browser.until(&shown).await?;
    Ok(())
}

#[tokio::test]
async fn settings_in_the_address_apply_where_the_fragment_names_nothing() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    stream(&server, &[], "ERROR one\nINFO two\nERROR three\n").await?;
    browser.open(&server.url("/?levels=error&find=one")).await?;
    let lines = |count: usize| {
        format!("document.querySelectorAll('#log .row[data-from=group]:not([hidden])').length === {count}")
    };
    browser.until(&lines(2)).await?;
    assert_eq!(browser.run("return document.querySelector('#find input').value").await?, "one");
    // The fragment goes before the query.
    browser.run("location.hash = 'levels=info'").await?;
    browser.until(&lines(1)).await?;
    assert_eq!(browser.run("return document.querySelector('#find input').value").await?, "");
    Ok(())
}

#[tokio::test]
async fn lines_from_before_a_reload_are_not_new_lines() -> anyhow::Result<()> {
    const LINES: u32 = 150_000;
    let server = server_with_page(&["--history", "1h,128MiB"]).await?;
    let browser = Browser::start().await?;
    // So many that they are loaded in several frames.
    stream(&server, &[], &numbered(1..=LINES)).await?;
    browser.open(&server.url("/")).await?;
    browser.until(&received(LINES.into())).await?;
    browser
        .run(
            "const log = document.querySelector('#log');
             log.dispatchEvent(new WheelEvent('wheel', { deltaY: -2000, bubbles: true }));
             log.scrollTop = 4000;",
        )
        .await?;
    browser.until("location.hash.includes('top=')").await?;
    browser.run("window.isOld = true; location.reload()").await?;
    browser.until(&format!("!window.isOld && {}", received(LINES.into()))).await?;
    let new_lines = "document.querySelector('#resume')?.dataset.new";
    browser.until(&format!("{new_lines} !== undefined")).await?;
    assert_eq!(browser.run(&format!("return {new_lines}")).await?, "0");
    stream(&server, &[], &"later\n".repeat(5)).await?;
    browser.until(&format!("{new_lines} === '5'")).await?;
    Ok(())
}
