//! What the page is set to: by its address, by what the reader chose before, by who put it where it is.
//!
//! All three speak the same names; `docs/configuration.md` lists them.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlElement, Response, Storage, UrlSearchParams, Window};

/// What the attribute of `<html>` is called that names a file of settings beside the page.
const CONFIG_ATTRIBUTE: &str = "data-config";

/// See the [module](self).
#[derive(Clone)]
pub struct Settings {
    /// What is asked for now.
    asked: UrlSearchParams,
    /// What holds where nothing is asked for, nor kept.
    usual: UrlSearchParams,
    /// Where the reader's choices are kept.
    storage: Option<Storage>,
    base: String,
}

impl Settings {
    /// What a query alone asks for. Addresses in it are relative to `base`. Nothing is kept.
    ///
    /// # Errors
    /// What the browser says of a query that is none.
    pub fn of_query(query: &str, base: String) -> Result<Self, JsValue> {
        Ok(Self {
            asked: UrlSearchParams::new_with_str(query)?,
            usual: UrlSearchParams::new()?,
            storage: None,
            base,
        })
    }

    /// The page's: its address first, then what was kept, then the attributes `data-…` of its body.
    ///
    /// # Errors
    /// What the browser says when it knows no address.
    pub fn of_page(window: &Window) -> Result<Self, JsValue> {
        let location = window.location();
        let mut settings = Self::of_query(&location.search()?, location.href()?)?;
        // A browser, or its user, may allow no storage.
        settings.storage = window.local_storage().ok().flatten();
        if let Some(body) = window.document().and_then(|document| document.body()) {
            settings.add_usual(&HtmlElement::dataset(&body).into());
        }
        Ok(settings)
    }

    /// As [`Settings::of_page`], with what the file says that `<html data-config="FILE">` names. A page without that
    /// attribute asks for no file.
    ///
    /// # Errors
    /// In words for the reader: a file that is there and cannot be read.
    pub async fn of_page_and_file(window: &Window) -> Result<Self, String> {
        let settings = Self::of_page(window).map_err(|error| format!("{error:?}"))?;
        let root = window.document().and_then(|document| document.document_element());
        if let Some(file) = root.and_then(|root| root.get_attribute(CONFIG_ATTRIBUTE)) {
            let read = read_file(window, &file).await;
            let said = read.map_err(|error| {
                let words = js_sys::Error::from(error).message();
                format!("the page's settings, {file}, cannot be read: {}", String::from(words))
            })?;
            said.iter().for_each(|said| settings.add_usual(said));
        }
        Ok(settings)
    }

    /// Where addresses begin that are not whole.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The value of a setting.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let kept = || self.storage.as_ref()?.get_item(&key(name)).ok()?;
        self.asked.get(name).or_else(kept).or_else(|| self.usual.get(name))
    }

    /// All values of a setting that may have several. None of these are kept.
    #[must_use]
    pub fn get_all(&self, name: &str) -> Vec<String> {
        let from = if self.asked.has(name) { &self.asked } else { &self.usual };
        from.get_all(name).iter().filter_map(|value| value.as_string()).collect()
    }

    /// Keeps what the reader chose, where anything is kept.
    pub fn keep(&self, name: &str, value: &str) {
        if let Some(storage) = &self.storage {
            // A full or forbidden store keeps nothing, and the page works all the same.
            storage.set_item(&key(name), value).unwrap_or_default();
        }
    }

    /// Takes the members of an object for what is usual. Those of an array count one by one.
    fn add_usual(&self, members: &JsValue) {
        let Some(members) = members.dyn_ref::<js_sys::Object>() else { return };
        for pair in js_sys::Object::entries(members) {
            let pair: js_sys::Array = pair.unchecked_into();
            let Some(name) = pair.get(0).as_string() else { continue };
            let value = pair.get(1);
            let values = if js_sys::Array::is_array(&value) {
                value.unchecked_into()
            } else {
                js_sys::Array::of1(&value)
            };
            for value in values {
                if value.is_null() || value.is_undefined() {
                    continue;
                }
                // As JavaScript writes it: numbers and flags as well.
                self.usual.append(&name, &String::from(js_sys::Object::from(value).to_string()));
            }
        }
    }
}

fn key(name: &str) -> String {
    format!("tailcast.{name}")
}

/// What a file of JSON says. `None` where there is no such file: whoever hosts the page may have no use for one.
async fn read_file(window: &Window, file: &str) -> Result<Option<JsValue>, JsValue> {
    let response: Response = JsFuture::from(window.fetch_with_str(file)).await?.unchecked_into();
    match response.status() {
        200..300 => {
            let said = JsFuture::from(response.json()?).await?;
            if !said.is_object() || js_sys::Array::is_array(&said) {
                return Err(js_sys::Error::new("it is no JSON object").into());
            }
            Ok(Some(said))
        }
        404 => Ok(None),
        status => Err(js_sys::Error::new(&format!("the server answered {status}")).into()),
    }
}
