//! `<LiveRegion>`: new lines for a screen reader.

use leptos::prelude::*;

use super::context::use_state;
use crate::controller::state::ViewerStateStoreFields;

/// Announces new lines to a screen reader. The list itself is no live region: it would never stop.
#[component]
pub fn LiveRegion() -> impl IntoView {
    let announcement = use_state().announcement();
    view! {
        <p class="spoken new" role="log" aria-label="New lines">
            {move || announcement.get()}
        </p>
    }
}
