//! How many lines came when, as bars by level. A stretch of them, by pointer or by key, limits what is shown.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent, PointerEvent};

use crate::model::{
    grouped_number::{counted, grouped},
    level::Level,
    timeline::{Bar, PICTURE_HEIGHT, outline},
};

/// Fewest bars that the strip is wide: a page just opened shows narrow ones.
const LEAST_WIDTH: usize = 40;

/// The first bar of what is being chosen, and where the choice is now.
type Brush = Option<(usize, usize)>;

/// The bars, how many lines come in a second, and the limit there is.
#[component]
pub fn TimelineStrip(
    /// When lines came.
    bars: ReadSignal<Vec<Bar>>,
    /// Lines that came in the last second.
    rate: ReadSignal<u32>,
    /// The time of which lines are shown, in words.
    range: ReadSignal<Option<String>>,
    /// The reader wants lines of these bars only, or all.
    on_range: Callback<Brush>,
    /// When bars begin and end, in words.
    words: Callback<(usize, usize), String>,
) -> impl IntoView {
    let (brush, set_brush) = signal(None::<(usize, usize)>);
    let (is_pressed, set_pressed) = signal(false);
    let last = move || bars.with(|bars| bars.len().saturating_sub(1));
    let width = move || bars.with(Vec::len).max(LEAST_WIDTH);
    let press = move |event: PointerEvent| {
        let Some((strip, at)) = bar_under(&event, width()) else { return };
        // Fails only for pointers that are gone.
        strip.set_pointer_capture(event.pointer_id()).unwrap_or_default();
        set_pressed.set(true);
        set_brush.set(Some((at.min(last()), at.min(last()))));
    };
    let drag = move |event: PointerEvent| {
        if let (true, Some((_, at))) = (is_pressed.get_untracked(), bar_under(&event, width())) {
            set_brush.update(|brush| {
                if let Some((_, end)) = brush {
                    *end = at.min(last());
                }
            });
        }
    };
    let release = move |_| {
        if is_pressed.get_untracked() {
            set_pressed.set(false);
            on_range.run(brush.get_untracked());
        }
    };
    let on_key = move |event: KeyboardEvent| {
        let (start, end) = brush.get_untracked().unwrap_or((last(), last()));
        let moved = match event.key().as_str() {
            "ArrowLeft" => Some(end.saturating_sub(1)),
            "ArrowRight" => Some((end + 1).min(last())),
            "Home" => Some(0),
            "End" => Some(last()),
            "Enter" => {
                on_range.run(Some((start, end)));
                None
            }
            "Escape" => {
                set_brush.set(None);
                on_range.run(None);
                return;
            }
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        if let Some(end) = moved {
            set_brush.set(Some((if event.shift_key() { start } else { end }, end)));
        }
    };
    let said = move || {
        let (from, to) =
            brush.get().map_or((last(), last()), |(start, end)| (start.min(end), start.max(end)));
        let lines = bars.with(|bars| {
            let chosen = bars.iter().skip(from).take(to + 1 - from);
            chosen.flatten().map(|count| u64::from(*count)).sum::<u64>()
        });
        format!("{}: {}", words.run((from, to)), counted(lines, "line", "lines"))
    };
    let brushed = move || {
        brush.get().map(|(start, end)| {
            let (from, to) = (start.min(end), start.max(end));
            format!("M{from} 0h{}v{PICTURE_HEIGHT}H{from}z", to + 1 - from)
        })
    };
    let kinds = (0..=Level::ALL.len()).map(|kind| {
        let level = Level::ALL.get(kind).map(|level| level.as_str());
        view! { <path data-level=level d=move || bars.with(|bars| outline(bars, kind)) /> }
    });
    view! {
        <div id="timeline" hidden=move || bars.with(Vec::is_empty)>
            <button type="button" id="range" hidden=move || range.with(Option::is_none) title="Show lines of all times" on:click=move |_| {
                set_brush.set(None);
                on_range.run(None);
            }>
                {range} " ×"
            </button>
            <div
                class="strip"
                tabindex="0"
                role="slider"
                aria-label="Lines over time: arrows choose, with Shift a stretch, Enter shows only those lines"
                aria-valuemin="1"
                aria-valuemax=move || (last() + 1).to_string()
                aria-valuenow=move || (brush.get().map_or(last(), |(_, end)| end) + 1).to_string()
                aria-valuetext=said
                title=said
                on:pointerdown=press
                on:pointermove=drag
                on:pointerup=release
                on:keydown=on_key
            >
                <svg viewBox=move || format!("0 0 {} {PICTURE_HEIGHT}", width()) preserveAspectRatio="none" aria-hidden="true">
                    <path class="brush" d=brushed />
                    {kinds.collect::<Vec<_>>()}
                </svg>
            </div>
            <span class="rate">{move || format!("{}/s", grouped(u64::from(rate.get())))}</span>
        </div>
    }
}

/// The strip, and which bar of it the pointer is on.
fn bar_under(event: &PointerEvent, width: usize) -> Option<(Element, usize)> {
    let strip: Element = event.current_target()?.dyn_into().ok()?;
    let place = strip.get_bounding_client_rect();
    let share = (f64::from(event.client_x()) - place.left()) / place.width().max(1.0);
    // A share of few bars.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let at = (share.clamp(0.0, 1.0) * width as f64) as usize;
    Some((strip, at))
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
