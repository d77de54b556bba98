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

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::test_page::{ComponentStage, is_open, next_event};

    async fn two_popovers() -> ComponentStage {
        ComponentStage::showing(|| {
            view! {
                <Popover dialog=Dialog::Menu label="Menu">
                    <p>"first"</p>
                </Popover>
                <Popover dialog=Dialog::GoTo label="Go to line" class="">
                    <p>"second"</p>
                </Popover>
            }
        })
        .await
    }

    /// Sets the open dialog, and waits until the browser has reported it.
    async fn open(stage: &ComponentStage, dialog: Option<Dialog>, reported_by: &str) {
        let toggled = next_event(&stage.get(reported_by), "toggle");
        stage.set(stage.state().dialog(), dialog).await;
        toggled.await;
    }

    fn opened(stage: &ComponentStage) -> (bool, bool, Option<Dialog>) {
        let dialog = stage.state().dialog().get_untracked();
        (is_open(&stage.get("#menu")), is_open(&stage.get("#goto")), dialog)
    }

    #[wasm_bindgen_test]
    async fn a_popover_is_a_named_dialog_with_its_content() {
        let stage = two_popovers().await;
        assert_eq!((stage.text("#menu.box"), stage.text("#goto")), ("first".into(), "second".into()));
        assert_eq!(
            (stage.attribute("#menu", "role"), stage.attribute("#goto", "class")),
            ("dialog".into(), String::new())
        );
        assert_eq!(stage.attribute("#goto", "aria-label"), "Go to line");
        assert_eq!(opened(&stage), (false, false, None));
    }

    #[wasm_bindgen_test]
    async fn the_state_opens_and_closes_a_popover() {
        let stage = two_popovers().await;
        open(&stage, Some(Dialog::Menu), "#menu").await;
        assert_eq!(opened(&stage), (true, false, Some(Dialog::Menu)));
        open(&stage, None, "#menu").await;
        assert_eq!(opened(&stage), (false, false, None));
    }

    #[wasm_bindgen_test]
    async fn the_state_follows_what_the_browser_opens_and_closes() {
        let stage = two_popovers().await;
        let toggled = next_event(&stage.get("#menu"), "toggle");
        stage.get("#menu").show_popover().unwrap();
        toggled.await;
        assert_eq!(opened(&stage), (true, false, Some(Dialog::Menu)));
        let toggled = next_event(&stage.get("#menu"), "toggle");
        stage.get("#menu").hide_popover().unwrap();
        toggled.await;
        assert_eq!(opened(&stage), (false, false, None));
    }

    #[wasm_bindgen_test]
    async fn one_popover_replaces_the_other() {
        let stage = two_popovers().await;
        for (dialog, id, other) in [
            (Dialog::Menu, "#menu", None),
            (Dialog::GoTo, "#goto", Some("#menu")),
            (Dialog::Menu, "#menu", Some("#goto")),
        ] {
            let closed = other.map(|other| next_event(&stage.get(other), "toggle"));
            open(&stage, Some(dialog), id).await;
            if let Some(closed) = closed {
                closed.await;
            }
            let (is_menu, is_go_to) = (dialog == Dialog::Menu, dialog == Dialog::GoTo);
            assert_eq!(opened(&stage), (is_menu, is_go_to, Some(dialog)));
        }
    }
}
