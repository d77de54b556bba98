//! Publishing from the viewer.

use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::HtmlInputElement;

use crate::{
    browser::client::ClientReport,
    model::line_store::StoreLimits,
    test_page::{TestPage, key_event},
};

async fn send(page: &TestPage, text: &str) {
    page.type_into("#composer input", text).await;
    page.get("#composer button").click();
    page.rendered().await;
}

fn typed(page: &TestPage) -> String {
    page.get("#composer input").unchecked_into::<HtmlInputElement>().value()
}

async fn press(page: &TestPage, key: &str) {
    page.get("#composer input").dispatch_event(&key_event(key)).unwrap();
    page.rendered().await;
}

#[wasm_bindgen_test]
async fn a_line_is_published_and_its_delivery_is_shown() {
    let page = TestPage::at("http://h/?publish&group=web", StoreLimits::default()).await;
    send(&page, "restarting now").await;
    assert_eq!(page.published(), ["web: restarting now"]);
    assert_eq!((typed(&page), page.text("#composer .sent")), (String::new(), "sending 1 line…".into()));
    page.report_of(0, ClientReport::Settled(1, Ok(())));
    page.rendered().await;
    assert_eq!(page.text("#composer .sent"), "delivered (1)");
    send(&page, "again").await;
    page.report_of(0, ClientReport::Settled(2, Err("not allowed".into())));
    page.rendered().await;
    assert_eq!(page.text("#composer .sent"), "not delivered: not allowed");
}

#[wasm_bindgen_test]
async fn a_refused_line_stays_in_the_field_and_published_ones_are_recalled() {
    let page = TestPage::at("http://h/?publish=1", StoreLimits::default()).await;
    for text in ["one", "two", "three", "four"] {
        send(&page, text).await;
    }
    assert_eq!(typed(&page), "four");
    assert_eq!(page.text("#composer .sent"), "not delivered: the in-flight window is full");
    press(&page, "ArrowUp").await;
    press(&page, "ArrowUp").await;
    assert_eq!(typed(&page), "two");
    press(&page, "ArrowDown").await;
    assert_eq!(typed(&page), "three");
}

#[wasm_bindgen_test]
async fn a_line_is_published_to_the_chosen_source() {
    let page = TestPage::at("http://h/?publish&group=web,db", StoreLimits::default()).await;
    let choice = page.get("#composer select");
    choice.unchecked_ref::<web_sys::HtmlSelectElement>().set_value("1");
    choice.dispatch_event(&web_sys::Event::new("change").unwrap()).unwrap();
    send(&page, "vacuum").await;
    assert_eq!(page.published(), ["db: vacuum"]);
}

#[wasm_bindgen_test]
async fn there_is_no_composer_unless_the_settings_ask_for_it() {
    let page = TestPage::new(StoreLimits::default()).await;
    assert!(page.find("#composer").is_none());
}
