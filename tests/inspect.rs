//! The inspector at `/_hub`, in real browsers.

use serde_json::{Value, json};
use tailcast_tests::{
    axe,
    browser::{Browser, Kind},
    server::Server,
    socket::Socket,
};

const RELIABLE: &str = "json.reliable.webpubsub.azure.v1";

/// Widths of a phone, of a narrow window (where tables begin to be cards), of a tablet and of two desktops, in CSS pixels.
const WIDTHS: [u32; 6] = [390, 560, 761, 900, 1280, 1440];
const HEIGHT: u32 = 900;

/// Smallest side of a touch target, in CSS pixels, of WCAG's criterion 2.5.5.
const TOUCH_TARGET: u32 = 44;

/// Custom properties of the log's page that the inspector has too.
const COLORS: [&str; 11] =
    ["paper", "ground", "ink", "soft", "edge", "hover", "accent", "good", "busy", "bad", "selection"];

tailcast_tests::in_every_browser! {
    the_inspector_shows_connections_and_frames_without_tokens,
    updates_keep_the_focus_and_stop_while_text_is_selected,
}

async fn the_inspector_shows_connections_and_frames_without_tokens(kind: Kind) -> anyhow::Result<()> {
    let hub = Server::start_hub(&[]).await?;
    let key = hub.connection_string()?.access_key;
    let url = hub.client_url(&key, |claims| {
        claims.user_id = Some("<b>ada</b>".into());
        claims.groups = vec!["lobby".into()];
        claims.roles = vec!["webpubsub.sendToGroup".into()];
    })?;
    let browser = Browser::start_of(kind).await?;
    browser.open(&hub.url("/_hub")).await?;
    browser.until("document.body.innerText.includes('No connections yet.')").await?;
    assert_eq!(browser.run("return document.querySelector('nav').innerText").await?, "Metrics");

    let mut client = Socket::open(&url, &[RELIABLE]).await?;
    let greeting = client.json().await?;
    let id = greeting.get("connectionId").and_then(Value::as_str).unwrap_or_default();
    // Markup in names is shown as text.
    browser.until("document.querySelector('main').innerText.includes('<b>ada</b>')").await?;
    browser.until("document.querySelector('main').innerText.includes('lobby')").await?;
    browser
        .until("document.querySelector('main').innerText.includes('1 connection, 1 group, 1 user;')")
        .await?;

    // Opened rather than clicked: a script that waits would end with the page that it was started in.
    let link = format!("return document.querySelector('a[href=\"/_hub?connection={id}\"]').href");
    let link = browser.run(&link).await?;
    browser.open(link.as_str().unwrap_or_default()).await?;
    browser.until("document.querySelector('section[aria-label=\"Connection details\"]') !== null").await?;
    let send =
        json!({"type": "sendToGroup", "group": "lobby", "dataType": "text", "data": "<i>seen live</i>"});
    client.send(&send.to_string()).await?;
    browser.until("document.querySelectorAll('td.payload').length >= 3").await?;
    let text = browser.run("return document.querySelector('main').innerText").await?;
    let text = text.as_str().unwrap_or_default();
    assert!(
        text.contains("<i>seen live</i>") && text.contains("← Received") && text.contains("→ Sent"),
        "{text}"
    );
    let token = greeting.get("reconnectionToken").and_then(Value::as_str).unwrap_or_default();
    assert!(!token.is_empty() && !text.contains(token), "the page shows a token");

    drop(client);
    browser.until("document.querySelector('main').innerText.includes('kept for recovery')").await?;
    if let Ok(folder) = std::env::var("TAILCAST_SCREENSHOTS") {
        browser.save_screenshot(&std::path::Path::new(&folder).join("hub.png")).await?;
    }
    close_without_errors(browser, kind).await
}

