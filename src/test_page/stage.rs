//! A place in the test's document, and views that are mounted there.

use std::any::Any;

use leptos::{mount::mount_to, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{Document, Element, HtmlElement};

/// Height of a stage: the list of a viewer gets what header and toolbar leave.
const PAGE_PX: u32 = 600;

/// An element in the test's document with the style sheet. Removed when it is dropped.
pub struct Stage {
    root: HtmlElement,
}

impl Stage {
    pub fn new() -> Self {
        let document = document();
        let root: HtmlElement = document.create_element("div").unwrap().unchecked_into();
        root.set_attribute("style", &format!("position: relative; height: {PAGE_PX}px")).unwrap();
        let style = document.create_element("style").unwrap();
        style.set_text_content(Some(include_str!("../../assets/style.css")));
        root.append_child(&style).unwrap();
        document.body().unwrap().append_child(&root).unwrap();
        Self { root }
    }

    pub fn root(&self) -> &HtmlElement {
        &self.root
    }

    pub fn find(&self, selector: &str) -> Option<HtmlElement> {
        self.root.query_selector(selector).unwrap().map(Element::unchecked_into)
    }

    pub fn get(&self, selector: &str) -> HtmlElement {
        self.find(selector).unwrap_or_else(|| panic!("no element matches {selector}"))
    }

    /// Returns an attribute; an empty text if there is none.
    pub fn attribute(&self, selector: &str, name: &str) -> String {
        self.get(selector).get_attribute(name).unwrap_or_default()
    }

    pub fn text(&self, selector: &str) -> String {
        self.get(selector).text_content().unwrap_or_default()
    }

    pub fn count(&self, selector: &str) -> u32 {
        self.root.query_selector_all(selector).unwrap().length()
    }

    /// Returns all elements that match, in the order of the document.
    pub fn all(&self, selector: &str) -> Vec<HtmlElement> {
        let found = self.root.query_selector_all(selector).unwrap();
        (0..found.length()).map(|at| found.get(at).unwrap().unchecked_into()).collect()
    }

    /// Returns the texts of all elements that match, in the order of the document.
    pub fn texts_of(&self, selector: &str) -> Vec<String> {
        self.all(selector).iter().map(|element| element.text_content().unwrap_or_default()).collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.root.remove();
    }
}

/// A root owner and the view that is mounted below it. Unmounted and cleaned up when it is dropped, as in the element.
pub struct Mounted {
    view: Option<Box<dyn Any>>,
    owner: Owner,
}

impl Mounted {
    /// Returns a root owner without a view.
    pub fn nothing() -> Self {
        Self { view: None, owner: Owner::default() }
    }

    /// Mounts a view below an owner of its own.
    pub fn new<N: IntoView + 'static>(root: &HtmlElement, view: impl FnOnce() -> N + 'static) -> Self {
        let mut mounted = Self::nothing();
        mounted.mount(root, view);
        mounted
    }

    /// Mounts the view.
    pub fn mount<N: IntoView + 'static>(&mut self, root: &HtmlElement, view: impl FnOnce() -> N + 'static) {
        let root = root.clone();
        self.view = Some(Box::new(self.owner.with(|| mount_to(root, view))));
    }

    pub fn owner(&self) -> &Owner {
        &self.owner
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(self.view.take());
        self.owner.cleanup();
    }
}

pub fn document() -> Document {
    web_sys::window().unwrap().document().unwrap()
}
