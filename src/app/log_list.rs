//! `<LogList>`: the virtual list. The scroller is as high as all lines; only the lines in view have rows.
//!
//! Rows are a pool of slots ([`crate::controller::rows`]) in one box that moves as a whole.

use leptos::{ev, html, prelude::*};
use web_sys::{Event, TouchEvent, WheelEvent};

use super::{
    context::{ControllerRef, use_controller, use_info, use_state},
    event_listener::use_passive_listener,
    log_row::LogRow,
    resize_observer::use_resize_observer,
    top_row::TopRow,
};
use crate::{
    controller::{rendering::RULER_CHARS, rows::RowSlot, state::ViewerStateStoreFields},
    model::navigation::{Direction, Distance},
};

/// Distance that a finger moves before it scrolls.
const TOUCH_SLACK_PX: i32 = 4;

/// Shows the lines in view.
#[component]
pub fn LogList() -> impl IntoView {
    let (state, controller, info) = (use_state(), use_controller(), use_info());
    let scroller = controller.with_value(|controller| controller.elements().scroller);
    let (size, container) =
        controller.with_value(|controller| (controller.rows().size, controller.rows().container));
    let layout = state.layout();
    listen_to_scrolling(controller, scroller);
    use_resize_observer(scroller, move || controller.with_value(|controller| controller.resized()));
    let row = move |_| {
        let row = RowSlot::new();
        controller.with_value(|controller| controller.rows().add(row));
        view! { <LogRow row /> }
    };
    let group = if info.groups.contains(", ") { "groups" } else { "group" };
    view! {
        <div
            id="log"
            class="log"
            class:wrap=move || state.preferences().with(|preferences| preferences.is_wrapping)
            role="list"
            aria-label=format!("Lines of {group} {}", info.groups)
            tabindex="0"
            node_ref=scroller
            style=("--row", move || format!("{}px", layout.get().row_px))
            style=("--columns", move || state.widths().with(|widths| widths.columns.to_string()))
            style=("--digits", move || state.widths().with(|widths| widths.digits.to_string()))
            style=("--tag", move || state.widths().with(|widths| widths.tag.to_string()))
            on:pointerdown=move |event: ev::PointerEvent| {
                controller.with_value(|controller| controller.pointer_pressed(&event));
            }
        >
            <div
                class="content"
                role="presentation"
                style:height=move || format!("{}px", layout.get().content_px)
            >
                <TopRow />
                <div
                    class="rows"
                    role="presentation"
                    node_ref=container
                    style:transform=move || format!("translateY({}px)", layout.get().rows_top_px)
                >
                    <For each=move || 0..size.get() key=|at| *at children=row />
                </div>
                <Probe />
            </div>
        </div>
    }
}

/// An invisible row: how wide a character is, and where lines wrap.
#[component]
fn Probe() -> impl IntoView {
    let elements = use_controller().with_value(|controller| controller.elements());
    view! {
        <div class="probe" aria-hidden="true">
            <span class="gutter"></span>
            <span class="room" node_ref=elements.line_width>
                <span class="ruler" node_ref=elements.ruler>
                    {"x".repeat(RULER_CHARS)}
                </span>
            </span>
        </div>
    }
}

/// Passes on what scrolls the list. Passive listeners: the browser scrolls without waiting for them.
fn listen_to_scrolling(controller: ControllerRef, scroller: NodeRef<html::Div>) {
    let request = move |direction| {
        controller.with_value(|controller| controller.scroll_requested(Distance::Line, direction));
    };
    use_passive_listener(scroller, "scroll", move |_: &Event| {
        controller.with_value(|controller| controller.scrolled());
    });
    use_passive_listener(scroller, "wheel", move |event: &WheelEvent| {
        // Ctrl zooms the page, Shift scrolls sideways.
        if !event.ctrl_key() && !event.shift_key() && event.delta_y() != 0.0 {
            request(if event.delta_y() < 0.0 { Direction::Backward } else { Direction::Forward });
        }
    });
    let start_y = StoredValue::new(None::<i32>);
    let finger_y = |event: &TouchEvent| event.touches().item(0).map(|finger| finger.client_y());
    use_passive_listener(scroller, "touchstart", move |event: &TouchEvent| {
        start_y.set_value(finger_y(event))
    });
    use_passive_listener(scroller, "touchmove", move |event: &TouchEvent| {
        let moved_px = finger_y(event).zip(start_y.get_value()).map_or(0, |(now, start)| now - start);
        if moved_px.abs() > TOUCH_SLACK_PX {
            request(if moved_px > 0 { Direction::Backward } else { Direction::Forward });
        }
    });
}

