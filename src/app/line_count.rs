//! `<LineCount>`: the number of lines received.

use leptos::prelude::*;

use super::context::use_state;
use crate::{
    controller::state::ViewerStateStoreFields,
    model::{
        grouped_number::{counted, grouped},
        line_store::LineCounts,
    },
};

/// Shows how many lines were received, and how many of them were dropped since.
#[component]
pub fn LineCount() -> impl IntoView {
    let counts = use_state().counts();
    view! {
        <div
            id="line-count"
            data-received=move || counts.get().received.to_string()
            data-held=move || counts.get().held.to_string()
            data-dropped=move || counts.get().dropped.to_string()
        >
            {move || label(counts.get())}
        </div>
    }
}

fn label(counts: LineCounts) -> String {
    let lines = counted(counts.received, "line", "lines");
    match counts.dropped {
        0 => lines,
        dropped => format!("{lines}, {} dropped", grouped(dropped)),
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::test_page::ComponentStage;

    #[wasm_bindgen_test]
    async fn received_and_dropped_lines_are_counted_in_words_and_attributes() {
        let stage = ComponentStage::showing(|| view! { <LineCount /> }).await;
        assert_eq!(stage.text("#line-count"), "0 lines");
        let one = LineCounts { received: 1, held: 1, dropped: 0 };
        stage.set(stage.state().counts(), one).await;
        assert_eq!(stage.text("#line-count"), "1 line");
        let many = LineCounts { received: 1_204_330, held: 1_000_000, dropped: 204_330 };
        stage.set(stage.state().counts(), many).await;
        assert_eq!(stage.text("#line-count"), "1,204,330 lines, 204,330 dropped");
        let number = |name| stage.attribute("#line-count", name);
        assert_eq!(
            [number("data-received"), number("data-held"), number("data-dropped")],
            ["1204330", "1000000", "204330"]
        );
    }
}
