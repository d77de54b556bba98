//! Life cycle: the element starts when it is inserted and visible, and releases everything when it is removed.

use anyhow::Context;
use serde_json::json;
use tailcast_tests::{
    browser::Kind,
    embedding::{Embedding, NEGOTIATE},
};

const ELEMENT: &str = "<tail-cast negotiate=NEGOTIATE></tail-cast>";

tailcast_tests::in_every_browser! {
    the_element_shows_lines_of_a_service_on_another_origin,
    the_element_starts_when_inserted_and_releases_everything_when_removed,
    properties_set_before_the_module_loads_are_applied,
    the_element_keeps_its_connection_when_moved,
    the_element_shows_the_newest_line_after_a_move,
    the_element_starts_when_it_becomes_visible,
    the_element_can_be_removed_at_any_time_while_connecting,
    the_element_does_not_modify_the_host_page,
}

async fn the_element_shows_lines_of_a_service_on_another_origin(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, ELEMENT).await?;
    page.stream("plain\n\u{1b}[31mred\u{1b}[0m\nlast\n").await?;
    assert_eq!(page.value("rows()").await?, json!(["plain", "red", "last"]));
    let colour = page.value("getComputedStyle(parts('#log .text')[1].querySelector('span')).color").await?;
    assert_ne!(colour, page.value("getComputedStyle(parts('#log .text')[0]).color").await?);
    page.wait_for_connections(1).await?;
    assert_eq!(page.value("sockets").await?, 1);
    page.close_without_errors().await
}

async fn the_element_starts_when_inserted_and_releases_everything_when_removed(
    kind: Kind,
) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    page.run(&format!(
        "window.made = document.createElement('tail-cast'); made.negotiate = '{NEGOTIATE}'; made.maxLines = 50"
    ))
    .await?;
    page.wait_for_frame().await?;
    assert_eq!(page.value("instances").await?, 0, "nothing is loaded for an element in no document");
    for round in 1..=3 {
        page.run("document.body.append(made)").await?;
        page.connected(0).await?;
        page.wait_for_connections(1).await?;
        assert_eq!(page.value("sockets").await?, round);
        page.run("made.remove()").await?;
        page.wait_for_connections(0).await?;
        assert_eq!(page.value("made.shadowRoot.querySelectorAll('*').length").await?, 0);
    }
    assert_eq!(page.value("instances").await?, 1);
    page.close_without_errors().await
}

async fn properties_set_before_the_module_loads_are_applied(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    // The module is loaded after the page has set the properties.
    page.show("<script>document.querySelector('main').append(document.createElement('tail-cast'))</script>
        <script>Object.assign(document.querySelector('tail-cast'), { negotiate: 'NEGOTIATE', group: 'early', wrap: true })</script>")
        .await?;
    page.connected(0).await?;
    assert_eq!(
        page.value("[element().getAttribute('group'), element().wrap]").await?,
        json!(["early", true])
    );
    page.stream_to("early", "first\n").await?;
    page.until("rows().includes('first')").await?;
    page.close_without_errors().await
}

async fn the_element_keeps_its_connection_when_moved(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, &format!("{ELEMENT}<section></section>")).await?;
    page.stream("before\n").await?;
    let id = "part('#status').dataset.connectionId";
    let connection = page.value(id).await?;
    page.run("document.querySelector('section').append(element())").await?;
    page.stream("after\n").await?;
    assert_eq!(page.value("rows()").await?, json!(["before", "after"]));
    if page.value("'moveBefore' in document.body").await? == true {
        page.run("document.body.moveBefore(element(), null)").await?;
        page.stream("and moved before\n").await?;
    }
    assert_eq!(page.value(id).await?, connection, "it is the same connection");
    page.wait_for_connections(1).await?;
    assert_eq!(page.value("sockets").await?, 1);
    page.close_without_errors().await
}

