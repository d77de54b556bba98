//! `<Toast>`: a message of the viewer that disappears after a while.

use leptos::prelude::*;

use super::context::use_state;
use crate::controller::state::ViewerStateStoreFields;

/// Shows a message of the viewer that disappears after a while.
#[component]
pub fn Toast() -> impl IntoView {
    let toast = use_state().toast();
    view! {
        <p id="said" role="status">
            {move || Some(toast.get()).filter(|message| !message.is_empty())}
        </p>
    }
}
