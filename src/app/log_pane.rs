//! `<LogPane>`: the lines, and what lies above them.

use leptos::prelude::*;

use super::{
    context::{use_info, use_state},
    empty_state::EmptyState,
    follow_button::FollowButton,
    live_region::LiveRegion,
    log_list::LogList,
    no_matches::NoMatches,
    selection_bar::SelectionBar,
    toast::Toast,
};
use crate::controller::state::ViewerStateStoreFields;

/// Shows the lines, and what lies above them.
#[component]
pub fn LogPane() -> impl IntoView {
    let state = use_state();
    let is_blank = Memo::new(move |_| state.filter().with(|filter| filter.is_blank));
    // In a host page, landmarks are the page's own.
    let role = if use_info().is_embedded { "presentation" } else { "main" };
    view! {
        <div class="lines" role=role part="lines">
            <Show when=move || state.is_empty().get()>
                <EmptyState />
            </Show>
            <Show when=move || is_blank.get()>
                <NoMatches />
            </Show>
            <div id="tray">
                <SelectionBar />
                <Toast />
            </div>
            <LiveRegion />
            <Show when=move || state.new_lines().with(Option::is_some)>
                <FollowButton />
            </Show>
            <LogList />
        </div>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{app::context::ViewerInfo, model::search::FilterState, test_page::ComponentStage};

    async fn log_pane() -> ComponentStage {
        let mut stage = ComponentStage::with_controller();
        stage.mount(|| view! { <LogPane /> }).await;
        stage
    }

    #[wasm_bindgen_test]
    async fn the_empty_state_is_shown_until_there_are_lines() {
        let stage = log_pane().await;
        assert!(stage.find(".empty").is_some() && stage.find("#log").is_some());
        stage.set(stage.state().is_empty(), false).await;
        assert!(stage.find(".empty").is_none() && stage.find("#log").is_some());
        stage.set(stage.state().is_empty(), true).await;
        assert!(stage.find(".empty").is_some());
    }

    #[wasm_bindgen_test]
    async fn a_filter_without_a_visible_line_is_reported() {
        let stage = log_pane().await;
        stage.set(stage.state().is_empty(), false).await;
        assert!(stage.find("#no-matches").is_none());
        stage.set(stage.state().filter(), FilterState { is_blank: true, ..FilterState::default() }).await;
        assert!(stage.find("#no-matches").is_some());
    }

    #[wasm_bindgen_test]
    async fn the_follow_button_is_shown_while_the_view_is_paused() {
        let stage = log_pane().await;
        assert!(stage.find("#resume").is_none());
        stage.set(stage.state().new_lines(), Some(0)).await;
        let button = stage.get("#resume");
        stage.set(stage.state().new_lines(), Some(5)).await;
        assert_eq!(stage.get("#resume"), button, "it keeps the focus while lines arrive");
        stage.set(stage.state().new_lines(), None).await;
        assert!(stage.find("#resume").is_none());
    }

    #[wasm_bindgen_test]
    async fn the_pane_is_a_landmark_unless_it_is_embedded() {
        assert_eq!(log_pane().await.attribute(".lines", "role"), "main");
        let mut stage = ComponentStage::with_controller();
        stage.provide(ViewerInfo { is_embedded: true, ..ViewerInfo::default() });
        stage.mount(|| view! { <LogPane /> }).await;
        assert_eq!(stage.attribute(".lines", "role"), "presentation");
    }
}
