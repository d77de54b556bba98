//! Selecting, copying, bookmarks, links, highlights, files, keys.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{
    ClipboardEvent, ClipboardEventInit, DataTransfer, DragEvent, DragEventInit, File, HtmlElement, Node,
    Selection,
};

use crate::{
    browser::clock::monotonic_ms,
    model::line_store::StoreLimits,
    test_page::{TestPage, clear_storage, next_frame, numbered},
};

fn native() -> Selection {
    web_sys::window().unwrap().document().unwrap().get_selection().unwrap().unwrap()
}

/// Returns the text node of the row with this text.
fn text_node(page: &TestPage, text: &str) -> Node {
    let row = page.all(".row .text").into_iter().find(|row| row.text_content().as_deref() == Some(text));
    row.unwrap().first_child().unwrap()
}

/// Returns the last text node below an element.
fn last_text_node(element: &Node) -> Node {
    let children = element.child_nodes();
    let last = (0..children.length()).rev().filter_map(|at| children.get(at));
    let with_text = last.into_iter().find(|child| child.text_content().is_some_and(|text| !text.is_empty()));
    match with_text {
        Some(child) if child.node_type() != Node::TEXT_NODE => last_text_node(&child),
        child => child.unwrap(),
    }
}

/// Selects, as a pointer does.
async fn drag(page: &TestPage, (from, at): (&str, u32), (to, until): (&str, u32)) {
    native().set_base_and_extent(&text_node(page, from), at, &text_node(page, to), until).unwrap();
    page.rendered().await;
}

/// Returns what a copy puts on the clipboard.
fn copied(page: &TestPage) -> String {
    let data = DataTransfer::new().unwrap();
    let init = ClipboardEventInit::new();
    init.set_clipboard_data(Some(&data));
    init.set_bubbles(true);
    let event = ClipboardEvent::new_with_event_init_dict("copy", &init).unwrap();
    page.get("#log").dispatch_event(&event).unwrap();
    // Firefox gives the event an object of its own.
    event.clipboard_data().unwrap().get_data("text/plain").unwrap()
}

#[wasm_bindgen_test]
async fn a_selection_outlives_its_rows_and_new_lines() {
    let page = TestPage::showing(&numbered(1..=3_000)).await;
    drag(&page, ("line 2990", 5), ("line 2992", 4)).await;
    assert_eq!(copied(&page), "2990\nline 2991\nline");
    assert_eq!(page.attribute("#selected", "data-lines"), "3");
    page.receive(numbered(3_001..=4_000));
    page.rendered().await;
    assert_eq!(native().to_string(), "2990\nline 2991\nline", "rows stay as they are");
    page.press("Home").await;
    assert!(page.texts().iter().all(|text| text != "line 2991"));
    assert_eq!(copied(&page), "2990\nline 2991\nline", "out of view");
    page.wheel(2_985 * 20).await;
    assert_eq!(native().to_string(), "2990\nline 2991\nline", "restored when it comes into view again");
    page.press("Escape").await;
    assert!(page.get("#selected").hidden() || page.attribute("#selected", "data-lines") == "0");
    assert_eq!(copied(&page), "");
}

#[wasm_bindgen_test]
async fn keys_extend_the_selection_out_of_view() {
    let page = TestPage::showing(&numbered(1..=3_000)).await;
    drag(&page, ("line 2990", 0), ("line 2990", 4)).await;
    page.press("Shift+ArrowDown").await;
    assert_eq!(copied(&page), "line 2990\nline");
    page.press("Shift+Home").await;
    let text = copied(&page);
    assert_eq!(text.lines().count(), 2_989);
    assert!(text.starts_with("line 1\n") && text.ends_with("\nline 2989\n"), "{}", text.len());
    page.press("Ctrl+A").await;
    assert_eq!(copied(&page), numbered(1..=3_000));
}

#[wasm_bindgen_test]
async fn a_copy_contains_the_received_text_and_not_its_rendering() {
    let page = TestPage::showing("a\0b\u{202e}c é😀\n\u{1b}[31mred\u{1b}[0m <b>&amp;\ttab").await;
    page.press("Ctrl+A").await;
    assert_eq!(copied(&page), "a\0b\u{202e}c é😀\nred <b>&amp;\ttab");
    let pieces = page.all(".row .text")[0].clone();
    let last = last_text_node(&pieces);
    native().set_base_and_extent(&pieces, 0, &last, 4).unwrap();
    page.rendered().await;
    assert_eq!(copied(&page), "a\0b\u{202e}c é");
    assert!(page.text("#said").starts_with("Copied"), "{}", page.text("#said"));
    // A key that no user has pressed: browsers refuse to copy then.
    page.press("Ctrl+A").await;
    page.press("C").await;
    assert_eq!(page.text("#said"), "The browser refused to copy");
}

