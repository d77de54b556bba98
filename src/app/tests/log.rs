//! Receiving, following, searching, filtering, wrapping.

use std::{rc::Rc, time::Duration};

use wasm_bindgen_test::wasm_bindgen_test;
use webpubsub_client::{ClientEvent, Disconnect};
use webpubsub_protocol::{
    message::{AckError, Metadata},
    name::GroupName,
    payload::Payload,
    subprotocol::Subprotocol,
};

use crate::{
    model::{display_text::MAX_DRAWN_CHARS, line_store::StoreLimits},
    test_page::{TestPage, clear_storage, numbered},
};

async fn connected_page() -> TestPage {
    let page = TestPage::new(StoreLimits::default()).await;
    page.connect();
    page.rendered().await;
    page
}

fn dropped() -> ClientEvent {
    ClientEvent::Disconnected { reason: Disconnect::Dropped { code: 1006, reason: String::new() } }
}

#[wasm_bindgen_test]
async fn the_connection_is_shown_in_words_and_attributes() {
    let page = TestPage::new(StoreLimits::default()).await;
    assert_eq!(page.attribute("#status", "data-state"), "connecting");
    page.connect();
    page.rendered().await;
    assert_eq!(page.attribute("#status", "data-state"), "connected");
    assert_eq!(page.attribute("#status", "data-connection-id"), "c1");
    assert_eq!(page.attribute("#status", "data-user-id"), "ada");
    assert_eq!(page.text("#status"), "Connected as ada");
    assert_eq!(page.attribute("#status", "title"), "Connected as ada");
}

#[wasm_bindgen_test]
async fn an_empty_log_shows_instructions_until_a_line_is_received() {
    let page = connected_page().await;
    assert_eq!(page.text(".command code"), "some-command | tailcast stream");
    page.receive("first");
    page.rendered().await;
    assert!(page.find(".empty").is_none());
    assert_eq!(page.texts(), ["first"]);
}

#[wasm_bindgen_test]
async fn a_hundred_thousand_lines_are_followed_with_few_elements() {
    let page = connected_page().await;
    for thousand in 0..100 {
        page.receive(numbered(thousand * 1_000 + 1..=thousand * 1_000 + 1_000));
    }
    page.rendered().await;
    assert_eq!(page.attribute("#line-count", "data-received"), "100000");
    assert_eq!(page.attribute("#line-count", "data-held"), "100000");
    assert_eq!(page.text("#line-count"), "100,000 lines");
    assert_eq!(page.texts().last().unwrap(), "line 100000");
    assert!(page.sees_end());
    assert!(page.count("main *") < 400, "{} elements", page.count("main *"));

    page.press("Home").await;
    // Above it, a row says that there is no history.
    assert_eq!(page.top_row(), ("line 1".to_owned(), -28));
    assert_eq!(page.attribute(".row", "data-line-id"), "0");
    assert!(page.count(".row") < 100);

    page.press("End").await;
    assert_eq!(page.texts().last().unwrap(), "line 100000");
    assert!(page.sees_end() && page.find("#resume").is_none());
}

#[wasm_bindgen_test]
async fn rows_are_in_the_order_of_their_lines_at_every_scroll_position() {
    let page = connected_page().await;
    page.receive(numbered(1..=2_000));
    page.rendered().await;
    for px in [-100, -333, -5_000, 20, 700, -40, 1_500, -9_000] {
        page.wheel(px).await;
        let numbers: Vec<u32> =
            page.texts().iter().map(|text| text["line ".len()..].parse().unwrap()).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{numbers:?}");
    }
}

#[wasm_bindgen_test]
async fn scrolling_up_holds_the_view_and_counts_new_lines() {
    let page = connected_page().await;
    page.receive(numbered(1..=1_000));
    page.rendered().await;
    page.wheel(-250).await;
    let place = page.top_row();
    assert_eq!(page.attribute("#resume", "data-new"), "0");

    for thousand in 1..50 {
        page.receive(numbered(thousand * 1_000 + 1..=thousand * 1_000 + 1_000));
        page.rendered().await;
        assert_eq!(page.top_row(), place);
    }
    assert_eq!(page.attribute("#resume", "data-new"), "49000");
    assert_eq!(page.text("#resume"), "↓ Follow · 49,000 new lines");

    page.get("#resume").click();
    page.rendered().await;
    assert!(page.find("#resume").is_none() && page.sees_end());
    assert_eq!(page.texts().last().unwrap(), "line 50000");
    page.receive("one more");
    page.rendered().await;
    assert_eq!(page.texts().last().unwrap(), "one more");
}

