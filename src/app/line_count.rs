//! `<LineCount>`: the number of lines received, and of those that pass the filter.

use leptos::prelude::*;

use super::context::use_state;
use crate::{
    controller::state::ViewerStateStoreFields,
    model::{
        grouped_number::{counted, grouped},
        line_store::LineCounts,
    },
};

/// Shows how many lines were received, how many of them pass the filter, and how many are kept if some were dropped or cleared.
#[component]
pub fn LineCount() -> impl IntoView {
    let state = use_state();
    let counts = state.counts();
    let visible = Memo::new(move |_| {
        state.filter().with(|filter| filter.visible_lines.map(|lines| (lines, filter.is_filtering)))
    });
    view! {
        <div
            id="line-count"
            data-received=move || counts.get().received.to_string()
            data-held=move || counts.get().held.to_string()
            data-dropped=move || counts.get().dropped.to_string()
        >
            {move || label(counts.get(), visible.get())}
        </div>
    }
}

fn label(counts: LineCounts, visible: Option<(usize, bool)>) -> String {
    let lines = counted(counts.received, "line", "lines");
    if let Some((visible, is_filtering)) = visible {
        let more = if is_filtering { "+" } else { "" };
        return format!("{}{more} of {lines}", grouped(visible as u64));
    }
    match counts.dropped {
        0 => lines,
        _ => format!("{lines}, {} kept", grouped(counts.held)),
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{model::search::FilterState, test_page::ComponentStage};

    #[wasm_bindgen_test]
    async fn lines_are_counted_in_words_and_attributes() {
        let stage = ComponentStage::showing(|| view! { <LineCount /> }).await;
        assert_eq!(stage.text("#line-count"), "0 lines");
        let one = LineCounts { received: 1, held: 1, dropped: 0 };
        stage.set(stage.state().counts(), one).await;
        assert_eq!(stage.text("#line-count"), "1 line");
        let many = LineCounts { received: 1_204_330, held: 1_000_000, dropped: 204_330 };
        stage.set(stage.state().counts(), many).await;
        assert_eq!(stage.text("#line-count"), "1,204,330 lines, 1,000,000 kept");
        let filter = FilterState { visible_lines: Some(37), ..FilterState::default() };
        stage.set(stage.state().filter(), filter).await;
        assert_eq!(stage.text("#line-count"), "37 of 1,204,330 lines");
        let filter = FilterState { visible_lines: Some(37), is_filtering: true, ..FilterState::default() };
        stage.set(stage.state().filter(), filter).await;
        assert_eq!(stage.text("#line-count"), "37+ of 1,204,330 lines", "not all lines were tested");
        let number = |name| stage.attribute("#line-count", name);
        assert_eq!(
            [number("data-received"), number("data-held"), number("data-dropped")],
            ["1204330", "1000000", "204330"]
        );
    }
}
