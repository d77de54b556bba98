//! The Leptos components: one file for each, named as the component.
//!
//! ```text
//! <App>                      the settings are usable, or they are not
//! ├─ <UnusablePage>
//! └─ <Viewer>                owns the controller; provides state, commands and host in context
//!    ├─ <Header>             <Brand> <ConnectionStatus> <ReconnectButton> <Timeline> <LineCount>
//!    ├─ <Toolbar>            <SearchField> <ToggleButton> <MatchStepper> <FilterModeSwitch> <SourceSwitches> <LevelFilter>
//!    ├─ <LogPane>            <EmptyState> <NoMatches> <LogList> of <LogRow>, <SelectionBar> <Toast> <LiveRegion> <FollowButton>
//!    ├─ <Composer>
//!    └─ dialogs              each a <Popover>
//! ```
//!
//! A component reads the fields of the state that it shows ([`context::use_state`]), and asks for changes by a command
//! ([`context::use_commands`]). Text from the stream becomes text nodes and nothing else.
//!
//! System tests rely on these attributes:
//!
//! | element | attributes |
//! | --- | --- |
//! | `#status` | `data-state` (`connecting`, `connected`, `disconnected`, `forbidden`, `failed`), `data-connection-id`, `data-user-id`; its text is the state in words |
//! | `#line-count` | `data-received`, `data-held`, `data-dropped` |
//! | `#log` | `role="list"`; the element that scrolls |
//! | `#log .row` | `data-line-id`, `data-from` (`group`, `server`, `notice`), `data-level`, `data-current`, `data-bookmarked`, `data-linked`; the text is in `.text` |
//! | `#find` | the toolbar; `data-hits`, `data-counting`; its `input`, and `.level` buttons with `data-level` |
//! | `#sources` | exists with several sources: a button `.source` for each, with `data-state` and `aria-pressed` |
//! | `#composer` | exists with `?publish`: a field, and the delivery in `.sent` |
//! | `#timeline` | bars of lines over time; hidden without lines. `#range` is visible while lines are filtered by time |
//! | `#selected` | `data-lines`; hidden without selected text |
//! | `#said` | the toast; has the class `shown` while there is one |
//! | `#no-matches` | exists while a filter hides every line |
//! | `#resume` | exists while the view is paused; `data-new` |
//! | `#retry` | exists while a connection waits for its next attempt, or has given up |
//!
//! `connected` means that lines published from now on will be received: connected, and a member of the group. The first time,
//! `performance` gets the mark `tailcast-connected`.

#[expect(clippy::module_inception, reason = "each component has a file of its own name")]
pub mod app;
pub mod brand;
pub mod composer;
pub mod connection_status;
pub mod context;
pub mod dialogs;
pub mod empty_state;
pub mod event_listener;
pub mod filter_mode_switch;
pub mod follow_button;
pub mod header;
pub mod keyboard;
pub mod level_filter;
pub mod line_count;
pub mod live_region;
pub mod log_list;
pub mod log_pane;
pub mod log_row;
pub mod match_stepper;
pub mod no_matches;
pub mod reconnect_button;
pub mod resize_observer;
pub mod row_text;
pub mod search_field;
pub mod segments;
pub mod selection_bar;
pub mod source_switches;
pub mod timeline;
pub mod toast;
pub mod toggle_button;
pub mod toolbar;
pub mod top_row;
pub mod unusable_page;
pub mod viewer;

use leptos::prelude::*;

use self::app::{App, Plan};
use crate::browser::settings::Settings;

/// Mounts the standalone page, once its settings are known.
pub async fn mount_page() {
    let Some(window) = web_sys::window() else { return };
    let settings = Settings::of_page_and_file(&window).await;
    if let Some(plan) = Plan::of_page(settings) {
        leptos::mount::mount_to_body(move || view! { <App plan /> });
    }
}

/// Returns the value of an ARIA attribute that is `true` or `false`.
fn aria(is_set: bool) -> &'static str {
    if is_set { "true" } else { "false" }
}

#[cfg(test)]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
#[cfg(test)]
mod tests;