#[wasm_bindgen_test]
async fn bookmarks_are_shown_and_visited_in_order() {
    let page = TestPage::showing(&numbered(1..=1_000)).await;
    for line in ["line 995", "line 990"] {
        drag(&page, (line, 0), (line, 0)).await;
        page.press("m").await;
    }
    assert_eq!(page.count(".row[data-bookmarked]"), 2);
    page.press("Home").await;
    assert_eq!(page.count(".row[data-bookmarked]"), 0, "a slot does not keep the bookmark of its last line");
    page.press("]").await;
    assert!(page.texts().contains(&"line 995".to_owned()), "the next one after the current line");
    page.press("[").await;
    page.press("m").await;
    assert_eq!(page.text(".row[data-bookmarked] .text"), "line 995");
}

#[wasm_bindgen_test]
async fn a_click_on_a_line_number_links_it_and_a_link_leads_to_its_lines() {
    let page = TestPage::showing(&numbered(1..=1_000)).await;
    let location = web_sys::window().unwrap().location();
    let number = |text: &str| -> HtmlElement {
        let row = text_node(&page, text).parent_element().unwrap().parent_element().unwrap();
        row.query_selector(".gutter").unwrap().unwrap().unchecked_into()
    };
    number("line 990").click();
    page.rendered().await;
    assert_eq!(location.hash().unwrap(), "#L990");
    let range = web_sys::MouseEventInit::new();
    range.set_shift_key(true);
    range.set_bubbles(true);
    let press = web_sys::MouseEvent::new_with_mouse_event_init_dict("click", &range).unwrap();
    number("line 992").dispatch_event(&press).unwrap();
    page.rendered().await;
    assert_eq!(location.hash().unwrap(), "#L990-992");
    assert_eq!(page.count(".row[data-linked]"), 3);

    location.set_hash("#L57-58").unwrap();
    page.rendered().await;
    page.rendered().await;
    assert_eq!(page.count(".row[data-linked]"), 2);
    assert_eq!(page.text(".row[data-linked] .text"), "line 57");
    drop(page);

    // A link to lines that are not there yet waits for them.
    let page = TestPage::showing(&numbered(1..=50)).await;
    location.set_hash("#L57-58").unwrap();
    page.rendered().await;
    page.receive(numbered(51..=500));
    page.rendered().await;
    assert_eq!(page.text(".row[data-linked] .text"), "line 57");
    assert!(page.find("#resume").is_some());
    location.set_hash("").unwrap();
}

#[wasm_bindgen_test]
async fn the_viewer_goes_to_a_line_or_a_time_or_reports_why_not() {
    let page = TestPage::showing(&numbered(1..=1_000)).await;
    let go = async |destination: &str| {
        page.press("g").await;
        page.type_into("#goto-field", destination).await;
        page.get("#goto form").unchecked_into::<web_sys::HtmlFormElement>().request_submit().unwrap();
        page.rendered().await;
    };
    go("500").await;
    assert_eq!(page.text(".row[data-linked] .text"), "line 500");
    assert!(!page.get("#goto").matches(":popover-open").unwrap());
    go("-1h").await;
    assert_eq!(page.top_row().0, "line 1");
    go("5000").await;
    assert!(page.text("#said").contains("has not been received yet"), "{}", page.text("#said"));
    go("nonsense").await;
    assert!(page.text("#goto .wrong").contains("14:03"), "{}", page.text("#goto .wrong"));
    assert!(page.get("#goto").matches(":popover-open").unwrap());
    page.get("#goto").hide_popover().unwrap();
}

#[wasm_bindgen_test]
async fn the_gutter_shows_numbers_timestamps_or_the_time_since_the_previous_line() {
    let page = TestPage::showing("a\nb").await;
    let gutters =
        || page.all(".row .gutter").iter().map(|one| one.text_content().unwrap()).collect::<Vec<_>>();
    assert_eq!(gutters(), ["1", "2"]);
    page.press("t").await;
    assert!(gutters().iter().all(|time| time.matches(':').count() == 2));
    page.press("t").await;
    assert_eq!(gutters(), ["", "+0.000 s"]);
    page.press("t").await;
    assert_eq!(gutters(), ["1", "2"]);
    clear_storage();
}

