//! The page in a browser, with the test in the place of the service.

use std::{rc::Rc, time::Duration};

use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use webpubsub_client::{ClientEvent, Disconnect};
use webpubsub_protocol::{
    message::{AckError, Metadata},
    name::GroupName,
    payload::Payload,
    subprotocol::Subprotocol,
};

use super::super::test_page::{TestPage, numbered, typed};
use crate::model::{display_text::MAX_DRAWN_CHARS, line_store::StoreLimits};

async fn connected_page() -> TestPage {
    let page = TestPage::new(StoreLimits::default()).await;
    page.connect();
    page.painted().await;
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
    page.painted().await;
    assert_eq!(page.attribute("#status", "data-state"), "connected");
    assert_eq!(page.attribute("#status", "data-connection-id"), "c1");
    assert_eq!(page.attribute("#status", "data-user-id"), "ada");
    assert_eq!(page.text("#status"), "Connected as ada · connection c1");
    assert_eq!(page.attribute("#status", "title"), "Connected as ada · connection c1");
}

#[wasm_bindgen_test]
async fn an_empty_page_says_what_to_do_until_a_line_comes() {
    let page = connected_page().await;
    assert_eq!(page.text(".command"), "some-command | tailcast stream");
    page.receive("first");
    page.painted().await;
    assert!(page.find(".empty").is_none());
    assert_eq!(page.texts(), ["first"]);
}

#[wasm_bindgen_test]
async fn a_hundred_thousand_lines_are_followed_with_few_elements() {
    let page = connected_page().await;
    for thousand in 0..100 {
        page.receive(numbered(thousand * 1_000 + 1..=thousand * 1_000 + 1_000));
    }
    page.painted().await;
    assert_eq!(page.attribute("#line-count", "data-received"), "100000");
    assert_eq!(page.attribute("#line-count", "data-held"), "100000");
    assert_eq!(page.text("#line-count"), "100,000 lines");
    assert_eq!(page.texts().last().unwrap(), "line 100000");
    assert!(page.sees_end());
    assert!(page.count("main *") < 400, "{} elements", page.count("main *"));

    page.press("Home").await;
    assert_eq!(page.top_row(), ("line 1".to_owned(), -8));
    assert_eq!(page.attribute(".row", "data-line-id"), "0");
    assert!(page.count(".row") < 100);

    page.press("End").await;
    assert_eq!(page.texts().last().unwrap(), "line 100000");
    assert!(page.sees_end() && page.find("#resume").is_none());
}

#[wasm_bindgen_test]
async fn rows_stand_in_the_order_of_their_lines_wherever_the_reader_goes() {
    let page = connected_page().await;
    page.receive(numbered(1..=2_000));
    page.painted().await;
    for px in [-100, -333, -5_000, 20, 700, -40, 1_500, -9_000] {
        page.wheel(px).await;
        let numbers: Vec<u32> =
            page.texts().iter().map(|text| text["line ".len()..].parse().unwrap()).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{numbers:?}");
    }
}

#[wasm_bindgen_test]
async fn who_scrolls_away_keeps_his_place_and_is_told_what_he_misses() {
    let page = connected_page().await;
    page.receive(numbered(1..=1_000));
    page.painted().await;
    page.wheel(-250).await;
    let place = page.top_row();
    assert_eq!(page.attribute("#resume", "data-new"), "0");

    for thousand in 1..50 {
        page.receive(numbered(thousand * 1_000 + 1..=thousand * 1_000 + 1_000));
        page.painted().await;
        assert_eq!(page.top_row(), place);
    }
    assert_eq!(page.attribute("#resume", "data-new"), "49000");
    assert_eq!(page.text("#resume"), "↓ 49,000 new lines");

    page.get("#resume").click();
    page.painted().await;
    assert!(page.find("#resume").is_none() && page.sees_end());
    assert_eq!(page.texts().last().unwrap(), "line 50000");
    page.receive("one more");
    page.painted().await;
    assert_eq!(page.texts().last().unwrap(), "one more");
}

