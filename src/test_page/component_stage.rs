//! A component alone in the test's document, with the test in place of the viewer.
//!
//! The test writes the state that the component reads, and reads the commands that the component gives.

use std::{cell::RefCell, mem, ops::Deref, rc::Rc};

use leptos::{prelude::*, task::tick};
use reactive_stores::Store;
use web_sys::Event;

use super::{
    events::{enter_text, key_event},
    settings_of,
    stage::{Mounted, Stage},
};
use crate::{
    app::context::{ControllerRef, HostRef, ViewerInfo},
    browser::{host::Host, page_address::PageAddress, settings::Settings},
    controller::{ControllerSetup, LogController, state::ViewerState},
    model::{
        command::Command,
        line_store::{LineKind, StoreLimits},
        live_log::LiveLog,
        row::{Fold, LineLength, RowContent, RowMarks, RowText},
    },
};

/// See the [module](self). The component is removed when it is dropped.
pub struct ComponentStage {
    /// Before the stage: dropped in this order.
    mounted: Mounted,
    stage: Stage,
    state: Store<ViewerState>,
    controller: Option<Rc<LogController>>,
    commands: Rc<RefCell<Vec<Command>>>,
}

impl ComponentStage {
    /// Returns a stage for a component of a viewer of the group `stream`.
    pub fn new() -> Self {
        Self::at("http://h/")
    }

    /// Returns a stage for a component of the viewer of an address. Provides state, commands and info.
    pub fn at(href: &str) -> Self {
        let (log, info) = log_of(href);
        let mounted = Mounted::nothing();
        let state = mounted.owner().with(|| Store::new(ViewerState::new(log.snapshot(0.0))));
        Self::with_state(mounted, state, info)
    }

    /// Returns a stage for a component that needs a controller. Provides controller and host as well. The controller has not been
    /// started: nothing is rendered, and it connects to nothing.
    pub fn with_controller() -> Self {
        Self::with_controller_at("http://h/")
    }

    /// Does as [`Self::with_controller`] for the viewer of an address.
    pub fn with_controller_at(href: &str) -> Self {
        let (log, info) = log_of(href);
        let host = Host::standalone().unwrap();
        let setup = ControllerSetup {
            log,
            limits: StoreLimits::default(),
            settings: Settings::default(),
            host: host.clone(),
            start_client: Rc::new(|_, _| None),
        };
        let mounted = Mounted::nothing();
        let controller = mounted.owner().with(|| LogController::new(setup));
        let mut stage = Self::with_state(mounted, controller.state(), info);
        stage.mounted.owner().with(|| {
            let controller: ControllerRef = StoredValue::new_local(Rc::clone(&controller));
            let host: HostRef = StoredValue::new_local(host);
            provide_context(controller);
            provide_context(host);
        });
        stage.controller = Some(controller);
        stage
    }

    /// Returns a stage with the component, after its effects ran.
    pub async fn showing<N: IntoView + 'static>(component: impl FnOnce() -> N + 'static) -> Self {
        let mut stage = Self::new();
        stage.mount(component).await;
        stage
    }

    fn with_state(mounted: Mounted, state: Store<ViewerState>, info: ViewerInfo) -> Self {
        let commands = Rc::new(RefCell::new(Vec::new()));
        let given = Rc::clone(&commands);
        mounted.owner().with(|| {
            provide_context(state);
            provide_context(info);
            provide_context(UnsyncCallback::new(move |command: Command| given.borrow_mut().push(command)));
        });
        Self { mounted, stage: Stage::new(), state, controller: None, commands }
    }

    /// Provides a value to the component, in place of another one of its type.
    pub fn provide<T: Clone + Send + Sync + 'static>(&self, value: T) {
        self.mounted.owner().with(|| provide_context(value));
    }

    /// Calls `create` with the owner of the component.
    pub fn owned<T>(&self, create: impl FnOnce() -> T) -> T {
        self.mounted.owner().with(create)
    }

    /// Mounts the component, and waits for its effects.
    pub async fn mount<N: IntoView + 'static>(&mut self, component: impl FnOnce() -> N + 'static) {
        self.mounted.mount(self.stage.root(), component);
        tick().await;
    }

    /// The state that the component reads.
    pub fn state(&self) -> Store<ViewerState> {
        self.state
    }

    /// The controller.
    pub fn controller(&self) -> &Rc<LogController> {
        self.controller.as_ref().expect("the stage has no controller")
    }

    /// Writes a field of the state, and waits for what follows.
    pub async fn set<T>(&self, field: impl Set<Value = T>, value: T) {
        field.set(value);
        tick().await;
    }

    /// Returns the commands given since this was last called.
    pub fn commands(&self) -> Vec<Command> {
        mem::take(&mut *self.commands.borrow_mut())
    }

    /// Clicks, and waits for what follows.
    pub async fn click(&self, selector: &str) {
        self.get(selector).click();
        tick().await;
    }

    /// Types into a field, and waits for what follows.
    pub async fn type_into(&self, selector: &str, text: &str) {
        enter_text(&self.get(selector), text);
        tick().await;
    }

    /// Presses a key in an element, and waits for what follows. Returns whether the browser's own action was prevented.
    pub async fn press_in(&self, selector: &str, key: &str) -> bool {
        self.dispatch(selector, &key_event(key)).await
    }

    /// Dispatches an event, and waits for what follows. Returns whether the browser's own action was prevented.
    pub async fn dispatch(&self, selector: &str, event: &Event) -> bool {
        self.get(selector).dispatch_event(event).unwrap();
        tick().await;
        event.default_prevented()
    }
}

impl Deref for ComponentStage {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

fn log_of(href: &str) -> (LiveLog, ViewerInfo) {
    let limits = StoreLimits::default();
    let address = PageAddress::read(&settings_of(href)).unwrap();
    let log = LiveLog::new(address.sources(), limits);
    let info = ViewerInfo::new(&log, &address, limits, &Host::standalone().unwrap());
    (log, info)
}

/// Returns a row with a line's id and text, and nothing else.
pub fn row_of(line_id: u64, text: RowText) -> RowContent {
    RowContent {
        line_id,
        kind: LineKind::Group,
        level: None,
        gutter: (line_id + 1).to_string(),
        tag: None,
        fold: Fold::None,
        text,
        more: None,
        length: LineLength::Short,
        marks: RowMarks::default(),
    }
}