#[wasm_bindgen_test]
async fn the_view_holds_while_older_lines_are_dropped() {
    let page = TestPage::new(StoreLimits { lines: 1_600, ..StoreLimits::default() }).await;
    page.connect();
    page.receive(numbered(1..=1_500));
    page.rendered().await;
    page.wheel(-2_000).await;
    let place = page.top_row();
    for hundred in 15..22 {
        page.receive(numbered(hundred * 100 + 1..=hundred * 100 + 100));
        page.rendered().await;
        assert_eq!(page.top_row(), place);
    }
    assert_eq!(page.text("#line-count"), "2,200 lines, 1,600 kept");
    page.press("Home").await;
    assert_eq!(page.text(".top-row span"), "600 older lines are no longer kept");
    assert_eq!(page.texts()[0], "line 601");
}

#[wasm_bindgen_test]
async fn a_scroll_event_alone_does_not_stop_following() {
    let page = connected_page().await;
    page.receive(numbered(1..=1_000));
    page.rendered().await;
    page.get("#log").set_scroll_top(100);
    page.rendered().await;
    assert!(page.sees_end() && page.find("#resume").is_none());
}

#[wasm_bindgen_test]
async fn markup_is_shown_as_text() {
    let page = connected_page().await;
    let line = "<img src=x onerror=\"document.title='caught'\"> <b>&amp;</b> <script>1</script>";
    page.receive(line);
    page.rendered().await;
    assert_eq!(page.texts(), [line]);
    assert_eq!(page.count(".text *"), 0);
}

#[wasm_bindgen_test]
async fn invisible_characters_are_shown_and_marked() {
    let page = connected_page().await;
    page.receive("a\0b\u{202e}c\nplain");
    page.rendered().await;
    assert_eq!(page.texts(), ["a␀b<U+202E>c", "plain"]);
    assert_eq!((page.text(".mark + .mark"), page.count(".text .mark")), ("<U+202E>".to_owned(), 2));
    // The same row is plain when it shows a plain line.
    page.receive(numbered(1..=500));
    page.rendered().await;
    assert_eq!(page.count(".text .mark"), 0);
    assert_eq!(page.texts().last().unwrap(), "line 500");
}

#[wasm_bindgen_test]
async fn white_space_is_kept() {
    let page = connected_page().await;
    page.receive("  a\tb   c  \r\n\n x");
    page.rendered().await;
    assert_eq!(page.texts(), ["  a\tb   c  ", "", " x"]);
    assert_eq!(page.get(".row").client_height(), 20);
}

#[wasm_bindgen_test]
async fn a_long_line_is_cut_and_the_rest_counted() {
    let page = connected_page().await;
    page.receive("x".repeat(1_000_000));
    page.rendered().await;
    assert_eq!(page.texts()[0].len(), MAX_DRAWN_CHARS);
    assert_eq!(page.text(".more"), "… 996,000 more characters");
    page.receive(numbered(1..=500));
    page.rendered().await;
    assert!(page.find(".more").is_none());
}

#[wasm_bindgen_test]
async fn messages_of_the_server_are_distinguished() {
    let page = connected_page().await;
    page.receive("from the group");
    page.report(ClientEvent::ServerMessage {
        payload: Payload::Text("from the server".into()),
        metadata: Metadata::new(),
    });
    page.rendered().await;
    assert_eq!(page.text("[data-from=group] .text"), "from the group");
    assert_eq!(page.text("[data-from=server] .text"), "from the server");
    assert_eq!(page.text("[data-from=server] .gutter"), "server");
}

