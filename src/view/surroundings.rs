//! What the viewer stands in: a page of its own, or an element of somebody else's.

use std::{cell::RefCell, rc::Rc};

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, EventTarget, HtmlElement, Node, Selection};

use super::client::Told;

/// Is told what the clients tell, each of a connection.
pub type Witness = Rc<dyn Fn(usize, &Told)>;

/// See the [module](self).
#[derive(Clone)]
pub struct Surroundings {
    document: Document,
    events: EventTarget,
    /// The element that carries the colours.
    themed: HtmlElement,
    /// The shadow root, in somebody else's page.
    shadow: Option<Node>,
    witness: Option<Witness>,
    /// The document's title, as last written.
    title: Rc<RefCell<String>>,
}

impl Surroundings {
    /// A page of its own: what happens anywhere in it is meant for the viewer. `None` where there is no window.
    #[must_use]
    pub fn page() -> Option<Self> {
        let window = web_sys::window()?;
        let document = window.document()?;
        let themed = document.document_element()?.unchecked_into();
        Some(Self {
            events: document.clone().into(),
            themed,
            document,
            shadow: None,
            witness: None,
            title: Rc::default(),
        })
    }

    /// An element of somebody else's page: only what happens in it is meant for the viewer.
    #[must_use]
    pub fn element(root: &HtmlElement, witness: Witness) -> Option<Self> {
        Some(Self {
            document: root.owner_document()?,
            events: root.clone().into(),
            themed: root.clone(),
            shadow: Some(root.get_root_node()),
            witness: Some(witness),
            title: Rc::default(),
        })
    }

    /// Whether the page is the viewer's own: its address and title then are, too.
    #[must_use]
    pub fn is_page(&self) -> bool {
        self.shadow.is_none()
    }

    /// Where keys, copies and dropped files are heard of.
    #[must_use]
    pub fn events(&self) -> &EventTarget {
        &self.events
    }

    /// The element that carries the colours.
    #[must_use]
    pub fn themed(&self) -> &HtmlElement {
        &self.themed
    }

    /// Whoever embeds the viewer hears it, too: what the client of this connection tells.
    pub fn tell(&self, connection: usize, told: &Told) {
        if let Some(witness) = &self.witness {
            witness(connection, told);
        }
    }

    /// Names a page of its own.
    pub fn show_title(&self, title: &str) {
        if self.is_page() && *self.title.borrow() != title {
            self.document.set_title(title);
            title.clone_into(&mut self.title.borrow_mut());
        }
    }

    /// What is selected. Some browsers tell a shadow root what is selected inside of it, and the document only that something is.
    #[must_use]
    pub fn selection(&self) -> Option<Selection> {
        if let Some(shadow) = &self.shadow
            && let Ok(ask) = js_sys::Reflect::get(shadow, &JsValue::from_str("getSelection"))
            && let Some(ask) = ask.dyn_ref::<js_sys::Function>()
        {
            return ask.call0(shadow).ok()?.dyn_into().ok();
        }
        self.document.get_selection().ok().flatten()
    }
}
