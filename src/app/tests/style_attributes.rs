//! Styles under a Content-Security-Policy without `'unsafe-inline'`, as the standalone page has one.
//!
//! A policy in this document would hold for all tests in it, and cannot be removed. The first test therefore asserts by which
//! functions of the browser Leptos sets styles, the second one which of these a policy refuses.

use std::{cell::RefCell, rc::Rc};

use gloo_events::EventListener;
use js_sys::{Array, Function, Reflect};
use leptos::{prelude::*, task::tick};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Document, Element, HtmlElement};

use crate::test_page::{Mounted, Stage, document, frames_until, next_event};

/// Replaces the functions that parse a `style` attribute by ones that record their calls. Returns the calls, and a function that
/// restores them.
const RECORD: &str = r#"
    const calls = [];
    const prototype = Element.prototype;
    const { setAttribute } = prototype;
    const markup = Object.getOwnPropertyDescriptor(prototype, 'innerHTML');
    prototype.setAttribute = function (name, value) {
        if (name === 'style') calls.push('setAttribute');
        return setAttribute.call(this, name, value);
    };
    Object.defineProperty(prototype, 'innerHTML', {
        ...markup,
        set(text) {
            if (text.includes('style=')) calls.push('innerHTML');
            markup.set.call(this, text);
        },
    });
    const restore = () => {
        prototype.setAttribute = setAttribute;
        Object.defineProperty(prototype, 'innerHTML', markup);
    };
    return [calls, restore];
"#;

/// Returns the calls that parse a `style` attribute while a view is mounted and updated.
async fn calls_of<N: IntoView + 'static>(view: impl FnOnce(RwSignal<String>) -> N + 'static) -> Vec<String> {
    let stage = Stage::new();
    let recording: Array = Function::new_no_args(RECORD).call0(&JsValue::NULL).unwrap().unchecked_into();
    let owner = Owner::default();
    let color = owner.with(|| RwSignal::new("red".to_owned()));
    let _mounted = Mounted::new(stage.root(), move || view(color));
    color.set("blue".to_owned());
    tick().await;
    recording.get(1).unchecked_into::<Function>().call0(&JsValue::NULL).unwrap();
    let calls: Array = recording.get(0).unchecked_into();
    calls.iter().filter_map(|call| call.as_string()).collect()
}

#[wasm_bindgen_test]
async fn only_style_attributes_are_parsed_and_single_properties_are_not() {
    let in_markup = calls_of(|_| view! { <p><b style="color: red">"static"</b></p> }).await;
    assert_eq!(in_markup, ["innerHTML"], "a child without dynamic parts is parsed as markup");
    let in_attribute =
        calls_of(|color| view! { <p style=move || format!("color: {}", color.get())></p> }).await;
    assert_eq!(in_attribute, ["setAttribute", "setAttribute"]);
    let properties = calls_of(|color| {
        view! {
            <p style:color=move || color.get()></p>
            <p style:color="red"><b style:color="red">"static"</b></p>
            <p style=("--f", move || color.get())></p>
            <p class:red=true></p>
        }
    })
    .await;
    assert_eq!(properties, [] as [&str; 0]);
}

/// Returns the document of a frame with a policy that allows no inline styles.
async fn document_with_policy(stage: &Stage) -> Document {
    let frame = document().create_element("iframe").unwrap();
    let policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"style-src 'none'\">";
    frame.set_attribute("srcdoc", &format!("<!doctype html>{policy}<body></body>")).unwrap();
    let loaded = next_event(&frame, "load");
    stage.root().append_child(&frame).unwrap();
    loaded.await;
    Reflect::get(&frame, &"contentDocument".into()).unwrap().unchecked_into()
}

#[wasm_bindgen_test]
async fn a_policy_refuses_style_attributes_and_allows_single_properties() {
    let stage = Stage::new();
    let framed = document_with_policy(&stage).await;
    let violations = Rc::new(RefCell::new(Vec::new()));
    let reported = Rc::clone(&violations);
    let _listener = EventListener::new(&framed, "securitypolicyviolation", move |event| {
        let directive = Reflect::get(event, &"effectiveDirective".into()).unwrap();
        reported.borrow_mut().push(directive.as_string().unwrap());
    });
    let body = framed.body().unwrap();
    let added = || -> HtmlElement {
        let element: Element = framed.create_element("p").unwrap();
        body.append_child(&element).unwrap();
        element.unchecked_into()
    };
    let (attribute, markup, property) = (added(), added(), added());
    attribute.set_attribute("style", "opacity: 0.5").unwrap();
    markup.set_inner_html("<b style='opacity: 0.5'></b>");
    property.style().set_property("opacity", "0.5").unwrap();
    let of = |element: &Element| {
        element.clone().unchecked_into::<HtmlElement>().style().get_property_value("opacity").unwrap()
    };
    assert_eq!(of(&attribute), "");
    assert_eq!(of(&markup.first_element_child().unwrap()), "");
    assert_eq!(of(&property), "0.5");
    // Reported in a task of their own.
    frames_until(|| violations.borrow().len() >= 2).await;
    assert_eq!(*violations.borrow(), ["style-src-attr", "style-src-attr"]);
}