#[wasm_bindgen_test]
async fn a_lost_connection_is_reported_and_leaves_a_notice() {
    let page = connected_page().await;
    page.receive("before");
    page.report(dropped());
    page.report(ClientEvent::RetryScheduled { after: Duration::from_secs(2) });
    page.rendered().await;
    assert_eq!(page.attribute("#status", "data-state"), "disconnected");
    assert_eq!(page.text("#status"), "Reconnecting in 2 s: the connection was lost");
    assert_eq!(page.text("#details .last-error"), "the connection was dropped (close code 1006)");
    assert!(!page.get("#status").has_attribute("data-connection-id"));

    page.connect();
    page.receive("after");
    page.rendered().await;
    assert_eq!(page.attribute("#status", "data-state"), "connected");
    let texts = page.texts();
    assert_eq!((texts[0].as_str(), texts[2].as_str()), ("before", "after"));
    assert_eq!(page.text("[data-from=notice] .text"), texts[1]);
    assert!(texts[1].starts_with("Connection lost for "), "{}", texts[1]);
    assert_eq!(page.attribute("#line-count", "data-received"), "2");
}

#[wasm_bindgen_test]
async fn reconnect_starts_a_new_client() {
    let page = connected_page().await;
    page.report(dropped());
    page.report(ClientEvent::RetryScheduled { after: Duration::from_secs(60) });
    page.rendered().await;
    page.get("#retry").click();
    page.rendered().await;
    assert_eq!((page.clients(), Rc::strong_count(&page.running())), (2, 3));
    page.connect();
    page.rendered().await;
    assert_eq!(page.attribute("#status", "data-state"), "connected");
    assert!(page.find("#retry").is_none());
}

#[wasm_bindgen_test]
async fn a_refused_join_is_reported() {
    let page = TestPage::new(StoreLimits::default()).await;
    page.report(ClientEvent::Connected {
        connection_id: "c1".into(),
        user_id: None,
        subprotocol: Subprotocol::ReliableJson,
        history: None,
    });
    let error = AckError { name: AckError::FORBIDDEN.into(), message: "the role is missing".into() };
    page.report(ClientEvent::JoinRefused { group: GroupName::new("stream").unwrap(), error });
    page.rendered().await;
    assert_eq!(page.attribute("#status", "data-state"), "forbidden");
    assert_eq!(page.text("#status"), "Not allowed to join group `stream`: the role is missing");
    assert_eq!(page.text(".empty .reason"), "the role is missing");
}

#[wasm_bindgen_test]
async fn a_removed_viewer_stops_its_client() {
    let page = connected_page().await;
    let running = page.running();
    assert_eq!(Rc::strong_count(&running), 3);
    drop(page);
    assert_eq!(Rc::strong_count(&running), 1);
}

#[wasm_bindgen_test]
async fn colours_faces_and_links_are_rendered_and_escape_sequences_are_not() {
    let page = connected_page().await;
    page.receive("\u{1b}[1;31mred\u{1b}[0m \u{1b}[38;2;1;2;3mdark\u{1b}[0m \u{1b}]8;;https://example.com/\u{7}link\u{1b}]8;;\u{7}\n 10%\r100%\u{1b}]0;title\u{7}");
    page.rendered().await;
    assert_eq!(page.texts(), ["red dark link", "100%"]);
    let red = page.get(".row .text .ansi");
    assert!(red.class_list().contains("bold"));
    assert_eq!(red.style().get_property_value("--f").unwrap(), "var(--ansi-1)");
    assert_eq!(page.attribute(".row .text a", "href"), "https://example.com/");
    assert_eq!(page.attribute(".row .text a", "rel"), "noopener noreferrer");
    // A row that shows plain text again has no styles left.
    page.receive("plain\n".repeat(200));
    page.rendered().await;
    assert_eq!(page.count(".row .text .ansi"), 0);
}

/// Types into the search field, as a user does.
async fn search(page: &TestPage, pattern: &str) {
    page.type_into("#find input", pattern).await;
}

#[wasm_bindgen_test]
async fn a_search_counts_marks_steps_and_filters() {
    let page = connected_page().await;
    page.receive(numbered(1..=1000));
    page.receive("the needle\nanother NEEDLE");
    page.receive(numbered(1001..=2000));
    page.rendered().await;
    search(&page, "needle").await;
    assert_eq!(page.attribute("#find", "data-hits"), "2");
    page.get("#find button[aria-label='Next match']").click();
    page.rendered().await;
    assert_eq!(page.text("#find .found"), "1 of 2");
    assert!(page.texts().iter().any(|text| text == "the needle"), "{:?}", page.texts());
    assert_eq!(page.text(".row[data-current] .hit"), "needle");
    page.get("#filter [data-value=matching]").click();
    page.rendered().await;
    assert_eq!(page.texts(), ["the needle", "another NEEDLE"]);
    page.get("#filter [data-value=not-matching]").click();
    page.rendered().await;
    assert!(!page.texts().iter().any(|text| text.to_lowercase().contains("needle")));
    page.get("#find button[aria-label='Match case']").click();
    page.rendered().await;
    assert_eq!(page.attribute("#find", "data-hits"), "1");
    search(&page, "").await;
    assert_eq!(page.attribute("#find", "data-hits"), "0");
    assert_eq!(page.count(".row .hit"), 0);
}

