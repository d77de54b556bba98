//! `<Timeline>`: lines over time, by level. A range of it filters the lines.

use leptos::{ev, html, prelude::*};
use web_sys::PointerEvent;

use super::{
    aria,
    context::{use_commands, use_state},
};
use crate::{
    browser::clock::offset_minutes,
    controller::state::{TimelineBar, ViewerStateStoreFields},
    model::{
        command::Command,
        grouped_number::{counted, grouped},
        level::Level,
        local_time::LocalTime,
        timeline::CHART_HEIGHT,
    },
};

/// Smallest number of bars that the timeline is wide. The newest bar is at the right end: the time before the first line is empty.
const MIN_WIDTH: usize = 40;

/// Shows lines over time. A range chosen by pointer or keys filters the lines.
#[component]
pub fn Timeline() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let timeline = state.timeline();
    let brush = RwSignal::new(None::<(usize, usize)>);
    let strip = NodeRef::<html::Div>::new();
    let is_brushing = StoredValue::new(false);
    let count = Memo::new(move |_| timeline.with(|timeline| timeline.bars.len()));
    let last = move || count.get().saturating_sub(1);
    let width = move || count.get().max(MIN_WIDTH);
    let label = Memo::new(move |_| {
        let (start, end) = brush.get().unwrap_or((last(), last()));
        timeline.with(|timeline| range_label(&timeline.bars, start.min(end), start.max(end)))
    });
    let axis = Memo::new(move |_| timeline.with(|timeline| axis_labels(&timeline.bars, width())));
    // The range may be removed elsewhere.
    Effect::new(move |_| {
        if state.time_range().with(Option::is_none) {
            brush.set(None);
        }
    });
    let apply = move |range: Option<(usize, usize)>| {
        brush.set(range);
        commands.run(Command::SetTimeRange(range.map(|(start, end)| (start.min(end), start.max(end)))));
    };
    let bar_at = move |event: &PointerEvent| {
        let area = strip.get_untracked()?.get_bounding_client_rect();
        let share = (f64::from(event.client_x()) - area.left()) / area.width().max(1.0);
        let (width, last) = untrack(|| (width(), last()));
        // A share of few bars.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let at = (share.clamp(0.0, 1.0) * width as f64) as usize;
        Some((at + last + 1).saturating_sub(width).min(last))
    };
    let press = move |event: ev::PointerEvent| {
        let Some(at) = bar_at(&event) else { return };
        // Without capture the brush ends at the strip's edge.
        if let Some(strip) = strip.get_untracked()
            && let Err(error) = strip.set_pointer_capture(event.pointer_id())
        {
            leptos::logging::debug_warn!("the pointer cannot be captured: {error:?}");
        }
        is_brushing.set_value(true);
        brush.set(Some((at, at)));
    };
    let drag = move |event: ev::PointerEvent| {
        if is_brushing.get_value()
            && let Some(at) = bar_at(&event)
        {
            let start = brush.get_untracked().map_or(at, |(start, _)| start);
            brush.set(Some((start, at)));
        }
    };
    let release = move |_| {
        if is_brushing.get_value() {
            is_brushing.set_value(false);
            apply(brush.get_untracked());
        }
    };
    let press_key = move |event: ev::KeyboardEvent| {
        let last = untrack(last);
        let (start, end) = brush.get_untracked().unwrap_or((last, last));
        match event.key().as_str() {
            "Enter" => apply(Some((start, end))),
            "Escape" => apply(None),
            key => {
                let Some(end) = moved(key, end, last) else { return };
                brush.set(Some((if event.shift_key() { start } else { end }, end)));
            }
        }
        event.prevent_default();
    };
    view! {
        <div
            id="timeline"
            hidden=move || count.get() == 0
            aria-busy=move || aria(timeline.with(|timeline| timeline.is_counting_levels))
        >
            <button
                id="range"
                type="button"
                title="Show lines of all times"
                hidden=move || state.time_range().with(Option::is_none)
                on:click=move |_| apply(None)
            >
                {move || state.time_range().get().map(|range| format!("{range} ×"))}
            </button>
            <div class="chart">
            <div
                class="strip"
                node_ref=strip
                tabindex="0"
                role="slider"
                aria-label="Lines over time: arrow keys choose, with Shift a range, Enter filters by it"
                aria-valuemin="1"
                aria-valuemax=move || (last() + 1).to_string()
                aria-valuenow=move || (brush.get().map_or(last(), |(_, end)| end) + 1).to_string()
                aria-valuetext=move || label.get()
                title=move || label.get()
                on:pointerdown=press
                on:pointermove=drag
                on:pointerup=release
                on:keydown=press_key
            >
                <svg
                    preserveAspectRatio="none"
                    aria-hidden="true"
                    viewBox=move || view_box(count.get(), width())
                >
                    <path class="brush" d=move || brush.get().map(brush_outline) />
                    <For each=kinds key=|(at, _)| *at let((at, level))>
                        <path
                            class="bars"
                            data-level=level.map(Level::as_str)
                            d=move || timeline.with(|timeline| timeline.outlines.get(at).cloned())
                        />
                    </For>
                </svg>
            </div>
            <div class="axis" aria-hidden="true">
                <span>{move || axis.get().0}</span>
                <span>{move || axis.get().1}</span>
            </div>
            </div>
            <span class="rate">{move || format!("{}/s", grouped(u64::from(state.rate().get())))}</span>
        </div>
    }
}

