//! `<Menu>`: commands by name with their keys, and settings of the view.

use leptos::{ev, html, prelude::*};

use super::popover::Popover;
use crate::{
    app::{
        context::{use_commands, use_info, use_state},
        segments::{Segment, Segments},
    },
    controller::state::{ViewerStateStoreFields, update},
    model::{
        command::{BINDINGS, Binding, Command, Dialog},
        gutter::GutterContent,
        theme::Theme,
    },
};

/// Commands of the menu, in its order.
const COMMANDS: [Command; 12] = [
    Command::ToggleDialog(Dialog::GoTo),
    Command::ToggleBookmark,
    Command::ToggleDialog(Dialog::Groups),
    Command::CopyLink,
    Command::ToggleDialog(Dialog::Highlights),
    Command::ToggleDialog(Dialog::Columns),
    Command::OpenFiles,
    Command::ToggleDialog(Dialog::Download),
    Command::Clear,
    Command::ToggleAnnouncements,
    Command::ToggleDialog(Dialog::ConnectionDetails),
    Command::ToggleDialog(Dialog::KeyboardShortcuts),
];

/// Lists commands by name with their keys, and settings of the view. Arrow keys move between the commands.
#[component]
pub fn Menu() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let bindings = bindings(use_info().is_embedded);
    let items: Vec<NodeRef<html::Button>> = bindings.iter().map(|_| NodeRef::new()).collect();
    let elements = items.clone();
    let move_focus = move |event: ev::KeyboardEvent, at: usize| {
        let Some(target) = neighbour(&event.key(), at, elements.len()) else { return };
        event.prevent_default();
        let element = elements.get(target).and_then(|item| item.get_untracked());
        if let Some(Err(error)) = element.map(|element| element.focus()) {
            leptos::logging::error!("a command of the menu cannot be focused: {error:?}");
        }
    };
    let run = move |command: Command| {
        update(state.dialog(), None);
        commands.run(command);
    };
    let rows: Vec<_> = bindings
        .into_iter()
        .zip(items)
        .enumerate()
        .map(|(at, (binding, element))| {
            let move_focus = move_focus.clone();
            view! {
                <button
                    type="button"
                    node_ref=element
                    autofocus=at == 0
                    on:click=move |_| run(binding.command.clone())
                    on:keydown=move |event| move_focus(event, at)
                >
                    <span>{binding.label}</span>
                    <kbd aria-hidden="true">{binding.command.key()}</kbd>
                </button>
            }
        })
        .collect();
    view! {
        <Popover dialog=Dialog::Menu label="Menu">
            {rows}
            <GutterChoice />
            <ThemeChoice />
        </Popover>
    }
}

/// Chooses the content of the gutter.
#[component]
fn GutterChoice() -> impl IntoView {
    let state = use_state();
    let chosen = Signal::derive(move || state.preferences().with(|preferences| preferences.gutter.as_str()));
    let segments = GutterContent::ALL.map(|gutter| Segment {
        value: gutter.as_str(),
        text: match gutter {
            GutterContent::LineNumber => "Line numbers",
            GutterContent::Time => "Timestamps",
            GutterContent::Elapsed => "Elapsed",
        },
        command: Command::SetGutter(gutter),
    });
    view! {
        <div class="choice">
            <span>"Gutter"</span>
            <Segments id="gutter" label="Gutter" title="Gutter (t)".to_owned() segments=segments.to_vec() chosen />
        </div>
    }
}

/// Chooses the colour theme.
#[component]
fn ThemeChoice() -> impl IntoView {
    let state = use_state();
    let chosen = Signal::derive(move || state.preferences().with(|preferences| preferences.theme.as_str()));
    let segments = Theme::ALL.map(|theme| Segment {
        value: theme.as_str(),
        text: match theme {
            Theme::System => "System",
            Theme::Light => "Light",
            Theme::Dark => "Dark",
        },
        command: Command::SetTheme(theme),
    });
    view! {
        <div class="choice">
            <span>"Theme"</span>
            <Segments id="theme" label="Theme" title="Theme (T)".to_owned() segments=segments.to_vec() chosen />
        </div>
    }
}

