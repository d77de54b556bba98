//! Publishing from the page, in a browser.

use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{HtmlInputElement, KeyboardEvent, KeyboardEventInit};

use super::super::{client::Told, test_page::TestPage};
use crate::model::line_store::StoreLimits;

async fn send(page: &TestPage, text: &str) {
    page.type_into("#composer input", text).await;
    page.get("#composer button").click();
    page.painted().await;
}

fn typed(page: &TestPage) -> String {
    page.get("#composer input").unchecked_into::<HtmlInputElement>().value()
}

fn press(page: &TestPage, key: &str) {
    let pressed = KeyboardEventInit::new();
    pressed.set_key(key);
    pressed.set_bubbles(true);
    let event = KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &pressed).unwrap();
    page.get("#composer input").dispatch_event(&event).unwrap();
}

#[wasm_bindgen_test]
async fn a_line_is_sent_and_what_became_of_it_is_shown() {
    let page = TestPage::at("http://h/?publish&group=web", StoreLimits::default()).await;
    send(&page, "restarting now").await;
    assert_eq!(page.published(), ["web: restarting now"]);
    assert_eq!((typed(&page), page.text("#composer .sent")), (String::new(), "sending 1 line…".into()));
    page.tell_of(0, Told::Settled(1, Ok(())));
    page.painted().await;
    assert_eq!(page.text("#composer .sent"), "delivered (1)");
    send(&page, "again").await;
    page.tell_of(0, Told::Settled(2, Err("not allowed".into())));
    page.painted().await;
    assert_eq!(page.text("#composer .sent"), "not delivered: not allowed");
}

#[wasm_bindgen_test]
async fn what_is_not_taken_stays_in_the_field_and_lines_sent_are_recalled() {
    let page = TestPage::at("http://h/?publish=1", StoreLimits::default()).await;
    for text in ["one", "two", "three", "four"] {
        send(&page, text).await;
    }
    assert_eq!(typed(&page), "four");
    assert_eq!(page.text("#composer .sent"), "not delivered: as many as may be");
    press(&page, "ArrowUp");
    press(&page, "ArrowUp");
    assert_eq!(typed(&page), "two");
    press(&page, "ArrowDown");
    assert_eq!(typed(&page), "three");
}

#[wasm_bindgen_test]
async fn the_reader_chooses_where_to_send_to() {
    let page = TestPage::at("http://h/?publish&group=web,db", StoreLimits::default()).await;
    let choice = page.get("#composer select");
    choice.unchecked_ref::<web_sys::HtmlSelectElement>().set_value("1");
    choice.dispatch_event(&web_sys::Event::new("change").unwrap()).unwrap();
    send(&page, "vacuum").await;
    assert_eq!(page.published(), ["db: vacuum"]);
}

#[wasm_bindgen_test]
async fn who_did_not_ask_for_it_has_no_line_to_type_in() {
    let page = TestPage::new(StoreLimits::default()).await;
    assert!(page.find("#composer").is_none());
}