/// Returns the part of the picture that is visible: the newest bar at its right end.
fn view_box(bars: usize, width: usize) -> String {
    let empty = width.saturating_sub(bars);
    let sign = if empty > 0 { "-" } else { "" };
    format!("{sign}{empty} 0 {width} {CHART_HEIGHT}")
}

/// Returns the times at the left and the right end.
fn axis_labels(bars: &[TimelineBar], width: usize) -> (String, String) {
    let (Some(first), Some(last)) = (bars.first(), bars.last()) else { return Default::default() };
    // There are few bars.
    #[allow(clippy::cast_precision_loss)]
    let start_ms = last.to_ms - (first.to_ms - first.from_ms) * width as f64;
    (time_of_day(start_ms), time_of_day(last.to_ms))
}

fn time_of_day(unix_ms: f64) -> String {
    LocalTime { unix_ms, offset_minutes: offset_minutes() }.time_of_day()
}

/// Returns the levels of the outlines with their numbers; lines without a level come last.
fn kinds() -> impl Iterator<Item = (usize, Option<Level>)> + Send {
    Level::ALL.into_iter().map(Some).chain([None]).enumerate()
}

/// Returns the bar that a key moves to.
fn moved(key: &str, at: usize, last: usize) -> Option<usize> {
    match key {
        "ArrowLeft" => Some(at.saturating_sub(1)),
        "ArrowRight" => Some((at + 1).min(last)),
        "Home" => Some(0),
        "End" => Some(last),
        _ => None,
    }
}

fn brush_outline((start, end): (usize, usize)) -> String {
    let (from, to) = (start.min(end), start.max(end));
    format!("M{from} 0h{}v{CHART_HEIGHT}H{from}z", to + 1 - from)
}