#[wasm_bindgen_test]
async fn an_invalid_pattern_is_reported_and_the_viewer_goes_on() {
    let page = connected_page().await;
    page.receive("a (b) c");
    page.get("#find button[aria-label='Regular expression']").click();
    search(&page, "(").await;
    assert!(page.text("#find .wrong").contains("Invalid pattern"), "{}", page.text("#find .wrong"));
    search(&page, r"\(b\)").await;
    assert_eq!(page.attribute("#find", "data-hits"), "1");
}

#[wasm_bindgen_test]
async fn lines_are_filtered_by_level_as_they_are_received() {
    let page = connected_page().await;
    page.receive("INFO a\nERROR b\nplain\nWARN c");
    page.rendered().await;
    assert_eq!(page.text(".level[data-level='error'] b"), "1");
    page.get(".level[data-level='error']").click();
    page.rendered().await;
    assert_eq!(page.texts(), ["ERROR b"]);
    page.receive("ERROR d\nINFO e");
    page.rendered().await;
    assert_eq!(page.texts(), ["ERROR b", "ERROR d"]);
    page.get(".level[data-level='error']").click();
    page.rendered().await;
    assert_eq!(page.texts().len(), 6);
}

#[wasm_bindgen_test]
async fn long_lines_wrap_and_the_end_stays_in_view() {
    let page = connected_page().await;
    for number in 0..500 {
        let text = if number % 3 == 0 { "日本語 é ".repeat(60) } else { "word ".repeat(number % 90) };
        page.receive(format!("{number} {text}"));
    }
    page.rendered().await;
    let wrap = "#find button[aria-label='Wrap lines']";
    page.get(wrap).click();
    page.rendered().await;
    assert!(page.sees_end());
    let log = page.get("#log");
    assert!(log.scroll_width() <= log.client_width(), "a line is wider than the view");
    // Rows adjoin at every scroll position.
    for key in ["End", "Home", "PageDown", "PageDown"] {
        page.press(key).await;
        let rows = page.all(".rows .row");
        for pair in rows.windows(2) {
            let (upper, lower) = (pair[0].get_bounding_client_rect(), pair[1].get_bounding_client_rect());
            assert!((upper.bottom() - lower.top()).abs() < 1.0);
        }
        let last = rows.last().unwrap();
        if last.get_attribute("data-line-id").as_deref() == Some("499") {
            let content = page.get("#log .content").get_bounding_client_rect().bottom();
            let below = content - last.get_bounding_client_rect().bottom();
            assert!((0.0..=10.0).contains(&below), "{below} px are left below the last row");
        }
    }
    page.get(wrap).click();
    page.rendered().await;
    let heights: Vec<i32> = page.all(".rows .row").iter().map(|row| row.offset_height()).collect();
    assert!(heights.windows(2).all(|pair| pair[0] == pair[1]), "{heights:?}");
    clear_storage();
}

#[wasm_bindgen_test]
async fn keys_pause_and_follow_and_show_timestamps() {
    let page = connected_page().await;
    page.receive(numbered(1..=1_000));
    page.rendered().await;
    page.press("p").await;
    page.receive("held back");
    page.rendered().await;
    assert_eq!(page.attribute("#resume", "data-new"), "1");
    page.press("p").await;
    assert!(page.sees_end() && page.find("#resume").is_none());
    page.press("t").await;
    let gutter = page.all(".row .gutter").last().unwrap().text_content().unwrap();
    assert_eq!((gutter.len(), gutter.matches(':').count()), (8, 2), "{gutter}");
    page.press("t").await;
    page.press("t").await;
    page.press("?").await;
    assert!(page.get("#keys").matches(":popover-open").unwrap());
    page.press("?").await;
    assert!(!page.get("#keys").matches(":popover-open").unwrap());
    clear_storage();
}