async fn updates_keep_the_focus_and_stop_while_text_is_selected(kind: Kind) -> anyhow::Result<()> {
    let hub = Server::start_hub(&[]).await?;
    let key = hub.connection_string()?.access_key;
    let url = hub.client_url(&key, |_| {})?;
    let mut first = Socket::open(&url, &[RELIABLE]).await?;
    first.json().await?;
    let browser = Browser::start_of(kind).await?;
    browser.open(&hub.url("/_hub")).await?;
    browser.until("document.querySelector('#state').innerText === 'Live'").await?;
    browser.run("window.focused = document.querySelector('tbody a'); focused.focus()").await?;
    let outline = browser.run("return getComputedStyle(focused).outline").await?;
    assert!(outline.as_str().is_some_and(|outline| outline.contains("solid 2px")), "{outline}");

    // Ids are random: of several more rows, some are before the focused one, and some behind.
    let mut others = Vec::new();
    for _ in 0..8 {
        others.push(Socket::open(&url, &[RELIABLE]).await?);
    }
    browser.until("document.querySelectorAll('.connections tbody tr').length === 9").await?;
    let kept = browser
        .run(
            "const ids = [...document.querySelectorAll('tbody a')].map((link) => link.textContent);
             return [document.activeElement === focused, ids.join() === ids.toSorted().join(), new Set(ids).size]",
        )
        .await?;
    assert_eq!(kept, json!([true, true, 9]));

    browser.run("getSelection().selectAllChildren(document.querySelector('h2'))").await?;
    browser.until("document.querySelector('#state').innerText === 'Paused while text is selected'").await?;
    others.push(Socket::open(&url, &[RELIABLE]).await?);
    browser.run("getSelection().removeAllRanges()").await?;
    browser.until("document.querySelectorAll('.connections tbody tr').length === 10").await?;
    assert_eq!(browser.text("#state").await?, "Live");

    hub.kill().await?;
    browser.until("document.querySelector('#state').innerText === 'Disconnected, reconnecting…'").await?;
    browser.close().await
}

#[tokio::test]
async fn the_inspector_is_responsive_and_accessible_in_both_themes() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let browser = Browser::start().await?;
    browser.open(&server.url("/_hub")).await?;
    look(&browser, "no connection", &["Hubs\n0", "No connections yet."]).await?;

    let mut client = Socket::open(&hostile_url(&server, 0)?, &[RELIABLE]).await?;
    let greeting = client.json().await?;
    let id = greeting.get("connectionId").and_then(Value::as_str).unwrap_or_default();
    browser.open(&server.url("/_hub")).await?;
    let words = ["Hubs\n1", "1 connection, 2 groups, 1 user; 0 messages received", "Open"];
    look(&browser, "one connection", &words).await?;

    // Frames of a long word, of several lines, and of scripts from right to left.
    for data in ["x".repeat(400), "one\ntwo\n\tthree".to_owned(), "שלום \u{202e}abc".repeat(8)] {
        client
            .send(&json!({"type": "event", "event": "e", "dataType": "text", "data": data}).to_string())
            .await?;
    }
    let mut others = Vec::new();
    for number in 1..30 {
        others.push(Socket::open(&hostile_url(&server, number)?, &[RELIABLE]).await?);
    }
    browser.open(&server.url(&format!("/_hub?connection={id}"))).await?;
    browser.until("document.querySelectorAll('td.payload').length >= 4").await?;
    let words =
        ["30 connections, 60 groups, 30 users; 3 messages received", "Connection details", "\\u{202e}"];
    look(&browser, "many connections", &words).await?;

    browser.open(&server.url(&format!("/_hub?connection={}", "no-such-id-".repeat(40)))).await?;
    look(&browser, "details of none", &["No connection with this ID: it has ended, or never existed."])
        .await?;
    close_without_errors(browser, Kind::Chromium).await
}

/// The URL of a client whose user and groups have names that are hard to lay out.
fn hostile_url(server: &Server, number: usize) -> anyhow::Result<String> {
    let key = server.connection_string()?.access_key;
    server.client_url(&key, |claims| {
        claims.user_id = Some(format!("{number}-{}\u{202e}\u{7}\n<i>", "u".repeat(300)));
        claims.groups =
            vec![format!("{number}-{}", "g".repeat(1000)), format!("قناة {number} \u{202e}\u{1b}[31m")];
    })
}