async fn the_element_shows_the_newest_line_after_a_move(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, &format!("{ELEMENT}<section></section>")).await?;
    let many: String = (0..5000).map(|number| format!("line {number}\n")).collect();
    page.stream(&many).await?;
    page.run("document.querySelector('section').append(element())").await?;
    page.wait_for_frame().await?;
    page.until("rows().includes('line 4999')").await?;
    page.until(
        "parts('#log .row').some((row) => row.textContent.includes('line 4999')
             && row.getBoundingClientRect().bottom <= part('#log').getBoundingClientRect().bottom + 1)",
    )
    .await?;
    page.close_without_errors().await
}

async fn the_element_starts_when_it_becomes_visible(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, &format!("<div style='height: 6000px'></div>{ELEMENT}")).await?;
    page.until("customElements.get('tail-cast')").await?;
    page.wait_for_frame().await?;
    let loaded = "performance.getEntriesByType('resource').filter(({ name }) => name.includes('tailcast-core')).length";
    assert_eq!(page.value(loaded).await?, 0, "only the small script is loaded");
    page.wait_for_connections(0).await?;
    assert_eq!(page.value("sockets").await?, 0);
    page.run("scrollTo(0, 6000)").await?;
    page.connected(0).await?;
    assert_eq!(page.value(loaded).await?, 2);
    page.run("scrollTo(0, 0)").await?;
    page.stream("seen by nobody\n").await.context("it goes on when it is out of view again")?;
    page.close_without_errors().await
}

async fn the_element_can_be_removed_at_any_time_while_connecting(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    // Before and while the module is loaded: a call starts an element that is not visible.
    page.run(&format!(
        "window.make = () => Object.assign(document.createElement('tail-cast'), {{ negotiate: '{NEGOTIATE}' }});
         const one = make(); document.body.append(one); one.pause(); one.remove();
         const other = make(); document.body.append(other); other.pause(); setTimeout(() => other.remove(), 1)"
    ))
    .await?;
    // During negotiation: the response arrives after the removal.
    page.run(
        "window.going = make();
         going.negotiateWith = async () => { going.remove(); await 0; return fetch(going.negotiate).then((answer) => answer.json()); };
         document.body.append(going)",
    )
    .await?;
    page.until("!going.isConnected").await?;
    // During the WebSocket handshake.
    page.run(
        "window.last = make(); sockets = 0;
         const Counted = WebSocket;
         window.WebSocket = class extends Counted { constructor(...all) { super(...all); last.remove(); } };
         document.body.append(last)",
    )
    .await?;
    page.until("sockets === 1 && !last.isConnected").await?;
    page.wait_for_connections(0).await?;
    // Each element can be inserted again.
    page.run("last.remove = () => {}; going.negotiateWith = undefined; document.body.append(last, going)")
        .await?;
    page.connected(0).await?;
    page.connected(1).await?;
    page.run("going.remove(); HTMLElement.prototype.remove.call(last)").await?;
    page.wait_for_connections(0).await?;
    page.close_without_errors().await
}

async fn the_element_does_not_modify_the_host_page(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    let state = "JSON.stringify([document.title, location.href, localStorage.length, document.activeElement.tagName,
        document.styleSheets.length, document.adoptedStyleSheets.length, document.head.children.length,
        document.body.children.length, Object.keys(window).length, getComputedStyle(document.querySelector('h1')).cssText])";
    page.until("customElements.get('tail-cast')").await?;
    let before = page.value(state).await?;
    page.run(&format!(
        "const made = document.createElement('tail-cast'); made.negotiate = '{NEGOTIATE}'; document.querySelector('main').append(made)"
    ))
    .await?;
    page.connected(0).await?;
    page.stream("a line\n").await?;
    // Keys in the page are not handled by the element.
    page.run("document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '?', bubbles: true }))")
        .await?;
    page.run("part('#wrap').click()").await?;
    page.wait_for_frame().await?;
    assert_eq!(page.value("part('#keys').matches(':popover-open')").await?, false);
    assert_eq!(page.value(state).await?, before);
    page.run("element().remove()").await?;
    page.wait_for_connections(0).await?;
    assert_eq!(page.value(state).await?, before);
    page.close_without_errors().await
}