#[wasm_bindgen_test]
async fn the_place_is_kept_while_older_lines_are_dropped() {
    let page = TestPage::new(StoreLimits { lines: 1_600, ..StoreLimits::default() }).await;
    page.connect();
    page.receive(numbered(1..=1_500));
    page.painted().await;
    page.wheel(-2_000).await;
    let place = page.top_row();
    for hundred in 15..22 {
        page.receive(numbered(hundred * 100 + 1..=hundred * 100 + 100));
        page.painted().await;
        assert_eq!(page.top_row(), place);
    }
    assert_eq!(page.text("#line-count"), "2,200 lines, 600 dropped");
    page.press("Home").await;
    assert_eq!(page.text(".dropped"), "600 older lines were dropped: this page keeps the newest");
    assert_eq!(page.texts()[0], "line 601");
}

#[wasm_bindgen_test]
async fn a_scroll_event_alone_does_not_stop_following() {
    let page = connected_page().await;
    page.receive(numbered(1..=1_000));
    page.painted().await;
    page.get("#log").set_scroll_top(100);
    page.painted().await;
    assert!(page.sees_end() && page.find("#resume").is_none());
}

#[wasm_bindgen_test]
async fn markup_is_shown_as_text() {
    let page = connected_page().await;
    let line = "<img src=x onerror=\"document.title='caught'\"> <b>&amp;</b> <script>1</script>";
    page.receive(line);
    page.painted().await;
    assert_eq!(page.texts(), [line]);
    assert_eq!(page.count(".text *"), 0);
}

#[wasm_bindgen_test]
async fn what_is_invisible_is_shown_and_marked() {
    let page = connected_page().await;
    page.receive("a\0b\u{202e}c\nplain");
    page.painted().await;
    assert_eq!(page.texts(), ["a␀b<U+202E>c", "plain"]);
    assert_eq!((page.text(".mark + .mark"), page.count(".text .mark")), ("<U+202E>".to_owned(), 2));
    // The same row, filled again with a plain line, is plain.
    page.receive(numbered(1..=500));
    page.painted().await;
    assert_eq!(page.count(".text .mark"), 0);
    assert_eq!(page.texts().last().unwrap(), "line 500");
}

#[wasm_bindgen_test]
async fn white_space_is_kept() {
    let page = connected_page().await;
    page.receive("  a\tb   c  \r\n\n x");
    page.painted().await;
    assert_eq!(page.texts(), ["  a\tb   c  ", "", " x"]);
    assert_eq!(page.get(".row").client_height(), 20);
}

#[wasm_bindgen_test]
async fn of_a_long_line_the_beginning_is_drawn_and_the_rest_counted() {
    let page = connected_page().await;
    page.receive("x".repeat(1_000_000));
    page.painted().await;
    assert_eq!(page.texts()[0].len(), MAX_DRAWN_CHARS);
    assert_eq!(page.text(".more"), "… 996,000 more characters");
    page.receive(numbered(1..=500));
    page.painted().await;
    assert!(page.find(".more").is_none());
}

#[wasm_bindgen_test]
async fn messages_from_the_server_are_told_apart() {
    let page = connected_page().await;
    page.receive("from the group");
    page.tell(ClientEvent::ServerMessage {
        payload: Payload::Text("from the server".into()),
        metadata: Metadata::new(),
    });
    page.painted().await;
    assert_eq!(page.text("[data-from=group] .text"), "from the group");
    assert_eq!(page.text("[data-from=server] .text"), "from the server");
    assert_eq!(page.text("[data-from=server] .gutter"), "server");
}

