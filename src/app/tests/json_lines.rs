//! Lines that are JSON objects.

use wasm_bindgen_test::wasm_bindgen_test;

use crate::test_page::{TestPage, clear_storage, numbered};

const JSON: &str = r#"{"level":"warn","msg":"a \"slow\" one","at":{"host":"db-1"}}"#;

/// Texts of the rows below expanded lines.
fn branches(page: &TestPage) -> Vec<String> {
    page.all(".branch").iter().map(|branch| branch.text_content().unwrap_or_default()).collect()
}

#[wasm_bindgen_test]
async fn a_json_line_expands_to_its_values_and_collapses() {
    let page = TestPage::showing(&format!("{}\n{JSON}\nplain", numbered(1..=500))).await;
    assert_eq!(page.texts()[page.texts().len() - 2], JSON);
    assert_eq!(page.all(".fold").iter().filter(|fold| !fold.hidden()).count(), 1);
    assert_eq!(page.attribute(".row[data-line-id='500']", "data-level"), "warning");
    let row_px = page.get(".row[data-line-id='500']").offset_height();
    page.get(".fold").click();
    page.rendered().await;
    assert_eq!(branches(&page), ["level warn", "msg a \"slow\" one", "at {", "host db-1"]);
    let row = page.get(".row[data-line-id='500']");
    assert_eq!(row.offset_height(), 5 * row_px);
    let (below, above) = (page.get(".row[data-line-id='501']"), row.get_bounding_client_rect().bottom());
    assert!((below.get_bounding_client_rect().top() - above).abs() < 1.0);
    assert_eq!(page.attribute(".fold", "aria-expanded"), "true");
    page.get(".fold").click();
    page.rendered().await;
    assert_eq!((branches(&page).len(), page.get(".row[data-line-id='500']").offset_height()), (0, row_px));
}

#[wasm_bindgen_test]
async fn an_expanded_line_stays_expanded_out_of_view_and_while_lines_wrap() {
    let page = TestPage::showing(&format!("{JSON}\n{}", numbered(1..=2_000))).await;
    for key in ["Home", "o", "End", "Home", "z"] {
        page.press(key).await;
    }
    assert_eq!(branches(&page).len(), 4);
    let rows = page.all(".rows .row");
    for pair in rows.windows(2) {
        let (upper, lower) = (pair[0].get_bounding_client_rect(), pair[1].get_bounding_client_rect());
        assert!((upper.bottom() - lower.top()).abs() < 1.0);
    }
    page.press("z").await;
    page.press("o").await;
    assert_eq!(page.count(".branch"), 0);
    clear_storage();
}

#[wasm_bindgen_test]
async fn chosen_fields_are_columns_and_lines_without_them_are_plain() {
    let page = TestPage::showing(&format!("{JSON}\nplain\n{}", r#"{"msg":"b","level":"information"}"#)).await;
    page.type_into("#columns input", "level, msg").await;
    assert_eq!(page.texts(), ["warn a \\\"slow\\\" one ", "plain", "information b "]);
    // The columns of all rows are aligned.
    let cells = page.all(".cell");
    assert_eq!(cells[1].offset_left(), cells[3].offset_left());
    page.type_into("#columns input", "").await;
    assert_eq!(page.texts()[0], JSON);
    clear_storage();
}

#[wasm_bindgen_test]
async fn a_line_nested_ten_thousand_deep_expands_to_a_limited_depth() {
    let page = TestPage::showing(&format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000))).await;
    page.get(".fold").click();
    page.rendered().await;
    let branches = branches(&page);
    assert!(branches.len() < 50, "{}", branches.len());
    assert!(branches.last().unwrap().contains("more levels"), "{branches:?}");
    page.receive("alive");
    page.press("End").await;
    assert_eq!(page.texts().last().unwrap(), "alive");
}
