//! `<LogRow>`: a slot of the list, which shows one line after another.

use leptos::{ev, prelude::*};

use super::{
    aria,
    context::use_commands,
    row_text::{row_text, text_with_invisible},
};
use crate::{
    controller::rows::RowSlot,
    model::{
        command::Command,
        display_text::display_text,
        json_line::tree::TreeRow,
        level::Level,
        row::{Fold, RowContent, SourceTag},
    },
};

/// Shows the line of a slot, or hides the slot. One closure renders all of it: an effect for each attribute would cost more than
/// comparing them.
#[component]
pub fn LogRow(
    /// The slot.
    row: RowSlot,
) -> impl IntoView {
    let commands = use_commands();
    move || row.content.with(|content| line(row, content.as_ref(), commands))
}

/// A line in its slot; a hidden slot without one.
fn line(slot: RowSlot, row: Option<&RowContent>, commands: UnsyncCallback<Command>) -> impl IntoView + use<> {
    let id = row.map_or(0, |row| row.line_id);
    let class = match row.map(|row| &row.fold) {
        None => "",
        Some(Fold::Open(_)) => "row open",
        Some(_) => "row",
    };
    let marks = row.map(|row| row.marks).unwrap_or_default();
    // A press on the gutter links the line: no selection begins there.
    let keep_selection = |event: ev::MouseEvent| event.prevent_default();
    let link = move |event: ev::MouseEvent| {
        commands.run(Command::LinkLine { id, extends: event.shift_key() });
    };
    view! {
        <div
            class=class
            hidden=row.is_none()
            role="listitem"
            node_ref=slot.element
            data-line-id=row.map(|row| row.line_id.to_string())
            aria-posinset=row.map(|row| row.line_id.saturating_add(1).to_string())
            data-from=row.map(|row| row.kind.as_str())
            data-level=row.and_then(|row| row.level).map(Level::as_str)
            data-current=marks.is_current
            data-bookmarked=marks.is_bookmarked
            data-linked=marks.is_linked
        >
            <span class="gutter" on:mousedown=keep_selection on:click=link>
                {row.and_then(|row| row.tag.as_ref()).map(tag)}
                {row.map(|row| row.gutter.clone())}
            </span>
            {row.and_then(|row| fold_button(&row.fold, id, commands))}
            <span class="text" node_ref=slot.text>
                {row.map(|row| row_text(&row.text))}
            </span>
            {row.and_then(|row| row.more.clone()).map(|more| view! { <span class="more">{more}</span> })}
            {row.and_then(|row| tree(&row.fold))}
        </div>
    }
}

fn tag(tag: &SourceTag) -> impl IntoView + use<> {
    view! {
        <span class="tag" data-source=tag.color.to_string() title=tag.name.clone()>
            {tag.name.clone()}
        </span>
    }
}

/// A button that expands a JSON line. The key `o` does the same; a hundred stops on the way through the page would help nobody.
fn fold_button(fold: &Fold, id: u64, commands: UnsyncCallback<Command>) -> Option<impl IntoView + use<>> {
    let is_open = matches!(fold, Fold::Open(_));
    (*fold != Fold::None).then(|| {
        view! {
            <button
                class="fold"
                type="button"
                tabindex="-1"
                aria-label="Values of this line"
                title="Expand or collapse (o)"
                aria-expanded=aria(is_open)
                on:click=move |_| commands.run(Command::ToggleOpen(id))
            ></button>
        }
    })
}

/// The values of an expanded line, one in a row.
fn tree(fold: &Fold) -> Option<impl IntoView + use<>> {
    let Fold::Open(rows) = fold else { return None };
    let branches: Vec<_> = rows.iter().map(branch).collect();
    Some(view! { <div class="tree">{branches}</div> })
}

fn branch(row: &TreeRow) -> impl IntoView + use<> {
    let key = (!row.key.is_empty()).then(|| {
        let key = display_text(&row.key);
        view! {
            <span class="key">
                {text_with_invisible(&key.text, &key.invisible)}
            </span>
            " "
        }
    });
    let value = display_text(&row.value);
    view! {
        <div class="branch" style=("--depth", row.depth.to_string())>
            {key}
            <span class=row.kind.as_str()>
                {text_with_invisible(&value.text, &value.invisible)}
            </span>
        </div>
    }
}