#[wasm_bindgen_test]
async fn a_lost_connection_is_told_and_leaves_a_gap_row() {
    let page = connected_page().await;
    page.receive("before");
    page.tell(dropped());
    page.tell(ClientEvent::RetryScheduled { after: Duration::from_secs(2) });
    page.painted().await;
    assert_eq!(page.attribute("#status", "data-state"), "disconnected");
    assert_eq!(page.text("#status"), "Reconnecting in 2 s: the connection was dropped (close code 1006)");
    assert!(!page.get("#status").has_attribute("data-connection-id"));

    page.connect();
    page.receive("after");
    page.painted().await;
    assert_eq!(page.attribute("#status", "data-state"), "connected");
    let texts = page.texts();
    assert_eq!((texts[0].as_str(), texts[2].as_str()), ("before", "after"));
    assert_eq!(page.text("[data-from=notice] .text"), texts[1]);
    assert!(texts[1].starts_with("connection lost "), "{}", texts[1]);
    assert_eq!(page.attribute("#line-count", "data-received"), "2");
}

#[wasm_bindgen_test]
async fn who_does_not_want_to_wait_gets_a_new_client() {
    let page = connected_page().await;
    page.tell(dropped());
    page.tell(ClientEvent::RetryScheduled { after: Duration::from_secs(60) });
    page.painted().await;
    page.get("#retry").click();
    assert_eq!((page.clients(), Rc::strong_count(&page.running())), (2, 3));
    page.connect();
    page.painted().await;
    assert_eq!(page.attribute("#status", "data-state"), "connected");
    assert!(page.find("#retry").is_none());
}

#[wasm_bindgen_test]
async fn who_is_not_allowed_is_told_so() {
    let page = TestPage::new(StoreLimits::default()).await;
    page.tell(ClientEvent::Connected {
        connection_id: "c1".into(),
        user_id: None,
        subprotocol: Subprotocol::ReliableJson,
    });
    let error = AckError { name: AckError::FORBIDDEN.into(), message: "the role is missing".into() };
    page.tell(ClientEvent::JoinRefused { group: GroupName::new("stream").unwrap(), error });
    page.painted().await;
    assert_eq!(page.attribute("#status", "data-state"), "forbidden");
    assert_eq!(page.text("#status"), "Not allowed to join group `stream`: the role is missing");
    assert_eq!(page.text(".empty .reason"), "the role is missing");
}

#[wasm_bindgen_test]
async fn a_page_that_is_taken_away_stops_its_client() {
    let page = connected_page().await;
    let running = page.running();
    assert_eq!(Rc::strong_count(&running), 3);
    drop(page);
    assert_eq!(Rc::strong_count(&running), 1);
}

#[wasm_bindgen_test]
async fn colours_faces_and_links_are_drawn_and_escape_sequences_are_not() {
    let page = connected_page().await;
    page.receive("\u{1b}[1;31mred\u{1b}[0m \u{1b}[38;2;1;2;3mdark\u{1b}[0m \u{1b}]8;;https://example.com/\u{7}link\u{1b}]8;;\u{7}\n 10%\r100%\u{1b}]0;title\u{7}");
    page.painted().await;
    assert_eq!(page.texts(), ["red dark link", "100%"]);
    let red = page.get(".row .text .ansi");
    assert!(red.class_list().contains("bold"));
    assert_eq!(red.style().get_property_value("--f").unwrap(), "var(--ansi-1)");
    assert_eq!(page.attribute(".row .text a", "href"), "https://example.com/");
    assert_eq!(page.attribute(".row .text a", "rel"), "noopener noreferrer");
    // A row that is filled again with plain text is plain again.
    page.receive("plain\n".repeat(200));
    page.painted().await;
    assert_eq!(page.count(".row .text .ansi"), 0);
}

/// Types into the search field, as a reader does.
async fn look_for(page: &TestPage, pattern: &str) {
    let field: web_sys::HtmlInputElement = page.get("#find input").unchecked_into();
    field.set_value(pattern);
    field.dispatch_event(&typed()).unwrap();
    page.painted().await;
}