/// Returns the bindings of the menu's commands. A link to a line, and to another group, needs an address of the viewer's own.
fn bindings(is_embedded: bool) -> Vec<&'static Binding> {
    let of = |command: &Command| BINDINGS.iter().find(|binding| binding.command == *command);
    let needs_address =
        |command: &Command| matches!(command, Command::CopyLink | Command::ToggleDialog(Dialog::Groups));
    let is_offered = |command: &&Command| !(is_embedded && needs_address(command));
    COMMANDS.iter().filter(is_offered).filter_map(of).collect()
}

/// Returns the item that a key moves to.
fn neighbour(key: &str, at: usize, count: usize) -> Option<usize> {
    match key {
        "ArrowDown" => Some((at + 1) % count.max(1)),
        "ArrowUp" => Some(at.checked_sub(1).unwrap_or(count.saturating_sub(1))),
        "Home" => Some(0),
        "End" => Some(count.saturating_sub(1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{app::context::ViewerInfo, test_page::ComponentStage};

    #[wasm_bindgen_test]
    async fn every_command_is_listed_with_its_key() {
        let stage = ComponentStage::showing(|| view! { <Menu /> }).await;
        assert_eq!(stage.all("#menu > button").len(), COMMANDS.len());
        assert_eq!(stage.texts_of("kbd"), COMMANDS.map(|command| command.key().to_owned()));
        assert_eq!(stage.text("button"), "Go to line…g");
    }

    #[wasm_bindgen_test]
    async fn a_command_closes_the_menu_and_is_given() {
        let stage = ComponentStage::showing(|| view! { <Menu /> }).await;
        for (button, command) in stage.all("#menu > button").into_iter().zip(COMMANDS) {
            stage.set(stage.state().dialog(), Some(Dialog::Menu)).await;
            button.click();
            assert_eq!((stage.commands(), stage.state().dialog().get_untracked()), (vec![command], None));
        }
    }

    #[wasm_bindgen_test]
    async fn arrow_keys_move_between_the_commands() {
        let stage = ComponentStage::showing(|| view! { <Menu /> }).await;
        stage.set(stage.state().dialog(), Some(Dialog::Menu)).await;
        let focused = || stage.text("#menu > button:focus span");
        stage.get("#menu > button").focus().unwrap();
        for (key, label) in [
            ("ArrowDown", "Bookmark the current line"),
            ("ArrowUp", "Go to line…"),
            ("ArrowUp", "Keyboard shortcuts"),
            ("Home", "Go to line…"),
            ("End", "Keyboard shortcuts"),
            ("ArrowDown", "Go to line…"),
        ] {
            assert!(stage.press_in("#menu > button:focus", key).await, "the page does not scroll");
            assert_eq!(focused(), label);
        }
        assert!(!stage.press_in("#menu > button:focus", "a").await);
    }

    #[wasm_bindgen_test]
    async fn settings_of_the_view_are_shown_and_chosen() {
        let stage = ComponentStage::showing(|| view! { <Menu /> }).await;
        assert_eq!(stage.texts_of("[aria-pressed=true]"), ["Line numbers", "System"]);
        stage.click("#gutter [data-value=clock]").await;
        stage.click("#theme [data-value=dark]").await;
        assert_eq!(
            stage.commands(),
            [Command::SetGutter(GutterContent::Time), Command::SetTheme(Theme::Dark)]
        );
    }

    #[wasm_bindgen_test]
    async fn an_embedded_viewer_offers_no_link() {
        let mut stage = ComponentStage::new();
        stage.provide(ViewerInfo { is_embedded: true, ..ViewerInfo::default() });
        stage.mount(|| view! { <Menu /> }).await;
        assert!(!stage.text("#menu").contains("Copy link"));
    }
}
