//! The page: joins a source of events, the model and the view.
//!
//! For tests from outside these stay as they are:
//!
//! | element | attributes |
//! | --- | --- |
//! | `#status` | `data-state` (`connecting`, `connected`, `disconnected`, `forbidden`, `failed`), `data-connection-id`, `data-user-id`; its text is the state in words |
//! | `#line-count` | `data-received`, `data-held`, `data-dropped` |
//! | `#log` | `role="list"`; the element that scrolls |
//! | `#log .row` | `data-line-id`, `data-from` (`group`, `server`, `notice`), `data-level`, `data-current`, `data-bookmarked`, `data-linked`; the text is in `.text` |
//! | `#find` | the search bar; `data-hits`; its `input`, and `.level` buttons with `data-level` |
//! | `#sources` | there with several sources: a button `.source` each, with `data-state` and `aria-pressed` |
//! | `#composer` | there when asked for (`?publish`): a field to type in, and `.sent`, what became of it |
//! | `#timeline` | bars of lines over time; hidden until there are some. `#range` is there while lines of some time only are shown |
//! | `#selected` | `data-lines`; hidden while no text is selected |
//! | `#said` | the page's answer to what the reader did last |
//! | `#resume` | there while the view does not follow the end; `data-new` |
//! | `#retry` | there while the page waits before it tries again, or has given up |
//!
//! `connected` means that lines sent from now on will be seen: connected, and a member of the group. The first time,
//! `performance` gets the mark `tailcast-connected`.

