//! Earlier lines: those that were published before the element was there.

use serde_json::json;
use tailcast_tests::{browser::Kind, embedding::Embedding};

tailcast_tests::in_every_browser! {
    an_element_that_comes_late_shows_what_came_before,
    later_elements_show_what_came_before,
    home_loads_all_earlier_lines_of_a_small_element,
}

fn numbered(lines: std::ops::RangeInclusive<u32>) -> String {
    lines.map(|number| format!("line {number}\n")).collect()
}

fn received(element: usize, count: u64) -> String {
    format!("part('#line-count', {element})?.dataset.received === '{count}'")
}

/// Inserts an element. Elements out of view do not start.
fn insert(group: &str, height: &str) -> String {
    format!(
        "const one = document.createElement('tail-cast'); one.style.height = '{height}';
         Object.assign(one, {{ negotiate: 'NEGOTIATE', group: '{group}' }}); document.body.append(one)"
    )
}

async fn an_element_that_comes_late_shows_what_came_before(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    page.stream_to("stream", &numbered(1..=8)).await?;
    page.run(&insert("stream", "30rem")).await?;
    page.until(&received(0, 8)).await?;
    page.stream("line 9\nline 10\n").await?;
    let lines: Vec<String> = (1..=10).map(|number| format!("line {number}")).collect();
    assert_eq!(page.value("rows()").await?, json!(lines));
    // Another element in its place starts from the beginning again.
    page.run("element().remove()").await?;
    page.wait_for_connections(0).await?;
    page.run(&insert("stream", "30rem")).await?;
    page.until(&received(0, 10)).await?;
    page.wait_for_frame().await?;
    assert_eq!(page.value("rows()").await?, json!(lines));
    page.close_without_errors().await
}

async fn later_elements_show_what_came_before(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    page.stream_to("a", "first of a\n").await?;
    page.stream_to("b", "first of b\n").await?;
    page.run(&insert("a", "9rem")).await?;
    page.until(&received(0, 1)).await?;
    page.stream_to("a", "second of a\n").await?;
    page.until(&received(0, 2)).await?;
    // A group that is joined already, and another one.
    page.run(&insert("a", "9rem")).await?;
    page.run(&insert("b", "9rem")).await?;
    page.until(&format!("{} && {}", received(1, 2), received(2, 1))).await?;
    page.stream_to("a", "third of a\n").await?;
    page.stream_to("b", "second of b\n").await?;
    page.until(&format!("{} && {}", received(1, 3), received(2, 2))).await?;
    page.wait_for_frame().await?;
    let of_a = ["first of a", "second of a", "third of a"];
    assert_eq!(
        page.value("[rows(0), rows(1), rows(2)]").await?,
        json!([of_a, of_a, ["first of b", "second of b"]])
    );
    page.close_without_errors().await
}

async fn home_loads_all_earlier_lines_of_a_small_element(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    page.stream_to("stream", &numbered(1..=20_000)).await?;
    page.run(&insert("stream", "30rem").replace("group:", "maxLines: 2000, group:")).await?;
    page.until(&received(0, 20_000)).await?;
    let press = |key: &str| {
        format!(
            "part('#log').dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true, composed: true }}))"
        )
    };
    page.run(&press("Home")).await?;
    page.until("rows()[0] === 'line 1'").await?;
    page.run(&press("End")).await?;
    page.until("rows().includes('line 20000')").await?;
    page.close_without_errors().await
}