/// Returns the times and the number of lines of some bars: `14:03:11 – 14:03:20: 12 lines`.
fn range_label(bars: &[TimelineBar], from: usize, to: usize) -> String {
    let Some(range) = bars.get(from..=to.min(bars.len().saturating_sub(1))) else { return String::new() };
    let (Some(first), Some(last)) = (range.first(), range.last()) else { return String::new() };
    let lines = range.iter().map(|bar| bar.lines).sum();
    format!(
        "{} – {}: {}",
        time_of_day(first.from_ms),
        time_of_day(last.to_ms),
        counted(lines, "line", "lines")
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{
        controller::state::TimelineState,
        test_page::{ComponentStage, point_at},
    };

    /// Returns a timeline of so many bars of a second each, the first with one line, the second with two.
    fn timeline_of(bars: u32) -> TimelineState {
        let bar = |at: u32| TimelineBar {
            from_ms: f64::from(at) * 1_000.0,
            to_ms: f64::from(at + 1) * 1_000.0,
            lines: u64::from(at) + 1,
        };
        TimelineState {
            bars: (0..bars).map(bar).collect(),
            outlines: Arc::from(["M0 0h1z".to_owned()]),
            is_counting_levels: false,
        }
    }

    async fn timeline_with_bars() -> ComponentStage {
        let stage = ComponentStage::showing(|| view! { <Timeline /> }).await;
        stage.set(stage.state().timeline(), timeline_of(80)).await;
        stage
    }

    fn range(from: usize, to: usize) -> Vec<Command> {
        vec![Command::SetTimeRange(Some((from, to)))]
    }

    #[wasm_bindgen_test]
    async fn a_timeline_without_bars_is_hidden() {
        let stage = ComponentStage::showing(|| view! { <Timeline /> }).await;
        assert!(stage.get("#timeline").hidden());
        stage.set(stage.state().timeline(), timeline_of(3)).await;
        assert!(!stage.get("#timeline").hidden());
        assert_eq!(stage.attribute("svg", "viewBox"), format!("-37 0 {MIN_WIDTH} {CHART_HEIGHT}"));
        assert_eq!(stage.attribute(".bars[data-level=error]", "d"), "M0 0h1z");
        assert_eq!(stage.attribute(".strip", "aria-valuemax"), "3");
        stage.set(stage.state().rate(), 12_345).await;
        assert_eq!(stage.text(".rate"), "12,345/s");
    }

    #[wasm_bindgen_test]
    async fn keys_choose_a_range_and_the_label_counts_its_lines() {
        let stage = timeline_with_bars().await;
        assert!(stage.press_in(".strip", "Home").await, "the page does not scroll");
        stage.press_in(".strip", "Shift+ArrowRight").await;
        let label = stage.attribute(".strip", "aria-valuetext");
        assert!(label.ends_with(": 3 lines"), "{label}");
        assert_eq!(stage.attribute(".brush", "d"), format!("M0 0h2v{CHART_HEIGHT}H0z"));
        assert_eq!(stage.commands(), [], "nothing is filtered before Enter");
        stage.press_in(".strip", "Enter").await;
        assert_eq!(stage.commands(), range(0, 1));
        assert!(!stage.press_in(".strip", "Tab").await, "other keys are left alone");
        stage.press_in(".strip", "Escape").await;
        assert_eq!(stage.commands(), [Command::SetTimeRange(None)]);
        assert!(!stage.get(".brush").has_attribute("d"));
    }

    #[wasm_bindgen_test]
    async fn a_pointer_chooses_a_range_in_either_direction() {
        let stage = timeline_with_bars().await;
        let strip = stage.get(".strip");
        for (name, share) in [("pointermove", 0.9), ("pointerdown", 0.5), ("pointermove", 0.255)] {
            point_at(&strip, name, share);
        }
        assert_eq!(stage.commands(), []);
        point_at(&strip, "pointerup", 0.255);
        point_at(&strip, "pointermove", 0.8);
        point_at(&strip, "pointerup", 0.8);
        let [Command::SetTimeRange(Some((from, to)))] = stage.commands()[..] else { panic!("one range") };
        // Pointers are at whole pixels.
        assert!((19..=21).contains(&from) && (39..=40).contains(&to), "{from}..={to}");
    }

    #[wasm_bindgen_test]
    async fn the_axis_has_the_times_of_both_ends() {
        let stage = ComponentStage::showing(|| view! { <Timeline /> }).await;
        stage.set(stage.state().timeline(), timeline_of(60)).await;
        let ends = [0.0, 60_000.0].map(time_of_day);
        assert_eq!(stage.texts_of(".axis span"), ends);
        assert_eq!(stage.attribute("svg", "viewBox"), format!("0 0 60 {CHART_HEIGHT}"));
    }

    #[wasm_bindgen_test]
    async fn the_only_bar_is_under_the_whole_strip() {
        let stage = ComponentStage::showing(|| view! { <Timeline /> }).await;
        stage.set(stage.state().timeline(), timeline_of(1)).await;
        let strip = stage.get(".strip");
        for (name, share) in [("pointerdown", 0.1), ("pointerup", 0.1)] {
            point_at(&strip, name, share);
        }
        assert_eq!(stage.commands(), range(0, 0));
    }

    #[wasm_bindgen_test]
    async fn the_chosen_range_is_removed_with_the_filter() {
        let stage = timeline_with_bars().await;
        stage.press_in(".strip", "Enter").await;
        stage.set(stage.state().time_range(), Some("14:03:11 – 14:03:20".into())).await;
        assert!(stage.get(".brush").has_attribute("d"));
        stage.set(stage.state().time_range(), None).await;
        assert!(!stage.get(".brush").has_attribute("d"));
    }

    #[wasm_bindgen_test]
    async fn the_button_removes_the_time_range() {
        let stage = timeline_with_bars().await;
        assert!(stage.get("#range").hidden());
        stage.set(stage.state().time_range(), Some("14:03:11 – 14:03:20".into())).await;
        assert_eq!(
            (stage.get("#range").hidden(), stage.text("#range")),
            (false, "14:03:11 – 14:03:20 ×".into())
        );
        stage.click("#range").await;
        assert_eq!(stage.commands(), [Command::SetTimeRange(None)]);
    }
}
