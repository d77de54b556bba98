//! The page around the viewer: a standalone page, or a host page that embeds it.

use std::{cell::RefCell, rc::Rc};

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, EventTarget, HtmlElement, Node, Selection, Window};

use super::client::ClientReport;

/// Receives the reports of the clients, each with the number of its connection.
pub type ReportObserver = Rc<dyn Fn(usize, &ClientReport)>;

/// See the [module](self). Clones refer to the same page.
#[derive(Clone)]
pub struct Host {
    window: Window,
    document: Document,
    /// Target of the events that are meant for the viewer: the document, or the element's root.
    events: EventTarget,
    /// Element with the attribute `data-theme`.
    themed: HtmlElement,
    /// Shadow root of an embedded viewer.
    shadow: Option<Node>,
    observer: Option<ReportObserver>,
    /// Title of the document as last written.
    title: Rc<RefCell<String>>,
}

impl Host {
    /// Returns a standalone page: every event in it is meant for the viewer. `None` without a window.
    #[must_use]
    pub fn standalone() -> Option<Self> {
        let window = web_sys::window()?;
        let document = window.document()?;
        let themed = document.document_element()?.unchecked_into();
        Some(Self {
            window,
            events: document.clone().into(),
            themed,
            document,
            shadow: None,
            observer: None,
            title: Rc::default(),
        })
    }

    /// Returns the host page of an embedded viewer: only events inside of `root` are meant for it.
    #[must_use]
    pub fn embedded(root: &HtmlElement, observer: ReportObserver) -> Option<Self> {
        Some(Self {
            window: web_sys::window()?,
            document: root.owner_document()?,
            events: root.clone().into(),
            themed: root.clone(),
            shadow: Some(root.get_root_node()),
            observer: Some(observer),
            title: Rc::default(),
        })
    }

    /// Whether the viewer is embedded: address and title of the page are then not its own.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.shadow.is_some()
    }

    /// The window.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Target of keyboard, copy and drop events.
    #[must_use]
    pub fn events(&self) -> &EventTarget {
        &self.events
    }

    /// Applies a theme by the attribute `data-theme`, as the style sheet expects it.
    ///
    /// # Errors
    /// None for names of attributes that are valid, as this one.
    pub fn set_theme(&self, theme: &str) -> Result<(), JsValue> {
        self.themed.set_attribute("data-theme", theme)
    }

    /// Passes a client's report on to the host page.
    pub fn report(&self, connection: usize, report: &ClientReport) {
        if let Some(observer) = &self.observer {
            observer(connection, report);
        }
    }

    /// Sets the title of a standalone page.
    pub fn set_title(&self, title: &str) {
        if !self.is_embedded() && *self.title.borrow() != title {
            self.document.set_title(title);
            title.clone_into(&mut self.title.borrow_mut());
        }
    }

    /// Puts a fragment into the address of a standalone page. Returns whether it is there: browsers refuse hundreds of changes a
    /// second, and an embedded viewer must not change the host page's address.
    #[must_use]
    pub fn set_fragment(&self, fragment: &str) -> bool {
        if self.is_embedded() {
            return false;
        }
        let history = self.window.history();
        history.and_then(|history| history.replace_state_with_url(&JsValue::NULL, "", Some(fragment))).is_ok()
    }

    /// Returns the browser's selection. Some browsers show what is selected inside of a shadow root to that root only.
    #[must_use]
    pub fn selection(&self) -> Option<Selection> {
        if let Some(shadow) = &self.shadow
            && let Ok(get_selection) = js_sys::Reflect::get(shadow, &JsValue::from_str("getSelection"))
            && let Some(get_selection) = get_selection.dyn_ref::<js_sys::Function>()
        {
            return get_selection.call0(shadow).ok()?.dyn_into().ok();
        }
        self.document.get_selection().ok().flatten()
    }
}
