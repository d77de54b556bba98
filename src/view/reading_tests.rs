//! Selecting, finding back, marking and keeping, in a browser.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{
    ClipboardEvent, ClipboardEventInit, DataTransfer, DragEvent, DragEventInit, File, HtmlElement,
    HtmlTextAreaElement, Node, Selection,
};

use super::test_page::{TestPage, numbered, typed};
use crate::model::line_store::StoreLimits;

fn native() -> Selection {
    web_sys::window().unwrap().document().unwrap().get_selection().unwrap().unwrap()
}

/// The text node of the row that shows exactly this.
fn text_node(page: &TestPage, text: &str) -> Node {
    let row = page.all(".row .text").into_iter().find(|row| row.text_content().as_deref() == Some(text));
    row.unwrap().first_child().unwrap()
}

/// Selects as a pointer does.
async fn drag(page: &TestPage, (from, at): (&str, u32), (to, until): (&str, u32)) {
    native().set_base_and_extent(&text_node(page, from), at, &text_node(page, to), until).unwrap();
    page.painted().await;
}

/// What a copy puts on the clipboard.
fn copied(page: &TestPage) -> String {
    let data = DataTransfer::new().unwrap();
    let init = ClipboardEventInit::new();
    init.set_clipboard_data(Some(&data));
    init.set_bubbles(true);
    let event = ClipboardEvent::new_with_event_init_dict("copy", &init).unwrap();
    page.get("#log").dispatch_event(&event).unwrap();
    data.get_data("text/plain").unwrap()
}

fn forget_preferences() {
    web_sys::window().unwrap().local_storage().unwrap().unwrap().clear().unwrap();
}

#[wasm_bindgen_test]
async fn a_selection_outlives_its_rows_and_the_lines_that_come() {
    let page = TestPage::showing(&numbered(1..=3_000)).await;
    drag(&page, ("line 2990", 5), ("line 2992", 4)).await;
    assert_eq!(copied(&page), "2990\nline 2991\nline");
    assert_eq!(page.attribute("#selected", "data-lines"), "3");
    page.receive(numbered(3_001..=4_000));
    page.painted().await;
    assert_eq!(native().to_string(), "2990\nline 2991\nline", "rows stay as they are");
    page.press("Home").await;
    assert!(page.texts().iter().all(|text| text != "line 2991"));
    assert_eq!(copied(&page), "2990\nline 2991\nline", "no row shows it");
    page.wheel(2_985 * 20).await;
    assert_eq!(
        native().to_string(),
        "2990\nline 2991\nline",
        "and it is marked again where it is seen again"
    );
    page.press("Escape").await;
    assert!(page.get("#selected").hidden() || page.attribute("#selected", "data-lines") == "0");
    assert_eq!(copied(&page), "");
}

