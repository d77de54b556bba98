//! `<LogRow>`: a slot of the list, which shows one line after another.

use leptos::{either::EitherOf3, ev, prelude::*};

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
        grouped_number::counted,
        json_line::tree::TreeRow,
        level::Level,
        row::{Fold, LineLength, RowContent, SourceTag, text::linked_text},
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
    let is_whole = row.is_some_and(|row| row.length == LineLength::Whole);
    let class = match row.map(|row| &row.fold) {
        None => "",
        Some(Fold::Open(_)) if is_whole => "row open whole",
        Some(Fold::Open(_)) => "row open",
        Some(_) if is_whole => "row whole",
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
            data-gap=marks.is_after_gap
        >
            <span class="gutter" on:mousedown=keep_selection on:click=link>
                {row.and_then(|row| row.tag.as_ref()).map(tag)}
                {row.map(|row| row.gutter.clone())}
            </span>
            {row.and_then(|row| fold_button(&row.fold, id, commands))}
            <span class="text" node_ref=slot.text>
                {row.map(|row| row_text(&row.text))}
            </span>
            {row.map(|row| rest(row, commands))}
            {row.and_then(|row| folded_note(&row.fold, id, commands))}
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

/// What is not shown of a line, and a button that shows a long line whole. The key `w` does the same.
fn rest(row: &RowContent, commands: UnsyncCallback<Command>) -> impl IntoView + use<> {
    let (id, is_whole, more) = (row.line_id, row.length == LineLength::Whole, row.more.clone());
    let toggle = move |text: String| {
        view! {
            <button
                class="more"
                type="button"
                tabindex="-1"
                title="Show the whole line, or shorten it (w)"
                aria-expanded=aria(is_whole)
                on:click=move |_| commands.run(Command::ToggleWhole(id))
            >
                {text}
            </button>
        }
    };
    let note = |more| view! { <span class="more">{more}</span> };
    match (row.length, more) {
        (LineLength::Whole, more) => {
            let button = toggle("Shorten".to_owned());
            Some(EitherOf3::A((more.map(note), button)))
        }
        (LineLength::Cut, Some(more)) => Some(EitherOf3::B(toggle(more))),
        (_, more) => more.map(|more| EitherOf3::C(note(more))),
    }
}

/// A button that expands a JSON line or unfolds a record. The keys `o` and `f` do the same; a hundred stops on the way through the page would help nobody.
fn fold_button(fold: &Fold, id: u64, commands: UnsyncCallback<Command>) -> Option<impl IntoView + use<>> {
    let (is_open, label, title, command) = match fold {
        Fold::None => return None,
        Fold::Record { is_folded, .. } => {
            (!is_folded, "Further lines of this record", "Fold or unfold (f)", Command::ToggleFold(id))
        }
        Fold::Closed | Fold::Open(_) => {
            let is_open = matches!(fold, Fold::Open(_));
            (is_open, "Values of this line", "Expand or collapse (o)", Command::ToggleOpen(id))
        }
    };
    Some(view! {
        <button
            class="fold"
            type="button"
            tabindex="-1"
            aria-label=label
            title=title
            aria-expanded=aria(is_open)
            on:click=move |_| commands.run(command.clone())
        ></button>
    })
}

/// The count of the lines that are folded below a line. A press unfolds them.
fn folded_note(fold: &Fold, id: u64, commands: UnsyncCallback<Command>) -> Option<impl IntoView + use<>> {
    let Fold::Record { is_folded: true, lines } = fold else { return None };
    let text = format!("… {}", counted(*lines, "more line", "more lines"));
    Some(view! {
        <button
            class="more folded"
            type="button"
            tabindex="-1"
            title="Unfold (f)"
            on:click=move |_| commands.run(Command::ToggleFold(id))
        >
            {text}
        </button>
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
    view! {
        <div class="branch" style=("--depth", row.depth.to_string())>
            {key}
            <span class=row.kind.as_str()>
                {row_text(&linked_text(&row.value))}
            </span>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{
        model::{
            json_line::tree::tree_rows,
            line_store::LineKind,
            row::{RowMarks, RowText},
        },
        test_page::{ComponentStage, bubbling_event, row_of},
    };

    /// Returns a stage with the row of a slot, and the slot.
    async fn row() -> (ComponentStage, RowSlot) {
        let mut stage = ComponentStage::new();
        let row = stage.owned(RowSlot::new);
        stage.mount(move || view! { <LogRow row /> }).await;
        (stage, row)
    }

    fn plain(line_id: u64) -> RowContent {
        row_of(line_id, RowText::Plain("text".into()))
    }

    #[wasm_bindgen_test]
    async fn a_slot_shows_one_line_after_another_and_hides_without_one() {
        let (stage, slot) = row().await;
        assert!(stage.get("[role=listitem]").hidden() && stage.find(".row").is_none());
        let content = RowContent {
            kind: LineKind::Server,
            level: Some(Level::Warning),
            gutter: "server".into(),
            tag: Some(SourceTag { color: 3, name: "<db>".into() }),
            more: Some("… 12 more characters".into()),
            ..plain(41)
        };
        stage.set(slot.content, Some(content)).await;
        assert_eq!((stage.text(".text"), stage.text(".gutter")), ("text".into(), "<db>server".into()));
        assert_eq!((stage.text(".more"), stage.text(".tag")), ("… 12 more characters".into(), "<db>".into()));
        for (name, value) in [
            ("data-line-id", "41"),
            ("aria-posinset", "42"),
            ("data-from", "server"),
            ("data-level", "warning"),
        ] {
            assert_eq!(stage.attribute(".row", name), value, "{name}");
        }
        assert_eq!(stage.attribute(".tag", "data-source"), "3");
        let element = stage.get(".row");
        stage.set(slot.content, Some(plain(42))).await;
        assert_eq!(stage.get(".row"), element, "a slot keeps its element");
        assert_eq!((stage.count(".tag"), stage.count(".more"), stage.text(".gutter")), (0, 0, "43".into()));
        assert!(!element.has_attribute("data-level"));
        stage.set(slot.content, None).await;
        assert!(stage.get("[role=listitem]").hidden() && !element.has_attribute("data-line-id"));
    }

    #[wasm_bindgen_test]
    async fn marks_are_attributes_of_the_row() {
        let (stage, slot) = row().await;
        let marked = |is_current, is_bookmarked, is_linked| RowContent {
            marks: RowMarks { is_current, is_bookmarked, is_linked, is_after_gap: false },
            ..plain(0)
        };
        for marks in [[true, false, false], [false, true, false], [false, false, true], [false; 3]] {
            stage.set(slot.content, Some(marked(marks[0], marks[1], marks[2]))).await;
            let row = stage.get(".row");
            let names = ["data-current", "data-bookmarked", "data-linked"];
            assert_eq!(names.map(|name| row.has_attribute(name)), marks);
        }
    }

    #[wasm_bindgen_test]
    async fn a_click_on_the_gutter_links_the_line() {
        let (stage, slot) = row().await;
        stage.set(slot.content, Some(plain(4))).await;
        assert!(stage.dispatch(".gutter", &bubbling_event("mousedown")).await, "no selection begins there");
        stage.click(".gutter").await;
        stage.set(slot.content, Some(plain(7))).await;
        let with_shift = web_sys::MouseEventInit::new();
        with_shift.set_shift_key(true);
        let click = web_sys::MouseEvent::new_with_mouse_event_init_dict("click", &with_shift).unwrap();
        stage.dispatch(".gutter", &click).await;
        assert_eq!(
            stage.commands(),
            [Command::LinkLine { id: 4, extends: false }, Command::LinkLine { id: 7, extends: true }]
        );
    }

    #[wasm_bindgen_test]
    async fn a_json_line_has_a_button_that_opens_it() {
        let (stage, slot) = row().await;
        stage.set(slot.content, Some(plain(5))).await;
        assert!(stage.find(".fold").is_none());
        stage.set(slot.content, Some(RowContent { fold: Fold::Closed, ..plain(5) })).await;
        assert_eq!((stage.attribute(".fold", "aria-expanded"), stage.count(".tree")), ("false".into(), 0));
        stage.click(".fold").await;
        assert_eq!(stage.commands(), [Command::ToggleOpen(5)]);
    }

    #[wasm_bindgen_test]
    async fn a_record_has_a_button_that_folds_it_and_a_note_that_unfolds_it() {
        let (stage, slot) = row().await;
        let record = |is_folded| RowContent { fold: Fold::Record { is_folded, lines: 12 }, ..plain(5) };
        stage.set(slot.content, Some(record(false))).await;
        assert_eq!((stage.attribute(".fold", "aria-expanded"), stage.count(".more")), ("true".into(), 0));
        stage.click(".fold").await;
        stage.set(slot.content, Some(record(true))).await;
        assert_eq!(stage.attribute(".fold", "aria-expanded"), "false");
        assert_eq!(stage.text(".more"), "… 12 more lines");
        stage.click(".more").await;
        assert_eq!(stage.commands(), [Command::ToggleFold(5), Command::ToggleFold(5)]);
    }

    #[wasm_bindgen_test]
    async fn a_long_line_has_a_button_that_shows_it_whole() {
        let (stage, slot) = row().await;
        let long = |length| RowContent { more: Some("… 12 more characters".into()), length, ..plain(5) };
        stage.set(slot.content, Some(long(LineLength::Short))).await;
        assert!(stage.find("button.more").is_none(), "there is nothing more to show");
        stage.set(slot.content, Some(long(LineLength::Cut))).await;
        assert_eq!(stage.text("button.more"), "… 12 more characters");
        assert_eq!(stage.attribute("button.more", "aria-expanded"), "false");
        stage.click("button.more").await;
        stage.set(slot.content, Some(RowContent { length: LineLength::Whole, ..plain(5) })).await;
        assert!(stage.get(".row").class_list().contains("whole"));
        assert_eq!((stage.text("button.more"), stage.count(".more")), ("Shorten".into(), 1));
        stage.click("button.more").await;
        assert_eq!(stage.commands(), [Command::ToggleWhole(5), Command::ToggleWhole(5)]);
    }

    #[wasm_bindgen_test]
    async fn the_values_of_an_open_line_are_a_tree_and_their_invisible_characters_are_marked() {
        let (stage, slot) = row().await;
        let rows = tree_rows("{\"level\":\"<b>\",\"at\":{\"a\u{202e}b\":1},\"text\":\"one\\ntwo\"}");
        stage.set(slot.content, Some(RowContent { fold: Fold::Open(rows.into()), ..plain(5) })).await;
        assert!(stage.get(".row").class_list().contains("open"));
        assert_eq!(stage.attribute(".fold", "aria-expanded"), "true");
        assert_eq!(
            stage.texts_of(".branch"),
            ["level <b>", "at {", "a<U+202E>b 1", "text one", "two"],
            "a further line of a string has no key"
        );
        assert_eq!(
            (stage.texts_of(".key .mark"), stage.count(".branch b")),
            (vec!["<U+202E>".to_owned()], 0)
        );
        let depth = |at: usize| stage.all(".branch")[at].style().get_property_value("--depth").unwrap();
        assert_eq!([depth(1), depth(2)], ["0", "1"]);
        assert_eq!(stage.count(".value.string"), 3);
    }

    #[wasm_bindgen_test]
    async fn urls_in_the_values_of_an_open_line_are_links() {
        let (stage, slot) = row().await;
        let rows = tree_rows(r#"{"docs":"see https://example.com/a.","n":1}"#);
        stage.set(slot.content, Some(RowContent { fold: Fold::Open(rows.into()), ..plain(5) })).await;
        assert_eq!(stage.texts_of(".branch"), ["docs see https://example.com/a.", "n 1"]);
        assert_eq!(stage.attribute(".branch a", "href"), "https://example.com/a");
    }
}
