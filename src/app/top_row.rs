//! `<TopRow>`: the row above the first line.

use leptos::prelude::*;

use super::context::{use_commands, use_state};
use crate::{
    controller::state::ViewerStateStoreFields,
    model::{command::Command, history::top_row::TopRow as Content},
};

/// Shows whether there are earlier lines, above the first one.
#[component]
pub fn TopRow() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let top_px = Memo::new(move |_| state.layout().get().top_row_px);
    let can_load = move || state.top_row().with(|row| matches!(row, Content::More | Content::Failed(_)));
    view! {
        <div
            class="top-row"
            role="status"
            data-state=move || state.top_row().with(|row| row.name())
            hidden=move || top_px.get().is_none()
            style:transform=move || format!("translateY({}px)", top_px.get().unwrap_or(0))
        >
            <span>{move || state.top_row().with(|row| row.text())}</span>
            <Show when=can_load>
                <button type="button" class="load" on:click=move |_| commands.run(Command::LoadEarlier)>
                    "Load earlier lines"
                </button>
            </Show>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{controller::state::ListLayout, test_page::ComponentStage};

    #[wasm_bindgen_test]
    async fn the_row_says_what_is_above_and_loads_it() {
        let stage = ComponentStage::showing(|| view! { <TopRow /> }).await;
        assert!(stage.get(".top-row").hidden());
        stage.set(stage.state().layout(), ListLayout { top_row_px: Some(8), ..ListLayout::default() }).await;
        assert!(!stage.get(".top-row").hidden());
        stage.set(stage.state().top_row(), Content::Gone(1)).await;
        assert_eq!(stage.text(".top-row span"), "1 older line is no longer kept");
        assert!(stage.find(".top-row .load").is_none());
        stage.set(stage.state().top_row(), Content::More).await;
        stage.click(".top-row .load").await;
        assert_eq!(stage.commands(), [Command::LoadEarlier]);
        assert_eq!(stage.attribute(".top-row", "data-state"), "more");
    }
}
