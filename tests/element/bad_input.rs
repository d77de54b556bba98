//! Missing and invalid attributes: a message in the element and an event.

use tailcast_tests::{browser::Kind, embedding::Embedding};

tailcast_tests::in_every_browser! {
    an_element_without_an_endpoint_reports_it_and_starts_later,
    fatal_attribute_errors_are_shown_in_the_element,
    invalid_optional_attributes_are_reported_and_ignored,
    calls_beyond_the_queue_limit_are_refused,
}

/// Waits for an error event with this message.
async fn told(page: &Embedding, words: &str) -> anyhow::Result<()> {
    page.until(&format!(
        "heard.some(({{ name, detail }}) => name === 'error' && detail.message.includes({words:?}))"
    ))
    .await
}

/// Returns a condition: the element shows this message, in a visible size.
fn shows(words: &str) -> String {
    format!(
        "parts('*').some((one) => one.checkVisibility() && one.getBoundingClientRect().height > 10
             && one.textContent.includes({words:?}))"
    )
}

async fn an_element_without_an_endpoint_reports_it_and_starts_later(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "<tail-cast></tail-cast>").await?;
    told(&page, "negotiate attribute").await?;
    page.until(&shows("negotiate attribute")).await?;
    assert_eq!(page.value("part('[role=alert]') !== null").await?, true);
    assert_eq!(page.value("instances").await?, 0, "that can be said without WebAssembly");
    page.run("element().negotiate = 'NEGOTIATE'").await?;
    page.connected(0).await?;
    page.run("element().removeAttribute('negotiate')").await?;
    page.until(&shows("negotiate attribute")).await?;
    page.wait_for_connections(0).await?;
    page.close_without_errors().await
}

async fn fatal_attribute_errors_are_shown_in_the_element(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    for (attributes, words) in [
        ("negotiate='ftp://h/x'", "`ftp://h/x` is not the address of a negotiate endpoint"),
        ("negotiate='http://'", "`http://` is not the address of a negotiate endpoint"),
        ("negotiate=NEGOTIATE group=' '", "is no group name"),
        ("url='https://h/x'", "must be a ws or wss URL"),
        ("negotiate=NEGOTIATE subprotocol=mqtt", "`mqtt`"),
        ("negotiate=NEGOTIATE max-lines=many", "max-lines must be a whole number above 0, not `many`"),
        ("negotiate=NEGOTIATE max-lines=0", "max-lines must be a whole number above 0, not `0`"),
        ("negotiate=NEGOTIATE max-mib=-5", "max-mib must be a whole number above 0, not `-5`"),
    ] {
        page.show(&format!("<tail-cast {attributes}></tail-cast>")).await?;
        told(&page, words).await?;
        page.until(&shows(words)).await?;
        assert_eq!(page.value("heard.length").await?, 1, "{attributes}: told once");
    }
    // The element starts after the correction.
    page.run("element().removeAttribute('max-mib')").await?;
    page.connected(0).await?;
    page.close_without_errors().await
}

async fn invalid_optional_attributes_are_reported_and_ignored(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    for (attribute, value, words) in [
        ("theme", "pink", "theme must be system, light or dark, not `pink`"),
        ("time", "soon", "time must be 0, clock or since, not `soon`"),
        ("toolbar", "huge", "toolbar must be full, find, status or none, not `huge`"),
        ("levels", "error,loud", "levels must be error, warning, info, debug or trace, not `loud`"),
        ("marks", "/(/", "Line 1: "),
    ] {
        page.show(&format!("<tail-cast negotiate=NEGOTIATE {attribute}='{value}'></tail-cast>")).await?;
        page.until(&shows(words)).await?;
        if attribute != "marks" {
            told(&page, words).await?;
        }
        page.connected(0).await?;
        page.show("<tail-cast negotiate=NEGOTIATE></tail-cast>").await?;
        page.connected(0).await?;
        page.run(&format!("element().{attribute} = '{value}'")).await?;
        page.until(&shows(words)).await?;
        page.stream("it goes on\nERROR as it was\n").await?;
    }
    page.close_without_errors().await
}

async fn calls_beyond_the_queue_limit_are_refused(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    page.until("customElements.get('tail-cast')").await?;
    page.run(
        "window.one = document.createElement('tail-cast'); one.negotiate = 'NEGOTIATE';
         one.addEventListener('tailcast-error', ({ detail }) => heard.push({ name: 'error', detail }));
         for (let at = 0; at < 10_000; at += 1) one.append(`line ${at}`);
         one.append('one too many');
         window.refused = one.send('no').then(() => 'sent', String)",
    )
    .await?;
    told(&page, "10000 calls wait").await?;
    assert!(page.browser.run_async("refused.then(done)").await?.to_string().contains("10000 calls wait"));
    page.run("document.body.append(one)").await?;
    page.until("rows().includes('line 9999')").await?;
    assert_eq!(page.value("part('#line-count').dataset.received").await?, "10000");
    page.close_without_errors().await
}
