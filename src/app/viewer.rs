//! `<Viewer>`: the log and everything around it.

use std::rc::Rc;

use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{ClipboardEvent, DragEvent, Event, KeyboardEvent, Node, PointerEvent};

use super::{
    composer::Composer,
    context::{ControllerRef, ViewerInfo},
    dialogs::Dialogs,
    event_listener::{use_event_listener, use_preventing_listener},
    header::Header,
    keyboard::handle_key,
    log_pane::LogPane,
    toolbar::Toolbar,
};
use crate::{
    browser::{client::StartClient, host::Host, page_address::PageAddress, settings::Settings},
    controller::{ControllerSetup, LogController, WeakController},
    model::{command::Command, line_store::StoreLimits, live_log::LiveLog},
};

/// Everything that a viewer is started with.
pub struct ViewerSetup {
    /// Connections and limits.
    pub address: PageAddress,
    /// Starts the clients.
    pub start_client: StartClient,
    /// Limits of the line store.
    pub limits: StoreLimits,
    /// Settings.
    pub settings: Settings,
    /// The page around the viewer.
    pub host: Host,
    /// Called with the controller when it has started.
    pub on_start: Box<dyn FnOnce(WeakController)>,
}

/// Shows a log and everything around it. Owns the controller; what that has started ends with the component.
#[component]
pub fn Viewer(
    /// Everything that it is started with.
    setup: ViewerSetup,
) -> impl IntoView {
    let ViewerSetup { address, start_client, limits, settings, host, on_start } = setup;
    let log = LiveLog::new(address.sources(), limits);
    provide_context(ViewerInfo::new(&log, &address, limits, &host));
    let controller =
        LogController::new(ControllerSetup { log, limits, settings, host: host.clone(), start_client });
    provide(&controller, &host);
    listen(&controller, &host);
    controller.start();
    on_start(Rc::downgrade(&controller));
    let root = controller.elements().root;
    let has_composer = address.has_composer;
    view! {
        <div class="tailcast" node_ref=root>
            <Header />
            <Toolbar />
            <LogPane />
            {has_composer.then(|| view! { <Composer /> })}
            <slot name="footer"></slot>
            <Dialogs />
        </div>
    }
}

/// Provides state, commands, controller and host to the components.
fn provide(controller: &Rc<LogController>, host: &Host) {
    provide_context(controller.state());
    let controller: ControllerRef = StoredValue::new_local(Rc::clone(controller));
    provide_context(controller);
    provide_context(StoredValue::new_local(host.clone()));
    // A copy of the reference: a command may remove the viewer.
    provide_context(UnsyncCallback::new(move |command: Command| controller.get_value().run(command)));
}

/// Listens to events that no component owns.
fn listen(controller: &Rc<LogController>, host: &Host) {
    let root = controller.elements().root;
    // A listener lives no longer than the viewer, and must not keep it alive.
    let weak = Rc::downgrade(controller);
    let with = move |act: &dyn Fn(&Rc<LogController>)| weak.upgrade().iter().for_each(act);
    // Embedded, what stands in the viewer's slots belongs to the host page.
    let is_embedded = host.is_embedded();
    let is_own = move |event: &Event| !is_embedded || is_inside(root, event);

    let on = with.clone();
    use_preventing_listener(host.events(), "keydown", move |event: &KeyboardEvent| {
        if is_own(event) {
            on(&|controller| handle_key(controller, event));
        }
    });
    let on = with.clone();
    use_preventing_listener(host.events(), "copy", move |event: &ClipboardEvent| {
        on(&|controller| controller.copied(event));
    });
    use_preventing_listener(host.events(), "dragover", |event: &DragEvent| {
        LogController::dragged_over(event)
    });
    let on = with.clone();
    use_preventing_listener(host.events(), "drop", move |event: &DragEvent| {
        on(&|controller| controller.dropped(event));
    });
    let on = with.clone();
    use_event_listener(host.document(), "selectionchange", move |_: &Event| {
        on(&|controller| controller.selection_changed());
    });
    let on = with.clone();
    use_event_listener(host.document(), "visibilitychange", move |_: &Event| {
        on(&|controller| controller.page_visibility_changed());
    });
    // The pointer may be released anywhere.
    for name in ["pointerup", "pointercancel", "pointermove"] {
        let on = with.clone();
        use_event_listener(host.window(), name, move |event: &PointerEvent| {
            on(&|controller| controller.pointer_changed(event));
        });
    }
    if !is_embedded {
        let on = with;
        use_event_listener(host.window(), "hashchange", move |_: &Event| {
            on(&|controller| controller.go_to_fragment());
        });
    }
}

fn is_inside(root: NodeRef<html::Div>, event: &Event) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Node>().ok());
    let Some(target) = target else { return true };
    root.try_get_untracked().flatten().is_some_and(|root| root.contains(Some(&target)))
}