use leptos::{either::Either, html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

use super::{
    client::{StartClient, clients_of},
    columns_menu::{COLUMNS_ID, ColumnsMenu, chosen_columns},
    composer_bar::{ComposerActions, ComposerBar},
    empty_log::EmptyLog,
    find_bar::{FindBar, FindChange, FindField, next_mode},
    live_page::{LivePage, Screen},
    menu::{GO_TO_ID, HIGHLIGHTS_ID, KEYS_ID, Menus, SAVE_ID, Wish, toggle_popover},
    page_address::{Negotiation, PageAddress},
    preferences::Preferences,
    status_bar::{DETAILS_ID, Source, StatusBar},
    timeline_strip::TimelineStrip,
};
use crate::model::{
    command::{Command, Place, command_of, key_name},
    grouped_number::{counted, grouped},
    line_store::StoreLimits,
    live_log::LiveLog,
    status::StatusLine,
    stream_command::stream_command,
};

/// The page that its own address describes.
#[component]
pub fn App() -> impl IntoView {
    let href = web_sys::window().and_then(|window| window.location().href().ok()).unwrap_or_default();
    match PageAddress::read(&href) {
        Ok(address) => Either::Left(
            view! { <LiveLogPage start_client=clients_of(&address) limits=address.limits address /> },
        ),
        Err(words) => Either::Right(view! { <UnusableAddress words /> }),
    }
}

/// The lines of some groups, live.
#[component]
pub fn LiveLogPage(
    /// Which groups, and where they are negotiated.
    address: PageAddress,
    /// Starts the clients; again when the reader does not want to wait.
    start_client: StartClient,
    /// How much is kept.
    #[prop(optional)]
    limits: StoreLimits,
) -> impl IntoView {
    let log = LiveLog::of_sources(address.sources(), limits);
    let names: Vec<&str> = log.sources().iter().map(|source| source.name.as_str()).collect();
    let group = names.join(", ");
    let endpoints: Vec<&str> = address.negotiations.iter().map(Negotiation::endpoint).collect();
    let first = log.sources().first().map(|source| source.group.to_string()).unwrap_or_default();
    let command = stream_command(&first, endpoints.first().copied().unwrap_or_default());
    let source = Source {
        group: group.clone(),
        negotiate_endpoint: endpoints.join(", "),
        kept: format!(
            "the newest {}, {} MiB of text at most",
            counted(limits.lines as u64, "line", "lines"),
            limits.bytes >> 20
        ),
    };
    let screen = Screen::new(log.on_screen(0.0));
    let page = StoredValue::new_local(LivePage::new(log, limits, screen, start_client));
    let on_page = move |act: &dyn Fn(&LivePage)| page.with_value(|page| page.iter().for_each(act));

    let main = NodeRef::<html::Main>::new();
    main.on_load(move |main| {
        page.with_value(|page| page.iter().for_each(|page| page.show_in(main.unchecked_ref())))
    });
    on_page(&LivePage::connect);
    let new_lines = screen.new_lines.0;
    let liked = web_sys::window().map(|window| Preferences::read(&window)).unwrap_or_default();
    let (preferences, set_preferences) = signal(liked);
    let show_preferences = move || {
        let liked = preferences.get_untracked();
        if let Some(window) = web_sys::window() {
            liked.apply(&window);
        }
        on_page(&|page| {
            page.set_wrapping(liked.is_wrapping);
            page.set_times(liked.times);
            page.set_speaking(liked.is_speaking);
        });
    };
    let prefer = move |change: &dyn Fn(&mut Preferences)| {
        set_preferences.update(change);
        show_preferences();
        if let Some(window) = web_sys::window() {
            preferences.with_untracked(|liked| liked.keep(&window));
        }
    };
    show_preferences();
    let highlight = move |words: &str| {
        let wrong = StoredValue::new(None);
        on_page(&|page| wrong.set_value(page.set_highlights(words)));
        wrong.get_value()
    };
    preferences.with_untracked(|liked| highlight(&liked.highlights).map(|wrong| screen.say(wrong)));

    let on_columns = Callback::new(move |names: String| on_page(&|page| page.set_columns(&names)));
    on_columns.run(chosen_columns());

    let find = FindField::new();
    Effect::new(move || {
        let query = find.query.get();
        on_page(&|page| page.find(FindChange::Query(query.clone())));
    });
    let change = move |change: FindChange| on_page(&|page| page.find(change.clone()));
    let act = Callback::new(move |command: Command| match command {
        Command::Find => find.enter(),
        Command::NextFilter => {
            change(FindChange::Mode(next_mode(screen.find.0.with_untracked(|state| state.mode))));
        }
        Command::ToggleCase => find.query.update(|query| query.is_case_sensitive = !query.is_case_sensitive),
        Command::ToggleRegex => find.query.update(|query| query.is_regex = !query.is_regex),
        Command::ToggleLevel(level) => change(FindChange::Level(level)),
        Command::ToggleWrap => prefer(&|liked| liked.is_wrapping = !liked.is_wrapping),
        Command::NextTimes => prefer(&|liked| liked.times = liked.times.next()),
        Command::NextTheme => {
            prefer(&|liked| liked.theme = liked.theme.next());
            screen.say(format!("theme: {}", preferences.with_untracked(|liked| liked.theme.as_str())));
        }
        Command::ToggleSpeech => {
            prefer(&|liked| liked.is_speaking = !liked.is_speaking);
            let is_speaking = preferences.with_untracked(|liked| liked.is_speaking);
            let words = if is_speaking { "new lines are spoken" } else { "new lines are no longer spoken" };
            screen.say(words.to_owned());
        }
        Command::GoTo => toggle_popover(GO_TO_ID),
        Command::Highlights => toggle_popover(HIGHLIGHTS_ID),
        Command::SaveMenu => toggle_popover(SAVE_ID),
        Command::Columns => toggle_popover(COLUMNS_ID),
        Command::Help => toggle_popover(KEYS_ID),
        Command::Details => toggle_popover(DETAILS_ID),
        other => on_page(&|page| page.carry_out(other)),
    });
    let listener = window_event_listener(leptos::ev::keydown, move |event| {
        let place = place_of(&event);
        let has_ctrl = event.ctrl_key() || event.meta_key();
        let key = key_name(&event.key(), has_ctrl, event.alt_key(), event.shift_key());
        let Some(command) = command_of(&key, place) else { return };
        if place == Place::FindField && command == Command::Escape {
            if !find.clear() {
                on_page(&LivePage::focus);
            }
            return;
        }
        if place == Place::Log
            && matches!(command, Command::Scroll(..) | Command::Select(..) | Command::SelectAll)
        {
            on_page(&LivePage::focus);
        }
        if command.is_browsers_too() {
            if command == Command::Copy {
                return;
            }
        } else {
            event.prevent_default();
        }
        act.run(command);
    });
    on_cleanup(move || listener.remove());
    let grant = move |wish| {
        match wish {
            Wish::Act(command) => act.run(command),
            Wish::Save(scope, format) => on_page(&|page| page.save(scope, format)),
            Wish::GoTo(words) => {
                return page.with_value(|page| page.as_ref().and_then(|page| page.go_to(&words)));
            }
            Wish::Highlight(words) => {
                prefer(&|liked| liked.highlights.clone_from(&words));
                return highlight(&words);
            }
        }
        None
    };
    let menus = StoredValue::new_local(None);
    main.on_load(move |main| {
        let made = preferences.with_untracked(|liked| {
            let (document, parent) = (main.owner_document()?, main.parent_element()?);
            Some(Menus::new(&document, &parent, &liked.highlights, Box::new(grant)))
        });
        match made {
            Some(Ok(made)) => menus.set_value(Some(made)),
            other => leptos::logging::error!("there is no menu: {:?}", other.and_then(Result::err)),
        }
    });
    let on_range = Callback::new(move |bars| on_page(&|page| page.set_range(bars)));
    let words = Callback::new(move |bars| {
        page.with_value(|page| page.as_ref().map(|page| page.range_words(bars)).unwrap_or_default())
    });
    let on_source = Callback::new(move |source| change(FindChange::Source(source)));
    let composer = ComposerActions {
        send: Callback::new(move |(source, text): (usize, String)| {
            page.with_value(|page| page.as_ref().is_some_and(|page| page.publish(source, &text)))
        }),
        recall: Callback::new(move |is_older| {
            page.with_value(|page| page.as_ref().and_then(|page| page.recall(is_older)))
        }),
    };
    let composer = address.has_composer.then(|| {
        view! { <ComposerBar sources=screen.sources.0 sent=screen.sent.0 actions=composer /> }
    });
    view! {
        <StatusBar status=screen.status.0 counts=screen.counts.0 source on_retry=move || on_page(&LivePage::connect)>
            <TimelineStrip bars=screen.bars.0 rate=screen.rate.0 range=screen.range.0 on_range words />
        </StatusBar>
        <FindBar state=screen.find.0 sources=screen.sources.0 on_source preferences find act />
        <main node_ref=main>
            <Show when=move || screen.is_empty.0.get()>
                <EmptyLog status=screen.status.0 group=group.clone() command=command.clone() />
            </Show>
            <Tray screen act />
            <Show when=move || new_lines.get().is_some()>
                <ResumeButton new_lines on_resume=move || on_page(&LivePage::follow) />
            </Show>
        </main>
        {composer}
        <ColumnsMenu on_change=on_columns />
    }
}

/// Where a key was pressed.
fn place_of(event: &KeyboardEvent) -> Place {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let Some(target) = target else { return Place::Log };
    match target.node_name().as_str() {
        "BODY" => Place::Log,
        "INPUT" if target.closest("#find").is_ok_and(|found| found.is_some()) => Place::FindField,
        "INPUT" | "TEXTAREA" | "SELECT" => Place::OtherField,
        _ if target.closest("#log").is_ok_and(|found| found.is_some()) => Place::Log,
        _ => Place::Elsewhere,
    }
}

/// What is selected, and the page's answers.
#[component]
fn Tray(
    /// What surrounds the lines.
    screen: Screen,
    /// Has done what is pressed.
    act: Callback<Command>,
) -> impl IntoView {
    let (lines, said) = (screen.selected_lines.0, screen.said.0);
    let button = move |command, title, words| {
        // A press would take the selection away.
        view! {
            <button type="button" title=title on:mousedown=|event| event.prevent_default() on:click=move |_| act.run(command)>
                {words}
            </button>
        }
    };
    view! {
        <div id="tray">
            <div id="selected" hidden=move || lines.get() == 0 data-lines=move || lines.get().to_string()>
                <span>{move || format!("{} selected", counted(lines.get(), "line", "lines"))}</span>
                {button(Command::Copy, "Copy (Ctrl+C)", "Copy")}
                {button(Command::CopyColoured, "Copy with its colours (C)", "With colours")}
            </div>
            <p id="said" role="status">{said}</p>
        </div>
        <p class="spoken" role="log" aria-label="New lines">{screen.speech.0}</p>
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
