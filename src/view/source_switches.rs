//! The sources of the lines, when there is more than one: their names and colours, and a switch for each.

use leptos::prelude::*;

use crate::model::source::{SOURCE_COLORS, SourceLine};

/// A switch for each source.
#[component]
pub fn SourceSwitches(
    /// The sources; as many as there are at first.
    sources: ReadSignal<Vec<SourceLine>>,
    /// The reader wants to see the lines of this source, or no longer.
    on_toggle: Callback<u16>,
) -> impl IntoView {
    let switch = move |(at, source): (usize, &SourceLine)| {
        let of =
            move |read: fn(&SourceLine) -> String| move || sources.with(|sources| sources.get(at).map(read));
        view! {
            <button
                type="button"
                class="source"
                data-source=(at % SOURCE_COLORS).to_string()
                data-state=of(|source| source.status.state.as_str().to_owned())
                aria-pressed=of(|source| source.is_on.to_string())
                title=of(|source| format!("{}: {}", source.name, source.status.text()))
                // There are few sources.
                on:click=move |_| on_toggle.run(u16::try_from(at).unwrap_or_default())
            >
                {source.name.clone()}
                <span class="state">
                    {of(|source| if source.status.spoken == "Connected" { String::new() } else { source.status.spoken.clone() })}
                </span>
            </button>
        }
    };
    let switches = sources.with_untracked(|sources| match &sources[..] {
        [] | [_] => Vec::new(),
        sources => sources.iter().enumerate().map(switch).collect(),
    });
    (!switches.is_empty())
        .then(|| view! { <div id="sources" role="group" aria-label="Sources">{switches}</div> })
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