/// Checks the page in windows of all widths, in both themes. Its text must contain `words`.
async fn look(browser: &Browser, state: &str, words: &[&str]) -> anyhow::Result<()> {
    for theme in ["light", "dark"] {
        emulate_theme(browser, theme).await?;
        for width in WIDTHS {
            let state = format!("{state}, {theme}, {width} px");
            resize(browser, width, false).await?;
            let beyond = browser
                .run(
                    "const width = document.documentElement.clientWidth;
                     const beyond = [...document.querySelectorAll('body, body *')].filter((one) => {
                         const box = one.getBoundingClientRect();
                         return box.left < 0 || box.right > width + 1;
                     });
                     return [document.documentElement.scrollWidth - width, beyond.map((one) => one.outerHTML.slice(0, 200))]",
                )
                .await?;
            assert_eq!(beyond, json!([0, []]), "{state}: wider than the window");
            let text = browser.run("return document.body.innerText").await?;
            let text = text.as_str().unwrap_or_default();
            for words in words {
                assert!(text.contains(words), "{state}: {words} is missing in {text}");
            }
            axe::check(browser, &state).await?;
        }
        let small = small_targets(browser).await?;
        assert_eq!(small, json!([]), "{state}, {theme}: smaller than a finger");
    }
    Ok(())
}

/// Links and buttons that are smaller than [`TOUCH_TARGET`] on a phone.
async fn small_targets(browser: &Browser) -> anyhow::Result<Value> {
    resize(browser, 390, true).await?;
    browser.until("matchMedia('(pointer: coarse)').matches").await?;
    let small = browser
        .run(&format!(
            "return [...document.querySelectorAll('a, button')].filter((one) => {{
                 const box = one.getBoundingClientRect();
                 return box.width < {TOUCH_TARGET} || box.height < {TOUCH_TARGET};
             }}).map((one) => one.outerHTML)"
        ))
        .await?;
    resize(browser, 390, false).await?;
    Ok(small)
}

async fn emulate_theme(browser: &Browser, theme: &str) -> anyhow::Result<()> {
    let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": theme }] });
    browser.devtools("Emulation.setEmulatedMedia", features).await.map(drop)
}

async fn resize(browser: &Browser, width: u32, has_touch: bool) -> anyhow::Result<()> {
    let size = json!({ "width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": has_touch });
    browser.devtools("Emulation.setDeviceMetricsOverride", size).await?;
    browser.devtools("Emulation.setTouchEmulationEnabled", json!({ "enabled": has_touch })).await?;
    browser.run_async("requestAnimationFrame(() => requestAnimationFrame(() => done(true)))").await.map(drop)
}

#[tokio::test]
async fn the_inspector_has_the_design_of_the_log_and_a_link_to_it() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let browser = Browser::start().await?;
    for theme in ["light", "dark"] {
        emulate_theme(&browser, theme).await?;
        browser.open(&server.url("/")).await?;
        browser.until("document.querySelector('.tailcast #log') !== null").await?;
        let log = design(&browser).await?;
        browser.open(&server.url("/_hub")).await?;
        assert_eq!(design(&browser).await?, log, "{theme}");
    }
    browser.run("document.querySelector('nav a').click()").await?;
    browser.until("document.querySelector('.tailcast #log') !== null").await?;
    close_without_errors(browser, Kind::Chromium).await
}

/// Colors, fonts and shapes of the page.
async fn design(browser: &Browser) -> anyhow::Result<Value> {
    browser
        .run(&format!(
            "const header = document.querySelector('header');
             const probe = header.appendChild(document.createElement('i'));
             const color = (name) => {{
                 probe.style.color = `var(--${{name}})`;
                 return name + ' ' + getComputedStyle(probe).color;
             }};
             const style = (one, ...names) => names.map((name) => getComputedStyle(one).getPropertyValue(name));
             probe.style.fontFamily = 'var(--log-font)';
             const seen = [
                 {COLORS:?}.map(color),
                 style(probe, 'font-family'),
                 style(header, 'font', 'color', 'background-color', 'border-bottom', 'min-height', 'padding'),
                 style(header.querySelector('.mark'), 'background', 'border-radius', 'width', 'height'),
                 style(header.querySelector('h1'), 'font', 'letter-spacing'),
             ];
             probe.remove();
             return seen;"
        ))
        .await
}

async fn close_without_errors(browser: Browser, kind: Kind) -> anyhow::Result<()> {
    if kind.has_console_log() {
        assert_eq!(browser.console_errors().await?, [""; 0]);
    }
    browser.close().await
}
