//! The timeline in a viewer.

use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    model::line_store::StoreLimits,
    test_page::{TestPage, point_at},
};

async fn press(page: &TestPage, key: &str) {
    page.press_in("#timeline .strip", key).await;
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
    press(&page, "Home").await;
    press(&page, "Shift+End").await;
    press(&page, "Enter").await;
    assert!(!page.get("#range").hidden() && page.text("#range").contains(" – "), "{}", page.text("#range"));
    assert_eq!((page.texts().len(), page.text("#line-count")), (3, "3 of 3 lines".into()));
    page.get("#range").click();
    page.rendered().await;
    assert!(page.get("#range").hidden());
    assert_eq!(page.text("#line-count"), "3 lines");
}

#[wasm_bindgen_test]
async fn a_range_is_chosen_by_pointer() {
    let page = page_with_lines().await;
    for (name, share) in [("pointerdown", 0.0), ("pointermove", 0.5), ("pointerup", 0.5)] {
        point_at(&page.get("#timeline .strip"), name, share);
        page.rendered().await;
    }
    assert!(!page.get("#range").hidden());
    press(&page, "Escape").await;
    assert!(page.get("#range").hidden());
}
