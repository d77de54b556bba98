//! `<App>`: a viewer, or the reason why there is none.

use std::rc::Rc;

use leptos::{either::Either, prelude::*};

use super::{
    unusable_page::UnusablePage,
    viewer::{Viewer, ViewerSetup},
};
use crate::{
    browser::{
        client::{StartClient, clients_of},
        host::Host,
        page_address::PageAddress,
        settings::Settings,
    },
    controller::WeakController,
    model::line_store::StoreLimits,
};

/// Everything that the app is started with.
pub struct Plan {
    /// Connections and limits, or the reason why the settings are unusable.
    pub address: Result<PageAddress, String>,
    /// Starts the clients.
    pub start_client: StartClient,
    /// Limits of the line store.
    pub limits: StoreLimits,
    /// Settings.
    pub settings: Settings,
    /// The page around the viewer.
    pub host: Host,
    /// Called with the controller when it has started.
    pub on_start: Box<dyn FnOnce(WeakController)>,
}

impl Plan {
    /// Returns the plan of a standalone page with these settings. `None` without a window.
    #[must_use]
    pub fn of_page(settings: Result<Settings, String>) -> Option<Self> {
        let (address, settings) = match settings {
            Ok(settings) => (PageAddress::read(&settings).map_err(|error| error.to_string()), settings),
            Err(reason) => (Err(reason), Settings::default()),
        };
        let start_client: StartClient = match &address {
            Ok(address) => clients_of(address),
            Err(_) => Rc::new(|_, _| None),
        };
        let limits = address.as_ref().map(|address| address.limits).unwrap_or_default();
        Some(Self {
            address,
            start_client,
            limits,
            settings,
            host: Host::standalone()?,
            on_start: Box::new(drop),
        })
    }
}

/// Shows a viewer, or the reason why there is none.
#[component]
pub fn App(
    /// Everything that it is started with.
    plan: Plan,
) -> impl IntoView {
    let Plan { address, start_client, limits, settings, host, on_start } = plan;
    match address {
        Ok(address) => {
            let setup = ViewerSetup { address, start_client, limits, settings, host, on_start };
            Either::Left(view! { <Viewer setup /> })
        }
        Err(reason) => Either::Right(view! { <UnusablePage reason host /> }),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::test_page::{Mounted, Stage};

    #[wasm_bindgen_test]
    fn unusable_settings_are_reported_and_nothing_is_started() {
        let (stage, started) = (Stage::new(), Rc::new(Cell::new(0)));
        let count = || {
            let started = Rc::clone(&started);
            move || started.set(started.get() + 1)
        };
        let (start_client, on_start) = (count(), count());
        let plan = Plan {
            address: Err("`x` is not the address of a negotiate endpoint".into()),
            start_client: Rc::new(move |_, _| {
                start_client();
                None
            }),
            limits: StoreLimits::default(),
            settings: Settings::default(),
            host: Host::standalone().unwrap(),
            on_start: Box::new(move |_| on_start()),
        };
        let _app = Mounted::new(stage.root(), move || view! { <App plan /> });
        assert_eq!(stage.text(".unusable .reason"), "`x` is not the address of a negotiate endpoint");
        assert!(stage.find("#log").is_none());
        assert_eq!(started.get(), 0);
    }

    #[wasm_bindgen_test]
    fn a_plan_of_unusable_settings_has_their_reason() {
        let plan = Plan::of_page(Err("the page's settings cannot be read".into())).unwrap();
        assert_eq!(plan.address, Err("the page's settings cannot be read".to_owned()));
        assert!((plan.start_client)(0, Box::new(|_| {})).is_none());
    }
}
