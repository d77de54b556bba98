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
