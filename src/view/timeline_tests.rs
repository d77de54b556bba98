//! The timeline, in a browser.

use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{KeyboardEvent, KeyboardEventInit, PointerEvent, PointerEventInit};

use super::super::test_page::TestPage;
use crate::model::line_store::StoreLimits;

async fn press(page: &TestPage, key: &str, has_shift: bool) {
    let pressed = KeyboardEventInit::new();
    pressed.set_key(key);
    pressed.set_shift_key(has_shift);
    pressed.set_bubbles(true);
    let event = KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &pressed).unwrap();
    page.get("#timeline .strip").dispatch_event(&event).unwrap();
    page.painted().await;
}

async fn point(page: &TestPage, name: &str, share: f64) {
    let strip = page.get("#timeline .strip");
    let place = strip.get_bounding_client_rect();
    let at = PointerEventInit::new();
    at.set_client_x((place.left() + share * place.width()) as i32);
    at.set_bubbles(true);
    strip.dispatch_event(&PointerEvent::new_with_event_init_dict(name, &at).unwrap()).unwrap();
    page.painted().await;
}

async fn page_with_lines() -> TestPage {
    let page = TestPage::new(StoreLimits::default()).await;
    page.connect();
    page.receive("ERROR a\nb\nINFO c");
    page.painted().await;
    page
}

#[wasm_bindgen_test]
async fn lines_are_drawn_by_level_and_a_page_without_lines_draws_none() {
    let page = TestPage::new(StoreLimits::default()).await;
    assert!(page.get("#timeline").hidden());
    page.receive("ERROR a\nb\nINFO c");
    page.painted().await;
    assert!(!page.get("#timeline").hidden());
    for (level, is_drawn) in [("error", true), ("info", true), ("debug", false)] {
        let path = page.attribute(&format!("#timeline path[data-level={level}]"), "d");
        assert_eq!(!path.is_empty(), is_drawn, "{level}: {path}");
    }
}

#[wasm_bindgen_test]
async fn a_stretch_chosen_by_key_limits_what_is_shown_until_it_is_taken_away() {
    let page = page_with_lines().await;
    press(&page, "Home", false).await;
    press(&page, "End", true).await;
    press(&page, "Enter", false).await;
    assert!(!page.get("#range").hidden() && page.text("#range").contains(" – "), "{}", page.text("#range"));
    assert_eq!((page.texts().len(), page.text("#find .shown")), (3, "3 lines shown".into()));
    page.get("#range").click();
    page.painted().await;
    assert!(page.get("#range").hidden() && page.text("#find .shown").is_empty());
}

#[wasm_bindgen_test]
async fn a_stretch_is_chosen_by_pointer() {
    let page = page_with_lines().await;
    for (name, share) in [("pointerdown", 0.0), ("pointermove", 0.5), ("pointerup", 0.5)] {
        point(&page, name, share).await;
    }
    assert!(!page.get("#range").hidden());
    press(&page, "Escape", false).await;
    assert!(page.get("#range").hidden());
}