#[wasm_bindgen_test]
async fn a_search_counts_marks_steps_and_filters() {
    let page = connected_page().await;
    page.receive(numbered(1..=1000));
    page.receive("the needle\nanother NEEDLE");
    page.receive(numbered(1001..=2000));
    page.painted().await;
    look_for(&page, "needle").await;
    assert_eq!(page.attribute("#find", "data-hits"), "2");
    page.get("#find button[aria-label='Next hit']").click();
    page.painted().await;
    assert_eq!(page.text("#find .found"), "1 of 2");
    assert!(page.texts().iter().any(|text| text == "the needle"), "{:?}", page.texts());
    assert_eq!(page.text(".row[data-current] .hit"), "needle");
    page.get("#filter").click();
    page.painted().await;
    assert_eq!(page.texts(), ["the needle", "another NEEDLE"]);
    page.get("#filter").click();
    page.painted().await;
    assert!(!page.texts().iter().any(|text| text.to_lowercase().contains("needle")));
    page.get("#find button[aria-label='Match case']").click();
    page.painted().await;
    assert_eq!(page.attribute("#find", "data-hits"), "1");
    look_for(&page, "").await;
    assert_eq!(page.attribute("#find", "data-hits"), "0");
    assert_eq!(page.count(".row .hit"), 0);
}

#[wasm_bindgen_test]
async fn a_pattern_that_is_none_is_told_and_the_page_lives_on() {
    let page = connected_page().await;
    page.receive("a (b) c");
    page.get("#find button[aria-label='Regular expression']").click();
    look_for(&page, "(").await;
    assert!(page.text("#find .found").contains("not a pattern"), "{}", page.text("#find .found"));
    look_for(&page, r"\(b\)").await;
    assert_eq!(page.attribute("#find", "data-hits"), "1");
}

#[wasm_bindgen_test]
async fn lines_are_shown_by_their_level_and_new_ones_as_they_come() {
    let page = connected_page().await;
    page.receive("INFO a\nERROR b\nplain\nWARN c");
    page.painted().await;
    assert_eq!(page.text(".level[data-level='error'] b"), "1");
    page.get(".level[data-level='error']").click();
    page.painted().await;
    assert_eq!(page.texts(), ["ERROR b"]);
    page.receive("ERROR d\nINFO e");
    page.painted().await;
    assert_eq!(page.texts(), ["ERROR b", "ERROR d"]);
    page.get(".level[data-level='error']").click();
    page.painted().await;
    assert_eq!(page.texts().len(), 6);
}

#[wasm_bindgen_test]
async fn long_lines_are_wrapped_when_asked_for_and_the_end_stays_in_view() {
    let page = connected_page().await;
    for number in 0..500 {
        let text = if number % 3 == 0 { "日本語 é ".repeat(60) } else { "word ".repeat(number % 90) };
        page.receive(format!("{number} {text}"));
    }
    page.painted().await;
    let wrap = "#find button[aria-label='Wrap long lines']";
    page.get(wrap).click();
    page.painted().await;
    assert!(page.sees_end());
    let log = page.get("#log");
    assert!(log.scroll_width() <= log.client_width(), "a line goes beyond the edge");
    // Rows stand on one another without a gap, wherever one scrolls.
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
    page.painted().await;
    let heights: Vec<i32> = page.all(".rows .row").iter().map(|row| row.offset_height()).collect();
    assert!(heights.windows(2).all(|pair| pair[0] == pair[1]), "{heights:?}");
    web_sys::window().unwrap().local_storage().unwrap().unwrap().clear().unwrap();
}

#[wasm_bindgen_test]
async fn the_view_is_held_and_followed_by_key_and_rows_tell_the_time_when_asked() {
    let page = connected_page().await;
    page.receive(numbered(1..=1_000));
    page.painted().await;
    page.press("p").await;
    page.receive("held back");
    page.painted().await;
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
    web_sys::window().unwrap().local_storage().unwrap().unwrap().clear().unwrap();
}
