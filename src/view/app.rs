//! The page: joins a source of events, the model and the view.
//!
//! For tests from outside these stay as they are:
//!
//! | element | attributes |
//! | --- | --- |
//! | `#status` | `data-state` (`connecting`, `connected`, `disconnected`, `forbidden`, `failed`), `data-connection-id`, `data-user-id`; its text is the state in words |
//! | `#line-count` | `data-received`, `data-held`, `data-dropped` |
//! | `#log` | `role="list"`; the element that scrolls |
//! | `#log .row` | `data-line-id`, `data-from` (`group`, `server`, `notice`), `data-level`, `data-current`; the text is in `.text` |
//! | `#find` | the search bar; `data-hits`; its `input`, and `.level` buttons with `data-level` |
//! | `#resume` | there while the view does not follow the end; `data-new` |
//! | `#retry` | there while the page waits before it tries again, or has given up |
//!
//! `connected` means that lines sent from now on will be seen: connected, and a member of the group. The first time,
//! `performance` gets the mark `tailcast-connected`.

use std::rc::Rc;

use leptos::{either::Either, html, prelude::*};
use wasm_bindgen::JsCast;
use webpubsub_client::{ClientOptions, web::WebClient};

use super::{
    columns_menu::chosen_columns,
    empty_log::EmptyLog,
    find_bar::{FindActions, FindBar, FindChange},
    keys_help::KeysHelp,
    live_page::{LivePage, Screen, StartClient},
    page_address::PageAddress,
    preferences::Preferences,
    status_bar::{Source, StatusBar},
};
use crate::model::{
    grouped_number::{counted, grouped},
    line_store::StoreLimits,
    status::StatusLine,
    stream_command::stream_command,
};

/// The page that its own address describes.
#[component]
pub fn App() -> impl IntoView {
    let href = web_sys::window().and_then(|window| window.location().href().ok()).unwrap_or_default();
    match PageAddress::read(&href) {
        Ok(address) => Either::Left(view! { <LiveLogPage start_client=client_of(&address) address /> }),
        Err(words) => Either::Right(view! { <UnusableAddress words /> }),
    }
}

/// How the client of this address is started.
fn client_of(address: &PageAddress) -> StartClient {
    let (group, negotiate_url) = (address.group.clone(), address.negotiate_url.clone());
    Rc::new(move |sink| {
        let options = ClientOptions::new().join(group.clone());
        Box::new(WebClient::start(options, negotiate_url.clone(), sink))
    })
}

/// The lines of one group, live.
#[component]
pub fn LiveLogPage(
    /// Which group, and where it is negotiated.
    address: PageAddress,
    /// Starts the client; again when the reader does not want to wait.
    start_client: StartClient,
    /// How much is kept.
    #[prop(optional)]
    limits: StoreLimits,
) -> impl IntoView {
    let group = address.group.to_string();
    let source = Source {
        group: group.clone(),
        negotiate_endpoint: address.negotiate_endpoint().to_owned(),
        kept: format!(
            "the newest {}, {} MiB of text at most",
            counted(limits.lines as u64, "line", "lines"),
            limits.bytes >> 20
        ),
    };
    let command = stream_command(&group, address.negotiate_endpoint());
    let screen = Screen::new(address.group.clone());
    let page = StoredValue::new_local(LivePage::new(address.group, limits, screen, start_client));
    let on_page = move |act: fn(&LivePage)| page.with_value(|page| page.iter().for_each(act));

    let main = NodeRef::<html::Main>::new();
    main.on_load(move |main| {
        page.with_value(|page| page.iter().for_each(|page| page.show_in(main.unchecked_ref())))
    });
    on_page(LivePage::connect);
    let new_lines = screen.new_lines.0;
    let liked = web_sys::window().map(|window| Preferences::read(&window)).unwrap_or_default();
    let (preferences, set_preferences) = signal(liked);
    let show_preferences = move |liked: Preferences| {
        if let Some(window) = web_sys::window() {
            liked.apply(&window);
        }
        page.with_value(|page| {
            page.iter().for_each(|page| {
                page.set_wrapping(liked.is_wrapping);
                page.set_shows_time(liked.shows_time);
            });
        });
    };
    let actions = FindActions {
        change: Callback::new(move |change: FindChange| {
            page.with_value(|page| page.iter().for_each(|page| page.find(change.clone())));
        }),
        step: Callback::new(move |is_forward| {
            page.with_value(|page| page.iter().for_each(|page| page.step(is_forward)));
        }),
        pause: Callback::new(move |()| on_page(LivePage::pause_or_follow)),
        save: Callback::new(move |()| on_page(LivePage::save)),
        open: Callback::new(move |()| on_page(LivePage::toggle_open)),
        columns: Callback::new(move |names: String| {
            page.with_value(|page| page.iter().for_each(|page| page.set_columns(&names)));
        }),
        prefer: Callback::new(move |liked| {
            set_preferences.set(liked);
            show_preferences(liked);
            if let Some(window) = web_sys::window() {
                liked.keep(&window);
            }
        }),
    };
    show_preferences(preferences.get_untracked());
    actions.columns.run(chosen_columns());
    view! {
        <StatusBar status=screen.status.0 counts=screen.counts.0 source on_retry=move || on_page(LivePage::connect) />
        <FindBar state=screen.find.0 preferences actions />
        <KeysHelp />
        <main node_ref=main>
            <Show when=move || screen.is_empty.0.get()>
                <EmptyLog status=screen.status.0 group=group.clone() command=command.clone() />
            </Show>
            <Show when=move || new_lines.get().is_some()>
                <ResumeButton new_lines on_resume=move || on_page(LivePage::follow) />
            </Show>
        </main>
    }
}

/// Says that the view does not follow the end, and takes it there.
#[component]
fn ResumeButton(
    /// Lines that came since.
    new_lines: ReadSignal<Option<u64>>,
    /// The reader wants to see the end.
    on_resume: impl Fn() + 'static,
) -> impl IntoView {
    let new = move || new_lines.get().unwrap_or(0);
    let label = move || match new() {
        0 => "Paused".to_owned(),
        1 => "1 new line".to_owned(),
        new => format!("{} new lines", grouped(new)),
    };
    view! {
        <button
            id="resume"
            type="button"
            title="Follow the newest line (End)"
            data-new=move || new().to_string()
            on:click=move |_| on_resume()
        >
            <span aria-hidden="true">"↓ "</span>
            {label}
        </button>
    }
}

/// Stands in the page's place when its address asks for what cannot be.
#[component]
fn UnusableAddress(
    /// What is wrong.
    words: String,
) -> impl IntoView {
    let status = StatusLine::unusable(words);
    let text = status.text();
    let (status, _) = signal(status);
    view! {
        <header>
            <div class="brand">
                <span class="mark" aria-hidden="true"></span>
                <h1>"Tailcast"</h1>
            </div>
            <div id="status" data-state="failed" title=text.clone()>
                <span class="dot" aria-hidden="true"></span>
                <span class="words">{text.clone()}</span>
            </div>
        </header>
        <main>
            <EmptyLog status group=String::new() command=String::new() />
        </main>
    }
}

#[cfg(test)]
#[path = "app_tests.rs"]
mod tests;
