//! `<GoToDialog>`: a line or a time to go to.

use leptos::{ev, prelude::*};

use super::popover::Popover;
use crate::{
    app::context::{use_commands, use_state},
    controller::state::ViewerStateStoreFields,
    model::command::{Command, Dialog},
};

/// Goes to the line or the time that the user types.
#[component]
pub fn GoToDialog() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let destination = RwSignal::new(String::new());
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        commands.run(Command::GoTo(destination.get_untracked()));
    };
    view! {
        <Popover dialog=Dialog::GoTo label="Go to line">
            <form on:submit=submit>
                <label for="goto-field">"Go to a line (57, 57-60), a time (14:03:11) or how long ago (-5m)"</label>
                <input id="goto-field" bind:value=destination autocomplete="off" spellcheck="false" autofocus />
            </form>
            <p class="wrong" role="status">
                {move || state.go_to_error().get()}
            </p>
        </Popover>
    }
}
