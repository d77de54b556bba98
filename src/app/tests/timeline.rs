//! The timeline in a viewer.

use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{KeyboardEvent, KeyboardEventInit, PointerEvent, PointerEventInit};

use crate::{model::line_store::StoreLimits, test_page::TestPage};

async fn press(page: &TestPage, key: &str, has_shift: bool) {
    let pressed = KeyboardEventInit::new();
    pressed.set_key(key);
    pressed.set_shift_key(has_shift);
    pressed.set_bubbles(true);
    let event = KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &pressed).unwrap();
    page.get("#timeline .strip").dispatch_event(&event).unwrap();
    page.rendered().await;
}

async fn point(page: &TestPage, name: &str, share: f64) {
    let strip = page.get("#timeline .strip");
    let place = strip.get_bounding_client_rect();
    let at = PointerEventInit::new();
    at.set_client_x((place.left() + share * place.width()) as i32);
    at.set_bubbles(true);
    strip.dispatch_event(&PointerEvent::new_with_event_init_dict(name, &at).unwrap()).unwrap();
    page.rendered().await;
}

async fn page_with_lines() -> TestPage {
    let page = TestPage::new(StoreLimits::default()).await;
    page.connect();
    page.receive("ERROR a\nb\nINFO c");
    page.rendered().await;
    page
}

#[wasm_bindgen_test]
async fn the_timeline_shows_lines_by_level_and_is_hidden_without_lines() {
    let page = TestPage::new(StoreLimits::default()).await;
    assert!(page.get("#timeline").hidden());
    page.receive("ERROR a\nb\nINFO c");
    page.rendered().await;
    assert!(!page.get("#timeline").hidden());
    for (level, is_drawn) in [("error", true), ("info", true), ("debug", false)] {
        let path = page.attribute(&format!("#timeline path[data-level={level}]"), "d");
        assert_eq!(!path.is_empty(), is_drawn, "{level}: {path}");
    }
}

#[wasm_bindgen_test]
async fn a_range_chosen_by_keys_filters_the_lines_until_it_is_removed() {
    let page = page_with_lines().await;
    press(&page, "Home", false).await;
    press(&page, "End", true).await;
    press(&page, "Enter", false).await;
    assert!(!page.get("#range").hidden() && page.text("#range").contains(" – "), "{}", page.text("#range"));
    assert_eq!((page.texts().len(), page.text("#find .shown")), (3, "3 lines shown".into()));
    page.get("#range").click();
    page.rendered().await;
    assert!(page.get("#range").hidden() && page.text("#find .shown").is_empty());
}

#[wasm_bindgen_test]
async fn a_range_is_chosen_by_pointer() {
    let page = page_with_lines().await;
    for (name, share) in [("pointerdown", 0.0), ("pointermove", 0.5), ("pointerup", 0.5)] {
        point(&page, name, share).await;
    }
    assert!(!page.get("#range").hidden());
    press(&page, "Escape", false).await;
    assert!(page.get("#range").hidden());
}
