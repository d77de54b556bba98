//! List of the groups that a viewer may join.

use std::time::Duration;

use anyhow::Context;
use fantoccini::Locator;
use serde_json::Value;
use tailcast_tests::{
    browser::Browser,
    server::get,
    streamer::{Streamer, stream},
};

use super::{all_lines, expected, numbered, received, server_with_page, texts};

/// Time in which a page that was left no longer counts: far below that for which browsers and the service keep it.
const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn the_groups_that_a_viewer_may_join_are_listed_with_their_last_lines() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    stream(&server, &["--group", "build"], "compiling\ndone\n").await?;
    stream(&server, &["--group", "deploy"], "waiting\n").await?;
    browser.open(&server.url("/")).await?;
    browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    browser.run("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'G', shiftKey: true, bubbles: true }))").await?;
    let names = "[...document.querySelectorAll('#groups li')].map(group => group.querySelector('.name').textContent + ': ' + group.querySelector('.last').textContent)";
    browser.until(&format!("{names}.includes('build: done') && {names}.includes('deploy: waiting')")).await?;
    browser.run("[...document.querySelectorAll('#groups a')].find(link => link.textContent.includes('build')).click()").await?;
    browser.until("location.search === '?group=build'").await?;
    browser.until(&received(2)).await?;
    assert_eq!(texts(&all_lines(&browser).await?), ["compiling", "done"]);
    Ok(())
}

#[tokio::test]
async fn another_group_is_chosen_by_the_keyboard_alone() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    let mut build = Streamer::start(&server.negotiate_url(), &["--group", "build"])?;
    build.write("compiling\n").await?;
    stream(&server, &["--group", "deploy-1"], "waiting\n").await?;
    stream(&server, &["--group", "deploy-2"], "waiting, too\n").await?;
    browser.open(&server.url("/?lines=500")).await?;
    browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    let press = async |keys: &str| browser.client().active_element().await?.send_keys(keys).await;
    press("G").await?;
    let names = "[...document.querySelectorAll('#groups li .name')].map((name) => name.textContent).join()";
    browser.until(&format!("{names} === 'build,deploy-1,deploy-2,stream'")).await?;
    assert_eq!(
        browser.run("return document.querySelector('#groups [aria-current] .name').textContent").await?,
        "stream"
    );
    // The rate needs lines between two requests.
    let build_row = "document.querySelector('#groups li')";
    while browser.run(&format!("return {build_row}.querySelector('.rate').textContent")).await? == "" {
        build.write("and on\n").await?;
    }
    assert_eq!(
        browser.run(&format!("return {build_row}.querySelector('.state').textContent")).await?,
        "live"
    );
    // Down into the list, where a refresh does not take the focus away, and up again.
    press("\u{e015}").await?;
    press("\u{e015}").await?;
    let focused = "document.activeElement.querySelector?.('.name')?.textContent";
    browser.until(&format!("{focused} === 'deploy-1'")).await?;
    let count = browser.run(&format!("return {build_row}.querySelector('.counts').textContent")).await?;
    build.write("one more\n").await?;
    browser.until(&format!("{build_row}.querySelector('.counts').textContent !== {count}")).await?;
    assert_eq!(browser.run(&format!("return {focused}")).await?, "deploy-1");
    press("\u{e013}").await?;
    press("\u{e013}").await?;
    press("deploy-2\u{e007}").await?;
    browser.until("location.search === '?lines=500&group=deploy-2'").await?;
    browser.until(&received(1)).await?;
    assert_eq!(texts(&all_lines(&browser).await?), ["waiting, too"]);
    assert_eq!(browser.console_errors().await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn the_name_of_the_group_opens_the_list() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    browser.open(&server.url("/")).await?;
    browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    browser.client().find(Locator::Css(".brand button.group")).await?.click().await?;
    browser.until("document.querySelector('#groups').matches(':popover-open') && document.activeElement.id === 'groups-field'").await?;
    browser
        .until("document.querySelector('#groups li .counts')?.textContent === '0 lines · 1 member'")
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_page_that_the_user_has_left_is_no_member_and_misses_nothing_when_the_user_returns()
-> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    browser.open(&server.url("/")).await?;
    stream(&server, &[], &numbered(1..=10)).await?;
    browser.until(&received(10)).await?;
    let members = async || {
        let groups: Value = serde_json::from_str(&get(&server.url("/groups")).await?.1)?;
        anyhow::Ok(groups["groups"][0]["members"].as_u64())
    };
    assert_eq!(members().await?, Some(1));
    // Browsers keep such a page for a while, with its socket, in case the user returns.
    browser.open("about:blank").await?;
    let left = async {
        while members().await? != Some(0) {}
        anyhow::Ok(())
    };
    tokio::time::timeout(SOON, left).await.context("the page that was left is still a member")??;
    stream(&server, &[], &numbered(11..=20)).await?;
    browser.client().back().await?;
    browser.until(&received(20)).await?;
    stream(&server, &[], &numbered(21..=30)).await?;
    browser.until(&received(30)).await?;
    assert_eq!(texts(&all_lines(&browser).await?), expected(1..=30));
    assert_eq!(members().await?, Some(1));
    Ok(())
}
