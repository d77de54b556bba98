//! `<Popover>`: a dialog that the state opens and closes.

use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::ToggleEvent;

use crate::{
    app::context::use_state,
    controller::state::{ViewerStateStoreFields, update},
    model::command::Dialog,
};

/// Opens and closes with the state, and reports to it when the browser does.
#[component]
pub fn Popover(
    /// The dialog that it shows.
    dialog: Dialog,
    /// Its name for screen readers.
    label: &'static str,
    /// Its class.
    #[prop(default = "box")]
    class: &'static str,
    /// Its content.
    children: Children,
) -> impl IntoView {
    let open = use_state().dialog();
    let element = NodeRef::<html::Div>::new();
    // What the browser shows: it opens a popover itself after a press on a button with `popovertarget`.
    let is_shown = StoredValue::new(false);
    Effect::new(move |_| {
        let is_open = open.get() == Some(dialog);
        let Some(element) = element.get() else { return };
        if element.is_connected() && is_shown.get_value() != is_open {
            let changed = if is_open { element.show_popover() } else { element.hide_popover() };
            if let Err(error) = changed {
                leptos::logging::error!("the dialog {} cannot be opened or closed: {error:?}", dialog.id());
            }
        }
    });
    let toggled = move |event: ev::Event| {
        if opens(event) {
            update(open, Some(dialog));
        } else if open.try_get_untracked() == Some(Some(dialog)) {
            update(open, None);
        }
    };
    view! {
        <div
            id=dialog.id()
            class=class
            popover="auto"
            role="dialog"
            aria-label=label
            node_ref=element
            on:beforetoggle=move |event| is_shown.set_value(opens(event))
            on:toggle=toggled
        >
            {children()}
        </div>
    }
}

/// Whether a toggle event opens the popover, rather than closes it.
fn opens(event: ev::Event) -> bool {
    event.unchecked_into::<ToggleEvent>().new_state() == "open"
}