#[wasm_bindgen_test]
async fn keys_select_from_where_the_reader_is_to_where_no_row_is() {
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
async fn what_is_copied_is_what_came_and_not_what_is_drawn_for_it() {
    let page = TestPage::showing("a\0b\u{202e}c é😀\n\u{1b}[31mred\u{1b}[0m <b>&amp;\ttab").await;
    page.press("Ctrl+A").await;
    assert_eq!(copied(&page), "a\0b\u{202e}c é😀\nred <b>&amp;\ttab");
    let pieces = page.all(".row .text")[0].clone();
    let last: Node = pieces.last_child().unwrap().last_child().unwrap();
    native().set_base_and_extent(&pieces, 0, &last, 4).unwrap();
    page.painted().await;
    assert_eq!(copied(&page), "a\0b\u{202e}c é");
    // The page's own copy, with colours, answers the same event.
    page.press("Ctrl+A").await;
    page.press("C").await;
    assert!(page.text("#said").starts_with("copied"), "{}", page.text("#said"));
}

#[wasm_bindgen_test]
async fn bookmarks_are_shown_and_walked_through() {
    let page = TestPage::showing(&numbered(1..=1_000)).await;
    for line in ["line 995", "line 990"] {
        drag(&page, (line, 0), (line, 0)).await;
        page.press("m").await;
    }
    assert_eq!(page.count(".row[data-bookmarked]"), 2);
    page.press("Home").await;
    assert_eq!(page.count(".row[data-bookmarked]"), 0, "a row that is used again carries no mark over");
    page.press("]").await;
    assert!(page.texts().contains(&"line 995".to_owned()), "the next one after the current line");
    page.press("[").await;
    page.press("m").await;
    assert_eq!(page.text(".row[data-bookmarked] .text"), "line 995");
}

#[wasm_bindgen_test]
async fn a_press_on_a_number_makes_an_address_and_an_address_leads_to_its_lines() {
    let page = TestPage::showing(&numbered(1..=1_000)).await;
    let location = web_sys::window().unwrap().location();
    let number = |text: &str| -> HtmlElement {
        let row = text_node(&page, text).parent_element().unwrap().parent_element().unwrap();
        row.query_selector(".gutter").unwrap().unwrap().unchecked_into()
    };
    number("line 990").click();
    page.painted().await;
    assert_eq!(location.hash().unwrap(), "#L990");
    let range = web_sys::MouseEventInit::new();
    range.set_shift_key(true);
    range.set_bubbles(true);
    let press = web_sys::MouseEvent::new_with_mouse_event_init_dict("click", &range).unwrap();
    number("line 992").dispatch_event(&press).unwrap();
    page.painted().await;
    assert_eq!(location.hash().unwrap(), "#L990-992");
    assert_eq!(page.count(".row[data-linked]"), 3);

    location.set_hash("#L57-58").unwrap();
    page.painted().await;
    page.painted().await;
    assert_eq!(page.count(".row[data-linked]"), 2);
    assert_eq!(page.text(".row[data-linked] .text"), "line 57");
    drop(page);

    // A page that is opened with an address waits for its lines.
    let page = TestPage::showing(&numbered(1..=50)).await;
    page.receive(numbered(51..=500));
    page.painted().await;
    assert_eq!(page.text(".row[data-linked] .text"), "line 57");
    assert!(page.find("#resume").is_some());
    location.set_hash("").unwrap();
}

#[wasm_bindgen_test]
async fn the_reader_goes_to_a_line_or_a_time_or_is_told_why_not() {
    let page = TestPage::showing(&numbered(1..=1_000)).await;
    let go = async |words: &str| {
        page.press("g").await;
        let field: web_sys::HtmlInputElement = page.get("#goto-field").unchecked_into();
        field.set_value(words);
        page.get("#goto form").unchecked_into::<web_sys::HtmlFormElement>().request_submit().unwrap();
        page.painted().await;
    };
    go("500").await;
    assert_eq!(page.text(".row[data-linked] .text"), "line 500");
    assert!(!page.get("#goto").matches(":popover-open").unwrap());
    go("-1h").await;
    assert_eq!(page.top_row().0, "line 1");
    go("5000").await;
    assert!(page.text("#said").contains("has not come yet"), "{}", page.text("#said"));
    go("nonsense").await;
    assert!(page.text("#goto .wrong").contains("14:03"), "{}", page.text("#goto .wrong"));
    assert!(page.get("#goto").matches(":popover-open").unwrap());
    page.get("#goto").hide_popover().unwrap();
}

#[wasm_bindgen_test]
async fn rows_tell_numbers_times_or_the_time_since_the_line_before() {
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
    forget_preferences();
}

#[wasm_bindgen_test]
async fn highlights_mark_every_row_are_kept_and_meet_search_hits() {
    let page = TestPage::showing("slow request\ntimeout after 503 ms").await;
    let field: HtmlTextAreaElement = page.get("#highlights-field").unchecked_into();
    field.set_value("timeout\nred: /5\\d\\d/\n/(/");
    field.dispatch_event(&typed()).unwrap();
    page.painted().await;
    assert_eq!(page.text(".row .lit.yellow"), "timeout");
    assert_eq!(page.text(".row .lit.red"), "503");
    assert!(page.text("#highlights .wrong").starts_with("line 3: "));
    let find: web_sys::HtmlInputElement = page.get("#find input").unchecked_into();
    find.set_value("out a");
    find.dispatch_event(&typed()).unwrap();
    page.painted().await;
    assert_eq!(page.text(".row .lit.hit"), "out");
    drop(page);
    let page = TestPage::showing("another timeout").await;
    assert_eq!(page.text(".row .lit.yellow"), "timeout", "kept");
    forget_preferences();
}

#[wasm_bindgen_test]
async fn a_file_that_is_dropped_becomes_lines_also_without_a_connection() {
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
    assert!(event.default_prevented(), "or else the browser leaves the page");
    let mut longest_ms = 0.0_f64;
    while page.find(".row[data-from=notice]").is_none() {
        let start = super::clock::steady_ms();
        page.painted().await;
        longest_ms = longest_ms.max(super::clock::steady_ms() - start);
    }
    assert_eq!(page.text(".row[data-from=notice] .text"), "opened old<U+202E>.log, 600,003 lines");
    assert!(longest_ms < 3_000.0, "the page stood still for {longest_ms} ms");
    assert_eq!(page.attribute("#line-count", "data-received"), "600003");
    drop(page);

    let page = TestPage::new(StoreLimits::default()).await;
    let file = File::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(&bytes[..40])), "b").unwrap();
    let data = DataTransfer::new().unwrap();
    data.items().add_with_file(&file).unwrap();
    init.set_data_transfer(Some(&data));
    page.get(".lines").dispatch_event(&DragEvent::new_with_event_init_dict("drop", &init).unwrap()).unwrap();
    while page.find(".row[data-from=notice]").is_none() {
        page.painted().await;
    }
    assert_eq!(page.texts()[..3], ["plain", "green", "bad \\xFF byte"]);
    assert_eq!(page.text(".row .ansi"), "green");
}

#[wasm_bindgen_test]
async fn the_help_lists_every_key_of_the_table_and_the_menu_offers_some() {
    let page = TestPage::showing("a").await;
    page.press("?").await;
    assert_eq!(page.count("#keys dt"), u32::try_from(crate::model::command::BINDINGS.len()).unwrap());
    page.press("?").await;
    page.get("#menu-button").click();
    assert!(page.get("#menu").matches(":popover-open").unwrap());
    page.all("#menu button")[0].click();
    assert!(
        page.get("#goto").matches(":popover-open").unwrap()
            && !page.get("#menu").matches(":popover-open").unwrap()
    );
    page.get("#goto").hide_popover().unwrap();
}

#[wasm_bindgen_test]
async fn keys_do_nothing_where_text_is_typed_and_the_field_has_its_own() {
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
async fn new_lines_are_spoken_only_when_asked_for() {
    let page = TestPage::showing("before").await;
    let speech = || page.text("[role=log]");
    page.receive("unheard");
    page.painted().await;
    assert_eq!(speech(), "");
    page.press("v").await;
    page.receive("heard");
    page.painted().await;
    assert_eq!(speech(), "heard");
    page.press("v").await;
    forget_preferences();
}