#[cfg(test)]
mod tests {
    use leptos::task::tick;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{
        browser::preferences::Preferences,
        controller::state::ListLayout,
        model::row::{ListWidths, RowText},
        test_page::{ComponentStage, frames_until, numbered, row_of, turn_wheel},
    };

    async fn log_list() -> ComponentStage {
        let mut stage = ComponentStage::with_controller();
        stage.mount(|| view! { <LogList /> }).await;
        stage
    }

    #[wasm_bindgen_test]
    async fn the_pool_of_rows_grows_and_rows_that_are_not_needed_are_hidden() {
        let stage = log_list().await;
        assert_eq!(stage.count(".rows > *"), 0);
        let row = |position: u64| Some(row_of(position, RowText::Plain(format!("line {position}"))));
        assert!(stage.controller().rows().grow_to(3));
        tick().await;
        stage.controller().rows().show(7..10, true, row);
        tick().await;
        assert_eq!(stage.texts_of(".row .text"), ["line 7", "line 8", "line 9"]);
        stage.controller().rows().show(8..10, false, row);
        tick().await;
        assert_eq!(stage.texts_of(".row .text"), ["line 8", "line 9"]);
        assert_eq!(stage.all(".rows > *").iter().filter(|row| row.hidden()).count(), 1);
    }

    #[wasm_bindgen_test]
    async fn layout_widths_and_wrapping_are_styles_of_the_list() {
        let stage = log_list().await;
        let layout = ListLayout { row_px: 20, content_px: 4_000, rows_top_px: 180, top_row_px: None };
        stage.set(stage.state().layout(), layout).await;
        let widths = ListWidths { columns: 120, digits: 5, tag: 4, cells: Vec::new() };
        stage.set(stage.state().widths(), widths).await;
        let style =
            |selector: &str, name: &str| stage.get(selector).style().get_property_value(name).unwrap();
        let of_list = ["--row", "--columns", "--digits", "--tag"].map(|name| style("#log", name));
        assert_eq!(of_list, ["20px", "120", "5", "4"]);
        assert_eq!(style(".content", "height"), "4000px");
        assert_eq!(style(".rows", "transform"), "translateY(180px)");
        assert!(!stage.get("#log").class_list().contains("wrap"));
        let preferences = Preferences { is_wrapping: true, ..Preferences::default() };
        stage.set(stage.state().preferences(), preferences).await;
        assert!(stage.get("#log").class_list().contains("wrap"));
    }

    #[wasm_bindgen_test]
    async fn the_list_is_named_after_its_groups() {
        assert_eq!(log_list().await.attribute("#log", "aria-label"), "Lines of group stream");
        let mut stage = ComponentStage::with_controller_at("http://h/?group=web,db");
        stage.mount(|| view! { <LogList /> }).await;
        assert_eq!(stage.attribute("#log", "aria-label"), "Lines of groups web, db");
    }

    #[wasm_bindgen_test]
    async fn a_list_with_a_running_controller_shows_the_end_until_the_wheel_turns() {
        let mut stage = ComponentStage::with_controller();
        stage.controller().start();
        stage.mount(|| view! { <LogList /> }).await;
        stage.controller().append(&numbered(1..=1_000));
        frames_until(|| stage.texts_of(".row .text").last().is_some_and(|text| text == "line 1000")).await;
        assert_eq!(stage.state().new_lines().get_untracked(), None);
        turn_wheel(&stage.get("#log"), -100);
        frames_until(|| stage.state().new_lines().get_untracked().is_some()).await;
        assert_eq!(stage.state().new_lines().get_untracked(), Some(0));
    }
}