#[wasm_bindgen_test]
async fn highlights_apply_to_every_row_are_stored_and_combine_with_matches() {
    let page = TestPage::showing("slow request\ntimeout after 503 ms").await;
    page.type_into("#highlights-field", "timeout\nred: /5\\d\\d/\n/(/").await;
    assert_eq!(page.text(".row .lit.yellow"), "timeout");
    assert_eq!(page.text(".row .lit.red"), "503");
    assert!(page.text("#highlights .wrong").starts_with("Line 3: "));
    page.type_into("#find input", "out a").await;
    assert_eq!(page.text(".row .lit.hit"), "out");
    drop(page);
    let page = TestPage::showing("another timeout").await;
    assert_eq!(page.text(".row .lit.yellow"), "timeout", "stored");
    clear_storage();
}

#[wasm_bindgen_test]
async fn a_dropped_file_becomes_lines_even_without_a_connection() {
    let page = TestPage::new(StoreLimits::default()).await;
    let bytes =
        [b"plain\n\x1b[32mgreen\x1b[0m\nbad \xff byte\n".as_slice(), "x\n".repeat(600_000).as_bytes()]
            .concat();
    let parts = Array::of1(&Uint8Array::from(bytes.as_slice()));
    let file = File::new_with_u8_array_sequence(&parts, "old\u{202e}.log").unwrap();
    let data = DataTransfer::new().unwrap();
    data.items().add_with_file(&file).unwrap();
    let init = DragEventInit::new();
    init.set_data_transfer(Some(&data));
    init.set_bubbles(true);
    init.set_cancelable(true);
    let event = DragEvent::new_with_event_init_dict("drop", &init).unwrap();
    page.get(".lines").dispatch_event(&event).unwrap();
    assert!(event.default_prevented(), "the browser would leave the page otherwise");
    let (begun_ms, mut longest_ms) = (monotonic_ms(), 0.0_f64);
    while page.find(".row[data-from=notice]").is_none() {
        let start_ms = monotonic_ms();
        next_frame().await;
        longest_ms = longest_ms.max(monotonic_ms() - start_ms);
    }
    let total_ms = monotonic_ms() - begun_ms;
    page.rendered().await;
    assert_eq!(page.text(".row[data-from=notice] .text"), "opened old<U+202E>.log, 600,003 lines");
    // The file has three slices; how long each takes depends on the machine.
    assert!(longest_ms < 0.9 * total_ms, "no frame for {longest_ms} of {total_ms} ms");
    assert_eq!(page.attribute("#line-count", "data-received"), "600003");
    drop(page);

    let page = TestPage::new(StoreLimits::default()).await;
    let file = File::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(&bytes[..40])), "b").unwrap();
    let data = DataTransfer::new().unwrap();
    data.items().add_with_file(&file).unwrap();
    init.set_data_transfer(Some(&data));
    page.get(".lines").dispatch_event(&DragEvent::new_with_event_init_dict("drop", &init).unwrap()).unwrap();
    while page.find(".row[data-from=notice]").is_none() {
        page.rendered().await;
    }
    assert_eq!(page.texts()[..3], ["plain", "green", "bad \\xFF byte"]);
    assert_eq!(page.text(".row .ansi"), "green");
}

#[wasm_bindgen_test]
async fn the_shortcuts_list_every_binding_and_the_menu_offers_commands() {
    let page = TestPage::showing("a").await;
    page.press("?").await;
    assert_eq!(page.count("#keys dt"), u32::try_from(crate::model::command::BINDINGS.len()).unwrap());
    page.press("?").await;
    page.click("#menu-button").await;
    assert!(page.get("#menu").matches(":popover-open").unwrap());
    page.all("#menu button")[0].click();
    page.rendered().await;
    assert!(
        page.get("#goto").matches(":popover-open").unwrap()
            && !page.get("#menu").matches(":popover-open").unwrap()
    );
    page.get("#goto").hide_popover().unwrap();
}

#[wasm_bindgen_test]
async fn keys_give_no_commands_in_text_fields_but_the_search_field_s_own() {
    let page = TestPage::showing(&numbered(1..=1_000)).await;
    page.press_in("#find input", "p").await;
    page.press_in("#goto-field", "p").await;
    assert!(page.find("#resume").is_none());
    page.press_in("#find input", "Alt+C").await;
    assert_eq!(page.attribute("#find button[aria-label='Match case']", "aria-pressed"), "true");
    page.press_in("#find button", "p").await;
    assert!(page.find("#resume").is_some(), "a button takes no text");
}

#[wasm_bindgen_test]
async fn new_lines_are_announced_only_on_request() {
    let page = TestPage::showing("before").await;
    let announcement = || page.text("[role=log]");
    page.receive("not announced");
    page.rendered().await;
    assert_eq!(announcement(), "");
    page.press("v").await;
    page.receive("announced");
    page.rendered().await;
    assert_eq!(announcement(), "announced");
    page.press("v").await;
    clear_storage();
}
